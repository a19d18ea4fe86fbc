"""Evenly spaced lines along a tensor field.

After B. Jobard and W. Lefer, "Creating evenly-spaced streamlines of arbitrary density",
Visualization in Scientific Computing, 1997: new lines start at the wanted distance from those
that are there, and end where they would come too near to another.
"""

from __future__ import annotations

import copy
import math
from collections import defaultdict, deque
from collections.abc import Iterable

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import LineString, Polygon

from vasgen.citygen.roads.tensors import TensorField

Array = NDArray[np.float64]
Pair = tuple[float, float]

STEP_M = 12.0  # length of a Runge-Kutta step
_CORNERS = 2  # steps between the corners of a line
_CELL_M = 12.0  # of the sampled field

#: A line may start this near to another, and ends where it comes this near, in spacings.
_START_SHARE = 0.72
_STOP_SHARE = 0.5


class Compass:
    """A tensor field sampled over a region, quick to ask at single points.

    Args:
        field: what is sampled.
        region: lines end where they leave it.
    """

    def __init__(self, field: TensorField, region: Polygon) -> None:
        shapely.prepare(region)
        self.region = region
        x0, y0, x1, y1 = region.bounds
        self._x0, self._y0 = x0 - 4 * _CELL_M, y0 - 4 * _CELL_M
        columns = math.ceil((x1 - self._x0) / _CELL_M) + 5
        rows = math.ceil((y1 - self._y0) / _CELL_M) + 5
        x = self._x0 + _CELL_M * np.arange(columns)
        y = self._y0 + _CELL_M * np.arange(rows)
        points = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
        tensors = field.tensors(points).reshape(rows, columns, 2)
        self._cosines: list[list[float]] = tensors[..., 0].tolist()
        self._sines: list[list[float]] = tensors[..., 1].tolist()
        self._last = (columns - 2, rows - 2)

    def within(self, region: Polygon) -> Compass:
        """The same field for a part of the region."""
        part = copy.copy(self)
        part.region = region
        shapely.prepare(region)
        return part

    def direction(self, x: float, y: float, family: int) -> Pair:
        """Unit vector of a family (0 major, 1 minor) at a point, of either sign."""
        u, v = (x - self._x0) / _CELL_M, (y - self._y0) / _CELL_M
        i = min(max(int(u), 0), self._last[0])
        j = min(max(int(v), 0), self._last[1])
        u, v = u - i, v - j
        a, b, c, d = (1 - u) * (1 - v), u * (1 - v), (1 - u) * v, u * v
        below, above = self._cosines[j], self._cosines[j + 1]
        cosine = a * below[i] + b * below[i + 1] + c * above[i] + d * above[i + 1]
        below, above = self._sines[j], self._sines[j + 1]
        sine = a * below[i] + b * below[i + 1] + c * above[i] + d * above[i + 1]
        angle = math.atan2(sine, cosine) / 2
        x, y = math.cos(angle), math.sin(angle)
        return (-y, x) if family else (x, y)

    def step(self, at: Pair, way: Pair, family: int) -> tuple[Pair, Pair]:
        """The next point and the way there, by a Runge-Kutta step that does not turn back."""
        x, y = at
        k1 = self._ahead(x, y, way, family)
        half = STEP_M / 2
        k2 = self._ahead(x + half * k1[0], y + half * k1[1], k1, family)
        k3 = self._ahead(x + half * k2[0], y + half * k2[1], k2, family)
        k4 = self._ahead(x + STEP_M * k3[0], y + STEP_M * k3[1], k3, family)
        dx = (k1[0] + 2 * k2[0] + 2 * k3[0] + k4[0]) / 6
        dy = (k1[1] + 2 * k2[1] + 2 * k3[1] + k4[1]) / 6
        return (x + STEP_M * dx, y + STEP_M * dy), k4

    def contains(self, at: Pair) -> bool:
        """Whether a point lies in the region."""
        return bool(shapely.contains_xy(self.region, *at))

    def _ahead(self, x: float, y: float, way: Pair, family: int) -> Pair:
        dx, dy = self.direction(x, y, family)
        return (dx, dy) if dx * way[0] + dy * way[1] >= 0 else (-dx, -dy)


class Crowd:
    """Points in a spatial grid, to ask whether any is near."""

    def __init__(self, cell_m: float) -> None:
        self._cell = cell_m
        self._points: defaultdict[tuple[int, int], list[Pair]] = defaultdict(list)

    def add(self, points: Iterable[Pair]) -> None:
        """Put in points."""
        for x, y in points:
            self._points[int(x // self._cell), int(y // self._cell)].append((x, y))

    def near(self, at: Pair, distance_m: float) -> bool:
        """Whether a point lies nearer than a distance, at most the cell."""
        x, y = at
        i, j = int(x // self._cell), int(y // self._cell)
        limit = distance_m * distance_m
        return any(
            (px - x) ** 2 + (py - y) ** 2 < limit
            for column in (i - 1, i, i + 1)
            for row in (j - 1, j, j + 1)
            for px, py in self._points.get((column, row), ())
        )


def trace(compass: Compass, start: Pair, family: int, crowd: Crowd, stop_m: float) -> list[Pair]:
    """The line of a family through a point.

    It ends one step outside the region or where it comes nearer than ``stop_m`` to the crowd
    or to itself; a line that comes back to its start is closed.

    Args:
        compass: the field.
        start: x, y, metres.
        family: 0: major eigenvectors, 1: minor.
        crowd: points of the lines it must keep away from.
        stop_m: how far.
    """
    first = compass.direction(*start, family)
    halves: list[list[Pair]] = []
    x0, y0, x1, y1 = compass.region.bounds
    most = 3 * int((x1 - x0 + y1 - y0) / STEP_M) + 8
    # A spiral must not come near itself either; the last steps are always near.
    own, lag = Crowd(max(stop_m, STEP_M)), 6 + int(2 * stop_m / STEP_M)
    for sign in (1.0, -1.0):
        points, at, way = [start], start, (sign * first[0], sign * first[1])
        while len(points) < most:
            at, way = compass.step(at, way, family)
            points.append(at)
            if len(points) > 6 and math.dist(at, start) < 0.75 * STEP_M:
                return [*points[:-1], start]
            if not compass.contains(at) or crowd.near(at, stop_m) or own.near(at, stop_m):
                break
            if len(points) > 2 * lag:
                own.add([points[-lag]])
        halves.append(points)
    return [*reversed(halves[1]), *halves[0][1:]]


def evenly_spaced(
    compass: Compass,
    family: int,
    spacing_m: float,
    seeds: Iterable[Pair],
    walls: Iterable[Pair] = (),
    spare: Iterable[Pair] = (),
) -> list[LineString]:
    """Lines of a family at an even distance from each other.

    Args:
        compass: the field and the region.
        family: 0: along major eigenvectors, 1: along minor ones.
        spacing_m: wanted distance.
        seeds: points tried first, in order.
        walls: points of lines that are there already.
        spare: points tried where nothing has grown from the seeds.

    Returns:
        Lines clipped to the region, with a corner every 24 m.
    """
    crowd = Crowd(spacing_m)
    crowd.add(walls)
    x0, y0, x1, y1 = compass.region.bounds
    shortest_m = 0.3 * min(spacing_m, math.hypot(x1 - x0, y1 - y0))
    waiting, reserve = deque(seeds), iter(spare)
    lines: list[LineString] = []
    while (seed := waiting.popleft() if waiting else next(reserve, None)) is not None:
        if not compass.contains(seed) or crowd.near(seed, _START_SHARE * spacing_m):
            continue
        line = clip(trace(compass, seed, family, crowd, _STOP_SHARE * spacing_m), seed, compass)
        if line is None or line.length < shortest_m:
            crowd.add([seed])
            continue
        lines.append(line)
        samples = samples_of(line, spacing_m / 8)
        crowd.add(map(tuple, samples.tolist()))
        for x, y in samples[::4].tolist():
            dx, dy = compass.direction(x, y, 1 - family)
            waiting.append((x + spacing_m * dx, y + spacing_m * dy))
            waiting.append((x - spacing_m * dx, y - spacing_m * dy))
    return lines


def clip(points: list[Pair], seed: Pair, compass: Compass) -> LineString | None:
    """The part of a traced line inside the region that holds its seed."""
    corners = points if len(points) < 4 else [*points[:-1:_CORNERS], points[-1]]
    inside = shapely.intersection(LineString(np.round(corners, 3)), compass.region)
    parts = [part for part in shapely.get_parts(inside) if isinstance(part, LineString)]
    if not parts:
        return None
    distances = shapely.distance(np.array(parts, dtype=object), shapely.Point(seed))
    return parts[int(np.argmin(distances))]


def samples_of(line: LineString, distance_m: float) -> Array:
    """(N, 2) points along a line, from one end to the other, about a distance apart."""
    count = max(1, round(line.length / distance_m))
    places = np.linspace(0.0, 1.0, count + 1)
    return shapely.get_coordinates(shapely.line_interpolate_point(line, places, normalized=True))
