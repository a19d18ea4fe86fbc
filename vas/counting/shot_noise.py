"""Shot noise: what the finite number of counted rays leaves uncertain.

If hits were Poisson distributed, the variance of a sum of them would be the expected sum of
their squares. Three things are to be known about that:

- A pixel's own squares estimate it badly where hits are few: a pixel that a rare strong path
  happened to miss cannot know that from its own hits. So neighbours on one plane share theirs.
- Neighbours need not be lit alike: the more hits a pixel can expect, the more its own count,
  and it never has less than its own. Half in shadow, the mean of all would be too small.
- A lattice of directions is more even than Poisson hits where many of them arrive. How much
  more, the scatter of whole chunks tells, summed over the neighbourhood.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vasgen.vas.counting.receivers import Totals

Array = NDArray[np.float64]

#: Hits a pixel must expect for its own squares to weigh as much as its neighbours'.
_OWN_HITS = 4.0

#: Least variance of a lattice, in units of Poisson's: a few chunks may agree by chance.
_MOST_EVEN = 0.2


class ShotNoise:
    """Variance of the sums counted on one surface.

    Args:
        groups: (P,) number of each pixel's neighbourhood, whose pixels share their statistics.
        area: (P,) square metres of each pixel's footprint.
    """

    def __init__(self, groups: NDArray[np.int64], area: Array) -> None:
        self._groups = groups
        self._area = area
        self._share = _divided(self._area, self._shared(self._area))
        pixels = self._shared((self._area > 0).astype(np.float64))
        self._per_area = _divided(np.ones_like(self._area), self._area * pixels)

    def variance(self, totals: Totals, rays: int, chunks: int) -> Array:
        """Variance of the sum of all hits, (P,).

        Args:
            totals: what was counted.
            rays: number of rays that were.
            chunks: number of lattices they came from.
        """
        return self._poisson(totals) * self._unevenness(totals, rays, chunks)

    def own(self, totals: Totals, rays: int, chunks: int) -> Array:
        """The same from each pixel's own hits alone: right in the mean, and mostly zero if few."""
        return totals.second * self._unevenness(totals, rays, chunks)

    def _poisson(self, totals: Totals) -> Array:
        """Expected sum of squares.

        Hits grow with a pixel's area, and what each of them adds falls with it: their sum is
        the same for all sizes, their sum of squares falls with the area.
        """
        area, own = self._area, totals.second
        neighbours = self._shared(own * area) * self._per_area
        hits = _divided(self._shared(totals.first * area) ** 2, self._shared(own * area**2))
        expected = hits * self._share
        blend = (expected * own + _OWN_HITS * neighbours) / (expected + _OWN_HITS)
        return np.maximum(own, blend)

    def _unevenness(self, totals: Totals, rays: int, chunks: int) -> Array:
        """Variance of whole chunks about their mean, in units of Poisson's; at most one.

        Were the hits of rays independent, a chunk's sum over its rays would vary with one over
        their number: the weighted mean of its square, less the square of the mean.
        """
        if chunks < 2:
            return np.ones_like(totals.first)
        scatter = (totals.spread * rays - totals.first**2) / (chunks - 1)
        ratio = _divided(
            self._shared(scatter * self._area), self._shared(totals.second * self._area)
        )
        return np.clip(ratio, _MOST_EVEN, 1.0)

    def _shared(self, values: Array) -> Array:
        """Sum over the neighbourhood of each pixel."""
        total: Array = np.bincount(self._groups, values).astype(np.float64)[self._groups]
        return total


def _divided(numerator: Array, denominator: Array) -> Array:
    out = np.zeros_like(numerator)
    np.divide(numerator, denominator, where=denominator > 0, out=out)
    return out
