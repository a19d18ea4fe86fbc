"""The whole dome of the sky as a table, for skies whose halves left and right of the sun differ.

Rows are those of :mod:`~vasgen.render.light.sky`; columns lie evenly, from the sun once around
clockwise.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d

from vasgen import runtime
from vasgen.render.light.sky import COLUMNS, ROWS, directions, elevations, trapezoid, turns

Array = NDArray[np.float64]

#: Columns of the table.
AROUND = 512

#: Columns that :func:`folded` evens out first.
_EVEN_OVER = 33


def dome_directions(azimuth_deg: float) -> Array:
    """World directions of the table's entries, (ROWS, AROUND, 3); azimuth of the sun."""
    around = np.linspace(0, 2 * math.pi, AROUND, endpoint=False)
    return directions(elevations(), around, azimuth_deg)


def solid_angles() -> Array:
    """Of the entries, (ROWS, AROUND), steradians."""
    rows = trapezoid(np.sin(elevations()))
    return np.broadcast_to(rows[:, None] * (2 * math.pi / AROUND), (ROWS, AROUND))


def unfolded(sky: Array) -> Array:
    """A sky whose halves are alike, (ROWS, COLUMNS, 3), as a table of the dome."""
    turn = np.arange(AROUND // 2 + 1) * (2 / AROUND)
    half = _columns(sky, np.sqrt(turn) * (COLUMNS - 1))
    return np.concatenate([half, half[:, -2:0:-1]], axis=1)


def folded(dome: Array) -> Array:
    """A dome (ROWS, AROUND, 3), evened out a little, as a sky whose halves are alike."""
    even = uniform_filter1d(dome, _EVEN_OVER, axis=1, mode="wrap")
    half = even[:, : AROUND // 2 + 1].copy()
    half[:, 1:-1] = (half[:, 1:-1] + even[:, : AROUND // 2 : -1]) / 2
    return _columns(half, turns() / math.pi * (AROUND // 2))


def _columns(table: Array, at: Array) -> Array:
    """Columns of a table at fractions of its own."""
    low = np.minimum(at.astype(np.int64), table.shape[1] - 2)
    share = (at - low)[:, None]
    return np.asarray((1 - share) * table[:, low] + share * table[:, low + 1])


class Dome:
    """A table of the dome, to be asked inside kernels.

    Args:
        radiance: (ROWS, AROUND, 3), linear sRGB.
        azimuth_deg: of the sun, degrees clockwise from north.
    """

    def __init__(self, radiance: Array, azimuth_deg: float) -> None:
        # The first column follows the last.
        closed = np.concatenate([radiance, radiance[:, :1]], axis=1)
        azimuth = math.radians(azimuth_deg)
        import drjit as dr

        mi = runtime.colours()
        texels = mi.TensorXf(np.ascontiguousarray(closed, np.float32))
        self._texture = mi.Texture2f(texels, use_accel=False)
        self._to_sun = mi.Point2f(math.sin(azimuth), math.cos(azimuth))
        # Opaque values are inputs of the compiled kernel: the next sky reuses it.
        dr.make_opaque(self._to_sun)

    def ask(self, mi: Any, direction: Any) -> Any:
        """Radiance along unit vectors, Color3f; below the horizon that of the horizon."""
        import drjit as dr

        to_sun = self._to_sun
        side = direction.x * to_sun.x + direction.y * to_sun.y
        across = direction.x * to_sun.y - direction.y * to_sun.x
        turn = dr.atan2(across, side) / (2 * math.pi)
        turn = dr.select(turn < 0, turn + 1, turn)
        elevation = dr.asin(dr.clip(direction.z, 0, 1)) / (math.pi / 2)
        # A texel's value is that of its middle.
        u = (turn * AROUND + 0.5) / (AROUND + 1)
        v = (dr.sqrt(elevation) * (ROWS - 1) + 0.5) / ROWS
        return mi.Color3f(self._texture.eval(mi.Point2f(u, v)))
