"""Grounds wear as they are used: tracks on streets, worn paint, lawns that do not repeat."""

import numpy as np

from tests.render.conftest import SceneBuilder
from vasgen.bundle import VisualMaterial
from vasgen.render.looks.looks import Looks
from vasgen.render.textures.recipes import RECIPES
from vasgen.semantics import SemanticClass


def ground(recipe, size, semantic, colour=(0.1, 0.1, 0.1)):
    """Looks of a rectangle of ground with its corner at the origin, metres as coordinates."""
    material = VisualMaterial("m", recipe, colour, 0.9)
    corners = np.array([[0, 0, 0], [size[0], 0, 0], [size[0], size[1], 0], [0, size[1], 0]], float)
    faces = np.array([[0, 1, 2], [0, 2, 3]])
    builder = SceneBuilder([material])
    builder.add(corners, faces, semantic, 5, 0, corners[faces][..., :2])
    return Looks(builder.bundle())


def seen(looks, recipe, x, y, size):
    """Mean albedo and roughness at points, of the face below each."""
    face = (y * size[0] > x * size[1]).astype(np.int64)
    points = np.column_stack([x, y]) / RECIPES[recipe].tile
    colour, rough, _ = looks.at(face, points)
    return colour, rough


def test_tyres_polish_two_tracks_in_each_lane():
    size = (120.0, 8.0)
    looks = ground("asphalt", size, SemanticClass.ROAD)
    random = np.random.default_rng(0)
    x = random.uniform(2, 118, 20_000)
    tracks, middle = [], []
    for lane in (2.0, 6.0):
        tracks += [seen(looks, "asphalt", x, x * 0 + lane + s, size) for s in (-0.78, 0.78)]
        middle.append(seen(looks, "asphalt", x, x * 0 + lane, size))
    for colour, rough in tracks:
        for between, dull in middle:
            assert colour.mean() > 1.06 * between.mean()
            assert rough.mean() < dull.mean() - 0.05


def test_no_tracks_where_streets_meet():
    size = (24.0, 24.0)
    looks = ground("asphalt", size, SemanticClass.ROAD)
    random = np.random.default_rng(0)
    x = random.uniform(1, 23, 20_000)
    rows = [seen(looks, "asphalt", x, x * 0 + y, size)[1].mean() for y in np.arange(2, 22, 0.4)]
    assert np.std(rows) < 0.02


def test_paint_on_streets_wears_through_to_asphalt():
    size = (30.0, 3.0)
    looks = ground("plain", size, SemanticClass.ROAD_MARKING, (0.64, 0.64, 0.61))
    x, y = np.random.default_rng(0).uniform(0, size, (20_000, 2)).T
    albedo = seen(looks, "plain", x, y, size)[0].mean(axis=1)
    worn = (albedo < 0.35).mean()
    assert 0.01 < worn < 0.3
    assert np.median(albedo) > 0.45


def test_a_lawn_does_not_repeat_over_three_hundred_metres():
    size = (400.0, 400.0)
    looks = ground("grass", size, SemanticClass.GRASS, (0.07, 0.11, 0.034))
    u, v = np.meshgrid(np.arange(0.5, 400, 1.0), np.arange(0.5, 400, 1.0))
    green = seen(looks, "grass", u.ravel(), v.ravel(), size)[0][:, 1].reshape(400, 400)
    blocks = green.reshape(80, 5, 80, 5).mean(axis=(1, 3))
    assert blocks.std() > 0.05 * blocks.mean()
    field = blocks - blocks.mean()
    # Shifted by whole tiles of the texture, and by others, it never resembles itself.
    tiles = int(RECIPES["grass"].tile) // 5
    for shift in range(4 * tiles, 60, 4):
        one, two = field[:, shift:], field[:, :-shift]
        assert np.corrcoef(one.ravel(), two.ravel())[0, 1] < 0.6
