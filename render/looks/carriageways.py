"""Where a point of a street lies on it: metres along it and to the left of its middle.

A scene knows which faces are one piece of road, but not where it leads. That follows from its
outline: the kerbs of a street run along a curve, half the width on either side. One affine map
per face leads from texture coordinates to places on the street; junctions have none.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vasgen.bundle import FaceTable
from vasgen.render.looks.walls import Frames, affine
from vasgen.semantics import SemanticClass

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Only pieces of road so much longer than wide have a direction, at least so long and half so
#: wide, metres: others are scraps at crossings and at the edge of a scene.
_SLENDER, _LEAST_M, _LEAST_HALF_M = 1.5, 10.0, 2.0

#: Only faces at least so level count (sine of the slope of the normal): a road may be a slab.
_LEVEL = 0.5

#: How far kerbs may lie off the curve, root of mean square over half the width.
_OFF = 0.08

#: How much the area of a piece may differ from its kerbs' length times its width.
_SPARE = 0.1

#: Edges of the outline at least so much along the street (cosine) are kerbs.
_ALONG = 0.7

#: Powers of the curve of a street's middle over the way along it.
_POWERS = 4

#: Streets at least this wide have parked cars on both sides, which need so much each, metres.
WIDE_M, PARKED_M = 9.5, 2.2

#: Two lanes need about this much, metres.
_TWO_LANES_M = 7.0


class _Outline(NamedTuple):
    """Points of the outlines of pieces of road.

    Attributes:
        piece: (N,) number of the piece.
        place: (N, 2) metres.
        way: (N, 2) unit vector along the outline, either way round.
        weight: (N,) length of outline that each stands for, metres.
        cut: (N,) whether another piece of road goes on behind it.
    """

    piece: Ints
    place: Array
    way: Array
    weight: Array
    cut: NDArray[np.bool_]


def street_frames(faces: FaceTable, uv: NDArray[np.float32]) -> Frames:
    """Frames of the streets of a scene, of their carriageways and what is painted on them.

    Returns:
        Across a street is to the left of its middle; the lengths are the width of a lane and
        half that of the carriageway.
    """
    road = (faces.semantic == SemanticClass.ROAD) | (faces.semantic == SemanticClass.ROAD_MARKING)
    coordinates = uv.astype(np.float64)
    du, dv = (coordinates[:, k] - coordinates[:, 0] for k in (1, 2))
    area = du[:, 0] * dv[:, 1] - du[:, 1] * dv[:, 0]
    road &= (faces.instance > 0) & (faces.normal[:, 2] > _LEVEL)
    index = np.flatnonzero(road & (np.abs(area) > 1e-9))
    number = np.zeros(len(road), np.uint32)
    if not len(index):
        return Frames(number, np.zeros((1, 8), np.float32), np.zeros(1, np.uint32))
    _, piece = np.unique(faces.instance[index], return_inverse=True)
    corners = faces.triangles[index][..., :2].astype(np.float64)
    outline = _outline(piece, corners)
    size = _areas(piece, corners)
    middle, axis = _axes(outline, len(size))
    curve, half = _curves(outline, middle, axis, size)
    straight = half > 0
    along, left = _turned(corners - middle[piece][:, None], axis[piece][:, None])
    left = (left - _polynomial(curve[piece][:, None], along)) * _cosine(
        curve[piece][:, None], along
    )
    kept = straight[piece]
    index, piece, along, left = index[kept], piece[kept], along[kept], left[kept]
    number[index] = 1 + np.arange(len(index))
    rows = np.zeros((len(index) + 1, 8), np.float32)
    fit = (coordinates[index, 0], du[index], dv[index], area[index])
    rows[1:, 0:3], rows[1:, 3:6] = affine(along, *fit), affine(left, *fit)
    driven = half - np.where(2 * half > WIDE_M, PARKED_M, 0)
    lanes = np.maximum(1, np.rint(2 * driven / _TWO_LANES_M))
    rows[1:, 6], rows[1:, 7] = (driven / lanes)[piece], half[piece]
    return Frames(number, rows, np.append(0, piece + 1).astype(np.uint32))


def _outline(piece: Ints, corners: Array) -> _Outline:
    """The edges that only one face of a piece of road has, by both their ends.

    Faces with an edge below a millimetre do without: their other edges are one.
    """
    spots, which = np.unique(np.round(corners.reshape(-1, 2), 3), axis=0, return_inverse=True)
    which = which.reshape(-1, 3)
    wide = (which != np.roll(which, -1, axis=1)).all(axis=1)
    which, piece = which[wide], piece[wide]
    ends = np.sort(np.stack([which, np.roll(which, -1, axis=1)], axis=-1), axis=-1).reshape(-1, 2)
    of = np.repeat(piece, 3)
    key = (of * len(spots) + ends[:, 0]) * len(spots) + ends[:, 1]
    _, first, times = np.unique(key, return_index=True, return_counts=True)
    edge = first[times == 1]
    _, pair, times = np.unique(ends[edge], axis=0, return_inverse=True, return_counts=True)
    cut = times[pair.reshape(-1)] > 1
    one, two = spots[ends[edge, 0]], spots[ends[edge, 1]]
    length = np.hypot(*(two - one).T)
    place = np.concatenate([one, (one + two) / 2, two])
    way = np.tile((two - one) / length[:, None], (3, 1))
    # Simpson's rule.
    weight = np.concatenate([length, 4 * length, length]) / 6
    return _Outline(np.tile(of[edge], 3), place, way, weight, np.tile(cut, 3))


def _areas(piece: Ints, corners: Array) -> Array:
    """Area in plan of every piece, (P,) square metres."""
    one, two = (corners[:, k] - corners[:, 0] for k in (1, 2))
    plan = np.abs(one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0]) / 2
    return np.bincount(piece, plan).astype(np.float64)


def _axes(outline: _Outline, count: int) -> tuple[Array, Array]:
    """Middle (P, 2) and main direction (P, 2) of every piece."""
    total = np.maximum(np.bincount(outline.piece, outline.weight, count), 1e-9)

    def mean(values: Array) -> Array:
        return np.asarray(np.bincount(outline.piece, values * outline.weight, count) / total)

    middle = np.column_stack([mean(outline.place[:, k]) for k in range(2)])
    x, y = (outline.place - middle[outline.piece]).T
    turn = np.arctan2(2 * mean(x * y), mean(x * x) - mean(y * y)) / 2
    return middle, np.column_stack([np.cos(turn), np.sin(turn)])


def _curves(outline: _Outline, middle: Array, axis: Array, area: Array) -> tuple[Array, Array]:
    """Middle line (P, powers) and half the width (P,) of every piece; 0: it is no street."""
    piece, count = outline.piece, len(area)
    along, left = _turned(outline.place - middle[piece], axis[piece])
    reach = np.full(count, 1e-3)
    np.maximum.at(reach, piece, np.abs(along))
    kerb = ~outline.cut & (np.abs((outline.way * axis[piece]).sum(axis=1)) > _ALONG)
    weight = np.where(kerb, outline.weight, 0)
    side = np.where(left > 0, 1.0, -1.0)
    for _ in range(3):
        powers = (along / reach[piece])[:, None]
        powers = np.concatenate([powers ** np.arange(_POWERS), side[:, None]], axis=1)
        fit = _least_squares(powers, left, weight, piece, count)
        found = (powers[:, :-1] * fit[piece, :-1]).sum(axis=1)
        side = np.where(left > found, 1.0, -1.0)
    off = left - found - side * fit[piece, -1]
    kerbs = np.stack([np.bincount(piece, weight * (side == of), count) for of in (-1, 1)])
    total = np.maximum(kerbs.sum(axis=0), 1e-9)
    error = np.sqrt(np.bincount(piece, weight * off * off, count) / total)
    half = fit[:, -1]
    fine = (reach > _SLENDER * half) & (error < _OFF * half)
    fine &= np.abs(half * total - area) < _SPARE * area
    fine &= (kerbs.min(axis=0) > _LEAST_M) & (half > _LEAST_HALF_M)
    curve = fit[:, :-1] / reach[:, None] ** np.arange(_POWERS)
    return curve, np.where(fine, half, 0)


def _least_squares(powers: Array, value: Array, weight: Array, piece: Ints, count: int) -> Array:
    """Coefficients (P, K) that fit values best, for every piece."""
    size = powers.shape[1]
    left = np.zeros((count, size, size))
    right = np.zeros((count, size))
    for i in range(size):
        right[:, i] = np.bincount(piece, weight * powers[:, i] * value, count)
        for j in range(size):
            left[:, i, j] = np.bincount(piece, weight * powers[:, i] * powers[:, j], count)
    left += 1e-6 * np.eye(size)
    return np.asarray(np.linalg.solve(left, right[..., None])[..., 0])


def _turned(place: Array, axis: Array) -> tuple[Array, Array]:
    """Coordinates along an axis and to its left."""
    along = place[..., 0] * axis[..., 0] + place[..., 1] * axis[..., 1]
    left = place[..., 1] * axis[..., 0] - place[..., 0] * axis[..., 1]
    return np.asarray(along), np.asarray(left)


def _polynomial(curve: Array, along: Array) -> Array:
    return np.asarray(sum(curve[..., k] * along**k for k in range(_POWERS)))


def _cosine(curve: Array, along: Array) -> Array:
    """Of the angle between a curve and the axis."""
    slope = sum(k * curve[..., k] * along ** (k - 1) for k in range(1, _POWERS))
    return np.asarray(1 / np.sqrt(1 + np.square(slope)))
