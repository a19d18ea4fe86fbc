"""Cells: pixels near each other, in one view, that share what is found for one of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vasgen.vas.surfaces.surface import ReceiverSurface

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


def cells_of(surface: ReceiverSurface) -> Cells:
    """The cells of a view."""
    rows, columns = (-(-size // CELL) for size in surface.shape)
    row, column = np.divmod(np.arange(surface.num_pixels), surface.shape[1])
    return Cells(rows, columns, (row // CELL) * columns + column // CELL)
