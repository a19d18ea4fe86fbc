"""Sets up all props of a city: plans each kind for itself, then settles who stands where."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import shapely
from numpy.typing import NDArray

from vasgen.citygen.architecture.buildings import LOT_LEVEL_M, Building
from vasgen.citygen.config import CityConfig
from vasgen.citygen.groundwork.ground import Patch
from vasgen.citygen.groundwork.terrain import Terrain
from vasgen.citygen.land import Land
from vasgen.citygen.life.parking import plan_cars
from vasgen.citygen.life.places import Places, Surroundings, boxes, plans
from vasgen.citygen.life.props import KINDS, Prop
from vasgen.citygen.life.streetlife import plan_benches, plan_lamps, plan_signals, plan_stops
from vasgen.citygen.life.trees import plan_trees
from vasgen.citygen.plots.blocks import Block
from vasgen.citygen.plots.lots import Lot
from vasgen.citygen.roads.sections import Sections
from vasgen.citygen.roads.streets import Streets

#: Free ground between props: between any two, and where more is wanted, metres.
_GAP_M = 0.2
_GAPS_M = {
    ("lamp", "lamp"): 9.0,
    ("traffic-light", "lamp"): 2.0,
    ("traffic-light", "tree"): 3.0,
    ("bus-stop", "tree"): 1.0,
    ("bus-stop", "bench"): 3.0,
    ("lamp", "tree"): 1.4,
    ("tree", "tree"): 2.6,
}
#: Before a bus stop no car parks: so far along the kerb either way, and out from it, metres.
_BAY_M = (9.0, 5.0)


def furnish(
    config: CityConfig,
    land: Land,
    streets: Streets,
    sections: Sections,
    blocks: Sequence[Block],
    lots: Sequence[Lot],
    buildings: Sequence[Building],
    ground: Sequence[Patch],
    terrain: Terrain,
) -> tuple[Prop, ...]:
    """All props, kind by kind.

    Every kind is planned and every conflict settled whatever the configuration wants; what
    it does not want is left out at the end. So no switch moves anything else.

    Args:
        config: the city's configuration.
        land: where the city stands.
        streets: the network.
        sections: its streets between the mouths of their junctions.
        blocks: blocks of the city.
        lots: lots of the blocks.
        buildings: all buildings.
        ground: patches of the ground.
        terrain: the ground's levels.
    """
    around = Surroundings(land, streets, sections, blocks, lots, buildings, config.seed)
    stops = plan_stops(around, config.seed)
    planned = {
        "traffic-light": plan_signals(around),
        "bus-stop": stops,
        "lamp": plan_lamps(around),
        "tree": plan_trees(around, ground, config.seed),
        "bench": plan_benches(around, ground, config.seed),
        "car": plan_cars(around, _bays(stops), config.seed),
    }
    wanted = {"tree": config.trees, "car": config.vehicles}
    settled = _settled(planned)
    return tuple(
        prop
        for kind in KINDS
        if wanted.get(kind, config.furniture)
        for prop in _props(kind, settled[kind], terrain)
    )


def _settled(planned: dict[str, Places]) -> dict[str, Places]:
    """The places nobody of higher rank, or earlier in the same kind, has taken."""
    settled: dict[str, Places] = {}
    claims: dict[str, shapely.STRtree] = {}
    for kind in KINDS:
        places = planned[kind]
        shapes = plans(kind, places)
        free = np.ones(len(places), dtype=bool)
        for other, tree in claims.items():
            index, _ = tree.query(shapes, predicate="dwithin", distance=_gap(other, kind))
            free[index] = False
        places, shapes = places[free], shapes[free]
        first = _first_come(shapes, _gap(kind, kind))
        settled[kind] = places[first]
        claims[kind] = shapely.STRtree(shapes[first])
    return settled


def _gap(one: str, other: str) -> float:
    return _GAPS_M.get((one, other), _GAP_M)


def _bays(stops: Places) -> NDArray[np.object_]:
    """(N,) the kerbs before bus stops."""
    return boxes(stops, 0.0, -_BAY_M[0], _BAY_M[1], _BAY_M[0])


def _first_come(shapes: NDArray[np.object_], gap_m: float) -> NDArray[np.bool_]:
    """Those that no earlier one, which is kept itself, comes nearer than the gap."""
    pairs = shapely.STRtree(shapes).query(shapes, predicate="dwithin", distance=gap_m)
    pairs = pairs[:, pairs[0] < pairs[1]]
    kept = np.ones(len(shapes), dtype=bool)
    for earlier, later in pairs[:, np.lexsort(pairs[::-1])].T.tolist():
        if kept[earlier]:
            kept[later] = False
    return kept


def _props(kind: str, places: Places, terrain: Terrain) -> list[Prop]:
    points = np.column_stack([places["x"], places["y"]])
    levels = np.round(terrain.level_at(points) + np.where(places["raised"], LOT_LEVEL_M, 0.0), 3)
    columns = [places[name].tolist() for name in ("variant", "x", "y", "yaw", "wide", "tall")]
    return [
        Prop(kind, variant, x, y, z, yaw, (wide, wide, tall))
        for variant, x, y, yaw, wide, tall, z in zip(*columns, levels.tolist(), strict=True)
    ]
