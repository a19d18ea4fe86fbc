"""Textures of everything but windows and doors: roofs, ground, trees, bare walls.

Lengths are metres.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from vasgen.render.noise import blocks, bonded, clouds, grain

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
    """Asphalt with patches, cracks and wear; 24 m."""
    wear = clouds(random, size, coarse=1, fine=6, slope=1.2)
    field = clouds(random, size, coarse=2, fine=24, slope=1.3)
    cracks = np.exp(-((field / 0.018) ** 2)) * (wear > 0.3)
    return 0.10 * wear + 0.10 * grain(random, size) - 0.30 * cracks, 0.02 * wear


def _pavement(size: int, random: Random) -> Tone:
    """Concrete flags, 60 cm, with open joints; 6 m."""
    value, joint = bonded(random, size, 10, 10)
    dirt = clouds(random, size, coarse=1, fine=30)
    return 0.08 * value - 0.32 * joint + 0.05 * dirt + 0.03 * grain(random, size), 0.03 * value


def _plaza(size: int, random: Random) -> Tone:
    """Stone slabs, 1.2 x 0.6 m, in two tones, framed by dark bands every 12 m."""
    value, joint = bonded(random, size, 10, 20)
    u, v = _axes(size, 1, 1)
    band = ((u % 1 < 0.05) | (v % 1 < 0.05)).astype(np.float32)
    dirt = clouds(random, size, coarse=1, fine=30)
    tone = 0.09 * value * (1 - band) - 0.25 * joint - 0.34 * band + 0.04 * dirt
    return tone, 0.05 * value


def _grass(size: int, random: Random) -> Tone:
    """Mown lawn: patches and blades; 20 m."""
    patches = clouds(random, size, coarse=1, fine=12, slope=1.0)
    tufts = clouds(random, size, coarse=20, fine=200, slope=0.3)
    return 0.13 * patches + 0.16 * tufts + 0.08 * grain(random, size), (
        0.05 * clouds(random, size, coarse=1, fine=8)
    )


def _soil(size: int, random: Random) -> Tone:
    """Bare earth with stones; 12 m."""
    patches = clouds(random, size, coarse=1, fine=40, slope=1.0)
    return 0.14 * patches + 0.12 * grain(random, size), 0.04 * patches


def _bark(size: int, random: Random) -> Tone:
    """Furrows along the stem; 1 m."""
    furrows = clouds(random, size, coarse=4, fine=60, slope=0.5, stretch=(1.0, 6.0))
    return 0.28 * furrows, 0.05 * furrows


def _foliage(size: int, random: Random) -> Tone:
    """Clumps of leaves with dark gaps; 3 m."""
    clumps = clouds(random, size, coarse=3, fine=20, slope=0.6)
    leaves = clouds(random, size, coarse=20, fine=80, slope=0.2)
    return 0.26 * clumps + 0.30 * leaves, 0.07 * clumps + 0.04 * leaves


def _wall_brick(size: int, random: Random) -> Tone:
    """Stretchers of 25 cm in courses of 7.7 cm; 4 m."""
    value, joint = bonded(random, size, 16, 52)
    dirt = clouds(random, size, coarse=1, fine=12)
    return 0.15 * value - 0.16 * joint + 0.04 * dirt + 0.03 * grain(random, size), 0.05 * value


def _wall_plaster(size: int, random: Random) -> Tone:
    """Rendered wall with faint clouds and streaks of rain; 8 m."""
    patches = clouds(random, size, coarse=1, fine=16, slope=1.0)
    streaks = clouds(random, size, coarse=3, fine=60, slope=0.8, stretch=(1.0, 5.0))
    return 0.03 * patches + 0.02 * streaks + 0.02 * grain(random, size), 0.01 * patches


def _wall_stone(size: int, random: Random) -> Tone:
    """Ashlar, 80 x 40 cm; 4.8 m."""
    value, joint = bonded(random, size, 6, 12)
    veins = clouds(random, size, coarse=2, fine=60, slope=1.0)
    return 0.07 * value - 0.22 * joint + 0.04 * veins + 0.02 * grain(random, size), 0.04 * value


def _wall_concrete(size: int, random: Random) -> Tone:
    """Cast concrete, formwork boards 1.6 m wide and 0.8 m high; 6.4 m."""
    value = blocks(random, size, 4, 8)
    u, v = _axes(size, 4, 8)
    seam = ((u % 1 < 0.012) | (v % 1 < 0.024)).astype(np.float32)
    stains = clouds(random, size, coarse=1, fine=40, slope=1.0, stretch=(1.0, 2.5))
    return 0.03 * value - 0.18 * seam + 0.05 * stains + 0.03 * grain(random, size), 0.01 * value


def _wall_boards(size: int, random: Random) -> Tone:
    """Weatherboards, 15 cm; 3 m."""
    value = blocks(random, size, 1, 20)
    _, v = _axes(size, 1, 20)
    lap = np.broadcast_to(-0.35 * np.exp(-(((v % 1) / 0.12) ** 2)), (size, size))
    fibres = clouds(random, size, coarse=4, fine=90, slope=0.7, stretch=(8.0, 1.0))
    return np.asarray(lap + 0.05 * value + 0.04 * fibres, np.float32), 0.02 * value


def _wall_sheet(size: int, random: Random) -> Tone:
    """Trapezoidal sheet, ribs every 25 cm, sheets of 1 m; 4 m."""
    u, _ = _axes(size, 16, 1)
    phase = np.broadcast_to(u % 1, (size, size))
    profile = np.where(phase < 0.35, 0.10, np.where(phase < 0.5, -0.25, 0.0)).astype(np.float32)
    sheet = blocks(random, size, 4, 1)
    streaks = clouds(random, size, coarse=2, fine=60, stretch=(1.0, 8.0))
    return profile + 0.03 * sheet + 0.03 * streaks, 0.01 * sheet


def _axes(size: int, columns: float, rows: float) -> tuple[Float, Float]:
    """u (1, size) and v (size, 1) at texel centres, counted in columns and rows."""
    at = ((np.arange(size) + 0.5) / size).astype(np.float32)
    return at[None] * np.float32(columns), at[:, None] * np.float32(rows)


#: Tile length in metres, texels along it, and painter of every recipe.
SURFACES: dict[str, tuple[float, int, Callable[[int, Random], Tone]]] = {
    "roof-tiles": (4.0, 384, _roof_tiles),
    "roof-gravel": (12.0, 512, _roof_gravel),
    "roof-metal": (4.0, 384, _roof_metal),
    "asphalt": (24.0, 768, _asphalt),
    "pavement": (6.0, 384, _pavement),
    "plaza": (12.0, 512, _plaza),
    "grass": (20.0, 768, _grass),
    "soil": (12.0, 512, _soil),
    "bark": (1.0, 256, _bark),
    "foliage": (3.0, 256, _foliage),
    "wall-brick": (4.0, 512, _wall_brick),
    "wall-plaster": (8.0, 384, _wall_plaster),
    "wall-stone": (4.8, 384, _wall_stone),
    "wall-concrete": (6.4, 512, _wall_concrete),
    "wall-boards": (3.0, 384, _wall_boards),
    "wall-sheet": (4.0, 384, _wall_sheet),
}
