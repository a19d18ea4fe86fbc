"""Keys: whole numbers that stand for things, and sets of them."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Index = NDArray[np.int64]

#: Whole numbers of one kind, (N,).
Keys = TypeVar("Keys", NDArray[np.int64], NDArray[np.uint64])

#: Places of a key in a table, and the size of the table for each key: one key in ten thousand
#: that is not in it seems to be.
_PLACES, _BITS_A_KEY = 3, 64

#: Smallest and largest table, bits; powers of two. Places are numbers of 32 bits.
_FEWEST_BITS, _MOST_BITS = 1 << 16, 1 << 32


def distinct(keys: Keys) -> Keys:
    """Each key once, ascending.

    As :func:`numpy.unique`, which keeps a hash table and takes a hundred times as long for
    millions of different keys. Equal keys mostly follow each other: only one of each run is sorted.
    """
    ordered = np.sort(keys[_runs(keys)])
    return np.asarray(ordered[_runs(ordered)])


def numbered(keys: Keys) -> tuple[Keys, Index, Index]:
    """Each key once, ascending; where each is met first; the number among them of all keys."""
    begin = _runs(keys)
    found, first, number = np.unique(keys[begin], return_index=True, return_inverse=True)
    return found, begin[first], np.repeat(number.reshape(-1), np.diff(begin, append=len(keys)))


def among(keys: Keys, some: Keys) -> NDArray[np.bool_]:
    """Which keys are among some others."""
    ordered, begin = distinct(some), _runs(keys)
    if not len(ordered):
        return np.zeros(len(keys), bool)
    asked = keys[begin]
    place = np.minimum(np.searchsorted(ordered, asked), len(ordered) - 1)
    return np.repeat(ordered[place] == asked, np.diff(begin, append=len(keys)))


def _runs(keys: NDArray[Any]) -> Index:
    """Where keys differ from the one before."""
    new = np.ones(len(keys), bool)
    new[1:] = keys[1:] != keys[:-1]
    return np.flatnonzero(new)


def mixed(key: Any, code: Any) -> Any:
    """A 64-bit hash of a sequence, one number more (SplitMix64; Steele, Lea and Flood 2014).

    Args:
        key: hash of the numbers before, zero if there are none: numpy's uint64, or
            ``mi.UInt64``.
        code: the next number, of the same kind.
    """
    number = np.uint64 if isinstance(key, np.ndarray) else type(key)
    key = (key ^ code) + number(0x9E3779B97F4A7C15)
    key = (key ^ (key >> number(30))) * number(0xBF58476D1CE4E5B9)
    key = (key ^ (key >> number(27))) * number(0x94D049BB133111EB)
    return key ^ (key >> number(31))


class KeySet:
    """A set of hashes that a kernel can ask; a table of bits (Bloom 1970).

    What is in the set always seems to be; one key in some ten thousand others does as well.

    Args:
        keys: (N,) uint64, evenly spread over all numbers, as hashes are.
    """

    def __init__(self, keys: NDArray[np.uint64]) -> None:
        import drjit as dr
        import mitsuba as mi

        bits = _FEWEST_BITS
        while bits < min(_BITS_A_KEY * len(keys), _MOST_BITS):
            bits *= 2
        words = np.zeros(bits // 32, np.uint32)
        for number in range(_PLACES):
            place = _place(keys, number, bits)
            np.bitwise_or.at(words, place >> np.uint64(5), _bit(place))
        self._words = mi.UInt32(words)
        self._bits = dr.opaque(mi.UInt64, bits)

    def has(self, key: Any, active: Any) -> Any:
        """Whether keys, ``mi.UInt64``, are in the set, where active."""
        import drjit as dr
        import mitsuba as mi

        found = mi.Bool(active)
        for number in range(_PLACES):
            place = mi.UInt32(_place(key, number, self._bits))
            word = dr.gather(mi.UInt32, self._words, place >> 5, active)
            found &= ((word >> (place & 31)) & 1) == 1
        return found


def _bit(place: NDArray[np.uint64]) -> NDArray[np.uint32]:
    """The bit of a place within its word."""
    return np.uint32(1) << (place & np.uint64(31)).astype(np.uint32)


def _place(key: Any, number: int, bits: Any) -> Any:
    """One of the places of keys in a table whose size is a power of two.

    Two halves of a hash make as many places as one likes (Kirsch and Mitzenmacher 2006).
    """
    kind = np.uint64 if isinstance(key, np.ndarray) else type(key)
    step = (key >> kind(32)) | kind(1)
    return (key + kind(number) * step) & (kind(bits) - kind(1))
