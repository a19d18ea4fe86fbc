"""The grid: square cells seen from above, as a top-down map has them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vasgen.errors import InputError

Array = NDArray[np.float64]

#: Cells along a side, at most: beyond, the layers of one transmitter need gigabytes.
_MOST_CELLS = 2048


@dataclass(frozen=True)
class Grid:
    """Square cells over the ground; row 0 is the northernmost, column 0 the westernmost.

    Attributes:
        centre: x (east) and y (north) of its middle, world metres.
        size: cells along each side.
        cell_m: side of a cell, metres.
        height_m: height of the receivers above the ground of their cell, metres.

    Raises:
        InputError: if a number is out of range.
    """

    centre: tuple[float, float] = (0.0, 0.0)
    size: int = 256
    cell_m: float = 1.0
    height_m: float = 1.5

    def __post_init__(self) -> None:
        if len(self.centre) != 2 or not np.isfinite(self.centre).all():
            raise InputError(f"the grid's centre is {self.centre}; give two numbers X,Y in metres.")
        if not 1 <= self.size <= _MOST_CELLS:
            raise InputError(f"the grid's size is {self.size}; allowed: 1 to {_MOST_CELLS} cells.")
        if not 0.01 <= self.cell_m <= 1000:
            raise InputError(
                f"a cell of the grid is {self.cell_m:g} m wide; allowed: 0.01 to 1000 m."
            )
        if not 0.01 <= self.height_m <= 10_000:
            raise InputError(
                f"the grid is {self.height_m:g} m above the ground; allowed: 0.01 to 10000 m."
            )

    @property
    def corner(self) -> Array:
        """x and y of its north-western corner, (2,) metres."""
        half = 0.5 * self.size * self.cell_m
        return np.array([self.centre[0] - half, self.centre[1] + half])

    @property
    def bounds(self) -> Array:
        """South-western and north-eastern corner, (2, 2) metres."""
        half = 0.5 * self.size * self.cell_m
        middle = np.asarray(self.centre, np.float64)
        return np.array([middle - half, middle + half])

    def points(self, per_side: int = 1) -> Array:
        """Regular points, ``per_side ** 2`` in each cell; by default the cells' middles.

        Returns:
            (size * per_side, size * per_side, 2) float64 x and y, metres, from north to south
            and from west to east.
        """
        ticks = (np.arange(self.size * per_side) + 0.5) * (self.cell_m / per_side)
        x, y = np.meshgrid(self.corner[0] + ticks, self.corner[1] - ticks)
        return np.stack([x, y], axis=-1)

    def cell_of(self, position: ArrayLike) -> tuple[int, int] | None:
        """Row and column of the cell a position is above, or None if it is outside.

        Args:
            position: x, y and whatever follows, world metres.
        """
        x, y = np.asarray(position, np.float64)[:2]
        column = int((x - self.corner[0]) // self.cell_m)
        row = int((self.corner[1] - y) // self.cell_m)
        inside = 0 <= row < self.size and 0 <= column < self.size
        return (row, column) if inside else None
