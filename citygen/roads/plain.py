"""The plain grid: straight streets parallel to the axes."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import shapely
from shapely import LineString, Point, Polygon

from vasgen.citygen.land import Land
from vasgen.citygen.roads.edges import Edge, frame_of, noded
from vasgen.citygen.roads.network import Limits, Network
from vasgen.citygen.roads.quarters import APART_M, MINOR, Quarter
from vasgen.citygen.roads.rim import RIM_M, on_land, own_rules

_PLAIN = Limits(10.0, 0.0, 0.0)


def plain_majors(land: Land) -> list[Edge]:
    """Every n-th line of the plain grid; the grid is centred on the land."""
    profile = own_rules(land)
    lines, ranks = [], []
    for axis, spacing_m in enumerate(profile.spacing_m):
        for number, line in _lines(land.skirt, land, axis, spacing_m):
            if number % profile.major_every == 0:
                lines.append(line)
                ranks.append(int(number % (profile.major_every * profile.avenue_every) != 0))
    network = on_land(noded(lines, ranks), land, _PLAIN)
    network.weed()
    return network.edges


def plain_minors(quarter: Quarter, land: Land) -> list[Edge]:
    """Lines of the plain grid inside a quarter, with the spacing of its district."""
    profile = land.districts[quarter.district].rules.streets
    outline, rim = quarter.polygon.boundary, land.skirt.boundary
    lines = []
    for axis, spacing_m in enumerate(profile.spacing_m):
        for _, line in _lines(quarter.polygon, land, axis, spacing_m):
            ends = shapely.distance(rim, shapely.get_point(line, [0, -1]))
            # No street along a major one, and no junction in sight of the edge of the land.
            beside = outline.distance(line.interpolate(0.5, normalized=True)) < APART_M
            if not beside and not ((ends > RIM_M) & (ends < _PLAIN.apart_m)).any():
                lines.append(line)
    edges = noded(lines, [MINOR] * len(lines))
    anchors = {
        end: np.zeros((0, 2))
        for edge in edges
        for end in edge.ends
        if outline.distance(Point(end)) < RIM_M
    }
    network = Network(edges, anchors, frame_of(quarter.polygon, anchors), _PLAIN)
    network.weed()
    return network.edges


def _lines(
    area: Polygon, land: Land, axis: int, spacing_m: float
) -> Iterator[tuple[int, LineString]]:
    """Numbered lines parallel to an axis (0: x) in an area, counted from the land's middle.

    A line that nearly meets one of the city's own spacing takes its place.
    """
    across, own_m = 1 - axis, own_rules(land).spacing_m[axis]
    centre = np.array(land.outline.bounds).reshape(2, 2).mean(axis=0)[across]
    low, high = np.array(area.bounds).reshape(2, 2)
    first = math.ceil((low[across] - centre) / spacing_m)
    last = math.floor((high[across] - centre) / spacing_m)
    for number in range(first, last + 1):
        at = number * spacing_m
        nearest = round(at / own_m) * own_m
        ends = np.array([low - 1.0, high + 1.0])
        ends[:, across] = round(centre + (nearest if abs(nearest - at) < APART_M else at), 2)
        for part in shapely.get_parts(shapely.intersection(LineString(ends), area)):
            if isinstance(part, LineString) and part.length > _PLAIN.apart_m:
                yield number, part
