"""What a camera sees of far things while it turns: the mean over an arc about its axis.

In coordinates of longitude and latitude about the axis, a turn is a shift along the circles of
latitude. So the background is drawn once, sharp, on a grid of these, and summed up along them:
differences of the sums are exact means over the arc of every pixel, however long it is.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vasgen.camera import Camera
from vasgen.render.light.sunsky import SUN_RADIUS_DEG

Array = NDArray[np.float64]

#: Shortest arc that blurs, pixels.
_LEAST_PX = 1.0

#: Cells along the arc at least, so that its ends are where they should be.
_CELLS = 16

#: Cells that are longer than a pixel are not longer than this, so that several meet the sun,
#: radians.
_LONGEST = math.radians(SUN_RADIUS_DEG / 2)


class Sweep:
    """A grid about the axis of a turn, as wide as some rays and their arcs.

    Args:
        camera: the pose in the middle of the exposure.
        turn: (3,) how the camera turns in all: along the axis, radians.
        rays: (N, 3) unit vectors of the pixels to see.

    Attributes:
        columns: cells along a circle of latitude.
        cells: in all.
        step: of latitude from cell to cell, radians.
    """

    def __init__(self, camera: Camera, turn: Array, rays: Array) -> None:
        self._angle = float(np.linalg.norm(turn))
        self._frame = _frame(turn / self._angle, camera.rotation[:, 2])
        self.step = 1 / max(camera.intrinsics[0, 0], camera.intrinsics[1, 1])
        longitude, latitude = self._places(rays)
        # Circles are shorter towards the poles.
        widest = float(np.cos(latitude).max())
        along = self.step / max(widest, self.step)
        along = max(along, min(self._angle / _CELLS, _LONGEST / max(widest, 0.1)))
        self._low = float(latitude.min())
        self._rows = math.ceil(np.ptp(latitude) / self.step) + 1
        self._first = float(longitude.min()) - self._angle / 2
        reach = float(np.ptp(longitude)) + self._angle
        self._closed = reach > 2 * math.pi - along
        self.columns = math.ceil(min(reach, 2 * math.pi) / along)
        self._along = min(reach, 2 * math.pi) / self.columns
        self.cells = self._rows * self.columns

    def _places(self, rays: Array) -> tuple[Array, Array]:
        """Longitude and latitude about the axis, radians."""
        local = rays @ self._frame
        return np.arctan2(local[:, 1], local[:, 0]), np.arcsin(np.clip(local[:, 2], -1, 1))

    def rays(self) -> Array:
        """Unit vectors through the middles of the cells, (cells, 3), row by row."""
        longitude = self._first + (np.arange(self.columns) + 0.5) * self._along
        latitude = self._low + np.arange(self._rows) * self.step
        across = np.cos(latitude)[:, None]
        local = np.stack(
            np.broadcast_arrays(
                across * np.cos(longitude), across * np.sin(longitude), np.sin(latitude)[:, None]
            ),
            axis=-1,
        )
        return np.asarray(local.reshape(-1, 3) @ self._frame.T)

    def towards(self, mi: Any, u: Any, v: Any) -> Any:
        """Unit vectors through places of the grid, cells from its corner: Vector3f."""
        import drjit as dr

        numbers = (self._first, self._along, self._low, self.step)
        first, along, low, step = (dr.opaque(mi.Float, number) for number in numbers)
        east, north, up = (mi.Vector3f(axis.tolist()) for axis in self._frame.T)
        dr.make_opaque(east, north, up)
        sine, cosine = dr.sincos(first + u * along)
        rise, across = dr.sincos(low + (v - 0.5) * step)
        return across * (cosine * east + sine * north) + rise * up

    def mean(self, radiance: Array, rays: Array) -> Array:
        """Over the arcs of pixels, (N, 3).

        Args:
            radiance: (cells, 3).
            rays: (N, 3) of the pixels.
        """
        grid = radiance.reshape(self._rows, self.columns, 3)
        total = np.concatenate([np.zeros((self._rows, 1, 3)), np.cumsum(grid, axis=1)], axis=1)
        longitude, latitude = self._places(rays)
        row = np.clip((latitude - self._low) / self.step, 0, self._rows - 1)
        low = np.minimum(row.astype(np.int64), max(self._rows - 2, 0))
        high = np.minimum(low + 1, self._rows - 1)
        start = (longitude - self._angle / 2 - self._first) / self._along
        cells = self._angle / self._along
        share = (row - low)[:, None]
        below, above = (
            self._until(total, r, start + cells) - self._until(total, r, start) for r in (low, high)
        )
        return np.asarray(((1 - share) * below + share * above) / cells)

    def _until(self, total: Array, row: NDArray[np.int64], column: Array) -> Array:
        """Sum of a row's cells up to a column, (N, 3); circles that close go on."""
        turns = np.floor(column / self.columns) if self._closed else np.zeros_like(column)
        column = np.clip(column - turns * self.columns, 0, self.columns)
        low = np.minimum(column.astype(np.int64), self.columns - 1)
        share = (column - low)[:, None]
        value = (1 - share) * total[row, low] + share * total[row, low + 1]
        return np.asarray(value + turns[:, None] * total[row, -1])


def sweep_of(camera: Camera, turn: Array | None, rays: Array) -> Sweep | None:
    """The grid of a turn (3,), radians; None if it blurs nothing."""
    focal = max(camera.intrinsics[0, 0], camera.intrinsics[1, 1])
    if turn is None or not len(rays) or np.linalg.norm(turn) * focal < _LEAST_PX:
        return None
    return Sweep(camera, turn, rays)


def _frame(axis: Array, forward: Array) -> Array:
    """Axes as columns, (3, 3): the third one given, the first as near as can be to a direction."""
    side = np.cross(axis, forward)
    if np.linalg.norm(side) < 1e-6:
        side = np.cross(axis, np.eye(3)[np.argmin(np.abs(axis))])
    side /= np.linalg.norm(side)
    return np.column_stack([np.cross(side, axis), side, axis])
