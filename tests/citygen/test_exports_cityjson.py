"""CityJSON files: two independent readers, and the rules of the specification.

The reader cityjson-lib is strict about types, nesting and indices; the rules below are those
of https://www.cityjson.org/specs/2.0.0/ that a file of ours could break, and what a solid
must be in ISO 19107: closed, two-manifold, outward, with plane faces.
"""

import json
from collections import Counter

import numpy as np
import pytest

from vasgen.citygen.exporters.cityjson import write_cityjson
from vasgen.citygen.exporters.polygons import merge
from vasgen.semantics import SemanticClass

ROOT_KEYS = {
    "type",
    "version",
    "metadata",
    "transform",
    "CityObjects",
    "vertices",
    "geometry-templates",
}
GEOMETRIES = {
    "Building": {"Solid"},
    "BuildingInstallation": {"MultiSolid"},
    "Road": {"MultiSurface"},
    "LandUse": {"MultiSurface"},
    "PlantCover": {"MultiSurface"},
    "SolitaryVegetationObject": {"GeometryInstance"},
    "CityFurniture": {"GeometryInstance"},
}
OF_BUILDINGS = {"GroundSurface", "RoofSurface", "WallSurface", "Window", "Door"}
OF_ROADS = {"TrafficArea", "TransportationMarking"}
ROOFS = {"flat roof", "gabled roof", "hipped roof", "monopitch roof", "mansard roof"}


@pytest.fixture(scope="session")
def written(make_city, tmp_path_factory):
    folder, files = tmp_path_factory.mktemp("cityjson"), {}

    def run(density="downtown", lod=2):
        if (density, lod) not in files:
            path = folder / f"{density}-{lod}.city.json"
            city = make_city(density, 2, 137.5)
            files[density, lod] = city, write_cityjson(city, path, lod=lod)
        city, path = files[density, lod]
        return city, path, json.loads(path.read_text())

    return run


@pytest.fixture(scope="session")
def cjio():
    """The reader of cjio, whose import would leave all of the process's JSON rounded."""
    encode = json.encoder.c_make_encoder
    from cjio import cityjson

    json.encoder.c_make_encoder = encode
    del json.encoder.float
    return cityjson.reader


def shells(geometry):
    """(surfaces, semantic values) of each shell of a solid or of several."""
    solids, values = [geometry["boundaries"]], [geometry["semantics"]["values"]]
    if geometry["type"] == "MultiSolid":
        solids, values = solids[0], values[0]
    return [
        pair
        for solid, value in zip(solids, values, strict=True)
        for pair in zip(solid, value, strict=True)
    ]


def solids(model):
    for name, entry in model["CityObjects"].items():
        for geometry in entry["geometry"]:
            if geometry["type"].endswith("Solid"):
                for shell, values in shells(geometry):
                    yield name, geometry, shell, values


def real(model):
    transform = model["transform"]
    return np.array(model["vertices"]) * transform["scale"] + transform["translate"]


def newell(points):
    """Twice the area vector of a ring."""
    return np.cross(points, np.roll(points, -1, axis=0)).sum(axis=0)


@pytest.mark.parametrize("lod", [1, 2, 3])
@pytest.mark.parametrize("density", ["downtown", "mix", "margin"])
def test_the_file_keeps_the_rules_of_the_specification(written, density, lod):
    city, _, model = written(density, lod)
    assert set(model) <= ROOT_KEYS
    assert (model["type"], model["version"]) == ("CityJSON", "2.0")
    assert set(model["transform"]) == {"scale", "translate"}
    vertices = model["vertices"]
    assert all(type(value) is int for vertex in vertices for value in vertex)
    assert len({tuple(vertex) for vertex in vertices}) == len(vertices)
    used = set()
    objects = model["CityObjects"]
    for name, entry in objects.items():
        assert {geometry["type"] for geometry in entry["geometry"]} <= GEOMETRIES[entry["type"]]
        assert all(name in objects[child]["parents"] for child in entry.get("children", []))
        assert all(name in objects[parent]["children"] for parent in entry.get("parents", []))
        assert ("parents" in entry) == (entry["type"] == "BuildingInstallation")
        for geometry in entry["geometry"]:
            check_geometry(entry["type"], geometry, model, used)
    assert used == set(range(len(vertices)))
    extent = model["metadata"]["geographicalExtent"]
    assert np.allclose(extent, np.concatenate([real(model).min(axis=0), real(model).max(axis=0)]))
    assert sum(entry["type"] == "Building" for entry in objects.values()) == len(city.buildings)


def check_geometry(kind, geometry, model, used):
    if geometry["type"] == "GeometryInstance":
        assert 0 <= geometry["template"] < len(model["geometry-templates"]["templates"])
        assert len(geometry["boundaries"]) == 1
        assert len(geometry["transformationMatrix"]) == 16
        used.update(geometry["boundaries"])
        return
    assert geometry["lod"] in ("1", "2", "3")
    surfaces = geometry["boundaries"]
    if geometry["type"].endswith("Solid"):
        surfaces = [surface for shell, _ in shells(geometry) for surface in shell]
    for surface in surfaces:
        for ring in surface:
            assert len(ring) >= 3
            assert len(set(ring)) == len(ring)  # neither closed nor touching itself
            used.update(ring)
    if "semantics" in geometry:
        kinds = [surface["type"] for surface in geometry["semantics"]["surfaces"]]
        assert set(kinds) <= (OF_ROADS if kind == "Road" else OF_BUILDINGS)
        values = geometry["semantics"]["values"]
        if geometry["type"].endswith("Solid"):
            values = [value for shell, part in shells(geometry) for value in part]
            assert all(len(shell) == len(part) for shell, part in shells(geometry))
        assert len(values) == len(surfaces)
        assert set(values) == set(range(len(kinds)))


@pytest.mark.parametrize("lod", [1, 2, 3])
@pytest.mark.parametrize("density", ["downtown", "mix", "margin"])
def test_every_solid_is_closed_outward_and_has_plane_faces(written, density, lod):
    city, _, model = written(density, lod)
    volumes, points = Counter(), real(model)
    for name, level, shell in ((n, g["lod"], s) for n, g, s, _ in solids(model)):
        rings = [(number, ring) for number, surface in enumerate(shell) for ring in surface]
        owner = np.array([number for number, _ in rings])
        sizes = [len(ring) for _, ring in rings]
        tail = np.concatenate([ring for _, ring in rings])
        head = np.concatenate([[*ring[1:], ring[0]] for _, ring in rings])
        edges = set(zip(tail.tolist(), head.tolist(), strict=True))
        assert len(edges) == len(tail)
        assert edges == {(b, a) for a, b in edges}
        first = points[[surface[0][0] for surface in shell]]
        of_corner = np.repeat(owner, sizes)
        start, end = points[tail] - first[of_corner], points[head] - first[of_corner]
        ring_area = np.add.reduceat(np.cross(start, end), np.cumsum([0, *sizes[:-1]]))
        area = np.zeros((len(shell), 3))
        np.add.at(area, owner, ring_area)
        outline = np.diff(owner, prepend=-1) > 0
        assert (((ring_area * area[owner]).sum(axis=1) > 0) == outline).all()
        size = np.linalg.norm(area, axis=1)[of_corner]
        off = np.abs((start * area[of_corner]).sum(axis=1))
        assert (off[size > 0.01] < 0.01 * size[size > 0.01]).all()
        volumes[name, level] += (first * area).sum() / 6
    for number in range(1, lod + 1):
        surface = city.mesh(number)
        corners = surface.vertices[surface.faces]
        six = (np.cross(corners[:, 0], corners[:, 1]) * corners[:, 2]).sum(axis=1)
        for building in city.buildings:
            name = f"building_{building.index:05d}"
            found = volumes[name, str(number)] + volumes[f"{name}_roof", str(number)]
            expected = six[surface.instance == building.index].sum() / 6
            assert found == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("lod", [2, 3])
def test_semantic_surfaces_cover_what_the_classes_cover(written, lod):
    city, _, model = written("downtown", lod)
    points = real(model)
    found = Counter()
    for _, geometry, shell, values in solids(model):
        if geometry["lod"] != str(lod) or geometry["type"] != "Solid":
            continue
        for surface, value in zip(shell, values, strict=True):
            semantic = geometry["semantics"]["surfaces"][value]
            area = np.linalg.norm(sum(newell(points[ring]) for ring in surface)) / 2
            found[semantic["type"]] += area
            found[semantic["radio_material"]] += area
    surface = city.mesh(lod)
    corners = surface.vertices[surface.faces]
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    size = np.linalg.norm(across, axis=1) / 2
    body = np.zeros(len(size), dtype=bool)
    for building in city.buildings:
        own = np.flatnonzero(surface.instance == building.index)
        body[own[surface.shell[own] == surface.shell[own].min()]] = True
    for kind, semantic in (("Window", SemanticClass.WINDOW), ("Door", SemanticClass.DOOR)):
        chosen = body & (surface.semantic == semantic)
        assert found[kind] == pytest.approx(size[chosen].sum(), rel=1e-4)
        assert (found[kind] > 0) == (lod == 3)
    walls = size[body & (surface.semantic == SemanticClass.WALL)].sum()
    trims = size[body & (surface.semantic == SemanticClass.FURNITURE)].sum()
    assert found["WallSurface"] + found["GroundSurface"] == pytest.approx(walls, abs=trims + 1.0)
    footprints = sum(building.footprint.area for building in city.buildings)
    assert found["GroundSurface"] == pytest.approx(footprints, rel=0.01)


def test_coplanar_triangles_are_merged(written):
    city, _, model = written("downtown", 2)
    faces = sum(len(shell) for _, geometry, shell, _ in solids(model) if geometry["lod"] == "2")
    surface = city.mesh(2)
    triangles = ((surface.instance > 0) & (surface.instance <= len(city.buildings))).sum()
    assert faces < 0.6 * triangles


@pytest.mark.parametrize("lod", [1, 2, 3])
def test_cityjson_lib_reads_all_objects(written, lod):
    library = pytest.importorskip("cityjson_lib", reason="cityjson-lib has wheels for Linux only")
    _, path, model = written("mix", lod)
    read = library.CityModel.parse_document_bytes(path.read_bytes()).summary()
    objects = model["CityObjects"].values()
    assert read.cityobject_count == len(objects)
    assert read.geometry_count == sum(len(entry["geometry"]) for entry in objects)
    assert read.vertex_count == len(model["vertices"])
    assert read.semantic_count == sum(
        len(geometry["semantics"]["surfaces"])
        for entry in objects
        for geometry in entry["geometry"]
        if "semantics" in geometry
    )


@pytest.mark.parametrize("damage", ["type", "depth", "surface", "index"])
def test_cityjson_lib_does_find_errors(written, damage):
    library = pytest.importorskip("cityjson_lib", reason="cityjson-lib has wheels for Linux only")
    _, _, model = written("mix", 1)
    model = json.loads(json.dumps(model))
    entry = model["CityObjects"]["building_00001"]
    if damage == "type":
        entry["type"] = "Bilding"
    elif damage == "depth":
        entry["geometry"][0]["boundaries"] = entry["geometry"][0]["boundaries"][0]
    elif damage == "surface":
        entry["geometry"][0]["semantics"]["surfaces"][0]["type"] = "Rooof"
    else:
        entry["geometry"][0]["boundaries"][0][0][0][0] = len(model["vertices"])
    with pytest.raises(Exception, match=r"."):
        library.CityModel.parse_document_bytes(json.dumps(model).encode())


def test_cjio_reads_buildings_with_their_attributes(written, cjio):
    city, path, _ = written("margin", 2)
    with path.open() as file:
        read = cjio(file)
    # Trees may reach beyond: cjio does not look into templates.
    box, (low, high) = np.array(read.calculate_bbox()).reshape(2, 3), city.bounds
    assert np.allclose(box[0], low, atol=2e-3)
    assert np.allclose(box[1, :2], high[:2], atol=2e-3)
    found = read.get_subset_cotype(["Building"]).j["CityObjects"]
    whole = {name: entry for name, entry in found.items() if entry["type"] == "Building"}
    assert len(whole) == len(city.buildings)
    for building in city.buildings:
        entry = whole[f"building_{building.index:05d}"]
        assert entry["attributes"]["storeysAboveGround"] == building.storeys
        assert entry["attributes"]["height_m"] == pytest.approx(building.height_m, abs=1e-3)
        assert entry["attributes"]["roofType"] in ROOFS


def test_cjio_finds_no_double_and_no_unused_vertices(written, cjio):
    _, path, model = written("downtown", 2)
    with path.open() as file:
        read = cjio(file)
    assert read.remove_duplicate_vertices() == 0
    assert read.remove_orphan_vertices() == 0
    assert len(read.j["vertices"]) == len(model["vertices"])


def test_props_stand_where_the_city_has_them(written):
    city, _, model = written("downtown", 2)
    points = real(model)
    templates = model["geometry-templates"]["templates"]
    corners = np.array(model["geometry-templates"]["vertices-templates"])
    surface = city.mesh(2)
    count = 0
    for number, prop in enumerate(city.props, start=city.first_prop_id):
        entry = model["CityObjects"].get(f"{prop.kind}_{number}")
        if entry is None:
            assert prop.kind == "car"
            continue
        (geometry,) = entry["geometry"]
        move = np.array(geometry["transformationMatrix"]).reshape(4, 4)
        faces = np.array(templates[geometry["template"]]["boundaries"])[:, 0]
        placed = corners[faces] @ move[:3, :3].T + points[geometry["boundaries"][0]]
        expected = surface.vertices[surface.faces[surface.instance == number]]
        assert np.allclose(placed, expected, atol=2e-3)
        count += 1
    assert count > 10


def test_the_same_city_is_the_same_file(make_city, tmp_path):
    city = make_city("mix", 2, 137.5)
    one, two = (write_cityjson(city, tmp_path / name).read_bytes() for name in ("a", "b"))
    assert one == two


def grid(heights):
    """A sheet of squares, two triangles each, over a grid of heights."""
    rows, columns = heights.shape
    y, x = np.mgrid[:rows, :columns]
    vertices = np.column_stack([x.ravel(), y.ravel(), heights.ravel()]).astype(float)
    a = (y[:-1, :-1] * columns + x[:-1, :-1]).ravel()
    b, c, d = a + 1, a + columns + 1, a + columns
    faces = np.stack([np.column_stack([a, b, c]), np.column_stack([a, c, d])], axis=1)
    return vertices, faces.reshape(-1, 3)


def test_a_flat_sheet_becomes_one_polygon_and_a_label_a_hole_in_it():
    vertices, faces = grid(np.zeros((6, 6)))
    ((_, (ring,)),) = merge(vertices, faces, np.zeros(len(faces), dtype=int))
    assert len(ring) == 20
    label = np.zeros(len(faces), dtype=int)
    label[24:26] = 1
    found = {int(label[face]): rings for face, rings in merge(vertices, faces, label)}
    assert [len(ring) for ring in found[0]] == [20, 4]
    hole, (square,) = found[0][1], found[1]
    assert sorted(hole) == sorted(square)
    assert (newell(vertices[hole])[2], newell(vertices[square])[2]) == (-2.0, 2.0)


def test_rings_that_touch_themselves_stay_triangles():
    vertices, faces = grid(np.zeros((3, 3)))
    label = np.array([0, 0, 1, 1, 1, 1, 0, 0])
    found = merge(vertices, faces, label)
    assert sorted(len(rings[0]) for _, rings in found) == [4, 4, 4, 4]


def test_a_bent_sheet_is_not_merged_across_the_bend():
    vertices, faces = grid(np.tile([0.0, 0.0, 0.0, 1.0, 2.0], (4, 1)))
    found = merge(vertices, faces, np.zeros(len(faces), dtype=int))
    assert len(found) == 2


def test_a_gently_curved_sheet_stays_within_the_tolerance():
    x = np.linspace(0, 1, 40)
    vertices, faces = grid(np.tile(0.4 * x**2, (3, 1)))
    found = merge(vertices, faces, np.zeros(len(faces), dtype=int))
    for _, rings in found:
        points = vertices[rings[0]]
        area = newell(points)
        off = (points - points.mean(axis=0)) @ area / np.linalg.norm(area)
        assert np.abs(off).max() < 0.01


def test_nothing_becomes_nothing():
    assert merge(np.empty((0, 3)), np.empty((0, 3), dtype=int), np.empty(0, dtype=int)) == []
