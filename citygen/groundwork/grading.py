"""Grading: the levels of streets on hilly ground, and of the land between them.

A junction is level; between junctions a street rises and falls in straight grades, level
across. Of all levels with no grade above the limit, the middle is taken between the highest
that nowhere lie above the natural ground and the lowest that nowhere lie below it, so that
cut and fill are of one size.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import shapely
from scipy.spatial import KDTree

from vasgen.citygen.geometry.solids import Array, Ints
from vasgen.citygen.groundwork.terrain import Hills
from vasgen.citygen.roads.sections import Sections

#: Steepest street, metres per metre.
STEEPEST_STREET = 0.08
#: Grades change at junctions and about this often between them, metres.
GRADE_LENGTH_M = 40.0

#: Land up to this far behind the kerb has the level of the street, metres; over the next
#: stretch it turns into that of the land.
_VERGE_M, _BLEND_M = 6.0, 12.0
_SAMPLE_M = 15.0
_NEAREST = 12


@dataclass(frozen=True, eq=False)
class Grading:
    """Levels of all streets.

    Attributes:
        hills: the natural ground.
        sections: the streets.
        profiles: (E,) for each street (N, 2) positions along it and the levels there,
            metres; straight in between, level before the first and after the last.
    """

    hills: Hills
    sections: Sections
    profiles: tuple[Array, ...]

    def level_at(self, points: Array) -> Array:
        """(N,) level of the ground at points (N, 2), to the millimetre, without kerbs."""
        levels = self.hills.level_at(points)
        beside, street, position, distance = self.sections.beside(points, _VERGE_M + _BLEND_M)
        level = self.along(street, position)
        share = np.clip((distance - _VERGE_M) / _BLEND_M, 0.0, 1.0)
        open_land = np.ones(len(points), dtype=np.bool_)
        open_land[beside[share == 0.0]] = False
        levels[open_land] += self._change_at(points[open_land])
        levels[beside] = level * (1.0 - share) + levels[beside] * share
        return np.round(levels, 3)

    def along(self, street: Ints, position: Array) -> Array:
        """(N,) levels of streets at positions along them, metres."""
        # One rising axis for all streets, each on a stretch of its own.
        start = np.cumsum([0.0, *(shapely.length(self.sections.lines) + 2.0)])
        knots = np.concatenate(
            [profile[:, 0] + begin for profile, begin in zip(self.profiles, start, strict=False)]
        )
        levels = np.concatenate([profile[:, 1] for profile in self.profiles])
        owner = np.repeat(np.arange(len(self.profiles)), [len(p) for p in self.profiles])
        first, last = np.searchsorted(owner, street), np.searchsorted(owner, street, "right") - 1
        place = np.clip(position + start[street], knots[first], knots[last])
        return np.asarray(np.interp(place, knots, levels))

    def _change_at(self, points: Array) -> Array:
        """(N,) how much the streets around were raised, weighted by nearness."""
        samples, raised = self._samples
        count = min(_NEAREST, len(raised))
        distance, index = KDTree(samples).query(points, k=np.arange(1, count + 1))
        weight = 1.0 / np.maximum(distance, 1.0) ** 2
        return np.asarray((weight * raised[index]).sum(axis=1) / weight.sum(axis=1))

    @cached_property
    def _samples(self) -> tuple[Array, Array]:
        """(N, 2) points on the streets and (N,) how much each was raised, metres."""
        lines = self.sections.lines
        count = np.ceil(shapely.length(lines) / _SAMPLE_M).astype(np.int64) + 1
        street = np.repeat(np.arange(len(lines)), count)
        ordinal = np.arange(len(street)) - np.repeat(np.cumsum(count) - count, count)
        position = ordinal / (count[street] - 1) * shapely.length(lines)[street]
        points = shapely.get_coordinates(shapely.line_interpolate_point(lines[street], position))
        return points, self.along(street, position) - self.hills.level_at(points)


def grade(hills: Hills, sections: Sections) -> Grading:
    """Find levels for all streets.

    Args:
        hills: the natural ground.
        sections: the streets.
    """
    junction = _joined(sections)
    count = len(junction)
    points, members = [sections.nodes], []
    for line, ends, stations in zip(sections.lines, sections.ends, sections.stations, strict=True):
        inner = stations[1:-1]
        points.append(shapely.get_coordinates(shapely.line_interpolate_point(line, inner)))
        first, last = (int(junction[end]) for end in ends)
        members.append([first, *range(count, count + len(inner)), last])
        count += len(inner)
    natural = hills.level_at(np.concatenate(points))
    # Junctions without a street between them are one level place.
    own = np.concatenate([junction, np.arange(len(junction), count)])
    natural = np.bincount(own, natural, count) / np.maximum(np.bincount(own, None, count), 1)
    ways = [
        (a, b, STEEPEST_STREET * float(rise))
        for places, stations in zip(members, sections.stations, strict=True)
        if len(stations)
        for a, b, rise in zip(places, places[1:], np.diff(stations), strict=False)
    ]
    level = np.round((_capped(natural, ways) - _capped(-natural, ways)) / 2, 3)
    return Grading(
        hills,
        sections,
        tuple(
            np.column_stack([stations, level[places]])
            if len(stations)
            else np.array([[0.0, level[places[0]]]])
            for places, stations in zip(members, sections.stations, strict=True)
        ),
    )


def _joined(sections: Sections) -> Ints:
    """(N,) for each node, the first of those that no street parts from it."""
    parent = np.arange(len(sections.nodes))

    def root(node: int) -> int:
        while parent[node] != node:
            node = int(parent[node])
        return node

    for (one, two), stations in zip(sections.ends.tolist(), sections.stations, strict=True):
        if not len(stations):
            low, high = sorted((root(one), root(two)))
            parent[high] = low
    return np.array([root(node) for node in range(len(parent))], dtype=np.int64)


def _capped(levels: Array, ways: Sequence[tuple[int, int, float]]) -> Array:
    """The highest levels below the given ones that differ by no more than each way's rise."""
    around: list[list[tuple[int, float]]] = [[] for _ in levels]
    for one, two, rise in ways:
        around[one].append((two, rise))
        around[two].append((one, rise))
    lowest = levels.copy()
    heap = [(float(level), place) for place, level in enumerate(levels)]
    heapq.heapify(heap)
    while heap:
        level, place = heapq.heappop(heap)
        if level > lowest[place]:
            continue
        for other, rise in around[place]:
            if level + rise < lowest[other]:
                lowest[other] = level + rise
                heapq.heappush(heap, (level + rise, other))
    return lowest
