"""Shells: what is closed, what is open and where, and what is inside."""

import numpy as np
import pytest

from tests.support import box, bundle, ground, mesh, rectangle, street_canyon
from vasgen.bundle import RadioMaterial, SceneBundle
from vasgen.shells import closed_metal, shells


def without_faces(solid, chosen):
    keep = ~chosen(solid.triangles.mean(axis=1))
    return mesh(solid.name, solid.vertices, solid.faces[keep], radio=solid.radio_material)


def test_boxes_are_closed_and_the_ground_is_open():
    found = list(shells(street_canyon()))
    assert [shell.closed for shell in found].count(True) == 6
    (plane,) = [shell for shell in found if not shell.closed]
    assert plane.name == "object 99 (ground, mesh 'ground')"
    assert len(plane.open_edges) == 4
    assert all(len(s.open_edges) == 0 for s in found if s.closed)


def test_objects_of_one_mesh_are_shells_of_their_own():
    one, two = box("one", (2, 2, 2), (0, 0, 1)), box("two", (2, 2, 2), (9, 0, 1))
    faces = np.concatenate([one.faces, two.faces + len(one.vertices)])
    both = mesh("both", np.concatenate([one.vertices, two.vertices]), faces, radio="concrete")
    found = list(shells(bundle(both)))
    assert [(len(shell.faces), shell.closed) for shell in found] == [(12, True), (12, True)]


def test_a_missing_floor_opens_a_shell_but_not_into_the_air():
    house = without_faces(box("house", (8, 6, 5), (0, 0, 2.5)), lambda c: c[:, 2] < 0.1)
    (shell,) = shells(bundle(house))
    assert (shell.closed, len(shell.open_edges)) == (False, 0)


def test_a_missing_roof_opens_four_edges_at_its_height():
    house = without_faces(box("house", (8, 6, 5), (0, 0, 2.5)), lambda c: c[:, 2] > 4.9)
    (shell,) = shells(bundle(house))
    assert shell.open_edges.shape == (4, 2, 3)
    assert (shell.open_edges[..., 2] == 5).all()


@pytest.mark.parametrize("inward", [False, True])
def test_what_is_inside_a_closed_shell(inward):
    room = box("room", (4, 4, 4), (10, 0, 2), radio="metal")
    if inward:
        room = mesh("room", room.vertices, room.faces[:, ::-1], radio="metal")
    (shell,) = closed_metal(bundle(room))
    rng = np.random.default_rng(0)
    points = rng.uniform([5, -4, -1], [15, 4, 6], (500, 3))
    inside = (np.abs(points - [10, 0, 2]) < 2).all(axis=1)
    assert (shell.contains(points) == inside).all()
    assert inside.any()


def test_only_closed_metal_of_some_thickness_counts():
    def found(material, solid):
        scene = SceneBundle(
            "one", (solid,), (material,), bundle(box("b", (1, 1, 1), (0, 0, 0))).visual_materials
        )
        return len(closed_metal(scene))

    solid = box("box", (2, 2, 2), (0, 0, 1), radio="skin")
    assert found(RadioMaterial("skin", "metal", 0.01), solid) == 1
    assert found(RadioMaterial("skin", None, 0.01, 1.0, 1e7), solid) == 1
    assert found(RadioMaterial("skin", "metal", 0.0), solid) == 0
    assert found(RadioMaterial("skin", "concrete", 0.3), solid) == 0
    open_box = without_faces(solid, lambda c: c[:, 2] > 1.9)
    assert found(RadioMaterial("skin", "metal", 0.01), open_box) == 0


def test_faces_that_meet_at_a_corner_only_are_two_shells():
    first = rectangle("w", [(0, 0, 0), (2, 0, 0), (2, 0, 2), (0, 0, 2)])
    corners = np.concatenate([first.vertices, [[4, 0, 2], [4, 0, 4], [2, 0, 4]]])
    faces = [[0, 1, 2], [0, 2, 3], [2, 4, 5], [2, 5, 6]]
    assert len(list(shells(bundle(mesh("w", corners, faces, radio="brick"), ground(9))))) == 3
