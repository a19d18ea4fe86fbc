"""Roadways: a way through the streets of a scene, in the middle of what one can drive on.

The roads are found from the surfaces, so any scene has them: a grid of cells that lie on a
road, with free space at the height of the camera.
"""

from __future__ import annotations

import copy

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, distance_transform_edt, label
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra
from shapely.geometry.base import BaseGeometry

from vasgen.orchestrate.clearance import Clearance
from vasgen.orchestrate.glance import is_class
from vasgen.orchestrate.ground import find_floor
from vasgen.orchestrate.smoothing import arc_length, resample
from vasgen.raycast import RayCaster
from vasgen.semantics import BUILDING, WALKABLE, SemanticClass

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

#: Cells of the grid, metres; across its diagonal a segment is half of this from both its ends.
CELL_M = 1.0
_HALF_DIAGONAL_M = CELL_M / 2**0.5

#: What a car drives on; other walkable ground counts only if a scene has no roads.
_ROAD = frozenset({SemanticClass.ROAD, SemanticClass.ROAD_MARKING})

#: A road's edge costs so many times more than its middle, falling off over this width, metres.
_EDGE_COST, _EDGE_M = 6.0, 1.5

#: Where one has been costs more, so that the way leads on: factor, and how near counts, metres.
_BEEN_COST, _BEEN_M = 8.0, 8.0

#: A goal is at this share of the longest way, or more.
_FAR_SHARE = 0.5

#: Legs of a way at most.
_LEGS = 40

#: Headings over this distance, metres, tell a turning back; so does their cosine.
_CHORD_M, _BACK = 8.0, -0.6


class Roads:
    """Where a camera can be driven, in a part of a scene.

    Args:
        caster: of the scene.
        low: (2,) lowest x and y of the part, metres.
        high: (2,) highest x and y, metres.
        height_m: of the camera above the road.
        clearance_m: free space around it.
    """

    def __init__(
        self, caster: RayCaster, low: Array, high: Array, height_m: float, clearance_m: float
    ) -> None:
        self._low = low
        shape = np.maximum(np.ceil((high - low) / CELL_M).astype(int), 2)
        column, row = np.meshgrid(np.arange(shape[0]), np.arange(shape[1]), indexing="ij")
        xy = low + CELL_M * (np.stack([column, row], axis=-1).reshape(-1, 2) + 0.5)
        floor, semantic = find_floor(caster, xy)
        road = is_class(semantic, _ROAD)
        road = road if road.any() else is_class(semantic, WALKABLE)
        self._points = np.column_stack([xy, floor + height_m])
        cells = np.flatnonzero(road)
        solid = ~is_class(caster.faces.semantic, WALKABLE)
        reach = clearance_m + _HALF_DIAGONAL_M
        away = Clearance(caster.bundle, solid).distance(self._points[cells], reach)
        free = np.zeros(len(xy), bool)
        free[cells[away >= reach]] = True
        self.free: Mask = free.reshape(tuple(shape))

    def within(self, area: BaseGeometry) -> Roads:
        """The roads of which all lies in an area.

        Args:
            area: seen from above, world metres.
        """
        inner = shapely.buffer(area, -_HALF_DIAGONAL_M)
        inside = shapely.contains_xy(inner, self._points[:, :2])
        roads = copy.copy(self)
        roads.free = self.free & inside.reshape(self.free.shape)
        return roads

    def way(self, length_m: float, rng: np.random.Generator) -> Array:
        """A random way that does not turn back, (N, 3) metres; as long as wanted, or shorter.

        Args:
            length_m: wanted length.
            rng: draws start and goals.
        """
        parts, count = label(self.free, np.ones((3, 3)))
        if not count:
            return np.empty((0, 3))
        sizes = np.bincount(parts.ravel(), minlength=count + 1)[1:].astype(float)
        sizes[sizes < 0.3 * sizes.max()] = 0.0
        part = 1 + int(rng.choice(count, p=sizes / sizes.sum()))
        cells = np.flatnonzero(parts.ravel() == part)
        middle = np.exp(-distance_transform_edt(self.free).ravel()[cells] / _EDGE_M)
        cost = 1 + _EDGE_COST * middle
        here = int(np.argmax(rng.random(len(cells)) - middle))
        way = np.empty((0, 3))
        for _ in range(_LEGS):
            leg = self._leg(cells, cost, here, max(length_m - _length(way), 2 * _CHORD_M), rng)
            longer, whole = _without_return(np.concatenate([way, self._points[cells[leg]]]))
            if _length(longer) <= _length(way) + _CHORD_M:
                break
            way = longer
            if not whole or _length(way) >= length_m:
                break
            cost[self._near(cells, leg)] *= _BEEN_COST
            here = int(leg[-1])
        return way

    def lies_on(self, path: Array) -> Mask:
        """Whether both ends of each segment of a path lie on free road, (N - 1,)."""
        cell = np.floor((path[:, :2] - self._low) / CELL_M).astype(int)
        inside = ((cell >= 0) & (cell < self.free.shape)).all(axis=1)
        cell = np.clip(cell, 0, np.array(self.free.shape) - 1)
        on = inside & self.free[cell[:, 0], cell[:, 1]]
        both: Mask = on[:-1] & on[1:]
        return both

    def _leg(
        self,
        cells: NDArray[np.int64],
        cost: Array,
        start: int,
        length_m: float,
        rng: np.random.Generator,
    ) -> NDArray[np.int64]:
        """The cheapest way to a goal far enough away, as rows of ``cells``."""
        away, before = dijkstra(self._graph(cells, cost), indices=start, return_predecessors=True)
        # Cheapest ways lead along the middle, where a metre costs about one.
        far = np.flatnonzero(np.isfinite(away) & (away >= 1.3 * length_m))
        if not len(far):
            far = np.flatnonzero(away >= _FAR_SHARE * away[np.isfinite(away)].max())
            far = far[np.isfinite(away[far])]
        leg = [int(rng.choice(far))]
        while leg[-1] != start:
            leg.append(int(before[leg[-1]]))
        return np.array(leg[::-1])

    def _graph(self, cells: NDArray[np.int64], cost: Array) -> csr_array:
        """Cells and their eight neighbours; a step costs its length times the mean cost."""
        wide = self.free.shape[1]
        number = np.full(self.free.size, -1)
        number[cells] = np.arange(len(cells))
        rows, columns, weights = [], [], []
        for step, length in ((wide, 1.0), (1, 1.0), (wide + 1, 2**0.5), (wide - 1, 2**0.5)):
            near = cells + step
            across = np.abs(near % wide - cells % wide) <= 1  # no step around the grid's edge
            kept = np.flatnonzero(across & (near < self.free.size))
            kept = kept[number[near[kept]] >= 0]
            there = number[near[kept]]
            price = CELL_M * length * (cost[kept] + cost[there]) / 2
            rows += [kept, there]
            columns += [there, kept]
            weights += [price, price]
        pair = (np.concatenate(rows), np.concatenate(columns))
        return csr_array((np.concatenate(weights), pair), shape=(len(cells), len(cells)))

    def _near(self, cells: NDArray[np.int64], leg: NDArray[np.int64]) -> Mask:
        """Which cells lie near a leg, but not before its end."""
        been = np.zeros(self.free.size, bool)
        been[cells[leg[: -round(_BEEN_M / CELL_M) - 1]]] = True
        wide = 2 * round(_BEEN_M / CELL_M) + 1
        near: Mask = binary_dilation(been.reshape(self.free.shape), np.ones((wide, wide)))
        return near.ravel()[cells]


def built_up_area(caster: RayCaster) -> BaseGeometry:
    """The convex hull of the buildings seen from above, metres; empty if there are none."""
    faces = caster.faces
    corners = faces.triangles[is_class(faces.semantic, BUILDING)][..., :2]
    return shapely.LineString(corners.reshape(-1, 2)).convex_hull


def _without_return(way: Array) -> tuple[Array, bool]:
    """The way up to where it turns back, and whether that is all of it."""
    step = round(_CHORD_M / CELL_M)
    if len(way) <= 2 * step:
        return way, True
    dense = resample(way, CELL_M)
    ahead = dense[step:, :2] - dense[:-step, :2]
    ahead /= np.maximum(np.linalg.norm(ahead, axis=1, keepdims=True), 1e-9)
    turn = np.einsum("ij,ij->i", ahead[:-step], ahead[step:])
    back = np.flatnonzero(turn < _BACK)
    if not len(back):
        return way, True
    keep = arc_length(way) <= back[0] * CELL_M
    return way[keep], False


def _length(way: Array) -> float:
    return float(arc_length(way)[-1]) if len(way) else 0.0
