"""Places for props, and what is around them: kerbs, walls, pavements and drives."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray

from vasgen.citygen.architecture.buildings import Building
from vasgen.citygen.facade.facades import balconied
from vasgen.citygen.geometry.solids import Array, Ints
from vasgen.citygen.land import Land
from vasgen.citygen.life.bodies import BODIES, COLOURS
from vasgen.citygen.life.crowns import SPECIES
from vasgen.citygen.life.furniture import BENCH_M, SHELTER_M
from vasgen.citygen.plots.blocks import Block
from vasgen.citygen.plots.lots import Lot
from vasgen.citygen.roads.graph import KINDS
from vasgen.citygen.roads.sections import Sections
from vasgen.citygen.roads.streets import Streets

#: A place: variant of the model, position and direction, factors of its width and height,
#: and whether it is on the kerb's level, not the carriageway's.
PLACE = np.dtype(
    [
        ("variant", "i8"),
        ("x", "f8"),
        ("y", "f8"),
        ("yaw", "f8"),
        ("wide", "f8"),
        ("tall", "f8"),
        ("raised", "?"),
    ]
)
Places = NDArray[np.void]

#: Nothing stands nearer to a wall, metres; what is as high as a door keeps off its canopy.
WALL_M = 0.3
CANOPY_ROOM_M = 0.65

_KERB_M = 0.1  # pavement props keep off the kerb's edge
_WAY_LENGTH_M = 7.0  # a drive goes on over the pavement and the parking lane

#: A crown that begins lower is in the way of people, metres.
HEADROOM_M = 2.0
_CROWN_BASE_M = np.array([species.base * species.height_m for species in SPECIES])
_CROWN_RADIUS_M = np.array([species.radius_m for species in SPECIES])

#: Plan of each variant on the ground: x0, y0, x1, y1 in the model's axes, metres. Of trees,
#: lamps and traffic lights only the foot.
_BENCH = (-BENCH_M[1] / 2, -BENCH_M[0] / 2, BENCH_M[1] / 2, BENCH_M[0] / 2)
_SHELTER = (-SHELTER_M[1] / 2, -SHELTER_M[0] / 2 - 0.4, SHELTER_M[1] / 2 + 0.4, SHELTER_M[0] / 2)
_PLANS: dict[str, tuple[tuple[float, float, float, float], ...]] = {
    "tree": ((-0.3, -0.3, 0.3, 0.3),),
    "lamp": ((-0.12, -0.12, 0.12, 0.12),),
    "traffic-light": ((-0.14, -0.14, 0.14, 0.14),),
    "bench": (_BENCH,),
    "bus-stop": (_SHELTER, (-0.16, -0.1, 0.44, 0.1)),
    "car": tuple(
        (body.sections[0][0], -body.half_m - 0.02, body.sections[-1][0], body.half_m + 0.02)
        for body in BODIES
        for _ in range(COLOURS)
    ),
}


def places_at(
    points: Array,
    yaw_rad: ArrayLike,
    *,
    variant: ArrayLike = 0,
    wide: ArrayLike = 1.0,
    tall: ArrayLike = 1.0,
    raised: bool = True,
) -> Places:
    """Places at points (N, 2), on the lattice of millimetres and tenths of milliradians."""
    places = np.zeros(len(points), dtype=PLACE)
    places["variant"], places["raised"] = variant, raised
    places["x"], places["y"] = np.round(points, 3).T
    places["yaw"] = np.round(np.asarray(yaw_rad), 4)
    places["wide"] = np.round(np.asarray(wide), 3)
    places["tall"] = np.round(np.asarray(tall), 3)
    return places


def plans(kind: str, places: Places) -> NDArray[np.object_]:
    """(N,) what the places take up on the ground: rectangles, and crowns that begin low."""
    table = np.array(_PLANS[kind])
    x0, y0, x1, y1 = table[places["variant"] % len(table)].T * places["wide"]
    shapes = boxes(places, x0, y0, x1, y1)
    if kind == "tree":
        # Where nobody can walk under a crown, all of the crown counts.
        low = _CROWN_BASE_M[places["variant"]] * places["tall"] < HEADROOM_M
        shapes[low] = _crowns(places[low])
    return shapes


def _crowns(places: Places) -> NDArray[np.object_]:
    """(N,) polygons of 16 sides around the crowns of trees."""
    centres = shapely.points(places["x"], places["y"])
    radius = _CROWN_RADIUS_M[places["variant"]] * places["wide"] / np.cos(np.pi / 16)
    return np.asarray(shapely.buffer(centres, radius, quad_segs=4))


def boxes(
    places: Places, x0: ArrayLike, y0: ArrayLike, x1: ArrayLike, y1: ArrayLike
) -> NDArray[np.object_]:
    """(N,) rectangles in the axes of the places, metres."""
    shape = (len(places),)
    corners = [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]
    x, y = (
        np.stack([np.broadcast_to(corner[axis], shape) for corner in corners], axis=1)
        for axis in (0, 1)
    )
    cos, sin = np.cos(places["yaw"])[:, None], np.sin(places["yaw"])[:, None]
    turned = np.stack([cos * x - sin * y, sin * x + cos * y], axis=-1)
    centre = np.column_stack([places["x"], places["y"]])
    return np.asarray(shapely.polygons(turned + centre[:, None]))


class Kerbsides:
    """Both sides of all streets, each in the direction in which traffic drives on it.

    Attributes:
        lines: (S,) centre lines in driving direction; the kerb is on the right.
        half_m, parking_m, pavement_m: (S,) half the carriageway, its parking lane, and the
            pavement, metres.
        rank: (S,) index into ``roads.graph.KINDS``.
        start_m, end_m: (S,) mouths of the junctions at either end: between them both kerbs
            are straight. Equal where the junctions leave nothing of a street.
        target: (S,) number of the node that traffic drives to.
        names: (S, 4) centimetres of both ends: the side's name in random streams.
    """

    def __init__(self, streets: Streets, sections: Sections) -> None:
        edges = list(streets.graph.edges(data=True))
        forward = streets.lines
        lengths = np.asarray(shapely.length(forward))
        ends = [(s[0], s[-1]) if len(s) else (0.0, 0.0) for s in sections.stations]
        first_m, last_m = np.array(ends).reshape(-1, 2).T
        self.lines = np.concatenate([forward, shapely.reverse(forward)])
        self.half_m = np.tile(streets.widths_m / 2, 2)
        self.parking_m = np.tile([float(data["parking_m"]) for *_, data in edges], 2)
        self.pavement_m = np.tile([float(data["pavement_m"]) for *_, data in edges], 2)
        self.rank = np.tile([KINDS.index(data["kind"]) for *_, data in edges], 2).astype(np.int64)
        self.start_m = np.concatenate([first_m, lengths - last_m])
        self.end_m = np.concatenate([last_m, lengths - first_m])
        self.target = np.array([b for _, b, _ in edges] + [a for a, _, _ in edges], dtype=np.int64)
        first, last = (shapely.get_coordinates(shapely.get_point(self.lines, i)) for i in (0, -1))
        self.names = np.rint(np.column_stack([first, last]) * 100).astype(np.int64)

    @property
    def span_m(self) -> Array:
        """(S,) length between the junctions."""
        return np.asarray(self.end_m - self.start_m)

    def at(self, side: Ints, along_m: Array, out_m: ArrayLike) -> tuple[Array, Array]:
        """Points (N, 2) so far out from the kerb, and (N,) the driving direction there.

        Args:
            side: (N,) numbers of sides.
            along_m: (N,) positions along their lines.
            out_m: (N,) distance from the kerb; negative: on the carriageway.
        """
        lines = self.lines[side]
        here, before, after = (
            shapely.get_coordinates(shapely.line_interpolate_point(lines, along))
            for along in (along_m, np.maximum(along_m - 1.0, 0.0), along_m + 1.0)
        )
        step = after - before
        way = step / np.hypot(*step.T)[:, None]
        right = np.column_stack([way[:, 1], -way[:, 0]])
        points = here + right * (self.half_m[side] + np.asarray(out_m, dtype=float))[:, None]
        return np.round(points, 3), np.arctan2(way[:, 1], way[:, 0])


class Surroundings:
    """What props must respect.

    Args:
        land: where the city stands.
        streets: the network.
        sections: its streets between the mouths of their junctions.
        blocks: blocks of the city.
        lots: lots of the blocks.
        buildings: all buildings.
        seed: the city's seed.
    """

    def __init__(
        self,
        land: Land,
        streets: Streets,
        sections: Sections,
        blocks: Sequence[Block],
        lots: Sequence[Lot],
        buildings: Sequence[Building],
        seed: int,
    ) -> None:
        self._seed = seed
        self.land, self.streets, self.blocks = land, streets, tuple(blocks)
        self.lots, self.buildings = tuple(lots), tuple(buildings)
        self.kerbsides = Kerbsides(streets, sections)

    @cached_property
    def walls(self) -> shapely.STRtree:
        """Footprints of all buildings."""
        return shapely.STRtree([building.footprint for building in self.buildings])

    @cached_property
    def balconied(self) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Which buildings may have balconies: on any wall, and on their street walls."""
        return balconied(self._seed, self.buildings, self.lots)

    @cached_property
    def pavements(self) -> shapely.STRtree:
        """What lies between kerb and lots, by block, clear of the kerb's edge."""
        kerbs = np.array([block.kerb for block in self.blocks], dtype=object)
        inners = np.array([block.inner for block in self.blocks], dtype=object)
        rings = shapely.difference(shapely.buffer(kerbs, -_KERB_M), inners, grid_size=0.001)
        shapely.prepare(rings)
        return shapely.STRtree(rings)

    @cached_property
    def drives(self) -> tuple[NDArray[np.object_], Array]:
        """Drives (D,), and corners (D, 4, 2) of each around it: two at the house, two away."""
        pairs = [(drive, b.footprint) for b in self.buildings for drive in b.drives]
        if not pairs:
            return np.empty(0, dtype=object), np.empty((0, 4, 2))
        drives, houses = (np.array(column, dtype=object) for column in zip(*pairs, strict=True))
        ring = shapely.get_coordinates(shapely.oriented_envelope(drives)).reshape(-1, 5, 2)[:, :4]
        # Of the four sides as (start, end), the one nearest to the house is first.
        middles = (ring + np.roll(ring, -1, axis=1)) / 2
        middle = shapely.get_coordinates(shapely.centroid(houses))[:, None]
        short = np.hypot(*(np.roll(ring, -1, axis=1) - ring).T).T
        far = np.hypot(*(middles - middle).T).T + 1e3 * (short > short.min(axis=1)[:, None] + 0.01)
        order = (far.argmin(axis=1)[:, None] + np.arange(4)) % 4
        return drives, ring[np.arange(len(ring))[:, None], order]

    @cached_property
    def ways(self) -> shapely.STRtree:
        """Drives and paths to doors, with their way over the pavement."""
        _, ring = self.drives
        out = ring[:, 2] - ring[:, 1]
        out = out / np.hypot(*out.T)[:, None] * _WAY_LENGTH_M
        corners = np.stack([ring[:, 0], ring[:, 1], ring[:, 2] + out, ring[:, 3] + out], axis=1)
        return shapely.STRtree(np.asarray(shapely.polygons(corners)))

    def inside(self, shapes: NDArray[np.object_]) -> NDArray[np.bool_]:
        """Whether shapes lie in the city, half a metre from its outline."""
        return _contained(shapes, [self.land.within(0.5)])

    def off_walls(
        self, shapes: NDArray[np.object_], distance_m: float = WALL_M
    ) -> NDArray[np.bool_]:
        """Whether shapes keep off all walls."""
        return ~_touched(shapes, self.walls, distance_m)

    def off_ways(self, shapes: NDArray[np.object_]) -> NDArray[np.bool_]:
        """Whether shapes leave all drives and paths to doors free."""
        return ~_touched(shapes, self.ways, 0.1)

    def on_pavement(self, shapes: NDArray[np.object_]) -> NDArray[np.bool_]:
        """Whether shapes lie on a pavement, inside the city, where nobody's way is."""
        found = _contained(shapes, list(self.pavements.geometries))
        found[found] = self.inside(shapes[found])
        found[found] = self.off_walls(shapes[found]) & self.off_ways(shapes[found])
        return found

    def off_road(self, shapes: NDArray[np.object_]) -> NDArray[np.bool_]:
        """Whether shapes lie behind the kerbs."""
        return _contained(shapes, [block.kerb for block in self.blocks])

    def off_lanes(self, shapes: NDArray[np.object_]) -> NDArray[np.bool_]:
        """Whether shapes on carriageways lie beside all driving lanes and kerbs."""
        lanes = self.streets.widths_m / 2 - self.kerbsides.parking_m[: len(self.streets.lines)]
        lines = self.streets.lines
        index, line = shapely.STRtree(lines).query(
            shapes, predicate="dwithin", distance=float(lanes.max(initial=0.0))
        )
        free = np.ones(len(shapes), dtype=bool)
        free[index[shapely.distance(shapes[index], lines[line]) < lanes[line]]] = False
        kerbs = shapely.STRtree([block.kerb for block in self.blocks])
        return free & ~_touched(shapes, kerbs, 0.0)


def _contained(
    shapes: NDArray[np.object_], regions: Sequence[shapely.Geometry]
) -> NDArray[np.bool_]:
    """Whether each shape lies in one of the regions."""
    found = np.zeros(len(shapes), dtype=bool)
    areas = np.array(regions, dtype=object)
    index, region = shapely.STRtree(areas).query(shapes)
    # Region by region, so that each is prepared once.
    order = np.argsort(region, kind="stable")
    index, region = index[order], region[order]
    shapely.prepare(areas)
    found[index[shapely.contains_properly(areas[region], shapes[index])]] = True
    return found


def _touched(
    shapes: NDArray[np.object_], tree: shapely.STRtree, distance_m: float
) -> NDArray[np.bool_]:
    found = np.zeros(len(shapes), dtype=bool)
    index, _ = tree.query(shapes, predicate="dwithin", distance=distance_m)
    found[index] = True
    return found
