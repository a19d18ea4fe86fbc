"""Where a point of a wall lies on it: metres from its left edge and above its ground floor.

Texture coordinates of walls count bays and storeys, or metres; what weather does to a wall
and what hangs on it goes by metres. One affine map per face leads from one to the other.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vasgen.bundle import FaceTable

Array = NDArray[np.float64]

#: Faces whose planes differ by less belong to one wall: turns of the normal, metres.
_TURN, _APART_M = 1 / 48, 0.25

#: Steeper than this a face is part of a wall (sine of its normal's elevation).
_UPRIGHT = 0.2


class Frames(NamedTuple):
    """Walls or streets and how to find points on them.

    Attributes:
        number: (F,) uint32 row of each face; 0 where a face is on none.
        rows: (R, 8) float32: metres along = r0 u + r1 v + r2, metres across = r3 u + r4 v + r5,
            and two lengths in metres; row 0 is empty. Across a wall is up from the ground floor,
            and its lengths are its own and the height of its top.
        piece: (R,) uint32 number of the wall or street, the same for all its faces.
    """

    number: NDArray[np.uint32]
    rows: NDArray[np.float32]
    piece: NDArray[np.uint32]


def wall_frames(faces: FaceTable, uv: NDArray[np.float32], chosen: NDArray[np.bool_]) -> Frames:
    """Frames of the walls of a scene.

    Args:
        faces: all faces.
        uv: (F, 3, 2) corner coordinates in tiles.
        chosen: (F,) which faces may be walls.
    """
    normal = faces.normal
    coordinates = uv.astype(np.float64)
    du, dv = (coordinates[:, k] - coordinates[:, 0] for k in (1, 2))
    area = du[:, 0] * dv[:, 1] - du[:, 1] * dv[:, 0]
    chosen = chosen & (np.abs(normal[:, 2]) < _UPRIGHT) & (np.abs(area) > 1e-9)
    index = np.flatnonzero(chosen)
    number = np.zeros(len(chosen), np.uint32)
    number[index] = 1 + np.arange(len(index))
    if not len(index):
        return Frames(number, np.zeros((1, 8), np.float32), np.zeros(1, np.uint32))
    right = np.column_stack([-normal[index, 1], normal[index, 0]])
    right /= np.linalg.norm(right, axis=1, keepdims=True)
    corners = faces.triangles[index]
    along, up = np.einsum("fcx,fx->fc", corners[..., :2], right), corners[..., 2]
    wall = _walls(faces, index)
    floor = _floors(faces.instance[index], up)
    left, length, top = _extent(wall, along, up - floor[:, None])
    rows = np.zeros((len(index) + 1, 8), np.float32)
    fit = (coordinates[index, 0], du[index], dv[index], area[index])
    rows[1:, 0:3] = affine(along - left[:, None], *fit)
    rows[1:, 3:6] = affine(up - floor[:, None], *fit)
    rows[1:, 6], rows[1:, 7] = length, top
    return Frames(number, rows, np.append(0, wall + 1).astype(np.uint32))


def merged(walls: Frames, streets: Frames) -> Frames:
    """Frames of the faces of both; none is in both."""
    below = len(walls.rows) - 1
    number = np.where(streets.number > 0, streets.number + np.uint32(below), walls.number)
    rows = np.concatenate([walls.rows, streets.rows[1:]])
    piece = np.append(walls.piece, streets.piece[1:] + walls.piece.max())
    return Frames(number.astype(np.uint32), rows, piece.astype(np.uint32))


def _walls(faces: FaceTable, index: NDArray[np.intp]) -> NDArray[np.int64]:
    """Number of the wall of each chosen face: object and plane."""
    normal = faces.normal[index]
    turn = np.arctan2(normal[:, 1], normal[:, 0]) / (2 * np.pi)
    middle = faces.triangles[index].mean(axis=1)
    offset = (middle * normal).sum(axis=1)
    # Planes often lie on whole millimetres or turns: round where none do.
    key = np.column_stack(
        [
            faces.instance[index],
            np.round(turn / _TURN + 0.137).astype(np.int64) % round(1 / _TURN),
            np.round(offset / _APART_M + 0.137).astype(np.int64),
        ]
    )
    _, wall = np.unique(key, axis=0, return_inverse=True)
    return np.asarray(wall.reshape(-1), np.int64)


def _floors(instance: NDArray[np.int32], up: Array) -> Array:
    """Height of the ground floor of each face's object, (F,): the foot of its walls."""
    _, which = np.unique(instance, return_inverse=True)
    lowest = np.full(which.max() + 1, np.inf)
    np.minimum.at(lowest, which, up.min(axis=1))
    return np.asarray(lowest[which])


def _extent(wall: NDArray[np.int64], along: Array, up: Array) -> tuple[Array, Array, Array]:
    """Left edge, length and top of each face's wall."""
    left, right, top = (np.full(wall.max() + 1, v) for v in (np.inf, -np.inf, -np.inf))
    np.minimum.at(left, wall, along.min(axis=1))
    np.maximum.at(right, wall, along.max(axis=1))
    np.maximum.at(top, wall, up.max(axis=1))
    return left[wall], (right - left)[wall], top[wall]


def affine(values: Array, origin: Array, du: Array, dv: Array, area: Array) -> Array:
    """Coefficients (F, 3) of u, v and one, from (F, 3) values at the corners."""
    first, second = values[:, 1] - values[:, 0], values[:, 2] - values[:, 0]
    by_u = (first * dv[:, 1] - second * du[:, 1]) / area
    by_v = (second * du[:, 0] - first * dv[:, 0]) / area
    constant = values[:, 0] - by_u * origin[:, 0] - by_v * origin[:, 1]
    return np.column_stack([by_u, by_v, constant])
