"""The planner of parked cars: at kerbs, on drives and in works' yards."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import Polygon

from vasgen.citygen.geometry.solids import Array, Ints
from vasgen.citygen.life.bodies import BODIES, BODY_WEIGHTS, COLOUR_WEIGHTS, COLOURS
from vasgen.citygen.life.places import PLACE, Places, Surroundings, places_at, plans
from vasgen.citygen.profiles import Density
from vasgen.seeding import stream

#: Share of the bays of a kerb that are taken, if so many are free: from quiet to busy kerbs.
_OCCUPANCY: dict[Density, tuple[float, float]] = {
    "downtown": (0.44, 0.50),
    "mix": (0.55, 0.69),
    "margin": (0.44, 0.56),
}
_BAY_M = 6.3
_JUNCTION_M = 6.5  # from a junction's mouth to the first bay
_NARROWEST_M = 1.9
_DRIVE_SHARE = 0.4
_YARD_SHARE = 0.4
_YARD_BAY_M = 2.8


def plan_cars(around: Surroundings, closed: NDArray[np.object_], seed: int) -> Places:
    """Cars along the kerbs in driving direction, on drives, and in yards.

    Args:
        around: what to keep clear of.
        closed: (N,) where none may park at the kerb: before bus stops.
        seed: the city's seed.
    """
    cars = np.concatenate([_at_kerbs(around, closed, seed), _on_drives(around, seed)])
    return np.concatenate([cars, _in_yards(around, seed)])


def _at_kerbs(around: Surroundings, closed: NDArray[np.object_], seed: int) -> Places:
    sides = around.kerbsides
    room = sides.span_m - 2 * _JUNCTION_M
    count = np.where(sides.parking_m >= _NARROWEST_M, np.floor(room / _BAY_M).clip(0), 0)
    count = count.astype(np.int64)
    middles = shapely.line_interpolate_point(sides.lines, 0.5, normalized=True)
    district = around.streets.district_at(shapely.get_coordinates(middles))
    shares = np.array([_OCCUPANCY[d.density] for d in around.land.districts])[district]
    rows = [np.empty((0, 8))]
    for index in np.flatnonzero(count).tolist():
        rng = stream(seed, "parking", *sides.names[index].tolist())
        wanted = np.floor(rng.uniform(*shares[index]) * count[index] + 0.5)
        bays = np.empty((count[index], 8))
        bays[:, :2] = index, wanted
        bays[:, 2] = np.arange(count[index])
        bays[:, 3:] = rng.random((count[index], 5))
        rows.append(bays)
    side, wanted, number, chance, body, shift, aside, turn = np.concatenate(rows).T
    side = side.astype(np.int64)
    pitch = room[side] / count[side]
    variant = _variants(body)
    half = np.array([b.half_m for b in BODIES])[variant // COLOURS]
    slack = (sides.parking_m[side] / 2 - half - 0.04).clip(0)
    along = sides.start_m[side] + _JUNCTION_M + (number + 0.5) * pitch + 0.7 * (shift - 0.5)
    points, way = sides.at(side, along, -sides.parking_m[side] / 2 + slack * (aside - 0.5))
    cars = places_at(points, way + 0.3 * slack * (turn - 0.5), variant=variant, raised=False)
    shapes = plans("car", cars)
    clear = around.inside(shapes)
    clear[clear] = around.off_lanes(shapes[clear]) & around.off_ways(shapes[clear])
    clear[shapely.STRtree(closed).query(shapes, predicate="intersects")[0]] = False
    return cars[_first(side, chance, wanted, clear)]


def _first(side: Ints, chance: Array, wanted: Array, clear: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """As many of each side as wanted, in the order of their draws, of those that are clear."""
    order = np.lexsort((chance, ~clear, side))
    rank = np.empty(len(side), dtype=np.int64)
    rank[order] = np.arange(len(side)) - np.searchsorted(side[order], side[order])
    return np.asarray(clear & (rank < wanted))


def _variants(draws: Array) -> Ints:
    """Body and colour for numbers drawn from [0, 1)."""
    weights = np.outer(BODY_WEIGHTS, COLOUR_WEIGHTS).ravel()
    steps = np.cumsum(weights / weights.sum())
    return np.minimum(np.searchsorted(steps, draws, side="right"), len(weights) - 1)


def _on_drives(around: Surroundings, seed: int) -> Places:
    """A car before the garage, its nose to the house or to the street."""
    _, ring = around.drives
    house, street = (ring[:, 0] + ring[:, 1]) / 2, (ring[:, 2] + ring[:, 3]) / 2
    length = np.hypot(*(street - house).T)
    width = np.hypot(*(ring[:, 1] - ring[:, 0]).T)
    large = (length > 6.0) & (width > 2.2)
    house, street, length = house[large], street[large], length[large]
    draws = np.array(
        [
            stream(seed, "drive", *name).random(4)
            for name in np.rint(house * 100).astype(int).tolist()
        ]
    ).reshape(-1, 4)
    way = (street - house) / length[:, None]
    points = house + way * (2.9 + (length - 6.0).clip(0, 2.0) * draws[:, 1])[:, None]
    yaw = np.arctan2(way[:, 1], way[:, 0]) + np.pi * (draws[:, 2] < 0.75)
    cars = places_at(points, yaw, variant=_variants(draws[:, 3]))[draws[:, 0] < _DRIVE_SHARE]
    shapes = plans("car", cars)
    return cars[around.inside(shapes) & around.off_walls(shapes)]


def _in_yards(around: Surroundings, seed: int) -> Places:
    """Cars side by side along the fences of works."""
    rows = [
        _yard(seed, lot.polygon, around.blocks[lot.block].key, lot.place)
        for lot in around.lots
        if lot.use == "works"
    ]
    cars = np.concatenate([np.zeros(0, dtype=PLACE), *rows])
    shapes = plans("car", cars)
    return cars[around.inside(shapes) & around.off_walls(shapes)]


def _yard(seed: int, lot: Polygon, block: int, place: int) -> Places:
    rng = stream(seed, "block", block, "lot", place, "cars")
    rows = list(_fence(lot))
    if not rows:
        return np.zeros(0, dtype=PLACE)
    bays = np.concatenate(rows)
    draws = rng.random((len(bays), 2))
    taken = draws[:, 0] < _YARD_SHARE
    cars = places_at(bays[taken, :2], bays[taken, 2], variant=_variants(draws[taken, 1]))
    shapes = plans("car", cars)
    return cars[shapely.contains_properly(lot, shapes)]


def _fence(lot: Polygon) -> Iterator[Array]:
    """(N, 3) x, y and direction of bays square to the sides of a lot, noses outwards."""
    corners = shapely.get_coordinates(shapely.orient_polygons(lot).exterior)
    for start, step in zip(corners[:-1], np.diff(corners, axis=0), strict=True):
        length = float(np.hypot(*step))
        count = int((length - 12.0) // _YARD_BAY_M)
        if count < 3:
            continue
        way = step / length
        inwards = np.array([-way[1], way[0]])
        at = 6.0 + (np.arange(count) + 0.5) * (length - 12.0) / count
        points = start + at[:, None] * way + 3.2 * inwards
        yaw = np.arctan2(-inwards[1], -inwards[0])
        yield np.column_stack([points, np.full(count, yaw)])
