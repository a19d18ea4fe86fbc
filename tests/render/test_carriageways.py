"""Frames of streets: metres along them and from their middle, found from their outline."""

import numpy as np
import pytest

from tests.render.conftest import SceneBuilder, matte
from vasgen.render.looks.carriageways import street_frames
from vasgen.semantics import SemanticClass


def strip(builder, points, half, instance, semantic=SemanticClass.ROAD):
    """A carriageway along points, (N, 2), of right triangles with metres as coordinates."""
    way = np.gradient(points, axis=0)
    way /= np.linalg.norm(way, axis=1, keepdims=True)
    side = np.column_stack([-way[:, 1], way[:, 0]])
    xy = np.concatenate([points + half * side, points - half * side])
    count = len(points)
    left = np.arange(count - 1)
    faces = np.concatenate(
        [
            np.column_stack([left, left + count, left + 1]),
            np.column_stack([left + 1, left + count, left + count + 1]),
        ]
    )
    corners = np.column_stack([xy, np.zeros(len(xy))])
    builder.add(corners, faces, semantic, instance, 0, xy[faces])


def found(builder):
    faces = builder.bundle().face_table
    return faces, street_frames(faces, faces.corner_uv / 24)


def at(frames, face, place):
    row = frames.rows[frames.number[face]].astype(float)
    u, v = np.asarray(place) / 24
    return row[0] * u + row[1] * v + row[2], row[3] * u + row[4] * v + row[5]


@pytest.mark.parametrize("turn", [0.0, 0.7, 1.6, 3.0])
@pytest.mark.parametrize(("width", "lane"), [(6.5, 3.25), (8.5, 4.25), (10.0, 2.8), (22.0, 2.93)])
def test_a_straight_street(turn, width, lane):
    way = np.array([np.cos(turn), np.sin(turn)])
    start = np.array([300.0, -120.0])
    builder = SceneBuilder([matte()])
    strip(builder, start + np.linspace(0, 60, 4)[:, None] * way, width / 2, 7)
    faces, frames = found(builder)
    sign = None
    for face in range(len(faces.instance)):
        for share in np.random.default_rng(face).dirichlet([1, 1, 1], 5):
            place = share @ faces.triangles[face][:, :2]
            along, left = at(frames, face, place)
            dx, dy = place - start - 30 * way
            sign = sign or np.sign(along * (dx * way[0] + dy * way[1]))
            assert along == pytest.approx(sign * (dx * way[0] + dy * way[1]), abs=0.01)
            assert left == pytest.approx(sign * (dy * way[0] - dx * way[1]), abs=0.01)
    assert frames.rows[1:, 6] == pytest.approx(lane, abs=0.02)
    assert frames.rows[1:, 7] == pytest.approx(width / 2, abs=0.01)


@pytest.mark.parametrize("radius", [80.0, 150.0, 400.0])
def test_a_street_on_an_arc_has_its_middle_on_the_arc(radius):
    angle = np.linspace(-30, 30, 13) / radius
    builder = SceneBuilder([matte()])
    strip(builder, radius * np.column_stack([np.cos(angle), np.sin(angle)]), 4.0, 3)
    faces, frames = found(builder)
    assert frames.number.all()
    for face in range(len(faces.instance)):
        place = faces.triangles[face][:, :2].mean(axis=0)
        away = abs(np.hypot(*place) - radius)
        assert abs(at(frames, face, place)[1]) == pytest.approx(away, abs=0.15)


def test_squares_lawns_and_what_is_no_object_have_no_direction():
    builder = SceneBuilder([matte()])
    line = np.array([[0.0, 0.0], [12.0, 0.0]])
    strip(builder, line, 6.0, 1)
    strip(builder, 6 * line + [0, 100], 4.0, 0)
    strip(builder, 6 * line + [0, 200], 4.0, 5, SemanticClass.GRASS)
    _, frames = found(builder)
    assert not frames.number.any()
    assert len(frames.rows) == 1
