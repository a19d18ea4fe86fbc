"""Frames of streets: metres along them and from their middle, found from their outline."""

import numpy as np
import pytest
import shapely
import trimesh

from tests.render.conftest import SceneBuilder, matte
from vasgen.citygen import CityConfig, generate
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


@pytest.mark.filterwarnings("error")
def test_a_slab_is_a_street_on_its_top_only():
    builder = SceneBuilder([matte()])
    slab = trimesh.creation.box((40, 6, 0.2))
    uv = slab.vertices[slab.faces] @ [[1, 0], [0, 1], [0.3, 0.7]]
    builder.add(slab.vertices, slab.faces, SemanticClass.ROAD, 4, 0, uv)
    faces, frames = found(builder)
    assert np.array_equal(frames.number > 0, faces.normal[:, 2] > 0.9)
    assert frames.rows[1:, 7] == pytest.approx(3.0, abs=0.01)


@pytest.mark.filterwarnings("error")
def test_triangles_thinner_than_a_millimetre_change_nothing():
    builder = SceneBuilder([matte()])
    corners = np.array([[0, 0], [60, 0], [60, 6.5], [0, 6.5], [30, 0], [30.0004, 0], [30, 6.5]])
    faces = np.array([[0, 4, 6], [0, 6, 3], [4, 5, 6], [5, 1, 2], [5, 2, 6]])
    corners = np.column_stack([corners, np.zeros(len(corners))])
    builder.add(corners, faces, SemanticClass.ROAD, 4, 0, corners[faces][..., :2])
    scrap = np.array([[0, 90, 0], [0.0004, 90, 0], [0, 90.0004, 0]])
    builder.add(scrap, [[0, 1, 2]], SemanticClass.ROAD, 5, 0, 1e3 * scrap[[[0, 1, 2]]][..., :2])
    _, frames = found(builder)
    assert frames.number[[0, 1, 3, 4]].all()
    assert frames.number[5] == 0
    assert frames.rows[1:, 7] == pytest.approx(3.25, abs=0.01)


@pytest.mark.parametrize(("long", "wide"), [(6.7, 4.8), (9.5, 3.0), (30.0, 1.5), (40.0, 3.0)])
def test_scraps_have_no_direction(long, wide):
    builder = SceneBuilder([matte()])
    strip(builder, np.array([[0.0, 0.0], [long, 0.0]]), wide / 2, 2)
    _, frames = found(builder)
    assert not frames.number.any()


def star(ways, half=4.0, reach=14.0):
    """A crossing with mouths of a width to directions, corners to the left in turn."""
    corners = []
    for number, angle in enumerate(ways):
        way = np.array([np.cos(angle), np.sin(angle)])
        left = np.array([-way[1], way[0]])
        corners += [reach * way - half * left, reach * way + half * left]
        following = ways[(number + 1) % len(ways)] + 2 * np.pi * (number + 1 == len(ways))
        if following - angle < 3.1:
            between = (angle + following) / 2
            away = half / np.sin((following - angle) / 2)
            corners.append(away * np.array([np.cos(between), np.sin(between)]))
    return np.array(corners)


@pytest.mark.parametrize(
    "ways", [(0.0, np.pi / 2, np.pi), (0.0, 2.1, 4.2), (0.0, np.pi / 2, np.pi, 3 * np.pi / 2)]
)
def test_crossings_have_no_direction(ways):
    outline = shapely.Polygon(star(ways))
    parts = shapely.constrained_delaunay_triangles(outline)
    corners = np.array([shapely.get_coordinates(p)[:3] for p in parts.geoms])
    flat = np.concatenate([corners, np.zeros((*corners.shape[:2], 1))], axis=-1).reshape(-1, 3)
    faces = np.arange(len(flat)).reshape(-1, 3)
    builder = SceneBuilder([matte()])
    builder.add(flat, np.roll(faces[:, ::-1], 1, axis=1), SemanticClass.ROAD, 1, 0, corners)
    faces, frames = found(builder)
    assert (faces.normal[:, 2] > 0).all()
    assert not frames.number.any()


def test_a_wide_street_cut_into_short_pieces_runs_along_its_kerbs():
    """Where another piece goes on, there is no kerb, however long the cut."""
    builder = SceneBuilder([matte()])
    line = np.array([[0.0, 0.0], [1.0, 0.0]])
    for number in range(5):
        strip(builder, 8 * line + [8.0 * number, 0], 11.0, 1 + number)
    _, frames = found(builder)
    inner = np.unique(frames.rows[frames.number[2:8]][:, 7])
    assert inner.tolist() == [0]


@pytest.mark.parametrize(("density", "seed"), [("downtown", 3), ("margin", 0)])
def test_most_of_a_city_s_streets_are_found_with_their_widths(density, seed):
    city = generate(CityConfig(density, seed, 260.0))
    faces = city.to_bundle().face_table
    frames = street_frames(faces, faces.corner_uv / 24)
    road = faces.semantic == SemanticClass.ROAD
    one, two = (faces.triangles[:, k] - faces.triangles[:, 0] for k in (1, 2))
    area = np.linalg.norm(np.cross(one, two), axis=1) / 2
    assert 0.72 < area[road & (frames.number > 0)].sum() / area[road].sum() < 0.92
    lines = city.sections.lines
    for piece in np.unique(faces.instance[frames.number > 0]):
        own = (faces.instance == piece) & (frames.number > 0)
        middle = np.average(faces.triangles[own].mean(axis=1)[:, :2], axis=0, weights=area[own])
        nearest = shapely.distance(lines, shapely.Point(middle)).argmin()
        half = city.sections.half_m[nearest]
        assert frames.rows[frames.number[own], 7] == pytest.approx(half, rel=0.035)
