"""The geometry kernel, on shells whose volume is known."""

import numpy as np
import pytest
import trimesh

from vasgen.citygen.architecture.footprints import ell, inset, rectangle, rounded
from vasgen.citygen.architecture.roofs import Look, Tier, gable, hip, lift, mansard, terraces
from vasgen.citygen.geometry.assembly import assemble
from vasgen.citygen.geometry.solids import Cell, Finish, Grid, Shell, join
from vasgen.semantics import SemanticClass

WALL, BAND = Finish(SemanticClass.WALL, 1), Finish(SemanticClass.WALL, 2)
ROOF, RIM = Finish(SemanticClass.ROOF, 3), Finish(SemanticClass.ROOF, 4)
LOOK = Look(WALL, BAND, ROOF, RIM, 7)
GRID = Grid(3.0, 3.0, 0.0)


def solid(cells, outline):
    surface = assemble([Shell(tuple(cells), "brick", tuple(outline), 0.0, GRID)])
    return trimesh.Trimesh(surface.vertices, surface.faces, process=False), surface


def check_closed(mesh):
    assert mesh.is_watertight
    assert mesh.is_winding_consistent
    assert len(mesh.vertices) == len(np.unique(mesh.vertices, axis=0)), "not welded"


def test_a_terrace_with_parapet_has_the_volume_of_its_parts():
    ring = rectangle(20.0, 10.0)
    mesh, _ = solid(terraces([Tier((ring,), 9.0, WALL, BAND)], LOOK, 1.0), [ring])
    check_closed(mesh)
    rim = 200.0 - (20.0 - 0.7) * (10.0 - 0.7)
    assert mesh.volume == pytest.approx(200.0 * 9.0 + rim * 1.0)


def test_a_tower_on_a_podium_is_one_shell():
    podium, tower = rectangle(40.0, 30.0), rounded(16.0, 16.0) + 8.0
    tiers = [Tier((podium,), 6.0, WALL, BAND), Tier((tower,), 60.0, WALL, BAND)]
    mesh, _ = solid(terraces(tiers, LOOK, 1.0), [podium])
    check_closed(mesh)
    assert mesh.body_count == 1
    assert mesh.volume > 40 * 30 * 6 + 180 * 54


def test_a_courtyard_stays_open():
    ring, yard = rectangle(40.0, 40.0), (rectangle(16.0, 16.0) + 12.0)[::-1]
    mesh, _ = solid(terraces([Tier((ring, yard), 9.0, WALL, BAND)], LOOK, 1.0), [ring, yard])
    check_closed(mesh)
    assert mesh.euler_number == 0, "a ring is a torus"
    rim = (1600 - 39.3**2) + (16.7**2 - 256)
    assert mesh.volume == pytest.approx((1600 - 256) * 9.0 + rim)


def test_gable_and_hip_have_their_closed_form_volumes():
    quad = rectangle(12.0, 8.0)
    sides = [np.array([[0, 0], [12, 0], [12, 4], [12, 8], [0, 8], [0, 4]], dtype=float)]
    mesh, _ = solid(gable(quad, 6.0, 4.0, LOOK), sides)
    check_closed(mesh)
    assert mesh.volume == pytest.approx(96 * 6 + 96 * 4 / 2)
    mesh, _ = solid(hip(quad, 6.0, 4.0, LOOK), [quad])
    check_closed(mesh)
    ridge = 12.0 - 8.0
    assert mesh.volume == pytest.approx(96 * 6 + 8 * 4 / 6 * (2 * 12 + ridge))


def test_a_mansard_fits_an_outline_with_a_reflex_corner():
    ring = ell(20.0, 20.0, 0.5)
    cells = mansard([ring], 9.0, 1.5, 3.0, LOOK)
    mesh, _ = solid(cells, [ring])
    check_closed(mesh)
    assert mansard([ring], 9.0, 6.0, 3.0, LOOK) is None


def test_windows_end_below_the_parapet_and_count_whole_bays():
    ring = rectangle(20.0, 10.0)
    _, surface = solid(terraces([Tier((ring,), 9.0, WALL, BAND)], LOOK, 1.0), [ring])
    z = surface.vertices[surface.faces][..., 2]
    facade = surface.visual == WALL.visual
    assert z[facade].max() == 9.0
    assert set(np.unique(surface.uv[facade][..., 0])) == {0.0, 3.0, 7.0}
    assert set(np.unique(surface.uv[facade][..., 1])) == {0.0, 3.0}


def test_roof_texture_is_to_scale():
    quad = rectangle(12.0, 8.0)
    _, surface = solid(hip(quad, 6.0, 4.0, LOOK), [quad])
    roof = surface.visual == ROOF.visual
    corners, uv = surface.vertices[surface.faces][roof], surface.uv[roof]
    for i, j in ((0, 1), (1, 2), (2, 0)):
        world = np.linalg.norm(corners[:, i] - corners[:, j], axis=-1)
        assert np.allclose(world, np.linalg.norm(uv[:, i] - uv[:, j], axis=-1), atol=2e-3)


def _cell(ring, z):
    return Cell((lift(np.array(ring, dtype=float), z),), ROOF, WALL, BAND, 99.0, 1)


def test_three_levels_at_one_corner_leave_no_crack():
    west = [(0, 0), (5, 0), (5, 5), (5, 8), (0, 8)]
    south = [(5, 0), (12, 0), (12, 5), (5, 5)]
    north = [(5, 5), (12, 5), (12, 8), (5, 8)]
    outline = [(0, 0), (5, 0), (12, 0), (12, 5), (12, 8), (5, 8), (0, 8)]
    cells = [_cell(west, 9.0), _cell(south, 6.0), _cell(north, 3.0)]
    mesh, _ = solid(cells, [np.array(outline, dtype=float)])
    check_closed(mesh)
    assert mesh.volume == pytest.approx(40 * 9 + 35 * 6 + 21 * 3)


def test_cells_that_do_not_fit_are_refused():
    square = [(0, 0), (5, 0), (5, 5), (0, 5)]
    shell = Shell((_cell(square, 3.0), _cell(square, 6.0)), "brick", (np.array(square),), 0.0)
    with pytest.raises(ValueError, match="overlap"):
        assemble([shell])


def test_joined_surfaces_keep_their_faces():
    ring = rectangle(4.0, 4.0)
    _, one = solid([_cell(ring, 3.0)], [ring])
    both = join(one, one)
    triangles = both.vertices[both.faces]
    assert np.array_equal(triangles[: len(one.faces)], triangles[len(one.faces) :])


def test_an_inset_that_folds_is_refused():
    assert inset(rectangle(4.0, 10.0), 1.9) is None
    assert np.allclose(inset(rectangle(4.0, 10.0), 1.0), rectangle(2.0, 8.0) + 1.0)
    assert np.allclose(inset(rectangle(4.0, 10.0)[::-1], 1.0), rectangle(6.0, 12.0)[::-1] - 1.0)
