"""Candidates: chains that were seen to light a cell, shared with the points around it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vasgen.vas.cells import Cells
from vasgen.vas.guided import Pairs

Index = NDArray[np.int64]


class Candidates:
    """The chains of mirrors that may lead to the points of one view.

    Args:
        cells: of the view.
        cell: (C,) int64, cell that was seen lit.
        chain: (C, R) int64, planes in the order a path meets them; -1 behind the last.

    Attributes:
        mirrors: (K, R) int64, each chain once; the first is empty: no mirror at all.
    """

    def __init__(self, cells: Cells, cell: Index, chain: Index) -> None:
        every = np.concatenate([np.full((1, chain.shape[1]), -1), chain])
        self.mirrors, number = np.unique(every, axis=0, return_inverse=True)
        row, near = cells.around(cell)
        keys = np.unique(near * len(self.mirrors) + number.reshape(-1)[1:][row])
        self._cells = cells
        self._cell, self._row = np.divmod(keys, len(self.mirrors))

    def pairs(self, pixel: Index) -> Pairs:
        """Every point with every chain of its cell and those around it, and with the empty one.

        Args:
            pixel: (P,) int64, pixel of each point.
        """
        cell = self._cells.of_pixel[pixel]
        order = np.argsort(cell, kind="stable")
        begin = np.searchsorted(cell[order], self._cell)
        count = np.searchsorted(cell[order], self._cell, side="right") - begin
        run = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
        point = order[np.repeat(begin, count) + run]
        return Pairs(
            np.concatenate([np.arange(len(pixel)), point]),
            np.concatenate([np.zeros(len(pixel), np.int64), np.repeat(self._row, count)]),
        )
