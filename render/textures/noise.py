"""Tileable noise and masks that textures are made of. Everything repeats without a seam."""

from __future__ import annotations

from functools import cache
from threading import Lock

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree

from vasgen.seeding import stream

Float = NDArray[np.float32]

#: Of textures that are painted at the same time and need the same cells, one makes them.
_LOCK = Lock()


def clouds(
    random: np.random.Generator,
    size: int,
    *,
    coarse: float,
    fine: float,
    slope: float = 1.0,
    stretch: tuple[float, float] = (1.0, 1.0),
) -> Float:
    """Band-limited random field with a power-law spectrum, mean 0 and deviation 1.

    Args:
        random: source of the phases.
        size: edge length, texels.
        coarse: lowest frequency, cycles a tile.
        fine: highest frequency, cycles a tile.
        slope: amplitude falls as frequency to the minus slope.
        stretch: how much longer features are along u and along v.

    Returns:
        (size, size) float32, rows along v, columns along u.
    """
    white = random.standard_normal((size, size), np.float32)
    across = np.fft.rfftfreq(size, 1 / size)[None] * stretch[0]
    across = across[:, : np.count_nonzero(across <= fine)]  # nothing else is in the band
    along = np.fft.fftfreq(size, 1 / size)[:, None] * stretch[1]
    frequency = np.hypot(across, along)
    band = (frequency >= coarse) & (frequency <= fine)
    gain = np.zeros(frequency.shape, np.float32)
    gain[band] = np.maximum(frequency[band], 1e-9) ** -slope
    waves = np.fft.rfft(white, axis=1)[:, : across.shape[1]]
    waves = np.fft.ifft(np.fft.fft(waves, axis=0) * gain, axis=0)
    field = np.fft.irfft(waves, size, axis=1).astype(np.float32)
    return np.asarray(field / max(float(field.std()), 1e-9))


def grain(random: np.random.Generator, size: int) -> Float:
    """Independent texels, mean 0 and deviation 1, (size, size)."""
    return random.standard_normal((size, size), np.float32)


def blocks(random: np.random.Generator, size: int, columns: int, rows: int) -> Float:
    """One uniform value in [-1, 1] per block of a regular grid, (size, size)."""
    values = random.uniform(-1, 1, (rows, columns)).astype(np.float32)
    row = np.arange(size) * rows // size
    column = np.arange(size) * columns // size
    return np.asarray(values[row[:, None], column[None]])


def bonded(
    random: np.random.Generator, size: int, columns: int, rows: int, shift: float = 0.5
) -> tuple[Float, Float]:
    """A masonry bond: every other course is shifted by a share of a unit.

    Returns:
        value: (size, size), uniform in [-1, 1] per unit.
        joint: (size, size), 1 on joints about a texel wide, 0 inside units.
    """
    v = (np.arange(size)[:, None] + 0.5) / size * rows
    course = v.astype(int)
    u = (np.arange(size)[None] + 0.5) / size * columns + shift * (course % 2)
    unit = np.floor(u).astype(int) % columns
    values = random.uniform(-1, 1, (rows, columns)).astype(np.float32)
    half_u, half_v = 0.7 * columns / size, 0.7 * rows / size
    upright = np.minimum(u % 1, 1 - u % 1) < half_u
    level = np.minimum(v % 1, 1 - v % 1) < half_v
    return values[course, unit], (upright | level).astype(np.float32)


def scattered(
    random: np.random.Generator, size: int, count: int, stretch: float = 1.0
) -> tuple[Float, Float]:
    """Cells around scattered points (Voronoi).

    Args:
        random: source of their place and values; the pattern itself is always the same.
        size: edge length, texels.
        count: number of cells.
        stretch: how much longer cells are along v than along u.

    Returns:
        value: (size, size), uniform in [-1, 1] per cell.
        edge: (size, size), about 0 on borders between cells, 1 at half a cell's width.
    """
    with _LOCK:
        nearest, edge = _voronoi(size, count, stretch)
    values = random.uniform(-1, 1, count).astype(np.float32)
    turn = tuple(random.integers(0, size, 2).tolist())
    return np.roll(values[nearest], turn, (0, 1)), np.roll(edge, turn, (0, 1))


@cache
def _voronoi(size: int, count: int, stretch: float) -> tuple[NDArray[np.int64], Float]:
    """Nearest of scattered points, and the relative distance from the next cell."""
    tall = size / stretch
    points = stream(0, "scattered", count).uniform(0, 1, (count, 2)) * (size, tall)
    at = np.arange(size) + 0.5
    texels = np.stack(np.broadcast_arrays(at[None], (at / stretch)[:, None]), axis=-1)
    tree = cKDTree(points, boxsize=(size, tall))
    distance, nearest = tree.query(texels.reshape(-1, 2), k=2)
    edge = 2 * (distance[:, 1] - distance[:, 0]) / np.sqrt(size * tall / count)
    shape = (size, size)
    return nearest[:, 0].reshape(shape), np.clip(edge, 0, 1).astype(np.float32).reshape(shape)


def span(count: int, low: float, high: float) -> Float:
    """How much of each of ``count`` texels of [0, 1] lies in [low, high], (count,)."""
    edge = np.arange(count + 1) / count
    inside = np.minimum(edge[1:], high) - np.maximum(edge[:-1], low)
    return np.asarray(np.clip(inside * count, 0, 1), np.float32)


def rectangle(count: int, u: tuple[float, float], v: tuple[float, float]) -> Float:
    """Coverage of a rectangle in the unit square, (count, count), rows along v."""
    return np.asarray(span(count, *v)[:, None] * span(count, *u)[None])


def mix(under: ArrayLike, over: ArrayLike, cover: ArrayLike) -> Float:
    """``over`` where ``cover`` is 1, ``under`` where it is 0."""
    low = np.asarray(under, np.float32)
    result = (np.asarray(over, np.float32) - low) * np.asarray(cover, np.float32)
    result += low
    return np.asarray(result, np.float32)
