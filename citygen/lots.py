"""Lots: the pieces of a block that are built on one by one, each with a side on a street."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import LineString, Polygon

from vasgen.citygen.blocks import Block
from vasgen.citygen.land import Land
from vasgen.citygen.profiles import LotProfile, Use
from vasgen.seeding import stream

Array = NDArray[np.float64]

_SHORTEST_FRONTAGE_M = 7.0
_SIDES = (shapely.intersection, shapely.difference)


@dataclass(frozen=True, eq=False)
class Lot:
    """A piece of land with access to a street.

    Attributes:
        index: number of the lot.
        block: number of its block.
        place: number within the block; with ``block`` it keys the lot's random streams.
        use: what it is used for.
        polygon: outline.
        front: (2, 2) float64 metres, ends of its longest straight side on a street; the lot
            lies to the left of the way from the first to the second.
    """

    index: int
    block: int
    place: int
    use: Use
    polygon: Polygon
    front: Array


def divide(seed: int, land: Land, blocks: tuple[Block, ...]) -> tuple[Lot, ...]:
    """Divide the blocks that are built on into lots."""
    lots: list[Lot] = []
    for block in blocks:
        if block.use in ("park", "plaza"):
            continue
        profile = land.districts[block.district].rules.lots
        for place, (polygon, use) in enumerate(_pieces(seed, block, profile)):
            front = _front(polygon, block)
            if front is not None:
                lots.append(Lot(len(lots), block.index, place, use, polygon, front))
    return tuple(lots)


def _pieces(seed: int, block: Block, profile: LotProfile) -> list[tuple[Polygon, Use]]:
    if block.use == "perimeter":
        ring = _perimeter(block, profile)
        if ring:
            return [(piece, "perimeter") for piece in ring]
    use: Use = block.use
    area = profile.area_m2.get(use, 700.0)
    rng = stream(seed, "block", block.index, "lots")
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
    corners = shapely.get_coordinates(shapely.oriented_envelope(polygon))[:4]
    sides = np.roll(corners, -1, axis=0) - corners
    longer = int(np.hypot(*sides[1]) > np.hypot(*sides[0]))
    side = (longer + turn) % 2
    along, across = sides[side], sides[side + 1]
    if side == 1:
        across = -sides[0]
    start = corners[side] - along - across
    half = Polygon(
        [
            start,
            start + along * (1 + share),
            start + along * (1 + share) + 3 * across,
            start + 3 * across,
        ]
    )
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


def _front(polygon: Polygon, block: Block) -> Array | None:
    """The longest straight side on a street, or None."""
    ring = shapely.get_coordinates(shapely.orient_polygons(polygon).exterior)
    start, end = ring[:-1], ring[1:]
    middles = shapely.points((start + end) / 2)
    length = np.hypot(*(end - start).T) * (shapely.distance(middles, block.frontage) < 0.3)
    longest = int(length.argmax())
    if length[longest] < 3.0:
        return None
    return np.stack([start[longest], end[longest]])
