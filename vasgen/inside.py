"""Whether a point is inside something solid or in the earth, where no camera can stand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vasgen.errors import InputError
from vasgen.raycast import Hits, RayCaster
from vasgen.semantics import BUILDING, WALKABLE, SemanticClass
from vasgen.transmitter import Transmitter

Array = NDArray[np.float64]

#: Directions that are tried. All point upward: imported buildings often have no floor.
_DIRECTIONS = 32

#: Share of the rays that must leave through the rear side of a surface. Outdoors some
#: always reach the sky, even in a scene whose normals point inward.
_SHARE = 0.75

#: Share of those that must leave the same object.
_SAME = 0.5

#: What the earth ends at.
_GROUND = WALKABLE | {SemanticClass.WATER}

_UP, _DOWN = (0.0, 0.0, 1.0), (0.0, 0.0, -1.0)


class _Verdict(NamedTuple):
    inside: NDArray[np.bool_]
    face: NDArray[np.int64]


class _Earth(NamedTuple):
    """Whether each point is in the earth, and what is straight above it."""

    buried: NDArray[np.bool_]
    above: Hits


def inside_solid(caster: RayCaster, points: ArrayLike) -> NDArray[np.bool_]:
    """Whether each point is inside a building, a tree or the ground.

    Inside a closed surface every ray meets its rear side first. A vote over many rays
    tolerates the holes, missing floors and single flipped faces of imported meshes.

    Args:
        caster: of the scene.
        points: (N, 3) world metres.

    Returns:
        (N,) bool.
    """
    return _judge(caster, np.asarray(points, np.float64).reshape(-1, 3)).inside


def inside_building(caster: RayCaster, points: ArrayLike) -> NDArray[np.bool_]:
    """Whether each point is inside a building, (N,); other solids do not count.

    Args:
        caster: of the scene.
        points: (N, 3) world metres.
    """
    inside, face = _judge(caster, np.asarray(points, np.float64).reshape(-1, 3))
    classes = [int(c) for c in sorted(BUILDING)]
    building: NDArray[np.bool_] = inside & np.isin(caster.faces.semantic[face], classes)
    return building


def obstructed(caster: RayCaster, points: ArrayLike) -> NDArray[np.bool_]:
    """Whether each point is where nothing can stand: inside a solid, or in the earth.

    Under a bridge, a canopy or a balcony one is not in the earth: there is a floor below.

    Args:
        caster: of the scene.
        points: (N, 3) world metres.

    Returns:
        (N,) bool.
    """
    places = np.asarray(points, np.float64).reshape(-1, 3)
    wrong: NDArray[np.bool_] = _judge(caster, places).inside | _earth(caster, places).buried
    return wrong


def solid_around(caster: RayCaster, point: ArrayLike) -> str | None:
    """Where a point is that is :func:`obstructed`, and what to do about it; None if it is free.

    Args:
        caster: of the scene.
        point: (3,) world metres.

    Returns:
        What goes on after "it is", e.g. ``"inside object 7 (building); move it outside"``.
    """
    place = np.asarray(point, np.float64)[None]
    inside, face = _judge(caster, place)
    earth = _earth(caster, place)
    if earth.buried[0]:
        return _below_ground(caster, place[0], earth.above)
    if not inside[0]:
        return None
    if int(caster.faces.semantic[face[0]]) in _GROUND:
        return _below_ground(caster, place[0], earth.above)
    return f"inside {_name(caster, int(face[0]))}; move it outside"


def check_transmitters(caster: RayCaster, transmitters: Sequence[Transmitter]) -> None:
    """Refuse transmitters that are :func:`obstructed`.

    Args:
        caster: of the scene.
        transmitters: any number.

    Raises:
        InputError: naming the first, and where it is.
    """
    wrong = obstructed(caster, np.array([one.position for one in transmitters]))
    for transmitter in (one for one, bad in zip(transmitters, wrong, strict=True) if bad):
        x, y, z = transmitter.position
        where = solid_around(caster, transmitter.position)
        raise InputError(f"transmitter {transmitter.name!r} at ({x:g}, {y:g}, {z:g}) is {where}.")


def _name(caster: RayCaster, face: int) -> str:
    """What a face belongs to, e.g. ``"object 7 (building)"``."""
    instance = int(caster.faces.instance[face])
    semantic = SemanticClass(int(caster.faces.semantic[face]))
    kind = "building" if semantic in BUILDING else semantic.name.lower().replace("_", " ")
    return f"object {instance} ({kind})" if instance else f"the {kind}"


def _below_ground(caster: RayCaster, place: Array, above: Hits) -> str:
    """Where a point in the earth is: how deep, measured upwards if there is ground above."""
    face, depth = int(above.face[0]), float(above.distance[0])
    if face < 0:  # beyond the edge of the ground
        depth = float(caster.faces.triangles[..., 2].min() - place[2])
    elif int(caster.faces.semantic[face]) not in _GROUND:
        return f"below the ground, under {_name(caster, face)}; move it outside"
    return f"{f'{depth:.1f} m ' if depth > 0 else ''}below the ground; raise it"


def _earth(caster: RayCaster, points: Array) -> _Earth:
    """Which points are in the earth: what is first above tells, and whether a floor is below."""
    above = caster.intersect(points, np.broadcast_to(_UP, points.shape))
    below = caster.intersect(points, np.broadcast_to(_DOWN, points.shape))
    roofed, empty = above.face >= 0, below.face < 0
    upper = caster.faces.normal[above.face][:, 2] > 0
    floor = ~empty & (caster.faces.normal[below.face][:, 2] > 0)
    semantic = caster.faces.semantic[above.face]
    # A bridge of one sheet shows its upper side too, but one stands on something below it.
    ground = roofed & upper & ~floor & np.isin(semantic, [*_GROUND])
    house = roofed & ~upper & empty & np.isin(semantic, [*BUILDING])
    if empty.any() and np.isin(caster.faces.semantic, [*_GROUND]).any():  # else there is no earth
        house |= points[:, 2] < caster.faces.triangles[..., 2].min()
        return _Earth(ground | house, above)
    return _Earth(ground, above)


def _judge(caster: RayCaster, points: Array) -> _Verdict:
    """Per point: the vote, and a face of the object that most rays leave."""
    rays = np.tile(_dome(_DIRECTIONS), (len(points), 1))
    hits = caster.intersect(np.repeat(points, _DIRECTIONS, axis=0), rays)
    rear = np.einsum("ij,ij->i", caster.faces.normal[hits.face], rays) > 0
    leaving = ((hits.face >= 0) & rear).reshape(-1, _DIRECTIONS)
    face = hits.face.reshape(leaving.shape)
    instance = np.where(leaving, caster.faces.instance[face], -1)
    same = (instance[:, :, None] == instance[:, None, :]).sum(axis=2) * leaving
    most = same.argmax(axis=1)
    rows = np.arange(len(points))
    count = leaving.sum(axis=1)
    inside = (count >= _SHARE * _DIRECTIONS) & (same[rows, most] >= _SAME * count)
    return _Verdict(inside, face[rows, most])


def _dome(count: int) -> Array:
    """Directions evenly spread over the upper half of a Fibonacci sphere, (count, 3)."""
    number = np.arange(count) + 0.5
    z = number / count
    angle = np.pi * (1 + 5**0.5) * number
    across = np.sqrt(1 - z * z)
    return np.stack([across * np.cos(angle), across * np.sin(angle), z], axis=1)
