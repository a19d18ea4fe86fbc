"""Planned views hover in free space, look at streets, and differ from each other."""

import json

import numpy as np
import pytest

from tests.support import box, bundle, ground
from vasgen.camera import Camera
from vasgen.citygen import CityConfig, generate
from vasgen.errors import InputError
from vasgen.inside import inside_solid
from vasgen.orchestrate import plan_views, read_poses, write_poses
from vasgen.orchestrate.glance import Glance, glances
from vasgen.orchestrate.poses import CLEARANCE_M, PITCH_DEG, Candidate, choose, score
from vasgen.raycast import RayCaster
from vasgen.scenes import open_scene
from vasgen.spec import ViewsSpec


def _records(cameras):
    return [camera.to_dict() for camera in cameras]


@pytest.fixture(scope="module")
def planned(city):
    return plan_views(city, ViewsSpec(count=5, width=64, height=48, altitude_m=(20, 60)), 1)


def test_cameras_hover_within_the_scene(city, planned):
    low, high = city.bounds
    for camera in planned:
        assert (camera.position[:2] >= low[:2]).all()
        assert (camera.position[:2] <= high[:2]).all()
        assert 15 < camera.position[2] < 65  # the ground is within 5 m of zero
        pitch = -np.degrees(np.arcsin(camera.forward[2]))
        assert PITCH_DEG[0] - 1e-6 <= pitch <= PITCH_DEG[1] + 1e-6
        assert camera.rotation[2, 0] == pytest.approx(0, abs=1e-12)  # level horizon


def test_cameras_have_free_space_around(city, planned):
    caster = RayCaster(city)
    eyes = np.array([camera.position for camera in planned])
    assert not inside_solid(caster, eyes).any()
    axes = np.concatenate([np.eye(3), -np.eye(3)])
    for eye in eyes:
        assert caster.intersect(eye, axes).distance.min() > CLEARANCE_M


def test_cameras_see_buildings_and_streets(city, planned):
    for glance in glances(RayCaster(city), planned):
        assert glance.valid_share > 0.3
        assert glance.building_share > 0.05
        assert glance.walkable_share > 0.05


def test_the_plan_follows_the_seed(city, views_spec):
    first = _records(plan_views(city, views_spec, 7))
    assert first == _records(plan_views(city, views_spec, 7))
    assert first != _records(plan_views(city, views_spec, 8))
    assert len({json.dumps(record) for record in first}) == 3


@pytest.mark.parametrize("name", ["simple_street_canyon", "box"])
def test_small_scenes_get_views_too(name):
    cameras = plan_views(open_scene(f"sionna:{name}"), ViewsSpec(count=2, width=64, height=48), 0)
    assert len(cameras) == 2


def test_a_scene_without_ground_gets_views():
    lone = bundle(box("box", (20, 20, 20), (0, 0, 10)))
    caster = RayCaster(lone)
    cameras = plan_views(lone, ViewsSpec(count=3, width=64, height=48), 0)
    assert all(glance.valid_share > 0 for glance in glances(caster, cameras))


def test_no_room_is_explained():
    solid = bundle(box("block", (800, 800, 100), (0, 0, 50)))
    with pytest.raises(InputError) as caught:
        plan_views(solid, ViewsSpec(count=2, altitude_m=(20, 40)), 0)
    assert "camera poses in scene" in str(caught.value)
    assert "Ask for fewer views, change altitude_m, or give poses." in str(caught.value)


def test_the_choice_covers_before_it_repeats():
    camera = Camera.look_at((0, 0, 30), (50, 0, 0), width=8, height=8)
    here = np.arange(10)
    candidates = [
        Candidate(camera, 1.0, here),
        Candidate(camera, 0.9, here),
        Candidate(camera, 0.5, here + 100),
    ]
    chosen = choose(candidates, 3)
    assert [c.score for c in chosen] == [1.0, 0.5, 0.9]


def test_pose_files_round_trip(tmp_path, planned):
    write_poses(tmp_path / "poses.json", planned)
    assert _records(read_poses(tmp_path / "poses.json")) == _records(planned)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "are no valid JSON"),
        ("[]", "hold no cameras"),
        ('{"cameras": []}', "hold no cameras"),
        ('{"cameras": [3]}', "camera 0 is no record"),
        ('{"cameras": [{"width": 3}]}', "camera 0: camera record lacks"),
    ],
)
def test_bad_pose_files_are_explained(tmp_path, text, message):
    path = tmp_path / "poses.json"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        read_poses(path)
    with pytest.raises(InputError, match="cannot read poses"):
        read_poses(tmp_path / "none.json")


def test_candidates_are_judged_by_what_they_show():
    good = Glance(np.zeros((9, 3)), np.full(9, 80.0), np.zeros(9, np.uint8), 0.9, 0.5, 0.3)
    assert score(good, 1.0) == pytest.approx(1.0)
    blocked = good._replace(depth=np.full(9, 9.0))
    bare = good._replace(building_share=0.0)
    assert 0 < score(blocked, 1.0) < score(bare, 1.0) < score(good, 1.0)
    assert score(good, 0.3) < score(good, 0.7) < score(good, 1.0)


def test_views_turn_to_the_town_not_to_the_fields():
    town = [
        box(f"b{i}-{j}", (14, 14, 25), (20 * i, 20 * j, 12.5)) for i in range(5) for j in range(5)
    ]
    scene = bundle(ground(400), *town)
    middle = np.array([40.0, 40.0])
    for camera in plan_views(scene, ViewsSpec(count=4, width=64, height=48), 0):
        depth = camera.project([*middle, 0.0])[1]
        pixel = camera.project([*middle, 0.0])[0]
        assert depth > 0
        assert (np.abs(pixel - [32, 24]) < [48, 36]).all()


def test_views_from_the_street():
    bundle = generate(CityConfig(density="mix", seed=7, size_m=200.0)).to_bundle()
    cameras = plan_views(bundle, ViewsSpec(count=3, altitude_m=(1.7, 3.0)), 0)
    caster = RayCaster(bundle)
    for camera in cameras:
        assert not inside_solid(caster, camera.position).any()
        down = caster.intersect(camera.position, [[0.0, 0.0, -1.0]])
        assert 1.5 < down.distance[0] < 3.2
        assert -20 < np.degrees(np.arcsin(camera.forward[2])) < 0
