"""Letters for signs and plates: strokes of even width, as on a shop front.

Each letter is drawn on a grid of 4 by 6: polylines between points named by two digits, column
and row from below left. No font file, so every machine draws the same.
"""

from __future__ import annotations

import re
from functools import cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float32]
Random = np.random.Generator

#: Columns and rows of the grid, and the gap between letters in columns.
_WIDE, _HIGH, _GAP = 4, 6, 1.6

_STROKES = {
    "A": "00 03 26 43 40,02 42",
    "B": "00 06 36 45 44 33 03,33 42 41 30 00",
    "C": "45 36 16 05 01 10 30 41",
    "D": "00 06 26 44 42 20 00",
    "E": "46 06 00 40,03 33",
    "F": "46 06 00,03 33",
    "G": "45 36 16 05 01 10 30 41 43 23",
    "H": "00 06,40 46,03 43",
    "I": "20 26",
    "K": "00 06,46 03 40",
    "L": "06 00 40",
    "M": "00 06 23 46 40",
    "N": "00 06 40 46",
    "O": "10 01 05 16 36 45 41 30 10",
    "P": "00 06 36 45 44 33 03",
    "R": "00 06 36 45 44 33 03,23 40",
    "S": "45 36 16 05 04 13 33 42 41 30 10 01",
    "T": "06 46,26 20",
    "U": "06 01 10 30 41 46",
    "V": "06 20 46",
    "W": "06 10 23 30 46",
    "X": "00 46,06 40",
    "Y": "06 23 46,23 20",
    "Z": "06 46 00 40",
    "0": "10 01 05 16 36 45 41 30 10",
    "1": "15 26 20",
    "2": "05 16 36 45 44 00 40",
    "3": "06 46 24 33 42 41 30 10 01",
    "4": "30 36 02 42",
    "5": "46 06 04 34 43 41 30 10 01",
    "6": "46 16 05 01 10 30 41 42 33 03",
    "7": "06 46 20",
    "8": "13 04 05 16 36 45 44 33 13 02 01 10 30 41 42 33",
    "9": "00 30 41 45 36 16 05 04 13 43",
    "&": "40 05 16 25 03 01 10 20 42",
    "-": "13 33",
}

_STARTS = ("B", "BR", "C", "D", "F", "G", "H", "K", "L", "M", "N", "P", "R", "S", "ST", "T", "V")
_MIDDLES = ("A", "E", "I", "O", "U", "AN", "ER", "OR", "EL", "IN", "AL", "ON")
_ENDS = ("A", "O", "EN", "I", "ER", "ES", "US", "TO", "KA", "LE", "ND", "X")
_TRADES = (
    *("CAFE", "BAR", "BOOKS", "DELI", "SHOES", "HAIR", "FLORA", "BAKER", "OPTIK", "PHARMA"),
    *("HOTEL", "PIZZA", "RADIO", "MODE", "WINE", "BIKES", "BANK", "SUSHI", "TOYS", "TEA"),
)

#: What no sign may say, in the languages most readers know.
_RUDE = re.compile(
    "ANUS|BONER|CONO|CUL|CUN|DIK|DORK|FIK|FUK|HOER|HORE|HUER|HUI|KAKA|PEE|POES|POO|PORK|PORN"
    "|PUT[AO]|SEX|SUKA|TIT"
)


def name(random: Random) -> str:
    """An invented name of a shop, or its trade; always the trade where the name is rude."""
    if random.random() < 0.35:
        return str(random.choice(_TRADES))
    invented = "".join(str(random.choice(kind)) for kind in (_STARTS, _MIDDLES, _ENDS))
    if _RUDE.search(invented):
        # No further draw: what is painted next stays as it is.
        return _TRADES[sum(map(ord, invented)) % len(_TRADES)]
    return invented


def written(
    text: str, shape: tuple[int, int], box: tuple[float, float, float, float], weight: float = 0.5
) -> Float:
    """Coverage of a line of text, (rows, columns), rows upward.

    Args:
        text: of letters that :data:`_STROKES` knows; others leave a gap.
        shape: rows and columns of texels.
        box: left, right, bottom and top of the text, as shares of the picture; letters are
            stretched to fill it.
        weight: half the width of strokes, in columns of the letters' grid.
    """
    rows, columns = shape
    left, right, low, high = box
    units = len(text) * (_WIDE + _GAP) - _GAP + 2 * weight
    u = ((np.arange(columns) + 0.5) / columns - left) / (right - left) * units - weight
    v = ((np.arange(rows) + 0.5) / rows - low) / (high - low) * (_HIGH + 2 * weight) - weight
    blur = np.float32(0.5 * units / ((right - left) * columns))
    cover = np.zeros(shape, np.float32)
    for place, letter in enumerate(text):
        start = place * (_WIDE + _GAP)
        here = np.flatnonzero((u > start - 1.5) & (u < start + _WIDE + 1.5))
        for segment in _segments(letter):
            part = _near(u[here] - start, v, segment)
            inked = np.clip((weight - part) / (2 * blur) + 0.5, 0, 1)
            cover[:, here] = np.maximum(cover[:, here], inked)
    return cover


@cache
def _segments(letter: str) -> tuple[tuple[float, float, float, float], ...]:
    lines = _STROKES.get(letter, "").split(",")
    points = [[(float(p[0]), float(p[1])) for p in line.split()] for line in lines]
    return tuple((*a, *b) for line in points for a, b in pairwise(line))


def _near(u: NDArray[np.float64], v: NDArray[np.float64], segment: tuple[float, ...]) -> Float:
    """Distance from a segment, (len(v), len(u))."""
    ax, ay, bx, by = segment
    dx, dy = bx - ax, by - ay
    x, y = u[None] - ax, v[:, None] - ay
    along = np.clip((x * dx + y * dy) / (dx * dx + dy * dy), 0, 1)
    return np.hypot(x - along * dx, y - along * dy).astype(np.float32)
