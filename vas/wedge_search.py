"""Diffraction on an image: which wedges matter to which pixels.

A view asks for many pixels times many wedges. Neighbouring pixels of one plane share their
wedges, so the search runs on a few pixels of each plane in each coarse cell, and every
pixel evaluates only what those around it receive. A pixel's label is the mean over its
footprint: where the gain changes from pixel to pixel, several points are evaluated.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from vasgen.vas.diffraction import Diffraction
from vasgen.vas.surface import ReceiverSurface, Target, offset_m, sum_by_group

Array = NDArray[np.float64]
Index = NDArray[np.int64]

#: Side of a coarse cell: this share of the image's shorter side, at most so many pixels.
_CELLS, _WIDEST_CELL = 60, 8

#: Wedges that are kept where the search looks: the strongest, down to this share of the sum.
_MOST_WEDGES = 12
_KEPT_SHARE = 0.995

#: Pairs of wedge and point handled at once in the search: bounds the memory to some 300 MB.
_PAIRS_AT_ONCE = 1_000_000

#: Pixels that differ by more than this from a neighbour are averaged over several points.
_UNEVEN_DB = 3.0

#: Gains below this are all the same nothing, dB.
_NOTHING_DB = -170.0

_POINTS_PER_SIDE = 2  # on a pixel of one quad; pixels of several have a point on each


class _Samples(NamedTuple):
    """Points on the footprints of some pixels, sorted by their row among the surface's centres."""

    target: Target
    row: Index
    weight: Array


def diffraction_on_image(
    diffraction: Diffraction, surface: ReceiverSurface, origin: Array
) -> Array:
    """Diffracted path gain of every pixel, averaged over its footprint.

    Args:
        diffraction: from one transmitter.
        surface: the receivers.
        origin: (3,) origin of the traced coordinates, world metres.

    Returns:
        (height * width,) float64, linear; zero where nothing arrives.
    """
    total = np.zeros(surface.num_pixels)
    pixel = surface.centres.pixel
    if not len(diffraction.wedges) or not len(pixel):
        return total
    cell = int(np.clip(min(surface.shape) // _CELLS, 1, _WIDEST_CELL))
    target = surface.target(origin)
    scouts = _scouts(surface, cell)
    found = _strongest(diffraction, target.take(scouts))
    wedge, row = _shared(found, scouts, surface, cell)
    gain = sum_by_group(row, diffraction.gain(wedge, row, target), len(pixel))
    uneven = _uneven(gain, surface)
    samples = _samples(surface, uneven, origin)
    if len(samples.row):
        chosen = np.flatnonzero(uneven[row])
        pair, sample = _join(row[chosen], samples.row)
        each = diffraction.gain(wedge[chosen][pair], sample, samples.target)
        mean = sum_by_group(samples.row[sample], samples.weight[sample] * each, len(pixel))
        gain = np.where(uneven, mean, gain)
    total[pixel] = gain
    return total


def _scouts(surface: ReceiverSurface, cell: int) -> Index:
    """Rows of the pixels the search looks from: one for each plane in each cell."""
    pixel = surface.centres.pixel
    group = surface.neighbourhoods(cell)[pixel]
    row, column = np.divmod(pixel, surface.shape[1])
    middle = (cell - 1) / 2
    distance = np.abs(row % cell - middle) + np.abs(column % cell - middle)
    order = np.lexsort((distance, group))
    first = np.r_[True, np.diff(group[order]) > 0]
    scouts: Index = order[first]
    return scouts


def _strongest(diffraction: Diffraction, target: Target) -> tuple[Index, Index]:
    """The wedges that matter at each point, as pairs (wedge, point)."""
    blocks = max(1, _PAIRS_AT_ONCE // len(diffraction.wedges))
    count = len(target.point)
    parts = [
        _strongest_of(diffraction, target, np.arange(begin, min(begin + blocks, count)))
        for begin in range(0, count, blocks)
    ]
    wedge, point = (np.concatenate(some) for some in zip(*parts, strict=True))
    return wedge, point


def _strongest_of(diffraction: Diffraction, target: Target, some: Index) -> tuple[Index, Index]:
    """As :func:`_strongest`, for some points."""
    gain = diffraction.gains(target.take(some))
    most = min(_MOST_WEDGES, len(gain))
    strongest = np.argpartition(-gain, most - 1, axis=0)[:most]
    power = np.take_along_axis(gain, strongest, axis=0)
    order = np.argsort(-power, axis=0, kind="stable")
    strongest = np.take_along_axis(strongest, order, axis=0)
    power = np.take_along_axis(power, order, axis=0)
    before = np.cumsum(power, axis=0) - power
    rank, point = np.nonzero((power > 0) & (before < _KEPT_SHARE * gain.sum(axis=0)))
    return strongest[rank, point], some[point]


def _shared(
    found: tuple[Index, Index], scouts: Index, surface: ReceiverSurface, cell: int
) -> tuple[Index, Index]:
    """Pairs (wedge, row): each pixel with what the scouts in the 3x3 cells around it found."""
    wedge, scout = found
    columns, rows = (-(-size // cell) for size in surface.shape[::-1])
    row, column = np.divmod(surface.centres.pixel, surface.shape[1])
    cell_row, cell_column = row // cell, column // cell
    shifts = [(dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)]
    near_row = np.concatenate([cell_row[scouts[scout]] + dy for dy, _ in shifts])
    near_column = np.concatenate([cell_column[scouts[scout]] + dx for _, dx in shifts])
    inside = (near_row >= 0) & (near_row < rows) & (near_column >= 0) & (near_column < columns)
    many = np.tile(wedge, len(shifts))[inside]
    cells = (near_row * columns + near_column)[inside]
    num_wedges = int(wedge.max(initial=0)) + 1
    cells, many = np.divmod(np.unique(cells * num_wedges + many), num_wedges)
    cell_of = cell_row * columns + cell_column
    order = np.argsort(cell_of, kind="stable")
    pair, position = _join(cells, cell_of[order])
    return many[pair], order[position]


def _join(keys: Index, ordered: Index) -> tuple[Index, Index]:
    """All pairs (i, j) with ``keys[i] == ordered[j]``; ``ordered`` is sorted."""
    begin = np.searchsorted(ordered, keys)
    count = np.searchsorted(ordered, keys, side="right") - begin
    run = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    return np.repeat(np.arange(len(keys)), count), np.repeat(begin, count) + run


def _uneven(gain: Array, surface: ReceiverSurface) -> NDArray[np.bool_]:
    """Rows whose gain differs from a neighbouring pixel's, so that a point is no mean."""
    level = np.full(surface.num_pixels, np.nan)
    level[surface.centres.pixel] = np.maximum(10 * np.log10(np.maximum(gain, 1e-30)), _NOTHING_DB)
    level = level.reshape(surface.shape)
    highest = ndimage.maximum_filter(np.where(np.isnan(level), -np.inf, level), 3, mode="nearest")
    lowest = ndimage.minimum_filter(np.where(np.isnan(level), np.inf, level), 3, mode="nearest")
    with np.errstate(invalid="ignore"):
        uneven: NDArray[np.bool_] = (highest - lowest > _UNEVEN_DB).ravel()[surface.centres.pixel]
    return uneven


def _samples(surface: ReceiverSurface, rows: NDArray[np.bool_], origin: Array) -> _Samples:
    """Points on the footprints of some rows, weighted by the area they stand for."""
    row_of = np.full(surface.num_pixels, -1)
    row_of[surface.centres.pixel[rows]] = np.flatnonzero(rows)
    quads = np.flatnonzero(row_of[surface.pixel] >= 0)
    count = np.bincount(surface.pixel[quads], minlength=surface.num_pixels)
    single = count[surface.pixel[quads]] == 1
    parts = [(quads[single], _POINTS_PER_SIDE), (quads[~single], 1)]
    share = surface.quad_area / surface.pixel_area[surface.pixel]
    points, owner, weight = [], [], []
    for some, per_side in parts:
        points.append(surface.sample_points(per_side, some).reshape(-1, 3))
        owner.append(np.repeat(some, per_side**2))
        weight.append(np.repeat(share[some] / per_side**2, per_side**2))
    quad = np.concatenate(owner)
    row = row_of[surface.pixel[quad]]
    order = np.argsort(row, kind="stable")
    quad, point = quad[order], np.concatenate(points)[order]
    normal = surface.normal[quad]
    lifted = point + offset_m(point, origin)[:, None] * normal
    return _Samples(Target(lifted, normal), row[order], np.concatenate(weight)[order])
