"""Textures of cars: seams, handles and flakes of their paint, and what is behind their windows.

What is where is in :mod:`vasgen.car_textures`. Wheels, lamps and plates fill their pictures; there
are many plates. Colours are factors of the material's.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from vasgen.bundle import VisualMaterial
from vasgen.car_textures import AXLES, ENDS, HALF_END, SCREENS, SIDES, SILL
from vasgen.render.textures.lettering import written
from vasgen.render.textures.noise import clouds, grain
from vasgen.render.textures.openings import CELLS
from vasgen.render.textures.texture import Texture

Float = NDArray[np.float32]
Random = np.random.Generator

#: Length in metres that a texture covers along a usual car, and per unit across its side.
_ALONG_M, _ACROSS_M = 5.3, 1.2

#: Doors: where their seams are, along; handles.
_SEAMS = (0.325, 0.475, 0.665)
_HANDLES = (0.352, 0.500)

_ROUGH = 0.5

#: Spokes of a wheel.
_SPOKES = 5


def paint(material: VisualMaterial, size: int, random: Random) -> Texture:
    """The texture of a recipe in :data:`BODYWORK`."""
    return BODYWORK[material.recipe][2](material, size, random)


def _axes(size: int) -> tuple[Float, Float]:
    """u (1, size) and v (size, 1) at texel centres."""
    at = ((np.arange(size) + 0.5) / size).astype(np.float32)
    return at[None], at[:, None]


def _line(distance_m: Float, width_m: float) -> Float:
    """How much of a line covers points at a distance from its middle: soft by a centimetre."""
    soft = 0.005
    return np.asarray(np.clip((width_m / 2 + soft - np.abs(distance_m)) / (2 * soft), 0, 1))


def _solid(material: VisualMaterial, size: int, random: Random) -> Texture:
    """Paint of one colour."""
    u, v = _axes(size)
    marks, trim = _marks(u, v)
    dust = 0.5 + 0.5 * clouds(random, size, coarse=2, fine=40, slope=1.0)
    low = np.clip(1 - (v - SILL) / 0.22, 0, 1) * (v < SIDES)
    tone = (1 - 0.10 * np.clip(dust, 0, 1) * low) * (1 - 0.88 * marks)
    rough = material.roughness + 0.10 * low * np.clip(dust, 0, 1)
    rough = np.where(np.maximum(marks, trim) > 0.5, _ROUGH, rough)
    tone = tone * (1 - 0.93 * trim)
    colour = tone[..., None] * _ends(u, v)
    return Texture(colour.astype(np.float32), rough.astype("f4"))


def _metallic(material: VisualMaterial, size: int, random: Random) -> Texture:
    """Paint with flakes: every few millimetres one lies so that it shines."""
    texture = _solid(material, size, random)
    flakes = np.clip(0.90 + 0.06 * grain(random, size), 0.7, 1.0)
    return Texture(texture.colour * flakes[..., None].astype(np.float32), texture.roughness)


def _marks(u: Float, v: Float) -> tuple[Float, Float]:
    """Seams between doors and the keyhole shadow of handles; the plastic of the sill."""
    x, z = u * _ALONG_M, v * _ACROSS_M
    doors = (v > SILL + 0.07) & (v < SIDES)
    seams = np.zeros((v.size, u.size), np.float32)
    for seam in _SEAMS:
        lean = 0.02 * np.clip((v - 0.35) / 0.3, -1, 1) if seam == _SEAMS[-1] else 0.0
        seams = np.maximum(seams, _line(x - (seam + lean) * _ALONG_M, 0.009) * doors)
    inside = (u > _SEAMS[0]) & (u < _SEAMS[-1])
    seams = np.maximum(seams, _line(z - (SILL + 0.07) * _ACROSS_M, 0.009) * inside)
    for handle in _HANDLES:
        across, up = (u - handle) * _ALONG_M, (v - 0.52) * _ACROSS_M
        grip = _line(np.abs(up) - 0.011 + 0 * across, 0.006) * (np.abs(across) < 0.085)
        seams = np.maximum(seams, 0.75 * grip)
    cap = np.hypot((u - 0.235) * _ALONG_M, (v - 0.50) * _ACROSS_M)
    seams = np.maximum(seams, 0.5 * _line(cap - 0.075, 0.007))
    # Where arches are no geometry, wheels are painted.
    tyre = [np.hypot((u - axle) / 0.057, (v - 0.10) / 0.24) for axle in AXLES]
    wheel = np.minimum(*tyre)
    plastic = np.clip(np.maximum(v < SILL + 0.045, wheel < 1) - 0.12 * (wheel < 0.62), 0, 1)
    return seams * (wheel > 1), np.asarray(plastic, np.float32)


def _ends(u: Float, v: Float) -> Float:
    """Lamps, plates, grilles and bumpers of light models, (V, U, 3): the tail, then the nose.

    As factors of the paint they are bright on bright cars only.
    """
    aside = np.abs(u % 0.5 - AXLES[0]) / HALF_END
    up = (v - ENDS[0]) / (ENDS[1] - ENDS[0])
    nose, factor = u > 0.5, np.ones((v.size, u.size, 3), np.float32)

    def patch(inner: float, outer: float, low: float, high: float) -> NDArray[np.bool_]:
        return np.asarray((aside >= inner) & (aside < outer) & (up > low) & (up < high))

    dark = patch(0.0, 1.1, -0.05, 0.09) | patch(0.0, 0.74, 0.09, 0.26)
    dark |= (patch(0.0, 0.54, 0.62, 0.88) | patch(0.58, 1.00, 0.58, 0.92)) & nose
    dark |= patch(0.60, 0.99, 0.58, 0.92) & ~nose
    factor[dark] = 0.03
    factor[patch(0.63, 0.77, 0.63, 0.87) & nose] = 1.0
    factor[patch(0.81, 0.97, 0.63, 0.87) & nose] = 0.8
    factor[patch(0.63, 0.97, 0.62, 0.88) & ~nose] = (1.0, 0.05, 0.04)
    factor[patch(0.0, 0.30, 0.34, 0.54)] = 0.05
    factor[patch(0.0, 0.29, 0.355, 0.525)] = 1.0
    letters = np.abs(aside * 12 % 1 - 0.5) < 0.3
    factor[patch(0.0, 0.25, 0.39, 0.49) & letters] = 0.15
    return factor


def _window(material: VisualMaterial, size: int, random: Random) -> Texture:
    """Tinted glass: the windows across, seats before them, and the dark above the belt."""
    u, v = _axes(size)
    through = np.clip((v - 0.10) / 0.10, 0, 1) * np.clip((0.52 - v) / 0.05, 0, 1)
    tone = 0.16 + 0.62 * through + 0 * u
    for back, tall in ((0.20, 0.26), (0.285, 0.30), (0.455, 0.34)):
        lean = back - 0.06 * v
        seat = np.hypot((u - lean - 0.012) / 0.016, np.maximum(v - 0.10, 0) / 0.16) < 1
        rest = np.hypot((u - lean - 0.010) / 0.012, (v - tall + 0.05) / 0.07) < 1
        tone = np.where(seat | rest, 0.10, tone)
    wheel = np.abs(np.hypot((u - 0.575 + 0.05 * v) / 0.012, (v - 0.10) / 0.13) - 1) < 0.14
    tone = np.where(wheel, 0.08, tone)
    # Pillars that light models do without.
    tone = np.where((u > 0.456) & (u < 0.474), 0.05, tone)
    # Panes of the ends look onto shelves and dashboards.
    tone = np.where(v > SCREENS[0] - 0.02, 0.14 + 0.5 * np.clip((v - 0.78) / 0.2, 0, 1), tone)
    colour = np.repeat(np.asarray(tone, np.float32)[..., None], 3, axis=2)
    return Texture(colour, np.full((size, size), material.roughness, np.float32))


def _wheel(material: VisualMaterial, size: int, random: Random) -> Texture:
    """A tyre around a rim with spokes in pairs; the picture is as wide as the tyre."""
    u, v = _axes(size)
    x, y = 2 * u - 1, 2 * v - 1
    radius, angle = np.hypot(x, y), np.arctan2(y, x)
    spoke = np.abs((angle / (2 * np.pi) * _SPOKES) % 1 - 0.5) * 2 * np.pi * radius / _SPOKES
    metal = (np.abs(spoke - 0.055) < 0.045) | (radius < 0.14) | (np.abs(radius - 0.64) < 0.045)
    bolts = np.hypot(radius - 0.09, 0.09 * np.sin(angle * 2.5)) < 0.012
    tone = np.where(metal & ~bolts, 1 - 0.25 * np.clip(radius - 0.1, 0, 1), 0.035)
    grooves = 0.015 * (np.abs(radius - 0.86) < 0.012) + 0.012 * grain(random, size)
    tyre = radius > 0.685
    tone = np.where(tyre, 0.062 + grooves, tone)
    rough = np.where(tyre, 0.85, np.where(metal, material.roughness, 0.7))
    return Texture(
        np.repeat(np.clip(tone, 0.01, 1)[..., None], 3, axis=2).astype(np.float32),
        rough.astype(np.float32),
    )


def _headlamp(material: VisualMaterial, size: int, random: Random) -> Texture:
    """Two reflectors behind clear glass, above a strip of light."""
    u, v = _axes(size)
    tone = 0.20 + 0.12 * v + 0 * u
    for middle in (0.30, 0.70):
        away = np.hypot((u - middle) / 0.19, (v - 0.56) / 0.36)
        tone = np.where(away < 1, 0.95 - 0.35 * (v - 0.2), tone)
        tone = np.where(np.abs(away - 1) < 0.13, 0.10, tone)
        tone = np.where(away < 0.36, 0.45, tone)
    tone = np.where((v > 0.05) & (v < 0.15), 1.0, tone)
    return _grey(tone, material.roughness)


def _tail_lamp(material: VisualMaterial, size: int, random: Random) -> Texture:
    """Red glass with ribs, parted into brake light, tail light and reflector."""
    u, v = _axes(size)
    tone = 0.62 + 0.20 * np.cos(2 * np.pi * 12 * u) * (v > 0.34) + 0.25 * (v > 0.68)
    tone = np.where((np.abs(v - 0.34) < 0.02) | (np.abs(v - 0.68) < 0.02), 0.15, tone)
    return _grey(tone + 0 * u, material.roughness)


def _plates(material: VisualMaterial, size: int, random: Random) -> Texture:
    """Number plates, one a cell: two letters, a gap, and four digits in a black border."""
    count = size // CELLS
    cover = np.empty((size, size), np.float32)
    for row in range(CELLS):
        for column in range(CELLS):
            letters = "".join(random.choice(list("ABCDEFGHKLMNPRSTUVWXYZ"), 2))
            text = f"{letters} {random.integers(1000, 9999)}"
            here = np.s_[row * count : (row + 1) * count, column * count : (column + 1) * count]
            cover[here] = written(text, (count, count), (0.13, 0.93, 0.2, 0.8), 0.6)
    u, v = ((np.arange(size) + 0.5) / count % 1 for _ in range(2))
    rim = np.minimum(np.minimum(u, 1 - u)[None] * 4.7, np.minimum(v, 1 - v)[:, None]) < 0.05
    tone = 1 - 0.95 * np.maximum(cover, rim)
    colour = np.repeat(tone[..., None], 3, axis=2)
    colour[:, (u < 0.075) & (u > 0.02)] *= np.array([0.03, 0.10, 0.55], np.float32)
    return Texture(colour.astype(np.float32), np.full((size, size), material.roughness, "f4"))


def _grey(tone: Float, roughness: float) -> Texture:
    colour = np.repeat(np.clip(tone, 0, 1)[..., None], 3, axis=2).astype(np.float32)
    return Texture(colour, np.full(tone.shape, roughness, np.float32))


#: Name of the recipe of number plates, of which every car shows one of its own.
PLATE = "number-plate"

#: Tile, texels along it, and painter of every recipe.
BODYWORK: dict[str, tuple[float, int, Callable[[VisualMaterial, int, Random], Texture]]] = {
    "paint": (1.0, 1024, _solid),
    "paint-metallic": (1.0, 1024, _metallic),
    "car-glass": (1.0, 768, _window),
    "wheel": (1.0, 384, _wheel),
    "headlamp": (1.0, 256, _headlamp),
    "tail-lamp": (1.0, 256, _tail_lamp),
    PLATE: (CELLS, 768, _plates),
}
