"""Scene files written by hand, and a scene with every kind of label."""

import numpy as np
import pytest
import trimesh

from tests.support import box, ground
from vasgen.bundle import Mesh, RadioMaterial, SceneBundle, VisualMaterial
from vasgen.importer import import_xml

PLAIN = '<bsdf type="diffuse" id="plain"/>'


def ply_shape(inside='<ref id="plain"/>', name="mesh-x", file="meshes/box.ply"):
    """A shape element of a scene file, with what stands inside it."""
    filename = f'<string name="filename" value="{file}"/>'
    return f'<shape type="ply" id="{name}">{filename}{inside}</shape>'


@pytest.fixture
def scene_file(tmp_path):
    """Writes a scene file beside ``meshes/box.ply``, a cube of 2 m around the origin."""
    (tmp_path / "meshes").mkdir()
    cube = trimesh.creation.box((2, 2, 2))
    cube.export(tmp_path / "meshes" / "box.ply")
    cube.export(tmp_path / "meshes" / "box.obj")

    def write(*elements, name="scene.xml", version="3.0.0"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f'<scene version="{version}">{"".join(elements)}</scene>')
        return path

    return write


@pytest.fixture
def imported(scene_file):
    """Writes a scene file and imports it."""

    def write_and_import(*elements, **more):
        return import_xml(scene_file(*elements, **more))

    return write_and_import


def relabelled(mesh, **parts):
    """The same mesh with other parts."""
    kept = {name: getattr(mesh, name) for name in Mesh.__dataclass_fields__}
    return Mesh(**{**kept, **parts})


@pytest.fixture
def labelled():
    """A scene whose every label, coordinate and material constant differs from its default."""
    random = np.random.default_rng(7)
    solid = box("tower", (8, 6, 20), (3.1, -2.7, 10), radio="odd", instance=4)
    tower = relabelled(
        solid,
        vertices=solid.vertices + random.normal(0, 1e-9, solid.vertices.shape),
        face_class=random.integers(1, 15, 12),
        face_instance=random.integers(0, 2**31, 12),
        face_visual=random.integers(0, 2, 12),
        corner_uv=random.normal(0, 9, (12, 3, 2)),
    )
    return SceneBundle(
        "labelled",
        (ground(40.0, radio="wall"), tower),
        (
            RadioMaterial("wall", "brick", 0.24, scattering_coefficient=0.3),
            RadioMaterial("odd", None, 0.05, 4.5, 0.02, 0.1),
        ),
        (VisualMaterial("grey"), VisualMaterial("red", "facade-brick", (0.5, 0.1, 0.1), 0.3, 1, 9)),
        {"seed": 3, "versions": {"numpy": "2"}},
    )
