"""The slab: a thin layer of air above a grid, as a receiver of counted rays.

A ray that is nearly parallel to a plane would add any amount where it crosses it. So its way
inside a layer of air is counted instead: a ray tube of solid angle W and field a that travels
a length l inside a volume V adds ``|a|^2 W l / V`` to the mean of |a|^2 over that volume (the
track-length estimator of fluence: Spanier and Gelbard 1969). It has no bias, and
what a ray adds to a cell is bounded by the cell's diagonal.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vasgen.vas.counting.receivers import Sieve, Sums
from vasgen.vas.surfaces.grid import Grid
from vasgen.vas.surfaces.ground_plan import LEAST_FREE, PARTS, GroundPlan
from vasgen.vas.surfaces.surface import Centres, ReceiverSurface, Slab

Array = NDArray[np.float64]

#: Slopes below this are this, so that they have a reciprocal: a micrometre over a kilometre.
_SLOPE = 1e-9


def grid_surface(grid: Grid, plan: GroundPlan) -> ReceiverSurface:
    """The cells of a grid that are in free air, as receivers that face all sides.

    A cell that a wall cuts receives with those of its parts that are wholly in free air.

    Args:
        grid: the cells.
        plan: what stands on them.
    """
    outdoors = plan.outdoors.ravel()
    free = np.where(outdoors[:, None], plan.free.reshape(-1, PARTS**2), False)
    # Where a wall leaves no part whole, the cell's points ask for themselves.
    free[outdoors & ~np.any(free, axis=1)] = True
    whole = np.all(free, axis=1)
    cut, part = np.nonzero(free & ~whole[:, None])
    pixel = np.concatenate([np.flatnonzero(whole), cut])
    side = np.where(np.arange(len(pixel)) < whole.sum(), 1.0, 1.0 / PARTS)
    low = np.zeros((len(pixel), 2))
    low[whole.sum() :] = np.column_stack([part % PARTS, part // PARTS]) / PARTS
    middle = plan.ground_m.ravel() + grid.height_m
    corners = _corners(grid, pixel, low, side, middle)
    slab = Slab(grid, min(grid.cell_m, grid.height_m), middle, plan.free_share.ravel())
    return ReceiverSurface(
        (grid.size, grid.size),
        pixel,
        corners,
        np.zeros((len(pixel), 3)),
        _middles(pixel, corners.mean(axis=1)),
        slab=slab,
    )


def _corners(grid: Grid, pixel: NDArray[np.int64], low: Array, side: Array, height: Array) -> Array:
    """Horizontal squares, counter-clockwise from above, (Q, 4, 3) metres.

    Args:
        grid: the cells.
        pixel: (Q,) cell of each square.
        low: (Q, 2) where its north-western corner is in the cell, eastward and southward.
        side: (Q,) of the square. Both are shares of the cell's side.
        height: (P,) of the middle of the cells.
    """
    row, column = np.divmod(pixel, grid.size)
    turn = np.array([[0, 0], [0, 1], [1, 1], [1, 0]])
    place = np.column_stack([column, row])[:, None] + low[:, None] + side[:, None, None] * turn
    flat = grid.corner + grid.cell_m * place * [1, -1]
    upright = np.broadcast_to(height[pixel, None, None], (*flat.shape[:2], 1))
    return np.concatenate([flat, upright], axis=-1)


def _middles(pixel: NDArray[np.int64], quads: Array) -> Centres:
    """Of each cell the quad nearest to the middle of all its quads."""
    count = np.maximum(np.bincount(pixel), 1)
    mean = np.column_stack([np.bincount(pixel, axis) / count for axis in quads.T])
    distance = np.linalg.norm(quads - mean[pixel], axis=1)
    order = np.lexsort((distance, pixel))
    owner, first = np.unique(pixel[order], return_index=True)
    return Centres(owner, quads[order[first]], np.zeros((len(owner), 3)))


class SlabReceiver:
    """The cells of a slab; see also :class:`vasgen.vas.counting.receivers.Receiver`.

    Args:
        slab: the layer of air.
        centre: (3,) world point that is the origin of the traced coordinates, metres.
    """

    def __init__(self, slab: Slab, centre: Array) -> None:
        import mitsuba as mi

        self._grid = slab.grid
        self._corner = (slab.grid.corner - centre[:2]).tolist()
        bottom = slab.middle_m - centre[2] - slab.thickness_m / 2
        self._thickness = slab.thickness_m
        self._span = (float(bottom.min()), float(bottom.max()) + slab.thickness_m)
        share = slab.free_share
        volume = np.maximum(share, LEAST_FREE) * slab.grid.cell_m**2 * slab.thickness_m
        air = np.where(share >= LEAST_FREE, 1.0 / volume, 0.0)
        # In a cell that a wall cuts only the outdoor part counts.
        solid = np.where(share < 1.0, 0.0, air)
        table = np.column_stack([bottom, air, solid, np.zeros(len(air))])
        self._table = mi.Float(table.astype(np.float32).ravel())
        self.sizes = [len(air)]
        self.sums = Sums(len(air))

    def add(self, ray: Any, hit: Any, power: Any, active: Any, sieve: Sieve) -> None:
        """See :class:`vasgen.vas.counting.receivers.Receiver`."""
        import drjit as dr
        import mitsuba as mi

        size, cell = self._grid.size, self._grid.cell_m
        # Columns count eastward, rows southward, both in cells.
        start = mi.Point2f(ray.o.x - self._corner[0], self._corner[1] - ray.o.y) / cell
        slope = mi.Vector2f(_steep(ray.d.x), _steep(-ray.d.y)) / cell
        rise = _steep(ray.d.z)
        low, high = (mi.Float(z) - ray.o.z for z in self._span)
        begin, end = _overlap((0.0, dr.inf), _between(low / rise, high / rise))
        for place, change in zip(start, slope, strict=True):
            begin, end = _overlap((begin, end), _between(-place / change, (size - place) / change))
        end = dr.minimum(end, dr.select(hit.is_valid(), hit.t, dr.inf))
        solid = hit.is_valid() & (dr.dot(hit.n, ray.d) > 0)
        first = mi.Vector2i(dr.clip(start + begin * slope, 0, size - 1))

        def step(at: Any, column: Any, row: Any, active: Any) -> tuple[Any, ...]:
            """Count the way to the next border of a cell (Amanatides and Woo 1987)."""
            across = (mi.Float(column + mi.Int(slope.x > 0)) - start.x) / slope.x
            down = (mi.Float(row + mi.Int(slope.y > 0)) - start.y) / slope.y
            border = dr.maximum(dr.minimum(dr.minimum(across, down), end), at)
            cell = mi.UInt32(row * size + column)
            bottom, air, indoors, _ = dr.gather(mi.Vector4f, self._table, cell, active)
            floor = bottom - ray.o.z
            inside = _between(floor / rise, (floor + self._thickness) / rise)
            enter, leave = _overlap((at, border), inside)
            value = power * (leave - enter) * dr.select(solid, indoors, air)
            some = active & (leave > enter) & (value > 0)
            self.sums.add(cell, value, sieve.counts(cell, some))
            sideways = across < down
            column += dr.select(sideways, dr.select(slope.x > 0, 1, -1), 0)
            row += dr.select(sideways, 0, dr.select(slope.y > 0, 1, -1))
            within = (column >= 0) & (column < size) & (row >= 0) & (row < size)
            return border, column, row, active & within & (border < end)

        state = (begin, first.x, first.y, mi.Bool(active & (begin < end)))
        dr.while_loop(state, lambda *s: s[3], step)


def _steep(slope: Any) -> Any:
    """A slope that has a reciprocal."""
    import drjit as dr

    return dr.select(dr.abs(slope) < _SLOPE, _SLOPE, slope)


def _between(one: Any, other: Any) -> tuple[Any, Any]:
    import drjit as dr

    return dr.minimum(one, other), dr.maximum(one, other)


def _overlap(one: tuple[Any, Any], other: tuple[Any, Any]) -> tuple[Any, Any]:
    import drjit as dr

    return dr.maximum(one[0], other[0]), dr.minimum(one[1], other[1])
