"""Fog: contrast by distance, and the limit of clear air."""

import numpy as np
import pytest

from tests.render.conftest import SceneBuilder, matte
from vasgen.bundle import VisualMaterial
from vasgen.camera import Camera
from vasgen.conditions import Conditions
from vasgen.render import Renderer
from vasgen.render.light.light import Daylight
from vasgen.render.tracing import tracer
from vasgen.render_spec import RenderSpec

#: Metal of no reflectance: nothing comes back from it.
BLACK = VisualMaterial("black", "plain", (0.0, 0.0, 0.0), 1.0, 1.0)


def wall(distance, material):
    scene = SceneBuilder([material])
    scene.box([-distance, distance, 0], [distance, distance + 1, distance])
    return scene.bundle()


@pytest.fixture
def undenoised(monkeypatch):
    """The denoiser shifts light by a percent; what is measured here is the light."""
    monkeypatch.setattr(tracer, "denoise", lambda colour, albedo, normal: colour)


def ahead():
    return Camera.look_at([0, 0, 8], [0, 100, 8], width=32, height=24, fov_deg=30)


@pytest.mark.parametrize("visibility", [80.0, 400.0])
@pytest.mark.parametrize("share", [0.25, 0.5, 1.0])
def test_black_keeps_five_percent_of_its_contrast_at_the_visibility(undenoised, visibility, share):
    foggy = Conditions(visibility_m=visibility)
    renderer = Renderer(wall(share * visibility, BLACK), RenderSpec(samples_per_pixel=4))
    seen = renderer.layers(ahead(), foggy).rgb[6:10, 14:18].mean(axis=(0, 1))
    airlight = Daylight(foggy).airlight
    contrast = (airlight - seen) / airlight
    assert contrast == pytest.approx(0.05**share, rel=0.01)


def test_as_fog_clears_the_picture_becomes_that_without_fog(undenoised):
    renderer = Renderer(wall(60.0, matte()), RenderSpec(samples_per_pixel=16))
    clear, hazy, foggy = (
        renderer.layers(ahead(), Conditions(visibility_m=v)) for v in (None, 1e5, 300.0)
    )
    wall_seen = clear.valid & np.roll(clear.valid, -1, axis=0)  # not the pixels of its edge
    assert wall_seen.mean() > 0.7
    assert np.abs(hazy.rgb / clear.rgb - 1)[wall_seen].max() < 0.03
    assert np.median(np.abs(foggy.rgb / clear.rgb - 1)[wall_seen]) > 0.02


def test_sky_fades_with_the_surfaces(undenoised):
    camera = Camera.look_at([0, 0, 8], [0, 100, 60], width=32, height=24, fov_deg=60)
    renderer = Renderer(wall(400.0, BLACK), RenderSpec(samples_per_pixel=4))
    foggy = Conditions(visibility_m=60.0)
    rgb, airlight = renderer.layers(camera, foggy).rgb, Daylight(foggy).airlight
    assert rgb == pytest.approx(np.broadcast_to(airlight, rgb.shape), rel=0.03)


def test_layers_other_than_the_picture_do_not_know_the_fog():
    renderer = Renderer(wall(60.0, matte()), RenderSpec(samples_per_pixel=1))
    clear, foggy = (renderer.layers(ahead(), Conditions(visibility_m=v)) for v in (None, 50.0))
    for name, layer in clear.arrays().items():
        if name != "rgb":
            assert layer.tobytes() == foggy.arrays()[name].tobytes()
