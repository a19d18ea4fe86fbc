"""The lie of the land: what lies under the open sky, from rays straight down."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from vasgen.orchestrate.glance import is_class
from vasgen.raycast import RayCaster
from vasgen.semantics import BUILDING, WALKABLE, SemanticClass

Array = NDArray[np.float64]

_DOWN = np.array([0.0, 0.0, -1.0])

#: Rays start this far above the highest vertex, metres.
_ABOVE_M = 10.0


class TopHits(NamedTuple):
    """What rays straight down meet first.

    Attributes:
        points: (N, 3) float64, world metres; those that hit nothing are left out.
        walkable: (N,) bool.
        building: (N,) bool.
        asked: (N,) int64, which of the given positions each hit belongs to.
        face: (N,) int64, face index in the bundle.
    """

    points: Array
    walkable: NDArray[np.bool_]
    building: NDArray[np.bool_]
    asked: NDArray[np.int64]
    face: NDArray[np.int64]


def look_down(caster: RayCaster, xy: Array) -> TopHits:
    """The first surface below the sky at each position.

    Args:
        caster: of the scene.
        xy: (N, 2) world metres.
    """
    top = float(caster.bundle.bounds[1, 2]) + _ABOVE_M
    origins = np.column_stack([xy, np.full(len(xy), top)])
    hits = caster.intersect(origins, np.broadcast_to(_DOWN, origins.shape))
    index = np.flatnonzero(hits.face >= 0)
    semantic = caster.faces.semantic[hits.face[index]]
    return TopHits(
        origins[index] + hits.distance[index, None] * _DOWN,
        is_class(semantic, WALKABLE),
        is_class(semantic, BUILDING),
        index,
        hits.face[index],
    )


#: Classes that may hide the ground from above: one goes on below them, so many times at most.
_OVER_THE_GROUND = frozenset(
    {
        SemanticClass.VEGETATION,
        SemanticClass.VEHICLE,
        SemanticClass.FURNITURE,
        SemanticClass.OTHER,
    }
)
_LAYERS = 24

#: Rays go on so far below what they met, metres.
_BELOW_M = 0.01


def find_floor(caster: RayCaster, xy: Array) -> tuple[Array, NDArray[np.uint8]]:
    """What lies at each position below trees, vehicles and furniture.

    Args:
        caster: of the scene.
        xy: (N, 2) world metres.

    Returns:
        height: (N,) float64 world metres; NaN where there is nothing.
        semantic: (N,) uint8 class; 0 where there is nothing.
    """
    height = np.full(len(xy), float(caster.bundle.bounds[1, 2]) + _ABOVE_M)
    semantic = np.zeros(len(xy), np.uint8)
    todo = np.arange(len(xy))
    for _ in range(_LAYERS):
        origins = np.column_stack([xy[todo], height[todo] - _BELOW_M])
        hits = caster.intersect(origins, np.broadcast_to(_DOWN, origins.shape))
        met = hits.face >= 0
        height[todo] = np.where(met, origins[:, 2] - hits.distance, np.nan)
        semantic[todo] = np.where(met, caster.faces.semantic[hits.face], 0)
        todo = todo[is_class(semantic[todo], _OVER_THE_GROUND)]
        if not len(todo):
            break
    return height, semantic


#: Buildings within this distance make a place built-up, metres.
_STREET_REACH_M = 60.0

#: Weight of a place without buildings around, among those to look at.
_BARE = 0.02


class Terrain:
    """Ground height and built-up places of a scene.

    Args:
        caster: of the scene.
        rng: moves the sampling grid off regular streets.
        cells: number of samples along each side of the scene.
        area: (2, 2) lowest and highest x and y to sample instead of the scene's, metres.

    Attributes:
        aims: (N, 3) float64, ground points worth looking at, world metres.
        weights: (N,) float64, how built-up each is; they sum to 1.
    """

    def __init__(
        self,
        caster: RayCaster,
        rng: np.random.Generator,
        cells: int = 64,
        *,
        area: Array | None = None,
    ) -> None:
        low, high = caster.bundle.bounds[:, :2] if area is None else area
        line = np.arange(cells) / cells
        steps = np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2)
        hits = look_down(caster, low + (steps + rng.random(steps.shape) / cells) * (high - low))
        ground = hits.points[hits.walkable]
        self.aims = ground if len(ground) else _corners(caster)
        lowest = np.full(len(self.aims), caster.bundle.bounds[0, 2])
        self._heights = self.aims[:, 2] if len(ground) else lowest
        self._places = cKDTree(self.aims[:, :2])
        roofs = hits.points[hits.building][:, :2]
        self._buildings = cKDTree(roofs) if len(roofs) else None
        around = self._buildings_around(self.aims[:, :2])
        # Streets are as built-up as they get in this scene well before the densest block.
        self._dense = max(float(np.percentile(around, 75)), 1.0)
        weights = _BARE + self.built_up(self.aims)
        self.weights: Array = weights / weights.sum()

    def height(self, xy: Array) -> Array:
        """Height of the nearest known ground, (N,) world metres.

        Args:
            xy: (N, 2) world metres.
        """
        nearest: Array = self._heights[self._places.query(xy)[1]]
        return nearest

    def built_up(self, points: Array) -> Array:
        """How many buildings are around, (N,) from 0 for none to 1 for this scene's streets.

        Args:
            points: (N, 3) world metres.
        """
        share: Array = np.minimum(self._buildings_around(points[:, :2]) / self._dense, 1.0)
        return share

    def _buildings_around(self, xy: Array) -> Array:
        if self._buildings is None:
            return np.zeros(len(xy))
        counts: Array = self._buildings.query_ball_point(xy, _STREET_REACH_M, return_length=True)
        return counts.astype(np.float64)


def _corners(caster: RayCaster) -> Array:
    """Where nothing is walkable: the middles of some faces."""
    triangles = caster.faces.triangles
    some = np.linspace(0, len(triangles) - 1, min(len(triangles), 4096)).astype(int)
    centres: Array = triangles[some].mean(axis=1)
    return centres
