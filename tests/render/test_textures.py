"""Textures: seeded, seamless, true to their mean colour, and different by variant."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.render.conftest import SceneBuilder
from vasgen.bundle import VisualMaterial
from vasgen.camera import Camera
from vasgen.render import Renderer
from vasgen.render.looks.looks import Looks
from vasgen.render.textures.noise import rectangle, span
from vasgen.render.textures.recipes import RECIPES, SHARED, build_texture

COLOURS = {"grass": (0.1, 0.16, 0.05), "facade-glass": (0.1, 0.15, 0.2), "asphalt": (0.09,) * 3}
TEXTURED = sorted(set(RECIPES) - {"plain"} - SHARED)
FACADES = [name for name in TEXTURED if name.startswith("facade-")]


def example(recipe, variant=0, colour=None):
    colour = colour or COLOURS.get(recipe, (0.4, 0.35, 0.3))
    return VisualMaterial("m", recipe, colour, 0.8, 0.0, variant)


def luminance(colour):
    return float(np.dot(colour, [0.2126, 0.7152, 0.0722]))


def test_the_recipes_are_those_of_the_contract():
    assert set(RECIPES) == {
        "facade-brick", "facade-concrete", "facade-glass", "facade-plaster", "facade-shed",
        "roof-tiles", "roof-gravel", "roof-metal", "asphalt", "pavement", "grass", "soil",
        "plaza", "water", "bark", "foliage", "plain",
        "wall-brick", "wall-plaster", "wall-stone", "wall-concrete", "wall-boards", "wall-sheet",
        "pane-window", "pane-glazing", "pane-shop", "door-leaf", "door-gate", "sign-board",
        "paint", "paint-metallic", "car-glass", "wheel", "headlamp", "tail-lamp", "number-plate",
    }  # fmt: skip


@pytest.mark.parametrize("recipe", TEXTURED)
def test_a_texture_depends_on_its_material_alone(recipe):
    first, again = (build_texture(example(recipe, 2)).packed() for _ in range(2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, build_texture(example(recipe, 3)).packed())


@pytest.mark.parametrize("recipe", TEXTURED)
def test_values_are_reflectances(recipe):
    texture = build_texture(example(recipe))
    assert texture.colour.min() >= 0
    assert texture.colour.max() <= 1
    assert texture.roughness.min() > 0
    assert texture.roughness.max() <= 1


@pytest.mark.parametrize("recipe", TEXTURED)
@pytest.mark.parametrize("variant", [0, 5])
def test_the_mean_is_near_the_base_colour(recipe, variant):
    material = example(recipe, variant)
    texture = build_texture(material)
    # Windows, doors and signs have colours of their own.
    walls = texture.colour[texture.wall if recipe in FACADES else slice(None)]
    mean = walls.reshape(-1, 3).mean(axis=0)
    allowed = {"facade-glass": 0.1}.get(recipe, 0.07 if recipe in FACADES else 0.02)
    assert luminance(mean) == pytest.approx(luminance(material.base_color), rel=allowed)


@pytest.mark.parametrize("recipe", TEXTURED)
def test_opposite_borders_continue_each_other(recipe):
    """The step across a border is no larger than steps inside (an edge may lie there)."""
    texture = build_texture(example(recipe))
    colour = texture.colour[int(texture.ground * texture.size) :]
    for picture in (colour, colour.swapaxes(0, 1)):
        steps = np.abs(np.diff(picture, axis=0)).mean(axis=(1, 2))
        seam = np.abs(picture[0] - picture[-1]).mean()
        assert seam <= 1.2 * steps.max()


@pytest.mark.parametrize("recipe", FACADES)
def test_windows_are_darker_and_smoother_than_walls(recipe):
    texture = build_texture(example(recipe, 1, (0.5, 0.5, 0.5)))
    window = texture.roughness < 0.2
    assert 0.005 < window.mean() < 0.9
    wall = texture.roughness > 0.75
    assert texture.colour[window].mean() < 0.85 * texture.colour[wall].mean()


@pytest.mark.parametrize("recipe", FACADES)
def test_variants_of_a_facade_look_different(recipe):
    pictures = [build_texture(example(recipe, v)).colour.mean(axis=2) for v in range(5)]
    for i, first in enumerate(pictures):
        for second in pictures[:i]:
            assert np.corrcoef(first.ravel(), second.ravel())[0, 1] < 0.97
            assert np.abs(first - second).mean() > 0.01


@given(st.integers(1, 200), st.floats(-0.5, 1.5), st.floats(-0.5, 1.5))
def test_coverage_is_the_exact_length(count, low, high):
    covered = span(count, low, high).sum() / count
    assert covered == pytest.approx(max(0.0, min(high, 1) - max(low, 0)), abs=1e-4)


def test_a_rectangle_covers_its_area():
    assert rectangle(96, (0.2, 0.51), (0.1, 0.9)).mean() == pytest.approx(0.31 * 0.8, abs=1e-3)


def _references(texture, points):
    """Bilinear interpolation, straight from the definition, (N, 3)."""
    packed = texture.packed()
    channels = [((packed >> s) & 255) / 255 for s in (0, 8, 16)]
    colour = np.stack([c**2 for c in channels], axis=-1)
    return np.array([_reference(texture, colour, *point) for point in points])


def _reference(texture, colour, u, v):
    size = texture.size
    first = int(texture.ground * size)
    if texture.ground and v >= texture.ground:
        v = texture.ground + (v - texture.ground) % (1 - texture.ground)
    elif texture.ground:
        v = max(v, 0.0)
    else:
        v %= 1
    x, y = u % 1 * size - 0.5, v * size - 0.5
    x0, y0 = int(np.floor(x)), int(np.floor(y))
    total = np.zeros(3)
    for dx, wx in ((0, 1 - (x - x0)), (1, x - x0)):
        for dy, wy in ((0, 1 - (y - y0)), (1, y - y0)):
            row = y0 + dy
            if row >= size:
                row = first
            if row < 0:
                row = 0 if texture.ground else size - 1
            total += wx * wy * colour[row, (x0 + dx) % size]
    return total


@pytest.mark.parametrize("recipe", ["facade-brick", "roof-metal", "roof-tiles"])
def test_the_albedo_is_the_texture_between_its_texels(recipe):
    material = example(recipe)
    scene = SceneBuilder([material]).quad((0, 0), (40, 40), 0.0).bundle()
    looks, texture = Looks(scene), build_texture(material)
    tile = RECIPES[recipe].tile
    points = np.random.default_rng(1).uniform(0, 40, (300, 2)) / tile
    albedo, _, _ = looks.at(np.zeros(300, np.int64), points)
    expected = _references(texture, points)
    assert np.abs(albedo - expected).max() < 2e-3


def test_the_albedo_layer_shows_the_texture_in_true_scale():
    """Seen from above, the layer at a pixel is the texture at that metre."""
    material = example("roof-tiles")
    scene = SceneBuilder([material]).quad((0, 0), (12, 12), 0.0).bundle()
    camera = Camera.look_at([6, 6, 9], [6, 6, 0], width=64, height=64, fov_deg=40)
    layers = Renderer(scene).layers(camera, rgb=False)
    points = camera.back_project(layers.depth)[..., :2] / RECIPES["roof-tiles"].tile
    texture = build_texture(material)
    expected = _references(texture, points.reshape(-1, 2))
    assert np.abs(layers.albedo.reshape(-1, 3) - expected).max() < 0.01


def test_asphalt_has_grain_from_close_by():
    """Within a hand's breadth of road; half metres are alike."""
    looks = Looks(SceneBuilder([example("asphalt")]).quad((0, 0), (24, 24), 0.0).bundle())

    def albedo(step_m):
        x, y = np.meshgrid(np.arange(40) * step_m, np.arange(40) * step_m)
        tile = RECIPES["asphalt"].tile
        points = np.column_stack([x.ravel(), y.ravel()]) / tile + 0.31
        grey = looks.at(np.zeros(len(points), np.int64), points)[0].mean(axis=1)
        return grey.reshape(40, 40) / grey.mean()

    hand = albedo(0.004)
    assert hand.std() > 0.03
    assert np.abs(np.diff(hand, axis=0)).mean() > 0.5 * hand.std()
    fields = albedo(0.05).reshape(4, 10, 4, 10).mean(axis=(1, 3))
    assert fields.std() < 0.06


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6))
def test_texture_coordinates_far_from_zero_keep_the_texture(tiles):
    """Whole tiles do not matter, however many: cities lie at map coordinates."""
    material = example("pavement")
    shift = tiles * RECIPES["pavement"].tile
    near = SceneBuilder([material]).quad((0, 0), (6, 6), 0.0).bundle()
    far = SceneBuilder([material]).quad((0, 0), (6, 6), 0.0, at=(-shift, shift)).bundle()
    assert np.allclose(Looks(near).uv, Looks(far).uv, atol=1.0 / 12 if tiles > 10**5 else 2e-3)


def test_unknown_recipes_are_plain():
    scene = SceneBuilder([example("marzipan", colour=(0.2, 0.3, 0.4))]).quad((0, 0), (9, 9), 0)
    albedo, roughness, _ = Looks(scene.bundle()).at(np.zeros(1, np.int64), np.array([[0.3, 0.7]]))
    assert albedo[0] == pytest.approx([0.2, 0.3, 0.4])
    assert roughness[0] == pytest.approx(0.8)


def test_the_albedo_does_not_depend_on_the_sun():
    from vasgen.conditions import Conditions
    from vasgen.spec import RenderSpec

    scene = SceneBuilder([example("plaza")]).quad((0, 0), (12, 12), 0.0).bundle()
    camera = Camera.look_at([6, 6, 9], [6, 6, 0], width=24, height=24, fov_deg=40)
    low, high = (
        Renderer(scene, RenderSpec(samples_per_pixel=2)).layers(
            camera, Conditions(sun_elevation_deg=e)
        )
        for e in (10, 80)
    )
    assert np.array_equal(low.albedo, high.albedo)
    assert not np.array_equal(low.rgb, high.rgb)
