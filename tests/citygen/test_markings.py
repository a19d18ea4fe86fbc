"""Road markings: faces of the carriageway."""

from functools import cache

import numpy as np
import pytest
import shapely
from shapely import LineString

from vasgen.citygen import City, CityConfig, generate
from vasgen.citygen.groundwork.markings import paint
from vasgen.citygen.materials import PALETTE, RADIO_NAMES
from vasgen.citygen.roads.sections import Track
from vasgen.semantics import SemanticClass

CITIES = [("downtown", 0, 300.0, 0.0), ("mix", 1, 300.0, 20.0), ("margin", 2, 420.0, 0.0)]


@cache
def _painted(density: str, seed: int, size_m: float, relief_m: float):
    config = CityConfig(density, seed, size_m, lod=3, relief_m=relief_m, trees=False)
    city = generate(config)
    return city, *paint(city.ground, city.streets, city.sections, city.terrain)


@pytest.fixture(params=CITIES, ids=str)
def painted(request):
    return _painted(*request.param)


def marks_of(patches):
    return np.array([p.polygon for p in patches if p.surface == "marking"], dtype=object)


def sheet_of(city: City, lod: int):
    surface = city.mesh(lod)
    return surface, surface.shell == surface.shell[surface.semantic == SemanticClass.ROAD][0]


def test_markings_are_apart_and_inside_their_road(painted):
    city, patches, carrier = painted
    marks = marks_of(patches)
    assert len(marks) > 100
    assert shapely.is_valid(marks).all()
    one, two = shapely.STRtree(marks).query(marks, predicate="dwithin", distance=0.02)
    assert (one == two).all()
    first = len(city.ground)
    roads = np.array([city.ground[i].polygon for i in carrier[first:]], dtype=object)
    assert all(city.ground[i].surface == "road" for i in carrier[first:])
    assert shapely.contains_properly(roads, marks).all()
    assert shapely.distance(marks, shapely.boundary(roads)).min() > 0.02


def test_road_and_markings_share_out_the_road(painted):
    city, patches, carrier = painted
    whole = shapely.area([patch.polygon for patch in city.ground])
    parts = np.bincount(carrier, shapely.area([patch.polygon for patch in patches]))
    assert np.allclose(whole, parts, atol=1e-6)


def test_the_sheet_still_conforms(painted):
    city = painted[0]
    surface, own = sheet_of(city, 3)
    faces = surface.faces[own]
    a, b, c = surface.vertices[faces].transpose(1, 0, 2)
    plan = np.cross(b - a, c - a)[:, 2] / 2
    assert plan.min() >= 0
    assert plan.sum() == pytest.approx(city.land.skirt.area)
    edges = np.sort(faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    edges, count = np.unique(edges, axis=0, return_counts=True)
    assert count.max() == 2
    rim = shapely.points(surface.vertices[edges[count == 1].ravel(), :2])
    assert shapely.distance(rim, city.land.skirt.exterior).max() < 0.011


def test_markings_lie_in_the_plane_of_the_road(painted):
    city, patches, _ = painted
    for patch in patches:
        if patch.surface == "marking":
            corners = shapely.get_coordinates(patch.polygon)
            base = np.zeros(len(corners)) if patch.base_m is None else patch.base_m
            assert np.abs(city.terrain.level_at(corners) - base).max() < 0.0011
            assert patch.level_m == 0.0


def test_markings_are_white_paint_on_road(painted):
    city = painted[0]
    surface, own = sheet_of(city, 3)
    white = surface.semantic == SemanticClass.ROAD_MARKING
    assert white.any()
    assert (own | ~white).all()
    (look,) = np.unique(surface.visual[white])
    assert PALETTE[look].name == "marking-0"
    assert min(PALETTE[look].base_color) > 0.5
    assert (surface.radio[white] == RADIO_NAMES.index("ground")).all()
    road = surface.semantic == SemanticClass.ROAD
    assert np.isin(surface.instance[white], surface.instance[road]).all()


def test_there_are_none_below_level_of_detail_3(painted):
    city = painted[0]
    for lod in (1, 2):
        assert (city.mesh(lod).semantic != SemanticClass.ROAD_MARKING).all()
    both = [np.unique(city.mesh(lod).instance[sheet_of(city, lod)[1]]) for lod in (2, 3)]
    assert np.array_equal(*both)


def test_lines_have_the_width_of_lines_and_zebras_that_of_stripes(painted):
    marks = marks_of(painted[1])
    envelopes = shapely.get_coordinates(shapely.oriented_envelope(marks)).reshape(-1, 5, 2)
    sides = np.hypot(*np.diff(envelopes[:, :3], axis=1).T)
    straight = shapely.get_num_coordinates(marks) == 5
    width = np.sort(sides.T[straight], axis=1)[:, 0]
    allowed = np.array([0.15, 0.4, 0.5])
    # Where the street bends, a line across it is a wedge by a little.
    assert (np.abs(width[:, None] - allowed).min(axis=1) < 0.05).all()


def test_zebras_cross_busy_streets_beside_busy_junctions(painted):
    city, patches, _ = painted
    marks = marks_of(patches)
    stripes = marks[np.isclose(shapely.area(marks), 1.5, atol=0.5)]
    tree = shapely.STRtree(stripes)
    graph, missing, wanted = city.streets.graph, 0, 0
    for number, (one, two, data) in enumerate(graph.edges(data=True)):
        cuts = city.sections.stations[number]
        for at, node, step in zip(
            cuts[[0, -1]] if len(cuts) else [], (one, two), (1, -1), strict=False
        ):
            kinds = [k for *_, k in graph.edges(node, data="kind")]
            busy = len(kinds) > 2 and any(kind != "minor" for kind in kinds)
            if not busy or cuts[-1] - cuts[0] < 20.0:
                continue
            middle = data["line"].interpolate(at + step * 2.3)
            found = tree.query(middle.buffer(data["width_m"] / 2 + 0.5), predicate="intersects")
            wanted += 1
            missing += len(found) < 0.7 * data["width_m"] - 2
    assert wanted > 3
    assert missing <= 0.1 * wanted


def test_markings_follow_a_bend():
    angle = np.radians(np.arange(0, 91, 5))
    arc = LineString(np.column_stack([50 * np.cos(angle), 50 * np.sin(angle)]))
    track = Track(arc)
    at = np.linspace(1.0, arc.length - 1.0, 200)
    left = track.place(at, np.full(200, 4.0))
    right = track.place(at, np.full(200, -4.0))
    assert np.abs(np.hypot(*left.T) - 46.0).max() < 0.06
    assert np.abs(np.hypot(*right.T) - 54.0).max() < 0.06
    assert np.allclose(track.place(track.at, np.zeros(len(track.at))), track.points)
    assert np.array_equal(track.between(track.at[1], track.at[4]), track.at[2:4])


def test_the_same_configuration_paints_the_same(painted):
    city, patches, _ = painted
    again = generate(city.config)
    other, _ = paint(again.ground, again.streets, again.sections, again.terrain)
    assert [p.polygon.wkb for p in patches] == [p.polygon.wkb for p in other]
