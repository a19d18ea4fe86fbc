"""Textures of windows and doors that are geometry: a pane or a leaf fills one cell.

A texture covers 8 x 8 cells, all different: rooms, blinds, curtains, wares, signs. The mean
colour of the material decides how light frames and leaves are.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from vasgen.bundle import VisualMaterial
from vasgen.render.textures.facades import GLASS_ROUGHNESS, each, rooms
from vasgen.render.textures.noise import clouds, grain, mix, rectangle
from vasgen.render.textures.openings import CELLS, GLASS_TINT
from vasgen.render.textures.shopfront import awning, shop, sign
from vasgen.render.textures.texture import Texture

Float = NDArray[np.float32]
Random = np.random.Generator

_FRAME_ROUGHNESS = 0.45


def paint(material: VisualMaterial, size: int, random: Random) -> Texture:
    """The texture of a recipe in :data:`PANES`."""
    return PANES[material.recipe](material, size, random)


def _framed(material: VisualMaterial, inside: Float, frame: Float, random: Random) -> Texture:
    """Glass in a frame whose colour makes the mean that of the material."""
    base = np.array(material.base_color, np.float32)
    share = frame[..., None]
    seen = (inside * (1 - share)).mean(axis=(0, 1))
    # Grey: glass and frame then take the hue of the mean together.
    paint = np.clip((base - seen).mean() / max(float(frame.mean()), 1e-3), 0.02, 0.85)
    dirt = 1 + 0.03 * grain(random, len(frame))[..., None]
    colour = mix(inside, (paint * dirt).repeat(3, axis=2), share)
    roughness = mix(GLASS_ROUGHNESS, _FRAME_ROUGHNESS, frame)
    return Texture(_levelled(colour, base), roughness, frame < 0.5)


def _levelled(colour: Float, base: NDArray[np.float32]) -> Float:
    """The picture with mean ``base``: what is clipped is spread over the rest."""
    for _ in range(4):
        colour = np.clip(colour * (base / colour.mean(axis=(0, 1))), 0, 1)
    return np.asarray(colour, np.float32)


def _cells(one: Float) -> Float:
    """The same cell everywhere."""
    return np.tile(one, (CELLS, CELLS))


def _hung(room: Float, random: Random, blinds: float, curtains: float) -> Float:
    """Blinds and curtains before a share of the rooms."""
    size = len(room)
    v = ((np.arange(size) + 0.5) / (size // CELLS) % 1)[:, None]
    u = ((np.arange(size) + 0.5) / (size // CELLS) % 1)[None]
    lowered = (each(size, random, 0, 1) < blinds) & (v > each(size, random, 0.15, 0.85))
    slats = 0.9 + 0.1 * np.sign(np.sin(2 * np.pi * 18 * v))
    blind = np.array([0.46, 0.44, 0.40]) * (each(size, random, 0.6, 1.1) * slats)[..., None]
    side = 0.5 - np.abs(u - 0.5)
    curtain = (each(size, random, 0, 1) < curtains) & (side < each(size, random, 0.22, 0.36))
    cloth = np.array([0.40, 0.37, 0.33]) * each(size, random, 0.4, 1.1)[..., None]
    return mix(mix(room, cloth, curtain[..., None]), blind, lowered[..., None])


def _bars(count: int, columns: int, rows: int, border: float, bar: float) -> Float:
    """Coverage of frame and glazing bars in one cell, (count, count)."""
    glass = np.zeros((count, count), np.float32)
    wide = (1 - 2 * border - bar * (columns - 1)) / columns
    tall = (1 - 2 * border - bar * (rows - 1)) / rows
    for i in range(columns):
        for j in range(rows):
            u, v = border + i * (wide + bar), border + j * (tall + bar)
            glass += rectangle(count, (u, u + wide), (v, v + tall))
    return np.asarray(1 - np.clip(glass, 0, 1), np.float32)


def _window(material: VisualMaterial, size: int, random: Random) -> Texture:
    """Casements, with blinds and curtains in some."""
    rows = int(random.integers(1, 3))
    frame = _cells(_bars(size // CELLS, 2, rows, 0.055, 0.045))
    inside = _hung(rooms(GLASS_TINT, size, random), random, 0.30, 0.30)
    return _framed(material, inside, frame, random)


def _glazing(material: VisualMaterial, size: int, random: Random) -> Texture:
    """A curtain wall: two panes, and a spandrel in front of the slab."""
    count = size // CELLS
    frame = _cells(_bars(count, 2, 1, 0.012, 0.02))
    # Coated glass hides most of what is behind it.
    inside = mix(rooms(material.base_color, size, random), 0.7 * np.array(material.base_color), 0.4)
    inside = _hung(inside, random, 0.12, 0.0)
    slab = _cells(rectangle(count, (0, 1), (0, float(random.uniform(0.12, 0.26)))))
    base = np.array(material.base_color, np.float32)
    inside = mix(inside, 0.8 * base, slab[..., None])
    seen = mix(inside, 0.5 * base + 0.03, frame[..., None])
    glass = (frame < 0.5) & (slab < 0.5)
    return Texture(_levelled(seen, base), mix(GLASS_ROUGHNESS, 0.3, frame), glass)


def _shop(material: VisualMaterial, size: int, random: Random) -> Texture:
    """A shop window: wares on two levels before a lit room."""
    count = size // CELLS
    frame = _cells(_bars(count, int(random.integers(1, 3)), 1, 0.022, 0.02))
    v = ((np.arange(size) + 0.5) / count % 1)[:, None]
    glow = np.asarray(each(size, random, 0.10, 0.34) * (0.6 + 0.7 * v), np.float32)
    inside: Float = glow[..., None] * np.array([1.0, 0.92, 0.78], np.float32)
    grey = random.uniform(0.08, 0.40, (CELLS * 5, CELLS * 14, 1)).astype(np.float32)
    hue = random.uniform(0.75, 1.25, (CELLS * 5, CELLS * 14, 3)).astype(np.float32)
    row, column = np.arange(size) * 5 * CELLS // size, np.arange(size) * 14 * CELLS // size
    wares = (grey * hue)[row[:, None], column[None]]
    tall = each(size, random, 0.0, 0.55)
    gaps = clouds(random, size, coarse=40, fine=120) > -0.6
    shelf = (v < tall) & ((v * 5) % 1 < 0.7) & gaps
    inside = mix(inside, wares, 0.75 * shelf[..., None])
    front = _framed(material, inside, frame, random)
    cloth, cover = _awnings(size, random)
    colour = mix(front.colour, cloth, cover[..., None])
    roughness = mix(front.roughness, 0.8, cover)
    base = np.array(material.base_color, np.float32)
    return Texture(_levelled(colour, base), roughness, (frame < 0.5) & (cover < 0.5))


def _awnings(size: int, random: Random) -> tuple[Float, Float]:
    """Cloth (size, size, 3) and coverage of the awnings; each goes over two cells."""
    count = size // CELLS
    cloth, cover = np.zeros((size, size, 3), np.float32), np.zeros((size, size), np.float32)
    for row in range(CELLS):
        for column in range(0, CELLS, 2):
            kept = shop(random)
            one = awning(kept, count, random.uniform(0.74, 0.84), 1.01)
            here = np.s_[row * count : (row + 1) * count, column * count : (column + 2) * count]
            cloth[here], cover[here] = np.tile(one[0], (1, 2, 1)), np.tile(one[1], (1, 2))
    return cloth, cover


def _leaf(material: VisualMaterial, size: int, random: Random) -> Texture:
    """A door in its own colour, with panels, a handle and a light above on some."""
    count = size // CELLS
    base = np.array(material.base_color, np.float32)
    tone = each(size, random, 0.55, 1.45)[..., None]
    warm = each(size, random, -0.25, 0.25)[..., None] * np.array([1.0, 0.0, -1.0], np.float32)
    colour = base * tone * (1 + warm)
    groove = np.zeros((count, count), np.float32)
    for u in ((0.12, 0.46), (0.54, 0.88)):
        for low, high in ((0.06, 0.36), (0.42, 0.76)):
            outer = rectangle(count, u, (low, high))
            inner = rectangle(count, (u[0] + 0.03, u[1] - 0.03), (low + 0.015, high - 0.015))
            groove += outer - inner
    border = 1 - rectangle(count, (0.05, 0.95), (0.0, 0.975))
    colour = colour * (1 - 0.45 * _cells(groove) - 0.3 * _cells(border))[..., None]
    light = _cells(rectangle(count, (0.10, 0.90), (0.80, 0.95)))
    light = light * (each(size, random, 0, 1) < 0.6)
    handle = _cells(rectangle(count, (0.90, 0.935), (0.40, 0.46)))
    colour = mix(colour, np.array([0.06, 0.07, 0.08]), light[..., None])
    colour = mix(colour, 0.5, handle[..., None])
    roughness = mix(np.float32(max(material.roughness, 0.3)), GLASS_ROUGHNESS, light)
    return Texture(_levelled(np.asarray(colour, np.float32), base), roughness, light > 0.5)


def _gate(material: VisualMaterial, size: int, random: Random) -> Texture:
    """A sectional door of five leaves."""
    count = size // CELLS
    base = np.array(material.base_color, np.float32)
    v = ((np.arange(size) + 0.5) / count * 5 % 1)[:, None]
    seam = np.where(v < 0.08, -0.4, np.where(v > 0.92, 0.15, 0.0)).astype(np.float32)
    ribs = 0.05 * np.sin(v * 8 * np.pi).astype(np.float32)
    tone = 1 + seam + ribs + 0.12 * each(size, random, -1, 1) + 0.02 * grain(random, size)
    roughness = np.full((size, size), material.roughness, np.float32)
    return Texture(_levelled(np.asarray(base * tone[..., None], np.float32), base), roughness)


def _sign(material: VisualMaterial, size: int, random: Random) -> Texture:
    """Boards of all colours: each shop has two cells, its name and what it sells."""
    count = size // CELLS
    colour = np.empty((size, size, 3), np.float32)
    for row in range(CELLS):
        for column in range(0, CELLS, 2):
            kept = shop(random)
            for side in (0, 1):
                here = np.s_[row * count : (row + 1) * count]
                across = np.s_[(column + side) * count : (column + side + 1) * count]
                colour[here, across] = sign(kept, (count, count), side == 0, random)
    roughness = np.full((size, size), material.roughness, np.float32)
    base = np.array(material.base_color, np.float32)
    return Texture(_levelled(colour, base), roughness)


#: Painter of every recipe.
PANES: dict[str, Callable[[VisualMaterial, int, Random], Texture]] = {
    "pane-window": _window,
    "pane-glazing": _glazing,
    "pane-shop": _shop,
    "door-leaf": _leaf,
    "door-gate": _gate,
    "sign-board": _sign,
}
