"""Paths are rounded where there is room, and travelled within the limits."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from vasgen.camera import Camera
from vasgen.orchestrate.motion import KNOT_S, TURN_DEG_S, Gaze, Limits, move
from vasgen.orchestrate.smoothing import arc_length, resample, smooth

GAZE = Gaze(ahead_s=1.0, pitch_deg=-10.0, slope=False, ease_s=0.5)


def corner(angle_deg, length=60.0):
    turn = np.radians(angle_deg)
    end = [length + length * np.cos(turn), length * np.sin(turn), 10.0]
    return resample(np.array([[0.0, 0.0, 10.0], [length, 0.0, 10.0], end]), 0.25)


def circle(radius, turns=2.0):
    angle = np.linspace(0, 2 * np.pi * turns, int(2 * np.pi * turns * radius / 0.25))
    return np.column_stack([radius * np.cos(angle), radius * np.sin(angle), 0 * angle])


def turning_deg_s(forward, times):
    """Fastest turn about the vertical, degrees a second."""
    yaw = np.unwrap(np.arctan2(forward[:, 1], forward[:, 0]))
    return np.degrees(np.abs(np.diff(yaw) / np.diff(times)).max())


def anywhere(path):
    return np.ones(len(path) - 1, bool)


def test_points_are_as_far_apart_as_asked():
    path = resample(np.array([[0.0, 0, 0], [10, 0, 0], [10, 5, 0]]), 0.5)
    assert len(path) == 31
    assert arc_length(path)[-1] == pytest.approx(15.0, abs=0.3)


def test_a_corner_is_cut_as_a_gaussian_cuts_it():
    # Half of a Gaussian lies on each side: the middle moves by sigma / sqrt(2 pi) along both.
    path = corner(90)
    smoothed = smooth(path, 0.25, 6.0, anywhere)
    middle = smoothed[len(path) // 2]
    moved = 6.0 / np.sqrt(2 * np.pi)
    assert middle == pytest.approx([60 - moved, moved, 10.0], abs=0.15)
    assert smoothed[[0, -1]] == pytest.approx(path[[0, -1]], abs=1e-6)


@pytest.mark.parametrize("room_m", [0.5, 1.5])
def test_a_corner_without_room_is_cut_less(room_m):
    path = corner(90)

    def near(points):
        apart = np.linalg.norm(points[:, None] - path[None, ::2], axis=2).min(axis=1)
        return np.maximum(apart[:-1], apart[1:]) < room_m

    smoothed = smooth(path, 0.25, 6.0, near)
    assert near(smoothed).all()
    assert np.linalg.norm(np.diff(smoothed, 2, axis=0), axis=1).max() < 0.3 * 0.25
    assert smooth(path, 0.25, 6.0, lambda p: ~anywhere(p)) is None


def test_one_drives_on_the_right():
    path = corner(0)
    assert smooth(path, 0.25, 5.0, anywhere, aside_m=1.6)[:, 1] == pytest.approx(-1.6)


@pytest.mark.parametrize("speed", [2.0, 8.0, 20.0])
def test_a_straight_way_is_travelled_at_full_speed(speed):
    motion = move(corner(0, 150.0), Limits(speed, 3.0), GAZE, 8.0)
    times = np.linspace(0, 8.0, 50)
    assert np.linalg.norm(motion.velocity(times), axis=1) == pytest.approx(speed, rel=1e-6)
    assert motion.forward(times)[:, 2] == pytest.approx(np.sin(np.radians(-10)))


@pytest.mark.parametrize(("radius", "limit"), [(5.0, 1.0), (12.0, 3.0), (30.0, 2.0)])
def test_a_circle_is_travelled_no_faster_than_its_acceleration(radius, limit):
    motion = move(circle(radius), Limits(50.0, limit), GAZE, 6.0)
    times = np.linspace(2, 4, 30)
    speed = np.linalg.norm(motion.velocity(times), axis=1)
    assert (speed**2 / radius <= limit).all()
    assert (speed**2 / radius >= 0.4 * limit).any()


@pytest.mark.parametrize("angle", [20, 60, 90, 150])
@pytest.mark.parametrize(("speed", "limit"), [(8.0, 3.0), (15.0, 1.0)])
def test_limits_hold_at_all_times(angle, speed, limit):
    path = smooth(corner(angle, 100.0), 0.25, 5.0, anywhere)
    motion = move(path, Limits(speed, limit), GAZE, 10.0)
    times = np.linspace(0, 10, 4001)
    assert np.linalg.norm(motion.velocity(times), axis=1).max() <= speed * (1 + 1e-9)
    assert np.linalg.norm(motion.acceleration(times), axis=1).max() <= limit * (1 + 1e-9)
    assert motion.top_speed_m_s <= speed * (1 + 1e-9)
    assert motion.top_acceleration_m_s2 <= limit * (1 + 1e-9)
    assert turning_deg_s(motion.forward(times), times) <= TURN_DEG_S * (1 + 1e-9)


def test_position_velocity_and_direction_are_smooth():
    path = smooth(corner(90, 100.0), 0.25, 5.0, anywhere)
    motion = move(path, Limits(8.0, 3.0), GAZE, 10.0)
    knots = np.arange(1, 39) * KNOT_S
    for what in (motion.position, motion.velocity, motion.acceleration, motion.forward):
        assert what(knots - 1e-7) == pytest.approx(what(knots + 1e-7), abs=1e-4)
    step = 1e-4
    slope = (motion.position(knots + step) - motion.position(knots - step)) / (2 * step)
    assert slope == pytest.approx(motion.velocity(knots), abs=1e-4)
    turn = (motion.forward(knots + step) - motion.forward(knots - step)) / (2 * step)
    later = (motion.forward(knots + 3 * step) - motion.forward(knots + step)) / (2 * step)
    assert turn == pytest.approx(later, abs=1e-2)


def test_it_turns_as_the_axes_of_its_cameras_do():
    gaze = Gaze(ahead_s=0.8, pitch_deg=-5.0, slope=True, ease_s=0.35)
    path = corner(80, 100.0) + np.linspace(0, 30, len(corner(80, 100.0)))[:, None] * [0, 0, 1]
    path[:, 2] += 4 * np.sin(path[:, 0] / 9)  # up and down, so that pitch changes too
    motion, step = move(path, Limits(10.0, 5.0), gaze, 12.0), 1e-4
    times = np.linspace(0.1, 11.9, 60)

    def axes(at):
        shape = {"width": 4, "height": 3, "fov_deg": 60}
        ways = motion.forward(at)
        return np.stack([Camera.look_at([0, 0, 0], way, **shape).rotation for way in ways])

    change = axes(times + step) @ axes(times - step).transpose(0, 2, 1)
    turn = Rotation.from_matrix(change).as_rotvec(degrees=True) / (2 * step)
    assert np.abs(turn).max(axis=0).min() > 3
    assert motion.turn(times) == pytest.approx(turn, abs=1e-3)


def test_a_way_that_is_too_short_is_none():
    assert move(corner(0, 20.0), Limits(8.0, 3.0), GAZE, 10.0) is None
