"""Transmitters stand on walkable ground that cameras see, and nowhere else."""

import numpy as np
import pytest

from tests.support import box, bundle, ground
from vasgen.camera import Camera
from vasgen.errors import InputError
from vasgen.inside import inside_solid
from vasgen.orchestrate import place_transmitters, plan_views
from vasgen.orchestrate.sites import CLEARANCE_M
from vasgen.raycast import RayCaster
from vasgen.semantics import WALKABLE
from vasgen.spec import TransmittersSpec, ViewsSpec


@pytest.fixture(scope="module")
def cameras(city):
    return plan_views(city, ViewsSpec(count=3, width=64, height=48, altitude_m=(20, 60)), 0)


@pytest.fixture(scope="module")
def placed(city, cameras):
    spec = TransmittersSpec(count=4, height_m=1.6, power_dbm=23.0)
    return place_transmitters(city, spec, cameras, 0)


def test_they_stand_on_walkable_ground_under_the_sky(city, placed):
    caster = RayCaster(city)
    places = np.array([t.position for t in placed])
    down = caster.intersect(places, np.tile([0.0, 0.0, -1.0], (len(places), 1)))
    np.testing.assert_allclose(down.distance, 1.6, atol=0.02)
    assert {int(c) for c in city.face_table.semantic[down.face]} <= {int(c) for c in WALKABLE}
    up = caster.intersect(places, np.tile([0.0, 0.0, 1.0], (len(places), 1)))
    assert (up.face == -1).all()
    assert not inside_solid(caster, places).any()


def test_they_have_room_and_distance(city, placed):
    caster = RayCaster(city)
    angle = np.linspace(0, 2 * np.pi, 16, endpoint=False)
    around = np.column_stack([np.cos(angle), np.sin(angle), 0 * angle])
    places = np.array([t.position for t in placed])
    for place in places:
        assert caster.intersect(place, around).distance.min() > CLEARANCE_M - 0.02
    apart = np.linalg.norm(places[:, None] - places[None], axis=-1)
    assert apart[np.triu_indices(len(places), 1)].min() > 5.0


def test_each_is_in_the_picture_of_some_camera(city, cameras, placed):
    caster = RayCaster(city)
    for transmitter in placed:
        seen = 0
        for camera in cameras:
            pixel, depth = camera.project(transmitter.position)
            inside = depth > 0 and (pixel >= 0).all() and (pixel < (64, 48)).all()
            seen += bool(inside and not caster.blocked(camera.position, [transmitter.position])[0])
        assert seen >= 1


def test_names_power_and_seed(city, cameras, placed):
    assert [t.name for t in placed] == ["tx-0", "tx-1", "tx-2", "tx-3"]
    assert {t.power_dbm for t in placed} == {23.0}
    spec = TransmittersSpec(count=4, power_dbm=23.0)
    assert place_transmitters(city, spec, cameras, 0) == placed
    assert place_transmitters(city, spec, cameras, 1) != placed


def test_each_view_gets_light_before_one_gets_more():
    wall = box("wall", (2, 200, 60), (0, 0, 30))
    scene = bundle(ground(100), wall)
    west = Camera.look_at((-80, 0, 40), (-40, 0, 0), width=64, height=48)
    east = Camera.look_at((80, 0, 40), (40, 0, 0), width=64, height=48)
    one, two = place_transmitters(scene, TransmittersSpec(count=2), [west, east], 0)
    assert one.position[0] * two.position[0] < 0


def test_ground_no_camera_sees_is_second_best():
    scene = bundle(ground(100), box("block", (20, 20, 20), (0, 0, 10)))
    skyward = Camera.look_at((0, 0, 50), (10, 0, 90), width=64, height=48)
    (transmitter,) = place_transmitters(scene, TransmittersSpec(count=1), [skyward], 0)
    assert transmitter.position[2] == pytest.approx(1.6)


def test_no_ground_is_explained():
    with pytest.raises(InputError, match="too little walkable ground under open sky"):
        place_transmitters(bundle(box("b", (9, 9, 9), (0, 0, 5))), TransmittersSpec(), [], 0)


@pytest.mark.parametrize(
    ("position", "message"),
    [
        ((1.0, 2.0, 5.0), r"'tx-1' at \(1, 2, 5\) is inside object 1 \(building\); move it"),
        ((40.0, 0.0, -3.0), r"'tx-1' at \(40, 0, -3\) is 3\.0 m below the ground; raise it"),
    ],
)
def test_given_positions_are_checked(position, message):
    scene = bundle(ground(100), box("block", (20, 20, 20), (0, 0, 10)))
    spec = TransmittersSpec(positions=((30.0, 0.0, 1.6), position))
    with pytest.raises(InputError, match=message):
        place_transmitters(scene, spec, [], 0)


def test_given_positions_are_taken_as_they_are():
    scene = bundle(ground(100), box("block", (20, 20, 20), (0, 0, 10)))
    spec = TransmittersSpec(positions=((30.25, 0.0, 25.0),))
    (transmitter,) = place_transmitters(scene, spec, [], 0)
    assert transmitter.position == (30.25, 0.0, 25.0)


def test_a_position_far_from_the_scene_is_a_slip_of_units(city):
    far = TransmittersSpec(positions=((0.0, 0.0, 30.0), (1e6, 0.0, 30.0)))
    with pytest.raises(InputError, match=r"^transmitter 'tx-1' is 999\.9 km away from the scene; "):
        place_transmitters(city, far)
