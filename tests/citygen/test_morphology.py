"""Figures of a city against cases that can be reckoned by hand."""

import json
import math

import networkx as nx
import numpy as np
import pytest
import shapely
from shapely import LineString

from vasgen.citygen import CityConfig, generate
from vasgen.citygen.architecture.buildings import Building
from vasgen.citygen.charts import draw_morphology
from vasgen.citygen.config import District
from vasgen.citygen.groundwork.ground import Patch
from vasgen.citygen.morphology import (
    BEARINGS,
    bearing_shares,
    height_bins,
    measure,
    orientation,
    rayleigh_fit,
)
from vasgen.citygen.plots.blocks import Block
from vasgen.citygen.targets import Targets
from vasgen.errors import InputError


def building(box, height_m, storeys):
    return Building(1, 0, "houses", "house", box, height_m, storeys, "flat", "brick", ())


def streets(*pieces):
    graph = nx.Graph()
    for number, (kind, width_m, line) in enumerate(pieces):
        graph.add_edge(
            2 * number, 2 * number + 1, kind=kind, width_m=width_m, length_m=line.length, line=line
        )
    return graph


@pytest.fixture
def hand_made():
    """A hectare with a block of 80 m by 80 m, two houses and a lawn."""
    block = Block(
        0,
        7,
        0,
        "houses",
        shapely.box(10, 10, 90, 90),
        shapely.box(15, 15, 85, 85),
        LineString([(15, 15), (85, 15)]),
    )
    houses = [
        building(shapely.box(20, 20, 40, 40), 30.0, 10),
        building(shapely.box(60, 60, 70, 70), 40.0, 12),
    ]
    lawn = Patch(shapely.box(30, 20, 60, 40), "lawn", 0.12, 0)
    net = streets(
        ("major", 12.0, LineString([(0, 0), (100, 0)])),
        ("minor", 6.0, LineString([(0, 0), (0, 300)])),
    )
    return measure(houses, [block], [lawn], net, 10_000.0, Targets(0.04, 250, 20))


def test_shares_of_the_land(hand_made):
    assert hand_made.built_up_ratio == pytest.approx(0.05)
    assert hand_made.street_share == pytest.approx(0.36)
    assert hand_made.pavement_share == pytest.approx(0.15)
    assert hand_made.green_share == pytest.approx((600 - 200) / 10_000)


def test_counts_and_heights(hand_made):
    assert hand_made.buildings_per_km2 == pytest.approx(200.0)
    assert hand_made.height_scale_m == pytest.approx(25.0)
    assert hand_made.height_scale_error_m == pytest.approx(25.0 / math.sqrt(8))
    assert hand_made.mean_height_m == pytest.approx(32.0)
    assert hand_made.max_height_m == 40.0
    assert hand_made.floor_area_ratio == pytest.approx((400 * 10 + 100 * 12) / 10_000)
    assert sum(hand_made.height_counts) == 2


def test_street_widths(hand_made):
    assert hand_made.street_width_m == {"major": 12.0, "minor": 6.0}
    assert hand_made.street_width_percentiles_m == (6.0, 6.0, 12.0)


def test_deviations_from_targets(hand_made):
    assert hand_made.deviations == pytest.approx((0.25, -0.2, 0.25))


def test_a_rayleigh_sample_is_recognised():
    rng = np.random.default_rng(3)
    heights = rng.rayleigh(20.0, 4000)
    scale, error, distance = rayleigh_fit(heights)
    assert abs(scale - 20.0) < 3 * error
    assert error == pytest.approx(20.0 / (2 * math.sqrt(4000)), rel=0.05)
    assert distance < 0.022
    assert rayleigh_fit(rng.uniform(10.0, 12.0, 500))[2] > 0.3


def test_the_distance_from_the_law_is_the_largest_step():
    # One height h: the scale is h/sqrt(2), the law there 1 - 1/e.
    assert rayleigh_fit(np.array([7.0])) == pytest.approx(
        (7.0 / math.sqrt(2), 7.0 / math.sqrt(8), 1.0 - 1.0 / math.e)
    )
    assert rayleigh_fit(np.empty(0)) == (0.0, 0.0, 0.0)


def lines_at(degrees, length=100.0):
    return [
        LineString([(0, 0), (length * math.sin(a), length * math.cos(a))])
        for a in np.radians(degrees)
    ]


def test_a_grid_has_four_bearings_and_full_order():
    shares = bearing_shares(lines_at([0, 90]))
    assert np.flatnonzero(shares).tolist() == [0, 9, 18, 27]
    entropy, order = orientation(shares)
    assert entropy == pytest.approx(math.log(4))
    assert order == pytest.approx(1.0)


def test_streets_in_all_directions_have_no_order():
    entropy, order = orientation(bearing_shares(lines_at(np.arange(BEARINGS) * 10.0)))
    assert entropy == pytest.approx(math.log(36))
    assert order == pytest.approx(0.0, abs=1e-9)


def test_long_streets_count_for_more():
    shares = bearing_shares([*lines_at([0], 300.0), *lines_at([90], 100.0)])
    assert shares[[0, 18]].tolist() == pytest.approx([0.375, 0.375])
    assert shares[[9, 27]].tolist() == pytest.approx([0.125, 0.125])


def test_bearings_are_clockwise_from_north_and_by_segment():
    bent = LineString([(0, 0), (0, 50), (50, 50)])
    assert np.flatnonzero(bearing_shares([bent])).tolist() == [0, 9, 18, 27]
    assert np.flatnonzero(bearing_shares(lines_at([24]))).tolist() == [2, 20]
    assert bearing_shares([]).sum() == 0
    assert orientation(np.zeros(BEARINGS)) == (0.0, 0.0)


def test_bins_hold_every_height():
    for top in (3.0, 40.0, 199.9, 260.0, 650.0, 7e4):
        heights = np.linspace(1.0, top, 200)
        bins = height_bins(heights)
        assert bins[0] == 0
        assert bins[-1] >= top
        assert 3 <= len(bins) <= 32
        assert np.histogram(heights, bins)[0].sum() == 200


@pytest.mark.parametrize(
    ("top", "step"), [(650.0, 200), (300.0, 50), (17.0, 5), (5.0, 1), (1201.0, 500)]
)
def test_few_heights_have_bins_of_round_width(top, step):
    assert np.diff(height_bins(np.array([top]))).tolist() == pytest.approx(
        [step] * math.ceil(top / step)
    )


def test_a_city_is_measured_within_its_outline(make_city, density):
    city = make_city(density, 0)
    figures = city.morphology()
    built = sum(b.footprint.area for b in city.buildings)
    assert figures.land_m2 == pytest.approx(300.0**2)
    assert figures.built_up_ratio == pytest.approx(built / 300.0**2)
    assert figures.buildings == len(city.buildings)
    shares = (
        figures.built_up_ratio,
        figures.street_share,
        figures.pavement_share,
        figures.green_share,
    )
    assert min(shares) >= 0
    assert sum(shares) <= 1.0 + 1e-6
    assert sum(figures.height_counts) == figures.buildings
    assert sum(figures.bearing_shares) == pytest.approx(1.0)
    assert json.loads(json.dumps(figures.as_dict()))["targets"] is None


def test_districts_add_up_to_the_city():
    half = District("margin", corners=((-450, -450), (0, -450), (0, 450), (-450, 450)))
    city = generate(CityConfig("downtown", 1, 900.0, districts=(half,), trees=False))
    whole, parts = city.morphology(), [city.morphology(k) for k in (0, 1)]
    assert sum(p.buildings for p in parts) == whole.buildings
    assert sum(p.land_m2 for p in parts) == pytest.approx(whole.land_m2)
    built = sum(p.built_up_ratio * p.land_m2 for p in parts)
    assert built == pytest.approx(whole.built_up_ratio * whole.land_m2)
    assert parts[1].mean_height_m > 2 * parts[0].mean_height_m
    assert city.morphology(np.int64(1)) == parts[1]
    for wrong in (2, -1, True, 1.0, "1"):
        with pytest.raises(InputError, match=r"district is .*; allowed: 0 to 1\."):
            city.morphology(wrong)


def test_a_district_without_land_has_zeros(tmp_path):
    covering = (District("mix"), District("downtown", radius_m=40.0))
    city = generate(CityConfig("mix", 0, 200.0, districts=covering, trees=False))
    assert {quarter.district for quarter in city.streets.quarters} == {0}
    for number in (1, 2):
        figures = city.morphology(number)
        plain = figures.as_dict()
        assert all(np.isfinite(plain[name]) for name in plain if isinstance(plain[name], float))
        assert (figures.land_m2, figures.buildings, figures.built_up_ratio) == (0.0, 0, 0.0)
        assert (figures.street_share, figures.pavement_share, figures.green_share) == (0, 0, 0)
        assert figures.buildings_per_km2 == figures.floor_area_ratio == 0.0
        draw_morphology(city, tmp_path / "empty.png", district=number)
    assert city.morphology(0).land_m2 == pytest.approx(200.0**2)


def test_the_picture_is_drawn(make_city, tmp_path):
    path = draw_morphology(make_city("mix", 0), tmp_path / "morphology.png")
    assert path.read_bytes().startswith(b"\x89PNG")
    assert path.stat().st_size > 20_000
