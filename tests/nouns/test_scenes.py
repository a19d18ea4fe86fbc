"""Opening a scene by name."""

import pytest

from tests.support import bundle, ground
from vasgen.errors import InputError
from vasgen.scenes import open_scene

from .conftest import PLAIN, ply_shape


def test_a_bundle_folder_is_opened(tmp_path):
    scene = bundle(ground(10.0))
    scene.save(tmp_path / "city")
    assert open_scene(tmp_path / "city").content_hash == scene.content_hash
    assert open_scene(str(tmp_path / "city")).content_hash == scene.content_hash


@pytest.mark.parametrize("name", ["scene.xml", "SCENE.XML"])
def test_a_scene_file_is_imported(scene_file, name):
    assert open_scene(scene_file(PLAIN, ply_shape(), name=name)).num_triangles == 12


def test_a_scene_of_sionna_is_imported():
    assert open_scene("sionna:box").name == "box"


def test_the_home_folder_has_its_short_name(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    bundle(ground(10.0)).save(tmp_path / "city")
    assert open_scene("~/city").num_triangles == 2


def test_a_sionna_scene_that_is_not_there_names_the_one_meant():
    with pytest.raises(InputError) as error:
        open_scene("sionna:munch")
    line = str(error.value)
    assert line.startswith("Sionna scene is 'munch'; allowed: box, ")
    assert line.endswith("Did you mean 'munich'?")


def test_a_mesh_among_sionnas_scenes_is_no_scene():
    with pytest.raises(InputError, match="Sionna scene is 'sphere'; allowed: "):
        open_scene("sionna:sphere")


@pytest.mark.parametrize("name", ["no", "no.xml"])
def test_a_path_that_is_not_there_says_what_may_be_given(tmp_path, name):
    with pytest.raises(InputError) as error:
        open_scene(tmp_path / name)
    assert str(error.value) == (
        f"scene {str(tmp_path / name)!r} does not exist; give a scene folder, an .xml scene file, "
        "or sionna:NAME, e.g. sionna:munich."
    )


def test_a_file_of_another_kind_says_so(tmp_path):
    (tmp_path / "city.glb").write_bytes(b"glTF")
    with pytest.raises(InputError, match=r"city\.glb' has no \.xml ending; give a scene folder"):
        open_scene(tmp_path / "city.glb")


def test_a_folder_of_other_things_says_so(tmp_path):
    with pytest.raises(InputError, match=r"is no scene bundle: it has no labels\.json"):
        open_scene(tmp_path)
