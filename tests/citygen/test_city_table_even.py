"""Every even-numbered city of the table satisfies every invariant of plan and triangles."""

import pytest

from tests.citygen.checking import PLAN, check_surface, entries
from tests.citygen.cities import TABLE
from vasgen.citygen import generate
from vasgen.citygen.config import LODS


@pytest.fixture(scope="module", params=entries(0))
def town(request):
    """A city of the table; only one is held at a time."""
    return generate(TABLE[request.param][1])


@pytest.mark.parametrize("check", PLAN, ids=lambda check: check.__name__)
def test_the_plan(town, check):
    check(town)


@pytest.mark.parametrize("lod", LODS)
def test_the_triangles(town, lod):
    check_surface(town, lod)
