"""From lots to buildings."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import Polygon

from vasgen.citygen.architecture import highrise, lowrise, midrise, planned
from vasgen.citygen.architecture.buildings import Building, Site
from vasgen.citygen.architecture.programme import Brief, programme
from vasgen.citygen.config import CityConfig, District
from vasgen.citygen.geometry import plane
from vasgen.citygen.geometry.solids import Array
from vasgen.citygen.land import Land
from vasgen.citygen.plots.blocks import Block, district_areas
from vasgen.citygen.plots.lots import Lot
from vasgen.citygen.profiles import Use
from vasgen.citygen.roads.streets import Streets
from vasgen.seeding import stream

_ARCHITECTS: dict[Use, Callable[[Site, int], list[Building]]] = {
    "highrise": highrise.design,
    "perimeter": midrise.design_perimeter,
    "estate": midrise.design_estate,
    "houses": lowrise.design_house,
    "works": lowrise.design_works,
}


def centre_of(config: CityConfig, land: Land) -> Array:
    """(2,) point of the city around which it is highest, metres."""
    away = stream(config.seed, "centre").normal(0.0, 0.07, 2) * config.extent_m
    return np.asarray(land.middle + away)


def build(
    config: CityConfig,
    land: Land,
    streets: Streets,
    blocks: tuple[Block, ...],
    lots: tuple[Lot, ...],
) -> tuple[Building, ...]:
    """Design every lot's buildings; ids count from 1.

    Raises:
        InputError: if the lots cannot carry the targets of their district.
    """
    numbers = [blocks[lot.block].district for lot in lots]
    sites = _sites(config, land, lots, np.array(numbers, dtype=np.int64))
    briefs: dict[int, Brief] = {}
    areas = district_areas(land, streets)
    for number, district in enumerate(land.districts):
        own = [site for site, n in zip(sites, numbers, strict=True) if n == number]
        if district.targets is not None:
            found = programme(district.targets, float(areas[number]), own)
            briefs.update(zip((site.lot.index for site in own), found, strict=True))
    buildings: list[Building] = []
    for site in sites:
        first, brief = len(buildings) + 1, briefs.get(site.lot.index)
        if brief is None:
            buildings += _ARCHITECTS[site.lot.use](site, first)
        else:
            buildings.append(planned.design(site, first, brief))
    return tuple(buildings)


def _sites(
    config: CityConfig, land: Land, lots: tuple[Lot, ...], districts: NDArray[np.int64]
) -> list[Site]:
    """The lots with the rules of their districts, the higher the nearer to the centre."""
    middles = shapely.get_coordinates(
        shapely.centroid(np.array([lot.polygon for lot in lots], dtype=object))
    )
    sites = []
    reaches = [_reach(config, land, district) for district in land.districts]
    for lot, middle, number in zip(lots, middles, districts.tolist(), strict=True):
        rules, (centre, reach_m) = land.districts[number].rules, reaches[number]
        away = float(plane.length(middle - centre)) / (rules.heights.falloff * reach_m)
        sites.append(Site(lot, rules, config.seed, 2.0 ** -(away**2)))
    return sites


def _reach(config: CityConfig, land: Land, district: District) -> tuple[Array, float]:
    """The point around which a district is highest, and how far it reaches, metres."""
    if district.corners is not None:
        outline = Polygon(district.corners)
        x0, y0, x1, y1 = outline.bounds
        return np.array(outline.centroid.coords[0]), max(x1 - x0, y1 - y0) / 2
    if district.radius_m is not None:
        return land.middle, district.radius_m
    return centre_of(config, land), config.extent_m / 2
