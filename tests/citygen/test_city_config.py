import dataclasses
import math

import pytest

from vasgen.citygen import CityConfig
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
