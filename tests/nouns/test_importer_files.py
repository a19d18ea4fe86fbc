"""Scene files written by hand: materials, shapes, transforms, and every way to be unusable."""

import numpy as np
import pytest

from vasgen import runtime
from vasgen.bundle import RadioMaterial, SceneBundle
from vasgen.errors import InputError
from vasgen.importer import import_xml

from .conftest import PLAIN, ply_shape


def only(scene):
    """The single radio material of a scene."""
    (material,) = scene.radio_materials
    return material


def assumed(scene):
    return scene.provenance.get("assumed_radio_materials", {})


# Materials ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("identity", "itu"),
    [
        ("mat-itu_concrete", "concrete"),
        ("mat-itu_medium_dry_ground", "medium_dry_ground"),
        ("mat-itu-brick", "brick"),
        ("itu_glass", "glass"),
        ("mat-itu_wood.001", "wood"),
    ],
)
def test_a_legacy_name_is_an_itu_material(imported, identity, itu):
    bsdf = f'<bsdf type="diffuse" id="{identity}"/>'
    scene = imported(bsdf, ply_shape(f'<ref id="{identity}" name="bsdf"/>'))
    assert only(scene) == RadioMaterial(identity.removeprefix("mat-"), itu, 0.1)
    assert assumed(scene) == {}


def test_an_itu_plugin_keeps_thickness_and_scattering(imported):
    scene = imported(
        '<bsdf type="itu-radio-material" id="mat-wall"><string name="type" value="brick"/>'
        '<float name="thickness" value="0.25"/>'
        '<float name="scattering_coefficient" value="0.3"/></bsdf>',
        ply_shape('<ref id="mat-wall" name="bsdf"/>'),
    )
    assert only(scene) == RadioMaterial("wall", "brick", 0.25, scattering_coefficient=0.3)
    assert assumed(scene) == {}


def test_a_radio_material_keeps_its_constants(imported):
    scene = imported(
        '<bsdf type="radio-material" id="special"><float name="thickness" value="0.02"/>'
        '<float name="relative_permittivity" value="4.5"/><float name="conductivity" value="0.1"/>'
        '<float name="scattering_coefficient" value="0.2"/></bsdf>',
        ply_shape('<ref id="special"/>'),
    )
    assert only(scene) == RadioMaterial("special", None, 0.02, 4.5, 0.1, 0.2)


@pytest.mark.parametrize(
    ("identity", "itu"),
    [
        ("Brick Wall 01", "brick"),
        ("mat-window_pane", "glass"),
        ("SteelBeam", "metal"),
        ("oak_timber", "wood"),
        ("Asphalt", "concrete"),
        ("soil", "very_dry_ground"),
        ("Material.003", "concrete"),
    ],
)
def test_a_visual_material_gets_what_its_name_says_and_is_listed(imported, identity, itu):
    bsdf = f'<bsdf type="diffuse" id="{identity}"/>'
    scene = imported(bsdf, ply_shape(f'<ref id="{identity}"/>'))
    name = identity.removeprefix("mat-")
    assert only(scene) == RadioMaterial(name, itu)
    assert assumed(scene) == {name: itu}


@pytest.mark.parametrize(
    "bsdf",
    [
        '<bsdf type="diffuse" id="m"><rgb name="reflectance" value="0.8 0.1 0.2"/></bsdf>',
        '<bsdf type="principled" id="m"><rgb name="base_color" value="0.8, 0.1, 0.2"/>'
        '<float name="roughness" value="0.2"/></bsdf>',
        '<bsdf type="plastic" id="m"><rgb name="diffuse_reflectance" value="0.8 0.1 0.2"/></bsdf>',
        '<bsdf type="itu-radio-material" id="m"><string name="type" value="concrete"/>'
        '<rgb name="color" value="0.8 0.1 0.2"/></bsdf>',
        '<bsdf type="twosided" id="m"><bsdf type="diffuse">'
        '<rgb name="reflectance" value="0.8 0.1 0.2"/></bsdf></bsdf>',
    ],
)
def test_a_named_colour_becomes_the_look(imported, bsdf):
    scene = imported(bsdf, ply_shape('<ref id="m"/>'))
    for look in scene.visual_materials:
        red, green, blue = look.base_color
        assert red == pytest.approx(0.8, rel=0.3)
        assert 0.05 < green < blue < 0.3


def test_one_number_is_a_grey(imported):
    bsdf = '<bsdf type="diffuse" id="m"><rgb name="reflectance" value="0.6"/></bsdf>'
    red, green, blue = imported(bsdf, ply_shape('<ref id="m"/>')).visual_materials[0].base_color
    assert red == pytest.approx(green, rel=0.15)
    assert red == pytest.approx(blue, rel=0.15)


def test_the_id_of_a_two_sided_material_may_stand_on_the_inner_one(imported):
    bsdf = '<bsdf type="twosided"><bsdf type="diffuse" id="mat-itu_metal"/></bsdf>'
    scene = imported(bsdf, ply_shape('<ref id="mat-itu_metal"/>'))
    assert only(scene).itu_type == "metal"


@pytest.mark.parametrize("attribute", ["", ' name="bsdf"'])
def test_materials_inside_shapes_stay_apart(imported, attribute):
    inner = f'<bsdf type="diffuse"{attribute}><rgb name="reflectance" value="0.8"/></bsdf>'
    glass = f'<bsdf type="twosided"{attribute}><bsdf type="diffuse" id="glass"/></bsdf>'
    scene = imported(ply_shape(inner, "a"), ply_shape(inner, "b"), ply_shape(glass, "c"))
    assert len(scene.meshes) == 3
    assert {m.itu_type for m in scene.radio_materials} == {"concrete", "glass"}
    assert len(assumed(scene)) == 3


def test_materials_whose_names_differ_by_a_prefix_only_stay_apart(imported):
    scene = imported(
        '<bsdf type="radio-material" id="x"/><bsdf type="diffuse" id="mat-x"/>',
        ply_shape('<ref id="x"/>', "a"),
        ply_shape('<ref id="mat-x"/>', "b"),
    )
    assert [m.itu_type for m in scene.radio_materials] == [None, "concrete"]
    assert len({m.name for m in scene.radio_materials}) == 2


def test_a_material_no_shape_uses_is_left_out(imported):
    scene = imported(PLAIN, '<bsdf type="diffuse" id="itu_glass"/>', ply_shape())
    assert [m.name for m in scene.radio_materials] == ["plain"]


def test_a_material_named_like_a_path_can_be_saved(imported, tmp_path):
    scene = imported('<bsdf type="diffuse" id="a/b: ü"/>', ply_shape('<ref id="a/b: ü"/>'))
    assert SceneBundle.load(scene.save(tmp_path / "out")).content_hash == scene.content_hash


def test_an_imported_scene_can_be_saved_and_opened_in_sionna(imported, tmp_path):
    scene = imported(
        '<bsdf type="radio-material" id="x"/><bsdf type="diffuse" id="mat-x.1"/>',
        ply_shape('<ref id="x"/>', "a"),
        ply_shape('<ref id="mat-x.1"/>', "b"),
    )
    path = scene.save(tmp_path / "out") / "scene.xml"
    opened = runtime.radio().load_scene(str(path), merge_shapes=False)
    assert set(opened.objects) == {"x", "x.1"}


# Shapes -------------------------------------------------------------------------------


def test_a_cube_is_welded_and_says_where_it_comes_from(imported):
    scene = imported(PLAIN, ply_shape())
    (mesh,) = scene.meshes
    assert (len(mesh.vertices), len(mesh.faces)) == (8, 12)
    assert scene.bounds.tolist() == [[-1, -1, -1], [1, 1, 1]]
    assert scene.name == "scene"
    assert scene.provenance["source"] == "scene.xml"
    assert "mitsuba" in scene.provenance["versions"]


@pytest.mark.parametrize(
    ("shape", "corners", "faces"),
    [
        ('<shape type="cube" id="s"><ref id="plain"/></shape>', 8, 12),
        ('<shape type="cube"><ref id="plain"/></shape>', 8, 12),
        ('<shape type="rectangle" id="s"><ref id="plain"/></shape>', 4, 2),
        (ply_shape(file="meshes/box.obj").replace('"ply"', '"obj"'), 8, 12),
        (f'<shape type="merge">{ply_shape()}</shape>', 8, 12),
    ],
)
def test_shapes_that_are_meshes_are_taken(imported, shape, corners, faces):
    (mesh,) = imported(PLAIN, shape).meshes
    assert (len(mesh.vertices), len(mesh.faces)) == (corners, faces)


def test_transforms_are_resolved_in_order(imported):
    turn = '<scale x="2" y="1" z="1"/><rotate z="1" angle="90"/><translate x="100" y="10"/>'
    inside = f'<ref id="plain"/><transform name="to_world">{turn}</transform>'
    bounds = imported(PLAIN, ply_shape(inside)).bounds
    np.testing.assert_allclose(bounds, [[99, 8, -1], [101, 12, 1]], atol=1e-5)


def test_an_older_file_format_is_upgraded(imported):
    inside = '<ref id="plain"/><transform name="toWorld"><translate x="5"/></transform>'
    bounds = imported(PLAIN, ply_shape(inside), version="0.5.0").bounds
    np.testing.assert_allclose(bounds[:, 0], [4, 6], atol=1e-6)


def test_shapes_of_one_material_share_a_mesh_and_keep_their_instances(imported):
    move = '<ref id="plain"/><transform name="to_world"><translate x="9"/></transform>'
    (mesh,) = imported(PLAIN, ply_shape(name="a"), ply_shape(move, "b")).meshes
    assert len(mesh.vertices) == 16
    first, second = mesh.face_instance[:12], mesh.face_instance[12:]
    assert len(set(first)) == len(set(second)) == 1
    assert first[0] != second[0]
    assert min(first[0], second[0]) >= 1
    assert mesh.triangles[12:, :, 0].min() == 8  # faces of b name the corners of b


def test_a_shape_without_area_is_left_out(imported):
    inside = '<ref id="plain"/><transform name="to_world"><scale value="0"/></transform>'
    scene = imported(PLAIN, ply_shape(), ply_shape(inside, "flat"))
    assert scene.num_triangles == 12


def test_defaults_are_put_in_place_everywhere(imported):
    scene = imported(
        '<default name="deep" value="0.3"/><default name="mesh" value="box"/>',
        '<default name="up" value="3"/><bsdf type="itu-radio-material" id="m">'
        '<string name="type" value="brick"/><float name="thickness" value="$deep"/></bsdf>',
        ply_shape(
            '<ref id="m"/><transform name="to_world"><translate z="$up"/></transform>',
            file="meshes/$mesh.ply",
        ),
    )
    assert only(scene).thickness_m == 0.3
    assert scene.bounds[0, 2] == pytest.approx(2)


def test_included_files_are_read_materials_too(scene_file):
    metal = '<bsdf type="itu-radio-material" id="m"><string name="type" value="metal"/></bsdf>'
    scene_file(metal, PLAIN, name="parts/deep.xml")
    # An included file stands beside the one that includes it; meshes beside the first one.
    deep = '<include filename="deep.xml"/>'
    scene_file(deep, ply_shape('<ref id="m"/>'), ply_shape(name="b"), name="parts/one.xml")
    scene_file(ply_shape('<ref id="m"/>', "c"), name="parts/two.xml")
    includes = '<include filename="parts/one.xml"/><include filename="parts/two.xml"/>'
    scene = import_xml(scene_file(includes, ply_shape(name="d")))
    assert {m.name: m.itu_type for m in scene.radio_materials} == {
        "m": "metal",
        "plain": "concrete",
    }
    assert scene.num_triangles == 4 * 12


def test_lights_sensors_and_textures_are_not_needed(imported):
    texture = '<texture type="bitmap" {}><string name="filename" value="no.png"/></texture>'
    light = '<emitter type="area"><rgb name="radiance" value="1"/></emitter>'
    scene = imported(
        '<integrator type="path"/><sensor type="perspective"/>',
        '<emitter type="envmap"><string name="filename" value="no.hdr"/></emitter>',
        texture.format('id="t"'),
        '<bsdf type="diffuse" id="a"><ref id="t" name="reflectance"/></bsdf>',
        f'<bsdf type="diffuse" id="b">{texture.format(chr(32))}</bsdf>',
        ply_shape(f'<ref id="a"/>{light}', "lamp"),
        ply_shape('<ref id="b"/>', "wall"),
    )
    assert scene.num_triangles == 24


def test_a_plugin_nobody_has_is_no_obstacle_as_a_material(imported):
    scene = imported('<bsdf type="wibble" id="steel"/>', ply_shape('<ref id="steel"/>'))
    assert only(scene).itu_type == "metal"


# Paths --------------------------------------------------------------------------------


def test_spaces_and_letters_of_other_alphabets_in_paths(scene_file, tmp_path):
    path = scene_file(PLAIN, ply_shape(file="Straße 1/Würfel é 建物.ply"))
    target = tmp_path / "Straße 1" / "Würfel é 建物.ply"
    target.parent.mkdir()
    (tmp_path / "meshes" / "box.ply").rename(target)
    moved = path.rename(tmp_path / "Szene 建物.xml")
    assert import_xml(moved).name == "Szene 建物"


def test_a_relative_scene_path_finds_its_meshes(scene_file, tmp_path, monkeypatch):
    path = scene_file(PLAIN, ply_shape())
    monkeypatch.chdir(tmp_path.parent)
    assert import_xml(path.relative_to(tmp_path.parent)).num_triangles == 12


def test_absolute_mesh_paths_and_paths_upwards_are_kept(scene_file, tmp_path):
    (tmp_path / "below").mkdir()
    absolute = str(tmp_path / "meshes" / "box.ply")
    path = scene_file(
        PLAIN,
        ply_shape(name="a", file=absolute),
        ply_shape(name="b", file="../meshes/box.ply"),
        name="below/scene.xml",
    )
    assert import_xml(path).num_triangles == 24


# Files that cannot be used ------------------------------------------------------------

NO_TYPE = '<bsdf type="itu-radio-material" id="plain">{}</bsdf>'
UNUSABLE = {
    "sphere": (
        [PLAIN, '<shape type="sphere" id="ball"><ref id="plain"/></shape>'],
        "shape 'ball' is of type sphere, no triangle mesh; convert it to PLY or OBJ.",
    ),
    "missing mesh": ([PLAIN, ply_shape(file="no.ply")], "/no.ply, which does not exist."),
    "damaged mesh": ([PLAIN, ply_shape(file="scene.xml")], "scene.xml cannot be loaded: "),
    "unknown shape": (
        [PLAIN, ply_shape().replace('"ply"', '"blob"')],
        'Plugin "blob" not found',
    ),
    "unknown material": (
        [PLAIN, ply_shape('<ref id="no"/>')],
        "shape 'mesh-x' names material 'no'; the file defines: plain.",
    ),
    "no material": ([ply_shape("")], "shape 'x' has no material; give it one, e.g. itu"),
    "two shapes of an id": ([PLAIN, ply_shape() * 2], 'duplicate ID: "mesh-x"'),
    "empty": ([], "scene.xml holds no triangle mesh."),
    "only a light": (['<emitter type="constant"/>'], "scene.xml holds no triangle mesh."),
    "nothing with area": (
        [
            PLAIN,
            ply_shape('<ref id="plain"/><transform name="to_world"><scale value="0"/></transform>'),
        ],
        "scene.xml holds no triangle mesh.",
    ),
    "open element": (["<shape>"], "scene.xml cannot be read as XML: mismatched tag"),
    "missing include": (['<include filename="no.xml"/>'], "no.xml cannot be read as XML: "),
    "include of itself": (['<include filename="scene.xml"/>'], "scene.xml includes itself."),
    "a word for a number": (
        [NO_TYPE.format('<float name="thickness" value="thick"/>'), ply_shape()],
        "material 'plain': thickness is 'thick'; expected 1 finite number.",
    ),
    "no number": (
        [NO_TYPE.format('<float name="thickness" value="nan"/>'), ply_shape()],
        "material 'plain': thickness is 'nan'; expected 1 finite number.",
    ),
    "no value": (
        [NO_TYPE.format('<float name="thickness"/>'), ply_shape()],
        "material 'plain': thickness is 'None'; expected 1 finite number.",
    ),
    "hexadecimal colour": (
        [NO_TYPE.format('<rgb name="color" value="#ff8000"/>'), ply_shape()],
        "material 'plain': color is '#ff8000'; expected 1 or 3 finite numbers.",
    ),
    "half a colour": (
        [NO_TYPE.format('<rgb name="color" value="0.5 0.2"/>'), ply_shape()],
        "material 'plain': color is '0.5 0.2'; expected 1 or 3 finite numbers.",
    ),
    "negative thickness": (
        [NO_TYPE.format('<float name="thickness" value="-1"/>'), ply_shape()],
        "radio material 'plain': thickness_m is -1; allowed: 0 or more.",
    ),
}


@pytest.mark.parametrize("case", UNUSABLE)
def test_an_unusable_scene_says_why_in_one_line(scene_file, case):
    elements, line = UNUSABLE[case]
    path = scene_file(*elements)
    with pytest.raises(InputError) as error:
        import_xml(path)
    assert line in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"solid cube",
        b"\x89PNG\r\n",
        b'<?xml version="1.0" encoding="wibble"?><scene/>',
        b'<?xml version="1.0" encoding="utf-7"?><scene/>',
    ],
)
def test_what_is_no_xml_is_refused(tmp_path, content):
    path = tmp_path / "scene.xml"
    path.write_bytes(content)
    with pytest.raises(InputError, match=f"^scene file {path} cannot be read as XML: "):
        import_xml(path)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"cannot be read as XML: .*No such file"):
        import_xml(tmp_path / "no.xml")


@pytest.mark.parametrize("root", ["<html><body/></html>", "<scene/>"])
def test_xml_of_another_kind_is_refused(tmp_path, root):
    path = tmp_path / "scene.xml"
    path.write_text(root)
    with pytest.raises(InputError, match=f"scene file {path} cannot be loaded: "):
        import_xml(path)
