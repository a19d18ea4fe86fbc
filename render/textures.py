"""Textures: tileable pictures of city surfaces, true to scale, made from a recipe.

A texture depends on its visual material alone: the recipe, the variant, the mean
colour and the roughness. Rows run along v from 0, columns along u.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vasgen.bundle import VisualMaterial
from vasgen.render import facades, panes, surfaces
from vasgen.render.layouts import layout
from vasgen.render.openings import CELLS
from vasgen.seeding import stream

Float = NDArray[np.float32]


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
    **{name: Recipe(tile, size) for name, (tile, size, _) in surfaces.SURFACES.items()},
}


@dataclass(frozen=True, eq=False)
class Texture:
    """A square texture.

    Attributes:
        colour: (size, size, 3) float32 reflectance, linear sRGB, in [0, 1].
        roughness: (size, size) float32 GGX roughness.
        ground: share of the rows, from v = 0, that is ground floor and does not repeat
            upward; 0 for textures that repeat as a whole.
    """

    colour: Float
    roughness: Float
    ground: float = 0.0

    @property
    def size(self) -> int:
        """Edge length, texels."""
        return len(self.roughness)

    def packed(self) -> NDArray[np.uint32]:
        """Texels of 8-bit red, green, blue (gamma 2) and roughness, (size, size)."""
        channels = np.empty((self.size, self.size, 4), np.uint8)
        channels[..., :3] = np.rint(np.sqrt(np.clip(self.colour, 0, 1)) * 255)
        channels[..., 3] = np.rint(np.clip(self.roughness, 0, 1) * 255)
        return np.asarray(channels.view("<u4")[..., 0], np.uint32)


def build_texture(material: VisualMaterial) -> Texture:
    """The texture of a material whose recipe is in :data:`RECIPES` and not "plain"."""
    size = RECIPES[material.recipe].size
    random = stream(material.variant, "texture", material.recipe)
    if material.recipe.startswith("facade-"):
        plan = layout(material.recipe, random)
        wall = facades.bare_wall(material, size, random)
        colour, roughness = facades.paint(plan, wall, material, random)
        return Texture(colour, roughness, 1 / CELLS)
    if material.recipe in panes.PANES:
        return Texture(*panes.paint(material, size, random))
    tone, hue = surfaces.SURFACES[material.recipe][2](size, random)
    return Texture(
        surfaces.coloured(material.base_color, tone, hue),
        np.full((size, size), material.roughness, np.float32),
    )
