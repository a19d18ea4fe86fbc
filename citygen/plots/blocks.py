"""Blocks: the land between the streets, with a pavement around the part to build on."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import LineString, MultiLineString, Polygon

from vasgen.citygen.land import Land
from vasgen.citygen.profiles import LotProfile, Use
from vasgen.citygen.roads.streets import Streets
from vasgen.seeding import key, stream

_SMALLEST_M2 = 420.0  # less land is a small square, not a building site
_NARROWEST_M = 13.0
_LARGEST_PARK_M2 = 9000.0


@dataclass(frozen=True, eq=False)
class Block:
    """Land between streets, inside the city's outline.

    Attributes:
        index: number of the block.
        key: the same for the same land in every city, whatever lies around it; keys the
            random streams of all that stands on the block.
        district: number of its district.
        use: what it is used for.
        kerb: outline at the kerb.
        inner: part behind the pavement, to be divided into lots.
        frontage: sides of ``inner`` that face a street, not those cut by the outline.
    """

    index: int
    key: int
    district: int
    use: Use
    kerb: Polygon
    inner: Polygon
    frontage: LineString | MultiLineString


def make_blocks(
    seed: int, land: Land, streets: Streets, outlines: tuple[Polygon, ...]
) -> tuple[Block, ...]:
    """Blocks of the city.

    Args:
        seed: the city's seed.
        land: where the city stands.
        streets: the network.
        outlines: from :func:`kerbs.kerbs`.
    """
    city = land.outline
    array = np.array(outlines, dtype=object)
    array = array[shapely.intersects(array, city)]
    middles = shapely.get_coordinates(shapely.point_on_surface(array))
    districts = streets.district_at(middles)
    pavements = np.array([d.rules.streets.pavement_m for d in land.districts])[districts]
    sharp = shapely.simplify(array, 0.25)
    inners = shapely.buffer(sharp, -pavements, join_style="mitre", mitre_limit=2.0)
    inners = shapely.set_precision(shapely.simplify(inners, 0.8), 0.001)
    blocks: list[Block] = []
    for outline, behind, district in zip(array, inners, districts.tolist(), strict=True):
        profile = land.districts[district].rules.lots
        streetside = shapely.boundary(behind)
        for kerb in _polygons(outline.intersection(city)):
            inner = max(_polygons(behind.intersection(kerb)), key=lambda p: p.area, default=None)
            if inner is None or inner.area < 25.0:
                continue
            frontage = shapely.intersection(streetside, city.buffer(-0.05))
            frontage = shapely.intersection(frontage, inner.buffer(0.01))
            place = _place_key(kerb)
            use = _use(seed, place, inner, profile)
            blocks.append(Block(len(blocks), place, district, use, kerb, inner, frontage))
    for district in range(len(land.districts)):
        _keep_a_building_site(blocks, district, land)
    return tuple(blocks)


def district_areas(land: Land, streets: Streets) -> NDArray[np.float64]:
    """(districts,) land of each district within the outline, square metres.

    A district has whole quarters, up to the middle of the streets around them.
    """
    areas = np.zeros(len(land.districts))
    if len(areas) > 1:
        quarters = np.array([quarter.polygon for quarter in streets.quarters], dtype=object)
        inside = shapely.intersection(quarters, land.outline, grid_size=0.001)
        np.add.at(areas, [quarter.district for quarter in streets.quarters], shapely.area(inside))
    areas[-1] = land.outline.area - areas[:-1].sum()
    return areas


def _keep_a_building_site(blocks: list[Block], district: int, land: Land) -> None:
    """Where a small district drew hardly anything but parks, its largest block is built on."""
    own = [block for block in blocks if block.district == district]
    sites = sum(block.inner.area for block in own if block.use not in ("park", "plaza"))
    if own and sites < 0.25 * sum(block.inner.area for block in own):
        largest = max(own, key=lambda block: block.inner.area)
        uses = land.districts[district].rules.lots.uses
        blocks[largest.index] = replace(largest, use=uses[0][0])


def _place_key(kerb: Polygon) -> int:
    """A number for the place of a block, from its middle to the decimetre."""
    middle = kerb.centroid
    return key(0, "place", round(middle.x * 10), round(middle.y * 10)) % 2**63


def _use(seed: int, place: int, inner: Polygon, profile: LotProfile) -> Use:
    uses = [use for use, _ in profile.uses]
    weights = np.array([weight for _, weight in profile.uses])
    drawn = uses[int(stream(seed, "block", place).choice(len(uses), p=weights / weights.sum()))]
    if inner.area < _SMALLEST_M2 or inner.buffer(-_NARROWEST_M / 2).is_empty:
        return "plaza" if "plaza" in uses else "park"
    # A large block is too dear for a park.
    return uses[0] if drawn in ("park", "plaza") and inner.area > _LARGEST_PARK_M2 else drawn


def _polygons(geometry: shapely.Geometry | NDArray[np.object_]) -> list[Polygon]:
    """All polygons in a geometry or an array of them."""
    parts = shapely.get_parts(shapely.get_parts(geometry))
    return [part for part in parts if isinstance(part, Polygon) and not part.is_empty]
