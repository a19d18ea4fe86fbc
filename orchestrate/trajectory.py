"""Trajectories: a camera that moves through a scene, smoothly and without touching anything."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from vasgen.bundle import SceneBundle
from vasgen.camera import Camera
from vasgen.errors import InputError, check_range, unknown_choice
from vasgen.orchestrate.airways import Airways
from vasgen.orchestrate.clearance import Clearance
from vasgen.orchestrate.glance import is_class
from vasgen.orchestrate.ground import Terrain, find_floor
from vasgen.orchestrate.motion import Gaze, Limits, Motion, move
from vasgen.orchestrate.posefile import Pose
from vasgen.orchestrate.poses import CLEARANCE_M, plan_views
from vasgen.orchestrate.roadways import Roads, built_up_area
from vasgen.orchestrate.smoothing import arc_length, resample, smooth
from vasgen.raycast import RayCaster
from vasgen.seeding import stream
from vasgen.semantics import WALKABLE
from vasgen.spec import ALTITUDE_M, ViewsSpec

Array = NDArray[np.float64]

TripKind = Literal["uav", "street"]

#: Free space around a camera on a street, metres: a car is about that much wider than it.
_STREET_CLEARANCE_M = 0.75

#: The way keeps this much more than the clearance, metres: its corners are rounded in time.
_MARGIN_M = {"uav": 0.75, "street": 0.15}

#: Distance of the points of a path, metres, and between tests of the clearance.
_STEP_M = {"uav": 0.5, "street": 0.25}
_PROOF_M = 0.1

#: How widely corners are rounded, metres, and how far right of the middle of a road one drives.
_ROUND_M = {"uav": 14.0, "street": 9.0}
_LANE_M = {"uav": 0.0, "street": 1.6}

_GAZE = {
    "uav": Gaze(ahead_s=2.5, pitch_deg=-14.0, slope=False, ease_s=0.8),
    "street": Gaze(ahead_s=0.8, pitch_deg=2.0, slope=True, ease_s=0.35),
}

#: The first way is longer than the speed needs by these factors: corners make slow.
_LONGER = (1.2, 1.8, 3.0, 5.0)

#: Lowest and highest that one may ask for, metres above the ground.
_LOWEST_M, _HIGHEST_M = 0.3, 10_000.0

#: Streets are searched in a square of at most this side, metres.
_WINDOW_M = 800.0

#: Random ways that are tried before one is taken that is shorter than asked for.
_ATTEMPTS = 4

#: Waypoints of a flight: one a so long piece, metres, within limits.
_LEG_M, _WAYPOINTS = 60.0, (6, 40)


@dataclass(frozen=True)
class Trip:
    """What is wanted of a trajectory.

    Attributes:
        kind: ``uav`` flies between planned views, ``street`` drives along the streets.
        seconds: duration.
        fps: frames a second.
        speed_m_s: highest speed, and the speed wherever turns and the room permit.
        acceleration_m_s2: highest acceleration, across and along together.
        clearance_m: free space around the camera; by default 8 m in the air (half the altitude,
            if that is less) and 0.75 m in the street.
        altitude_m: lowest and highest height above the ground, metres; by default that of
            views of this kind.
        width: width of the pictures, pixels.
        height: height of the pictures, pixels.
        fov_deg: horizontal field of view, degrees.

    Raises:
        InputError: if a value is out of range.
    """

    kind: TripKind = "uav"
    seconds: float = 10.0
    fps: float = 24.0
    speed_m_s: float = 8.0
    acceleration_m_s2: float = 3.0
    clearance_m: float | None = None
    altitude_m: tuple[float, float] | None = None
    width: int = 640
    height: int = 480
    fov_deg: float = 70.0

    def __post_init__(self) -> None:
        if self.kind not in get_args(TripKind):
            raise unknown_choice("kind", self.kind, get_args(TripKind))
        check_range("seconds", self.seconds, 0.1, 3600.0)
        check_range("fps", self.fps, 0.1, 240.0)
        check_range("speed_m_s", self.speed_m_s, 0.1, 100.0)
        check_range("acceleration_m_s2", self.acceleration_m_s2, 0.05, 100.0)
        low, high = self.levels_m
        check_range("altitude_m", high, _LOWEST_M, _HIGHEST_M)
        check_range("altitude_m", low, _LOWEST_M, high)
        check_range("clearance_m", self.room_m, 0.05, 0.9 * low)
        self.camera(np.zeros(3), np.array([1.0, 0.0, 0.0]))  # says so if there is none

    @property
    def levels_m(self) -> tuple[float, float]:
        """Lowest and highest height above the ground, metres."""
        return ALTITUDE_M[self.kind] if self.altitude_m is None else self.altitude_m

    @property
    def room_m(self) -> float:
        """Free space around the camera, metres."""
        if self.clearance_m is not None:
            return self.clearance_m
        usual = CLEARANCE_M if self.kind == "uav" else _STREET_CLEARANCE_M
        return min(usual, self.levels_m[0] / 2)

    @property
    def frames(self) -> int:
        """Number of frames."""
        return max(1, round(self.seconds * self.fps))

    def camera(self, place: Array, forward: Array) -> Camera:
        """The camera at a place, (3,) metres, that looks in a direction, (3,)."""
        size = {"width": self.width, "height": self.height}
        return Camera.look_at(place, place + forward, fov_deg=self.fov_deg, **size)


@dataclass(frozen=True, eq=False)
class Trajectory:
    """A camera that moves.

    Attributes:
        seconds: duration; the motion goes on for a moment.
        cameras: of the frames.
        time_s: (N,) float64, seconds from the first frame.
        velocity_m_s: (N, 3) float64, world axes, metres a second.
        turn_deg_s: (N, 3) float64, along the axis of turning, world axes, degrees a second.
        acceleration_m_s2: (N, 3) float64, world axes.
        altitude_m: (N,) float64, height above the ground, or the nearest, metres.
        clearance_m: proved distance to every surface, all along.
        motion: where the camera is between the frames.
    """

    seconds: float
    cameras: tuple[Camera, ...]
    time_s: Array
    velocity_m_s: Array
    turn_deg_s: Array
    acceleration_m_s2: Array
    altitude_m: Array
    clearance_m: float
    motion: Motion

    @property
    def poses(self) -> list[Pose]:
        """The frames, as a pose file holds them."""
        velocity, turn = (map(tuple, v.tolist()) for v in (self.velocity_m_s, self.turn_deg_s))
        frames = zip(self.cameras, self.time_s.tolist(), velocity, turn, strict=True)
        return [Pose(*frame) for frame in frames]

    @property
    def length_m(self) -> float:
        """Distance travelled, metres."""
        places = np.array([camera.position for camera in self.cameras])
        return float(np.linalg.norm(np.diff(places, axis=0), axis=1).sum())


def plan_trajectory(bundle: SceneBundle, trip: Trip, seed: int = 0) -> Trajectory:
    """Find a trajectory through a scene.

    Args:
        bundle: any scene, generated or imported.
        trip: what is wanted.
        seed: the same seed gives the same trajectory.

    Raises:
        InputError: if none is found; it says why.
    """
    caster, clearance = RayCaster(bundle), Clearance(bundle)
    why = ""
    for guide in _guides(caster, clearance, trip, seed):
        motion, why = _follow(guide, clearance, trip)
        if motion is not None:
            return _frames(caster, motion, trip)
    raise InputError(
        f"found no {trip.kind} trajectory of {trip.seconds:g} s at {trip.speed_m_s:g} m/s in scene "
        f"{bundle.name!r}: {why}. Ask for fewer seconds, less speed or less clearance, or give "
        "another seed."
    )


def _guides(
    caster: RayCaster, clearance: Clearance, trip: Trip, seed: int
) -> Iterator[_Flight | _Drive]:
    """What leads through the scene, the best first: streets of the city, then all roads."""
    if trip.kind == "uav":
        yield _Flight(caster, clearance, trip, seed)
        return
    area = built_up_area(caster)
    roads = _roads(caster, area, trip, seed)
    yield _Drive(roads.within(area), clearance, trip, seed)
    yield _Drive(roads, clearance, trip, seed)


def _follow(guide: _Flight | _Drive, clearance: Clearance, trip: Trip) -> tuple[Motion | None, str]:
    """A motion along a path that is long enough, or why there is none."""
    limits = Limits(trip.speed_m_s, trip.acceleration_m_s2)
    why, before = "", 0.0
    for longer in _LONGER:
        wanted = longer * trip.speed_m_s * (trip.seconds + 1.0)
        path, why = guide.path(wanted)
        motion = None if path is None else move(path, limits, _GAZE[trip.kind], trip.seconds)
        if motion is None:
            length = 0.0 if path is None else float(arc_length(path)[-1])
            if length <= 1.05 * before:
                break  # asking for more does not help
            before = length
            continue
        if _is_clear(clearance, motion, trip.room_m):
            return motion, ""
        why = f"no smooth way keeps {trip.room_m:g} m from everything"
    return None, why


class _Flight:
    """Paths from one planned view to the next."""

    def __init__(self, caster: RayCaster, clearance: Clearance, trip: Trip, seed: int) -> None:
        self._clearance, self._room_m = clearance, trip.room_m
        self._airways = Airways(caster, clearance, trip.room_m + _MARGIN_M["uav"])
        length = trip.speed_m_s * trip.seconds
        count = int(np.clip(math.ceil(length / _LEG_M) + 2, *_WAYPOINTS))
        views = ViewsSpec(kind="uav", count=count, altitude_m=trip.levels_m)
        self._places = np.array([c.position for c in plan_views(caster.bundle, views, seed)])
        away = clearance.distance(self._places, trip.room_m + 1.0)
        self._places = self._places[away >= trip.room_m + _MARGIN_M["uav"]]

    def path(self, length_m: float) -> tuple[Array | None, str]:
        """A smooth path, about so long, or why there is none."""
        if len(self._places) < 2:
            return None, f"fewer than two planned views have {self._room_m:g} m of free space"
        way = self._airways.tour(self._places, length_m)
        if len(way) < 2:
            return None, (
                f"no way between planned views has {self._room_m:g} m of free space all around"
            )
        dense = resample(way, _STEP_M["uav"])
        room = self._room_m + _MARGIN_M["uav"] / 2
        path = smooth(
            dense, _STEP_M["uav"], _ROUND_M["uav"], lambda p: self._clearance.keeps(p, room)
        )
        return path, "its way between planned views is too short or has too sharp turns"


class _Drive:
    """Paths along roads."""

    def __init__(self, roads: Roads, clearance: Clearance, trip: Trip, seed: int) -> None:
        self._roads, self._clearance, self._room_m, self._seed = roads, clearance, trip.room_m, seed

    def path(self, length_m: float) -> tuple[Array | None, str]:
        """A smooth path, about so long, or why there is none."""
        step, longest = _STEP_M["street"], 0.0
        for attempt in range(_ATTEMPTS):
            way = self._roads.way(length_m, stream(self._seed, "way", attempt))
            if len(way) < 3:
                continue
            dense = resample(way, step)
            longest = max(longest, step * (len(dense) - 1))
            if step * len(dense) < 0.8 * length_m and attempt < _ATTEMPTS - 1:
                continue
            path = smooth(dense, step, _ROUND_M["street"], self._is_free, aside_m=_LANE_M["street"])
            if path is not None:
                return path, f"the longest way along its streets has {longest:.0f} m"
        if not longest:
            return None, f"no street has {self._room_m:g} m of free space around the camera"
        return None, f"the longest way along its streets has {longest:.0f} m"

    def _is_free(self, path: Array) -> NDArray[np.bool_]:
        room = self._room_m + _MARGIN_M["street"] / 2
        free: NDArray[np.bool_] = self._clearance.keeps(path, room) & self._roads.lies_on(path)
        return free


def _roads(caster: RayCaster, area: BaseGeometry, trip: Trip, seed: int) -> Roads:
    """The roads around a random place in an area, or in the scene if the area is empty."""
    rng, half = stream(seed, "trip"), _WINDOW_M / 2
    height_m = float(rng.uniform(*trip.levels_m))
    bounds: Array = caster.bundle.bounds[:, :2]
    low, high = bounds if area.is_empty else np.reshape(area.bounds, (2, 2))
    middle = np.clip(rng.uniform(low, high), low + half, high - half)
    middle = np.where(high - low < _WINDOW_M, (low + high) / 2, middle)
    low, high = np.maximum(bounds[0], middle - half), np.minimum(bounds[1], middle + half)
    return Roads(caster, low, high, height_m, trip.room_m + _MARGIN_M["street"])


def _is_clear(clearance: Clearance, motion: Motion, room_m: float) -> bool:
    """Whether the clearance is kept at all times, proved with the greatest speed there is."""
    count = 2 + int(motion.seconds * motion.top_speed_m_s / _PROOF_M)
    times = np.linspace(0.0, motion.seconds, count)
    half = motion.top_speed_m_s * motion.seconds / (count - 1) / 2
    away = clearance.distance(motion.position(times), room_m + half + 0.1)
    return bool((away >= room_m + half).all())


def _frames(caster: RayCaster, motion: Motion, trip: Trip) -> Trajectory:
    times = np.arange(trip.frames) / trip.fps
    places, forward = motion.position(times), motion.forward(times)
    cameras = tuple(trip.camera(place, way) for place, way in zip(places, forward, strict=True))
    floor, semantic = find_floor(caster, places[:, :2])
    known = Terrain(caster, stream(0, "ground"), cells=128).height(places[:, :2])
    ground = np.where(is_class(semantic, WALKABLE), floor, known)
    return Trajectory(
        trip.seconds,
        cameras,
        times,
        motion.velocity(times),
        motion.turn(times),
        motion.acceleration(times),
        places[:, 2] - ground,
        trip.room_m,
        motion,
    )
