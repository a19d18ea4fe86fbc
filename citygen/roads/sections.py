"""Sections: each street from the mouth of one junction to the mouth of the next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import LineString, Polygon

from vasgen.citygen.geometry.solids import Array, Ints
from vasgen.citygen.roads.streets import Streets

#: A street with less between its junctions belongs to them altogether, metres.
_SHORTEST_M = 3.0
#: Mouths are looked for in these steps, this far beside the kerb, up to this far from the
#: corner of the streets.
_STEP_M, _BESIDE_M, _FARTHEST_M = 1.0, 0.12, 20.0
#: A corner of a line nearer to an end of what follows the line is left out, metres.
_AWAY_M = 0.1


class Track:
    """A centre line with positions along it and to its left."""

    def __init__(self, line: LineString) -> None:
        self.points = shapely.get_coordinates(line)
        step = np.diff(self.points, axis=0)
        length = np.hypot(*step.T)
        self.at = np.concatenate([[0.0], np.cumsum(length)])
        self._unit = step / length[:, None]
        self._left = np.column_stack([-self._unit[:, 1], self._unit[:, 0]])

    def place(self, along: Array, left: Array) -> Array:
        """(N, 2) points at metres along the line and to its left; mitred at its corners."""
        last = len(self._unit) - 1
        after = np.clip(np.searchsorted(self.at, along + 1e-6, side="right") - 1, 0, last)
        before = np.clip(np.searchsorted(self.at, along - 1e-6, side="right") - 1, 0, last)
        normal = self._left[before] + self._left[after]
        cosine = (self._left[before] * self._left[after]).sum(axis=1)
        normal /= np.maximum(1.0 + cosine, 0.5)[:, None]
        middle = self.points[after] + (along - self.at[after])[:, None] * self._unit[after]
        return np.asarray(middle + left[:, None] * normal)

    def between(self, start: float, end: float) -> Array:
        """Positions of the line's corners well between two positions."""
        return self.at[(self.at > start + _AWAY_M) & (self.at < end - _AWAY_M)]


@dataclass(frozen=True, eq=False)
class Sections:
    """All streets, divided.

    Attributes:
        lines: (E,) centre lines.
        half_m: (E,) half the width of each carriageway, metres.
        pavement_m: (E,) width of the pavement on either side, metres.
        ends: (E, 2) nodes where each begins and ends.
        stations: (E,) for each street, positions along it where it is cut, from mouth to
            mouth; empty where junctions leave nothing of it.
        nodes: (N, 2) positions of the network's nodes, metres.
        degrees: (N,) number of streets at each; where it is one, a street just ends.
    """

    lines: NDArray[np.object_]
    half_m: Array
    pavement_m: Array
    ends: Ints
    stations: tuple[Array, ...]
    nodes: Array
    degrees: Ints

    @property
    def junctions(self) -> NDArray[np.object_]:
        """Points where streets meet."""
        return np.asarray(shapely.points(self.nodes[self.degrees > 1]))

    def cuts(self, beyond_m: Array) -> list[LineString]:
        """Lines square across each street at its stations, so far beyond its kerbs."""
        cuts = []
        open_ends = self.degrees[self.ends] == 1
        for line, half, stations, is_open, beyond in zip(
            self.lines, self.half_m, self.stations, open_ends, beyond_m, strict=True
        ):
            kept = stations[int(is_open[0]) : len(stations) - int(is_open[1])]
            if len(kept) == 0:
                continue
            left, right = (
                Track(line).place(kept, np.full(len(kept), side * (half + beyond)))
                for side in (1.0, -1.0)
            )
            cuts += list(np.asarray(shapely.linestrings(np.stack([left, right], axis=1))))
        return cuts

    def beside(self, points: Array, reach_m: float) -> tuple[Ints, Ints, Array, Array]:
        """The street beside each point (N, 2), if its kerb is no farther than ``reach_m``.

        Returns:
            (M,) indices of the points that have one, the street of each, how far along it the
            point is, and how far beyond its kerb; metres.
        """
        spots = np.asarray(shapely.points(points))
        tree = shapely.STRtree(self.lines)
        widest = reach_m + float(self.half_m.max())
        point, street = tree.query(spots, predicate="dwithin", distance=widest)
        distance = shapely.distance(spots[point], self.lines[street]) - self.half_m[street]
        near = np.flatnonzero(distance <= reach_m)
        order = near[np.lexsort((street[near], distance[near], point[near]))]
        chosen = order[np.unique(point[order], return_index=True)[1]]
        point, street = point[chosen], street[chosen]
        position = shapely.line_locate_point(self.lines[street], spots[point])
        return point, street, position, distance[chosen]


def section_streets(
    streets: Streets, outlines: Sequence[Polygon], longest_m: float = np.inf
) -> Sections:
    """Divide streets at the mouths of their junctions.

    Args:
        streets: the network.
        outlines: of all land between the carriageways.
        longest_m: long streets are cut into sections of about this length.
    """
    graph, lines, half = streets.graph, streets.lines, streets.widths_m / 2
    ends = np.array(list(graph.edges), dtype=np.int64).reshape(-1, 2)
    degrees = np.array([graph.degree[node] for node in range(len(graph))], dtype=np.int64)
    mouths = _mouths(streets, outlines)
    mouths[degrees[ends] == 1] = 0.0
    stations = []
    for length, (first, last) in zip(shapely.length(lines), mouths, strict=True):
        count = max(1, round((length - first - last) / longest_m))
        kept = np.linspace(first, length - last, count + 1)
        stations.append(kept if length - first - last >= _SHORTEST_M else np.empty(0))
    return Sections(
        lines,
        half,
        np.array([width for *_, width in graph.edges(data="pavement_m")], dtype=float),
        ends,
        tuple(stations),
        np.array([[graph.nodes[node]["x"], graph.nodes[node]["y"]] for node in range(len(graph))]),
        degrees,
    )


def _mouths(streets: Streets, outlines: Sequence[Polygon]) -> Array:
    """(E, 2) how far from either end both kerbs of a street are straight, metres.

    The kerbs of a junction are rounded: it reaches farther than the corner of its streets.
    """
    spots, owner, distance = [], [], []
    for number, (_, _, data) in enumerate(streets.graph.edges(data=True)):
        track, length = Track(data["line"]), data["length_m"]
        beside = data["width_m"] / 2 + _BESIDE_M
        for end, mouth in enumerate(data["mouths_m"]):
            away = np.arange(mouth, min(mouth + _FARTHEST_M, length / 2), _STEP_M)
            along = length - away if end else away
            for side in (beside, -beside):
                spots.append(track.place(along, np.full(len(along), side)))
                owner.append(np.full(len(along), 2 * number + end))
                distance.append(away)
    points = np.asarray(shapely.points(np.concatenate(spots)))
    on_road = np.ones(len(points), dtype=np.bool_)
    on_road[shapely.STRtree(points).query(outlines, predicate="contains")[1]] = False
    mouths = np.array([data for *_, data in streets.graph.edges(data="mouths_m")], dtype=float)
    reach = mouths.reshape(-1)
    np.maximum.at(
        reach, np.concatenate(owner)[on_road], np.concatenate(distance)[on_road] + _STEP_M
    )
    return reach.reshape(-1, 2)
