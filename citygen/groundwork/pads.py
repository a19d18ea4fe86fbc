"""Pads: the level places that buildings stand on where the ground is hilly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import shapely
from shapely import Polygon

from vasgen.citygen.architecture.buildings import FOUNDATION_M, LOT_LEVEL_M, Building
from vasgen.citygen.geometry.solids import Array, Ints
from vasgen.citygen.groundwork.grading import Grading
from vasgen.citygen.groundwork.terrain import Terrain
from vasgen.citygen.plots.lots import Lot

#: A pad ends this far inside the walls: pads of neighbours keep apart, and the step between
#: their levels stays hidden in the foundations.
_INSIDE_M = 0.3
_SAMPLE_M = 4.0


@dataclass(frozen=True, eq=False)
class Pad:
    """A level place under a building.

    Attributes:
        polygon: outline, metres.
        level_m: its level without the kerb's height, world z in metres.
        block: number of its block.
    """

    polygon: Polygon
    level_m: float
    block: int


def pad_levels(grading: Grading, buildings: Sequence[Building]) -> Array:
    """(B,) level for each building, metres: the mean of the ground around it."""
    points, building = _around(buildings)
    total = np.bincount(building, grading.level_at(points), len(buildings))
    return np.round(total / np.bincount(building, minlength=len(buildings)), 3)


def make_pads(buildings: Sequence[Building], levels: Array, lots: Sequence[Lot]) -> list[Pad]:
    """The pads of all buildings.

    Args:
        buildings: the buildings.
        levels: (B,) their levels, metres.
        lots: for the blocks they belong to.
    """
    footprints = np.array([building.footprint for building in buildings], dtype=object)
    inner = shapely.buffer(footprints, -_INSIDE_M, join_style="mitre")
    inner = shapely.simplify(inner, _INSIDE_M / 2)
    return [
        Pad(part, float(level), lots[building.lot].block)
        for building, polygon, level in zip(buildings, inner, levels, strict=True)
        for part in shapely.get_parts(polygon)
        if part.area > 1.0
    ]


def settle(buildings: Sequence[Building], levels: Array, terrain: Terrain) -> tuple[Building, ...]:
    """The buildings, raised to their levels, with foundations below all ground around them."""
    footprints = np.array([building.footprint for building in buildings], dtype=object)
    lowest = np.minimum(levels, terrain.lowest_along(shapely.boundary(footprints)))
    bases = np.floor(lowest * 1000.0) / 1000.0 + LOT_LEVEL_M - FOUNDATION_M
    return tuple(
        _settled(building, float(level), float(base))
        for building, level, base in zip(buildings, levels, bases, strict=True)
    )


def _settled(building: Building, level_m: float, base_m: float) -> Building:
    shells = []
    for shell in building.shells:
        raised = shell.raised(level_m)
        founded = shell.base_m < LOT_LEVEL_M
        shells.append(replace(raised, base_m=base_m) if founded else raised)
    return replace(building, level_m=level_m, shells=tuple(shells))


def _around(buildings: Sequence[Building]) -> tuple[Array, Ints]:
    """(N, 2) points along the walls at the ground, and (N,) the building of each."""
    footprints = np.array([building.footprint for building in buildings], dtype=object)
    walls = shapely.segmentize(shapely.boundary(footprints), _SAMPLE_M)
    points, building = shapely.get_coordinates(walls, return_index=True)
    return points, building.astype(np.int64)
