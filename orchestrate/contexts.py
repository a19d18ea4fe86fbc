"""Contexts: what kind of place a point on the ground is, from the buildings around it.

The isovist of a point is what one sees from there in plan (Benedikt 1979, "To take hold of
space: isovists and isovist fields"): here the lengths of horizontal rays at eye level, which
only buildings end. Trees, cars and lamps hide nothing: they do not make a place.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np
import shapely
from numpy.typing import NDArray

from vasgen.bundle import Mesh, SceneBundle
from vasgen.orchestrate.glance import is_class
from vasgen.raycast import RayCaster
from vasgen.semantics import BUILDING

Array = NDArray[np.float64]

Context = Literal["square", "canyon", "junction", "courtyard", "open"]

#: Contexts of positions on the ground.
CONTEXTS: tuple[Context, ...] = get_args(Context)

#: Contexts of positions on top of something.
ROOFTOP, LAMP_POST = "rooftop", "lamp post"

#: Height of the rays above the ground, metres: SynthRM's mobile agents, and eye level.
EYE_M = 1.6

#: Rays of an isovist, evenly around: 2 degrees are 1.2 m where arms are counted.
RAYS = 180

#: Sight ends here, metres: across the largest courtyards, along one block or two.
SIGHT_M = 150.0

#: An arm is a street that leads away: open at this distance, metres. That is beyond the far
#: corner of a crossing of streets 30 m wide, wall to wall (21 m from its middle, 30 m from
#: its mouths), and within half a block of 70 m.
ARM_M = 35.0

#: An arm is at least this wide there, metres: less is a gap between two houses.
_ARM_WIDTH_M = 8.0

#: A square holds a circle of this radius, metres, in which one stands: wider than where two
#: streets of 30 m cross (21 m).
SQUARE_RADIUS_M = 25.0

#: A courtyard is closed: in 98 of 100 directions one sees no farther than this, metres.
COURTYARD_M = 60.0
_NEARLY_ALL = 0.98

#: So is a larger one, up to ``SIGHT_M``, if no street leads out and it is no street itself:
#: few rays find gaps (a square with four streets has 6 to 16, a wing of the house makes 2),
#: and 4 pi area / perimeter^2 is above this: a rectangle has 0.4 if 6 times as long as wide.
_GAPS, _COMPACT = 4, 0.4

#: A gap between walls is a step in depth of at least this, metres: two thirds of the narrowest
#: street, since one looks into it at an angle.
_GAP_M = 6.0

#: Where more of the horizon than this has no building within sight, the place is open: one
#: row of buildings fills half of it at most, three sides of a square at least 3/4.
_OPEN_SHARE = 0.4

#: Straight walls need no point a ray: four times faster, for this error, metres.
_OUTLINE_M = 0.2

#: Points whose rays are cast together: bounds memory at about 100 MB.
_AT_ONCE = 4000


class Contexts:
    """Tells contexts in one scene.

    Args:
        bundle: any scene, generated or imported.
    """

    def __init__(self, bundle: SceneBundle) -> None:
        buildings = _buildings(bundle)
        self._caster = None if buildings is None else RayCaster(buildings)

    def isovist(self, ground: Array) -> Array:
        """Lengths of the rays from eye level above each point, (N, RAYS) metres.

        The first ray goes east, the others follow counter-clockwise; none is longer than
        ``SIGHT_M``.

        Args:
            ground: (N, 3) points on the ground, world metres.
        """
        if self._caster is None:
            return np.full((len(ground), RAYS), SIGHT_M)
        around = np.column_stack([_compass(), np.zeros(RAYS)])
        lengths = []
        for start in range(0, len(ground), _AT_ONCE):
            eyes = ground[start : start + _AT_ONCE] + [0.0, 0.0, EYE_M]
            hits = self._caster.intersect(
                np.repeat(eyes, RAYS, axis=0), np.tile(around, (len(eyes), 1))
            )
            lengths.append(hits.distance.reshape(len(eyes), RAYS))
        rays: Array = np.minimum(np.concatenate([np.empty((0, RAYS)), *lengths]), SIGHT_M)
        return rays

    def at(self, ground: Array) -> list[str]:
        """The context of each point, one of ``CONTEXTS``.

        Args:
            ground: (N, 3) points on the ground, world metres.
        """
        return classify(self.isovist(ground))


def classify(isovists: Array) -> list[str]:
    """The context that each isovist shows, one of ``CONTEXTS``.

    Args:
        isovists: (N, RAYS) ray lengths, metres, as :meth:`Contexts.isovist` gives them.
    """
    seen = np.asarray(shapely.polygons(isovists[:, :, None] * _compass()), np.object_)
    unseen = (isovists >= SIGHT_M).mean(axis=1) > _OPEN_SHARE
    rules: Sequence[tuple[Context, NDArray[np.bool_]]] = (
        ("open", unseen),
        ("courtyard", _is_closed(isovists, seen)),
        ("square", _in_wide_circle(seen)),
        ("junction", count_arms(isovists) >= 3),
    )
    choices = np.select([where for _, where in rules], [name for name, _ in rules], "canyon")
    return [str(choice) for choice in choices]


def count_arms(isovists: Array) -> NDArray[np.int64]:
    """Number of streets that lead away, (N,): runs of rays longer than ``ARM_M``.

    Args:
        isovists: (N, RAYS) ray lengths, metres.
    """
    least = int(np.ceil(_ARM_WIDTH_M / (2 * np.pi * ARM_M / RAYS)))
    beyond = isovists > ARM_M
    wide = beyond.copy()  # whether this ray and the next few are all long
    for step in range(1, least):
        wide &= np.roll(beyond, -step, axis=1)
    starts = (wide & ~np.roll(wide, 1, axis=1)).sum(axis=1)
    count: NDArray[np.int64] = np.where(wide.all(axis=1), 1, starts)
    return count


def count_gaps(isovists: Array) -> NDArray[np.int64]:
    """Number of rays that go past the end of a wall to something well behind it, (N,).

    Along a straight wall one over the length is a sine of the angle, so two rays tell where
    the wall would end the third; in a corner of a room the third ends before that.

    Args:
        isovists: (N, RAYS) ray lengths, metres.
    """
    nearness = 1 / isovists
    ahead = np.zeros(isovists.shape, bool)
    for side in (1, -1):
        first, second = (np.roll(nearness, side * step, axis=1) for step in (1, 2))
        wall = 2 * np.cos(2 * np.pi / RAYS) * first - second
        ahead |= wall * np.maximum(isovists - _GAP_M, 0.0) > 1.0
    count: NDArray[np.int64] = ahead.sum(axis=1)
    return count


def _is_closed(isovists: Array, seen: NDArray[np.object_]) -> NDArray[np.bool_]:
    """Whether no street leads out of the place."""
    small = np.quantile(isovists, _NEARLY_ALL, axis=1) < COURTYARD_M
    walled = (isovists < SIGHT_M).all(axis=1) & (count_gaps(isovists) <= _GAPS)
    compact = 4 * np.pi * shapely.area(seen) > _COMPACT * shapely.length(seen) ** 2
    closed: NDArray[np.bool_] = small | (walled & compact)
    return closed


def _in_wide_circle(seen: NDArray[np.object_]) -> NDArray[np.bool_]:
    """Whether one stands in a circle of ``SQUARE_RADIUS_M`` that lies within sight."""
    outline = shapely.simplify(seen, _OUTLINE_M, preserve_topology=False)
    middles = shapely.buffer(outline, -SQUARE_RADIUS_M, quad_segs=4)
    away = shapely.distance(middles, shapely.Point(0.0, 0.0))  # NaN if there is no such circle
    inside: NDArray[np.bool_] = away <= SQUARE_RADIUS_M
    return inside


def _compass() -> Array:
    """Unit vectors of the rays in plan, (RAYS, 2)."""
    angle = np.arange(RAYS) * (2 * np.pi / RAYS)
    return np.column_stack([np.cos(angle), np.sin(angle)])


def _buildings(bundle: SceneBundle) -> SceneBundle | None:
    """The scene without everything else; None if it has no buildings."""
    meshes = [mesh for mesh in map(_building_faces, bundle.meshes) if len(mesh.faces)]
    return dataclasses.replace(bundle, meshes=tuple(meshes)) if meshes else None


def _building_faces(mesh: Mesh) -> Mesh:
    keep = is_class(mesh.face_class, BUILDING)
    parts = ("faces", "face_class", "face_instance", "face_visual", "corner_uv")
    return dataclasses.replace(mesh, **{part: getattr(mesh, part)[keep] for part in parts})
