"""One city at three levels of detail."""

import numpy as np
import pytest

from vasgen.citygen import CityConfig, generate
from vasgen.citygen.materials import PALETTE
from vasgen.errors import InputError
from vasgen.semantics import SemanticClass


@pytest.fixture(scope="module", params=[("downtown", 0), ("mix", 1), ("margin", 2)], ids=str)
def town(request):
    density, seed = request.param
    return generate(CityConfig(density, seed, 300.0))


@pytest.fixture(scope="module", params=[1, 2, 3])
def lod(request):
    return request.param


def of_buildings(city, surface):
    return (surface.instance > 0) & (surface.instance <= len(city.buildings))


def test_every_building_is_closed_welded_and_outward(town, lod):
    surface = town.mesh(lod)
    own = of_buildings(town, surface)
    faces, shell = surface.faces[own], surface.shell[own]
    edges = faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2)
    key = edges[:, 0] * len(surface.vertices) + edges[:, 1]
    back = edges[:, 1] * len(surface.vertices) + edges[:, 0]
    found, count = np.unique(key, return_counts=True)
    assert count.max() == 1, "an edge has two faces on one side"
    assert np.array_equal(found, np.unique(back)), "an edge has one face only"
    used = np.unique(faces)
    which = np.zeros(len(surface.vertices), dtype=np.int64)
    which[faces] = shell[:, None]
    placed = np.column_stack([surface.vertices[used], which[used]])
    assert len(np.unique(placed, axis=0)) == len(used), "a corner is two vertices"
    a, b, c = surface.vertices[faces].transpose(1, 0, 2)
    numbers, shell = np.unique(shell, return_inverse=True)
    volume = np.bincount(shell, (a * np.cross(b, c)).sum(axis=1) / 6)
    assert len(numbers) >= len(town.buildings)
    assert volume.min() > 0.01


def test_no_triangle_of_a_building_is_a_sliver(town, lod):
    surface = town.mesh(lod)
    triangles = surface.vertices[surface.faces[of_buildings(town, surface)]]
    cross = np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0])
    area = np.linalg.norm(cross, axis=1) / 2
    longest = np.linalg.norm(np.roll(triangles, -1, axis=1) - triangles, axis=2).max(axis=1)
    assert area.min() > 1e-6
    assert (2 * area / longest).min() > 0.005
    assert np.allclose(triangles, np.round(triangles, 3), atol=1e-9)


def test_a_prism_is_the_footprint_at_full_height(town):
    surface = town.mesh(1)
    own = of_buildings(town, surface)
    a, b, c = surface.vertices[surface.faces[own]].transpose(1, 0, 2)
    volume = np.bincount(surface.instance[own], (a * np.cross(b, c)).sum(axis=1) / 6)[1:]
    wanted = [x.footprint.area * (x.height_m + 0.5) for x in town.buildings]
    assert np.allclose(volume, wanted, rtol=2e-3)
    assert set(surface.semantic[own].tolist()) == {SemanticClass.WALL, SemanticClass.ROOF}
    up = np.cross(b - a, c - a)[:, 2]
    roof = surface.semantic[own] == SemanticClass.ROOF
    assert (up[roof] > 0).all()
    assert (up[~roof] < 1e-9).all()


def test_a_prism_has_whole_storeys_up_to_its_top(town):
    surface = town.mesh(1)
    for building in town.buildings:
        own = (surface.instance == building.index) & (surface.semantic == SemanticClass.WALL)
        z, v = surface.vertices[surface.faces[own]][..., 2], surface.uv[own][..., 1]
        top = v[z == z.max()]
        assert top == pytest.approx(round(float(top[0])), abs=1e-3)
        facade = PALETTE[int(surface.visual[own & (surface.uv[..., 1].max(axis=1) > 0)][0])]
        assert facade.recipe.startswith("facade-")
        storey, wanted = building.height_m / top[0], building.shells[0].grid.storey_m
        assert 0.65 * wanted < storey < 1.5 * wanted


def test_levels_agree_on_objects_and_ground(town):
    coarse, fine = town.mesh(1), town.mesh(2)

    def standing(surface):
        return np.unique(surface.instance[surface.instance < town.first_prop_id])

    assert np.array_equal(standing(coarse), standing(fine))
    assert np.array_equal(standing(town.mesh(3)), standing(fine))

    def sheet(surface):
        ground = np.isin(surface.shell, surface.shell[surface.semantic == SemanticClass.ROAD])
        return surface.vertices[surface.faces[ground]], surface.instance[ground]

    for one, two in zip(sheet(coarse), sheet(fine), strict=True):
        assert np.array_equal(one, two)


def test_more_detail_is_more_triangles_and_more_classes(town):
    coarse, middle, fine = (town.mesh(lod) for lod in (1, 2, 3))
    assert len(coarse.faces) < len(middle.faces) < len(fine.faces)
    assert {SemanticClass.WINDOW, SemanticClass.DOOR} <= set(fine.semantic.tolist())
    assert SemanticClass.DOOR not in middle.semantic


def test_roofs_are_those_of_level_two(town):
    def roof_area(surface):
        roof = of_buildings(town, surface) & (surface.semantic == SemanticClass.ROOF)
        a, b, c = surface.vertices[surface.faces[roof]].transpose(1, 0, 2)
        area = np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2
        return np.bincount(surface.instance[roof], area)

    assert np.allclose(roof_area(town.mesh(2)), roof_area(town.mesh(3)), rtol=1e-9)


def test_the_bundle_holds_the_mesh_of_its_level(town, lod):
    bundle, surface = town.to_bundle(lod), town.mesh(lod)
    assert bundle.num_triangles == len(surface.faces)
    radio = np.bincount(surface.radio)
    assert sorted(len(mesh.faces) for mesh in bundle.meshes) == sorted(radio[radio > 0].tolist())
    table = bundle.face_table
    counts = np.bincount(surface.semantic, minlength=16)
    assert np.array_equal(np.bincount(table.semantic, minlength=16), counts)


def test_meshes_are_made_once(town, lod):
    assert town.mesh(lod) is town.mesh(lod)
    assert town.to_bundle(lod) is town.to_bundle(lod)


def test_what_is_shared_cannot_be_written_into(town, lod):
    surface, cells = town.mesh(lod), town.modules()
    shared = [cells, *vars(surface).values()]
    for mesh in town.to_bundle(lod).meshes:
        shared += [value for value in vars(mesh).values() if isinstance(value, np.ndarray)]
    assert len(shared) > 8 + 1
    assert not any(values.flags.writeable for values in shared)
    with pytest.raises(ValueError, match="read-only"):
        surface.vertices += 1.0


def test_the_hash_is_that_of_the_configured_level():
    plain, fine = (generate(CityConfig("margin", 3, 200.0, lod=lod)) for lod in (1, 3))
    assert plain.content_hash == plain.to_bundle(1).content_hash
    assert plain.content_hash != fine.content_hash
    assert plain.to_bundle(3).content_hash == fine.content_hash
    assert fine.mesh() is fine.mesh(3)


def test_an_unknown_level_is_refused(town):
    for ask in (town.level, town.mesh, town.to_bundle):
        with pytest.raises(InputError, match="lod is 4; allowed: 1, 2 or 3"):
            ask(4)
    assert [town.level(), town.level(3)] == [town.config.lod, 3]


def test_buildings_on_hills_are_closed_at_every_level(lod):
    city = generate(CityConfig("mix", 2, 250.0, relief_m=25.0))
    test_every_building_is_closed_welded_and_outward(city, lod)
