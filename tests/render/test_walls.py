"""Frames of walls: metres from the left edge and above the foot, whatever the coordinates."""

import numpy as np
import pytest

from tests.render.conftest import SceneBuilder, matte
from vasgen.render.looks.walls import wall_frames
from vasgen.semantics import SemanticClass


def wall(builder, instance, turn, foot, length, height, uv_map):
    """An upright rectangle; seen from outside its left edge is at ``foot``."""
    right = np.array([np.cos(turn), np.sin(turn), 0])
    corners = np.array(foot) + np.array(
        [0 * right, length * right, length * right + [0, 0, height], [0, 0, height]]
    )
    faces = np.array([[0, 1, 2], [0, 2, 3]])
    metres = np.array([[0, 0], [length, 0], [length, height], [0, height]])
    uv = (metres @ np.array(uv_map))[faces]
    builder.add(corners, faces, SemanticClass.WALL, instance, 0, uv)
    return uv


def frames_of(builder):
    faces = builder.bundle().face_table
    uv = faces.corner_uv
    return faces, wall_frames(faces, uv, faces.semantic == SemanticClass.WALL)


def at(frames, face, uv):
    row = frames.rows[frames.number[face]].astype(float)
    return row[0] * uv[0] + row[1] * uv[1] + row[2], row[3] * uv[0] + row[4] * uv[1] + row[5]


@pytest.mark.parametrize("turn", [0.0, 0.4, 1.7, 3.0, 5.5])
@pytest.mark.parametrize("uv_map", [[[1 / 24, 0], [0, 1 / 26]], [[0.3, 0.1], [-0.2, 0.4]]])
def test_points_of_a_wall_in_metres(turn, uv_map):
    builder = SceneBuilder([matte()])
    wall(builder, 3, turn, (500.0, -300.0, 7.0), 17.0, 11.0, uv_map)
    faces, frames = frames_of(builder)
    for face in range(2):
        for share in np.random.default_rng(face).dirichlet([1, 1, 1], 20):
            point = share @ faces.triangles[face] - (500, -300, 7)
            along, up = at(frames, face, share @ faces.corner_uv[face])
            assert along == pytest.approx(np.hypot(*point[:2]), abs=1e-3)
            assert up == pytest.approx(point[2], abs=1e-3)
    assert frames.rows[1:, 6] == pytest.approx([17.0, 17.0], abs=1e-3)
    assert frames.rows[1:, 7] == pytest.approx([11.0, 11.0], abs=1e-3)


def test_heights_count_from_the_foot_of_the_building_and_each_side_is_a_wall():
    builder = SceneBuilder([matte()])
    plain = [[1, 0], [0, 1]]
    wall(builder, 1, 0.0, (0, 0, 2.0), 8.0, 9.0, plain)
    wall(builder, 1, np.pi / 2, (8, 0, 5.0), 6.0, 3.0, plain)
    wall(builder, 2, 0.0, (8, 0, 4.0), 6.0, 3.0, plain)
    _, frames = frames_of(builder)
    rows = frames.rows[frames.number]
    assert rows[:, 5] == pytest.approx([0, 0, 3, 3, 0, 0], abs=1e-5)
    assert rows[:, 7] == pytest.approx([9, 9, 6, 6, 3, 3], abs=1e-5)
    numbers = frames.piece[frames.number]
    assert numbers[0] == numbers[1] != numbers[2] == numbers[3] != numbers[4] == numbers[5]


def test_what_is_not_upright_or_has_no_coordinates_is_no_wall():
    builder = SceneBuilder([matte()])
    builder.quad((0, 0), (5, 5), 1.0, semantic=SemanticClass.WALL)
    wall(builder, 1, 0.0, (0, 0, 0), 8.0, 9.0, [[0, 0], [0, 0]])
    assert not frames_of(builder)[1].number.any()
