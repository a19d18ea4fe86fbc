"""The world beyond a scene: as bright as its light, without a line at the horizon, and steady."""

from itertools import product

import numpy as np
import pytest

from tests.render.conftest import SceneBuilder, matte
from vasgen import runtime
from vasgen.bundle import VisualMaterial
from vasgen.camera import Camera
from vasgen.colour import LUMINANCE
from vasgen.conditions import Conditions
from vasgen.render import Renderer
from vasgen.render.light import avenues, landscape
from vasgen.render.light.avenues import _AWAY_M, _planted
from vasgen.render.light.border import border_of
from vasgen.render.light.landscape import LandLight, Landscape
from vasgen.render.light.light import Daylight
from vasgen.render.looks.looks import Looks
from vasgen.render_spec import RenderSpec
from vasgen.semantics import SemanticClass

UP = np.array([0.0, 0.0, 1.0])
NONE = np.zeros(3)
GRASS = VisualMaterial("grass", "grass", (0.09, 0.12, 0.04))
ASPHALT = VisualMaterial("asphalt", "asphalt", (0.08, 0.08, 0.09))


def town(at=(0.0, 0.0), level=0.0):
    """A square of grass of 200 m with a road from west to east, 10 m wide, and a house."""
    x, y = at
    scene = SceneBuilder([GRASS, ASPHALT, matte()])
    grass, road = SemanticClass.GRASS, SemanticClass.ROAD
    scene.quad((x - 100, y - 100), (x + 100, y - 5), level, semantic=grass)
    scene.quad((x - 100, y - 5), (x + 100, y + 5), level, visual=1, semantic=road)
    scene.quad((x - 100, y + 5), (x + 100, y + 100), level, semantic=grass)
    scene.box([x, y + 20, level], [x + 10, y + 30, level + 12], visual=2)
    return scene.bundle()


@pytest.fixture(scope="module")
def land():
    bundle = town()
    with runtime.colour_variant() as mi:
        yield Landscape(mi, border_of(bundle), Looks(bundle))


def even_light(mi, extinction=0.0):
    """Light of irradiance one from everywhere, in air of an extinction."""
    air = np.full(3, extinction)
    return LandLight.of(mi, UP, (NONE, np.ones(3)), (air, NONE), 0.0, 0.0)


def pixels(camera):
    return np.arange(camera.width * camera.height)


def seen(land, camera, light, conditions=None):
    """Radiance (N, 3) and share (N,) of all pixels."""
    sky = Daylight(conditions or Conditions())._sky
    with runtime.colour_variant() as mi:
        radiance, share = land.seen(mi, camera, pixels(camera), light(mi), sky)
    return radiance, share[:, 0]


def test_the_far_plain_reflects_a_fifth(land):
    shots = []
    for x, y in ((6e3, 0), (-9e3, 2e3), (3e3, 9e3), (-2e3, -12e3), (15e3, 15e3), (-14e3, 11e3)):
        camera = Camera.look_at([x, y, 2500], [x, y, 0], width=60, height=60, fov_deg=80)
        radiance, share = seen(land, camera, even_light)
        assert (share == 1).all()
        shots.append(radiance @ LUMINANCE)
    assert np.pi * np.mean(shots) == pytest.approx(0.2, rel=0.05)


def test_beyond_the_border_the_grass_goes_on(land):
    camera = Camera.look_at([0, 150, 300], [0, 150, 0], width=60, height=20, fov_deg=20)
    radiance, _ = seen(land, camera, even_light)
    assert np.pi * radiance.mean(axis=0) == pytest.approx(GRASS.base_color, rel=0.35)
    middle = Camera.look_at([160, 0, 50], [160, 0, 0], width=20, height=4, fov_deg=4)
    radiance, _ = seen(land, middle, even_light)
    assert np.pi * radiance.mean(axis=0) == pytest.approx(ASPHALT.base_color, rel=0.1)


@pytest.mark.parametrize("elevation", [40.0, 5.0, -3.0, -20.0])
@pytest.mark.parametrize("visibility", [None, 2000.0])
def test_the_plain_meets_the_sky_without_a_line(land, monkeypatch, elevation, visibility):
    monkeypatch.setattr(landscape, "_RIDGES", ())
    monkeypatch.setattr("vasgen.render.light.avenues._HIGH_M", 0.0)
    conditions = Conditions(sun_elevation_deg=elevation, visibility_m=visibility)
    daylight = Daylight(conditions)
    for azimuth in np.arange(0, 360, 15.0):
        turn = np.radians(azimuth)
        ahead = np.array([0, 0, 80]) + 1000 * np.array([np.sin(turn), np.cos(turn), 0])
        camera = Camera.look_at([0, 0, 80], ahead, width=3, height=40, fov_deg=0.03)
        column = daylight.background(camera, land=land)[:, 1]
        above, below = column[19], column[20]
        assert below == pytest.approx(above, rel=0.02)


def test_half_the_size_shows_the_mean_of_four_pixels(land):
    for eye, aim in (([0, -400, 200], [0, 0, 0]), ([0, -90, 60], [0, -900, 30])):
        small, large = (
            Camera.look_at(eye, aim, width=120 * n, height=80 * n, fov_deg=60) for n in (1, 2)
        )
        one, two = (seen(land, camera, even_light)[0] @ LUMINANCE for camera in (small, large))
        mean = two.reshape(80, 2, 120, 2).mean(axis=(1, 3)).ravel()
        assert one.mean() == pytest.approx(mean.mean(), rel=0.03)
        found = one > 0
        assert np.abs(one - mean)[found].mean() < 0.10 * mean[found].mean()


def test_contrast_fades_with_distance(land):
    def contrast(height):
        camera = Camera.look_at([5e3, 5e3, height], [5e3, 5e3, 0], width=64, height=64, fov_deg=30)
        values = seen(land, camera, even_light)[0] @ LUMINANCE
        return values.std() / values.mean()

    near, far, farthest = (contrast(height) for height in (1_500.0, 20_000.0, 100_000.0))
    assert near > 1.5 * far
    assert far > 2 * farthest


def test_fog_hides_the_landscape_as_it_hides_surfaces(land):
    camera = Camera.look_at([0, -90, 20], [0, -400, 10], width=40, height=30, fov_deg=60)
    spread = []
    for visibility in (None, 1e5, 5e3, 500.0, 100.0):
        daylight = Daylight(Conditions(visibility_m=visibility))
        shown = daylight.background(camera, land=land) @ LUMINANCE
        spread.append(shown[18:].std() / shown[18:].mean())
    assert (np.diff(spread) < 0).all()
    assert spread[1] == pytest.approx(spread[0], rel=0.05)
    dense = Daylight(Conditions(visibility_m=15.0))
    shown = dense.background(camera, land=land)
    assert shown == pytest.approx(np.broadcast_to(dense.airlight, shown.shape), rel=0.01)


def test_clear_air_veils_by_koschmieders_law(land):
    """Of the contrast to the horizon exp(-extinction times distance) is left."""
    # The ground that is seen lies 500 m beyond the border.
    camera = Camera.look_at([0, 500, 100], [0, 600, 0], width=3, height=3, fov_deg=0.2)
    clear, *hazy = (
        seen(land, camera, lambda mi, e=extinction: even_light(mi, e))[0].mean(axis=0)
        for extinction in (0.0, 2e-4, 1e-3, 5e-3)
    )
    horizon = Daylight(Conditions())._sky.at(np.array([[0.0, 1.0, 0.0]]))[0]
    for extinction, shown in zip((2e-4, 1e-3, 5e-3), hazy, strict=True):
        left = (horizon - shown) / (horizon - clear)
        assert left == pytest.approx(np.exp(-extinction * 500), rel=0.02)


def test_hills_close_the_view_and_meet_all_around(land):
    tops = []
    for azimuth in np.arange(0.0, 360.0, 30.0):
        turn = np.radians(azimuth)
        ahead = np.array([0, 0, 2]) + 1000 * np.array([np.sin(turn), np.cos(turn), 0])
        camera = Camera.look_at([0, 0, 2], ahead, width=90, height=40, fov_deg=30)
        share = seen(land, camera, even_light)[1].reshape(40, 90)
        assert (share[20:] == 1).all()
        assert (share[:8] == 0).all()  # 4 degrees and more above the horizon: sky
        tops.append(share[:20].sum(axis=0) / 3)  # degrees
    assert 0.3 < np.mean(tops) < 2.0
    for number, ridge in enumerate(landscape._RIDGES):
        heights = landscape._heights(7, number, ridge)
        steps = np.abs(np.diff(np.append(heights, heights[0])))
        assert steps[-1] <= steps[:-1].max()


def test_villages_shine_at_night_only_with_lamps(land):
    camera = Camera.look_at([0, 0, 200], [0, 3000, 0], width=160, height=60, fov_deg=60)
    dark, lit = (
        Daylight(Conditions(sun_elevation_deg=-20, lamps=lamps)).background(camera, land=land)
        for lamps in (False, True)
    )
    assert dark[30:].max() < 10 * np.median(dark[30:])
    brightest = [
        Daylight(Conditions(sun_elevation_deg=-20, lamps=True))
        .background(
            Camera.look_at([0, 0, 200], [*aim, 0], width=160, height=60, fov_deg=80), land=land
        )[30:]
        .max()
        for aim in ((0, 3000), (3000, 0), (0, -3000), (-3000, 0))
    ]
    assert max(brightest) > 5 * np.median(lit[30:])


def test_the_land_lies_where_the_scene_does_and_as_high():
    """Scenes of the same shape look alike wherever they lie; only their country differs."""
    border = border_of(town(at=(691_000.0, 5_334_000.0), level=512.0))
    assert border.centre == pytest.approx([691_000, 5_334_000, 512])
    assert border.reach_m[0] == pytest.approx(100)
    assert border.colour == pytest.approx(GRASS.base_color)
    assert border.asphalt == pytest.approx(ASPHALT.base_color)
    order = np.argsort(border.exits[:, 0])
    assert border.exits[order] == pytest.approx(
        np.array([[-100, 0, -1, 0, 5], [100, 0, 1, 0, 5]]), abs=1e-6
    )


def test_a_scene_without_ground_has_a_border_too():
    border = border_of(SceneBuilder([matte()]).box([0, 0, 3], [4, 4, 9]).bundle())
    assert 3 <= border.centre[2] <= 9
    assert len(border.exits) == 0


def test_no_exact_layer_knows_the_landscape_and_pictures_repeat():
    bundle = town()
    camera = Camera.look_at([0, -60, 30], [0, -400, 0], width=48, height=32, fov_deg=60)
    spec = RenderSpec(samples_per_pixel=2)
    one, two = (Renderer(bundle, spec).layers(camera).arrays() for _ in range(2))
    bare = Renderer(bundle, spec).layers(camera, rgb=False).arrays()
    assert one["rgb"].tobytes() == two["rgb"].tobytes()
    for name, layer in bare.items():
        if name != "rgb":
            assert np.array_equal(layer, one[name], equal_nan=True), name
    # Far below the horizon, beyond the border.
    beyond = np.flatnonzero(one["semantic"][14] == SemanticClass.NONE)
    assert len(beyond)
    assert one["rgb"][14, beyond].min() > 0


def test_what_the_scene_covers_is_left_out(land):
    camera = Camera.look_at([0, -90, 20], [0, -400, 10], width=40, height=30, fov_deg=60)
    daylight = Daylight(Conditions())
    whole = daylight.background(camera, land=land)
    covered = np.zeros((30, 40), np.float32)
    covered[::2] = 1
    part = daylight.background(camera, land=land, covered=covered)
    assert (part[::2] == 0).all()
    assert part[1::2] == pytest.approx(whole[1::2])
    rows = daylight.background(camera, range(10, 20), land=land)
    assert rows == pytest.approx(whole[10:20])


@pytest.mark.parametrize("turned_deg", [0.0, 30.0, 60.0, 68.0])
def test_roads_lead_out_at_their_own_angle(turned_deg):
    """A road 10 m wide over the eastern border, by its angle to the border's normal."""
    way = np.array([np.cos(np.radians(turned_deg)), np.sin(np.radians(turned_deg))])
    beside = np.array([-way[1], way[0]])
    scene = SceneBuilder([GRASS, ASPHALT])
    scene.quad((-200, -200), (100, 200), 0.0, semantic=SemanticClass.GRASS)
    # Cut at the border, 150 m long.
    ends = [[(100 + 5 * s * way[1]) / way[0], 0.0] for s in (-1, 1)]
    plan = [beside * 5 * s + way * e[0] for s, e in zip((-1, 1), ends, strict=True)]
    plan += [point - 150 * way for point in reversed(plan)]
    corners = np.column_stack([np.array(plan), np.zeros(4)])
    scene.add(corners, [[0, 1, 2], [0, 2, 3]], SemanticClass.ROAD, 2, 1)
    border = border_of(scene.bundle())
    (road,) = border.exits[border.exits[:, 2] > 0]
    assert road[2:4] == pytest.approx(way, abs=1e-6)
    assert road[4] == pytest.approx(5, abs=1e-6)
    assert road[:2] + border.centre[:2] == pytest.approx(way * 100 / way[0], abs=1e-6)


def test_no_tree_of_a_row_rises_above_where_land_is_looked_for():
    """From the border, with the eye as low as it may be; crowns end 13 % above their tops."""
    plain = border_of(town())
    highest = 1.13 * avenues._HIGH_M - landscape._EYE_M
    for seed in range(200):
        border = plain._replace(seed=seed)
        x, y, dx, dy, half = _planted(border).astype(float).T[..., None]
        along = half * np.linspace(-1, 1, 101)
        places = np.stack([x + along * dx, y + along * dy], axis=-1)
        beyond = (places @ border.sides.T - border.reach_m).max(axis=-1).min()
        assert beyond > _AWAY_M[0] - 5
        assert highest / np.hypot(highest, beyond) < landscape.LAND_BELOW


def test_rows_end_with_whole_trees(land):
    """No sample of the last tree of a row is a ghost: in front of a plain, all or nothing."""
    mi = runtime.colours()
    count = 4000
    px, py, dx, dy, half = (float(np.array(part)[0]) for part in land._avenues._rows)
    along = np.linspace(-half - 12, half + 12, count)
    eye = np.array([px, py, 6.0]) + 50 * np.array([dy, -dx, 0])
    at = np.stack([px + along * dx, py + along * dy, np.full(count, 6.0)])
    ray = (at - eye[:, None]) / np.linalg.norm(at - eye[:, None], axis=0)
    found = land._avenues.seen(
        mi, mi.Point3f(*eye.tolist()), mi.Vector3f(ray), mi.Float(1e-5), mi.Vector3f(0, 0, 1)
    )
    covered, distance = np.array(found.covered), np.array(found.distance)
    near = np.abs(distance - np.linalg.norm(at - eye[:, None], axis=0)) < 0.05
    ends = near & (np.abs(along) > half - 9.5)
    assert not near[np.abs(along) > half].any()
    assert ((covered[ends] < 0.02) | (covered[ends] > 0.98)).mean() > 0.5


def test_a_scene_that_ends_in_concrete_lies_in_a_meadow():
    scene = SceneBuilder([matte()]).quad((-100, -100), (100, 100), 0.0)
    bundle = scene.bundle()
    with runtime.colour_variant() as mi:
        around = Landscape(mi, border_of(bundle), Looks(bundle))
    found = []
    for x in (101.0, 130.0):
        camera = Camera.look_at([x, 0, 60], [x, 0.001, 0], width=3, height=40, fov_deg=1)
        found.append(np.pi * seen(around, camera, even_light)[0].mean(axis=0))
    assert found[0] == pytest.approx(0.5, rel=0.25)
    assert found[1] == pytest.approx([0.13, 0.18, 0.065], rel=0.35)


def test_lawns_go_on_as_bright_as_the_scene_shows_them():
    lawn = VisualMaterial("grass", "grass", (0.09, 0.12, 0.04), 1.0)
    scene = SceneBuilder([lawn])
    scene.quad((-200, -200), (200, 200), 0, semantic=SemanticClass.GRASS)
    renderer = Renderer(scene.bundle(), RenderSpec(samples_per_pixel=4))
    # Both sides have spots of their own: of the flat view little is seen.
    for up, away, fov, limit in ((60, 120, 25, 0.06), (6, 250, 12, 0.13)):
        sides = []
        for turn, beside in product(np.radians([0, 90, 180, 270]), (-60, 60)):
            out, way = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
            aim = 200 * out + beside * way
            eye = [*(aim - away * np.cos(np.radians(up)) * way), away * np.sin(np.radians(up))]
            camera = Camera.look_at(eye, [*aim, 0], width=60, height=16, fov_deg=fov)
            shown = renderer.layers(camera, Conditions(sun_azimuth_deg=200))
            sides.append([shown.rgb[m].mean(axis=0) for m in (shown.valid, ~shown.valid)])
        inside, outside = np.mean(sides, axis=0)
        assert inside == pytest.approx(outside, rel=limit)
