"""Motion blur: edges as wide as the camera moves, and nothing else changes."""

import numpy as np
import pytest

from tests.render.conftest import SceneBuilder, matte
from vasgen import runtime
from vasgen.bundle import VisualMaterial
from vasgen.camera import Camera
from vasgen.conditions import Conditions
from vasgen.render import Renderer
from vasgen.render.tracing import tracer
from vasgen.render.tracing.lens import expose
from vasgen.render_spec import RenderSpec

BLACK = VisualMaterial("black", "plain", (0.0, 0.0, 0.0), 1.0, 1.0)


def half_white():
    scene = SceneBuilder([matte((0.8,) * 3), BLACK])
    scene.quad((-60, -60), (0, 60), 0.0, visual=0).quad((0, -60), (60, 60), 0.0, visual=1)
    return scene.bundle()


def down(height, width=128):
    """A camera whose columns run along x, y is up in the picture."""
    return Camera.look_at([0, 0, height], [0, 1e-3, 0], width=width, height=16, fov_deg=50)


@pytest.mark.parametrize(
    ("height", "speed", "shutter"), [(10.0, 20.0, 0.05), (20.0, 30.0, 0.1), (10.0, -8.0, 0.2)]
)
def test_an_edge_blurs_over_focal_length_times_way_over_depth(monkeypatch, height, speed, shutter):
    # The denoiser may sharpen an edge; what is measured here is the light.
    monkeypatch.setattr(tracer, "denoise", lambda colour, albedo, normal: colour)
    camera = down(height)
    moving = Conditions(velocity_m_s=(speed, 0.0, 0.0), shutter_s=shutter)
    renderer = Renderer(half_white(), RenderSpec(samples_per_pixel=256))
    edge = renderer.layers(camera, moving).rgb[..., 1].mean(axis=0)
    edge = edge / edge.max()
    edge = edge if edge[0] < edge[-1] else edge[::-1]
    low, high = np.interp([0.25, 0.75], edge, np.arange(len(edge)))
    expected = camera.intrinsics[0, 0] * abs(speed) * shutter / height
    assert 2 * (high - low) == pytest.approx(expected, rel=0.06)
    assert (low + high) / 2 + 0.5 == pytest.approx(camera.width / 2, abs=0.6)


def test_without_way_there_is_no_blur_and_other_layers_never_blur():
    renderer = Renderer(half_white(), RenderSpec(samples_per_pixel=4))
    still = renderer.layers(down(10.0))
    for velocity, shutter in (((9.0, 0.0, 0.0), 0.0), ((0.0, 0.0, 0.0), 0.5)):
        same = renderer.layers(down(10.0), Conditions(velocity_m_s=velocity, shutter_s=shutter))
        assert same.rgb.tobytes() == still.rgb.tobytes()
    moved = renderer.layers(down(10.0), Conditions(velocity_m_s=(9.0, 0.0, 0.0), shutter_s=0.5))
    assert moved.rgb.tobytes() != still.rgb.tobytes()
    for name, layer in still.arrays().items():
        if name != "rgb":
            assert layer.tobytes() == moved.arrays()[name].tobytes()


@pytest.mark.parametrize("samples", [range(3), range(5, 12)])
def test_paths_in_order_are_those_of_the_first_pixel_then_the_next(samples):
    camera = Camera.look_at([1, 2, 3], [40, 50, 6], width=7, height=5, fov_deg=60)
    with runtime.colour_variant() as mi:
        import drjit as dr

        exposure = expose(mi, camera, Conditions(), np.zeros(3), samples, 0)
        order = np.array(exposure.order)
        rays = np.array(exposure.ray.d, np.float64).T[order]
        number = np.array(exposure.number)[order]
        assert dr.width(exposure.order) == 48 * len(samples)
    count = 35 * len(samples)
    pixel, _ = camera.project(camera.position + rays[:count])
    wanted = np.repeat(np.arange(35), len(samples))
    assert (np.floor(pixel) == np.column_stack([wanted % 7, wanted // 7])).mean() > 0.99
    assert (number[:count] == np.tile(np.array(samples), 35)).all()
