"""The clear atmosphere while the sun is low: its light scattered over a round Earth.

Sunlight is scattered once, by air and haze, along every line of sight, and reddened by air,
haze and ozone on its way (Bruneton and Neyret 2008); what is scattered again is estimated from
the mean of that. Unlike sky models for the day it goes on below the horizon: Earth's shadow
rises in the east, and ozone turns twilight blue (Hulburt 1953).
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vasgen.render.light.sky import trapezoid

Array = NDArray[np.float64]

#: Wavelengths, micrometres.
_WAVES = np.linspace(0.40, 0.70, 13)

#: Radius of the Earth, and height of the atmosphere, metres.
EARTH_M, _TOP = 6_360_000.0, 100_000.0

#: Wavelengths that stand for red, green and blue, micrometres.
_RGB_WAVES = np.array([0.61, 0.55, 0.465])

#: Heights over which air and haze thin out by e, metres.
_AIR_SCALE, HAZE_SCALE = 8_000.0, 1_200.0

#: Ozone: middle and half width of its layer (metres), and molecules above a square metre (300 DU).
_OZONE_HEIGHT, _OZONE_WIDTH, _OZONE_COLUMN = 25_000.0, 15_000.0, 8.06e22

#: Absorption of ozone, 1e-25 square metres (Serdyuchenko et al. 2014).
_OZONE = np.array([0.015, 0.07, 0.23, 0.6, 1.3, 2.4, 3.5, 4.6, 5.0, 3.5, 2.2, 1.35, 0.75])

#: Asymmetry of haze, and the share of light that it scatters.
_FORWARD, _HAZE_ALBEDO = 0.76, 0.93

#: Steps along a line of sight, and along a ray from the sun.
_STEPS = 40

#: Strength of the light that is scattered more than once, of what its first order gives.
_AGAIN = 1.0

#: Depression beyond which the pattern of twilight stays as it is, degrees: light that is
#: scattered once then comes from heights where hardly any air is.
_LOWEST_DEG = -9.0

#: Over which elevation of the sun a place falls into Earth's shadow, radians: the sun's radius.
_PENUMBRA = 0.0047


class _Columns(NamedTuple):
    """Air, haze and ozone along rays from a height to space, in metres as dense as their densest.

    ``table`` has shape (3, heights, angles); angles count from the local horizon upwards.
    """

    heights: Array
    table: Array


def _coefficients(turbidity: float) -> Array:
    """Extinction of air, haze and ozone where they are densest, a metre: (3, waves)."""
    ozone = _OZONE * 1e-25 * _OZONE_COLUMN / _OZONE_WIDTH
    return np.stack([*_air_and_haze(turbidity, _WAVES), ozone])


def _air_and_haze(turbidity: float, waves: Array) -> tuple[Array, Array]:
    """Extinction of both at the ground, a metre, (waves,) each; wavelengths in micrometres."""
    green = 1.24e-6 / 0.55**4
    # Turbidity is the optical thickness of air and haze over that of air.
    haze = (turbidity - 1) * green * _AIR_SCALE / HAZE_SCALE * (0.55 / waves)
    return 1.24e-6 / waves**4, haze


def near_ground(turbidity: float) -> tuple[Array, Array]:
    """Extinction of red, green and blue light by air and by haze at the ground, a metre.

    Haze, which turbidity counts over its whole height, lies within ``HAZE_SCALE``: so
    turbidity 3 leaves a visibility of 15 km (as in Preetham et al. 1999).
    """
    return _air_and_haze(turbidity, _RGB_WAVES)


def _densities(height: Array) -> Array:
    """Of air, haze and ozone, of their densest: (3, ...)."""
    above = np.maximum(height, 0)
    layer = np.maximum(1 - np.abs(above - _OZONE_HEIGHT) / _OZONE_WIDTH, 0)
    return np.stack([np.exp(-above / _AIR_SCALE), np.exp(-above / HAZE_SCALE), layer])


def _dip(height: Array) -> Array:
    """How far below the horizontal the horizon lies, radians."""
    return np.asarray(np.arccos(EARTH_M / (EARTH_M + height)))


def _march(height: Array, elevation: Array) -> tuple[Array, Array]:
    """Points and steps along rays to space: lengths in metres, (..., steps) each.

    Dense where they begin: there the air is.
    """
    radius, sine = EARTH_M + height, np.sin(elevation)
    inside = np.maximum((EARTH_M + _TOP) ** 2 - radius**2 * (1 - sine**2), 0)
    length = np.sqrt(inside) - radius * sine
    edges = np.linspace(0, 1, _STEPS + 1) ** 2
    return length[..., None] * (edges[1:] + edges[:-1]) / 2, length[..., None] * np.diff(edges)


def _height_along(height: Array, elevation: Array, distance: Array) -> Array:
    radius = (EARTH_M + height)[..., None]
    across = 2 * radius * distance * np.sin(elevation)[..., None]
    return np.asarray(np.sqrt(radius**2 + distance**2 + across) - EARTH_M)


@cache
def _columns() -> _Columns:
    heights = np.linspace(0, 1, 64) ** 2 * _TOP
    angle = np.linspace(0, 1, 128) ** 2 * np.pi / 2
    height, above = np.meshgrid(heights, angle, indexing="ij")
    elevation = above - _dip(height)
    distance, step = _march(height, elevation)
    dense = _densities(_height_along(height, elevation, distance))
    return _Columns(heights, (dense * step).sum(axis=-1))


def _columns_to_sun(height: Array, elevation: Array) -> tuple[Array, Array]:
    """Columns between places and the sun, (3, ...), and how much of the sun they see."""
    above = elevation + _dip(height)
    known = _columns().table
    row = np.clip(np.sqrt(np.clip(height / _TOP, 0, 1)) * 63, 0, 62.999)
    column = np.clip(np.sqrt(np.clip(above / (np.pi / 2), 0, 1)) * 127, 0, 126.999)
    i, j = row.astype(np.int64), column.astype(np.int64)
    s, t = row - i, column - j
    low = (1 - t) * known[:, i, j] + t * known[:, i, j + 1]
    high = (1 - t) * known[:, i + 1, j] + t * known[:, i + 1, j + 1]
    seen = np.clip(above / _PENUMBRA / 2 + 0.5, 0, 1)
    return (1 - s) * low + s * high, seen * seen * (3 - 2 * seen)


def direct(sun_elevation_deg: float, turbidity: float, height_m: float = 0.0) -> Array:
    """The sun's share that reaches a height, (3,), linear sRGB; white outside is about one."""
    elevation = np.radians(sun_elevation_deg)
    columns, seen = _columns_to_sun(np.asarray(height_m), np.asarray(elevation))
    left = np.exp(-(_coefficients(turbidity) * columns[:, None]).sum(axis=0))
    return np.asarray(np.maximum(_sunlight() * left @ _to_rgb(), 0) * seen)


def scattered(sun_elevation_deg: float, turbidity: float, elevation: Array, turn: Array) -> Array:
    """Radiance of the sky, (elevations, turns, 3), linear sRGB, on the scale of :func:`direct`.

    Args:
        sun_elevation_deg: below -9 the pattern stays.
        turbidity: 1 (no haze) to 10.
        elevation: (elevations,) of the lines of sight, radians, 0 to pi/2.
        turn: (turns,) between them and the sun along the horizon, radians.
    """
    sun = np.radians(max(sun_elevation_deg, _LOWEST_DEG))
    extinction = _coefficients(turbidity)
    ground = np.zeros_like(elevation)
    distance, step = _march(ground, elevation)
    dense = _densities(_height_along(ground, elevation, distance))  # (3, E, S)
    passed = np.cumsum(dense * step, axis=-1) - dense * step / 2
    # Where along a line of sight the sun stands, seen from there.
    x, z = distance * np.cos(elevation)[:, None], distance * np.sin(elevation)[:, None] + EARTH_M
    radius = np.hypot(x, z)[:, None]
    sine = z[:, None] * np.sin(sun) + x[:, None] * np.cos(sun) * np.cos(turn)[:, None]
    columns, seen = _columns_to_sun(
        np.broadcast_to(radius - EARTH_M, sine.shape), np.arcsin(np.clip(sine / radius, -1, 1))
    )
    # Haze sends most light on so straight that nothing is lost (delta scaling, Joseph et al. 1976).
    dimming = extinction * np.array([1, 1 - _HAZE_ALBEDO * _FORWARD**2, 1])[:, None]
    depth = np.tensordot(dimming, columns + passed[:, :, None], axes=(0, 0))
    reaching = np.exp(-depth) * seen  # (waves, E, A, S)
    by_air, by_haze = (np.einsum("weas,es->eaw", reaching, dense[kind] * step) for kind in (0, 1))
    cosine = np.sin(elevation)[:, None] * np.sin(sun)
    cosine = cosine + np.cos(elevation)[:, None] * np.cos(sun) * np.cos(turn)
    air = by_air * extinction[0] * _air_phase(cosine)[..., None]
    haze = by_haze * extinction[1] * _HAZE_ALBEDO * _haze_phase(cosine)[..., None]
    # Haze sends light on nearly straight: what air scattered fills the sky.
    met = extinction[0, :, None] * passed[0, :, -1] + extinction[1, :, None] * passed[1, :, -1]
    again = _AGAIN * _mean(air, elevation, turn) * (1 - np.exp(-met.T))
    return np.asarray(np.maximum((air + haze + again[:, None]) * _sunlight() @ _to_rgb(), 0))


def _mean(radiance: Array, elevation: Array, turn: Array) -> Array:
    """Over the sky, (waves,)."""
    share = trapezoid(np.sin(elevation))[:, None] * trapezoid(turn)
    return np.asarray((radiance * share[..., None]).sum(axis=(0, 1)) / share.sum())


def _air_phase(cosine: Array) -> Array:
    return np.asarray(3 / (16 * np.pi) * (1 + cosine**2))


def _haze_phase(cosine: Array) -> Array:
    """Cornette and Shanks (1992)."""
    g = _FORWARD
    scale = 3 / (8 * np.pi) * (1 - g**2) / (2 + g**2)
    return np.asarray(scale * (1 + cosine**2) / (1 + g**2 - 2 * g * cosine) ** 1.5)


def _sunlight() -> Array:
    """Spectrum of the sun outside the atmosphere, Planck's at 5778 K, of mean one: (waves,)."""
    power = _WAVES**-5 / (np.exp(14387.8 / (_WAVES * 5778)) - 1)
    return np.asarray(power / power.mean())


@cache
def _to_rgb() -> Array:
    """From spectra to linear sRGB, (waves, 3); a flat spectrum of one has luminance one.

    The colour matching functions of Wyman, Sloan and Shirley (2013).
    """
    x = 1.056 * _lobe(0.5998, 0.0379, 0.0310) + 0.362 * _lobe(0.4420, 0.0160, 0.0267)
    x -= 0.065 * _lobe(0.5011, 0.0204, 0.0262)
    y = 0.821 * _lobe(0.5688, 0.0469, 0.0405) + 0.286 * _lobe(0.5309, 0.0163, 0.0311)
    z = 1.217 * _lobe(0.4370, 0.0118, 0.0360) + 0.681 * _lobe(0.4590, 0.0260, 0.0138)
    xyz = np.stack([x, y, z], axis=-1) / y.sum()
    matrix = np.array(
        [[3.2406, -1.5372, -0.4986], [-0.9689, 1.8758, 0.0415], [0.0557, -0.2040, 1.0570]]
    )
    return np.asarray(xyz @ matrix.T)


def _lobe(middle: float, below: float, above: float) -> Array:
    width = np.where(middle > _WAVES, below, above)
    return np.asarray(np.exp(-0.5 * ((_WAVES - middle) / width) ** 2))
