"""Lots: the pieces of a block that are built on one by one, each with a side on a street."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from shapely import Polygon

from vasgen.citygen.land import Land
from vasgen.citygen.plots.blocks import Block, district_areas
from vasgen.citygen.plots.cuts import halve, perimeter
from vasgen.citygen.plots.shares import Piece, apportioned
from vasgen.citygen.plots.sides import Sides
from vasgen.citygen.profiles import LotProfile, Use
from vasgen.citygen.roads.streets import Streets
from vasgen.seeding import stream

Array = NDArray[np.float64]


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
            found = apportioned(seed, own, district.targets, float(areas[number]))
        pieces.update(found)
    lots: list[Lot] = []
    for block in blocks:
        for place, (polygon, use) in enumerate(pieces.get(block.index, ())):
            sides = Sides(polygon, block)
            front = sides.front()
            if front is not None:
                ends = (polygon, front, sides.corner())
                lots.append(Lot(len(lots), block.index, block.key, place, use, *ends))
    return tuple(lots)


def _pieces(seed: int, block: Block, profile: LotProfile) -> list[Piece]:
    if block.use == "perimeter":
        ring = perimeter(block, profile)
        if ring:
            return [(piece, "perimeter") for piece in ring]
    use: Use = block.use
    area = dict(profile.area_m2).get(use, 700.0)
    rng = stream(seed, "block", block.key, "lots")
    street = block.frontage.buffer(0.1)
    return [(piece, use) for piece in halve(block.inner, area, street, rng)]
