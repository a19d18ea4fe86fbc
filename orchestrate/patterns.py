"""The antenna patterns of a dataset: computed, stored and drawn."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from vasgen.datasets.antennas import ANTENNAS_PNG, write_patterns
from vasgen.datasets.lobes import draw_patterns
from vasgen.transmitter import Transmitter
from vasgen.vas.scene.power_pattern import power_patterns


def add_patterns(out: Path, transmitters: Sequence[Transmitter]) -> None:
    """Write what each transmitter radiates on the unit sphere, and a picture of it.

    Args:
        out: dataset folder.
        transmitters: all transmitters.

    Raises:
        StorageError: if the disk refuses.
    """
    patterns = power_patterns(transmitters)
    write_patterns(out, patterns)
    draw_patterns(patterns, transmitters, out / ANTENNAS_PNG)
