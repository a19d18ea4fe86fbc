"""Bays and storeys on walls that have no texture coordinates, so that painted windows fit them.

A wall is made of faces of one object in one plane. Walls that meet at blunt angles, such as
those of a round tower, share one run of bays. A run has a whole number of bays, and the storeys
of an object fit below the height at which most of its walls end: the eaves.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

Array = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

#: Size of a window bay and a storey, metres.
BAY_M, STOREY_M = 3.5, 3.2

#: Walls lower or narrower than this have no windows, metres.
_SMALLEST_M = 1.8

#: Faces are in one plane, and walls in one run, if the cosine between their normals is larger;
#: walls too narrow for a window, such as those of a bow, are in one run around sharper corners.
_PLANE, _RUN, _BOW = 0.999, 0.966, 0.64

#: Part of a bay beside its border that shows the pier between windows.
_PIER = 0.03

#: Edges rise at most so much, over their length, where a wall has a level top.
_SLOPE = 0.1


class _Edges(NamedTuple):
    """Edges of faces, three a face: (3 F,) each.

    Attributes:
        face: number of the face.
        key: the same for the same pair of ends.
        length: metres in plan.
        height: metres of the middle.
        top: whether it is level and its face lies below.
    """

    face: Ints
    key: Ints
    length: Array
    height: Array
    top: Bools


class _Walls(NamedTuple):
    """Walls, by number.

    Attributes:
        of: (F,) wall of every face.
        along: (F, 3) metres from the left edge of its wall to every corner.
        ends: (W, 2, 2) plan of the left and the right end, metres.
        normal: (W, 2) unit.
        owner: (W,) object.
    """

    of: Ints
    along: Array
    ends: Array
    normal: Array
    owner: Ints

    @property
    def length(self) -> Array:
        """(W,) metres."""
        return np.asarray(np.hypot(*(self.ends[:, 1] - self.ends[:, 0]).T))


def bays_and_storeys(triangles: Array, normal: Array, owner: NDArray[np.int32]) -> Array:
    """Texture coordinates of walls, (F, 3, 2): bays from the left, storeys from the ground.

    Args:
        triangles: (F, 3, 3) corners of faces of walls, metres.
        normal: (F, 3) their unit normals, none of them vertical; zero where there is none.
        owner: (F,) number of the object of each.
    """
    if not len(triangles):
        return np.empty((0, 3, 2))
    edges = _edges(triangles)
    walls = _walls(triangles, normal, owner.astype(np.int64), edges)
    start, bays = _runs(walls)
    floor, eaves = _storeys(triangles, walls, edges)
    storeys = np.maximum(1, np.rint((eaves - floor) / STOREY_M))
    storey = np.maximum(eaves - floor, _SMALLEST_M) / storeys
    small = (bays == 0) | (_heights(triangles, walls.of) < _SMALLEST_M)
    scale = np.where(small, 2 * _PIER / np.maximum(walls.length, 1e-6), bays)
    shift = np.where(small, -_PIER, start)
    u = shift[walls.of][:, None] + scale[walls.of][:, None] * walls.along
    v = (triangles[..., 2] - floor[walls.of][:, None]) / storey[walls.of][:, None]
    return np.stack([u, v], axis=-1)


def _edges(triangles: Array) -> _Edges:
    spots, which = np.unique(np.round(triangles.reshape(-1, 3), 3), axis=0, return_inverse=True)
    which = which.reshape(-1, 3)
    ends = np.sort(np.stack([which, np.roll(which, -1, axis=1)], axis=-1), axis=-1).reshape(-1, 2)
    one, two = spots[ends[:, 0]], spots[ends[:, 1]]
    length = np.hypot(*(two - one)[:, :2].T)
    opposite = np.roll(triangles[..., 2], 1, axis=1).ravel()
    level = np.abs(two[:, 2] - one[:, 2]) < _SLOPE * length
    return _Edges(
        np.repeat(np.arange(len(triangles)), 3),
        ends[:, 0] * len(spots) + ends[:, 1],
        length,
        (one[:, 2] + two[:, 2]) / 2,
        level & (opposite < np.minimum(one[:, 2], two[:, 2])),
    )


def _joined(normal: Array, owner: Ints, edges: _Edges) -> Ints:
    """Number of the wall of every face: those of one object in one plane that share edges."""
    # Of walls with two sides, front and back meet in one edge: each next to its like.
    side = normal[edges.face] @ [0.83, 0.55, 0.1]
    order = np.lexsort((side, owner[edges.face], edges.key))
    first, second = edges.face[order[:-1]], edges.face[order[1:]]
    joined = (edges.key[order[:-1]] == edges.key[order[1:]]) & (owner[first] == owner[second])
    joined &= (normal[first] * normal[second]).sum(axis=1) > _PLANE
    pairs = first[joined], second[joined]
    graph = coo_array((np.ones(joined.sum()), pairs), shape=(len(owner), len(owner)))
    return np.asarray(connected_components(graph, directed=False)[1], np.int64)


def _walls(triangles: Array, normal: Array, owner: Ints, edges: _Edges) -> _Walls:
    of = _joined(normal, owner, edges)
    sums = [np.bincount(of, normal[:, k]) for k in range(2)]
    facing: Array = np.stack(sums, axis=-1).astype(np.float64)
    facing /= np.maximum(np.linalg.norm(facing, axis=1, keepdims=True), 1e-9)
    right = np.stack([-facing[:, 1], facing[:, 0]], axis=-1)
    along = np.einsum("fcx,fx->fc", triangles[..., :2], right[of])
    deep = np.einsum("fcx,fx->fc", triangles[..., :2], facing[of]).mean(axis=1)
    deep = np.bincount(of, deep) / np.bincount(of)
    left, most = np.full(len(facing), np.inf), np.full(len(facing), -np.inf)
    np.minimum.at(left, of, along.min(axis=1))
    np.maximum.at(most, of, along.max(axis=1))
    ends = np.stack([left, most], axis=-1)[..., None] * right[:, None]
    ends += (deep[:, None] * facing)[:, None]
    owners = np.zeros(len(facing), np.int64)
    owners[of] = owner
    return _Walls(of, along - left[of][:, None], ends, facing, owners)


def _runs(walls: _Walls) -> tuple[Array, Array]:
    """Bays before each wall's left edge, (W,), and bays a metre, (W,); 0: it is too short."""
    follower = _followers(walls)
    length = walls.length
    start, scale = np.zeros_like(length), np.zeros_like(length)
    seen = np.zeros(len(length), bool)
    heads = np.setdiff1d(np.arange(len(length)), list(follower.values()))
    for head in (*heads.tolist(), *range(len(length))):
        run: list[int] = []
        wall: int | None = head
        while wall is not None and not seen[wall]:
            seen[wall] = True
            run.append(wall)
            wall = follower.get(wall)
        if not run:
            continue
        total = float(length[run].sum())
        if total >= _SMALLEST_M:
            scale[run] = max(1, round(total / BAY_M)) / total
            start[run] = (np.cumsum(length[run]) - length[run]) * scale[run]
    return start, scale


def _followers(walls: _Walls) -> dict[int, int]:
    """The wall that goes on, around a blunt corner, where each ends on the right."""
    narrow = walls.length < _SMALLEST_M
    place = np.rint(walls.ends * 50).astype(np.int64)
    starts: dict[tuple[int, ...], list[int]] = {}
    for wall, (owner, left) in enumerate(zip(walls.owner.tolist(), place[:, 0], strict=True)):
        starts.setdefault((owner, *left.tolist()), []).append(wall)
    follower: dict[int, int] = {}
    taken: set[int] = set()
    for wall, (owner, right) in enumerate(zip(walls.owner.tolist(), place[:, 1], strict=True)):
        for other in starts.get((owner, *right.tolist()), ()):
            least = _BOW if narrow[wall] and narrow[other] else _RUN
            blunt = walls.normal[wall] @ walls.normal[other] > least
            if other != wall and other not in taken and blunt:
                follower[wall] = other
                taken.add(other)
                break
    return follower


def _storeys(triangles: Array, walls: _Walls, edges: _Edges) -> tuple[Array, Array]:
    """Height of the ground floor and of the eaves of each wall, metres: (W,) each.

    The eaves are where half of the wall ends, or else where most of its object's walls do.
    """
    lowest, highest = np.full((2, walls.owner.max() + 1), [[np.inf], [-np.inf]])
    owner = walls.owner[walls.of]
    np.minimum.at(lowest, owner, triangles[..., 2].min(axis=1))
    np.maximum.at(highest, owner, triangles[..., 2].max(axis=1))
    order = np.argsort(edges.key, kind="stable")
    once = np.ones(len(order), bool)
    same = np.diff(edges.key[order]) == 0
    once[order[1:][same]] = once[order[:-1][same]] = False
    top = edges.top & once
    of, height, length = walls.of[edges.face[top]], edges.height[top], edges.length[top]
    common, _ = _commonest(walls.owner[of], height, length, len(lowest))
    common = np.where(np.isfinite(common), common, highest)
    own, share = _commonest(of, height, length, len(walls.owner))
    level = share > 0.5 * walls.length
    return lowest[walls.owner], np.where(level, own, common[walls.owner])


def _commonest(group: Ints, height: Array, length: Array, count: int) -> tuple[Array, Array]:
    """The height with the most metres in each group, and how many; NaN where there are none."""
    step = np.rint(height * 5).astype(np.int64)
    key, first, which = np.unique(
        np.stack([group, step], axis=-1), axis=0, return_index=True, return_inverse=True
    )
    metres = np.bincount(which.reshape(-1), length, len(key))
    order = np.argsort(metres, kind="stable")
    best, most = np.full(count, np.nan), np.zeros(count)
    best[key[order, 0]], most[key[order, 0]] = height[first[order]], metres[order]
    return best, most


def _heights(triangles: Array, of: Ints) -> Array:
    """Metres from the foot to the top of every wall, (W,)."""
    low, high = np.full((2, of.max() + 1), [[np.inf], [-np.inf]])
    np.minimum.at(low, of, triangles[..., 2].min(axis=1))
    np.maximum.at(high, of, triangles[..., 2].max(axis=1))
    return np.asarray(high - low)
