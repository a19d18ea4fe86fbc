"""Trajectories touch nothing, keep to their limits, and follow the seed."""

import json

import numpy as np
import pytest
from matplotlib import colormaps
from matplotlib.path import Path
from PIL import Image
from scipy.spatial import ConvexHull

from tests.orchestrate.places import blocks, crossing
from tests.orchestrate.test_clearance import independent
from tests.orchestrate.test_motion import turning_deg_s
from tests.support import box, bundle, street_canyon
from vasgen.camera import Camera
from vasgen.citygen import CityConfig, generate
from vasgen.errors import InputError
from vasgen.inside import inside_solid
from vasgen.orchestrate import (
    Pose,
    Trip,
    camera_map,
    draw_trajectory,
    plan_trajectory,
    read_poses,
    read_track,
    write_track,
)
from vasgen.orchestrate.ground import find_floor
from vasgen.raycast import RayCaster
from vasgen.semantics import BUILDING, SemanticClass

LOW = {"kind": "uav", "altitude_m": (6.0, 14.0), "clearance_m": 2.5}
DRIVE = {"kind": "street"}

#: A short street.
ROW = blocks((-30, 9, 30, 25), (-30, -25, 30, -9), half=35.0)


@pytest.fixture(scope="module")
def town():
    return generate(CityConfig(density="mix", seed=0, size_m=160.0)).to_bundle()


@pytest.mark.parametrize("trip", [LOW, DRIVE], ids=["uav", "street"])
@pytest.mark.parametrize("scene", [street_canyon(), crossing(24.0)], ids=["canyon", "crossing"])
@pytest.mark.parametrize("seed", [0, 1])
def test_no_pose_is_nearer_than_the_clearance(scene, trip, seed):
    wanted = Trip(**trip, seconds=8.0, speed_m_s=6.0, fps=12.0)
    found = plan_trajectory(scene, wanted, seed)
    # Finer than the frames: between samples no surface is crossed, for none is so near.
    times = np.linspace(0, 8.0, 400)
    places = found.motion.position(times)
    assert np.linalg.norm(np.diff(places, axis=0), axis=1).max() < wanted.room_m
    assert independent(scene, places).min() >= wanted.room_m
    assert not inside_solid(RayCaster(scene), places[::20]).any()


@pytest.mark.parametrize("trip", [LOW, DRIVE], ids=["uav", "street"])
@pytest.mark.parametrize(("speed", "limit"), [(4.0, 1.0), (8.0, 3.0)])
def test_a_city_is_crossed_within_the_limits(town, trip, speed, limit):
    wanted = Trip(**trip, seconds=8.0, speed_m_s=speed, acceleration_m_s2=limit, width=64)
    found = plan_trajectory(town, wanted, 3)
    assert len(found.cameras) == 192
    places = np.array([camera.position for camera in found.cameras])
    velocity = np.diff(places, axis=0) * 24
    assert np.linalg.norm(velocity, axis=1).max() <= speed * (1 + 1e-9)
    assert np.linalg.norm(np.diff(velocity, axis=0), axis=1).max() * 24 <= limit * (1 + 1e-9)
    middle = (found.velocity_m_s[1:] + found.velocity_m_s[:-1]) / 2
    assert velocity == pytest.approx(middle, abs=0.05)
    assert found.length_m > 0.4 * 8 * speed
    assert found.time_s == pytest.approx(np.arange(192) / 24)
    caster = RayCaster(town)  # the proof of the clearance, by rays to all sides
    axes = np.random.default_rng(0).normal(size=(200, 3))
    axes /= np.linalg.norm(axes, axis=1, keepdims=True)
    for place in places[::12]:
        assert caster.intersect(place, axes).distance.min() >= wanted.room_m
    assert not caster.blocked(places[:-1], places[1:]).any()


def test_one_drives_on_the_road_and_looks_ahead(town):
    found = plan_trajectory(town, Trip(kind="street", seconds=8.0), 1)
    places = np.array([camera.position for camera in found.cameras])
    height, semantic = find_floor(RayCaster(town), places[:, :2])
    assert set(semantic.tolist()) <= {SemanticClass.ROAD, SemanticClass.ROAD_MARKING}
    above = places[:, 2] - height
    assert (above > 1.4).all()
    assert (above < 2.6).all()
    assert found.altitude_m == pytest.approx(above)
    for camera, velocity in zip(found.cameras, found.velocity_m_s, strict=True):
        assert camera.forward @ velocity > 0.8 * np.linalg.norm(velocity)


@pytest.mark.parametrize("seed", range(4))
def test_a_drive_stays_within_the_city(town, seed):
    found = plan_trajectory(town, Trip(kind="street", seconds=5.0), seed)
    solid = np.isin(town.face_table.semantic, [int(c) for c in BUILDING])
    corners = town.face_table.triangles[solid].reshape(-1, 3)[:, :2]
    outline = corners[ConvexHull(corners).vertices]
    places = found.motion.position(np.linspace(0.0, 5.0, 100))[:, :2]
    assert Path(outline).contains_points(places).all()
    reach = town.bounds[1, :2] - town.bounds[0, :2]  # the roads lead on, far beyond the city
    assert (reach > np.ptp(outline, axis=0) + 20.0).all()


def test_a_drive_leads_out_where_the_city_is_too_small():
    """The row of houses is 60 m long, the ground 70 m."""
    found = plan_trajectory(ROW, Trip(kind="street", seconds=6.0, speed_m_s=10.0), 0)
    places = np.array([camera.position for camera in found.cameras])
    assert np.abs(places[:, :2]).max() > 30.0


def test_one_looks_where_one_goes_from_frame_to_frame(town):
    for trip in (LOW, DRIVE):
        found = plan_trajectory(town, Trip(**trip, seconds=8.0, fps=24), 2)
        ways = np.array([camera.forward for camera in found.cameras])
        assert turning_deg_s(ways, found.time_s) <= 60 * (1 + 1e-9)


@pytest.mark.parametrize("trip", [LOW, DRIVE], ids=["uav", "street"])
def test_the_same_seed_gives_the_same_bytes(town, trip, tmp_path):
    wanted = Trip(**trip, seconds=4.0, fps=10)
    files = []
    for number, seed in enumerate((5, 5, 6)):
        write_track(tmp_path / f"{number}.json", plan_trajectory(town, wanted, seed).poses)
        files.append((tmp_path / f"{number}.json").read_bytes())
    assert files[0] == files[1] != files[2]


def test_a_trajectory_goes_into_a_pose_file_and_back(town, tmp_path):
    found = plan_trajectory(town, Trip(kind="street", seconds=1.0, fps=6), 0)
    write_track(tmp_path / "drive.json", found.poses)
    track = read_track(tmp_path / "drive.json")
    assert [p.time_s for p in track] == found.time_s.tolist()
    assert np.array([p.velocity_m_s for p in track]) == pytest.approx(found.velocity_m_s, abs=0)
    assert np.array([p.turn_deg_s for p in track]) == pytest.approx(found.turn_deg_s, abs=0)
    cameras = read_poses(tmp_path / "drive.json")
    assert [c.to_dict() for c in cameras] == [c.to_dict() for c in found.cameras]


@pytest.mark.parametrize(
    ("key", "value", "line"),
    [
        ("time_s", "soon", "camera 1: time_s is 'soon'; allowed: a finite number."),
        ("time_s", [1, 2], "camera 1: time_s is [1, 2]; allowed: a finite number."),
        ("time_s", float("nan"), "camera 1: time_s is nan; allowed: a finite number."),
        ("velocity_m_s", [1, 2], "camera 1: velocity_m_s is [1, 2]; allowed: 3 finite numbers."),
        ("turn_deg_s", 5, "camera 1: turn_deg_s is 5; allowed: 3 finite numbers."),
        ("time_s", 0.0, "time_s must increase from camera to camera."),
        ("camera_to_world", [[float("nan")] * 4] * 4, "camera 1: camera_to_world must be 4x4"),
        ("intrinsics", [[1e-9, 0, 8], [0, 9, 6], [0, 0, 1]], "camera 1: camera intrinsics"),
    ],
)
def test_what_is_wrong_in_a_track_is_named(tmp_path, key, value, line):
    camera = Camera.look_at((0, 0, 5), (9, 0, 5), width=16, height=12)
    path = tmp_path / "t.json"
    write_track(path, [Pose(camera, 0.0, (1.0, 0.0, 0.0)), Pose(camera, 1.0, (1.0, 0.0, 0.0))])
    record = json.loads(path.read_text())
    record["cameras"][1][key] = value
    path.write_text(json.dumps(record))
    with pytest.raises(InputError) as caught:
        read_track(path)
    assert str(caught.value).startswith(f"poses {path}: {line}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("key", ["time_s", "velocity_m_s", "turn_deg_s"])
def test_all_cameras_of_a_track_have_what_one_has(tmp_path, key):
    camera = Camera.look_at((0, 0, 5), (9, 0, 5), width=16, height=12)
    poses = [Pose(camera, float(time), (1.0, 0, 0), (0.0, 0, 9)) for time in range(3)]
    write_track(tmp_path / "t.json", [*poses[:2], poses[2]._replace(**{key: None})])
    with pytest.raises(InputError) as caught:
        read_track(tmp_path / "t.json")
    line = f"camera 0 has {key}, camera 2 has none; give it in each record or in none."
    assert str(caught.value) == f"poses {tmp_path / 't.json'}: {line}"
    write_track(tmp_path / "t.json", [pose._replace(**{key: None}) for pose in poses])
    assert [getattr(pose, key) for pose in read_track(tmp_path / "t.json")] == [None] * 3


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"fps": 0}, "fps is 0; allowed: 0.1 to 240."),
        ({"fps": float("nan")}, "fps is nan; allowed: 0.1 to 240."),
        ({"seconds": -1}, "seconds is -1; allowed: 0.1 to 3600."),
        ({"speed_m_s": 0}, "speed_m_s is 0; allowed: 0.1 to 100."),
        ({"acceleration_m_s2": 0}, "acceleration_m_s2 is 0; allowed: 0.05 to 100."),
        ({"altitude_m": (9.0, 3.0)}, "altitude_m is 9.0; allowed: 0.3 to 3."),
        ({"altitude_m": (2.0, np.inf)}, "altitude_m is inf; allowed: 0.3 to 10000."),
        ({"altitude_m": (2.0, np.nan)}, "altitude_m is nan; allowed: 0.3 to 10000."),
        ({"kind": "street", "clearance_m": 3.0}, "clearance_m is 3.0; allowed: 0.05 to 1.35."),
        ({"width": 0}, "camera size is 0x480; both must be at least 1 pixel."),
        ({"height": 20_000}, "camera size is 640x20000; allowed: at most 16384 pixels a side."),
        ({"fov_deg": 180.0}, "fov_deg is 180.0; allowed: more than 0 and less than 180."),
        ({"kind": "pole"}, "kind is 'pole'; allowed: uav, street."),
    ],
)
def test_a_trip_out_of_range_is_one_line(change, line):
    with pytest.raises(InputError) as caught:
        Trip(**change)
    assert str(caught.value) == line


@pytest.mark.parametrize(
    ("scene", "trip", "why"),
    [
        (bundle(box("block", (60, 60, 20), (0, 0, 10))), DRIVE, "no street has 0.75 m"),
        (
            blocks((-30, 9, 30, 25), (-30, -25, 30, -9), half=35.0),
            {**DRIVE, "seconds": 600.0},
            "the longest way along its streets",
        ),
    ],
)
def test_a_trajectory_that_is_not_found_says_why(scene, trip, why):
    with pytest.raises(InputError, match=why) as caught:
        plan_trajectory(scene, Trip(**trip))
    assert "Ask for fewer seconds, less speed or less clearance" in str(caught.value)


def test_a_trajectory_lasts_as_long_as_asked_not_to_the_next_knot(town, tmp_path, monkeypatch):
    found = plan_trajectory(town, Trip(kind="street", seconds=1.1, fps=10, speed_m_s=4), 0)
    assert (found.seconds, len(found.cameras)) == (1.1, 11)
    told = []
    monkeypatch.setattr(camera_map, "_write_head", lambda page, name, facts: told.append(facts))
    draw_trajectory(town, found, tmp_path / "map.png")
    assert told[0].startswith("11 frames in 1.1 s")


def test_the_map_shows_the_way(town, tmp_path):
    found = plan_trajectory(town, Trip(kind="street", seconds=4.0, fps=6), 0)
    draw_trajectory(town, found, tmp_path / "map.png")
    with Image.open(tmp_path / "map.png") as picture:
        assert picture.width == 1600
        shown = np.asarray(picture.convert("RGB"), float)
    speed = np.linalg.norm(found.velocity_m_s, axis=1)
    fastest = np.array(colormaps["plasma"](speed[12] / speed.max())[:3]) * 255
    rows, columns = np.nonzero(np.abs(shown - fastest).max(axis=2) < 12)
    drawn = rows < 0.75 * len(shown)  # above the diagram and its key
    assert drawn.sum() > 100
    places = np.array([camera.position for camera in found.cameras])[:, :2]
    across, along = np.ptp(places, axis=0), np.ptp([columns[drawn], -rows[drawn]], axis=1)
    longer = int(np.argmax(across))
    assert along[longer] >= 0.5 * along[1 - longer]
