"""Lights of distant villages: points that are as bright as lamps are from so far."""

from __future__ import annotations

import math
from typing import Any

from vasgen.render.chance import lot, share
from vasgen.render.light.night import LAMP_COLOUR
from vasgen.render.light.woods import kept, noise, step

#: Luminous intensity of the brightest lamps, candela: some 4000 lm, of which a quarter leaves
#: the village, most of it reflected by its streets.
_CANDELA = 80.0

#: Size of villages, metres, and the share of squares in them that have a lamp.
_VILLAGE_M, _LIT = 1300.0, 0.5

#: A lamp is never drawn smaller, metres.
_LEAST_M = 1.0


def lights(
    mi: Any,
    at: Any,
    square: tuple[float, float],
    view: Any,
    size: tuple[Any, Any],
    seed: Any,
) -> Any:
    """Luminance of a lit surface, candela a square metre, Color3f.

    Args:
        mi: mitsuba in its colour variant.
        at: Point2f places on the surface, metres.
        square: sides of the rectangles of which some have a lamp, metres.
        view: Vector2f unit vectors on the surface, along which samples are long.
        size: Float metres of samples along and across these.
        seed: UInt32 of the surface.
    """
    import drjit as dr

    wide, tall = square
    i, j = dr.floor(at.x / wide), dr.floor(at.y / tall)
    chance = lot(mi.UInt32(mi.Int32(i)), mi.UInt32(mi.Int32(j)), seed)
    u, v = (i + 0.5) * wide, (j + 0.5) * tall
    village = noise(mi, u / _VILLAGE_M, v * wide / tall / _VILLAGE_M, seed + 1)
    lit = _LIT * step(village, 0.70, 0.80)
    du = at.x - u - (share(chance, 1) - 0.5) * 0.5 * wide
    dv = at.y - v - (share(chance, 2) - 0.5) * 0.5 * tall
    # No longer than its own square, of which a lamp never leaves.
    long, broad = (dr.clip(part, _LEAST_M, 0.4 * tall) for part in size)
    along, across = du * view.x + dv * view.y, du * view.y - dv * view.x
    spot = dr.exp(-0.5 * (dr.square(along / long) + dr.square(across / broad)))
    # Of mean one third, as in the mean below.
    bright = dr.square(share(chance, 3))
    spot *= dr.select(share(chance) < lit, bright / (2 * math.pi * long * broad), 0)
    # Squares smaller than a sample glow evenly.
    shown = dr.lerp(lit / (3 * wide * tall), spot, kept(size[1], tall))
    return mi.Color3f(LAMP_COLOUR.tolist()) * (_CANDELA * shown)
