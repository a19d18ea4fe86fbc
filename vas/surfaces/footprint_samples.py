"""Footprint samples: the points that stand for a pixel's footprint.

A label is a mean over the footprint. Where the power hardly changes from pixel to pixel, its
middle is as good as the mean; at the border of a shadow, of a mirror's image or of an object
several points are needed.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vasgen.vas.paths.paths import Points
from vasgen.vas.surfaces.surface import ReceiverSurface, Target, offset_m

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

#: Pixels that differ by more than this from the mean of two opposite neighbours are averaged
#: over several points, dB.
_BENT_DB = 0.25

#: Gains below this are all the same nothing, dB.
_NOTHING_DB = -170.0

_POINTS_PER_SIDE = 2  # on a pixel of one quad; pixels of several have a point on each


def middles(surface: ReceiverSurface, origin: Array) -> Points:
    """The middle of each pixel that receives.

    Args:
        surface: the receivers.
        origin: (3,) origin of the traced coordinates, world metres.
    """
    pixel = surface.centres.pixel
    return Points(pixel, np.ones(len(pixel)), surface.target(origin))


def uneven(gain: Array, surface: ReceiverSurface) -> Mask:
    """Rows around which the gain bends, so that the middle is no mean.

    A steady slope is harmless: what one side of a footprint has more the other has less.

    Args:
        gain: (P,) linear, at the surface's centres.
        surface: the receivers.

    Returns:
        (P,) bool, rows of the surface's centres.
    """
    level = np.full(surface.num_pixels, np.nan)
    level[surface.centres.pixel] = np.maximum(10 * np.log10(np.maximum(gain, 1e-30)), _NOTHING_DB)
    level = level.reshape(surface.shape)
    rows, columns = surface.shape
    padded = np.pad(level, 1, constant_values=np.nan)
    bends = np.zeros(surface.shape, bool)
    for dy, dx in ((0, 1), (1, 0), (1, 1), (1, -1)):
        before, after = (
            padded[1 + y : 1 + y + rows, 1 + x : 1 + x + columns] - level
            for y, x in ((-dy, -dx), (dy, dx))
        )
        # The sky bends nothing, but beside it a slope does harm: the footprint is cut.
        bends |= np.abs(np.nan_to_num(before) + np.nan_to_num(after)) > 2 * _BENT_DB
    chosen: Mask = bends.ravel()[surface.centres.pixel]
    return chosen


def spread(surface: ReceiverSurface, rows: Mask, origin: Array) -> Points:
    """Points on the footprints of some pixels, weighted by the area they stand for.

    Args:
        surface: the receivers.
        rows: (P,) bool, which of the surface's centres.
        origin: (3,) origin of the traced coordinates, world metres.
    """
    chosen = np.zeros(surface.num_pixels, bool)
    chosen[surface.centres.pixel[rows]] = True
    quads = np.flatnonzero(chosen[surface.pixel])
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
    order = np.argsort(surface.pixel[quad], kind="stable")
    quad, point = quad[order], np.concatenate(points)[order]
    normal = surface.normal[quad]
    lifted = point + offset_m(point, origin)[:, None] * normal
    return Points(surface.pixel[quad], np.concatenate(weight)[order], Target(lifted, normal))
