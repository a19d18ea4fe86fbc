"""All invariants of a city, and which cities of the table each test file checks."""

from __future__ import annotations

import pytest

from tests.citygen import facade_invariants, invariants, surface_invariants
from tests.citygen.cities import COUNT, QUICK, TABLE
from vasgen.citygen import City
from vasgen.citygen.config import Lod

#: Facades of larger cities are left to smaller ones: they are of the same modules.
FACADES_UP_TO_M = 420.0

#: The table is checked in so many files, which can run side by side.
FILES = 2


def entries(file: int) -> list:
    """Numbers of the cities that a file checks, as parameters of a fixture."""
    return [
        pytest.param(
            number, id=TABLE[number][0], marks=() if number < QUICK else (pytest.mark.slow,)
        )
        for number in range(file, COUNT, FILES)
    ]


PLAN = (
    invariants.check_streets,
    invariants.check_blocks,
    invariants.check_lots,
    invariants.check_buildings,
    invariants.check_patches,
    invariants.check_props,
    invariants.check_levels,
    invariants.check_targets,
    facade_invariants.check_doors,
)


def check_surface(city: City, lod: Lod) -> None:
    """All that holds for the triangles of a city."""
    if lod == 3 and city.config.extent_m > FACADES_UP_TO_M:
        pytest.skip("a large city's facades")
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
        facade_invariants.check_modules(city)
        facade_invariants.check_standing(city)
