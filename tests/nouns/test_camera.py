"""The camera's conventions and its algebra."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from vasgen.camera import Camera
from vasgen.errors import InputError

FAR_M = 5000.0


def number(low, high):
    return st.floats(low, high, allow_nan=False)


@st.composite
def cameras(draw):
    """Any pinhole camera within 5 km of the origin, with skew and an off-centre axis."""
    width, height = draw(st.integers(1, 4000)), draw(st.integers(1, 4000))
    pose = np.eye(4)
    pose[:3, :3] = Rotation.from_rotvec([draw(number(-3, 3)) for _ in range(3)]).as_matrix()
    pose[:3, 3] = [draw(number(-FAR_M, FAR_M)) for _ in range(3)]
    fx, fy = draw(number(5, 5000)), draw(number(5, 5000))
    skew, cx, cy = draw(number(-2, 2)), draw(number(0, width)), draw(number(0, height))
    return Camera(width, height, np.array([[fx, skew, cx], [0, fy, cy], [0, 0, 1]]), pose)


def look(position=(0, 0, 0), target=(10, 0, 0), width=40, height=30, **more):
    return Camera.look_at(position, target, width=width, height=height, **more)


@given(cameras(), st.data())
def test_projecting_a_back_projected_pixel_gives_it_back(camera, data):
    depth = data.draw(number(0.1, FAR_M))
    uv = np.array([data.draw(number(0, camera.width)), data.draw(number(0, camera.height))])
    pixel, again = camera.project(camera.back_project(depth, uv))
    scale = max(camera.intrinsics[0, 0], camera.intrinsics[1, 1], camera.width, camera.height)
    assert np.abs(pixel - uv).max() < 1e-9 * scale
    assert abs(again - depth) < 1e-9 * depth


@given(cameras(), st.data())
def test_back_projecting_a_projected_point_gives_it_back(camera, data):
    local = np.array([data.draw(number(-2, 2)), data.draw(number(-2, 2)), 1.0])
    depth = data.draw(number(0.1, FAR_M))
    point = camera.position + camera.rotation @ (local * depth)
    again = camera.back_project(depth, camera.project(point)[0])
    assert np.abs(again - point).max() < 1e-9 * FAR_M


@given(cameras())
def test_the_record_survives_json_exactly(camera):
    again = Camera.from_dict(json.loads(json.dumps(camera.to_dict())))
    assert (again.width, again.height) == (camera.width, camera.height)
    assert np.array_equal(again.intrinsics, camera.intrinsics)
    assert np.array_equal(again.camera_to_world, camera.camera_to_world)


@given(cameras(), st.integers(1, 4000), st.integers(1, 4000))
def test_resizing_keeps_the_ray_through_every_image_point(camera, width, height):
    other = camera.resized(width, height)
    share = np.array([[0.0, 0.0], [0.25, 0.9], [1.0, 1.0]])
    before = camera.rays(share * [camera.width, camera.height])
    after = other.rays(share * [width, height])
    np.testing.assert_allclose(after, before, rtol=0, atol=1e-9 * np.abs(before).max())
    assert (other.width, other.height) == (width, height)


@pytest.mark.parametrize(
    ("given", "size"),
    [
        ({"width": 320}, (320, 240)),
        ({"height": 120}, (160, 120)),
        ({"width": 1}, (1, 1)),
        ({"width": 100, "height": 100}, (100, 100)),
        ({}, (640, 480)),
    ],
)
def test_one_side_gives_the_other(given, size):
    camera = look(width=640, height=480).resized(**given)
    assert (camera.width, camera.height) == size
    if camera.width * 480 == camera.height * 640:
        assert camera.intrinsics[0, 0] == pytest.approx(camera.intrinsics[1, 1])


def test_pixel_centres_stand_at_a_half():
    camera = look(width=4, height=3)
    centres = camera.pixel_centres()
    assert centres.shape == (3, 4, 2)
    assert centres[0, 0].tolist() == [0.5, 0.5]
    assert centres[2, 3].tolist() == [3.5, 2.5]
    assert np.array_equal(camera.rays(), camera.rays(centres))


def test_rays_have_unit_depth_along_the_viewing_direction():
    camera = look((3, -2, 5), (100, 40, 0))
    np.testing.assert_allclose(camera.rays() @ camera.forward, 1.0, rtol=1e-12)


def test_the_target_is_at_the_image_centre():
    camera = look((3, -2, 5), (100, 40, 0))
    pixel, depth = camera.project((100, 40, 0))
    np.testing.assert_allclose(pixel, [20, 15], atol=1e-9)
    assert depth == pytest.approx(np.linalg.norm([97, 42, -5]), rel=1e-12)


def test_up_in_the_world_is_up_in_the_image_and_the_right_hand_is_right():
    camera = look((0, 0, 10), (50, 0, 10))  # looks east, so south is to the right
    above, _ = camera.project((50, 0, 11))
    south, _ = camera.project((50, -1, 10))
    assert above[1] < 15
    assert above[0] == pytest.approx(20)
    assert south[0] > 20
    assert south[1] == pytest.approx(15)


def test_axes_are_right_down_and_forward():
    camera = look((0, 0, 10), (0, 50, 10))  # looks north
    np.testing.assert_allclose(camera.rotation, np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]]))
    np.testing.assert_allclose(camera.forward, [0, 1, 0])


@pytest.mark.parametrize(("target_z", "right"), [(-50, [1, 0, 0]), (50, [-1, 0, 0])])
def test_straight_down_and_up_have_north_on_top(target_z, right):
    camera = look((7, 8, 0), (7, 8, target_z))
    assert np.allclose(camera.rotation.T @ camera.rotation, np.eye(3))
    assert np.linalg.det(camera.rotation) == pytest.approx(1)
    np.testing.assert_allclose(camera.rotation[:, 0], right, atol=1e-12)
    assert camera.project((7, 9, target_z))[0][1] < 15  # north of the target is above it


def test_nearly_straight_down_is_still_a_rotation():
    camera = look((0, 0, 1000), (0.01, 0, 0))
    assert np.abs(camera.rotation.T @ camera.rotation - np.eye(3)).max() < 1e-9


@pytest.mark.parametrize("fov_deg", [1.0, 70.0, 120.0, 179.0])
def test_the_field_of_view_is_horizontal_and_pixels_are_square(fov_deg):
    camera = look(fov_deg=fov_deg)
    left, right = camera.rays([[0, 15], [40, 15]])
    cosine = left @ right / np.linalg.norm(left) / np.linalg.norm(right)
    assert np.degrees(np.arccos(cosine)) == pytest.approx(fov_deg, rel=1e-9)
    assert camera.intrinsics[0, 0] == camera.intrinsics[1, 1]


def test_what_is_behind_has_negative_depth_and_the_sky_stays_unknown():
    camera = look()
    assert camera.project((-5, 0, 0))[1] == -5
    points = camera.back_project(np.full((30, 40), np.nan))
    assert np.isnan(points).all()


def test_a_point_in_the_focal_plane_projects_without_a_warning():
    pixel, depth = look().project((0, 3, 0))
    assert depth == 0
    assert not np.isfinite(pixel).all()


def test_shapes_are_kept():
    camera = look()
    assert camera.back_project(np.ones((30, 40))).shape == (30, 40, 3)
    assert camera.back_project(np.ones(5), np.ones((5, 2))).shape == (5, 3)
    pixels, depth = camera.project(np.ones((2, 4, 3)))
    assert pixels.shape == (2, 4, 2)
    assert depth.shape == (2, 4)


def test_a_camera_takes_plain_lists():
    k = [[30, 0, 20], [0, 30, 15], [0, 0, 1]]
    camera = Camera(40, 30, k, np.eye(4).astype(int).tolist())
    assert camera.intrinsics.dtype == camera.camera_to_world.dtype == np.float64


K = [[30.0, 0.0, 20.0], [0.0, 30.0, 15.0], [0.0, 0.0, 1.0]]
POSE = np.eye(4).tolist()


def pose(changes):
    matrix = np.eye(4)
    for place, value in changes.items():
        matrix[place] = value
    return matrix.tolist()


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"width": 0}, "camera size is 0x30; both must be at least 1 pixel."),
        ({"width": 200_000}, "camera size is 200000x30; allowed: at most 16384 pixels a side."),
        ({"height": -2}, "camera size is 40x-2; both must be at least 1 pixel."),
        ({"intrinsics": [[1, 0], [0, 1]]}, "camera intrinsics must be 3x3 finite numbers"),
        ({"intrinsics": [[np.nan, 0, 0], *K[1:]]}, "camera intrinsics must be 3x3 finite numbers"),
        ({"intrinsics": [[0, 0, 20], *K[1:]]}, "are degenerate: focal lengths must be positive"),
        ({"intrinsics": [K[0], [0, -30, 15], K[2]]}, "are degenerate: focal lengths"),
        ({"intrinsics": [*K[:2], [0, 0, 2]]}, "its last row [0, 0, 1]."),
        ({"intrinsics": [[1, 1, 0], [1, 1, 0], [0, 0, 1]]}, "K upper triangular"),
        ({"camera_to_world": np.eye(3).tolist()}, "camera_to_world must be 4x4 finite numbers"),
        ({"camera_to_world": pose({(0, 3): np.nan})}, "camera_to_world must be 4x4 finite"),
        ({"camera_to_world": pose({(0, 3): np.inf})}, "camera_to_world must be 4x4 finite"),
        ({"camera_to_world": pose({(0, 0): -1})}, "must be a right-handed rotation"),
        ({"camera_to_world": pose({(0, 0): 1.001})}, "camera_to_world is no rigid motion"),
        ({"camera_to_world": pose({(3, 0): 1})}, "its last row [0, 0, 0, 1]."),
        ({"intrinsics": "wide"}, "camera record is not numeric: "),
        ({"intrinsics": [[1, 2], [3]]}, "camera record is not numeric: "),
        ({"width": "wide"}, "camera record is not numeric: "),
        ({"width": float("inf")}, "camera record is not numeric: "),
        ({"height": None}, "camera record is not numeric: "),
    ],
)
def test_a_record_that_is_no_camera_says_why(change, line):
    record = {"width": 40, "height": 30, "intrinsics": K, "camera_to_world": POSE, **change}
    with pytest.raises(InputError) as error:
        Camera.from_dict(record)
    assert line in str(error.value)


@pytest.mark.parametrize("record", [{"width": 4, "intrinsics": K}, ["width", "intrinsics"]])
def test_a_record_names_the_keys_it_lacks(record):
    with pytest.raises(InputError, match=r"^camera record lacks camera_to_world, height\.$"):
        Camera.from_dict(record)


@pytest.mark.parametrize("fov_deg", [0, 180, -5, float("nan")])
def test_a_field_of_view_out_of_range_is_refused(fov_deg):
    with pytest.raises(InputError, match="allowed: more than 0 and less than 180"):
        look(fov_deg=fov_deg)


@pytest.mark.parametrize("target", [(1, 2, 3), (np.nan, 0, 0), (np.inf, 0, 0)])
def test_looking_nowhere_is_refused(target):
    with pytest.raises(InputError, match=r"camera at \[1.0, 2.0, 3.0\] looks at .*: no direction"):
        look((1, 2, 3), target)


@pytest.mark.parametrize("size", [(0, 5), (5, 0)])
def test_an_image_without_pixels_is_refused(size):
    with pytest.raises(InputError, match="camera size is"):
        look().resized(*size)
    with pytest.raises(InputError, match="camera size is"):
        look(width=size[0], height=size[1])
