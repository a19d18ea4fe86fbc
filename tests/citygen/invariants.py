"""What the plan of every city must satisfy: streets, blocks, lots, buildings and props.

Each check takes a city and raises an AssertionError that says which object is wrong, where
it is, and by how much. ``surface_invariants.py`` has those of the triangles.
"""

from __future__ import annotations

import networkx as nx
import numpy as np
import shapely

from tests.citygen.surface_invariants import none_of
from vasgen.citygen import City
from vasgen.citygen.life.archetypes import model

#: Least gap between buildings, metres; two roundings to a millimetre may take 2 mm of it.
GAP_M = 0.198
STREET_KINDS = ("avenue", "major", "minor")
PROP_KINDS = ("tree", "lamp", "traffic-light", "bench", "bus-stop", "car")

#: Props are in the way of traffic and people up to this height, metres.
_HEADROOM_M = 2.2
_UNDER_CROWNS_M = 1.9
_TRUNK_M = 0.6
_DRIVING_LANE_M = 2.4
_OFF_TARGET = 0.1
_NARROWEST_JUNCTION_DEG = 15.0


def check_streets(city: City) -> None:
    """The network is planar, connected by its junctions alone, and fully labelled."""
    graph, lines = city.streets.graph, city.streets.lines
    assert sorted(graph) == list(range(len(graph))), "nodes are not numbered 0, 1, ..."
    assert nx.check_planarity(graph)[0]
    one, two = shapely.STRtree(lines).query(lines, predicate="intersects")
    pair = one < two
    one, two = one[pair], two[pair]
    ends = [shapely.multipoints(shapely.get_coordinates(line)[[0, -1]]) for line in lines]
    ends = np.array(ends, dtype=object)
    common = shapely.intersection(ends[one], ends[two])
    met = shapely.intersection(lines[one], lines[two])
    apart = shapely.hausdorff_distance(met, common)
    wrong = shapely.is_empty(common) | (apart > 0.011)
    none_of(
        wrong,
        "pairs of streets that meet away from a junction",
        lambda i: f"edges {one[i]} and {two[i]}: {shapely.to_wkt(met[i], rounding_precision=2)}",
    )
    for a, b, edge in graph.edges(data=True):
        _check_edge(city, min(a, b), max(a, b), edge)
    _check_dead_ends(city)


def _check_edge(city: City, a: int, b: int, edge: dict) -> None:
    graph, where = city.streets.graph, f"street {a}-{b}"
    line = shapely.get_coordinates(edge["line"])
    for node, end in ((a, line[0]), (b, line[-1])):
        away = np.hypot(graph.nodes[node]["x"] - end[0], graph.nodes[node]["y"] - end[1])
        assert away < 0.006, f"{where} ends {away:.3f} m from node {node} at {end}"
    assert edge["line"].is_simple, f"{where} crosses itself"
    assert edge["kind"] in STREET_KINDS, f"{where}: kind {edge['kind']!r}"
    assert abs(edge["length_m"] - edge["line"].length) < 0.01, f"{where}: length_m"
    assert edge["length_m"] > 1.0, f"{where}: {edge['length_m']:.2f} m long, at {line[0]}"
    assert edge["district"] in range(len(city.land.districts)), f"{where}: district"
    assert 0.5 <= edge["pavement_m"] <= 12.0, f"{where}: pavement of {edge['pavement_m']} m"
    assert isinstance(edge["lanes"], int), f"{where}: {edge['lanes']!r} lanes"
    assert 1 <= edge["lanes"] <= 10, f"{where}: {edge['lanes']} lanes"
    assert edge["parking_m"] >= 0.0, f"{where}: parking of {edge['parking_m']} m"
    lane = (edge["width_m"] - 2 * edge["parking_m"]) / edge["lanes"]
    assert _DRIVING_LANE_M <= lane <= 6.0, (
        f"{where}: {edge['lanes']} lanes on {edge['width_m']} m, parking {edge['parking_m']} m"
    )


def _check_dead_ends(city: City) -> None:
    graph = city.streets.graph
    ends = np.array([node for node in graph if graph.degree[node] == 1])
    assert not [node for node in graph if graph.degree[node] == 0], "junctions of no street"
    points = shapely.points([(graph.nodes[n]["x"], graph.nodes[n]["y"]) for n in ends])
    inside = shapely.distance(points, city.land.skirt.exterior) > 0.02
    none_of(
        inside & shapely.contains(city.land.skirt, points),
        "dead ends inside the land",
        lambda i: f"node {ends[i]} at {points[i]}",
    )
    for node in graph:
        ways = np.array([_way(graph, node, other) for other in graph[node]])
        angle = np.sort(np.degrees(np.arctan2(ways[:, 1], ways[:, 0])))
        gap = np.diff([*angle, angle[0] + 360.0]).min() if len(angle) > 1 else 360.0
        assert gap > _NARROWEST_JUNCTION_DEG, (
            f"two streets leave node {node} at ({graph.nodes[node]['x']}, "
            f"{graph.nodes[node]['y']}) {gap:.1f} degrees apart"
        )


def _way(graph: nx.Graph, node: int, other: int) -> np.ndarray:
    line = graph.edges[node, other]["line"]
    at = line.interpolate(min(8.0, line.length) * (1 if node < other else -1))
    return np.array([at.x - graph.nodes[node]["x"], at.y - graph.nodes[node]["y"]])


def check_blocks(city: City) -> None:
    """Blocks lie on the land, apart from each other and off the carriageways."""
    kerb = _column(city.blocks, "kerb")
    inner = _column(city.blocks, "inner")
    assert [block.index for block in city.blocks] == list(range(len(city.blocks)))
    _none_overlap(kerb, "blocks", 0.02)
    assert shapely.is_valid(kerb).all()
    assert shapely.is_valid(inner).all()
    for name, part, whole, allowed in (
        ("blocks outside the land", kerb, city.land.outline, 0.02),
        ("building land outside its kerb", inner, kerb, 0.02),
    ):
        away = _reach_beyond(part, whole)
        none_of(
            away > allowed,
            name,
            lambda i, away=away: f"block {i} at {_middle(kerb[i])}: by {away[i]:.3f} m",
        )
    number = np.array([block.district for block in city.blocks])
    assert np.isin(number, np.arange(len(city.land.districts))).all(), "districts of blocks"
    roads = shapely.buffer(city.streets.lines, city.streets.widths_m / 2 - 0.2, cap_style="flat")
    block, road = shapely.STRtree(roads).query(inner, predicate="intersects")
    depth = shapely.area(shapely.intersection(inner[block], roads[road], grid_size=0.001))
    none_of(
        depth > 0.05,
        "blocks built up to a carriageway",
        lambda i: f"block {block[i]} and street {road[i]}: {depth[i]:.2f} m2",
    )


def check_lots(city: City) -> None:
    """Lots lie in their block, apart from each other, and each has a side on a street."""
    lots = city.lots
    polygon = _column(lots, "polygon")
    assert [lot.index for lot in lots] == list(range(len(lots)))
    assert len({(lot.block, lot.place) for lot in lots}) == len(lots), "places used twice"
    assert shapely.is_valid(polygon).all()
    _none_overlap(polygon, "lots", 0.01)
    inner = _column(city.blocks, "inner")[[lot.block for lot in lots]]
    away = _reach_beyond(polygon, inner)
    none_of(
        away > 0.011,
        "lots outside their block",
        lambda i: f"lot {i} of block {lots[i].block} at {_middle(polygon[i])}: {away[i]:.3f} m",
    )
    front = shapely.linestrings([lot.front for lot in lots])
    frontage = _column(city.blocks, "frontage")[[lot.block for lot in lots]]
    ends = [shapely.get_point(front, 0), shapely.get_point(front, 1)]
    middles = shapely.line_interpolate_point(front, 0.5, normalized=True)
    away = shapely.distance(middles, frontage)
    off = np.max([shapely.distance(end, shapely.boundary(polygon)) for end in ends], axis=0)
    none_of(
        (away > 0.31) | (off > 0.011) | (shapely.length(front) < 3.0),
        "lots without a street",
        lambda i: (
            f"lot {i} at {_middle(polygon[i])}: front of {front[i].length:.2f} m, "
            f"{away[i]:.3f} m from the street, {off[i]:.3f} m from the lot's side"
        ),
    )


def check_buildings(city: City) -> None:
    """Buildings keep apart, stand on their lot, and off pavements and carriageways."""
    buildings = city.buildings
    assert [b.index for b in buildings] == list(range(1, len(buildings) + 1))
    footprint = _column(buildings, "footprint")
    assert shapely.is_valid(footprint).all()
    one, two = shapely.STRtree(footprint).query(footprint, predicate="dwithin", distance=GAP_M)
    pair = one < two
    one, two = one[pair], two[pair]
    none_of(
        np.ones(len(one), dtype=bool),
        f"pairs of buildings closer than {GAP_M} m",
        lambda i: (
            f"{one[i] + 1} and {two[i] + 1} at {_middle(footprint[one[i]])}: "
            f"{footprint[one[i]].distance(footprint[two[i]]):.3f} m"
        ),
    )
    lot = _column(city.lots, "polygon")[[b.lot for b in buildings]]
    inner = _column(city.blocks, "inner")[[city.lots[b.lot].block for b in buildings]]
    for name, land, allowed in (("lot", lot, 0.05), ("block", inner, 0.02)):
        away = _reach_beyond(footprint, land)
        none_of(
            away > allowed,
            f"buildings that leave their {name}",
            lambda i, away=away: (
                f"{i + 1} ({buildings[i].kind}, {buildings[i].use}) at {_middle(footprint[i])}: "
                f"by {away[i]:.3f} m"
            ),
        )
    for b in buildings:
        where = f"building {b.index} ({b.kind}) at {_middle(b.footprint)}"
        assert b.footprint.area > 9.0, f"{where}: {b.footprint.area:.1f} m2"
        assert b.height_m > 2.0, f"{where}: {b.height_m} m high"
        assert b.storeys >= 1, f"{where}: {b.storeys} storeys"
        assert 2.2 <= b.height_m / b.storeys <= 16.0, f"{where}: {b.height_m} m, {b.storeys}"


def check_patches(city: City) -> None:
    """No building stands on a road, pavement or drive; the patches cover the land once."""
    patches = _column(city.ground, "polygon")
    area = float(shapely.area(patches).sum()) - city.land.skirt.area
    assert abs(area) < 0.011 * city.land.skirt.length, f"patches cover {area:+.2f} m2 too much"
    surface = np.array([patch.surface for patch in city.ground])
    paved = patches[np.isin(surface, ["road", "pavement", "drive", "crossing", "marking"])]
    footprint = shapely.buffer(_column(city.buildings, "footprint"), -0.03)
    building, patch = shapely.STRtree(paved).query(footprint, predicate="intersects")
    shared = shapely.area(shapely.intersection(footprint[building], paved[patch], grid_size=0.001))
    none_of(
        shared > 0.02,
        "buildings on a road, pavement or drive",
        lambda i: f"{building[i] + 1} at {_middle(footprint[building[i]])}: {shared[i]:.2f} m2",
    )


def check_props(city: City) -> None:
    """Props stand on the land, out of driving lanes and walls, and not in each other."""
    props = city.props
    assert {prop.kind for prop in props} <= set(PROP_KINDS)
    if not props:
        return
    numbers = np.array([(p.x, p.y, p.z, p.yaw_rad, *p.scale) for p in props])
    assert np.isfinite(numbers).all()
    assert (numbers[:, 4:] > 0.1).all(), "props of no size"
    assert len(np.unique(numbers[:, :2].round(2), axis=0)) == len(props), "props in one place"
    kind = np.array([prop.kind for prop in props])
    whole = _plans(props, np.full(len(props), np.inf))
    # Crowns may reach over parked cars and into each other, trunks may not.
    low = _plans(props, np.where(kind == "tree", _UNDER_CROWNS_M, _HEADROOM_M))
    foot = _plans(props, np.where(kind == "tree", _TRUNK_M, _HEADROOM_M))

    def tell(i: int) -> str:
        return f"{kind[i]} {i} at ({props[i].x:.2f}, {props[i].y:.2f})"

    none_of(~shapely.within(foot, city.land.outline), "props outside the city", tell)
    _check_walls(city, whole, tell)
    _check_traffic(city, low, foot, kind, tell)
    one, two = shapely.STRtree(low).query(low, predicate="intersects")
    pair = one < two
    one, two = one[pair], two[pair]
    shared = shapely.area(shapely.intersection(low[one], low[two], grid_size=0.001))
    crowns = (kind[one] == "tree") & (kind[two] == "tree")
    none_of(
        (shared > 1e-4) & ~crowns,
        "props in each other",
        lambda i: f"{tell(one[i])}, {tell(two[i])}: {shared[i]:.3f} m2",
    )
    level = _level_under(city, numbers[:, :2])
    away = numbers[:, 2] - level
    none_of(
        np.abs(away) > 0.35,
        "props that float or sink",
        lambda i: f"{tell(i)}: {away[i]:+.2f} m over the ground",
    )


def _check_walls(city: City, whole: np.ndarray, tell) -> None:
    footprint = _column(city.buildings, "footprint")
    prop, building = shapely.STRtree(footprint).query(whole, predicate="intersects")
    none_of(
        np.ones(len(prop), dtype=bool),
        "props in a wall",
        lambda i: f"{tell(prop[i])}, building {building[i] + 1}",
    )


def _check_traffic(city: City, low: np.ndarray, foot: np.ndarray, kind: np.ndarray, tell) -> None:
    """Lanes are free of everything; cars park beside them, all else stands off the road."""
    widths = city.streets.widths_m
    edges = city.streets.graph.edges(data="parking_m")
    driven = widths / 2 - np.array([parking for _, _, parking in edges])
    for shapes, reach, what in (
        (low, driven, "props in a driving lane"),
        (foot[kind != "car"], widths / 2, "props on a carriageway"),
    ):
        index = np.flatnonzero(kind != "car") if len(shapes) < len(kind) else np.arange(len(kind))
        road = shapely.buffer(city.streets.lines, reach - 0.05, cap_style="flat")
        prop, edge = shapely.STRtree(road).query(shapes, predicate="intersects")
        none_of(
            np.ones(len(prop), dtype=bool),
            what,
            lambda i, index=index, prop=prop, edge=edge: (
                f"{tell(index[prop[i]])}, street {edge[i]}"
            ),
        )


def _plans(props, up_to_m: np.ndarray) -> np.ndarray:
    """(N,) hulls of what props cover up to a height over their foot."""
    return np.array(
        [prop_plan(prop, height) for prop, height in zip(props, up_to_m, strict=True)],
        dtype=object,
    )


def prop_plan(prop, up_to_m: float) -> shapely.Geometry:
    """The hull of what a prop covers up to a height over its foot."""
    surface = model(prop.kind, prop.variant, 3)
    points = surface.vertices * prop.scale
    start, end = points[surface.faces], points[np.roll(surface.faces, -1, axis=1)]
    cut = (start[..., 2] <= up_to_m) & (end[..., 2] > up_to_m)
    start, end = start[cut], end[cut]
    share = (up_to_m - start[:, 2]) / (end[:, 2] - start[:, 2]) if len(start) else np.empty(0)
    rim = start + share[:, None] * (end - start)
    low = np.concatenate([points[points[:, 2] <= up_to_m], rim])[:, :2]
    cos, sin = np.cos(prop.yaw_rad), np.sin(prop.yaw_rad)
    turned = low @ np.array([[cos, sin], [-sin, cos]])
    return shapely.MultiPoint(turned + (prop.x, prop.y)).convex_hull


def check_targets(city: City) -> None:
    """Every district that has targets hits them."""
    for number, district in enumerate(city.land.districts):
        if district.targets is None:
            continue
        found = city.morphology(number)
        worst = np.abs(found.deviations).max()
        assert worst <= _OFF_TARGET, (
            f"district {number}: alpha, beta and gamma off by "
            + ", ".join(f"{off:+.1%}" for off in found.deviations)
            + f" of {district.targets} on {found.land_m2 / 1e4:.1f} ha"
        )


def check_levels(city: City) -> None:
    """Buildings stand on a level pad: foundations reach the ground, doors are not buried."""
    base = np.array([b.shells[0].base_m for b in city.buildings])
    for building, foot in zip(city.buildings, base, strict=True):
        ring = shapely.get_coordinates(shapely.segmentize(building.footprint, 2.0))
        ground = city.terrain.level_at(ring)
        where = f"building {building.index} at {_middle(building.footprint)}"
        assert foot < ground.min() - 0.1, f"{where} floats {foot - ground.min():.2f} m"
        rise = ground.max() - building.level_m
        # On a slope the hill side is in the ground, the valley side as high above it.
        x0, y0, x1, y1 = building.footprint.bounds
        assert rise < 0.1 + 0.15 * np.hypot(x1 - x0, y1 - y0), (
            f"{where}: the ground rises {rise:.2f} m over its floor"
        )


def _level_under(city: City, points: np.ndarray) -> np.ndarray:
    """(N,) level of the patch of ground under points, metres."""
    patches = _column(city.ground, "polygon")
    found = shapely.STRtree(patches).query_nearest(shapely.points(points), all_matches=False)[1]
    kerb = np.array([patch.level_m for patch in city.ground])[found]
    return kerb + city.terrain.level_at(points)


def _column(objects, name: str) -> np.ndarray:
    return np.array([getattr(thing, name) for thing in objects], dtype=object)


def _middle(polygon: shapely.Geometry) -> tuple[float, float]:
    point = polygon.centroid
    return round(point.x, 1), round(point.y, 1)


def _reach_beyond(part: np.ndarray, whole: np.ndarray | shapely.Geometry) -> np.ndarray:
    """(N,) how far polygons reach out of others, metres."""
    outside = shapely.difference(part, whole, grid_size=0.001)
    count = shapely.get_num_coordinates(outside)
    owner = np.repeat(np.arange(len(part)), count)
    points = shapely.points(shapely.get_coordinates(outside))
    target = np.broadcast_to(np.asarray(whole, dtype=object), len(part))[owner]
    reach = np.zeros(len(part))
    np.maximum.at(reach, owner, shapely.distance(points, target))
    return reach


def _none_overlap(polygons: np.ndarray, name: str, deep_m: float) -> None:
    one, two = shapely.STRtree(polygons).query(polygons, predicate="intersects")
    pair = one < two
    one, two = one[pair], two[pair]
    shared = shapely.intersection(polygons[one], polygons[two], grid_size=0.001)
    # Rounding leaves strips along a common side: not an area, but their width counts.
    depth = 2 * shapely.area(shared) / np.maximum(shapely.length(shared), 1e-9)
    none_of(
        depth > deep_m,
        f"pairs of {name} that overlap",
        lambda i: (
            f"{one[i]} and {two[i]} at {_middle(shared[i])}: {shared[i].area:.3f} m2, "
            f"{depth[i]:.3f} m deep"
        ),
    )
