"""Cuts: how a block is taken apart into pieces that each keep a side on a street."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import LineString, Polygon

from vasgen.citygen.architecture.footprints import areas_below
from vasgen.citygen.geometry import plane
from vasgen.citygen.plots.blocks import Block
from vasgen.citygen.plots.sides import SHORTEST_FRONTAGE_M
from vasgen.citygen.profiles import LotProfile

Array = NDArray[np.float64]

#: Where a number of lots has to be reached, this much of a street is enough for one.
TIGHTEST_FRONTAGE_M = 6.0

_SAMPLES = 33
_SIDES = (shapely.intersection, shapely.difference)


def split(
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
        count = min(count, int(_front_per_lot(polygon, 1, street) / TIGHTEST_FRONTAGE_M))
    if count < 2:
        yield polygon
        return
    share = rng.uniform(0.38, 0.62)
    firsts = dict.fromkeys([round(share * count), count // 2, 1])
    firsts.pop(0, None)
    uneven = 0.25 * (share - 0.5) if count == 2 else 0.0
    best, halves = TIGHTEST_FRONTAGE_M, None
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
        yield from split(polygon, count - 1, street, usual_m, rng)
        return
    for piece, number in halves:
        yield from split(piece, number, street, usual_m, rng)


def halve(
    polygon: Polygon, area_m2: float, street: Polygon, rng: np.random.Generator
) -> Iterator[Polygon]:
    """Cut across the longer side again and again, as long as every piece keeps its street."""
    share = rng.uniform(0.42, 0.58)
    if polygon.area > area_m2 * rng.uniform(0.9, 1.7):
        for turn in (0, 1):
            pieces = _cut(polygon, share, turn)
            if all(_is_lot(piece, area_m2, street) for piece in pieces):
                for piece in pieces:
                    yield from halve(piece, area_m2, street, rng)
                return
    yield polygon


def perimeter(block: Block, profile: LotProfile) -> list[Polygon]:
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


def _front_per_lot(piece: Polygon, count: int, street: Polygon) -> float:
    """Length of street for each lot of a piece, metres."""
    return float(piece.exterior.intersection(street).length) / count


def _cut(polygon: Polygon, share: float, turn: int) -> list[Polygon]:
    """The part with this share of the area and the rest, cut square to the longer side.

    Args:
        polygon: what to cut.
        share: (0, 1).
        turn: 1: square to the shorter side instead.
    """
    corners = shapely.get_coordinates(shapely.oriented_envelope(polygon))[:4]
    sides = np.roll(corners, -1, axis=0) - corners
    # To the millimetre: a square is cut the same way on every machine.
    lengths = plane.length(sides).round(3)
    side = int(lengths[1] > lengths[0]) ^ turn
    length, along = float(lengths[side]), plane.unit(sides[side])
    across = plane.left_of(along)
    ring = plane.along(shapely.get_coordinates(polygon.exterior), across, along)
    low, left, right = ring[:, 1].min(), ring[:, 0].min() - 1.0, ring[:, 0].max() + 1.0
    levels = np.linspace(low, low + length, _SAMPLES)
    below = areas_below(ring, levels)
    level = round(float(np.interp(share * below[-1], below, levels)), 3)
    frame = np.array([[left, low - 1.0], [right, low - 1.0], [right, level], [left, level]])
    half = Polygon(plane.across(frame, across, along))
    # On a lattice: without one, GEOS 3.14 now and then errs on nearly collinear edges.
    cut = [operation(polygon, half, grid_size=0.001) for operation in _SIDES]
    parts = shapely.get_parts(cut)
    return [part for part in parts if isinstance(part, Polygon) and part.area > 0.01]


def _is_lot(piece: Polygon, area_m2: float, street: Polygon) -> bool:
    if piece.area < 0.32 * area_m2:
        return False
    return bool(piece.exterior.intersection(street).length >= SHORTEST_FRONTAGE_M)


def _party_lines(
    start: Array, end: Array, depth_m: float, frontage_m: float
) -> Iterator[LineString]:
    """Cuts square to a side; the corners keep room for a building that turns them."""
    length = float(plane.length(end - start))
    corner = depth_m + 5.0
    if length < 2 * corner + 0.7 * frontage_m:
        return
    along = (end - start) / length
    # A shapely exterior may run either way: the cut reaches to both sides of the edge, and
    # what lies outside is dropped with the other dangling ends.
    across = plane.left_of(along) * (depth_m + 0.5)
    count = max(1, round((length - 2 * corner) / frontage_m))
    for at in np.linspace(corner, length - corner, count + 1):
        middle = start + along * at
        yield LineString([middle - across, middle + across])
