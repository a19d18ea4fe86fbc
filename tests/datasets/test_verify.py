"""Verification finds each kind of damage, and names where it is."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vasgen.antenna import Antenna
from vasgen.bundle import SceneBundle, VisualMaterial
from vasgen.datasets import Problem, radio_checks, store, verify
from vasgen.errors import VasgenError
from vasgen.spec import RadioSpec


def _changed(layers, name, change):
    array = getattr(layers, name).copy()
    change(array)
    return replace(layers, **{name: array})


def _set(*index_and_value):
    *index, value = index_and_value
    return lambda array: array.__setitem__(tuple(index), value)


def test_a_right_dataset_passes(dataset):
    report = verify(dataset)
    assert report.problems == ()
    assert report.ok
    assert (report.views, report.pixels) == (2, 2 * 32 * 24)


def test_a_views_folder_passes_before_and_after_tracing(tmp_path, view, write):
    write(tmp_path / "000000", view, traced=False)
    write(tmp_path / "000001", view)
    assert verify(tmp_path).problems == ()


# Row 20 sees the ground, row 0 the sky.
IMAGE_DAMAGE = [
    ("depth", _set(20, 3, -1.0), "not positive on a surface"),
    ("depth", _set(20, 3, np.nan), "NaN exactly in the sky is broken"),
    ("depth", _set(0, 3, 5.0), "NaN exactly in the sky is broken"),
    ("depth", _set(20, 3, np.inf), "infinite"),
    ("normal", _set(20, 3, [0, 0, 2]), "not of unit length"),
    ("normal", _set(20, 3, [0, 0, -1]), "turned away from the camera"),
    ("albedo", _set(20, 3, 1, 1.5), r"outside [0, 1]"),
    ("roughness", _set(20, 3, -0.1), r"outside [0, 1]"),
    ("semantic", _set(20, 3, 99), "unknown class"),
    ("semantic", _set(20, 3, 0), "class 0 exactly"),
    ("instance", _set(0, 3, 7), "set in the sky"),
    ("radio_material", _set(20, 3, 255), "255 exactly"),
    ("rgb", _set(20, 3, 1, np.nan), "negative or not finite"),
]


@pytest.mark.parametrize(("layer", "change", "message"), IMAGE_DAMAGE)
def test_one_wrong_image_pixel_is_found(tmp_path, view, write, layer, change, message):
    write(tmp_path / "v", replace(view, image=_changed(view.image, layer, change)))
    problems = [p for p in verify(tmp_path).problems if p.layer == layer and message in p.message]
    assert len(problems) == 1
    assert (problems[0].view, problems[0].count) == ("v", 1)
    assert problems[0].first in ((20, 3), (0, 3))


RADIO_DAMAGE = [
    ("path_gain_db", _set(1, 20, 3, np.nan), "NaN exactly in the sky"),
    ("path_gain_db", _set(1, 20, 3, -300.0), "below the floor"),
    ("path_gain_db", _set(1, 20, 3, 3.0), "more power than was sent"),
    ("rss_dbm", _set(1, 20, 3, -20.0), "is not power plus path gain"),
    ("sinr_db", _set(1, 20, 3, 40.0), "does not follow from rss_dbm"),
    ("best_server", _set(20, 3, 7), "is not the transmitter of the strongest RSS"),
    ("best_server", _set(20, 3, -1), "is not the transmitter of the strongest RSS"),
    ("line_of_sight", _set(1, 0, 3, True), "true in the sky"),
    ("reached", _set(1, 20, 3, False), "false exactly at -250 dB is broken"),
    ("standard_error_db", _set(1, 20, 3, -1.0), "negative or infinite"),
    ("standard_error_db", _set(1, 0, 3, 1.0), "given where nothing was estimated"),
]


@pytest.mark.parametrize(("layer", "change", "message"), RADIO_DAMAGE)
def test_one_wrong_radio_pixel_is_found(tmp_path, view, write, layer, change, message):
    write(tmp_path / "v", replace(view, radio=_changed(view.radio, layer, change)))
    problems = [p for p in verify(tmp_path).problems if p.layer == layer and message in p.message]
    assert len(problems) == 1
    assert problems[0].count == 1
    assert problems[0].first in ((1, 20, 3), (1, 0, 3), (20, 3))


def test_the_best_server_is_the_strongest(tmp_path, view, write):
    other = np.where(view.radio.best_server < 0, -1, 1 - view.radio.best_server)
    swapped = replace(view, radio=replace(view.radio, best_server=other.astype(np.int16)))
    write(tmp_path / "v", swapped)
    (found,) = verify(tmp_path).problems
    assert (found.layer, found.count) == ("best_server", int((other >= 0).sum()))


def test_gain_must_be_within_what_multipath_allows(tmp_path, view, write):
    for lift, found in ((19.0, False), (21.0, True)):
        strong = replace(
            view.radio,
            path_gain_db=view.radio.path_gain_db + np.float32(lift),
            rss_dbm=view.radio.rss_dbm + np.float32(lift),
        )
        write(tmp_path / f"{lift}" / "v", replace(view, radio=strong))
        messages = [problem.message for problem in verify(tmp_path / f"{lift}").problems]
        assert ("more than free space and multipath allow" in messages) is found


def test_lit_pixels_must_be_near_free_space(tmp_path, view, write):
    weak = replace(
        view.radio, path_gain_db=view.radio.path_gain_db - 5, rss_dbm=view.radio.rss_dbm - 5
    )
    write(tmp_path / "v", replace(view, radio=weak))
    messages = [problem.message for problem in verify(tmp_path).problems]
    assert "transmitter 0: lit pixels lie 5.0 dB below free space (median)" in messages


def test_ray_range_stored_as_depth_is_found(tmp_path, view, write):
    length = np.linalg.norm(view.camera.rays(), axis=-1)
    wrong = replace(view.image, depth=(view.image.depth * length).astype(np.float32))
    write(tmp_path / "v", replace(view, image=wrong), traced=False)
    (problem,) = verify(tmp_path).problems
    assert problem.message == "does not fit the normals: planes are bent"


@pytest.mark.parametrize(
    ("layer", "array", "message"),
    [
        ("depth", np.zeros((24, 32)), "is float64(24, 32), not float32(24, 32)"),
        ("valid", np.zeros((24, 31), bool), "is bool(24, 31), not bool(24, 32)"),
    ],
)
def test_dtype_and_shape_are_checked(tmp_path, view, write, layer, array, message):
    image = replace(view.image, **{layer: array})
    with np.errstate(all="ignore"):
        write(tmp_path / "v", replace(view, image=image) if layer == "depth" else view)
    if layer == "valid":
        arrays = {**store.read_arrays(tmp_path / "v" / store.IMAGE_NPZ), "valid": array}
        np.savez_compressed(tmp_path / "v" / store.IMAGE_NPZ, **arrays)
    assert message in [p.message for p in verify(tmp_path).problems if p.layer == layer]


def test_missing_and_unknown_layers_are_found(tmp_path, view, write):
    path = write(tmp_path / "v", view) / store.IMAGE_NPZ
    arrays = store.read_arrays(path)
    arrays["dept"] = arrays.pop("depth")
    np.savez_compressed(path, **arrays)
    lines = {str(problem) for problem in verify(tmp_path).problems}
    assert lines == {
        "view v: image.npz: was changed: another SHA-256",
        "view v: depth: is missing",
        "view v: dept: is not a layer of this format",
    }


@pytest.mark.parametrize("name", ["rgb.png", "rgb.exr", "image.npz", "radio.npz", "view.json"])
def test_a_changed_byte_is_found(dataset, name):
    path = dataset / "views" / "000001" / name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    problems = verify(dataset).problems
    assert ("000001", name) in {(p.view, p.layer) for p in problems}


def test_a_missing_file_is_found(dataset):
    (dataset / "views" / "000000" / "rgb.png").unlink()
    (problem,) = verify(dataset).problems
    assert str(problem) == "view 000000: rgb.png: is missing"


def test_a_missing_view_is_found(dataset):
    for path in (dataset / "views" / "000000").iterdir():
        path.unlink()
    (problem,) = verify(dataset).problems
    assert (problem.view, problem.layer) == ("000000", "view.json")


def test_an_edited_manifest_is_found(dataset):
    path = dataset / "dataset.json"
    record = json.loads(path.read_text())
    record["transmitters"][0]["power_dbm"] = 99.0
    path.write_text(json.dumps(record))
    assert "dataset.json: does not match its content hash" in map(str, verify(dataset).problems)


def test_another_scene_is_found(dataset, bundle):
    other = SceneBundle(
        "other", bundle.meshes, bundle.radio_materials, (VisualMaterial("red", "plain", (1, 0, 0)),)
    )
    other.save(dataset / "scene")
    (problem,) = verify(dataset).problems
    assert str(problem) == "scene: is not the scene that the manifest names"


def test_a_problem_reads_as_one_line():
    line = str(Problem("000003", "path_gain_db", "below the floor", 12, (1, 20, 3)))
    assert line == (
        "view 000003: path_gain_db: below the floor "
        "(12 pixels, first at transmitter 1 row 20 column 3)"
    )


@given(st.lists(st.floats(-150, 20), min_size=1, max_size=5))
def test_sinr_of_any_number_of_transmitters(rss):
    spec = RadioSpec()
    noise = 1.380649e-23 * 293 * 1e6 * 1e3
    found = radio_checks.sinr_db(np.array(rss)[:, None, None], spec, [0] * len(rss))[:, 0, 0]
    for k, own in enumerate(rss):
        others = sum(10 ** (x / 10) for i, x in enumerate(rss) if i != k)
        assert found[k] == pytest.approx(own - 10 * np.log10(noise + others), abs=1e-9)


def test_array_gain_counts_elements_and_pattern():
    assert radio_checks.array_gain_db(Antenna()) == 0.0
    panel = Antenna(rows=8, columns=8, pattern="tr38901", polarization="cross")
    assert radio_checks.array_gain_db(panel) == pytest.approx(8.0 + 10 * np.log10(128))


@pytest.mark.parametrize("name", ["image.npz", "radio.npz", "view.json", "../../dataset.json"])
def test_no_flipped_byte_raises_anything_but_our_errors(dataset, name):
    path = dataset / "views" / "000001" / name
    whole, rng = path.read_bytes(), np.random.default_rng(0)
    for _ in range(16):
        data = bytearray(whole)
        data[rng.integers(len(data))] ^= rng.integers(1, 256)
        path.write_bytes(data)
        try:
            told = not verify(dataset).ok
        except VasgenError:  # the manifest itself cannot be read
            told = True
        # No hash covers all of the manifest: some of it is only for people.
        assert told or name == "../../dataset.json"


@pytest.mark.parametrize("name", ["image.npz", "radio.npz"])
def test_damage_in_the_directory_of_an_archive_is_reported(tmp_path, view, write, name):
    path = write(tmp_path / "v", view) / name
    whole = path.read_bytes()
    entry = whole.index(b"PK\x01\x02")
    for offset, value in ((8, 1), (10, 99), (10, 14)):  # encrypted, unknown method, LZMA
        data = bytearray(whole)
        data[entry + offset] = value
        path.write_bytes(data)
        lines = [p.message for p in verify(tmp_path).problems if p.layer == name]
        assert any("cannot be read" in line for line in lines)


def test_a_trace_without_direct_paths_may_leave_lit_pixels_dark(tmp_path, view, write):
    dark = {"reached": False, "path_gain_db": -250.0, "standard_error_db": np.nan}
    radio = view.radio
    for layer, value in dark.items():
        radio = _changed(radio, layer, _set(1, 20, 3, value))
    for name, spec, antenna, found in (
        ("direct", RadioSpec(), Antenna(), True),
        ("indirect", RadioSpec(line_of_sight=False), Antenna(), False),
        ("array", RadioSpec(), Antenna(columns=4), False),
        ("dipole", RadioSpec(), Antenna(pattern="dipole"), False),
    ):
        dark = replace(view, radio=radio)
        write(tmp_path / name / "v", dark, spec=spec, antenna=antenna)
        messages = [problem.message for problem in verify(tmp_path / name).problems]
        assert ("lit but not reached" in messages) is found


def test_the_median_of_lit_pixels_is_within_half_a_decibel(tmp_path, view, write):
    for loss, found in ((0.4, False), (0.6, True)):
        weak = replace(
            view.radio,
            path_gain_db=view.radio.path_gain_db - np.float32(loss),
            rss_dbm=view.radio.rss_dbm - np.float32(loss),
        )
        write(tmp_path / f"{loss}" / "v", replace(view, radio=weak))
        messages = [problem.message for problem in verify(tmp_path / f"{loss}").problems]
        assert any("below free space (median)" in message for message in messages) is found


def test_keys_of_the_spec_that_came_later_had_their_defaults(dataset):
    manifest = json.loads((dataset / "dataset.json").read_text())
    del manifest["spec"]["render"]["cloud_cover"]
    (dataset / "dataset.json").write_text(json.dumps(manifest))
    assert not verify(dataset).problems
    manifest["spec"]["render"]["turbidity"] = 7.0
    (dataset / "dataset.json").write_text(json.dumps(manifest))
    assert [problem.layer for problem in verify(dataset).problems] == ["spec.yaml"]


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("spec.yaml", "{", "cannot be read"),
        ("spec.yaml", "name: plain\nseed: 3\n", "is not the spec of the manifest"),
        ("plan.json", "{", "cannot be read"),
        ("plan.json", '{"cameras": [], "transmitters": [], "scene_hash": ""}', "plans other views"),
        ("scene/scene.xml", "<scene/>", "is not that of the bundle"),
    ],
)
def test_files_beside_the_views_are_checked(dataset, file, text, message):
    (dataset / file).write_text(text)
    (found,) = verify(dataset).problems
    assert found.layer == file
    assert message in found.message
    (dataset / file).unlink()
    assert any(problem.layer == file for problem in verify(dataset).problems)
