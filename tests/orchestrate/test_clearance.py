"""Distances to a scene are exact, and what is said of a segment holds all along it."""

import numpy as np
import pytest
import trimesh

from tests.support import bundle, ground, ridge, street_canyon
from vasgen.orchestrate.clearance import Clearance, distance_to_triangles


def independent(scene, points):
    """Distance to the nearest triangle as trimesh finds it, triangle by triangle."""
    triangles = scene.face_table.triangles
    solid = trimesh.Trimesh(
        triangles.reshape(-1, 3), np.arange(3 * len(triangles)).reshape(-1, 3), process=False
    )
    return trimesh.proximity.closest_point_naive(solid, points)[1]


@pytest.mark.parametrize("seed", range(4))
def test_the_distance_to_a_triangle_is_that_of_trimesh(seed):
    rng = np.random.default_rng(seed)
    triangles, points = rng.normal(size=(300, 3, 3)), 2 * rng.normal(size=(300, 3))
    nearest = trimesh.triangles.closest_point(triangles, points)
    expected = np.linalg.norm(nearest - points, axis=1)
    assert distance_to_triangles(points, triangles) == pytest.approx(expected, abs=1e-12)


def test_a_sliver_counts_as_its_sides():
    sliver = np.array([[[0, 0, 0], [1, 0, 0], [2, 0, 0]]], float)
    assert distance_to_triangles(np.array([[1.5, 3.0, 4.0]]), sliver) == pytest.approx(5.0)


@pytest.mark.parametrize("scene", [street_canyon(), bundle(ground(40), ridge("r", 20, 8, 6))])
def test_the_distance_to_a_scene_is_that_of_trimesh(scene):
    points = np.random.default_rng(0).uniform((-50, -40, 0), (50, 40, 40), (400, 3))
    found = Clearance(scene).distance(points, 12.0)
    assert found == pytest.approx(np.minimum(independent(scene, points), 12.0), abs=1e-9)


def test_faces_that_do_not_count_are_not_met():
    scene = street_canyon()
    walls = Clearance(scene, scene.face_table.instance < 99)
    assert walls.distance(np.array([[0.0, 0.0, 1.0]]), 5.0) == pytest.approx(5.0)
    assert Clearance(scene).distance(np.array([[0.0, 0.0, 1.0]]), 5.0) == pytest.approx(1.0)


def test_a_segment_keeps_its_clearance_all_along():
    scene = street_canyon()
    rng = np.random.default_rng(1)
    path = rng.uniform((-60, -40, 1), (60, 40, 45), (300, 3))
    path[1::2] = path[::2] + rng.normal(size=(150, 3))  # short and long segments by turns
    kept = Clearance(scene).keeps(path, 3.0)
    assert 5 < kept.sum() < 250
    between = path[:-1, None] + np.linspace(0, 1, 21)[:, None] * np.diff(path, axis=0)[:, None]
    assert independent(scene, between[kept].reshape(-1, 3)).min() >= 3.0
