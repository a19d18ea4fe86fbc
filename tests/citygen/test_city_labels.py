import numpy as np

from vasgen.citygen.materials import BLANK, FAMILIES, PALETTE, RADIO
from vasgen.semantics import SemanticClass

RECIPES = {
    *("facade-brick", "facade-concrete", "facade-glass", "facade-plaster", "facade-shed"),
    *("roof-tiles", "roof-gravel", "roof-metal", "asphalt", "pavement", "grass", "plaza"),
    *("foliage", "bark", "plain", "door-gate", "door-leaf", "sign-board"),
    *("pane-glazing", "pane-shop", "pane-window", "wall-boards", "wall-brick", "wall-concrete"),
    *("wall-plaster", "wall-sheet", "wall-stone", "paint", "paint-metallic", "car-glass"),
    *("wheel", "headlamp", "tail-lamp", "number-plate"),
}


def normals(mesh):
    a, b, c = mesh.triangles.transpose(1, 0, 2)
    normal = np.cross(b - a, c - a)
    return normal / np.linalg.norm(normal, axis=1, keepdims=True)


def test_every_face_has_a_class_and_its_object(city):
    bundle = city.to_bundle()
    seen = {}
    for mesh in bundle.meshes:
        assert (mesh.face_class != SemanticClass.NONE).all()
        for index in np.unique(mesh.face_instance):
            seen.setdefault(int(index), set()).add(mesh.name)
    for building in city.buildings:
        assert building.radio in seen[building.index]
    assert [b.index for b in city.buildings] == list(range(1, len(city.buildings) + 1))
    assert max(seen) >= len(city.buildings) + len(city.blocks) + len(city.props)


def test_walls_are_upright_and_roofs_look_up(city):
    for mesh in city.to_bundle().meshes:
        up = normals(mesh)[:, 2]
        wall = mesh.face_class == SemanticClass.WALL
        assert (up[wall] < 1e-6).all(), "a wall is upright, or the underside"
        facade = wall & np.isin(mesh.face_visual, facades(city))
        assert np.allclose(up[facade], 0.0, atol=1e-6)
        tall = mesh.triangles[..., 2].max(axis=1) > 4.0
        roof = (mesh.face_class == SemanticClass.ROOF) & (np.abs(up) > 1e-6) & tall
        assert (up[roof] > 0).all()


def facades(city):
    materials = city.to_bundle().visual_materials
    return [i for i, m in enumerate(materials) if m.recipe.startswith("facade-")]


def test_facades_count_whole_bays_and_storeys(city):
    storey = {}
    for building in city.buildings:
        storey[building.index] = building.shells[0].grid
    for mesh in city.to_bundle().meshes:
        for face in np.flatnonzero(np.isin(mesh.face_visual, facades(city))):
            uv, corner = mesh.corner_uv[face], mesh.triangles[face]
            grid = storey[int(mesh.face_instance[face])]
            assert np.allclose(uv[:, 0], np.round(uv[:, 0])), "whole bays"
            width = np.hypot(*np.ptp(corner[:, :2], axis=0))
            assert np.ptp(uv[:, 0]) == max(1, round(width / grid.bay_m)) or width < 1e-9
            assert np.allclose(uv[:, 1] * grid.storey_m + grid.floor_m, corner[:, 2], atol=2e-3)


def test_facades_end_at_whole_storeys(make_city, density):
    city = make_city(density, 1, 300.0)
    for mesh in city.to_bundle().meshes:
        facade = np.isin(mesh.face_visual, facades(city))
        building = mesh.face_instance[facade]
        for index in np.unique(building):
            v = mesh.corner_uv[facade][building == index][..., 1]
            assert abs(v.max() - round(float(v.max()))) < 1e-3


def test_a_building_is_one_radio_material(city):
    for building in city.buildings:
        assert building.shells[0].radio == building.radio
        assert building.radio in RADIO


def test_the_palette_is_varied_and_believable(make_city):
    assert {material.recipe for material in PALETTE} == RECIPES
    assert len({material.name for material in PALETTE}) == len(PALETTE)
    for material in PALETTE:
        assert all(0.02 < channel < 0.8 for channel in material.base_color)
    for facade, blank in BLANK.items():
        assert PALETTE[facade].base_color == PALETTE[blank].base_color
        assert PALETTE[blank].recipe == "plain"
    used = make_city("downtown", 3, 620.0).to_bundle().visual_materials
    assert len([m for m in used if m.recipe.startswith("facade-")]) >= 12
    assert len(FAMILIES["curtain"]) >= 4


def test_a_bundle_survives_the_disk(make_city, tmp_path):
    bundle = make_city("mix", 2, 137.5).to_bundle()
    again = type(bundle).load(bundle.save(tmp_path / "scene"))
    assert again.content_hash == bundle.content_hash
    assert again.provenance["config"]["density"] == "mix"
    assert again.provenance["config"]["seed"] == 2
