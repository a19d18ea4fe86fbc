"""Tables to choose lamps from: few numbers a place, and the probability of each choice known."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

#: Slots of a table; a lamp fills at least one, and more the more it matters.
SLOTS = 128

#: Bits of a word that hold the lamp's number; above them is how many slots it fills.
NUMBER_BITS = 24

#: Lamps a table knows: half the slots are left to those that matter.
_MOST = SLOTS // 2

#: Candidates that one lamp is drawn from.
_CANDIDATES = 4


class Lamp(NamedTuple):
    """Lamps that were drawn.

    Attributes:
        position: Point3f.
        height: Float, metres above their foot.
        weight: Float, one over the probability density of the draw; 0: no lamp reaches.
    """

    position: Any
    height: Any
    weight: Any


def slot_tables(
    weights: NDArray[np.float64], numbers: NDArray[np.int64] | None = None
) -> NDArray[np.uint32]:
    """A table for each row: (rows, SLOTS) words, the lamps that matter most first.

    A lamp of weight zero is in no table, and of more than 64 the lightest are not.

    Args:
        weights: (rows, lamps) at least zero; the lamps' shares are made like them.
        numbers: (lamps,) of the lamps; by default 0, 1, ...

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
    named = order if numbers is None else numbers[order]
    words = named.astype(np.uint32) | (count.astype(np.uint32) << NUMBER_BITS)
    tables = np.zeros((len(weights), SLOTS), np.uint32)
    filled = some.any(axis=1)
    tables[filled] = np.repeat(words[filled].ravel(), count[filled].ravel()).reshape(-1, SLOTS)
    return tables


def draw_lamp(
    mi: Any,
    words: Any,
    lamps: Any,
    table: Any,
    active: Any,
    number: Any,
    worth: Callable[[Any], Any],
) -> Lamp:
    """A lamp each, from a few candidates by what they are worth.

    Resampled importance sampling (Talbot et al. 2005).

    Args:
        mi: mitsuba in its colour variant.
        words: the tables, one after the other.
        lamps: x, y, z and height of one lamp after the other.
        table: UInt32 number of the table to use.
        active: whether to draw at all.
        number: random, in [0, 1).
        worth: of lamps (Vector4f), Float at least zero.
    """
    import drjit as dr

    stratum = SLOTS // _CANDIDATES
    # Digits of one number place the candidates and then choose between them.
    at = number * stratum
    slot = dr.minimum(mi.UInt32(at), stratum - 1)
    choice = at - mi.Float(slot)
    total, chosen, strength = mi.Float(0), mi.Vector4f(0), mi.Float(0)
    for part in range(_CANDIDATES):
        index = table * SLOTS + part * stratum + slot
        word = dr.gather(mi.UInt32, words, index, active)
        count = word >> NUMBER_BITS
        lamp = dr.gather(mi.Vector4f, lamps, word & (2**NUMBER_BITS - 1), count > 0)
        wanted = worth(lamp)
        weight = dr.select(count > 0, wanted * SLOTS / mi.Float(count), 0)
        total += weight
        taken = choice * total < weight
        # What is left of the random number is random again.
        left = dr.select(taken, choice * total, choice * total - weight)
        left /= dr.select(taken, weight, total - weight)
        choice = dr.select(total > weight, dr.clip(left, 0, 0.9999999), choice)
        chosen = dr.select(taken, lamp, chosen)
        strength = dr.select(taken, wanted, strength)
    weight = dr.select(strength > 0, total / (_CANDIDATES * strength), 0)
    return Lamp(mi.Point3f(chosen.xyz), chosen.w, weight)
