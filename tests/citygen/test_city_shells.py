"""Every shell of a city is closed, welded, manifold and turned outwards."""

import numpy as np
import shapely
import trimesh


def edges_of(faces):
    return faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2)


def solids(city):
    """The surface, and the faces of all closed shells: not those of the ground's sheet."""
    surface = city.mesh()
    ground = sum(len(building.shells) for building in city.buildings)
    return surface, surface.shell != ground


def test_each_edge_of_a_solid_has_two_faces_that_agree(city):
    surface, solid = solids(city)
    directed, count = np.unique(edges_of(surface.faces[solid]), axis=0, return_counts=True)
    assert count.max() == 1
    assert np.array_equal(np.unique(directed[:, ::-1], axis=0), directed)


def test_each_component_of_a_building_is_watertight_and_encloses_volume(city):
    surface, solid = solids(city)
    solid &= surface.instance <= len(city.buildings)
    whole = trimesh.Trimesh(surface.vertices, surface.faces[solid], process=False)
    for part in whole.split(only_watertight=False):
        assert part.is_watertight
        assert part.is_winding_consistent
        assert part.volume > 0.01
        assert len(part.vertices) == len(np.unique(part.vertices, axis=0))


def test_no_triangle_is_degenerate_and_all_corners_are_on_the_lattice(city):
    for mesh in city.to_bundle().meshes:
        a, b, c = mesh.triangles.transpose(1, 0, 2)
        area = np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2
        assert area.min() > 1e-6, mesh.name
        assert np.allclose(mesh.vertices, np.round(mesh.vertices, 3), atol=1e-9)


def test_buildings_reach_below_the_ground_and_their_shell_covers_the_footprint(city):
    for building in city.buildings:
        shell = building.shells[0]
        assert shell.base_m < -0.3
        corners = np.concatenate([ring for cell in shell.cells for ring in cell.rings])
        footprint = building.footprint
        assert shapely.distance(footprint, shapely.points(corners[:, :2])).max() < 5.0
        plan = shapely.Polygon(shell.outline[0][:, :2], [r[:, :2] for r in shell.outline[1:]])
        assert plan.symmetric_difference(footprint).area < 1e-6 * plan.area
        assert corners[:, 2].max() >= building.height_m


def test_plant_and_chimneys_are_sunk_into_their_own_roof(city):
    for building in city.buildings:
        for extra in building.shells[1:]:
            plan = shapely.Polygon(extra.outline[0][:, :2])
            assert building.footprint.contains(plan)
            assert extra.base_m < building.height_m + 0.12
            assert extra.cells[0].rings[0][:, 2].min() > building.height_m
