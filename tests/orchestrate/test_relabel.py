"""Relabelled datasets: right, as if traced anew, resumable, and refused where tracing is needed."""

import json
import shutil

import numpy as np
import pytest
import yaml

import vasgen.datasets
from tests.support import street_canyon
from vasgen.antenna import ANTENNAS
from vasgen.bundle import SceneBundle
from vasgen.datasets import store
from vasgen.errors import InputError, StorageError
from vasgen.layers import MECHANISMS, PATH_LAYERS, RADIO_LAYERS
from vasgen.orchestrate import build
from vasgen.orchestrate.changes import apply_changes
from vasgen.orchestrate.relabel import relabel
from vasgen.raycast import RayCaster
from vasgen.spec import parse_spec, spec_from_yaml
from vasgen.transmitter import Transmitter
from vasgen.vas import Tracer, View

REMAINDER = MECHANISMS.index("remainder")
EVERYTHING = {
    "radio": {"frequency_hz": 28e9, "bandwidth_hz": 1e8},
    "transmitters": {
        "antennas": ["8x4"],
        "orientation_deg": [30, 10, 0],
        "power_dbm": 41.0,
    },
    "materials": {"brick": "metal", "glass": {"thickness_m": 0.01}},
}
LOUDER = {"transmitters": {"power_dbm": 44.0}, "radio": {"noise_figure_db": 6.0}}


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """A dataset with stored paths, of two transmitters of different power; tests only read it."""
    folder = tmp_path_factory.mktemp("stored")
    street_canyon().save(folder / "canyon")
    transmitters = [
        {"name": "mast", "position": [-14, 2, 25], "power_dbm": 40},
        {"name": "agent", "position": [12, 3, 1.6], "context": "canyon"},
    ]
    (folder / "transmitters.json").write_text(json.dumps(transmitters))
    spec = parse_spec(
        {
            "name": "canyon",
            "scene": {"source": str(folder / "canyon")},
            "views": {"count": 2, "width": 48, "height": 36, "altitude_m": [15, 40]},
            "transmitters": {"file": str(folder / "transmitters.json")},
            "radio": {
                "solver": "closed-form",
                "store_paths": True,
                "strongest_paths": 2,
                "reflections": 2,
                "search_rays": 50_000,
                "rays": 20_000,
                "chunks": 2,
                "max_depth": 4,
            },
            "render": {"samples_per_pixel": 1},
        }
    )
    build(spec, folder / "dataset")
    return folder / "dataset"


@pytest.fixture(scope="module")
def relabelled(stored):
    out = stored.parent / "relabelled"
    relabel(stored, out, EVERYTHING)
    return out


@pytest.fixture(autouse=True)
def no_pictures(monkeypatch):
    """Pictures of a whole dataset take longer than all the rest."""
    for name in ("relabel.draw_transmitters", "relabel.draw_change", "patterns.draw_patterns"):
        monkeypatch.setattr(f"vasgen.orchestrate.{name}", lambda *rest: None)


def contents(folder):
    """Every file of a folder with its bytes, but for pictures of the whole."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not (path.parent == folder and path.suffix == ".png")
    }


def layers_differ(one, other, names):
    return [n for n in names if not np.array_equal(getattr(one, n), getattr(other, n), True)]


def test_a_dataset_with_stored_paths_is_right(stored):
    assert vasgen.datasets.verify(stored, sight=RayCaster).problems == ()
    dataset = vasgen.datasets.open(stored)
    assert dataset.manifest.relabelled is None
    assert PATH_LAYERS.keys() < dataset.manifest.layers.keys()
    assert store.PATHS_NPZ in dataset.record(0).files
    assert sum(int(sample.radio.num_paths.sum()) for sample in dataset) > 1000


def test_a_relabelled_dataset_is_right_and_says_what_it_is(stored, relabelled):
    assert vasgen.datasets.verify(relabelled, sight=RayCaster).problems == ()
    before, after = vasgen.datasets.open(stored), vasgen.datasets.open(relabelled)
    told = after.manifest.relabelled
    assert (told["name"], told["content_hash"]) == ("canyon", before.manifest.content_hash)
    assert sorted(told["changes"]) == [
        "materials.brick",
        "materials.glass",
        "radio.bandwidth_hz",
        "radio.frequency_hz",
        "transmitters.antennas",
        "transmitters.orientation_deg",
        "transmitters.power_dbm",
    ]
    assert told["changes"]["radio.frequency_hz"] == [3.5e9, 28e9]
    assert "relabelled from canyon" in after.manifest.notes[0]
    assert after.manifest.scene["content_hash"] != before.manifest.scene["content_hash"]
    for old, new in zip(before, after, strict=True):
        assert [t.name for t in new.transmitters] == ["mast", "agent"]
        assert [t.context for t in new.transmitters] == ["given", "canyon"]
        assert {t.power_dbm for t in new.transmitters} == {41.0}
        assert {t.antenna for t in new.transmitters} == {ANTENNAS["8x4"]}
        np.testing.assert_array_equal(old.image.rgb, new.image.rgb)
        assert (new.radio.rays == 0).all()
        assert not (new.radio.mechanism_gain_db[REMAINDER] > -250).any()
    pictures = {path.name for path in relabelled.glob("*.png")}
    assert pictures == {"antennas.png", "transmitters.png", "relabel.png"}
    kept = {store.IMAGE_NPZ, store.PATHS_NPZ, store.RGB_PNG}
    assert {name: before.record(0).files[name] for name in kept} == {
        name: after.record(0).files[name] for name in kept
    }


def test_the_spec_of_a_relabelled_dataset_places_its_transmitters(relabelled):
    spec = spec_from_yaml((relabelled / "spec.yaml").read_text())
    assert spec.transmitters.file == "transmitters.json"
    records = json.loads((relabelled / "transmitters.json").read_text())
    assert [(r["name"], r["power_dbm"], r["antenna"]) for r in records] == [
        ("mast", 41.0, "8x4"),
        ("agent", 41.0, "8x4"),
    ]


def compare_with_fresh_trace(out, share=0.85):
    """Labels of a relabelled dataset against those of the paths of a new trace."""
    dataset = vasgen.datasets.open(out)
    radio = spec_from_yaml((out / "spec.yaml").read_text()).radio
    tracer, record = Tracer(SceneBundle.load(out / "scene"), radio), dataset.record(0)
    views = [View(s.camera, s.image.depth, s.image.normal) for s in dataset]
    traced = tracer.trace_views(views, record.transmitters, seed=record.seeds["radio"])
    for sample, fresh in zip(dataset, traced, strict=True):
        old, new = (known_db(layers) for layers in (sample.radio, fresh))
        strong = np.fmax(old, new) > -150
        # Which pixels get several points, and which paths are too weak to be kept, depends on
        # the settings of the trace: some labels differ by that.
        off = np.abs(old - new)[strong]
        assert np.median(off) < 0.1
        assert (off < 1.0).mean() > share
        total = [10 * np.log10((10 ** (level[strong] / 10)).sum()) for level in (old, new)]
        assert total[0] == pytest.approx(total[1], abs=0.1)
        assert (sample.radio.line_of_sight != fresh.line_of_sight).mean() < 0.02


def known_db(layers):
    return 10 * np.log10((10 ** (layers.mechanism_gain_db[:REMAINDER].astype(float) / 10)).sum(0))


def test_labels_are_those_of_a_fresh_trace(relabelled):
    compare_with_fresh_trace(relabelled)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changes", "share"),
    [
        ({"radio": {"frequency_hz": 10e9}}, 0.9),
        ({"transmitters": {"antennas": ["4x4"], "orientation_deg": [70, 15, 5]}}, 0.88),
        ({"materials": {"brick": "metal"}}, 0.95),
        ({"materials": {"concrete": "glass"}}, 0.75),
    ],
    ids=["frequency", "antenna", "closed", "opened"],
)
def test_labels_of_one_change_are_those_of_a_fresh_trace(stored, tmp_path, changes, share):
    notes = relabel(stored, tmp_path / "out", changes).notes
    compare_with_fresh_trace(tmp_path / "out", share)
    opened = [note for note in notes if "slab of concrete takes" in note]
    assert len(opened) == ("concrete" in changes.get("materials", {}))


def test_there_and_back_are_the_labels_of_the_trace(stored, tmp_path):
    relabel(stored, tmp_path / "there", {"radio": {"frequency_hz": 60e9}})
    relabel(tmp_path / "there", tmp_path / "back", {"radio": {"frequency_hz": 3.5e9}})
    before, after = vasgen.datasets.open(stored), vasgen.datasets.open(tmp_path / "back")
    for old, new in zip(before, after, strict=True):
        known = (layers.mechanism_gain_db[:REMAINDER] for layers in (old.radio, new.radio))
        np.testing.assert_allclose(*known, atol=2e-5)
        for name in PATH_LAYERS.keys() - {"mechanism_gain_db"}:
            np.testing.assert_allclose(
                getattr(old.radio, name), getattr(new.radio, name), rtol=1e-5, atol=1e-4
            )
        np.testing.assert_array_equal(old.radio.line_of_sight, new.radio.line_of_sight)


def test_what_is_left_out_is_what_was_counted(stored, tmp_path):
    told = relabel(stored, tmp_path / "out", {"radio": {"frequency_hz": 5e9}}).left_out
    gains, losses = np.zeros(len(MECHANISMS)), []
    for sample in vasgen.datasets.open(stored):
        level = sample.radio.mechanism_gain_db[:, sample.radio.reached].astype(float)
        linear = np.where(level > -250, 10 ** (level / 10), 0)
        gains += linear.sum(axis=1)
        with np.errstate(divide="ignore"):
            losses.append(10 * np.log10(linear.sum(axis=0) / linear[:REMAINDER].sum(axis=0)))
    losses = np.concatenate(losses)
    assert told.power_share == pytest.approx(gains[REMAINDER] / gains.sum(), rel=1e-3)
    assert told.median_db == pytest.approx(np.median(losses), abs=0.01)
    assert told.lost_share == pytest.approx(np.isinf(losses).mean())
    assert 0 < told.power_share < 1
    assert (
        "left out, since it was counted" in vasgen.datasets.open(tmp_path / "out").manifest.notes[1]
    )


def test_power_and_noise_keep_what_was_counted(stored, tmp_path):
    done = relabel(stored, tmp_path / "out", LOUDER)
    assert done.left_out is None
    assert vasgen.datasets.verify(tmp_path / "out", sight=RayCaster).problems == ()
    for old, new in zip(
        vasgen.datasets.open(stored), vasgen.datasets.open(tmp_path / "out"), strict=True
    ):
        names = {*RADIO_LAYERS, *PATH_LAYERS}
        budget = ["best_server", "rss_dbm", "sinr_db"]
        changed = layers_differ(old.radio, new.radio, names)
        assert set(budget[1:]) <= set(changed) <= set(budget)
        rise = (new.radio.rss_dbm - old.radio.rss_dbm)[:, old.image.valid]
        np.testing.assert_allclose(rise.T, np.broadcast_to([4.0, 14.0], rise.T.shape), atol=1e-4)


def test_power_can_change_without_stored_paths_but_antennas_cannot(built, tmp_path):
    assert relabel(built, tmp_path / "out", LOUDER).made == 3
    assert vasgen.datasets.verify(tmp_path / "out").problems == ()
    with pytest.raises(InputError, match=r"no stored paths.*with radio\.store_paths: true"):
        relabel(built, tmp_path / "other", {"transmitters": {"antennas": ["8x4"]}})
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({}, "nothing would change: these are the settings of the dataset. Without"),
        ({"radio": {"frequency_hz": 3.5e9}}, "nothing would change"),
        ({"radio": {"reflections": 3}}, "radio.reflections cannot change without tracing"),
        ({"transmitters": {"positions": [[0, 0, 2]]}}, "give either positions or file"),
        ({"views": {"count": 3}}, "views cannot change without tracing: build the dataset anew"),
        ({"radio": {"frequency_hz": 3e11}}, "radio.frequency_hz is 300000000000.0"),
        ({"radio": {"frequncy_hz": 28e9}}, "did you mean 'frequency_hz'?"),
        ({"radio": 28e9}, "radio must hold keys and values, not 28000000000.0"),
        ({"materials": {"bricks": "metal"}}, "radio material is 'bricks'; allowed: brick, concr"),
        ({"materials": {"brick": "gold"}}, "which ITU-R P.2040 does not list"),
        ({"materials": {"brick": 7}}, "'brick' is 7; expected an ITU type, or keys"),
        ({"materials": {"brick": {"thick": 7}}}, "Did you mean 'thickness_m'?"),
        ({"materials": {"brick": {"thickness_m": "7"}}}, "thickness_m is '7'; expected a number"),
        ({"materials": {"brick": {"thickness_m": -1}}}, "thickness_m is -1; allowed: 0 or more"),
        ({"materials": {"brick": {"relative_permittivity": 5}}}, "give both"),
        (
            {"radio": {"frequency_hz": 28e9, "undefined_materials": "refuse"}},
            "ITU-R P.2040 defines 'very_dry_ground'",
        ),
    ],
)
def test_what_cannot_change_is_refused_and_leaves_nothing(stored, tmp_path, changes, message):
    with pytest.raises(InputError) as caught:
        relabel(stored, tmp_path / "out", changes)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_folders_of_others_are_refused(stored, relabelled, tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    for out in (tmp_path, relabelled):
        with pytest.raises(InputError, match="holds something else than this relabelling"):
            relabel(stored, out, LOUDER)
    for out in (stored, stored / "views", stored.parent):
        with pytest.raises(InputError, match="lie in each other"):
            relabel(stored, out, LOUDER)
    assert contents(tmp_path) == {"thesis.tex": b"years of work"}


def test_an_interrupted_run_goes_on_and_ends_the_same(stored, relabelled, tmp_path, monkeypatch):
    write, out = store.relabel_view, tmp_path / "out"

    def stop(folder, *rest):
        if folder.name == "000001":
            raise KeyboardInterrupt
        write(folder, *rest)

    monkeypatch.setattr(store, "relabel_view", stop)
    with pytest.raises(KeyboardInterrupt):
        relabel(stored, out, EVERYTHING)
    assert [path.name for path in (out / "views").iterdir()] == ["000000"]
    assert not (out / "dataset.json").exists()
    kept = (out / "views" / "000000").stat().st_mtime_ns
    monkeypatch.undo()
    assert relabel(stored, out, EVERYTHING).made == 1
    assert (out / "views" / "000000").stat().st_mtime_ns == kept
    assert contents(out) == contents(relabelled)
    assert relabel(stored, out, EVERYTHING).made == 0
    (out / "views" / "000001" / store.RADIO_NPZ).write_bytes(b"")
    assert relabel(stored, out, EVERYTHING).made == 1
    assert contents(out) == contents(relabelled)


def test_a_damaged_dataset_is_not_passed_on(stored, tmp_path):
    shutil.copytree(stored, tmp_path / "damaged")
    paths = tmp_path / "damaged" / "views" / "000001" / store.PATHS_NPZ
    paths.write_bytes(paths.read_bytes()[:-9])
    problems = vasgen.datasets.verify(tmp_path / "damaged").problems
    assert [(p.view, p.layer) for p in problems] == [("000001", store.PATHS_NPZ)]
    with pytest.raises(StorageError, match=r"000001 is damaged \(paths\.npz\)"):
        relabel(tmp_path / "damaged", tmp_path / "out", EVERYTHING)
    assert [path.name for path in (tmp_path / "out" / "views").iterdir()] == ["000000"]


def test_antennas_and_groups_are_dealt_in_turn_as_in_a_build():
    scene = street_canyon()
    spec = parse_spec({"transmitters": {"positions": [[0, 0, 9]] * 3}})
    placed = [Transmitter(f"tx-{n}", (0.0, 0.0, 9.0)) for n in range(3)]
    text = "transmitters: {antennas: [siso, 8x4], groups: 2}"
    changed = apply_changes(yaml.safe_load(text), spec, placed, scene)
    assert [t.group for t in changed.transmitters] == [0, 1, 0]
    assert [t.antenna.num_ports for t in changed.transmitters] == [1, 32, 1]
    assert changed.fields
    assert changed.spec.transmitters.groups == 2
