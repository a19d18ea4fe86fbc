"""Cells: pixels near each other, in one view, that share what is found for one of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vasgen.vas.surface import ReceiverSurface

Index = NDArray[np.int64]

#: Side of a cell, pixels.
CELL = 8


@dataclass(frozen=True, eq=False)
class Cells:
    """Squares of pixels, row by row.

    Attributes:
        rows: number of cells above each other.
        columns: number of cells beside each other.
        of_pixel: (P,) int64, cell of each pixel of the image.
    """

    rows: int
    columns: int
    of_pixel: Index

    def __len__(self) -> int:
        return self.rows * self.columns

    def around(self, cell: Index) -> tuple[Index, Index]:
        """All cells in the 3x3 squares around some cells.

        Args:
            cell: (N,) cells.

        Returns:
            (M,) rows of ``cell``, and (M,) cells around them.
        """
        row, column = np.divmod(cell, self.columns)
        found, near = [], []
        for dy in (-1, 0, 1):
            for dx in (-1, 0, 1):
                y, x = row + dy, column + dx
                inside = (y >= 0) & (y < self.rows) & (x >= 0) & (x < self.columns)
                found.append(np.flatnonzero(inside))
                near.append((y * self.columns + x)[inside])
        return np.concatenate(found), np.concatenate(near)


def cells_of(surface: ReceiverSurface) -> Cells:
    """The cells of a view."""
    rows, columns = (-(-size // CELL) for size in surface.shape)
    row, column = np.divmod(np.arange(surface.num_pixels), surface.shape[1])
    return Cells(rows, columns, (row // CELL) * columns + column // CELL)
