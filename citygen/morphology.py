"""How built-up a city is: the figures urban radio models ask for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely

from vasgen.citygen.buildings import Building


@dataclass(frozen=True)
class Morphology:
    """Figures of a city's square.

    Attributes:
        built_up_ratio: share of the land covered by buildings (ITU-R P.1410's alpha).
        buildings_per_km2: number of buildings per square kilometre (its beta).
        mean_height_m: mean height of the buildings, weighted by footprint, metres.
        max_height_m: height of the highest building, metres.
        floor_area_ratio: floor area over land area.
        street_share: share of the land covered by carriageways.
    """

    built_up_ratio: float
    buildings_per_km2: float
    mean_height_m: float
    max_height_m: float
    floor_area_ratio: float
    street_share: float


def measure(buildings: Sequence[Building], street_area_m2: float, land_m2: float) -> Morphology:
    """Measure a city.

    Args:
        buildings: all buildings.
        street_area_m2: area of the carriageways inside the city, square metres.
        land_m2: area of the city, square metres.
    """
    area = shapely.area(np.array([b.footprint for b in buildings], dtype=object))
    height = np.array([b.height_m for b in buildings])
    storeys = np.array([b.storeys for b in buildings])
    built = float(area.sum())
    return Morphology(
        built_up_ratio=built / land_m2,
        buildings_per_km2=len(buildings) / land_m2 * 1e6,
        mean_height_m=float((area * height).sum()) / built if built else 0.0,
        max_height_m=float(height.max(initial=0.0)),
        floor_area_ratio=float((area * storeys).sum()) / land_m2,
        street_share=street_area_m2 / land_m2,
    )
