"""What a facade is made of: openings in bays, and which bay has which."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vasgen.render.textures.noise import rectangle, span

Float = NDArray[np.float32]
Colour = tuple[float, float, float]

#: Bays and storeys in a texture.
CELLS = 8

WHITE: Colour = (0.72, 0.71, 0.68)
STONE: Colour = (0.50, 0.46, 0.39)
DARK: Colour = (0.045, 0.045, 0.05)
TIMBER: Colour = (0.16, 0.09, 0.05)

#: What clear glass shows of sky and room.
GLASS_TINT: Colour = (0.075, 0.10, 0.125)


@dataclass(frozen=True)
class Opening:
    """A window or door in its bay; lengths in bays (u) and storeys (v).

    Attributes:
        u: left and right edge.
        v: lower and upper edge.
        panes: columns and rows of glass.
        frame: width of frame and glazing bars.
        sill: height of the sill below; 0 for none.
        lintel: height of the lintel above; 0 for none.
        shutter: width of the shutters at its sides; 0 for none.
        surround: width of the band around it; 0 for none.
        board: lower and upper edge of a sign board over the bay, if it is a shop.
    """

    u: tuple[float, float]
    v: tuple[float, float]
    panes: tuple[int, int] = (1, 1)
    frame: float = 0.018
    sill: float = 0.0
    lintel: float = 0.0
    shutter: float = 0.0
    surround: float = 0.0
    board: tuple[float, float] | None = None

    def opening(self, count: int) -> Float:
        """Coverage of the whole opening in one cell, (count, count)."""
        return rectangle(count, self.u, self.v)

    def glass(self, count: int) -> Float:
        """Coverage of the panes in one cell."""
        columns = _panes(count, self.u, self.panes[0], self.frame)
        rows = _panes(count, self.v, self.panes[1], self.frame)
        return np.asarray(rows[:, None] * columns[None])

    def trim(self, count: int) -> Float:
        """Coverage of sill, lintel and surround, without the opening."""
        (left, right), (low, high) = self.u, self.v
        band = self.surround
        parts = [
            rectangle(count, (left - band, right + band), (low - band, high + band)),
            rectangle(count, (left - 0.03, right + 0.03), (low - self.sill, low)),
            rectangle(count, (left - 0.05, right + 0.05), (high, high + self.lintel)),
        ]
        shown = [self.surround > 0, self.sill > 0, self.lintel > 0]
        cover = np.zeros((count, count), np.float32)
        for part, show in zip(parts, shown, strict=True):
            cover = np.maximum(cover, part * show)
        return cover * (1 - self.opening(count))

    def shutters(self, count: int) -> Float:
        """Coverage of the shutters."""
        (left, right), width = self.u, self.shutter
        sides = span(count, left - width, left) + span(count, right, right + width)
        return np.asarray(span(count, *self.v)[:, None] * sides[None])


@dataclass(frozen=True)
class Facade:
    """The layout of one variant.

    Attributes:
        upper: openings of a bay on the upper floors, by kind of bay.
        ground: openings of a bay on the ground floor, by kind of bay.
        rhythm: kind of each of the 8 bays.
        frame: colour of frames.
        trim: colour of sills, lintels and surrounds.
        shutter: colour of shutters.
        cornice: height of the band of stone above the ground floor; 0 for none.
        course: height of the band at every upper floor; 0 for none.
        tint: colour of what the glass shows of sky and room; None: the wall's.
    """

    upper: tuple[tuple[Opening, ...], ...]
    ground: tuple[tuple[Opening, ...], ...]
    rhythm: tuple[int, ...]
    frame: Colour = WHITE
    trim: Colour = STONE
    shutter: Colour = TIMBER
    cornice: float = 0.0
    course: float = 0.0
    tint: Colour | None = GLASS_TINT


def _panes(count: int, edges: tuple[float, float], number: int, frame: float) -> Float:
    """Coverage of the glass between frames and bars along one axis."""
    low, high = edges
    width = (high - low - frame * (number + 1)) / number
    starts = [low + frame + i * (width + frame) for i in range(number)]
    return np.asarray(sum(span(count, start, start + width) for start in starts), np.float32)
