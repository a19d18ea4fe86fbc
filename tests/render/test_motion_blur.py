"""Motion blur: edges as wide as the camera moves, and nothing else changes."""

import dataclasses
from functools import cache

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from tests.render.conftest import SceneBuilder, matte
from vasgen import runtime
from vasgen.bundle import VisualMaterial
from vasgen.camera import Camera
from vasgen.colour import LUMINANCE
from vasgen.conditions import Conditions
from vasgen.render import Renderer
from vasgen.render.light.border import border_of
from vasgen.render.light.landscape import Landscape
from vasgen.render.light.light import Daylight
from vasgen.render.looks.looks import Looks
from vasgen.render.tracing import tracer
from vasgen.render.tracing.lens import Lens
from vasgen.render_spec import RenderSpec

BLACK = VisualMaterial("black", "plain", (0.0, 0.0, 0.0), 1.0, 1.0)


def half_white():
    scene = SceneBuilder([matte((0.8,) * 3), BLACK])
    scene.quad((-60, -60), (0, 60), 0.0, visual=0).quad((0, -60), (60, 60), 0.0, visual=1)
    return scene.bundle()


def down(height, width=128, rows=16, fov=50):
    """A camera whose columns run along x, y is up in the picture."""
    return Camera.look_at([0, 0, height], [0, 1e-6, 0], width=width, height=rows, fov_deg=fov)


@cache
def halves(samples):
    return Renderer(half_white(), RenderSpec(samples_per_pixel=samples))


def light_of(monkeypatch, camera, moving):
    # The denoiser may sharpen an edge; what is measured here is the light.
    monkeypatch.setattr(tracer, "denoise", lambda colour, albedo, normal: colour)
    return halves(256).layers(camera, moving).rgb[..., 1]


def quartiles(edge):
    """Where light has risen to a quarter and to three quarters, pixels from the left."""
    edge = edge / edge.max()
    edge = edge if edge[0] < edge[-1] else edge[::-1]
    low, high = np.interp([0.25, 0.75], edge, np.arange(len(edge)) + 0.5)
    return low, high


@pytest.mark.parametrize(
    ("height", "speed", "shutter"), [(10.0, 20.0, 0.05), (20.0, 30.0, 0.1), (10.0, -8.0, 0.2)]
)
def test_an_edge_blurs_over_focal_length_times_way_over_depth(monkeypatch, height, speed, shutter):
    camera = down(height)
    moving = Conditions(velocity_m_s=(speed, 0.0, 0.0), shutter_s=shutter)
    low, high = quartiles(light_of(monkeypatch, camera, moving).mean(axis=0))
    expected = camera.intrinsics[0, 0] * abs(speed) * shutter / height
    assert 2 * (high - low) == pytest.approx(expected, rel=0.06)
    assert (low + high) / 2 == pytest.approx(camera.width / 2, abs=0.6)


@pytest.mark.parametrize(
    ("fov", "turn", "shutter"),
    [(50, 90.0, 0.1), (25, -60.0, 0.1), (90, 30.0, 1.0), (60, 15.0, 2.0)],
)
def test_what_is_ahead_blurs_over_focal_length_times_turn(monkeypatch, fov, turn, shutter):
    camera = down(10.0, fov=fov)
    moving = Conditions(turn_deg_s=(0.0, turn, 0.0), shutter_s=shutter)
    low, high = quartiles(light_of(monkeypatch, camera, moving).mean(axis=0))
    # An edge that turns by +-a/2 is seen at f tan(+-a/2); half of the time within +-a/4.
    angle = np.radians(abs(turn)) * shutter
    expected = 2 * camera.intrinsics[0, 0] * np.tan(angle / 4)
    assert high - low == pytest.approx(expected, rel=0.04)
    assert (low + high) / 2 == pytest.approx(camera.width / 2, abs=0.6)


@pytest.mark.parametrize(("turn", "shutter"), [(40.0, 0.2), (-25.0, 0.5)])
def test_a_tilt_blurs_along_columns(monkeypatch, turn, shutter):
    camera = Camera.look_at([-10, 0, 10], [0, 0, 0], width=16, height=128, fov_deg=8)
    moving = Conditions(turn_deg_s=(0.0, turn, 0.0), shutter_s=shutter)
    low, high = quartiles(light_of(monkeypatch, camera, moving).mean(axis=1))
    angle = np.radians(abs(turn)) * shutter
    assert high - low == pytest.approx(2 * camera.intrinsics[0, 0] * np.tan(angle / 4), rel=0.04)
    assert (low + high) / 2 == pytest.approx(camera.height / 2, abs=0.6)


def test_a_roll_turns_the_picture_about_its_middle(monkeypatch):
    camera = down(10.0, width=96, rows=96)
    rolled = light_of(monkeypatch, camera, Conditions(turn_deg_s=(0, 0, 200), shutter_s=0.2))
    for row in (4, 20, 76, 92):
        low, high = quartiles(rolled[row])
        expected = 2 * abs(row + 0.5 - 48) * np.tan(np.radians(40 / 4))
        assert high - low == pytest.approx(expected, rel=0.08, abs=0.3)
        assert (low + high) / 2 == pytest.approx(48, abs=0.8)


def test_a_turn_about_an_edge_leaves_it_sharp(monkeypatch):
    camera = down(10.0)
    moving = Conditions(turn_deg_s=(50.0, 0.0, 0.0), shutter_s=0.2)
    low, high = quartiles(light_of(monkeypatch, camera, moving).mean(axis=0))
    assert high - low < 0.8


@pytest.mark.parametrize(("turn", "shutter"), [((0, 0, 10.0), 0.2), ((0, 0, -45.0), 0.1)])
def test_the_sun_becomes_a_streak_of_focal_length_times_angle(monkeypatch, turn, shutter):
    monkeypatch.setattr(tracer, "denoise", lambda colour, albedo, normal: colour)
    camera = Camera.look_at([0, -50, 3], [0, 50, 14], width=320, height=60, fov_deg=20)
    still = Conditions(sun_elevation_deg=6.3, sun_azimuth_deg=0.0)
    moving = dataclasses.replace(still, turn_deg_s=turn, shutter_s=shutter)
    sharp, blurred = (
        halves(16).layers(camera, light).rgb[..., 1].sum(axis=0) for light in (still, moving)
    )
    sharp, blurred = sharp - np.median(sharp), blurred - np.median(blurred)
    lit = np.flatnonzero(blurred > blurred.max() / 2)
    expected = camera.intrinsics[0, 0] * np.radians(abs(turn[2]) * shutter)
    assert np.ptp(lit) + 1 == pytest.approx(expected, rel=0.1)
    assert lit.mean() + 0.5 == pytest.approx(camera.width / 2, abs=1.5)
    assert blurred.sum() == pytest.approx(sharp.sum(), rel=0.1)


@pytest.mark.parametrize(("height", "speed"), [(10.0, 8.0), (20.0, -12.0)])
def test_a_camera_that_turns_after_what_it_passes_sees_it_sharp(monkeypatch, height, speed):
    turn = np.degrees(speed / height)
    widths = []
    for share in (0.0, 1.0, -1.0):
        moving = Conditions(
            velocity_m_s=(speed, 0.0, 0.0), turn_deg_s=(0.0, share * turn, 0.0), shutter_s=0.2
        )
        low, high = quartiles(light_of(monkeypatch, down(height), moving).mean(axis=0))
        widths.append(high - low)
    still, after, against = widths
    assert after < 0.15 * still
    assert against == pytest.approx(2 * still, rel=0.05)


def test_without_way_there_is_no_blur_and_other_layers_never_blur():
    renderer = halves(4)
    still = renderer.layers(down(10.0))
    motion = {"velocity_m_s": (9.0, 0.0, 0.0), "turn_deg_s": (0.0, 9.0, 0.0)}
    for unmoved in (Conditions(**motion), Conditions(shutter_s=0.5)):
        assert renderer.layers(down(10.0), unmoved).rgb.tobytes() == still.rgb.tobytes()
    for key, value in motion.items():
        moved = renderer.layers(down(10.0), Conditions(**{key: value}, shutter_s=0.5))
        assert moved.rgb.tobytes() != still.rgb.tobytes()
        for name, layer in still.arrays().items():
            if name != "rgb":
                assert layer.tobytes() == moved.arrays()[name].tobytes()


@pytest.mark.parametrize("number", [0, 5])
def test_every_pixel_has_a_path_through_it(number):
    camera = Camera.look_at([1, 2, 3], [40, 50, 6], width=7, height=5, fov_deg=60)
    mi = runtime.colours()
    exposure = Lens(mi, camera, Conditions(), np.zeros(3), 0).expose(mi, mi.UInt32(number))
    rays = np.array(exposure.ray.d, np.float64).T
    place, _ = camera.project(camera.position + rays)
    row, column = np.divmod(np.arange(35), 7)
    assert (np.floor(place) == np.column_stack([column, row])).mean() > 0.99
    assert np.array_equal(np.array(exposure.pixel), np.arange(35))


def test_moments_fill_the_exposure_in_each_pixel_and_make_no_pattern():
    # A camera that flies along its axis: how far a ray starts from the pose tells its moment.
    camera = Camera.look_at([0, 0, 0], [0, 10, 0], width=48, height=32, fov_deg=60)
    moving = Conditions(velocity_m_s=(0.0, 1.0, 0.0), shutter_s=1.0)
    mi = runtime.colours()
    lens = Lens(mi, camera, moving, np.zeros(3), 0)
    starts = [np.array(lens.expose(mi, mi.UInt32(number)).ray.o.y) for number in range(32)]
    moment = np.stack(starts, axis=-1).reshape(32, 48, 32) + 0.5
    assert moment.min() >= 0
    assert moment.max() <= 1
    counts = np.stack([np.histogram(m, bins=8, range=(0, 1))[0] for m in moment.reshape(-1, 32)])
    assert np.abs(counts - 4).max() <= 2
    # Of neighbours, one says nothing of the other: a denoiser takes patterns for detail.
    for row, column in ((0, 1), (1, 0), (1, 1), (1, -1), (0, 2), (2, 0)):
        apart = (np.roll(moment, (row, column), (0, 1)) - moment)[3:-3, 3:-3, 0]
        assert np.abs(np.exp(2j * np.pi * apart).mean()) < 0.15


def turning_sky(camera, conditions):
    """Luminance of the background, (H, W)."""
    turn = np.radians(conditions.turn_deg_s) * conditions.shutter_s
    return Daylight(conditions).background(camera, turn=turn) @ LUMINANCE


def test_a_long_streak_of_the_sun_has_no_gaps():
    camera = Camera.look_at([0, -50, 3], [0, 50, 14], width=640, height=60, fov_deg=60)
    turning = Conditions(6.3, 0.0, turn_deg_s=(0.0, 0.0, 90.0), shutter_s=0.45)
    shown = turning_sky(camera, turning)
    streak = shown.max(axis=0)
    lit = np.flatnonzero(streak > streak.max() / 4)
    half = np.radians(0.45 * 90 / 2)
    assert len(lit) == np.ptp(lit) + 1 > 400
    assert len(lit) == pytest.approx(2 * camera.intrinsics[0, 0] * np.tan(half), rel=0.02)


@pytest.mark.parametrize(
    "turn", [(0, 0, 25.0), (12.0, 0, 0), (0, 30.0, 0), (20.0, -10.0, 130.0), (0, 0, 500.0)]
)
def test_the_turning_sky_is_the_mean_of_many_still_ones(turn):
    camera = Camera.look_at([0, 0, 3], [5, 50, 14], width=60, height=40, fov_deg=60)
    conditions = Conditions(12.0, 186.0, turn_deg_s=turn, shutter_s=1.0)
    shown = turning_sky(camera, conditions)
    daylight, total, count = Daylight(conditions), 0.0, 60
    for moment in (np.arange(count) + 0.5) / count - 0.5:
        pose = camera.camera_to_world.copy()
        pose[:3, :3] = Rotation.from_rotvec(moment * np.radians(turn)).as_matrix() @ pose[:3, :3]
        still = dataclasses.replace(camera, camera_to_world=pose)
        total += daylight.background(still) @ LUMINANCE / count
    # The sun falls between the moments.
    sky = np.maximum(shown, total) < 10 * np.median(total)
    assert np.percentile(np.abs(shown / total - 1)[sky], 95) < 0.02
    assert sky.mean() > 0.8


def test_a_camera_that_turns_blurs_the_landscape():
    camera = Camera.look_at([0, 0, 30], [0, 100, 20], width=96, height=64, fov_deg=60)
    bundle = half_white()
    land = Landscape(runtime.colours(), border_of(bundle), Looks(bundle))
    daylight = Daylight(Conditions())
    sharp, blurred = (
        daylight.background(camera, land=land, turn=turn) @ LUMINANCE
        for turn in (None, np.array([0.0, 0.0, 0.2]))
    )
    below = slice(44, 60)
    assert blurred[below].mean() == pytest.approx(sharp[below].mean(), rel=0.1)
    rough, smooth = (np.abs(np.diff(part[below], axis=1)).mean() for part in (sharp, blurred))
    assert smooth < 0.3 * rough
