"""The three densities are three kinds of city."""

import pytest


@pytest.fixture(scope="module")
def figures(make_city):
    return {
        density: [make_city(density, seed, 620.0).morphology() for seed in (3, 4)]
        for density in ("downtown", "mix", "margin")
    }


def test_heights_fall_from_downtown_to_the_margin(figures):
    for downtown, mix, margin in zip(*figures.values(), strict=True):
        assert downtown.mean_height_m > 1.5 * mix.mean_height_m
        assert mix.mean_height_m > 1.5 * margin.mean_height_m
        assert downtown.max_height_m > 100.0
        assert margin.max_height_m < 25.0


def test_land_use_is_that_of_real_cities(figures):
    limits = {"downtown": (0.33, 0.6), "mix": (0.2, 0.45), "margin": (0.08, 0.3)}
    for density, (low, high) in limits.items():
        for figure in figures[density]:
            assert low < figure.built_up_ratio < high
            assert 0.08 < figure.street_share < 0.35
            assert 250 < figure.buildings_per_km2 < 2500


def test_floor_area_follows_storeys(figures):
    for downtown, mix, margin in zip(*figures.values(), strict=True):
        assert downtown.floor_area_ratio > 2 * mix.floor_area_ratio > 4 * margin.floor_area_ratio


def test_morphology_is_measured_from_the_buildings(make_city):
    city = make_city("mix", 0)
    figure = city.morphology()
    built = sum(building.footprint.area for building in city.buildings)
    assert figure.built_up_ratio == pytest.approx(built / 300.0**2)
    assert figure.max_height_m == max(building.height_m for building in city.buildings)
    assert figure.buildings_per_km2 == pytest.approx(len(city.buildings) / 0.09)


def test_buildings_are_varied(make_city):
    kinds = {b.kind for b in make_city("downtown", 3, 620.0).buildings}
    assert {"tower", "block"} <= kinds
    roofs = {b.roof for b in make_city("mix", 3, 620.0).buildings}
    assert {"flat", "gable", "mansard"} <= roofs
    roofs = {b.roof for b in make_city("margin", 3, 620.0).buildings}
    assert {"flat", "gable", "hip", "shed"} <= roofs
    corners = {len(b.footprint.exterior.coords) for b in make_city("mix", 3, 620.0).buildings}
    assert len(corners) >= 3


def test_towers_are_highest_in_the_middle(make_city):
    near, far = [], []
    for seed in range(6):
        for b in make_city("downtown", seed, 300.0 if seed < 3 else 620.0).buildings:
            away = b.footprint.centroid.distance(b.footprint.centroid.__class__(0, 0))
            size = 300.0 if seed < 3 else 620.0
            (near if away < size / 4 else far).append(b.height_m)
    assert sum(near) / len(near) > 1.15 * sum(far) / len(far)
