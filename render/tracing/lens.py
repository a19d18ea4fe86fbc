"""The camera as light meets it: rays through every pixel while the shutter is open."""

from __future__ import annotations

import dataclasses
import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from vasgen.camera import Camera
from vasgen.conditions import Conditions, Vector
from vasgen.seeding import key

#: Paths that are traced side by side belong to as many neighbouring pixels.
BLOCK = 16

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
    """Paths of one picture.

    Attributes:
        ray: Ray3f from the camera.
        pixel: UInt32 that the path belongs to, row by row.
        number: UInt32 of the sample within its pixel.
        turn: Point2f that decides where the first surface sends the path.
        order: UInt32 index that puts the paths in order: all of the first pixel, then the next;
            after the last pixel come a few that count for nothing.
    """

    ray: Any
    pixel: Any
    number: Any
    turn: Any
    order: Any


def expose(
    mi: Any,
    camera: Camera,
    conditions: Conditions,
    origin: NDArray[np.float64],
    samples: range,
    seed: int,
    rows: range | None = None,
) -> Exposure:
    """Rays through random points of every pixel.

    While the shutter is open, from half its time before the pose to half after it, the camera
    moves with its velocity, and turns about itself.

    Args:
        mi: mitsuba in its colour variant.
        camera: the pose in the middle of the exposure.
        conditions: velocity, turn and shutter.
        origin: (3,) of the coordinates that are traced, world metres.
        samples: numbers of the samples to take of each pixel.
        seed: of the picture.
        rows: of the picture to take; by default all.
    """
    import drjit as dr

    rows = range(camera.height) if rows is None else rows
    pixels = -(-camera.width * len(rows) // BLOCK) * BLOCK
    lane = dr.arange(mi.UInt32, pixels * len(samples))
    count = dr.opaque(mi.UInt32, len(samples))
    group = lane // BLOCK
    first = dr.opaque(mi.UInt32, rows.start * camera.width)
    pixel = first + group // count * BLOCK + lane % BLOCK
    number = group % count + dr.opaque(mi.UInt32, samples.start)
    jitter = _even(mi, pixel, number, key(seed, "pixel"))
    wide = dr.opaque(mi.UInt32, camera.width)
    ray = _rays(
        mi, camera, origin, mi.Float(pixel % wide) + jitter.x, mi.Float(pixel // wide) + jitter.y
    )
    if conditions.shutter_s and any(conditions.velocity_m_s + conditions.turn_deg_s):
        shift = _dithered(mi, pixel % wide, pixel // wide, key(seed, "shutter"))
        time = dr.opaque(mi.Float, conditions.shutter_s) * (_along(mi, shift, number, _R1) - 0.5)
        velocity = mi.Vector3f(list(conditions.velocity_m_s))
        dr.make_opaque(velocity)
        ray.o += velocity * time
        if any(conditions.turn_deg_s):
            ray.d = _turned(mi, ray.d, conditions.turn_deg_s, time)
    row, column = lane // count, lane % count
    order = (row // BLOCK * count + column) * BLOCK + row % BLOCK
    return Exposure(ray, pixel, number, _even(mi, pixel, number, key(seed, "turn")), order)


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


def _rays(mi: Any, camera: Camera, origin: NDArray[np.float64], u: Any, v: Any) -> Any:
    """Rays through image points."""
    import drjit as dr

    axes = camera.rotation @ np.linalg.inv(camera.intrinsics)
    right, down, forward = (mi.Vector3f(axes[:, i].tolist()) for i in range(3))
    position = mi.Point3f((camera.position - origin).tolist())
    # Opaque values are inputs of the compiled kernel: the next camera reuses it.
    dr.make_opaque(right, down, forward, position)
    return mi.Ray3f(position, dr.normalize(right * u + down * v + forward))


def _turned(mi: Any, direction: Any, turn_deg_s: Vector, time: Any) -> Any:
    """Unit vectors after so many seconds of turning (Rodrigues 1840)."""
    import drjit as dr

    rate = math.hypot(*turn_deg_s)
    axis = mi.Vector3f([float(part / rate) for part in turn_deg_s])
    speed = mi.Float(math.radians(rate))
    dr.make_opaque(axis, speed)
    sine, cosine = dr.sincos(speed * time)
    along = dr.dot(axis, direction) * (1 - cosine)
    return dr.normalize(cosine * direction + sine * dr.cross(axis, direction) + along * axis)


def _even(mi: Any, pixel: Any, number: Any, seed: int) -> Any:
    """Points that fill the unit square evenly over the samples of a pixel.

    The R2 sequence, shifted by a random amount per pixel.
    """
    word = _opaque(mi, seed)
    shifts = mi.sample_tea_float32(pixel, word), mi.sample_tea_float32(pixel, word + 1)
    return mi.Point2f(
        *(_along(mi, shift, number, step) for shift, step in zip(shifts, _R2, strict=True))
    )


def _dithered(mi: Any, column: Any, row: Any, seed: int) -> Any:
    """A number in [0, 1) for each pixel, spread evenly over the pixels of any small square.

    Interleaved gradient noise (Jimenez 2014). What is thin and bright is met by few samples of
    a blurred pixel, but by as many in each square: the denoiser then sees a streak, not specks.
    """
    import drjit as dr

    column_step, row_step, stretch = _GRADIENT
    word = column * int(column_step * 2**32) + row * int(row_step * 2**32) + _opaque(mi, seed)
    at = stretch * 2**-24 * mi.Float(word >> 8)
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
