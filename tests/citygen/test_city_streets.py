"""The network: planar, even, without dead ends or needles, and each quarter on its own."""

import dataclasses
import math

import networkx as nx
import numpy as np
import pytest
import shapely

from vasgen.citygen.config import CityConfig, District
from vasgen.citygen.land import survey
from vasgen.citygen.profiles import PROFILES
from vasgen.citygen.roads.edges import bearing, crossings
from vasgen.citygen.roads.graph import KINDS
from vasgen.citygen.roads.kerbs import kerbs
from vasgen.citygen.roads.streets import lay_streets

HOOK = ((0.0, 0.0), (700.0, 0.0), (700.0, 600.0), (520.0, 600.0), (430.0, 150.0), (0.0, 240.0))
CONFIGS = {
    **{f"{d}-{s}": CityConfig(d, s, 900.0) for d in PROFILES for s in (0, 1)},
    **{f"small-{d}": CityConfig(d, 5, 100.0) for d in PROFILES},
    **{f"hook-{d}": CityConfig(d, 2, boundary=HOOK) for d in PROFILES},
    "grid": CityConfig("downtown", 0, 800.0, pattern="grid"),
    "core": CityConfig("margin", 3, 900.0, districts=(District("downtown", radius_m=260.0),)),
}


def adapted(density, **changes):
    profile = PROFILES[density]
    return dataclasses.replace(profile, streets=dataclasses.replace(profile.streets, **changes))


_LAID = {}


def laid(config):
    """Streets of a configuration; the same ones are laid once."""
    if repr(config) not in _LAID:
        _LAID[repr(config)] = lay_streets(config, survey(config))
    return _LAID[repr(config)]


@pytest.fixture(params=CONFIGS, ids=str)
def streets(request):
    return laid(CONFIGS[request.param])


def inner_nodes(streets):
    graph, rim = streets.graph, streets.land.skirt.boundary
    places = shapely.points([(graph.nodes[n]["x"], graph.nodes[n]["y"]) for n in graph])
    return [n for n, away in zip(graph, shapely.distance(rim, places), strict=True) if away > 0.1]


def bearings(graph, node):
    found = []
    for other in graph[node]:
        points = shapely.get_coordinates(graph[node][other]["line"])
        found.append(bearing(points if node < other else points[::-1]))
    return np.sort(found)


def blocks_of(streets):
    """Faces of the network that the land does not cut."""
    faces = shapely.get_parts(shapely.polygonize(streets.lines))
    return faces[shapely.within(faces, streets.land.outline)]


def sides_of(faces):
    """(N, 2) shorter and longer side of the smallest rectangle around each face."""
    corners = [shapely.get_coordinates(shapely.oriented_envelope(face))[:3] for face in faces]
    return np.sort(np.hypot(*np.diff(corners, axis=1).transpose(2, 0, 1)), axis=1)


def test_streets_meet_only_at_junctions(streets):
    assert nx.check_planarity(streets.graph)[0]
    assert crossings(streets.lines) == []
    assert shapely.is_simple(streets.lines).all()


def test_nodes_and_edges_say_what_they_are(streets):
    graph, land = streets.graph, streets.land
    places = [(graph.nodes[n]["x"], graph.nodes[n]["y"]) for n in graph]
    assert list(graph) == list(range(len(graph)))
    assert places == sorted(places)
    assert len(set(places)) == len(places)
    for a, b, data in graph.edges(data=True):
        corners = shapely.get_coordinates(data["line"])
        assert tuple(corners[0]) == places[min(a, b)]
        assert tuple(corners[-1]) == places[max(a, b)]
        assert np.array_equal(corners, corners.round(2))
        assert data["length_m"] == data["line"].length
        rules, rank = land.districts[data["district"]].rules.streets, KINDS.index(data["kind"])
        assert data["width_m"] == rules.widths_m[rank]
        assert data["pavement_m"] == rules.pavement_m
        assert data["parking_m"] in (0.0, rules.parking_m[rank])
        assert data["lanes"] == 2 or data["lanes"] % 2 == 0
        assert data["lanes"] * 2.75 <= data["width_m"] - 2 * data["parking_m"]


def test_no_street_ends_inside_the_land(streets):
    assert all(streets.graph.degree[node] > 1 for node in inner_nodes(streets))


def test_no_acute_angles_and_no_crowded_junctions(streets):
    graph, inside = streets.graph, inner_nodes(streets)
    for node in inside:
        angles = bearings(graph, node)
        gaps = np.diff([*angles, angles[0] + 2 * np.pi])
        assert np.degrees(gaps.min()) > 30.0
    places = np.array([(graph.nodes[n]["x"], graph.nodes[n]["y"]) for n in inside]).reshape(-1, 2)
    away = np.hypot(*(places[:, None] - places).transpose(2, 0, 1))
    assert away[~np.eye(len(places), dtype=bool)].min(initial=np.inf) > 12.0
    assert min(length for _, _, length in graph.edges(data="length_m")) > 9.99


def test_quarters_divide_the_land(streets):
    polygons = np.array([quarter.polygon for quarter in streets.quarters])
    skirt = streets.land.skirt
    assert shapely.area(polygons).sum() == pytest.approx(skirt.area, rel=1e-4)
    assert shapely.union_all(polygons).symmetric_difference(skirt).area < 1e-4 * skirt.area
    majors = [d["line"] for _, _, d in streets.graph.edges(data=True) if d["kind"] != "minor"]
    inside = shapely.union_all([polygon.buffer(-0.05) for polygon in polygons])
    assert not shapely.intersects(majors, inside).any()
    for _, _, data in streets.graph.edges(data=True):
        if data["kind"] == "minor":
            middle = shapely.get_coordinates(data["line"].interpolate(0.5, normalized=True))
            assert streets.district_at(middle) == data["district"]


def test_kerbs_bound_the_land_between_carriageways(streets):
    land = streets.land
    outlines = np.array(kerbs(streets, land))
    assert shapely.is_valid(outlines).all()
    road = streets.carriageway()
    # Kerbs are simplified by 4 cm; and the end of a wide street may reach through a narrow
    # one, which no kerb on the far side gives way to.
    core = road.buffer(-0.06)
    limit = 1.5 if len(land.districts) > 1 else 0.05
    assert shapely.area(shapely.intersection(outlines, core, grid_size=0.001)).max() < limit
    dry = land.skirt.difference(road).area
    assert 0.97 * dry < shapely.area(outlines).sum() <= 1.0001 * dry
    inside = outlines[shapely.intersects(outlines, land.outline)]
    assert len(inside) >= 2


@pytest.mark.parametrize("density", PROFILES)
def test_blocks_are_even_and_none_is_a_needle(density):
    limits = {"downtown": 0.13, "mix": 0.22, "margin": 0.30}
    spacing = PROFILES[density].streets.spacing_m
    for seed in range(3):
        faces = blocks_of(laid(CityConfig(density, seed, 900.0)))
        short, long = sides_of(faces).T
        assert len(faces) > 25
        assert short.std() / short.mean() < limits[density]
        assert short.min() > 0.5 * min(spacing)
        assert long.max() < 3.2 * max(spacing)
        size = shapely.area(faces) / (spacing[0] * spacing[1])
        assert 0.85 < size.mean() < 1.3
        assert size.min() > 0.25
        assert size.max() < 2.6


def test_the_densities_are_three_kinds_of_network():
    cross, turns, cells = {}, {}, {}
    for density in PROFILES:
        networks = [laid(CityConfig(density, seed, 900.0)) for seed in (0, 1, 2)]
        degrees = [n.graph.degree[i] for n in networks for i in inner_nodes(n)]
        cross[density] = np.mean(np.array(degrees) == 4)
        bends = []
        for line in np.concatenate([n.lines for n in networks]):
            corners = shapely.get_coordinates(line)
            bends.append(line.length / np.hypot(*(corners[-1] - corners[0])))
        turns[density] = np.mean(bends) - 1
        sides = np.concatenate([sides_of(blocks_of(n)) for n in networks])
        cells[density] = np.mean(sides[:, 1] / sides[:, 0])
    assert cross["downtown"] > 0.6 > cross["mix"] > cross["margin"]
    assert turns["downtown"] < 0.3 * turns["mix"] < 0.3 * turns["margin"]
    assert cells["margin"] > 1.25 * cells["downtown"]


def test_straight_streets_stay_light():
    downtown = shapely.get_num_coordinates(laid(CONFIGS["downtown-0"]).lines)
    assert downtown.mean() < 3.0
    margin = laid(CONFIGS["margin-0"]).lines
    assert shapely.length(margin).sum() / shapely.get_num_coordinates(margin).sum() > 12.0


def test_another_profile_of_a_district_changes_only_its_quarters():
    def lay(rules):
        core = District("downtown", radius_m=330.0, profile=rules)
        config = CityConfig("mix", 4, 1000.0, districts=(core,))
        streets = laid(config)
        inside = shapely.union_all([q.polygon for q in streets.quarters if q.district == 0])
        outlines = kerbs(streets, streets.land)
        return streets, [
            outline.wkt for outline in outlines if not inside.contains(outline.point_on_surface())
        ]

    def minors(streets, district):
        edges = streets.graph.edges(data=True)
        lines = [d["line"] for _, _, d in edges if d["kind"] == "minor"]
        owners = [d["district"] for _, _, d in edges if d["kind"] == "minor"]
        return sorted(
            line.wkt for line, owner in zip(lines, owners, strict=True) if owner == district
        )

    changes = {"spacing_m": (60.0, 80.0), "widths_m": (30.0, 20.0, 12.0), "stagger": 0.7}
    (one, kerbs_one), (two, kerbs_two) = (
        lay(None),
        lay(adapted("downtown", pavement_m=5.0, **changes)),
    )
    assert [q.polygon.wkt for q in one.quarters] == [q.polygon.wkt for q in two.quarters]
    assert minors(one, 1) == minors(two, 1) != []
    assert minors(one, 0) != minors(two, 0)
    assert len(minors(two, 0)) > 1.5 * len(minors(one, 0))
    assert kerbs_one == kerbs_two != []


@pytest.mark.parametrize("spacing_m", [(40.0, 40.0), (40.0, 400.0), (150.0, 70.0), (400.0, 400.0)])
@pytest.mark.parametrize("pattern", ["field", "grid"])
def test_any_spacing_gives_blocks_of_that_size(spacing_m, pattern):
    size_m = 1800.0 if max(spacing_m) > 300 else 700.0
    profile = adapted("mix", spacing_m=spacing_m)
    streets = laid(CityConfig("mix", 1, size_m, pattern=pattern, profile=profile))
    area = shapely.area(blocks_of(streets)).mean()
    assert 0.6 < area / (spacing_m[0] * spacing_m[1]) < 1.5
    small = laid(CityConfig("mix", 1, 100.0, pattern=pattern, profile=profile))
    assert len(kerbs(small, small.land)) >= 2


@pytest.mark.parametrize("density", PROFILES)
def test_a_plain_grid_is_exact(density):
    streets = laid(CityConfig(density, 9, 900.0, pattern="grid"))
    rows_m, columns_m = PROFILES[density].streets.spacing_m
    kinds = {}
    for line, kind in zip(
        streets.lines, nx.get_edge_attributes(streets.graph, "kind").values(), strict=True
    ):
        (x0, y0), (x1, y1) = shapely.get_coordinates(line)
        axis = 0 if y0 == y1 else 1
        assert (x0 == x1) != (y0 == y1)
        number = y0 / rows_m if axis == 0 else x0 / columns_m
        assert number == round(number)
        kinds.setdefault((axis, number), set()).add(kind)
    half = 450.0 + 60.0
    for axis, spacing in enumerate((rows_m, columns_m)):
        numbers = {number for direction, number in kinds if direction == axis}
        reach = math.floor(half / spacing)
        assert numbers == set(range(-reach, reach + 1))
    assert all(len(kind) == 1 for kind in kinds.values())
    assert kinds[0, 0] == kinds[1, 0] == {"avenue"}


def test_mouths_are_where_kerb_lines_cross():
    graph = laid(CityConfig("downtown", 0, 800.0, pattern="grid")).graph
    widths = {}
    for a, b, data in graph.edges(data=True):
        for node in (a, b):
            is_row = data["line"].bounds[1] == data["line"].bounds[3]
            widths.setdefault((node, not is_row), set()).add(data["width_m"])
    for a, b, data in graph.edges(data=True):
        is_row = data["line"].bounds[1] == data["line"].bounds[3]
        for node, mouth in zip(sorted((a, b)), data["mouths_m"], strict=True):
            crossing = max(widths.get((node, is_row), {0.0}))
            expected = crossing / 2 if graph.degree[node] > 1 else 0.0
            assert mouth == pytest.approx(min(expected, 0.45 * data["length_m"]), abs=1e-3)


def test_mouths_leave_a_street_between_junctions(streets):
    graph = streets.graph
    for a, b, data in graph.edges(data=True):
        start, end = data["mouths_m"]
        assert min(start, end) >= 0
        assert start + end <= 0.9 * data["length_m"] + 0.01
        for node, mouth in zip(sorted((a, b)), (start, end), strict=True):
            if graph.degree[node] == 1:
                assert mouth == 0


class Hill:
    def level_at(self, points):
        return 60.0 * np.exp(-((points / 400.0) ** 2).sum(axis=1))


def test_streets_follow_the_ground():
    config = CityConfig("mix", 6, 1200.0)
    land = survey(config)
    flat, hilly = laid(config), lay_streets(config, land, Hill())

    def agreement(streets):
        """Mean of cos(4 angle) between major streets and the fall line, weighted by slope."""
        edges = [d["line"] for _, _, d in streets.graph.edges(data=True) if d["kind"] != "minor"]
        ends = np.array([shapely.get_coordinates(line)[[0, -1]] for line in edges])
        middle, way = ends.mean(axis=1), ends[:, 1] - ends[:, 0]
        angle = np.arctan2(*way.T) - np.arctan2(*middle.T)
        slope = np.hypot(*middle.T) * Hill().level_at(middle)
        return float((np.cos(4 * angle) * slope).sum() / slope.sum())

    assert agreement(hilly) > agreement(flat) + 0.25


def test_the_same_configuration_gives_the_same_streets():
    config = CityConfig("margin", 8, 500.0)
    one, two = lay_streets(config, survey(config)), lay_streets(config, survey(config))
    assert [line.wkb for line in one.lines] == [line.wkb for line in two.lines]
    other = dataclasses.replace(config, seed=9)
    assert [line.wkb for line in laid(other).lines] != [line.wkb for line in one.lines]
