"""Top-down maps against closed forms and Sionna's path solver."""

import numpy as np
import pytest

from tests.support import box, bundle, ground, moved, rectangle, street_canyon
from tests.vas.reference import path_solver_gain
from vasgen.errors import InputError
from vasgen.raycast import RayCaster
from vasgen.semantics import SemanticClass
from vasgen.spec import RadioSpec
from vasgen.transmitter import Transmitter
from vasgen.vas import Grid, trace_topdown
from vasgen.vas.counting.coverage import Audience, trace_coverage
from vasgen.vas.counting.direct import trace_direct
from vasgen.vas.counting.slab import grid_surface
from vasgen.vas.scene.radio_scene import RadioScene
from vasgen.vas.surfaces.ground_plan import survey

SPEED_OF_LIGHT = 299_792_458.0
PLACES = [np.zeros(3), np.array([7000.0, -9000.0, 40.0])]


def friis(points, source, frequency_hz):
    distance = np.linalg.norm(points - source, axis=-1)
    return (SPEED_OF_LIGHT / frequency_hz / (4 * np.pi * distance)) ** 2


def setting(scene, grid, position, spec):
    """Radio scene with one transmitter, caster, ground plan and receivers of a grid."""
    caster = RayCaster(scene)
    plan = survey(caster, grid)
    radio = RadioScene(scene, spec, np.array([*grid.centre, 0.0]))
    radio.set_transmitter(Transmitter("tx", tuple(map(float, position))))
    return radio, caster, plan, grid_surface(grid, plan)


def counted_gain(radio, surface, spec, *, line_of_sight):
    """Path gain that counted rays find in every cell, linear."""
    audience = Audience([surface], radio.centre)
    return trace_coverage(radio, audience, spec, seed=0, line_of_sight=line_of_sight)[0].gain


def decibels(ratio):
    return 10 * np.log10(ratio)


# The grid


def test_rows_go_south_and_columns_east():
    grid = Grid((100.0, -50.0), size=4, cell_m=2.0)
    assert grid.points()[0, 0] == pytest.approx([97, -47])
    assert grid.points()[3, 1] == pytest.approx([99, -53])
    for row, column in [(0, 0), (3, 1), (2, 3)]:
        assert grid.cell_of(grid.points()[row, column]) == (row, column)
    assert grid.cell_of((95.9, -50.0)) is None
    assert grid.cell_of((100.0, -45.9)) is None


@pytest.mark.parametrize(
    ("wrong", "line"),
    [
        ({"size": 0}, "size is 0; allowed: 1 to 2048"),
        ({"size": 5000}, "size is 5000"),
        ({"cell_m": 0.0}, "0 m wide; allowed"),
        ({"cell_m": float("nan")}, "nan m wide; allowed"),
        ({"height_m": -1.5}, "-1.5 m above the ground; allowed"),
        ({"centre": (0.0, float("inf"))}, "two numbers"),
    ],
)
def test_bad_grids_are_refused(wrong, line):
    with pytest.raises(InputError, match=line):
        Grid(**wrong)


def test_a_grid_beyond_the_scene_is_refused():
    scene, tx = bundle(ground(20.0)), Transmitter("tx", (0.0, 0.0, 2.0))
    with pytest.raises(InputError, match=r"covers x -5 to 25, y -15 to 15 m, but .* x -20 to 20"):
        trace_topdown(scene, RadioSpec(), [tx], Grid((10.0, 0.0), size=30))


def test_a_grid_inside_a_building_is_refused():
    scene = bundle(ground(20.0), box("house", (16, 16, 10), (0, 0, 5)))
    with pytest.raises(InputError, match="all 4 x 4 cells of the grid are inside buildings"):
        trace_topdown(
            scene, RadioSpec(), [Transmitter("tx", (15.0, 0.0, 2.0))], Grid((0.0, 0.0), size=4)
        )


# What stands on the cells


def test_the_plan_finds_ground_roofs_and_shares_of_cells():
    house = box("house", (7.4, 5.0, 9.0), (0.0, 0.5, 4.5))
    tree = box("tree", (3, 3, 3), (-8.5, -8.5, 5.0), instance=2)
    tree.face_class[:] = SemanticClass.VEGETATION
    scene = bundle(ground(16.0), house, tree)
    plan = survey(RayCaster(scene), Grid((0.0, 0.0), size=24, height_m=1.5))
    x, y = Grid((0.0, 0.0), size=24).points().transpose(2, 0, 1)
    along_x = np.clip(np.minimum(x + 0.5, 3.7) - np.maximum(x - 0.5, -3.7), 0, 1)
    along_y = np.clip(np.minimum(y + 0.5, 3.0) - np.maximum(y - 0.5, -2.0), 0, 1)
    assert np.abs(plan.free_share - (1 - along_x * along_y)).max() < 0.03
    # The house ends at 0.7 of a cell: of its ninths the outer third is wholly free there.
    cut = plan.free[(along_x > 0.1) & (along_x < 0.9) & (along_y == 1)].reshape(-1, 3, 3)
    assert len(cut) == 10
    assert (cut.sum(axis=(1, 2)) == 3).all()
    assert plan.ground_m == pytest.approx(0.0, abs=1e-4)
    inside = (np.abs(x) < 3.7) & (np.abs(y - 0.5) < 2.5)
    assert plan.roof_m[inside] == pytest.approx(9.0, abs=1e-3)
    assert np.isnan(plan.roof_m[~inside]).all()


def test_ground_is_that_of_the_nearest_cell_where_there_is_none():
    """Some imported buildings have nothing below them, and terrain is not level."""
    west = rectangle(
        "west", [(-20, -20, 3), (-4, -20, 3), (-4, 20, 3), (-20, 20, 3)], semantic=1, instance=8
    )
    east = rectangle(
        "east", [(4, -20, 0), (20, -20, 8), (20, 20, 8), (4, 20, 0)], semantic=1, instance=9
    )
    scene = bundle(west, east, box("house", (8, 40, 20), (0, 0, 10)))
    plan = survey(RayCaster(scene), Grid((0.0, 0.0), size=32))
    x = Grid((0.0, 0.0), size=32).points()[..., 0]
    assert plan.ground_m[x < -4] == pytest.approx(3.0, abs=1e-3)
    assert plan.ground_m[x > 4] == pytest.approx((x[x > 4] - 4) / 2, abs=1e-3)
    assert plan.ground_m[(x > -4) & (x < -1)] == pytest.approx(3.0, abs=1e-3)


# Counted rays


@pytest.mark.parametrize("shift", PLACES)
@pytest.mark.parametrize(("frequency_hz", "height_m"), [(3.5e9, 1.5), (28e9, 20.0), (28e9, 0.4)])
def test_counted_line_of_sight_is_friis_in_every_cell(shift, frequency_hz, height_m):
    scene = moved(bundle(ground(40.0, radio="concrete")), shift)
    grid = Grid((shift[0] + 3.3, shift[1] - 1.2), size=48, height_m=height_m)
    spec = RadioSpec(frequency_hz=frequency_hz, rays=1_000_000, max_depth=0)
    position = shift + [2.2, -4.1, 3.0]
    radio, _, _, surface = setting(scene, grid, position, spec)
    counted = counted_gain(radio, surface, spec, line_of_sight=True)
    exact = trace_direct(radio, surface, position).gain
    points = surface.quad_centres
    assert points[:, 2] == pytest.approx(shift[2] + height_m, abs=2e-3)
    # Next to the transmitter the gain is not even over a cell.
    far = np.linalg.norm(points - position, axis=1) > 8
    error_db = decibels(counted / friis(points, position, frequency_hz))[far]
    assert abs(decibels(counted.sum() / exact.sum())) < 0.05
    assert np.abs(error_db).max() < 0.15
    assert abs(np.median(error_db)) < 0.01


def test_the_slab_follows_the_terrain():
    slope = rectangle(
        "hill", [(-30, -30, 0), (30, -30, 30), (30, 30, 30), (-30, 30, 0)], semantic=1, instance=9
    )
    grid = Grid((0.0, 0.0), size=40, height_m=2.0)
    spec = RadioSpec(rays=4_000_000, max_depth=0)
    position = np.array([-5.0, 3.0, 40.0])
    radio, _, _, surface = setting(bundle(slope), grid, position, spec)
    counted = counted_gain(radio, surface, spec, line_of_sight=True)
    points = surface.quad_centres
    assert points[:, 2] == pytest.approx(points[:, 0] / 2 + 17, abs=1e-3)
    error_db = decibels(counted / friis(points, position, spec.frequency_hz))
    assert abs(np.median(error_db)) < 0.01
    assert np.abs(error_db).max() < 0.15


@pytest.mark.parametrize("frequency_hz", [3.5e9, 28e9])
def test_metal_wall_and_ground_show_their_mirror_images(frequency_hz):
    wall = rectangle(
        "wall", [(60, 14, 0), (-60, 14, 0), (-60, 14, 60), (60, 14, 60)], radio="metal"
    )
    scene = bundle(ground(40.0, radio="metal"), wall)
    grid = Grid((0.0, -6.0), size=32)
    spec = RadioSpec(frequency_hz=frequency_hz, rays=4_000_000, max_depth=1, refraction=False)
    position = np.array([2.0, -8.0, 5.0])
    radio, _, _, surface = setting(scene, grid, position, spec)
    gain = counted_gain(radio, surface, spec, line_of_sight=False)
    points = surface.quad_centres
    images = (np.array([2.0, 36.0, 5.0]), np.array([2.0, -8.0, -5.0]))
    expected = sum(friis(points, image, frequency_hz) for image in images)
    error_db = decibels(gain / expected)
    assert abs(np.median(error_db)) < 0.02
    assert np.abs(error_db).max() < 0.3


def test_in_cells_that_a_wall_cuts_the_outdoor_part_counts():
    house = box("house", (9.3, 7.1, 12.0), (0.0, 0.0, 6.0), radio="concrete")
    scene = bundle(ground(20.0, radio="concrete"), house)
    grid = Grid((0.25, -0.2), size=24)
    spec = RadioSpec(rays=4_000_000, max_depth=0)
    position = np.array([3.0, -12.0, 4.0])
    radio, _, plan, surface = setting(scene, grid, position, spec)
    counted = counted_gain(radio, surface, spec, line_of_sight=True)
    exact = trace_direct(radio, surface, position).gain
    front = (grid.points()[..., 1] < -3).ravel() & (np.abs(grid.points()[..., 0]) < 4).ravel()
    cut = front & (plan.free_share.ravel() < 1) & (plan.free_share.ravel() >= 0.5)
    assert cut.sum() == 8
    fine = Grid(grid.centre, size=24 * 8, cell_m=1 / 8).points()
    outdoors = (np.abs(fine[..., 0]) > 4.65) | (np.abs(fine[..., 1]) > 3.55)
    gain = friis(np.dstack([fine, np.full(fine.shape[:2], 1.5)]), position, spec.frequency_hz)
    gain, outdoors = (a.reshape(24, 8, 24, 8).sum(axis=(1, 3)) for a in (gain * outdoors, outdoors))
    expected = (gain / np.maximum(outdoors, 1)).ravel()
    for found in (counted, exact):
        assert np.abs(decibels(found[cut] / expected[cut])).max() < 0.25
        assert np.abs(np.median(decibels(found[cut] / expected[cut]))) < 0.1


def test_what_passes_through_a_building_counts_outside_of_it():
    """Rays inside walls add nothing to the map; behind them they do."""
    house = box("house", (9.3, 7.1, 12.0), (0.0, 0.0, 6.0), radio="glass")
    scene = bundle(ground(20.0, radio="concrete"), house)
    spec = RadioSpec(rays=400_000, max_depth=3, diffraction=False, specular_reflection=False)
    found = trace_topdown(
        scene, spec, [Transmitter("tx", (0.0, -12.0, 1.5))], Grid((0.25, 0.1), size=24)
    )
    gain, y = found.radio.path_gain_db[0], Grid((0.25, 0.1), size=24).points()[..., 1]
    assert np.isnan(gain[found.building_mask]).all()
    assert not found.radio.reached[0][found.building_mask].any()
    behind = (y > 4) & (np.abs(Grid((0.25, 0.1), size=24).points()[..., 0]) < 3)
    assert not found.radio.line_of_sight[0][behind].any()
    assert found.radio.reached[0][behind].all()


# The whole map


@pytest.fixture(scope="module")
def canyon():
    spec = RadioSpec(rays=3_000_000, max_depth=2, refraction=False)
    transmitter = Transmitter("tx", (3.2, 1.7, 4.0))
    outside = Transmitter("away", (-60.0, 0.0, 4.0))
    grid = Grid((0.0, 2.0), size=64)
    scene = street_canyon()
    return scene, spec, transmitter, trace_topdown(scene, spec, [transmitter, outside], grid)


def test_masks_show_buildings_and_transmitters(canyon):
    *_, found = canyon
    x, y = found.grid.points().transpose(2, 0, 1)
    tower = (np.abs(x + 2) < 10) & (np.abs(y - 22) < 9)
    assert found.building_mask[tower].all()
    assert found.building_height_m[tower] == pytest.approx(32.0, abs=1e-3)
    assert not found.building_mask[np.abs(y - 2) < 8].any()
    assert not found.building_height_m[~found.building_mask].any()
    assert np.isnan(found.radio.path_gain_db[:, found.building_mask]).all()
    assert np.isfinite(found.radio.path_gain_db[:, ~found.building_mask]).all()
    assert np.argwhere(found.transmitter_mask[0]).tolist() == [[32, 35]]
    assert not found.transmitter_mask[1].any()
    nearest = np.unravel_index(np.nanargmax(found.radio.path_gain_db[0]), (64, 64))
    assert nearest == (32, 35)


def test_random_shadowed_cells_agree_with_the_path_solver(canyon):
    scene, spec, transmitter, found = canyon
    radio = RadioScene(scene, spec, np.zeros(3))
    radio.set_transmitter(transmitter)
    layers, rng = found.radio, np.random.default_rng(4)
    good = layers.reached[0] & ~layers.line_of_sight[0] & (layers.standard_error_db[0] < 1.5)
    cells = rng.choice(np.flatnonzero(good), 24, replace=False)
    shift = np.stack(
        [rng.permuted(np.tile([-0.375, -0.125, 0.125, 0.375], (24, 1)), axis=1) for _ in range(3)],
        axis=-1,
    )
    middle = np.column_stack([found.grid.points().reshape(-1, 2)[cells], np.full(24, 1.5)])
    points = (middle[:, None] + shift).reshape(-1, 3)
    all_sides = np.zeros_like(points)
    reference = path_solver_gain(radio, points, all_sides, spec, samples=200_000).reshape(24, 4)
    spread = reference.std(axis=1, ddof=1) / 2
    reference = reference.mean(axis=1)
    gain = 10 ** (layers.path_gain_db[0].ravel()[cells] / 10)
    error = gain * (10 ** (layers.standard_error_db[0].ravel()[cells] / 10) - 1)
    away = (gain - reference) / np.sqrt(error**2 + spread**2 + (0.02 * reference) ** 2)
    assert (np.abs(away) < 2).mean() >= 0.9
    assert abs(np.median(decibels(gain / reference))) < 0.05


def test_a_transmitter_amid_a_cell_keeps_the_gain_finite():
    scene = bundle(ground(10.0))
    spec = RadioSpec(rays=10_000, max_depth=0)
    found = trace_topdown(
        scene, spec, [Transmitter("tx", (0.25, 0.25, 1.5))], Grid((0.0, 0.0), size=8)
    )
    # Its own cell: the mean of Friis over a cube of a metre is about that at 0.36 m.
    gain = found.radio.path_gain_db[0]
    assert np.isfinite(gain).all()
    at = decibels(friis(np.array([0.36, 0, 0]), np.zeros(3), spec.frequency_hz))
    assert gain[3, 4] == pytest.approx(at, abs=3.0)


def test_same_seed_same_map_and_another_seed_another():
    scene, spec = street_canyon(), RadioSpec(rays=50_000, max_depth=2)
    maps = [
        trace_topdown(
            scene, spec, [Transmitter("tx", (0.0, 0.0, 3.0))], Grid(size=32), seed=seed
        ).radio.path_gain_db
        for seed in (1, 1, 2)
    ]
    assert maps[0].tobytes() == maps[1].tobytes()
    assert maps[0].tobytes() != maps[2].tobytes()
