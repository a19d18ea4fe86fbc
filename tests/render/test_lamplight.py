"""Street lamps: where they hang, how much light they give, and which of many is drawn."""

import numpy as np
import pytest

from tests.render.conftest import SceneBuilder, matte
from vasgen import runtime
from vasgen.camera import Camera
from vasgen.conditions import Conditions
from vasgen.lamps import LampPosts, lamp_posts, street_lamps
from vasgen.raycast import RayCaster
from vasgen.render import Renderer
from vasgen.render.light.illuminance import LUX_PER_UNIT
from vasgen.render.light.lamplight import FLUX_PER_HEIGHT2, REACH, LampLight, shine
from vasgen.render.light.slots import NUMBER_BITS, SLOTS, slot_tables
from vasgen.render_spec import RenderSpec
from vasgen.semantics import SemanticClass

NIGHT = Conditions(sun_elevation_deg=-40.0, lamps=True)
LUMINANCE = np.array([0.2126, 0.7152, 0.0722])


def street(*heights, reach=0.0, albedo=0.5, at=(0.0, 0.0), ground=True):
    """Posts 200 m apart on flat ground, each with an arm along x."""
    scene = SceneBuilder([matte((albedo,) * 3)])
    if ground:
        scene.quad((-150, -150), (150 + 200 * len(heights), 150), 0.0, semantic=SemanticClass.ROAD)
    for number, height in enumerate(heights):
        x, y = at[0] + 200 * number, at[1]
        label = {"semantic": SemanticClass.FURNITURE, "instance": number + 1}
        scene.box([x - 0.05, y - 0.05, 0], [x + 0.05, y + 0.05, height + 0.1], **label)
        if reach:
            scene.box([x, y - 0.05, height], [x + reach, y + 0.05, height + 0.1], **label)
    return scene.bundle()


def posts(position, height):
    position = np.asarray(position, float)
    foot = position[:, 2] - height
    return LampPosts(position, foot, position, np.arange(1, len(position) + 1, dtype=np.int32))


def test_the_light_hangs_below_the_end_of_the_arm_or_above_a_post_without_one():
    armed, plain = street(7.0, reach=1.5), street(5.0)
    (head,), (foot,) = lamp_posts(armed).head, lamp_posts(armed).foot_z
    assert head == pytest.approx([1.5, 0.0, 7.0])
    assert foot == 0
    assert lamp_posts(plain).head[0] == pytest.approx([0.0, 0.0, 5.4])


def test_only_posts_on_the_ground_are_street_lamps():
    scene = SceneBuilder([matte()]).quad((-50, -50), (50, 50), 0.0, semantic=SemanticClass.ROAD)
    scene.box([10, 10, 0], [30, 30, 12], semantic=SemanticClass.ROOF, instance=1)
    for number, (x, z) in enumerate([(0, 0), (20, 12)]):
        scene.box(
            [x, x, z], [x + 0.1, x + 0.1, z + 6],
            semantic=SemanticClass.FURNITURE, instance=number + 2,
        )  # fmt: skip
    assert street_lamps(RayCaster(scene.bundle())).instance.tolist() == [2]


@pytest.mark.parametrize("height", [5.0, 8.6])
def test_a_lamp_sends_its_flux_onto_the_ground_around(height):
    radius = np.linspace(0, REACH * height, 200_001)
    middle = (radius[1:] + radius[:-1]) / 2
    with runtime.colour_variant() as mi:
        towards = mi.Vector3f(mi.Float(middle.astype(np.float32)), 0, height)
        facing = np.array(shine(mi, towards, mi.Float(height)), np.float64)
    falling = facing * height / np.hypot(middle, height)
    flux = (falling * np.pi * np.diff(radius**2)).sum() * LUX_PER_UNIT
    assert 0.97 < flux / (FLUX_PER_HEIGHT2 * height**2) < 1


@pytest.mark.parametrize(("height", "albedo"), [(6.0, 0.6), (9.0, 0.3)])
def test_ground_below_a_lamp_is_as_bright_as_its_intensity_says(height, albedo):
    renderer = Renderer(street(height, reach=1.5, albedo=albedo), RenderSpec(samples_per_pixel=64))
    camera = Camera.look_at([1.5, -14, 12], [1.5, 0, 0], width=96, height=72, fov_deg=60)
    rgb = renderer.layers(camera, NIGHT).rgb @ LUMINANCE
    top = height - 0.05
    for away in (3.0, 6.0):
        u, v = np.floor(camera.project([1.5, -away, 0.0])[0]).astype(int)
        seen = rgb[v - 1 : v + 2, u - 1 : u + 2].mean()
        lux = FLUX_PER_HEIGHT2 / np.pi * height**2 * top**2 / (top**2 + away**2) ** 2
        # The coat takes some of the diffuse light; sky and halls add a little.
        assert seen * np.pi / albedo * LUX_PER_UNIT == pytest.approx(lux, rel=0.12)


def test_light_of_drawn_lamps_is_on_average_that_of_all():
    rng = np.random.default_rng(2)
    height = rng.uniform(5, 10, 60)
    position = np.column_stack([rng.uniform(-70, 70, (60, 2)), height])
    draws = 40_000
    with runtime.colour_variant() as mi:
        lamps = LampLight(mi, posts(position, height), np.zeros(3), np.zeros(1, np.int32))
        for point, normal in (
            ([3.0, -5.0, 0.0], [0.0, 0.0, 1.0]),
            ([-60.0, 60.0, 2.0], [1.0, 0.0, 0.0]),
            ([110.0, 0.0, 0.0], [0.0, 0.0, 1.0]),
            ([0.0, 0.0, 40.0], [0.0, 1.0, 0.0]),
        ):
            at, up = mi.Point3f(point), mi.Vector3f(normal)

            def light(lamp_position, lamp_height, at=at, up=up):
                import drjit as dr

                towards = lamp_position - at
                facing = dr.maximum(dr.dot(up, dr.normalize(towards)), 0)
                return np.array(shine(mi, towards, lamp_height) * facing, np.float64)

            number = mi.Float(rng.random(draws).astype(np.float32))
            drawn = lamps.draw(mi, at, up, number)
            each = light(drawn.position, drawn.height) * np.array(drawn.weight)
            hung = mi.Point3f(lamps.position.T.astype(np.float32))
            every = light(hung, mi.Float(lamps.height.astype(np.float32))).sum()
            error = each.std() / np.sqrt(draws)
            assert each.mean() == pytest.approx(every, abs=4 * error + 1e-4 * every)
            assert every == 0 or each.std() < 3 * every


def test_tables_hold_lamps_by_their_weight_and_say_how_often():
    weights = np.array([[8.0, 1.0, 0.0, 0.001], [0.0, 0.0, 0.0, 0.0]])
    table, empty = slot_tables(weights)
    number, count = table & (2**NUMBER_BITS - 1), table >> NUMBER_BITS
    assert (empty == 0).all()
    assert len(table) == SLOTS
    for lamp in (0, 1, 3):
        assert set(count[number == lamp]) == {(number == lamp).sum()}
    assert (number == 2).sum() == 0
    assert (number == 3).sum() == 1
    assert (number == 0).sum() / (number == 1).sum() == pytest.approx(8, rel=0.15)


def test_lamps_that_are_off_give_no_light():
    renderer = Renderer(street(7.0, reach=1.5), RenderSpec(samples_per_pixel=8))
    camera = Camera.look_at([1.5, -14, 12], [1.5, 0, 0], width=48, height=36, fov_deg=60)
    on = renderer.layers(camera, NIGHT).rgb
    off = renderer.layers(camera, Conditions(sun_elevation_deg=-40.0)).rgb
    assert on.max() > 1000 * off.max()


def test_the_head_glows_and_the_post_does_not():
    renderer = Renderer(street(7.0, reach=1.5), RenderSpec(samples_per_pixel=16))
    camera = Camera.look_at([1.5, -3, 1.7], [1.2, 0, 7], width=96, height=96, fov_deg=30)
    layers = renderer.layers(camera, NIGHT)
    rgb = layers.rgb @ LUMINANCE
    (u, v), (a, b) = (
        np.floor(camera.project(p)[0]).astype(int) for p in ([1.4, 0, 7.0], [0.5, 0, 7.0])
    )
    assert rgb[v, u] * LUX_PER_UNIT > 500
    assert rgb[b, a] * LUX_PER_UNIT < 10


def test_lamps_far_apart_need_no_more_tables_than_close_ones():
    words = []
    for apart in (400.0, 6000.0):
        position = np.array([[0.0, 0.0, 8.0], [apart, apart, 8.0]])
        with runtime.colour_variant() as mi:
            lamps = LampLight(mi, posts(position, 8.0), np.zeros(3), np.zeros(1, np.int32))
            words.append(len(lamps._words))
            at = mi.Point3f([3.0, apart + 3, apart / 2], [0.0, apart, apart / 2], 0.0)
            drawn = lamps.draw(mi, at, mi.Vector3f(0, 0, 1), mi.Float(0.4))
            assert np.array(drawn.weight) == pytest.approx([1, 1, 0], rel=1e-5)
            assert np.array(drawn.position.x)[:2] == pytest.approx([0, apart])
    assert words[1] < 1.2 * words[0]
