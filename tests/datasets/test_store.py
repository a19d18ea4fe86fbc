"""View folders: what is written is what is read, and bytes do not depend on the day."""

import dataclasses
import json

import numpy as np
import pytest

from vasgen.conditions import Conditions
from vasgen.datasets import ViewRecord, store
from vasgen.errors import InputError, StorageError, VasgenError
from vasgen.layers import IMAGE_LAYERS, RADIO_LAYERS


def test_view_round_trip(tmp_path, view, write):
    sample = store.read_view(write(tmp_path / "000000", view))
    assert sample.name == "000000"
    np.testing.assert_array_equal(sample.camera.camera_to_world, view.camera.camera_to_world)
    assert [t.name for t in sample.transmitters] == ["tx-0", "tx-1"]
    for name in IMAGE_LAYERS.keys() - {"rgb"}:
        np.testing.assert_array_equal(getattr(sample.image, name), getattr(view.image, name))
    np.testing.assert_allclose(sample.image.rgb, view.image.rgb, rtol=1e-3)
    for name in RADIO_LAYERS:
        np.testing.assert_array_equal(getattr(sample.radio, name), getattr(view.radio, name))


def test_a_view_without_picture_and_radio_is_a_view(tmp_path, view, write):
    bare = dataclasses.replace(view, image=dataclasses.replace(view.image, rgb=None))
    sample = store.read_view(write(tmp_path / "000000", bare, traced=False))
    assert sample.image.rgb is None
    assert sample.radio is None


def test_equal_views_have_equal_bytes(tmp_path, view, write, monkeypatch):
    write(tmp_path / "a", view)
    monkeypatch.setattr("time.time", lambda: 2e9)
    write(tmp_path / "b", view)
    files = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert files == ["image.npz", "radio.npz", "rgb.exr", "rgb.png", "view.json"]
    for name in files:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_add_radio_leaves_the_image_alone(tmp_path, view, write):
    folder = write(tmp_path / "000000", view, traced=False)
    before = (folder / store.IMAGE_NPZ).read_bytes()
    record = store.read_record(folder)
    assert store.RADIO_NPZ not in record.files
    store.add_radio(folder, record, view.image, view.radio)
    assert (folder / store.IMAGE_NPZ).read_bytes() == before
    assert store.read_view(folder).radio is not None
    assert store.wrong_files(folder, store.read_record(folder).files) == []


@pytest.mark.parametrize("name", ["image.npz", "radio.npz", "rgb.exr", "view.json"])
def test_a_cut_file_is_damage(tmp_path, view, write, name):
    path = write(tmp_path / "000000", view) / name
    path.write_bytes(path.read_bytes()[:60])
    assert not store.is_complete(path.parent, "recipe")
    with pytest.raises(StorageError, match=name):
        store.read_view(path.parent)


def test_complete_means_this_recipe_and_all_bytes(tmp_path, view, write):
    folder = write(tmp_path / "000000", view)
    assert store.is_complete(folder, "recipe")
    assert not store.is_complete(folder, "another")
    assert not store.is_complete(tmp_path / "none", "recipe")
    (folder / store.RGB_PNG).unlink()
    assert store.wrong_files(folder, store.read_record(folder).files) == [store.RGB_PNG]
    assert not store.is_complete(folder, "recipe")


def test_a_folder_without_record_is_no_view(tmp_path):
    with pytest.raises(InputError, match=r"is no view: it has no view\.json"):
        store.read_record(tmp_path)


def test_statistics_say_what_the_view_shows(tmp_path, view, write):
    record = json.loads((write(tmp_path / "000000", view) / store.VIEW_JSON).read_text())
    statistics = record["statistics"]
    assert statistics["valid_share"] == pytest.approx(view.image.valid.mean(), abs=1e-4)
    assert statistics["reached_share"] == [1.0, 1.0]
    lowest, median, highest = statistics["depth_m"]
    assert 0 < lowest < median < highest
    assert "statistics" not in {field.name for field in dataclasses.fields(ViewRecord)}


def test_radio_layers_and_their_record_switch_at_once(tmp_path, view, write, monkeypatch):
    folder = write(tmp_path / "000000", view)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    record = store.read_record(folder)
    weaker = dataclasses.replace(view.radio, path_gain_db=view.radio.path_gain_db - 1)

    def killed(*arguments):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(store, "_write_record", killed)
        with pytest.raises(KeyboardInterrupt):
            store.add_radio(folder, record, view.image, weaker)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    store.add_radio(folder, record, view.image, weaker)
    assert {path.name for path in folder.iterdir()} == set(before)
    assert store.is_complete(folder, "recipe")
    np.testing.assert_array_equal(store.read_view(folder).radio.path_gain_db, weaker.path_gain_db)


def test_radio_layers_are_added_where_the_disk_has_no_links(tmp_path, view, write, monkeypatch):
    folder = write(tmp_path / "000000", view, traced=False)
    (folder / "notes").mkdir()

    def refuse(*arguments):
        raise PermissionError

    monkeypatch.setattr(store.os, "link", refuse)
    store.add_radio(folder, store.read_record(folder), view.image, view.radio)
    assert store.is_complete(folder, "recipe")
    assert (folder / "notes").is_dir()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("files", None),
        ("files", {"image.npz": 3}),
        ("seeds", [1]),
        ("camera", []),
        ("transmitters", None),
        ("transmitters", [3]),
        ("radio_spec", "x"),
    ],
)
def test_a_record_of_another_shape_is_damage(tmp_path, view, write, key, value):
    path = write(tmp_path / "000000", view) / store.VIEW_JSON
    record = json.loads(path.read_text())
    path.write_text(json.dumps({**record, key: value}))
    with pytest.raises(VasgenError):
        store.read_view(path.parent)
    assert not store.is_complete(path.parent, "recipe")
    for content in ("[]", "null", "[" * 100_000):
        path.write_text(content)
        with pytest.raises(StorageError, match=r"view\.json is damaged"):
            store.read_view(path.parent)


def test_conditions_are_read_back_and_impossible_ones_are_damage(tmp_path, view, write):
    folder = write(tmp_path / "000000", view)
    assert store.read_view(folder).conditions is None
    path = folder / store.VIEW_JSON
    record = json.loads(path.read_text())
    seen = Conditions(sun_elevation_deg=-5.0, lamps=True, velocity_m_s=(1.0, 2.0, 0.0))
    path.write_text(json.dumps(record | {"conditions": seen.to_record()}))
    assert store.read_view(folder).conditions == seen
    for wrong in ({"visibility_m": 0}, {"weather": "fine"}, {"velocity_m_s": 3}, 5):
        path.write_text(json.dumps(record | {"conditions": wrong}))
        with pytest.raises(StorageError, match=r"view\.json is damaged"):
            store.read_view(folder)


def test_a_view_of_a_format_before_conditions_is_read(tmp_path, view, write):
    folder = write(tmp_path / "000000", view)
    path = folder / store.VIEW_JSON
    record = json.loads(path.read_text())
    del record["conditions"]
    path.write_text(json.dumps(record))
    assert store.read_view(folder).conditions is None
