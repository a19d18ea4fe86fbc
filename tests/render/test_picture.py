"""The picture: light of known strength from the right side, aligned with the labels."""

import numpy as np
import pytest

from tests.render.conftest import SceneBuilder, matte
from vasgen import runtime
from vasgen.camera import Camera
from vasgen.conditions import Conditions
from vasgen.render import Renderer
from vasgen.render.light.exposure import exposure_of
from vasgen.render.light.light import Daylight
from vasgen.render.tracing.material import evaluate, sample, surface
from vasgen.render_spec import RenderSpec
from vasgen.sun import sun_direction

SIZE = {"width": 96, "height": 96}


def plain_ground(albedo=0.5, box=False):
    scene = SceneBuilder([matte((albedo,) * 3)]).quad((-100, -100), (100, 100), 0.0)
    return (scene.box([-3, -3, 0], [3, 3, 6]) if box else scene).bundle()


def from_above(height=60.0):
    return Camera.look_at([0, 0, height], [0, 0, 0], fov_deg=40.0, **SIZE)


def irradiance(conditions):
    """Light on flat ground, by a quadrature of Mitsuba's sky and sun of its own."""
    with runtime.colour_variant() as mi:
        import drjit as dr

        sun = sun_direction(conditions.sun_elevation_deg, conditions.sun_azimuth_deg).tolist()
        emitter = mi.load_dict(
            {
                "type": "sunsky",
                "sun_direction": sun,
                "turbidity": conditions.turbidity,
                "albedo": 0.2,
            }
        )
        theta, phi = np.meshgrid(
            (np.arange(1200) + 0.5) / 1200 * np.pi / 2, (np.arange(4800) + 0.5) / 4800 * 2 * np.pi,
            indexing="ij",
        )  # fmt: skip
        rays = [np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)]
        si = dr.zeros(mi.SurfaceInteraction3f, theta.size)
        si.wi = -mi.Vector3f(np.stack(rays).reshape(3, -1).astype(np.float32))
        weight = (np.sin(theta) * np.cos(theta)).ravel() * (np.pi / 2 / 1200) * (2 * np.pi / 4800)
        return (np.array(emitter.eval(si)) * weight).sum(axis=1)


@pytest.mark.parametrize("elevation", [20.0, 55.0])
def test_flat_ground_reflects_albedo_over_pi_of_the_daylight(elevation):
    sunny = Conditions(sun_elevation_deg=elevation)
    renderer = Renderer(plain_ground(), RenderSpec(samples_per_pixel=64))
    rgb = renderer.layers(from_above(), sunny).rgb
    expected = 0.5 / np.pi * irradiance(sunny)
    # The coat takes 8 % off the diffuse part and adds some of its own.
    assert rgb[20:-20, 20:-20].mean(axis=(0, 1)) == pytest.approx(expected, rel=0.08)


@pytest.mark.parametrize("elevation", [15.0, 40.0, 70.0])
def test_the_exposure_formula_follows_the_light(elevation):
    sunny = Conditions(sun_elevation_deg=elevation)
    white = irradiance(sunny)[1] / np.pi * exposure_of(sunny)
    assert 0.65 < white < 1.25


def test_the_sun_sends_what_its_disc_integrates_to():
    with runtime.colour_variant() as mi:
        import drjit as dr

        light = Daylight(Conditions(sun_elevation_deg=90.0))
        step = np.radians(0.004)
        x, y = np.meshgrid(np.arange(-75, 76) * step, np.arange(-75, 76) * step)
        rays = np.stack([x, y, np.ones_like(x)]).reshape(3, -1)
        si = dr.zeros(mi.SurfaceInteraction3f, x.size)
        si.wi = -mi.Vector3f((rays / np.linalg.norm(rays, axis=0)).astype(np.float32))
        emitter = mi.load_dict({"type": "sunsky", "sun_direction": [0, 0, 1], "turbidity": 3.0})
        radiance = np.array(emitter.eval(si))
    disc = radiance.sum(axis=1) * step**2
    assert light.sun == pytest.approx(disc, rel=0.03)


@pytest.mark.parametrize(
    ("azimuth", "side"), [(225.0, (1, 1)), (45.0, (-1, -1)), (135.0, (-1, 1)), (315.0, (1, -1))]
)
def test_a_shadow_falls_away_from_the_sun(azimuth, side):
    sunny = Conditions(sun_azimuth_deg=azimuth, sun_elevation_deg=40)
    camera = from_above()
    renderer = Renderer(plain_ground(box=True), RenderSpec(samples_per_pixel=8))
    rgb = renderer.layers(camera, sunny).rgb
    # 45 degrees off the axes, outside the box, well inside its shadow of 7 m.
    for east, north in ((1, 1), (1, -1), (-1, 1), (-1, -1)):
        pixel, _ = camera.project([4.5 * east, 4.5 * north, 0.0])
        u, v = np.floor(pixel).astype(int)
        dark = rgb[v, u, 1] < 0.5 * np.median(rgb[..., 1])
        assert dark == ((east, north) == side)


def test_shadows_are_as_long_as_the_sun_is_low():
    sunny = Conditions(sun_azimuth_deg=180.0, sun_elevation_deg=30)
    camera = from_above()
    renderer = Renderer(plain_ground(box=True), RenderSpec(samples_per_pixel=8))
    rgb = renderer.layers(camera, sunny).rgb
    tip = 3 + 6 / np.tan(np.radians(30))
    for north, shaded in ((tip - 1.0, True), (tip + 1.0, False)):
        u, v = np.floor(camera.project([0.0, north, 0.0])[0]).astype(int)
        assert (rgb[v, u, 1] < 0.6 * np.median(rgb[..., 1])) == shaded


def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not():
    renderer = Renderer(plain_ground(box=True), RenderSpec(samples_per_pixel=4))
    first, again, other = (renderer.layers(from_above(), seed=s).rgb for s in (3, 3, 4))
    assert first.tobytes() == again.tobytes()
    assert first.tobytes() != other.tobytes()
    assert np.median(np.abs(first - other) / first) < 0.1


@pytest.mark.parametrize("offset", [np.zeros(3), np.array([5000.0, 7000.0, 400.0])])
def test_the_picture_is_aligned_with_the_labels(offset):
    scene = SceneBuilder([matte((0.02, 0.5, 0.02)), matte((0.7, 0.02, 0.02), "red")])
    scene.quad(offset[:2] - 150, offset[:2] + 150, offset[2])
    scene.box(offset + [-4, -4, 0], offset + [4, 4, 9], visual=1, instance=5)
    camera = Camera.look_at(
        offset + [-20, -24, 16], offset + [0, 0, 4], width=160, height=120, fov_deg=50
    )
    layers = Renderer(scene.bundle(), RenderSpec(samples_per_pixel=16)).layers(camera)
    red = layers.rgb[..., 0] > 1.5 * layers.rgb[..., 1]
    box = layers.instance == 5
    assert (red & box).sum() / (red | box).sum() > 0.97


def test_sky_pixels_show_a_blue_sky_and_haze_below_the_horizon():
    camera = Camera.look_at([0, 0, 30], [0, 100, 40], width=64, height=64, fov_deg=90)
    layers = Renderer(plain_ground(), RenderSpec(samples_per_pixel=4)).layers(camera)
    sky = layers.rgb[2][~layers.valid[2]]
    assert (sky[:, 2] > 1.2 * sky[:, 0]).all()
    assert (layers.rgb[~layers.valid] > 0).all()


def test_no_surface_reflects_more_than_it_gets_and_sampling_agrees_with_the_model():
    """A furnace: mean weight of sampled directions against a quadrature of the model."""
    with runtime.colour_variant() as mi:
        import drjit as dr

        n = 200_000
        rng = np.random.default_rng(0)
        choice, x, y = (mi.Float(rng.random(n).astype(np.float32)) for _ in range(3))
        z = (np.arange(400) + 0.5) / 400
        phi = (np.arange(400) + 0.5) / 400 * 2 * np.pi
        cosine, angle = np.meshgrid(z, phi)
        across = np.sqrt(1 - cosine**2)
        grid = np.stack([across * np.cos(angle), across * np.sin(angle), cosine]).reshape(3, -1)
        directions = mi.Vector3f(grid.astype(np.float32))
        for base, roughness, metallic in ((1.0, 1.0, 0.0), (0.4, 0.5, 0.0), (0.9, 0.3, 1.0)):
            for cos_view in (0.95, 0.5):
                wi = mi.Vector3f(float(np.sqrt(1 - cos_view**2)), 0, cos_view)
                look = surface(mi, mi.Color3f(base), mi.Float(roughness), mi.Float(metallic))
                value, density = evaluate(mi, look, wi, directions)
                solid_angle = 2 * np.pi / grid.shape[1]
                reflected = float(np.array(value.y).sum()) * solid_angle
                total = float(np.array(density).sum()) * solid_angle
                _, weight = sample(mi, look, wi, choice, mi.Point2f(x, y))
                assert reflected <= 1.01
                assert total <= 1.01
                assert float(np.array(dr.mean(weight.y)).item()) == pytest.approx(
                    reflected, rel=0.02
                )
