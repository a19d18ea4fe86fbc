"""Cities shared by the tests: each is generated once."""

from functools import cache

import pytest

from vasgen.citygen import City, CityConfig, generate


@cache
def _city(density: str, seed: int, size_m: float, trees: bool) -> City:
    return generate(CityConfig(density, seed, size_m, trees=trees))


@pytest.fixture(scope="session")
def make_city():
    def make(density="downtown", seed=0, size_m=300.0, trees=True):
        return _city(density, seed, size_m, trees)

    return make


@pytest.fixture(params=["downtown", "mix", "margin"])
def density(request):
    return request.param


@pytest.fixture(params=[(0, 300.0), (1, 300.0), (2, 137.5), (3, 620.0)], ids=str)
def city(request, density, make_city):
    """Twelve cities: each density with several seeds and sizes."""
    seed, size_m = request.param
    return make_city(density, seed, size_m)
