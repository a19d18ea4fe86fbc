"""Poses in the street: a car's or a pedestrian's view along it, a pole's view across it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import minimum_filter1d

from vasgen.camera import Camera
from vasgen.lamps import LampPosts, street_lamps
from vasgen.orchestrate.clearance import Clearance
from vasgen.orchestrate.contexts import EYE_M, RAYS, SIGHT_M, Contexts
from vasgen.orchestrate.glance import Glance, glances, is_class
from vasgen.orchestrate.ground import Terrain, find_floor
from vasgen.raycast import RayCaster
from vasgen.semantics import WALKABLE, SemanticClass
from vasgen.spec import ViewsSpec

Array = NDArray[np.float64]

#: Where people and cars go; other walkable ground counts only if a scene has none of these.
STREET = frozenset({SemanticClass.ROAD, SemanticClass.PAVEMENT, SemanticClass.ROAD_MARKING})

#: Nothing is nearer to a camera in the street than an arm's length, metres; a pole's camera
#: hangs beside its pole.
_ARM_M, _POLE_ARM_M = 0.7, 0.2

#: Nothing but the ground fills more than this share of a view nearer than this, metres.
_CROWD, _CROWD_M = 0.04, 3.0

#: Elevation of the optical axis in the street, degrees, and how far off the street's direction.
_RISE_DEG = (0.0, 5.0)
_ASIDE_DEG = 8.0

#: Downward pitch at a pole, degrees, and the ground that it aims at, metres away.
_DROP_DEG = (12.0, 18.0)
_AIM_M = (16.0, 30.0)

#: So much of a pole's picture shows street, from least to most; half of what it sees is farther
#: away than this, metres.
_STREET_SHARE, _OPEN_M = (0.25, 0.5), 14.0

#: Its own wall stays out of it: almost nothing but the ground is nearer than this, metres.
_EDGE, _EDGE_M = 0.01, 6.0

#: Directions that are tried at each pole and corner, and how far from the first, degrees.
_HEADINGS, _TURN_DEG = 2, 30.0

#: A view goes where one sees farthest: a direction counts only if sight reaches this share of
#: the longest sight over so many neighbouring rays, 2 degrees each.
_ALONG = 0.55
_NEIGHBOURS = 7

#: A wall ends where the isovist steps by more than this, metres; cameras hang so far off it.
_STEP_M, _OFF_M = 6.0, 0.4

#: How far from the street its corners are looked for, metres.
_CORNER_M = 30.0

#: Distance of a camera from the axis of its lamp post, metres.
_BRACKET_M = 0.35


@dataclass(frozen=True, eq=False)
class Stage:
    """What proposals are made from.

    Attributes:
        caster: of the scene.
        terrain: its ground.
        weights: (N,) float64, how much each of the terrain's aims is worth looking at.
        spec: number, size and altitude of the views.
        rng: draws the proposals.
    """

    caster: RayCaster
    terrain: Terrain
    weights: Array
    spec: ViewsSpec
    rng: np.random.Generator

    @cached_property
    def contexts(self) -> Contexts:
        """What one sees of the buildings from a place."""
        return Contexts(self.caster.bundle)

    @cached_property
    def clearance(self) -> Clearance:
        """Distances to the nearest surface."""
        return Clearance(self.caster.bundle)

    @cached_property
    def posts(self) -> LampPosts:
        """The street lamps."""
        return street_lamps(self.caster)


def from_streets(stage: Stage, number: int) -> list[Camera]:
    """Cameras above roads and pavements that look along the street, level or slightly up.

    Args:
        stage: the scene.
        number: of proposals; those that would look at something near are left out.
    """
    ground = _street_points(stage, number)
    if not len(ground):
        return []
    rng, eyes = stage.rng, ground.copy()
    eyes[:, 2] += rng.uniform(*stage.spec.altitude_m, len(ground))
    heading = _open_headings(stage.contexts.isovist(ground), rng).heading
    heading += np.radians(rng.uniform(-_ASIDE_DEG, _ASIDE_DEG, len(ground)))
    rise = np.radians(rng.uniform(*_RISE_DEG, len(ground)))
    return _uncrowded(stage, _looking(stage.spec, eyes, heading, rise), _ARM_M)


def from_poles(stage: Stage, number: int) -> list[Camera]:
    """Cameras at lamp posts and corners of buildings that look down on the street.

    Args:
        stage: the scene.
        number: of proposals; those that would look at something near are left out.
    """
    posts = _at_posts(stage, -(-number // 2)).repeat(_HEADINGS, axis=0)
    corners = _at_corners(stage, number - len(posts) // _HEADINGS).repeat(_HEADINGS, axis=0)
    feet = np.concatenate([posts, corners])
    if not len(feet):
        return []
    rng, height = stage.rng, feet[:, 3]
    ground = feet[:, :3]
    sight = _open_headings(stage.contexts.isovist(ground + _lift(height - EYE_M)), rng)
    away = np.clip(sight.reach * rng.uniform(0.4, 1.0, len(feet)), *_AIM_M)
    drop = np.clip(np.arctan2(height, away), *np.radians(_DROP_DEG))
    eyes = ground + _lift(height)
    # A post stands in its own camera's way unless that looks away from it.
    beside = _BRACKET_M * np.column_stack([np.cos(sight.heading), np.sin(sight.heading)])
    eyes[: len(posts), :2] += beside[: len(posts)]
    new = _turned(sight.heading)
    cameras = _looking(stage.spec, eyes[new], sight.heading[new], -drop[new])
    return _uncrowded(stage, cameras, _POLE_ARM_M)


class _Sight(NamedTuple):
    """Where to look: heading counter-clockwise from east, radians, and how far sight reaches."""

    heading: Array
    reach: Array


def _street_points(stage: Stage, number: int) -> Array:
    """Random points on roads and pavements, rather where they are worth looking at, (N, 3)."""
    terrain, rng = stage.terrain, stage.rng
    low, high = stage.caster.bundle.bounds[:, :2]
    spread = (high - low) / 64  # of one sample of the terrain
    chosen = rng.choice(len(terrain.aims), 4 * number, p=stage.weights)
    xy = terrain.aims[chosen, :2] + rng.uniform(-1, 1, (4 * number, 2)) * spread
    height, semantic = find_floor(stage.caster, xy)
    street = is_class(semantic, STREET)
    street = street if street.any() else is_class(semantic, WALKABLE)
    points: Array = np.column_stack([xy, height])[street][:number]
    return points


def _at_posts(stage: Stage, number: int) -> Array:
    """Lamp posts high enough, (N, 4): foot, and height of the camera above it, metres."""
    low, high = stage.spec.altitude_m
    posts = stage.posts
    tall = posts.top[:, 2] - posts.foot_z
    feet = np.column_stack([posts.top[:, :2], posts.foot_z])[tall >= low]
    tall = tall[tall >= low]
    worth = stage.terrain.built_up(feet) + 0.02
    if not len(feet):
        return np.empty((0, 4))
    some = min(number, len(feet))
    chosen = stage.rng.choice(len(feet), some, replace=False, p=worth / worth.sum())
    height = stage.rng.uniform(low, np.minimum(high, tall[chosen]))
    return np.column_stack([feet[chosen], height])


def _at_corners(stage: Stage, number: int) -> Array:
    """Ends of walls near the street, (N, 4): ground below the camera, and its height, metres."""
    ground = _street_points(stage, number)
    if not len(ground):
        return np.empty((0, 4))
    rng = stage.rng
    height = rng.uniform(*stage.spec.altitude_m, len(ground))
    reach = stage.contexts.isovist(ground + _lift(height - EYE_M))
    step = np.maximum(np.roll(reach, 1, axis=1), np.roll(reach, -1, axis=1)) - reach
    corner = (step > _STEP_M) & (reach < _CORNER_M)
    ray = np.where(corner, rng.random(reach.shape), -1.0).argmax(axis=1)
    rows = np.flatnonzero(corner[np.arange(len(ground)), ray])
    angle = ray[rows] * (2 * np.pi / RAYS)
    along = (reach[rows, ray[rows]] - _OFF_M)[:, None]
    xy = ground[rows, :2] + along * np.column_stack([np.cos(angle), np.sin(angle)])
    return np.column_stack([xy, ground[rows, 2], height[rows]])


def _open_headings(isovist: Array, rng: np.random.Generator) -> _Sight:
    """A random direction for each point, among those in which one sees far.

    Args:
        isovist: (N, RAYS) lengths of rays around each point, metres.
        rng: chooses.
    """
    open_m = minimum_filter1d(isovist, _NEIGHBOURS, axis=1, mode="wrap")
    worth = open_m / np.maximum(open_m.max(axis=1, keepdims=True), 1e-9)
    # A maximum of u^(1/w) over the rays is a draw with the weights w (Efraimidis, Spirakis 2006).
    draw = np.where(worth >= _ALONG, rng.random(worth.shape) ** (1 / (1e-9 + worth**6)), -1.0)
    ray = draw.argmax(axis=1)
    reach = np.minimum(open_m[np.arange(len(ray)), ray], SIGHT_M)
    return _Sight(ray * (2 * np.pi / RAYS), reach)


def _turned(heading: Array) -> NDArray[np.bool_]:
    """Which headings, radians, are the first at their place or turned away from it, (N,)."""
    tried = heading.reshape(-1, _HEADINGS)
    new = np.cos(tried - tried[:, :1]) < np.cos(np.radians(_TURN_DEG))
    new[:, 0] = True
    flat: NDArray[np.bool_] = new.ravel()
    return flat


def _looking(spec: ViewsSpec, eyes: Array, heading: Array, rise: Array) -> list[Camera]:
    """Cameras that look in directions given by heading and elevation, radians."""
    level = np.cos(rise)
    way = np.column_stack([level * np.cos(heading), level * np.sin(heading), np.sin(rise)])
    size = {"width": spec.width, "height": spec.height}
    return [
        Camera.look_at(eye, eye + to, fov_deg=spec.fov_deg, **size)
        for eye, to in zip(eyes, way, strict=True)
    ]


def _uncrowded(stage: Stage, cameras: list[Camera], arm_m: float) -> list[Camera]:
    """The cameras with free space around and nothing but ground right before them."""
    eyes = np.array([camera.position for camera in cameras])
    free = stage.clearance.distance(eyes, 2 * arm_m) > arm_m
    cameras = [camera for camera, ok in zip(cameras, free, strict=True) if ok]
    kept = []
    for camera, glance in zip(cameras, glances(stage.caster, cameras), strict=True):
        if _nearer(glance, _CROWD_M) <= _CROWD:
            kept.append(camera)
    return kept


def _nearer(glance: Glance, depth_m: float) -> float:
    """Share of a view that something other than the ground fills nearer than a depth."""
    return _share(glance, (glance.depth < depth_m) & ~is_class(glance.semantic, WALKABLE))


def _share(glance: Glance, shown: NDArray[np.bool_]) -> float:
    """Share of all of a view that some of what it hits fills."""
    return float(shown.sum()) * glance.valid_share / max(len(shown), 1)


def down_the_street(stage: Stage, cameras: list[Camera]) -> tuple[list[Camera], list[Camera]]:
    """The cameras whose view is open, of street rather than other ground; and the others."""
    kept: list[Camera] = []
    others: list[Camera] = []
    least, most = _STREET_SHARE
    for camera, glance in zip(cameras, glances(stage.caster, cameras), strict=True):
        street = _share(glance, is_class(glance.semantic, STREET))
        mostly = least <= street <= most and 2 * street >= glance.walkable_share
        clear = _nearer(glance, _EDGE_M) <= _EDGE
        open_view = mostly and clear and np.median(glance.depth) >= _OPEN_M
        (kept if open_view else others).append(camera)
    return kept, others


def _lift(height_m: Array) -> Array:
    return np.column_stack([np.zeros((len(height_m), 2)), height_m])
