"""How every face of a scene looks: reflectance and roughness at any point on it.

One table answers both the path tracer and the exact layers, so that the albedo layer
holds what the picture was lit with. Textures are packed to 32 bits a texel (red, green
and blue with gamma 2, roughness), lie in one array, repeat, and are read bilinearly.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vasgen.bundle import SceneBundle
from vasgen.render.looks.foliage import leaf_tint
from vasgen.render.looks.grounds import Grounds
from vasgen.render.looks.rounding import Rounding
from vasgen.render.looks.skin import Seen, Skin
from vasgen.render.textures.plan import recipe_of
from vasgen.render.textures.recipes import RECIPES, SHARED
from vasgen.render.textures.texels import arrays
from vasgen.seeding import stream
from vasgen.semantics import SemanticClass

Array = NDArray[np.float64]

#: Strength of the colour differences between objects that share a material, by the
#: first part of the recipe's name. Ground is one continuous surface: none.
_TINT = {"plain": 0.10, "facade": 0.07, "roof": 0.10, "bark": 0.10, "wall": 0.07}

#: The same for glass, which comes in more coatings than a scene has materials.
_GLASS_TINT = dict.fromkeys(("facade-glass", "pane-glazing"), 0.28)

#: The same for vehicles, which come in more paints than a scene has materials.
_PAINT_TINT = 0.25


class _Faces(NamedTuple):
    tint: NDArray[np.float32]
    uv: NDArray[np.float32]


class Looks:
    """Appearance of all faces of a bundle; face indices are those of its face table.

    Attributes:
        uv: (F, 3, 2) float32 corner coordinates in tiles: a texture covers [0, 1).
        rounding: shading normals of curved bodies.
    """

    def __init__(self, bundle: SceneBundle) -> None:
        self._faces = _face_looks(bundle)
        self._skin = Skin(bundle, self._faces.uv, self._faces.tint)
        self.rounding = Rounding(bundle.face_table)

    @property
    def uv(self) -> NDArray[np.float32]:
        """Corner coordinates in tiles, (F, 3, 2) float32."""
        return self._faces.uv

    @property
    def grounds(self) -> Grounds:
        """How grounds wear."""
        return self._skin.grounds

    def evaluate(self, face: Any, uv: Any, *, near: bool = True) -> Seen:
        """What points on faces look like.

        Args:
            face: (N,) UInt32 face indices.
            uv: (N,) pairs of Float: coordinates in tiles.
            near: whether to show wear and details; what only sheds light does without.
        """
        return self._skin.evaluate(face, uv, near=near)

    def at(
        self, face: NDArray[np.int64], uv: Array
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        """Base colour (N, 3), GGX roughness (N,) and metalness (N,) as float32 arrays.

        Args:
            face: (N,) face indices.
            uv: (N, 2) coordinates in tiles.
        """
        ad = arrays()
        point = ad.Array2f(np.ascontiguousarray(uv.T, np.float32))
        seen = self.evaluate(ad.UInt32(face.astype(np.uint32)), point)
        return np.array(seen.colour).T, np.array(seen.roughness), np.array(seen.metallic)


def _face_looks(bundle: SceneBundle) -> _Faces:
    table = bundle.face_table
    recipes = [recipe_of(material) for material in bundle.visual_materials]
    tile = np.array([RECIPES[recipe].tile for recipe in recipes])
    strength = np.array(
        [_GLASS_TINT.get(recipe, _TINT.get(recipe.split("-")[0], 0.0)) for recipe in recipes]
    )
    facade = np.array([recipe.startswith("facade-") for recipe in recipes])
    ids, which = np.unique(table.instance, return_inverse=True)
    tints, bays = _object_variation(ids)
    visual = table.visual.astype(np.int64)
    uv = table.corner_uv.astype(np.float64)
    uv[..., 0] += np.where(facade[visual], bays[which], 0)[:, None]
    uv /= tile[visual][:, None, None]
    uv -= _whole_tiles(uv, visual, facade)[:, None]
    shared = np.array([recipe in SHARED for recipe in recipes])
    paint = np.array([recipe.startswith("paint") for recipe in recipes])
    sprayed = (table.semantic == SemanticClass.VEHICLE) & (paint | ~shared)[visual]
    varied = np.where(sprayed, _PAINT_TINT, strength[visual])
    tint = 1 + varied[:, None] * tints[which]
    # Textures that materials share are factors of their colours.
    colours = np.array([material.base_color for material in bundle.visual_materials])
    tint *= np.where(shared[:, None], colours, 1.0)[visual]
    leafy = np.array([recipe == "foliage" for recipe in recipes])[visual] & (table.instance > 0)
    trees, first, tree = np.unique(which[leafy], return_index=True, return_inverse=True)
    leaves = [
        leaf_tint(int(ids[number]), bundle.visual_materials[material].base_color)
        for number, material in zip(trees, visual[leafy][first], strict=True)
    ]
    tint[leafy] = np.array(leaves).reshape(-1, 3)[tree]
    return _Faces(tint.astype(np.float32), uv.astype(np.float32))


def _whole_tiles(uv: Array, visual: NDArray[np.int64], facade: NDArray[np.bool_]) -> Array:
    """What to take off the coordinates of every face, (F, 2): float32 keeps small ones best.

    Of a facade the columns of each face; its rows count from the ground floor. Of other
    materials what all their faces have in common, as they may share one surface.
    """
    low = np.floor(uv.min(axis=1))
    common = np.full((len(facade), 2), np.inf)
    np.minimum.at(common, visual, low)
    own = np.column_stack([low[:, 0], np.zeros(len(low))])
    return np.where(facade[visual][:, None], own, common[visual])


def _object_variation(ids: NDArray[np.int32]) -> tuple[Array, Array]:
    """Per object: a colour offset, (N, 3) in [-1.2, 1.2], and a shift in whole bays."""
    tints, bays = np.zeros((len(ids), 3)), np.zeros(len(ids))
    for row, instance in enumerate(ids.tolist()):
        if instance:
            random = stream(0, "look", instance)
            brightness, warmth = random.uniform(-1, 1), random.uniform(-0.2, 0.2)
            tints[row] = brightness + warmth * np.array([1.0, 0.0, -1.0])
            bays[row] = random.integers(0, 8)
    return tints, bays
