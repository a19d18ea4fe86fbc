"""Mid-rise lots: perimeter buildings around a court, and slabs in the green."""

from __future__ import annotations

import numpy as np
import shapely
from shapely import Polygon

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
from vasgen.citygen.architecture.footprints import Rect, aitch, cut_corner, inscribed, outline, you
from vasgen.citygen.architecture.roofs import Tier, gable, mansard, under_gable
from vasgen.citygen.geometry import plane
from vasgen.citygen.geometry.solids import Array, Cell, Grid
from vasgen.citygen.materials import BLANK

_PARTY_GAP_M = 0.12  # each neighbour keeps this from the common boundary
_WING_M = 11.0  # depth of slabs, and of a building around its own yard


def design_perimeter(site: Site, first: int) -> list[Building]:
    """A house in a street front; now and then a gap.

    Args:
        site: the lot.
        first: id of the first building.
    """
    if site.rng("plan").random() < 0.04:
        return []
    plan: shapely.Geometry = site.lot.polygon.buffer(-_PARTY_GAP_M, join_style="mitre")
    if not isinstance(plan, Polygon):
        return []
    ring = outline(Polygon(plan.exterior), site.lot.front)
    if ring is None:
        return []
    rng = site.rng("corner")
    if site.lot.corner is not None and rng.random() < 0.6:
        ring = cut_corner(ring, site.lot.corner, rng.uniform(2.5, 4.5))
    rings = [ring]
    if plan.interiors:
        hole = outline(Polygon(plan.interiors[0]))
        rings += [] if hole is None else [hole[::-1]]
    else:
        yard = set_back(ring, _WING_M, 5.0)
        rings += [] if yard is None else [yard[::-1]]
    return [_front_house(site, first, rings)]


def _front_house(site: Site, index: int, rings: list[Array]) -> Building:
    heights = site.profile.heights
    spread = site.block_rng("storeys").normal(0.0, 0.13) + site.rng("height").normal(0.0, 0.13)
    mean = heights.typical_storeys * (0.75 + 0.25 * site.prominence)
    storeys = int(np.clip(round(mean * (1.0 + spread)), heights.lowest_storeys, 12))
    storey_m = heights.storey_m + 0.1 * int(site.rng("storey").integers(-2, 3))
    grid = Grid(2.5 + 0.2 * int(site.rng("bay").integers(0, 5)), storey_m, LOT_LEVEL_M)
    eave = grid.floor_m + storeys * storey_m
    rng = site.rng("roof")
    if rng.random() < site.profile.pitched:
        style = _styled(site, "tiles")
        cells = _pitched(rng, rings, eave, style, index)
        if cells is not None:
            return _pitched_building(site, index, rings, cells, style, grid)
    style = _styled(site, "gravel")
    top = Tier(tuple(rings), eave, wall(style.facade), wall(BLANK[style.facade]))
    tiers = [top]
    upper = set_back(rings[0], 1.8, 5.0) if len(rings) == 1 else None
    if upper is not None and rng.random() < 0.5:
        tiers.append(Tier((upper,), eave + storey_m, top.wall, top.band))
    room = None
    if len(rings) == 1:
        room = inscribed(Polygon(tiers[-1].rings[0]).buffer(-0.8, join_style="mitre"), site.along)
    return flat_building(site, index, "block", tiers, style, grid, plant=room)


def _styled(site: Site, roof: str) -> Style:
    return choose_style(site.rng("style"), site.profile.facades, roof)


def _pitched(
    rng: np.random.Generator, rings: list[Array], eave: float, style: Style, index: int
) -> list[Cell] | None:
    """A gable behind a plain front, a mansard on anything else or where drawn."""
    look = style.look(index)
    steep, run = rng.uniform(0.55, 0.9), rng.uniform(1.3, 2.2)
    depth = float(plane.length(rings[0][2] - rings[0][1])) if len(rings[0]) > 3 else 0.0
    if len(rings) == 1 and len(rings[0]) == 4 and depth < 20.0 and rng.random() < 0.7:
        return gable(rings[0], eave, float(steep * depth / 2), look)
    return mansard(rings, eave, run, run * rng.uniform(1.4, 2.2), look)


def _pitched_building(
    site: Site, index: int, rings: list[Array], cells: list[Cell], style: Style, grid: Grid
) -> Building:
    roof = "gable" if len(cells) == 2 else "mansard"
    ground = list(rings)
    if roof == "gable":
        ground = [under_gable(rings[0])]
    top = max(float(ring[:, 2].max()) for cell in cells for ring in cell.rings)
    storeys = round((cells[0].storeys_top_m - grid.floor_m) / grid.storey_m)
    return Building(
        index,
        site.lot.index,
        site.lot.use,
        "block",
        Polygon(rings[0], rings[1:]),
        top - LOT_LEVEL_M,
        storeys,
        roof,
        style.radio,
        (close(cells, ground, style.radio, grid),),
    )


def design_estate(site: Site, first: int) -> list[Building]:
    """Slabs in rows, a U or an H around a green, or a point block.

    Args:
        site: the lot.
        first: id of the first building.
    """
    room = inscribed(site.lot.polygon.buffer(-4.0), site.along)
    if room is None or room.shorter_m < 11.0:
        return []
    heights = site.profile.heights
    style = choose_style(site.rng("style"), (("panel", 0.5), ("plaster", 0.5)), "gravel")
    grid = Grid(3.0, 2.9, LOT_LEVEL_M)
    plans, is_point = _estate_plans(site.rng("massing"), room)
    tall = site.rng("height").rayleigh(heights.tower_spread_m * site.prominence)
    tall, most = (tall, 20) if is_point else (0.5 * tall, 9)
    storeys = int(np.clip(round(tall / grid.storey_m), 3, most))
    top, band = grid.floor_m + storeys * grid.storey_m, wall(BLANK[style.facade])
    return [
        flat_building(
            site,
            first + k,
            "slab",
            [Tier((ring,), top, wall(style.facade), band)],
            style,
            grid,
            plant=plant,
        )
        for k, (ring, plant) in enumerate(plans)
    ]


def _estate_plans(
    rng: np.random.Generator, room: Rect
) -> tuple[list[tuple[Array, Rect | None]], bool]:
    """Outlines with the room for plant on their roofs, and whether it is a point block."""
    kind, gap = rng.random(), rng.uniform(20.0, 26.0)
    if kind < 0.3:
        side = min(room.shorter_m, 24.0)
        rows = [room.part((room.width_m - side) / 2, 0.0, side, side)]
    elif kind < 0.7 and room.width_m > 38.0 and room.depth_m > 28.0:
        share = _WING_M / room.width_m
        depth = min(room.depth_m, 1.3 * room.width_m)
        # Around a green that is open to one side, or to two.
        shape = you if kind < 0.55 else aitch
        return [(room.place(shape(room.width_m, depth, share)), None)], False
    else:
        depth = min(_WING_M, room.depth_m)
        count = max(1, int((room.depth_m + gap) // (depth + gap)))
        rows = [room.part(0.0, k * (depth + gap), room.width_m, depth) for k in range(count)]
    plans = [(row.ring(), row.part(1.0, 1.0, row.width_m - 2, row.depth_m - 2)) for row in rows]
    return list(plans), kind < 0.3
