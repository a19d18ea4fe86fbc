"""A small city, once for all tests, and the smallest spec that builds one."""

import pytest

from vasgen.citygen import CityConfig, generate
from vasgen.orchestrate import build
from vasgen.spec import ViewsSpec, parse_spec

VIEWS = {"count": 3, "width": 64, "height": 48, "altitude_m": [20, 60]}


@pytest.fixture(scope="session")
def city():
    return generate(CityConfig(density="mix", seed=0, size_m=120.0)).to_bundle()


@pytest.fixture
def views_spec():
    return ViewsSpec(**VIEWS)


@pytest.fixture(scope="session")
def tiny_spec():
    return parse_spec(
        {
            "name": "tiny",
            "scene": {"density": "mix", "size_m": 120},
            "views": VIEWS,
            "radio": {"rays": 20_000, "chunks": 2, "max_depth": 2},
            "render": {"samples_per_pixel": 1},
        }
    )


@pytest.fixture(scope="session")
def built(tiny_spec, tmp_path_factory):
    """A dataset that nothing interrupted; tests only read it."""
    folder = tmp_path_factory.mktemp("built") / "tiny"
    build(tiny_spec, folder)
    return folder
