"""The camera as light meets it: rays through every pixel while the shutter is open."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vasgen.camera import Camera
from vasgen.conditions import Conditions
from vasgen.seeding import key

#: Steps of the R2 sequence (Roberts 2018): points that fill the unit square evenly.
_R2 = (0.7548776662466927, 0.5698402909980532)

#: Step of moments. Found by a search over edges that move: with it 32 samples of a pixel err by a
#: quarter less than with the golden ratio, which does not go well with both steps of the place.
_MOMENT = 0.6945821230810005


class Exposure(NamedTuple):
    """One path of every pixel.

    Attributes:
        ray: Ray3f from the camera.
        pixel: UInt32 that the path belongs to, row by row.
        number: UInt32 of the sample within its pixel.
        turn: Point2f that decides where the first surface sends the path.
    """

    ray: Any
    pixel: Any
    number: Any
    turn: Any


class Lens:
    """Rays through random points of every pixel.

    While the shutter is open, from half its time before the pose to half after it, the camera
    moves with its velocity, and turns about itself.

    Args:
        mi: mitsuba in its colour variant.
        camera: the pose in the middle of the exposure.
        conditions: velocity, turn and shutter.
        origin: (3,) of the coordinates that are traced, world metres.
        seed: of the picture.
        rows: of the picture to take; by default all.
    """

    def __init__(
        self,
        mi: Any,
        camera: Camera,
        conditions: Conditions,
        origin: NDArray[np.float64],
        seed: int,
        rows: range | None = None,
    ) -> None:
        import drjit as dr

        rows = range(camera.height) if rows is None else rows
        # Opaque values are inputs of the compiled kernel: the next camera reuses it.
        first = dr.opaque(mi.UInt32, rows.start * camera.width)
        wide = dr.opaque(mi.UInt32, camera.width)
        self._pixel = first + dr.arange(mi.UInt32, camera.width * len(rows))
        self._column, self._row = self._pixel % wide, self._pixel // wide
        self._words = [_opaque(mi, key(seed, use)) for use in ("pixel", "turn", "shutter")]
        axes = camera.rotation @ np.linalg.inv(camera.intrinsics)
        self._axes = [mi.Vector3f(axes[:, i].tolist()) for i in range(3)]
        self._position = mi.Point3f((camera.position - origin).tolist())
        dr.make_opaque(*self._axes, self._position)
        self._motion: _Motion | None = None
        if conditions.shutter_s and any(conditions.velocity_m_s + conditions.turn_deg_s):
            self._motion = _Motion(mi, conditions)

    def expose(self, mi: Any, number: Any) -> Exposure:
        """The paths of every pixel's samples of some number, UInt32."""
        import drjit as dr

        at_pixel, at_turn, at_shutter = self._words
        jitter = _even(mi, self._pixel, number, at_pixel)
        right, down, forward = self._axes
        u, v = mi.Float(self._column) + jitter.x, mi.Float(self._row) + jitter.y
        ray = mi.Ray3f(self._position, dr.normalize(right * u + down * v + forward))
        if self._motion is not None:
            # By chance from pixel to pixel: a pattern would be detail to the denoiser.
            shift = mi.sample_tea_float32(self._pixel, at_shutter)
            ray = self._motion.move(ray, _along(mi, shift, number, _MOMENT) - 0.5)
        return Exposure(ray, self._pixel, number, _even(mi, self._pixel, number, at_turn))


class _Motion:
    """How a camera moves while the shutter is open."""

    def __init__(self, mi: Any, conditions: Conditions) -> None:
        import drjit as dr

        turn = conditions.turn_deg_s
        rate = math.hypot(*turn)
        self._turns = rate > 0
        self._velocity = mi.Vector3f([float(part) for part in conditions.velocity_m_s])
        self._axis = mi.Vector3f([float(part / rate) if rate else 0.0 for part in turn])
        self._speed = mi.Float(math.radians(rate))
        self._shutter_s = mi.Float(conditions.shutter_s)
        dr.make_opaque(self._velocity, self._axis, self._speed, self._shutter_s)

    def move(self, ray: Any, moment: Any) -> Any:
        """Rays as they are at a moment of the exposure, from -0.5 to 0.5."""
        time = self._shutter_s * moment
        ray.o += self._velocity * time
        if self._turns:
            ray.d = _turned(ray.d, self._axis, self._speed * time)
        return ray


def _turned(direction: Any, axis: Any, angle: Any) -> Any:
    """Unit vectors turned about an axis (Rodrigues 1840)."""
    import drjit as dr

    sine, cosine = dr.sincos(angle)
    along = dr.dot(axis, direction) * (1 - cosine)
    return dr.normalize(cosine * direction + sine * dr.cross(axis, direction) + along * axis)


def _even(mi: Any, pixel: Any, number: Any, word: Any) -> Any:
    """Points that fill the unit square evenly over the samples of a pixel.

    The R2 sequence, shifted by a random amount per pixel.
    """
    shifts = mi.sample_tea_float32(pixel, word), mi.sample_tea_float32(pixel, word + 1)
    return mi.Point2f(
        *(_along(mi, shift, number, step) for shift, step in zip(shifts, _R2, strict=True))
    )


def _along(mi: Any, shift: Any, number: Any, step: float) -> Any:
    """``shift`` plus so many steps, in [0, 1)."""
    import drjit as dr

    # Whole steps of 2^-32 do not lose digits with the number of the sample.
    at = shift + mi.Float(number * int(step * 2**32)) * 2**-32
    return at - dr.floor(at)


def _opaque(mi: Any, value: int) -> Any:
    import drjit as dr

    return dr.opaque(mi.UInt32, value % 2**32)
