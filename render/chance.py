"""Random numbers that depend on where they are asked, alike on every machine.

A hash of whole numbers (PCG's output permutation, Jarzynski and Olano 2020, "Hash functions
for GPU rendering") for arrays of Dr.Jit: what is drawn for a window needs no memory.
"""

from __future__ import annotations

from enum import IntEnum, unique
from typing import Any


@unique
class Draw(IntEnum):
    """What is drawn for a wall, a house, a lawn or a place: each has lots of its own."""

    REPAIRS = 3
    PLINTH = 5
    TRENCH = 7
    CARE = 9
    NOISE = 11
    STREET_NUMBER = 13
    AGE = 17
    LONG_TRENCH = 19
    STUCK = 21
    COVER = 31
    PIPE = 41
    PROPORTIONS = 51
    PLACE = 53
    BLIND = 57
    LAMP = 61
    MOWING = 71
    LAPS = 73
    BLINDS = 83


def lot(first: Any, *more: Any) -> Any:
    """A random UInt32 for each tuple of UInt32 (or whole) numbers."""
    word = _scramble(first)
    for value in more:
        mixed = value * 0x9E3779B9 + 0x7F4A7C15
        word = _scramble(word ^ (mixed % 2**32 if isinstance(value, int) else mixed))
    return word


def share(word: Any, part: int = 0) -> Any:
    """A Float in [0, 1) from a lot; ``part`` tells apart those of the same lot."""
    import drjit as dr

    bits = _scramble(word + (0x632BE5AB * (part + 1) % 2**32)) if part else word
    return dr.float32_array_t(type(bits))(bits >> 8) * 2.0**-24


def _scramble(value: Any) -> Any:
    word = value * 747796405 + 2891336453
    word = ((word >> ((word >> 28) + 4)) ^ word) * 277803737
    return (word >> 22) ^ word
