"""Hills: the natural ground, graded streets, and buildings that stand on it."""

import dataclasses
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
import shapely

from vasgen.citygen import City, CityConfig, generate
from vasgen.citygen.geometry.solids import Cell, Finish, Grid, Shell
from vasgen.citygen.groundwork.grading import STEEPEST_STREET
from vasgen.citygen.groundwork.ground import CARRIAGEWAY, TERRACE_M
from vasgen.citygen.groundwork.terrain import STEEPEST, natural_hills
from vasgen.citygen.land import survey
from vasgen.errors import InputError
from vasgen.semantics import SemanticClass

HILLS = [("downtown", 0, 300.0, 30.0), ("mix", 1, 420.0, 20.0), ("margin", 2, 420.0, 60.0)]


@cache
def hilly(density: str, seed: int, size_m: float, relief_m: float) -> City:
    return generate(CityConfig(density, seed, size_m, relief_m=relief_m, trees=False))


@pytest.fixture(params=HILLS, ids=str)
def hilly_city(request):
    return hilly(*request.param)


def hills_of(config):
    return natural_hills(config, survey(config))


def grid_over(city_or_land, step_m=5.0):
    x0, y0, x1, y1 = city_or_land.outline.bounds
    axes = np.arange(x0, x1 + step_m / 2, step_m), np.arange(y0, y1 + step_m / 2, step_m)
    points = np.stack(np.meshgrid(*axes), axis=-1).reshape(-1, 2)
    return points[shapely.intersects_xy(city_or_land.outline, *points.T)]


@pytest.mark.parametrize("size_m", [200.0, 1000.0, 4000.0])
@pytest.mark.parametrize("seed", [0, 7])
def test_the_natural_ground_has_the_relief_asked_for(size_m, seed):
    config = CityConfig("mix", seed, size_m, relief_m=0.05 * size_m)
    land = survey(config)
    hills = natural_hills(config, land)
    levels = hills.level_at(grid_over(land, size_m / 200))
    assert np.ptp(levels) == pytest.approx(config.relief_m, rel=0.01)
    assert levels.min() == pytest.approx(0.0, abs=0.01 * config.relief_m)


@pytest.mark.parametrize("seed", range(4))
def test_the_natural_ground_is_smooth_and_no_cliff(seed):
    config = CityConfig("mix", seed, 1000.0, relief_m=80.0)
    hills = hills_of(config)
    along = np.column_stack([np.arange(-500.0, 500.0, 0.5), np.full(2000, 123.0)])
    levels = hills.level_at(along)
    slopes = np.diff(levels) / 0.5
    assert np.abs(np.diff(slopes)).max() < 1e-3, "the slope changes at once"
    assert hills.slope_at(along).max() <= 1.2 * STEEPEST
    assert np.abs(slopes).max() <= hills.slope_at(along).max() + 1e-6


def test_hills_follow_the_seed_and_nothing_else():
    config = CityConfig("mix", 3, 600.0, relief_m=40.0)
    points = grid_over(survey(config), 50.0)
    levels = hills_of(config).level_at(points)
    same = dataclasses.replace(config, density="margin", lod=3, trees=False)
    assert np.array_equal(levels, hills_of(same).level_at(points))
    other = hills_of(dataclasses.replace(config, seed=4)).level_at(points)
    assert np.abs(levels - other).max() > 1.0
    half = hills_of(dataclasses.replace(config, relief_m=20.0))
    assert np.allclose(half.level_at(points), levels / 2)


def test_relief_that_would_be_cliffs_is_refused():
    config = CityConfig("mix", 0, 200.0, relief_m=100.0)
    with pytest.raises(InputError, match="relief_m is 100 on 200 m; allowed: up to 30"):
        hills_of(config)


def test_without_relief_nothing_is_built_for_hills(make_city, density):
    city = make_city(density, 0, 300.0)
    assert city.terrain.hills is None
    assert (city.terrain.level_at(grid_over(city.land, 50.0)) == 0).all()
    assert city.terrain.earthworks_m3() == (0.0, 0.0)
    assert all(patch.base_m is None for patch in city.ground)
    assert all(building.level_m == 0 for building in city.buildings)
    z = shapely.get_coordinates([patch.polygon for patch in city.ground], include_z=True)[:, 2]
    assert np.isnan(z).all()


def test_streets_keep_to_the_limit_of_grade(hilly_city):
    lines, stations = hilly_city.sections.lines, hilly_city.sections.stations
    grades, lengths = [], []
    for line, cuts in zip(lines, stations, strict=True):
        at = np.concatenate([np.linspace(a, b, 6)[:-1] for a, b in pairwise(cuts)] or [[]])
        points = shapely.get_coordinates(shapely.line_interpolate_point(line, at))
        levels = hilly_city.terrain.level_at(points)
        grades.append(np.abs(np.diff(levels) / np.diff(at)))
        lengths.append(np.diff(at))
    grade, length = np.concatenate(grades), np.concatenate(lengths)
    within = length[grade <= STEEPEST_STREET + 0.002].sum() / length.sum()
    # Levels are whole millimetres, and the inner kerb of a bend is shorter than its line.
    assert within > 0.98, f"{within:.1%} of the streets keep to the limit"
    assert np.average(grade, weights=length) > 0.01, "the streets do not follow the hills"


def test_carriageways_are_level_across(hilly_city):
    streets = hilly_city.sections
    falls = []
    for line, half, cuts in zip(streets.lines, streets.half_m, streets.stations, strict=True):
        for at in (cuts[1:] + cuts[:-1]) / 2:
            ends = shapely.line_interpolate_point(line, [at - 0.5, at + 0.5])
            start, end = shapely.get_coordinates(ends)
            aside = np.array([start[1] - end[1], end[0] - start[0]]) * (half - 0.5)
            middle = (start + end) / 2
            level = hilly_city.terrain.level_at(np.stack([middle - aside, middle + aside]))
            falls.append(abs(level[1] - level[0]) / (2 * half - 1.0))
    assert np.median(falls) < 0.001
    assert np.quantile(falls, 0.95) < 0.015


def test_junctions_are_level(hilly_city):
    junctions = [patch for patch in hilly_city.ground if patch.surface == "junction"]
    area = np.array([patch.polygon.area for patch in junctions])
    level = np.array([np.ptp(patch.base_m) < 0.02 for patch in junctions])
    assert area[level].sum() > 0.9 * area.sum()


def test_pavements_follow_their_street(hilly_city):
    triangles = hilly_city.terrain.triangles
    pavements = shapely.STRtree(
        [patch.polygon for patch in hilly_city.ground if patch.surface == "pavement"]
    )
    middles = shapely.points(triangles[..., :2].mean(axis=1))
    own = np.unique(pavements.query(middles, predicate="within")[0])
    one, two = triangles[own, 1] - triangles[own, 0], triangles[own, 2] - triangles[own, 0]
    normal = np.cross(one, two)
    slope = np.hypot(*normal[:, :2].T) / normal[:, 2]
    steep = normal[slope > STEEPEST_STREET + 0.03, 2].sum() / normal[:, 2].sum()
    assert steep < 0.05, f"{steep:.1%} of the pavements are steeper than a street"


def test_every_wall_goes_down_below_the_ground(hilly_city):
    for building in hilly_city.buildings:
        wall = shapely.segmentize(shapely.boundary(building.footprint), 0.25)
        ground = hilly_city.terrain.level_at(shapely.get_coordinates(wall)) + 0.12
        assert building.shells[0].base_m < ground.min() - 0.45
        assert building.shells[0].grid.floor_m == pytest.approx(building.level_m + 0.12)


def test_floors_lie_amid_the_ground_around(hilly_city):
    off = []
    for building in hilly_city.buildings:
        wall = shapely.segmentize(shapely.boundary(building.footprint), 1.0)
        ground = hilly_city.terrain.level_at(shapely.get_coordinates(wall))
        assert ground.min() - 0.05 <= building.level_m <= ground.max() + TERRACE_M
        off.append(np.abs(ground - building.level_m).mean())
    assert np.median(off) < 0.8


def test_floors_are_not_in_the_ground_nor_far_above_it(hilly_city):
    """A floor lies level with the street: downhill it stands on its foundations."""
    small = [b for b in hilly_city.buildings if b.footprint.area < 150.0]
    for building in small:
        inner = shapely.buffer(building.footprint, -0.4).representative_point()
        level = hilly_city.terrain.level_at(np.array([[inner.x, inner.y]]))[0]
        assert -3.0 < level - building.level_m < 0.6


def test_the_sheet_conforms_and_looks_up(hilly_city):
    surface = hilly_city.mesh(2)
    faces = surface.faces[surface.shell == surface.shell[surface.semantic == SemanticClass.ROAD][0]]
    a, b, c = surface.vertices[faces].transpose(1, 0, 2)
    plan = np.cross(b - a, c - a)[:, 2] / 2
    assert plan.min() >= 0
    assert plan.sum() == pytest.approx(hilly_city.land.skirt.area)
    edges = np.sort(faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    edges, count = np.unique(edges, axis=0, return_counts=True)
    assert count.max() == 2
    rim = shapely.points(surface.vertices[edges[count == 1].ravel(), :2])
    assert shapely.distance(rim, hilly_city.land.skirt.exterior).max() < 0.011


def test_the_terrain_is_the_sheet_without_kerbs(hilly_city):
    surface = hilly_city.mesh(2)
    road = np.isin(surface.semantic, [SemanticClass.ROAD])
    corners = surface.vertices[surface.faces[road]]
    middles = corners.mean(axis=1)
    level = hilly_city.terrain.level_at(middles[:, :2])
    assert np.abs(level - middles[:, 2]).max() < 0.002
    corners = surface.vertices[surface.faces[surface.semantic == SemanticClass.GRASS]]
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    green = corners[across[:, 2] > 1e-9].mean(axis=1)  # banks aside
    level = hilly_city.terrain.level_at(green[:, :2])
    above = green[:, 2] - level
    assert (np.isclose(above, 0.0, atol=0.002) | np.isclose(above, 0.12, atol=0.002)).all()


def test_cut_and_fill_are_of_a_size(hilly_city):
    cut, fill = hilly_city.terrain.earthworks_m3()
    area = hilly_city.land.skirt.area
    assert cut > 0
    assert fill > 0
    assert 0.2 < cut / fill < 5.0
    assert (cut + fill) / area < 0.2 * hilly_city.config.relief_m


def test_gentle_hills_need_little_earthwork():
    city = hilly("mix", 1, 420.0, 20.0)
    gentle = generate(dataclasses.replace(city.config, relief_m=4.0))
    raised = [patch.base_m for patch in gentle.ground if patch.surface in CARRIAGEWAY]
    points = [shapely.get_coordinates(p.polygon) for p in gentle.ground if p.surface in CARRIAGEWAY]
    natural = gentle.terrain.hills.level_at(np.concatenate(points))
    assert np.abs(np.concatenate(raised) - natural).mean() < 0.35


def test_a_raised_shell_moves_as_a_whole():
    ring = np.array([[0, 0, 5], [4, 0, 5], [4, 3, 6], [0, 3, 6]], dtype=float)
    wall = Finish(SemanticClass.WALL, 1)
    cell = Cell((ring,), wall, wall, wall, 5.0, 1)
    shell = Shell((cell,), "brick", (ring[:, :2],), -0.4, Grid(3.0, 3.0, 0.1))
    raised = shell.raised(12.345)
    assert np.allclose(raised.cells[0].rings[0], ring + (0, 0, 12.345))
    assert raised.cells[0].storeys_top_m == pytest.approx(17.345)
    assert raised.base_m == pytest.approx(11.945)
    assert raised.grid.floor_m == pytest.approx(12.445)
    assert np.array_equal(shell.cells[0].rings[0], ring)


def test_hills_without_a_building():
    strip = ((-26.0, -60.0), (26.0, -60.0), (26.0, 60.0), (-26.0, 60.0))
    city = generate(CityConfig("mix", 59, boundary=strip, pattern="grid", relief_m=4.0))
    assert not city.buildings
    assert np.ptp(city.mesh().vertices[:, 2]) > 1.0
