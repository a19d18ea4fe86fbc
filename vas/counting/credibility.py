"""Credibility: how far a noisy count is believed, beside those around it.

A block of pixels that few rays have met knows its power badly; the mean of the blocks around it
knows it well, if they are alike. How alike they are, their scatter beyond the noise tells. The
weight of a block's own count is then the share of that scatter in both: the linear estimate of
least error (Bühlmann and Straub 1970). Means are believed likewise, beside wider ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vasgen.vas.surfaces.surface import sum_by_group

Array = NDArray[np.float64]
Index = NDArray[np.int64]


class Counts(NamedTuple):
    """Mean powers of areas.

    Attributes:
        gain: (C,) float64.
        variance: (C,) float64, of ``gain``, from each one's own hits; falls with the area among
            those that are alike.
        area: (C,) float64, square metres; zero for what receives nothing.
    """

    gain: Array
    variance: Array
    area: Array


class Beliefs(NamedTuple):
    """What counts are believed to mean.

    Attributes:
        gain: (C,) float64.
        own: (C,) float64, variance of ``gain`` that each has for itself.
        shared: (C,) float64, variance that all have in common that lean on the same mean.
    """

    gain: Array
    own: Array
    shared: Array


def believed(counts: Counts, levels: Sequence[Index]) -> Beliefs:
    """Counts drawn towards the means of wider and wider neighbourhoods.

    Args:
        counts: of blocks.
        levels: (C,) number of the neighbourhood of each block, from the narrowest to the widest;
            each is part of one of the next.

    Returns:
        The same blocks: expected power, and its variance. All together have the power that was
        counted.
    """
    if not levels:
        return Beliefs(counts.gain, counts.variance, np.zeros_like(counts.gain))
    group = levels[0]
    size = int(group.max()) + 1
    area = sum_by_group(group, counts.area, size)
    mean = _divided(sum_by_group(group, counts.area * counts.gain, size), area)
    noise = _divided(sum_by_group(group, counts.area**2 * counts.variance, size), area)
    wider = [_of_groups(level, group, size) for level in levels[1:]]
    around = believed(Counts(mean, _divided(noise, area), area), wider)
    beside = wider[0] if wider else np.zeros(size, np.int64)
    between = _scatter(counts, group, mean, noise, beside) * around.gain**2
    own = _divided(_expected(mean, noise, area, beside, around.gain)[group], counts.area)
    weight = _divided(between[group], between[group] + own)
    # What blocks lean on leaves their mean where it is believed to be.
    kept = sum_by_group(group, counts.area * weight * counts.gain, size)
    spare = sum_by_group(group, counts.area * (1 - weight), size)
    most = np.minimum(1.0, _divided(area * around.gain, kept))
    lean = _divided(area * around.gain - most * kept, spare)
    gain = weight * most[group] * counts.gain + (1 - weight) * lean[group]
    shared = (1 - weight) ** 2 * (around.own + around.shared)[group]
    return Beliefs(gain, weight * own, shared)


def _expected(mean: Array, noise: Array, area: Array, wider: Index, around: Array) -> Array:
    """Noise of groups, times area, as their neighbourhood lets one expect it.

    A group without hits would seem to be without noise, and surely dark. But noise is in
    proportion to power, and how much there is to a unit of it is the same nearby.
    """
    count = int(wider.max()) + 1
    unit = _divided(
        sum_by_group(wider, noise * area, count), sum_by_group(wider, mean * area, count)
    )
    expected: Array = unit[wider] * around
    return expected


def _scatter(counts: Counts, group: Index, mean: Array, noise: Array, wider: Index) -> Array:
    """Variance of blocks about the mean of their group beyond noise, in units of its square.

    One figure for all groups of a wider neighbourhood: that of a few blocks would be a guess.
    """
    size = len(mean)
    number = sum_by_group(group, (counts.area > 0).astype(np.float64), size)
    area = sum_by_group(group, counts.area, size)
    scatter = sum_by_group(group, counts.area * (counts.gain - mean[group]) ** 2, size)
    spread = area - _divided(sum_by_group(group, counts.area**2, size), area)
    beyond = scatter - np.maximum(number - 1, 0) * noise
    # The square of a noisy mean is too large by its variance.
    square = mean**2 - _divided(noise, area)
    count = int(wider.max()) + 1
    whole = sum_by_group(wider, beyond, count), sum_by_group(wider, spread * square, count)
    return np.maximum(_divided(*whole), 0.0)[wider]


def _of_groups(level: Index, group: Index, size: int) -> Index:
    """Number of the wider neighbourhood of each group."""
    wider = np.zeros(size, np.int64)
    wider[group] = level
    return wider


def _divided(numerator: Array, denominator: Array) -> Array:
    out = np.zeros(np.broadcast(numerator, denominator).shape)
    np.divide(numerator, denominator, out=out, where=denominator > 0)
    return out
