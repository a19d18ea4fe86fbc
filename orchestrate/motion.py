"""Motion: a path in time, twice continuously differentiable, within limits.

Position, yaw and pitch are uniform cubic B-splines of time. Such a spline lies in the convex
hull of its control points, its velocity in that of their differences and its acceleration in
that of their second differences (de Boor 1978, "A practical guide to splines"), so both limits
are proved by the control points, at all times and not only at the frames.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import BSpline
from scipy.ndimage import gaussian_filter1d, maximum_filter1d

from vasgen.orchestrate.smoothing import arc_length, resample

Array = NDArray[np.float64]

#: Seconds between control points.
KNOT_S = 0.25

#: Fastest turn of the camera, degrees a second: faster ones are unpleasant to watch.
TURN_DEG_S = 60.0

#: Shares of the acceleration that turns and speeding up may take; together below 1.
_ACROSS, _ALONG = 0.75, 0.5

#: If the limit is exceeded all the same, the speed is planned for less acceleration.
_CAUTION = (1.0, 0.8, 0.6, 0.4, 0.25, 0.15)

#: Speed never falls below this, metres a second: a sharp corner is taken at a walk's third.
_SLOWEST_M_S = 0.4

#: Standard deviation that the control points are smoothed with in time, seconds.
_EASE_S = 0.35


@dataclass(frozen=True, eq=False)
class Limits:
    """What a motion keeps to.

    Attributes:
        speed_m_s: highest speed, metres a second; also the speed wherever nothing forbids it.
        acceleration_m_s2: highest acceleration, metres a second squared.
    """

    speed_m_s: float
    acceleration_m_s2: float


@dataclass(frozen=True, eq=False)
class Gaze:
    """Where a moving camera looks: along its way, at what lies ahead.

    Attributes:
        ahead_s: how far ahead, seconds of travel at full speed.
        pitch_deg: elevation of the optical axis, degrees, negative downwards; above the slope
            of the way if it follows that.
        slope: whether it follows the slope of the way.
        ease_s: standard deviation that the direction is smoothed with, seconds.
    """

    ahead_s: float
    pitch_deg: float
    slope: bool
    ease_s: float


class Motion:
    """Where a camera is and looks at any time from 0 to ``seconds``.

    Args:
        points: (N, 3) control points of the position, ``KNOT_S`` apart, metres.
        angles: (N, 2) control values of yaw, counter-clockwise from east, and pitch, radians.
    """

    def __init__(self, points: Array, angles: Array) -> None:
        self.seconds = (len(points) - 3) * KNOT_S
        self.points = points
        knots = (np.arange(len(points) + 4) - 3) * KNOT_S
        self._place = BSpline(knots, points, 3, extrapolate=False)
        self._angles = BSpline(knots, angles, 3, extrapolate=False)
        self._velocity = self._place.derivative(1)
        self._acceleration = self._place.derivative(2)
        self._rates = self._angles.derivative(1)

    def position(self, time_s: Array) -> Array:
        """Position at some times, (N, 3) world metres."""
        return np.asarray(self._place(time_s), np.float64)

    def velocity(self, time_s: Array) -> Array:
        """Velocity at some times, (N, 3) metres a second."""
        return np.asarray(self._velocity(time_s), np.float64)

    def acceleration(self, time_s: Array) -> Array:
        """Acceleration at some times, (N, 3) metres a second squared."""
        return np.asarray(self._acceleration(time_s), np.float64)

    def forward(self, time_s: Array) -> Array:
        """Viewing direction at some times, (N, 3) unit vectors."""
        yaw, pitch = np.asarray(self._angles(time_s), np.float64).T
        level = np.cos(pitch)
        return np.column_stack([level * np.cos(yaw), level * np.sin(yaw), np.sin(pitch)])

    def turn(self, time_s: Array) -> Array:
        """How the camera turns at some times, (N, 3) degrees a second along the axis.

        Yaw turns about the vertical, pitch about what is then on the camera's right.
        """
        yaw = np.asarray(self._angles(time_s), np.float64)[:, 0]
        yawing, pitching = np.degrees(self._rates(time_s)).T
        return np.column_stack([pitching * np.sin(yaw), -pitching * np.cos(yaw), yawing])

    @property
    def top_speed_m_s(self) -> float:
        """A speed that is never exceeded, metres a second."""
        return float(np.linalg.norm(np.diff(self.points, axis=0), axis=1).max() / KNOT_S)

    @property
    def top_acceleration_m_s2(self) -> float:
        """An acceleration that is never exceeded, metres a second squared."""
        return _strongest(self.points)


def move(path: Array, limits: Limits, gaze: Gaze, seconds: float) -> Motion | None:
    """Travel along a path, as fast as the limits permit.

    Args:
        path: (N, 3) points at small distances, metres.
        limits: of the motion.
        gaze: where the camera looks.
        seconds: how long.

    Returns:
        The motion; None if the path is too short to last so long.
    """
    path = resample(path, float(arc_length(path)[-1]) / (len(path) - 1))
    number = int(np.ceil(seconds / KNOT_S - 1e-9)) + 3
    lead = int(np.ceil(4 * _EASE_S / KNOT_S))  # before and after, for the smoothing
    for caution in _CAUTION:
        times = _timetable(path, limits, caution)
        at = np.arange(number + 2 * lead, dtype=np.float64) * KNOT_S
        if times[-1] < at[-1]:
            return None
        points = np.column_stack([np.interp(at, times, column) for column in path.T])
        points = gaussian_filter1d(points, _EASE_S / KNOT_S, axis=0)[lead:-lead]
        if _strongest(points) <= limits.acceleration_m_s2:
            return Motion(points, _gaze_angles(path, times, at, limits, gaze)[lead:-lead])
    return None


def _timetable(path: Array, limits: Limits, caution: float) -> Array:
    """When each point of a path is reached, (N,) seconds from the first."""
    travelled = arc_length(path)
    step = float(travelled[-1]) / (len(path) - 1)
    bend = np.linalg.norm(np.diff(path, 2, axis=0), axis=1) / step**2
    bend = maximum_filter1d(np.pad(bend, 1, mode="edge"), 5, mode="nearest")
    most = caution * limits.acceleration_m_s2
    speed = np.sqrt(_ACROSS * most / np.maximum(bend, 1e-9))
    speed = np.clip(speed, min(_SLOWEST_M_S, limits.speed_m_s), limits.speed_m_s)
    gain = 2 * _ALONG * most * step
    for order in (range(1, len(path)), range(len(path) - 2, -1, -1)):
        before = -1 if order.step > 0 else 1
        for index in order:
            reachable = float(np.sqrt(speed[index + before] ** 2 + gain))
            speed[index] = min(speed[index], reachable)
    return np.concatenate([[0.0], np.cumsum(2 * np.diff(travelled) / (speed[:-1] + speed[1:]))])


def _gaze_angles(path: Array, times: Array, at: Array, limits: Limits, gaze: Gaze) -> Array:
    """Control values of yaw and pitch, (N, 2) radians, no faster than the camera may turn."""
    here = np.interp(at, times, np.arange(len(path)))
    step = float(arc_length(path)[-1]) / (len(path) - 1)
    ahead = np.minimum(here + gaze.ahead_s * limits.speed_m_s / step, len(path) - 1.0)
    behind = np.minimum(here, len(path) - 2.0)
    chord = _between(path, np.maximum(ahead, behind + 1)) - _between(path, behind)
    yaw = np.unwrap(np.arctan2(chord[:, 1], chord[:, 0]))
    slope = np.arctan2(chord[:, 2], np.linalg.norm(chord[:, :2], axis=1))
    pitch = np.radians(gaze.pitch_deg) + (slope if gaze.slope else np.zeros(len(at)))
    angles, ease = np.column_stack([yaw, pitch]), gaze.ease_s / KNOT_S
    eased = gaussian_filter1d(angles, ease, axis=0, mode="nearest")
    while np.abs(np.diff(eased, axis=0)).max() > np.radians(TURN_DEG_S) * KNOT_S:
        ease *= 1.3
        eased = gaussian_filter1d(angles, ease, axis=0, mode="nearest")
    smoothed: Array = eased
    return smoothed


def _between(path: Array, index: Array) -> Array:
    """Points at fractional indices."""
    whole = np.arange(len(path))
    return np.column_stack([np.interp(index, whole, column) for column in path.T])


def _strongest(points: Array) -> float:
    bends = np.linalg.norm(np.diff(points, 2, axis=0), axis=1)
    return float(bends.max(initial=0.0)) / KNOT_S**2
