"""Daylight: the sun and the sky of a render spec.

Both come from Mitsuba's ``sunsky`` emitter (Hosek and Wilkie 2012 and 2013). Its sky
is smooth and reaches over half of all directions, its sun is small: the path tracer
aims at the sun and meets the sky by chance.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vasgen import runtime
from vasgen.camera import Camera
from vasgen.spec import RenderSpec

Array = NDArray[np.float64]

#: Angular radius of the sun, degrees.
SUN_RADIUS_DEG = 0.2666

#: Reflectance of the world beyond the scene.
_GROUND_REFLECTANCE = 0.2

#: Lowest sine of elevation at which the sky model is asked: it ends at the horizon.
_HORIZON = 0.004

#: How much darker than the horizon the haze looks straight down.
_HAZE_DIMMING = 0.45

#: Horizontal irradiance (green) of a clear day is about this times the sine of the
#: sun's elevation; from the sunsky model at turbidity 3.
_CLEAR_DAY = 1.55

#: Streets lie in shade as often as in the sun: expose a little for the shade.
_BRIGHT = 1.2

#: Rows and columns of the grids that integrate the sun's disc and the sky.
_GRID = 96


def sun_direction(spec: RenderSpec) -> Array:
    """Unit vector from the scene to the sun, (3,), world axes (x east, y north)."""
    elevation, azimuth = np.radians([spec.sun_elevation_deg, spec.sun_azimuth_deg])
    across = np.cos(elevation)
    return np.array([across * np.sin(azimuth), across * np.cos(azimuth), np.sin(elevation)])


def daylight_exposure(spec: RenderSpec) -> float:
    """Factor from scene radiance to display: white in full sunlight becomes a little more than one.

    It depends on the sun alone, so that all pictures of a dataset are exposed alike.
    """
    irradiance = _CLEAR_DAY * max(math.sin(math.radians(spec.sun_elevation_deg)), 0.05)
    return _BRIGHT * math.pi / irradiance


class Daylight:
    """The light of one spec, ready to be asked along directions.

    Attributes:
        direction: (3,) unit vector to the sun.
        sun: (3,) irradiance of the sun on a surface that faces it, linear sRGB.
        ground: (3,) radiance of the sunlit world beyond the scene.
    """

    def __init__(self, spec: RenderSpec) -> None:
        self.direction = sun_direction(spec)
        with runtime.colour_variant() as mi:
            both = {"type": "sunsky", "turbidity": spec.turbidity, "albedo": _GROUND_REFLECTANCE}
            both["sun_direction"] = self.direction.tolist()
            self._sun_and_sky = mi.load_dict(both)
            self._sky = mi.load_dict({**both, "sun_scale": 0.0})
            self.sun = self._sun_irradiance(mi)
            falling = self.sun * self.direction[2] + self._sky_irradiance(mi)
        self.ground = _GROUND_REFLECTANCE / math.pi * falling

    def indirect(self, mi: Any, direction: Any) -> Any:
        """What a reflected ray finds beyond the scene: sky without sun, or ground."""
        import drjit as dr

        above = direction.z > 0
        sky = _ask(mi, self._sky, direction, above)
        return dr.select(above, sky, mi.Color3f(self.ground.tolist()))

    def background(self, camera: Camera) -> NDArray[np.float32]:
        """Sky behind the scene at every pixel's centre, (H, W, 3) float32.

        Below the horizon, where a finite scene ends, lies haze: the horizon's radiance,
        dimmed towards the nadir.
        """
        rays = camera.rays().reshape(-1, 3)
        rays /= np.linalg.norm(rays, axis=1, keepdims=True)
        dimmed = 1 - _HAZE_DIMMING * np.sqrt(np.clip(-rays[:, 2:], 0, 1))
        rays[:, 2] = np.maximum(rays[:, 2], _HORIZON)
        with runtime.colour_variant() as mi:
            radiance = _look(mi, self._sun_and_sky, rays)
        return (radiance * dimmed).astype(np.float32).reshape(camera.height, camera.width, 3)

    def _sun_irradiance(self, mi: Any) -> Array:
        radius, angle = np.meshgrid(
            (np.arange(_GRID) + 0.5) / _GRID, 2 * np.pi * np.arange(_GRID) / _GRID
        )
        tangent = np.tan(np.radians(SUN_RADIUS_DEG)) * radius[..., None]
        first = np.cross(self.direction, [0.6, 0.0, 0.8])
        first = np.cross(self.direction, [0.0, 1.0, 0.0]) if not first.any() else first
        first /= np.linalg.norm(first)
        second = np.cross(self.direction, first)
        circle = np.cos(angle)[..., None] * first + np.sin(angle)[..., None] * second
        rays = (self.direction + tangent * circle).reshape(-1, 3)
        rays /= np.linalg.norm(rays, axis=1, keepdims=True)
        solid_angle = 2 * np.pi * (1 - np.cos(np.radians(SUN_RADIUS_DEG)))
        disc = _look(mi, self._sun_and_sky, rays) - _look(mi, self._sky, rays)
        weight = radius.ravel() / radius.sum()
        return np.asarray(solid_angle * (disc * weight[:, None]).sum(axis=0))

    def _sky_irradiance(self, mi: Any) -> Array:
        """On a horizontal surface; cells of equal projected solid angle."""
        square, angle = np.meshgrid(
            (np.arange(_GRID) + 0.5) / _GRID, 2 * np.pi * (np.arange(_GRID) + 0.5) / _GRID
        )
        across = np.sqrt(square)
        rays = np.stack(
            [across * np.cos(angle), across * np.sin(angle), np.sqrt(1 - square)], axis=-1
        )
        return np.asarray(np.pi * _look(mi, self._sky, rays.reshape(-1, 3)).mean(axis=0))


def _ask(mi: Any, emitter: Any, direction: Any, active: Any) -> Any:
    import drjit as dr

    si = dr.zeros(mi.SurfaceInteraction3f, dr.width(direction))
    si.wi = -direction
    return emitter.eval(si, active)


def _look(mi: Any, emitter: Any, rays: Array) -> Array:
    """Radiance along (N, 3) unit directions: (N, 3)."""
    direction = mi.Vector3f(np.ascontiguousarray(rays.T, np.float32))
    return np.array(_ask(mi, emitter, direction, True), np.float64).T
