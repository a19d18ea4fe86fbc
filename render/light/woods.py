"""Woods and copses around a city: relief in three layers, with sides and shadows.

Trees stand where noise says so. A line of sight meets the layers of their crowns from the top
down, and the ground lies in shade where a layer stands between it and the sun: trees rise
above the plain although no geometry is there.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from vasgen.render.chance import lot, share

#: Mean reflectance of crowns seen from above, linear RGB.
WOOD = np.array([0.046, 0.074, 0.029])

#: Share of the far plain that trees cover.
_SHARE = 0.187

#: Height of trees, how many layers stand for them, and the distance of these, metres.
_TOP_M, _LAYERS, _LAYER_M = 14.0, 3, 4.6

#: Parts of trees that throw shadows, metres above the ground.
_THROWING_M = (5.0, 11.0)

#: Eyes lower than this above a layer do not see its top, metres.
_CLEARANCE_M = 1.5

#: Heights at which trees that stand alone are looked for, metres.
_CROWN_M = (8.0, 4.0)

#: Sides of the squares of which some have a tree, metres.
_SQUARE_M = 34.0

#: Longest shadow, metres.
_LONGEST_M = 70.0


class Trees(NamedTuple):
    """What lines of sight find of trees.

    Attributes:
        covered: Float share.
        colour: Color3f reflectance.
    """

    covered: Any
    colour: Any


def standing(mi: Any, x: Any, y: Any, rare: Any, size: Any, seed: Any, rough: Any = 0.0) -> Any:
    """Share of trees at places, Float.

    Args:
        mi: mitsuba in its colour variant.
        x: Float metres from the border's centre, east.
        y: the same, north.
        rare: Float from :func:`rarity`.
        size: Float metres of the pixel.
        seed: UInt32 of the landscape.
        rough: Float of mean zero that breaks the edges of woods.
    """
    import drjit as dr

    group = noise(mi, x / 170.0, y / 170.0, seed + 2)
    edge = noise(mi, x / 27.0, y / 27.0, seed + 3)
    found = step(group + 0.22 * (edge - 0.5) + 0.09 * rough - rare, 0.0, 0.02)
    return dr.lerp(_SHARE, found, kept(size, 170.0))


def rarity(mi: Any, x: Any, y: Any, outside: Any, seed: Any) -> Any:
    """How rare woods are around places: a threshold that changes over a kilometre, Float.

    Args:
        mi: mitsuba in its colour variant.
        x: Float metres from the border's centre, east.
        y: the same, north.
        outside: Float metres beyond the border.
        seed: UInt32 of the landscape.
    """
    region = noise(mi, x / 1500.0, y / 1500.0, seed + 1)
    # Near the scene three layers are too few to look like trees.
    near = 0.3 * (1 - step(outside, 400, 900))
    return 0.805 + near - 0.34 * step(region, 0.50, 0.85) * step(outside, 200, 1500)


def seen(
    mi: Any, eye: Any, ray: Any, part: Any, rare: Any, size: Any, to_sun: Any, seed: Any
) -> Trees:
    """Trees along lines of sight that go down to the ground.

    Args:
        mi: mitsuba in its colour variant.
        eye: Point3f above the plain.
        ray: Vector3f unit vectors.
        part: Float in [0, 1), by which each sample of a pixel shifts its layers: together they
            make many.
        rare: Float from :func:`rarity`, of the ground that they meet.
        size: Float metres of the pixel there.
        to_sun: Vector3f unit vector.
        seed: UInt32 of the landscape.
    """
    import drjit as dr

    covered, colour = mi.Float(0), mi.Color3f(0)
    # How much the sides that are seen look towards the sun.
    facing = -(ray.x * to_sun.x + ray.y * to_sun.y) * dr.rsqrt(
        dr.maximum(ray.x * ray.x + ray.y * ray.y, 1e-6)
    )
    side = 0.38 + 0.42 * dr.maximum(facing, 0)
    for number in range(_LAYERS):
        height = _TOP_M - (number + part) * _LAYER_M
        reach = (eye.z - height) / dr.maximum(-ray.z, 1e-6)
        reach = dr.select(eye.z > height + _CLEARANCE_M, dr.minimum(reach, 60_000.0), 0)
        x, y = eye.x + reach * ray.x, eye.y + reach * ray.y
        crown = (noise(mi, x / 6.5, y / 6.5, seed + 4) - 0.5) * kept(size, 6.5)
        crown += 0.7 * (noise(mi, x / 1.9, y / 1.9, seed + 5) - 0.5) * kept(size, 1.9)
        found = standing(mi, x, y, rare, size, seed, crown)
        found = dr.select(reach > 0, found, 0) * (1 - covered)
        light = dr.maximum(1 + 1.4 * crown, 0.2)
        # What is met below the top is a side, darker towards the ground.
        light *= 1.0 if number == 0 else side * (1.25 - 0.3 * number)
        colour += mi.Color3f(WOOD.tolist()) * (light * found)
        covered += found
    for height in _CROWN_M:
        found, light = _alone(mi, eye, ray, height, size, to_sun, seed)
        found *= 1 - covered
        colour += mi.Color3f(WOOD.tolist()) * (light * found)
        covered += found
    return Trees(covered, colour)


def _alone(
    mi: Any, eye: Any, ray: Any, height: float, size: Any, to_sun: Any, seed: Any
) -> tuple[Any, Any]:
    """Round trees that stand alone, near where rays pass a height: shares and light on them."""
    import drjit as dr

    reach = dr.clip((eye.z - height) / dr.maximum(-ray.z, 1e-6), 0, 60_000.0)
    x, y, wide, stands = _tree(mi, eye.x + reach * ray.x, eye.y + reach * ray.y, seed)
    to_tree = mi.Vector3f(x - eye.x, y - eye.y, wide + 1.0 - eye.z)
    along = dr.dot(to_tree, ray)
    beside = along * ray - to_tree
    apart = dr.norm(beside)
    soft = dr.maximum(size, 0.5)
    inside = dr.clip((wide - apart) / soft + 0.5, 0, 1) * dr.minimum(1, dr.square(2 * wide / soft))
    # Seen flat, a ray passes more trees than are looked for.
    inside *= step(-ray.z, 0.06, 0.14) * dr.select(along > 0, stands, 0)
    normal = (beside - dr.sqrt(dr.maximum(wide * wide - apart * apart, 0)) * ray) / wide
    return inside, 0.45 + 0.9 * dr.maximum(dr.dot(normal, to_sun), 0)


def _tree(mi: Any, x: Any, y: Any, seed: Any) -> tuple[Any, Any, Any, Any]:
    """The tree in the square of places: its own place, radius, and whether there is one."""
    import drjit as dr

    i, j = dr.floor(x / _SQUARE_M), dr.floor(y / _SQUARE_M)
    chance = lot(mi.UInt32(mi.Int32(i)), mi.UInt32(mi.Int32(j)), seed)
    u = (i + 0.25 + 0.5 * share(chance, 1)) * _SQUARE_M
    v = (j + 0.25 + 0.5 * share(chance, 2)) * _SQUARE_M
    group = noise(mi, u / 210.0, v / 210.0, seed + 6)
    return (
        u,
        v,
        2.8 + 2.2 * share(chance, 3),
        dr.select(share(chance) < 0.55 * (group - 0.35), 1.0, 0.0),
    )


def shaded(mi: Any, x: Any, y: Any, rare: Any, size: Any, to_sun: Any, seed: Any) -> Any:
    """Share of places on the ground that trees keep the sun from, Float."""
    import drjit as dr

    slope = dr.maximum(to_sun.z, 0.02) * dr.rsqrt(dr.maximum(1 - to_sun.z * to_sun.z, 1e-4))
    shade = mi.Float(0)
    for height in _THROWING_M:
        far = dr.minimum(height / slope, _LONGEST_M)
        flat = dr.rsqrt(dr.maximum(to_sun.x * to_sun.x + to_sun.y * to_sun.y, 1e-6))
        px, py = x + far * to_sun.x * flat, y + far * to_sun.y * flat
        shade = dr.maximum(shade, standing(mi, px, py, rare, size, seed))
        if height == _THROWING_M[0]:
            u, v, wide, stands = _tree(mi, px, py, seed)
            # The shadow of a ball is drawn out along the light.
            along = ((px - u) * to_sun.x + (py - v) * to_sun.y) * flat
            across = ((px - u) * to_sun.y - (py - v) * to_sun.x) * flat
            apart = dr.hypot(along * to_sun.z, across)
            one = dr.clip((wide - apart) / dr.maximum(size, 0.5) + 0.5, 0, 1) * stands
            shade = dr.maximum(shade, one * kept(size, 14.0))
    return shade


def noise(mi: Any, x: Any, y: Any, seed: Any) -> Any:
    """Value noise with one feature a unit, Float in [0, 1], of mean one half."""
    import drjit as dr

    i, j = dr.floor(x), dr.floor(y)
    s, t = x - i, y - j
    s, t = s * s * (3 - 2 * s), t * t * (3 - 2 * t)
    # Odd factors tell cells apart before one hash mixes them: cheaper than a hash of each.
    word = mi.UInt32(mi.Int32(i)) * 0x9E3779B1 + mi.UInt32(mi.Int32(j)) * 0x85EBCA77
    word += seed * 0xC2B2AE3D
    right, above = word + 0x9E3779B1, word + 0x85EBCA77
    low = dr.lerp(share(lot(word)), share(lot(right)), s)
    high = dr.lerp(share(lot(above)), share(lot(right + 0x85EBCA77)), s)
    return dr.lerp(low, high, t)


def kept(size: Any, feature_m: float) -> Any:
    """Share of the contrast of features that pixels of some size show."""
    import drjit as dr

    return dr.clip(2 - 2.4 * size / feature_m, 0, 1)


def step(value: Any, low: float, high: float) -> Any:
    """Smooth from 0 at ``low`` to 1 at ``high``."""
    import drjit as dr

    t = dr.clip((value - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)
