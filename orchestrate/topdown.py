"""Top-down maps of a scene as files.

OUT/
  maps.npz      the layers of TOPDOWN_LAYERS
  topdown.json  grid, transmitters, propagation, seed, scene, versions, SHA-256 of the files
  tx-0.png      a picture of the path gain of each transmitter, by its name
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vasgen.artefact import atomic_directory, library_versions, sha256_of
from vasgen.bundle import SceneBundle
from vasgen.errors import InputError
from vasgen.layers import PATH_GAIN_FLOOR_DB, RADIO_LAYERS, LayerSpec
from vasgen.orchestrate.progress import Progress, Silent
from vasgen.orchestrate.topdown_picture import Subject, draw_topdown
from vasgen.orchestrate.transmitters import place_transmitters
from vasgen.seeding import key
from vasgen.spec import RadioSpec, TransmittersSpec
from vasgen.transmitter import Transmitter
from vasgen.vas import Grid, TopDownMap, trace_topdown

FORMAT_VERSION = 1

MAPS_NPZ = "maps.npz"
TOPDOWN_JSON = "topdown.json"

_TRANSMITTER_AXES = "transmitter row column"

#: Layers of ``maps.npz``. Rows go from north to south, columns from west to east.
TOPDOWN_LAYERS: dict[str, LayerSpec] = {
    "path_gain_db": LayerSpec(
        "float32",
        _TRANSMITTER_AXES,
        "dB",
        "sum over paths from all sides of |a|^2, mean over the air of the cell; "
        f"{PATH_GAIN_FLOOR_DB:g}: not reached; NaN: building",
    ),
    "rss_dbm": LayerSpec(
        "float32", _TRANSMITTER_AXES, "dBm", "transmit power times path gain; NaN: building"
    ),
    "sinr_db": LayerSpec(
        "float32",
        _TRANSMITTER_AXES,
        "dB",
        "RSS over noise plus the RSS of all other transmitters of its group; NaN: building",
    ),
    "best_server": LayerSpec(
        "int16",
        "row column",
        "index",
        "transmitter of the strongest RSS; -1: none reaches the cell, or building",
    ),
    "line_of_sight": LayerSpec(
        "bool", _TRANSMITTER_AXES, "bool", "some part of the cell sees the transmitter"
    ),
    "reached": LayerSpec("bool", _TRANSMITTER_AXES, "bool", "at least one path reaches the cell"),
    "standard_error_db": LayerSpec(
        "float32",
        _TRANSMITTER_AXES,
        "dB",
        "how far one standard error of the path gain lies above it, 10 log10(1 + error / gain); "
        "NaN: not reached or building",
    ),
    "rays": RADIO_LAYERS["rays"],
    "transmitter_mask": LayerSpec(
        "bool", _TRANSMITTER_AXES, "bool", "the one cell the transmitter is above, if it is"
    ),
    "building_mask": LayerSpec(
        "bool", "row column", "bool", "more of the cell is in buildings than not, at the height"
    ),
    "building_height_m": LayerSpec(
        "float32", "row column", "m", "highest part of a building above the ground; 0: none"
    ),
    "ground_m": LayerSpec("float32", "row column", "m", "world height of the ground"),
    "x_m": LayerSpec("float64", "column", "m", "world x, east, of the cells' middles"),
    "y_m": LayerSpec("float64", "row", "m", "world y, north, of the cells' middles"),
}


def make_topdown(
    bundle: SceneBundle,
    spec: RadioSpec,
    transmitters: Sequence[Transmitter],
    grid: Grid,
    out: Path,
    *,
    seed: int = 0,
    progress: Progress | None = None,
) -> TopDownMap:
    """Trace top-down maps into a folder that appears whole; older maps there are replaced.

    Args:
        bundle: the scene.
        spec: propagation and effort.
        transmitters: all transmitters; those of one group are on at the same time.
        grid: the cells.
        out: the folder.
        seed: of the scene's or dataset's radio; the maps' own follows from it.
        progress: is told about the steps.

    Raises:
        InputError: if the folder holds other things, or as
            :func:`vasgen.vas.trace_topdown` says.
        StorageError: if the disk refuses.
    """
    watch = progress or Silent()
    _check_folder(out)
    watch.start("Tracing the map", 1)
    found = trace_topdown(
        bundle, spec, transmitters, grid, seed=key(seed, "radio") % 2**31, advance=watch.advance
    )
    watch.start("Drawing", len(transmitters))
    with atomic_directory(out) as scratch:
        np.savez_compressed(scratch / MAPS_NPZ, **_layers(found))  # type: ignore[arg-type]
        subject = Subject.of(bundle, found, spec)
        for row, name in enumerate(_pictures(transmitters)):
            draw_topdown(subject, row, transmitters[row], scratch / name)
            watch.advance(1)
        record = {
            "format": FORMAT_VERSION,
            "scene": {"name": bundle.name, "content_hash": bundle.content_hash},
            "grid": dataclasses.asdict(grid),
            "seed": seed,
            "radio": spec.model_dump(mode="json"),
            "transmitters": [transmitter.to_dict() for transmitter in transmitters],
            "layers": {name: layer._asdict() for name, layer in TOPDOWN_LAYERS.items()},
            "versions": library_versions(),
            "files": {path.name: sha256_of(path) for path in sorted(scratch.iterdir())},
        }
        (scratch / TOPDOWN_JSON).write_text(json.dumps(record, indent=1) + "\n")
    return found


def transmitters_above(
    bundle: SceneBundle, grid: Grid, count: int, seed: int = 0
) -> list[Transmitter]:
    """Transmitters on the ground of a grid, chosen as :func:`place_transmitters` chooses.

    Args:
        bundle: the scene.
        grid: the cells.
        count: how many.
        seed: the same seed gives the same positions.

    Raises:
        InputError: if there are too few places to stand.
    """
    try:
        spec = TransmittersSpec(count=count)
        return place_transmitters(bundle, spec, seed=seed, area=grid.bounds)
    except InputError:
        raise InputError(
            f"too few places on the grid for {count} transmitters: too little walkable ground "
            "under open sky. Move its centre, make it larger, or ask for fewer."
        ) from None


def _layers(found: TopDownMap) -> dict[str, NDArray[Any]]:
    middles = found.grid.points()
    arrays = {
        **found.radio.arrays(),
        "transmitter_mask": found.transmitter_mask,
        "building_mask": found.building_mask,
        "building_height_m": found.building_height_m,
        "ground_m": found.ground_m,
        "x_m": middles[0, :, 0],
        "y_m": middles[:, 0, 1],
    }
    return {name: arrays[name] for name in TOPDOWN_LAYERS}


def _pictures(transmitters: Sequence[Transmitter]) -> list[str]:
    """File names of the pictures: the transmitters' names may hold anything."""
    plain = [re.sub(r"[^A-Za-z0-9_.-]+", "_", t.name).lstrip(".") for t in transmitters]
    names = [
        name if name and plain.count(name) == 1 else f"{name}-{number}"
        for number, name in enumerate(plain)
    ]
    return [f"{name}.png" for name in names]


def _check_folder(out: Path) -> None:
    if out.is_file():
        raise InputError(f"{out} is a file; choose a folder with --out.")
    if out.is_dir() and any(out.iterdir()) and not (out / TOPDOWN_JSON).is_file():
        raise InputError(f"{out} holds something other than top-down maps; choose another --out.")
