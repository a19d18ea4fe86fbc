"""The rim: where the land ends, and the rules and the middle of the land inside."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import Point

from vasgen.citygen.land import Land
from vasgen.citygen.profiles import StreetProfile
from vasgen.citygen.roads.edges import Array, Edge, Node, as_node, frame_of
from vasgen.citygen.roads.network import Limits, Network

RIM_M = 0.05  # an end this near to the edge of the land is on it


def own_rules(land: Land) -> StreetProfile:
    """The rules of the city itself, which avenues and major streets follow."""
    return land.districts[-1].rules.streets


def heart(land: Land) -> Node:
    """The origin, or else a point well inside the land."""
    inside = land.outline.contains(Point(0, 0))
    return (0.0, 0.0) if inside else as_node(land.outline.point_on_surface().coords[0])


def on_land(edges: list[Edge], land: Land, limits: Limits) -> Network:
    """A network whose frame is the edge of the land."""
    ends = sorted({end for edge in edges for end in edge.ends})
    on_rim = are_on_rim(np.array(ends).reshape(-1, 2), land).tolist()
    anchors = {end: np.zeros((0, 2)) for end, on in zip(ends, on_rim, strict=True) if on}
    return Network(edges, anchors, frame_of(land.skirt, anchors), limits)


def are_on_rim(points: Array, land: Land) -> NDArray[np.bool_]:
    """(N,) whether points (N, 2) lie on the edge of the land."""
    return np.asarray(shapely.dwithin(land.skirt.boundary, shapely.points(points), RIM_M))
