"""Halos of lamps in fog: the integral of what is scattered once along a line of sight."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import quad

from tests.render.test_lamplight import LUMINANCE, posts, street
from vasgen import runtime
from vasgen.camera import Camera
from vasgen.conditions import Conditions
from vasgen.render import Renderer
from vasgen.render.light.droplets import lobe
from vasgen.render.light.fog import Fog
from vasgen.render.light.halo import ASYMMETRY, FAR_M, Halo
from vasgen.render.light.illuminance import LUX_PER_UNIT
from vasgen.render.light.lamplight import FLUX_PER_HEIGHT2, REACH, LampLight
from vasgen.render.light.light import Daylight
from vasgen.render.tracing import tracer
from vasgen.render_spec import RenderSpec

CAMERA = Camera.look_at([0, 0, 3], [0, 100, 3], width=96, height=72, fov_deg=70)

#: Nothing stands between lamps and lines of sight.
FREE = [0.0, -500.0, 0.0]


def estimate(lamps, height, visibility, end, distance, box=FREE, count=1 << 15):
    """Mean luminance of a line of sight through an image point, by many samples."""
    heads = np.asarray(lamps) + [0.0, 0.0, 0.05]  # lamps hang so far below their heads
    with runtime.colour_variant() as mi:
        import drjit as dr

        place = mi.ScalarTransform4f().translate(box).scale(0.5)
        scene = mi.load_dict({"type": "scene", "box": {"type": "cube", "to_world": place}})
        light = LampLight(mi, posts(heads, height), np.zeros(3), np.zeros(1, np.int32))
        halo = Halo(mi, light, Fog(mi, visibility, np.zeros(3)), CAMERA, np.zeros(3))
        way = CAMERA.rays([end])[0]
        way = mi.Vector3f((way / np.linalg.norm(way)).tolist())
        ray = mi.Ray3f(dr.repeat(mi.Point3f(CAMERA.position.tolist()), count), way)
        at = np.arange(count)[:, None] * [0.7548776662466927, 0.5698402909980532] % 1
        number = mi.Point2f(*(mi.Float(part.astype(np.float32)) for part in at.T))
        pixel = mi.UInt32(int(end[1]) * CAMERA.width + int(end[0]))
        glow = halo.glow(mi, scene, ray, mi.Float(distance), pixel, number)
        return float(LUMINANCE @ np.array(glow, np.float64).mean(axis=1))


def expected(lamp, height, visibility, end, distance, asymmetry=0.7, straight=0.5):
    """The integral over a line of sight: half is scattered, with an asymmetry of 0.7."""
    way = CAMERA.rays([end])[0]
    way /= np.linalg.norm(way)
    scattering = straight * -np.log(0.05) / visibility

    def added(t):
        towards = np.asarray(lamp) - CAMERA.position - t * way
        apart = np.linalg.norm(towards)
        down = max(towards[2], 0.0) / apart
        fade = max(1 - (apart / (REACH * height)) ** 4, 0.0) ** 2
        candela = FLUX_PER_HEIGHT2 * height**2 / np.pi * down * fade / LUX_PER_UNIT
        cosine = towards @ way / apart
        spread = (1 + asymmetry**2 - 2 * asymmetry * cosine) ** 1.5
        lobe = (1 - asymmetry**2) / (4 * np.pi * spread)
        return scattering * candela / apart**2 * lobe * np.exp(-scattering * (t + apart))

    nearest = (np.asarray(lamp) - CAMERA.position) @ way
    breaks = np.clip(nearest + np.array([-30, -5, -1, 0, 1, 5, 30]), 0, distance)
    edges = pairwise(np.unique([0.0, *breaks, distance]))
    return sum(quad(added, start, stop, limit=200)[0] for start, stop in edges)


@pytest.mark.parametrize("visibility", [40.0, 200.0, 1000.0])
@pytest.mark.parametrize(
    ("lamp", "end", "distance"),
    [
        ((0.0, 30.0, 8.0), (48.5, 26.0), FAR_M),  # a line of sight that passes it by 0.3 m
        ((0.0, 30.0, 8.0), (40.0, 20.0), FAR_M),
        ((0.0, 30.0, 8.0), (48.0, 40.0), 20.0),  # ends before the lamp
        ((-4.0, 12.0, 7.0), (60.0, 50.0), 12.0),
        ((0.0, -6.0, 6.0), (30.0, 30.0), 50.0),  # stands behind the camera
        ((15.0, 60.0, 9.0), (70.0, 10.0), FAR_M),
    ],
)
def test_the_mean_is_the_integral_over_the_line_of_sight(visibility, lamp, end, distance):
    wanted = expected(lamp, 8.0, visibility, end, distance)
    assert wanted > 0
    assert estimate([lamp], 8.0, visibility, end, distance) == pytest.approx(wanted, rel=0.02)


@pytest.mark.parametrize("end", [(48.5, 26.0), (20.0, 20.0), (80.0, 45.0)])
def test_halos_of_many_lamps_add(end):
    lamps = [(x, y, 8.0) for y in (5.0, 30.0, 55.0) for x in (-6.0, 6.0)]
    wanted = sum(expected(lamp, 8.0, 150.0, end, 40.0) for lamp in lamps)
    assert estimate(lamps, 8.0, 150.0, end, 40.0) == pytest.approx(wanted, rel=0.02)


def test_what_hides_a_lamp_takes_its_halo():
    lamp, end = (0.0, 30.0, 8.0), (48.5, 26.0)
    free = estimate([lamp], 8.0, 150.0, end, 25.0)
    assert estimate([lamp], 8.0, 150.0, end, 25.0, box=(0.0, 29.0, 7.7)) < 0.05 * free


def test_all_that_is_scattered_goes_somewhere_and_mostly_on():
    cosine, weight = np.polynomial.legendre.leggauss(200)
    with runtime.colour_variant() as mi:
        share = lobe(mi.Float(cosine.astype(np.float32)), ASYMMETRY)
        share = np.array(share, np.float64)
    assert 2 * np.pi * weight @ share == pytest.approx(1, rel=1e-4)
    # With the half that goes straight on: the asymmetry of fog, 0.85.
    mean = 2 * np.pi * weight @ (share * cosine)
    assert 0.5 + 0.5 * mean == pytest.approx(0.85, abs=1e-3)


def test_a_picture_shows_the_integral(monkeypatch):
    monkeypatch.setattr(tracer, "denoise", lambda colour, albedo, normal: colour)
    renderer = Renderer(street(8.0, at=(0.5, 30.0)), RenderSpec(samples_per_pixel=64))
    foggy = Conditions(sun_elevation_deg=-40.0, lamps=True, visibility_m=100.0)
    behind = Daylight(foggy).background(CAMERA)
    glow = (renderer.layers(CAMERA, foggy).rgb - behind) @ LUMINANCE
    for row, column in ((18, 30), (12, 60), (24, 56)):
        part = glow[row - 2 : row + 3, column - 2 : column + 3]
        wanted = expected((0.5, 30.0, 8.35), 8.4, 100.0, (column + 0.5, row + 0.5), FAR_M)
        assert part.mean() == pytest.approx(wanted, rel=0.1)
