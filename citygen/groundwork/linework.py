"""Linework: the lines that divide the ground, drawn together where they nearly meet.

Kerbs, cuts, lots and drives come from different rules and often miss each other by a hair.
Faces between such lines are needles, and triangles in them slivers. Here corners that are too
near to each other become one, and lines bend to the corners they pass too closely.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.spatial import KDTree
from shapely import LineString, MultiLineString, Polygon

from vasgen.citygen.geometry.solids import Ints

Bools = NDArray[np.bool_]

#: Corners are whole steps of this size, metres.
LATTICE_M = 0.01
#: Corners nearer to each other than this are one; steps of the lattice.
_ONE_CORNER = 9
#: A corner nearer to a line than this is on it. Lines run along walls, so that they must not
#: move far; steps of the lattice.
_ON_LINE = 2.6
#: A piece of a line this short, and so little off the straight way on, is left out.
_SHORT, _STRAIGHT = 150, 1.0
#: A triangle lower than this is flat; steps of the lattice.
_FLAT = 0.6
#: Drawing lines together may bring others too near; each time fewer.
_ROUNDS = 12


@dataclass(frozen=True, eq=False)
class _Plan:
    """Corners and the straight lines between them.

    Attributes:
        places: (V, 2) whole steps of the lattice, each place once.
        hold: (V,) 0: free; 1: on the rim; 2: a corner of the rim, which stays.
        lines: (E, 2) corners of each line, the lower first, each line once.
        rim: (E,) whether a line is part of the rim.
        fresh: (E,) whether a line was moved, so that it may cross others.
    """

    places: Ints
    hold: Ints
    lines: Ints
    rim: Bools
    fresh: Bools

    def geometries(self, which: Ints | slice = slice(None)) -> NDArray[np.object_]:
        """The lines, in steps of the lattice."""
        return np.asarray(shapely.linestrings(self.places[self.lines[which]].astype(float)))


def faces_between(lines: Sequence[shapely.Geometry], rim: Polygon) -> NDArray[np.object_]:
    """(N,) polygons that lines bound, which share their corners.

    Args:
        lines: any lines, the rim's among them.
        rim: what all faces together cover; lines on its outline stay there.
    """
    outline = shapely.boundary(rim)
    plan = _plan(shapely.union_all(list(lines), grid_size=LATTICE_M), rim)
    for left in reversed(range(_ROUNDS)):
        plan = _cut(_straight(_bent(_with_one_corner(plan), outline)), outline)
        moved = plan.fresh.any()
        plan = replace(plan, fresh=np.zeros(len(plan.lines), dtype=np.bool_))
        if moved and left:
            continue
        faces = _faces(plan, rim)
        caps = _caps(plan, faces) if left else np.zeros((0, 3), dtype=np.int64)
        if not len(caps):
            break
        plan = _raised(plan, caps)
    return np.asarray(shapely.transform(faces, lambda steps: steps / round(1 / LATTICE_M)))


def _faces(plan: _Plan, rim: Polygon) -> NDArray[np.object_]:
    """(N,) polygons between the lines inside the rim, in steps of the lattice."""
    # The rim as drawn: between its corners it runs some millimetres beside the given one.
    inside = _polygons(plan.geometries(np.flatnonzero(plan.rim)))
    places = shapely.get_coordinates(shapely.point_on_surface(inside)) * LATTICE_M
    land = shapely.union_all(inside[shapely.contains_xy(rim, *places.T)])
    shapely.prepare(land)
    faces = _polygons(plan.geometries())
    return faces[shapely.contains_properly(land, shapely.point_on_surface(faces))]


def _polygons(lines: NDArray[np.object_]) -> NDArray[np.object_]:
    return np.asarray(shapely.get_parts(shapely.polygonize(lines)))


def _caps(plan: _Plan, faces: NDArray[np.object_]) -> Ints:
    """(N, 3) corners of flat triangles in faces: the apex, which is free, then the base."""
    triangles = shapely.get_parts(shapely.constrained_delaunay_triangles(faces))
    corners = np.rint(shapely.get_coordinates(triangles).reshape(-1, 4, 2)[:, :3]).astype(np.int64)
    sides = corners[:, [2, 0, 1]] - corners[:, [1, 2, 0]]
    square = (sides**2).sum(axis=2)
    area = np.abs(sides[:, 0, 0] * sides[:, 1, 1] - sides[:, 0, 1] * sides[:, 1, 0])
    flat = np.flatnonzero(area.astype(float) ** 2 < _FLAT**2 * square.max(axis=1))
    turned = (square[flat].argmax(axis=1)[:, None] + (0, 1, 2)) % 3
    known = _keys(plan.places)
    order = np.argsort(known)
    keys = _keys(corners[flat[:, None], turned].reshape(-1, 2)).reshape(-1, 3)
    found = order[np.searchsorted(known[order], keys)]
    return np.asarray(found[plan.hold[found[:, 0]] == 0])


def _raised(plan: _Plan, caps: Ints) -> _Plan:
    """The plan with the apex of each flat triangle a step farther from its base."""
    apex, one, two = plan.places[caps.T]
    way, at = two - one, apex - one
    side = np.sign(way[:, 0] * at[:, 1] - way[:, 1] * at[:, 0])
    out = np.column_stack([-way[:, 1], way[:, 0]]) * side[:, None]
    steep = np.abs(out[:, 1]) > np.abs(out[:, 0])
    places, moved = plan.places.copy(), caps[:, 0]
    places[moved] += np.sign(out) * np.column_stack([~steep, steep])
    fresh: Bools = np.asarray(np.isin(plan.lines, moved).any(axis=1))
    return replace(plan, places=places, fresh=fresh)


def _plan(noded: shapely.Geometry, rim: Polygon) -> _Plan:
    """Lines that meet at ends alone, with the rim's found."""
    points, owner = shapely.get_coordinates(shapely.get_parts(noded), return_index=True)
    one = np.flatnonzero(np.diff(owner) == 0)
    places = np.rint(points / LATTICE_M).astype(np.int64)
    lines = np.column_stack([one, one + 1])
    outline = shapely.boundary(rim)
    shapely.prepare(outline)
    near = np.asarray(shapely.dwithin(outline, shapely.points(points), 1.1 * LATTICE_M))
    on_rim: Bools = np.asarray(near[lines].all(axis=1))
    middles = shapely.points(points[lines[on_rim]].mean(axis=1))
    on_rim[on_rim] = shapely.dwithin(outline, middles, 1.1 * LATTICE_M)
    hold = np.zeros(len(places), dtype=np.int64)
    hold[lines[on_rim]] = 1
    corners = np.rint(shapely.get_coordinates(rim) / LATTICE_M).astype(np.int64)
    hold[(hold > 0) & np.isin(_keys(places), _keys(corners))] = 2
    return _tidied(places, hold, lines, on_rim, np.zeros(len(lines), dtype=np.bool_))


def _tidied(places: Ints, hold: Ints, lines: Ints, rim: Bools, fresh: Bools) -> _Plan:
    """A plan with each place and each line once, without loose ends."""
    _, first, number = np.unique(_keys(places), return_index=True, return_inverse=True)
    held = np.zeros(len(first), dtype=np.int64)
    np.maximum.at(held, number, hold)
    lines = np.sort(number[lines], axis=1)
    key, line = np.unique(lines[:, 0] * len(first) + lines[:, 1], return_inverse=True)
    flags = np.zeros((2, len(key)), dtype=np.bool_)
    for flag, own in zip(flags, (rim, fresh), strict=True):
        flag[line[own]] = True
    lines = np.column_stack(np.divmod(key, len(first)))
    kept = np.flatnonzero(lines[:, 0] != lines[:, 1])
    while len(kept):
        loose = np.bincount(lines[kept].ravel(), minlength=len(first)) == 1
        attached = ~loose[lines[kept]].any(axis=1)
        if attached.all():
            break
        kept = kept[attached]
    used, ends = np.unique(lines[kept], return_inverse=True)
    return _Plan(
        places[first[used]], held[used], ends.reshape(-1, 2), flags[0, kept], flags[1, kept]
    )


def _with_one_corner(plan: _Plan) -> _Plan:
    """Of corners too near to each other, the more important one stays."""
    pairs = KDTree(plan.places).query_pairs(_ONE_CORNER, output_type="ndarray")
    apart = ((plan.places[pairs[:, 0]] - plan.places[pairs[:, 1]]) ** 2).sum(axis=1)
    order = np.lexsort((pairs[:, 1], pairs[:, 0], apart))
    # The end of a long line stays: moving it would move much of the line.
    reach = np.zeros(len(plan.places), dtype=np.int64)
    length = (np.diff(plan.places[plan.lines], axis=1)[:, 0] ** 2).sum(axis=1)
    np.maximum.at(reach, plan.lines, length[:, None])
    rank = np.lexsort((-reach, -plan.hold)).argsort()
    home = np.arange(len(plan.places))
    for one, two in pairs[order].tolist():
        keep, leave = (one, two) if rank[one] < rank[two] else (two, one)
        if home[keep] == keep and home[leave] == leave and plan.hold[leave] < 2:
            home[leave] = keep
    home = home[home]
    while (home[home] != home).any():
        home = home[home]
    moved = (home[plan.lines] != plan.lines).any(axis=1)
    return _tidied(plan.places, plan.hold, home[plan.lines], plan.rim, plan.fresh | moved)


def _bent(plan: _Plan, outline: LineString | MultiLineString) -> _Plan:
    """Lines led through the corners that are too near to them."""
    tree = shapely.STRtree(plan.geometries())
    spots = shapely.points(plan.places.astype(float))
    corner, line = tree.query(spots, predicate="dwithin", distance=_ON_LINE)
    start, end = plan.places[plan.lines[line].T]
    way, at = end - start, plan.places[corner] - start
    along, square = (way * at).sum(axis=1), (way**2).sum(axis=1)
    off = (way[:, 0] * at[:, 1] - way[:, 1] * at[:, 0]).astype(float) ** 2
    # The rim stays: what is beside it moves onto it.
    on_rim, free = plan.rim[line], plan.hold[corner] == 0
    found = np.flatnonzero(
        (along > 0) & (along < square) & (~on_rim | free | (off <= 1.2 * square))
    )
    places, hold, fresh = plan.places.copy(), plan.hold.copy(), plan.fresh.copy()
    moving = found[on_rim[found] & free[found]]
    places[corner[moving]] = _onto(outline, places[corner[moving]])
    hold[corner[moving]] = 1
    fresh |= np.isin(plan.lines, corner[moving]).any(axis=1)
    fresh[line[found[off[found] > 0]]] = True
    plan = replace(plan, places=places, hold=hold, fresh=fresh)
    return _divided(plan, line[found], along[found], corner[found])


def _straight(plan: _Plan) -> _Plan:
    """The plan without corners where a line nearly runs straight on after a short piece."""
    ends = plan.lines.ravel()
    order = np.argsort(ends, kind="stable")
    degree = np.bincount(ends, minlength=len(plan.places))
    first = np.cumsum(degree) - degree
    pair = np.flatnonzero((degree == 2) & (plan.hold < 2))
    lines = order[first[pair][:, None] + (0, 1)] // 2
    a, b = (plan.lines[lines[:, k]].sum(axis=1) - pair for k in (0, 1))
    one, two = plan.places[a] - plan.places[pair], plan.places[b] - plan.places[pair]
    shorter = np.minimum((one**2).sum(axis=1), (two**2).sum(axis=1))
    chord = ((two - one) ** 2).sum(axis=1)
    off = (one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0]).astype(float) ** 2
    found = (shorter < _SHORT**2) & (off <= _STRAIGHT**2 * chord) & ((one * two).sum(axis=1) < 0)
    lines_to, taken = plan.lines.copy(), np.zeros(len(plan.lines), dtype=np.bool_)
    fresh, kept = plan.fresh.copy(), np.ones(len(plan.lines), dtype=np.bool_)
    for k in np.flatnonzero(found).tolist():
        if not taken[lines[k]].any():
            taken[lines[k]] = True
            keep, drop = lines[k]
            lines_to[keep], kept[drop] = (a[k], b[k]), False
            fresh[keep] = True
    return _tidied(plan.places, plan.hold, lines_to[kept], plan.rim[kept], fresh[kept])


def _onto(outline: LineString | MultiLineString, places: Ints) -> Ints:
    """(N, 2) the places of the lattice nearest to where places (N, 2) meet the outline."""
    along = shapely.line_locate_point(outline, shapely.points(places * LATTICE_M))
    points = shapely.get_coordinates(shapely.line_interpolate_point(outline, along))
    return np.asarray(np.rint(points / LATTICE_M).astype(np.int64))


def _cut(plan: _Plan, outline: LineString | MultiLineString) -> _Plan:
    """Lines divided where they cross; only those that were moved can."""
    fresh = np.flatnonzero(plan.fresh)
    tree = shapely.STRtree(plan.geometries())
    one, two = tree.query(plan.geometries(fresh), predicate="crosses")
    pairs = np.sort(np.column_stack([fresh[one], two]), axis=1)
    one, two = np.unique(pairs, axis=0).T
    (a, b), (c, d) = (plan.places[plan.lines[line].T] for line in (one, two))
    way, other, gap = b - a, d - c, c - a
    share = (gap[:, 0] * other[:, 1] - gap[:, 1] * other[:, 0]) / (
        way[:, 0] * other[:, 1] - way[:, 1] * other[:, 0]
    )
    spots = np.rint(a + share[:, None] * way).astype(np.int64)
    on_rim = plan.rim[one] | plan.rim[two]
    spots[on_rim] = _onto(outline, spots[on_rim])
    corner = len(plan.places) + np.arange(len(spots))
    is_fresh = plan.fresh.copy()
    is_fresh[pairs] = True
    crossed = replace(
        plan,
        places=np.concatenate([plan.places, spots]),
        hold=np.concatenate([plan.hold, on_rim.astype(np.int64)]),
        fresh=is_fresh,
    )
    along = ((spots - a) * way).sum(axis=1), ((spots - c) * other).sum(axis=1)
    return _divided(crossed, np.concatenate([one, two]), np.concatenate(along), np.tile(corner, 2))


def _divided(plan: _Plan, line: Ints, along: Ints, corner: Ints) -> _Plan:
    """The plan with lines led through corners, which are so far along them."""
    cut = np.unique(line)
    farthest = np.iinfo(np.int64).max
    owner = np.concatenate([cut, line, cut])
    place = np.concatenate([np.full(len(cut), -farthest), along, np.full(len(cut), farthest)])
    node = np.concatenate([plan.lines[cut, 0], corner, plan.lines[cut, 1]])
    order = np.lexsort((node, place, owner))
    owner, node = owner[order], node[order]
    inner = np.flatnonzero(np.diff(owner) == 0)
    whole = np.ones(len(plan.lines), dtype=np.bool_)
    whole[cut] = False
    origin = np.concatenate([np.flatnonzero(whole), owner[inner]])
    pieces = np.column_stack([node[inner], node[inner + 1]])
    lines = np.concatenate([plan.lines[whole], pieces])
    return _tidied(plan.places, plan.hold, lines, plan.rim[origin], plan.fresh[origin])


def _keys(places: Ints) -> Ints:
    """(N,) one number for each place."""
    return np.asarray(places[:, 0] * 2**32 + places[:, 1])
