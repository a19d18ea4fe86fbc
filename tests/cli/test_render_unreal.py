"""``vasgen render --backend unreal``: views by a running Unreal, and what may be wrong."""

import socket

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from tests.render.unreal_server import UnrealServer, require_client
from vasgen.camera import Camera
from vasgen.cli import app
from vasgen.orchestrate import Pose, write_track
from vasgen.scenes import open_scene

require_client()

VIEW = ["--position", "0,-20,12", "--target", "0,0,2", "--width", "32", "--height", "24"]


def run(*arguments):
    return CliRunner().invoke(app, ["render", "sionna:box", *VIEW, *map(str, arguments)])


@pytest.fixture(scope="module")
def server():
    with UnrealServer(open_scene("sionna:box")) as running:
        yield running


def test_a_view_by_unreal_is_that_of_mitsuba(tmp_path, server):
    theirs, ours = tmp_path / "unreal", tmp_path / "mitsuba"
    made = run("--out", theirs, "--backend", "unreal", "--unreal", server.address)
    assert made.exit_code == 0, made.output
    assert "1" in made.output
    assert run("--out", ours).exit_code == 0
    with (
        np.load(theirs / "000000" / "image.npz") as unreal,
        np.load(ours / "000000" / "image.npz") as mitsuba,
    ):
        assert set(unreal) == set(mitsuba)
        for name in unreal:
            np.testing.assert_array_equal(unreal[name], mitsuba[name], err_msg=name)
    pictures = [np.asarray(Image.open(f / "000000" / "rgb.png"), int) for f in (theirs, ours)]
    assert np.abs(pictures[0] - pictures[1]).mean() < 8  # four samples a pixel, and the noise


def test_a_video_by_unreal(tmp_path, server):
    camera = Camera.look_at((0, -20, 12), (0, 0, 2), width=32, height=24)
    write_track(tmp_path / "poses.json", [Pose(camera, 0.0, (3.0, 0.0, 0.0))])
    before = len(server.asked)
    command = ["video", "sionna:box", str(tmp_path / "poses.json"), "--backend", "unreal"]
    out = ["--unreal", server.address, "--out", str(tmp_path / "v.mp4")]
    made = CliRunner().invoke(app, command + out)
    assert made.exit_code == 0, made.output
    assert (tmp_path / "v.mp4").is_file()
    assert any("lit" in command for command in server.asked[before:])


def test_the_environment_names_the_server(tmp_path, server, monkeypatch):
    monkeypatch.setenv("VASGEN_UNREAL", server.address)
    assert run("--out", tmp_path / "v", "--backend", "unreal").exit_code == 0


def test_nobody_answers(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    result = run("--out", tmp_path / "v", "--backend", "unreal", "--unreal", f"127.0.0.1:{port}")
    assert result.exit_code == 2
    assert "Traceback" not in result.stderr
    assert f"vasgen: no Unreal at 127.0.0.1:{port}: Connection refused; start a" in result.stderr
    assert not (tmp_path / "v" / "000000").exists()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--unreal", "9000"], "--unreal and --unreal-far need --backend unreal."),
        (["--unreal-far", "sky"], "--unreal and --unreal-far need --backend unreal."),
        (["--backend", "unreal", "--no-rgb"], "--no-rgb draws no pictures, and nothing else"),
        (["--backend", "unreal", "--unreal", "x:y"], "Unreal's address is 'x:y'; allowed: HOST:"),
    ],
)
def test_options_that_make_no_sense(tmp_path, options, told):
    result = run("--out", tmp_path / "v", *options)
    assert result.exit_code == 2
    assert told in result.stderr


def test_an_unknown_backend(tmp_path):
    result = run("--out", tmp_path / "v", "--backend", "blender")
    assert result.exit_code == 2
    assert result.stderr == "vasgen: --backend is 'blender'; allowed: mitsuba, unreal.\n"
