"""Facades in relief: shells whose walls are divided into cells, each filled by a module."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from vasgen.citygen.facade.modules import KINDS, Prototype, labels, prototype
from vasgen.citygen.facade.storeys import Rows, WallTable, settle, stack_rows, table_walls
from vasgen.citygen.geometry.assembly import (
    FACE_FIELDS,
    MM,
    Corners,
    Faces,
    Levels,
    Walls,
    bottoms,
    match,
    stack,
    tops,
    triangulate,
    wall_faces,
)
from vasgen.citygen.geometry.solids import Array, Ints, Shell, Surface
from vasgen.citygen.materials import FACADE_FAMILY

#: One row a cell. x, y, z: left bottom corner seen from outside, metres; ux, uy: unit vector
#: along the wall, whose outward normal is (uy, -ux); width and height in metres.
CELL = np.dtype(
    [
        ("building", "i4"),
        ("kind", "u1"),
        ("facade", "u2"),
        ("storey", "i2"),
        ("bay", "i2"),
        *((name, "f8") for name in ("x", "y", "z", "ux", "uy")),
        ("width", "f4"),
        ("height", "f4"),
    ]
)


@dataclass(frozen=True, eq=False)
class Cells:
    """All cells, row after row and from left to right.

    Attributes:
        row: (C,) number of the row.
        bay: (C,) counted from the left end of the wall, seen from outside.
        bays: (C,) number of bays of the wall.
    """

    row: Ints
    bay: Ints
    bays: Ints


class Designer(Protocol):
    """Who decides what a facade looks like."""

    def bays(self, walls: WallTable) -> Ints:
        """Number of bays of each wall; 0 leaves it plain."""

    def kinds(self, walls: WallTable, rows: Rows, cells: Cells) -> Ints:
        """Kind of module of each cell."""

    def shift(self, building: Ints) -> Ints:
        """By how many cells the looks of a building's panes are moved, so that they differ."""


@dataclass(frozen=True, eq=False)
class Relief:
    """Shells with facades.

    Attributes:
        surface: all triangles: of the shells, of the modules, and of what was joined after.
        cells: of :data:`CELL`.
        vertices, faces: first and one past the last of those that are the modules' own.
    """

    surface: Surface
    cells: NDArray[Any]
    vertices: tuple[int, int]
    faces: tuple[int, int]

    def without_modules(self) -> Surface:
        """The surface with holes where the modules are."""
        kept = Surface(
            np.delete(self.surface.vertices, slice(*self.vertices), axis=0),
            *(np.delete(getattr(self.surface, n), slice(*self.faces), axis=0) for n in FACE_FIELDS),
        )
        start, end = self.vertices
        kept.faces[kept.faces >= end] -= end - start
        return kept


def carve(shells: Sequence[Shell], designer: Designer) -> Relief:
    """Triangulate shells with their facades as geometry.

    Args:
        shells: as for :func:`vasgen.citygen.geometry.assembly.assemble`.
        designer: decides on bays and modules.
    """
    corners = Corners(shells, bare=True)
    walls = Walls(corners)
    table = table_walls(corners, walls)
    bays = designer.bays(table)
    rows, levels = settle(corners, walls, table, stack_rows(table, bays > 0))
    lines = _Lines(corners, walls, levels, table, rows, bays)
    divided = np.zeros(len(walls.a), dtype=bool)
    divided[table.wall[rows.wall]] = True
    parts = [
        tops(corners, levels),
        wall_faces(corners, walls, levels, np.flatnonzero(~divided)),
        bottoms(corners, levels),
        _strips(corners, walls, levels, table, rows, lines),
    ]
    count = bays[rows.wall]
    row = np.repeat(np.arange(len(count)), count)
    bay = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
    cells = Cells(row, bay, count[row])
    kind = designer.kinds(table, rows, cells)
    vertices = np.concatenate([levels.positions(corners), lines.points])
    corner = lines.corners(rows, cells)
    record = _record(table, rows, cells, kind, vertices[corner])
    shell = corners.shell[walls.a[table.wall[rows.wall[row]]]]
    points, faces = _place(record, corner, vertices, _Offsets(table, rows, cells, designer), shell)
    plain = sum(len(part.faces) for part in parts)
    surface = Surface(np.concatenate([vertices, points]), *stack([*parts, faces]))
    own = (len(vertices), len(surface.vertices)), (plain, len(surface.faces))
    return Relief(surface, record, *own)


class _Lines:
    """The horizontal lines between rows, with a vertex at every bay.

    Attributes:
        points: (N, 3) vertices between the ends of lines, metres.
        along: (N,) their distance from the left end of the wall, millimetres.
    """

    def __init__(
        self, c: Corners, w: Walls, levels: Levels, table: WallTable, rows: Rows, bays: Ints
    ) -> None:
        both = np.concatenate([rows.wall, rows.wall]), np.concatenate([rows.low, rows.high])
        (self.wall, self.z), number = np.unique(np.stack(both), axis=1, return_inverse=True)
        self.low, self.high = np.split(np.reshape(number, -1), 2)
        self.bays = bays[self.wall]
        wall = table.wall[self.wall]
        self.left = levels.find(c.point[w.a[wall]], self.z)
        self.right = levels.find(c.point[w.b[wall]], self.z)
        inner = self.bays - 1
        self.first = len(levels.z) + np.cumsum(inner) - inner
        line = np.repeat(np.arange(len(inner)), inner)
        step = np.arange(len(line)) - (self.first - len(levels.z))[line] + 1
        count = self.bays[line]
        a, b = c.xy[w.a[wall[line]]], c.xy[w.b[wall[line]]]
        # In whole numbers, so that it is rounded alike everywhere.
        xy = a + (2 * (b - a) * step[:, None] + count[:, None]) // (2 * count[:, None])
        self.points = np.column_stack([xy, self.z[line]]) / MM
        length = np.rint(np.hypot(*(b - a).T)).astype(np.int64)
        self.along = length * step // count

    def at(self, line: Ints, step: Ints) -> Ints:
        """Vertices of lines at the left end of a bay; the number of bays: the right end."""
        inner = self.first[line] + step - 1
        inner = np.where(step == 0, self.left[line], inner)
        return np.where(step == self.bays[line], self.right[line], inner)

    def corners(self, rows: Rows, cells: Cells) -> Ints:
        """(C, 4) vertices of cells: left bottom, right bottom, right top, left top."""
        low, high, bay = self.low[cells.row], self.high[cells.row], cells.bay
        return np.column_stack(
            [self.at(low, bay), self.at(low, bay + 1), self.at(high, bay + 1), self.at(high, bay)]
        )


def _strips(
    c: Corners, w: Walls, levels: Levels, table: WallTable, rows: Rows, lines: _Lines
) -> Faces:
    """What rows leave of their walls: plinths, strips below roofs, storeys without cells."""
    count = len(rows.wall)
    new = np.ones(count, dtype=bool)
    new[1:] = np.diff(rows.wall) != 0
    last = np.append(new[1:], True)[:count]
    gap = ~last
    gap[:-1] &= rows.high[:-1] != rows.low[1:]
    after = np.flatnonzero(gap)
    none = np.full(int(new.sum()), -1)
    # A strip lies between two lines; -1 is the wall's own lower or upper edge.
    lower = np.concatenate([none, lines.high[after], lines.high[last]])
    upper = np.concatenate([lines.low[new], lines.low[after + 1], none])
    wall = table.wall[np.concatenate([rows.wall[new], rows.wall[after], rows.wall[last]])]
    pa, pb = c.point[w.a[wall]], c.point[w.b[wall]]

    def level(line: Ints, edge: Ints) -> Ints:
        return np.where(line < 0, edge, lines.z[line])

    left = (
        levels.find(pa, level(lower, w.low_a[wall])),
        levels.find(pa, level(upper, w.high_a[wall])),
    )
    right = (
        levels.find(pb, level(lower, w.low_b[wall])),
        levels.find(pb, level(upper, w.high_b[wall])),
    )
    inner_low, inner_high = (np.where(n < 0, 0, lines.bays[n] - 1) for n in (lower, upper))
    # Counter-clockwise from outside: along the foot, up, back along the head, down.
    starts = np.stack(
        [lines.first[lower], right[0], lines.first[upper] + inner_high - 1, left[1]], axis=1
    )
    sizes = np.stack(
        [inner_low, right[1] - right[0] + 1, inner_high, left[1] - left[0] + 1], axis=1
    )
    run = np.repeat(np.arange(sizes.size), sizes.ravel())
    ordinal = np.arange(len(run)) - np.repeat(np.cumsum(sizes) - sizes.ravel(), sizes.ravel())
    vertex = starts.ravel()[run] + ordinal * np.array([1, 1, -1, -1])[run % 4]
    strip = run // 4
    a, b = c.xy[w.a[wall]], c.xy[w.b[wall]]
    length = np.rint(np.hypot(*(b - a).T)).astype(np.int64)
    own = len(levels.z)
    side = np.where(run % 4 == 1, length[strip], 0)
    along = np.where(vertex < own, side, np.append(lines.along, 0)[np.maximum(vertex - own, 0)])
    z = np.concatenate([levels.z, np.rint(lines.points[:, 2] * MM).astype(np.int64)])[vertex]
    flat = np.column_stack([along, z])
    polygon, xy = triangulate(flat, strip, np.arange(len(wall)))
    corner = match(strip, flat, polygon, xy)
    return _strip_labels(c, w, wall[polygon], vertex[corner], xy)


def _strip_labels(c: Corners, w: Walls, wall: Ints, faces: Ints, flat: Ints) -> Faces:
    cell = c.cell[w.a[wall]]
    in_band = flat[..., 1].min(axis=1) >= c.storeys_top[cell]
    semantic, visual, radio = (
        np.where(in_band, band[cell], below[cell])
        for below, band in zip(c.finish("wall"), c.finish("band"), strict=True)
    )
    shell = c.cell_shell[cell]
    floor = np.array([s.grid.floor_m if s.grid else 0.0 for s in c.shells])[shell]
    uv = flat / MM
    uv[..., 1] -= floor[:, None]
    return Faces(faces, shell, semantic, visual, radio, c.instance[cell], uv)


def _record(table: WallTable, rows: Rows, cells: Cells, kind: Ints, corner: Array) -> NDArray[Any]:
    """The cells as a structured array; ``corner`` (C, 4, 3) metres."""
    wall = rows.wall[cells.row]
    across = corner[:, 1] - corner[:, 0]
    width = np.hypot(across[:, 0], across[:, 1])
    record = np.empty(len(kind), dtype=CELL)
    record["building"], record["facade"] = table.building[wall], table.facade[wall]
    record["kind"], record["storey"], record["bay"] = kind, rows.storey[cells.row], cells.bay
    record["x"], record["y"], record["z"] = corner[:, 0].T
    record["ux"], record["uy"] = across[:, 0] / width, across[:, 1] / width
    record["width"], record["height"] = width, corner[:, 3, 2] - corner[:, 0, 2]
    return record


class _Offsets:
    """Where the texture of a cell starts: its wall's in metres, its panes' in cells."""

    def __init__(self, table: WallTable, rows: Rows, cells: Cells, designer: Designer) -> None:
        wall = rows.wall[cells.row]
        along = cells.bay * (table.length[wall] / cells.bays)
        up = rows.low[cells.row] / MM - table.floor[wall]
        shift = designer.shift(table.building)[wall]
        self.wall = np.column_stack([along, up])
        self.pane = np.column_stack([cells.bay + shift, rows.storey[cells.row]]).astype(float)


def _place(
    cells: NDArray[Any], corner: Ints, vertices: Array, offsets: _Offsets, shell: Ints
) -> tuple[Array, Faces]:
    """Put a prototype on every cell: vertices inside the cells (N, 3), and all faces."""
    groups = [np.flatnonzero(cells["kind"] == kind) for kind in range(len(KINDS))]
    models = [prototype(kind) for kind in range(len(KINDS))]
    sizes = [(len(g), m) for g, m in zip(groups, models, strict=True)]
    points = np.empty((sum(count * (len(model.points) - 4) for count, model in sizes), 3))
    total = sum(count * len(model.faces) for count, model in sizes)
    shells, semantic, visual, radio, instance = np.empty((5, total), dtype=np.int64)
    numbers, uv = np.empty((total, 3), dtype=np.int64), np.empty((total, 3, 2))
    faces = Faces(numbers, shells, semantic, visual, radio, instance, uv)
    facades = sorted(FACADE_FAMILY)
    facade = np.searchsorted(facades, cells["facade"])
    tables = [np.stack(column) for column in zip(*map(labels, facades), strict=True)]
    done_points = done_faces = 0
    for group, model in zip(groups, models, strict=True):
        inner = len(model.points) - 4
        first = len(vertices) + done_points + inner * np.arange(len(group))
        number = np.concatenate([corner[group], first[:, None] + np.arange(inner)], axis=1)
        here = slice(done_points, done_points + inner * len(group))
        points[here] = _spread(model, cells[group]).reshape(-1, 3)
        there = slice(done_faces, done_faces + len(model.faces) * len(group))
        faces.faces[there] = number[:, model.faces].reshape(-1, 3)
        faces.shell[there] = np.repeat(shell[group], len(model.faces))
        faces.instance[there] = np.repeat(cells["building"][group], len(model.faces))
        for label, table in zip((faces.semantic, faces.visual, faces.radio), tables, strict=True):
            label[there] = table[facade[group]][:, model.part].ravel()
        faces.uv[there] = _texture(model, cells[group], offsets, group).reshape(-1, 3, 2)
        done_points, done_faces = here.stop, there.stop
    return points, faces


def _spread(model: Prototype, cells: NDArray[Any]) -> Array:
    """(C, V - 4, 3) inner vertices of a module on its cells, metres, whole millimetres."""
    x, y, z = model.points[4:].T
    out = np.empty((len(cells), len(x), 3))
    along = cells["width"][:, None].astype(float) * x
    out[..., 0] = cells["x"][:, None] + cells["ux"][:, None] * along + cells["uy"][:, None] * y
    out[..., 1] = cells["y"][:, None] + cells["uy"][:, None] * along - cells["ux"][:, None] * y
    out[..., 2] = cells["z"][:, None] + cells["height"][:, None].astype(float) * z
    return np.asarray(np.rint(out * MM) / MM)


def _texture(model: Prototype, cells: NDArray[Any], offsets: _Offsets, group: Ints) -> Array:
    """(C, F, 3, 2) texture coordinates of a module on its cells."""
    size = np.stack([cells["width"], cells["height"]], axis=-1).astype(float)
    uv = model.share * size[:, None, None] + model.metres
    # What does not grow with the cell along any edge is a pane: it counts in cells.
    pane = (model.share == 0).all(axis=(1, 2))
    start = np.where(pane[:, None], offsets.pane[group][:, None], offsets.wall[group][:, None])
    return np.asarray(uv + start[:, :, None])
