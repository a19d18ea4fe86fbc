"""The antenna patterns of a dataset, in a file beside its manifest."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from vasgen.antenna_pattern import AntennaPatterns
from vasgen.artefact import atomic_file
from vasgen.datasets.store import read_arrays
from vasgen.errors import StorageError

ANTENNAS_NPZ = "antennas.npz"
ANTENNAS_PNG = "antennas.png"


def write_patterns(folder: Path, patterns: AntennaPatterns) -> None:
    """Write the patterns of a dataset's transmitters, in their order.

    Raises:
        StorageError: if the disk refuses.
    """
    with atomic_file(folder / ANTENNAS_NPZ) as scratch:
        np.savez_compressed(scratch, **patterns._asdict())


def read_patterns(folder: Path) -> AntennaPatterns:
    """The patterns of a dataset's transmitters, in their order.

    Raises:
        StorageError: if the file is missing or damaged.
    """
    arrays = read_arrays(folder / ANTENNAS_NPZ)
    missing = set(AntennaPatterns._fields) - set(arrays)
    if missing:
        raise StorageError(f"{folder / ANTENNAS_NPZ} lacks {', '.join(sorted(missing))}.")
    return AntennaPatterns(**{name: arrays[name] for name in AntennaPatterns._fields})
