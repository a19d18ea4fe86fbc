"""Contexts are what the buildings around make of a place."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.orchestrate import places
from tests.support import bundle, ground, moved
from vasgen.citygen import CityConfig, generate
from vasgen.orchestrate.contexts import (
    ARM_M,
    CONTEXTS,
    RAYS,
    SIGHT_M,
    Contexts,
    classify,
    count_arms,
)
from vasgen.semantics import SemanticClass


def contexts(scene, *points):
    return Contexts(scene).at(np.array([(*p, 0.0) for p in points], float).reshape(-1, 3))


@pytest.mark.parametrize("width", [10.0, 18.0, 30.0])
def test_between_two_rows_of_houses_is_a_canyon(width):
    across = np.linspace(-0.5, 0.5, 5) * (width - 4)
    points = [(x, y) for x in (-40.0, 0.0, 40.0) for y in across]
    assert contexts(places.street(width), *points) == ["canyon"] * len(points)


@pytest.mark.parametrize(("width", "arms"), [(12.0, 3), (12.0, 4), (20.0, 3), (28.0, 4)])
def test_where_streets_meet_is_a_junction(width, arms):
    scene = places.crossing(width, arms)
    near = np.array([(0, 0), (1, 1), (-1, 1), (1, -1), (-1, -1)]) * width / 4
    assert contexts(scene, *near) == ["junction"] * 5
    away = width / 2 + 30
    assert contexts(scene, (away, 0), (-away, 0), (0, -away)) == ["canyon"] * 3


@pytest.mark.parametrize("side", [60.0, 90.0, 130.0])
def test_a_wide_place_is_a_square_up_to_its_houses(side):
    line = np.array([-0.5, -0.25, 0.0, 0.25, 0.5]) * (side - 16)
    points = [(x, y) for x in line for y in line]
    assert contexts(places.plaza(side), *points) == ["square"] * 25
    out = side / 2 + 30
    assert contexts(places.plaza(side), (out, 0), (0, -out)) == ["canyon"] * 2


@pytest.mark.parametrize("size", [(16.0, 24.0), (30.0, 30.0), (40.0, 70.0), (80.0, 100.0)])
def test_a_yard_without_a_way_out_is_a_courtyard(size):
    points = [(x * size[0], y * size[1]) for x in (-0.4, 0.0, 0.4) for y in (-0.4, 0.0, 0.4)]
    assert contexts(places.courtyard(*size), *points) == ["courtyard"] * 9


def test_fields_and_one_row_of_houses_are_open():
    assert contexts(bundle(ground(500)), (0, 0), (40, -90)) == ["open"] * 2
    row = places.blocks((-150, 10, 150, 25))
    assert contexts(row, (0, 0), (100, 5), (-300, 0)) == ["open"] * 3


def test_trees_and_cars_make_no_place():
    hedge = places.prism(
        "hedge", places.rectangle(-130, 3, 130, 5), 4.0, semantic=SemanticClass.VEGETATION
    )
    bus = places.prism("bus", places.rectangle(2, -4, 14, -1), 3.0, semantic=SemanticClass.VEHICLE)
    bare = places.street(20.0)
    full = bundle(*bare.meshes, hedge, bus)
    ground_point = np.array([[0.0, 0.0, 0.0]])
    np.testing.assert_array_equal(
        Contexts(full).isovist(ground_point), Contexts(bare).isovist(ground_point)
    )


@pytest.mark.parametrize("shift", [(0, 0, 0), (7000, -3000, 520)])
def test_an_isovist_is_the_distance_to_the_walls(shift):
    width = 24.0
    scene = moved(places.street(width, 1000.0), shift)
    (rays,) = Contexts(scene).isovist(np.array([shift], float))
    angle = np.arange(RAYS) * 2 * np.pi / RAYS
    with np.errstate(divide="ignore"):
        expected = np.minimum(width / 2 / np.abs(np.sin(angle)), SIGHT_M)
    np.testing.assert_allclose(rays, expected, rtol=1e-3)


@pytest.mark.parametrize(("density", "size_m"), [("downtown", 400.0), ("mix", 400.0)])
def test_the_road_network_of_a_city_agrees(density, size_m):
    right = {"junction": [], "canyon": []}
    for seed in range(3):
        city = generate(CityConfig(density=density, seed=seed, size_m=size_m))
        points, names = places.named_places(city)
        found = np.array(Contexts(city.to_bundle()).at(points))
        for name, verdicts in right.items():
            verdicts += (found[names == name] == name).tolist()
    for name, verdicts in right.items():
        assert len(verdicts) >= 20
        assert np.mean(verdicts) >= 0.8, (name, np.mean(verdicts))


@given(
    st.lists(st.floats(0.5, SIGHT_M), min_size=RAYS, max_size=RAYS),
    st.integers(0, RAYS - 1),
)
@settings(max_examples=60, deadline=None)
def test_a_context_does_not_depend_on_where_one_starts_to_look(lengths, turn):
    isovist = np.array([lengths])
    turned = np.roll(isovist, turn, axis=1)
    assert classify(isovist)[0] in CONTEXTS
    assert count_arms(isovist)[0] == count_arms(turned)[0]


@pytest.mark.parametrize(
    ("widths", "arms"), [((), 0), ((3,), 0), ((9, 9), 2), ((8, 20, 3, 40), 3), ((RAYS,), 1)]
)
def test_arms_are_wide_runs_of_long_rays(widths, arms):
    rays = np.full(RAYS, 0.9 * ARM_M)
    start = -4  # the first run goes round the end of the list
    for width in widths:
        rays[np.arange(start, start + width) % RAYS] = 1.1 * ARM_M
        start += width + 5
    assert count_arms(rays[None])[0] == arms


def test_no_points_have_no_contexts():
    assert contexts(places.street(10.0)) == []
