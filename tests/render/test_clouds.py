"""Clouds: they cover what was asked, leave the light that is published, and are seen everywhere."""

import functools
import math

import numpy as np
import pytest

from vasgen import runtime
from vasgen.camera import Camera
from vasgen.colour import LUMINANCE
from vasgen.conditions import Conditions
from vasgen.render.light import clouds as clouds_module
from vasgen.render.light.clear_sky import clear_light
from vasgen.render.light.clouds import BASE_M, CloudLight, Clouds
from vasgen.render.light.cloudy_sky import light_left, sun_left
from vasgen.render.light.dome import dome_directions, folded, solid_angles, unfolded
from vasgen.render.light.exposure import exposure_of
from vasgen.render.light.light import Daylight
from vasgen.render.light.overcast import sky_left
from vasgen.render.light.sky import directions, elevations, irradiance

PATTERNS = range(4)
#: White light from everywhere, and no air.
WHITE = CloudLight(*np.ones((5, 3)), reach_m=1e9)


@pytest.fixture(autouse=True, scope="module")
def _one_change_of_variant():
    with runtime.colour_variant():
        yield


@functools.cache
def clouds(pattern, cover):
    """Clouds in the whole dome, in white light without air."""
    with runtime.colour_variant() as mi:
        made = Clouds(mi, pattern, np.array([0.0, 0.0, 1.0]), WHITE, 0.0, 1.0)
        rays = dome_directions(0.0).reshape(-1, 3)
        made.set_cover(mi, rays, solid_angles().ravel(), cover)
        return made.seen(mi, rays)


def asked(daylight, directions):
    with runtime.colour_variant() as mi:
        seen = daylight.indirect(mi, mi.Vector3f(directions.T.astype(np.float32)))
        return np.array(seen, np.float64).T


def domes(conditions):
    """Daylight and what mirrors find in the whole dome."""
    daylight = Daylight(conditions)
    rays = dome_directions(conditions.sun_azimuth_deg)
    return daylight, asked(daylight, rays.reshape(-1, 3)).reshape(rays.shape)


def on_ground(dome):
    """Luminous irradiance of the ground by a dome."""
    return float(irradiance(dome.mean(axis=1, keepdims=True)) @ LUMINANCE)


@pytest.mark.parametrize("cover", [0.05, 0.2, 0.5, 0.8])
def test_clouds_cover_the_asked_share_of_the_sky(cover):
    weight = solid_angles().ravel() / (2 * math.pi)
    assert weight.sum() == pytest.approx(1)
    for pattern in PATTERNS:
        # Glow is what low clouds alone give back; their rims are see-through.
        covered = weight @ (clouds(pattern, cover).glow > 0)
        assert covered == pytest.approx(cover, abs=0.005)


def test_patterns_differ_and_are_made_again():
    first, again, other = (clouds(pattern, 0.5).passing for pattern in (1, 1, 2))
    assert np.array_equal(first, again)
    assert np.mean(np.abs(first - other) > 0.5) > 0.2


def test_clouds_have_flat_bases_at_their_height():
    """Straight up, opaque clouds begin where the layer does, or a little above."""
    with runtime.colour_variant() as mi:
        hazy = WHITE._replace(reach_m=2000.0)
        made = Clouds(mi, 4, np.array([0.0, 0.0, 1.0]), hazy, 0.0, 1.0)
        rays = dome_directions(0.0).reshape(-1, 3)
        made.set_cover(mi, rays, solid_angles().ravel(), 0.9)
        overhead = rays[rays[:, 2] > 0.9]
        seen = made.seen(mi, overhead)
    # Of opaque clouds the share of air tells the distance.
    opaque = seen.passing < 0.02
    height = -2000.0 * np.log(1 - seen.air[opaque]) * overhead[opaque, 2]
    assert opaque.mean() > 0.3
    assert np.percentile(height, [5, 50]) == pytest.approx([BASE_M, BASE_M + 60], abs=60)


@pytest.mark.parametrize("elevation", [60.0, 25.0, -3.0])
@pytest.mark.parametrize("cover", [0.3, 0.5, 0.8])
def test_the_ground_gets_the_published_light(elevation, cover):
    """Kasten and Czeplak (1980): the sky of every pattern, and the mean share of the sun."""
    sine = max(math.sin(math.radians(elevation)), 0.0)
    light = clear_light(Conditions(elevation, 180.0))
    sun = sun_left(cover, sine) * sine * float(light.sun @ LUMINANCE)
    assert light_left(cover) == 1 - 0.75 * cover**3.4
    for pattern in (1, 2):
        _, dome = domes(Conditions(elevation, 180.0, cloud_cover=cover, cloud_pattern=pattern))
        share = (on_ground(dome) + sun) / float(light.falling(sine) @ LUMINANCE)
        assert share == pytest.approx(light_left(cover), rel=0.05)


@pytest.mark.parametrize("cover", [0.2, 0.5, 0.8])
def test_the_mean_share_of_the_sun_is_known(cover):
    """Over patterns and directions, at several elevations."""
    high = np.radians([10.0, 20.0, 30.0, 45.0, 60.0])
    rings = directions(high, np.arange(48) * (2 * math.pi / 48), 0.0)
    coarse = dome_directions(0.0)[::2, ::8].reshape(-1, 3)
    passing = []
    with runtime.colour_variant() as mi:
        for pattern in range(40):
            made = Clouds(mi, pattern, np.array([0.0, 0.0, 1.0]), WHITE, 0.0, 1.0)
            made.set_cover(mi, coarse, solid_angles()[::2, ::8].ravel(), cover)
            seen = made.seen(mi, rings.reshape(-1, 3))
            passing.append(seen.passing.reshape(rings.shape[:2]).mean(axis=1))
    expected = [sun_left(cover, math.sin(elevation)) for elevation in high]
    assert np.mean(passing, axis=0) == pytest.approx(np.array(expected), abs=0.06)


@pytest.mark.parametrize("elevation", [50.0, -4.0])
def test_a_closed_sky_is_that_of_cie(elevation):
    """Luminance (1 + 2 sin e) / 3 of the zenith's, alike all around, a quarter of the light."""
    overcast = Conditions(elevation, cloud_cover=1.0, cloud_pattern=3)
    daylight, dome = domes(overcast)
    rings = (dome[1:] @ LUMINANCE).mean(axis=1)  # the first row sees the ground
    share = rings / (1 + 2 * np.sin(elevations()[1:]))
    assert np.abs(share / share.mean() - 1).max() < 0.1
    assert np.ptp(dome[10] @ LUMINANCE) < 0.1 * rings[9]
    light = clear_light(overcast)
    clear = float(light.falling(math.sin(math.radians(elevation))) @ LUMINANCE)
    assert on_ground(dome) == pytest.approx(0.25 * clear, rel=0.02)
    assert not daylight.sun.any()


@pytest.mark.parametrize("conditions", [
    Conditions(40.0, 200.0, cloud_cover=0.5, cloud_pattern=7),
    Conditions(-4.0, 200.0, cloud_cover=0.7, cloud_pattern=8, lamps=True),
    Conditions(20.0, 200.0, cloud_cover=0.3, cloud_pattern=9, visibility_m=2000.0),
])  # fmt: skip
def test_pictures_and_mirrors_show_the_same_clouds(conditions):
    daylight = Daylight(conditions)
    camera = Camera.look_at([0, 0, 5], [10, 30, 25], width=80, height=60, fov_deg=70)
    rays = camera.rays().reshape(-1, 3)
    rays /= np.linalg.norm(rays, axis=1, keepdims=True)
    chosen = (rays[:, 2] > 0.05) & (rays @ daylight.direction < 0.999)
    shown = daylight.background(camera).reshape(-1, 3)[chosen] @ LUMINANCE
    found = asked(daylight, rays[chosen]) @ LUMINANCE
    assert np.corrcoef(shown, found)[0, 1] > 0.95
    assert found.mean() == pytest.approx(shown.mean(), rel=0.02)


def test_the_sun_behind_a_cloud_is_dim_and_casts_no_light():
    suns, clear = {}, float(clear_light(Conditions(40.0)).sun @ LUMINANCE)
    for pattern in range(8):
        daylight = Daylight(Conditions(40.0, cloud_cover=0.6, cloud_pattern=pattern))
        suns[float(daylight.sun @ LUMINANCE) / clear] = daylight
    low, high = min(suns), max(suns)
    assert low < 0.01
    assert 0.7 < high <= 1
    brightest = []
    for left in (low, high):
        daylight = suns[left]
        camera = Camera.look_at([0, 0, 0], daylight.direction, width=9, height=9, fov_deg=1.5)
        brightest.append(float((daylight.background(camera) @ LUMINANCE).max()))
    assert brightest[0] < 1e-3 * brightest[1]


def test_clouds_are_warm_in_the_evening_and_shine_over_a_lit_city():
    def mean_colour(**given):
        conditions = Conditions(sun_azimuth_deg=250.0, cloud_pattern=2, **given)
        return domes(conditions)[1][60:].mean(axis=(0, 1))

    noon, evening = (mean_colour(sun_elevation_deg=e, cloud_cover=0.7) for e in (50.0, 4.0))
    assert evening[0] / evening[2] > 1.3 * noon[0] / noon[2]
    night = {"sun_elevation_deg": -30.0, "cloud_cover": 1.0}
    dark, lit = (mean_colour(**night, lamps=lamps) for lamps in (False, True))
    assert lit @ LUMINANCE > 100 * (dark @ LUMINANCE)
    clear = mean_colour(sun_elevation_deg=-30.0, cloud_cover=0.0, lamps=True)
    assert 1.2 < (lit @ LUMINANCE) / (clear @ LUMINANCE) < 10  # Kyba et al.: 10


def test_a_camera_that_sees_no_sky_sees_no_clouds():
    camera = Camera.look_at([0, 0, 50], [0, 0.1, 0], width=8, height=6, fov_deg=40)
    clear, cloudy = Daylight(Conditions()), Daylight(Conditions(cloud_cover=0.5))
    below = cloudy.background(camera)
    assert below.shape == (6, 8, 3)
    assert 0.3 < below.mean() / clear.background(camera).mean() < 3
    covered = np.ones((6, 8), np.float32)
    assert not cloudy.background(camera, covered=covered).any()


def test_dense_fog_hides_clouds():
    conditions = Conditions(cloud_cover=0.5, cloud_pattern=3, visibility_m=15.0)
    daylight, dome = domes(conditions)
    assert np.allclose(dome[1:], daylight.airlight, rtol=1e-3)
    assert sky_left(None, np.array([0.1])) == 1


def test_exposure_follows_the_cover_and_not_the_pattern():
    exposures = [exposure_of(Conditions(cloud_cover=cover)) for cover in (0.0, 0.3, 0.7, 1.0)]
    assert (np.diff(exposures) > 0).all()
    assert exposures[-1] < 4 * exposures[0]  # overcast looks darker than a clear day
    assert exposure_of(Conditions(cloud_cover=0.7, cloud_pattern=5)) == exposures[2]


def test_a_sky_folds_out_and_in_again():
    sky = clear_light(Conditions(20.0, 77.0)).sky
    assert folded(unfolded(sky)) == pytest.approx(sky, rel=0.1)
    assert irradiance(folded(unfolded(sky))) == pytest.approx(irradiance(sky), rel=5e-3)


def test_hardly_any_cover_is_a_clear_sky():
    camera = Camera.look_at([0, 0, 0], [0, 1, 0.8], width=30, height=20, fov_deg=60)
    clear = Daylight(Conditions())
    for pattern in range(4):
        cloudy = Daylight(Conditions(cloud_cover=1e-9, cloud_pattern=pattern))
        assert cloudy.sun == pytest.approx(clear.sun, rel=1e-3)
        assert cloudy.background(camera) == pytest.approx(clear.background(camera), rel=1e-2)


@pytest.mark.parametrize(
    ("elevation", "off"), [(60.0, 0.02), (20.0, 0.02), (3.0, 0.18), (-3.0, 0.02)]
)
def test_few_clouds_leave_the_published_light(elevation, off):
    sine = max(math.sin(math.radians(elevation)), 0.0)
    light = clear_light(Conditions(elevation, 180.0))
    for cover, pattern in ((0.02, 1), (0.02, 3), (0.1, 5)):
        _, dome = domes(Conditions(elevation, 180.0, cloud_cover=cover, cloud_pattern=pattern))
        given = on_ground(dome) + sun_left(cover, sine) * sine * float(light.sun @ LUMINANCE)
        share = given / float(light.falling(sine) @ LUMINANCE)
        assert share == pytest.approx(light_left(cover), rel=off)


def test_steps_are_fine_enough_for_what_they_meet(monkeypatch):
    """Shapes that hang on the steps would show as teeth."""
    rays = directions(np.radians(np.linspace(45.0, 75.0, 60)), np.linspace(0, 1, 60), 0.0)
    coarse = dome_directions(0.0)[::2, ::8].reshape(-1, 3)
    for pattern in (2, 7):
        with runtime.colour_variant() as mi:
            made = Clouds(mi, pattern, np.array([0.0, 0.0, 1.0]), WHITE, 0.0, 1.0)
            made.set_cover(mi, coarse, solid_angles()[::2, ::8].ravel(), 0.5)
            passing = made.seen(mi, rays.reshape(-1, 3)).passing
            with monkeypatch.context() as fine:
                fine.setattr(clouds_module, "_STEPS", 400)
                exact = made.seen(mi, rays.reshape(-1, 3)).passing
        edge = (exact > 0.05) & (exact < 0.95)
        assert edge.mean() > 0.05
        assert np.abs(passing - exact)[edge].mean() < 0.005


def test_other_clouds_need_no_new_kernel():
    with runtime.colour_variant():
        import drjit as dr

        camera = Camera.look_at([0, 0, 0], [0, 1, 1], width=12, height=9)

        def look(conditions):
            daylight, _ = domes(conditions)
            daylight.background(camera)

        look(Conditions(cloud_cover=0.4, cloud_pattern=1))
        with dr.scoped_set_flag(dr.JitFlag.KernelHistory, True):
            dr.kernel_history_clear()
            look(Conditions(-4, 33, cloud_cover=0.9, cloud_pattern=2, lamps=True))
            kernels = [k for k in dr.kernel_history() if k["type"] == dr.KernelType.JIT]
    assert kernels
    assert all(kernel["cache_hit"] for kernel in kernels)
