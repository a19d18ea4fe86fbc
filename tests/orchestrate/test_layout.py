"""A dataset folder belongs to one spec, and to one build at a time."""

import json
import os

import pytest

from vasgen.artefact import sha256_of
from vasgen.camera import Camera
from vasgen.errors import InputError, StorageError
from vasgen.orchestrate import build, layout, write_poses
from vasgen.spec import parse_spec, read_spec

SMALL = {
    "transmitters": {"positions": [[0, -20, 15]]},
    "radio": {"rays": 1000, "chunks": 2, "max_depth": 0, "diffraction": False},
    "render": {"samples_per_pixel": 1},
}


def poses(path, *sizes):
    eye, aim = (0, -20, 12), (0, 0, 2)
    write_poses(path, [Camera.look_at(eye, aim, width=w, height=h) for w, h in sizes])
    return path


def planned(out, spec):
    """A folder as a build leaves it once it has planned."""
    with layout.locked(out):
        assert layout.claim(out, spec)
        record = {"inputs": layout.input_hashes(spec)}
        (out / "plan.json").write_text(json.dumps(record))
    return out


def test_a_second_build_is_refused_before_the_folder_is_claimed(tmp_path, monkeypatch):
    out, spec, write = tmp_path / "out", parse_spec(SMALL), layout.atomic_file

    def meanwhile(path):
        monkeypatch.setattr(layout, "atomic_file", write)
        with pytest.raises(InputError, match="another vasgen build is writing"):
            build(spec, out)
        raise InputError("stop here")

    monkeypatch.setattr(layout, "atomic_file", meanwhile)
    with pytest.raises(InputError, match="stop here"):
        build(spec, out)
    assert list(tmp_path.iterdir()) == []


def test_a_lock_that_its_holder_deletes_keeps_no_one_out(tmp_path, monkeypatch):
    hold, held = layout._hold, []

    def last_holder_leaves(lock, out):
        if not held:
            (out / layout._LOCK).unlink()
        held.append(lock)
        hold(lock, out)

    monkeypatch.setattr(layout, "_hold", last_holder_leaves)
    with layout.locked(tmp_path / "out"):
        assert len(held) == 2
        there = (tmp_path / "out" / layout._LOCK).stat()
        assert os.path.samestat(os.fstat(held[1]), there)
        with (
            pytest.raises(InputError, match="another vasgen build"),
            layout.locked(tmp_path / "out"),
        ):
            pass
    assert list(tmp_path.iterdir()) == []


def test_the_lock_of_a_killed_build_is_free(tmp_path):
    (tmp_path / layout._LOCK).write_text("")
    with layout.locked(tmp_path):
        assert layout.claim(tmp_path, parse_spec(SMALL))


def test_the_same_spec_file_goes_on_from_elsewhere(tmp_path, monkeypatch):
    (tmp_path / "work").mkdir()
    poses(tmp_path / "work" / "poses.json", (16, 12))
    (tmp_path / "work" / "spec.yaml").write_text("views: {poses: poses.json}\n")
    monkeypatch.chdir(tmp_path / "work")
    out = planned(tmp_path / "out", read_spec("spec.yaml"))
    monkeypatch.chdir(tmp_path)
    assert not layout.claim(out, read_spec("work/spec.yaml"))


@pytest.mark.parametrize(
    ("key", "part"),
    [("views.poses", {"views": {"poses": "{}"}}), ("scene.source", {"scene": {"source": "{}"}})],
)
def test_other_content_is_refused_whatever_its_name(tmp_path, key, part):
    file, other = tmp_path / "a.xml", tmp_path / "b.xml"
    file.write_text("1")
    other.write_text("1")

    def spec(path):
        return parse_spec(json.loads(json.dumps(part).replace("{}", str(path))))

    out = planned(tmp_path / "out", spec(file))
    assert json.loads((out / "plan.json").read_text())["inputs"] == {key: sha256_of(file)}
    assert not layout.claim(out, spec(other))
    file.write_text("2")
    with pytest.raises(InputError, match=f"another spec: {key} held other content there than"):
        layout.claim(out, spec(file))
    file.unlink()
    assert not layout.claim(out, spec(file))  # not needed any more
    with pytest.raises(InputError, match=f"{key} is .* there and .*none.* here"):
        layout.claim(out, spec(tmp_path / "none.xml"))


def test_a_damaged_plan_is_one_line(tmp_path):
    out = planned(tmp_path / "out", parse_spec(SMALL))
    (out / "plan.json").write_text("[]")
    with pytest.raises(StorageError, match=r"plan\.json is damaged"):
        layout.claim(out, parse_spec(SMALL))


def test_nothing_depends_on_inputs_before_there_is_a_plan(tmp_path):
    first, second = (poses(tmp_path / f"{w}.json", (w, 12)) for w in (16, 24))
    out = tmp_path / "out"
    with layout.locked(out):
        layout.claim(out, parse_spec({"views": {"poses": str(first)}}))
        assert not layout.claim(out, parse_spec({"views": {"poses": str(second)}}))
        assert str(second) in (out / "spec.yaml").read_text()


def test_a_build_from_poses_says_their_sizes_and_keeps_their_content(tmp_path):
    path = poses(tmp_path / "poses.json", (16, 12), (24, 12))
    spec = parse_spec({**SMALL, "scene": {"source": "sionna:box"}, "views": {"poses": str(path)}})
    summary = build(spec, tmp_path / "out")
    assert summary.sizes == {(16, 12), (24, 12)}
    assert build(spec, tmp_path / "out").sizes == summary.sizes
    poses(path, (16, 12), (32, 12))
    with pytest.raises(InputError, match=r"views\.poses held other content there"):
        build(spec, tmp_path / "out")
