"""The sky as a table: quick to ask along any direction, for a picture and inside Dr.Jit."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vasgen import runtime

Array = NDArray[np.float64]

#: Rows and columns of a table that is computed in full, to be refined.
COARSE = 48

#: Rows (elevation) and columns (angle between line of sight and sun along the horizon).
ROWS, COLUMNS = 128, 128


def elevations(count: int = ROWS) -> Array:
    """Of the rows, radians: dense at the horizon, where the sky changes most."""
    return np.asarray(np.linspace(0, 1, count) ** 2 * np.pi / 2)


def turns(count: int = COLUMNS) -> Array:
    """Of the columns, radians: dense at the side of the sun."""
    return np.asarray(np.linspace(0, 1, count) ** 2 * np.pi)


def refined(radiance: Array) -> Array:
    """The sky of (COARSE, COARSE, 3) at the entries of the table, (ROWS, COLUMNS, 3), by splines.

    The rows and columns of both are even in the roots of the angles.
    """
    from scipy.interpolate import CubicSpline

    known = np.linspace(0, 1, COARSE)
    rows = CubicSpline(known, radiance, axis=0)(np.linspace(0, 1, ROWS))
    whole = CubicSpline(known, rows, axis=1)(np.linspace(0, 1, COLUMNS))
    return np.asarray(np.maximum(whole, 0))


def directions(elevation: Array, turn: Array, azimuth_deg: float) -> Array:
    """World directions of a table's entries, (rows, columns, 3)."""
    azimuth = np.radians(azimuth_deg) + turn
    across = np.cos(elevation)[:, None]
    up = np.broadcast_to(np.sin(elevation)[:, None], (len(elevation), len(turn)))
    return np.stack([across * np.sin(azimuth), across * np.cos(azimuth), up], axis=-1)


class Sky:
    """Radiance of the sky above the horizon; its halves left and right of the sun are alike.

    Args:
        radiance: (ROWS, COLUMNS, 3), linear sRGB, at :func:`elevations` and :func:`turns`.
        azimuth_deg: of the sun, degrees clockwise from north.
    """

    def __init__(self, radiance: Array, azimuth_deg: float) -> None:
        import drjit as dr

        self.radiance = radiance
        azimuth = math.radians(azimuth_deg)
        self._side = np.array([math.sin(azimuth), math.cos(azimuth)])
        mi = runtime.colours()
        texels = mi.TensorXf(np.ascontiguousarray(radiance, np.float32))
        self._texture = mi.Texture2f(texels, use_accel=False)
        self._to_sun = mi.Point2f(self._side.tolist())
        # Opaque values are inputs of the compiled kernel: the next sky reuses it.
        dr.make_opaque(self._to_sun)

    def at(self, rays: Array) -> Array:
        """Radiance along unit vectors, (N, 3); below the horizon that of the horizon."""
        side = rays[:, :2] @ self._side
        across = rays[:, 0] * self._side[1] - rays[:, 1] * self._side[0]
        turn = np.arctan2(np.abs(across), side)
        elevation = np.arcsin(np.clip(rays[:, 2], 0, 1))
        row = np.sqrt(elevation / (np.pi / 2)) * (ROWS - 1)
        column = np.sqrt(turn / np.pi) * (COLUMNS - 1)
        i = np.minimum(row.astype(np.int64), ROWS - 2)
        j = np.minimum(column.astype(np.int64), COLUMNS - 2)
        s, t = (row - i)[:, None], (column - j)[:, None]
        low = (1 - t) * self.radiance[i, j] + t * self.radiance[i, j + 1]
        high = (1 - t) * self.radiance[i + 1, j] + t * self.radiance[i + 1, j + 1]
        return np.asarray((1 - s) * low + s * high)

    def ask(self, mi: Any, direction: Any) -> Any:
        """The same inside a kernel: Color3f."""
        import drjit as dr

        to_sun = self._to_sun
        side = direction.x * to_sun.x + direction.y * to_sun.y
        across = direction.x * to_sun.y - direction.y * to_sun.x
        turn = dr.atan2(dr.abs(across), side) / math.pi
        elevation = dr.asin(dr.clip(direction.z, 0, 1)) / (math.pi / 2)
        # A texel's value is that of its middle.
        u = (dr.sqrt(turn) * (COLUMNS - 1) + 0.5) / COLUMNS
        v = (dr.sqrt(elevation) * (ROWS - 1) + 0.5) / ROWS
        return mi.Color3f(self._texture.eval(mi.Point2f(u, v)))


def irradiance(radiance: Array, passing: Array | float = 1.0) -> Array:
    """Of a whole sky on the ground, (3,).

    Args:
        radiance: (ROWS, COLUMNS, 3).
        passing: share that comes through at each row, (ROWS,).
    """
    weight = _weights() * np.reshape(passing, (-1, 1))
    return np.asarray((radiance * weight[..., None]).sum(axis=(0, 1)))


def _weights() -> Array:
    """Projected solid angle of a table's entries, (ROWS, COLUMNS); of sum pi."""
    share = trapezoid(np.sin(elevations()) ** 2 / 2)[:, None] * trapezoid(2 * turns())
    return np.asarray(share)


def trapezoid(values: Array) -> Array:
    """Trapezoidal weights of samples over a variable."""
    step = np.diff(values)
    return np.concatenate([[step[0] / 2], (step[1:] + step[:-1]) / 2, [step[-1] / 2]])
