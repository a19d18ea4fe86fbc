"""Layers of paths, and stored paths: written, read, described, and every damage found."""

import json
from dataclasses import replace

import numpy as np
import pytest

from tests.datasets.conftest import TRANSMITTERS
from vasgen.datasets import read_views, store, verify
from vasgen.datasets.dataset import open_dataset
from vasgen.datasets.left_out import what_is_left_out
from vasgen.datasets.manifest import VIEWS, make_manifest, write_manifest
from vasgen.layers import MECHANISMS, PATH_GAIN_FLOOR_DB, PATH_LAYERS
from vasgen.spec import DatasetSpec

SPEED_OF_LIGHT = 299_792_458.0
PATHS = {"format": np.array(1), "points": np.arange(5.0)}


def with_paths(view):
    """The same view with the layers of its direct paths; two are listed, one is there."""
    radio, valid = view.radio, view.image.valid
    points = view.camera.back_project(view.image.depth)
    places = np.array([t.position for t in TRANSMITTERS])[:, None, None]
    delay = np.linalg.norm(points - places, axis=-1) / SPEED_OF_LIGHT
    nan = np.where(valid, 0.0, np.nan) * delay
    gain = np.where(valid, PATH_GAIN_FLOOR_DB, np.nan) + np.zeros((5, *delay.shape))
    gain[MECHANISMS.index("line of sight")] = radio.path_gain_db
    second = np.full_like(delay, np.nan)
    angles = np.stack([np.stack([nan, nan], -1), np.full((*delay.shape, 2), np.nan)], -2)
    amplitude = np.zeros((*delay.shape, 2, 2), np.complex64)
    amplitude[..., 0, 0] = np.where(valid, 10 ** (np.nan_to_num(radio.path_gain_db) / 20), 0)
    layers = {
        "mechanism_gain_db": gain,
        "search_recall": np.full(len(delay), 0.9),
        "num_paths": np.broadcast_to(valid, delay.shape),
        "coherent_gain_db": radio.path_gain_db,
        "mean_delay_s": delay,
        "delay_spread_s": nan,
        "rician_k_db": np.where(np.isnan(nan), np.nan, np.inf),
        "departure_spread_deg": nan,
        "arrival_spread_deg": nan,
        "path_amplitude": amplitude,
        "path_delay_s": np.stack([delay, second], axis=-1),
        "path_departure_deg": angles,
        "path_arrival_deg": angles,
        "path_events": np.full((*delay.shape, 2, 3), -1),
    }
    assert list(layers) == list(PATH_LAYERS)
    cast = {name: a.astype(PATH_LAYERS[name].dtype) for name, a in layers.items()}
    return replace(view, radio=replace(radio, **cast))


def changed(view, name, *index_and_value):
    *index, value = index_and_value
    array = getattr(view.radio, name).copy()
    array[tuple(index)] = value
    return replace(view, radio=replace(view.radio, **{name: array}))


def test_layers_of_paths_are_read_as_they_were_written(tmp_path, view, write):
    written = with_paths(view)
    sample = store.read_view(write(tmp_path / "v", written))
    for name in PATH_LAYERS:
        np.testing.assert_array_equal(
            getattr(sample.radio, name), getattr(written.radio, name), err_msg=name
        )
    assert store.path_layers(tmp_path / "v") == tuple(PATH_LAYERS)
    assert verify(tmp_path).problems == ()


def test_a_solver_that_knows_no_paths_writes_none(tmp_path, view, write):
    sample = store.read_view(write(tmp_path / "v", view))
    assert not any(getattr(sample.radio, name) is not None for name in PATH_LAYERS)
    assert store.path_layers(tmp_path / "v") == ()


# Row 20 sees the ground, row 0 the sky. Each pixel has one path, the direct one.
DAMAGE = [
    ("mechanism_gain_db", (0, 1, 20, 3, -80.0), "does not sum to the path gain"),
    ("mechanism_gain_db", (4, 1, 20, 3, -60.0), "does not sum to the path gain"),
    ("mechanism_gain_db", (2, 1, 20, 3, np.nan), "NaN exactly in the sky is broken"),
    ("mechanism_gain_db", (2, 1, 0, 3, -250.0), "NaN exactly in the sky is broken"),
    ("num_paths", (1, 20, 3, 0), "none, though there is power"),
    ("coherent_gain_db", (1, 20, 3, -20.0), "more than all paths in phase add up to"),
    ("coherent_gain_db", (1, 20, 3, np.inf), "infinite"),
    ("mean_delay_s", (1, 20, 3, np.nan), "NaN exactly where there is no path is broken"),
    ("mean_delay_s", (1, 0, 3, 1e-7), "NaN exactly where there is no path is broken"),
    ("mean_delay_s", (1, 20, 3, 1e-9), "earlier than the straight line"),
    ("delay_spread_s", (1, 20, 3, np.nan), "NaN exactly where there is no path is broken"),
    ("rician_k_db", (1, 0, 3, 3.0), "NaN exactly where there is no path is broken"),
    ("path_delay_s", (1, 20, 3, 0, 1e-9), "earlier than the straight line"),
    ("path_delay_s", (1, 20, 3, 1, 1e-6), "NaN exactly where there is no path is broken"),
    ("path_arrival_deg", (1, 20, 3, 0, 1, np.nan), "NaN exactly where there is no path"),
]


@pytest.mark.parametrize(("layer", "change", "message"), DAMAGE)
def test_one_wrong_pixel_is_found(tmp_path, view, write, layer, change, message):
    write(tmp_path / "v", changed(with_paths(view), layer, *change))
    found = [p for p in verify(tmp_path).problems if p.layer == layer and message in p.message]
    assert len(found) == 1
    assert (found[0].view, found[0].count) == ("v", 1)
    assert found[0].first in ((1, 20, 3), (1, 0, 3))


def test_power_that_the_floor_hides_in_its_parts_is_no_problem(tmp_path, view, write):
    """Four mechanisms just below the floor are one gain just above it."""
    known = with_paths(view)
    gain = known.radio.mechanism_gain_db.copy()
    gain[:, 1, 20] = PATH_GAIN_FLOOR_DB
    shifted = known.radio.path_gain_db.copy()
    shifted[1, 20] = -245.0
    radio = replace(
        known.radio,
        mechanism_gain_db=gain,
        path_gain_db=shifted,
        coherent_gain_db=np.minimum(shifted, known.radio.coherent_gain_db),
    )
    write(tmp_path / "v", replace(known, radio=radio))
    layers = {p.layer for p in verify(tmp_path).problems}
    assert not layers & PATH_LAYERS.keys()


def test_a_recall_beyond_all_is_found(tmp_path, view, write):
    write(tmp_path / "v", changed(with_paths(view), "search_recall", 1, 1.5))
    assert [p.layer for p in verify(tmp_path).problems] == ["search_recall"]


def test_wrong_pixels_of_mechanisms_are_drawn(tmp_path, view, write):
    write(
        tmp_path / "views" / "v", changed(with_paths(view), "mechanism_gain_db", 0, 1, 20, 3, -40)
    )
    verify(tmp_path / "views", pictures=tmp_path / "pictures")
    names = {path.name for path in (tmp_path / "pictures").iterdir()}
    assert names == {"v-gate-mechanism_gain_db.png"}


@pytest.mark.parametrize(
    ("layer", "array", "message"),
    [
        ("num_paths", np.ones((2, 24, 32), np.int32), "is int32(2, 24, 32), not uint16(2, 24, 32)"),
        ("mechanism_gain_db", np.ones((4, 2, 24, 32), np.float32), "not float32(5, 2, 24, 32)"),
        ("path_delay_s", np.ones((2, 24, 32, 3), np.float32), "not float32(2, 24, 32, 2)"),
        ("path_delay_s", np.ones((2, 24, 32), np.float32), "is float32(2, 24, 32), not float32"),
    ],
)
def test_another_dtype_or_shape_is_found(tmp_path, view, write, layer, array, message):
    wrong = with_paths(view)
    write(tmp_path / "v", replace(wrong, radio=replace(wrong.radio, **{layer: array})))
    found = [p for p in verify(tmp_path).problems if p.layer == layer]
    assert [message in p.message for p in found] == [True]


def rewritten(dataset, bundle, names):
    spec, places = DatasetSpec(name="plain"), TRANSMITTERS
    write_manifest(dataset, make_manifest(dataset, spec, bundle, places, names))
    return open_dataset(dataset)


def test_a_dataset_describes_the_layers_that_all_its_views_have(dataset, bundle, view, write):
    folders = [dataset / VIEWS / name for name in ("000000", "000001")]
    for folder in folders:
        write(folder, with_paths(replace(view, camera=store.read_record(folder).camera)))
    names = [folder.name for folder in folders]
    layers = rewritten(dataset, bundle, names).manifest.layers
    assert layers["path_events"]["axes"] == "transmitter height width path event"
    assert layers["mechanism_gain_db"]["file"] == "radio.npz"
    write(folders[1], replace(view, camera=store.read_record(folders[1]).camera))
    rewritten(dataset, bundle, names)
    problems = [(p.view, p.message) for p in verify(dataset).problems if p.layer == "radio.npz"]
    assert problems == [("000001", "has other layers than the manifest describes")]


def test_stored_paths_are_part_of_a_view(tmp_path, view, write):
    folder = write(tmp_path / "v", view)
    record = store.read_record(folder)
    store.add_radio(folder, record, view.image, view.radio, paths=PATHS)
    record = store.read_record(folder)
    assert store.PATHS_NPZ in record.files
    arrays = store.read_arrays(folder / store.PATHS_NPZ)
    assert arrays.keys() == PATHS.keys()
    other = tmp_path / "relabelled" / "v"
    store.relabel_view(folder, other, record, view.image, with_paths(view).radio)
    assert (other / store.PATHS_NPZ).samefile(folder / store.PATHS_NPZ)
    assert store.path_layers(other) == tuple(PATH_LAYERS)
    assert store.path_layers(folder) == ()
    assert verify(other.parent).problems == ()
    store.add_radio(folder, record, view.image, view.radio)  # a trace that keeps none
    assert not (folder / store.PATHS_NPZ).exists()
    assert store.PATHS_NPZ not in store.read_record(folder).files
    (other / store.PATHS_NPZ).write_bytes(b"")
    found = [(p.layer, p.message) for p in verify(other.parent).problems]
    assert found == [(store.PATHS_NPZ, "was changed: another SHA-256")]


def test_what_is_left_out_is_the_remainder(tmp_path, view, write):
    """Half of the power of one transmitter is counted, and all of some pixels of the other."""
    known = with_paths(view)
    gain = known.radio.mechanism_gain_db.copy()
    direct, counted = MECHANISMS.index("line of sight"), MECHANISMS.index("remainder")
    gain[[direct, counted], 0] = gain[direct, 0] - 10 * np.log10(2)
    gain[counted, 1, 20] = gain[direct, 1, 20]
    gain[direct, 1, 20] = PATH_GAIN_FLOOR_DB
    layers = {"mechanism_gain_db": gain, "coherent_gain_db": gain[direct]}
    mixed = replace(known, radio=replace(known.radio, **layers))
    write(tmp_path / "v", mixed)
    assert verify(tmp_path).problems == ()
    left = what_is_left_out(read_views(tmp_path))
    linear = 10 ** (np.nan_to_num(view.radio.path_gain_db, nan=-999.0) / 10)
    share = (linear[0].sum() / 2 + linear[1, 20].sum()) / linear.sum()
    reached = view.radio.reached.sum()
    assert left.power_share == pytest.approx(share, rel=1e-4)
    assert left.lost_share == pytest.approx(32 / reached)
    assert left.median_db in (0.0, pytest.approx(3.01, abs=0.01))
    write(tmp_path / "v", view)
    assert what_is_left_out(read_views(tmp_path)).power_share == 0.0


def test_a_manifest_says_what_a_dataset_was_made_from(dataset, bundle):
    told = {"name": "plain", "content_hash": "0" * 64, "changes": {}, "left_out": None}
    manifest = make_manifest(
        dataset,
        DatasetSpec(name="plain"),
        bundle,
        TRANSMITTERS,
        ["000000", "000001"],
        relabelled=told,
    )
    write_manifest(dataset, manifest)
    assert open_dataset(dataset).manifest.relabelled == told
    assert verify(dataset).problems == ()


def test_a_manifest_from_before_relabelling_is_read(dataset):
    path = dataset / "dataset.json"
    record = json.loads(path.read_text())
    del record["relabelled"]
    path.write_text(json.dumps(record))
    assert open_dataset(dataset).manifest.relabelled is None
    assert verify(dataset).problems == ()
