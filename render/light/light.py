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
from vasgen.render.light.atmosphere import direct, near_ground, scattered
from vasgen.render.light.cloudy_sky import CloudySky, light_left
from vasgen.render.light.illuminance import illuminance
from vasgen.render.light.landscape import LAND_BELOW, LandLight, Landscape
from vasgen.render.light.night import (
    LAMP_COLOUR,
    STREETS_LUX,
    city_glow,
    lit_ground,
    starlight,
    street_glow,
)
from vasgen.render.light.overcast import extinction, hidden_share, sun_left, veil
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

#: Of the lamps' colour, what a camera's automatic white balance takes out where they rule:
#: 3500 K look like 5000 K.
_ADAPTED = 0.65

#: Colour of sun and clear sky together on the ground at noon, of luminance one: white by day.
_DAYLIGHT = np.array([1.072, 0.984, 0.923])


def exposure_of(conditions: Conditions) -> float:
    """Factor from scene radiance to display: white in full light becomes a little more than one.

    It follows from the light alone, that of the sky and of lamps, so that all pictures of the
    same light are exposed alike.
    """
    adapted = _natural(conditions) + _lamps_lux(conditions)
    return float(_BRIGHT * math.pi * LUX_PER_UNIT / adapted * 2**conditions.exposure_ev)


def white_balance(conditions: Conditions) -> Array:
    """Factors on red, green and blue, (3,), that keep the luminance of the light.

    Set for clear noon as long as there is daylight; as lamps take over, they take out most
    of the lamps' colour. Like the exposure they follow from the light alone.
    """
    lamps = _lamps_lux(conditions)
    share = lamps / (_natural(conditions) + lamps)
    light = _DAYLIGHT ** (1 - share) * LAMP_COLOUR**share
    factor = _DAYLIGHT ** (share - 1) * LAMP_COLOUR ** (-_ADAPTED * share)
    return np.asarray(factor * (light @ LUMINANCE) / ((light * factor) @ LUMINANCE))


def _natural(conditions: Conditions) -> float:
    """Light of the sky for which a camera is set, lux: less of it makes darker pictures."""
    outside = _outside(conditions.sun_elevation_deg) * light_left(conditions.cloud_cover)
    fading = (outside / _outside(_REFERENCE_DEG)) ** _DARKENING
    adapted = outside / (_DARK + (1 - _DARK) * fading)
    return adapted * (1 + _FOG_GLARE * hidden_share(conditions.visibility_m))


def _lamps_lux(conditions: Conditions) -> float:
    return STREETS_LUX if conditions.lamps else 0.0


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
        own = lamps * street_glow()
        self._clouds = CloudySky(conditions, *clear, glow) if conditions.cloud_cover else None
        above = clear.sky + glow if self._clouds is None else self._clouds.mean
        passing = 1.0 if self._clouds is None else self._clouds.sun_passing
        hazy = veil(above, clear.sun * passing, sine, conditions.visibility_m, own)
        if self._clouds is not None:
            self._clouds.veil(conditions.visibility_m, hazy.airlight)
        self.sun = hazy.sun
        self._bare_sun = clear.sun * sun_left(conditions.visibility_m, sine)
        self._sky = Sky(hazy.sky, conditions.sun_azimuth_deg)
        falling = _Light(hazy.sky, hazy.sun).falling(sine)
        self.ground = _GROUND_REFLECTANCE / math.pi * (falling + lamps * lit_ground())
        self.airlight = hazy.airlight
        fog = conditions.visibility_m and extinction(conditions.visibility_m)
        with runtime.colour_variant() as mi:
            import drjit as dr

            self._ground = mi.Color3f(self.ground.tolist())
            dr.make_opaque(self._ground)
            self._land = LandLight.of(
                mi,
                self.direction,
                self.sun,
                falling,
                near_ground(conditions.turbidity),
                fog or 0.0,
                lamps,
            )

    def indirect(self, mi: Any, direction: Any) -> Any:
        """What a reflected ray finds beyond the scene: sky without sun, or ground."""
        import drjit as dr

        sky = self._sky if self._clouds is None else self._clouds
        return dr.select(direction.z > 0, sky.ask(mi, direction), self._ground)

    def background(
        self,
        camera: Camera,
        rows: range | None = None,
        *,
        land: Landscape | None = None,
        covered: NDArray[np.float32] | None = None,
    ) -> NDArray[np.float32]:
        """What lies behind the scene, (rows, W, 3) float32; of all rows by default.

        Args:
            camera: the view.
            rows: of the picture.
            land: what surrounds the scene; without it there is sky down to the horizon, whose
                radiance goes on below.
            covered: (rows, W) share of each pixel that the scene covers; where that is all,
                zero is returned.
        """
        rows = range(camera.height) if rows is None else rows
        radiance = np.zeros((len(rows) * camera.width, 3))
        seen = np.full(len(radiance), True) if covered is None else covered.ravel() < 1
        rays = camera.rays(camera.pixel_centres(rows).reshape(-1, 2)[seen])
        rays /= np.linalg.norm(rays, axis=1, keepdims=True)
        radiance[seen] = self._above(rays)
        low = np.flatnonzero(seen)[rays[:, 2] < LAND_BELOW]
        if land is not None and len(low):
            with runtime.colour_variant() as mi:
                first = rows.start * camera.width
                found, share = land.seen(mi, camera, low + first, self._land, self._sky)
            radiance[low] = radiance[low] * (1 - share) + found
        return radiance.astype(np.float32).reshape(-1, camera.width, 3)

    def _above(self, rays: Array) -> Array:
        """Radiance of sky and sun along unit vectors, (N, 3)."""
        if self._clouds is None:
            return self._sky.at(rays) + self._disc(rays)
        radiance, high = np.empty_like(rays), rays[:, 2] > 0
        radiance[~high] = self._sky.at(rays[~high])
        clouds, passing = self._clouds.at(rays[high])
        radiance[high] = clouds + passing[:, None] * self._disc(rays[high])
        return radiance

    def _disc(self, rays: Array) -> Array:
        """Radiance of the sun's disc along rays, (N, 3)."""
        radius = math.radians(SUN_RADIUS_DEG)
        away = np.linalg.norm(rays - self.direction, axis=1) / radius
        height = np.sqrt(np.clip(1 - away**2, 0, 1))
        limb = np.where((away < 1) & (rays[:, 2] > 0), 1 - _LIMB * (1 - height), 0)
        return np.asarray(limb[:, None] * self._bare_sun / (math.pi * radius**2 * (1 - _LIMB / 3)))


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
