"""Sun and sky of a clear day, of twilight and of the night.

By day the sky is that of Hosek and Wilkie (2012, 2013), from Mitsuba's ``sunsky``. It ends at
the horizon, so that below 10 degrees a model of twilight takes over, and below 2 degrees has
taken over, with the illuminance that is published for each elevation of the sun.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vasgen.colour import LUMINANCE
from vasgen.conditions import Conditions
from vasgen.render.light.atmosphere import direct, scattered
from vasgen.render.light.illuminance import LUX_PER_UNIT, illuminance
from vasgen.render.light.night import starlight
from vasgen.render.light.sky import COARSE, directions, elevations, irradiance, refined, turns
from vasgen.render.light.sunsky import clear_day
from vasgen.sun import sun_direction

Array = NDArray[np.float64]

#: Reflectance of the world beyond the scene.
GROUND_REFLECTANCE = 0.2

#: Elevations of the sun between which the day's sky replaces that of twilight, degrees.
_TWILIGHT_DEG, _DAY_DEG = 2.0, 10.0

#: Elevations of the sun between which stars and airglow take over from twilight, degrees.
_STARS_DEG, _NIGHT_DEG = -9.0, -18.0

#: How much stronger the colours of twilight are shown than they are, as on film; and the least
#: share of grey that a channel keeps.
_VIVID, _LEAST = 1.25, 0.25


class ClearLight(NamedTuple):
    """Radiance of the sky, (rows, columns, 3), and irradiance of the sun that faces it, (3,)."""

    sky: Array
    sun: Array

    def falling(self, sine: float) -> Array:
        """Irradiance on the ground, (3,)."""
        return np.asarray(irradiance(self.sky) + self.sun * max(sine, 0.0))


def clear_light(conditions: Conditions) -> ClearLight:
    """Sun and sky without fog and lamps."""
    share = share_of_day(conditions.sun_elevation_deg)
    if share == 1:
        return _day(conditions)
    low = _twilight(conditions)
    if share == 0:
        return low
    high, sine = _day(conditions), math.sin(math.radians(conditions.sun_elevation_deg))
    mixed = ClearLight(*(share * h + (1 - share) * w for h, w in zip(high, low, strict=True)))
    dim, bright, now = (float(light.falling(sine) @ LUMINANCE) for light in (low, high, mixed))
    scale = dim ** (1 - share) * bright**share / now
    return ClearLight(mixed.sky * scale, mixed.sun * scale)


def _day(conditions: Conditions) -> ClearLight:
    azimuth = conditions.sun_azimuth_deg
    rays = directions(elevations(), turns(), azimuth)
    sun = sun_direction(conditions.sun_elevation_deg, conditions.sun_azimuth_deg)
    sky, disc = clear_day(sun, conditions.turbidity, GROUND_REFLECTANCE, rays.reshape(-1, 3))
    return ClearLight(sky.reshape(rays.shape), disc)


def _twilight(conditions: Conditions) -> ClearLight:
    """As bright as twilight is known to be."""
    elevation, turbidity = conditions.sun_elevation_deg, conditions.turbidity
    sky = refined(scattered(elevation, turbidity, elevations(COARSE), turns(COARSE)))
    sun = direct(elevation, turbidity) if elevation > 0 else np.zeros(3)
    grey = (sky @ LUMINANCE)[..., None]
    # Blue stays: a sky without any shows as a yellow blot.
    seen = ClearLight(np.maximum(grey + _VIVID * (sky - grey), _LEAST * grey), sun)
    lux = float(seen.falling(math.sin(math.radians(elevation))) @ LUMINANCE)
    stars = starlight(elevations())[:, None]
    share = min(max((_STARS_DEG - elevation) / (_STARS_DEG - _NIGHT_DEG), 0.0), 1.0)
    mixed = (1 - share) / lux * seen.sky + share / float(irradiance(stars) @ LUMINANCE) * stars
    strength = illuminance(elevation) / LUX_PER_UNIT
    return ClearLight(mixed * strength, sun * strength / lux)


def share_of_day(elevation_deg: float) -> float:
    """How far the day's sky has replaced that of twilight, 0 to 1."""
    rise = (elevation_deg - _TWILIGHT_DEG) / (_DAY_DEG - _TWILIGHT_DEG)
    rise = min(max(rise, 0.0), 1.0)
    return rise * rise * (3 - 2 * rise)
