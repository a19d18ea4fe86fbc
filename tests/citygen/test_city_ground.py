"""The ground is one conforming sheet."""

import numpy as np
import pytest
import shapely

from vasgen.citygen.land import SKIRT_M
from vasgen.semantics import SemanticClass


@pytest.fixture
def sheet(city):
    return next(mesh for mesh in city.to_bundle().meshes if mesh.name == "ground")


def test_every_inner_edge_joins_two_faces(city, sheet):
    edges = np.sort(sheet.faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    edges, count = np.unique(edges, axis=0, return_counts=True)
    assert count.max() == 2
    half = city.config.size_m / 2 + SKIRT_M
    rim = sheet.vertices[edges[count == 1]]
    on_side = np.isclose(np.abs(rim[..., :2]), half).all(axis=1).any(axis=1)
    assert on_side.all(), "a crack inside the sheet"


def test_upward_faces_cover_the_square_and_its_skirt_once(city, sheet):
    a, b, c = sheet.triangles.transpose(1, 0, 2)
    plan = np.cross(b - a, c - a)[:, 2] / 2
    assert plan.min() >= 0
    assert plan.sum() == pytest.approx((city.config.size_m + 2 * SKIRT_M) ** 2)


def test_carriageways_lie_at_zero_and_pavements_behind_a_kerb(city, sheet):
    a, b, c = sheet.triangles.transpose(1, 0, 2)
    normal = np.cross(b - a, c - a)
    flat = normal[:, 2] > 1e-9
    z = sheet.triangles[..., 2]
    assert set(np.unique(sheet.vertices[:, 2])) == {0.0, 0.12}
    road = sheet.face_class == SemanticClass.ROAD
    assert (z[road] == 0).all()
    pavement = flat & (sheet.face_class == SemanticClass.PAVEMENT)
    assert pavement.any()
    assert (z[pavement] == 0.12).all()
    kerb = ~flat
    assert np.allclose(normal[kerb][:, 2], 0.0)
    assert (sheet.face_class[kerb] == SemanticClass.PAVEMENT).all()


def test_roads_reach_the_edge_of_the_square(city):
    half = city.config.size_m / 2
    edge = shapely.box(-half, -half, half, half).exterior
    roads = [patch.polygon for patch in city.ground if patch.surface == "road"]
    assert shapely.STRtree(roads).query(edge, predicate="intersects").size > 3


def test_texture_coordinates_of_flat_ground_are_world_metres(sheet):
    a, b, c = sheet.triangles.transpose(1, 0, 2)
    flat = np.cross(b - a, c - a)[:, 2] > 1e-9
    assert np.allclose(sheet.corner_uv[flat], sheet.triangles[flat][..., :2], atol=1e-3)


def test_patches_share_no_area(city):
    polygons = np.array([patch.polygon for patch in city.ground])
    one, two = shapely.STRtree(polygons).query(polygons, predicate="overlaps")
    assert len(one) == 0, (one, two)
