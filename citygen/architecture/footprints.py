"""Footprints: the plan shapes of buildings, and the room for them on a lot."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import Polygon

from vasgen.citygen.geometry import plane

Array = NDArray[np.float64]

_SAMPLES = 26
_SHORTEST_EDGE_M = 0.8
_GAP_M = 0.15  # a building keeps this from the sides of its lot, its neighbour as much again


@dataclass(frozen=True, eq=False)
class Rect:
    """A rectangle that looks at its street.

    Attributes:
        origin: (2,) corner at the left end of the front, seen from the street's far side.
        along: (2,) unit vector along the front; the rectangle lies to its left.
        width_m: length of the front.
        depth_m: length away from the street.
    """

    origin: Array
    along: Array
    width_m: float
    depth_m: float

    def place(self, local: Array) -> Array:
        """World positions of points (N, 2) given as metres along and away from the front."""
        return self.origin + plane.across(local, self.along, plane.left_of(self.along))

    def part(self, x: float, y: float, width_m: float, depth_m: float) -> Rect:
        """A smaller rectangle at (x, y) of this one."""
        return Rect(self.place(np.array([[x, y]]))[0], self.along, width_m, depth_m)

    def ring(self) -> Array:
        """(4, 2) corners, counter-clockwise from the origin."""
        return self.place(rectangle(self.width_m, self.depth_m))

    @property
    def shorter_m(self) -> float:
        """The shorter side."""
        return min(self.width_m, self.depth_m)


def inscribed(area: shapely.Geometry, along: Array) -> Rect | None:
    """A large rectangle inside an area with a side along a direction; None if there is none.

    Args:
        area: the room, a polygon or what a buffer left of one, metres.
        along: (2,) unit vector; the polygon lies to the left of its street seen this way.
    """
    polygon = max(shapely.get_parts(area), key=lambda part: part.area, default=None)
    if not isinstance(polygon, Polygon) or polygon.is_empty:
        return None
    across = plane.left_of(along)
    ring = plane.along(shapely.get_coordinates(polygon.exterior), along, across)
    xs = np.linspace(ring[:, 0].min(), ring[:, 0].max(), _SAMPLES + 2)[1:-1]
    low, high = _widest_span(ring, xs)
    best = (0.0, 0.0, 0.0, 0.0, 0.0)
    for i in range(len(xs) - 1):
        bottom, top = np.maximum.accumulate(low[i:]), np.minimum.accumulate(high[i:])
        # Rounded: of two that are equally large, the first is taken on every machine.
        covered = np.round((xs[i:] - xs[i]) * (top - bottom), 6)
        j = int(covered.argmax())
        if covered[j] > best[0]:
            best = (float(covered[j]), xs[i], xs[i + j], float(bottom[j]), float(top[j]))
    x0, x1, y0, y1 = np.round(best[1:], 3).tolist()
    for _ in range(8):
        if min(x1 - x0, y1 - y0) < 2.0:
            return None
        rect = Rect(x0 * along + y0 * across, along, x1 - x0, y1 - y0)
        if polygon.covers(Polygon(rect.ring()).buffer(-0.01)):
            return rect
        # A corner between two samples stands in the way: give way a little on all sides.
        x0, x1, y0, y1 = x0 + 0.4, x1 - 0.4, y0 + 0.4, y1 - 0.4
    return None


def _widest_span(ring: Array, xs: Array) -> tuple[Array, Array]:
    """Lower and upper end of the longest vertical chord at each x."""
    (x0, y0), (x1, y1) = ring[:-1].T[:, :, None], ring[1:].T[:, :, None]
    crossing = (x0 <= xs) != (x1 <= xs)
    y = y0 + (xs - x0) / np.where(crossing, x1 - x0, 1.0) * (y1 - y0)
    ys = np.sort(np.where(crossing, y, np.inf), axis=0)
    ys = ys[: len(ys) // 2 * 2]
    low, high = ys[0::2], ys[1::2]
    with np.errstate(invalid="ignore"):
        span = np.where(np.isfinite(high), np.round(high - low, 6), 0.0)
    pick = span.argmax(axis=0)[None]
    found = span.max(axis=0) > 0
    return (
        np.where(found, np.take_along_axis(low, pick, 0)[0], 0.0),
        np.where(found, np.take_along_axis(high, pick, 0)[0], 0.0),
    )


def areas_below(ring: Array, levels: Array) -> Array:
    """(K,) area of the part of a closed ring (N, 2) whose y is below each level (K,)."""
    (x0, y0), (x1, y1) = ring[:-1].T[:, :, None], ring[1:].T[:, :, None]
    low, high = np.minimum(y0, levels), np.minimum(y1, levels)
    rise = np.where(y1 == y0, 1.0, y1 - y0)
    left, right = x0 + (x1 - x0) * (low - y0) / rise, x0 + (x1 - x0) * (high - y0) / rise
    return np.asarray(np.abs(((left + right) / 2 * (high - low)).sum(axis=0)))


def outline(polygon: Polygon, front: Array | None = None) -> Array | None:
    """The corners of a polygon's outer ring, counter-clockwise, without short edges.

    Args:
        polygon: metres.
        front: (2, 2) side of the lot on the street; the ring starts with the edge nearest
            to it.

    Returns:
        (N, 2) metres, or None if too little is left.
    """
    simple = polygon.simplify(0.3)
    if not isinstance(simple, Polygon) or simple.area < 20.0:
        return None
    ring = np.round(shapely.get_coordinates(shapely.orient_polygons(simple).exterior)[:-1], 3)
    ring = ring[plane.length(np.roll(ring, -1, axis=0) - ring) > _SHORTEST_EDGE_M]
    if len(ring) < 3 or not Polygon(ring).is_valid:
        return None
    if front is not None:
        middles = (ring + np.roll(ring, -1, axis=0)) / 2
        distance = plane.length(middles - front.mean(axis=0))
        ring = np.roll(ring, -int(distance.round(3).argmin()), axis=0)
    return _within(ring, polygon)


def room_on(polygon: Polygon, front: Array) -> Array | None:
    """What may be built on a lot: its outline, narrower by what neighbours keep apart.

    Args:
        polygon: the lot, metres.
        front: (2, 2) its side on the street.

    Returns:
        (N, 2) metres as of :func:`outline`, or None if too little is left.
    """
    for spike_m in (0.0, 1.5):  # without what is narrower than twice this, if need be
        inner = polygon.buffer(-_GAP_M - spike_m, join_style="mitre")
        inner = inner.buffer(spike_m, join_style="mitre")
        parts = [part for part in shapely.get_parts(inner) if isinstance(part, Polygon)]
        largest = max(parts, key=lambda part: part.area, default=None)
        ring = None if largest is None else outline(Polygon(largest.exterior), front)
        if ring is not None and polygon.covers(Polygon(ring)):
            return ring
    return None


def _within(ring: Array, polygon: Polygon) -> Array | None:
    """The ring, inset by so much that no part of it that left the polygon remains."""
    simple = Polygon(ring)
    points = shapely.points(
        shapely.get_coordinates(shapely.difference(simple, polygon, grid_size=0.001))
    )
    excess = float(shapely.distance(points, simple.exterior).max(initial=0.0))
    return ring if excess < 1e-3 else inset(ring, excess)


def inset(ring: Array, distance_m: float) -> Array | None:
    """Move every edge of a ring to its left; corners stay in correspondence.

    A counter-clockwise outline shrinks and a clockwise hole widens.

    Returns:
        (N, 2) metres, or None if an edge would vanish or the ring fold over.
    """
    edge = np.roll(ring, -1, axis=0) - ring
    unit = plane.unit(edge)
    normal = np.column_stack([-unit[:, 1], unit[:, 0]])
    before = np.roll(normal, 1, axis=0)
    scale = 1.0 + (normal * before).sum(axis=1)
    if scale.min() < 0.1:
        return None
    moved = ring + (normal + before) / scale[:, None] * distance_m
    new_edge = np.roll(moved, -1, axis=0) - moved
    if (new_edge * unit).sum(axis=1).min() < 0.25:
        return None
    pair = Polygon(ring), Polygon(moved)
    outer, inner = pair if pair[0].area > pair[1].area else pair[::-1]
    return moved if inner.is_valid and outer.contains_properly(inner) else None


def rectangle(w: float, d: float) -> Array:
    """(4, 2) corners of a w x d rectangle at the origin, like all shapes below."""
    return np.array([[0.0, 0.0], [w, 0.0], [w, d], [0.0, d]])


def chamfered(w: float, d: float, share: float) -> Array:
    """A rectangle with cut corners."""
    c = share * min(w, d)
    points = [(c, 0), (w - c, 0), (w, c), (w, d - c), (w - c, d), (c, d), (0, d - c), (0, c)]
    return np.array(points, dtype=float)


def rounded(w: float, d: float) -> Array:
    """An ellipse of twenty corners."""
    angle = np.arange(20) * np.pi / 10
    return np.column_stack([w / 2 * (1 + np.cos(angle)), d / 2 * (1 + np.sin(angle))])


def ell(w: float, d: float, share: float) -> Array:
    """An L: a wing along the front and one at the left."""
    a, b = share * w, share * d
    return np.array([[0.0, 0.0], [w, 0.0], [w, b], [a, b], [a, d], [0.0, d]])


def tee(w: float, d: float, share: float) -> Array:
    """A T: a wing along the front and one from its middle."""
    a, b = (1 - share) / 2 * w, share * d
    points = [(0, 0), (w, 0), (w, b), (w - a, b), (w - a, d), (a, d), (a, b), (0, b)]
    return np.array(points, dtype=float)


def you(w: float, d: float, share: float) -> Array:
    """A U: a wing along the front and one at each end, all ``share * w`` deep."""
    a = b = share * w
    points = [(0, 0), (w, 0), (w, d), (w - a, d), (w - a, b), (a, b), (a, d), (0, d)]
    return np.array(points, dtype=float)


def cross(w: float, d: float, share: float) -> Array:
    """A rectangle with notched corners."""
    a, b = share * w, share * d
    points = [(a, 0), (w - a, 0), (w - a, b), (w, b), (w, d - b), (w - a, d - b)]
    points += [(w - a, d), (a, d), (a, d - b), (0, d - b), (0, b), (a, b)]
    return np.array(points, dtype=float)


def aitch(w: float, d: float, share: float) -> Array:
    """An H: a wing at each end, ``share * w`` deep, and a bar between their middles."""
    a = share * w
    b = (d - a) / 2
    points = [(0, 0), (a, 0), (a, b), (w - a, b), (w - a, 0), (w, 0)]
    points += [(w, d), (w - a, d), (w - a, d - b), (a, d - b), (a, d), (0, d)]
    return np.array(points, dtype=float)


def cut_corner(ring: Array, corner: Array, cut_m: float) -> Array:
    """The ring with its corner nearest to a point cut off; its first edge stays the first.

    The cut is left out where an edge beside it is too short, or no corner sticks out there.
    """
    away = plane.length(ring - corner).round(3)
    i = int(away.argmin())
    sides = [ring[i - 1] - ring[i], ring[(i + 1) % len(ring)] - ring[i]]
    lengths = [float(plane.length(side)) for side in sides]
    is_reflex = sides[0][0] * sides[1][1] > sides[0][1] * sides[1][0]
    if away[i] > 4.0 or min(lengths) < 3.0 * cut_m or is_reflex:
        return ring
    before, after = (
        ring[i] + side / length * cut_m for side, length in zip(sides, lengths, strict=True)
    )
    if i == 0:
        return np.concatenate([[after], ring[1:], [before]])
    return np.concatenate([ring[:i], [before, after], ring[i + 1 :]])
