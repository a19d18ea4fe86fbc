"""Builds: resumable at any moment, the same however they are run, never half-written."""

import errno
import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import vasgen.datasets
from vasgen.datasets import store
from vasgen.errors import InputError, StorageError
from vasgen.orchestrate import build
from vasgen.orchestrate.view import ViewMaker
from vasgen.render_spec import RenderSpec


class Recorder:
    def __init__(self):
        self.steps = []

    def start(self, step, total):
        self.steps.append([step, total, 0.0])

    def advance(self, amount):
        self.steps[-1][2] += amount


def contents(folder):
    """Every file of a folder with its bytes."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_a_built_dataset_is_right(built):
    assert vasgen.datasets.verify(built).problems == ()
    dataset = vasgen.datasets.open(built)
    assert len(dataset) == 3
    for sample in dataset:
        assert sample.image.rgb.shape == (48, 64, 3)
        assert sample.radio.path_gain_db.shape == (2, 48, 64)
        assert sample.image.valid.mean() > 0.2
    lit = [sample.radio.line_of_sight.any() for sample in dataset]
    assert any(lit)
    assert not list(built.rglob(".*"))


def test_a_shutter_that_is_open_while_nothing_moves_is_refused(tiny_spec, tmp_path):
    still = tiny_spec.model_copy(update={"render": RenderSpec(shutter_s=0.02)})
    with pytest.raises(InputError, match=r"shutter_s is 0\.02, but no camera moves"):
        build(still, tmp_path / "out")


def test_a_finished_dataset_is_left_as_it_is(built, tiny_spec):
    before = {path: path.stat().st_mtime_ns for path in built.rglob("*")}
    summary = build(tiny_spec, built)
    assert (summary.views, summary.made, summary.transmitters) == (3, 0, 2)
    assert {path: path.stat().st_mtime_ns for path in built.rglob("*")} == before


def test_another_spec_is_refused(built, tiny_spec):
    radio = tiny_spec.radio.model_copy(update={"rays": 30_000})
    with pytest.raises(InputError) as caught:
        build(tiny_spec.model_copy(update={"radio": radio}), built)
    assert str(caught.value) == (
        f"{built} holds a dataset of another spec: radio.rays is 20000 there and 30000 here. "
        "Choose another --out, or delete that folder."
    )


def test_folders_of_others_are_refused(tmp_path, tiny_spec):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(InputError, match="is not empty and holds no dataset"):
        build(tiny_spec, tmp_path)
    with pytest.raises(InputError, match="is a file; choose a folder"):
        build(tiny_spec, tmp_path / "thesis.tex")
    assert contents(tmp_path) == {"thesis.tex": b"years of work"}
    with pytest.raises(InputError, match="workers is 0; allowed: 1 or more"):
        build(tiny_spec, tmp_path / "new", workers=0)


def test_a_resumed_build_makes_only_what_is_missing(built, tiny_spec, tmp_path):
    folder = tmp_path / "tiny"
    shutil.copytree(built, folder)
    (folder / "dataset.json").unlink()
    shutil.rmtree(folder / "views" / "000001")
    (folder / "views" / ".partial-000001-x").mkdir()
    damaged = folder / "views" / "000002" / store.RADIO_NPZ
    damaged.write_bytes(damaged.read_bytes()[:-1])
    recorder = Recorder()
    summary = build(tiny_spec, folder, progress=recorder)
    assert summary.made == 2
    assert contents(folder) == contents(built)
    step, total, done = recorder.steps[-1]
    assert step == "Rendering and tracing 2 views"
    assert total == 2
    assert done == pytest.approx(2)


def test_workers_make_the_same_dataset(built, tiny_spec, tmp_path):
    summary = build(tiny_spec, tmp_path / "tiny", workers=2)
    assert summary.made == 3
    assert contents(tmp_path / "tiny") == contents(built)


def test_a_killed_build_goes_on(built, tiny_spec, tmp_path):
    spec, folder = tmp_path / "spec.yaml", tmp_path / "tiny"
    spec.write_text(tiny_spec.to_yaml())
    command = [sys.executable, "-c", "from vasgen.cli import main; main()", "build"]
    process = subprocess.Popen([*command, spec, "--out", folder], stderr=subprocess.PIPE)
    first = folder / "views" / "000000"
    while not first.exists() and process.poll() is None:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert not (folder / "dataset.json").exists()
    with pytest.raises(InputError, match="is not finished"):
        vasgen.datasets.open(folder)
    kept = first.stat().st_mtime_ns
    summary = build(tiny_spec, folder)
    assert summary.made < 3
    assert first.stat().st_mtime_ns == kept
    assert contents(folder) == contents(built)


def test_a_full_disk_leaves_only_whole_views(tiny_spec, built, tmp_path, monkeypatch):
    write, calls = np.savez_compressed, []

    def full(path, **arrays):
        calls.append(path)
        if "path_gain_db" in arrays and len(calls) > 3:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        write(path, **arrays)

    monkeypatch.setattr(np, "savez_compressed", full)
    folder = tmp_path / "tiny"
    with pytest.raises(StorageError, match="the disk is full; free some space"):
        build(tiny_spec, folder)
    assert [path.name for path in (folder / "views").iterdir()] == ["000000"]
    monkeypatch.undo()
    assert build(tiny_spec, folder).made == 2
    assert contents(folder) == contents(built)


def test_a_spec_that_cannot_be_built_leaves_nothing(tiny_spec, tmp_path):
    views = tiny_spec.views.model_copy(update={"altitude_m": (5000.0, 5001.0)})
    with pytest.raises(InputError, match="Ask for fewer views"):
        build(tiny_spec.model_copy(update={"views": views}), tmp_path / "tiny")
    assert list(tmp_path.iterdir()) == []


def test_a_second_build_at_the_same_time_is_refused(tiny_spec, tmp_path, monkeypatch):
    folder = tmp_path / "tiny"

    def meanwhile(self, job, advance):
        with pytest.raises(InputError, match="another vasgen build is writing"):
            build(tiny_spec, folder)
        raise InputError("stop here")

    monkeypatch.setattr(ViewMaker, "make", meanwhile)
    with pytest.raises(InputError, match="stop here"):
        build(tiny_spec, folder)


def test_a_changed_plan_is_damage(built, tiny_spec, tmp_path):
    folder = tmp_path / "tiny"
    shutil.copytree(built, folder)
    (folder / "dataset.json").unlink()
    (folder / "plan.json").write_text("{}")
    with pytest.raises(StorageError, match=r"plan\.json is damaged"):
        build(tiny_spec, folder)


def test_a_finished_dataset_that_is_damaged_is_mended(built, tiny_spec, tmp_path):
    folder = tmp_path / "tiny"
    shutil.copytree(built, folder)
    (folder / "views" / "000000" / store.RGB_PNG).unlink()
    damaged = folder / "views" / "000002" / store.VIEW_JSON
    damaged.write_bytes(damaged.read_bytes() + b" ")
    kept = (folder / "views" / "000001").stat().st_mtime_ns
    assert build(tiny_spec, folder).made == 2
    assert contents(folder) == contents(built)
    assert (folder / "views" / "000001").stat().st_mtime_ns == kept


def test_a_damaged_manifest_is_written_anew(built, tiny_spec, tmp_path):
    folder = tmp_path / "tiny"
    shutil.copytree(built, folder)
    for damage in ("{", (built / "dataset.json").read_text().replace("30.0", "31.0")):
        (folder / "dataset.json").write_text(damage)
        assert build(tiny_spec, folder).made == 0
        assert contents(folder) == contents(built)


def test_a_damaged_scene_is_one_clear_line_and_can_be_made_anew(built, tiny_spec, tmp_path):
    folder = tmp_path / "tiny"
    shutil.copytree(built, folder)
    labels = folder / "scene" / "labels.npz"
    labels.write_bytes(labels.read_bytes()[:-9])
    with pytest.raises(StorageError, match=f"delete {folder}/scene and run the same command"):
        build(tiny_spec, folder)
    assert (folder / "dataset.json").exists()
    shutil.rmtree(folder / "scene")
    assert build(tiny_spec, folder).made == 0
    assert contents(folder) == contents(built)
