"""Scouts: the few points of a surface from which a search looks for many pixels.

Neighbouring pixels of one plane share what reaches them, so a search runs on one pixel of each
plane in each coarse cell; every pixel then tries only what the scouts around it receive.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vasgen.vas.paths.paths import Points
from vasgen.vas.surfaces.keys import distinct
from vasgen.vas.surfaces.surface import ReceiverSurface

Index = NDArray[np.int64]

#: Side of a coarse cell: this share of the image's shorter side, at most so many pixels.
_CELLS, _WIDEST_CELL = 60, 8


class Candidates(NamedTuple):
    """Ways over edges that may lead to pixels.

    Attributes:
        way: (N,) int64, row of the ways that were searched.
        row: (N,) int64, row of the surface's centres.
    """

    way: Index
    row: Index

    def at(self, points: Points, surface: ReceiverSurface) -> tuple[Index, Index]:
        """All pairs of a way and a point on a footprint that it may lead to.

        Args:
            points: on footprints of the surface.
            surface: the receivers.
        """
        row_of = np.zeros(surface.num_pixels, np.int64)
        row_of[surface.centres.pixel] = np.arange(len(surface.centres.pixel))
        pair, point = _join(self.row, row_of[points.pixel])
        return self.way[pair], point


class Scouts:
    """Scouts of one surface.

    Args:
        surface: the receivers.

    Attributes:
        row: (S,) int64, rows of the surface's centres that are scouts.
    """

    def __init__(self, surface: ReceiverSurface) -> None:
        cell = int(np.clip(min(surface.shape) // _CELLS, 1, _WIDEST_CELL))
        self._shape = tuple(-(-size // cell) for size in surface.shape)
        pixel = surface.centres.pixel
        row, column = np.divmod(pixel, surface.shape[1])
        self._cell_row, self._cell_column = row // cell, column // cell
        self.row = np.zeros(0, np.int64)
        if len(pixel):
            group = surface.neighbourhoods(cell)[pixel]
            middle = (cell - 1) / 2
            distance = np.abs(row % cell - middle) + np.abs(column % cell - middle)
            order = np.lexsort((distance, group))
            self.row = order[np.r_[True, np.diff(group[order]) > 0]]

    def shared(self, way: Index, scout: Index) -> Candidates:
        """Each pixel with what the scouts in the 3x3 cells around it found.

        Args:
            way: (N,) what was found.
            scout: (N,) by which scout, row of ``row``.
        """
        rows, columns = self._shape
        shifts = [(dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)]
        at = self.row[scout]
        near_row = np.concatenate([self._cell_row[at] + dy for dy, _ in shifts])
        near_column = np.concatenate([self._cell_column[at] + dx for _, dx in shifts])
        inside = (near_row >= 0) & (near_row < rows) & (near_column >= 0) & (near_column < columns)
        many = np.tile(way, len(shifts))[inside]
        cells = (near_row * columns + near_column)[inside]
        num_ways = int(way.max(initial=0)) + 1
        cells, many = np.divmod(distinct(cells * num_ways + many), num_ways)
        pair, row = _join(cells, self._cell_row * columns + self._cell_column)
        return Candidates(many[pair], row)


def _join(one: Index, other: Index) -> tuple[Index, Index]:
    """All pairs (i, j) with ``one[i] == other[j]``, numbers from zero on."""
    order = np.argsort(other, kind="stable")
    size = 1 + max(int(numbers.max(initial=0)) for numbers in (one, other))
    total = np.bincount(other, minlength=size)
    begin, count = (np.cumsum(total) - total)[one], total[one]
    run = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    return np.repeat(np.arange(len(one)), count), order[np.repeat(begin, count) + run]
