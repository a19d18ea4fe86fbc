"""Buildings whose plan and height are given: those of a district with targets."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from shapely import Polygon

from vasgen.citygen.architecture import highrise
from vasgen.citygen.architecture.buildings import (
    LOT_LEVEL_M,
    Building,
    Site,
    Style,
    choose_style,
    close,
    flat_building,
    set_back,
    wall,
)
from vasgen.citygen.architecture.footprints import inscribed
from vasgen.citygen.architecture.plans import Plan
from vasgen.citygen.architecture.programme import SLENDEREST, Brief
from vasgen.citygen.architecture.roofs import Look, Tier, gable, hip, mansard, shed, under_gable
from vasgen.citygen.geometry import plane
from vasgen.citygen.geometry.solids import Array, Cell, Grid
from vasgen.citygen.materials import BLANK

_LOWEST_EAVE_M = 2.3
_HIGHEST_HOUSE_M = 13.0
_HIGHEST_PITCHED_M = 34.0
_LOWEST_TOWER_M = 34.0
_LOWEST_STOREY_M = 2.3


def design(site: Site, index: int, brief: Brief) -> Building:
    """A building on exactly this plan and of exactly this height, in the manner of its lot's use.

    Args:
        site: the lot.
        index: id of the building.
        brief: what is to be built.
    """
    plan, height = brief.plan, brief.height_m
    if site.lot.use == "works" and height < _HIGHEST_HOUSE_M:
        return _hall(site, index, plan, height)
    if site.rng("roof kind").random() < site.profile.pitched:
        building = _pitched(site, index, plan, height)
        if building is not None:
            return building
    if height > _LOWEST_TOWER_M:
        building = _tower(site, index, plan, height)
        if building is not None:
            return building
    return _flat(site, index, plan, height)


def storeys_in(height_m: float, storey_m: float) -> int:
    """The number of storeys that comes closest to a usual height of a storey."""
    count = max(1, int(height_m / storey_m))
    higher, lower = height_m / count / storey_m, storey_m * (count + 1) / height_m
    return count + 1 if lower < higher and height_m / (count + 1) > _LOWEST_STOREY_M else count


def _kind(site: Site, height_m: float) -> str:
    if site.lot.use == "houses" and height_m <= _HIGHEST_HOUSE_M:
        return "house"
    return "slab" if site.lot.use == "estate" else "block"


def _flat(site: Site, index: int, plan: Plan, height: float) -> Building:
    """Storeys under a flat roof; the upper ones step back on some."""
    rng, style = site.rng("massing"), _style(site, "gravel")
    storeys = storeys_in(height, site.profile.heights.storey_m)
    grid = Grid(highrise.bay(style), height / storeys, LOT_LEVEL_M)
    tiers = [_tier(plan.rings, storeys, grid, style)]
    if len(plan.rings) == 1 and storeys > 3 and rng.random() < 0.4:
        upper = set_back(plan.rings[0], rng.uniform(1.8, 3.5))
        if upper is not None:
            above = int(rng.integers(1, 1 + max(2, storeys // 4)))
            tiers = [
                _tier(plan.rings, storeys - above, grid, style),
                _tier((upper,), storeys, grid, style),
            ]
    plant = None
    if len(plan.rings) == 1 and height > 9.0:
        roof = Polygon(tiers[-1].rings[0]).buffer(-0.9, join_style="mitre")
        plant = inscribed(roof, site.along)
    return flat_building(site, index, _kind(site, height), tiers, style, grid, plant=plant)


def _tower(site: Site, index: int, plan: Plan, height: float) -> Building | None:
    """A tower on a podium that has the plan; None where it would be too slender, or need none."""
    if len(plan.rings) > 1:
        return None
    rng = site.rng("massing")
    room = inscribed(Polygon(plan.rings[0]).buffer(-2.2, join_style="mitre"), site.along)
    if room is None or room.shorter_m < max(14.0, height / SLENDEREST):
        return None
    shape, rect = highrise.tower_plan(rng, room)
    if rect.shorter_m < height / SLENDEREST or Polygon(shape).area > 0.75 * plan.area_m2:
        return None
    style = _style(site, "gravel")
    storeys = storeys_in(height, site.profile.heights.storey_m)
    grid = Grid(highrise.bay(style), height / storeys, LOT_LEVEL_M)
    base = int(np.clip(rng.integers(2, 7), 2, storeys // 3))
    crown = int(rng.integers(1, 3)) if rng.random() < 0.45 else 0
    tiers = [_tier(plan.rings, base, grid, style)]
    tiers += highrise.shaft(rng, shape, base, storeys - crown, grid, style, crown=crown)
    plant = inscribed(Polygon(tiers[-1].rings[0]).buffer(-0.9), site.along)
    return flat_building(site, index, "tower", tiers, style, grid, plant=plant)


def _pitched(site: Site, index: int, plan: Plan, height: float) -> Building | None:
    """A gable, a hip, a single slope or a mansard; None where none fits below the height."""
    if height > _HIGHEST_PITCHED_M:
        return None
    rng, style = site.rng("roof"), _style(site, "tiles")
    look = style.look(index)
    ring = plan.rings[0]
    sides = plane.length(np.roll(ring, -1, axis=0) - ring)
    quad = len(plan.rings) == 1 and len(ring) == 4
    steep, draw = rng.uniform(0.6, 0.95), rng.random()
    storey_m = site.profile.heights.storey_m
    if quad and sides.min() < 17.0:
        along_front = round(sides[0] + sides[2] - sides[1] - sides[3], 3) > 0
        turned = ring if along_front else np.roll(ring, -1, axis=0)
        span = sides.min()
        rise = round(min(steep * span / 2, 0.45 * height, height - _LOWEST_EAVE_M), 3)
        if rise > 0.6:
            eave = LOT_LEVEL_M + height - rise
            cells, roof = _slopes(turned, eave, rise, draw, look)
            return _under_slopes(site, index, plan, cells, roof, turned, style, storey_m)
    run = rng.uniform(1.3, 2.2)
    rise = round(min(run * rng.uniform(1.4, 2.2), 0.4 * height), 3)
    if height - rise < max(_LOWEST_EAVE_M, 5.0):
        return None
    steep_cells = mansard(plan.rings, LOT_LEVEL_M + height - rise, run, rise, look)
    if steep_cells is None:
        return None
    return _under_slopes(site, index, plan, steep_cells, "mansard", ring, style, storey_m)


def _slopes(
    quad: Array, eave: float, rise: float, draw: float, look: Look
) -> tuple[list[Cell], str]:
    if draw < 0.5:
        return gable(quad, eave, rise, look), "gable"
    if draw < 0.85:
        return hip(quad, eave, rise, look), "hip"
    return shed(quad, eave, eave + rise, look), "shed"


def _under_slopes(
    site: Site,
    index: int,
    plan: Plan,
    cells: list[Cell],
    roof: str,
    quad: Array,
    style: Style,
    storey_m: float,
) -> Building:
    """The building below pitched cells, with storeys that end at the eave."""
    ground = list(plan.rings)
    if roof == "gable":
        ground = [under_gable(quad)]
    top = max(float(ring[:, 2].max()) for cell in cells for ring in cell.rings)
    eave_m = cells[0].storeys_top_m - LOT_LEVEL_M
    storeys = storeys_in(eave_m, storey_m)
    grid = Grid(2.6, eave_m / storeys, LOT_LEVEL_M)
    height = top - LOT_LEVEL_M
    return Building(
        index,
        site.lot.index,
        site.lot.use,
        _kind(site, height),
        Polygon(plan.rings[0], plan.rings[1:]),
        height,
        storeys,
        roof,
        style.radio,
        (close(cells, ground, style.radio, grid),),
    )


def _hall(site: Site, index: int, plan: Plan, height: float) -> Building:
    """An industrial hall: one storey, under a low gable where its plan has four corners."""
    style = choose_style(site.rng("style"), (("shed", 1.0),), "sheet")
    ring = plan.rings[0]
    if len(plan.rings) == 1 and len(ring) == 4 and height > 4.0:
        quad = ring
        first, second = plane.length(ring[1:3] - ring[:2]).round(3)
        if first < second:
            quad = np.roll(ring, -1, axis=0)
        rise = round(min(0.2 * height, 0.09 * plan.narrow_m), 3)
        cells = gable(quad, LOT_LEVEL_M + height - rise, rise, style.look(index))
        building = _under_slopes(site, index, plan, cells, "gable", quad, style, height)
        return replace(building, kind="shed")
    tiers = [Tier(plan.rings, LOT_LEVEL_M + height, wall(style.facade), wall(BLANK[style.facade]))]
    return flat_building(site, index, "shed", tiers, style, Grid(5.0, height, LOT_LEVEL_M))


def _style(site: Site, roof: str) -> Style:
    return choose_style(site.rng("style"), site.profile.facades, roof)


def _tier(rings: tuple[Array, ...], storeys: int, grid: Grid, style: Style) -> Tier:
    top = grid.floor_m + storeys * grid.storey_m
    return Tier(rings, top, wall(style.facade), wall(BLANK[style.facade]))
