"""Our world and Unreal's, and a camera in both.

Ours is right-handed and in metres: x east, y north, z up; a camera's axes are OpenCV's. Unreal's
is left-handed and in centimetres: X east, Y south, Z up, as its USD importer turns a stage that
is Z up; a camera looks along X, with Y to its right and Z up.

An Unreal rotation is pitch, yaw and roll in degrees: yaw turns X towards Y, then pitch raises X
towards Z, then roll tilts Y down, each about the axes as they lie by then. The camera's axes in
the world are the rows of ``FRotationMatrix`` (Unreal Engine API reference).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vasgen.camera import Camera
from vasgen.errors import InputError

Array = NDArray[np.float64]

CM_PER_M = 100.0

#: Mirrors north to south: the step between the handedness of the two worlds.
_MIRROR = np.array([1.0, -1.0, 1.0])

#: Below this cosine of pitch, yaw and roll turn about one axis, and roll is taken as zero. The
#: pitch then errs by as many radians: a thousandth of a pixel.
_STRAIGHT = 1e-6

#: A principal point this far from the middle, pixels, and focal lengths that differ by this
#: share, are rounding.
_CENTRED_PX, _SQUARE = 1e-3, 1e-6


class UnrealPose(NamedTuple):
    """Where a camera stands in Unreal.

    Attributes:
        location: X, Y, Z, centimetres.
        rotation: pitch, yaw, roll, degrees.
    """

    location: tuple[float, float, float]
    rotation: tuple[float, float, float]


def to_unreal_axes(vectors: ArrayLike) -> Array:
    """Directions of our world in Unreal's, or back: (..., 3) float64."""
    mirrored: Array = np.asarray(vectors, np.float64) * _MIRROR
    return mirrored


def unreal_pose(camera: Camera) -> UnrealPose:
    """The camera's pose in Unreal."""
    x, y, z = (to_unreal_axes(camera.position) * CM_PER_M).tolist()
    right, down, forward = (to_unreal_axes(axis) for axis in camera.rotation.T)
    return UnrealPose((x, y, z), _rotator(forward, right, -down))


def light_rotation(towards_sun: ArrayLike) -> tuple[float, float, float]:
    """Pitch, yaw and roll of a light, which shines along its X axis, degrees.

    Args:
        towards_sun: (3,) unit vector from the scene to the sun, our axes.
    """
    forward = -to_unreal_axes(towards_sun)
    return _angle(forward[2], math.hypot(*forward[:2])), _angle(forward[1], forward[0]), 0.0


def field_of_view_deg(camera: Camera) -> float:
    """Horizontal field of view of an Unreal camera with the same intrinsics, degrees.

    Raises:
        InputError: if the pixels are not square, or the principal point is not in the middle:
            Unreal has no such camera.
    """
    k = camera.intrinsics
    middle = (camera.width / 2, camera.height / 2)
    away = max(abs(k[0, 2] - middle[0]), abs(k[1, 2] - middle[1]))
    skewed = max(abs(k[0, 1]), abs(k[1, 1] - k[0, 0])) > _SQUARE * k[0, 0]
    if away > _CENTRED_PX or skewed:
        raise InputError(
            f"Unreal's cameras have square pixels and their principal point in the middle, here "
            f"({middle[0]:g}, {middle[1]:g}); K is {k.round(3).tolist()}: use another camera, or "
            "the backend mitsuba."
        )
    return 2 * math.degrees(math.atan(middle[0] / k[0, 0]))


def _rotator(forward: Array, right: Array, up: Array) -> tuple[float, float, float]:
    across = math.hypot(forward[0], forward[1])
    pitch = _angle(forward[2], across)
    if across < _STRAIGHT:
        return pitch, _angle(-right[0], right[1]), 0.0
    return pitch, _angle(forward[1], forward[0]), _angle(-right[2], up[2])


def _angle(opposite: float, adjacent: float) -> float:
    return math.degrees(math.atan2(opposite, adjacent))
