"""From shells to triangles, for all shells of a city at once.

Everything is counted in whole millimetres, so that "the same corner" is an equality of
integers. Plan points are distinct (shell, x, y); vertices are the levels of each plan point,
numbered upwards, so that the side of a wall is a run of consecutive vertices.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from vasgen.citygen.geometry import plane
from vasgen.citygen.geometry.solids import Array, Ints, Shell, Surface
from vasgen.citygen.materials import BARE, BLANK, RADIO_NAMES, RADIO_OF
from vasgen.semantics import SemanticClass

MM = 1000.0
RADIO_INDEX = {name: index for index, name in enumerate(RADIO_NAMES)}
#: Facade of each look of a wall that belongs to one: with windows or without.
_FACADE = {**{facade: facade for facade in BLANK}, **{b: f for f, b in BLANK.items()}}


def assemble(shells: Sequence[Shell]) -> Surface:
    """Triangulate shells into one labelled surface.

    Raises:
        ValueError: if the cells of a shell do not fit together: a defect of its builder.
    """
    corners = Corners(shells)
    walls = Walls(corners)
    levels = Levels(corners, walls)
    parts = [tops(corners, levels), wall_faces(corners, walls, levels), bottoms(corners, levels)]
    return Surface(levels.positions(corners), *stack(parts))


def stack(parts: Sequence[Faces]) -> tuple[NDArray[Any], ...]:
    """All fields of faces one after the other, in the order of a :class:`Surface`."""
    return tuple(np.concatenate([getattr(part, name) for part in parts]) for name in FACE_FIELDS)


@dataclass(frozen=True, eq=False)
class Faces:
    """Faces with their labels: the fields of a :class:`Surface` without its vertices."""

    faces: Ints
    shell: Ints
    semantic: Ints
    visual: Ints
    radio: Ints
    instance: Ints
    uv: Array


FACE_FIELDS = tuple(field.name for field in fields(Faces))


def group(*columns: Ints) -> tuple[Ints, Ints]:
    """Number the distinct rows: (first index of each, number of each row), in sorted order."""
    order = np.lexsort(columns[::-1])
    fresh = np.zeros(len(order), dtype=bool)
    fresh[:1] = True
    for column in columns:
        fresh[1:] |= np.diff(column[order]) != 0
    number = np.empty(len(order), dtype=np.int64)
    number[order] = np.cumsum(fresh) - 1
    return order[fresh], number


def mm(values_m: Sequence[float] | Array) -> Ints:
    """Whole millimetres."""
    return np.rint(np.asarray(values_m, dtype=float) * MM).astype(np.int64)


class Corners:
    """Ring corners of all cells, and the plan points they stand on.

    Args:
        shells: at least one.
        bare: whether facades show their wall alone, to metre scale: windows are geometry.
    """

    def __init__(self, shells: Sequence[Shell], *, bare: bool = False) -> None:
        self.shells = shells
        self.bare = bare
        self.cells = [cell for shell in shells for cell in shell.cells]
        self.cell_shell = np.repeat(np.arange(len(shells)), [len(s.cells) for s in shells])
        self.closed = np.array([s.outline is not None for s in shells])
        self.base = mm([s.base_m for s in shells])
        self.storeys_top = mm([c.storeys_top_m for c in self.cells])
        self.instance = np.array([c.instance for c in self.cells], dtype=np.int64)
        self.rings = [ring for cell in self.cells for ring in cell.rings]
        size = np.array([len(ring) for ring in self.rings])
        self.ring = np.repeat(np.arange(len(self.rings)), size)
        self.ring_cell = np.repeat(np.arange(len(self.cells)), [len(c.rings) for c in self.cells])
        xyz = mm(np.concatenate(self.rings))
        self.xy, self.z = xyz[:, :2], xyz[:, 2]
        self.cell = np.repeat(self.ring_cell, size)
        self.shell = self.cell_shell[self.cell]
        start = np.repeat(np.cumsum(size) - size, size)
        self.next = start + (np.arange(len(xyz)) + 1 - start) % np.repeat(size, size)
        first, self.point = group(self.shell, self.xy[:, 0], self.xy[:, 1])
        self.point_xy, self.point_shell = self.xy[first], self.shell[first]

    def finish(self, part: str) -> tuple[Ints, Ints, Ints]:
        """Class, visual and radio material of "top", "wall" or "band", (cells,) each."""
        found = [getattr(cell, part) for cell in self.cells]
        own = [self.shells[shell].radio for shell in self.cell_shell.tolist()]
        radio = [RADIO_INDEX[f.radio or name] for f, name in zip(found, own, strict=True)]
        visuals = [f.visual for f in found]
        if self.bare and part != "top":
            facades = [_FACADE.get(f.visual) if f.radio is None else None for f in found]
            visuals = [v if f is None else BARE[f] for f, v in zip(facades, visuals, strict=True)]
            radio = [
                r if f is None else RADIO_INDEX[RADIO_OF[f]]
                for f, r in zip(facades, radio, strict=True)
            ]
        labels = [int(f.semantic) for f in found], visuals, radio
        semantic, visual, radios = (np.array(label, dtype=np.int64) for label in labels)
        return semantic, visual, radios


class Walls:
    """Edges a, b at which a cell stands above what is left of b, a: corners and levels."""

    def __init__(self, c: Corners) -> None:
        a, b = np.arange(len(c.z)), c.next
        pa, pb = c.point[a], c.point[b]
        _, edge = group(np.minimum(pa, pb), np.maximum(pa, pb))
        if np.bincount(edge).max() > 2:
            raise ValueError("more than two cells share an edge of a shell")
        order = np.argsort(edge, kind="stable")
        shared = np.flatnonzero(np.diff(edge[order]) == 0)
        one, two = order[shared], order[shared + 1]
        if (pa[one] != pb[two]).any():
            raise ValueError("two cells of a shell overlap along an edge")
        low_a, low_b = c.base[c.shell], c.base[c.shell]
        low_a[one], low_b[one] = c.z[b[two]], c.z[two]
        low_a[two], low_b[two] = c.z[b[one]], c.z[one]
        outer = np.ones(len(a), dtype=bool)
        outer[one] = outer[two] = False
        rise_a, rise_b = c.z[a] - low_a, c.z[b] - low_b
        if (~outer & (rise_a * rise_b < 0)).any():
            raise ValueError("two cells of a shell cross along an edge")
        keep = (np.minimum(rise_a, rise_b) >= 0) & (np.maximum(rise_a, rise_b) > 0)
        keep &= ~outer | c.closed[c.shell]
        self.a, self.b = a[keep], b[keep]
        self.low_a, self.low_b = low_a[keep], low_b[keep]
        self.high_a, self.high_b = c.z[self.a], c.z[self.b]


class Levels:
    """All vertices: the levels of each plan point, consecutive and rising.

    Args:
        c: corners.
        w: walls.
        more: plan points and millimetres of further levels, (N,) each.
    """

    def __init__(self, c: Corners, w: Walls, more: tuple[Ints, Ints] | None = None) -> None:
        top = c.storeys_top[c.cell[w.a]]
        split_a = (w.low_a < top) & (top < w.high_a)
        split_b = (w.low_b < top) & (top < w.high_b)
        pa, pb = c.point[w.a], c.point[w.b]
        points, zs = more or (c.point[:0], c.z[:0])
        point = np.concatenate([c.point, pa, pb, pa[split_a], pb[split_b], points])
        z = np.concatenate([c.z, w.low_a, w.low_b, top[split_a], top[split_b], zs])
        first, number = group(point, z)
        self.point, self.z = point[first], z[first]
        self.corner = number[: len(c.point)]
        self._lowest = int(z.min())
        self._span = int(z.max()) - self._lowest + 1
        self._keys = self.point * self._span + (self.z - self._lowest)

    def find(self, point: Ints, z: Ints) -> Ints:
        """Numbers of the vertices at plan points and levels that exist."""
        return np.searchsorted(self._keys, point * self._span + (z - self._lowest))

    def positions(self, c: Corners) -> Array:
        """(V, 3) metres."""
        return np.column_stack([c.point_xy[self.point], self.z]) / MM


def triangulate(points: Ints, ring: Ints, ring_polygon: Ints) -> tuple[Ints, Ints]:
    """Constrained Delaunay triangles, which use every corner of a polygon and no other.

    Args:
        points: (N, 2) corners of all rings, ring after ring, millimetres.
        ring: (N,) number of the ring of each.
        ring_polygon: number of the polygon of each ring, rising; its outline comes first.

    Returns:
        (T,) number of the polygon, and (T, 3, 2) corners in millimetres, counter-clockwise.
    """
    lines = shapely.linearrings(points.astype(float), indices=ring)
    polygons = shapely.polygons(np.asarray(lines), indices=ring_polygon)
    triangles, polygon = shapely.get_parts(
        shapely.constrained_delaunay_triangles(polygons), return_index=True
    )
    xy = np.rint(shapely.get_coordinates(triangles).reshape(-1, 4, 2)[:, :3]).astype(np.int64)
    d1, d2 = xy[:, 1] - xy[:, 0], xy[:, 2] - xy[:, 0]
    clockwise = d1[:, 0] * d2[:, 1] < d1[:, 1] * d2[:, 0]
    xy[clockwise] = xy[clockwise][:, ::-1]
    return polygon.astype(np.int64), xy


def match(owner: Ints, xy: Ints, triangle_owner: Ints, triangles: Ints) -> Ints:
    """Indices into (owner, xy) of the corners of triangles that were made of them, (T, 3)."""
    corner = triangles.reshape(-1, 2)
    first, number = group(
        np.concatenate([owner, np.repeat(triangle_owner, 3)]),
        np.concatenate([xy[:, 0], corner[:, 0]]),
        np.concatenate([xy[:, 1], corner[:, 1]]),
    )
    # lexsort is stable, so the first of a group is the ring corner, not the triangle's.
    return first[number[len(owner) :]].reshape(-1, 3)


def tops(c: Corners, levels: Levels) -> Faces:
    """The upper faces of all cells."""
    cell, xy = triangulate(c.xy, c.ring, c.ring_cell)
    corner = match(c.cell, c.xy, cell, xy)
    semantic, visual, radio = c.finish("top")
    return Faces(
        levels.corner[corner],
        c.cell_shell[cell],
        semantic[cell],
        visual[cell],
        radio[cell],
        c.instance[cell],
        _top_uv(c, cell, xy / MM, c.z[corner] / MM),
    )


def _top_uv(c: Corners, cell: Ints, xy: Array, z: Array) -> Array:
    """World x, y; on pitched roofs metres along the eave and up the slope."""
    flat = (0.0, 0.0, 1.0, 0.0)
    x0, y0, ex, ey = np.array([found.eave or flat for found in c.cells])[cell].T[..., None]
    dx, dy = xy[..., 0] - x0, xy[..., 1] - y0
    corner = np.concatenate([xy, z[..., None]], axis=-1)
    normal = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
    # A metre of plan is this many metres up the slope.
    steep = np.sqrt((normal * normal).sum(axis=-1)) / normal[:, 2]
    return np.stack([dx * ex + dy * ey, (dy * ex - dx * ey) * steep[:, None]], axis=-1)


def wall_faces(c: Corners, w: Walls, levels: Levels, only: Ints | None = None) -> Faces:
    """Zip the two sides of each wall together from the bottom up.

    Args:
        c: corners.
        w: walls.
        levels: vertices.
        only: numbers of the walls to build; all if omitted.
    """
    chosen = np.arange(len(w.a)) if only is None else only
    pa, pb = c.point[w.a[chosen]], c.point[w.b[chosen]]
    foot = np.stack([levels.find(pa, w.low_a[chosen]), levels.find(pb, w.low_b[chosen])])
    head = np.stack([levels.find(pa, w.high_a[chosen]), levels.find(pb, w.high_b[chosen])])
    count = (head - foot).T.reshape(-1)  # wall 0 side a, wall 0 side b, wall 1 side a, ...
    strand = np.repeat(np.arange(len(count)), count)
    ordinal = np.arange(len(strand)) - np.repeat(np.cumsum(count) - count, count)
    wall, side = strand // 2, strand % 2
    reached = foot[side, wall] + ordinal + 1
    order = np.lexsort((side, levels.z[reached], wall))
    wall, side, reached = wall[order], side[order], reached[order]
    start = np.searchsorted(wall, np.arange(len(chosen)))
    done_b = np.cumsum(side) - side
    done_b -= done_b[start[wall]]
    done_a = np.arange(len(wall)) - start[wall] - done_b
    faces = np.column_stack([foot[0, wall] + done_a, foot[1, wall] + done_b, reached])
    return _wall_labels(c, w, levels, chosen[wall], faces)


def _wall_labels(c: Corners, w: Walls, levels: Levels, wall: Ints, faces: Ints) -> Faces:
    cell = c.cell[w.a[wall]]
    in_band = levels.z[faces].max(axis=1) > c.storeys_top[cell]
    semantic, visual, radio = (
        np.where(in_band, band[cell], below[cell])
        for below, band in zip(c.finish("wall"), c.finish("band"), strict=True)
    )
    uv = _wall_uv(c, w, levels, wall, faces)
    return Faces(faces, c.cell_shell[cell], semantic, visual, radio, c.instance[cell], uv)


def _wall_uv(c: Corners, w: Walls, levels: Levels, wall: Ints, faces: Ints) -> Array:
    """Bays from the wall's left edge, seen from outside, and storeys from the ground floor.

    Metres where a wall has no bays, or shows its bare wall.
    """
    length = plane.length((c.xy[w.b] - c.xy[w.a]).astype(float)) / MM
    grids = [shell.grid for shell in c.shells]
    shell = c.shell[w.a]
    bay = np.array([g.bay_m if g and not c.bare else 0.0 for g in grids])[shell]
    storey = np.array([g.storey_m if g and not c.bare else 1.0 for g in grids])[shell][wall]
    floor = np.array([g.floor_m if g else 0.0 for g in grids])[shell][wall]
    bays = np.maximum(1.0, np.rint(length / np.where(bay > 0, bay, 1.0)))
    width = np.where(bay > 0, bays, length)[wall]
    right = levels.point[faces] == c.point[w.b[wall]][:, None]
    v = (levels.z[faces] / MM - floor[:, None]) / storey[:, None]
    return np.stack([np.where(right, width[:, None], 0.0), v], axis=-1)


def bottoms(c: Corners, levels: Levels) -> Faces:
    """The undersides of all closed shells."""
    closed = [(i, ring) for i, s in enumerate(c.shells) for ring in s.outline or ()]
    owner = np.array([i for i, _ in closed], dtype=np.int64)
    _, ring_polygon = group(owner)
    rings = [ring[:, :2] for _, ring in closed]
    ring = np.repeat(np.arange(len(rings)), [len(r) for r in rings])
    points = mm(np.concatenate([np.empty((0, 2)), *rings]))
    polygon, xy = triangulate(points, ring, ring_polygon)
    shell = np.unique(owner)[polygon]
    point = match(c.point_shell, c.point_xy, shell, xy)
    faces = levels.find(point, np.repeat(c.base[shell][:, None], 3, axis=1))
    _, first = np.unique(c.cell_shell, return_index=True)
    cell = first[shell]
    semantic = np.full(len(shell), int(SemanticClass.WALL), dtype=np.int64)
    _, visual, radio = (label[cell] for label in c.finish("band"))
    # Seen from below: the order of the corners turns.
    turn = [0, 2, 1]
    uv = xy[:, turn] / MM
    return Faces(faces[:, turn], shell, semantic, visual, radio, c.instance[cell], uv)
