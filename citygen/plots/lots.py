"""Lots: the pieces of a block that are built on one by one, each with a side on a street."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import LineString, Polygon

from vasgen.citygen.architecture.footprints import areas_below, room_on
from vasgen.citygen.land import Land
from vasgen.citygen.plots.blocks import Block, district_areas
from vasgen.citygen.profiles import LotProfile, Use
from vasgen.citygen.roads.streets import Streets
from vasgen.citygen.targets import FEWEST_BUILDINGS, Targets
from vasgen.errors import InputError
from vasgen.seeding import stream

Array = NDArray[np.float64]

_SHORTEST_FRONTAGE_M = 7.0
_TIGHTEST_FRONTAGE_M = 6.0  # where a number of lots has to be reached
_SMALLEST_LOT_M2 = 60.0
_NEARLY = 0.97  # of the buildings asked for is near enough, where no more can be had
_NARROWEST_LOT_M = 5.0
_WIDE = 0.5  # frontage of a wide lot, as a share of the root of its area
_SAMPLES = 33
_SIDES = (shapely.intersection, shapely.difference)

#: A piece of a block and what it is used for.
Piece = tuple[Polygon, Use]


@dataclass(frozen=True, eq=False)
class Lot:
    """A piece of land with access to a street.

    Attributes:
        index: number of the lot.
        block: number of its block.
        key: that of its block.
        place: number within the block; with ``key`` it keys the lot's random streams.
        use: what it is used for.
        polygon: outline.
        front: (2, 2) float64 metres, ends of its longest straight side on a street; the lot
            lies to the left of the way from the first to the second.
        corner: (2,) float64 metres, its corner at a junction, or None.
    """

    index: int
    block: int
    key: int
    place: int
    use: Use
    polygon: Polygon
    front: Array
    corner: Array | None


def divide(seed: int, land: Land, streets: Streets, blocks: tuple[Block, ...]) -> tuple[Lot, ...]:
    """Divide the blocks that are built on into lots.

    In a district with targets there are as many lots as it is to have buildings.

    Raises:
        InputError: if a district has no room for the buildings its targets ask for.
    """
    pieces: dict[int, list[Piece]] = {}
    areas = district_areas(land, streets)
    for number, district in enumerate(land.districts):
        own = [b for b in blocks if b.district == number and b.use not in ("park", "plaza")]
        if district.targets is None:
            found = {block.index: _pieces(seed, block, district.rules.lots) for block in own}
        else:
            found = _apportioned(seed, own, district.targets, float(areas[number]))
        pieces.update(found)
    lots: list[Lot] = []
    for block in blocks:
        for place, (polygon, use) in enumerate(pieces.get(block.index, ())):
            sides = _Sides(polygon, block)
            front = sides.front()
            if front is not None:
                ends = (polygon, front, sides.corner())
                lots.append(Lot(len(lots), block.index, block.key, place, use, *ends))
    return tuple(lots)


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


def _apportioned(
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
    usual_m = max(wide_m, _SHORTEST_FRONTAGE_M)
    best: dict[int, list[Piece]] = {}
    reached = 0
    for least_m in (usual_m, _TIGHTEST_FRONTAGE_M):
        most = np.minimum(fronts / least_m, areas / _SMALLEST_LOT_M2).astype(np.int64)
        if most.sum() < count and least_m > _TIGHTEST_FRONTAGE_M:
            continue
        found, got = _filled(seed, blocks, count, most, usual_m)
        if got > reached:
            best, reached = found, got
        if got == count:
            break
    if reached >= _NEARLY * count:
        return best
    raise InputError(
        f"beta is {targets.beta:g}; allowed: at most {math.floor(reached / land_m2 * 1e6)} here, "
        "with every lot on a street; give a smaller beta or a profile with streets closer together."
    )


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
            found[block.index] = _shared(seed, block, share, usual_m) if share else []
        given = shares
        got = np.array([len(found.get(block.index, ())) for block in blocks], dtype=np.int64)
        short = got < shares
        if not short.any():
            return found, int(got.sum())
        # A block that took fewer than it was given is given fewer.
        fewer = shares - (shares - got + 1) // 2
        most = np.where(short, fewer, most)


def _shared(seed: int, block: Block, count: int, usual_m: float) -> list[Piece]:
    """Lots of about equal size; fewer than ``count`` where some would have no street."""
    rng, street = stream(seed, "block", block.key, "lots"), block.frontage.buffer(0.1)
    pieces = list(_split(block.inner, count, street, usual_m, rng))
    fronts = [_Sides(piece, block).front() for piece in pieces]
    return [
        (piece, block.use)
        for piece, front in zip(pieces, fronts, strict=True)
        if front is not None
        and not piece.buffer(-_NARROWEST_LOT_M / 2, join_style="mitre").is_empty
        and room_on(piece, front) is not None
    ]


def _split(
    polygon: Polygon, count: int, street: Polygon, usual_m: float, rng: np.random.Generator
) -> Iterator[Polygon]:
    """Cut in two, in proportion to the lots on either side, until each lot is by itself.

    Args:
        polygon: what to cut.
        count: how many lots.
        street: strip along the street.
        usual_m: length of street a lot has where that can be had.
        rng: draws where to cut.
    """
    if count > 1:
        count = min(count, int(_front_per_lot(polygon, 1, street) / _TIGHTEST_FRONTAGE_M))
    if count < 2:
        yield polygon
        return
    share = rng.uniform(0.38, 0.62)
    firsts = dict.fromkeys([round(share * count), count // 2, 1])
    firsts.pop(0, None)
    uneven = 0.25 * (share - 0.5) if count == 2 else 0.0
    best, halves = _TIGHTEST_FRONTAGE_M, None
    for first, turn in itertools.product(firsts, (0, 1)):
        pieces = _cut(polygon, first / count + uneven, turn)
        counts = (first, count - first)
        if len(pieces) == 2:
            front_m = min(_front_per_lot(pieces[k], counts[k], street) for k in (0, 1))
            if front_m >= best:
                best, halves = front_m, list(zip(pieces, counts, strict=True))
        if best >= usual_m:
            break
    if halves is None:  # one lot fewer, rather than one without a street
        yield from _split(polygon, count - 1, street, usual_m, rng)
        return
    for piece, number in halves:
        yield from _split(piece, number, street, usual_m, rng)


def _front_per_lot(piece: Polygon, count: int, street: Polygon) -> float:
    """Length of street for each lot of a piece, metres."""
    return float(piece.exterior.intersection(street).length) / count


def _pieces(seed: int, block: Block, profile: LotProfile) -> list[Piece]:
    if block.use == "perimeter":
        ring = _perimeter(block, profile)
        if ring:
            return [(piece, "perimeter") for piece in ring]
    use: Use = block.use
    area = profile.area_m2.get(use, 700.0)
    rng = stream(seed, "block", block.key, "lots")
    street = block.frontage.buffer(0.1)
    return [(piece, use) for piece in _halve(block.inner, area, street, rng)]


def _halve(
    polygon: Polygon, area_m2: float, street: Polygon, rng: np.random.Generator
) -> Iterator[Polygon]:
    """Cut across the longer side again and again, as long as every piece keeps its street."""
    share = rng.uniform(0.42, 0.58)
    if polygon.area > area_m2 * rng.uniform(0.9, 1.7):
        for turn in (0, 1):
            pieces = _cut(polygon, share, turn)
            if all(_is_lot(piece, area_m2, street) for piece in pieces):
                for piece in pieces:
                    yield from _halve(piece, area_m2, street, rng)
                return
    yield polygon


def _cut(polygon: Polygon, share: float, turn: int) -> list[Polygon]:
    """The part with this share of the area and the rest, cut square to the longer side.

    Args:
        polygon: what to cut.
        share: (0, 1).
        turn: 1: square to the shorter side instead.
    """
    corners = shapely.get_coordinates(shapely.oriented_envelope(polygon))[:4]
    sides = np.roll(corners, -1, axis=0) - corners
    side = int(np.hypot(*sides[1]) > np.hypot(*sides[0])) ^ turn
    length = float(np.hypot(*sides[side]))
    along = sides[side] / length
    across = np.array([-along[1], along[0]])
    ring = shapely.get_coordinates(polygon.exterior) @ np.stack([across, along], axis=1)
    low, left, right = ring[:, 1].min(), ring[:, 0].min() - 1.0, ring[:, 0].max() + 1.0
    levels = np.linspace(low, low + length, _SAMPLES)
    below = areas_below(ring, levels)
    level = float(np.interp(share * below[-1], below, levels))
    frame = np.array([[left, low - 1.0], [right, low - 1.0], [right, level], [left, level]])
    half = Polygon(frame @ np.stack([across, along]))
    # On a lattice: without one, GEOS 3.14 now and then errs on nearly collinear edges.
    cut = [operation(polygon, half, grid_size=0.001) for operation in _SIDES]
    parts = shapely.get_parts(cut)
    return [part for part in parts if isinstance(part, Polygon) and part.area > 0.01]


def _is_lot(piece: Polygon, area_m2: float, street: Polygon) -> bool:
    if piece.area < 0.32 * area_m2:
        return False
    return bool(piece.exterior.intersection(street).length >= _SHORTEST_FRONTAGE_M)


def _perimeter(block: Block, profile: LotProfile) -> list[Polygon]:
    """Lots along the block's sides around a common court; none if the block is too small."""
    depth = profile.strip_depth_m
    court = block.inner.buffer(-depth, join_style="mitre", mitre_limit=2.0)
    if not isinstance(court, Polygon) or court.area < 260.0 or block.inner.interiors:
        return []
    outline = shapely.get_coordinates(block.inner.exterior)
    cuts = [
        cut
        for start, end in itertools.pairwise(outline)
        for cut in _party_lines(start, end, depth, profile.frontage_m)
    ]
    strip = block.inner.difference(court)
    edges = shapely.union_all([block.inner.exterior, court.exterior, *cuts], grid_size=0.001)
    faces = shapely.get_parts(shapely.polygonize([edges]))
    inside = shapely.contains_properly(strip, shapely.point_on_surface(faces))
    return sorted(faces[inside & (shapely.area(faces) > 40.0)], key=lambda p: p.bounds)


def _party_lines(
    start: Array, end: Array, depth_m: float, frontage_m: float
) -> Iterator[LineString]:
    """Cuts square to a side; the corners keep room for a building that turns them."""
    length = float(np.hypot(*(end - start)))
    corner = depth_m + 5.0
    if length < 2 * corner + 0.7 * frontage_m:
        return
    along = (end - start) / length
    # A shapely exterior may run either way: the cut reaches to both sides of the edge, and
    # what lies outside is dropped with the other dangling ends.
    across = np.array([-along[1], along[0]]) * (depth_m + 0.5)
    count = max(1, round((length - 2 * corner) / frontage_m))
    for at in np.linspace(corner, length - corner, count + 1):
        middle = start + along * at
        yield LineString([middle - across, middle + across])


class _Sides:
    """The sides of a lot, and which of them lie on a street."""

    def __init__(self, polygon: Polygon, block: Block) -> None:
        ring = shapely.get_coordinates(shapely.orient_polygons(polygon).exterior)
        self.start, self.end = ring[:-1], ring[1:]
        middles = shapely.points((self.start + self.end) / 2)
        on_street = shapely.distance(middles, block.frontage) < 0.3
        self.lengths = np.hypot(*(self.end - self.start).T) * on_street

    def front(self) -> Array | None:
        """The longest one on a street, (2, 2), or None."""
        longest = int(self.lengths.argmax())
        if self.lengths[longest] < 3.0:
            return None
        return np.stack([self.start[longest], self.end[longest]])

    def corner(self) -> Array | None:
        """(2,) corner between two sides on streets, or None."""
        step = (self.end - self.start) / np.hypot(*(self.end - self.start).T)[:, None]
        before = np.roll(step, 1, axis=0)
        turn = before[:, 0] * step[:, 1] - before[:, 1] * step[:, 0]
        shorter = np.minimum(self.lengths, np.roll(self.lengths, 1)) * (turn > 0.75)
        best = int(shorter.argmax())
        return self.start[best] if shorter[best] > _SHORTEST_FRONTAGE_M else None
