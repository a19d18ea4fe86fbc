"""Edges: lines between nodes, and how lines are cut, joined and closed to faces."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import LineString, Polygon

Array = NDArray[np.float64]
Node = tuple[float, float]

LATTICE_M = 0.01  # corners of streets are whole centimetres

_LOOK_M = 14.0  # the direction of a line at its end is that of its first metres


@dataclass(eq=False)
class Edge:
    """A line between two nodes; ``rank`` 0 is the most important."""

    points: Array
    rank: int

    @property
    def ends(self) -> tuple[Node, Node]:
        """First and last corner."""
        return as_node(self.points[0]), as_node(self.points[-1])

    @property
    def length(self) -> float:
        """Metres."""
        return float(np.hypot(*np.diff(self.points, axis=0).T).sum())

    @property
    def line(self) -> LineString:
        """As a geometry."""
        return LineString(self.points)

    def away_from(self, node: Node) -> Array:
        """Corners, from a node at one of the ends onwards."""
        return self.points if as_node(self.points[0]) == node else self.points[::-1]


def crossings(lines: NDArray[np.object_]) -> list[tuple[int, int]]:
    """Pairs of lines that have more in common than ends, in order."""
    one, two = shapely.STRtree(lines).query(lines, predicate="intersects")
    one, two = one[one < two], two[one < two]
    common, pair = shapely.get_coordinates(
        shapely.intersection(lines[one], lines[two]), return_index=True
    )
    ends = np.stack(
        [shapely.get_coordinates(shapely.get_point(lines, k)) for k in (0, -1)], axis=1
    ).reshape(-1, 2, 2)
    bad = np.zeros(len(pair), dtype=bool)
    for owner in (one, two):
        away = np.abs(ends[owner[pair]] - common[:, None, :]).max(axis=2)
        bad |= away.min(axis=1) > 1e-6
    wrong = np.unique(pair[bad])
    return sorted(zip(one[wrong].tolist(), two[wrong].tolist(), strict=True))


def noded(lines: Sequence[LineString], ranks: Sequence[int]) -> list[Edge]:
    """Lines cut where they cross, with the rank of the line they come from."""
    if not lines:
        return []
    parts = shapely.get_parts(shapely.union_all(list(lines), grid_size=LATTICE_M))
    middles = shapely.line_interpolate_point(parts, 0.5, normalized=True)
    source = np.zeros(len(parts), dtype=np.int64)
    source[:] = np.iinfo(np.int64).max
    tree = shapely.STRtree(list(lines))
    part, line = tree.query(middles, predicate="dwithin", distance=2.5 * LATTICE_M)
    np.minimum.at(source, part, np.array(ranks)[line])
    points = [shapely.get_coordinates(part).round(2) + 0.0 for part in parts]
    edges = [
        Edge(p, int(rank) if rank < 9 else max(ranks))
        for p, rank in zip(points, source.tolist(), strict=True)
    ]
    return sorted(edges, key=lambda e: e.points.tolist())


def bend_to(points: Array, start: Node, end: Node) -> Array:
    """The line with its ends moved, and every corner by its share of that."""
    steps = np.hypot(*np.diff(points, axis=0).T)
    share = np.concatenate([[0.0], np.cumsum(steps)])[:, None]
    share = share / max(float(share[-1, 0]), 1e-9)
    shift = (np.array(start) - points[0]) * (1 - share) + (np.array(end) - points[-1]) * share
    moved: Array = (points + shift).round(2) + 0.0
    moved[0], moved[-1] = start, end
    return moved


def as_node(point: Iterable[float]) -> Node:
    """A corner on the lattice."""
    x, y = point
    return round(float(x), 2) + 0.0, round(float(y), 2) + 0.0


def cut(line: LineString, points: Iterable[Node]) -> list[Array]:
    """Corners of the pieces of a line that is cut at points on it."""
    corners = shapely.get_coordinates(line)
    places = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(corners, axis=0).T))])
    cuts = sorted((line.project(shapely.Point(point)), point) for point in set(points))
    pieces, piece, rest = [], [as_node(corners[0])], 1
    for place, point in cuts:
        while rest < len(corners) and places[rest] < place - LATTICE_M:
            piece.append(as_node(corners[rest]))
            rest += 1
        if rest < len(corners) and as_node(corners[rest]) == point:
            rest += 1
        if point != piece[-1]:
            piece.append(point)
        if len(piece) > 1:
            pieces.append(np.array(piece))
        piece = [point]
    piece += [as_node(corner) for corner in corners[rest:]]
    return [*pieces, np.array(piece)] if len(piece) > 1 else pieces


def frame_of(polygon: Polygon, anchors: Iterable[Node]) -> list[LineString]:
    """The outline of an area, cut at the anchors."""
    rings = [polygon.exterior, *polygon.interiors]
    homes: list[list[Node]] = [[] for _ in rings]
    for anchor in sorted(anchors):
        distances = [ring.distance(shapely.Point(anchor)) for ring in rings]
        homes[distances.index(min(distances))].append(anchor)
    return [
        LineString(piece)
        for ring, points in zip(rings, homes, strict=True)
        for piece in cut(LineString(ring), points)
    ]


def faces_of(lines: Sequence[LineString]) -> list[Polygon]:
    """Faces between lines that meet only at their ends, in a fixed order."""
    return sorted(shapely.get_parts(shapely.polygonize(list(lines))), key=lambda f: f.bounds)


def bearing(points: Array) -> float:
    """Angle at which a line leaves its first corner."""
    steps = np.hypot(*np.diff(points, axis=0).T)
    reached = itertools.accumulate(steps.tolist())
    before = 0.0
    for corner, length in enumerate(reached):
        if length >= _LOOK_M:
            share = (_LOOK_M - before) / (length - before)
            target = points[corner] + share * (points[corner + 1] - points[corner])
            break
        before = length
    else:
        target = points[-1]
    return math.atan2(target[1] - points[0][1], target[0] - points[0][0])
