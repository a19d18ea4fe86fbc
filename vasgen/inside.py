"""Whether a point is inside something solid, where no camera can stand."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vasgen.raycast import RayCaster
from vasgen.semantics import BUILDING, WALKABLE, SemanticClass

Array = NDArray[np.float64]

#: Directions that are tried. All point upward: imported buildings often have no floor.
_DIRECTIONS = 32

#: Share of the rays that must leave through the rear side of a surface. Outdoors some
#: always reach the sky, even in a scene whose normals point inward.
_SHARE = 0.75

#: Share of those that must leave the same object.
_SAME = 0.5


class _Verdict(NamedTuple):
    inside: NDArray[np.bool_]
    face: NDArray[np.int64]


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


def solid_around(caster: RayCaster, point: ArrayLike) -> str | None:
    """Where a point is that is in something solid, and what to do about it; None if it is free.

    Args:
        caster: of the scene.
        point: (3,) world metres.

    Returns:
        What goes on after "it is", e.g. ``"inside object 7 (building); move it outside"``.
    """
    place = np.asarray(point, np.float64)[None]
    inside, face = _judge(caster, place)
    if not inside[0]:
        return None
    instance = int(caster.faces.instance[face[0]])
    semantic = SemanticClass(int(caster.faces.semantic[face[0]]))
    if semantic in WALKABLE:
        above = caster.intersect(place, [[0.0, 0.0, 1.0]]).distance[0]
        return below_ground(float(above))
    kind = "building" if semantic in BUILDING else semantic.name.lower().replace("_", " ")
    name = f"object {instance} ({kind})" if instance else f"the {kind}"
    return f"inside {name}; move it outside"


def below_ground(depth_m: float) -> str:
    """The same for a point so far below the ground; infinity: one does not know how far."""
    depth = f"{depth_m:.1f} m " if np.isfinite(depth_m) else ""
    return f"{depth}below the ground; raise it"


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
