"""Lamp posts of a scene: slender tall furniture on the ground, and where its light hangs."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vasgen.bundle import SceneBundle
from vasgen.raycast import RayCaster
from vasgen.semantics import BUILDING, WALKABLE, SemanticClass

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

#: A lamp post is furniture at least this high, metres, and this many times as high as wide:
#: traffic lights reach farther over the street, signs and shelters are lower.
HEIGHT_M, _SLENDER = 4.0, 3.0

#: How far beside a post the ground is looked for, metres.
_BESIDE_M = 0.6

#: Size of the head that holds the light, metres.
HEAD_M = 0.4

#: How far above a post without arm its light hangs, metres.
_LANTERN_M = 0.3


class LampPosts(NamedTuple):
    """Lamp posts, in world metres.

    Attributes:
        top: (N, 3) float64 highest point. Horizontally a post stands where its foot is: its
            arm leads elsewhere.
        foot_z: (N,) float64 height of the foot.
        head: (N, 3) float64 lower side of the head: at the end of the arm, or above the top.
        instance: (N,) int32 object ids.
    """

    top: Array
    foot_z: Array
    head: Array
    instance: NDArray[np.int32]

    def chosen(self, which: Mask) -> LampPosts:
        """Some of the posts."""
        return LampPosts(
            self.top[which], self.foot_z[which], self.head[which], self.instance[which]
        )


def lamp_posts(bundle: SceneBundle) -> LampPosts:
    """Slender tall furniture that is no part of a building.

    Args:
        bundle: any scene whose furniture has object ids.
    """
    faces = bundle.face_table
    # Railings and roof plant have the id of their building.
    built = np.unique(faces.instance[np.isin(faces.semantic, [int(c) for c in BUILDING])])
    free = (faces.semantic == SemanticClass.FURNITURE) & ~np.isin(faces.instance, built)
    rows = np.flatnonzero(free)
    rows = rows[np.argsort(faces.instance[rows], kind="stable")]
    ids, starts = np.unique(faces.instance[rows], return_index=True)
    found = [_post(faces.triangles[part].reshape(-1, 3)) for part in np.split(rows, starts[1:])]
    is_post = np.array([post is not None for post in found], bool)[: len(ids)]
    posts = np.array([post for post in found if post is not None]).reshape(-1, 7)
    return LampPosts(posts[:, :3], posts[:, 3], posts[:, 4:], ids[is_post])


def street_lamps(caster: RayCaster) -> LampPosts:
    """Lamp posts beside walkable ground: a mast on a roof is none.

    Args:
        caster: of the scene.
    """
    posts = lamp_posts(caster.bundle)
    turn = np.arange(4) * np.pi / 2
    ring = _BESIDE_M * np.column_stack([np.cos(turn), np.sin(turn), np.zeros(4)])
    starts = np.column_stack([posts.top[:, :2], posts.foot_z + 1.0])
    origins = (starts[:, None] + ring).reshape(-1, 3)
    hits = caster.intersect(origins, np.broadcast_to([0.0, 0.0, -1.0], origins.shape))
    walkable = np.isin(caster.faces.semantic[hits.face], [int(c) for c in WALKABLE])
    ground = (hits.face >= 0) & walkable & (hits.distance < HEIGHT_M)
    return posts.chosen(np.any(ground.reshape(-1, 4), axis=1))


def _post(corners: Array) -> Array | None:
    """Top, foot and head of a piece of furniture, (7,), if it is a post."""
    if not len(corners):
        return None
    low, high = corners.min(axis=0), corners.max(axis=0)
    size = high - low
    if size[2] < max(HEIGHT_M, _SLENDER * float(np.hypot(size[0], size[1]))):
        return None
    foot = np.unique(corners[corners[:, 2] < low[2] + 0.1 * size[2]].round(4), axis=0)
    x, y = foot[:, :2].mean(axis=0)
    return np.array([x, y, high[2], low[2], *_head(corners, (x, y))])


def _head(corners: Array, foot: tuple[float, float]) -> Array:
    """Where the light hangs: below what reaches farthest over the street."""
    upper = corners[corners[:, 2] > corners[:, 2].max() - 0.25 * np.ptp(corners[:, 2])]
    reach = np.hypot(*(upper[:, :2] - foot).T)
    end = upper[reach > reach.max() - HEAD_M]
    lift = _LANTERN_M if reach.max() < HEAD_M else 0.0
    x, y = np.unique(end.round(4), axis=0)[:, :2].mean(axis=0)
    return np.array([x, y, end[:, 2].min() + lift])
