"""Low-rise lots: houses with gardens, and industrial sheds."""

from __future__ import annotations

import numpy as np
from shapely import Polygon

from vasgen.citygen.architecture.buildings import (
    LOT_LEVEL_M,
    Building,
    Site,
    Style,
    box,
    choose_style,
    close,
    flat_building,
    wall,
)
from vasgen.citygen.architecture.footprints import Rect, inscribed
from vasgen.citygen.architecture.roofs import Look, Tier, gable, hip, shed, under_gable
from vasgen.citygen.geometry import plane
from vasgen.citygen.geometry.solids import Array, Cell, Finish, Grid, Shell
from vasgen.citygen.materials import BLANK, FAMILIES
from vasgen.semantics import SemanticClass

_CHIMNEY_M = 0.7


def design_house(site: Site, first: int) -> list[Building]:
    """A detached house behind a front garden, some with a garage wing.

    Args:
        site: the lot.
        first: id of the first building.
    """
    room = inscribed(site.lot.polygon.buffer(-1.3, join_style="mitre"), site.along)
    if room is None or room.width_m < 6.5 or room.depth_m < 8.0:
        return []
    rng = site.rng("massing")
    width = min(room.width_m, rng.uniform(9.0, 14.5))
    depth = min(room.depth_m, rng.uniform(8.0, 11.0))
    front = min(room.depth_m - depth, site.block_rng("setback").uniform(3.0, 6.0))
    x = rng.uniform(0.0, 0.6) * (room.width_m - width)
    main = room.part(x, front, width, depth)
    spare = room.width_m - x - width
    wing = (min(spare, 4.2), rng.uniform(5.0, 6.2)) if spare > 3.0 and rng.random() < 0.7 else None
    return [_house(site, first, main, wing)]


def _house(site: Site, index: int, main: Rect, wing: tuple[float, float] | None) -> Building:
    rng, heights = site.rng("roof"), site.profile.heights
    tall = site.rng("height").normal(heights.typical_storeys, 0.4)
    storeys = int(np.clip(round(tall), heights.lowest_storeys, 2))
    grid = Grid(2.6, heights.storey_m, LOT_LEVEL_M)
    eave = grid.floor_m + storeys * heights.storey_m
    pitched = rng.random() < site.profile.pitched
    style = choose_style(site.rng("style"), site.profile.facades, "tiles" if pitched else "gravel")
    if not pitched:
        return _modern(site, index, main, storeys, style, grid)
    look = style.look(index)
    turned = rng.random() < 0.35 and wing is None
    ring = main.ring()
    quad = np.roll(ring, -1, axis=0) if turned else ring
    span = main.width_m if turned else main.depth_m
    rise = span / 2 * rng.uniform(0.65, 1.0)
    attached = _attached(main, wing)
    drawn = rng.random()
    kind = "hip" if drawn < 0.36 else "gable"
    if drawn > 0.9 and wing is None:
        kind, rise = "shed", 0.25 * span
        cells = shed(quad, eave, eave + rise, look)
    else:
        build = hip if kind == "hip" else gable
        cells = build(quad, eave, rise, look, None if attached is None else attached[[0, 3]])
    a, b, c, d = quad
    middles = [(b + c) / 2, (d + a) / 2] if kind == "gable" else []
    if attached is not None:
        cells += shed(np.roll(attached, -3, axis=0), *_wing_levels(rng, grid, storeys), look)
    ground = _ground(quad, middles, attached)
    shells = [close(cells, [ground], style.radio, grid)]
    if rng.random() < 0.6 and kind != "shed":
        shells.append(_chimney(quad, eave, rise, look))
    return Building(
        index,
        site.lot.index,
        site.lot.use,
        "house",
        Polygon(ground),
        eave + rise - LOT_LEVEL_M,
        storeys,
        kind,
        style.radio,
        tuple(shells),
        _drives(site, main, attached),
    )


def _drives(site: Site, main: Rect, attached: Array | None) -> tuple[Polygon, ...]:
    """A path to the front door, and a drive to the garage."""
    ways = [main.part(0.4 * main.width_m, -30.0, 1.4, 30.0)]
    if attached is not None:
        width = float(plane.length(attached[1] - attached[0]))
        ways.append(main.part(main.width_m + 0.4, -30.0, width - 0.8, 30.6))
    paved = [Polygon(way.ring()).intersection(site.lot.polygon) for way in ways]
    return tuple(part for part in paved if isinstance(part, Polygon) and part.area > 1.0)


def _attached(main: Rect, wing: tuple[float, float] | None) -> Array | None:
    """(4, 2) plan of a garage on the right of the house, from the house's front corner on."""
    if wing is None:
        return None
    width, depth = wing
    depth = min(depth, main.depth_m / 2 - 0.9)
    x, y = main.width_m, 0.6
    return main.place(np.array([[x, y], [x + width, y], [x + width, y + depth], [x, y + depth]]))


def _wing_levels(rng: np.random.Generator, grid: Grid, storeys: int) -> tuple[float, float]:
    """Levels of the wing's low and high edge, below the eave of the house."""
    high = grid.floor_m + min(storeys * grid.storey_m - 0.3, 3.1)
    return high - rng.uniform(0.2, 0.5), high


def _ground(quad: Array, middles: list[Array], attached: Array | None) -> Array:
    a, b, c, d = quad
    right = [] if attached is None else list(attached)
    if middles:
        return np.array([a, b, *right, middles[0], c, d, middles[1]])
    return np.array([a, b, *right, c, d])


def _chimney(quad: Array, eave: float, rise: float, look: Look) -> Shell:
    """A chimney through the slope beside the ridge."""
    a, b, _, d = quad
    along, across = plane.unit(b - a), plane.unit(d - a)
    corner = (a + b) / 2 + (d - a) * 0.36
    step, side = along * _CHIMNEY_M, across * _CHIMNEY_M
    ring = np.array([corner, corner + step, corner + step + side, corner + side])
    finish = Finish(SemanticClass.ROOF, BLANK[FAMILIES["brick"][0]])
    return box(ring, eave + 0.3 * rise, eave + rise + 0.7, "brick", finish, look.instance)


def _modern(site: Site, index: int, main: Rect, storeys: int, style: Style, grid: Grid) -> Building:
    """A flat-roofed house."""
    band = wall(BLANK[style.facade])
    top = grid.floor_m + storeys * grid.storey_m
    tiers = [Tier((main.ring(),), top, wall(style.facade), band)]
    return flat_building(site, index, "house", tiers, style, grid)


def design_works(site: Site, first: int) -> list[Building]:
    """An industrial shed with a yard.

    Args:
        site: the lot.
        first: id of the first building.
    """
    room = inscribed(site.lot.polygon.buffer(-6.0), site.along)
    if room is None or room.shorter_m < 10.0:
        return []
    rng = site.rng("massing")
    width, depth = min(room.width_m, 62.0), min(room.depth_m, 44.0)
    rect = room.part(0.0, 0.0, width * rng.uniform(0.75, 1.0), depth * rng.uniform(0.75, 1.0))
    style = choose_style(site.rng("style"), (("shed", 1.0),), "sheet")
    eave_m = 0.5 * int(site.rng("height").integers(11, 19))
    grid = Grid(5.0, eave_m, LOT_LEVEL_M)
    quad = rect.ring()
    if rect.depth_m > rect.width_m:
        quad = np.roll(quad, -1, axis=0)
    rise = 0.09 * rect.shorter_m
    look = style.look(first)
    cells: list[Cell] = gable(quad, grid.floor_m + eave_m, rise, look)
    ground = under_gable(quad)
    return [
        Building(
            first,
            site.lot.index,
            site.lot.use,
            "shed",
            Polygon(quad),
            eave_m + rise,
            1,
            "gable",
            style.radio,
            (close(cells, [ground], style.radio, grid),),
        )
    ]
