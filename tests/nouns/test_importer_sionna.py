"""The example scenes of Sionna RT, by which an import can be judged."""

from functools import cache

import numpy as np
import pytest

from vasgen import runtime
from vasgen.inside import inside_solid
from vasgen.raycast import RayCaster
from vasgen.scenes import open_scene
from vasgen.semantics import BUILDING, SemanticClass

SCENES = ["box", "simple_street_canyon", "simple_street_canyon_with_cars", "etoile", "munich"]

opened = cache(open_scene)


@pytest.fixture(params=SCENES)
def scene(request):
    return opened(f"sionna:{request.param}")


def count(scene):
    """Number of faces of each class."""
    classes, numbers = np.unique(scene.face_table.semantic, return_counts=True)
    return {SemanticClass(c).name: int(n) for c, n in zip(classes, numbers, strict=True)}


def edge_counts(faces):
    """How many faces share each edge."""
    pairs = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    return np.unique(np.sort(pairs, axis=1), axis=0, return_counts=True)[1]


def test_every_label_is_in_range_and_finite(scene):
    table = scene.face_table
    assert np.isin(table.semantic, [c for c in SemanticClass if c]).all()
    assert table.instance.min() == 1
    assert set(table.instance) == set(range(1, table.instance.max() + 1))
    assert np.isfinite(table.corner_uv).all()
    assert set(table.visual) == set(range(len(scene.visual_materials)))
    assert len({look.name for look in scene.visual_materials}) == len(scene.visual_materials)
    for look in scene.visual_materials:
        assert all(0 <= part <= 0.9 for part in look.base_color)


def test_sionna_reads_as_many_triangles_and_the_same_materials(scene):
    rt = runtime.radio()
    theirs = rt.load_scene(getattr(rt.scene, scene.name), merge_shapes=False)
    faces = {}
    for shape in theirs.objects.values():
        kind = shape.radio_material.itu_type
        faces[kind] = faces.get(kind, 0) + shape.mi_mesh.face_count()
    kinds = {m.name: m.itu_type for m in scene.radio_materials}
    assert {kinds[m.radio_material]: len(m.faces) for m in scene.meshes} == faces
    assert "assumed_radio_materials" not in scene.provenance


def test_importing_twice_gives_the_same_bundle(scene):
    assert open_scene(f"sionna:{scene.name}").content_hash == scene.content_hash


def test_box():
    scene = opened("sionna:box")
    assert count(scene) == {"WALL": 8, "ROOF": 4}
    (mesh,) = scene.meshes
    assert scene.radio_materials[0].itu_type == "metal"
    assert scene.radio_materials[0].thickness_m == 1.0
    assert len(mesh.vertices) == 8
    assert (edge_counts(mesh.faces) == 2).all()


def test_simple_street_canyon():
    scene = opened("sionna:simple_street_canyon")
    assert count(scene) == {"GROUND": 2, "WALL": 48, "ROOF": 24}
    assert {m.name: len(m.faces) for m in scene.meshes} == {
        "brick": 12,
        "concrete": 2,
        "glass": 24,
        "marble": 24,
        "wood": 12,
    }
    assert len(set(scene.face_table.instance)) == 7  # six buildings and the floor
    for mesh in scene.meshes:
        if mesh.name != "concrete":
            assert (edge_counts(mesh.faces) == 2).all()


def test_cars_are_vehicles():
    scene = opened("sionna:simple_street_canyon_with_cars")
    cars = scene.face_table.semantic == SemanticClass.VEHICLE
    assert cars.sum() == 160
    assert len(set(scene.face_table.instance[cars])) == 8


@pytest.mark.parametrize(
    ("name", "triangles", "instances"), [("etoile", 13_098, 281), ("munich", 38_936, 1189)]
)
def test_cities_are_buildings_on_one_ground(name, triangles, instances):
    scene = opened(f"sionna:{name}")
    table = scene.face_table
    assert scene.num_triangles == triangles
    assert len(set(table.instance)) == instances
    numbers = count(scene)
    assert set(numbers) == {"GROUND", "WALL", "ROOF"}
    assert numbers["GROUND"] == 2
    ground = table.semantic == SemanticClass.GROUND
    assert np.abs(table.triangles[ground][..., 2]).max() < 1e-6
    upward = np.abs(table.normal[:, 2])
    assert upward[table.semantic == SemanticClass.WALL].max() <= 0.35
    assert upward[table.semantic == SemanticClass.ROOF].min() > 0.35


@pytest.mark.parametrize("name", ["etoile", "munich"])
def test_walls_and_roof_of_a_building_are_one_instance(name):
    scene = opened(f"sionna:{name}")
    table = scene.face_table
    marble, metal = ([m.name for m in scene.radio_materials].index(n) for n in ("marble", "metal"))
    of_marble = set(table.instance[table.radio == marble])
    of_metal = set(table.instance[table.radio == metal])
    assert len(of_marble & of_metal) > 0.9 * len(of_metal)
    for instance in sorted(of_marble & of_metal)[:50]:
        faces = table.instance == instance
        wall = table.triangles[faces & (table.radio == marble)].reshape(-1, 3)
        roof = table.triangles[faces & (table.radio == metal)].reshape(-1, 3)
        apart = np.maximum(wall.min(axis=0) - roof.max(axis=0), roof.min(axis=0) - wall.max(axis=0))
        assert apart[:2].max() < 1.0  # the parts stand on one another
        assert set(table.semantic[faces]) <= BUILDING


@pytest.mark.parametrize("name", ["etoile", "munich"])
def test_corners_of_a_shape_are_welded(name):
    scene = opened(f"sionna:{name}")
    for mesh in scene.meshes:
        _, place = np.unique(mesh.vertices, axis=0, return_inverse=True)
        for instance in np.unique(mesh.face_instance)[:60]:
            faces = mesh.faces[mesh.face_instance == instance]
            # Faces that touch in space share the edge's two vertices.
            by_index, by_place = edge_counts(faces), edge_counts(place.reshape(-1)[faces])
            assert sorted(by_index) == sorted(by_place)
        a, b, c = mesh.faces.T
        assert ((a != b) & (b != c) & (c != a)).all()


def test_texture_coordinates_are_bays_and_storeys_on_walls_and_metres_elsewhere():
    scene = opened("sionna:box")  # 10 x 10 x 5 metres
    table = scene.face_table
    wall = table.semantic == SemanticClass.WALL
    height = table.triangles[..., 2]
    np.testing.assert_allclose(table.corner_uv[wall][..., 1], height[wall] / 2.5, rtol=1e-6)
    width = np.ptp(table.corner_uv[wall][..., 0], axis=1)
    np.testing.assert_allclose(width, 3, rtol=1e-5)
    np.testing.assert_allclose(table.corner_uv[~wall], table.triangles[~wall][..., :2], rtol=1e-6)


def test_painted_storeys_end_at_the_eaves_of_nearly_all_houses():
    """Of Munich 95 %; where walls of many heights meet, some still end amid a storey."""
    table = opened("sionna:munich").face_table
    wall = table.semantic == SemanticClass.WALL
    top = np.full(table.instance.max() + 1, -np.inf)
    np.maximum.at(top, table.instance[wall], table.corner_uv[wall][..., 1].max(axis=1))
    top = top[np.isfinite(top)]
    assert len(top) == 1188
    assert (np.abs(top - np.rint(top)) > 0.15).mean() < 0.06


@pytest.mark.parametrize(
    ("material", "walls"),
    [("brick", "facade-brick"), ("glass", "facade-glass"), ("marble", "facade-plaster")],
)
def test_looks_of_walls_follow_the_radio_material(material, walls):
    scene = opened("sionna:simple_street_canyon")
    table = scene.face_table
    index = [m.name for m in scene.radio_materials].index(material)
    looks = table.visual[(table.radio == index) & (table.semantic == SemanticClass.WALL)]
    assert {scene.visual_materials[look].recipe for look in looks} == {walls}


def test_inside_out_buildings_are_turned():
    """The canyon's buildings come wound inward: without this nothing diffracts there."""
    scene = open_scene("sionna:simple_street_canyon")
    table = scene.face_table
    a, b, c = (table.triangles[:, k] for k in range(3))
    volume = np.einsum("ij,ij->i", a, np.cross(b, c)) / 6
    buildings = np.isin(table.semantic, [SemanticClass.WALL, SemanticClass.ROOF])
    for instance in np.unique(table.instance[buildings]):
        assert volume[buildings & (table.instance == instance)].sum() > 0
    assert inside_solid(RayCaster(scene), [[48.0, 24.0, 5.0]]).all()
    flat = table.semantic == SemanticClass.GROUND
    if flat.any():
        assert (table.normal[flat][:, 2] > 0).all()
