import numpy as np
import pytest
import trimesh
from PIL import Image

from vasgen.citygen.export import write_glb
from vasgen.citygen.plan import draw_plan


def test_glb_is_upright_and_to_scale(make_city, tmp_path):
    city = make_city("downtown", 2, 137.5)
    scene = trimesh.load_scene(write_glb(city, tmp_path / "city.glb"))
    low, high = city.bounds
    expected = [[low[0], low[2], -high[1]], [high[0], high[2], -low[1]]]
    assert np.allclose(scene.bounds, expected, atol=1e-3)
    assert sum(len(g.faces) for g in scene.geometry.values()) == city.to_bundle().num_triangles


def test_glb_keeps_colours_and_outward_faces(make_city, tmp_path):
    bundle = make_city("margin", 2, 137.5).to_bundle()
    scene = trimesh.load_scene(write_glb(bundle, tmp_path / "city.glb"))
    names = {material.name: material for material in bundle.visual_materials}
    for name, geometry in scene.geometry.items():
        colour = names[name.split("/")[1]].base_color
        given = np.array(geometry.visual.material.baseColorFactor[:3]) / 255.0
        assert np.allclose(given, colour, atol=0.01)
    road = scene.geometry["ground/asphalt-0"]
    assert (road.face_normals[:, 1] > 0.99).all()


def test_the_same_city_is_the_same_file(make_city, tmp_path):
    city = make_city("mix", 2, 137.5)
    files = [write_glb(city, tmp_path / name).read_bytes() for name in ("a.glb", "b.glb")]
    assert files[0] == files[1]


def test_the_plan_shows_buildings_in_their_place(make_city, tmp_path, density):
    city = make_city(density, 0)
    path = draw_plan(city, tmp_path / "plan.png", size_px=800)
    picture = np.asarray(Image.open(path).convert("RGB")).astype(int)
    assert picture.shape == pytest.approx((872, 800, 3), abs=1)
    # The map spans 4 % to 96 % of the width; its lower edge is 8.5 % above the picture's.
    scale, left, bottom = 0.92 * 800 / 300.0, 0.04 * 800, 872 - 0.085 * 872

    def is_roof(point):
        x, y = left + (point.x + 150) * scale, bottom - (point.y + 150) * scale
        red, green, _ = picture[int(y), int(x)]
        return red - green > 14 or red < 110

    inside = [b.footprint.representative_point() for b in city.buildings]
    roads = [p.polygon.representative_point() for p in city.ground if p.surface == "road"]
    roads = [point for point in roads if max(abs(point.x), abs(point.y)) < 145]
    assert np.mean([is_roof(point) for point in inside]) > 0.95
    assert np.mean([is_roof(point) for point in roads]) < 0.1
