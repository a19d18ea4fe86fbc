"""Camera poses: views of built-up streets from the air, the street or a pole, spread over it."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from vasgen.bundle import SceneBundle
from vasgen.camera import Camera
from vasgen.errors import InputError
from vasgen.inside import inside_solid
from vasgen.orchestrate.glance import Glance, glances, lit_shares
from vasgen.orchestrate.ground import Terrain
from vasgen.orchestrate.street_poses import Stage, down_the_street, from_poles, from_streets
from vasgen.raycast import RayCaster
from vasgen.seeding import stream
from vasgen.spec import ViewKind, ViewsSpec
from vasgen.transmitter import Transmitter

Array = NDArray[np.float64]

#: Free space a drone keeps around itself, metres; half its height, if it flies that low.
CLEARANCE_M = 8.0

#: Downward pitch of the optical axis, degrees.
PITCH_DEG = (8.0, 32.0)

#: Low cameras aim at ground points between these distances, metres.
_NEAREST_AIM_M, _STREET_AIM_M = 10.0, 40.0

#: Farthest ground point that a camera is aimed at, metres of horizontal distance.
_REACH_M = 300.0

#: A pose that sees less surface than this shows nothing, as a share of pixels.
_LEAST_VALID = 0.005

#: Edge of the cells that coverage is counted in, metres, and depth up to which.
_CELL_M = 12.0
_COVERED_DEPTH_M = 250.0

#: Points of a glance whose surroundings are looked up.
_PLACES = 100

#: Share of a view that transmitters light directly: from poor to good enough.
_LIT = (0.0, 0.2)

#: How far from a transmitter places are worth looking at, metres.
_LIT_REACH_M = 150.0

_ROUNDS = 4


class Candidate(NamedTuple):
    """A pose with what speaks for it.

    Attributes:
        camera: the pose.
        score: quality in (0, 1].
        cells: (N,) int64, keys of the surface cells it sees.
    """

    camera: Camera
    score: float
    cells: NDArray[np.int64]


def plan_views(
    bundle: SceneBundle,
    spec: ViewsSpec,
    seed: int,
    *,
    transmitters: Sequence[Transmitter] = (),
) -> list[Camera]:
    """Choose camera poses in a scene.

    Candidates are within ``altitude_m`` above the ground, with free space around. Those of
    drones look down at a street, those in the street along it, those at poles across it. Each
    is judged by a small ray cast; then views are taken greedily, each for the surface it adds
    to what the earlier ones cover.

    Args:
        bundle: any scene, generated or imported.
        spec: kind, number, size and altitude of the views.
        seed: the same seed gives the same poses.
        transmitters: views that these light are preferred: a map without signal teaches
            little.

    Raises:
        InputError: if the scene has too few places from which a camera sees it.
    """
    caster = RayCaster(bundle)
    rng = stream(seed, "poses")
    terrain = Terrain(caster, rng)
    lamps = np.array([t.position for t in transmitters]).reshape(-1, 3)
    stage = Stage(caster, terrain, _aim_weights(terrain, lamps), spec, rng)
    found, reserve = _candidates(stage, lamps)
    if len(found) >= spec.count:
        return [candidate.camera for candidate in choose(found, spec.count)]
    second, missing = _judge(stage, lamps, reserve), spec.count - len(found)
    if len(second) < missing:
        low, high = spec.altitude_m
        raise InputError(
            f"found {len(found) + len(second)} camera poses in scene {bundle.name!r}, not "
            f"{spec.count}: at {low:g} to {high:g} m above ground, too few places have "
            f"{_ROOM[spec.kind]} and a view of the scene. Ask for fewer views, change altitude_m, "
            "or give poses."
        )
    return [candidate.camera for candidate in [*found, *choose(second, missing)]]


def _candidates(stage: Stage, lamps: Array) -> tuple[list[Candidate], list[Camera]]:
    """Poses to choose from, and those of poles into a yard or at a wall, if better are few."""
    spec = stage.spec
    found: list[Candidate] = []
    reserve: list[Camera] = []
    for _ in range(_ROUNDS):
        proposed = _PROPOSE[spec.kind](stage, 180 + 4 * spec.count)
        cameras = _outdoors(stage.caster, proposed)
        if spec.kind == "pole":
            cameras, others = down_the_street(stage, cameras)
            reserve += others
        found += _judge(stage, lamps, cameras)
        if len(found or reserve) >= 2 * spec.count:
            break
    return found, reserve


def choose(candidates: Sequence[Candidate], count: int) -> list[Candidate]:
    """The candidates that together cover the scene best, greedily.

    A cell that k chosen views see already is worth 1 / (1 + k)^2; a view is worth the
    mean over its cells, else the highest cameras would always win.
    Values only fall, so an old value is a bound and a heap finds each best candidate
    with few evaluations.

    Args:
        candidates: at least ``count``.
        count: how many to choose.
    """
    keys, inverse = np.unique(np.concatenate([c.cells for c in candidates]), return_inverse=True)
    cells = np.split(inverse, np.cumsum([len(c.cells) for c in candidates])[:-1])
    seen = np.zeros(len(keys))
    scale = [c.score / len(c.cells) for c in candidates]
    heap = [(-s * len(c), index) for index, (s, c) in enumerate(zip(scale, cells, strict=True))]
    heapq.heapify(heap)
    chosen: list[Candidate] = []
    while len(chosen) < count:
        _, index = heapq.heappop(heap)
        worth = scale[index] * float((1 / (1 + seen[cells[index]]) ** 2).sum())
        if heap and worth < -heap[0][0]:
            heapq.heappush(heap, (-worth, index))
            continue
        seen[cells[index]] += 1
        chosen.append(candidates[index])
    return chosen


def _aim_weights(terrain: Terrain, lamps: Array) -> Array:
    """How much each place is worth looking at: built-up, and near a transmitter, if any."""
    if not len(lamps):
        return terrain.weights
    nearest = cKDTree(lamps[:, :2]).query(terrain.aims[:, :2])[0]
    weights = terrain.weights * (1e-3 + np.exp(-((nearest / _LIT_REACH_M) ** 2)))
    scaled: Array = weights / weights.sum()
    return scaled


def _from_above(stage: Stage, number: int) -> list[Camera]:
    """Cameras aimed at street points, standing back from them in a random direction."""
    spec, rng, terrain = stage.spec, stage.rng, stage.terrain
    aims = terrain.aims[rng.choice(len(terrain.aims), number, p=stage.weights)]
    altitude = rng.uniform(*spec.altitude_m, number)
    # At the height of a street lamp one looks along the street, not at one's feet.
    steepest = np.minimum(np.radians(PITCH_DEG[1]), np.arctan2(altitude, _NEAREST_AIM_M))
    level = np.minimum(np.radians(PITCH_DEG[0]), np.arctan2(altitude, _STREET_AIM_M))
    flattest = np.maximum(np.arctan2(altitude, _REACH_M), level)
    # A drone above 250 m would look down more steeply than that to see a street.
    pitch = rng.uniform(flattest, np.maximum(steepest, flattest))
    heading = rng.uniform(0, 2 * np.pi, number)
    back = (altitude / np.tan(pitch))[:, None] * np.column_stack([np.cos(heading), np.sin(heading)])
    xy = aims[:, :2] - back
    low, high = stage.caster.bundle.bounds[:, :2]
    within = ((xy >= low) & (xy <= high)).all(axis=1)
    if within.sum() >= 2 * spec.count:  # a scene smaller than that is seen from outside
        aims, altitude, pitch, back, xy = (a[within] for a in (aims, altitude, pitch, back, xy))
    height = terrain.height(xy) + altitude
    drop = np.linalg.norm(back, axis=1) * np.tan(pitch)
    eyes = np.column_stack([xy, height])
    targets = np.column_stack([aims[:, :2], height - drop])
    cameras = [
        Camera.look_at(eye, target, width=spec.width, height=spec.height, fov_deg=spec.fov_deg)
        for eye, target in zip(eyes, targets, strict=True)
    ]
    return _with_clearance(stage.caster, cameras, min(CLEARANCE_M, spec.altitude_m[0] / 2))


#: Proposals of each kind of view, and what room they need, in words.
_PROPOSE: dict[ViewKind, Callable[[Stage, int], list[Camera]]] = {
    "uav": _from_above,
    "street": from_streets,
    "pole": from_poles,
}
_ROOM: dict[ViewKind, str] = {
    "uav": f"{CLEARANCE_M:g} m of free space (half the height, if that is less)",
    "street": "a street to look along",
    "pole": "a lamp post or a corner beside a street",
}


def _with_clearance(caster: RayCaster, cameras: list[Camera], clearance_m: float) -> list[Camera]:
    if not cameras:
        return []
    eyes = np.array([camera.position for camera in cameras])
    around = _directions()
    rays = np.tile(around, (len(eyes), 1))
    hits = caster.intersect(np.repeat(eyes, len(around), axis=0), rays)
    nearest = hits.distance.reshape(len(eyes), -1).min(axis=1)
    return [camera for camera, ok in zip(cameras, nearest > clearance_m, strict=True) if ok]


def _outdoors(caster: RayCaster, cameras: list[Camera]) -> list[Camera]:
    if not cameras:
        return []
    inside = inside_solid(caster, np.array([camera.position for camera in cameras]))
    return [camera for camera, solid in zip(cameras, inside, strict=True) if not solid]


def _directions() -> Array:
    """The 26 directions to the neighbours in a grid, unit vectors."""
    steps = np.stack(np.meshgrid(*[[-1.0, 0.0, 1.0]] * 3), axis=-1).reshape(-1, 3)
    steps = steps[np.abs(steps).any(axis=1)]
    unit: Array = steps / np.linalg.norm(steps, axis=1, keepdims=True)
    return unit


def _judge(stage: Stage, lamps: Array, cameras: list[Camera]) -> list[Candidate]:
    caster, terrain, candidates = stage.caster, stage.terrain, []
    rng = stream(0, "light")
    for camera, glance in zip(cameras, glances(caster, cameras), strict=True):
        if glance.valid_share >= _LEAST_VALID:
            some = glance.points[:: max(1, len(glance.points) // _PLACES)]
            built_up = float(terrain.built_up(some).mean())
            worth = score(glance, built_up, stage.spec.kind)
            if len(lamps):
                seen = glance.some_points(rng, _COVERED_DEPTH_M)
                lit = float(lit_shares(caster, lamps, [seen]).sum())
                worth *= _rated(lit, *_LIT) ** 2  # without light there is no label
            candidates.append(Candidate(camera, worth, _cells(glance)))
    return candidates


class Taste(NamedTuple):
    """From where to where each aspect of a view goes from poor to good enough.

    Attributes:
        valid: share of the picture that shows a surface.
        building: share that shows buildings.
        walkable: share that shows ground to walk on.
        near_m: z-depth of the nearest 5 %, metres: what fills the foreground hides the street.
        median_m: median z-depth, metres.
    """

    valid: tuple[float, float]
    building: tuple[float, float]
    walkable: tuple[float, float]
    near_m: tuple[float, float]
    median_m: tuple[float, float]


_TASTES: dict[ViewKind, Taste] = {
    "uav": Taste((0.4, 0.8), (0.1, 0.35), (0.03, 0.15), (10.0, 30.0), (25.0, 60.0)),
    "street": Taste((0.4, 0.7), (0.15, 0.4), (0.1, 0.25), (1.5, 3.5), (10.0, 25.0)),
    "pole": Taste((0.4, 0.8), (0.15, 0.4), (0.1, 0.35), (4.0, 9.0), (12.0, 25.0)),
}


def score(glance: Glance, built_up: float, kind: ViewKind = "uav") -> float:
    """How good a view of a street is, in (0, 1].

    Each aspect has a span over which it goes from poor to good enough. A poor one
    lowers the score but does not forbid the pose, so a scene without streets or
    without buildings still gets its best views.

    Args:
        glance: what the view shows.
        built_up: how built-up the places it shows are, [0, 1].
        kind: of the view: what is near for a drone is far in a street.
    """
    near, median = np.percentile(glance.depth, [5, 50])
    taste = _TASTES[kind]
    aspects = (
        (glance.valid_share, *taste.valid),
        (1 - glance.valid_share, -0.1, 0.05),  # a strip of sky shows where the city ends
        (glance.building_share, *taste.building),
        (glance.walkable_share, *taste.walkable),
        (built_up, 0.4, 0.85),  # the fringe of a scene has buildings on one side only
        (float(near), *taste.near_m),
        (float(median), *taste.median_m),
    )
    product = 1.0
    for value, poor, good in aspects:
        product *= _rated(value, poor, good)
    return product


def _rated(value: float, poor: float, good: float) -> float:
    """A factor from 0.05 for poor to 1 for good."""
    return 0.05 + 0.95 * min(max((value - poor) / (good - poor), 0.0), 1.0)


def _cells(glance: Glance) -> NDArray[np.int64]:
    points = glance.points[glance.depth < _COVERED_DEPTH_M]
    if not len(points):
        points = glance.points
    ijk = np.floor(points / _CELL_M).astype(np.int64) + 2**20
    keys: NDArray[np.int64] = np.unique((ijk[:, 0] << 42) | (ijk[:, 1] << 21) | ijk[:, 2])
    return keys
