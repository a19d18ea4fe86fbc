"""Facade textures: walls with windows, in bays and storeys.

A texture covers 8 bays by 8 storeys: the ground floor, then seven that repeat upward.
A variant chooses proportions, divisions and trim; every window has its own blinds,
curtains and darkness.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from vasgen.bundle import VisualMaterial
from vasgen.render.noise import blocks, bonded, clouds, grain, mix
from vasgen.render.openings import CELLS, Facade, Opening

Float = NDArray[np.float32]
Random = np.random.Generator

#: Kinds of facade: recipes are "facade-" and the kind.
KINDS = ("brick", "concrete", "glass", "plaster", "shed")

#: Roughness of window panes.
GLASS_ROUGHNESS = 0.06


def paint(
    facade: Facade, wall: Float, material: VisualMaterial, random: Random
) -> tuple[Float, Float]:
    """Put the openings of a facade onto its wall.

    Args:
        facade: the layout.
        wall: (size, size, 3) reflectance of the bare wall.
        material: whose roughness the wall has.
        random: source of what differs between windows.

    Returns:
        (size, size, 3) reflectance and (size, size) roughness.
    """
    size = len(wall)
    masks = {
        part: _assemble(facade, part, size // CELLS)
        for part in ("opening", "glass", "trim", "shutters")
    }
    # Reveals and sills throw a little shade and dirt on the wall below them.
    shade = _below(masks["trim"] + masks["opening"], size // 40) * (1 - masks["opening"])
    colour = wall * (1 - 0.16 * shade)[..., None]
    colour = mix(colour, facade.trim, masks["trim"][..., None])
    colour = mix(colour, facade.shutter, masks["shutters"][..., None])
    colour = mix(colour, facade.frame, masks["opening"][..., None])
    colour = mix(colour, rooms(facade, material, size, random), masks["glass"][..., None])
    roughness = mix(np.float32(_wall_roughness(material)), 0.5, masks["opening"])
    return colour, mix(roughness, GLASS_ROUGHNESS, masks["glass"])


def _wall_roughness(material: VisualMaterial) -> float:
    """A glass facade's roughness is that of its panes; its spandrels are duller."""
    return max(material.roughness, 0.3)


def bare_wall(material: VisualMaterial, size: int, random: Random) -> Float:
    """Reflectance of the wall without openings, (size, size, 3)."""
    relief, hue = _WALLS[material.recipe](size, random)
    stains = clouds(random, size, coarse=2, fine=40, slope=1.2, stretch=(1.0, 4.0))
    value = relief + 0.035 * stains + 0.02 * grain(random, size)
    warm = np.array([1.0, 0.2, -1.0], np.float32)
    tone = 1 + value[..., None] + 0.05 * hue[..., None] * warm
    return np.asarray(np.array(material.base_color, np.float32) * 1.06 * np.clip(tone, 0.3, 1.6))


def _assemble(facade: Facade, part: str, count: int) -> Float:
    """One mask of all 8 x 8 cells."""

    def cell(openings: tuple[Opening, ...]) -> Float:
        cover = np.zeros((count, count), np.float32)
        for opening in openings:
            cover = np.maximum(cover, getattr(opening, part)(count))
        return cover

    ground, upper = (
        np.concatenate([cell(kinds[kind % len(kinds)]) for kind in facade.rhythm], axis=1)
        for kinds in (facade.ground, facade.upper)
    )
    return np.concatenate([ground, *[upper] * (CELLS - 1)])


def _below(mask: Float, reach: int) -> Float:
    """How much of the ``reach`` texels above each texel is covered, fading."""
    shade = np.zeros_like(mask)
    for step in range(1, reach + 1):
        shade[:-step] += np.maximum(mask[step:] - mask[:-step], 0) * (1 - step / (reach + 1))
    return np.asarray(np.clip(shade / reach * 2, 0, 1))


def rooms(facade: Facade, material: VisualMaterial, size: int, random: Random) -> Float:
    """What is seen in and through every window, (size, size, 3)."""
    count = size // CELLS
    v = ((np.arange(size) + 0.5) / count % 1)[:, None]
    u = ((np.arange(size) + 0.5) / count % 1)[None]

    def each(low: float, high: float) -> Float:
        values = random.uniform(low, high, (CELLS, CELLS)).astype(np.float32)
        return values.repeat(count, axis=0).repeat(count, axis=1)

    glow = each(0.25, 1.0) ** 2 * (0.55 + 0.6 * v)
    tint = np.array(facade.tint or material.base_color, np.float32)
    room = tint * (0.35 + glow)[..., None]
    room = room * (1 + 0.12 * each(-1, 1)[..., None] * np.array([1.0, 0.0, -1.0], np.float32))
    lowered = (each(0, 1) < facade.blinds) & (v > each(0.15, 0.85))
    slats = 0.9 + 0.1 * np.sign(np.sin(2 * np.pi * 18 * v))
    blind = np.array([0.46, 0.44, 0.40], np.float32) * (each(0.6, 1.1) * slats)[..., None]
    side = 0.5 - np.abs(u - 0.5)
    curtain = (each(0, 1) < facade.curtains) & (side < each(0.22, 0.36))
    cloth = np.array([0.40, 0.37, 0.33], np.float32) * each(0.4, 1.1)[..., None]
    return mix(mix(room, cloth, curtain[..., None]), blind, lowered[..., None])


def _courses(size: int, random: Random) -> tuple[Float, Float]:
    """Stretchers of 25 cm, in pairs of courses: single ones are finer than the texels."""
    value, joint = bonded(random, size, 14 * CELLS, 20 * CELLS)
    return 0.14 * value - 0.10 * joint * value + 0.03 * joint, value


def _render_coat(size: int, random: Random) -> tuple[Float, Float]:
    patches = clouds(random, size, coarse=1, fine=12, slope=1.0)
    return 0.03 * patches, np.zeros((size, size), np.float32)


def _panels(size: int, random: Random) -> tuple[Float, Float]:
    columns = CELLS * int(random.integers(1, 3))
    value = blocks(random, size, columns, CELLS)
    cell = size // CELLS
    seam = np.maximum(
        (np.arange(size) % (size // columns) < 2)[None], (np.arange(size) % cell < 2)[:, None]
    )
    rough = clouds(random, size, coarse=8, fine=90, slope=0.6)
    return np.asarray(0.05 * value + 0.03 * rough - 0.28 * seam, np.float32), 0.5 * value


def _spandrels(size: int, random: Random) -> tuple[Float, Float]:
    value = blocks(random, size, 2 * CELLS, CELLS)
    return 0.10 * value, value


def _ribs(size: int, random: Random) -> tuple[Float, Float]:
    """Trapezoidal sheet: ribs a third of a metre apart, sheets two bays wide."""
    phase = (np.arange(size) + 0.5) / size * 10 * CELLS % 1
    profile = np.where(phase < 0.3, 0.10, np.where(phase < 0.5, -0.22, 0.0)).astype(np.float32)
    sheet = blocks(random, size, CELLS // 2, 1)
    return np.asarray(profile[None] + 0.03 * sheet, np.float32), 0.3 * sheet


_WALLS: dict[str, Callable[[int, Random], tuple[Float, Float]]] = {
    "facade-brick": _courses,
    "facade-plaster": _render_coat,
    "facade-concrete": _panels,
    "facade-glass": _spandrels,
    "facade-shed": _ribs,
}
