"""Diffraction on an image: which wedges matter to which pixels.

A view asks for many pixels times many wedges. Neighbouring pixels of one plane share their
wedges, so the search runs on a few pixels of each plane in each coarse cell, and every
pixel evaluates only what those around it receive. A pixel's label is the mean over its
footprint: where the gain changes from pixel to pixel, several points are evaluated.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vasgen.vas.edges.diffraction import Diffraction
from vasgen.vas.edges.scouts import Candidates, Scouts
from vasgen.vas.surfaces.footprint_samples import spread, uneven
from vasgen.vas.surfaces.surface import ReceiverSurface, Target, sum_by_group

Array = NDArray[np.float64]
Index = NDArray[np.int64]

#: Wedges that are kept where the search looks: the strongest, down to this share of the sum.
_MOST_WEDGES = 12
_KEPT_SHARE = 0.995

#: Pairs of wedge and point handled at once in the search: bounds the memory to some 300 MB.
_PAIRS_AT_ONCE = 1_000_000


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
    found = wedge_candidates(diffraction, surface, origin)
    if not len(found.row):
        return total
    target = surface.target(origin)
    gain = sum_by_group(found.row, diffraction.gain(*found, target), len(pixel))
    rows = uneven(gain, surface)
    points = spread(surface, rows, origin)
    if len(points):
        chosen = rows[found.row]
        wedge, point = Candidates(found.way[chosen], found.row[chosen]).at(points, surface)
        each = points.weight[point] * diffraction.gain(wedge, point, points.target)
        mean = sum_by_group(points.pixel[point], each, surface.num_pixels)
        gain = np.where(rows, mean[pixel], gain)
    total[pixel] = gain
    return total


def wedge_candidates(
    diffraction: Diffraction, surface: ReceiverSurface, origin: Array
) -> Candidates:
    """Wedges that matter to each pixel.

    Args:
        diffraction: from one transmitter; its wedges are the ways.
        surface: the receivers.
        origin: (3,) origin of the traced coordinates, world metres.
    """
    scouts = Scouts(surface)
    if not len(diffraction.wedges) or not len(scouts.row):
        return Candidates(*np.zeros((2, 0), np.int64))
    return scouts.shared(*_strongest(diffraction, surface.target(origin).take(scouts.row)))


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
