"""Tables to choose lamps from: few numbers a place, and the probability of each choice known."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

#: Slots of a table; a lamp fills at least one, and more the more it matters.
SLOTS = 128

#: Bits of a word that hold the lamp's number; above them is how many slots it fills.
NUMBER_BITS = 24

#: Lamps a table knows: half the slots are left to those that matter.
_MOST = SLOTS // 2


def slot_tables(weights: NDArray[np.float64]) -> NDArray[np.uint32]:
    """A table for each row: (rows, SLOTS) words, the lamps that matter most first.

    A lamp of weight zero is in no table, and of more than 64 the lightest are not.

    Args:
        weights: (rows, lamps) at least zero; the lamps' shares are made like them.

    Returns:
        Words: the lamp's number, and from bit ``NUMBER_BITS`` on how many slots it fills; zero
        where a row has no lamps.
    """
    most = min(_MOST, weights.shape[1])
    order = np.argsort(-weights, axis=1, kind="stable")[:, :most]
    weight = np.take_along_axis(weights, order, axis=1)
    some = weight > 0
    total = np.maximum(weight.sum(axis=1, keepdims=True), 1e-300)
    left = SLOTS - some.sum(axis=1, keepdims=True)
    wanted = weight / total * left
    count = np.floor(wanted).astype(np.int64) + some
    # What rounding left over goes to the largest remainders.
    rest = np.where(some.any(axis=1), SLOTS - count.sum(axis=1), 0)
    rank = np.argsort(np.argsort(np.where(some, -(wanted % 1), 2.0), axis=1, kind="stable"), axis=1)
    count += rank < rest[:, None]
    words = order.astype(np.uint32) | (count.astype(np.uint32) << NUMBER_BITS)
    tables = np.zeros((len(weights), SLOTS), np.uint32)
    filled = some.any(axis=1)
    tables[filled] = np.repeat(words[filled].ravel(), count[filled].ravel()).reshape(-1, SLOTS)
    return tables
