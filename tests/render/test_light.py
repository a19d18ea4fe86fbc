"""The light of conditions: as strong as published, continuous, and coloured as it should be."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vasgen import runtime
from vasgen.camera import Camera
from vasgen.conditions import Conditions
from vasgen.render.light.atmosphere import direct, scattered
from vasgen.render.light.exposure import exposure_of, white_balance
from vasgen.render.light.illuminance import LUX_PER_UNIT, illuminance
from vasgen.render.light.light import Daylight
from vasgen.render.light.night import LAMP_COLOUR, STREETS_LUX
from vasgen.render.light.sky import COARSE, elevations, irradiance, refined, turns

LUMINANCE = np.array([0.2126, 0.7152, 0.0722])
#: Where one model or piece of a table ends and another begins.
JOINTS = [10.0, 5.0, 2.0, 0.0, -0.8, -5.0, -9.0, -12.0, -18.0]


@pytest.fixture(autouse=True, scope="module")
def _one_change_of_variant():
    with runtime.colour_variant():
        yield


def rays(count=24):
    """Directions that share the sky evenly by projected solid angle, (N, 3)."""
    square, angle = np.meshgrid(
        (np.arange(count) + 0.5) / count, (np.arange(4 * count) + 0.5) / (4 * count) * 2 * np.pi
    )
    across = np.sqrt(square)
    grid = [across * np.cos(angle), across * np.sin(angle), np.sqrt(1 - square)]
    return np.stack(grid, axis=-1).reshape(-1, 3)


def asked(daylight, directions):
    with runtime.colour_variant() as mi:
        seen = daylight.indirect(mi, mi.Vector3f(directions.T.astype(np.float32)))
        return np.array(seen, np.float64).T


def radiance(conditions, directions=None):
    return asked(Daylight(conditions), rays() if directions is None else directions)


def lux(conditions):
    """Illuminance of the ground, from what a path would find."""
    daylight = Daylight(conditions)
    falling = np.pi * asked(daylight, rays()).mean(axis=0)
    falling += daylight.sun * max(daylight.direction[2], 0)
    return float(falling @ LUMINANCE) * LUX_PER_UNIT


def towards(azimuth_deg, elevation_deg):
    azimuth, elevation = np.radians([azimuth_deg, elevation_deg])
    across = np.cos(elevation)
    return np.array([[across * np.sin(azimuth), across * np.cos(azimuth), np.sin(elevation)]])


@pytest.mark.parametrize(
    ("elevation", "published"),
    # Table of U.S. Naval Observatory Circular 171 (1987); starlight and airglow at last.
    [(40, 67_500), (20, 27_300), (5, 4_500), (0, 760), (-6, 3.4), (-12, 0.008), (-18, 6.5e-4)],
)
def test_twilight_is_as_bright_as_published(elevation, published):
    assert illuminance(elevation) == pytest.approx(published, rel=0.02)
    if elevation < 2:
        dark = Conditions(sun_elevation_deg=elevation)
        assert lux(dark) == pytest.approx(published, rel=0.04)


@pytest.mark.parametrize("turbidity", [2.0, 5.0])
def test_the_light_falls_with_the_sun(turbidity):
    sinking = [60, 20, 11, 9.5, 8, 6.5, 5, 3.5, 2.5, 1.5, 0, -3, -7, -11, -14, -18]
    seen = [lux(Conditions(sun_elevation_deg=e, turbidity=turbidity)) for e in sinking]
    assert (np.diff(seen) < 0).all()


@pytest.mark.parametrize("elevation", JOINTS)
def test_radiance_is_continuous_over_the_elevation(elevation):
    step = 0.01
    above, below = (radiance(Conditions(sun_elevation_deg=elevation + s)) for s in (step, -step))
    # Twilight falls by a factor of three a degree at most: 3 % over two steps.
    scale = above.max(axis=1, keepdims=True)
    assert (np.abs(above - below) / scale).max() < 0.05


@pytest.mark.parametrize("elevation", JOINTS)
@pytest.mark.parametrize("lamps", [False, True])
@pytest.mark.parametrize("visibility", [None, 200.0])
def test_exposure_is_continuous_over_the_elevation(elevation, lamps, visibility):
    above, below = (
        exposure_of(
            Conditions(sun_elevation_deg=elevation + s, lamps=lamps, visibility_m=visibility)
        )
        for s in (0.01, -0.01)
    )
    assert above < below * (1 + 1e-9)
    assert below / above < 1.05


@pytest.mark.parametrize("elevation", [*JOINTS, 1.0, -6.0])
@pytest.mark.parametrize("lamps", [False, True])
def test_white_balance_is_continuous_over_the_elevation(elevation, lamps):
    above, below = (
        white_balance(Conditions(sun_elevation_deg=elevation + s, lamps=lamps))
        for s in (0.01, -0.01)
    )
    assert np.abs(above - below).max() < 0.01


@pytest.mark.parametrize("elevation", [-4.0, -6.0])
def test_some_of_the_blue_of_dusk_is_taken_out(elevation):
    dusk = Conditions(sun_elevation_deg=elevation)
    light = Daylight(dusk).ground
    shown = light * white_balance(dusk)
    assert 1.2 < shown[2] / shown[0] < 0.9 * light[2] / light[0]
    assert shown @ LUMINANCE == pytest.approx(light @ LUMINANCE, rel=0.03)


def test_lamplight_is_shown_nearly_white_and_as_bright_as_it_is():
    night = Conditions(sun_elevation_deg=-25, lamps=True)
    shown = LAMP_COLOUR * white_balance(night)
    assert shown @ LUMINANCE == pytest.approx(1, rel=1e-3)
    assert 1.2 < shown[0] / shown[2] < 2 < LAMP_COLOUR[0] / LAMP_COLOUR[2]


@pytest.mark.parametrize("elevation", [20.0, 10.0, 5.0, 0.0, -3.0, -6.0])
def test_the_model_of_twilight_knows_its_strength_by_itself(elevation):
    """Of 128,000 lux outside the atmosphere it leaves what is published, within 1.8."""
    seen = irradiance(scattered(elevation, 3.0, elevations(), turns()))
    seen += direct(elevation, 3.0) * max(np.sin(np.radians(elevation)), 0)
    assert 1 / 1.8 < 128_000 * seen @ LUMINANCE / illuminance(elevation) < 1.8


@pytest.mark.parametrize("elevation", [1.0, -2.0, -5.0])
def test_dusk_is_warm_where_the_sun_went_and_blue_above(elevation):
    dusk = Conditions(sun_elevation_deg=elevation, sun_azimuth_deg=250)
    at_sun, away, above = (
        radiance(dusk, towards(*place))[0] for place in ((250, 2), (70, 30), (250, 80))
    )
    assert at_sun[0] > 1.1 * at_sun[2]
    assert above[2] > 1.1 * above[0]
    assert at_sun[0] / at_sun[2] > 1.3 * away[0] / away[2]


def test_the_earths_shadow_lies_opposite_to_the_sun():
    dusk = Conditions(sun_elevation_deg=-3.0, sun_azimuth_deg=250)
    shadow, belt = (radiance(dusk, towards(70, e))[0] @ LUMINANCE for e in (2.0, 12.0))
    assert shadow < belt


def test_the_sun_reddens_and_is_gone_at_the_horizon():
    suns = [Daylight(Conditions(sun_elevation_deg=e)).sun for e in (60, 20, 8, 3, 1)]
    ratios = [sun[0] / sun[1] for sun in suns]
    assert (np.diff(ratios) > 0).all()
    assert (np.diff([sun[1] for sun in suns]) < 0).all()
    for elevation in (0.0, -0.1, -40.0):
        assert not Daylight(Conditions(sun_elevation_deg=elevation)).sun.any()


def test_a_city_glows_at_night_low_and_warm_and_stays_much_darker_than_its_streets():
    night = Conditions(sun_elevation_deg=-30, lamps=True)
    low, high = (radiance(night, towards(0, e))[0] for e in (3, 85))
    assert low @ LUMINANCE > 3 * (high @ LUMINANCE)
    assert low[0] > low[2]
    assert high[2] > high[0]
    assert lux(Conditions(sun_elevation_deg=-30)) < 0.001 < lux(night) < STREETS_LUX / 10


@pytest.mark.parametrize("conditions", [
    Conditions(), Conditions(sun_elevation_deg=6.0, sun_azimuth_deg=300),
    Conditions(sun_elevation_deg=-4, lamps=True), Conditions(visibility_m=300),
])  # fmt: skip
def test_pictures_show_the_sky_that_lights_the_scene(conditions):
    daylight = Daylight(conditions)
    camera = Camera.look_at([0, 0, 5], [10, 30, 25], width=40, height=30, fov_deg=70)
    shown = daylight.background(camera).reshape(-1, 3)
    directions = camera.rays().reshape(-1, 3)
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    above = directions[:, 2] > 0.002
    far = directions @ daylight.direction < 0.999
    chosen = above & far
    found = asked(daylight, directions[chosen])
    assert shown[chosen] == pytest.approx(found, rel=2e-3, abs=1e-9)


@settings(max_examples=8, deadline=None)
@given(st.floats(-20, 90), st.floats(10, 20_000), st.booleans())
def test_fog_gives_no_light_that_it_did_not_get(elevation, visibility, lamps):
    clear = Conditions(sun_elevation_deg=elevation, lamps=lamps)
    foggy = Conditions(sun_elevation_deg=elevation, lamps=lamps, visibility_m=visibility)
    added = STREETS_LUX / 4 * lamps  # fog sends lamplight back down
    assert 0 < lux(foggy) <= lux(clear) * 1.02 + added
    assert (Daylight(foggy).airlight > 0).all()


def test_dense_fog_is_alike_all_around_and_hides_the_sun():
    daylight = Daylight(Conditions(visibility_m=15))
    seen = asked(daylight, rays())
    assert seen == pytest.approx(np.broadcast_to(daylight.airlight, seen.shape), rel=1e-3)
    assert daylight.sun.max() < 1e-6
    # Two-stream: what 40 optical depths of fog let down.
    share = lux(Conditions(visibility_m=15)) / lux(Conditions())
    assert share == pytest.approx(1 / (1 + 0.75 * 0.15 * 200 * 3 / 15), rel=0.02)


def test_thin_haze_is_nearly_clear():
    clear, hazy = (radiance(Conditions(visibility_m=v), towards(30, 60)) for v in (None, 1e5))
    assert hazy == pytest.approx(clear, rel=0.1)
    clear, hazy = (lux(Conditions(visibility_m=v)) for v in (None, 1e5))
    assert hazy == pytest.approx(clear, rel=0.01)


@pytest.mark.parametrize("turbidity", [1.0, 3.0, 10.0])
@pytest.mark.parametrize("elevation", [10.0, 2.0, 0.3, -1.0, -6.0, -9.0])
def test_the_interpolated_twilight_is_that_of_the_full_table(elevation, turbidity):
    full = scattered(elevation, turbidity, elevations(), turns())
    coarse = refined(scattered(elevation, turbidity, elevations(COARSE), turns(COARSE)))
    error = np.abs(coarse - full).max(axis=2) / full.max(axis=2)
    assert error.max() < 0.025
    assert np.percentile(error, 99) < 0.01


def test_exposure_follows_stops_and_lamps():
    day = Conditions()
    assert exposure_of(Conditions(exposure_ev=2)) == pytest.approx(4 * exposure_of(day))
    lit = Conditions(sun_elevation_deg=-30, lamps=True)
    # White in a lit street is as bright as white in the sun.
    white = STREETS_LUX / LUX_PER_UNIT / np.pi
    assert white * exposure_of(lit) == pytest.approx(1.0, rel=0.02)
    # A street without lamps is shown darker than by day, yet can be seen.
    dark = Conditions(sun_elevation_deg=-30)
    assert 0.12 < illuminance(-30) / LUX_PER_UNIT / np.pi * exposure_of(dark) < 0.4


def test_another_sky_needs_no_new_kernel():
    with runtime.colour_variant():
        import drjit as dr

        asked(Daylight(Conditions()), rays())
        other = Daylight(Conditions(sun_elevation_deg=-4, sun_azimuth_deg=33, lamps=True))
        with dr.scoped_set_flag(dr.JitFlag.KernelHistory, True):
            dr.kernel_history_clear()
            asked(other, rays())
            kernels = [k for k in dr.kernel_history() if k["type"] == dr.KernelType.JIT]
    assert kernels
    assert all(kernel["cache_hit"] for kernel in kernels)
