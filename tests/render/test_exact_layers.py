"""Depth, normals and labels: closed forms, near the origin and far from it."""

from unittest.mock import Mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.render.conftest import SceneBuilder, matte
from vasgen import runtime
from vasgen.camera import Camera
from vasgen.errors import InputError
from vasgen.layers import IMAGE_LAYERS, NO_MATERIAL
from vasgen.render import Renderer, bands, renderer
from vasgen.semantics import SemanticClass

FAR = np.array([5000.0, -4000.0, 300.0])
SIZE = {"width": 64, "height": 48}


def street(origin):
    """Ground and one box of metal, 10 m wide and 20 m high, at ``origin``."""
    scene = SceneBuilder([matte((0.2, 0.4, 0.1)), matte((0.6, 0.1, 0.1), "red", roughness=0.4)])
    x, y, z = origin
    scene.quad((x - 200, y - 200), (x + 200, y + 200), z, at=(x, y))
    scene.box(origin, origin + [10, 10, 20], visual=1, instance=7, radio="metal")
    return scene.bundle()


@pytest.mark.parametrize("origin", [np.zeros(3), FAR], ids=["origin", "far"])
def test_depth_of_ground_and_wall_is_closed_form(origin):
    renderer = Renderer(street(origin))
    camera = Camera.look_at(origin + [-30, -25, 12.5], origin + [5, 5, 6], **SIZE)
    layers = renderer.layers(camera, rgb=False)
    rays = camera.rays()
    eye = camera.position - origin
    entry = np.full(rays.shape[:2], -np.inf)
    leave = np.full(rays.shape[:2], np.inf)
    for axis, width in enumerate((10, 10, 20)):
        near, far = np.sort(
            [(0 - eye[axis]) / rays[..., axis], (width - eye[axis]) / rays[..., axis]], 0
        )
        entry, leave = np.maximum(entry, near), np.minimum(leave, far)
    with np.errstate(divide="ignore"):
        ground = np.where(rays[..., 2] < 0, -eye[2] / rays[..., 2], np.inf)
    box = np.where((entry < leave) & (entry > 0), entry, np.inf)
    truth = np.minimum(box, ground)
    reach = np.abs(eye[:2] + truth[..., None] * rays[..., :2]).max(axis=-1)
    within = np.isfinite(truth) & (reach < 199)
    assert layers.valid[within].all()
    shown = layers.valid & within
    # A pixel centre that grazes an edge may fall to either side in float32.
    close = np.isclose(layers.depth[shown], truth[shown], rtol=1e-5)
    assert close.mean() > 0.999
    assert (layers.instance[shown] == 7).sum() > 100


@pytest.mark.parametrize("origin", [np.zeros(3), FAR], ids=["origin", "far"])
def test_back_projection_lands_on_the_surface(origin):
    camera = Camera.look_at(origin + [40, 30, 25], origin + [0, 0, 5], **SIZE)
    layers = Renderer(street(origin)).layers(camera, rgb=False)
    points = camera.back_project(layers.depth) - origin
    ground = layers.semantic == SemanticClass.GROUND
    assert np.abs(points[ground][:, 2]).max() < 1e-3
    wall = points[layers.instance == 7]
    to_face = np.minimum(np.abs(wall), np.abs(wall - [10, 10, 20])).min(axis=1)
    assert to_face.max() < 1e-3
    assert (wall > -1e-3).all()
    assert (wall < np.array([10, 10, 20]) + 1e-3).all()


@settings(max_examples=15, deadline=None)
@given(
    azimuth=st.floats(0, 6.28), height=st.floats(1, 60), distance=st.floats(20, 120),
    fov=st.floats(20, 100),
)  # fmt: skip
def test_normals_are_unit_and_face_the_camera(azimuth, height, distance, fov):
    eye = [5 + distance * np.cos(azimuth), 5 + distance * np.sin(azimuth), height]
    camera = Camera.look_at(eye, [5, 5, 8], width=40, height=30, fov_deg=fov)
    layers = BOX.layers(camera, rgb=False)
    normal = layers.normal[layers.valid]
    assert np.allclose(np.linalg.norm(normal, axis=-1), 1, atol=1e-6)
    assert (np.einsum("ij,ij->i", normal, camera.rays()[layers.valid]) < 0).all()


def test_the_rear_side_of_an_open_surface_shows_its_normal_turned():
    scene = SceneBuilder([matte()]).quad((-50, -50), (50, 50), 30.0).bundle()
    camera = Camera.look_at([0, 0, 100.0], [1, 0, 0], **SIZE)
    assert np.allclose(Renderer(scene).layers(camera, rgb=False).normal[24, 32], [0, 0, 1])


def test_labels_take_only_values_of_the_scene_and_sky_is_marked():
    camera = Camera.look_at([-30, -25, 12.5], [5, 5, 12], **SIZE)
    layers = BOX.layers(camera, rgb=False)
    sky = ~layers.valid
    assert sky.any()
    assert set(np.unique(layers.semantic)) == {0, SemanticClass.GROUND, SemanticClass.WALL}
    assert set(np.unique(layers.instance)) == {0, 7}
    assert set(np.unique(layers.radio_material)) == {0, 1, NO_MATERIAL}
    assert (layers.semantic[sky] == 0).all()
    assert (layers.radio_material[sky] == NO_MATERIAL).all()
    for name in ("depth", "normal", "albedo", "roughness"):
        values = layers.arrays()[name]
        assert np.isnan(values[sky]).all()
        assert np.isfinite(values[~sky]).all()


def test_layers_have_the_documented_types_and_shapes():
    layers = BOX.layers(Camera.look_at([-30, -25, 12], [5, 5, 6], **SIZE), rgb=False)
    assert layers.rgb is None
    for name, array in layers.arrays().items():
        spec = IMAGE_LAYERS[name]
        assert array.dtype == spec.dtype, name
        assert array.shape == ((48, 64, 3) if spec.axes.endswith("3") else (48, 64)), name


def test_plain_materials_keep_their_exact_colour_where_no_object_varies_it():
    layers = BOX.layers(Camera.look_at([-30, -25, 12], [5, 5, 6], **SIZE), rgb=False)
    ground = layers.semantic == SemanticClass.GROUND
    assert np.allclose(layers.albedo[ground], [0.2, 0.4, 0.1], atol=1e-6)
    assert np.allclose(layers.roughness[layers.instance == 7], 0.4)


def test_objects_that_share_a_material_differ_slightly():
    scene = SceneBuilder([matte()]).quad((-99, -99), (99, 99), 0)
    for number in range(1, 5):
        scene.box([20 * number - 50, 0, 0], [20 * number - 40, 10, 10], instance=number)
    camera = Camera.look_at([0, -80, 40], [0, 5, 0], **SIZE)
    layers = Renderer(scene.bundle()).layers(camera, rgb=False)
    colours = [tuple(layers.albedo[layers.instance == n][0]) for n in range(1, 5)]
    assert len(set(colours)) == 4
    assert np.abs(np.array(colours) / 0.5 - 1).max() < 0.15


def test_a_renderer_survives_work_in_the_radio_variant():
    camera = Camera.look_at([-30, -25, 12], [5, 5, 6], **SIZE)
    before = BOX.layers(camera, rgb=False)
    scene = runtime.radio().load_scene(None)
    assert len(scene.objects) == 0
    after = BOX.layers(camera)
    assert np.array_equal(before.depth, after.depth, equal_nan=True)
    assert np.isfinite(after.rgb).all()


def test_a_camera_inside_a_building_is_refused_by_name():
    with pytest.raises(InputError, match=r"camera at \(5.0, 5.0, 10.0\) is inside object 7"):
        BOX.layers(Camera.look_at([5, 5, 10], [50, 5, 10], **SIZE))


def test_a_camera_under_the_ground_is_refused():
    with pytest.raises(InputError, match="below the ground"):
        BOX.layers(Camera.look_at([50, 50, -3], [50, 60, -3], **SIZE))


def test_general_intrinsics_are_honoured():
    """An off-centre principal point and pixels that are not square."""
    k = np.array([[50.0, 3.0, 20.0], [0.0, 70.0, 30.0], [0.0, 0.0, 1.0]])
    pose = Camera.look_at([0, 0, 50], [0, 0, 0], **SIZE).camera_to_world
    camera = Camera(64, 48, k, pose)
    layers = FLAT.layers(camera)
    assert np.allclose(layers.depth, 50, rtol=1e-4)
    pixels, _ = camera.project([[-12.0, 8.0, 0.0]])
    u, v = np.floor(pixels[0]).astype(int)
    inside = layers.rgb[v - 1 : v + 2, u - 1 : u + 2].mean(axis=(0, 1))
    assert inside[0] > 3 * inside[1]


def _flat():
    """Green ground with a red square of 5 m around (-12, 8)."""
    scene = SceneBuilder([matte((0.05, 0.5, 0.05)), matte((0.6, 0.02, 0.02), "red")])
    scene.quad((-99, -99), (99, 99), 0.0)
    return scene.quad((-14.5, 5.5), (-9.5, 10.5), 0.001, visual=1, instance=3).bundle()


def test_bands_of_rows_are_the_whole_picture(monkeypatch):
    camera = Camera.look_at([-30, -40, 12], [5, 5, 8], width=64, height=49)
    whole = BOX.layers(camera, rgb=False)
    monkeypatch.setattr(bands, "_PIXELS", 64 * 11)
    assert [len(rows) for rows in bands.row_bands(camera)] == [9, 10, 10, 10, 10]
    parts = BOX.layers(camera, rgb=False)
    for name, layer in whole.arrays().items():
        found = parts.arrays()[name]
        assert found.dtype == layer.dtype
        np.testing.assert_allclose(found, layer, rtol=1e-6)


def test_who_draws_no_picture_builds_no_path_tracer(monkeypatch):
    built = []
    monkeypatch.setattr(renderer, "PathTracer", lambda *args: built.append(args) or Mock())
    made = Renderer(_flat())
    camera = Camera.look_at([0, 0, 50], [0, 0, 0], **SIZE)
    made.layers(camera, rgb=False)
    assert not built
    made.layers(camera)
    made.layers(camera)
    assert len(built) == 1


BOX = Renderer(street(np.zeros(3)))
FLAT = Renderer(_flat())
