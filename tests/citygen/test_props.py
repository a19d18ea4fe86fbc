"""Trees, street furniture and cars: their models, their places, and how they are set up."""

import collections

import numpy as np
import pytest
import shapely
import trimesh

from vasgen.citygen import CityConfig, generate
from vasgen.citygen.config import District
from vasgen.citygen.groundwork.ground import CARRIAGEWAY
from vasgen.citygen.life.archetypes import VARIANTS, model
from vasgen.citygen.life.bodies import BODIES, COLOURS
from vasgen.citygen.life.crowns import SPECIES
from vasgen.citygen.life.places import Kerbsides
from vasgen.citygen.life.props import KINDS, Prop, prop_surface
from vasgen.citygen.materials import FAMILIES, RADIO_NAMES
from vasgen.errors import InputError
from vasgen.semantics import SemanticClass

MODELS = [(kind, variant) for kind, count in VARIANTS.items() for variant in range(count)]
#: The most triangles of a model, by kind: at levels of detail 2 and 3.
MOST = {
    "tree": (50, 700),
    "lamp": (20, 160),
    "traffic-light": (28, 520),
    "bench": (28, 150),
    "bus-stop": (72, 260),
    "car": (52, 730),
}
#: Least and largest length, width and height at level of detail 3, metres.
SIZES = {
    "tree": ((2.4, 2.4, 8.0), (7.3, 7.3, 12.5)),
    "lamp": ((1.2, 0.2, 6.0), (2.4, 0.4, 9.5)),
    "traffic-light": ((0.4, 2.4, 6.0), (0.7, 5.5, 7.0)),
    "bench": ((0.5, 1.6, 0.8), (0.8, 2.2, 1.0)),
    "bus-stop": ((0.3, 0.1, 2.5), (2.0, 5.0, 3.3)),
    "car": ((3.9, 1.7, 1.4), (5.5, 2.1, 2.2)),
}
ON = {
    "tree": {"pavement", "plaza", "yard", "lawn", "meadow", "path", "drive"},
    "lamp": {"pavement"},
    "traffic-light": {"pavement"},
    "bus-stop": {"pavement"},
    "bench": {"pavement", "plaza", "meadow"},
    "car": {*CARRIAGEWAY, "yard", "drive", "lawn"},
}


@pytest.fixture(
    scope="module",
    params=[
        CityConfig("downtown", 0, 400.0),
        CityConfig("downtown", 7, 260.0),
        CityConfig("mix", 3, 420.0),
        CityConfig("mix", 4, 300.0, relief_m=15.0),
        CityConfig("margin", 1, 420.0),
        CityConfig("margin", 2, 330.0, districts=(District("downtown", radius_m=90.0),)),
    ],
    ids=lambda config: f"{config.density}-{config.seed}",
)
def town(request):
    return generate(request.param)


def of_kind(city, kind):
    return [prop for prop in city.props if prop.kind == kind]


def feet(props, reach=0.1):
    """(N,) plans of the lowest half metre; of cars of all below their wing mirrors."""
    shapes = []
    for prop in props:
        points = model(prop.kind, prop.variant, 3).vertices * prop.scale
        points = points[points[:, 2] < (0.75 if prop.kind == "car" else 0.45)]
        cos, sin = np.cos(prop.yaw_rad), np.sin(prop.yaw_rad)
        turned = points[:, :2] @ np.array([[cos, sin], [-sin, cos]])
        shapes.append(shapely.MultiPoint(turned + (prop.x, prop.y)).convex_hull)
    return np.array(shapes, dtype=object)


@pytest.mark.parametrize(("kind", "variant"), MODELS)
@pytest.mark.parametrize("lod", [1, 2, 3])
def test_a_model_is_closed_solids_on_the_lattice(kind, variant, lod):
    surface = model(kind, variant, lod)
    if lod == 1 and kind != "tree":
        assert len(surface.faces) == 0
        return
    edges = surface.faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2)
    directed, count = np.unique(edges, axis=0, return_counts=True)
    assert count.max() == 1
    assert np.array_equal(np.unique(directed[:, ::-1], axis=0), directed)
    whole = trimesh.Trimesh(surface.vertices, surface.faces, process=False)
    for part in whole.split(only_watertight=False):
        assert part.is_watertight
        assert part.volume > 1e-4
        assert len(part.vertices) == len(np.unique(part.vertices, axis=0))
    assert whole.area_faces.min() > 1e-4
    assert np.array_equal(surface.vertices, np.round(surface.vertices, 3))
    assert not surface.shell.any()
    assert not surface.instance.any()


@pytest.mark.parametrize("kind", KINDS)
def test_models_have_their_size_and_no_more_triangles_than_they_need(kind):
    least, largest = np.array(SIZES[kind])
    for variant in range(VARIANTS[kind]):
        light, rich = model(kind, variant, 2), model(kind, variant, 3)
        assert len(light.faces) <= MOST[kind][0]
        assert len(light.faces) < len(rich.faces) <= MOST[kind][1]
        if kind != "bus-stop" or variant == 0:
            size = np.ptp(rich.vertices, axis=0)
            assert (least <= size).all(), size
            assert (size <= largest).all(), size
        assert -0.5 < rich.vertices[:, 2].min() < 0.1


def test_a_tree_stays_in_its_crown():
    for variant, species in enumerate(SPECIES):
        for lod in (1, 2, 3):
            x, y, z = model("tree", variant, lod).vertices.T
            assert np.hypot(x, y).max() <= species.radius_m + 2e-3
            assert z.max() <= species.height_m + 0.01


@pytest.mark.parametrize("variant", [n for n, s in enumerate(SPECIES) if s.habit != "skirts"])
def test_outlines_of_crowns_are_of_many_small_sprays(variant):
    surface = model("tree", variant, 3)
    whole = trimesh.Trimesh(surface.vertices, surface.faces, process=False)
    parts = [part for part in whole.split(only_watertight=False) if len(part.vertices) == 4]
    sprays = np.array([part.vertices for part in parts if part.bounds[0, 2] > 1.0])
    edges = np.linalg.norm(sprays[:, :, None] - sprays[:, None], axis=3)
    assert len(sprays) > 75
    assert np.median(edges.max(axis=(1, 2))) < 0.9
    width = np.sort(edges.reshape(-1, 16), axis=1)[:, 4]  # the shortest edge, met twice
    assert width.std() > 0.03


@pytest.mark.parametrize("lod", [1, 2, 3])
def test_texture_of_trees_is_not_stretched(lod):
    def lengths(corners):
        return np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2)

    for variant in range(VARIANTS["tree"]):
        surface = model("tree", variant, lod)
        assert np.allclose(lengths(surface.uv), lengths(surface.vertices[surface.faces]))


def test_models_are_of_the_materials_they_show():
    def radio(kind, visual):
        found = set()
        for variant in range(VARIANTS[kind]):
            surface = model(kind, variant, 3)
            index = surface.radio[np.isin(surface.visual, FAMILIES[visual])]
            found |= {RADIO_NAMES[i] for i in np.unique(index)}
        return found

    assert radio("tree", "foliage") == radio("tree", "bark") == {"wood"}
    assert radio("car", "paint") == {"metal"}
    assert radio("car", "car-glass") == radio("bus-stop", "pane") == {"glass"}
    assert radio("bench", "timber") == {"wood"}
    assert radio("lamp", "pole") == radio("traffic-light", "pole") == {"metal"}
    for kind, variant in MODELS:
        expected = {"tree": SemanticClass.VEGETATION, "car": SemanticClass.VEHICLE}
        surface = model(kind, variant, 3)
        assert (surface.semantic == expected.get(kind, SemanticClass.FURNITURE)).all()


def test_cars_come_in_several_bodies_and_colours():
    assert len(BODIES) >= 4
    assert COLOURS >= 6
    shapes = {model("car", body * COLOURS, 3).vertices.tobytes() for body in range(len(BODIES))}
    assert len(shapes) == len(BODIES)
    looks = {tuple(np.unique(model("car", colour, 3).visual)) for colour in range(COLOURS)}
    assert len(looks) == COLOURS


@pytest.mark.parametrize(
    ("kind", "variant", "lod", "words"),
    [
        ("tree", 99, 2, "allowed: 0 to"),
        ("boat", 0, 2, "kind of prop"),
        ("car", 0, 4, "lod is 4"),
        ("car", 0, True, "lod is True"),
    ],
)
def test_there_is_no_other_model(kind, variant, lod, words):
    model("car", 0, 1)  # equal to True, but what is kept must not answer for it
    with pytest.raises(InputError, match=words):
        model(kind, variant, lod)


@pytest.mark.parametrize(("kind", "variant"), MODELS)
def test_a_model_is_made_once_and_cannot_be_written_into(kind, variant):
    surface = model(kind, variant, 2)
    assert surface is model(kind, variant, 2)
    assert not any(values.flags.writeable for values in vars(surface).values())


def test_an_instance_is_the_model_scaled_turned_and_moved():
    prop = Prop("car", 9, 10.0, -4.0, 1.5, np.pi / 2, (2.0, 1.0, 0.5))
    other = Prop("bench", 0, 0.0, 0.0, 0.0, 0.0, (1.0, 1.0, 1.0))
    one = model("car", 9, 3)
    surface = prop_surface([other, prop], 3, 7, 100)
    mine = surface.instance == 101
    assert mine.sum() == len(one.faces)
    assert (surface.shell[mine] == 8).all()
    x, y, z = one.vertices[one.faces].transpose(2, 0, 1)
    expected = np.stack([10.0 - y, -4.0 + 2.0 * x, 1.5 + 0.5 * z], axis=-1)
    assert np.allclose(surface.vertices[surface.faces[mine]], expected, atol=6e-4)
    for name in ("semantic", "visual", "radio", "uv"):
        assert np.array_equal(getattr(surface, name)[mine], getattr(one, name))
    assert (surface.instance == 100).sum() == len(model("bench", 0, 3).faces)


def test_no_props_are_no_triangles():
    assert len(prop_surface([], 2, 0, 1).faces) == 0


def test_all_props_are_in_the_mesh_with_their_own_id(town):
    surface = town.mesh(2)
    ids = np.unique(surface.instance[surface.instance >= town.first_prop_id])
    assert np.array_equal(ids, town.first_prop_id + np.arange(len(town.props)))
    for number in (0, len(town.props) // 2, len(town.props) - 1):
        prop = town.props[number]
        own = surface.faces[surface.instance == town.first_prop_id + number]
        assert len(own) == len(model(prop.kind, prop.variant, 2).faces)
        low = surface.vertices[own].reshape(-1, 3).min(axis=0)
        assert abs(low[2] - prop.z) < 0.5


def test_props_stand_on_the_ground_of_their_kind(town):
    patches = np.array([patch.polygon for patch in town.ground], dtype=object)
    tree = shapely.STRtree(patches)
    for kind, props in ((kind, of_kind(town, kind)) for kind in KINDS):
        points = shapely.points([(prop.x, prop.y) for prop in props] or np.empty((0, 2)))
        index, patch = tree.query(points, predicate="within")
        assert set(index.tolist()) == set(range(len(props))), kind
        surfaces = {town.ground[i].surface for i in patch.tolist()}
        assert surfaces <= ON[kind], kind
        kerb = np.array([town.ground[i].level_m for i in patch.tolist()])
        z = np.array([props[i].z for i in index.tolist()])
        level = town.terrain.level_at(shapely.get_coordinates(points))[index]
        assert np.allclose(z, level + kerb, atol=2e-3), kind


def test_props_keep_off_walls_and_each_other_inside_the_city(town):
    shapes = feet(town.props)
    assert shapely.within(shapes, town.land.outline).all()
    walls = shapely.STRtree([building.footprint for building in town.buildings])
    assert walls.query(shapes, predicate="dwithin", distance=0.29).size == 0
    one, two = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    assert (one == two).all()


def test_trunks_and_poles_stand_off_the_road_and_cars_off_the_lanes(town):
    lines, half = town.streets.lines, town.streets.widths_m / 2
    parking = [data["parking_m"] for *_, data in town.streets.graph.edges(data=True)]
    standing = [prop for prop in town.props if prop.kind != "car"]
    for props, reach in ((standing, half), (of_kind(town, "car"), half - parking)):
        shapes = feet(props)
        index, line = shapely.STRtree(lines).query(
            shapes, predicate="dwithin", distance=float(reach.max())
        )
        distance = shapely.distance(shapes[index], lines[line])
        assert (distance > reach[line] - 0.03).all()


def test_props_leave_the_ways_to_doors_free(town):
    drives = [drive for building in town.buildings for drive in building.drives]
    furniture = [prop for prop in town.props if prop.kind not in ("car", "bench")]
    shapes = feet(furniture)
    assert shapely.STRtree(drives).query(shapes, predicate="intersects").size == 0


def test_crowns_keep_off_walls(town):
    trees = of_kind(town, "tree")
    assert len(trees) > 20
    radius = [SPECIES[tree.variant].radius_m * tree.scale[0] for tree in trees]
    crowns = shapely.buffer(shapely.points([(tree.x, tree.y) for tree in trees]), radius)
    walls = shapely.STRtree([building.footprint for building in town.buildings])
    assert walls.query(crowns, predicate="intersects").size == 0


def nearest_street(city, props):
    """For each prop: distance to the nearest centre line, and the line's direction there."""
    lines = city.streets.lines
    points = shapely.points([(prop.x, prop.y) for prop in props])
    (_, line), distance = shapely.STRtree(lines).query_nearest(
        points, all_matches=False, return_distance=True
    )
    at = shapely.line_locate_point(lines[line], points)
    before, after = (
        shapely.get_coordinates(shapely.line_interpolate_point(lines[line], along))
        for along in (np.maximum(at - 0.5, 0.0), at + 0.5)
    )
    middle = shapely.get_coordinates(shapely.line_interpolate_point(lines[line], at))
    way = (after - before) / np.hypot(*(after - before).T)[:, None]
    return distance, line, way, middle


def ahead(props):
    yaw = np.array([prop.yaw_rad for prop in props])
    return np.column_stack([np.cos(yaw), np.sin(yaw)])


def test_cars_at_the_kerb_drive_on_the_right(make_city):
    city = make_city("downtown", 0)
    cars = [prop for prop in of_kind(city, "car") if prop.z < 0.05]
    assert len(cars) > 100
    _, line, way, middle = nearest_street(city, cars)
    where = np.array([(car.x, car.y) for car in cars]) - middle
    nose = ahead(cars)
    left = nose[:, 0] * where[:, 1] - nose[:, 1] * where[:, 0]
    assert (left < 0).all(), "the kerb is on the right of the car"
    assert (np.abs((nose * way).sum(axis=1)) > 0.98).all()
    edges = list(city.streets.graph.edges(data=True))
    for car, number in zip(cars, line.tolist(), strict=True):
        data = edges[number][2]
        assert data["parking_m"] > 0
        at = data["line"].project(shapely.Point(car.x, car.y))
        first, last = data["mouths_m"]
        assert first + 6.0 <= at + 2.7 + 1.0
        assert at - 2.7 - 1.0 <= data["line"].length - last - 6.0 + 2.0


def test_kerbs_are_neither_empty_nor_full(make_city, density):
    city = make_city(density, 3, 620.0)
    sides = Kerbsides(city.streets, city.sections)
    cars = [prop for prop in of_kind(city, "car") if prop.z < 0.05]
    _, line, way, middle = nearest_street(city, cars)
    where = np.array([(car.x, car.y) for car in cars]) - middle
    left = way[:, 0] * where[:, 1] > way[:, 1] * where[:, 0]
    parked = np.bincount(line + left * len(city.streets.lines), minlength=len(sides.lines))
    bays = np.floor((sides.span_m - 2 * 6.5) / 6.3)
    chosen = (bays >= 8) & (sides.parking_m > 0)
    chosen &= shapely.within(sides.lines, city.land.within(8.0))
    share = parked[chosen] / bays[chosen]
    assert len(share) > 6
    assert share.min() >= 0.4
    assert share.max() <= 0.75


@pytest.mark.parametrize("seed", [0, 2])
def test_a_square_kilometre_of_downtown_is_light(seed):
    city = generate(CityConfig("downtown", seed, 1000.0))
    assert len(city.mesh(2).faces) < 280_000


def test_lamps_and_stops_look_at_the_road_from_both_sides(make_city, density):
    city = make_city(density, 3, 620.0)
    lamps = of_kind(city, "lamp")
    stops = of_kind(city, "bus-stop")
    assert len(lamps) > 100
    assert len(stops) >= 2
    for props in (lamps, stops):
        distance, _, _, middle = nearest_street(city, props)
        towards = (middle - [(prop.x, prop.y) for prop in props]) / distance[:, None]
        assert ((ahead(props) * towards).sum(axis=1) > 0.9).mean() > 0.95
    points = shapely.points([(lamp.x, lamp.y) for lamp in lamps])
    assert shapely.STRtree(points).query(points, "dwithin", distance=8.9).shape[1] == len(lamps)


def test_traffic_lights_stand_where_busy_streets_meet(make_city):
    city = make_city("downtown", 3, 620.0)
    graph = city.streets.graph
    busy = [
        node
        for node in graph
        if sum(kind != "minor" for *_, kind in graph.edges(node, data="kind")) >= 3
    ]
    lights = of_kind(city, "traffic-light")
    assert lights
    junctions = shapely.points([(graph.nodes[n]["x"], graph.nodes[n]["y"]) for n in busy])
    points = shapely.points([(light.x, light.y) for light in lights])
    (_, junction), distance = shapely.STRtree(junctions).query_nearest(
        points, all_matches=False, return_distance=True
    )
    assert (distance < 60.0).all()
    away = shapely.get_coordinates(points) - shapely.get_coordinates(junctions[junction])
    facing = (ahead(lights) * away).sum(axis=1)
    assert (facing > 0).all(), "they shine at who drives towards the junction"
    count = collections.Counter(junction.tolist())
    assert all(count[i] <= graph.degree[busy[i]] for i in count)


@pytest.mark.parametrize(
    ("switch", "kinds"),
    [
        ("trees", {"tree"}),
        ("furniture", {"lamp", "traffic-light", "bench", "bus-stop"}),
        ("vehicles", {"car"}),
    ],
)
def test_a_switch_leaves_out_its_kinds_and_moves_nothing_else(make_city, density, switch, kinds):
    whole = make_city(density, 0)
    less = generate(CityConfig(density, 0, 300.0, **{switch: False}))
    assert {prop.kind for prop in whole.props} > kinds & {"tree", "lamp", "car"}
    assert less.props == tuple(prop for prop in whole.props if prop.kind not in kinds)


def test_props_have_a_life_of_their_own(make_city, density):
    trees = of_kind(make_city(density, 0), "tree")
    assert len({tree.variant for tree in trees}) >= 4
    assert len({tree.scale for tree in trees}) > len(trees) // 2
    cars = of_kind(make_city(density, 3, 620.0), "car")
    assert len({car.variant for car in cars}) > 12


def test_a_downtown_is_furnished_densely(make_city):
    city = make_city("downtown", 3, 620.0)
    km2 = 0.62**2
    count = collections.Counter(prop.kind for prop in city.props)
    assert set(count) == set(KINDS)
    assert count["lamp"] > 600 * km2
    assert count["tree"] > 900 * km2
    assert 1200 * km2 < count["car"] < 4500 * km2
    assert count["bus-stop"] >= 6
    light = sum(len(model(prop.kind, prop.variant, 2).faces) for prop in city.props)
    assert light < 190_000 * km2 * 1.05
