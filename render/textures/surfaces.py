"""Textures of everything but windows, doors and trees: roofs, ground, bare walls.

Lengths are metres.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from vasgen.render.textures import plants
from vasgen.render.textures.noise import blocks, bonded, clouds, grain, scattered

Float = NDArray[np.float32]
Random = np.random.Generator

#: Brightness and warmth, both (size, size), zero on average.
Tone = tuple[Float, Float]


def coloured(base: tuple[float, float, float], tone: Float, hue: Float) -> Float:
    """Reflectance (size, size, 3) with mean ``base``, varied by brightness and warmth."""
    warm = np.array([1.0, 0.15, -1.0], np.float32)
    factor = np.clip((1 + tone)[..., None] * (1 + hue[..., None] * warm), 0.05, 2.5)
    factor /= factor.mean(axis=(0, 1))
    return np.asarray(np.clip(np.array(base, np.float32) * factor, 0, 1), np.float32)


def _roof_tiles(size: int, random: Random) -> Tone:
    """Pantiles, 25 cm wide, in courses of 33 cm up the slope; 4 m."""
    columns, rows = 16, 12
    value, _ = bonded(random, size, columns, rows, shift=0.0)
    u, v = _axes(size, columns, rows)
    curve = (0.14 * np.cos(2 * np.pi * u)).astype(np.float32)
    overlap = -0.40 * np.exp(-(((v % 1) / 0.10) ** 2)).astype(np.float32)
    moss = clouds(random, size, coarse=1, fine=10)
    tone = curve + overlap + 0.16 * value + 0.07 * moss
    return np.asarray(tone, np.float32), 0.10 * value + 0.04 * moss


def _roof_gravel(size: int, random: Random) -> Tone:
    """Gravel on a flat roof, with darker puddle marks; 12 m."""
    puddles: Float = np.minimum(clouds(random, size, coarse=1, fine=8, slope=1.4), np.float32(0.4))
    stones = grain(random, size)
    return 0.10 * puddles + 0.10 * stones + 0.05 * clouds(random, size, coarse=8, fine=60), (
        0.02 * puddles
    )


def _roof_metal(size: int, random: Random) -> Tone:
    """Sheet with standing seams every 50 cm, lying up the slope; 4 m."""
    u, _ = _axes(size, 8, 1)
    phase = np.broadcast_to(u % 1, (size, size))
    seam = 0.25 * np.exp(-(((phase - 0.06) / 0.03) ** 2)) - 0.4 * np.exp(
        -(((phase - 0.13) / 0.03) ** 2)
    )
    sheet = blocks(random, size, 8, 1)
    streaks = clouds(random, size, coarse=2, fine=60, stretch=(1.0, 8.0))
    return seam + 0.05 * sheet + 0.04 * streaks, 0.02 * sheet


def _asphalt(size: int, random: Random) -> Tone:
    """Asphalt: chippings laid bare, hair cracks, and cracks sealed with tar; 24 m."""
    wear = clouds(random, size, coarse=1, fine=6, slope=1.2)
    stones = clouds(random, size, coarse=200, fine=size / 2, slope=0.0)
    bare = np.clip(stones - 1.3, 0, 2)
    hair = _lines(clouds(random, size, coarse=3, fine=60, slope=1.5), 0.010)
    hair = hair * (clouds(random, size, coarse=1, fine=5) > 0.7)
    tar = _lines(clouds(random, size, coarse=2, fine=40, slope=1.7), 0.018)
    tar = tar * (clouds(random, size, coarse=1, fine=4) > 1.3)
    tone = 0.04 * wear + 0.10 * stones + 0.22 * bare - 0.36 * hair - 0.34 * tar
    return np.asarray(tone, np.float32), np.asarray(0.02 * wear, np.float32)


def _lines(field: Float, width: float) -> Float:
    """Where a field is near zero: winding lines."""
    return np.asarray(np.exp(-((field / width) ** 2)), np.float32)


def _pavement(size: int, random: Random) -> Tone:
    """Concrete flags, 60 cm, with open joints, mossy here and there, and trodden gum; 6 m."""
    value, joint = bonded(random, size, 10, 10)
    dirt = clouds(random, size, coarse=1, fine=30)
    wet = clouds(random, size, coarse=1, fine=4)
    spots, around = scattered(random, size, 900)
    gum = (spots > 0.82) & (around > 0.80)
    moss = joint * np.clip(wet, 0, 1)
    renewed = np.maximum(np.abs(value) - 0.85, 0) * np.sign(value)
    tone = 0.06 * value + 0.9 * renewed - 0.34 * joint + 0.04 * dirt + 0.02 * wet - 0.16 * gum
    return np.asarray(tone + 0.03 * grain(random, size), np.float32), np.asarray(
        0.03 * value - 0.05 * moss, np.float32
    )


def _plaza(size: int, random: Random) -> Tone:
    """Stone slabs, 1.2 x 0.6 m, in two tones, framed by dark bands every 12 m."""
    value, joint = bonded(random, size, 10, 20)
    u, v = _axes(size, 1, 1)
    band = ((u % 1 < 0.05) | (v % 1 < 0.05)).astype(np.float32)
    dirt = clouds(random, size, coarse=1, fine=30)
    tone = 0.09 * value * (1 - band) - 0.25 * joint - 0.34 * band + 0.04 * dirt
    return tone, 0.05 * value


def _grass(size: int, random: Random) -> Tone:
    """Lawn: tufts, clover and dry blades; 20 m."""
    patches = clouds(random, size, coarse=1, fine=12, slope=1.0)
    dry = np.clip(clouds(random, size, coarse=2, fine=40, slope=1.1) - 0.8, 0, 1.5)
    tufts = clouds(random, size, coarse=25, fine=200, slope=0.5)
    blades = clouds(random, size, coarse=120, fine=size / 2, slope=0.0)
    _, clover = scattered(random, size, 260)
    clover = np.clip(clouds(random, size, coarse=2, fine=20) - 0.9, 0, 1) * clover
    tone = 0.04 * patches + 0.15 * tufts + 0.22 * blades + 0.07 * dry - 0.20 * clover
    hue = 0.02 * patches + 0.09 * dry - 0.05 * clover + 0.03 * tufts
    return np.asarray(tone, np.float32), np.asarray(hue, np.float32)


def _soil(size: int, random: Random) -> Tone:
    """Bare earth with stones and puddle marks; 12 m."""
    patches = clouds(random, size, coarse=1, fine=40, slope=1.0)
    value, edge = scattered(random, size, 6000)
    stones = (value > 0.75) * np.clip(2 * edge, 0, 1)
    tone = 0.14 * patches + 0.09 * grain(random, size) + 0.35 * stones
    return np.asarray(tone, np.float32), np.asarray(0.04 * patches - 0.05 * stones, np.float32)


def _water(size: int, random: Random) -> Tone:
    """Open water: calm and ruffled stretches, with ripples across the wind; 30 m."""
    wind = clouds(random, size, coarse=1, fine=10, slope=1.2)
    ripples = clouds(random, size, coarse=20, fine=250, slope=0.6, stretch=(1.0, 3.0))
    return np.asarray(0.25 * wind + 0.25 * ripples, np.float32), -0.02 * wind


def _wall_brick(size: int, random: Random) -> Tone:
    """Stretchers of 25 cm in courses of 7.7 cm; 4 m.

    A few bricks are burnt, some bleached by lime; the lower edge of each is in its own shade.
    """
    value, joint = bonded(random, size, 16, 52)
    _, v = _axes(size, 16, 52)
    shade = np.broadcast_to(0.10 * (v % 1 - 0.5), (size, size))
    burnt = np.clip(-value - 0.80, 0, 1)
    dirt = clouds(random, size, coarse=1, fine=12)
    lime = np.clip(clouds(random, size, coarse=1, fine=30, slope=1.1) - 1.3, 0, 1)
    tone = 0.10 * value - 0.9 * burnt + (0.26 - 0.10 * value) * joint
    tone = tone + shade * (1 - joint) + 0.05 * dirt + 0.22 * lime + 0.04 * grain(random, size)
    hue = 0.07 * value - 0.18 * joint - 0.10 * lime - 0.12 * burnt
    return np.asarray(tone, np.float32), np.asarray(hue, np.float32)


def _wall_plaster(size: int, random: Random) -> Tone:
    """Rendered wall: trowelled, with hair cracks and flaking corners; 8 m."""
    patches = clouds(random, size, coarse=1, fine=16, slope=1.0)
    trowel = clouds(random, size, coarse=20, fine=180, slope=0.6, stretch=(1.6, 1.0))
    cracks = _lines(clouds(random, size, coarse=2, fine=40, slope=1.5), 0.010)
    cracks = cracks * (clouds(random, size, coarse=1, fine=4) > 1.0)
    flakes = clouds(random, size, coarse=2, fine=60, slope=1.2) > 2.7
    tone = 0.03 * patches + 0.035 * trowel - 0.22 * cracks - 0.16 * flakes
    return np.asarray(tone, np.float32), np.asarray(0.01 * patches + 0.04 * flakes, np.float32)


def _wall_stone(size: int, random: Random) -> Tone:
    """Ashlar, 80 x 40 cm; 4.8 m."""
    value, joint = bonded(random, size, 6, 12)
    veins = clouds(random, size, coarse=2, fine=60, slope=1.0)
    return 0.07 * value - 0.22 * joint + 0.04 * veins + 0.02 * grain(random, size), 0.04 * value


def _wall_concrete(size: int, random: Random) -> Tone:
    """Cast concrete, formwork boards 1.6 m wide and 0.8 m high, with tie holes and pores; 6.4 m."""
    value = blocks(random, size, 4, 8)
    u, v = _axes(size, 4, 8)
    seam = ((u % 1 < 0.012) | (v % 1 < 0.024)).astype(np.float32)
    hole = np.hypot((np.abs(u % 1 - 0.5) - 0.3) * 1.6, (v % 1 - 0.5) * 0.8) < 0.022
    spots, around = scattered(random, size, 5000)
    pores = (spots > 0.8) & (around > 0.9)
    stains = clouds(random, size, coarse=1, fine=40, slope=1.0, stretch=(1.0, 2.5))
    tone = 0.05 * value - 0.20 * seam - 0.35 * hole - 0.14 * pores + 0.05 * stains
    return np.asarray(tone + 0.03 * grain(random, size), np.float32), np.asarray(
        0.012 * value + 0.01 * stains, np.float32
    )


def _wall_boards(size: int, random: Random) -> Tone:
    """Weatherboards, 15 cm; 3 m."""
    value = blocks(random, size, 1, 20)
    _, v = _axes(size, 1, 20)
    lap = np.broadcast_to(-0.35 * np.exp(-(((v % 1) / 0.12) ** 2)), (size, size))
    fibres = clouds(random, size, coarse=4, fine=90, slope=0.7, stretch=(8.0, 1.0))
    return np.asarray(lap + 0.05 * value + 0.04 * fibres, np.float32), 0.02 * value


def _wall_sheet(size: int, random: Random) -> Tone:
    """Trapezoidal sheet, ribs every 25 cm, sheets of 1 m with rust at some laps; 4 m."""
    u, v = _axes(size, 16, 1)
    phase = np.broadcast_to(u % 1, (size, size))
    profile = np.where(phase < 0.35, 0.10, np.where(phase < 0.5, -0.25, 0.0)).astype(np.float32)
    sheet = blocks(random, size, 4, 1)
    streaks = clouds(random, size, coarse=2, fine=60, stretch=(1.0, 8.0))
    lap = np.broadcast_to(np.abs(v % 1 - 0.5) < 0.006, (size, size))
    rust = np.clip(clouds(random, size, coarse=2, fine=60, slope=1.0) - 1.7, 0, 1)
    tone = profile + 0.04 * sheet + 0.05 * streaks - 0.2 * lap - 0.35 * rust
    return np.asarray(tone, np.float32), np.asarray(0.01 * sheet + 0.3 * rust, np.float32)


def _axes(size: int, columns: float, rows: float) -> tuple[Float, Float]:
    """u (1, size) and v (size, 1) at texel centres, counted in columns and rows."""
    at = ((np.arange(size) + 0.5) / size).astype(np.float32)
    return at[None] * np.float32(columns), at[:, None] * np.float32(rows)


#: Tile length in metres, texels along it, and painter of every recipe.
SURFACES: dict[str, tuple[float, int, Callable[[int, Random], Tone]]] = {
    "roof-tiles": (4.0, 384, _roof_tiles),
    "roof-gravel": (12.0, 512, _roof_gravel),
    "roof-metal": (4.0, 384, _roof_metal),
    "asphalt": (24.0, 1024, _asphalt),
    "pavement": (6.0, 512, _pavement),
    "plaza": (12.0, 512, _plaza),
    "grass": (20.0, 768, _grass),
    "soil": (12.0, 512, _soil),
    "water": (30.0, 768, _water),
    "bark": (1.0, 256, plants.bark),
    "foliage": (3.0, 512, plants.foliage),
    "wall-brick": (4.0, 512, _wall_brick),
    "wall-plaster": (8.0, 384, _wall_plaster),
    "wall-stone": (4.8, 384, _wall_stone),
    "wall-concrete": (6.4, 512, _wall_concrete),
    "wall-boards": (3.0, 384, _wall_boards),
    "wall-sheet": (4.0, 384, _wall_sheet),
}
