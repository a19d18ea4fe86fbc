"""Every city of a fixed table satisfies every invariant of plan and triangles."""

from functools import cache

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.citygen import invariants, surface_invariants
from tests.citygen.cities import COUNT, QUICK, TABLE
from vasgen.citygen import CityConfig, generate
from vasgen.citygen.config import LODS, District
from vasgen.citygen.profiles import DENSITIES
from vasgen.citygen.targets import ENVIRONMENTS
from vasgen.errors import InputError

#: Facades of larger cities are left to smaller ones: they are of the same modules.
FACADES_UP_TO_M = 420.0


@cache
def _latest(number):
    return generate(TABLE[number][1])


def _entry(number):
    marks = () if number < QUICK else (pytest.mark.slow,)
    return pytest.param(number, id=TABLE[number][0], marks=marks)


@pytest.fixture(scope="module", params=[_entry(i) for i in range(COUNT)])
def town(request):
    """A city of the table; only one is held at a time."""
    _latest.cache_clear()
    return _latest(request.param)


PLAN = (
    invariants.check_streets,
    invariants.check_blocks,
    invariants.check_lots,
    invariants.check_buildings,
    invariants.check_patches,
    invariants.check_props,
    invariants.check_levels,
)


def check_surface(city, lod):
    """All that holds for the triangles of a city."""
    surface = city.mesh(lod)
    surface_invariants.check_indices(surface)
    surface_invariants.check_lattice(surface, lod)
    surface_invariants.check_triangles(surface, lod)
    surface_invariants.check_welded(city, surface)
    surface_invariants.check_closed(surface)
    surface_invariants.check_vertex_fans(surface)
    surface_invariants.check_outward(city, surface)
    surface_invariants.check_no_crossing(city, surface, every=4 if lod == 3 else 1)
    surface_invariants.check_ground(city, surface)
    surface_invariants.check_labels(city, surface, lod)
    surface_invariants.check_foundations(city, surface)
    surface_invariants.check_extent(city, surface, lod)
    surface_invariants.check_bundle(city, lod, surface)
    if lod == 3:
        surface_invariants.check_openings(city, surface)


@pytest.mark.parametrize("check", PLAN, ids=lambda check: check.__name__)
def test_the_plan(town, check):
    check(town)


@pytest.mark.parametrize("lod", LODS)
def test_the_triangles(town, lod):
    if lod == 3 and town.config.size_m > FACADES_UP_TO_M:
        pytest.skip("a large city's facades")
    check_surface(town, lod)


@st.composite
def configurations(draw):
    """Any small city a user may ask for."""
    targets = st.none() | st.sampled_from(sorted(ENVIRONMENTS)).map(ENVIRONMENTS.get)
    size_m = draw(st.floats(100.0, 240.0))
    districts = st.builds(
        District, st.sampled_from(DENSITIES), radius_m=st.floats(20.0, 200.0), targets=targets
    )
    sides = draw(st.sampled_from([0, 0, 3, 5, 8]))
    turn = draw(st.floats(0.0, 6.0))
    angle = turn + np.arange(sides) * 2 * np.pi / max(sides, 1)
    corners = tuple((float(np.cos(a) * size_m), float(np.sin(a) * size_m)) for a in angle)
    return CityConfig(
        draw(st.sampled_from(DENSITIES)),
        draw(st.integers(0, 2**63 - 1)),
        size_m,
        targets=draw(targets),
        districts=tuple(draw(st.lists(districts, max_size=2))),
        boundary=corners or None,
        pattern=draw(st.sampled_from(["field", "grid"])),
        relief_m=draw(st.sampled_from([0.0, 0.0, 5.0, 40.0])),
        trees=draw(st.booleans()),
        furniture=draw(st.booleans()),
        vehicles=draw(st.booleans()),
    )


def check_any(config):
    try:
        city = generate(config)
    except InputError:
        assume(False)
    for check in PLAN:
        check(city)
    for lod in LODS:
        check_surface(city, lod)


LIMITS = {
    "derandomize": True,
    "deadline": None,
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.filter_too_much],
}


@settings(max_examples=5, **LIMITS)
@given(configurations())
def test_any_configuration(config):
    check_any(config)


@pytest.mark.slow
@settings(max_examples=120, **LIMITS)
@given(configurations())
def test_many_configurations(config):
    check_any(config)
