"""Large pictures are drawn in bands of rows and denoised in tiles: nobody can tell."""

import numpy as np
import pytest

from tests.render.conftest import SceneBuilder, matte
from vasgen import runtime
from vasgen.camera import Camera
from vasgen.conditions import Conditions
from vasgen.render import Renderer, bands
from vasgen.render.tracing import denoiser, tracer
from vasgen.render.tracing.lens import Lens
from vasgen.render_spec import RenderSpec

CAMERA = Camera.look_at([-30, -40, 12], [5, 5, 8], width=64, height=48)


@pytest.fixture(scope="module")
def renderer():
    scene = SceneBuilder([matte((0.4, 0.4, 0.4))]).quad((-200, -200), (200, 200), 0.0)
    bundle = scene.box([0, 0, 0], [10, 10, 20]).bundle()
    return Renderer(bundle, RenderSpec(samples_per_pixel=64))


@pytest.mark.parametrize("number", [0, 5])
def test_rays_of_a_band_are_those_of_its_rows(number):
    mi = runtime.colours()
    rays, part = (
        np.array(
            Lens(mi, CAMERA, Conditions(), np.zeros(3), 5, rows).expose(mi, mi.UInt32(number)).ray.d
        ).T
        for rows in (None, range(11, 23))
    )
    assert np.array_equal(rays[11 * 64 : 23 * 64], part)


def test_a_picture_in_bands_shows_the_same(renderer, monkeypatch):
    monkeypatch.setattr(tracer, "denoise", lambda colour, albedo, normal: colour)
    whole = renderer.layers(CAMERA, seed=1).rgb
    monkeypatch.setattr(bands, "_PIXELS", 64 * 11)
    parts = renderer.layers(CAMERA, seed=1).rgb
    sky = ~renderer.layers(CAMERA, rgb=False).valid
    assert parts[:5] == pytest.approx(whole[:5], rel=1e-5)  # all sky
    assert sky[:5].all()
    # The same light with other noise: every row's mean, and no band like another.
    assert parts.mean(axis=(1, 2)) == pytest.approx(whole.mean(axis=(1, 2)), rel=0.02)
    noise = (parts - whole)[10:20, :, 1]
    below = (parts - whole)[20:30, :, 1]
    assert abs(np.corrcoef(noise.ravel(), below.ravel())[0, 1]) < 0.2


def test_tiles_of_the_denoiser_leave_no_trace(monkeypatch):
    y, x = np.mgrid[:420, :700]
    clean = 0.5 + 0.4 * np.stack([np.sin(x / 40), np.cos(y / 30), np.sin((x + y) / 90)], axis=-1)
    noisy = clean * np.random.default_rng(0).gamma(2, 0.5, clean.shape)
    images = [image.astype(np.float32) for image in (noisy, clean, np.zeros_like(clean))]
    whole = denoiser.denoise(*images)
    monkeypatch.setattr(denoiser, "_WHOLE_PIXELS", 1000)
    monkeypatch.setattr(denoiser, "_TILE_MB", 60)
    assert denoiser.denoise(*images) == pytest.approx(whole, abs=1e-4)
    assert np.abs(whole - clean).mean() < 0.1 * np.abs(noisy - clean).mean()
