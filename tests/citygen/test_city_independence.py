"""Changing one thing of a city leaves the others the same bytes."""

import dataclasses

import numpy as np
import pytest

from vasgen.citygen import CityConfig, generate
from vasgen.citygen.config import LODS, District
from vasgen.citygen.profiles import PROFILES

KINDS = {
    "trees": {"tree"},
    "furniture": {"lamp", "traffic-light", "bench", "bus-stop"},
    "vehicles": {"car"},
}

EAST = ((0.0, -400.0), (400.0, -400.0), (400.0, 400.0), (0.0, 400.0))


def lot_bytes(lot):
    return lot.polygon.wkb + lot.front.tobytes() + lot.use.encode()


def building_bytes(building):
    """Geometry and looks; ids and lot numbers count through the city."""
    parts = [building.footprint.wkb, repr((building.kind, building.height_m, building.roof))]
    for shell in building.shells:
        parts += [shell.radio, repr((shell.base_m, shell.grid))]
        for cell in shell.cells:
            parts += [ring.tobytes() for ring in cell.rings]
            parts.append(repr((cell.top, cell.wall, cell.band, cell.storeys_top_m, cell.eave)))
    return b"".join(part.encode() if isinstance(part, str) else part for part in parts)


def plan_bytes(city):
    """Streets, blocks, lots, buildings and patches."""
    patches = [(p.surface, p.level_m, p.owner, p.polygon.wkb) for p in city.ground]
    return {
        "streets": [line.wkb for line in city.streets.lines],
        "blocks": [block.kerb.wkb + block.inner.wkb for block in city.blocks],
        "lots": [lot_bytes(lot) for lot in city.lots],
        "buildings": [building_bytes(building) for building in city.buildings],
        "ground": patches,
    }


@pytest.fixture(scope="module", params=["downtown", "mix", "margin"])
def whole(request):
    return generate(CityConfig(request.param, 5, 240.0))


@pytest.mark.parametrize("switch", KINDS)
def test_a_kind_of_prop_left_out_moves_nothing_else(whole, switch):
    bare = generate(dataclasses.replace(whole.config, **{switch: False}))
    assert plan_bytes(bare) == plan_bytes(whole)
    assert {prop.kind for prop in whole.props} & KINDS[switch]
    assert bare.props == tuple(p for p in whole.props if p.kind not in KINDS[switch])
    for lod in LODS:
        one, other = bare.mesh(lod), whole.mesh(lod)
        ours, theirs = one.instance < bare.first_prop_id, other.instance < whole.first_prop_id
        assert np.array_equal(one.vertices[one.faces[ours]], other.vertices[other.faces[theirs]])
        for name in ("semantic", "visual", "radio", "instance", "uv"):
            assert np.array_equal(getattr(one, name)[ours], getattr(other, name)[theirs]), name


def test_the_level_of_detail_changes_no_plan(whole):
    for lod in LODS:
        other = generate(dataclasses.replace(whole.config, lod=lod))
        assert plan_bytes(other) == plan_bytes(whole)
        assert other.props == whole.props
        assert other.content_hash == whole.to_bundle(lod).content_hash


@pytest.mark.parametrize("seed", [0, 4])
@pytest.mark.parametrize("what", ["heights", "lots", "looks"])
def test_another_profile_of_a_district_leaves_the_others_alone(seed, what):
    change = {
        "heights": {"heights": dataclasses.replace(PROFILES["mix"].heights, typical_storeys=11.0)},
        "lots": {"lots": dataclasses.replace(PROFILES["mix"].lots, frontage_m=31.0)},
        "looks": {"facades": (("brick", 1.0),), "pitched": 0.1},
    }[what]
    profile = dataclasses.replace(PROFILES["mix"], **change)
    before, after = (
        generate(
            CityConfig(
                "downtown", seed, 560.0, districts=(District("mix", corners=EAST, profile=p),)
            )
        )
        for p in (None, profile)
    )
    assert [line.wkb for line in before.streets.lines] == [line.wkb for line in after.streets.lines]
    ones, others = others_of(before, 0), others_of(after, 0)
    assert len(ones[0]) > 5
    assert len(ones[1]) > 5
    assert ones == others
    mine = [[building_bytes(b) for b in c.buildings] for c in (before, after)]
    assert mine[0] != mine[1], "the change changes its own district"


def others_of(city, district):
    """Bytes of all lots and buildings outside a district."""
    blocks = {block.index for block in city.blocks if block.district != district}
    lots = [lot_bytes(lot) for lot in city.lots if lot.block in blocks]
    buildings = [b for b in city.buildings if city.lots[b.lot].block in blocks]
    return lots, [building_bytes(b) for b in buildings]
