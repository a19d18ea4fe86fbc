"""Airways: a way through the air between planned views, over and among the buildings.

Whatever is above the highest surface below the sky is free, so the lowest flight over each
place of a grid says where one can fly. Among its cells and levels the shortest way is found
(Dijkstra 1959) and drawn tight; each piece is then tested exactly against all triangles.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from vasgen.orchestrate.clearance import Clearance
from vasgen.orchestrate.ground import look_down
from vasgen.orchestrate.smoothing import arc_length, resample
from vasgen.raycast import RayCaster

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

#: Side of the cells of the skyline, metres.
_CELL_M = 2.0

#: Nodes of the grid that ways are searched in, and the least distance between them, metres.
_NODES, _SPACING_M = 120_000, 3.0

#: Land around two places that the way between them may lead over, metres.
_DETOUR_M = 80.0

#: Flying above all buildings is possible, at this price a metre; turning round at a waypoint
#: makes the next one look so many times farther.
_ABOVE_COST, _TURN_COST = 2.0, 1.5

#: Waypoints nearer than this are passed over, metres.
_APART_M = 30.0

#: How often a way is searched again without the places that the exact test refuses.
_TRIES = 8


class Airways:
    """Finds ways between places of a scene.

    Args:
        caster: of the scene.
        clearance: exact distances to it.
        clearance_m: free space around the camera.
    """

    def __init__(self, caster: RayCaster, clearance: Clearance, clearance_m: float) -> None:
        self._caster, self._clearance, self._clearance_m = caster, clearance, clearance_m
        self._corners = caster.faces.triangles.reshape(-1, 3)

    def tour(self, places: Array, length_m: float) -> Array:
        """A way from place to place, (N, 3) metres; as long as wanted, or shorter.

        Args:
            places: (P, 3) free places; the first is where it begins.
            length_m: wanted length.
        """
        way, here = places[:1], 0
        been = {0}
        while float(arc_length(way)[-1]) < length_m:
            for there in self._nearest_first(places, way, here, been):
                leg = self.leg(way[-1], places[there])
                if leg is not None:
                    way, here = np.concatenate([way, leg[1:]]), there
                    been.add(there)
                    break
            else:
                if been == {here}:
                    break
                been = {here}  # all were seen: once more around
        return way

    def leg(self, start: Array, end: Array) -> Array | None:
        """A tight way between two places, (N, 3) metres; None if none is found."""
        air = _Air.around(self._caster, self._corners, np.stack([start, end]), self._clearance_m)
        for _ in range(_TRIES):
            way = air.shortest(start, end)
            if way is None:
                return None
            dense = resample(way, self._clearance_m / 4)
            kept = self._clearance.keeps(dense, self._clearance_m)
            if kept.all():
                return self._tightened(way)
            if not air.close(dense[:-1][~kept], (start, end)):
                return None
        return None

    def _nearest_first(self, places: Array, way: Array, here: int, been: set[int]) -> list[int]:
        """Places not seen yet, those first that are near and do not need turning round."""
        away = places - way[-1]
        distance = np.linalg.norm(away, axis=1)
        last = way[-1] - way[-2] if len(way) > 1 else np.zeros(3)
        cosine = away @ last / np.maximum(distance * np.linalg.norm(last), 1e-9)
        worth = distance * (1 + _TURN_COST * (1 - cosine))
        order = [int(index) for index in np.argsort(worth, kind="stable")]
        return [i for i in order if i not in been and i != here and distance[i] > _APART_M]

    def _tightened(self, way: Array) -> Array:
        """The way without the corners that can be cut off."""
        tight, index = [way[0]], 0
        while index < len(way) - 1:
            further = len(way) - 1
            while further > index + 1 and not self._is_free(way[index], way[further]):
                further = index + max(1, (further - index) // 2)
            tight.append(way[further])
            index = further
        return np.array(tight)

    def _is_free(self, start: Array, end: Array) -> bool:
        line = resample(np.stack([start, end]), self._clearance_m / 2)
        return bool(self._clearance.keeps(line, self._clearance_m).all())


class _Air(NamedTuple):
    """A grid of places in the air.

    Attributes:
        low: (3,) position of the first node, metres.
        spacing_m: distance of neighbouring nodes.
        free: (X, Y, Z) bool.
        price: (X, Y, Z) float64, cost of a metre.
    """

    low: Array
    spacing_m: float
    free: Mask
    price: Array

    @classmethod
    def around(cls, caster: RayCaster, corners: Array, ends: Array, clearance_m: float) -> _Air:
        """The air around two places."""
        low, high = ends.min(axis=0) - _DETOUR_M, ends.max(axis=0) + _DETOUR_M
        sky = _Skyline.over(caster, corners, low[:2], high[:2])
        low[2] = float(ends[:, 2].min())  # no way leads lower than both places
        high[2] = max(float(ends[:, 2].max()), float(sky.height.max()) + 2 * clearance_m) + 6.0
        spacing = max(_SPACING_M, float(np.prod(high - low) / _NODES) ** (1 / 3))
        axes = [np.arange(a, b + spacing, spacing) for a, b in zip(low, high, strict=True)]
        floor = sky.lowest_flight(axes[0], axes[1], clearance_m + 0.87 * spacing)
        free = axes[2] > floor[:, :, None]
        price = np.broadcast_to(
            np.where(axes[2] > ends[:, 2].max() + spacing, _ABOVE_COST, 1.0), free.shape
        )
        return cls(low, spacing, free.copy(), price)

    def shortest(self, start: Array, end: Array) -> Array | None:
        """The cheapest way over free nodes, with both ends, (N, 3); None if there is none."""
        first, last = self._node(start), self._node(end)
        if first is None or last is None:
            return None
        _, before = dijkstra(self._graph(), directed=False, indices=first, return_predecessors=True)
        nodes = [last]
        while nodes[-1] != first:
            if before[nodes[-1]] < 0:
                return None
            nodes.append(int(before[nodes[-1]]))
        index = np.column_stack(np.unravel_index(nodes[::-1], self.free.shape))
        return np.concatenate([[start], self.low + self.spacing_m * index, [end]])

    def close(self, points: Array, ends: Sequence[Array]) -> bool:
        """Close the nodes near some points; whether any but those at the ends were open."""
        index = np.rint((points - self.low) / self.spacing_m).astype(int)
        index = np.clip(index, 0, np.array(self.free.shape) - 1)
        apart = [np.linalg.norm(points - end, axis=1) > 2 * self.spacing_m for end in ends]
        index = index[np.all(apart, axis=0)]
        was_open = bool(self.free[tuple(index.T)].any())
        self.free[tuple(index.T)] = False
        return was_open

    def _node(self, place: Array) -> int | None:
        """The nearest free node, within a few steps."""
        index = np.rint((place - self.low) / self.spacing_m).astype(int)
        near = np.argwhere(self.free[tuple(slice(max(i - 4, 0), i + 5) for i in index)])
        if not len(near):
            return None
        near += np.maximum(index - 4, 0)
        apart = np.linalg.norm(self.low + self.spacing_m * near - place, axis=1)
        return int(np.ravel_multi_index(tuple(near[np.argmin(apart)]), self.free.shape))

    def _graph(self) -> csr_array:
        """Free nodes and their 26 neighbours, each pair once."""
        number = np.arange(self.free.size).reshape(self.free.shape)
        rows, columns, weights = [], [], []
        for step in product((-1, 0, 1), repeat=3):
            if step <= (0, 0, 0):
                continue
            here, there = (_shifted(step, side) for side in (1, -1))
            both = self.free[here] & self.free[there]
            price = (self.price[here][both] + self.price[there][both]) / 2
            rows.append(number[here][both])
            columns.append(number[there][both])
            weights.append(self.spacing_m * float(np.linalg.norm(step)) * price)
        pair = (np.concatenate(rows), np.concatenate(columns))
        return csr_array((np.concatenate(weights), pair), shape=(self.free.size,) * 2)


class _Skyline(NamedTuple):
    """The highest surface of each cell: (X, Y) metres, from the cell at ``low`` on."""

    low: Array
    height: Array

    @classmethod
    def over(cls, caster: RayCaster, corners: Array, low: Array, high: Array) -> _Skyline:
        """The skyline of a part of the scene.

        Rays find the surfaces; what is too thin for them has corners.
        """
        shape = tuple(np.ceil((high - low) / _CELL_M).astype(int) + 1)
        index = np.moveaxis(np.indices(shape), 0, -1).reshape(-1, 2)
        height = np.full(len(index), float(caster.bundle.bounds[0, 2]))
        hits = look_down(caster, low + _CELL_M * (index + 0.5))
        height[hits.asked] = hits.points[:, 2]
        cell = np.floor((corners[:, :2] - low) / _CELL_M).astype(int)
        inside = ((cell >= 0) & (cell < shape)).all(axis=1)
        flat = np.ravel_multi_index(tuple(cell[inside].T), shape)
        np.maximum.at(height, flat, corners[inside, 2])
        return cls(low, height.reshape(shape))

    def lowest_flight(self, x: Array, y: Array, room_m: float) -> Array:
        """Lowest height over each place of a grid with so much room all around, (X, Y) metres."""
        reach = int(np.ceil(room_m / _CELL_M))
        steps = np.arange(-reach, reach + 1)
        disc = np.hypot(steps[:, None], steps) <= reach + 0.5
        highest = maximum_filter(self.height, footprint=disc, mode="nearest")
        column, row = (
            np.clip(((a - b) / _CELL_M).astype(int), 0, n - 1)
            for a, b, n in zip((x, y), self.low, self.height.shape, strict=True)
        )
        floor: Array = highest[np.ix_(column, row)] + room_m
        return floor


def _shifted(step: tuple[int, ...], side: int) -> tuple[slice, ...]:
    """Where both a node and its neighbour are on the grid: the nodes, or their neighbours."""
    ends = {1: slice(None, -1), 0: slice(None), -1: slice(1, None)}
    return tuple(ends[side * part] for part in step)
