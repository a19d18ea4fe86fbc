"""Inside or outside: closed boxes, open meshes, flipped normals."""

import numpy as np
import pytest

from tests.render.conftest import SceneBuilder, matte
from vasgen.inside import inside_solid
from vasgen.raycast import RayCaster
from vasgen.scenes import open_scene


def town(flip=False, floor=True):
    """Nine boxes of 20 m in a grid of 40 m, 15 m high, on a ground."""
    scene = SceneBuilder([matte()]).quad((-200, -200), (200, 200), 0.0)
    for i in range(9):
        x, y = 40 * (i % 3), 40 * (i // 3)
        scene.box([x, y, 0], [x + 20, y + 20, 15], instance=i + 1)
        mesh = scene.meshes[-1]
        keep = np.ones(12, bool)
        if not floor:
            keep[8:10] = False
        faces = mesh.faces[:, ::-1] if flip else mesh.faces
        scene.meshes.pop()
        scene.add(mesh.vertices, faces[keep], 6, i + 1, 0)
    return scene.bundle()


def _points():
    random = np.random.default_rng(5)
    points = random.uniform([-20, -20, 0.3], [120, 120, 30], (400, 3))
    cell = points[:, :2] % 40
    within = (points[:, :2] > 0).all(axis=1) & (points[:, :2] < 100).all(axis=1)
    truth = within & (cell < 20).all(axis=1) & (points[:, 2] < 15)
    return points, truth


@pytest.mark.parametrize("floor", [True, False])
def test_points_in_boxes_are_inside_and_others_are_not(floor):
    points, truth = _points()
    assert np.array_equal(inside_solid(RayCaster(town(floor=floor)), points), truth)


def test_a_scene_with_normals_inward_does_not_refuse_the_street():
    points, truth = _points()
    assert not inside_solid(RayCaster(town(flip=True)), points[~truth]).any()


def test_one_point_or_many():
    caster = RayCaster(town())
    assert inside_solid(caster, [10, 10, 5]).tolist() == [True]
    assert inside_solid(caster, np.zeros((0, 3))).shape == (0,)


def test_streets_and_roofs_of_an_imported_city_are_outside():
    """Munich's buildings are open below and made of several shapes."""
    bundle = open_scene("sionna:munich")
    caster = RayCaster(bundle)
    random = np.random.default_rng(2)
    low, high = bundle.bounds
    plan = random.uniform(low[:2] * 0.7, high[:2] * 0.7, (600, 2))
    above = np.column_stack([plan, np.full(600, high[2] + 50)])
    down = np.broadcast_to([0.0, 0.0, -1.0], above.shape)
    hits = caster.intersect(above, down)
    surface = above[:, 2] - hits.distance
    outside = np.column_stack([plan, surface + 1.7])[hits.face >= 0]
    assert inside_solid(caster, outside).mean() < 0.01
    # Deep under a roof, halfway to the ground, is inside.
    tall = (hits.face >= 0) & (surface > np.median(low[2]) + 12)
    halfway = np.column_stack([plan, surface / 2])[tall]
    assert inside_solid(caster, halfway).mean() > 0.85
