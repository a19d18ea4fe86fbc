"""Road markings: white faces of the carriageway itself, cut out of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import networkx as nx
import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import Polygon

from vasgen.citygen.geometry.solids import Array
from vasgen.citygen.groundwork.ground import Patch
from vasgen.citygen.groundwork.terrain import Terrain
from vasgen.citygen.roads.sections import Sections, Track
from vasgen.citygen.roads.streets import Streets

_LINE_M = 0.15
_DASH_M, _GAP_M = 3.0, 6.0
_SHORTEST_LINE_M = 6.0
#: From a mouth inwards: the zebra, the stop line.
_ZEBRA_M = (0.8, 3.8)
_STOP_M = (4.8, 5.2)
_STRIPE_M = 0.5
#: Markings keep this far from kerbs, cuts and each other, metres.
_CLEAR_M = 0.1
#: Corners of markings that make no more difference than this are left out, metres.
_SIMPLER_M = 0.02
#: Least height of a triangle of a marking, metres.
_THINNEST_M = 0.01
#: Lines along a street end this far from cuts across it: the ground between their narrow ends
#: and a far kerb would be a sliver.
_END_M = 0.4
_KERBSIDE_M = 0.3
_NARROWEST_LANE_M = 2.4
_LATTICE_M = 0.001

#: Start and end along a street, then right and left edge as metres to its left.
Mark = tuple[float, float, float, float]


def paint(
    patches: Sequence[Patch], streets: Streets, sections: Sections, terrain: Terrain
) -> tuple[list[Patch], NDArray[np.int64]]:
    """Cut markings into the carriageways.

    Args:
        patches: the ground.
        streets: the network.
        sections: its sections, which the patches are made of.
        terrain: for the level of the markings' corners.

    Returns:
        The patches, with holes, then the markings; and for each the index of the patch it
        lies in, or is.
    """
    marks = shapely.simplify(np.array(_polygons(streets, sections), dtype=object), _SIMPLER_M)
    marks = marks[shapely.is_valid(marks)]
    marks = marks[_stout(marks)]
    owner = _carriers(marks, patches)
    marks, owner = marks[owner >= 0], owner[owner >= 0]
    apart = _apart(marks)
    marks, owner = shapely.orient_polygons(marks[apart]), owner[apart]
    stops = np.cumsum(shapely.get_num_coordinates(marks))[:-1]
    bases = np.split(np.round(terrain.level_at(shapely.get_coordinates(marks)), 3), stops)
    painted = list(patches)
    order = np.argsort(owner, kind="stable")
    carriers, first = np.unique(owner[order], return_index=True)
    for index, own in zip(carriers, np.split(order, first[1:]), strict=True):
        painted[index] = _pierced(patches[index], list(marks[own]), [bases[i] for i in own])
    painted += [
        Patch(mark, "marking", 0.0, -1, base) for mark, base in zip(marks, bases, strict=True)
    ]
    return painted, np.concatenate([np.arange(len(patches)), owner])


def _polygons(streets: Streets, sections: Sections) -> list[Polygon]:
    """Everything that could be painted, in the order of the streets."""
    graph, found = streets.graph, []
    for number, (one, two, data) in enumerate(graph.edges(data=True)):
        stations = sections.stations[number]
        if not len(stations):
            continue
        track = Track(sections.lines[number])
        crossed = [_is_crossing(graph, node) for node in (one, two)]
        rings = [_ring(track, mark) for mark in _street(data, stations, crossed)]
        found += [Polygon(ring) for ring in rings]
    return found


def _is_crossing(graph: nx.Graph, node: int) -> bool:
    """Whether streets meet there so busy that pedestrians cross on zebras."""
    kinds = [data["kind"] for _, _, data in graph.edges(node, data=True)]
    return len(kinds) > 2 and any(kind != "minor" for kind in kinds)


def _street(data: dict[str, Any], stations: Array, crossed: Sequence[bool]) -> Iterator[Mark]:
    """Markings of one street between its junctions."""
    half = data["width_m"] / 2
    parking = float(data.get("parking_m", 0.0))
    lanes = _lanes(data, 2 * (half - parking))
    first, last = float(stations[0]), float(stations[-1])
    start, end = first, last
    if last - first > 2 * _STOP_M[1] + _SHORTEST_LINE_M:
        if crossed[0]:
            yield from _zebra(first + _ZEBRA_M[0], first + _ZEBRA_M[1], half)
            yield first + _STOP_M[0], first + _STOP_M[1], _LINE_M, half - parking - _KERBSIDE_M
            start = first + _STOP_M[1]
        if crossed[1]:
            yield from _zebra(last - _ZEBRA_M[1], last - _ZEBRA_M[0], half)
            yield last - _STOP_M[1], last - _STOP_M[0], parking + _KERBSIDE_M - half, -_LINE_M
            end = last - _STOP_M[1]
    cuts = np.concatenate([[start], stations[(stations > start) & (stations < end)], [end]])
    for here, there in zip(cuts + _END_M, cuts[1:] - _END_M, strict=False):
        yield from _lines(here, there, half, parking, lanes, data["kind"] != "minor")


def _lanes(data: dict[str, Any], width_m: float) -> int:
    """Number of lanes that fit the carriageway between the parked cars."""
    wanted = int(data.get("lanes", 2 * max(1, round(width_m / 7.0))))
    return wanted if width_m >= wanted * _NARROWEST_LANE_M else 1


def _zebra(start: float, end: float, half_m: float) -> Iterator[Mark]:
    """Stripes along the street, side by side from kerb to kerb."""
    count = int((2 * half_m - 2 * _KERBSIDE_M + _STRIPE_M) // (2 * _STRIPE_M))
    first = -(2 * count - 1) * _STRIPE_M / 2
    for stripe in range(count):
        right = first + 2 * stripe * _STRIPE_M
        yield start, end, right, right + _STRIPE_M


def _lines(
    start: float, end: float, half_m: float, parking_m: float, lanes: int, is_main: bool
) -> Iterator[Mark]:
    """Lines along a section: between lanes, and beside parked cars."""
    if end - start < _SHORTEST_LINE_M:
        return
    width = 2 * (half_m - parking_m) / lanes
    for lane in range(1, lanes):
        left = parking_m - half_m + lane * width
        edges = left - _LINE_M / 2, left + _LINE_M / 2
        if is_main and 2 * lane == lanes:
            yield start, end, *edges
            continue
        count = int((end - start + _GAP_M) // (_DASH_M + _GAP_M))
        # Centred, so that both ends of a street look alike.
        lead = (end - start - count * _DASH_M - (count - 1) * _GAP_M) / 2
        for dash in range(count):
            at = start + lead + dash * (_DASH_M + _GAP_M)
            yield at, at + _DASH_M, *edges
    if parking_m > 0:
        for side in (-1.0, 1.0):
            middle = side * (half_m - parking_m)
            yield start, end, middle - _LINE_M / 2, middle + _LINE_M / 2


def _ring(track: Track, mark: Mark) -> Array:
    """(N, 2) corners of a marking, counter-clockwise, on the lattice."""
    start, end, right, left = mark
    along = np.array([start, *track.between(start, end), end])
    sides = np.repeat([right, left], len(along))
    corners = track.place(np.concatenate([along, along[::-1]]), sides)
    return np.round(corners / _LATTICE_M) * _LATTICE_M


def _stout(marks: NDArray[np.object_]) -> NDArray[np.bool_]:
    """(M,) whether no triangle of a marking would be a sliver."""
    triangles, mark = shapely.get_parts(
        shapely.constrained_delaunay_triangles(marks), return_index=True
    )
    corners = shapely.get_coordinates(triangles).reshape(-1, 4, 2)
    longest = np.hypot(*np.diff(corners, axis=1).transpose(2, 0, 1)).max(axis=1)
    least = np.full(len(marks), np.inf)
    np.minimum.at(least, mark, 2 * shapely.area(triangles) / longest)
    return least > _THINNEST_M


def _carriers(marks: NDArray[np.object_], patches: Sequence[Patch]) -> NDArray[np.int64]:
    """(M,) index of the piece of road each marking lies well inside of, or -1."""
    roads = np.array([i for i, patch in enumerate(patches) if patch.surface == "road"], dtype=int)
    polygons = np.array([patches[index].polygon for index in roads], dtype=object)
    shapely.prepare(polygons)
    mark, road = shapely.STRtree(polygons).query(marks, predicate="within")
    gap = shapely.distance(marks[mark], shapely.boundary(polygons)[road])
    owner = np.full(len(marks), -1, dtype=np.int64)
    clear = gap > _CLEAR_M
    owner[mark[clear]] = roads[road[clear]]
    return owner


def _apart(marks: NDArray[np.object_]) -> NDArray[np.bool_]:
    """(M,) False where a marking would touch one before it."""
    one, two = shapely.STRtree(marks).query(marks, predicate="dwithin", distance=_CLEAR_M)
    kept = np.ones(len(marks), dtype=bool)
    kept[one[one > two]] = False
    return kept


def _pierced(patch: Patch, holes: Sequence[Polygon], bases: Sequence[Array]) -> Patch:
    """A piece of road without its markings."""
    rings = [shapely.get_coordinates(hole)[::-1] for hole in holes]
    polygon = Polygon(patch.polygon.exterior, [*patch.polygon.interiors, *rings])
    own = shapely.get_num_coordinates(patch.polygon)
    base = np.zeros(own) if patch.base_m is None else patch.base_m
    return replace(patch, polygon=polygon, base_m=np.concatenate([base, *(b[::-1] for b in bases)]))
