"""Lit windows: which are lit, and that only their glass shines."""

import numpy as np
import pytest

from tests.render.conftest import SceneBuilder, matte
from vasgen import runtime
from vasgen.bundle import VisualMaterial
from vasgen.camera import Camera
from vasgen.conditions import Conditions
from vasgen.render import Renderer
from vasgen.render.chance import lot
from vasgen.render.light.illuminance import LUX_PER_UNIT
from vasgen.render.light.rooms import _picture
from vasgen.render.light.windows import Windows
from vasgen.render.looks.looks import Looks
from vasgen.render.textures.openings import CELLS
from vasgen.render_spec import RenderSpec
from vasgen.semantics import SemanticClass

BRICK = VisualMaterial("brick", "facade-brick", (0.30, 0.12, 0.08), 0.9)
NIGHT = Conditions(sun_elevation_deg=-40.0, lamps=True)
BAYS, STOREYS = 24, 16


def facade(material=BRICK, instances=(1,)):
    """Walls of 24 bays and 16 storeys, one above the other, that look south."""
    scene = SceneBuilder([material])
    for number, instance in enumerate(instances):
        z = 60.0 * number
        corners = np.array([[0, 0, z], [72, 0, z], [72, 0, z + 48], [0, 0, z + 48]], float)
        faces = np.array([[0, 1, 2], [0, 2, 3]])
        uv = np.array([[0, 0], [BAYS, 0], [BAYS, STOREYS], [0, STOREYS]], float)[faces]
        scene.add(corners, faces, SemanticClass.WALL, instance, 0, uv)
    return scene.bundle()


def glowing(bundle, face, u, v):
    """Mean radiance of rooms and whether they are behind glass, at points in bays and storeys."""
    with runtime.colour_variant() as mi:
        looks = Looks(bundle)
        at = (
            np.stack([u, v]) / CELLS
            + (looks.uv[face, 0] - bundle.face_table.corner_uv[face, 0] / CELLS)[:, None]
        )
        uv = mi.Point2f(at.astype(np.float32))
        number = mi.UInt32(np.full(len(u), face, np.uint32))
        windows = Windows(mi, bundle.face_table, bundle.visual_materials)
        seen = looks.evaluate(number, uv)
        shine = windows.mean(mi, number, uv, seen)
        return np.array(shine).T, np.array(seen.glass)


def cells():
    """A grid of points in every cell of the upper floors: (cells, points)."""
    inner = (np.arange(12) + 0.5) / 12
    bay, storey = np.meshgrid(np.arange(BAYS), np.arange(1, STOREYS))
    x, y = np.meshgrid(inner, inner)
    return bay.reshape(-1, 1) + x.ravel(), storey.reshape(-1, 1) + y.ravel()


def test_rooms_have_pictures_of_all_sizes_at_all_heights_and_dull_colours():
    with runtime.colour_variant() as mi:
        import drjit as dr

        x, y = np.meshgrid(np.arange(0, 0.8, 0.02) + 0.01, np.arange(0.2, 3, 0.02))
        seen = []
        for word in range(400):
            one = lot(mi.UInt32(word), 64, 0)
            hung, colour = _picture(
                mi,
                mi.Float(y.ravel().astype(np.float32)),
                mi.Float(x.ravel().astype(np.float32)),
                dr.full(mi.UInt32, one[0], x.size),
                dr.full(mi.UInt32, word, x.size),
            )
            where = np.array(hung)
            if where.any():
                rows = y.ravel()[where]
                seen.append((rows.mean(), np.ptp(rows), np.array(colour).T[where]))
    middle, tall, colours = zip(*seen, strict=True)
    assert 0.03 < len(seen) / 400 < 0.35
    assert np.ptp(middle) > 0.5
    assert np.percentile(tall, 90) > 2.5 * np.percentile(tall, 10)
    every = np.concatenate(colours)
    assert np.percentile(np.ptp(every, axis=1) / every.max(axis=1), 90) < 0.6


def test_only_glass_shines_and_a_window_as_a_whole():
    u, v = cells()
    light, glass = glowing(facade(), 0, u.ravel(), v.ravel())
    light, glass = light[:, 1].reshape(u.shape), glass.reshape(u.shape)
    assert (light[~glass] == 0).all()
    for window, panes in zip(light, glass, strict=True):
        assert len(set(window[panes].tolist())) <= 1


def test_a_share_of_the_windows_is_lit_each_in_its_own_way():
    u, v = cells()
    light, glass = glowing(facade(), 0, u.ravel(), v.ravel())
    light, glass = light.reshape(*u.shape, 3), glass.reshape(u.shape)
    lit = np.array([window[panes].max() > 0 for window, panes in zip(light, glass, strict=True)])
    assert 0.3 < lit.mean() < 0.55
    bright = light.max(axis=1)[lit]
    assert len(np.unique(bright[:, 1])) > 0.9 * lit.sum()
    assert len(np.unique((bright[:, 2] / bright[:, 0]).round(3))) > 20
    rows = lit.reshape(STOREYS - 1, BAYS)
    assert 0.1 < np.mean(rows[1:] != rows[:-1]) < 0.9


def test_two_houses_of_one_look_have_other_windows_lit():
    u, v = (part.ravel() for part in cells())
    bundle = facade(instances=(1, 2))
    first, second = (glowing(bundle, face, u, v)[0][:, 1] > 0 for face in (0, 2))
    assert np.mean(first != second) > 0.1


def test_a_wall_without_windows_stays_dark_at_night():
    light, _ = glowing(facade(matte()), 0, *(part.ravel() for part in cells()))
    assert (light == 0).all()


@pytest.mark.parametrize("lamps", [False, True])
def test_windows_show_in_the_picture_when_they_are_lit(lamps):
    renderer = Renderer(facade(), RenderSpec(samples_per_pixel=8))
    camera = Camera.look_at([36, -60, 24], [36, 0, 24], width=160, height=120, fov_deg=70)
    night = Conditions(sun_elevation_deg=-40.0, lamps=lamps)
    layers = renderer.layers(camera, night)
    bright = (layers.rgb[..., 1] * LUX_PER_UNIT > 0.5)[layers.valid]
    assert (0.03 < bright.mean() < 0.5) if lamps else not bright.any()


def test_a_room_looks_different_from_another_side_and_the_same_again():
    renderer = Renderer(facade(), RenderSpec(samples_per_pixel=16))
    straight, again, aside = (
        renderer.layers(
            Camera.look_at([x, -12, 13], [30, 0, 13], width=96, height=96, fov_deg=20), NIGHT
        ).rgb
        for x in (30, 30, 42)
    )
    assert straight.tobytes() == again.tobytes()
    assert np.abs(straight - aside).mean() > 0.05 * straight.mean()
