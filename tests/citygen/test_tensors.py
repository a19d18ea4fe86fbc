"""Tensor fields have the eigenvectors that theory says, and lines follow them evenly."""

import math

import numpy as np
import pytest
import shapely

from vasgen.citygen.roads.tensors import Along, Contour, Grid, Radial, TensorField, Waves
from vasgen.citygen.roads.tracing import Compass, Crowd, evenly_spaced, trace

POINTS = np.random.default_rng(0).uniform(-300.0, 300.0, (500, 2))


def between(ways, others):
    """Angle between directions of either sign."""
    cross = ways[:, 0] * others[:, 1] - ways[:, 1] * others[:, 0]
    return np.abs(np.arctan2(cross, (ways * others).sum(axis=1)) % np.pi)


def same(ways, others):
    angle = between(ways, others)
    return np.minimum(angle, np.pi - angle).max() < 1e-9


@pytest.mark.parametrize("angle", [0.0, 0.3, 1.2, math.pi / 2, 2.9, -1.0])
def test_a_grid_has_one_direction(angle):
    field = TensorField([Grid(angle, 0.7)])
    way = np.broadcast_to([math.cos(angle), math.sin(angle)], POINTS.shape)
    assert same(field.major(POINTS), way)
    assert np.allclose((field.major(POINTS) * field.minor(POINTS)).sum(axis=1), 0.0)


@pytest.mark.parametrize("centre", [(0.0, 0.0), (40.0, -250.0)])
def test_a_radial_field_has_rings_and_spokes(centre):
    field = TensorField([Radial(centre, 0.4, 500.0, 30.0)])
    assert same(field.minor(POINTS), POINTS - centre)
    ring = (POINTS - centre)[:, ::-1] * [-1.0, 1.0]
    assert same(field.major(POINTS), ring)


def test_the_centre_of_a_radial_field_is_its_only_degenerate_point():
    field = TensorField([Radial((5.0, 6.0))])
    assert np.array_equal(field.tensors(np.array([[5.0, 6.0]])), [[0.0, 0.0]])
    assert np.hypot(*field.tensors(POINTS).T).min() > 0
    # Once around it, a direction turns once: index +1.
    turn = np.linspace(0.0, 2 * np.pi, 400)
    doubled = field.tensors(np.column_stack([5 + 30 * np.cos(turn), 6 + 30 * np.sin(turn)]))
    angle = np.unwrap(np.arctan2(doubled[:, 1], doubled[:, 0])) / 2
    assert angle[-1] - angle[0] == pytest.approx(2 * np.pi)


@pytest.mark.parametrize("across", [False, True])
def test_a_line_is_followed_and_the_cutting_of_its_pieces_does_not_matter(across):
    start, end = np.array([-50.0, 20.0]), np.array([90.0, 160.0])
    whole = Along(start[None], end[None], 1.0, 80.0, across)
    middle = 0.3 * start + 0.7 * end
    halves = Along(np.stack([start, middle]), np.stack([middle, end]), 1.0, 80.0, across)
    along = np.broadcast_to([1.0, 1.0], POINTS.shape)
    field = TensorField([whole])
    assert same(field.minor(POINTS) if across else field.major(POINTS), along)
    assert np.allclose(whole.tensors(POINTS), halves.tensors(POINTS), atol=1e-12)


def test_a_line_has_its_say_near_it():
    line = Along(np.array([[-500.0, 0.0]]), np.array([[500.0, 0.0]]), 2.0, 50.0)
    strength = np.hypot(*line.tensors(np.array([[0.0, 0.0], [0.0, 50.0], [0.0, 400.0]])).T)
    assert strength[:2] == pytest.approx([2.0, 2.0 / math.e])
    assert strength[2] < 1e-20


class Ramp:
    def level_at(self, points):
        return 0.08 * points[:, 0] - 0.06 * points[:, 1]


class Plain:
    def level_at(self, points):
        return np.zeros(len(points))


def test_contour_lines_run_square_to_the_slope():
    field = TensorField([Contour(Ramp())])
    uphill = np.broadcast_to([0.8, -0.6], POINTS.shape)
    assert same(field.minor(POINTS), uphill)
    # A slope of 0.1 is twice that of half the say.
    assert np.hypot(*field.tensors(POINTS).T) == pytest.approx(np.full(len(POINTS), 2 / 3))
    assert not Contour(Plain()).tensors(POINTS).any()


def test_blending_is_symmetric_and_scale_free():
    bases = [Grid(0.4), Radial((10.0, 0.0), 0.8, 200.0), Contour(Ramp(), 0.5)]
    field, mirrored = TensorField(bases), TensorField(bases[::-1])
    assert np.allclose(field.tensors(POINTS), mirrored.tensors(POINTS), atol=1e-14)
    equal = TensorField([Grid(0.2), Grid(1.0)])
    middle = np.broadcast_to([math.cos(0.6), math.sin(0.6)], POINTS.shape)
    assert same(equal.major(POINTS), middle)
    crossed = TensorField([Grid(0.2), Grid(0.2 + math.pi / 2)])
    assert np.abs(crossed.tensors(POINTS)).max() < 1e-15


def test_waves_turn_the_field_by_their_angle():
    waves = Waves.draw(np.random.default_rng(3), 0.3, (200.0, 500.0))
    field = TensorField([Grid(0.1)], waves)
    angle = 0.1 + waves.turn(POINTS)
    assert same(field.major(POINTS), np.column_stack([np.cos(angle), np.sin(angle)]))
    far = np.random.default_rng(4).uniform(-5e4, 5e4, (20000, 2))
    assert np.sqrt((waves.turn(far) ** 2).mean()) == pytest.approx(0.3, rel=0.02)


@pytest.mark.parametrize("family", [0, 1])
def test_lines_of_a_grid_are_straight_and_at_one_distance(family):
    compass = Compass(TensorField([Grid(0.3)]), shapely.box(-400, -400, 400, 400))
    lines = evenly_spaced(compass, family, 100.0, [(0.0, 0.0)])
    across = 0.3 + (0 if family else math.pi / 2)
    normal = np.array([math.cos(across), math.sin(across)])
    offsets = []
    for line in lines:
        places = shapely.get_coordinates(line) @ normal
        assert np.ptp(places) < 0.01
        offsets.append(places.mean())
    assert len(lines) >= 9
    assert np.allclose(np.diff(sorted(offsets)), 100.0, atol=0.05)


def test_rings_close_and_spokes_leave_the_region():
    compass = Compass(TensorField([Radial((0.0, 0.0))]), shapely.box(-500, -500, 500, 500))
    ring = np.array(trace(compass, (200.0, 0.0), 0, Crowd(10.0), 0.0))
    assert np.array_equal(ring[0], ring[-1])
    assert np.abs(np.hypot(*ring.T) - 200.0).max() < 2.0
    spoke = np.array(trace(compass, (200.0, 90.0), 1, Crowd(10.0), 0.0))
    assert np.abs(spoke[0]).max() > 500
    assert np.abs(np.arctan2(spoke[:, 1], spoke[:, 0]) - math.atan2(90, 200)).min() < 1e-3


def test_a_spiral_stops_before_it_meets_itself():
    # Rings that are turned by ten degrees.
    waves = Waves(np.zeros((1, 2)), np.array([np.pi / 2]), math.radians(10.0) / math.sqrt(2.0))
    field = TensorField([Radial((0.0, 0.0))], waves)
    compass = Compass(field, shapely.box(-600, -600, 600, 600))
    free = trace(compass, (0.0, 350.0), 0, Crowd(150.0), 0.0)
    kept = np.array(trace(compass, (0.0, 350.0), 0, Crowd(150.0), 150.0))
    assert 8 < len(kept) < 0.5 * len(free)
    apart = np.hypot(*(kept[:, None] - kept).transpose(2, 0, 1))
    steps = np.abs(np.subtract.outer(np.arange(len(kept)), np.arange(len(kept))))
    assert apart[steps > 70].min(initial=np.inf) > 100.0


def test_lines_of_a_turning_field_keep_their_distance():
    waves = Waves.draw(np.random.default_rng(7), 0.35, (400.0, 900.0))
    compass = Compass(TensorField([Grid(0.0)], waves), shapely.box(0, 0, 1500, 1500))
    for family in (0, 1):
        lines = np.array(evenly_spaced(compass, family, 90.0, [(700.0, 700.0)]), dtype=object)
        gaps = np.array([np.sort(shapely.distance(line, lines))[1] for line in lines])
        # They stop at half the spacing, give or take a step.
        assert gaps.min() > 0.5 * 90.0 - 12.0
        away = shapely.distance(
            shapely.points(np.random.default_rng(1).uniform(150, 1350, (400, 2))),
            shapely.union_all(lines),
        )
        assert away.max() < 0.9 * 90.0


def test_lines_keep_away_from_walls_and_start_again_beyond_them():
    compass = Compass(TensorField([Grid(0.0)]), shapely.box(0, 0, 600, 600))
    wall = [(float(x), 300.0) for x in range(0, 601, 10)]
    spare = [(300.0, 450.0)]
    lines = evenly_spaced(compass, 0, 100.0, [(300.0, 320.0), (300.0, 150.0)], wall, spare)
    heights = sorted(line.coords[0][1] for line in lines)
    assert all(abs(height - 300.0) > 70.0 for height in heights)
    assert heights[0] < 300.0 < heights[-1]
