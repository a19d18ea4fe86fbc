"""Pads: the level places that buildings stand on where the ground is hilly.

A pad reaches a little beyond the walls where the lot and its neighbours leave room.
"""

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

#: A pad ends this far inside walls on the lot's border: pads of neighbours keep apart, and the
#: step between their levels stays hidden in the foundations.
_INSIDE_M = 0.3
#: Where there is room, a pad goes on this far outside the walls.
_APRON_M = 1.2
#: A floor lies at most this far below the pavement beside it; no pavement is wider than that.
_STEP_M, _WIDEST_M = 0.4, 12.0
#: Walls no farther behind the nearest point to the street than this are the front, metres.
_FRONT_M = 2.0
_SAMPLE_M = 4.0


@dataclass(frozen=True, eq=False)
class Pad:
    """A level place under and around a building.

    Attributes:
        polygon: outline, metres.
        level_m: its level without the kerb's height, world z in metres.
    """

    polygon: Polygon
    level_m: float


def pad_levels(grading: Grading, buildings: Sequence[Building], lots: Sequence[Lot]) -> Array:
    """(B,) level for each building, metres: the mean of the ground before its front, or higher.

    Beside a pavement the ground cannot be cut: there it is not far above the floor.
    """
    if not buildings:  # a line needs points, so there is no empty array of lines
        return np.zeros(0)
    points, building = _around(buildings)
    ground = grading.level_at(points)
    fronts = np.asarray(shapely.linestrings([lots[b.lot].front for b in buildings]))
    away = shapely.distance(shapely.points(points), fronts[building]).round(2)
    nearest = np.full(len(buildings), np.inf)
    np.minimum.at(nearest, building, away)
    at_front = away < nearest[building] + _FRONT_M
    total = np.bincount(building[at_front], ground[at_front], len(buildings))
    levels = total / np.bincount(building[at_front], minlength=len(buildings))
    beside, street, _, distance = grading.sections.beside(points, _WIDEST_M)
    paved = beside[distance < grading.sections.pavement_m[street] + _APRON_M]
    np.maximum.at(levels, building[paved], ground[paved] - _STEP_M)
    return np.round(levels, 3)


def make_pads(buildings: Sequence[Building], levels: Array, lots: Sequence[Lot]) -> list[Pad]:
    """The pads of all buildings.

    Args:
        buildings: the buildings.
        levels: (B,) their levels, metres.
        lots: where they may reach beyond the walls.
    """
    footprints = np.array([building.footprint for building in buildings], dtype=object)
    owned = np.array([lots[building.lot].polygon for building in buildings], dtype=object)
    inner = shapely.buffer(footprints, -_INSIDE_M, join_style="mitre")
    wide = shapely.buffer(footprints, _APRON_M, join_style="mitre")
    room = shapely.buffer(owned, -_INSIDE_M, join_style="mitre")
    # Buffers of nothing: where areas only touch, lines are no part of what they share.
    outer = shapely.buffer(shapely.intersection(wide, room, grid_size=0.001), 0.0)
    one, two = shapely.STRtree(footprints).query(
        footprints, predicate="dwithin", distance=2 * _APRON_M + _INSIDE_M
    )
    others: list[list[shapely.Geometry]] = [[] for _ in buildings]
    for i, j in sorted(zip(one.tolist(), two.tolist(), strict=True)):
        if i != j:
            # As far from the other's walls as that keeps from these, and a little more.
            half = footprints[i].distance(footprints[j]) / 2 + _INSIDE_M / 2
            others[i].append(footprints[j].buffer(half, join_style="mitre"))
    taken = np.array([shapely.union_all(found, grid_size=0.001) for found in others], dtype=object)
    free = shapely.difference(outer, taken, grid_size=0.001)
    whole = shapely.union(shapely.buffer(free, 0.0), inner, grid_size=0.001)
    whole = shapely.simplify(whole, _INSIDE_M / 2)
    return [
        Pad(part, float(level))
        for polygon, level in zip(whole, levels, strict=True)
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
