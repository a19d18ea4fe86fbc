"""Any city that a user may ask for satisfies every invariant of plan and triangles."""

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.citygen.checking import PLAN, check_surface
from vasgen.citygen import CityConfig, generate
from vasgen.citygen.config import LODS, District
from vasgen.citygen.profiles import DENSITIES
from vasgen.citygen.targets import ENVIRONMENTS
from vasgen.errors import InputError


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
