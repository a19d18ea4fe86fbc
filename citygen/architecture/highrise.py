"""High-rise lots: towers on podiums, and the massive street blocks between them."""

from __future__ import annotations

import numpy as np
from shapely import Polygon

from vasgen.citygen.architecture import footprints
from vasgen.citygen.architecture.buildings import (
    LOT_LEVEL_M,
    Building,
    Site,
    Style,
    choose_style,
    flat_building,
    set_back,
    wall,
)
from vasgen.citygen.architecture.footprints import Rect, cut_corner, inscribed, outline
from vasgen.citygen.architecture.roofs import Tier
from vasgen.citygen.geometry.solids import Array, Grid
from vasgen.citygen.materials import BLANK

_WIDEST_TOWER_M = 42.0
_NARROWEST_TOWER_M = 15.0


def design(site: Site, first: int) -> list[Building]:
    """A tower or a street block; nothing on a lot that is left open.

    Args:
        site: the lot.
        first: id of the first building.
    """
    rng = site.rng("plan")
    left_open, wants_tower, setback = rng.random(), rng.random(), rng.uniform(0.3, 1.6)
    if left_open < site.profile.lots.open_share:
        return []
    plan = site.lot.polygon.buffer(-setback, join_style="mitre")
    ring = outline(plan, site.lot.front) if isinstance(plan, Polygon) else None
    if ring is None:
        return []
    room = inscribed(Polygon(ring).buffer(-3.2, join_style="mitre"), site.along)
    fits = room is not None and room.shorter_m > _NARROWEST_TOWER_M
    if room is not None and fits and wants_tower < site.profile.heights.tower_share:
        return [_tower(site, first, ring, room)]
    return [_block(site, first, ring)]


def _tower(site: Site, index: int, podium: Array, room: Rect) -> Building:
    rng, heights = site.rng("massing"), site.profile.heights
    style = choose_style(site.rng("style"), site.profile.facades, "gravel")
    grid = Grid(bay(style), heights.storey_m, LOT_LEVEL_M)
    shape, plan = tower_plan(rng, room)
    tall = site.rng("height").rayleigh(heights.tower_spread_m * site.prominence)
    tall = min(tall, heights.tower_limit_m, 9.0 * plan.shorter_m)
    storeys = max(heights.lowest_storeys + 7, round(tall / heights.storey_m))
    base = int(np.clip(rng.integers(2, 7), 2, storeys // 3))
    foot = choose_style(site.rng("podium"), (("stone", 0.6), ("panel", 0.4)), "gravel").facade
    tiers = [tier_of(podium, base, grid, foot if rng.random() < 0.55 else style.facade)]
    crown = int(rng.integers(1, 3)) if rng.random() < 0.45 else 0
    tiers += shaft(rng, shape, base, storeys, grid, style, crown=crown)
    top = inscribed(Polygon(tiers[-1].rings[0]).buffer(-0.9), site.along)
    return flat_building(site, index, "tower", tiers, style, grid, plant=top)


def tower_plan(rng: np.random.Generator, room: Rect) -> tuple[Array, Rect]:
    """Shape of a tower and the rectangle around it, within the room on the podium."""
    limit = rng.uniform(0.7, 1.0) * _WIDEST_TOWER_M
    width, depth = min(room.width_m, limit), min(room.depth_m, limit)
    x = rng.uniform(0, 1) * (room.width_m - width)
    rect = room.part(x, rng.uniform(0, 0.6) * (room.depth_m - depth), width, depth)
    kind = rng.choice(6, p=[0.40, 0.20, 0.08, 0.12, 0.12, 0.08])
    shapes = (
        footprints.rectangle(width, depth),
        footprints.chamfered(width, depth, rng.uniform(0.12, 0.28)),
        footprints.rounded(width, depth),
        footprints.cross(width, depth, rng.uniform(0.12, 0.25)),
        footprints.ell(width, depth, rng.uniform(0.5, 0.65)),
        footprints.tee(width, depth, rng.uniform(0.45, 0.6)),
    )
    return rect.place(shapes[kind]), rect


def shaft(
    rng: np.random.Generator,
    ring: Array,
    base: int,
    storeys: int,
    grid: Grid,
    style: Style,
    *,
    crown: int = 0,
) -> list[Tier]:
    """The tower above its podium, with step-backs on the way up.

    Args:
        rng: draws the step-backs.
        ring: its plan.
        base: storeys of the podium.
        storeys: all storeys below the crown.
        grid: bays and storeys.
        style: its materials.
        crown: storeys of a blank top.
    """
    steps = int(rng.choice(4, p=[0.4, 0.25, 0.2, 0.15])) if storeys > 20 else 0
    levels = sorted(rng.uniform(0.45, 0.92, steps)) if steps else []
    tiers = []
    for share in [*levels, 1.0]:
        level = base + round(share * (storeys - base))
        tiers.append(tier_of(ring, level, grid, style.facade))
        inner = set_back(ring, rng.uniform(1.6, 3.2), 9.0)
        if inner is None:
            return [*tiers[:-1], tier_of(ring, storeys + crown, grid, style.facade)]
        ring = inner
    if crown:
        blank = wall(BLANK[style.facade])
        tiers.append(Tier((ring,), tiers[-1].top_m + crown * grid.storey_m, blank, blank))
    return _rising(tiers)


def _rising(tiers: list[Tier]) -> list[Tier]:
    """Without the tiers that end no higher than the one below."""
    kept = tiers[:1]
    for tier in tiers[1:]:
        if tier.top_m > kept[-1].top_m + 0.1:
            kept.append(tier)
    return kept


def _block(site: Site, index: int, ring: Array) -> Building:
    """A street block that fills its lot, around a yard where it is deep."""
    rng, heights = site.rng("massing"), site.profile.heights
    style = choose_style(site.rng("style"), site.profile.facades, "gravel")
    grid = Grid(bay(style), heights.storey_m, LOT_LEVEL_M)
    mean = heights.typical_storeys * (0.6 + 0.5 * site.prominence)
    drawn = round(site.rng("height").normal(mean, 0.28 * mean))
    storeys = int(np.clip(drawn, heights.lowest_storeys, 18))
    if site.lot.corner is not None and rng.random() < 0.5:
        ring = cut_corner(ring, site.lot.corner, rng.uniform(3.0, 5.5))
    yard = set_back(ring, 13.0, 8.0)
    if yard is not None and rng.random() < 0.7:
        tier = tier_of(ring, storeys, grid, style.facade)
        tier = Tier((ring, yard[::-1]), tier.top_m, tier.wall, tier.band)
        return flat_building(site, index, "block", [tier], style, grid)
    tiers = [tier_of(ring, storeys, grid, style.facade)]
    upper = set_back(ring, rng.uniform(2.2, 4.0))
    if upper is not None and rng.random() < 0.6:
        extra = int(rng.integers(1, 1 + max(2, storeys // 3)))
        tiers.append(tier_of(upper, storeys + extra, grid, style.facade))
    room = inscribed(Polygon(tiers[-1].rings[0]).buffer(-0.9, join_style="mitre"), site.along)
    return flat_building(site, index, "block", tiers, style, grid, plant=room)


def tier_of(ring: Array, storeys: int, grid: Grid, facade: int) -> Tier:
    """A tier with a flat roof over so many storeys."""
    top = grid.floor_m + storeys * grid.storey_m
    return Tier((ring,), top, wall(facade), wall(BLANK[facade]))


def bay(style: Style) -> float:
    """Width of a bay, metres: narrow in glass, wide in stone."""
    return {"glass": 1.6, "brick": 2.6}.get(style.radio, 3.2)
