"""Textures of cars: shared by all colours, true to the body they lie on, and its own plate each."""

import numpy as np
import pytest

from tests.render.conftest import SceneBuilder
from vasgen.bundle import VisualMaterial
from vasgen.citygen.life.archetypes import model
from vasgen.citygen.life.bodies import BODIES, COLOURS
from vasgen.citygen.materials import PALETTE
from vasgen.render.looks.looks import Looks
from vasgen.render.textures.bodywork import PLATE
from vasgen.render.textures.plan import plan_textures
from vasgen.render.textures.recipes import RECIPES, SHARED, build_texture
from vasgen.semantics import SemanticClass

#: Of an end of a light model: in a lamp, on the plate, on the bumper, in between.
POINTS = ((0.72, 0.75), (0.265, 0.44), (0.9, 0.04), (0.5, 0.48))

RED, BLUE = (0.5, 0.05, 0.04), (0.04, 0.08, 0.3)


def panels(recipe, colours, count=1):
    """Squares of one texture each, of objects 1, 2, … in turn of these colours."""
    materials = [VisualMaterial(f"m{k}", recipe, colour, 0.05) for k, colour in enumerate(colours)]
    builder = SceneBuilder(materials)
    for number in range(count * len(colours)):
        low = np.array([2.0 * number, 0.0])
        builder.quad(
            low,
            low + 1,
            0.0,
            visual=number % len(colours),
            semantic=SemanticClass.FURNITURE,
            instance=number + 1,
            at=low,
        )
    return builder.bundle()


def seen(bundle, number, uv):
    """Albedo and roughness of points of one panel."""
    face = np.full(len(uv), 2 * number)
    looks = Looks(bundle)
    colour, rough, _ = looks.at(face, np.asarray(uv) / RECIPES[recipe_of(bundle)].tile)
    return colour, rough


def recipe_of(bundle):
    return bundle.visual_materials[0].recipe


@pytest.mark.parametrize("recipe", sorted(SHARED))
def test_all_materials_of_a_recipe_share_one_texture_of_factors(recipe):
    bundle = panels(recipe, [RED, BLUE])
    plan = plan_textures(bundle, 2)
    assert [material.recipe for material, _ in plan.textures] == [recipe]
    assert plan.first.tolist() == [2, 2]
    texture = build_texture(bundle.visual_materials[0])
    assert texture.colour.min() >= 0
    assert texture.colour.max() <= 1


def test_paint_is_of_its_own_colour_between_seams():
    bundle = panels("paint", [RED, BLUE])
    for number, colour in enumerate((RED, BLUE)):
        albedo, rough = seen(bundle, number, [[0.60, 0.45], [0.42, 0.85]])
        assert albedo == pytest.approx(np.tile(colour, (2, 1)), rel=0.15)
        assert rough.max() < 0.1


def test_seams_and_painted_wheels_are_dark_and_rough():
    bundle = panels("paint", [RED])
    along = np.linspace(0.4, 0.55, 301)
    albedo, rough = seen(bundle, 0, np.column_stack([along, np.full(301, 0.40)]))
    dark = albedo[:, 0] < 0.5 * albedo[:, 0].max()
    assert 0.003 < dark.mean() * 0.15 * 5.3 < 0.03  # metres
    assert rough[dark].max() > 0.3
    wheel, rough = seen(bundle, 0, [[0.25, 0.12], [0.75, 0.12]])
    assert wheel.max() < 0.3 * max(RED)
    assert rough.min() > 0.3


@pytest.mark.parametrize("body", range(len(BODIES)))
def test_light_models_have_red_lamps_behind_bright_ones_ahead_and_plates(body):
    """Points of the ends, in halves of the width and shares of the height."""
    surface = model("car", body * COLOURS, 2)
    corners, shape = surface.vertices[surface.faces], BODIES[body]
    bundle = panels("paint", [(0.6, 0.6, 0.6)])
    found = {}
    for name, end in (("tail", corners[..., 0].min()), ("nose", corners[..., 0].max())):
        face = np.flatnonzero((corners[..., 0] == end).all(axis=1))[0]
        y, z = corners[face, :, 1] / shape.half_m, corners[face, :, 2]
        low, high = corners[corners[..., 0] == end][:, 2].min(), z.max()
        weights = np.column_stack([y, (z - low) / (high - low), np.ones(3)])
        map_ = np.linalg.solve(weights, surface.uv[face])
        points = np.array([[side * x, up, 1] for x, up in POINTS for side in (-1, 1)])
        found[name] = seen(bundle, 0, points @ map_)[0].reshape(len(POINTS), 2, 3)
    tail, nose = found["tail"], found["nose"]
    assert np.allclose([tail[:, 0], nose[:, 0]], [tail[:, 1], nose[:, 1]], atol=0.05)
    assert (tail[0, :, 0] > 8 * tail[0, :, 1]).all()
    assert nose[0].min() > 0.45
    for end in (tail, nose):
        assert end[1].min() > 0.5  # the rim of a plate
        assert end[2].max() < 0.05  # a bumper
        assert end[3] == pytest.approx(0.6, rel=0.15)  # paint


def test_every_car_has_a_plate_of_its_own():
    bundle = panels(PLATE, [(0.6, 0.6, 0.6)], count=12)
    u, v = np.meshgrid(np.linspace(0.02, 0.98, 60), np.linspace(0.05, 0.95, 20))
    points = np.column_stack([u.ravel(), v.ravel()])
    plates = [seen(bundle, number, points)[0][:, 1] for number in range(12)]
    assert all(0.1 < (plate < 0.3).mean() < 0.6 for plate in plates)
    # There are 64 plates: two may have the same.
    assert len({np.round(plate, 2).tobytes() for plate in plates}) >= 8


@pytest.mark.parametrize("body", range(len(BODIES)))
@pytest.mark.parametrize("lod", [2, 3])
def test_bodies_lie_on_their_textures_where_these_say(body, lod):
    """Axles, sill and belt are where the painter takes them to be."""
    surface = model("car", body * COLOURS, lod)
    shape = BODIES[body]
    corners = surface.vertices[surface.faces]
    recipe = np.array([PALETTE[visual].recipe for visual in surface.visual])
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    aside = np.abs(normal[:, 1]) > 0.95 * np.linalg.norm(normal, axis=1)
    sides = corners[(recipe == "paint") & aside], surface.uv[(recipe == "paint") & aside]
    rear, front = shape.axles
    assert sides[1][..., 0] == pytest.approx(
        0.25 + 0.5 * (sides[0][..., 0] - rear) / (front - rear)
    )
    assert np.abs(sides[1][..., 1][sides[0][..., 2] < shape.sill_m + 1e-3] - 0.02).max() < 5e-3
    assert sides[1][..., 1].max() <= 0.66
    assert ((surface.uv[recipe == "paint"] >= 0) & (surface.uv[recipe == "paint"] < 1)).all()
    if lod == 3:
        for one in ("wheel", "headlamp", "tail-lamp", PLATE):
            uv = surface.uv[recipe == one]
            assert -1e-3 < uv.min() < 0.02
            assert 0.98 < uv.max() < 1 + 1e-3
