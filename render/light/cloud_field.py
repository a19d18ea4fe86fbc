"""The pattern of clouds: noise over the ground that says where they stand and how high they rise.

Two tiles that repeat, one of the places of clouds and one of their bulges, are laid turned and
shifted by the number of the pattern. Turned differently, they never repeat together.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vasgen.seeding import stream

Array = NDArray[np.float64]

#: Texels of an edge of a tile: a power of two.
_SIZE = 512

#: Edges of the tiles, metres: of places, of bulges, and of fibres of cirrus.
PLACES_M, BULGES_M, FIBRES_M = 20_000.0, 3_000.0, 90_000.0

#: Longest and shortest waves of the tiles, metres, and the power by which they weaken.
_PLACES = (6_000.0, 500.0, 1.1)
_BULGES = (1_000.0, 40.0)

#: Bulges shorter than this are small, metres.
_SMALL_M = 300.0

#: How far the places are bent, metres.
_BENT_M = 250.0


class Tiles(NamedTuple):
    """Noise of mean 0, (_SIZE, _SIZE) each."""

    places: Array
    large_bulges: Array
    small_bulges: Array
    fibres: Array


class Layout(NamedTuple):
    """How a pattern lays the tiles: cosine and sine of each turn, and each shift, in tiles."""

    turn: Array
    shift: Array
    cirrus: float

    @classmethod
    def of(cls, pattern: int) -> Layout:
        """That of a pattern."""
        random = stream(pattern, "clouds")
        angle = random.uniform(0, 2 * math.pi, len(Tiles._fields))
        return cls(
            np.column_stack([np.cos(angle), np.sin(angle)]),
            random.uniform(0, 1, (len(Tiles._fields), 2)),
            float(random.uniform(0, 1)),
        )


@cache
def tiles() -> Tiles:
    """The same on every machine."""
    random = stream(0, "cloud tiles")
    long, short, slope = _PLACES
    places = _waves(random, PLACES_M / long, PLACES_M / short, slope)
    bent = [_waves(random, PLACES_M / 5000, PLACES_M / 1200, 1.3) for _ in range(2)]
    places = _bend(places, bent, _BENT_M / PLACES_M * _SIZE)
    fibres = _waves(random, 6.0, 200.0, 1.0, stretch=7.0)
    bent = [_waves(random, 2.0, 12.0, 1.4) for _ in range(2)]
    fibres = _bend(fibres, bent, 0.012 * _SIZE)
    return Tiles(places, *_billows(random), fibres)


def _waves(
    random: np.random.Generator, low: float, high: float, slope: float, stretch: float = 1.0
) -> Array:
    """Waves of some frequencies, cycles a tile, that weaken as frequency to the minus slope."""
    white = random.standard_normal((_SIZE, _SIZE))
    across = np.fft.rfftfreq(_SIZE, 1 / _SIZE)[None] * stretch
    frequency = np.hypot(across, np.fft.fftfreq(_SIZE, 1 / _SIZE)[:, None])
    band = (frequency >= low) & (frequency <= high)
    # In two dimensions the power of an octave grows with the number of its waves.
    gain = np.where(band, np.maximum(frequency, 1e-9) ** -(slope + 1), 0)
    field = np.fft.irfft2(np.fft.rfft2(white) * gain, s=(_SIZE, _SIZE))
    return np.asarray((field - field.mean()) / field.std())


def _billows(random: np.random.Generator) -> tuple[Array, Array]:
    """Round bumps on larger ones, with creases between: octaves of the magnitude of noise.

    Returns:
        large ones and small ones, of deviation 1 together.
    """
    wave, shortest = _BULGES
    total, weight = np.zeros((2, _SIZE, _SIZE)), 1.0
    while wave > shortest:
        octave = _waves(random, BULGES_M / (1.35 * wave), BULGES_M / (0.75 * wave), 0.0)
        total[int(wave < _SMALL_M)] += weight * np.abs(octave)
        wave, weight = wave / 2.03, weight * 0.56
    total -= total.mean(axis=(1, 2), keepdims=True)
    large, small = total / total.sum(axis=0).std()
    return large, small


def _bend(field: Array, shift: list[Array], texels: float) -> Array:
    """The field read at shifted places."""
    from scipy.ndimage import map_coordinates

    at = np.meshgrid(np.arange(_SIZE), np.arange(_SIZE), indexing="ij")
    places = [axis + texels * by for axis, by in zip(at, shift, strict=True)]
    bent = map_coordinates(field, places, order=1, mode="grid-wrap")
    return np.asarray((bent - bent.mean()) / bent.std())


class Tile:
    """A tile that repeats, read inside kernels: much faster than a texture.

    Args:
        mi: mitsuba in its colour variant.
        corners: (_SIZE, _SIZE, 4), one of :func:`packed`.
    """

    def __init__(self, mi: Any, corners: NDArray[np.float32]) -> None:
        self._corners = mi.Float(corners.ravel())

    def at(self, mi: Any, u: Any, v: Any) -> Any:
        """Value at a place, in tiles, between texels."""
        import drjit as dr

        x, y = u * _SIZE, v * _SIZE
        column, row = dr.floor(x), dr.floor(y)
        index = (mi.Int(row) & (_SIZE - 1)) * _SIZE + (mi.Int(column) & (_SIZE - 1))
        near = dr.gather(mi.Vector4f, self._corners, mi.UInt32(index))
        along, across = x - column, y - row
        return dr.lerp(dr.lerp(near.x, near.y, along), dr.lerp(near.z, near.w, along), across)


@cache
def packed() -> list[NDArray[np.float32]]:
    """Every texel of each tile with those that follow along u, along v and along both."""
    return [
        np.stack(
            [np.roll(tile, (-row, -column), (0, 1)) for row in (0, 1) for column in (0, 1)], axis=-1
        ).astype(np.float32)
        for tile in tiles()
    ]
