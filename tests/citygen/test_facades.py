"""Facades as geometry: modules, and the grammar that places them."""

import dataclasses

import numpy as np
import pytest
import shapely

from vasgen.citygen import CityConfig, generate
from vasgen.citygen.architecture.footprints import ell, rectangle
from vasgen.citygen.architecture.roofs import Look, Tier, gable, terraces
from vasgen.citygen.facade import facades as grammar
from vasgen.citygen.facade.carving import carve
from vasgen.citygen.facade.facades import Facades
from vasgen.citygen.facade.modules import KIND, KINDS, labels, module, prototype
from vasgen.citygen.geometry.assembly import assemble
from vasgen.citygen.geometry.solids import Finish, Grid, Shell
from vasgen.citygen.materials import (
    BARE,
    FACADE_FAMILY,
    FACADE_RADIO,
    FAMILIES,
    PALETTE,
    RADIO_NAMES,
)
from vasgen.errors import InputError
from vasgen.seeding import stream
from vasgen.semantics import SemanticClass

BRICK = FAMILIES["brick"][0]
WALL = Finish(SemanticClass.WALL, BRICK)
ROOF = Finish(SemanticClass.ROOF, FAMILIES["gravel"][0])
LOOK = Look(WALL, WALL, ROOF, ROOF, 1)


def directed_edges(faces):
    return faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2)


def least_heights(triangles):
    cross = np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0])
    sides = np.linalg.norm(np.roll(triangles, -1, axis=1) - triangles, axis=2)
    return np.linalg.norm(cross, axis=1) / sides.max(axis=1)


class Uniform:
    """A designer for whom all cells are of one kind and three metres wide."""

    def __init__(self, kind):
        self.kind = KIND[kind]

    def bays(self, walls):
        return np.maximum(1, np.rint(walls.length / 3.0)).astype(np.int64)

    def kinds(self, walls, rows, cells):
        return np.full(len(cells.row), self.kind)

    def shift(self, building):
        return np.zeros_like(building)


def carved(cells, outline, kind="window"):
    shell = Shell(tuple(cells), "brick", tuple(outline), -0.4, Grid(3.0, 3.0, 0.0))
    return carve([shell], Uniform(kind))


def volume(surface):
    a, b, c = surface.vertices[surface.faces].transpose(1, 0, 2)
    return float((a * np.cross(b, c)).sum()) / 6


def check_closed(surface):
    edges = directed_edges(surface.faces)
    found, count = np.unique(edges, axis=0, return_counts=True)
    assert count.max() == 1
    assert np.array_equal(found, np.unique(edges[:, ::-1], axis=0))
    used = surface.vertices[np.unique(surface.faces)]
    assert len(np.unique(used, axis=0)) == len(used), "not welded"


@pytest.mark.parametrize("kind", KINDS)
def test_a_module_is_closed_but_for_the_four_sides_of_its_cell(kind):
    edges = {tuple(edge) for edge in directed_edges(prototype(KIND[kind]).faces).tolist()}
    open_edges = {edge for edge in edges if edge[::-1] not in edges}
    assert len(edges) == 3 * len(prototype(KIND[kind]).faces)
    assert open_edges == {(0, 1), (1, 2), (2, 3), (3, 0)}


@pytest.mark.parametrize("kind", KINDS)
def test_a_module_has_no_slivers_on_the_smallest_cell(kind):
    found = prototype(KIND[kind])
    triangles = (found.points * [1.6, 1.0, 1.7])[found.faces]
    assert least_heights(triangles).min() > 0.007


@pytest.mark.parametrize("kind", KINDS)
def test_panels_keep_clear_of_the_border(kind):
    inner = prototype(KIND[kind]).points[4:, [0, 2]]
    assert ((inner > 0.01) & (inner < 0.99)).all()


def test_a_module_names_what_it_is_made_of():
    window = module("window", BRICK)
    pane = window.semantic == SemanticClass.WINDOW
    assert pane.sum() == 2
    assert {RADIO_NAMES[i] for i in window.radio[pane]} == {"glass"}
    assert {RADIO_NAMES[i] for i in window.radio[~pane]} == {"brick"}
    assert (window.vertices[window.faces[pane]][..., 1] < -0.1).all(), "panes lie behind the wall"
    door = module("door", BRICK)
    assert (door.semantic == SemanticClass.DOOR).any()
    assert "wood" in {RADIO_NAMES[i] for i in door.radio}
    assert module(KIND["gate"], FAMILIES["shed"][0]).vertices.shape[1] == 3


def test_wrong_modules_are_refused():
    with pytest.raises(InputError, match="windov"):
        module("windov", BRICK)
    with pytest.raises(InputError, match="kind is 99"):
        module(99, BRICK)
    with pytest.raises(InputError, match="facade is 1000"):
        module("window", 1000)


def test_every_facade_has_a_wall_look_and_labels():
    for facade, family in FACADE_FAMILY.items():
        semantic, visual, radio = labels(facade)
        assert PALETTE[BARE[facade]].recipe.startswith(("wall-", "plain"))
        assert visual[0] == BARE[facade]
        assert RADIO_NAMES[radio[0]] in (FACADE_RADIO[family], "marble")
        assert semantic[0] == SemanticClass.WALL


def box_tiers():
    ring = rectangle(21.0, 12.0)
    return terraces([Tier((ring,), 9.0, WALL, WALL)], LOOK, 1.0), [ring]


def test_windows_take_their_recess_out_of_the_volume():
    cells, outline = box_tiers()
    plain = assemble([Shell(tuple(cells), "brick", tuple(outline), -0.4, Grid(3.0, 3.0, 0.0))])
    relief = carved(cells, outline, "wide")
    check_closed(relief.surface)
    assert len(relief.cells) == (7 + 4 + 7 + 4) * 3
    taken = 0.76 * 0.54 * 0.18 * 3.0 * 3.0
    assert volume(plain) - volume(relief.surface) == pytest.approx(66 * taken, rel=5e-3)


def test_balconies_add_their_slab_and_parapet():
    cells, outline = box_tiers()
    check_closed(carved(cells, outline, "balcony").surface)
    blank = volume(carved(cells, outline, "blank").surface)
    assert volume(carved(cells, outline, "balcony").surface) > blank + 66 * 0.1


def test_under_an_eave_the_last_row_is_cut_short():
    quad = rectangle(12.0, 9.0)
    outline = [np.array([[0, 0], [12, 0], [12, 4.5], [12, 9], [0, 9], [0, 4.5]], dtype=float)]
    relief = carved(gable(quad, 6.0, 4.0, LOOK), outline)
    check_closed(relief.surface)
    height = {storey: relief.cells["height"][relief.cells["storey"] == storey] for storey in (0, 1)}
    assert np.allclose(height[0], 3.0)
    assert np.allclose(height[1], 2.75)


def test_a_tier_that_stands_on_a_roof_starts_above_it():
    low, high = ell(30.0, 30.0, 0.6), rectangle(8.0, 8.0) + 3.0
    tiers = [Tier((low,), 6.0, WALL, WALL), Tier((high,), 12.0, WALL, WALL)]
    relief = carved(terraces(tiers, LOOK, 0.9), [low])
    check_closed(relief.surface)
    third = relief.cells[relief.cells["storey"] == 2]
    assert np.allclose(third["z"], 6.25)
    assert np.allclose(third["height"], 2.75)
    assert relief.cells["storey"].max() == 3


def test_shells_without_facades_have_no_cells():
    ring = rectangle(9.0, 9.0)
    bare = Finish(SemanticClass.WALL, FAMILIES["coping"][0])
    cells = terraces([Tier((ring,), 9.0, bare, bare)], LOOK, 1.0)
    shell = Shell(tuple(cells), "brick", (ring,), 0.0, Grid(3.0, 3.0, 0.0))
    relief = carve([shell], Facades(0, [], [], []))
    assert len(relief.cells) == 0
    check_closed(relief.surface)


@pytest.fixture(scope="module", params=["downtown", "mix", "margin"])
def town(request):
    return generate(CityConfig(request.param, 4, 330.0))


def outward(cells):
    return np.column_stack([cells["uy"], -cells["ux"]])


def placed(cells, kind, facade):
    """World triangles (C, F, 3, 3) of a module on cells, as a user of the table places it."""
    one = module(int(kind), int(facade))
    x, y, z = one.vertices.T
    along = np.column_stack([cells["ux"], cells["uy"], np.zeros(len(cells))])
    out = np.column_stack([outward(cells), np.zeros(len(cells))])
    origin = np.column_stack([cells["x"], cells["y"], cells["z"]])
    points = origin[:, None] + along[:, None] * (x[:, None] * cells["width"][:, None, None])
    points = points + out[:, None] * y[:, None]
    points[..., 2] += z * cells["height"][:, None]
    return points[:, one.faces]


def test_instances_are_exactly_what_the_mesh_without_modules_lacks(town):
    cells, whole, bare = town.modules(), town.mesh(3), town.mesh(3, modules=False)
    lacking = len(whole.faces) - len(bare.faces)
    triangles, kept = whole.vertices[whole.faces], bare.vertices[bare.faces]
    gap = int(np.flatnonzero((kept != triangles[: len(kept)]).any(axis=(1, 2)))[0])
    assert np.array_equal(kept[gap:], triangles[gap + lacking :])
    start = gap
    # The faces lie kind by kind, in the order of the cells.
    for kind in range(len(KINDS)):
        group = cells[cells["kind"] == kind]
        if not len(group):
            continue
        count = len(prototype(kind).faces)
        here = slice(start, start + count * len(group))
        mine = placed(group, kind, BRICK).reshape(-1, 3, 3)
        assert np.abs(triangles[here] - mine).max() < 1e-3
        assert np.array_equal(whole.instance[here], np.repeat(group["building"], count))
        models = [module(kind, int(facade)) for facade in group["facade"]]
        for name in ("semantic", "visual", "radio"):
            wanted = np.concatenate([getattr(model, name) for model in models])
            assert np.array_equal(getattr(whole, name)[here], wanted)
        start = here.stop
    assert start == gap + lacking


def test_panes_look_outwards_and_lie_inside_the_wall(town):
    surface, cells = town.mesh(3), town.modules()
    own = (surface.semantic == SemanticClass.WINDOW) & (surface.instance <= len(town.buildings))
    a, b, c = surface.vertices[surface.faces[own]].transpose(1, 0, 2)
    normal = np.cross(b - a, c - a)
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    assert np.abs(normal[:, 2]).max() < 0.01
    middle = (a + b + c) / 3
    plans = np.array([building.footprint for building in town.buildings])
    inside = plans[surface.instance[own] - 1]
    assert shapely.contains_xy(inside, middle[:, 0], middle[:, 1]).all(), "panes are recessed"
    assert np.isin(surface.radio[own], [RADIO_NAMES.index("glass")]).all()
    tops = np.zeros(len(town.buildings) + 1)
    np.maximum.at(tops, cells["building"], cells["z"] + cells["height"])
    assert (middle[:, 2] < tops[surface.instance[own]]).all()


def test_every_building_has_a_door_at_the_ground(town):
    cells = town.modules()
    doors = cells[np.isin(cells["kind"], [KIND[n] for n in ("door", "entrance", "wicket")])]
    assert set(doors["building"].tolist()) == {building.index for building in town.buildings}
    assert (doors["storey"] == 0).all()
    facing = []
    for door in doors:
        building = town.buildings[door["building"] - 1]
        assert door["z"] == pytest.approx(building.level_m + 0.12, abs=0.3)
        start, end = town.lots[building.lot].front
        out = np.array([end[1] - start[1], start[0] - end[0]]) / np.hypot(*(end - start))
        facing.append(out @ [door["uy"], -door["ux"]])
    assert np.mean(np.array(facing) > 0.8) > 0.9


def test_the_share_of_glass_is_that_of_the_family(town):
    surface = town.mesh(3)
    family = np.array([FACADE_FAMILY.get(i, "") for i in range(len(PALETTE))])
    cells = town.modules()
    kinds = np.array([_glass_share(kind) for kind in range(len(KINDS))])
    assert (surface.semantic == SemanticClass.WINDOW).any()
    allowed = {"curtain": (0.75, 0.95), "panel": (0.25, 0.65), "shed": (0.0, 0.3)}
    for name in np.unique(family[cells["facade"]]):
        low, high = allowed.get(str(name), (0.12, 0.5))
        chosen = cells[family[cells["facade"]] == name]
        area = chosen["width"] * chosen["height"]
        assert low < (kinds[chosen["kind"]] * area).sum() / area.sum() < high, name


def _glass_share(kind):
    one = module(kind, BRICK)
    a, b, c = one.vertices[one.faces[one.semantic == SemanticClass.WINDOW]].transpose(1, 0, 2)
    return np.abs(np.cross(b - a, c - a)[:, 1]).sum() / 2


def _panels(cells, standing):
    """Plans and heights of everything that is sunk into a wall, or stands out of it."""
    plans, low, high, owner = [], [], [], []
    for kind in range(len(KINDS)):
        x, y, z = prototype(kind).points[4:].T
        chosen = (y > 0.15) if standing else (y < -0.01)
        group = np.flatnonzero(cells["kind"] == kind)
        if not chosen.any() or not len(group):
            continue
        c, out = cells[group], outward(cells[group])
        along = np.column_stack([c["ux"], c["uy"]])
        origin = np.column_stack([c["x"], c["y"]])
        left, right = (origin + along * (c["width"] * s)[:, None] for s in (x.min(), x.max()))
        near, far = (0.002, float(y.max())) if standing else (float(y.min()), -0.002)
        ring = [left + out * near, right + out * near, right + out * far, left + out * far]
        plans.append(shapely.polygons(np.stack(ring, axis=1)))
        low.append(c["z"] + z[chosen].min() * c["height"])
        high.append(c["z"] + z[chosen].max() * c["height"])
        owner.append(c["building"])
    return [np.concatenate(part) for part in (plans, low, high, owner)]


@pytest.mark.parametrize("standing", [True, False], ids=["standing", "sunk"])
def test_no_module_reaches_into_another(town, standing):
    plans, low, high, _ = _panels(town.modules(), standing)
    one, two = shapely.STRtree(plans).query(plans, predicate="intersects")
    meet = (one < two) & (low[one] < high[two]) & (low[two] < high[one])
    area = shapely.area(shapely.intersection(plans[one[meet]], plans[two[meet]]))
    assert area.max(initial=0.0) < 1e-4


def test_nothing_that_stands_out_enters_a_building(town):
    plans, _, _, owner = _panels(town.modules(), True)
    buildings = np.array([building.footprint for building in town.buildings])
    panel, building = shapely.STRtree(buildings).query(plans, predicate="intersects")
    other = building != owner[panel] - 1
    crossing = shapely.intersection(plans[panel], buildings[building])
    assert shapely.area(crossing[other]).max(initial=0.0) == 0.0
    if town.config.density == "mix":
        assert (town.modules()["kind"] == KIND["balcony"]).sum() > 100


def test_no_window_looks_at_a_wall(town):
    cells = town.modules()
    glazed = cells[np.isin(cells["kind"], [k for k in range(len(KINDS)) if _glass_share(k) > 0])]
    out = outward(glazed)
    x = glazed["x"] + glazed["ux"] * glazed["width"] / 2 + 0.4 * out[:, 0]
    y = glazed["y"] + glazed["uy"] * glazed["width"] / 2 + 0.4 * out[:, 1]
    tree = shapely.STRtree([building.footprint for building in town.buildings])
    cell, building = tree.query(shapely.points(x, y), predicate="dwithin", distance=0.15)
    other = building != glazed["building"][cell] - 1
    top = np.array([b.level_m + 0.12 + b.height_m for b in town.buildings])[building[other]]
    # Above the neighbour's parapet they may look over it.
    assert (top + 1.1 < glazed["z"][cell[other]]).all()
    assert town.config.density != "mix" or other.sum() > 20


def test_cells_name_their_place(town):
    cells = town.modules()
    assert np.allclose(np.hypot(cells["ux"], cells["uy"]), 1.0)
    assert cells["width"].min() > 1.2
    assert cells["width"].max() < 6.5
    grid = {b.index: b.shells[0].grid for b in town.buildings}
    for index in np.unique(cells["building"]):
        own = cells[cells["building"] == index]
        floor = grid[int(index)].floor_m + own["storey"] * grid[int(index)].storey_m
        assert (np.abs(own["z"] - floor) < 0.3).all()


def test_another_draw_of_facades_moves_nothing_else(monkeypatch):
    config = CityConfig("mix", 6, 250.0)
    city = generate(config)
    before = city.modules()["kind"].copy()

    def other(seed, *path):
        return stream(seed, *path, "again" if "facade" in path else "")

    monkeypatch.setattr(grammar, "stream", other)
    changed = dataclasses.replace(city)
    after = changed.modules()
    assert np.array_equal(changed.mesh(2).vertices, city.mesh(2).vertices)
    assert np.array_equal(changed.mesh(2).faces, city.mesh(2).faces)
    assert all(
        a.footprint == b.footprint for a, b in zip(city.buildings, changed.buildings, strict=True)
    )
    assert len(after) == len(before)
    assert (after["kind"] != before).mean() > 0.2


def test_facades_are_the_same_every_time():
    one, two = (generate(CityConfig("margin", 6, 250.0)).modules() for _ in range(2))
    assert one.tobytes() == two.tobytes()
