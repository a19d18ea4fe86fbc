"""Patches: the pixels that a chain lights, and where on a view its light ends.

Within a patch a chain lights whole footprints, as it lights their middles. Only at its border,
and only if it brings power that matters, do rays have to ask which part of a footprint it lights.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from vasgen.vas.surfaces.keys import distinct

Array = NDArray[np.float64]
Index = NDArray[np.int64]
Mask = NDArray[np.bool_]

_AROUND = [(dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1) if dy or dx]


class Patches(NamedTuple):
    """Paths to the middles of the pixels of a view.

    Attributes:
        shape: height and width of the image.
        pixel: (N,) int64, row-major.
        mirrors: (N,) int64, number of the chain of mirrors.
        chain: (N,) int64, number of the whole chain, with its slabs.
        matters: (N,) bool, whether it is a good part of its pixel's power.
    """

    shape: tuple[int, int]
    pixel: Index
    mirrors: Index
    chain: Index
    matters: Mask

    def inner(self, asked: Mask) -> Mask:
        """Which paths light whole footprints: they matter little, or light all neighbours too.

        Args:
            asked: (P,) bool, pixels that are asked for.

        Returns:
            (N,) bool; False at all other pixels.
        """
        count = int(self.chain.max(initial=0)) + 1
        near = ndimage.maximum_filter(asked.reshape(self.shape), 3).ravel()[self.pixel]
        known = np.sort(self.pixel[near] * count + self.chain[near])
        rows = np.flatnonzero(asked[self.pixel])
        whole = np.ones(len(rows), bool)
        for near, inside in _neighbours(self.pixel[rows], self.shape):
            key = near * count + self.chain[rows]
            slot = np.minimum(np.searchsorted(known, key), max(len(known) - 1, 0))
            whole &= inside & (known[slot] == key)
        inner = np.zeros(len(self.pixel), bool)
        inner[rows] = whole | ~self.matters[rows]
        return inner

    def beside(self, asked: Mask) -> tuple[Index, Index]:
        """Chains of mirrors that matter at some pixels or at neighbours of theirs.

        Args:
            asked: (P,) bool, pixels that are asked for.

        Returns:
            (M,) pixels, and (M,) chains of mirrors; each pair once.
        """
        count = int(self.mirrors.max(initial=0)) + 1
        near = ndimage.maximum_filter(asked.reshape(self.shape), 3).ravel()[self.pixel]
        pixel, mirrors = (n[near & self.matters] for n in (self.pixel, self.mirrors))
        every = [(pixel, np.ones(len(pixel), bool)), *_neighbours(pixel, self.shape)]
        some = [inside & asked[near] for near, inside in every]
        keys = [(n * count + mirrors)[s] for (n, _), s in zip(every, some, strict=True)]
        pixel, mirrors = np.divmod(distinct(np.concatenate(keys)), count)
        return pixel, mirrors


def _neighbours(pixel: Index, shape: tuple[int, int]) -> list[tuple[Index, Mask]]:
    """The neighbours of pixels, one place after another, and whether they are in the image."""
    row, column = np.divmod(pixel, shape[1])
    found = []
    for dy, dx in _AROUND:
        y, x = row + dy, column + dx
        inside = (y >= 0) & (y < shape[0]) & (x >= 0) & (x < shape[1])
        found.append((np.where(inside, y * shape[1] + x, 0), inside))
    return found
