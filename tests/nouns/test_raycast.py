"""Rays against closed forms and a float64 search over all triangles, near and far."""

import numpy as np
import pytest

from tests.support import box, bundle, ground, moved, rectangle, street_canyon
from vasgen import runtime
from vasgen.raycast import RayCaster

SHIFTS = [(0.0, 0.0, 0.0), (10_000.0, -10_000.0, 300.0)]


def nearest(triangles, origin, directions):
    """Distance to the nearest triangle and its index (Möller and Trumbore 1997), float64."""
    best, face = np.full(len(directions), np.inf), np.full(len(directions), -1)
    for index, (a, b, c) in enumerate(triangles):
        normal_b = np.cross(directions, c - a)
        determinant = normal_b @ (b - a)
        with np.errstate(divide="ignore", invalid="ignore"):
            u = normal_b @ (origin - a) / determinant
            across = np.cross(origin - a, b - a)
            v = directions @ across / determinant
            t = (c - a) @ across / determinant
        hit = (determinant != 0) & (u >= 0) & (v >= 0) & (u + v <= 1) & (t > 0) & (t < best)
        best[hit], face[hit] = t[hit], index
    return best, face


@pytest.mark.parametrize("shift", SHIFTS)
def test_every_ray_in_a_street_meets_what_a_search_over_all_triangles_finds(shift):
    scene = moved(street_canyon(), np.array(shift))
    directions = np.random.default_rng(0).normal(size=(20_000, 3))
    origin = np.array(shift) + [-2, 3, 1.6]
    hits = RayCaster(scene).intersect(origin, directions)
    distance, face = nearest(scene.face_table.triangles, origin, directions)
    assert np.array_equal(hits.face, face)
    met = face >= 0
    assert 0.2 < met.mean() < 0.9
    np.testing.assert_allclose(hits.distance[met], distance[met], rtol=1e-9)
    assert np.isposinf(hits.distance[~met]).all()
    assert (hits.distance.dtype, hits.face.dtype) == (np.float64, np.int64)


@pytest.mark.parametrize("shift", SHIFTS)
def test_a_tilted_plane_is_met_at_the_distance_of_its_equation(shift):
    corners = np.array([[-50, -50, 0], [50, -50, 7], [50, 50, 31], [-50, 50, 24]]) + shift
    scene = bundle(rectangle("slope", corners))
    normal = np.cross(corners[1] - corners[0], corners[3] - corners[0])
    origin = np.array(shift) + [1.5, -2.5, 80]
    directions = np.random.default_rng(1).normal([0, 0, -3], 1, (2000, 3))
    hits = RayCaster(scene).intersect(origin, directions)
    met = hits.face >= 0
    assert met.sum() > 1000
    expected = (corners[0] - origin) @ normal / (directions @ normal)
    np.testing.assert_allclose(hits.distance[met], expected[met], rtol=1e-9)


@pytest.mark.parametrize("shift", SHIFTS)
def test_a_box_is_met_where_the_slabs_say(shift):
    low, high = np.array(shift) - [2, 3, 4], np.array(shift) + [2, 3, 4]
    scene = bundle(box("b", (4, 6, 8), shift))
    random = np.random.default_rng(2)
    origins = np.array(shift) + random.uniform(20, 40, (2000, 3))
    directions = np.array(shift) + random.uniform(-6, 6, (2000, 3)) - origins
    near, far = (low - origins) / directions, (high - origins) / directions
    enter, leave = np.minimum(near, far).max(axis=1), np.maximum(near, far).min(axis=1)
    clear = np.abs(leave - enter) > 1e-3  # no ray that only grazes an edge
    hits = RayCaster(scene).intersect(origins, directions)
    met = enter < leave
    assert np.array_equal((hits.face >= 0)[clear], met[clear])
    sure = met & clear
    assert sure.sum() > 300
    np.testing.assert_allclose(hits.distance[sure], enter[sure], rtol=1e-9)


def test_distance_counts_in_lengths_of_the_direction():
    caster = RayCaster(bundle(ground(50.0)))
    hits = caster.intersect((0, 0, 10), [[0, 0, -1], [0, 0, -4], [0, 0, -0.001], [0, 0, 1]])
    np.testing.assert_allclose(hits.distance, [10, 2.5, 10_000, np.inf], rtol=1e-12)
    assert hits.face[3] == -1


def test_faces_are_numbered_through_all_meshes():
    scene = bundle(ground(50.0), box("b", (4, 4, 4), (10, 0, 2)))
    hits = RayCaster(scene).intersect([[0, 30, 5], [10, 0.5, 9]], [[0, 0, -1]] * 2)
    assert hits.face[0] < 2 <= hits.face[1]
    assert scene.face_table.normal[hits.face[1]].tolist() == [0, 0, 1]


def test_both_sides_of_a_surface_are_met():
    caster = RayCaster(bundle(ground(50.0)))
    assert caster.intersect([[1, 2, -3]], [[0, 0, 1]]).distance.tolist() == [3]


def test_a_ray_within_the_plane_meets_nothing_and_does_not_warn():
    caster = RayCaster(bundle(ground(50.0, z=1.0)))
    hits = caster.intersect([[-80, 0, 1.0]], [[1, 0, 0]])
    assert np.isposinf(hits.distance[0]) == (hits.face[0] == -1)


def test_no_rays_are_no_hits():
    caster = RayCaster(bundle(ground(50.0)))
    none = np.zeros((0, 3))
    hits = caster.intersect(none, none)
    assert (hits.distance.shape, hits.face.shape) == ((0,), (0,))
    assert caster.intersect((0, 0, 1), none).face.shape == (0,)
    assert caster.blocked(none, none).shape == (0,)
    assert caster.blocked(none, (0, 0, 1)).dtype == bool


def test_another_centre_does_not_move_the_scene():
    scene = moved(street_canyon(), np.array([9000.0, 0, 0]))
    directions = np.random.default_rng(3).normal(size=(500, 3))
    origin = (8990, 3, 1.6)
    middle = RayCaster(scene).intersect(origin, directions)
    near = RayCaster(scene, centre=origin).intersect(origin, directions)
    assert np.array_equal(middle.face, near.face)
    assert np.array_equal(middle.distance, near.distance)


@pytest.fixture(scope="module", params=SHIFTS, ids=str)
def walls(request):
    """A wall of a millimetre at x=0 and a box of 4 m around x=10, and where they stand."""
    shift = np.array(request.param)
    scene = bundle(box("wall", (0.001, 20, 20), (0, 0, 0)), box("box", (4, 4, 4), (10, 0, 0)))
    return RayCaster(moved(scene, shift)), shift


def test_a_thin_wall_between_blocks_both_ways(walls):
    caster, shift = walls
    ends = np.array([[-0.5, 0, 0], [-5.0, 1, 2], [-500, 3, 1]]) + shift
    others = np.array([[0.5, 0.2, 0], [6.0, 1, 2], [7, 3, 1]]) + shift
    assert caster.blocked(ends, others).all()
    assert caster.blocked(others, ends).all()


def test_the_surfaces_at_the_ends_do_not_block(walls):
    caster, shift = walls
    start = np.array([0.0005, 1.0, 1.0]) + shift  # on the wall
    target = np.array([8.0, -1.0, 0.5]) + shift  # on the box
    assert not caster.blocked([start], [target])[0]
    assert not caster.blocked([target], [start])[0]


def test_past_the_wall_nothing_blocks(walls):
    caster, shift = walls
    assert not caster.blocked(shift + [-5, 10.5, 0], [shift + [5, 10.5, 0.0]])[0]


def test_what_lies_beyond_the_target_does_not_block(walls):
    caster, shift = walls
    assert not caster.blocked([shift + [1.0, 0, 0]], [shift + [7.0, 0, 0]])[0]
    assert caster.blocked([shift + [1.0, 0, 0]], [shift + [8.5, 0, 0]])[0]


def test_from_a_point_to_itself_nothing_blocks(walls):
    caster, shift = walls
    assert not caster.blocked([shift + [1.0, 1, 1]], [shift + [1.0, 1, 1]])[0]


def test_blocked_is_the_same_both_ways_in_a_street():
    scene = street_canyon()
    random = np.random.default_rng(4)
    starts, ends = random.uniform([-60, -30, 0.5], [60, 30, 40], (2, 3000, 3))
    caster = RayCaster(scene)
    there = caster.blocked(starts, ends)
    assert 0.2 < there.mean() < 0.95
    assert np.array_equal(there, caster.blocked(ends, starts))
    reach = caster.intersect(starts, ends - starts).distance
    assert np.array_equal(there, reach < 1)


def test_rays_work_before_inside_and_after_another_variant():
    scene = street_canyon()
    caster = RayCaster(scene)
    directions = np.random.default_rng(5).normal(size=(100, 3))
    before = caster.intersect((-2, 3, 1.6), directions)
    with runtime.colour_variant() as mi:
        variant = mi.variant()
        inside = caster.intersect((-2, 3, 1.6), directions)
        built_inside = RayCaster(scene)
        assert mi.variant() == variant
    for hits in (
        inside,
        caster.intersect((-2, 3, 1.6), directions),
        built_inside.intersect((-2, 3, 1.6), directions),
    ):
        assert np.array_equal(hits.face, before.face)
        assert np.array_equal(hits.distance, before.distance)
