"""Sun and sky of a clear day: Hosek and Wilkie (2012, 2013), by Mitsuba's ``sunsky``."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vasgen import runtime

Array = NDArray[np.float64]

#: Angular radius of the sun, degrees.
SUN_RADIUS_DEG = 0.2666

#: Lowest sine of elevation at which the sky model is asked: it ends at the horizon.
_HORIZON = 0.004

#: Rows and columns of the grid that integrates the sun's disc.
_GRID = 96


def clear_day(sun: Array, turbidity: float, ground: float, rays: Array) -> tuple[Array, Array]:
    """Radiance of the sky without sun along rays, and irradiance of the sun.

    Args:
        sun: (3,) unit vector to the sun, above the horizon.
        turbidity: 1 (clear) to 10.
        ground: reflectance of the ground.
        rays: (N, 3) unit vectors; those below the horizon see what is just above it.

    Returns:
        (N, 3) and, on a surface that faces the sun, (3,): linear sRGB.
    """
    above = np.column_stack([rays[:, :2], np.maximum(rays[:, 2], _HORIZON)])
    with runtime.colour_variant() as mi:
        both = {"type": "sunsky", "turbidity": turbidity, "albedo": ground}
        both["sun_direction"] = sun.tolist()
        sky = _look(mi, mi.load_dict({**both, "sun_scale": 0.0}), above)
        disc = mi.load_dict({**both, "sky_scale": 0.0})
        return np.maximum(sky, 0), np.maximum(_disc_irradiance(mi, disc, sun), 0)


def _disc_irradiance(mi: Any, disc: Any, sun: Array) -> Array:
    radius, angle = np.meshgrid(
        (np.arange(_GRID) + 0.5) / _GRID, 2 * np.pi * np.arange(_GRID) / _GRID
    )
    tangent = np.tan(np.radians(SUN_RADIUS_DEG)) * radius[..., None]
    first = np.cross(sun, [0.6, 0.0, 0.8])
    first = np.cross(sun, [0.0, 1.0, 0.0]) if not first.any() else first
    first /= np.linalg.norm(first)
    second = np.cross(sun, first)
    circle = np.cos(angle)[..., None] * first + np.sin(angle)[..., None] * second
    rays = (sun + tangent * circle).reshape(-1, 3)
    rays /= np.linalg.norm(rays, axis=1, keepdims=True)
    solid_angle = 2 * np.pi * (1 - np.cos(np.radians(SUN_RADIUS_DEG)))
    weight = radius.ravel() / radius.sum()
    return np.asarray(solid_angle * (_look(mi, disc, rays) * weight[:, None]).sum(axis=0))


def _look(mi: Any, emitter: Any, rays: Array) -> Array:
    """Radiance along (N, 3) unit directions: (N, 3)."""
    import drjit as dr

    si = dr.zeros(mi.SurfaceInteraction3f, len(rays))
    si.wi = -mi.Vector3f(np.ascontiguousarray(rays.T, np.float32))
    return np.array(emitter.eval(si, True), np.float64).T
