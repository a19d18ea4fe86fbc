"""The same configuration gives the same city, and a change moves only what depends on it."""

import dataclasses
import os
import subprocess
import sys

import numpy as np
import pytest
import shapely

from vasgen.citygen import CityConfig, generate
from vasgen.citygen.profiles import PROFILES


def same_shapes(ones, others):
    ones, others = list(ones), list(others)
    return len(ones) == len(others) and all(
        shapely.equals_exact(a, b, 0.0) for a, b in zip(ones, others, strict=True)
    )


SCRIPT = """
from vasgen.citygen import CityConfig, generate
for density in ("downtown", "mix", "margin"):
    print(generate(CityConfig(density, 11, 260.0)).content_hash)
"""


def hashes(hash_seed):
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True, check=True
    )
    return run.stdout.split()


def test_two_processes_agree_on_the_hash():
    first = hashes("1")
    assert len(set(first)) == 3
    assert first == hashes("2")


def test_another_seed_is_another_city(make_city, density):
    assert make_city(density, 0).content_hash != make_city(density, 1).content_hash


def test_without_trees_everything_else_stays(make_city, density):
    city, bare = make_city(density, 0), make_city(density, 0, trees=False)
    assert "tree" in {prop.kind for prop in city.props}
    assert "tree" not in {prop.kind for prop in bare.props}
    assert same_shapes(city.streets.lines, bare.streets.lines)
    assert same_shapes((b.footprint for b in city.buildings), (b.footprint for b in bare.buildings))
    ours = {mesh.name: mesh for mesh in city.to_bundle().meshes}
    for mesh in bare.to_bundle().meshes:
        if mesh.name != "wood":
            assert np.array_equal(mesh.vertices, ours[mesh.name].vertices)
            assert np.array_equal(mesh.faces, ours[mesh.name].faces)
            standing = mesh.face_instance < bare.first_prop_id
            theirs = ours[mesh.name].face_instance[standing]
            assert np.array_equal(mesh.face_instance[standing], theirs)


@pytest.mark.parametrize(
    "change",
    [{"typical_storeys": 14.0}, {"tower_spread_m": 20.0, "tower_limit_m": 60.0}],
    ids=["storeys", "towers"],
)
def test_other_heights_move_no_street_lot_or_tree(make_city, density, change):
    city = make_city(density, 0)
    profile = PROFILES[density]
    heights = dataclasses.replace(profile.heights, **change)
    config = CityConfig(density, 0, 300.0, profile=dataclasses.replace(profile, heights=heights))
    other = generate(config)
    assert same_shapes(city.streets.lines, other.streets.lines)
    assert same_shapes((lot.polygon for lot in city.lots), (lot.polygon for lot in other.lots))
    assert same_shapes(
        (b.footprint for b in city.buildings), (b.footprint for b in other.buildings)
    )
    assert city.props == other.props


def test_other_roofs_move_no_wall(make_city):
    city = make_city("mix", 0)
    flat = dataclasses.replace(PROFILES["mix"], pitched=0.0)
    other = generate(CityConfig("mix", 0, 300.0, profile=flat))
    assert {b.roof for b in other.buildings} == {"flat"}
    assert same_shapes(
        (b.footprint for b in city.buildings), (b.footprint for b in other.buildings)
    )
    assert [b.radio for b in city.buildings] == [b.radio for b in other.buildings]
