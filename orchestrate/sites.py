"""Sites: where a transmitter may stand, on the ground, on roofs or on lamp posts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vasgen.inside import inside_solid
from vasgen.lamps import street_lamps
from vasgen.orchestrate.contexts import LAMP_POST, ROOFTOP, Contexts
from vasgen.orchestrate.glance import Glance, is_class
from vasgen.orchestrate.ground import Terrain, look_down
from vasgen.raycast import RayCaster
from vasgen.semantics import WALKABLE, SemanticClass

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

#: Free space around a transmitter, metres: a handheld device is not inside a hedge.
CLEARANCE_M = 1.0

#: Transmitters stand where a camera sees the ground up to this depth, metres: farther
#: away, what they light is a few pixels.
NEAR_M = 200.0

#: Height that two rays onto the same ground may differ by, metres.
_SAME_GROUND_M = 0.05

#: A roof ends where, this far away, it is a storey lower.
_EDGE_M, _STOREY_M = 3.0, 3.0

#: Share of the directions in which a roof ends nearby: at a straight edge about 3 of 8, at a
#: corner about 5. What ends all around is a chimney, no roof.
_CORNER, _CHIMNEY = 5 / 8, 7 / 8

#: Worth of a site amid a roof; one at a corner is worth 1.
_AMID = 0.1

#: Cosine of the steepest roof that carries a mast.
_STEEPEST = 0.5


class Sites(NamedTuple):
    """Places for transmitters.

    Attributes:
        places: (N, 3) float64 antenna positions, world metres, to the centimetre.
        contexts: (N,) str.
        worth: (N,) float64 in (0, 1], how well each suits its kind.
    """

    places: Array
    contexts: NDArray[np.str_]
    worth: Array


def ground_sites(
    caster: RayCaster,
    looks: Sequence[Glance],
    rng: np.random.Generator,
    height_m: float,
    wanted: int,
    least: int,
    area: Array | None = None,
) -> Sites:
    """Where a person could stand: on walkable ground that cameras see, or amid buildings.

    Args:
        caster: of the scene.
        looks: through the cameras; without any, or if these see too little ground, sites
            are spread over the scene.
        rng: chooses among more.
        height_m: of the antenna above the ground, metres.
        wanted: about how many sites to find.
        least: fewer from the cameras are not enough.
        area: (2, 2) lowest and highest x and y of what is spread over, instead of the scene's,
            metres.
    """
    places = _standing(caster, _ground_of(looks, rng, wanted), height_m)
    if len(places) < least:  # no cameras, or they see too little ground
        terrain = Terrain(caster, rng, cells=max(96, round(2.5 * wanted**0.5)), area=area)
        inner = terrain.weights**4  # amid buildings rather than at the scene's edge
        count = len(terrain.aims)
        order = rng.choice(count, count, replace=False, p=inner / inner.sum())
        elsewhere = _standing(caster, terrain.aims[order[: 4 * wanted]], height_m)
        places = np.concatenate([places, elsewhere[:wanted]])
    places = places.round(2)  # centimetres: positions that people read and type again
    names = Contexts(caster.bundle).at(places - [0.0, 0.0, height_m])
    return Sites(places, np.array(names, np.str_), np.ones(len(places)))


def roof_sites(caster: RayCaster, rng: np.random.Generator, height_m: float, wanted: int) -> Sites:
    """Where a mast could stand on a roof: best at its corners and edges, over the street.

    Args:
        caster: of the scene.
        rng: chooses among more.
        height_m: of the antenna above the roof, metres.
        wanted: about how many sites to find.
    """
    low, high = caster.bundle.bounds[:, :2]
    cells = max(128, round(3 * wanted**0.5))
    line = np.arange(cells) / cells
    steps = np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2)
    xy = (low + (steps + rng.random(steps.shape) / cells) * (high - low)).round(2)
    hits = look_down(caster, xy)
    faces = caster.faces
    flat = faces.normal[hits.face][:, 2] > _STEEPEST
    roofs = hits.points[(faces.semantic[hits.face] == SemanticClass.ROOF) & flat]
    ending = _ending_share(caster, roofs)
    worth = _AMID + (1 - _AMID) * np.minimum(ending / _CORNER, 1.0)
    worth[ending >= _CHIMNEY] = 0.0
    some = rng.permutation(len(roofs))
    some = some[np.argsort(-worth[some] * rng.random(len(some)), kind="stable")][: 2 * wanted]
    some = some[worth[some] > 0]
    places = (roofs[some] + [0.0, 0.0, height_m]).round(2)
    free = _free(caster, places, [height_m], height_m)
    chosen = np.flatnonzero(free)[:wanted]
    return Sites(places[chosen], np.full(len(chosen), ROOFTOP), worth[some][chosen])


def lamp_sites(caster: RayCaster, height_m: float) -> Sites:
    """The tops of all lamp posts.

    Args:
        caster: of the scene.
        height_m: of the antenna above the post, metres.
    """
    places = (street_lamps(caster).top + [0.0, 0.0, height_m]).round(2)
    free = _free(caster, places, [height_m], height_m)
    return Sites(places[free], np.full(int(free.sum()), LAMP_POST), np.ones(int(free.sum())))


def _ground_of(looks: Sequence[Glance], rng: np.random.Generator, wanted: int) -> Array:
    """Walkable points that cameras see nearby, the same number from each, (N, 3)."""
    share = -(-wanted // max(len(looks), 1))
    points = [np.empty((0, 3))]
    for look in looks:
        ground = look.points[is_class(look.semantic, WALKABLE) & (look.depth < NEAR_M)]
        points.append(ground[rng.permutation(len(ground))[:share]])
    return np.concatenate(points)


def _standing(caster: RayCaster, ground: Array, height_m: float) -> Array:
    """Positions above those ground points where a person could stand, (N, 3)."""
    if not len(ground):
        return np.empty((0, 3))
    hits = look_down(caster, ground[:, :2])
    level = np.abs(hits.points[:, 2] - ground[hits.asked, 2]) < _SAME_GROUND_M
    places: Array = hits.points[hits.walkable & level] + [0.0, 0.0, height_m]
    standing: Array = places[_free(caster, places, [height_m, min(height_m, 1.0)], height_m)]
    return standing


def _free(caster: RayCaster, places: Array, levels_m: Sequence[float], height_m: float) -> Mask:
    """Whether nothing is near, at some levels above what a transmitter stands on, or around.

    Args:
        caster: of the scene.
        places: (N, 3) antenna positions, metres.
        levels_m: where to look around, metres above the foot.
        height_m: of the antenna above the foot, metres.
    """
    angle = np.arange(16) * (2 * np.pi / 16)
    around = np.column_stack([np.cos(angle), np.sin(angle), np.zeros(16)])
    free = np.ones(len(places), bool)
    for level in levels_m:
        origins = np.repeat(places - [0.0, 0.0, height_m - level], 16, axis=0)
        hits = caster.intersect(origins, np.tile(around, (len(places), 1)))
        free &= hits.distance.reshape(-1, 16).min(axis=1) > CLEARANCE_M
    free[free] = ~inside_solid(caster, places[free])
    return free


def _ending_share(caster: RayCaster, roofs: Array) -> Array:
    """Share of eight directions in which each roof point has the roof's end nearby, (N,)."""
    turn = np.arange(8) * (np.pi / 4)
    ring = _EDGE_M * np.column_stack([np.cos(turn), np.sin(turn)])
    around = (roofs[:, None, :2] + ring).reshape(-1, 2)
    height = np.full(len(around), -np.inf)
    hits = look_down(caster, around)
    height[hits.asked] = hits.points[:, 2]
    share: Array = (height.reshape(-1, 8) < roofs[:, 2:] - _STOREY_M).mean(axis=1)
    return share
