"""Shares: as many lots for each block as make a district's number of buildings."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from shapely import Polygon

from vasgen.citygen.architecture.footprints import room_on
from vasgen.citygen.plots.blocks import Block
from vasgen.citygen.plots.cuts import TIGHTEST_FRONTAGE_M, split
from vasgen.citygen.plots.sides import SHORTEST_FRONTAGE_M, Sides
from vasgen.citygen.profiles import Use
from vasgen.citygen.targets import FEWEST_BUILDINGS, Targets
from vasgen.errors import InputError
from vasgen.seeding import stream

Array = NDArray[np.float64]

_SMALLEST_LOT_M2 = 60.0
_NEARLY = 0.97  # of the buildings asked for is near enough, where no more can be had
_SURE = 0.8  # of the lots found where more were asked for can be had for certain
_NARROWEST_LOT_M = 5.0
_WIDE = 0.5  # frontage of a wide lot, as a share of the root of its area

#: A piece of a block and what it is used for.
Piece = tuple[Polygon, Use]


def apportioned(
    seed: int, blocks: list[Block], targets: Targets, land_m2: float
) -> dict[int, list[Piece]]:
    """As many lots as there are to be buildings, more on larger blocks, by index of block.

    Raises:
        InputError: if there are too few streets for so many.
    """
    count = building_count(targets, land_m2)
    areas = np.array([block.inner.area for block in blocks])
    fronts = np.array([block.frontage.length for block in blocks])
    # Wide lots are better than narrow ones, if only there are streets enough.
    wide_m = min(_WIDE * math.sqrt(areas.sum() / count), 0.8 * float(fronts.sum()) / count)
    usual_m = max(wide_m, SHORTEST_FRONTAGE_M)
    best: dict[int, list[Piece]] = {}
    reached = 0
    tight = TIGHTEST_FRONTAGE_M
    # Least and usual frontage, the best first.
    ways = (usual_m, usual_m), (tight, usual_m), (tight, SHORTEST_FRONTAGE_M)
    for least_m, wanted_m in dict.fromkeys(ways):
        most = np.minimum(fronts / least_m, areas / _SMALLEST_LOT_M2).astype(np.int64)
        if most.sum() < count and least_m > tight:
            continue
        found, got = _filled(seed, blocks, count, most, wanted_m)
        if got > reached:
            best, reached = found, got
        if got == count:
            break
    if reached >= _NEARLY * count:
        return best
    most_per_km2 = math.floor(_SURE * reached / land_m2 * 1e6)
    raise InputError(
        f"beta is {targets.beta:g}; allowed: at most {most_per_km2} here, with every lot on a "
        "street; give a smaller beta or a profile with streets closer together."
    )


def building_count(targets: Targets, land_m2: float) -> int:
    """How many buildings the targets ask for.

    Raises:
        InputError: if they are too few to speak of a density.
    """
    if land_m2 < 1.0:
        raise InputError(
            "a district with targets covers no quarter (land between major streets); allowed: one "
            "that covers the middle of a quarter or more; make it larger."
        )
    count = round(targets.beta * land_m2 / 1e6)
    if count < FEWEST_BUILDINGS:
        least = math.ceil(FEWEST_BUILDINGS * 1e8 / land_m2) / 100
        raise InputError(
            f"beta is {targets.beta:g}: {count} buildings on {land_m2 / 1e4:.1f} ha; allowed: at "
            f"least {FEWEST_BUILDINGS}, so a beta from {least:g} here, or a larger size."
        )
    return count


def apportion(areas: Array, count: int, most: NDArray[np.int64]) -> NDArray[np.int64]:
    """Whole shares of a number in proportion to areas, by largest remainders.

    Args:
        areas: (N,) weights.
        count: the sum of the shares, at most ``most.sum()``.
        most: (N,) upper limits.

    Returns:
        (N,) shares.
    """
    shares = np.zeros(len(areas), dtype=np.int64)
    is_open = most > 0
    while is_open.any():
        quota = np.where(is_open, areas, 0.0) * ((count - shares.sum()) / areas[is_open].sum())
        full = is_open & (quota >= most)
        if not full.any():
            break
        shares[full] = most[full]
        is_open &= ~full
    else:
        return shares
    whole = np.floor(quota).astype(np.int64)
    left = count - int((shares + whole).sum())
    order = np.lexsort((np.arange(len(areas)), np.where(is_open, whole - quota, 1.0)))
    whole[order[:left]] += 1
    return np.asarray(shares + whole)


def _filled(
    seed: int, blocks: list[Block], count: int, most: NDArray[np.int64], usual_m: float
) -> tuple[dict[int, list[Piece]], int]:
    """Lots by index of block, and how many there are: as many as asked for, or what there is.

    Args:
        seed: the city's seed.
        blocks: the blocks to divide.
        count: how many lots there are to be.
        most: (blocks,) upper limits.
        usual_m: length of street of a lot.
    """
    areas = np.array([block.inner.area for block in blocks])
    found: dict[int, list[Piece]] = {}
    given = np.zeros(len(blocks), dtype=np.int64)
    while True:
        shares = apportion(areas, min(count, int(most.sum())), most)
        for number in np.flatnonzero(shares != given).tolist():
            block, share = blocks[number], int(shares[number])
            before = found.get(block.index, [])
            pieces = [] if len(before) == share else _shared(seed, block, share, usual_m)
            # Asked for more, a block may have taken more of what it is now asked for.
            found[block.index] = before if len(pieces) < len(before) <= share else pieces
        given = shares
        got = np.array([len(found.get(block.index, ())) for block in blocks], dtype=np.int64)
        short = got < shares
        if not short.any():
            return found, int(got.sum())
        # A block that took fewer than it was given is given fewer.
        fewer = shares - (shares - got + 1) // 2
        most = np.where(short, fewer, most)
        if most.sum() < _NEARLY * count:  # all that is left to try is too few
            return found, int(got.sum())


def _shared(seed: int, block: Block, count: int, usual_m: float) -> list[Piece]:
    """Lots of about equal size; fewer than ``count`` where some would have no street."""
    rng, street = stream(seed, "block", block.key, "lots"), block.frontage.buffer(0.1)
    pieces = list(split(block.inner, count, street, usual_m, rng))
    fronts = [Sides(piece, block).front() for piece in pieces]
    return [
        (piece, block.use)
        for piece, front in zip(pieces, fronts, strict=True)
        if front is not None
        and not piece.buffer(-_NARROWEST_LOT_M / 2, join_style="mitre").is_empty
        and room_on(piece, front) is not None
    ]
