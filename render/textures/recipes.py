"""Textures: tileable pictures of city surfaces, true to scale, made from a recipe.

A texture depends on its visual material alone: the recipe, the variant, the mean
colour and the roughness. Rows run along v from 0, columns along u.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from vasgen.bundle import VisualMaterial
from vasgen.errors import InputError
from vasgen.render.textures import bodywork, facades, panes, surfaces
from vasgen.render.textures.layouts import layout
from vasgen.render.textures.openings import CELLS
from vasgen.render.textures.texture import Texture
from vasgen.seeding import stream


class Recipe(NamedTuple):
    """What a texture covers: ``tile`` units (metres; for facades bays, for panes and doors
    one of them) in ``size`` texels."""

    tile: float
    size: int


#: Every recipe the renderer knows. Facades: 96 texels a bay, about 4 cm each.
RECIPES: dict[str, Recipe] = {
    "plain": Recipe(1.0, 0),
    **{f"facade-{kind}": Recipe(CELLS, 768) for kind in facades.KINDS},
    **{name: Recipe(CELLS, 768) for name in panes.PANES},
    "sign-board": Recipe(CELLS, 1024),
    **{name: Recipe(tile, size) for name, (tile, size, _) in bodywork.BODYWORK.items()},
    **{name: Recipe(tile, size) for name, (tile, size, _) in surfaces.SURFACES.items()},
}

#: Recipes of which all materials of a scene share one texture: it holds factors of their colour.
SHARED = frozenset(bodywork.BODYWORK)

#: Recipe of the wall, to metre scale, between the windows of a facade.
DETAILS = {
    "facade-brick": "wall-brick",
    "facade-concrete": "wall-concrete",
    "facade-plaster": "wall-plaster",
    "facade-shed": "wall-sheet",
}

#: Memory that the textures of a scene may need.
BUDGET_MB = 1024


def check_budget(materials: int, painted: Sequence[Recipe]) -> None:
    """Refuse a scene whose textures do not fit.

    Args:
        materials: number of visual materials of the scene.
        painted: recipe of each texture that it needs.

    Raises:
        InputError: if they need more than :data:`BUDGET_MB`.
    """
    needed = sum(4 * recipe.size**2 for recipe in painted) / 2**20
    if needed > BUDGET_MB:
        raise InputError(
            f"the textures of {materials} visual materials need {needed:.0f} MB; allowed: "
            f"{BUDGET_MB} MB. Let objects share visual materials, or give some the recipe plain."
        )


def build_detail(material: VisualMaterial, mean: float) -> Texture:
    """The bare wall of a facade in grey of a mean reflectance, to metre scale."""
    recipe = DETAILS[material.recipe]
    grey = (mean, mean, mean)
    return build_texture(dataclasses.replace(material, recipe=recipe, base_color=grey))


def build_texture(material: VisualMaterial, edition: int = 0) -> Texture:
    """The texture of a material.

    Args:
        material: its recipe is in :data:`RECIPES` and not "plain".
        edition: facades of one material differ in layout from edition to edition.
    """
    size = RECIPES[material.recipe].size
    path = ("texture", material.recipe, *((edition,) if edition else ()))
    random = stream(material.variant, *path)
    if material.recipe.startswith("facade-"):
        plan = layout(material.recipe, random)
        wall = facades.bare_wall(material, size, random)
        return facades.paint(plan, wall, material, random)
    if material.recipe in SHARED:
        return bodywork.paint(material, size, random)
    if material.recipe in panes.PANES:
        return panes.paint(material, size, random)
    tone, hue = surfaces.SURFACES[material.recipe][2](size, random)
    roughness = np.full((size, size), material.roughness, np.float32)
    if material.recipe == "water":
        # Where the wind ruffles it, water mirrors less clearly.
        roughness = np.clip(roughness * (1 + tone), 0.02, 1)
    return Texture(
        surfaces.coloured(material.base_color, tone, hue),
        roughness,
        wall=np.full((size, size), material.recipe.startswith("wall-")),
    )
