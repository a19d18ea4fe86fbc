"""Textures of trees: leaves and bark.

Lengths are metres.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vasgen.render.textures.noise import clouds, scattered

Float = NDArray[np.float32]
Random = np.random.Generator

#: Leaves in a tile of foliage, and their length and width, shares of the tile.
_LEAVES, _LONG, _WIDE = 5200, 0.036, 0.020


def bark(size: int, random: Random) -> tuple[Float, Float]:
    """Plates of bark between furrows along the stem; 1 m."""
    value, edge = scattered(random, size, 90, stretch=4.0)
    fibres = clouds(random, size, coarse=6, fine=90, slope=0.4, stretch=(1.0, 6.0))
    lichen = np.clip(clouds(random, size, coarse=2, fine=20) - 0.9, 0, 1)
    relief = np.clip(1.6 * edge, 0, 1) - 0.7
    tone = 0.55 * relief + 0.14 * value + 0.15 * fibres + 0.35 * lichen
    return np.asarray(tone, np.float32), np.asarray(0.05 * value - 0.09 * lichen, np.float32)


def foliage(size: int, random: Random) -> tuple[Float, Float]:
    """Leaves 11 cm long, strewn in layers: those on top bright, those below in shade; 3 m."""
    leaf, along, across = _strewn(size, random)
    layer = leaf / _LEAVES
    value = random.uniform(-1, 1, _LEAVES).astype(np.float32)[leaf]
    ripe = np.maximum(random.uniform(-1, 1, _LEAVES).astype(np.float32)[leaf], 0) ** 3
    rib = np.exp(-((across / 0.10) ** 2)) * (along < 0.9)
    # Leaves are arched: one half of each looks away from the light.
    arch = 0.16 * np.sign(across) * np.sqrt(np.abs(across)) - 0.12 * along**2
    clumps = clouds(random, size, coarse=2, fine=14, slope=0.7)
    tone = 1.1 * (layer - 0.8) + 0.34 * value + 0.16 * rib + arch + 0.12 * clumps
    tone = np.maximum(tone, -0.80)
    hue = 0.05 * value + 0.14 * ripe + 0.05 * clumps + 0.05 * rib
    return np.asarray(tone, np.float32), np.asarray(hue, np.float32)


def _strewn(size: int, random: Random) -> tuple[NDArray[np.int64], Float, Float]:
    """Leaves that fell one after the other: which lies on top, and where each texel is on it.

    Returns:
        number of the leaf, the later the higher, and the place along and across it, -1 to 1,
        each (size, size). Texels without a leaf are of number 0.
    """
    middle = random.uniform(0, size, (_LEAVES, 2))
    angle = random.uniform(0, 2 * np.pi, _LEAVES)
    scale = size * random.uniform(0.7, 1.15, _LEAVES)
    reach = int(np.ceil(0.5 * 1.15 * _LONG * size)) + 1
    row, column = np.mgrid[-reach : reach + 1, -reach : reach + 1].reshape(2, -1)
    texel = np.floor(middle).astype(np.int64)[:, None] + np.stack([column, row], -1)[None]
    along, across = _on_leaf(texel + 0.5 - middle[:, None], angle[:, None], scale[:, None])
    # Pointed at both ends, widest before the middle.
    inside = np.abs(across) < (1 - along**2) * (1 - 0.25 * along)
    number, _ = np.nonzero(inside)
    flat = (texel[inside] % size) @ np.array([1, size])
    top = np.zeros(size * size, np.int64)
    np.maximum.at(top, flat, number)
    x, y = np.meshgrid(np.arange(size) + 0.5, np.arange(size) + 0.5)
    offset = np.stack([x.ravel(), y.ravel()], -1) - middle[top]
    offset -= size * np.rint(offset / size)
    along, across = _on_leaf(offset, angle[top], scale[top])
    shape = (size, size)
    return (
        top.reshape(shape),
        np.clip(along, -1, 1).reshape(shape).astype(np.float32),
        np.clip(across, -1, 1).reshape(shape).astype(np.float32),
    )


def _on_leaf(
    offset: NDArray[np.float64], angle: NDArray[np.float64], scale: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Place along and across leaves, -1 to 1, at (..., 2) offsets from their middles."""
    cos, sin = np.cos(angle), np.sin(angle)
    x, y = offset[..., 0], offset[..., 1]
    return (x * cos + y * sin) / (0.5 * _LONG * scale), (y * cos - x * sin) / (0.5 * _WIDE * scale)
