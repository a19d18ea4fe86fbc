import dataclasses
import math
import subprocess
import sys

import pytest

import vasgen.citygen
from vasgen.citygen import CityConfig, District, generate
from vasgen.citygen.profiles import PROFILES
from vasgen.errors import InputError


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
