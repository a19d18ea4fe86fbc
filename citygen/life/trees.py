"""The planner of trees: along the streets, in gardens, courts and parks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import Polygon

from vasgen.citygen.facade.modules import BALCONY_M
from vasgen.citygen.geometry.solids import Array
from vasgen.citygen.groundwork.ground import Patch
from vasgen.citygen.life.crowns import SPECIES
from vasgen.citygen.life.places import (
    CANOPY_ROOM_M,
    HEADROOM_M,
    Places,
    Surroundings,
    places_at,
    plans,
)
from vasgen.citygen.plots.blocks import Block
from vasgen.citygen.profiles import Use
from vasgen.seeding import stream

#: Distance between planting places behind the pavement, metres, and their chance of a tree.
_GARDENS: dict[Use, tuple[float, float]] = {
    "park": (11.0, 0.55),
    "plaza": (11.0, 0.5),
    "perimeter": (13.0, 0.42),
    "estate": (15.0, 0.5),
    "houses": (16.0, 0.38),
    "highrise": (10.0, 0.5),
}
_GREEN = ("lawn", "meadow")
_KERB_DISTANCE_M = 1.0
_SMALLEST_CROWN_M = 1.3
_BALCONY_ROOM_M = BALCONY_M + 0.1  # between crowns and walls that may have balconies
_INSIDE_M = 2.0  # trunks keep this far from the city's outline

#: Species by number of ``crowns.SPECIES``: one for each row along a street, any in a garden.
_STREET = (0, 1, 2, 4, 0, 2)
_GARDEN = (0, 1, 2, 3, 3, 5, 6, 7)

#: A row of draws: x, y, wished crown radius, whether only green ground will do, species,
#: relative height, direction, and 1 along a street.
_DRAWS = 8


def plan_trees(around: Surroundings, ground: Sequence[Patch], seed: int) -> Places:
    """Trees that stand clear of walls, drives and carriageways.

    Args:
        around: what to keep clear of.
        ground: patches; gardens are planted on green ones only.
        seed: the city's seed.
    """
    rows = [
        _block_draws(seed, b, around.land.districts[b.district].rules.tree_spacing_m)
        for b in around.blocks
    ]
    draws = np.concatenate([np.empty((0, _DRAWS)), *rows])
    points = np.asarray(shapely.points(draws[:, :2]))
    fits = shapely.within(points, around.land.within(_INSIDE_M))
    picky = fits & (draws[:, 3] == 1)
    fits[picky] = _on_green(points[picky], ground)
    draws, points = draws[fits], points[fits]
    species = draws[:, 4].astype(np.int64)
    full = np.array([s.radius_m for s in SPECIES])[species]
    slim = full / max(s.radius_m for s in SPECIES)
    at_street = draws[:, 7] == 1
    radius = np.minimum(draws[:, 2] * np.sqrt(slim), _room(points, at_street, around))
    wide = radius / full
    tall = wide * draws[:, 5]
    # Along the streets people and parked cars must pass under the crowns.
    clear = HEADROOM_M / np.array([s.base * s.height_m for s in SPECIES])[species]
    tall = np.where(at_street, np.maximum(tall, clear), tall)
    trees = places_at(draws[:, :2], draws[:, 6], variant=species, wide=wide, tall=tall)
    trees = trees[radius >= _SMALLEST_CROWN_M * slim]
    shapes = plans("tree", trees)
    free = around.inside(shapes) & around.off_road(shapes)
    free &= around.off_walls(shapes) & around.off_ways(shapes)
    return np.asarray(trees[free])


def _block_draws(seed: int, block: Block, spacing_m: float) -> Array:
    """(N, 8) draws for all planting places of a block."""
    rng = stream(seed, "block", block.key, "trees")
    parts = shapely.get_parts(block.kerb.buffer(-_KERB_DISTANCE_M))
    rows = [part for part in parts if isinstance(part, Polygon) and not part.is_empty]
    street = np.concatenate([np.empty((0, 2)), *(_along(row, spacing_m, rng) for row in rows)])
    garden = _scatter(block, rng)
    kind = np.concatenate(
        [np.full(len(street), rng.choice(_STREET)), rng.choice(_GARDEN, len(garden))]
    )
    wish = np.concatenate([rng.uniform(2.2, 3.2, len(street)), rng.uniform(2.0, 4.0, len(garden))])
    green = np.zeros(len(kind))
    green[len(street) :] = block.use not in ("plaza", "highrise")
    tall = rng.uniform(0.88, 1.15, len(kind))
    turn = rng.uniform(-np.pi, np.pi, len(kind))
    at_street = np.arange(len(kind)) < len(street)
    places = np.concatenate([street, garden])
    return np.column_stack([places, wish, green, kind, tall, turn, at_street])


def _along(row: Polygon, spacing_m: float, rng: np.random.Generator) -> Array:
    """(N, 2) places along a pavement, a few left out."""
    length = row.exterior.length
    count = max(1, round(length / spacing_m))
    at = (np.arange(count) + rng.uniform(-0.12, 0.12, count)) * length / count
    kept = at[rng.random(count) < 0.68]
    return shapely.get_coordinates(shapely.line_interpolate_point(row.exterior, kept))


def _scatter(block: Block, rng: np.random.Generator) -> Array:
    """(N, 2) places behind the pavement, on a grid shaken so far that it does not show."""
    if block.use not in _GARDENS:
        return np.empty((0, 2))
    spacing, chance = _GARDENS[block.use]
    x0, y0, x1, y1 = block.inner.bounds
    grid = np.stack(
        np.meshgrid(np.arange(x0, x1, spacing), np.arange(y0, y1, spacing)), axis=-1
    ).reshape(-1, 2)
    places = grid + rng.uniform(0.1, 0.9, grid.shape) * spacing
    kept = (rng.random(len(places)) < chance) & shapely.contains_xy(
        block.inner.buffer(-1.5), *places.T
    )
    return places[kept]


def _room(points: NDArray[np.object_], at_street: NDArray[np.bool_], around: Surroundings) -> Array:
    """(N,) largest crown radius that keeps clear of all walls and balconies, metres."""
    plans = around.walls.geometries
    anywhere, to_street = around.balconied
    room = _distance(points, plans) - CANOPY_ROOM_M
    for trees, buildings in ((at_street, to_street), (~at_street, anywhere)):
        clear = _distance(points[trees], plans[buildings]) - _BALCONY_ROOM_M
        room[trees] = np.minimum(room[trees], clear)
    return room


def _distance(points: NDArray[np.object_], plans: NDArray[np.object_]) -> Array:
    """(N,) distance to the nearest of plans, metres; infinite if there is none."""
    found = np.full(len(points), np.inf)
    if len(points) and len(plans):
        (index, _), distance = shapely.STRtree(plans).query_nearest(
            points, all_matches=False, return_distance=True
        )
        found[index] = distance
    return found


def _on_green(points: NDArray[np.object_], ground: Sequence[Patch]) -> NDArray[np.bool_]:
    green = [patch.polygon for patch in ground if patch.surface in _GREEN]
    found = np.zeros(len(points), dtype=bool)
    if green:
        # A trunk needs a little ground around it.
        room = shapely.buffer(points, 0.45, quad_segs=2)
        index, _ = shapely.STRtree(green).query(room, predicate="within")
        found[index] = True
    return found
