"""A planar network of lines, tidied: no dangling ends, needles, slivers or crowded junctions."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import shapely
from scipy.spatial import cKDTree
from shapely import LineString

from vasgen.citygen.roads.edges import (
    Array,
    Edge,
    Node,
    as_node,
    bearing,
    bend_to,
    crossings,
    noded,
)

SHARPEST_RAD = math.radians(35.0)
ON_M = 0.5  # an end this near to a line is on it
SIMPLER_M = 0.15  # corners nearer to the chord than this are left out

_TURN_COSINE = math.cos(math.radians(50.0))  # a sharper turn is a corner, not a curve
_HAIRPIN_COSINE = math.cos(math.radians(115.0))
_STUB_M = 10.0  # least length of a street that leaves the land


@dataclass(frozen=True)
class Limits:
    """What a tidy network keeps to.

    Attributes:
        apart_m: least distance between two junctions.
        narrow_m: least width of a face.
        area_m2: least area of a face.
    """

    apart_m: float
    narrow_m: float
    area_m2: float


@dataclass(eq=False)
class Network:
    """Edges inside a frame that stays as it is.

    Attributes:
        edges: in a fixed order.
        anchors: nodes on the frame, where an edge may end, with the directions (K, 2) of the
            streets that the frame has there; none at the rim of the land.
        frame: lines that bound the faces, cut at the anchors.
        limits: what it is to keep to.
    """

    edges: list[Edge]
    anchors: dict[Node, Array]
    frame: Sequence[LineString]
    limits: Limits
    _at: dict[Node, list[Edge]] = field(default_factory=dict, repr=False)

    def tidy(self) -> None:
        """Mend what can be mended by moving, then take away what still offends."""
        self._prune()
        for _ in range(2):
            self._merge_junctions()
            self._prune()
        self.weed()

    def weed(self) -> None:
        """Take away what offends, until nothing does."""
        self._prune()
        self.edges = [Edge(_simple(edge.points), edge.rank) for edge in self.edges]
        while offenders := self._tangled() or self._sharp() or self._short() or self._slivers():
            gone = set(map(id, offenders))
            self.edges = [edge for edge in self.edges if id(edge) not in gone]
            self._prune()

    def add(self, lines: Sequence[LineString], rank: int) -> None:
        """Put in lines, cut at all crossings; the frame must be cut at their ends by then."""
        own = [edge.line for edge in self.edges]
        ranks = [edge.rank for edge in self.edges] + [rank] * len(lines)
        self.edges = noded([*own, *lines], ranks)

    def corners(self) -> list[tuple[Node, Array]]:
        """Where a street turns off sharply, and the ways (2, 2) straight on from both sides."""
        self._index()
        lines = [edge.points for edge in self.edges]
        for node, edges in self._at.items():
            if len(edges) == 2 and node not in self.anchors and edges[0].rank != edges[1].rank:
                lines.append(
                    np.stack([edges[0].away_from(node)[1], node, edges[1].away_from(node)[1]])
                )
        found = []
        for points in lines:
            ways = np.diff(points, axis=0)
            ways = ways / np.hypot(*ways.T)[:, None]
            turns = np.flatnonzero((ways[:-1] * ways[1:]).sum(axis=1) < _TURN_COSINE)
            found += [
                (as_node(points[i + 1]), np.stack([ways[i], -ways[i + 1]])) for i in turns.tolist()
            ]
        return sorted(found, key=lambda item: item[0])

    def is_spare(self, edge: Edge) -> bool:
        """Whether the others would run straight on where this edge is left out."""
        self._index()
        for node in edge.ends:
            angles = [bearing(e.away_from(node)) for e in self._at[node] if e is not edge]
            if node not in self.anchors and len(angles) < 3:
                turn = math.pi - abs((angles[0] - angles[-1]) % (2 * math.pi) - math.pi)
                if len(angles) < 2 or math.cos(turn) > -_TURN_COSINE:
                    return False
        return True

    def _index(self) -> None:
        at: defaultdict[Node, list[Edge]] = defaultdict(list)
        for edge in self.edges:
            for node in edge.ends:
                at[node].append(edge)
        self._at = dict(at)

    def _prune(self) -> None:
        """Remove dead ends, then join edges at nodes where only two meet."""
        self._index()
        ends = sorted(n for n, edges in self._at.items() if len(edges) == 1)
        gone: set[int] = set()
        while ends:
            node = ends.pop()
            left = [edge for edge in self._at[node] if id(edge) not in gone]
            if node in self.anchors or len(left) != 1:
                continue
            gone.add(id(left[0]))
            ends += [end for end in left[0].ends if end != node]
        self.edges = [edge for edge in self.edges if id(edge) not in gone]
        self._join()

    def _join(self) -> None:
        self._index()
        for node in sorted(self._at):
            edges = self._at[node]
            if len(edges) != 2 or node in self.anchors or edges[0] is edges[1]:
                continue
            one, two = edges
            if one.rank != two.rank:
                continue
            points = np.concatenate([one.away_from(node)[::-1], two.away_from(node)[1:]])
            joined = Edge(points, one.rank)
            self.edges[self.edges.index(one)] = joined
            self.edges.remove(two)
            for end in joined.ends:
                self._at[end] = [e for e in self._at[end] if e is not one and e is not two]
            for end in joined.ends:
                self._at[end].append(joined)

    def _merge_junctions(self) -> None:
        """Draw junctions that are too near to each other together into one."""
        self._index()
        nodes = sorted(set(self._at) | set(self.anchors))
        if len(nodes) < 2:
            return
        tree = cKDTree(np.array(nodes))
        pairs = tree.query_pairs(self.limits.apart_m)
        near = sorted((math.dist(nodes[i], nodes[j]), nodes[i], nodes[j]) for i, j in pairs)
        home: dict[Node, Node] = {}

        def root(node: Node) -> Node:
            while node in home:
                node = home[node]
            return node

        for _, one, two in near:
            if one not in self._at and two not in self._at:
                continue
            one, two = root(one), root(two)
            weights = [(n in self.anchors, len(self._at.get(n, ())), n) for n in (one, two)]
            keep, leave = (one, two) if weights[0] > weights[1] else (two, one)
            # Nothing is drawn to the rim of the land, where no streets meet.
            at_rim = keep in self.anchors and not len(self.anchors[keep])
            if keep != leave and leave not in self.anchors and not at_rim:
                home[leave] = keep
        moved = []
        for edge in self.edges:
            start, end = (root(node) for node in edge.ends)
            if start != end or edge.length > 8 * self.limits.apart_m:
                moved.append(Edge(bend_to(edge.points, start, end), edge.rank))
        self.edges = [edge for edge in moved if edge.ends[0] != edge.ends[1]]

    def _sharp(self) -> list[Edge]:
        """Edges that leave a node at an acute angle to a more important one, or turn back."""
        self._index()
        found = [edge for edge in self.edges if _turn_cosine(edge.points) < _HAIRPIN_COSINE]
        gone = set(map(id, found))
        for node in sorted(self._at):
            way: list[tuple[float, Edge | None]] = [
                (bearing(edge.away_from(node)), edge) for edge in self._at[node]
            ]
            way += [(math.atan2(y, x), None) for x, y in self.anchors.get(node, ())]
            way.sort(key=lambda item: item[0])
            for (one, first), (two, second) in zip(way, [*way[1:], *way[:1]], strict=True):
                if (two - one) % (2 * math.pi) >= SHARPEST_RAD or len(way) < 2:
                    continue
                pair = [e for e in (first, second) if e is not None and id(e) not in gone]
                if len(pair) < (first is not None) + (second is not None):
                    continue
                worst = max(pair, key=_unimportance, default=None)
                if worst is not None:
                    gone.add(id(worst))
                    found.append(worst)
        return found

    def _short(self) -> list[Edge]:
        """Edges between junctions that are too near to each other, or that end where they began.

        At the rim of the land a street may be short: the land is cut there, not the street.
        """
        found = []
        for edge in self.edges:
            at_rim = any(end in self.anchors and not len(self.anchors[end]) for end in edge.ends)
            least_m = min(self.limits.apart_m, _STUB_M) if at_rim else self.limits.apart_m
            if edge.length < least_m or edge.ends[0] == edge.ends[1]:
                found.append(edge)
        return found

    def _slivers(self) -> list[Edge]:
        """For every face that is too small or narrow its longest edge of least importance."""
        if not self.edges:
            return []
        lines = np.array([edge.line for edge in self.edges], dtype=object)
        faces = shapely.get_parts(shapely.polygonize([*self.frame, *lines]))
        kernels = shapely.buffer(faces, -self.limits.narrow_m / 2, quad_segs=2)
        small = (shapely.area(faces) < self.limits.area_m2) | shapely.is_empty(kernels)
        meagre = sorted(faces[small], key=lambda f: (f.area, f.bounds))
        middles = shapely.line_interpolate_point(lines, 0.5, normalized=True)
        rims = shapely.boundary(np.array(meagre, dtype=object))
        face, edge = shapely.STRtree(middles).query(rims, predicate="dwithin", distance=0.02)
        sides: defaultdict[int, list[Edge]] = defaultdict(list)
        for i, j in sorted(zip(face.tolist(), edge.tolist(), strict=True)):
            sides[i].append(self.edges[j])
        found: list[Edge] = []
        for i in sorted(sides):
            if not any(edge in found for edge in sides[i]):
                worst = max(e.rank for e in sides[i])
                found.append(
                    max((e for e in sides[i] if e.rank == worst), key=lambda e: (e.length, e.ends))
                )
        return found

    def _tangled(self) -> list[Edge]:
        """Edges that cross, touch or overlap another other than at common ends."""
        count = len(self.edges)
        lines = np.array([*(edge.line for edge in self.edges), *self.frame], dtype=object)
        found = set(np.flatnonzero(~shapely.is_simple(lines[:count])).tolist())
        for i, j in crossings(lines):
            if i not in found and j not in found and i < count:
                own = [k for k in (i, j) if k < count]
                found.add(max(own, key=lambda k: _unimportance(self.edges[k])))
        return [self.edges[i] for i in sorted(found)]


def _simple(points: Array) -> Array:
    return shapely.get_coordinates(shapely.simplify(LineString(points), SIMPLER_M))


def _unimportance(edge: Edge) -> tuple[int, float, tuple[Node, Node]]:
    return edge.rank, -edge.length, edge.ends


def _turn_cosine(points: Array) -> float:
    """Of the sharpest turn of a line."""
    ways = np.diff(points, axis=0)
    ways = ways / np.hypot(*ways.T)[:, None]
    return float((ways[:-1] * ways[1:]).sum(axis=1).min(initial=1.0))
