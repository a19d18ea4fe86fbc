"""From lots to buildings."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from vasgen.citygen import highrise, lowrise, midrise
from vasgen.citygen.blocks import Block
from vasgen.citygen.buildings import Building, Site
from vasgen.citygen.config import CityConfig
from vasgen.citygen.land import Land
from vasgen.citygen.lots import Lot
from vasgen.citygen.profiles import Use
from vasgen.citygen.solids import Array
from vasgen.seeding import stream

_ARCHITECTS: dict[Use, Callable[[Site, int], list[Building]]] = {
    "highrise": highrise.design,
    "perimeter": midrise.design_perimeter,
    "estate": midrise.design_estate,
    "houses": lowrise.design_house,
    "works": lowrise.design_works,
}


def centre_of(config: CityConfig) -> Array:
    """(2,) point of the city around which it is highest, metres."""
    return stream(config.seed, "centre").normal(0.0, 0.07, 2) * config.size_m


def build(
    config: CityConfig, land: Land, blocks: tuple[Block, ...], lots: tuple[Lot, ...]
) -> tuple[Building, ...]:
    """Design every lot's buildings; ids count from 1."""
    centre = centre_of(config)
    buildings: list[Building] = []
    for lot in lots:
        rules = land.districts[blocks[lot.block].district].rules
        scale = rules.heights.falloff * config.size_m / 2
        away = np.hypot(*(np.array(lot.polygon.centroid.coords[0]) - centre)) / scale
        site = Site(lot, rules, config.seed, float(2.0 ** -(away**2)))
        buildings += _ARCHITECTS[lot.use](site, len(buildings) + 1)
    return tuple(buildings)
