"""Painted bays and storeys fit the walls of houses that come without texture coordinates."""

import numpy as np
import pytest

from vasgen.bays import bays_and_storeys


def quad(a, b, low, high):
    """A wall from a to b in plan, seen from outside left to right."""
    corners = np.array([[*a, low], [*b, low], [*b, high], [*a, high]], float)
    return corners[[[0, 1, 2], [0, 2, 3]]]


def around(points, low, high):
    """Walls around a plan that turns to the left."""
    ends = np.roll(points, -1, axis=0)
    return np.concatenate([quad(a, b, low, high) for a, b in zip(points, ends, strict=True)])


def painted(triangles, owner=None):
    normal = np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0])
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-12)
    owner = np.ones(len(triangles)) if owner is None else np.asarray(owner)
    return bays_and_storeys(triangles, normal, owner.astype(np.int32))


def plan(wide, deep, turn=0.4, at=(631.3, -85.7)):
    box = np.array([[0, 0], [wide, 0], [wide, deep], [0, deep]], float)
    c, s = np.cos(turn), np.sin(turn)
    return box @ [[c, s], [-s, c]] + at


@pytest.mark.parametrize(("height", "storeys"), [(2.5, 1), (4.7, 1), (11.0, 3), (20.1, 6)])
@pytest.mark.parametrize(("wide", "bays"), [(9.0, 3), (13.1, 4), (2.0, 1)])
def test_walls_have_whole_bays_from_corner_to_corner_and_whole_storeys(height, storeys, wide, bays):
    triangles = around(plan(wide, 7.1), 12.5, 12.5 + height)
    uv = painted(triangles)
    front = uv[:2].reshape(-1, 2)
    assert front[:, 0].min() == pytest.approx(0, abs=1e-9)
    assert front[:, 0].max() == pytest.approx(bays)
    assert uv[2:4, :, 0].max() == pytest.approx(2)
    # The left edge, seen from outside, comes first.
    assert uv[0, :, 0] == pytest.approx([0, bays, bays], abs=1e-9)
    assert uv[..., 1].min() == 0
    assert uv[..., 1].max() == pytest.approx(storeys)


def test_storeys_end_at_the_eaves_of_a_gabled_house():
    corners = plan(9.0, 14.0)
    triangles = around(corners, 0.0, 10.0)
    gables = []
    for a, b in ((0, 1), (2, 3)):
        ridge = (corners[a] + corners[b]) / 2
        gables.append([[*corners[a], 10.0], [*corners[b], 10.0], [*ridge, 14.4]])
    triangles = np.concatenate([triangles, gables])
    uv = painted(triangles)
    assert uv[triangles[..., 2] == 10.0][:, 1] == pytest.approx(3)
    assert uv[-2:, 2, 1] == pytest.approx(4.32)
    # A gable is a part of the wall below it.
    assert uv[-2:, :, 0] == pytest.approx(np.tile([0, 3, 1.5], (2, 1)), abs=1e-9)


def test_a_lower_part_has_storeys_of_its_own():
    high, low = around(plan(20, 12), 0, 19), around(plan(20, 12, at=(0, 0)), 0, 7.4)
    uv = painted(np.concatenate([high, low]))
    assert uv[:8, :, 1].max() == pytest.approx(6)
    assert uv[8:, :, 1].max() == pytest.approx(2)


def test_walls_in_one_plane_but_apart_begin_anew():
    front = [quad((x, 0), (x + 8.0, 0), 0, 6) for x in (0.0, 8.7)]
    uv = painted(np.concatenate(front))
    assert uv[:2, :, 0].max() == uv[2:, :, 0].max() == pytest.approx(2)
    assert uv[2:, :, 0].min() == 0


def test_walls_of_two_objects_in_one_plane_are_two():
    front = np.concatenate([quad((x, 0), (x + 8.0, 0), 0, 6) for x in (0.0, 8.0)])
    one, two = painted(front), painted(front, [1, 1, 2, 2])
    assert one[..., 0].max() == pytest.approx(5)
    assert two[2:, :, 0].min() == 0


@pytest.mark.parametrize(("sides", "radius"), [(8, 1.8), (24, 5.0), (30, 17.0)])
def test_a_round_tower_has_whole_bays_around_it(sides, radius):
    angle = 2 * np.pi * np.arange(sides) / sides
    corners = radius * np.column_stack([np.cos(angle), np.sin(angle)])
    uv = painted(around(corners, 0, 16))
    length = 2 * radius * np.sin(np.pi / sides) * sides
    assert uv[..., 0].min() == pytest.approx(0, abs=1e-9)
    assert uv[..., 0].max() == pytest.approx(round(length / 3.5))
    # Each goes on where its neighbour ends.
    borders = np.sort(np.concatenate([uv[::2, 0, 0], [uv[..., 0].max()]]))
    assert np.diff(borders) == pytest.approx(round(length / 3.5) / sides)


def test_windows_do_not_bend_around_the_corners_of_an_octagon():
    angle = np.pi / 4 * np.arange(8)
    uv = painted(around(6.0 * np.column_stack([np.cos(angle), np.sin(angle)]), 0, 16))
    assert np.ptp(uv[..., 0], axis=1) == pytest.approx(1)
    assert uv[..., 0].min() == pytest.approx(0, abs=1e-9)


def test_what_is_too_small_for_a_window_shows_the_pier_between_two():
    pillar, parapet = around(plan(0.6, 0.6), 0, 9), around(plan(12, 9), 20, 20.9)
    for triangles in (pillar, parapet):
        assert np.abs(painted(triangles)[..., 0]).max() <= 0.03 + 1e-9


def test_the_sides_of_a_wall_seen_from_both_do_not_disturb_each_other():
    front = quad((0, 0), (8.0, 0), 0, 6)
    alone, both = painted(front), painted(np.concatenate([front, front[:, ::-1]])[[0, 2, 1, 3]])
    assert both[[0, 2]] == pytest.approx(alone)
    assert both[[1, 3], :, 0].max() == pytest.approx(2)
    assert both[[1, 3], :, 0].min() == pytest.approx(0)


@pytest.mark.filterwarnings("error")
def test_triangles_without_area_harm_nothing():
    front = quad((0, 0), (8.0, 0), 0, 6)
    thin = np.array([[[0.0, 0, 0], [0, 0, 3], [0, 0, 6]], [[5.0, 5, 5]] * 3])
    uv = painted(np.concatenate([front, thin]))
    assert uv[:2] == pytest.approx(painted(front))
    assert np.isfinite(uv).all()


def test_a_scene_without_walls_has_no_coordinates():
    assert painted(np.empty((0, 3, 3))).shape == (0, 3, 2)
