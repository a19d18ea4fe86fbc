"""What is stuck, sprayed and set into surfaces: one picture of 8 x 8 cells.

Rows from below: three of posters, two of graffiti, one of number plates, one of manhole
covers and one of drains. Where a cell is empty, the mark for glass is not set.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vasgen.render.textures.lettering import name, written
from vasgen.render.textures.noise import clouds, grain, mix, rectangle
from vasgen.render.textures.openings import CELLS
from vasgen.render.textures.texture import Texture
from vasgen.seeding import stream

Float = NDArray[np.float32]
Random = np.random.Generator

#: First row and number of rows of each kind.
POSTERS, GRAFFITI, PLATES, MANHOLES = (0, 3), (3, 2), (5, 1), (6, 2)

_CELL = 96

_INKS = np.array(
    [
        (0.55, 0.06, 0.05),
        (0.04, 0.16, 0.42),
        (0.70, 0.50, 0.05),
        (0.03, 0.03, 0.035),
        (0.06, 0.32, 0.16),
        (0.62, 0.60, 0.56),
        (0.50, 0.12, 0.32),
        (0.08, 0.36, 0.42),
    ],
    np.float32,
)


def decals() -> Texture:
    """The picture, the same for every scene."""
    size = CELLS * _CELL
    colour, cover = np.zeros((size, size, 3), np.float32), np.zeros((size, size), np.float32)
    painters = [_poster] * 3 + [_graffito] * 2 + [_plate] + [_manhole] * 2
    for row, painter in enumerate(painters):
        for column in range(CELLS):
            random = stream(0, "decal", row, column)
            here = np.s_[row * _CELL : (row + 1) * _CELL, column * _CELL : (column + 1) * _CELL]
            colour[here], cover[here] = painter(random)
    return Texture(colour, np.full((size, size), 0.6, np.float32), cover > 0.5)


def _ink(random: Random) -> Float:
    return np.asarray(_INKS[random.integers(len(_INKS))])


def _poster(random: Random) -> tuple[Float, Float]:
    """A sheet with a title, a figure and lines of small print; torn at an edge."""
    paper = mix(_ink(random), 0.8, random.random() ** 0.5)
    colour = np.broadcast_to(paper, (_CELL, _CELL, 3)).copy()
    ink = _ink(random) if paper.mean() > 0.3 else np.full(3, 0.75, np.float32)
    shape = (_CELL, _CELL)
    figure = clouds(random, _CELL, coarse=1, fine=4) + 0.8 * rectangle(
        _CELL, (0.2, 0.8), (0.3, 0.7)
    )
    blob = np.clip(4 * figure, 0, 1) * rectangle(_CELL, (0.08, 0.92), (0.26, 0.74))
    colour = mix(colour, _ink(random), blob[..., None])
    title = written(name(random), shape, (0.1, 0.9, 0.79, 0.93), 0.7)
    colour = mix(colour, ink, title[..., None])
    for line in range(3):
        bar = rectangle(
            _CELL, (0.1, random.uniform(0.5, 0.9)), (0.06 + 0.06 * line, 0.09 + 0.06 * line)
        )
        colour = mix(colour, ink, 0.8 * bar[..., None])
    torn = 0.5 + 0.5 * clouds(random, _CELL, coarse=1, fine=20, slope=1.3)
    v = (np.arange(_CELL)[:, None] + 0.5) / _CELL
    sheet = rectangle(_CELL, (0.03, 0.97), (0.02, 0.98)) * (torn < 1.1 + 1.2 * v)
    worn = 1 + 0.05 * grain(random, _CELL)
    return colour * worn[..., None], sheet.astype(np.float32)


def _graffito(random: Random) -> tuple[Float, Float]:
    """A tag: slanted letters with an outline, or a scribble of one line."""
    text = name(random)[: int(random.integers(3, 6))]
    slant = np.arange(_CELL) * random.uniform(-0.25, 0.25)
    body = written(text, (_CELL, _CELL), (0.10, 0.90, 0.25, 0.75), random.uniform(0.6, 1.1))
    outer = written(text, (_CELL, _CELL), (0.06, 0.94, 0.20, 0.80), 1.5)
    turned = [
        np.stack([np.roll(part[:, i], round(slant[i] - slant.mean())) for i in range(_CELL)], 1)
        for part in (body, outer)
    ]
    filled = random.random() < 0.5
    cover = turned[1] if filled else turned[0]
    inks = _ink(random), _ink(random)
    return mix(np.broadcast_to(inks[0], (_CELL, _CELL, 3)), inks[1], turned[0][..., None]), cover


def _plate(random: Random) -> tuple[Float, Float]:
    """A street number, white on blue or green enamel, or black on white."""
    ground, ink = (((0.02, 0.06, 0.28), 0.8), ((0.02, 0.14, 0.07), 0.8), ((0.75, 0.74, 0.7), 0.03))[
        int(random.integers(3))
    ]
    text = str(int(random.integers(1, 190)))
    number = written(text, (_CELL, _CELL), (0.22, 0.78, 0.25, 0.75), 0.7)
    rim = rectangle(_CELL, (0.06, 0.94), (0.08, 0.92)) - rectangle(_CELL, (0.1, 0.9), (0.13, 0.87))
    colour = np.broadcast_to(np.array(ground, np.float32), (_CELL, _CELL, 3))
    return mix(colour, ink, np.maximum(number, rim)[..., None]), rectangle(
        _CELL, (0.02, 0.98), (0.02, 0.98)
    )


def _manhole(random: Random) -> tuple[Float, Float]:
    """A cover of cast iron with a pattern, in its frame; or a grating."""
    at = (np.arange(_CELL) + 0.5) / _CELL * 2 - 1
    u, v = at[None], at[:, None]
    grate = random.random() < 0.3
    radius = np.maximum(np.abs(u), np.abs(v)) if grate else np.hypot(u, v)
    waves = int(random.integers(4, 8))
    if grate:
        relief = np.broadcast_to(np.sign(np.sin(waves * 3 * u)), (_CELL, _CELL)) * (np.abs(v) < 0.8)
    else:
        relief = np.sign(np.sin(waves * np.pi * u) * np.sin(waves * np.pi * v))
    tone = 0.040 + 0.018 * relief * (radius < 0.8) + 0.006 * grain(random, _CELL)
    tone = np.where((radius > 0.82) & (radius < 0.87), 0.012, tone)
    tone = np.where(radius > 0.87, 0.075, tone)
    tone = np.clip(tone, 0.008, 1).astype(np.float32)
    return tone[..., None] * np.array([1.0, 0.95, 0.9], np.float32), (radius < 0.98).astype(
        np.float32
    )
