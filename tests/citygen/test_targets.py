"""Cities that hit the three figures of ITU-R P.1410."""

import dataclasses
import math
from functools import cache

import numpy as np
import pytest
import shapely

from tests.citygen.cities import TABLE
from vasgen.citygen import CityConfig, generate
from vasgen.citygen.architecture.programme import SLENDEREST, rayleigh_sample
from vasgen.citygen.config import District
from vasgen.citygen.plots.shares import apportion
from vasgen.citygen.profiles import PROFILES
from vasgen.citygen.targets import ENVIRONMENTS, LOWEST_BUILDING_M, Targets, fit, parse_targets
from vasgen.errors import InputError

SHAPE = ((-320.0, -260.0), (300.0, -330.0), (340.0, 180.0), (40.0, 320.0), (-280.0, 240.0))


@cache
def targeted(density, name, seed=0, size_m=500.0):
    return generate(
        CityConfig(density, seed, size_m, targets=ENVIRONMENTS[name], trees=False, vehicles=False)
    )


@pytest.fixture(params=list(ENVIRONMENTS))
def name(request):
    return request.param


@pytest.fixture
def targeted_city(density, name):
    return targeted(density, name)


def assert_hits(figures, tolerance=0.01):
    assert figures.targets is not None
    # A whole number of buildings cannot hit every density.
    step = 0.5 / figures.buildings
    assert max(map(abs, figures.deviations)) < max(tolerance, step), figures.deviations


def test_every_style_hits_every_environment(targeted_city):
    assert_hits(targeted_city.morphology())


def test_heights_follow_a_rayleigh_law(targeted_city, name):
    heights = np.sort([b.height_m for b in targeted_city.buildings])
    law = 1.0 - np.exp(-((heights / ENVIRONMENTS[name].gamma) ** 2) / 2)
    steps = np.arange(len(heights) + 1) / len(heights)
    distance = max((steps[1:] - law).max(), (law - steps[:-1]).max())
    assert distance < 1.36 / math.sqrt(len(heights))  # the 5 % limit of the test


def test_each_lot_has_one_building_that_stands_on_it(targeted_city):
    assert [b.lot for b in targeted_city.buildings] == list(range(len(targeted_city.lots)))
    for building in targeted_city.buildings:
        lot = targeted_city.lots[building.lot]
        assert lot.polygon.buffer(0.01).covers(building.footprint)
        front = shapely.Point(lot.front.mean(axis=0))
        assert targeted_city.blocks[lot.block].frontage.distance(front) < 0.3


def test_buildings_keep_apart(targeted_city):
    footprints = np.array([b.footprint for b in targeted_city.buildings])
    assert shapely.is_valid(footprints).all()
    one, two = shapely.STRtree(footprints).query(footprints, predicate="dwithin", distance=0.199)
    assert (one == two).all()


def test_the_shell_is_as_high_as_the_building_says(targeted_city):
    for building in targeted_city.buildings:
        levels = {round(float(c.storeys_top_m), 2) for c in building.shells[0].cells}
        tops = np.concatenate([r[:, 2] for c in building.shells[0].cells for r in c.rings])
        top = building.height_m + 0.12
        if building.roof == "flat":
            assert max(levels) == pytest.approx(top, abs=0.011)
        else:
            assert tops.max() == pytest.approx(top, abs=0.002)


def test_no_building_is_too_slender_or_its_storeys_absurd(targeted_city):
    for building in targeted_city.buildings:
        breadth = math.sqrt(building.footprint.area)
        assert building.height_m <= SLENDEREST * breadth + 0.01
        assert building.height_m >= LOWEST_BUILDING_M - 0.01
        if building.roof == "flat" and building.kind != "shed":
            assert 2.2 < building.height_m / building.storeys < 5.5


def test_shapes_vary():
    corners = {
        len(b.footprint.exterior.coords) for b in targeted("downtown", "dense-urban").buildings
    }
    assert len(corners) >= 5
    assert any(b.footprint.interiors for b in targeted("downtown", "dense-urban").buildings)
    roofs = {b.roof for b in targeted("margin", "suburban").buildings}
    assert {"gable", "hip", "shed", "flat"} <= roofs


def test_the_centre_is_higher():
    city = targeted("downtown", "highrise-urban", 1)
    away = np.array([math.hypot(*b.footprint.centroid.coords[0]) for b in city.buildings])
    height = np.array([b.height_m for b in city.buildings])
    near = away < np.median(away)
    assert height[near].mean() > 1.2 * height[~near].mean()


@pytest.mark.parametrize(
    "figures", [(0.05, 100, 80), (0.05, 1500, 4), (0.2, 1500, 20), (0.65, 100, 4), (0.6, 500, 60)]
)
def test_figures_far_from_the_usual_are_hit(figures):
    city = generate(CityConfig("mix", 4, 450.0, targets=Targets(*figures), trees=False))
    assert_hits(city.morphology())


def test_any_outline_is_hit():
    city = generate(CityConfig("mix", 2, boundary=SHAPE, targets=ENVIRONMENTS["urban"]))
    assert_hits(city.morphology())
    assert city.morphology().land_m2 == pytest.approx(shapely.Polygon(SHAPE).area)


@cache
def ringed(inner, outer):
    district = District(
        "downtown", corners=((-450, -450), (0, -450), (0, 450), (-450, 450)), targets=inner
    )
    return generate(CityConfig("mix", 5, 900.0, districts=(district,), targets=outer))


def test_each_district_hits_its_own_targets():
    city = ringed(ENVIRONMENTS["highrise-urban"], ENVIRONMENTS["urban"])
    for district in (0, 1):
        assert_hits(city.morphology(district))
    areas = [city.morphology(district).land_m2 for district in (0, 1)]
    assert sum(areas) == pytest.approx(900.0**2)
    assert min(areas) > 0.2 * 900.0**2


def test_the_targets_of_a_district_leave_the_others_alone():
    def others(city):
        numbers = {block.index for block in city.blocks if block.district == 1}
        return [b for b in city.buildings if city.lots[b.lot].block in numbers]

    one = others(ringed(ENVIRONMENTS["highrise-urban"], None))
    two = others(ringed(Targets(0.4, 400, 30), None))
    assert len(one) == len(two) > 50
    for a, b in zip(one, two, strict=True):
        assert a.footprint.equals_exact(b.footprint, 0.0)
        assert (a.kind, a.height_m, a.roof, a.radio) == (b.kind, b.height_m, b.roof, b.radio)


def message(make):
    with pytest.raises(InputError) as error:
        make()
    text = str(error.value)
    assert "\n" not in text
    assert "allowed" in text
    return text


def nearest(text):
    return float(text.split(" at most " if " at most " in text else " at least ")[1].split()[0])


def test_an_impossible_share_is_refused_before_anything_is_built():
    text = message(lambda: CityConfig("downtown", targets=Targets(0.95, 300, 20)))
    assert text.startswith("alpha is 0.95; allowed: at most 0.6")
    assert "10.5" in text
    CityConfig("downtown", targets=Targets(nearest(text), 300, 20))


def test_heights_below_a_storey_are_refused_before_anything_is_built():
    text = message(lambda: CityConfig("mix", targets=Targets(0.3, 300, 2.0)))
    assert text.startswith("gamma is 2")
    CityConfig("mix", targets=Targets(0.3, 300, nearest(text)))


def test_more_buildings_than_there_are_streets_for():
    text = message(lambda: generate(CityConfig("mix", 0, 200.0, targets=Targets(0.3, 9000, 20))))
    assert text.startswith("beta is 9000; allowed: at most ")


@pytest.mark.parametrize(("density", "seed"), [("mix", 0), ("margin", 1), ("downtown", 1)])
def test_as_many_buildings_as_the_refusal_allows(density, seed):
    config = CityConfig(density, seed, 260.0, targets=Targets(0.2, 1e6, 12), trees=False)
    fewer = Targets(0.2, nearest(message(lambda: generate(config))), 12)
    figures = generate(dataclasses.replace(config, targets=fewer)).morphology()
    assert -0.031 < figures.deviations[1] < 0.01


def test_lots_with_targets_are_green_between_the_houses():
    city = generate(CityConfig("mix", 6, 400.0, targets=Targets(0.15, 500, 10), trees=False))
    assert any(lot.use == "perimeter" for lot in city.lots)
    assert "yard" not in {
        patch.surface
        for patch in city.ground
        if patch.owner >= 0 and city.blocks[patch.owner].use == "perimeter"
    }


@pytest.mark.parametrize("number", [135, 191, 219])
def test_wings_do_not_reach_beyond_their_lot(number):
    city = generate(TABLE[number][1])
    for building in city.buildings:
        assert city.lots[building.lot].polygon.buffer(0.01).covers(building.footprint)


def test_heights_that_need_broader_buildings():
    config = CityConfig("mix", 0, 300.0, targets=Targets(0.05, 1000, 80))
    text = message(lambda: generate(config))
    assert text.startswith("gamma is 80; allowed: at most ")
    lower = Targets(0.05, 1000, nearest(text))
    assert_hits(generate(dataclasses.replace(config, targets=lower)).morphology())


def test_too_few_buildings_for_a_density():
    text = message(lambda: generate(CityConfig("mix", 0, 150.0, targets=Targets(0.3, 300, 20))))
    assert text.startswith("beta is 300: 7 buildings on 2.2 ha; allowed: at least 10")


@pytest.mark.parametrize("bad", [-0.1, 0, math.nan, math.inf, "0.3", True, None])
def test_figures_that_are_no_positive_numbers_are_refused(bad):
    for name in ("alpha", "beta", "gamma"):
        with pytest.raises(InputError, match=f"{name} is "):
            dataclasses.replace(ENVIRONMENTS["urban"], **{name: bad})


def test_targets_by_name_or_figures():
    assert parse_targets("urban") == Targets(0.3, 500, 15)
    assert parse_targets("0.2/400/12.5") == Targets(0.2, 400, 12.5)
    assert parse_targets(None) is None
    for text in ("rural", "0.2/400", "a/b/c"):
        with pytest.raises(InputError, match="targets are"):
            parse_targets(text)


def test_fitting_leaves_streets_alone_where_they_do(density):
    profile = PROFILES[density]
    assert fit(profile, Targets(0.1, 500, 10)).streets == profile.streets
    crowded = fit(profile, Targets(0.6, 200, 10)).streets
    assert min(crowded.spacing_m) > min(profile.streets.spacing_m)


def test_shares_are_whole_proportional_and_limited():
    areas = np.array([5.0, 3.0, 1.5, 0.5])
    free = np.full(4, 100)
    assert apportion(areas, 20, free).tolist() == [10, 6, 3, 1]
    assert apportion(areas, 3, free).tolist() == [2, 1, 0, 0]
    assert apportion(areas, 20, np.array([4, 100, 100, 0])).tolist() == [4, 11, 5, 0]
    assert apportion(areas, 7, np.array([3, 2, 1, 1])).tolist() == [3, 2, 1, 1]


@pytest.mark.parametrize(("gamma", "count"), [(8, 750), (4, 200), (50, 11), (20, 1000)])
def test_a_sample_has_the_scale_it_was_drawn_for(gamma, count):
    heights = rayleigh_sample(gamma, count)
    assert (np.diff(heights) >= 0).all()
    assert heights.min() >= LOWEST_BUILDING_M
    assert math.sqrt((heights**2).mean() / 2) == pytest.approx(gamma, rel=1e-3)
