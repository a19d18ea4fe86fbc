"""Rounded shading: curved bodies are lit as if round, and nothing but their light changes."""

import numpy as np
import pytest
import trimesh

from tests.render.conftest import SceneBuilder, matte
from vasgen import runtime
from vasgen.camera import Camera
from vasgen.conditions import Conditions
from vasgen.render import Renderer
from vasgen.render.looks.rounding import Rounding, corner_normals
from vasgen.render_spec import RenderSpec
from vasgen.semantics import SemanticClass


def ball(subdivisions=2):
    mesh = trimesh.creation.icosphere(subdivisions, radius=1.0)
    return np.round(mesh.vertices + 7.0, 3), mesh.faces


def scene(vertices, faces, semantic=SemanticClass.VEHICLE, cut=None):
    """A body of one object, cut into two meshes behind so many faces."""
    builder = SceneBuilder([matte()])
    for part in np.split(faces, [cut] if cut else []):
        builder.add(vertices, part, semantic, 5, 0)
    return builder.bundle()


def shaded(bundle, face, place, back):
    """Shading normals (N, 3) at barycentric places (N, 2), seen from directions (N, 3)."""
    table = bundle.face_table
    flat = table.normal[face]
    flat = np.where((np.einsum("ij,ij->i", flat, back) < 0)[:, None], -flat, flat)
    with runtime.colour_variant() as mi:
        arrays = [np.ascontiguousarray(part.T, np.float32) for part in (place, flat, back)]
        found = Rounding(table).normal(
            mi,
            mi.UInt32(face.astype(np.uint32)),
            mi.Point2f(arrays[0]),
            mi.Vector3f(arrays[1]),
            mi.Vector3f(arrays[2]),
        )
        return np.array(found).T, flat


@pytest.mark.parametrize("at_once", [50, 100_000])
def test_objects_are_rounded_whole_however_many_there_are(monkeypatch, at_once):
    monkeypatch.setattr("vasgen.render.looks.rounding._AT_ONCE", at_once)
    vertices, faces = ball(1)
    builder = SceneBuilder([matte()])
    for number in range(4):
        shift = np.array([5.0 * number, 0, 0])
        builder.add(vertices + shift, faces, SemanticClass.VEHICLE, 5 + number, 0)
    bundle = builder.bundle()
    face = np.arange(4 * len(faces))
    place = np.full((len(face), 2), 0.2)
    found, _ = shaded(bundle, face, place, bundle.face_table.normal)
    assert found == pytest.approx(np.tile(found[: len(faces)], (4, 1)), abs=1e-5)
    assert np.abs(found - bundle.face_table.normal).max() > 0.1


@pytest.mark.parametrize("cut", [None, 101])
def test_a_ball_of_triangles_is_shaded_like_a_ball(cut):
    """Also where it consists of meshes of several materials."""
    bundle = scene(*ball(), cut=cut)
    corners = bundle.face_table.triangles
    face = np.arange(len(corners))
    place = np.random.default_rng(0).dirichlet([1, 1, 1], len(face))
    radial = np.einsum("fk,fkc->fc", place, corners) - 7.0
    radial /= np.linalg.norm(radial, axis=1, keepdims=True)
    found, flat = shaded(bundle, face, place[:, 1:], radial)
    away = np.degrees(np.arccos(np.clip(np.einsum("ij,ij->i", found, radial), -1, 1)))
    assert away.max() < 1.0
    assert np.degrees(np.arccos(np.einsum("ij,ij->i", flat, radial))).max() > 5.0


def test_normals_are_on_the_side_one_looks_from():
    bundle = scene(*ball())
    face = np.arange(len(bundle.face_table.semantic))
    inward = -bundle.face_table.normal
    found, _ = shaded(bundle, face, np.full((len(face), 2), 1 / 3), inward)
    assert (np.einsum("ij,ij->i", found, inward) > 0.9).all()


@pytest.mark.parametrize("cosine", [0.9, 0.3, 0.05])
def test_what_is_mirrored_leaves_the_flat_face(cosine):
    bundle = scene(*ball(1))
    rng = np.random.default_rng(1)
    face = np.arange(len(bundle.face_table.semantic)).repeat(20)
    normal = bundle.face_table.normal[face]
    aside = np.cross(normal, rng.normal(size=normal.shape))
    aside /= np.linalg.norm(aside, axis=1, keepdims=True)
    back = cosine * normal + np.sqrt(1 - cosine**2) * aside
    place = rng.dirichlet([1, 1, 1], len(face))[:, 1:]
    found, flat = shaded(bundle, face, place, back)
    mirrored = 2 * np.einsum("ij,ij->i", found, back)[:, None] * found - back
    assert np.einsum("ij,ij->i", mirrored, flat).min() > 0
    assert np.linalg.norm(found, axis=1) == pytest.approx(np.ones(len(found)), abs=1e-5)


def test_edges_of_a_box_stay_sharp_and_only_bodies_are_rounded():
    box = trimesh.creation.box((1, 1, 1))
    for bundle in (
        scene(np.asarray(box.vertices), box.faces),
        scene(*ball(), semantic=SemanticClass.WALL),
    ):
        face = np.arange(len(bundle.face_table.semantic))
        back = bundle.face_table.normal
        found, flat = shaded(bundle, face, np.full((len(face), 2), 0.1), back)
        assert np.array_equal(found, flat.astype(np.float32))


def test_bodies_that_touch_are_not_rounded_together():
    vertices, faces = ball()
    apart = corner_normals(vertices[faces], _normals(vertices[faces]), np.arange(len(faces)))
    assert not apart[1].any()
    whole = corner_normals(vertices[faces], _normals(vertices[faces]), np.zeros(len(faces), int))
    assert whole[1].all()


def _normals(triangles):
    normal = np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0])
    return normal / np.linalg.norm(normal, axis=1, keepdims=True)


def test_the_picture_is_that_of_a_round_body_and_the_labels_those_of_its_triangles():
    sunny = Conditions(sun_azimuth_deg=180.0, sun_elevation_deg=40.0)
    camera = Camera.look_at([7, 1, 10], [7, 7, 7], width=48, height=48, fov_deg=20)
    layers = []
    for detail, semantic in (
        (2, SemanticClass.FURNITURE),
        (2, SemanticClass.WALL),
        (5, SemanticClass.WALL),
    ):
        builder = SceneBuilder([matte((0.6, 0.6, 0.6))]).quad((0, 0), (14, 14), 5.9)
        bundle = builder.add(*ball(detail), semantic, 5, 0).bundle()
        spec = RenderSpec(samples_per_pixel=32)
        layers.append(Renderer(bundle, spec).layers(camera, sunny, seed=1))
    rounded, flat, fine = layers
    for name in ("depth", "normal", "instance", "roughness"):
        assert np.array_equal(getattr(rounded, name), getattr(flat, name), equal_nan=True)
    body = (flat.instance == 5) & (fine.instance == 5)
    wrong = [np.abs(part.rgb - fine.rgb)[body].mean() for part in (rounded, flat)]
    assert wrong[0] < 0.6 * wrong[1]
