"""Every shell of a city is closed, welded, manifold and turned outwards."""

import numpy as np
import shapely
import trimesh

from vasgen.semantics import SemanticClass


def edges_of(faces):
    return faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2)


def solids(city):
    return [mesh for mesh in city.to_bundle().meshes if mesh.name != "ground"]


def test_each_edge_of_a_solid_has_two_faces_that_agree(city):
    for mesh in solids(city):
        directed, count = np.unique(edges_of(mesh.faces), axis=0, return_counts=True)
        assert count.max() == 1, mesh.name
        assert np.array_equal(np.unique(directed[:, ::-1], axis=0), directed), mesh.name


def test_each_component_is_watertight_and_encloses_volume(city):
    for mesh in solids(city):
        whole = trimesh.Trimesh(mesh.vertices, mesh.faces, process=False)
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


def test_trees_stand_clear_of_walls_and_carriageways(make_city, density):
    city = make_city(density, 0, 300.0)
    assert len(city.trees) > 20
    crowns = np.array([tree.crown() for tree in city.trees])
    walls = shapely.STRtree([building.footprint for building in city.buildings])
    assert walls.query(crowns, predicate="intersects").size == 0
    roads = shapely.STRtree([p.polygon for p in city.ground if p.surface == "road"])
    trunks = shapely.points([(tree.x, tree.y) for tree in city.trees])
    assert roads.query(shapely.buffer(trunks, 0.4), predicate="intersects").size == 0


def test_a_tree_is_light(make_city):
    city = make_city("mix", 0, 300.0)
    wood = next(mesh for mesh in city.to_bundle().meshes if mesh.name == "wood")
    leaves = wood.face_class == SemanticClass.VEGETATION
    assert leaves.sum() <= 80 * len(city.trees)
