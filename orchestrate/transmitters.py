"""Transmitters: on walkable ground, spread over the scene or over given views."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vasgen.bundle import SceneBundle
from vasgen.camera import Camera
from vasgen.errors import InputError
from vasgen.inside import inside_solid, solid_around
from vasgen.orchestrate.glance import Glance, glances, is_class, lit_shares
from vasgen.orchestrate.ground import Terrain, look_down
from vasgen.raycast import RayCaster
from vasgen.seeding import stream
from vasgen.semantics import WALKABLE
from vasgen.spec import TransmittersSpec
from vasgen.transmitter import Transmitter

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

#: Free space around a transmitter, metres: a handheld device is not inside a hedge.
CLEARANCE_M = 1.0

#: Transmitters stand where a camera sees the ground up to this depth, metres: farther
#: away, what they light is a few pixels.
_NEAR_M = 200.0

#: Candidates that are judged for each transmitter to place.
_CANDIDATES = 256

#: Distance beyond which two transmitters are far enough apart, metres.
_APART_M = 80.0

#: In a street one sees at least this far in some direction, metres.
_STREET_VIEW_M = 60.0

#: Height that two rays onto the same ground may differ by, metres.
_SAME_GROUND_M = 0.05


def place_transmitters(
    bundle: SceneBundle, spec: TransmittersSpec, cameras: Sequence[Camera] = (), seed: int = 0
) -> list[Transmitter]:
    """Choose transmitter positions, or check the given ones.

    Args:
        bundle: the scene.
        spec: number, height and power, or positions.
        cameras: views to light: transmitters stand where these see the ground. Without
            any, they spread over the built-up ground of the scene.
        seed: the same seed gives the same positions.

    Raises:
        InputError: if a given position is inside something, or there is nowhere to stand.
    """
    caster = RayCaster(bundle)
    if spec.positions is not None:
        places = np.array(spec.positions, np.float64)
        _check_positions(caster, places)
    else:
        places = _choose(caster, spec, cameras, seed)
    return [
        Transmitter(
            f"tx-{index}",
            (float(x), float(y), float(z)),
            spec.power_dbm,
            spec.orientation_deg,
            spec.antennas[index % len(spec.antennas)],
            index % spec.groups,
        )
        for index, (x, y, z) in enumerate(places)
    ]


def _choose(
    caster: RayCaster, spec: TransmittersSpec, cameras: Sequence[Camera], seed: int
) -> Array:
    rng = stream(seed, "transmitters")
    looks = list(glances(caster, cameras))
    wanted = _CANDIDATES + 16 * spec.count
    places = _standing(caster, _ground_of(looks, rng, wanted), spec.height_m or 1.6)
    if len(places) < spec.count:  # no cameras, or they see too little ground
        terrain = Terrain(caster, rng, cells=96)
        inner = terrain.weights**4  # amid buildings rather than at the scene's edge
        count = len(terrain.aims)
        order = rng.choice(count, count, replace=False, p=inner / inner.sum())
        elsewhere = _open(caster, _standing(caster, terrain.aims[order], spec.height_m or 1.6))
        places = np.concatenate([places, elsewhere[:wanted]])
    if len(places) < spec.count:
        raise InputError(
            f"scene {caster.bundle.name!r} has {len(places)} places for a transmitter, not "
            f"{spec.count}: too little walkable ground under open sky. Give "
            "transmitters.positions, or ask for fewer."
        )
    places = places.round(2)  # centimetres: positions that people read and type again
    lit = lit_shares(caster, places, [look.some_points(rng, _NEAR_M) for look in looks])
    return _spread(places, lit, spec.count)


def _ground_of(looks: Sequence[Glance], rng: np.random.Generator, wanted: int) -> Array:
    """Walkable points that cameras see nearby, the same number from each, (N, 3)."""
    share = -(-wanted // max(len(looks), 1))
    points = [np.empty((0, 3))]
    for look in looks:
        ground = look.points[is_class(look.semantic, WALKABLE) & (look.depth < _NEAR_M)]
        points.append(ground[rng.permutation(len(ground))[:share]])
    return np.concatenate(points)


def _standing(caster: RayCaster, ground: Array, height_m: float) -> Array:
    """Positions above those ground points where a person could stand, (N, 3)."""
    if not len(ground):
        return np.empty((0, 3))
    hits = look_down(caster, ground[:, :2])
    level = np.abs(hits.points[:, 2] - ground[hits.asked, 2]) < _SAME_GROUND_M
    places: Array = hits.points[hits.walkable & level] + [0.0, 0.0, height_m]
    if not len(places):
        return places
    free = _clear_around(caster, places, height_m) & ~inside_solid(caster, places)
    standing: Array = places[free]
    return standing


def _open(caster: RayCaster, places: Array) -> Array:
    """The places in streets, squares and parks first, those in closed courtyards last.

    The order within each kind stays.
    """
    if not len(places):
        return places
    angle = np.arange(32) * (2 * np.pi / 32)
    around = np.column_stack([np.cos(angle), np.sin(angle), np.zeros(32)])
    hits = caster.intersect(
        np.repeat(places, len(around), axis=0), np.tile(around, (len(places), 1))
    )
    farthest = hits.distance.reshape(len(places), -1).max(axis=1)
    ordered: Array = places[np.argsort(farthest < _STREET_VIEW_M, kind="stable")]
    return ordered


def _clear_around(caster: RayCaster, places: Array, height_m: float) -> Mask:
    """Whether nothing is near at the height of the antenna, and of a person below it."""
    angle = np.arange(16) * (2 * np.pi / 16)
    around = np.column_stack([np.cos(angle), np.sin(angle), np.zeros(16)])
    free = np.ones(len(places), bool)
    for height in (height_m, min(height_m, 1.0)):
        origins = places - [0.0, 0.0, height_m - height]
        rays = np.tile(around, (len(places), 1))
        hits = caster.intersect(np.repeat(origins, len(around), axis=0), rays)
        free &= hits.distance.reshape(len(places), -1).min(axis=1) > CLEARANCE_M
    return free


def _spread(places: Array, lit: Array, count: int) -> Array:
    """Greedy choice: light in views that have little of it, and away from the others.

    A view's worth is the root of the light it gets, so the first transmitter of a view
    counts more than the second.
    """
    total = np.zeros(lit.shape[1])
    nearest = np.full(len(places), np.inf)
    free = np.ones(len(places), bool)
    chosen = []
    for _ in range(count):
        worth = 1e-3 + (np.sqrt(total + lit) - np.sqrt(total)).sum(axis=1)
        worth *= np.minimum(nearest / _APART_M, 1.0)
        best = int(np.argmax(np.where(free, worth, -1.0)))
        chosen.append(best)
        free[best] = False
        total += lit[best]
        nearest = np.minimum(nearest, np.linalg.norm(places - places[best], axis=1))
    return places[chosen]


def _check_positions(caster: RayCaster, places: Array) -> None:
    inside = inside_solid(caster, places)
    up = caster.intersect(places, np.broadcast_to([0.0, 0.0, 1.0], places.shape))
    ceiling = caster.faces.semantic[up.face]
    facing_up = caster.faces.normal[up.face][:, 2] > 0
    # Above one's head is the upper side of walkable ground: one is below it.
    buried = (up.face >= 0) & facing_up & is_class(ceiling, WALKABLE)
    for index, (place, solid, under) in enumerate(zip(places, inside, buried, strict=True)):
        if solid or under:
            x, y, z = place.tolist()
            around = solid_around(caster, place) or "a solid object"
            where = "below the ground" if under else f"inside {around}"
            raise InputError(
                f"transmitter tx-{index} at ({x:g}, {y:g}, {z:g}) is {where}; move it outside."
            )
