"""Which edges of a scene diffract, and that each is found whole."""

import numpy as np
import pytest
import trimesh

from tests.support import box, bundle, mesh
from vasgen.semantics import SemanticClass
from vasgen.vas.scene.wedges import find_wedges


def ends(wedges):
    """Both ends of each wedge, sorted, rounded to millimetres."""
    tips = wedges.origin + wedges.length[:, None] * wedges.along
    pairs = np.sort(np.stack([wedges.origin, tips], axis=1).round(3).view(), axis=1)
    return sorted(map(tuple, pairs.reshape(-1, 6).tolist()))


@pytest.mark.parametrize("times", [1, 2, 4])
def test_an_edge_cut_into_pieces_is_one_wedge(times):
    whole = box("b", (4, 6, 8), (1, 2, 4))
    vertices, faces = whole.vertices, whole.faces
    for _ in range(times):
        vertices, faces = trimesh.remesh.subdivide(vertices, faces)
    fine = mesh("b", vertices, faces.astype(np.int32), radio="concrete")
    assert ends(find_wedges(bundle(fine))) == ends(find_wedges(bundle(whole)))


def test_two_edges_on_one_line_stay_two():
    """Two boxes in a row: their edges lie on common lines but do not touch."""
    pair = bundle(box("a", (4, 4, 4), (0, 0, 2)), box("b", (4, 4, 4), (6, 0, 2)))
    assert len(find_wedges(pair)) == 24


def test_a_round_tower_keeps_its_ribs():
    tower = trimesh.creation.cylinder(radius=10.0, height=30.0, sections=20)
    found = find_wedges(bundle(mesh("t", tower.vertices, tower.faces, radio="concrete")))
    assert np.isclose(found.length, 30.0).sum() == 20
    assert len(found) == 60


@pytest.mark.parametrize("thickness", [0.05, 0.2, 0.4])
def test_a_free_standing_wall_has_its_edges(thickness):
    """Both long edges at the top: the narrow face between them is no step."""
    found = find_wedges(bundle(box("wall", (8, thickness, 3), (0, 0, 1.5))))
    top = np.isclose(found.length, 8.0) & np.isclose(found.origin[:, 2], 3.0)
    assert top.sum() == 2


@pytest.mark.parametrize(("height", "count"), [(0.12, 0), (0.29, 0), (0.5, 2)])
def test_a_step_has_edges_only_if_it_is_high(height, count):
    """A terrace: low ground, a riser, high ground."""
    profile = [(-9, 0), (0, 0), (0, height), (9, height)]
    points = np.array([(x, y, z) for y, z in profile for x in (-9, 9)], float)
    faces = np.array([(0, 1, 3), (0, 3, 2), (2, 3, 5), (2, 5, 4), (4, 5, 7), (4, 7, 6)])
    assert len(find_wedges(bundle(mesh("t", points, faces, radio="concrete")))) == count


def test_a_thin_bar_has_no_edges():
    assert len(find_wedges(bundle(box("pole", (0.15, 0.15, 8), (0, 0, 4))))) == 0


@pytest.mark.parametrize(
    ("semantic", "count"),
    [(SemanticClass.WALL, 12), (SemanticClass.VEHICLE, 0), (SemanticClass.VEGETATION, 0)],
)
def test_rounded_things_have_no_edges(semantic, count):
    solid = box("b", (4, 2, 1.5), (0, 0, 1))
    labelled = type(solid)(
        solid.name,
        solid.radio_material,
        solid.vertices,
        solid.faces,
        np.full(len(solid.faces), int(semantic), np.uint8),
        solid.face_instance,
        solid.face_visual,
        solid.corner_uv,
    )
    assert len(find_wedges(bundle(labelled))) == count
