"""Poses in Unreal's world: against scipy's rotations, and by hand."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from tests.render.unreal_server import Eye
from vasgen.camera import Camera
from vasgen.errors import InputError
from vasgen.render.unreal.coordinates import (
    field_of_view_deg,
    light_rotation,
    to_unreal_axes,
    unreal_pose,
)
from vasgen.sun import sun_direction

SIZE = {"width": 64, "height": 48}
ANGLE = st.floats(-180, 180)


def posed(rotation, position=(12.5, -300.25, 41.0)):
    """A camera turned by a scipy rotation of our OpenCV axes."""
    pose = np.eye(4)
    pose[:3, :3] = rotation.as_matrix()
    pose[:3, 3] = position
    return Camera(64, 48, [[50.0, 0, 32], [0, 50, 24], [0, 0, 1]], pose)


def seen_again(camera):
    """The camera that the test's server makes of the numbers that are sent."""
    pose = unreal_pose(camera)
    return Eye(pose.location, pose.rotation, field_of_view_deg(camera), (64, 48)).camera()


@given(ANGLE, ANGLE, ANGLE)
@example(0.0, 180.0, 0.0)  # straight down: camera z is world -z
@example(0.0, 0.0, 0.0)  # straight up
@example(37.0, 180.0, 0.0)
@example(0.0, 179.9999, 0.0)  # nearly
@example(0.0, 179.99999999, 0.0)
def test_every_pose_comes_back(yaw, pitch, roll):
    camera = posed(Rotation.from_euler("ZXZ", [yaw, pitch, roll], degrees=True))
    again = seen_again(camera)
    assert again.camera_to_world == pytest.approx(camera.camera_to_world, abs=2e-6)
    assert again.intrinsics == pytest.approx(camera.intrinsics, abs=1e-9)


@pytest.mark.parametrize(
    ("target", "rotation"),
    [
        ((1, 0, 0), (0, 0, 0)),  # east is X
        ((0, 1, 0), (0, -90, 0)),  # north is -Y
        ((0, -1, 0), (0, 90, 0)),  # south is Y
        ((1, 0, 1), (45, 0, 0)),  # positive pitch looks up
        ((0, 1, -1), (-45, -90, 0)),
        ((0, 0, -1), (-90, -90, 0)),  # down; the picture's top is north
        ((0, 0, 1), (90, 90, 0)),  # up; the picture's top is north
    ],
)
def test_directions_by_hand(target, rotation):
    camera = Camera.look_at((0, 0, 0), target, **SIZE)
    assert unreal_pose(camera).rotation == pytest.approx(rotation, abs=1e-9)


def test_positive_roll_lowers_the_right_side():
    level = Camera.look_at((0, 0, 0), (1, 0, 0), **SIZE).rotation
    for roll in (10, -35, 90):
        tilted = Rotation.from_rotvec(np.radians([roll, 0, 0])).as_matrix() @ level
        assert unreal_pose(posed(Rotation.from_matrix(tilted))).rotation[2] == pytest.approx(roll)
        assert np.sign(-tilted[2, 0]) == np.sign(roll)  # world z of the camera's right


def test_places_are_centimetres_with_y_to_the_south():
    camera = Camera.look_at((3.5, -20, 1.75), (0, 0, 0), **SIZE)
    assert unreal_pose(camera).location == pytest.approx((350, 2000, 175))
    assert to_unreal_axes([[0, 1, 0], [0, 0, 1]]).tolist() == [[0, -1, 0], [0, 0, 1]]


@pytest.mark.parametrize("fov", [12.0, 70.0, 90.0, 151.5])
@pytest.mark.parametrize("size", [(640, 480), (480, 640), (33, 17)])
def test_field_of_view_is_horizontal(fov, size):
    camera = Camera.look_at((0, 0, 0), (1, 2, 3), width=size[0], height=size[1], fov_deg=fov)
    assert field_of_view_deg(camera) == pytest.approx(fov, abs=1e-12)


@pytest.mark.parametrize(
    "k",
    [
        [[50.0, 0, 32.5], [0, 50, 24], [0, 0, 1]],
        [[50.0, 0, 32], [0, 50, 20], [0, 0, 1]],
        [[50.0, 0, 32], [0, 51, 24], [0, 0, 1]],
        [[50.0, 2, 32], [0, 50, 24], [0, 0, 1]],
    ],
    ids=["right", "high", "oblong", "skewed"],
)
def test_other_intrinsics_are_refused(k):
    camera = Camera(64, 48, k, np.eye(4))
    with pytest.raises(InputError, match=r"principal point in the middle, here \(32, 24\); K is"):
        field_of_view_deg(camera)


@pytest.mark.parametrize(
    ("elevation", "azimuth", "rotation"),
    [
        (0, 0, (0, 90, 0)),  # in the north: shines to the south, which is Y
        (30, 90, (-30, 180, 0)),  # in the east: shines to the west
        (60, 180, (-60, -90, 0)),
        (90, 270, (-90, 0, 0)),
    ],
)
def test_lights_shine_away_from_the_sun(elevation, azimuth, rotation):
    turned = light_rotation(sun_direction(elevation, azimuth))
    assert turned[0] == pytest.approx(rotation[0], abs=1e-9)
    if elevation < 90:  # overhead, any yaw will do
        assert np.cos(np.radians(turned[1] - rotation[1])) == pytest.approx(1)


@given(st.floats(-89, 89), st.floats(0, 360))
def test_the_light_is_that_of_scipys_rotation(elevation, azimuth):
    towards = sun_direction(elevation, azimuth)
    pitch, yaw, roll = light_rotation(towards)
    turn = Rotation.from_euler("ZYX", [yaw, -pitch, -roll], degrees=True)
    assert turn.apply([1, 0, 0]) * [1, -1, 1] == pytest.approx(-towards, abs=1e-9)
