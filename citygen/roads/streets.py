"""The street network: avenues and major streets over the land, minor streets in each quarter."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import networkx as nx
import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import LineString

from vasgen.citygen.config import CityConfig
from vasgen.citygen.land import Land
from vasgen.citygen.profiles import StreetProfile
from vasgen.citygen.roads.edges import Edge, Node, as_node, cut, faces_of, noded
from vasgen.citygen.roads.graph import Street, make_graph
from vasgen.citygen.roads.infill import complete
from vasgen.citygen.roads.network import Limits
from vasgen.citygen.roads.plain import plain_majors, plain_minors
from vasgen.citygen.roads.quarters import (
    APART_M,
    CONTOUR_WEIGHT,
    Doors,
    Plot,
    Quarter,
    fill,
    lattice_in,
)
from vasgen.citygen.roads.rim import RIM_M, are_on_rim, heart, on_land, own_rules
from vasgen.citygen.roads.tensors import (
    Along,
    Array,
    Basis,
    Contour,
    Grid,
    HeightField,
    Radial,
    TensorField,
    Waves,
)
from vasgen.citygen.roads.tracing import Compass, evenly_spaced, samples_of
from vasgen.seeding import stream

_WAVES_M = (380.0, 950.0)  # lengths of the waves that turn the field


@dataclass(frozen=True, eq=False)
class Streets:
    """A planar network of street centre lines.

    Attributes:
        graph: junctions are nodes 0, 1, … from west to east with ``x``, ``y`` (metres). An
            edge is a street between two junctions with ``kind`` ("avenue", "major",
            "minor"), ``width_m`` of the carriageway with its parking lanes, ``lanes`` (both
            ways together), ``parking_m`` (width of the parking lane on each side, or 0),
            ``pavement_m``, ``district`` (whose rules it follows), ``length_m``, ``line``
            (LineString from the lower to the higher node) and ``mouths_m`` (how far from
            each end of the line the junction reaches).
        quarters: faces of the network of avenues and major streets.
        courses: (C,) whole centre lines, for the carriageway: the corners that minor streets
            add to a major one must not move the kerb on its other side.
        course_widths_m: (C,) their carriageway widths.
        course_quarters: (C,) number of the quarter of a minor street, -1 for the others.
        land: where the streets are.
    """

    graph: nx.Graph
    quarters: tuple[Quarter, ...]
    courses: NDArray[np.object_]
    course_widths_m: Array
    course_quarters: NDArray[np.int64]
    land: Land

    def district_at(self, points: Array) -> NDArray[np.int64]:
        """(N,) number of the district of the quarter each point (N, 2) lies in.

        Points outside all quarters have the district of the nearest.
        """
        tree = shapely.STRtree([quarter.polygon for quarter in self.quarters])
        number = tree.nearest(shapely.points(points))
        return np.array([q.district for q in self.quarters], dtype=np.int64)[number]

    @property
    def lines(self) -> NDArray[np.object_]:
        """(E,) centre lines, in the order of ``graph.edges``."""
        return np.array([line for _, _, line in self.graph.edges(data="line")], dtype=object)

    @property
    def widths_m(self) -> Array:
        """(E,) carriageway widths, metres."""
        return np.array([width for _, _, width in self.graph.edges(data="width_m")], dtype=float)

    def carriageway(self) -> shapely.Geometry:
        """Everything within half a width of a centre line, to beyond the edge of the land."""
        return shapely.union_all(self.strips(), grid_size=0.001)

    def strips(self) -> NDArray[np.object_]:
        """(C,) the carriageway of each course."""
        return np.asarray(shapely.buffer(self.courses, self.course_widths_m / 2, quad_segs=4))


#: How strongly streets follow the border of a district, and to how far from it, metres.
_BORDER_WEIGHT = 3.0
_BORDER_REACH_M = 90.0


def lay_streets(config: CityConfig, land: Land, terrain: HeightField | None = None) -> Streets:
    """Draw the network over the land and its skirt.

    Avenues and major streets follow the rules of the city itself, minor streets those of the
    district that has their quarter, and nothing else: another profile of a district changes
    only its own quarters.

    Args:
        config: the city's configuration.
        land: where it stands.
        terrain: major streets rather follow its contour lines; None: flat.
    """
    if config.pattern == "grid":
        majors = plain_majors(land)
        quarters = _quarters(majors, land)
        minors = [plain_minors(quarter, land) for quarter in quarters]
    else:
        profile = own_rules(land)
        waves = _waves(config.seed, profile)
        field = _city_field(config.seed, land, terrain, waves)
        majors = _majors(config.seed, land, field)
        quarters = _quarters(majors, land)
        plots = _plots(config.seed, land, terrain, field, majors, quarters)
        minors = [fill(plot) for plot in plots]
    own = len(land.districts) - 1
    if not majors and not any(minors):
        majors = [_one_street(land)]
        quarters = _quarters(majors, land)
        minors = [[] for _ in quarters]
    inner = [
        Street(edge, quarter.district)
        for quarter, edges in zip(quarters, minors, strict=True)
        for edge in edges
    ]
    streets = [Street(edge, own) for edge in _cut_at_ends(majors, minors)] + inner
    numbers = np.repeat(np.arange(-1, len(quarters)), [len(majors), *map(len, minors)])
    courses = _courses([Street(edge, own) for edge in majors] + inner, land)
    return Streets(make_graph(streets, land), tuple(quarters), *courses, numbers, land)


def _waves(seed: int, profile: StreetProfile) -> Waves:
    return Waves.draw(stream(seed, "waves"), profile.bend_rad, _WAVES_M)


def _city_field(seed: int, land: Land, terrain: HeightField | None, waves: Waves) -> TensorField:
    """The field of avenues and major streets."""
    profile, rng = own_rules(land), stream(seed, "field")
    ring = shapely.get_coordinates(land.outline.exterior)
    extent_m = math.sqrt(land.outline.area)
    x, y = heart(land)
    dx, dy = rng.uniform(-0.12, 0.12, 2) * extent_m
    bases: list[Basis] = [Grid(rng.uniform(-0.45, 0.45))]
    bases.append(Radial((x + dx, y + dy), profile.radial, 0.6 * extent_m, 0.15 * extent_m))
    bases.append(Along(ring[:-1], ring[1:], 0.5 * profile.follow, 0.08 * extent_m))
    for border in land.borders:
        corners = shapely.get_coordinates(border)
        bases.append(Along(corners[:-1], corners[1:], _BORDER_WEIGHT, _BORDER_REACH_M))
    if terrain is not None:
        bases.append(Contour(terrain, CONTOUR_WEIGHT))
    return TensorField(bases, waves)


def _majors(seed: int, land: Land, field: TensorField) -> list[Edge]:
    """Avenues first, then the major streets between them."""
    profile = own_rules(land)
    compass = Compass(field, land.skirt)
    room_m = 0.5 * math.sqrt(land.skirt.area)
    # Districts are bounded by avenues: a ring around an old town, a boulevard beside a suburb.
    lines: list[LineString] = list(land.borders)
    ranks: list[int] = [0] * len(lines)
    for family, spacing_m in enumerate(profile.spacing_m):
        apart_m = profile.major_every * spacing_m
        shift = stream(seed, "first", family).uniform(-0.15, 0.15, 2) * min(apart_m, room_m)
        x, y = heart(land)
        avenues = evenly_spaced(
            compass,
            family,
            profile.avenue_every * apart_m,
            [(x + float(shift[0]), y + float(shift[1]))],
            spare=lattice_in(land.skirt, apart_m),
        )
        walls = [
            point
            for line in avenues
            for point in map(as_node, samples_of(line, apart_m / 8).tolist())
        ]
        beside = []
        for x, y in walls[::4]:
            dx, dy = compass.direction(x, y, 1 - family)
            beside += [(x + s * apart_m * dx, y + s * apart_m * dy) for s in (1, -1)]
        majors = evenly_spaced(
            compass, family, apart_m, beside, walls, lattice_in(land.skirt, apart_m)
        )
        lines += [*avenues, *majors]
        ranks += [0] * len(avenues) + [1] * len(majors)
    apart_m = min(profile.major_every * min(profile.spacing_m), room_m)
    limits = Limits(max(APART_M, 0.12 * apart_m), 0.25 * apart_m, 0.15 * apart_m**2)
    network = on_land(noded(lines, ranks), land, limits)
    network.tidy()

    def fit(line: LineString, _: float) -> LineString:
        points = shapely.get_coordinates(line).round(2) + 0.0
        for end in points[[0, -1]][are_on_rim(points[[0, -1]], land)]:
            network.anchors[as_node(end)] = np.zeros((0, 2))
        return LineString(points)

    long_m, cross_m = (profile.major_every * spacing_m for spacing_m in profile.spacing_m)
    complete(network, compass, (long_m, cross_m), 1, fit, lambda corner: False)
    return network.edges


def _quarters(majors: list[Edge], land: Land) -> list[Quarter]:
    """Faces between the major streets, in a fixed order."""
    frame = on_land(majors, land, Limits(0.0, 0.0, 0.0)).frame
    faces = np.array(faces_of([*frame, *(edge.line for edge in majors)]), dtype=object)
    faces = faces[shapely.contains(land.skirt, shapely.point_on_surface(faces))]
    numbers = land.districts_of(faces).tolist()
    return [Quarter(face, number) for face, number in zip(faces, numbers, strict=True)]


def _plots(
    seed: int,
    land: Land,
    terrain: HeightField | None,
    field: TensorField,
    majors: list[Edge],
    quarters: list[Quarter],
) -> list[Plot]:
    """What is needed to fill each quarter on its own."""
    spacing = own_rules(land).spacing_m
    lines = np.array([edge.line for edge in majors], dtype=object)
    middles = shapely.line_interpolate_point(lines, 0.5, normalized=True)
    ways = np.array([edge.points[-1] - edge.points[0] for edge in majors]).reshape(-1, 2)
    along = field.major(shapely.get_coordinates(middles))
    # Cross streets end on long ones, long streets on cross ones.
    is_long = np.abs((ways * along).sum(axis=1)) > math.sqrt(0.5) * np.hypot(*ways.T)
    doors = [
        Doors.along(line, spacing[1] if long else spacing[0])
        for line, long in zip(lines, is_long, strict=True)
    ]
    outlines = np.array([quarter.polygon.boundary for quarter in quarters], dtype=object)
    owner, side = shapely.STRtree(middles).query(outlines, predicate="dwithin", distance=RIM_M)
    sides: defaultdict[int, list[int]] = defaultdict(list)
    for i, j in sorted(zip(owner.tolist(), side.tolist(), strict=True)):
        sides[i].append(j)
    x, y = field.major(np.array([quarter.middle for quarter in quarters])).T
    plots = []
    for i, quarter in enumerate(quarters):
        profile = land.districts[quarter.district].rules.streets
        around = [doors[j] for j in sides[i]]
        angle = math.atan2(y[i], x[i])
        waves = _waves(seed, profile)
        plots.append(Plot(seed, quarter, profile, around, angle, waves, terrain))
    return plots


def _cut_at_ends(majors: list[Edge], minors: Iterable[list[Edge]]) -> Iterator[Edge]:
    """Major streets, cut where minor streets end on them."""
    ends = sorted({end for edges in minors for edge in edges for end in edge.ends})
    lines = np.array([edge.line for edge in majors], dtype=object)
    points = shapely.points(np.array(ends).reshape(-1, 2))
    found, owner = shapely.STRtree(lines).query(points, predicate="dwithin", distance=0.02)
    joints: defaultdict[int, list[Node]] = defaultdict(list)
    for i, j in zip(found.tolist(), owner.tolist(), strict=True):
        joints[j].append(ends[i])
    for j, edge in enumerate(majors):
        for piece in cut(edge.line, joints[j]):
            yield Edge(piece, edge.rank)


def _one_street(land: Land) -> Edge:
    """A street through the middle of land that is too small for a network."""
    y = heart(land)[1]
    x0, _, x1, _ = land.skirt.bounds
    line = shapely.intersection(LineString([(x0 - 1, y), (x1 + 1, y)]), land.skirt)
    longest = max(shapely.get_parts(line), key=lambda part: part.length)
    return Edge(shapely.get_coordinates(longest).round(2), 0)


def _courses(streets: list[Street], land: Land) -> tuple[NDArray[np.object_], Array]:
    """Whole lines, drawn on beyond the edge of the land, and their widths."""
    lines, widths = [], []
    for street in streets:
        width = land.districts[street.district].rules.streets.widths_m[street.edge.rank]
        points = street.edge.points.copy()
        on_rim = are_on_rim(points[[0, -1]], land)
        for end, inner, out in ((0, 1, on_rim[0]), (-1, -2, on_rim[1])):
            way = points[end] - points[inner]
            points[end] += out * 2 * width * way / np.hypot(*way)
        lines.append(LineString(points))
        widths.append(width)
    return np.array(lines, dtype=object), np.array(widths)
