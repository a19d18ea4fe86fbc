"""The scene bundle: what it refuses, what its hash covers, and its folder."""

import dataclasses
import json
import os
import subprocess
import sys
from contextlib import suppress

import numpy as np
import pytest

from tests.support import box, bundle, ground, moved
from vasgen import bundle as bundle_module
from vasgen import runtime
from vasgen.bundle import RadioMaterial, SceneBundle, VisualMaterial
from vasgen.errors import InputError, StorageError

from .conftest import relabelled

PARTS = ("vertices", "faces", "face_class", "face_instance", "face_visual", "corner_uv")


def with_mesh(scene, index, **parts):
    meshes = list(scene.meshes)
    meshes[index] = relabelled(meshes[index], **parts)
    return dataclasses.replace(scene, meshes=tuple(meshes))


@pytest.fixture
def stored(labelled, tmp_path):
    """A bundle's folder."""
    return labelled.save(tmp_path / "scene")


def test_a_saved_bundle_comes_back_exactly(labelled, stored):
    again = SceneBundle.load(stored)
    assert again.name == labelled.name
    assert again.radio_materials == labelled.radio_materials
    assert again.visual_materials == labelled.visual_materials
    assert again.provenance == labelled.provenance
    assert again.content_hash == labelled.content_hash
    for old, new in zip(labelled.meshes, again.meshes, strict=True):
        assert (old.name, old.radio_material) == (new.name, new.radio_material)
        for part in PARTS:
            before, after = getattr(old, part), getattr(new, part)
            assert before.dtype == after.dtype
            assert before.tobytes() == after.tobytes()


def test_a_saved_bundle_can_be_saved_and_loaded_again(stored, tmp_path):
    again = SceneBundle.load(stored).save(str(tmp_path / "deep" / "er" / "copy"))
    for name in ("labels.json", "scene.xml", "meshes/tower.ply"):
        assert (again / name).read_bytes() == (stored / name).read_bytes()


def test_coordinates_5_km_away_keep_float64(labelled, tmp_path):
    shift = np.array([5000.1, -4999.7, 123.456])
    far = moved(labelled, shift)
    again = SceneBundle.load(far.save(tmp_path / "far"))
    assert np.array_equal(again.meshes[1].vertices, labelled.meshes[1].vertices + shift)
    lost = again.meshes[1].vertices.astype(np.float32).astype(np.float64)
    assert not np.array_equal(again.meshes[1].vertices, lost)  # float32 would not hold them


def test_saving_replaces_the_older_bundle_and_leaves_nothing_else(labelled, stored):
    bundle(ground(10.0)).save(stored)
    assert [m.name for m in SceneBundle.load(stored).meshes] == ["ground"]
    assert not (stored / "meshes" / "tower.ply").exists()
    assert [p.name for p in stored.parent.iterdir()] == ["scene"]


def test_a_failed_save_keeps_the_older_bundle_and_leaves_nothing_else(
    labelled, stored, monkeypatch
):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(bundle_module, "write_ply", full)
    with pytest.raises(StorageError, match=f"cannot write {stored}: the disk is full"):
        bundle(ground(10.0)).save(stored)
    assert SceneBundle.load(stored).content_hash == labelled.content_hash
    assert [p.name for p in stored.parent.iterdir()] == ["scene"]


def test_saving_needs_no_unicode_locale(tmp_path):
    script = f"""
import dataclasses
from tests.support import bundle, ground, RadioMaterial
from tests.nouns.conftest import relabelled
plane = relabelled(ground(1.0), radio_material={"Straße"!a})
scene = bundle(ground(1.0))
materials = (RadioMaterial({"Straße"!a}),)
dataclasses.replace(scene, meshes=(plane,), radio_materials=materials).save({str(tmp_path)!a})
"""
    plain = {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "LC_ALL": "POSIX"}
    subprocess.run([sys.executable, "-c", script], check=True, env=os.environ | plain)
    assert "mat-radio_Straße" in (tmp_path / "scene.xml").read_text(encoding="utf-8")


CHANGES = {
    "a vertex": lambda s: with_mesh(s, 1, vertices=s.meshes[1].vertices + [[0, 0, 1e-12]]),
    "a face": lambda s: with_mesh(s, 1, faces=np.roll(s.meshes[1].faces, 1, axis=1)),
    "a class": lambda s: with_mesh(s, 1, face_class=s.meshes[1].face_class ^ 1),
    "an instance": lambda s: with_mesh(s, 1, face_instance=s.meshes[1].face_instance ^ 1),
    "a look": lambda s: with_mesh(s, 1, face_visual=1 - s.meshes[1].face_visual),
    "a texture corner": lambda s: with_mesh(s, 1, corner_uv=s.meshes[1].corner_uv + 1e-3),
    "a material's name": lambda s: with_mesh(s, 1, radio_material="wall"),
    "a mesh's name": lambda s: with_mesh(s, 1, name="spire"),
    "one mesh less": lambda s: dataclasses.replace(s, meshes=s.meshes[:1]),
    **{
        f"radio {field}": lambda s, field=field, value=value: dataclasses.replace(
            s,
            radio_materials=(
                s.radio_materials[0],
                dataclasses.replace(s.radio_materials[1], **{field: value}),
            ),
        )
        for field, value in {
            "itu_type": "metal",
            "thickness_m": 0.06,
            "relative_permittivity": 4.6,
            "conductivity_s_per_m": 0.03,
            "scattering_coefficient": 0.2,
        }.items()
    },
    **{
        f"visual {field}": lambda s, field=field, value=value: dataclasses.replace(
            s,
            visual_materials=(
                s.visual_materials[0],
                dataclasses.replace(s.visual_materials[1], **{field: value}),
            ),
        )
        for field, value in {
            "name": "rose",
            "recipe": "plain",
            "base_color": (0.5, 0.1, 0.11),
            "roughness": 0.4,
            "metallic": 0.0,
            "variant": 8,
        }.items()
    },
}


@pytest.mark.parametrize("change", CHANGES)
def test_the_hash_changes_with(labelled, change):
    assert CHANGES[change](labelled).content_hash != labelled.content_hash


def test_the_hash_does_not_change_with_name_provenance_or_order_of_meshes(labelled):
    other = dataclasses.replace(labelled, name="other", provenance={}, meshes=labelled.meshes[::-1])
    assert other.content_hash == labelled.content_hash


def test_the_hash_is_the_same_on_every_machine_and_run():
    expected = "c008d3cd266ced4effc25ea97d25556919149ae529086aea596a026839e8bbd1"
    assert bundle(ground(10.0), box("b", (2, 2, 2), (0, 0, 1))).content_hash == expected


def test_face_table_lists_all_faces_in_the_order_of_the_meshes(labelled):
    table = labelled.face_table
    plane, tower = labelled.meshes
    assert labelled.num_triangles == 14
    assert np.array_equal(table.triangles, np.concatenate([plane.triangles, tower.triangles]))
    for column, part in [
        ("semantic", "face_class"),
        ("instance", "face_instance"),
        ("visual", "face_visual"),
        ("corner_uv", "corner_uv"),
    ]:
        expected = np.concatenate([getattr(plane, part), getattr(tower, part)])
        assert np.array_equal(getattr(table, column), expected)
        assert getattr(table, column).dtype == expected.dtype
    assert table.radio.tolist() == [0] * 2 + [1] * 12
    assert table.radio.dtype == np.uint8
    assert np.array_equal(table.normal[:2], [[0, 0, 1], [0, 0, 1]])


def test_normals_point_out_of_a_closed_solid():
    table = bundle(box("b", (2, 4, 6), (10, 20, 30))).face_table
    outward = table.triangles.mean(axis=1) - [10, 20, 30]
    assert (np.einsum("ij,ij->i", table.normal, outward) > 0).all()
    np.testing.assert_allclose(np.linalg.norm(table.normal, axis=1), 1, rtol=1e-12)


def test_a_triangle_without_area_has_no_normal_and_no_warning():
    plane = ground(10.0)
    flat = relabelled(plane, faces=[[0, 1, 1], [0, 2, 3]])
    assert bundle(flat).face_table.normal.tolist() == [[0, 0, 0], [0, 0, 1]]


def test_bounds_count_only_corners_that_a_face_uses():
    plane = ground(10.0, z=3.0)
    stray = relabelled(plane, vertices=np.vstack([plane.vertices, [[999, 999, 999]]]))
    assert bundle(stray).bounds.tolist() == [[-10, -10, 3], [10, 10, 3]]


def test_arrays_are_stored_with_the_documented_types():
    mesh = ground(10.0)
    types = [getattr(mesh, part).dtype.str for part in PARTS]
    assert types == ["<f8", "<i4", "|u1", "<i4", "<u2", "<f4"]


def two(first, second):
    return SceneBundle("s", (first, second), (RadioMaterial("concrete"),), (VisualMaterial("a"),))


def changed(**parts):
    return lambda: bundle(relabelled(box("b", (1, 1, 1), (0, 0, 0)), **parts))


REFUSED = {
    "no mesh": (lambda: SceneBundle("s", (), (), ()), "scene 's' has no triangles."),
    "no face": (
        lambda: bundle(
            relabelled(
                ground(1.0),
                **{p: getattr(ground(1.0), p)[:0] for p in PARTS if p != "vertices"},
            )
        ),
        "scene 'test' has no triangles.",
    ),
    "labels": (changed(face_class=[1]), "mesh 'b': face_class has shape (1,), not (12,)."),
    "instances": (changed(face_instance=[]), "mesh 'b': face_instance has shape (0,)"),
    "looks": (changed(face_visual=np.zeros((12, 2))), "mesh 'b': face_visual has shape (12, 2)"),
    "uv": (changed(corner_uv=np.zeros((12, 2))), "corner_uv has shape (12, 2), not (12, 3, 2)."),
    "quads": (changed(faces=np.zeros((12, 4))), "faces has shape (12, 4), not (12, 3)."),
    "plane": (changed(vertices=np.zeros((8, 2))), "vertices has shape (8, 2), not (8, 3)."),
    "nan": (changed(vertices=np.full((8, 3), np.nan)), "mesh 'b' has vertices that are not finite"),
    "corner": (changed(faces=np.full((12, 3), 8)), "faces that name vertices it does not have"),
    "negative": (changed(faces=np.full((12, 3), -1)), "faces that name vertices it does not have"),
    "look": (changed(face_visual=np.ones(12)), "names a visual material the scene does not have"),
    "material": (
        lambda: SceneBundle(
            "s",
            (ground(1.0),),
            (RadioMaterial("wood"), RadioMaterial("glass")),
            (VisualMaterial("a"),),
        ),
        "mesh 'ground' names radio material 'very_dry_ground'; the scene has: glass, wood.",
    ),
    "two meshes of a name": (
        lambda: two(box("b", (1, 1, 1), (0, 0, 0)), box("b", (1, 1, 1), (5, 0, 0))),
        "scene 's' has 2 mesh entries named 'b'.",
    ),
    "two materials of a name": (
        lambda: dataclasses.replace(
            bundle(ground(1.0)), radio_materials=(RadioMaterial("very_dry_ground"),) * 2
        ),
        "has 2 radio material entries named 'very_dry_ground'.",
    ),
    "a path for a name": (changed(name="a/b"), "mesh name 'a/b' cannot be a file name"),
    "no name": (changed(name=""), "mesh name '' cannot be a file name"),
    "too many materials": (
        lambda: dataclasses.replace(
            bundle(ground(1.0)), radio_materials=tuple(RadioMaterial(f"m{i}") for i in range(256))
        ),
        "scene 'test' has 256 radio materials; allowed: 255.",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_scene_that_cannot_be_used_says_why(case):
    make, line = REFUSED[case]
    with pytest.raises(InputError) as error:
        make()
    assert line in str(error.value)


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"thickness_m": -0.1}, "radio material 'm': thickness_m is -0.1; allowed: 0 or more."),
        ({"thickness_m": float("nan")}, "thickness_m is nan; allowed: 0 or more."),
        ({"relative_permittivity": 0.5}, "relative_permittivity is 0.5; allowed: 1 or more."),
        ({"conductivity_s_per_m": float("inf")}, "conductivity_s_per_m is inf; allowed: 0 or"),
        ({"scattering_coefficient": 1.5}, "scattering_coefficient is 1.5; allowed: 0 to 1."),
    ],
)
def test_a_material_out_of_range_says_why(change, line):
    with pytest.raises(InputError) as error:
        RadioMaterial("m", **change)
    assert line in str(error.value)


def edit(folder, **changes):
    path = folder / "labels.json"
    record = {**json.loads(path.read_text()), **changes}
    path.write_text(json.dumps({k: v for k, v in record.items() if v is not None}))


def cut(path, share=0.5):
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])


DAMAGE = {
    "labels.json cut": lambda f: cut(f / "labels.json"),
    "labels.json a list": lambda f: (f / "labels.json").write_text("[]"),
    "labels.json binary": lambda f: (f / "labels.json").write_bytes(b"\xff\xfe\x00"),
    "no meshes": lambda f: edit(f, meshes=None),
    "no format": lambda f: edit(f, format=None),
    "mesh entry": lambda f: edit(f, meshes=["ground"]),
    "material entry": lambda f: edit(f, radio_materials=[{"name": "x", "colour": 1}]),
    "material value": lambda f: edit(f, radio_materials=[{"name": "x", "thickness_m": "thick"}]),
    "base colour": lambda f: edit(f, visual_materials=[{"name": "x", "base_color": 1}]),
    "labels.npz missing": lambda f: (f / "labels.npz").unlink(),
    "labels.npz empty": lambda f: (f / "labels.npz").write_bytes(b""),
    "labels.npz garbage": lambda f: (f / "labels.npz").write_bytes(b"garbage" * 99),
    "labels.npz cut": lambda f: cut(f / "labels.npz"),
    "mesh missing": lambda f: (f / "meshes" / "tower.ply").unlink(),
    "mesh cut": lambda f: cut(f / "meshes" / "tower.ply", 0.9),
    "mesh header": lambda f: (f / "meshes" / "tower.ply").write_bytes(b"ply\nend_header\n"),
}


@pytest.mark.parametrize("case", DAMAGE)
def test_damage_is_one_clear_line(stored, case):
    DAMAGE[case](stored)
    with pytest.raises(StorageError) as error:
        SceneBundle.load(stored)
    assert str(error.value).startswith(f"scene bundle {stored} is damaged: ")
    assert "\n" not in str(error.value)


def test_no_flipped_byte_of_the_labels_goes_unnoticed(labelled, stored):
    path = stored / "labels.npz"
    content = path.read_bytes()
    for place in range(0, len(content), 11):
        flipped = bytearray(content)
        flipped[place] ^= 0xFF
        path.write_bytes(flipped)
        with suppress(StorageError):  # or it was a byte that nothing reads
            assert SceneBundle.load(stored).content_hash == labelled.content_hash


def test_a_changed_coordinate_is_noticed(stored):
    path = stored / "meshes" / "tower.ply"
    content = bytearray(path.read_bytes())
    content[content.index(b"end_header\n") + 11] ^= 1  # the last bit of a corner's x
    path.write_bytes(content)
    with pytest.raises(StorageError) as error:
        SceneBundle.load(stored)
    assert str(error.value) == (
        f"scene bundle {stored} does not match its content hash: a file was changed. "
        "Generate it again."
    )


@pytest.mark.parametrize("change", [{"content_hash": "0" * 64}, {"content_hash": None}])
def test_another_or_no_hash_is_noticed(stored, change):
    edit(stored, **change)
    with pytest.raises(StorageError, match="does not match its content hash"):
        SceneBundle.load(stored)


def test_a_folder_without_labels_is_no_bundle(tmp_path):
    with pytest.raises(InputError, match=f"^{tmp_path} is no scene bundle: it has no labels.json"):
        SceneBundle.load(tmp_path)


def test_a_bundle_of_another_format_says_so(stored):
    edit(stored, format=2)
    with pytest.raises(InputError, match=r"labels\.json has format 2; this vasgen reads 1\.$"):
        SceneBundle.load(stored)


def test_sionna_opens_the_scene_with_its_materials(labelled, tmp_path):
    renamed = with_mesh(labelled, 1, name="Käthe's <tower> & co")
    path = renamed.save(tmp_path / "a folder ü") / "scene.xml"
    scene = runtime.radio().load_scene(str(path), merge_shapes=False)
    assert set(scene.objects) == {"ground", "Käthe's <tower> & co"}
    scene.frequency = 3.5e9
    wall = scene.objects["ground"].radio_material
    odd = scene.objects["Käthe's <tower> & co"].radio_material
    assert wall.itu_type == "brick"
    assert float(wall.thickness[0]) == pytest.approx(0.24, rel=1e-6)
    assert float(wall.scattering_coefficient[0]) == pytest.approx(0.3, rel=1e-6)
    assert float(odd.relative_permittivity[0]) == pytest.approx(4.5, rel=1e-6)
    assert float(odd.conductivity[0]) == pytest.approx(0.02, rel=1e-6)
    assert float(odd.thickness[0]) == pytest.approx(0.05, rel=1e-6)
    assert float(odd.scattering_coefficient[0]) == pytest.approx(0.1, rel=1e-6)
    assert not hasattr(odd, "itu_type")
    box_ = scene.objects["Käthe's <tower> & co"].mi_mesh.bbox()
    np.testing.assert_allclose(np.array(box_.max).ravel(), [7.1, 0.3, 20], atol=1e-5)


def test_a_folder_with_other_things_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(InputError, match="holds something other than a scene"):
        bundle(box("b", (4, 6, 8), (1, 2, 4))).save(tmp_path)
    assert (tmp_path / "thesis.txt").read_text() == "mine"
