"""The graph of a street network: junctions, and streets with all attributes."""

from __future__ import annotations

import math
from dataclasses import dataclass

import networkx as nx
import shapely
from shapely import LineString

from vasgen.citygen.land import Land
from vasgen.citygen.roads.edges import Array, Edge, Node, as_node, bearing, cut

#: Kinds of streets, widest first; the index is their rank.
KINDS = ("avenue", "major", "minor")

_LANE_M = 2.75  # least width of a lane
_MOUTH_SHARE = 0.45  # a junction takes at most this share of a street
_STRAIGHT_RAD = 0.35  # two streets that differ less from a straight line have one kerb


@dataclass(frozen=True, eq=False)
class Street:
    """An edge to be, with the district whose rules it follows."""

    edge: Edge
    district: int


def make_graph(streets: list[Street], land: Land) -> nx.Graph:
    """The streets as a graph with numbered nodes and all attributes."""
    pieces = _without_twins(streets)
    nodes = sorted({end for street in pieces for end in street.edge.ends})
    numbers = {node: i for i, node in enumerate(nodes)}
    graph = nx.Graph()
    graph.add_nodes_from((i, {"x": node[0], "y": node[1]}) for node, i in numbers.items())
    found = []
    for street in pieces:
        a, b = (numbers[end] for end in street.edge.ends)
        points = street.edge.points if a < b else street.edge.points[::-1]
        found.append((min(a, b), max(a, b), points, street))
    for a, b, points, street in sorted(found, key=lambda item: item[:2]):
        graph.add_edge(a, b, **_attributes(points, street, land))
    _add_mouths(graph)
    return graph


def _without_twins(streets: list[Street]) -> list[Street]:
    """The streets; a second one between the same two junctions is cut in the middle."""
    seen: set[tuple[Node, Node]] = set()
    pieces = []
    for street in streets:
        a, b = sorted(street.edge.ends)
        if (a, b) not in seen:
            seen.add((a, b))
            pieces.append(street)
            continue
        middle = as_node(street.edge.line.interpolate(0.5, normalized=True).coords[0])
        pieces += [
            Street(Edge(piece, street.edge.rank), street.district)
            for piece in cut(street.edge.line, [middle])
        ]
    return pieces


def _attributes(points: Array, street: Street, land: Land) -> dict[str, object]:
    profile, rank = land.districts[street.district].rules.streets, street.edge.rank
    width = profile.widths_m[rank]
    parking = profile.parking_m[rank]
    if width - 2 * parking < 2 * _LANE_M:
        parking = 0.0
    lanes = int((width - 2 * parking) / _LANE_M)
    line = LineString(points)
    return {
        "kind": KINDS[rank],
        "width_m": width,
        # Two lanes in a narrow street, then as many one way as the other.
        "lanes": max(2, lanes - lanes % 2),
        "parking_m": parking,
        "pavement_m": profile.pavement_m,
        "district": street.district,
        "length_m": line.length,
        "line": line,
        "mouths_m": (0.0, 0.0),
    }


def _add_mouths(graph: nx.Graph) -> None:
    """Set how far from its ends each street belongs to the junctions there."""
    mouths: dict[tuple[int, int], float] = {}
    for node in graph:
        around = []
        for other in graph[node]:
            data = graph[node][other]
            points = shapely.get_coordinates(data["line"])[:: 1 if node < other else -1]
            around.append((bearing(points), data["width_m"] / 2, other))
        around.sort()
        reach = dict.fromkeys(graph[node], 0.0)
        for (one, half, first), (two, other_half, second) in zip(
            around, [*around[1:], *around[:1]], strict=True
        ):
            angle = (two - one) % (2 * math.pi)
            if len(around) > 1 and angle < math.pi - _STRAIGHT_RAD:
                # Where the left kerb of one street meets the right kerb of the next.
                cosine, sine = math.cos(angle), math.sin(angle)
                reach[first] = max(reach[first], (other_half + half * cosine) / sine)
                reach[second] = max(reach[second], (half + other_half * cosine) / sine)
        for other, distance in reach.items():
            mouths[node, other] = min(distance, _MOUTH_SHARE * graph[node][other]["length_m"])
    for a, b, data in graph.edges(data=True):
        data["mouths_m"] = (round(mouths[a, b], 3), round(mouths[b, a], 3))
