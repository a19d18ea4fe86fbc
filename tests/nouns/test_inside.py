"""Inside or outside: closed boxes, open meshes, flipped normals; and in the earth."""

import numpy as np
import pytest

from tests.render.conftest import SceneBuilder, matte
from tests.support import box, bundle, ground, mesh, rectangle
from vasgen.citygen import CityConfig, generate
from vasgen.inside import inside_solid, obstructed, solid_around
from vasgen.raycast import RayCaster
from vasgen.scenes import open_scene
from vasgen.semantics import SemanticClass


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


def hill():
    """Ground that rises by half a metre a metre along x, and no bottom."""
    corners = [(-50, -50, -25), (50, -50, 25), (50, 50, 25), (-50, 50, -25)]
    return rectangle("hill", corners, semantic=SemanticClass.GRASS, instance=0)


@pytest.mark.parametrize("x", [-45.0, -10.0, 30.0])
@pytest.mark.parametrize("depth", [0.3, 1.5, 11.8])
def test_how_deep_in_a_hill_is_measured_upwards(x, depth):
    caster = RayCaster(bundle(hill(), box("tower", (8, 8, 70), (-20, -30, 20))))
    told = f"{depth:.1f} m below the ground; raise it"
    assert solid_around(caster, (x, 0, x / 2 - depth)) == told
    assert solid_around(caster, (x, 0, x / 2 + depth)) is None


def test_the_whole_earth_of_a_hilly_city_is_no_place_to_stand():
    made = generate(CityConfig(density="downtown", seed=3, size_m=160.0, lod=1, relief_m=18.0))
    caster = RayCaster(made.to_bundle())
    low, high = caster.bundle.bounds
    plan = np.random.default_rng(1).uniform(low[:2], high[:2], (800, 2))
    deep = np.column_stack([plan, np.full(800, low[2] - 1.0)])
    bottom = deep[:, 2] + caster.intersect(deep, np.tile([0.0, 0.0, 1.0], (800, 1))).distance
    for depth in (0.3, 1.5, 6.0):
        assert obstructed(caster, np.column_stack([plan, bottom - depth])).all()
    top = np.column_stack([plan, np.full(800, high[2] + 50.0)])
    surface = top[:, 2] - caster.intersect(top, np.tile([0.0, 0.0, -1.0], (800, 1))).distance
    assert not obstructed(caster, np.column_stack([plan, surface + 1.6])).any()


def floating(name, size, centre, semantic):
    solid = box(name, size, centre)
    return mesh(name, solid.vertices, solid.faces, radio="concrete", semantic=semantic)


SHEET = [(-5, -30, 6), (5, -30, 6), (5, 30, 6), (-5, 30, 6)]
ROOFS = {
    "bridge": floating("deck", (10, 60, 1), (0, 0, 6), SemanticClass.ROAD),
    "bridge of one sheet": rectangle("deck", SHEET, semantic=SemanticClass.ROAD),
    "canopy of one sheet": rectangle("canopy", SHEET, semantic=SemanticClass.ROOF),
    "canopy": floating("canopy", (10, 60, 0.2), (0, 0, 6), SemanticClass.ROOF),
    "balcony": floating("balcony", (2, 4, 0.3), (0, 0, 3), SemanticClass.WALL),
}


@pytest.mark.parametrize("roof", ROOFS)
def test_under_a_roof_nobody_is_in_the_earth(roof):
    house = box("house", (10, 60, 20), (11, 0, 10), instance=2)
    caster = RayCaster(bundle(ground(60), house, ROOFS[roof]))
    assert solid_around(caster, (0, 0, 1.6)) is None
    assert solid_around(caster, (0, 0, -1.6)) == "1.6 m below the ground; raise it"


def test_in_an_arcade_nobody_is_in_the_earth_and_below_it_one_is():
    house = box("house", (20, 60, 16), (10, 0, 12), instance=2)  # on pillars 4 m high
    caster = RayCaster(bundle(ground(60), house, box("core", (10, 60, 8), (15, 0, 4), instance=3)))
    assert solid_around(caster, (5, 0, 1.6)) is None
    assert solid_around(caster, (5, 0, 6.0)) == "inside object 2 (building); move it outside"
    assert solid_around(caster, (5, 0, -2.0)) == "2.0 m below the ground; raise it"


def test_below_a_building_that_stands_in_a_hole_of_the_ground_is_the_earth():
    east = [(10, -50, 0), (110, -50, 0), (110, 50, 0), (10, 50, 0)]
    strip = [ground(50, centre=(-60, 0)), rectangle("east", east, semantic=SemanticClass.ROAD)]
    house, tower = box("h", (20, 90, 20), (0, 0, 9)), box("t", (4, 4, 9), (60, 0, -1), instance=2)
    caster = RayCaster(bundle(*strip, house, tower))
    under = "below the ground, under object 1 (building); move it outside"
    assert solid_around(caster, (0, 0, -3)) == under
    # Beyond the ground it is deep below the lowest point only.
    assert solid_around(caster, (300, 0, -4)) is None
    assert solid_around(caster, (300, 0, -7.5)) == "2.0 m below the ground; raise it"
    # And where there is no ground, there is no earth.
    assert solid_around(RayCaster(bundle(house, tower)), (0, 0, -3)) is None
    assert solid_around(RayCaster(bundle(house, tower)), (0, 0, -30)) is None
