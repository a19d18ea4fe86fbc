import dataclasses
import math
import subprocess
import sys

import numpy as np
import pytest
import shapely

import vasgen.citygen
from vasgen.citygen import CityConfig, District, generate
from vasgen.citygen.land import survey
from vasgen.citygen.profiles import PROFILES
from vasgen.citygen.roads.streets import lay_streets
from vasgen.errors import InputError

SQUARE = ((0.0, 0.0), (300.0, 0.0), (300.0, 300.0), (0.0, 300.0))


def test_an_unknown_density_names_the_closest():
    with pytest.raises(InputError) as error:
        CityConfig(density="downtwon")
    assert str(error.value) == (
        "density is 'downtwon'; allowed: downtown, mix, margin. Did you mean 'downtown'?"
    )


@pytest.mark.parametrize(
    "size_m", [-500, 0, 99.9, 5000.1, 1e12, math.nan, math.inf, "500", True, None]
)
def test_a_size_that_cannot_be_built_says_what_can(size_m):
    with pytest.raises(InputError) as error:
        CityConfig(size_m=size_m)
    assert str(error.value) == f"size_m is {size_m!r}; allowed: 100 to 5000 metres."


@pytest.mark.parametrize("seed", [-1, 1.5, "7", True, None, 2**63])
def test_a_seed_that_is_no_whole_number_is_refused(seed):
    with pytest.raises(InputError) as error:
        CityConfig(seed=seed)
    assert str(error.value) == f"seed is {seed!r}; allowed: a whole number from 0 to 2**63 - 1."


def test_a_density_stands_for_its_profile_unless_one_is_given():
    assert CityConfig("mix").character.rules == PROFILES["mix"]
    flat = dataclasses.replace(PROFILES["mix"], pitched=0.0)
    assert CityConfig("mix", profile=flat).character.rules == flat


def test_all_public_names_are_there():
    for name in vasgen.citygen.__all__:
        assert hasattr(vasgen.citygen, name)


def test_importing_the_city_loads_nothing_for_pictures_or_files():
    program = (
        "import sys, vasgen.citygen; "
        "print([m for m in ('matplotlib', 'trimesh', 'pxr', 'mitsuba') if m in sys.modules])"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "[]"


def test_radii_and_the_highest_point_go_with_the_boundary():
    square = ((0.0, 0.0), (700.0, 0.0), (700.0, 700.0), (0.0, 700.0))
    away = (4000.0, -3000.0)
    rim = tuple((x + away[0], y + away[1]) for x, y in square)
    centre = District("downtown", radius_m=180.0)
    city = generate(CityConfig("margin", 3, boundary=rim, districts=(centre,), trees=False))
    assert city.land.middle.tolist() == [4350.0, -2650.0]
    blocks = [b for b in city.blocks if b.district == 0]
    assert blocks
    for block in blocks:
        x, y = block.inner.centroid.coords[0]
        assert math.hypot(x - 4350.0, y + 2650.0) < 350.0
    highest = max(city.buildings, key=lambda b: b.height_m)
    assert city.blocks[city.lots[highest.lot].block].district == 0


def twice(corners):
    return tuple(corner for corner in corners for _ in range(2))


@pytest.mark.parametrize("again", [twice(SQUARE), (*SQUARE, SQUARE[0]), (*SQUARE, (0.0, 0.004))])
def test_a_corner_given_again_changes_nothing(again):
    assert CityConfig(boundary=again) == CityConfig(boundary=SQUARE)
    assert District("mix", corners=again) == District("mix", corners=SQUARE)
    streets = laid(CityConfig("mix", 1, boundary=again))
    assert wkb(streets) == wkb(laid(CityConfig("mix", 1, boundary=SQUARE)))


def test_numbers_of_numpy_and_lists_become_plain_ones():
    config = CityConfig(
        "mix",
        np.int64(3),
        np.float32(300.0),
        districts=[District("margin", radius_m=np.float32(50.0))],
        boundary=np.array(SQUARE, dtype=np.int32),
        relief_m=np.float64(3.0),
    )
    district = District("margin", radius_m=50.0)
    plain = CityConfig("mix", 3, 300.0, districts=(district,), boundary=SQUARE, relief_m=3.0)
    assert config == plain
    assert hash(config) == hash(plain)
    assert repr(config) == repr(plain)
    assert CityConfig(districts=district) == CityConfig(districts=(district,))


def test_configurations_with_profiles_can_be_keys():
    configs = {CityConfig(name, profile=profile) for name, profile in PROFILES.items()}
    assert len(configs | {CityConfig("mix", profile=PROFILES["mix"])}) == len(PROFILES)


def test_the_size_stays_what_was_given_and_the_extent_follows_the_boundary():
    wide = CityConfig(boundary=((0, 0), (700, 0), (700, 400), (0, 400)))
    assert (wide.size_m, wide.extent_m) == (500.0, 700.0)
    assert dataclasses.replace(wide, boundary=None) == CityConfig()
    assert CityConfig(size_m=240).extent_m == 240.0


@pytest.mark.parametrize("pattern", ["field", "grid"])
@pytest.mark.parametrize("corners", [None, ((-250, -250), (250, -250), (250, 250), (-250, 250))])
def test_a_district_on_all_the_land_leaves_the_streets(pattern, corners):
    whole = (District("mix", corners=corners),)
    config = CityConfig("mix", 4, 500.0, pattern=pattern)
    assert wkb(laid(dataclasses.replace(config, districts=whole))) == wkb(laid(config))


def test_a_district_ends_on_the_land_only_within_the_outline():
    def border(*corners):
        district = District("downtown", corners=corners)
        return survey(CityConfig("mix", size_m=900.0, districts=(district,))).borders

    (line,) = border((0, -450), (450, -450), (450, 450), (0, 450))
    assert line.hausdorff_distance(shapely.LineString([(0, -511), (0, 511)])) < 0.02
    (beyond,) = border((0, -480), (480, -480), (480, 480), (0, 480))
    assert beyond.hausdorff_distance(line) < 0.02
    (ring,) = border((-100, -100), (100, -100), (100, 100), (-100, 100))
    assert ring.is_ring
    assert ring.length == pytest.approx(800.0)


@pytest.mark.parametrize("seed", range(4))
def test_a_small_district_takes_no_district_s_only_quarter(seed):
    small = (District("downtown", radius_m=30), District("margin", radius_m=60))
    land = survey(CityConfig("mix", seed, 200.0, districts=small))
    squares = np.array([shapely.box(x, -100, x + 100, 100) for x in (-100, 0)], dtype=object)
    assert sorted(land.districts_of(squares).tolist()) == [0, 2]
    assert land.districts_of(squares[:1]).tolist() == [2]
    thirds = np.array([shapely.box(x, -100, x + 66, 100) for x in (-99, -33, 33)], dtype=object)
    assert sorted(land.districts_of(thirds).tolist()) == [0, 1, 2]


def laid(config):
    land = survey(config)
    return lay_streets(config, land, None)


def wkb(streets):
    return [line.wkb for line in streets.lines]
