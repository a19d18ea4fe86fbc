"""The light of some conditions: sun, sky, fog and the glow of the city.

By day the sky is that of Hosek and Wilkie (2012, 2013), from Mitsuba's ``sunsky``. It ends at
the horizon, so that below 10 degrees a model of twilight takes over, and below 2 degrees has
taken over, with the illuminance that is published for each elevation of the sun.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vasgen import runtime
from vasgen.camera import Camera
from vasgen.colour import LUMINANCE
from vasgen.conditions import Conditions
from vasgen.render.light.atmosphere import direct, scattered
from vasgen.render.light.illuminance import illuminance
from vasgen.render.light.night import STREETS_LUX, city_glow, lit_ground, starlight, street_glow
from vasgen.render.light.overcast import hidden_share, veil
from vasgen.render.light.sky import (
    COARSE,
    Sky,
    directions,
    elevations,
    irradiance,
    refined,
    turns,
)
from vasgen.render.light.sunsky import SUN_RADIUS_DEG, clear_day
from vasgen.sun import sun_direction

Array = NDArray[np.float64]

#: Illuminance that one unit of irradiance stands for, lux (of radiance: candela a square metre).
LUX_PER_UNIT = 68_000.0

#: Reflectance of the world beyond the scene.
_GROUND_REFLECTANCE = 0.2

#: Elevations of the sun between which the day's sky replaces that of twilight, degrees.
_TWILIGHT_DEG, _DAY_DEG = 2.0, 10.0

#: Elevations of the sun between which stars and airglow take over from twilight, degrees.
_STARS_DEG, _NIGHT_DEG = -9.0, -18.0

#: How much stronger the colours of twilight are shown than they are, as on film; and the least
#: share of grey that a channel keeps.
_VIVID, _LEAST = 1.25, 0.25

#: Horizontal illuminance of a clear day over the sine of the sun's elevation, lux.
_CLEAR_DAY_LUX = 105_400.0

#: How much darker than the horizon the haze looks straight down.
_HAZE_DIMMING = 0.45

#: Darkening of the sun towards its limb, about 550 nm (Neckel and Labs 1994).
_LIMB = 0.6

#: Streets lie in shade as often as in the sun: expose a little for the shade.
_BRIGHT = 1.2

#: Elevation of the sun at which white in full light is exposed like that, degrees.
_REFERENCE_DEG = 40.0

#: Dusk shall look like dusk: of what white is by day, how much is left in the dark; and the power
#: of the light by which the rest goes.
_DARK, _DARKENING = 0.14, 0.3


#: Fog is as bright as what it lights: how much more light it counts for where it hides all.
_FOG_GLARE = 0.6


def exposure_of(conditions: Conditions) -> float:
    """Factor from scene radiance to display: white in full light becomes a little more than one.

    It follows from the light alone, that of the sky and of lamps, so that all pictures of the
    same light are exposed alike.
    """
    outside = _outside(conditions.sun_elevation_deg)
    fading = (outside / _outside(_REFERENCE_DEG)) ** _DARKENING
    adapted = outside / (_DARK + (1 - _DARK) * fading)
    adapted *= 1 + _FOG_GLARE * hidden_share(conditions.visibility_m)
    adapted += STREETS_LUX if conditions.lamps else 0.0
    return float(_BRIGHT * math.pi * LUX_PER_UNIT / adapted * 2**conditions.exposure_ev)


def _outside(elevation_deg: float) -> float:
    """Illuminance of the ground under our own clear sky, lux."""
    share, twilight = _share_of_day(elevation_deg), illuminance(elevation_deg)
    if share == 0:
        return twilight
    day = _CLEAR_DAY_LUX * math.sin(math.radians(elevation_deg))
    return float(twilight ** (1 - share) * day**share)


def _share_of_day(elevation_deg: float) -> float:
    """How far the day's sky has replaced that of twilight, 0 to 1."""
    rise = (elevation_deg - _TWILIGHT_DEG) / (_DAY_DEG - _TWILIGHT_DEG)
    rise = min(max(rise, 0.0), 1.0)
    return rise * rise * (3 - 2 * rise)


class _Light(NamedTuple):
    """Radiance of the sky, (rows, columns, 3), and irradiance of the sun that faces it, (3,)."""

    sky: Array
    sun: Array

    def falling(self, sine: float) -> Array:
        """Irradiance on the ground, (3,)."""
        return np.asarray(irradiance(self.sky) + self.sun * max(sine, 0.0))


class Daylight:
    """The light of some conditions, ready to be asked along directions.

    Radiance is in units of 68,000 candela a square metre. In fog, sky and sun are what comes
    through it: only surfaces are still to be veiled.

    Attributes:
        direction: (3,) unit vector to the sun.
        sun: (3,) irradiance of the sun on a surface that faces it, linear sRGB; zero once it
            is below the horizon.
        ground: (3,) radiance of the lit world beyond the scene.
        airlight: (3,) radiance that a line of sight takes on in fog; zero if there is none.
    """

    def __init__(self, conditions: Conditions) -> None:
        self.direction = sun_direction(conditions.sun_elevation_deg, conditions.sun_azimuth_deg)
        sine = float(self.direction[2])
        clear = _clear(conditions)
        glow = city_glow(elevations())[:, None] / LUX_PER_UNIT if conditions.lamps else 0.0
        lamps = float(conditions.lamps) / LUX_PER_UNIT
        self._dimming = _HAZE_DIMMING * (1 - hidden_share(conditions.visibility_m))
        own = lamps * street_glow()
        hazy = veil(clear.sky + glow, clear.sun, sine, conditions.visibility_m, own)
        self.sun = hazy.sun
        self._sky = Sky(hazy.sky, conditions.sun_azimuth_deg)
        falling = _Light(hazy.sky, hazy.sun).falling(sine)
        self.ground = _GROUND_REFLECTANCE / math.pi * (falling + lamps * lit_ground())
        self.airlight = hazy.airlight
        with runtime.colour_variant() as mi:
            import drjit as dr

            self._ground = mi.Color3f(self.ground.tolist())
            dr.make_opaque(self._ground)

    def indirect(self, mi: Any, direction: Any) -> Any:
        """What a reflected ray finds beyond the scene: sky without sun, or ground."""
        import drjit as dr

        return dr.select(direction.z > 0, self._sky.ask(mi, direction), self._ground)

    def background(self, camera: Camera, rows: range | None = None) -> NDArray[np.float32]:
        """Sky behind the scene at pixels' centres, (rows, W, 3) float32; of all rows by default.

        Below the horizon, where a finite scene ends, lies haze: the horizon's radiance,
        dimmed towards the nadir; fog, where it hides all, is as bright there.
        """
        rays = camera.rays(camera.pixel_centres(rows)).reshape(-1, 3)
        rays /= np.linalg.norm(rays, axis=1, keepdims=True)
        dimmed = 1 - self._dimming * np.sqrt(np.clip(-rays[:, 2:], 0, 1))
        radiance = self._sky.at(rays) * dimmed + self._disc(rays)
        return radiance.astype(np.float32).reshape(-1, camera.width, 3)

    def _disc(self, rays: Array) -> Array:
        """Radiance of the sun's disc along rays, (N, 3)."""
        radius = math.radians(SUN_RADIUS_DEG)
        away = np.linalg.norm(rays - self.direction, axis=1) / radius
        height = np.sqrt(np.clip(1 - away**2, 0, 1))
        limb = np.where((away < 1) & (rays[:, 2] > 0), 1 - _LIMB * (1 - height), 0)
        return np.asarray(limb[:, None] * self.sun / (math.pi * radius**2 * (1 - _LIMB / 3)))


def _clear(conditions: Conditions) -> _Light:
    """Sun and sky without fog and lamps."""
    share = _share_of_day(conditions.sun_elevation_deg)
    if share == 1:
        return _day(conditions)
    low = _twilight(conditions)
    if share == 0:
        return low
    high, sine = _day(conditions), math.sin(math.radians(conditions.sun_elevation_deg))
    mixed = _Light(*(share * h + (1 - share) * w for h, w in zip(high, low, strict=True)))
    dim, bright, now = (float(light.falling(sine) @ LUMINANCE) for light in (low, high, mixed))
    scale = dim ** (1 - share) * bright**share / now
    return _Light(mixed.sky * scale, mixed.sun * scale)


def _day(conditions: Conditions) -> _Light:
    azimuth = conditions.sun_azimuth_deg
    rays = directions(elevations(), turns(), azimuth)
    sun = sun_direction(conditions.sun_elevation_deg, conditions.sun_azimuth_deg)
    sky, disc = clear_day(sun, conditions.turbidity, _GROUND_REFLECTANCE, rays.reshape(-1, 3))
    return _Light(sky.reshape(rays.shape), disc)


def _twilight(conditions: Conditions) -> _Light:
    """As bright as twilight is known to be."""
    elevation, turbidity = conditions.sun_elevation_deg, conditions.turbidity
    sky = refined(scattered(elevation, turbidity, elevations(COARSE), turns(COARSE)))
    sun = direct(elevation, turbidity) if elevation > 0 else np.zeros(3)
    grey = (sky @ LUMINANCE)[..., None]
    # Blue stays: a sky without any shows as a yellow blot.
    seen = _Light(np.maximum(grey + _VIVID * (sky - grey), _LEAST * grey), sun)
    lux = float(seen.falling(math.sin(math.radians(elevation))) @ LUMINANCE)
    stars = starlight(elevations())[:, None]
    share = min(max((_STARS_DEG - elevation) / (_STARS_DEG - _NIGHT_DEG), 0.0), 1.0)
    mixed = (1 - share) / lux * seen.sky + share / float(irradiance(stars) @ LUMINANCE) * stars
    strength = illuminance(elevation) / LUX_PER_UNIT
    return _Light(mixed * strength, sun * strength / lux)
