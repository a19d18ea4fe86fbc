"""Quarters, the land between avenues and major streets, and the minor streets inside them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import LineString, Point, Polygon

from vasgen.citygen.profiles import StreetProfile
from vasgen.citygen.roads.edges import (
    LATTICE_M,
    Edge,
    Node,
    as_node,
    bend_to,
    faces_of,
    frame_of,
    noded,
)
from vasgen.citygen.roads.infill import complete, overshot
from vasgen.citygen.roads.network import ON_M, SHARPEST_RAD, Limits, Network
from vasgen.citygen.roads.tensors import (
    Along,
    Array,
    Basis,
    Contour,
    Grid,
    HeightField,
    TensorField,
    Waves,
)
from vasgen.citygen.roads.tracing import Compass, Crowd, clip, evenly_spaced, samples_of, trace
from vasgen.seeding import stream

APART_M = 13.0  # least distance between two junctions
MINOR = 2  # rank of a minor street
CONTOUR_WEIGHT = 1.5  # say of the contour lines on a steep slope; a grid has 1

_DOOR_M = 15.0  # least distance between two places where minor streets may join a major one


@dataclass(frozen=True, eq=False)
class Quarter:
    """A face of the network of avenues and major streets.

    Attributes:
        polygon: outline along the centre lines of these streets and the rim of the land.
        district: number of its district.
    """

    polygon: Polygon
    district: int

    @cached_property
    def middle(self) -> Node:
        """A point inside, near the centre; names the quarter in random streams."""
        centre = self.polygon.centroid
        if not self.polygon.contains(centre):
            centre = self.polygon.point_on_surface()
        return as_node(centre.coords[0])


@dataclass(frozen=True, eq=False)
class Doors:
    """Where minor streets may join a major street, the same from both of its sides.

    Two streets that come from opposite sides so either cross or keep their distance, although
    neither quarter knows the other's streets.

    Attributes:
        line: the major street between two junctions.
        points: (N, 2) places, metres.
        wanted: (N,) the places that divide the street into pieces as long as blocks are.
    """

    line: LineString
    points: Array
    wanted: NDArray[np.bool_]

    @classmethod
    def along(cls, line: LineString, spacing_m: float) -> Doors:
        """Evenly spaced places on a street, for blocks of a usual length."""
        count = max(1, int(line.length / _DOOR_M))
        places = np.arange(1, count) * line.length / count
        points = shapely.get_coordinates(shapely.line_interpolate_point(line, places))
        gaps = max(1, round(line.length / spacing_m))
        wanted = np.zeros(max(count + 1, 2), dtype=bool)
        wanted[np.round(np.arange(1, gaps) * count / gaps).astype(int)] = True
        return cls(line, points.reshape(-1, 2).round(2) + 0.0, wanted[1:count])

    def directions(self, point: Node) -> Array:
        """(2, 2) the two directions of the street at a place."""
        at = self.line.project(Point(point))
        ends = shapely.line_interpolate_point(self.line, [max(at - 8.0, 0.0), at + 8.0])
        ways = shapely.get_coordinates(ends) - point
        return np.asarray(ways / np.hypot(*ways.T)[:, None])


@dataclass(frozen=True, eq=False)
class Plot:
    """A quarter about to be filled.

    Attributes:
        seed: the city's seed.
        quarter: which.
        profile: the rules of its district.
        doors: of the major streets around it.
        long_angle: direction of long streets by the city's own field, radians.
        waves: random turn of the field.
        terrain: None: flat.
    """

    seed: int
    quarter: Quarter
    profile: StreetProfile
    doors: Sequence[Doors]
    long_angle: float
    waves: Waves
    terrain: HeightField | None

    def rng(self, *path: object) -> np.random.Generator:
        """The quarter's own random stream."""
        return stream(self.seed, "quarter", *self.quarter.middle, *path)


def fill(plot: Plot) -> list[Edge]:
    """Minor streets of a quarter, each between two junctions."""
    long_m, cross_m = plot.profile.spacing_m
    area = plot.quarter.polygon.area
    if area < 1.3 * long_m * cross_m:
        return []
    compass = Compass(_field(plot), plot.quarter.polygon)
    fit = _Fit(plot)
    long = [fit(line, long_m) for line in _family(plot, compass, 0, long_m)]
    through = [fit(line, cross_m) for line in _family(plot, compass, 1, cross_m)]
    cross = _cross_streets(plot, compass, fit, long, through)
    edges = noded([*long, *cross], [MINOR] * (len(long) + len(cross)))
    limits = Limits(
        min(APART_M, 0.3 * min(long_m, cross_m)),
        plot.profile.widths_m[MINOR] + 0.22 * min(long_m, cross_m),
        0.3 * long_m * cross_m,
    )
    network = Network(edges, fit.anchors, frame_of(plot.quarter.polygon, fit.anchors), limits)
    network.tidy()

    def stays(corner: Node) -> bool:
        return bool(plot.rng("corner", *corner).random() < 0.5 * plot.profile.stagger)

    complete(network, compass, plot.profile.spacing_m, MINOR, fit, stays)
    _merge_blocks(plot, network)
    return network.edges


def _angle(plot: Plot) -> float:
    """The direction of long streets: along the streets around the quarter."""
    segments = [np.diff(shapely.get_coordinates(d.line), axis=0) for d in plot.doors]
    inside = np.concatenate([*segments, np.zeros((0, 2))])
    length = np.hypot(*inside.T)
    angle = np.arctan2(inside[:, 1], inside[:, 0])
    # Fourfold: a street along the quarter and one across it say the same.
    weight = 0.25 * plot.quarter.polygon.length
    cosine = (length * np.cos(4 * angle)).sum() + weight * math.cos(4 * plot.long_angle)
    sine = (length * np.sin(4 * angle)).sum() + weight * math.sin(4 * plot.long_angle)
    found = math.atan2(sine, cosine) / 4
    turns = round((plot.long_angle - found) / (math.pi / 2))
    swapped = plot.rng("swap").random() < plot.profile.stagger / 2
    return found + (turns + swapped) * math.pi / 2


def _field(plot: Plot) -> TensorField:
    """A grid that gives way to the streets around the quarter, and to the ground."""
    angle = _angle(plot)
    bases: list[Basis] = [Grid(angle)]
    corners = [shapely.get_coordinates(doors.line) for doors in plot.doors]
    starts = np.concatenate([*(line[:-1] for line in corners), np.zeros((0, 2))])
    ends = np.concatenate([*(line[1:] for line in corners), np.zeros((0, 2))])
    bearing = np.arctan2(*(ends - starts).T[::-1])
    across = np.cos(2 * (bearing - angle)) < 0
    reach_m = 0.6 * max(plot.profile.spacing_m)
    for side, chosen in ((False, ~across), (True, across)):
        if chosen.any():
            bases.append(Along(starts[chosen], ends[chosen], plot.profile.follow, reach_m, side))
    if plot.terrain is not None:
        bases.append(Contour(plot.terrain, CONTOUR_WEIGHT))
    return TensorField(bases, plot.waves)


def _family(plot: Plot, compass: Compass, family: int, spacing_m: float) -> list[LineString]:
    """Streets of a family: evenly over the middle of the quarter, then wherever there is room."""
    spine = clip(
        trace(compass, plot.quarter.middle, 1 - family, Crowd(spacing_m), 0.0),
        plot.quarter.middle,
        compass,
    )
    seeds: list[Node] = []
    if spine is not None:
        gaps = max(1, round(spine.length / spacing_m))
        spacing_m = float(np.clip(spine.length / gaps, 0.7 * spacing_m, 1.4 * spacing_m))
        places = np.arange(1, gaps) * spine.length / gaps
        seeds = _pairs(shapely.get_coordinates(shapely.line_interpolate_point(spine, places)))
    walls = _walls(compass, plot.quarter.polygon.boundary, family, spacing_m)
    return evenly_spaced(
        compass, family, spacing_m, seeds, walls, lattice_in(plot.quarter.polygon, spacing_m)
    )


def _walls(
    compass: Compass, outline: shapely.Geometry, family: int, spacing_m: float
) -> list[Node]:
    """Points of an outline where it runs so nearly with a family that no street may meet it."""
    walls = []
    for ring in shapely.get_parts(outline):
        points = samples_of(ring, spacing_m / 6)
        ways = np.roll(points, -1, axis=0) - np.roll(points, 1, axis=0)
        for point, way in zip(_pairs(points), ways.tolist(), strict=True):
            dx, dy = compass.direction(*point, family)
            if abs(dx * way[0] + dy * way[1]) > math.cos(SHARPEST_RAD) * math.hypot(*way):
                walls.append(point)
    return walls


def lattice_in(polygon: Polygon, spacing_m: float) -> list[Node]:
    """Points of a square lattice inside a polygon."""
    x0, y0, x1, y1 = polygon.bounds
    x, y = np.arange(x0, x1, spacing_m), np.arange(y0, y1, spacing_m)
    points = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2) + spacing_m / 2
    return _pairs(points[shapely.contains_xy(polygon, *points.T)])


class _Fit:
    """Moves streets so that they end at doors; remembers where they end."""

    def __init__(self, plot: Plot) -> None:
        self.anchors: dict[Node, Array] = {}
        self._doors = plot.doors
        self._tree = shapely.STRtree([doors.line for doors in plot.doors])
        self._outline = plot.quarter.polygon.boundary
        shapely.prepare(self._outline)

    def __call__(self, line: LineString, spacing_m: float) -> LineString:
        """The street with each end at a free door, if it ends on a major street at all."""
        points = shapely.get_coordinates(line)
        ends = [self._end(points[0], spacing_m), self._end(points[-1], spacing_m)]
        if ends[0] == ends[1]:
            return line
        return LineString(bend_to(points, *ends))

    def on_outline(self, point: Array) -> bool:
        """Whether a point lies on the quarter's outline."""
        return bool(shapely.dwithin(self._outline, Point(point), ON_M))

    def _end(self, point: Array, spacing_m: float) -> Node:
        here = as_node(point)
        if not self.on_outline(point):
            return here
        nearest = int(self._tree.nearest(Point(point))) if self._doors else None
        if nearest is None or self._doors[nearest].line.distance(Point(point)) > ON_M:
            link = shapely.shortest_line(self._outline, Point(point))
            here = as_node(link.coords[0])
            self.anchors[here] = np.zeros((0, 2))
            return here
        doors = self._doors[nearest]
        away = np.hypot(*(doors.points - point).T)
        away -= np.where(doors.wanted, 0.3 * spacing_m, 0.0)
        for index in np.argsort(away, kind="stable").tolist():
            door = as_node(doors.points[index])
            if math.dist(door, here) > 0.5 * spacing_m:
                continue
            if door not in self.anchors:
                self.anchors[door] = doors.directions(door)
                return door
        # No door is free: the street stops short of the outline and is cut back.
        return here


def _cross_streets(
    plot: Plot,
    compass: Compass,
    fit: _Fit,
    long: list[LineString],
    through: list[LineString],
) -> list[LineString]:
    """Cross streets: some strips between long streets have their own, the others share theirs."""
    if plot.profile.stagger <= 0 or not long:
        return through
    frame = frame_of(plot.quarter.polygon, fit.anchors)
    sheet = shapely.union_all([*long, *frame], grid_size=LATTICE_M)
    strips = faces_of(list(shapely.get_parts(sheet)))
    own: list[LineString] = []
    shared: list[Polygon] = []
    for strip in strips:
        x, y = as_node(strip.point_on_surface().coords[0])
        rng = plot.rng("strip", x, y)
        if rng.random() >= plot.profile.stagger:
            shared.append(strip)
            continue
        own += [
            overshot(fit(line, plot.profile.spacing_m[1]), fit.anchors)
            for line in _strip_streets(plot, compass, strip, through, rng)
        ]
    common = shapely.union_all(shapely.buffer(np.array(shared, dtype=object), ON_M))
    parts = shapely.get_parts(shapely.intersection(np.array(through, dtype=object), common))
    kept = [line for line in shapely.get_parts(parts) if isinstance(line, LineString)]
    return [*own, *(line for line in kept if line.length > 4 * ON_M)]


def _strip_streets(
    plot: Plot,
    compass: Compass,
    strip: Polygon,
    through: list[LineString],
    rng: np.random.Generator,
) -> list[LineString]:
    """Cross streets of one strip, between those of its neighbours."""
    spacing_m = plot.profile.spacing_m[1]
    part = compass.within(strip)
    middle = as_node(strip.point_on_surface().coords[0])
    spine = clip(trace(part, middle, 0, Crowd(spacing_m), 0.0), middle, part)
    if spine is None:
        return []
    hits = shapely.get_coordinates(shapely.intersection(np.array(through, dtype=object), spine))
    at = np.sort(shapely.line_locate_point(spine, shapely.points(hits)))
    if len(at) > 1:
        places = at[:-1] + rng.uniform(0.35, 0.65) * np.diff(at)
    else:
        gaps = max(1, round(spine.length / spacing_m))
        places = np.arange(1, gaps) * spine.length / gaps
    seeds = _pairs(shapely.get_coordinates(shapely.line_interpolate_point(spine, places)))
    walls = _walls(part, strip.boundary, 1, spacing_m)
    return evenly_spaced(part, 1, spacing_m, seeds, walls)


def _merge_blocks(plot: Plot, network: Network) -> None:
    """Leave out a few streets, so that blocks differ in size; none that would leave a corner."""
    faces = np.array(
        faces_of([*network.frame, *(edge.line for edge in network.edges)]), dtype=object
    )
    tree = shapely.STRtree(faces)
    largest_m2 = 2.2 * plot.profile.spacing_m[0] * plot.profile.spacing_m[1]
    merged: set[int] = set()
    for edge in list(network.edges):
        middle = edge.line.interpolate(0.5, normalized=True)
        if plot.rng("street", *as_node(middle.coords[0])).random() >= plot.profile.merge:
            continue
        beside = set(tree.query(middle, predicate="dwithin", distance=LATTICE_M).tolist())
        small = sum(faces[i].area for i in beside) < largest_m2
        if small and not beside & merged and network.is_spare(edge):
            merged |= beside
            network.edges.remove(edge)
    network.weed()


def _pairs(points: Array) -> list[Node]:
    return [(x, y) for x, y in points.tolist()]
