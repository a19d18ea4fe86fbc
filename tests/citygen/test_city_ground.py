"""The ground is one conforming sheet."""

import numpy as np
import pytest
import shapely

from tests.citygen.cities import TABLE
from tests.citygen.surface_invariants import check_ground, check_triangles
from vasgen.bundle import RadioMaterial
from vasgen.citygen import CityConfig, generate
from vasgen.citygen.config import District
from vasgen.citygen.groundwork.ground import CARRIAGEWAY
from vasgen.citygen.land import SKIRT_M
from vasgen.citygen.materials import RADIO, RADIO_NAMES
from vasgen.semantics import SemanticClass

GREEN = ("lawn", "meadow", "field")
BARE = {"trees": False, "furniture": False, "vehicles": False}


class Sheet:
    """The faces of the ground, of all its radio materials."""

    def __init__(self, city):
        surface = city.mesh(2)
        own = surface.shell == surface.shell[surface.semantic == SemanticClass.ROAD][0]
        self.vertices, self.faces = surface.vertices, surface.faces[own]
        self.triangles = surface.vertices[self.faces]
        self.face_class, self.corner_uv = surface.semantic[own], surface.uv[own]
        self.radio, self.instance = surface.radio[own], surface.instance[own]
        a, b, c = self.triangles.transpose(1, 0, 2)
        self.normal = np.cross(b - a, c - a)
        self.flat = self.normal[:, 2] > 1e-9


@pytest.fixture
def sheet(city):
    return Sheet(city)


def edges_of(faces):
    edges = np.sort(faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    return np.unique(edges, axis=0, return_counts=True)


def test_every_inner_edge_joins_two_faces(city, sheet):
    edges, count = edges_of(sheet.faces)
    assert count.max() == 2
    half = city.config.size_m / 2 + SKIRT_M
    rim = sheet.vertices[edges[count == 1]]
    on_side = np.isclose(np.abs(rim[..., :2]), half).all(axis=1).any(axis=1)
    assert on_side.all(), "a crack inside the sheet"


def test_materials_meet_corner_to_corner(city):
    """The bundle holds a mesh for each material: welded by position they are one sheet."""
    meshes = [m for m in city.to_bundle(2).meshes if m.name in ("ground", "soil")]
    assert [mesh.name for mesh in meshes] == ["ground", "soil"]
    corners = np.concatenate([mesh.vertices[mesh.faces].reshape(-1, 3) for mesh in meshes])
    _, welded = np.unique(corners, axis=0, return_inverse=True)
    _, count = edges_of(welded.reshape(-1, 3))
    assert count.max() == 2
    apart = sum(int((edges_of(mesh.faces)[1] == 1).sum()) for mesh in meshes)
    half = 4 * (city.config.size_m + 2 * SKIRT_M)
    assert int((count == 1).sum()) < apart, "the materials share no edge"
    assert int((count == 1).sum()) < half


def test_grass_is_soil_and_all_else_is_dry_ground(city, sheet):
    grass = sheet.face_class == SemanticClass.GRASS
    assert (sheet.radio[grass] == RADIO_NAMES.index("soil")).all()
    assert (sheet.radio[~grass] == RADIO_NAMES.index("ground")).all()
    assert RADIO["soil"] == RadioMaterial("soil", "medium_dry_ground", 1.0)
    area = sheet.normal[grass & sheet.flat, 2].sum() / 2
    wanted = sum(p.polygon.area for p in city.ground if p.surface in GREEN)
    assert area == pytest.approx(wanted, abs=0.1)


def test_upward_faces_cover_the_square_and_its_skirt_once(city, sheet):
    plan = sheet.normal[:, 2] / 2
    assert plan.min() >= 0
    assert plan.sum() == pytest.approx((city.config.size_m + 2 * SKIRT_M) ** 2)


def test_carriageways_lie_at_zero_and_pavements_behind_a_kerb(city, sheet):
    z = sheet.triangles[..., 2]
    assert set(np.unique(z)) == {0.0, 0.12}
    road = sheet.face_class == SemanticClass.ROAD
    assert (z[road] == 0).all()
    pavement = sheet.flat & (sheet.face_class == SemanticClass.PAVEMENT)
    assert pavement.any()
    assert (z[pavement] == 0.12).all()
    kerb = ~sheet.flat
    assert np.allclose(sheet.normal[kerb][:, 2], 0.0)
    # Lawns end in banks.
    assert set(sheet.face_class[kerb]) <= {SemanticClass.PAVEMENT, SemanticClass.GRASS}


def test_roads_reach_the_edge_of_the_square(city):
    half = city.config.size_m / 2
    edge = shapely.box(-half, -half, half, half).exterior
    roads = [patch.polygon for patch in city.ground if patch.surface == "road"]
    assert shapely.STRtree(roads).query(edge, predicate="intersects").size > 1


def test_texture_coordinates_of_flat_ground_are_world_metres(sheet):
    flat = sheet.flat
    assert np.allclose(sheet.corner_uv[flat], sheet.triangles[flat][..., :2], atol=1e-3)


def test_patches_share_no_area(city):
    polygons = np.array([patch.polygon for patch in city.ground])
    one, two = shapely.STRtree(polygons).query(polygons, predicate="overlaps")
    assert len(one) == 0, (one, two)


def test_every_junction_has_a_surface_of_its_own(city):
    junctions = [patch.polygon for patch in city.ground if patch.surface == "junction"]
    places = shapely.get_coordinates(city.sections.junctions)
    inside = city.land.skirt.buffer(-12.0)
    points = [shapely.Point(p) for p in places if shapely.contains_xy(inside, *p)]
    tree = shapely.STRtree(junctions)
    point, _ = tree.query(np.array(points, dtype=object), predicate="within")
    assert np.array_equal(np.unique(point), np.arange(len(points)))


def test_a_piece_of_road_belongs_to_one_street(city):
    sections = city.sections
    roads = [patch.polygon for patch in city.ground if patch.surface == "road"]
    tree = shapely.STRtree(roads)
    middles = [
        shapely.line_interpolate_point(line, cuts[[0, -1]].mean())
        for line, cuts in zip(sections.lines, sections.stations, strict=True)
        if len(cuts)
    ]
    _, road = tree.query(middles, predicate="within")
    assert np.bincount(road).max() == 1
    # A cut is square: it is as long as the carriageway is wide.
    assert len(road) > 0.9 * len(middles)


def test_streets_are_cut_square_at_their_mouths(city):
    sections = city.sections
    junctions = shapely.STRtree([p.polygon for p in city.ground if p.surface == "junction"])
    found = checked = 0
    for line, half, ends, cuts in zip(
        sections.lines, sections.half_m, sections.ends, sections.stations, strict=True
    ):
        for at, node in zip(cuts[[0, -1]] if len(cuts) else [], ends, strict=False):
            if sections.degrees[node] == 1:
                continue
            start, end = shapely.get_coordinates(
                shapely.line_interpolate_point(line, [at - 0.05, at + 0.05])
            )
            aside = np.array([start[1] - end[1], end[0] - start[0]]) / 0.1 * (half - 0.3)
            middle = (start + end) / 2
            cut = shapely.linestrings([middle - aside, middle + aside])
            near = junctions.geometries[junctions.query(cut, predicate="dwithin", distance=0.05)]
            apart = [
                shapely.hausdorff_distance(cut.intersection(p.exterior.buffer(0.06)), cut)
                for p in near
            ]
            found += bool(apart) and min(apart) < 0.1
            checked += 1
    assert found > 0.9 * checked


def test_objects_of_the_ground_are_blocks_and_pieces_of_road(city, sheet):
    road = sheet.face_class == SemanticClass.ROAD
    first_road = len(city.buildings) + len(city.blocks) + 1
    count = sum(patch.surface in CARRIAGEWAY for patch in city.ground)
    ids = np.unique(sheet.instance[road])
    assert np.array_equal(ids, np.arange(first_road, first_road + count))
    rest = np.unique(sheet.instance[~road])
    assert rest.max() < first_road
    assert not ((rest > 0) & (rest <= len(city.buildings))).any()


@pytest.mark.parametrize("relief_m", [0.0, 30.0])
def test_the_sheet_fits_an_outline_with_a_reflex_corner(relief_m):
    ell = ((-200, -150), (220, -160), (230, 20), (40, 30), (30, 210), (-190, 200))
    city = generate(CityConfig("mix", 20, boundary=ell, relief_m=relief_m, **BARE))
    sheet = Sheet(city)
    assert sheet.normal[:, 2].sum() / 2 == pytest.approx(city.land.skirt.area, rel=1e-5)
    edges, count = edges_of(sheet.faces)
    rim = shapely.points(sheet.vertices[edges[count == 1].ravel(), :2])
    assert shapely.distance(rim, city.land.skirt.exterior).max() < 0.011


@pytest.mark.parametrize(
    "config",
    [
        CityConfig("mix", 24, boundary=((0, 0), (260, 20), (52, 130)), **BARE),
        CityConfig("mix", 252, boundary=((-138, -179), (-109, -2), (3, 57)), **BARE),
    ],
    ids=["sharp", "sharper"],
)
def test_the_sheet_reaches_the_skirt_at_acute_corners(config):
    city = generate(config)
    check_ground(city, city.mesh(2))
    patches = shapely.union_all([patch.polygon for patch in city.ground], grid_size=0.001)
    assert patches.geom_type == "Polygon"
    assert not patches.interiors
    # The rim's corners are on whole centimetres, about a step from the skirt's edge at most.
    rim = shapely.points(shapely.get_coordinates(patches))
    assert shapely.distance(rim, city.land.skirt.exterior).max() < 0.011


@pytest.mark.parametrize(
    "config",
    [
        CityConfig("mix", 6, 300.0, relief_m=3.0, **BARE),
        CityConfig("margin", 0, 300.0, districts=(District("downtown"),), relief_m=0.001, **BARE),
        TABLE[201][1],
    ],
    ids=["hills", "district", "table-201"],
)
def test_nearly_straight_corners_leave_no_flat_triangles(config):
    city = generate(config)
    surface = city.mesh(2)
    check_ground(city, surface)
    check_triangles(surface, 2)
