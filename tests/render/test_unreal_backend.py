"""The same city through both backends: the real client over TCP, and Mitsuba."""

import dataclasses
import gc
import io

import numpy as np
import pytest
from PIL import Image

from tests.render.conftest import SceneBuilder, matte
from tests.render.unreal_server import Faults, UnrealServer, require_client
from vasgen.camera import Camera
from vasgen.citygen import CityConfig, generate
from vasgen.conditions import Conditions
from vasgen.errors import InputError
from vasgen.layers import NO_MATERIAL
from vasgen.render import Renderer, open_backend, to_display
from vasgen.render.picture import from_display
from vasgen.render.unreal import UnrealRenderer
from vasgen.render.unreal.agreement import tolerance
from vasgen.render.unreal.pictures import FARTHEST_M, UNNAMED
from vasgen.render_spec import RenderSpec

require_client()

SIZE = {"width": 96, "height": 72}
VIEWS = {
    "air": Camera.look_at((-70, -90, 60), (0, 0, 5), **SIZE),
    "street": Camera.look_at((-30, 2, 3), (40, 6, 8), fov_deg=95, **SIZE),
    "straight down": Camera.look_at((5, 5, 140), (5, 5, 0), fov_deg=40, **SIZE),
}


@pytest.fixture(scope="module")
def city():
    return generate(CityConfig("downtown", seed=4, size_m=100)).to_bundle(2)


@pytest.fixture(scope="module")
def server(city):
    with UnrealServer(city) as running:
        yield running


@pytest.fixture(scope="module")
def scene(server):
    return server.renderer


@pytest.fixture(scope="module")
def unreal(city, server):
    renderer = UnrealRenderer(city, server.address, timeout_s=60)
    yield renderer
    renderer.close()


@pytest.fixture(scope="module")
def town():
    """Two houses on the ground: a scene that loads at once."""
    scene = SceneBuilder([matte()])
    scene.quad((-300, -300), (300, 300), 0.0)
    scene.box((-20, -15, 0), (5, 10, 25), instance=1)
    return scene.box((20, -20, 0), (35, 30, 12), instance=2).bundle()


@pytest.fixture(scope="module")
def town_server(town):
    with UnrealServer(town) as running:
        yield running


@pytest.fixture(scope="module")
def town_unreal(town, town_server):
    return UnrealRenderer(town, town_server.address)


@pytest.fixture
def level(town_server):
    """A server of the town, as new."""
    renderer, names = town_server.renderer, dict(town_server.names)
    town_server.asked.clear()
    town_server.eyes[1:] = []
    yield town_server
    town_server.renderer, town_server.names = renderer, names
    town_server.faults = Faults()


@pytest.fixture
def renderer(level, town_unreal):
    """Of the town, not connected yet."""
    yield town_unreal
    town_unreal.close()


@pytest.mark.parametrize("camera", VIEWS.values(), ids=VIEWS)
def test_what_unreal_shows_is_what_mitsuba_shows(unreal, scene, camera):
    measured, exact = unreal.measure(camera, rgb=False), scene.layers(camera, rgb=False)
    depth = measured.depth
    assert (np.isfinite(depth.metres) == exact.valid).all()
    seen = exact.valid
    assert seen.mean() > 0.6
    away = np.abs(depth.metres - exact.depth)[seen]
    assert (away <= 0.5 * depth.step[seen] + 1e-5).all()
    assert away.max() > 1e-4  # it was float16
    cosine = np.einsum("hwc,hwc->hw", measured.normal, exact.normal)[seen]
    assert np.degrees(np.arccos(cosine.min())) < 0.4
    named = measured.instance != UNNAMED
    assert (measured.instance[named] == exact.instance[named]).all()
    assert len(np.unique(measured.instance[named])) > 1


def test_the_picture_is_unreals(level, renderer):
    camera, light = VIEWS["air"], Conditions(sun_elevation_deg=25, sun_azimuth_deg=130)
    shown = to_display(renderer.layers(camera, light).rgb, light)
    drawn = level.renderer.layers(camera, light).rgb
    assert np.abs(shown.astype(int) - to_display(drawn, light)).max() <= 1
    again = level.light()  # what the turned sun of the level amounts to
    assert (again.sun_elevation_deg, again.sun_azimuth_deg) == pytest.approx((25, 130), abs=1e-4)


def test_radiance_of_a_picture_is_the_inverse_of_the_display():
    light = Conditions(sun_elevation_deg=60, exposure_ev=1.5)
    grey = np.repeat(np.arange(256, dtype=np.uint8), 3).reshape(16, 16, 3)
    assert (to_display(from_display(grey, light), light) == grey).mean() > 0.99
    tinted = np.random.default_rng(0).uniform(0.05, 3, (32, 32, 3)).astype(np.float32)
    shown = to_display(tinted, light)
    assert np.abs(to_display(from_display(shown, light), light).astype(int) - shown).max() <= 1
    pure = np.array([[[255, 0, 0], [0, 0, 90]]], np.uint8)
    assert (from_display(pure, light) >= 0).all()
    assert np.isfinite(from_display(pure, light)).all()


def test_the_spec_names_the_backend(town, level, renderer):
    named = open_backend(town, RenderSpec(backend="unreal"), level.address)
    assert isinstance(named, UnrealRenderer)
    assert named.layers(VIEWS["air"], rgb=False).valid.any()
    del named
    gc.collect()  # hangs up, or the next client would be turned away
    assert renderer.layers(VIEWS["air"], rgb=False).valid.any()
    assert isinstance(open_backend(town, RenderSpec()), Renderer)


def test_one_camera_is_spawned_and_used_again(level, renderer):
    for camera in VIEWS.values():
        renderer.layers(camera, rgb=False)
    assert len(level.eyes) == 2  # the level's own, and ours


def test_a_game_that_starts_again_in_the_middle(level, renderer):
    renderer.layers(VIEWS["air"], rgb=False)
    level.restart()
    level.faults.drops["vget /camera/1/normal"] = 1
    layers = renderer.layers(VIEWS["street"], rgb=False)
    ours = level.renderer.layers(VIEWS["street"], rgb=False)
    np.testing.assert_array_equal(layers.depth, ours.depth)
    assert level.faults.drops["vget /camera/1/normal"] == 0
    assert len(level.eyes) == 3  # one more for each connection


@pytest.mark.parametrize(
    ("conditions", "told"),
    [
        ({"turbidity": 5.0}, r"turbidity is 5\.0; UnrealCV can set sun_elevation_deg and"),
        ({"visibility_m": 200.0}, "visibility_m is 200"),
        ({"lamps": True}, "lamps is True"),
        ({"shutter_s": 0.1}, "shutter_s is 0.1"),
        ({"shutter_s": 0.1, "velocity_m_s": (3.0, 0.0, 0.0)}, "shutter_s is 0.1"),
        ({"exposure_ev": -1.0}, "exposure_ev is -1"),
        ({"sun_elevation_deg": -3.0}, "sun_elevation_deg is -3; Unreal's level has no light at"),
    ],
)
def test_conditions_that_unreal_cannot_have(level, renderer, conditions, told):
    with pytest.raises(InputError, match=told):
        renderer.layers(VIEWS["air"], Conditions(**conditions))
    assert level.asked == []


def test_a_camera_may_move_while_the_shutter_is_closed(renderer):
    motion = {"velocity_m_s": (3.0, 0.0, 0.5), "turn_deg_s": (0.0, 0.0, 9.0)}
    still, moving = Conditions(), Conditions(**motion)
    pictures = [renderer.measure(VIEWS["air"], light).picture for light in (still, moving)]
    assert (pictures[0] == pictures[1]).all()


def test_a_level_without_a_sun_keeps_its_own_light(level, renderer):
    level.faults.replies["vget /objects"] = b"building_00001 building_00002 ground"
    assert renderer.layers(VIEWS["air"]).rgb is not None
    with pytest.raises(InputError, match="no light named 'Sun' to turn to elevation 20 and az"):
        renderer.layers(VIEWS["air"], Conditions(sun_elevation_deg=20))
    assert not [command for command in level.asked if command.startswith("vset /object")]


def test_other_intrinsics_are_refused_before_anything_is_asked(level, renderer):
    camera = VIEWS["air"]
    k = camera.intrinsics + [[0, 0, 3], [0, 0, 0], [0, 0, 0]]
    with pytest.raises(InputError, match="square pixels and their principal point in the middle"):
        renderer.layers(dataclasses.replace(camera, intrinsics=k))
    assert level.asked == []


def moved(bundle, change):
    """The scene with its vertices changed."""
    meshes = tuple(dataclasses.replace(m, vertices=change(m.vertices)) for m in bundle.meshes)
    return dataclasses.replace(bundle, meshes=meshes)


@pytest.mark.parametrize(
    "change",
    [
        lambda v: v + [0, 0, 0.5],
        lambda v: v + [1.5, 0, 0],
        lambda v: v * [1, -1, 1],
        lambda v: v * 1.05,
        lambda v: v[:, [1, 0, 2]] * [1, -1, 1],
    ],
    ids=["raised", "shifted", "mirrored", "larger", "turned"],
)
def test_another_level_is_refused(town, level, renderer, change):
    level.renderer = Renderer(moved(town, change))
    told = r"another depth than scene 'test' in \d+\.\d % of the pixels \(allowed: 2 %\)"
    with pytest.raises(InputError, match=told):
        renderer.layers(VIEWS["air"], rgb=False)


def test_another_level_may_be_allowed(town, level):
    ours = level.renderer.layers(VIEWS["air"], rgb=False)
    level.renderer = Renderer(moved(town, lambda v: v + [0, 0, 0.5]))
    tolerant = UnrealRenderer(town, level.address, disagreement=1.0)
    layers = tolerant.layers(VIEWS["air"], rgb=False)
    tolerant.close()
    np.testing.assert_array_equal(layers.depth, ours.depth)


def test_other_objects_are_refused(level, renderer):
    level.names[1], level.names[2] = level.names[2], level.names[1]
    with pytest.raises(InputError, match=r"another instance than scene .* it is [12], not [12]:"):
        renderer.layers(VIEWS["air"], rgb=False)


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (
            b"Sun ground",
            r"\d+\.\d % of the pixels \(allowed: 2 %\) show buildings of scene 'test'",
        ),
        (b"building_00002 Sun", "named after, most of them building_00001: import the level by ex"),
    ],
    ids=["none is named", "one is not"],
)
def test_a_level_that_names_no_buildings_proves_nothing(level, renderer, names, told):
    level.faults.replies["vget /objects"] = names
    with pytest.raises(InputError, match=told):
        renderer.layers(VIEWS["air"], rgb=False)
    sky = Camera.look_at((0, 0, 60), (0, 0.1, 200), **SIZE)
    assert not renderer.layers(sky, rgb=False).valid.any()


def test_smoothed_normals_are_refused(level, renderer):
    file = io.BytesIO()
    Image.new("RGBA", (SIZE["width"], SIZE["height"]), (128, 128, 255, 255)).save(file, "PNG")
    level.faults.replies["vget /camera/1/normal"] = file.getvalue()
    with pytest.raises(InputError, match=r"another normal than scene .* it is \[.*\], not \["):
        renderer.layers(VIEWS["street"], rgb=False)


@pytest.mark.parametrize(
    ("command", "reply", "told"),
    [
        ("vget /camera/1/depth", b"error no such camera", "answers 'vget /camera/1/depth npy' by"),
        ("vget /camera/1/depth", b"nothing", "picture of depth is damaged"),
        ("vget /camera/1/normal", b"nothing", "picture of normal is damaged"),
        ("vset /camera/1/size", b"error", "answers 'vset /camera/1/size 96 72' by 'error'"),
        ("vget /object/", b"(R=,G=,B=)", "as the colour of an object"),
        ("vset /cameras/spawn", b"ok", "spawned no camera"),
    ],
)
def test_wrong_answers(level, renderer, command, reply, told):
    level.faults.replies[command] = reply
    with pytest.raises(InputError, match=told):
        renderer.layers(VIEWS["air"], rgb=False)


def test_a_camera_inside_a_building_is_refused(renderer):
    with pytest.raises(InputError, match="is inside object 1"):
        renderer.layers(Camera.look_at((0, 0, 3), (1, 0, 3), **SIZE), rgb=False)


# ------------------------------------------------------------------ beyond 16-bit depth

WIDE = Camera.look_at((0, 0, 60), (400, 0, 0), fov_deg=60, **SIZE)


@pytest.fixture(scope="module")
def plain():
    """Ground to beyond the depth that Unreal can tell, with a house near by."""
    scene = SceneBuilder([matte()])
    scene.quad((-2000, -2000), (2000, 2000), 0.0)
    return scene.box((80, -10, 0), (100, 10, 30)).bundle()


def test_surfaces_beyond_are_refused(plain):
    with pytest.raises(InputError, match=r"pixels see surfaces up to \d+ m away, and .* 655 m"):
        UnrealRenderer(plain, "127.0.0.1:9").layers(WIDE)


def test_surfaces_beyond_are_sky(plain):
    exact = Renderer(plain).layers(WIDE, rgb=False)
    far = exact.valid & (exact.depth > FARTHEST_M)
    assert far.sum() > 100
    with UnrealServer(plain) as server:
        renderer = UnrealRenderer(plain, server.address, far="sky")
        layers = renderer.layers(WIDE, rgb=False)
        renderer.close()
    assert (layers.valid == (exact.valid & ~far)).all()
    for name, layer in layers.arrays().items():
        np.testing.assert_array_equal(layer[~far], getattr(exact, name)[~far], err_msg=name)
    for layer in (layers.depth, layers.normal, layers.albedo, layers.roughness):
        assert np.isnan(layer[far]).all()
    assert (layers.semantic[far] == 0).all()
    assert (layers.instance[far] == 0).all()
    assert (layers.radio_material[far] == NO_MATERIAL).all()


def test_surfaces_beyond_are_taken_from_the_scene(plain):
    exact = Renderer(plain).layers(WIDE, rgb=False)
    with UnrealServer(plain) as server:
        renderer = UnrealRenderer(plain, server.address, far="scene")
        layers = renderer.layers(WIDE, rgb=False)
        renderer.close()
    for name, layer in layers.arrays().items():
        np.testing.assert_array_equal(layer, getattr(exact, name), err_msg=name)


@pytest.mark.parametrize("pitch", [10.0, 35.0, 90.0])
def test_the_tolerance_is_half_a_pixel_on_the_ground(plain, pitch):
    """Against the depth of the ground's plane at the corners of each pixel, in closed form."""
    down = np.radians(pitch)
    aim = np.array([np.cos(down), 0, -np.sin(down)]) + [-500, 0, 20]
    camera = Camera.look_at((-500, 0, 20), aim, fov_deg=30, **SIZE)
    exact = Renderer(plain).layers(camera, rgb=False)
    found = tolerance(camera, exact, np.zeros_like(exact.depth))
    focal = camera.intrinsics[0, 0]
    row = np.arange(SIZE["height"]) + 0.5 - SIZE["height"] / 2
    depth, above, below = (
        20 / np.maximum(np.sin(down) + np.cos(down) * (row + shift) / focal, 1e-9)
        for shift in (0, -0.5, 0.5)
    )
    expected = np.maximum(np.abs(above - depth), np.abs(below - depth)) + 0.01
    inside = above < 500
    assert inside.sum() > 10
    assert found[inside].mean(axis=1) == pytest.approx(expected[inside], rel=1e-3)
