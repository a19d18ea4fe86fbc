"""The street network: a bent grid with staggered cross streets, cut by avenues."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import networkx as nx
import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import LineString, Point, Polygon

from vasgen.citygen.config import CityConfig
from vasgen.citygen.land import Land
from vasgen.citygen.profiles import StreetProfile
from vasgen.seeding import stream

Array = NDArray[np.float64]

#: Kinds of streets, widest first; the index is their rank.
KINDS = ("avenue", "major", "minor")

_CURVE_STEP_M = 24.0  # corners of bent streets are this far apart
_LATTICE_M = 0.01  # junctions are snapped to centimetres


@dataclass(frozen=True, eq=False)
class Streets:
    """A planar network of street centre lines.

    Attributes:
        graph: junctions are nodes with ``x``, ``y`` (metres); an edge is a street between
            two junctions with ``kind`` ("avenue", "major", "minor"), ``width_m`` of the
            carriageway, ``length_m`` and ``line`` (a shapely LineString).
    """

    graph: nx.Graph
    land: Land

    def district_at(self, points: Array) -> NDArray[np.int64]:
        """(N,) number of the district each point (N, 2) belongs to."""
        return self.land.district_at(points)

    @property
    def lines(self) -> NDArray[np.object_]:
        """(E,) centre lines, in the order of ``graph.edges``."""
        return np.array([line for _, _, line in self.graph.edges(data="line")], dtype=object)

    @property
    def widths_m(self) -> Array:
        """(E,) carriageway widths, metres."""
        return np.array([width for _, _, width in self.graph.edges(data="width_m")], dtype=float)

    def carriageway(self) -> shapely.Geometry:
        """Everything within half a width of a centre line."""
        return shapely.union_all(shapely.buffer(self.lines, self.widths_m / 2, quad_segs=4))


def lay_streets(config: CityConfig, land: Land) -> Streets:
    """Draw the network over the land and its skirt.

    Args:
        config: the city's configuration.
        land: where it stands.
    """
    seed, profile = config.seed, land.districts[-1].rules.streets
    reach_m = float(np.abs(land.skirt.bounds).max()) * 1.42 + max(profile.spacing_m)
    avenues = _avenues(seed, reach_m, profile)
    grid = _grid(seed, reach_m, profile)
    grid = [piece for piece in grid if not _follows(piece[0], avenues, min(profile.spacing_m))]
    return Streets(_network([(line, 0) for line in avenues] + grid, land.skirt, profile), land)


def _grid(seed: int, reach_m: float, profile: StreetProfile) -> list[tuple[LineString, int]]:
    """Pieces of long and cross streets between crossings, with their rank."""
    bend = _bend(seed, profile.warp_m)
    long = _offsets(seed, "long", profile.spacing_m[0], profile.jitter, reach_m)
    cross = _offsets(seed, "cross", profile.spacing_m[1], profile.jitter, reach_m)
    strips = [_strip(seed, k, cross, profile) for k in sorted(long)]
    pieces = []
    for k, before, after in zip(sorted(long), [{}, *strips[:-1]], strips, strict=True):
        stops = sorted({v for v, _ in before.values()} | {v for v, _ in after.values()})
        rank = 1 if k % profile.major_every == 0 else 2
        for v0, v1 in itertools.pairwise(stops):
            pieces.append((_piece((long[k], v0), (long[k], v1), bend, profile), rank))
        if k + 1 in long:
            for v, cross_rank in after.values():
                ends = (long[k], v), (long[k + 1], v)
                pieces.append((_piece(*ends, bend, profile), cross_rank))
    return pieces


def _offsets(
    seed: int, name: str, spacing_m: float, jitter: float, reach_m: float
) -> dict[int, float]:
    """Positions of parallel streets by number, counted from the centre outwards.

    Numbered from the centre, so that a larger city of the same seed keeps its middle.
    """
    offsets = {0: float(stream(seed, name, "first").uniform(-0.5, 0.5)) * spacing_m}
    for step in (1, -1):
        number = 0
        while abs(offsets[number]) < reach_m:
            factor = np.exp(stream(seed, name, number, step).normal(0.0, jitter))
            gap = spacing_m * float(np.clip(factor, 0.6, 1.6))
            offsets[number + step] = offsets[number] + step * gap
            number += step
    return offsets


def _strip(
    seed: int, k: int, cross: dict[int, float], profile: StreetProfile
) -> dict[int, tuple[float, int]]:
    """Cross streets between long streets k and k + 1: number -> (position, rank)."""
    streets: dict[int, tuple[float, int]] = {}
    last = -np.inf
    for j in sorted(cross):
        draw = stream(seed, "strip", k, j)
        shifted, dropped, shift = draw.random(), draw.random(), draw.uniform(-0.4, 0.4)
        position, major = cross[j], j % profile.major_every == 0
        if not major:
            if dropped < profile.merge:
                continue
            if shifted < profile.stagger:
                position += shift * profile.spacing_m[1]
            if position - last < 0.5 * profile.spacing_m[1]:
                continue
        streets[j] = (position, 1 if major else 2)
        last = position
    return streets


def _bend(seed: int, amplitude_m: float) -> Callable[[Array], Array]:
    """The map from grid coordinates (N, 2) to world metres: a rotation and three long waves."""
    rng = stream(seed, "bend")
    turn = rng.uniform(-0.45, 0.45)
    rotation = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    angle, phase = rng.uniform(0, 2 * np.pi, (2, 3))
    length = rng.uniform(320.0, 640.0, 3)
    waves = np.stack([np.cos(angle), np.sin(angle)]) * 2 * np.pi / length
    push = np.stack([-np.sin(angle), np.cos(angle)]) * amplitude_m / np.sqrt(3)

    def bend(points: Array) -> Array:
        world = points @ rotation
        return np.asarray(world + np.sin(world @ waves + phase) @ push.T)

    return bend


def _piece(
    start: tuple[float, float],
    end: tuple[float, float],
    bend: Callable[[Array], Array],
    profile: StreetProfile,
) -> LineString:
    """A street between two crossings; gently curved where the grid is strongly bent."""
    length = float(np.hypot(end[0] - start[0], end[1] - start[1]))
    curved = profile.warp_m > _CURVE_STEP_M
    count = max(1, round(length / _CURVE_STEP_M)) if curved else 1
    share = np.linspace(0.0, 1.0, count + 1)[:, None]
    return LineString(bend(np.array(start) * (1 - share) + np.array(end) * share).round(2))


def _avenues(seed: int, reach_m: float, profile: StreetProfile) -> list[LineString]:
    """Gently swinging avenues, oblique to the grid."""
    rng = stream(seed, "avenues")
    angle = rng.uniform(0.5, 1.05) + (np.pi / 2 if rng.random() < 0.5 else 0.0)
    along = np.array([np.cos(angle), np.sin(angle)])
    aside = np.array([-along[1], along[0]])
    count = int(reach_m // profile.avenue_spacing_m) + 1
    lines = []
    for k in range(-count, count + 1):
        draw = stream(seed, "avenue", k)
        offset = (k + draw.uniform(-0.15, 0.15)) * profile.avenue_spacing_m
        phase, length = draw.uniform(0, 2 * np.pi), draw.uniform(520.0, 900.0)
        if abs(offset) > reach_m:
            continue
        # Whole steps from the middle: a larger city keeps these corners.
        steps = int(reach_m // _CURVE_STEP_M) + 1
        t = np.arange(-steps, steps + 1) * _CURVE_STEP_M
        swing = profile.warp_m * np.sin(2 * np.pi * t / length + phase)
        points = t[:, None] * along + (offset + swing)[:, None] * aside
        lines.append(LineString(points.round(2)))
    return lines


def _follows(line: LineString, avenues: Iterable[LineString], spacing_m: float) -> bool:
    """Whether a street runs beside an avenue, so close that no block fits between."""
    middle = line.interpolate(0.5, normalized=True)
    start, end = np.array(line.coords[0]), np.array(line.coords[-1])
    for avenue in avenues:
        if avenue.distance(middle) > 0.36 * spacing_m:
            continue
        at = avenue.project(middle)
        way = (
            np.array(avenue.interpolate(at + 5.0).coords[0])
            - avenue.interpolate(at - 5.0).coords[0]
        )
        cosine = abs((end - start) @ way) / (np.linalg.norm(end - start) * np.linalg.norm(way))
        if cosine > 0.85:
            return True
    return False


def _network(
    pieces: list[tuple[LineString, int]], domain: Polygon, profile: StreetProfile
) -> nx.Graph:
    """Cut the pieces at their crossings and at the domain's edge, and join them to a graph."""
    lines = np.array([line for line, _ in pieces], dtype=object)
    noded = shapely.union_all(shapely.intersection(lines, domain), grid_size=_LATTICE_M)
    parts = shapely.get_parts(noded)
    middles = shapely.line_interpolate_point(parts, 0.5, normalized=True)
    _, nearest = shapely.STRtree(lines).query_nearest(middles, all_matches=False)
    graph = nx.Graph()
    for part, source in zip(parts, nearest, strict=True):
        rank = pieces[source][1]
        ends = [tuple(np.round(part.coords[i], 2).tolist()) for i in (0, -1)]
        graph.add_edge(
            *ends,
            kind=KINDS[rank],
            width_m=profile.widths_m[rank],
            length_m=part.length,
            line=part,
        )
    _prune(graph, domain)
    return _numbered(graph)


def _prune(graph: nx.Graph, domain: Polygon) -> None:
    """Remove stubs: dead ends that do not leave the domain."""
    rim = domain.exterior
    stubs = [node for node in graph if graph.degree[node] == 1]
    while stubs:
        node = stubs.pop()
        if node not in graph or graph.degree[node] != 1 or rim.distance(Point(node)) < 0.1:
            continue
        (neighbour,) = graph[node]
        graph.remove_node(node)
        stubs.append(neighbour)
    graph.remove_nodes_from([node for node in list(graph) if graph.degree[node] == 0])


def _numbered(graph: nx.Graph) -> nx.Graph:
    """The same graph with nodes 0, 1, … from west to east, in a fixed order."""
    numbers = {node: i for i, node in enumerate(sorted(graph))}
    result = nx.Graph()
    result.add_nodes_from((i, {"x": node[0], "y": node[1]}) for node, i in numbers.items())
    edges = sorted(
        (sorted((numbers[a], numbers[b])), data) for a, b, data in graph.edges(data=True)
    )
    result.add_edges_from((a, b, data) for (a, b), data in edges)
    return result
