"""Display mapping, PNG, EXR and the preview."""

import numpy as np
import OpenEXR
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tests.render.conftest import SceneBuilder, matte
from vasgen.conditions import Conditions
from vasgen.errors import InputError, StorageError
from vasgen.render import overview_camera, preview, to_display, write_exr, write_png
from vasgen.render.light.light import Daylight
from vasgen.render_spec import RenderSpec


@given(st.floats(0, 1e4), st.floats(0, 1e4))
def test_brighter_radiance_never_looks_darker(first, second):
    low, high = sorted([first, second])
    shown = to_display(np.full((1, 2, 3), [[low] * 3, [high] * 3]))
    assert (shown[0, 0] <= shown[0, 1]).all()


@pytest.mark.parametrize("elevation", [30, 40, 60])
def test_black_is_black_and_grey_in_daylight_is_grey(elevation):
    assert (to_display(np.zeros((2, 2, 3))) == 0).all()
    sunny = Conditions(sun_elevation_deg=elevation)
    light = Daylight(sunny).ground
    for part in (0.02, 0.2, 0.8):
        shown = to_display((part * light / light.mean() * np.ones((1, 1, 3))), sunny)
        assert np.ptp(shown[0, 0].astype(int)) <= 3


@pytest.mark.parametrize(
    ("albedo", "light", "least", "most"),
    [(0.1, 0.1, 38, 60), (0.7, 0.05, 80, 115), (0.1, 1.0, 110, 150)],
)
def test_shade_can_be_read(albedo, light, least, most):
    """Asphalt in a tenth of the sun's light is neither black nor grey, a white car is light, and
    asphalt in the sun is not washed out."""
    white = 1.55 * np.sin(np.radians(40)) / np.pi
    assert least < to_display(np.full((1, 1, 3), albedo * light * white)).mean() < most


def test_a_sunlit_white_is_bright_without_clipping_whatever_the_sun():
    for elevation in (15, 40, 80):
        sunny = Conditions(sun_elevation_deg=elevation)
        white = 1.55 * np.sin(np.radians(elevation)) / np.pi
        assert 200 < to_display(np.full((1, 1, 3), 0.8 * white), sunny).mean() < 250


def test_a_given_exposure_wins():
    rgb = np.full((1, 1, 3), 0.2)
    assert to_display(rgb, exposure=5.0).mean() > to_display(rgb, exposure=1.0).mean()


def test_png_holds_the_picture(tmp_path):
    picture = np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)
    path = write_png(tmp_path / "new" / "p.png", picture)
    with Image.open(path) as image:
        assert np.array_equal(np.asarray(image), picture)
    assert [p.name for p in path.parent.iterdir()] == ["p.png"]


def test_png_refuses_radiance(tmp_path):
    with pytest.raises(InputError, match="to_display"):
        write_png(tmp_path / "p.png", np.zeros((4, 4, 3), np.float32))


@pytest.mark.parametrize("shape", [(4, 6), (4, 6, 3)])
def test_exr_holds_the_layer_with_its_gaps(tmp_path, shape):
    layer = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    layer[0, 0] = np.nan
    path = write_exr(tmp_path / "layer.exr", layer)
    with OpenEXR.File(str(path)) as file:
        channels = file.channels()
        values = channels["RGB" if len(shape) == 3 else "Y"].pixels
        assert np.array_equal(values, layer, equal_nan=True)


def test_exr_refuses_other_shapes(tmp_path):
    with pytest.raises(InputError, match="shape"):
        write_exr(tmp_path / "x.exr", np.zeros((2, 2, 4)))


def small_town():
    scene = SceneBuilder([matte()]).quad((-100, -100), (100, 100), 0.0)
    for i in range(4):
        scene.box([30 * i - 60, -20, 0], [30 * i - 45, 10, 10 + 15 * i], instance=i + 1)
    return scene.bundle()


@pytest.mark.parametrize("size", [(160, 100), (90, 120)])
def test_the_overview_shows_every_object_and_fills_the_picture(size):
    width, height = size
    bundle = small_town()
    camera = overview_camera(bundle, Conditions(), width=width, height=height)
    corners = bundle.face_table.triangles[bundle.face_table.instance > 0].reshape(-1, 3)
    pixels, depth = camera.project(corners)
    assert (depth > 0).all()
    share = pixels / [width, height]
    assert share.min() > 0
    assert share.max() < 1
    assert np.ptp(share, axis=0).max() > 0.85


@pytest.mark.parametrize("box", [(2000, 20, 10), (20, 2000, 10), (5, 2, 1.5), (40, 40, 900)])
@pytest.mark.parametrize("azimuth", [0, 35, 125, 215, 300])
def test_the_overview_of_a_long_box_reaches_a_pair_of_margins(box, azimuth):
    bundle = SceneBuilder([matte()]).box((0, 0, 0), box).bundle()
    camera = overview_camera(bundle, Conditions(sun_azimuth_deg=azimuth), width=128, height=80)
    pixels, depth = camera.project(bundle.face_table.triangles.reshape(-1, 3))
    (left, top), (right, bottom) = (part(pixels / [128, 80], axis=0) for part in (np.min, np.max))
    assert depth.min() > 1
    assert bottom == pytest.approx(0.96)
    assert left >= 0.03 - 1e-9
    assert right <= 0.97 + 1e-9
    assert top >= 0.02 - 1e-9
    assert (left, right) == pytest.approx((0.03, 0.97)) or top == pytest.approx(0.02)


def test_a_preview_is_a_picture_of_the_scene(tmp_path):
    path = preview(
        small_town(), tmp_path / "p.png", spec=RenderSpec(samples_per_pixel=2), width=64, height=40
    )
    with Image.open(path) as image:
        assert image.size == (64, 40)
        assert np.asarray(image).std() > 10


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("Failed to write pixel data", "the disk is full; free some space and run the same"),
        ("Cannot open it. Permission denied.", "permission denied; choose another folder"),
    ],
)
def test_a_disk_that_refuses_an_exr_is_one_line(tmp_path, monkeypatch, text, line):
    class Refusing:
        def __init__(self, *arguments):
            pass

        def write(self, path):
            raise RuntimeError(text)

    monkeypatch.setattr(OpenEXR, "File", Refusing)
    with pytest.raises(StorageError, match=rf"^cannot write {tmp_path}/a\.exr: {line}"):
        write_exr(tmp_path / "a.exr", np.zeros((2, 2)))
    assert list(tmp_path.iterdir()) == []
