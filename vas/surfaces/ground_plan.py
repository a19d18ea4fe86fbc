"""The ground plan: where the ground is below a grid, and which parts of its cells are air."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from vasgen.inside import inside_building
from vasgen.raycast import RayCaster
from vasgen.semantics import BUILDING, WALKABLE, SemanticClass
from vasgen.vas.surfaces.grid import Grid

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

#: Cells cut by a wall are resolved into PARTS x PARTS parts, of 2 x 2 points each.
PARTS = 3
_ALONG, _DOWN = (i.ravel() for i in np.meshgrid(np.arange(2 * PARTS), np.arange(2 * PARTS)))
_LATTICE = (np.column_stack([_ALONG, _DOWN]) + 0.5) / (2 * PARTS)

#: As many points with no two in a line along a wall, so that a count gives the area
#: (multi-jittered sampling in its regular arrangement: Chiu, Shirley and Wang 1994).
_SPREAD = _LATTICE + (np.column_stack([_DOWN, _ALONG]) + 0.5 - PARTS) / (2 * PARTS) ** 2

#: A cell belongs to a map if at least this share of it is in no building.
LEAST_FREE = 0.5

#: Rays start this far above the highest vertex, metres.
_ABOVE_M = 10.0

#: Surfaces above the ground that a ray straight down passes, at most; after each it goes on
#: this much below it, metres: less than anything is thick.
_MOST_LAYERS, _STEP_M = 32, 0.05

#: Points that are asked at once: bounds the memory to some 300 MB.
_POINTS_AT_ONCE = 50_000

_GROUND = [int(c) for c in sorted(WALKABLE | {SemanticClass.WATER})]
_BUILDING = [int(c) for c in sorted(BUILDING)]


class GroundPlan(NamedTuple):
    """What stands on the N x N cells of a grid.

    Attributes:
        ground_m: (N, N) float64, height of the ground at the cell's middle, world metres.
        roof_m: (N, N) float64, height of the highest part of a building there; NaN for none.
        free_share: (N, N) float64, share of the cell that is in no building, at the grid's
            height.
        free: (N, N, PARTS * PARTS) bool, the parts that are wholly in no building; row by row.
    """

    ground_m: Array
    roof_m: Array
    free_share: Array
    free: Mask

    @property
    def outdoors(self) -> Mask:
        """Which cells belong to a map, (N, N)."""
        return np.asarray(self.free_share >= LEAST_FREE)


def survey(caster: RayCaster, grid: Grid) -> GroundPlan:
    """The ground plan of a grid.

    Ground is what one can walk on, and water: the uppermost below the sky. Where there is
    none, as below some imported buildings, that of the nearest cell is taken.

    Args:
        caster: of the scene.
        grid: the cells.
    """
    ground, roof = _columns(caster, grid.points().reshape(-1, 2))
    shape = (grid.size, grid.size)
    level = _filled(ground.reshape(shape), float(caster.bundle.bounds[0, 2]))
    share, free = _free_air(caster, grid, level)
    return GroundPlan(level, roof.reshape(shape), share, free)


def _columns(caster: RayCaster, xy: Array) -> tuple[Array, Array]:
    """Heights of the ground and of the highest roof at each position; NaN for none."""
    ground, roof = np.full(len(xy), np.nan), np.full(len(xy), np.nan)
    height = np.full(len(xy), float(caster.bundle.bounds[1, 2]) + _ABOVE_M)
    going = np.arange(len(xy))
    for _ in range(_MOST_LAYERS):
        origins = np.column_stack([xy[going], height[going]])
        hits = caster.intersect(origins, np.broadcast_to([0.0, 0.0, -1.0], origins.shape))
        met = hits.face >= 0
        going, below = going[met], (height[going] - hits.distance)[met]
        semantic = caster.faces.semantic[hits.face[met]]
        arrived = np.isin(semantic, _GROUND)
        ground[going[arrived]] = below[arrived]
        first = np.isin(semantic, _BUILDING) & np.isnan(roof[going])
        roof[going[first]] = below[first]
        height[going] = below - _STEP_M
        going = going[~arrived]
        if not len(going):
            break
    return ground, roof


def _filled(values: Array, otherwise: float) -> Array:
    """The values, with the nearest one where there is none."""
    missing = np.isnan(values)
    if missing.all():
        return np.full(values.shape, otherwise)
    nearest = ndimage.distance_transform_edt(missing, return_distances=False, return_indices=True)
    filled: Array = values[tuple(nearest)]
    return filled


def _free_air(caster: RayCaster, grid: Grid, ground: Array) -> tuple[Array, Mask]:
    """Share of each cell that is in no building, and the parts that are wholly so.

    Four points tell which cells a wall may cut; those are looked at closely.
    """
    size = grid.size
    height = np.repeat(np.repeat(ground + grid.height_m, 2, axis=0), 2, axis=1)
    coarse = _outside(caster, grid.points(2), height)
    # A cell is whole if its points and those next to it agree.
    some, every = ndimage.maximum_filter(coarse, 3), ndimage.minimum_filter(coarse, 3)
    cut = _by_cell(some, size).any(axis=-1) & ~_by_cell(every, size).all(axis=-1)
    free = np.repeat(_by_cell(coarse, size).all(axis=-1, keepdims=True), PARTS**2, axis=-1)
    share = free.mean(axis=-1)
    cells = np.argwhere(cut)
    share[cut] = _free_points(caster, grid, ground, cells, _SPREAD).mean(axis=1)
    parts = _free_points(caster, grid, ground, cells, _LATTICE)
    quarters = parts.reshape(-1, PARTS, 2, PARTS, 2)
    free[cut] = np.all(quarters, axis=(2, 4)).reshape(-1, PARTS**2)
    return share, free


def _free_points(
    caster: RayCaster, grid: Grid, ground: Array, cells: NDArray[np.int64], places: Array
) -> Mask:
    """Whether points of some cells are in no building, (C, K) from (C, 2) and (K, 2) shares."""
    row, column = cells.T
    xy = grid.corner + grid.cell_m * (cells[:, None, ::-1] + places) * [1, -1]
    height = np.broadcast_to((ground[row, column] + grid.height_m)[:, None], xy.shape[:-1])
    return _outside(caster, xy, height)


def _by_cell(lattice: Mask, size: int) -> Mask:
    """The four points of each cell, (size, size, 4), from a lattice of (2 size, 2 size)."""
    cells: Mask = lattice.reshape(size, 2, size, 2).swapaxes(1, 2).reshape(size, size, 4)
    return cells


def _outside(caster: RayCaster, xy: Array, height: Array) -> Mask:
    """Whether each point is in no building; shape of ``height``."""
    points = np.concatenate([xy, height[..., None]], axis=-1).reshape(-1, 3)
    outside = np.ones(len(points), bool)
    for begin in range(0, len(points), _POINTS_AT_ONCE):
        some = points[begin : begin + _POINTS_AT_ONCE]
        # Under the open sky nothing is inside: one ray spares most points the vote of many.
        up = caster.intersect(some, np.broadcast_to([0.0, 0.0, 1.0], some.shape))
        covered = np.flatnonzero(up.face >= 0)
        outside[begin + covered] = ~inside_building(caster, some[covered])
    return outside.reshape(height.shape)
