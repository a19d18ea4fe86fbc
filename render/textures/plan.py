"""Which textures a scene needs, and which of them each face shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vasgen.bundle import FaceTable, SceneBundle, VisualMaterial
from vasgen.render.textures.recipes import (
    DETAILS,
    RECIPES,
    SHARED,
    build_detail,
    build_texture,
    check_budget,
)
from vasgen.render.textures.texture import Texture

#: Wanted number of layouts of facades of one recipe in a scene, and most of one material.
_LAYOUTS, _EDITIONS = 12, 4

#: Different pictures of one kind of bare wall.
_DETAILS = 2

#: Recipes without structure of a certain size: much enlarged they vary themselves.
NATURAL = frozenset({"asphalt", "grass", "soil", "roof-gravel", "water"})

#: Mean reflectance of the textures of details: they are factors.
DETAIL_MEAN = 0.4

#: Textures painted at a time; each needs some 50 MB while it is painted.
_THREADS = 4


class TexturePlan(NamedTuple):
    """Which textures a scene has, numbered from ``start`` on.

    Attributes:
        start: number of the first.
        textures: what to paint: material and edition, or its detail (edition -1).
        first: (M,) number of the first texture of each material; 0: none.
        editions: (M,) number of its editions.
        second: (M,) number of the texture that varies it; 0: none.
    """

    start: int
    textures: list[tuple[VisualMaterial, int]]
    first: NDArray[np.int64]
    editions: NDArray[np.int64]
    second: NDArray[np.int64]


def plan_textures(bundle: SceneBundle, start: int) -> TexturePlan:
    """The textures of a scene.

    Raises:
        InputError: if they need more memory than allowed.
    """
    materials, faces = bundle.visual_materials, bundle.face_table
    users = np.unique(np.stack([faces.visual.astype(np.int64), faces.instance]), axis=1)
    used = np.bincount(users[0], minlength=len(materials))
    wanted = _layouts(materials, used)
    walls = facade_colours(materials)
    textures: list[tuple[VisualMaterial, int]] = []
    first, second = np.zeros((2, len(materials)), np.int64)
    editions = np.ones(len(materials), np.int64)
    details: dict[tuple[str, int], int] = {}
    shared: dict[str, int] = {}
    for index in np.flatnonzero(used).tolist():
        material = materials[index]
        if recipe_of(material) in shared:
            first[index] = shared[material.recipe]
        elif recipe_of(material) != "plain":
            first[index] = start + len(textures)
            if material.recipe in SHARED:
                shared[material.recipe] = start + len(textures)
            editions[index] = min(used[index], wanted.get(material.recipe, 1))
            textures += [(material, edition) for edition in range(editions[index])]
        if material.recipe in NATURAL:
            second[index] = first[index]
        wall = walls.get(material.base_color) if recipe_of(material) == "plain" else material
        if wall is not None and wall.recipe in DETAILS:
            detail = DETAILS[wall.recipe], wall.variant % _DETAILS
            if detail not in details:
                details[detail] = start + len(textures)
                textures.append((wall, -1))
            second[index] = details[detail]
    check_budget(len(materials), [RECIPES[material.recipe] for material, _ in textures])
    return TexturePlan(start, textures, first, editions, second)


def _layouts(materials: tuple[VisualMaterial, ...], used: NDArray[np.int64]) -> dict[str, int]:
    """Wanted number of layouts of a facade material, by recipe."""
    facades = [m.recipe for m, n in zip(materials, used, strict=True) if n]
    count = Counter(recipe for recipe in facades if recipe.startswith("facade-"))
    return {recipe: min(_EDITIONS, -(-_LAYOUTS // number)) for recipe, number in count.items()}


def facade_colours(
    materials: tuple[VisualMaterial, ...],
) -> dict[tuple[float, float, float], VisualMaterial]:
    """Facades by colour: a plain wall in that colour is a part of it without windows."""
    return {m.base_color: m for m in materials if m.recipe in DETAILS}


def painted(plan: TexturePlan) -> Iterator[Texture]:
    """The textures of a plan, in the order of their numbers."""

    def paint(wanted: tuple[VisualMaterial, int]) -> Texture:
        material, edition = wanted
        if edition < 0:
            return build_detail(material, DETAIL_MEAN)
        return build_texture(material, edition)

    # NumPy lets go of the interpreter lock while it computes.
    with ThreadPoolExecutor(_THREADS) as pool:
        yield from pool.map(paint, plan.textures)


def texture_numbers(plan: TexturePlan, faces: FaceTable) -> NDArray[np.uint32]:
    """Texture of every face, (F,): each object has one edition of its material."""
    lots = (faces.instance.astype(np.uint64) * 2654435761 % 2**32) >> 16
    edition = lots.astype(np.int64) % plan.editions[faces.visual]
    return (plan.first[faces.visual] + edition).astype(np.uint32)


def recipe_of(material: VisualMaterial) -> str:
    """The recipe of a material; "plain" if the renderer does not know it."""
    return material.recipe if material.recipe in RECIPES else "plain"
