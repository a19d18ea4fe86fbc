"""``vasgen fly`` and ``vasgen video``, and the kinds of ``vasgen plan``."""

import json

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from tests.orchestrate.test_video import decoded
from tests.support import street_canyon
from vasgen import orchestrate
from vasgen.cli import app
from vasgen.orchestrate import read_poses, read_track, write_poses
from vasgen.spec import parse_render


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A scene and a drive through it."""
    made = tmp_path_factory.mktemp("fly")
    street_canyon().save(made / "scene")
    options = ("--kind", "street", "--seconds", 1, "--fps", 4, "--speed-m-s", 5)
    size = ("--width", 32, "--height", 24, "--fov", 60, "--out", made / "drive.json")
    result = run("fly", made / "scene", *options, *size)
    assert result.exit_code == 0, (result.output, result.exception)
    assert "4 in 1 s" in result.stdout
    assert "0.75 m or more" in result.stdout
    assert f"vasgen video {made / 'scene'} {made / 'drive.json'}" in result.stdout
    return made


def test_a_drive_is_poses_with_times_and_a_map(folder):
    track = read_track(folder / "drive.json")
    assert [pose.time_s for pose in track] == [0.0, 0.25, 0.5, 0.75]
    assert (track[0].camera.width, track[0].camera.height) == (32, 24)
    assert all(0 < np.linalg.norm(pose.velocity_m_s) < 5 + 1e-9 for pose in track)
    with Image.open(folder / "drive.png") as picture:
        assert picture.width == 1600


def test_a_flight_takes_its_heights(folder, tmp_path):
    out = tmp_path / "flight.json"
    options = ("--seconds", 1, "--fps", 2, "--altitude-m", "30,40", "--clearance-m", 3)
    result = run("fly", folder / "scene", *options, "--acceleration-m-s2", 2, "--out", out)
    assert result.exit_code == 0, (result.output, result.exception)
    assert all(29 < camera.position[2] < 45 for camera in read_poses(out))


def test_other_commands_read_the_poses_of_a_drive(folder, tmp_path):
    command = ("render", folder / "scene", "--poses", folder / "drive.json", "--no-rgb")
    result = run(*command, "--out", tmp_path / "views")
    assert result.exit_code == 0, (result.output, result.exception)
    assert len(list((tmp_path / "views").glob("0*"))) == 4


def test_a_video_is_made(folder, tmp_path):
    out = tmp_path / "depth.mp4"
    command = ("video", folder / "scene", folder / "drive.json", "--layer", "depth", "--out", out)
    result = run(*command, "--width", 24)
    assert result.exit_code == 0, (result.output, result.exception)
    assert result.stderr.splitlines() == [
        "Loading the scene",
        "Drawing 4 frames",
        "Encoding the video",
    ]
    assert decoded(out)[1]["size"] == (24, 18)
    assert [path.name for path in tmp_path.iterdir()] == ["depth.mp4"]


def test_a_video_of_a_foggy_night_is_darker(folder, tmp_path):
    bright = []
    for name, options in (("day", []), ("night", ["--sun-elevation-deg", -12, "--lamps", "off"])):
        out = tmp_path / f"{name}.mp4"
        command = ("video", folder / "scene", folder / "drive.json", "--width", 24, "--samples", 1)
        result = run(*command, "--visibility-m", 200, *options, "--out", out)
        assert result.exit_code == 0, (result.output, result.exception)
        bright.append(decoded(out)[0].mean())
    assert bright[1] < 0.6 * bright[0]


SUN = {
    "samples_per_pixel": ("--samples", 3),
    "sun_elevation_deg": ("--sun-elevation-deg", -5.0),
    "sun_azimuth_deg": ("--sun-azimuth-deg", 90.0),
    "turbidity": ("--turbidity", 6.0),
    "cloud_cover": ("--cloud-cover", 0.5),
    "cloud_pattern": ("--cloud-pattern", 3),
    "visibility_m": ("--visibility-m", 300.0),
    "lamps": ("--lamps", "on"),
    "shutter_s": ("--shutter-s", 0.02),
    "exposure_ev": ("--exposure-ev", 1.0),
}
CLOCK = {
    "latitude_deg": ("--latitude", 48.0),
    "date": ("--date", "2026-06-21"),
    "hour": ("--hour", 21.0),
    "speed_m_s": ("--speed-m-s", 3.0),
    "turn_deg_s": ("--turn-deg-s", 15.0),
    "shutter_s": ("--shutter-s", 0.1),
}
UNREAL = {
    "backend": ("--backend", "unreal"),
    "unreal_far": ("--unreal-far", "sky"),
}


@pytest.mark.parametrize("options", [SUN, CLOCK, UNREAL], ids=["sun", "clock", "unreal"])
@pytest.mark.parametrize("command", ["render", "video"])
def test_pictures_have_the_same_options_everywhere(folder, monkeypatch, command, options):
    asked = []

    def draw(*args, **given):
        asked.append(given)
        return 4

    monkeypatch.setattr(orchestrate, "render_views", draw)
    monkeypatch.setattr(orchestrate, "make_video", draw)
    poses = ["--poses"] if command == "render" else []
    words = [word for option in options.values() for word in option]
    server = ["--unreal", "gpu1:9000"] if "backend" in options else []
    out = ["--out", "v.mp4", *words, *server]
    result = run(command, folder / "scene", *poses, folder / "drive.json", *out)
    assert result.exit_code == 0, (result.output, result.exception)
    assert asked[0]["spec"] == parse_render({key: value for key, (_, value) in options.items()})
    assert asked[0]["unreal"] == ("gpu1:9000" if server else None)


@pytest.mark.parametrize("kind", ["street", "pole"])
def test_plan_takes_a_kind_and_draws_a_map(folder, tmp_path, kind):
    out = tmp_path / "poses.json"
    result = run("plan", folder / "scene", "--kind", kind, "--count", 2, "--out", out)
    assert result.exit_code == 0, (result.output, result.exception)
    heights = [camera.position[2] for camera in read_poses(out)]
    low, high = (1.5, 2.5) if kind == "street" else (4.0, 8.0)
    assert all(low <= height <= high for height in heights)
    assert (tmp_path / "poses.png").is_file()


def test_plan_takes_heights_size_and_field_of_view(folder, tmp_path):
    out = tmp_path / "poses.json"
    size = ("--width", 40, "--height", 24, "--fov", 90)
    result = run(
        "plan", folder / "scene", "--altitude-m", "40,50", "--count", 2, *size, "--out", out
    )
    assert result.exit_code == 0, (result.output, result.exception)
    for camera in read_poses(out):
        assert 40 - 1e-6 <= camera.position[2] <= 50 + 1e-6  # above level ground
        assert (camera.width, camera.height) == (40, 24)
        assert camera.intrinsics[0, 0] == pytest.approx(20.0)  # half the width at 45 degrees


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["plan", "S", "--kind", "car"], "--kind is 'car'; allowed: uav, street, pole."),
        (["plan", "S", "--out", "p.txt"], "poses are a JSON file, not p.txt; give --out FILE.json"),
        (["fly", "S", "--kind", "pole"], "--kind is 'pole'; allowed: uav, street."),
        (["fly", "S", "--fps", "0"], "--fps is 0; allowed: 0.1 to 240."),
        (
            ["fly", "S", "--altitude-m", "9,2"],
            "--altitude-m is '9,2', from high to low; give the lower first: 2,9.",
        ),
        (
            ["plan", "S", "--altitude-m", "9,2"],
            "--altitude-m is '9,2', from high to low; give the lower first: 2,9.",
        ),
        (["plan", "S", "--altitude-m", "0,2"], "--altitude-m is '0,2'; allowed: more than 0."),
        (["plan", "S", "--altitude-m", "2,nan"], "--altitude-m is '2,nan'; allowed: more than 0."),
        (["plan", "S", "--width", "7"], "--width is 7; allowed: 8 to 8192."),
        (["plan", "S", "--fov", "170"], "--fov is 170; allowed: more than 1, less than 170."),
        (["fly", "S", "--altitude-m", "2,inf"], "--altitude-m is '2,inf'; allowed: 0.3 to 10000."),
        (["fly", "S", "--fov", "200"], "--fov is 200; allowed: more than 0, less than 180."),
        (["fly", "S", "--width", "99999"], "--width is 99999; allowed: 1 to 16384."),
        (["fly", "S", "--altitude-m", "3"], "--altitude-m is '3'; expected two numbers LOW,HIGH"),
        (
            ["fly", "S", "--kind", "street", "--clearance-m", "2"],
            "--clearance-m is 2.0; allowed: 0.05 to 1.35.",
        ),
        (
            ["video", "S", "none.json", "--out", "v.mp4"],
            "cannot read poses none.json: No such file",
        ),
        (["video", "S", "P", "--out", "v.avi"], "a video is an MP4 file, not v.avi"),
        (["video", "S", "P", "--out", "v.mp4", "--fps", "0"], "--fps is 0; allowed: 0.1 to 240."),
        (["video", "S", "P", "--out", "v.mp4", "--layer", "x"], "layer is 'x'; allowed: rgb,"),
        (
            ["video", "S", "P", "--out", "v.mp4", "--layer", "depth", "--samples", "4", "--hour"]
            + ["8"],
            "--layer depth draws no pictures, and nothing else depends on --samples, --hour: leave",
        ),
        (
            ["video", "S", "N", "--out", "v.mp4", "--shutter-s", "0.02"],
            "--shutter-s is 0.02, but no camera moves: give --speed-m-s or --turn-deg-s too, or",
        ),
        (
            ["render", "S", "--poses", "N", "--out", "v", "--shutter-s", "0.02"],
            "--shutter-s is 0.02, but no camera moves: give --speed-m-s or --turn-deg-s too, or",
        ),
        (
            ["video", "S", "P", "--out", "v.mp4", "--shutter-s", "0.02", "--speed-m-s", "3"],
            "--speed-m-s is 3.0, but the poses say how they move: leave it out.",
        ),
        (
            ["video", "S", "P", "--out", "v.mp4", "--shutter-s", "0.02", "--turn-deg-s", "3"],
            "--turn-deg-s is 3.0, but the poses say how they turn: leave it out.",
        ),
        (
            ["video", "S", "P", "--out", "v.mp4", "--unreal", "a:1"],
            "--unreal and --unreal-far need",
        ),
        (["video", "S", "E", "--out", "v.mp4"], "poses empty.json hold no cameras; expected"),
        (["video", "S", "B", "--out", "v.mp4"], "view 000000: camera at (-2.0, 22.0, 8.0) is insi"),
    ],
)
def test_what_is_wrong_is_one_line(folder, tmp_path, monkeypatch, arguments, line):
    monkeypatch.chdir(tmp_path)
    inside = json.loads((folder / "drive.json").read_text())["cameras"][:1]
    for row, value in zip(inside[0]["camera_to_world"], (-2.0, 22.0, 8.0), strict=False):
        row[3] = value
    (tmp_path / "empty.json").write_text('{"cameras": []}')
    (tmp_path / "inside.json").write_text(json.dumps({"cameras": inside}))
    write_poses(tmp_path / "still.json", read_poses(folder / "drive.json"))
    before = sorted(tmp_path.iterdir())
    names = {"S": folder / "scene", "P": folder / "drive.json", "E": "empty.json"}
    names |= {"B": "inside.json", "N": "still.json"}
    result = run(*(names.get(argument, argument) for argument in arguments))
    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1].removeprefix("vasgen: ").startswith(line)
    assert sorted(tmp_path.iterdir()) == before


def test_a_map_replaces_no_other_picture(folder, tmp_path):
    photo = tmp_path / "holiday.png"
    photo.write_bytes(b"photo")
    result = run("fly", folder / "scene", "--out", tmp_path / "holiday.json")
    assert result.exit_code == 2
    assert "holiday.png exists, and the map goes there" in result.stderr
    assert photo.read_bytes() == b"photo"
    notes = tmp_path / "notes.json"
    notes.write_text('{"my": "notes"}')
    assert run("plan", folder / "scene", "--out", notes).exit_code == 2
    assert notes.read_text() == '{"my": "notes"}'
