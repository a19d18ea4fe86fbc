"""OBJ files, read back by trimesh."""

import re

import numpy as np
import pytest
import trimesh

from vasgen.citygen.exporters.obj import write_obj
from vasgen.citygen.materials import PALETTE
from vasgen.semantics import SemanticClass


@pytest.fixture
def read(make_city, tmp_path):
    def run(density, lod):
        city = make_city(density, 2, 137.5)
        path = write_obj(city, tmp_path / "city.obj", lod=lod)
        return city, city.mesh(lod), path

    return run


def area(surface, faces):
    corners = surface.vertices[surface.faces[faces]]
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    return np.linalg.norm(across, axis=1).sum() / 2


@pytest.mark.parametrize("lod", [1, 2, 3])
@pytest.mark.parametrize("density", ["downtown", "margin"])
def test_objects_are_the_buildings_the_ground_and_the_kinds_of_props(read, density, lod):
    city, surface, path = read(density, lod)
    scene = trimesh.load_scene(path, split_objects=True, group_material=False)
    ids = surface.instance
    for building in city.buildings:
        mesh = scene.geometry[f"building_{building.index:05d}"]
        assert len(mesh.faces) == (ids == building.index).sum()
        assert mesh.area == pytest.approx(area(surface, ids == building.index), rel=1e-6)
    ground = (ids < city.first_prop_id) & ((ids == 0) | (ids > len(city.buildings)))
    assert scene.geometry["ground"].area == pytest.approx(area(surface, ground), rel=1e-6)
    names = set(scene.geometry) - {"ground"}
    kinds = {name for name in names if not name.startswith("building_")}
    seen = np.unique(ids[ids >= city.first_prop_id]) - city.first_prop_id
    assert kinds == {city.props[number].kind for number in seen}
    assert sum(len(mesh.faces) for mesh in scene.geometry.values()) == len(surface.faces)


def test_materials_cover_what_they_cover_in_the_city(read):
    _, surface, path = read("mix", 2)
    scene = trimesh.load_scene(path, group_material=True)
    found = {}
    for mesh in scene.geometry.values():
        name = mesh.visual.material.name
        found[name] = found.get(name, 0.0) + mesh.area
        diffuse = mesh.visual.material.diffuse[:3] / 255
        look = next(look for look in PALETTE if look.name == name)
        assert np.allclose(diffuse, look.base_color, atol=0.005)
    expected = {
        PALETTE[i].name: pytest.approx(area(surface, surface.visual == i), rel=1e-6)
        for i in np.unique(surface.visual)
    }
    assert found == expected


def test_groups_are_classes_and_radio_materials(read):
    _, surface, path = read("downtown", 3)
    counts = {}
    group = ""
    for line in path.read_text().splitlines():
        if line.startswith("g "):
            group = line.split()[1]
        counts[group] = counts.get(group, 0) + line.startswith("f ")
    del counts[""]
    assert counts == {
        SemanticClass(value).name.lower(): (surface.semantic == value).sum()
        for value in np.unique(surface.semantic)
    }


def test_texture_coordinates_belong_to_their_corners(read):
    _, surface, path = read("mix", 2)
    text = path.read_text()
    texture = np.array(re.findall(r"^vt (\S+) (\S+)$", text, re.M), dtype=float)
    vertices = np.array(re.findall(r"^v (\S+) (\S+) (\S+)$", text, re.M), dtype=float)
    corners = np.array(re.findall(r"(\d+)/(\d+)", text), dtype=int) - 1
    placed = np.column_stack([vertices[corners[:, 0]], texture[corners[:, 1]]])
    flat = np.column_stack(
        [surface.vertices[surface.faces].reshape(-1, 3), surface.uv.reshape(-1, 2)]
    )

    def ordered(rows):
        return rows.round(3)[np.lexsort(rows.round(3).T)]

    assert np.allclose(ordered(placed), ordered(flat.round(4)), atol=2e-3)


def test_the_same_city_is_the_same_pair_of_files(make_city, tmp_path):
    city = make_city("mix", 2, 137.5)
    one, two = (write_obj(city, tmp_path / name / "city.obj") for name in ("a", "b"))
    assert one.read_bytes() == two.read_bytes()
    assert one.with_suffix(".mtl").read_bytes() == two.with_suffix(".mtl").read_bytes()
