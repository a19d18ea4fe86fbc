"""GeoJSON files, read back by geojson and shapely; coordinates against PROJ."""

import json

import geojson
import numpy as np
import pyproj
import pytest
import shapely

from vasgen.citygen.exporters.geojson import NULL_ISLAND, to_degrees, write_geojson
from vasgen.errors import InputError

MUNICH = (11.575, 48.137)


@pytest.fixture(autouse=True)
def all_digits(monkeypatch):
    """The geojson package rounds to six places unless told otherwise."""
    monkeypatch.setattr("geojson.geometry.DEFAULT_PRECISION", 15)


@pytest.mark.parametrize("density", ["downtown", "mix", "margin"])
def test_the_file_is_valid(make_city, tmp_path, density):
    city = make_city(density, 0)
    read = geojson.loads(write_geojson(city, tmp_path / "a.geojson").read_text())
    assert isinstance(read, geojson.FeatureCollection)
    assert read.is_valid, read.errors()
    ids = [feature.id for feature in read.features]
    assert len(set(ids)) == len(ids)
    layers = [feature.properties["layer"] for feature in read.features]
    assert layers.count("street") == city.streets.graph.number_of_edges()
    assert layers.count("lot") == len(city.lots)
    assert layers.count("building") == len(city.buildings)


@pytest.mark.parametrize("origin", [NULL_ISLAND, MUNICH, (-70.0, -53.2)])
def test_shapes_are_the_citys_when_projected_back(make_city, tmp_path, origin):
    city = make_city("mix", 0)
    model = json.loads(write_geojson(city, tmp_path / "a.geojson", origin=origin).read_text())
    there = pyproj.CRS.from_proj4(f"+proj=aeqd +lon_0={origin[0]} +lat_0={origin[1]} +ellps=WGS84")
    back = pyproj.Transformer.from_crs(4326, there, always_xy=True)
    shapes = {
        feature["id"]: shapely.transform(
            shapely.geometry.shape(feature["geometry"]),
            lambda xy: np.column_stack(back.transform(*xy.T)),
        )
        for feature in model["features"]
    }
    for building in city.buildings:
        shape = shapes[f"building-{building.index}"]
        assert shape.is_valid
        assert shape.hausdorff_distance(building.footprint) < 0.005
    for lot in city.lots:
        assert shapes[f"lot-{lot.index}"].hausdorff_distance(lot.polygon) < 0.005
    for number, (_, _, line) in enumerate(city.streets.graph.edges(data="line")):
        assert shapely.equals_exact(shapes[f"street-{number}"], line, 0.005)


def test_outlines_run_counter_clockwise_and_holes_clockwise(make_city, tmp_path):
    city = make_city("downtown", 0, 620.0)
    model = json.loads(write_geojson(city, tmp_path / "a.geojson").read_text())
    holes = 0
    for feature in model["features"]:
        if feature["geometry"]["type"] == "Polygon":
            outline, *inner = feature["geometry"]["coordinates"]
            assert shapely.LinearRing(outline).is_ccw
            assert not any(shapely.LinearRing(ring).is_ccw for ring in inner)
            holes += len(inner)
    assert holes == sum(len(building.footprint.interiors) for building in city.buildings) + sum(
        len(lot.polygon.interiors) for lot in city.lots
    )


def test_properties_say_what_the_city_knows(make_city, tmp_path):
    city = make_city("mix", 0)
    model = json.loads(write_geojson(city, tmp_path / "a.geojson").read_text())
    known = {feature["id"]: feature["properties"] for feature in model["features"]}
    for building in city.buildings:
        properties = known[f"building-{building.index}"]
        assert properties["storeys"] == building.storeys
        assert properties["height_m"] == pytest.approx(building.height_m, abs=1e-3)
        assert (properties["use"], properties["lot"]) == (building.use, building.lot)
    for number, (_, _, street) in enumerate(city.streets.graph.edges(data=True)):
        properties = known[f"street-{number}"]
        assert properties["kind"] == street["kind"]
        assert properties["lanes"] == street["lanes"]
        assert properties["width_m"] == pytest.approx(street["width_m"], abs=1e-3)


def test_the_box_is_around_everything(make_city, tmp_path):
    city = make_city("margin", 2, 137.5)
    model = json.loads(write_geojson(city, tmp_path / "a.geojson", origin=MUNICH).read_text())
    shapes = [shapely.geometry.shape(feature["geometry"]) for feature in model["features"]]
    assert model["bbox"] == pytest.approx(shapely.total_bounds(shapes))


@pytest.mark.parametrize("origin", [(0, 0), MUNICH, (-70.0, -53.2), (100.0, 78.0), (179.9, -89.0)])
def test_the_plane_is_projs_tangent_plane(origin):
    points = np.random.default_rng(1).uniform(-3600, 3600, (500, 2))
    plane = pyproj.Transformer.from_pipeline(
        f"+proj=pipeline +step +proj=cart +ellps=WGS84 "
        f"+step +proj=topocentric +ellps=WGS84 +lon_0={origin[0]} +lat_0={origin[1]}"
    )
    degrees = to_degrees(points, origin)
    # Back up from the ellipsoid to the plane, where the third coordinate is 0.
    away = np.zeros(len(points))
    for _ in range(3):
        east, north, up = plane.transform(*degrees.T, away)
        away -= up
    assert np.allclose(np.column_stack([east, north]), points, atol=0.001)


@pytest.mark.parametrize("origin", [(0, 0), MUNICH, (100.0, 78.0)])
def test_lengths_on_the_ground_are_those_of_the_plan(origin):
    earth = pyproj.Geod(ellps="WGS84")
    angle = np.linspace(0, 2 * np.pi, 33)
    for reach in (10.0, 1000.0, 5000.0):
        points = reach * np.column_stack([np.sin(angle), np.cos(angle)])
        degrees = to_degrees(points, origin)
        start = np.tile(origin, (len(points), 1))
        bearing, _, length = earth.inv(*start.T, *degrees.T)
        assert np.allclose(length, reach, atol=0.01)
        turn = (np.radians(bearing) - angle + np.pi) % (2 * np.pi) - np.pi
        assert np.abs(turn * reach).max() < 0.01


@pytest.mark.parametrize("origin", [(181.0, 0.0), (0.0, 89.5), (float("nan"), 0.0), (179.95, 0.0)])
def test_an_origin_off_the_map_is_refused(make_city, tmp_path, origin):
    with pytest.raises(InputError, match=r"origin is .*allowed: longitude"):
        write_geojson(make_city("mix", 2, 137.5), tmp_path / "a.geojson", origin=origin)
    assert not list(tmp_path.iterdir())


def test_the_same_city_is_the_same_file(make_city, tmp_path):
    city = make_city("mix", 2, 137.5)
    one, two = (write_geojson(city, tmp_path / name).read_bytes() for name in ("a", "b"))
    assert one == two
