"""View folders: one view of a scene on disk.

    000000/
      view.json   camera, transmitters, seeds, statistics, SHA-256 of the other files
      image.npz   depth, normal, albedo, roughness, semantic, instance, radio_material, valid
      radio.npz   the radio layers, once traced
      paths.npz   the geometry of all paths, if the spec stores them
      rgb.exr     linear radiance, if a picture was rendered
      rgb.png     the same for display, 8-bit sRGB
      depth.png   z-depth in colours, logarithmic, the same scale in all views
      gate-*.png  layers with wrong pixels, as the physics gate marks them

``view.json`` is written last and names every file that counts: a file it does not
name, or names with another hash, is not part of the view. So a view is complete or
visibly incomplete, whenever its writer was stopped.
"""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vasgen.artefact import DAMAGE, atomic_directory, sha256_of
from vasgen.camera import Camera
from vasgen.conditions import Conditions
from vasgen.datasets.records import read_json
from vasgen.datasets.view_record import ViewRecord, statistics
from vasgen.errors import InputError, StorageError
from vasgen.layers import (
    IMAGE_LAYERS,
    PATH_LAYERS,
    RADIO_LAYERS,
    Float,
    ImageLayers,
    RadioLayers,
)
from vasgen.transmitter import Transmitter

VIEW_JSON = "view.json"
IMAGE_NPZ = "image.npz"
RADIO_NPZ = "radio.npz"
PATHS_NPZ = "paths.npz"
RGB_EXR = "rgb.exr"
RGB_PNG = "rgb.png"
DEPTH_PNG = "depth.png"

#: Arrays of a file by name; what draws pictures into a view's folder.
Arrays = Mapping[str, NDArray[Any]]
Draw = Callable[[Path], None]


@dataclass(frozen=True, eq=False)
class Sample:
    """One view with everything known about its pixels.

    Attributes:
        name: name of the view in its dataset, e.g. ``"000000"``.
        camera: intrinsics and pose.
        image: what the camera sees.
        radio: what radio arrives there; None before tracing.
        transmitters: in the order of the first axis of the radio layers.
        problems: what the physics gate found wrong with the radio layers, one line each.
        conditions: what the picture was drawn in; None without a picture.
    """

    name: str
    camera: Camera
    image: ImageLayers
    radio: RadioLayers | None
    transmitters: tuple[Transmitter, ...]
    problems: tuple[str, ...] = ()
    conditions: Conditions | None = None


def write_view(
    folder: Path,
    record: ViewRecord,
    image: ImageLayers,
    radio: RadioLayers | None = None,
    paths: Arrays | None = None,
) -> None:
    """Write the layers of a view, then its record.

    Args:
        folder: scratch folder of the view; pictures already in it become part of the view.
        record: what to write to ``view.json``; its file table is filled in here.
        image: image layers. ``rgb`` is not written: pictures are files of their own.
        radio: radio layers, if traced.
        paths: the paths that they follow from, as plain arrays, if they are kept.
    """
    arrays = image.arrays()
    arrays.pop("rgb", None)
    _write_arrays(folder / IMAGE_NPZ, arrays)
    if radio is not None:
        _write_arrays(folder / RADIO_NPZ, radio.arrays())
    if paths is not None:
        _write_arrays(folder / PATHS_NPZ, paths)
    files = {path.name: sha256_of(path) for path in sorted(folder.iterdir())}
    _write_record(folder / VIEW_JSON, dataclasses.replace(record, files=files), image, radio)


def add_radio(
    folder: Path,
    record: ViewRecord,
    image: ImageLayers,
    radio: RadioLayers,
    draw: Draw = lambda folder: None,
    paths: Arrays | None = None,
) -> None:
    """Write the radio layers of an existing view, replacing older ones.

    Args:
        folder: the view.
        record: what to write to ``view.json``; its file table is completed here.
        image: image layers, as they are there.
        radio: radio layers.
        draw: called with the view's scratch folder, for pictures of the radio layers.
        paths: the paths that they follow from, as plain arrays, if they are kept.

    Raises:
        StorageError: if the disk refuses; the view is then as before.
    """
    arrays = {RADIO_NPZ: radio.arrays()} | ({} if paths is None else {PATHS_NPZ: paths})
    # The folder switches at once: new arrays beside an old record would be a lie.
    with atomic_directory(folder) as scratch:
        kept = _keep_files(folder, scratch, record, {RADIO_NPZ, PATHS_NPZ})
        _complete(scratch, kept, image, radio, arrays, draw)


def relabel_view(
    folder: Path,
    out: Path,
    record: ViewRecord,
    image: ImageLayers,
    radio: RadioLayers,
    draw: Draw = lambda folder: None,
) -> None:
    """Write a view again elsewhere, with other radio layers; the rest is linked or copied.

    Args:
        folder: the view, which stays as it is.
        out: folder of the new view; one that is there already is replaced.
        record: what to write to ``view.json``; its file table is that of the old view, and is
            completed here.
        image: image layers, as they are there.
        radio: new radio layers.
        draw: called with the new view's scratch folder, for pictures of the radio layers.

    Raises:
        StorageError: if the disk refuses.
    """
    with atomic_directory(out) as scratch:
        kept = _keep_files(folder, scratch, record, {RADIO_NPZ})
        _complete(scratch, kept, image, radio, {RADIO_NPZ: radio.arrays()}, draw)


def _keep_files(folder: Path, scratch: Path, record: ViewRecord, replaced: set[str]) -> ViewRecord:
    """Link the files of a view that stay; the record that names no others."""
    for path in folder.iterdir():
        gone = path.name in replaced | {VIEW_JSON} or _is_gate(path.name)
        if not gone and not path.name.startswith("."):
            _link(path, scratch / path.name)
    files = {
        name: digest
        for name, digest in record.files.items()
        if name not in replaced and not _is_gate(name)
    }
    return dataclasses.replace(record, files=files)


def _complete(
    scratch: Path,
    record: ViewRecord,
    image: ImageLayers,
    radio: RadioLayers,
    arrays: Mapping[str, Arrays],
    draw: Draw,
) -> None:
    """Write files of arrays beside those that a view has kept, draw, and name them all."""
    before = {path.name for path in scratch.iterdir()}
    for name, content in arrays.items():
        _write_arrays(scratch / name, content)
    draw(scratch)
    new = {p.name: sha256_of(p) for p in scratch.iterdir() if p.name not in before}
    whole = dataclasses.replace(record, files={**record.files, **new})
    _write_record(scratch / VIEW_JSON, whole, image, radio)


def gate_png(layer: str) -> str:
    """Name of the picture of a layer with wrong pixels."""
    return f"gate-{layer}.png"


def _is_gate(name: str) -> bool:
    return fnmatch(name, gate_png("*"))


def read_record(folder: Path) -> ViewRecord:
    """The record of a view.

    Raises:
        InputError: if the folder is no view.
        StorageError: if its record is damaged.
    """
    path = folder / VIEW_JSON
    if not path.is_file():
        raise InputError(f"{folder} is no view: it has no {VIEW_JSON}.")
    try:
        return ViewRecord.from_dict(read_json(path))
    except StorageError:
        raise
    except DAMAGE as error:
        raise StorageError(f"{path} is damaged: {error}") from error


def read_view(folder: Path) -> Sample:
    """A view with all its layers.

    Raises:
        InputError: if the folder is no view.
        StorageError: if a file is missing or damaged.
    """
    record = read_record(folder)
    image = read_image(folder, record)
    radio = read_radio(folder) if RADIO_NPZ in record.files else None
    return Sample(
        folder.name,
        record.camera,
        image,
        radio,
        record.transmitters,
        record.problems,
        record.conditions,
    )


def read_radio(folder: Path) -> RadioLayers:
    """The radio layers of a view that was traced, with those of paths where it has them.

    Raises:
        StorageError: if a file is missing or damaged.
    """
    arrays = read_arrays(folder / RADIO_NPZ)
    layers = {name: _layer(arrays, name, folder) for name in RADIO_LAYERS}
    return RadioLayers(**layers, **{n: arrays[n] for n in PATH_LAYERS if n in arrays})


def path_layers(folder: Path) -> tuple[str, ...]:
    """Names of the layers of :data:`vasgen.layers.PATH_LAYERS` that a view has.

    Raises:
        StorageError: if a file is missing or damaged.
    """
    path = folder / RADIO_NPZ
    if not path.exists():
        return ()
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            return tuple(name for name in PATH_LAYERS if name in archive.files)
    except DAMAGE as error:
        raise StorageError(f"{path} cannot be read: {error}") from error


def read_image(folder: Path, record: ViewRecord) -> ImageLayers:
    """The image layers of a view.

    Args:
        folder: the view.
        record: its record.

    Raises:
        StorageError: if a file is missing or damaged.
    """
    arrays = read_arrays(folder / IMAGE_NPZ)
    rgb = read_rgb(folder / RGB_EXR) if RGB_EXR in record.files else None
    names = IMAGE_LAYERS.keys() - {"rgb"}
    return ImageLayers(rgb=rgb, **{name: _layer(arrays, name, folder) for name in names})


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """All arrays of an ``.npz`` file.

    Raises:
        StorageError: if it is missing or damaged.
    """
    try:
        # Opened here: np.load leaves a file open that it finds damaged.
        with warnings.catch_warnings(), path.open("rb") as file:
            warnings.simplefilter("ignore")  # damage may look like an old format to numpy
            with np.load(file, allow_pickle=False) as archive:
                arrays = {name: archive[name] for name in archive.files}
    except DAMAGE as error:
        raise StorageError(f"{path} cannot be read: {error}") from error
    for name, array in arrays.items():
        if not isinstance(array, np.ndarray):  # numpy hands out what it does not know
            raise StorageError(f"{path} cannot be read: {name} is no array")
    return arrays


def read_rgb(path: Path) -> Float:
    """Linear radiance from an OpenEXR file, (H, W, 3) float32.

    Raises:
        StorageError: if it is missing or damaged.
    """
    import OpenEXR  # not needed by who reads no pictures

    try:
        with OpenEXR.File(str(path), separate_channels=True) as file:
            channels = file.channels()
            return np.stack([channels[c].pixels for c in "RGB"], axis=-1).astype(np.float32)
    except DAMAGE as error:
        raise StorageError(f"{path} cannot be read: {error}") from error


def wrong_files(folder: Path, files: Mapping[str, str]) -> list[str]:
    """Names of files that are missing or do not have the SHA-256 they should."""
    return [
        name
        for name, digest in files.items()
        if not (folder / name).is_file() or sha256_of(folder / name) != digest
    ]


def is_complete(folder: Path, recipe: str) -> bool:
    """Whether a view of this recipe is there with all its bytes."""
    try:
        record = read_record(folder)
    except (InputError, StorageError):
        return False
    return record.recipe == recipe and not wrong_files(folder, record.files)


def _link(source: Path, target: Path) -> None:
    """The same file under another name; a copy of a folder, or where the disk has no links."""
    if source.is_dir():
        shutil.copytree(source, target)
        return
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def _write_arrays(path: Path, arrays: Mapping[str, Any]) -> None:
    # Deflate makes a 640x480 view two to five times smaller for half a second. The zip
    # entries carry numpy's fixed date, so equal arrays give equal bytes.
    np.savez_compressed(path, **arrays)


def _layer(arrays: Mapping[str, NDArray[Any]], name: str, folder: Path) -> NDArray[Any]:
    if name not in arrays:
        raise StorageError(f"view {folder} lacks the layer {name!r}.")
    return arrays[name]


def _write_record(
    path: Path, record: ViewRecord, image: ImageLayers, radio: RadioLayers | None
) -> None:
    content = {**record.to_dict(), "statistics": statistics(image, radio)}
    path.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n")
