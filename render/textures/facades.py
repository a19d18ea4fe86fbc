"""Facade textures: walls with windows, in bays and storeys.

A texture covers 8 bays by 8 storeys: the ground floor, then seven that repeat upward.
A variant chooses proportions, divisions and trim; every window has its own blinds,
curtains and darkness.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import correlate1d

from vasgen.bundle import VisualMaterial
from vasgen.render.textures.noise import blocks, clouds, grain, mix
from vasgen.render.textures.openings import CELLS, Colour, Facade, Opening
from vasgen.render.textures.shopfront import awning, shop, sign
from vasgen.render.textures.texture import Texture
from vasgen.seeding import stream

Float = NDArray[np.float32]
Random = np.random.Generator

#: Kinds of facade: recipes are "facade-" and the kind.
KINDS = ("brick", "concrete", "glass", "plaster", "shed")

#: What runs of rain take from red, green and blue.
_SOOT = np.array([0.9, 0.97, 1.05], np.float32)

#: Roughness of window panes.
GLASS_ROUGHNESS = 0.06


def paint(facade: Facade, wall: Float, material: VisualMaterial, random: Random) -> Texture:
    """Put the openings of a facade onto its wall.

    Args:
        facade: the layout.
        wall: (size, size, 3) reflectance of the bare wall.
        material: whose roughness the wall has.
        random: source of what differs between windows.
    """
    size = len(wall)
    masks = {
        part: _assemble(facade, part, size // CELLS)
        for part in ("opening", "glass", "trim", "shutters")
    }
    masks["trim"] = np.maximum(masks["trim"], _courses(facade, size) * (1 - masks["opening"]))
    # Reveals and sills throw a little shade on the wall below them, and rain runs off them.
    shade = _below(masks["trim"] + masks["opening"], size // 40) * (1 - masks["opening"])
    turn = tuple(random.integers(0, size, 2).tolist())
    drips = _below(masks["trim"], size // 14) * np.roll(_runs(size), turn, (0, 1))
    colour = wall * (1 - 0.16 * shade)[..., None]
    colour = colour * (1 - np.clip(0.30 * drips, 0, 0.6)[..., None] * _SOOT)
    colour = mix(colour, facade.trim, masks["trim"][..., None])
    colour = mix(colour, facade.shutter, masks["shutters"][..., None])
    colour = mix(colour, facade.frame, masks["opening"][..., None])
    colour = mix(
        colour, rooms(facade.tint or material.base_color, size, random), masks["glass"][..., None]
    )
    roughness = mix(np.float32(_wall_roughness(material)), 0.5, masks["opening"])
    roughness = mix(roughness, GLASS_ROUGHNESS, masks["glass"])
    front, cover = _shops(facade, size, random)
    colour, roughness = mix(colour, front, cover[..., None]), mix(roughness, 0.6, cover)
    for part in ("glass", "opening"):
        masks[part] = masks[part] * (1 - cover)
    masks["trim"] = np.maximum(masks["trim"], cover)
    bare = masks["opening"] + masks["trim"] + masks["shutters"] < 0.5
    return Texture(colour, roughness, masks["glass"] > 0.5, bare, 1 / CELLS)


@cache
def _runs(size: int) -> Float:
    """Where rain runs down, (size, size), in [0, 1]."""
    random = stream(0, "runs")
    found = clouds(random, size, coarse=24, fine=size / 3, slope=0.6, stretch=(1.0, 12.0))
    return np.asarray(np.clip(0.35 + 0.6 * found, 0, 1), np.float32)


def _wall_roughness(material: VisualMaterial) -> float:
    """A glass facade's roughness is that of its panes; its spandrels are duller."""
    return max(material.roughness, 0.3)


def bare_wall(material: VisualMaterial, size: int, random: Random) -> Float:
    """Reflectance of the wall without openings, (size, size, 3)."""
    relief, hue = _WALLS[material.recipe](size, random)
    value = relief + 0.02 * grain(random, size)
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


def _courses(facade: Facade, size: int) -> Float:
    """Coverage of the bands of stone: above the ground floor, and at the floors."""
    v = ((np.arange(size) + 0.5) / size * CELLS)[:, None]
    band = np.where(v < 1, v > 1 - facade.cornice, v % 1 < facade.course)
    return np.asarray(np.broadcast_to(band, (size, size)), np.float32)


def _shops(facade: Facade, size: int, random: Random) -> tuple[Float, Float]:
    """Sign boards and awnings of the ground floor: colour and coverage."""
    count = size // CELLS
    front, cover = np.zeros((size, size, 3), np.float32), np.zeros((size, size), np.float32)
    kept, before = shop(random), -1
    for bay, kind in enumerate(facade.rhythm):
        opening = (*facade.ground[kind % len(facade.ground)], Opening((0, 1), (0, 1)))[0]
        if opening.board is None:
            continue
        # A shop has one or two bays.
        first = before != bay - 1 or random.random() < 0.5
        kept, before = (shop(random), bay) if first else (kept, -1)
        low, high = (round(edge * count) for edge in opening.board)
        left = bay * count
        board = sign(kept, (high - low, count), first, random)
        front[low:high, left : left + count], cover[low:high, left : left + count] = board, 1
        top = opening.v[1]
        cloth, shown = awning(kept, count, top - 0.11, top + 0.02)
        here = np.s_[:count, left : left + count]
        front[here] = mix(front[here], cloth, shown[..., None])
        cover[here] = np.maximum(cover[here], shown)
    return front, cover


def _below(mask: Float, reach: int) -> Float:
    """How much of the ``reach`` texels above each texel is covered, fading."""
    ramp = 1 - np.arange(1, reach + 1) / (reach + 1)
    weights = np.concatenate([np.zeros(reach + 1), ramp]).astype(np.float32)
    # Facades repeat: work on each different column once.
    columns = np.ascontiguousarray(mask.T).view(np.dtype((np.void, mask.itemsize * len(mask))))
    _, first, which = np.unique(columns.ravel(), return_index=True, return_inverse=True)
    above = correlate1d(mask[:, first], weights, axis=0, mode="constant")[:, which]
    above *= 1 - np.clip(mask, 0, 1)
    return np.asarray(np.clip(above / reach * 2, 0, 1), np.float32)


def rooms(tint: Colour, size: int, random: Random) -> Float:
    """What is seen in every window, (size, size, 3): a room, lighter towards its ceiling."""
    v = ((np.arange(size) + 0.5) / (size // CELLS) % 1)[:, None]
    glow = each(size, random, 0.25, 1.0) ** 2 * (0.55 + 0.6 * v)
    room = np.array(tint, np.float32) * (0.35 + glow)[..., None]
    warm = np.array([1.0, 0.0, -1.0], np.float32)
    return np.asarray(room * (1 + 0.12 * each(size, random, -1, 1)[..., None] * warm))


def each(size: int, random: Random, low: float, high: float) -> Float:
    """One value a cell, (size, size)."""
    count = size // CELLS
    values = random.uniform(low, high, (CELLS, CELLS)).astype(np.float32)
    return values.repeat(count, axis=0).repeat(count, axis=1)


def _even(size: int, random: Random) -> tuple[Float, Float]:
    """Brick, plaster and sheet: what they look like lies in a texture to metre scale."""
    return np.zeros((size, size), np.float32), np.zeros((size, size), np.float32)


def _panels(size: int, random: Random) -> tuple[Float, Float]:
    columns = CELLS * int(random.integers(1, 3))
    value = blocks(random, size, columns, CELLS)
    cell = size // CELLS
    seam = np.maximum(
        (np.arange(size) % (size // columns) < 2)[None], (np.arange(size) % cell < 2)[:, None]
    )
    return np.asarray(0.05 * value - 0.28 * seam, np.float32), 0.5 * value


def _spandrels(size: int, random: Random) -> tuple[Float, Float]:
    value = blocks(random, size, 2 * CELLS, CELLS)
    return 0.10 * value, value


_WALLS: dict[str, Callable[[int, Random], tuple[Float, Float]]] = {
    "facade-brick": _even,
    "facade-plaster": _even,
    "facade-concrete": _panels,
    "facade-glass": _spandrels,
    "facade-shed": _even,
}
