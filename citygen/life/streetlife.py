"""Planners of street furniture: lamps, traffic lights, bus stops and benches."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import Polygon

from vasgen.citygen.geometry.solids import Array, Ints
from vasgen.citygen.groundwork.ground import Patch
from vasgen.citygen.life.furniture import SHELTER_M
from vasgen.citygen.life.places import (
    CANOPY_ROOM_M,
    PLACE,
    Places,
    Surroundings,
    places_at,
    plans,
)
from vasgen.seeding import key, stream

_LAMP_SPACING_M = 34.0
_LAMP_OUT_M = 0.5
_SIGNAL_OUT_M = 0.6
#: Places of a traffic light before the junction, best first: at the stop line.
_SIGNAL_BACK_M = (4.8, 5.8, 6.8, 8.0, 3.6, 2.4, 1.2)
_WIDE_ROAD_M = 5.5  # half a carriageway with room for the long arm
_STOP_SPACING_M = 320.0
_STOP_LINE_M = 60.0  # stops farther aside than this are in another street
_STOP_OUT_M = 0.65  # from the kerb to the front of the shelter's roof
_SHORTEST_STOP_M = 34.0
_BENCH_SPACING_M = {"path": 16.0, "plaza": 18.0, "pavement": 55.0}
_WIDE_PAVEMENT_M = 3.5


def plan_lamps(around: Surroundings) -> Places:
    """Lamps along both pavements, staggered, arms towards the road."""
    sides = around.kerbsides
    count = np.where(sides.span_m > 10.0, np.rint(sides.span_m / _LAMP_SPACING_M).clip(1), 0)
    side, number = _repeated(count.astype(np.int64))
    # Both sides count in their own driving direction: a quarter makes them stagger by a half.
    along = sides.start_m[side] + (number + 0.25) / count[side] * sides.span_m[side]
    points, way = sides.at(side, along, np.full(len(side), _LAMP_OUT_M))
    lamps = places_at(points, way + np.pi / 2, variant=(sides.rank[side] == 2).astype(int))
    return lamps[around.on_pavement(plans("lamp", lamps))]


def plan_signals(around: Surroundings) -> Places:
    """A traffic light on the right of every way into a junction of busy streets."""
    graph, sides = around.streets.graph, around.kerbsides
    busy = np.array(
        [
            sum(data["kind"] != "minor" for *_, data in graph.edges(node, data=True)) >= 3
            for node in range(len(graph))
        ],
        dtype=bool,
    )
    side = np.flatnonzero(busy[sides.target] & (sides.span_m > 12.0))
    found = np.zeros(len(side), dtype=PLACE)
    open_ = np.ones(len(side), dtype=bool)
    for back in _SIGNAL_BACK_M:
        rest = side[open_]
        points, way = sides.at(rest, sides.end_m[rest] - back, _SIGNAL_OUT_M)
        variant = (sides.half_m[rest] < _WIDE_ROAD_M).astype(int)
        tried = places_at(points, way + np.pi, variant=variant)
        fits = around.on_pavement(plans("traffic-light", tried))
        number = np.flatnonzero(open_)[fits]
        found[number], open_[number] = tried[fits], False
    return found[~open_]


def plan_stops(around: Surroundings, seed: int) -> Places:
    """Pairs of bus stops along avenues and major streets: shelters, where there is room."""
    sides = around.kerbsides
    count = len(sides.lines) // 2
    wanted = (sides.rank[:count] < 2) & (sides.span_m[:count] > _SHORTEST_STOP_M)
    chosen = _spaced(around, np.flatnonzero(wanted), seed)
    side = np.concatenate([chosen, chosen + count])
    # Beyond the middle, so that buses do not stop side by side.
    along = sides.start_m[side] + 0.6 * sides.span_m[side]
    found = np.zeros(len(side), dtype=PLACE)
    open_ = np.ones(len(side), dtype=bool)
    for variant, out in ((0, _STOP_OUT_M + SHELTER_M[1] / 2), (1, 0.6)):
        points, way = sides.at(side, along, np.full(len(side), out))
        tried = places_at(points, way + np.pi / 2, variant=variant)
        shapes = plans("bus-stop", tried)
        fits = open_ & around.on_pavement(shapes) & around.off_walls(shapes, CANOPY_ROOM_M)
        found[fits], open_[fits] = tried[fits], False
    return found[~open_]


def _spaced(around: Surroundings, edges: Ints, seed: int) -> Ints:
    """A choice of streets, in random order as long as stops in one line are far apart."""
    lines = around.kerbsides.lines[edges]
    middles = shapely.get_coordinates(shapely.line_interpolate_point(lines, 0.5, normalized=True))
    names = around.kerbsides.names[edges]
    order = sorted(range(len(edges)), key=lambda i: key(seed, "bus-stop", *names[i].tolist()))
    step = names[:, 2:] - names[:, :2]
    way = step / np.hypot(*step.T)[:, None]
    points = np.asarray(shapely.points(middles))
    near = shapely.STRtree(points).query(points, predicate="dwithin", distance=_STOP_SPACING_M)
    one, two = near
    between = middles[two] - middles[one]
    aside = np.abs(way[one, 0] * between[:, 1] - way[one, 1] * between[:, 0])
    parallel = np.abs((way[one] * way[two]).sum(axis=1)) > 0.8
    rivals: dict[int, list[int]] = {}
    for a, b in near[:, parallel & (aside < _STOP_LINE_M)].T.tolist():
        rivals.setdefault(a, []).append(b)
    taken = np.zeros(len(edges), dtype=bool)
    for i in order:
        taken[i] = not taken[rivals[i]].any()
    return np.asarray(edges[taken])


def plan_benches(around: Surroundings, ground: Sequence[Patch], seed: int) -> Places:
    """Benches along park paths, around beds of plazas, and on the wide pavements."""
    park = [p for p in ground if p.surface == "path"]
    beds = [
        p
        for p in ground
        if p.surface == "lawn" and p.owner >= 0 and around.blocks[p.owner].use == "plaza"
    ]
    green = [p.polygon for p in ground if p.surface == "meadow"]
    paved = [p.polygon for p in ground if p.surface == "plaza"]
    return np.concatenate(
        [
            _along_rims(around, park, "path", -1.0, green, seed),
            _along_rims(around, beds, "plaza", 1.0, paved, seed),
            _on_pavements(around, seed),
        ]
    )


def _along_rims(
    around: Surroundings,
    patches: Sequence[Patch],
    name: str,
    facing: float,
    allowed: Sequence[Polygon],
    seed: int,
) -> Places:
    """Benches just outside the rims of patches, facing away from (1) or towards them (-1)."""
    if not patches or not allowed:
        return np.zeros(0, dtype=PLACE)
    polygons = np.array([patch.polygon for patch in patches], dtype=object)
    rings = np.asarray(shapely.get_exterior_ring(shapely.orient_polygons(polygons)))
    length = shapely.length(rings)
    ring, number = _repeated(np.floor(length / _BENCH_SPACING_M[name]).astype(np.int64))
    shift = np.array([_ring_shift(seed, line) for line in rings])
    along = (number + shift[ring]) * _BENCH_SPACING_M[name]
    here, after = (
        shapely.get_coordinates(shapely.line_interpolate_point(rings[ring], at % length[ring]))
        for at in (along, along + 0.5)
    )
    step = after - here
    way = step / np.hypot(*step.T)[:, None]
    # The rims run counter-clockwise: outside is on the right.
    out = np.column_stack([way[:, 1], -way[:, 0]])
    yaw = np.arctan2(facing * out[:, 1], facing * out[:, 0])
    benches = places_at(here + 0.6 * out, yaw)
    shapes = plans("bench", benches)
    clear = around.inside(shapes) & around.off_walls(shapes) & _within_one(shapes, allowed)
    return benches[clear]


def _ring_shift(seed: int, ring: shapely.LinearRing) -> float:
    x, y = ring.bounds[:2]
    return float(stream(seed, "bench", round(x * 10), round(y * 10)).random())


def _within_one(shapes: NDArray[np.object_], allowed: Sequence[Polygon]) -> NDArray[np.bool_]:
    found = np.zeros(len(shapes), dtype=bool)
    index, _ = shapely.STRtree(allowed).query(shapes, predicate="within")
    found[index] = True
    return found


def _on_pavements(around: Surroundings, seed: int) -> Places:
    """Benches with their back to the road."""
    sides = around.kerbsides
    wide = (sides.rank < 2) & (sides.pavement_m >= _WIDE_PAVEMENT_M) & (sides.span_m > 20.0)
    count = np.where(wide, np.floor(sides.span_m / _BENCH_SPACING_M["pavement"]).clip(1), 0)
    side, number = _repeated(count.astype(np.int64))
    shaken = np.concatenate(
        [
            stream(seed, "bench", *sides.names[index].tolist()).random((int(n), 2))
            for index, n in enumerate(count)
            if n
        ]
        or [np.empty((0, 2))]
    )
    kept = shaken[:, 0] < 0.6
    side, number = side[kept], number[kept]
    at = (number + 0.3 + 0.4 * shaken[kept, 1]) / count[side]
    points, way = sides.at(side, sides.start_m[side] + at * sides.span_m[side], 1.0)
    benches = places_at(points, way - np.pi / 2)
    return benches[around.on_pavement(plans("bench", benches))]


def _repeated(count: Ints) -> tuple[Ints, Array]:
    """For counts (S,): the owner of each of their items, and its number from 0."""
    owner = np.repeat(np.arange(len(count)), count)
    number = np.arange(len(owner)) - np.repeat(np.cumsum(count) - count, count)
    return owner, number.astype(float)
