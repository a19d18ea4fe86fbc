"""Placements: a point for each asset that makes up the city, with attributes.

What engines scatter from: Houdini, Unreal's PCG and Blender's geometry nodes put an asset at
each point. PLY is the format because its header names and types every attribute, its binary
body is a plain table, and point cloud programs open it as it is. The same table as CSV is for
spreadsheets and Unreal's data tables.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vasgen.artefact import atomic_file
from vasgen.citygen.city import City
from vasgen.citygen.facade import modules
from vasgen.citygen.geometry.solids import Ints, Surface
from vasgen.citygen.life import archetypes
from vasgen.citygen.materials import PALETTE, RADIO_NAMES
from vasgen.errors import unknown_choice
from vasgen.semantics import SemanticClass

_SUFFIXES = (".ply", ".csv")

#: Columns and their types. Metres and radians; ``kind``, ``class``, ``radio`` and ``look``
#: are numbers that the file's comments spell out.
ROW = np.dtype(
    [
        ("x", "<f8"),
        ("y", "<f8"),
        ("z", "<f8"),
        ("yaw", "<f8"),
        ("scale_x", "<f4"),
        ("scale_y", "<f4"),
        ("scale_z", "<f4"),
        ("kind", "u1"),
        ("variant", "u1"),
        ("class", "u1"),
        ("radio", "u1"),
        ("look", "<u2"),
        ("object", "<i4"),
        ("storey", "<i2"),
        ("bay", "<i2"),
    ]
)
_PLY_TYPES = dict(
    zip(
        ("<f8", "<f4", "|u1", "<u2", "<i4", "<i2"),
        ("double", "float", "uchar", "ushort", "int", "short"),
        strict=True,
    )
)
_NOWHERE = -1  # storey and bay of what is not in a facade
_PROP_KINDS = tuple(archetypes.VARIANTS)
#: What the numbers in a column stand for.
NAMES: dict[str, tuple[str, ...]] = {
    "kind": (*(f"facade-{kind}" for kind in modules.KINDS), *_PROP_KINDS),
    "class": tuple(member.name.lower() for member in SemanticClass),
    "radio": RADIO_NAMES,
    "look": tuple(look.name for look in PALETTE),
}
#: A module is of the first of these classes that it has a face of.
_TELLING = (SemanticClass.DOOR, SemanticClass.WINDOW, SemanticClass.WALL)


def write_placements(city: City, path: Path | str) -> Path:
    """Write one row for each facade module and each prop.

    A row's asset is placed as ``(x, y, z) + Rz(yaw) @ (scale * point)``. A prop's model stands
    on its origin with x forward. A facade module's origin is its left bottom corner seen from
    outside, its x axis runs along the wall, and its y axis into it; its model is one unit
    wide and high and true to scale in depth. ``object`` is the id of the building or prop.
    ``look`` is the facade's material, or that of most of the prop. What is not in a facade has
    storey and bay -1; what is has variant 0.

    Args:
        city: the city.
        path: destination, replaced if it exists: ``.ply`` (binary, with the meaning of
            numbers in comments) or ``.csv`` (with names in place of those numbers).

    Returns:
        The path.

    Raises:
        InputError: if the file's suffix is another.
        StorageError: if the disk refuses.
    """
    path = Path(path)
    if path.suffix not in _SUFFIXES:
        raise unknown_choice("suffix of a placements file", path.suffix, _SUFFIXES)
    rows = placements(city)
    with atomic_file(path) as scratch:
        scratch.write_bytes(_ply(rows) if path.suffix == ".ply" else _csv(rows))
    return path


def placements(city: City) -> NDArray[Any]:
    """The table, (N,) of dtype :data:`ROW`: modules as in ``City.modules()``, then props."""
    return np.concatenate([_modules(city), _props(city)])


def _modules(city: City) -> NDArray[Any]:
    cells = city.modules()
    rows = np.zeros(len(cells), dtype=ROW)
    for name in ("x", "y", "z", "kind", "storey", "bay"):
        rows[name] = cells[name]
    rows["yaw"] = np.arctan2(cells["uy"], cells["ux"]).round(9)
    rows["scale_x"], rows["scale_y"], rows["scale_z"] = cells["width"], 1.0, cells["height"]
    rows["object"], rows["look"] = cells["building"], cells["facade"]
    pairs, index = np.unique(
        np.column_stack([cells["kind"], cells["facade"]]), axis=0, return_inverse=True
    )
    labels = [_module_labels(modules.module(kind, facade)) for kind, facade in pairs.tolist()]
    if labels:
        rows["class"], rows["radio"] = np.array(labels)[index.ravel()].T
    return rows


def _module_labels(module: Surface) -> tuple[int, int]:
    """Class of a module, and radio material of most of its faces of that class."""
    semantic = next(kind for kind in _TELLING if (module.semantic == kind).any())
    return int(semantic), _most(module.radio[module.semantic == semantic])


def _props(city: City) -> NDArray[Any]:
    rows = np.zeros(len(city.props), dtype=ROW)
    models: dict[tuple[str, int], tuple[int, int, int, int]] = {}
    table = []
    for prop in city.props:
        which = prop.kind, prop.variant
        if which not in models:
            shape = archetypes.model(*which, 2)
            labels = _most(shape.semantic), _most(shape.radio), _most(shape.visual)
            models[which] = (len(modules.KINDS) + _PROP_KINDS.index(prop.kind), *labels)
        table.append((prop.x, prop.y, prop.z, prop.yaw_rad, *prop.scale, prop.variant))
    if not table:
        return rows
    names = ("x", "y", "z", "yaw", "scale_x", "scale_y", "scale_z", "variant")
    for name, column in zip(names, np.array(table).T, strict=True):
        rows[name] = column
    known = np.array([models[prop.kind, prop.variant] for prop in city.props]).T
    for name, column in zip(("kind", "class", "radio", "look"), known, strict=True):
        rows[name] = column
    rows["object"] = city.first_prop_id + np.arange(len(rows))
    rows["storey"] = rows["bay"] = _NOWHERE
    return rows


def _most(labels: Ints) -> int:
    """The most frequent label, the lowest of equals."""
    return int(np.bincount(labels).argmax())


def _ply(rows: NDArray[Any]) -> bytes:
    lines = ["ply", "format binary_little_endian 1.0", "comment metres and radians, Z up"]
    for column, names in NAMES.items():
        lines += [f"comment {column} {number} {name}" for number, name in enumerate(names)]
    lines.append(f"element vertex {len(rows)}")
    for name in ROW.names or ():
        lines.append(f"property {_PLY_TYPES[ROW[name].str]} {name}")
    return "\n".join([*lines, "end_header", ""]).encode("ascii") + rows.tobytes()


def _csv(rows: NDArray[Any]) -> bytes:
    """A table whose first column numbers the rows, as Unreal's data tables want it."""
    columns = [np.arange(len(rows)).tolist()]
    for name in ROW.names or ():
        values = rows[name].tolist()
        if name in NAMES:
            values = [NAMES[name][value] for value in values]
        elif ROW[name].kind == "f":
            values = [
                f"{value:.6g}" if name.startswith("scale") else f"{value:.6f}" for value in values
            ]
        columns.append(values)
    lines = [",".join(["row", *(ROW.names or ())])]
    lines += [",".join(map(str, row)) for row in zip(*columns, strict=True)]
    return ("\n".join(lines) + "\n").encode("ascii")
