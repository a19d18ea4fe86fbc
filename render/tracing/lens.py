"""The camera as light meets it: rays through every pixel while the shutter is open."""

from __future__ import annotations

import dataclasses
import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from vasgen.camera import Camera
from vasgen.conditions import Conditions
from vasgen.seeding import key

#: Steps of the R2 sequence (Roberts 2018): points that fill the unit square evenly.
_R2 = (0.7548776662466927, 0.5698402909980532)

#: Of a sky that is blurred by turning, pixels from one picture to the next.
_STEP_PX = 2.0

#: Most such pictures.
_MOST_MOMENTS = 48

#: Step that fills the unit interval evenly: the golden ratio.
_R1 = 0.6180339887498949

#: Steps along a row and a column, and the stretch, of interleaved gradient noise (Jimenez 2014).
_GRADIENT = (0.06711056, 0.00583715, 52.9829189)


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
            shift = _dithered(mi, self._column, self._row, at_shutter)
            ray = self._motion.move(ray, _along(mi, shift, number, _R1) - 0.5)
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


def moments(camera: Camera, conditions: Conditions) -> list[Camera]:
    """Where a camera looks while the shutter is open, evenly over that time.

    For what is so far that only turning blurs it: one where the camera does not turn.
    """
    angle = np.radians(conditions.turn_deg_s) * conditions.shutter_s
    way_px = float(np.linalg.norm(angle)) * max(camera.intrinsics[0, 0], camera.intrinsics[1, 1])
    count = min(math.ceil(way_px / _STEP_PX), _MOST_MOMENTS)
    if count < 2:
        return [camera]
    times = (np.arange(count) + 0.5) / count - 0.5
    poses = np.repeat(camera.camera_to_world[None], count, axis=0)
    turns = Rotation.from_rotvec(times[:, None] * angle).as_matrix()
    poses[:, :3, :3] = turns @ camera.rotation
    return [dataclasses.replace(camera, camera_to_world=pose) for pose in poses]


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


def _dithered(mi: Any, column: Any, row: Any, word: Any) -> Any:
    """A number in [0, 1) for each pixel, spread evenly over the pixels of any small square.

    Interleaved gradient noise (Jimenez 2014). What is thin and bright is met by few samples of
    a blurred pixel, but by as many in each square: the denoiser then sees a streak, not specks.
    """
    import drjit as dr

    column_step, row_step, stretch = _GRADIENT
    place = column * int(column_step * 2**32) + row * int(row_step * 2**32) + word
    at = stretch * 2**-24 * mi.Float(place >> 8)
    return at - dr.floor(at)


def _along(mi: Any, shift: Any, number: Any, step: float) -> Any:
    """``shift`` plus so many steps, in [0, 1)."""
    import drjit as dr

    # Whole steps of 2^-32 do not lose digits with the number of the sample.
    at = shift + mi.Float(number * int(step * 2**32)) * 2**-32
    return at - dr.floor(at)


def _opaque(mi: Any, value: int) -> Any:
    import drjit as dr

    return dr.opaque(mi.UInt32, value % 2**32)
