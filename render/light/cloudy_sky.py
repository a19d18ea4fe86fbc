"""The sky with clouds, as bright as measured under such a cover."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vasgen import runtime
from vasgen.colour import LUMINANCE
from vasgen.conditions import Conditions
from vasgen.render.light.atmosphere import direct
from vasgen.render.light.clear_sky import GROUND_REFLECTANCE, ClearLight
from vasgen.render.light.clouds import BASE_M, CIRRUS_M, CloudLight, Clouds, CloudsSeen
from vasgen.render.light.dome import AROUND, Dome, dome_directions, folded, solid_angles, unfolded
from vasgen.render.light.illuminance import LUX_PER_UNIT
from vasgen.render.light.night import LAMP_COLOUR
from vasgen.render.light.overcast import sky_left
from vasgen.render.light.sky import ROWS, Sky, elevations, irradiance
from vasgen.render.light.sunsky import SUN_RADIUS_DEG
from vasgen.sun import sun_direction

Array = NDArray[np.float64]

#: Covers between which clouds grow into a closed, even layer.
_CLOSING, _CLOSED = 0.85, 1.0

#: Cover from which on there is all the cirrus of a pattern.
_VEILED = 0.1

#: How the share of suns that clouds hide depends on their cover, and on the sun's elevation, since
#: low suns are hidden by the sides of clouds too: of cover, and of the sine. Fitted to 60 patterns.
_HIDING, _SIDES = (1.1, 2.0), (0.32, 0.8)

#: Irradiance of the sun outside the atmosphere.
_SUN_OUTSIDE = 128_000.0 / LUX_PER_UNIT

#: Elevation at which the sky is brightest once the sun is lower, degrees; and how much of the
#: sky is as bright, steradians.
_AFTERGLOW_DEG, _AFTERGLOW_SR = 3.0, 0.8

#: Luminance of clouds over the middle of a lit city, candela a square metre: six times that of its
#: clear sky; Kyba et al. (2011) measured ten times in Berlin.
_CITY_GLOW = 0.3

#: Distance over which air of turbidity one hides all but 1/e of a cloud, metres.
_CLEAR_REACH_M = 90_000.0

#: How much clouds may be dimmed or brightened for the ground to get its light.
_SCALES = (0.5, 1.6)

#: Rays to the sun's disc, along an edge of a square in it.
_DISC = 3


def light_left(cover: float) -> float:
    """Mean illuminance of the ground under clouds over that under a clear sky.

    Kasten and Czeplak (1980), from ten years in Hamburg.

    Args:
        cover: 0 to 1.
    """
    return float(1 - 0.75 * cover**3.4)


def sun_left(cover: float, sine: float) -> float:
    """Share of the sun's light that clouds let through, mean over patterns.

    Args:
        cover: 0 to 1.
        sine: of the sun's elevation.
    """
    power = _HIDING[0] + _HIDING[1] * cover
    power *= max(sine, 1e-3) ** (_SIDES[0] + _SIDES[1] * cover)
    return float((1 - cover**power) * (1 - closed_share(cover)))


def closed_share(cover: float) -> float:
    """How far clouds are one even layer, 0 to 1."""
    rise = min(max((cover - _CLOSING) / (_CLOSED - _CLOSING), 0.0), 1.0)
    return rise * rise * (3 - 2 * rise)


class CloudySky:
    """A sky with clouds; in fog, as seen from below.

    Args:
        conditions: with a cover above zero.
        clear: the same without clouds.
        glow: radiance that a lit city adds to the clear sky, (ROWS, 1, 3); 0: there is none.

    Attributes:
        mean: (ROWS, COLUMNS, 3) radiance without fog, the mean of the halves left and right of
            the sun, and evened out.
        sun_passing: share of the sun's light that clouds let through.
    """

    def __init__(self, conditions: Conditions, clear: ClearLight, glow: Array | float) -> None:
        self._azimuth_deg, cover = conditions.sun_azimuth_deg, conditions.cloud_cover
        self._glow = float(conditions.lamps) * _CITY_GLOW / LUX_PER_UNIT * LAMP_COLOUR
        self._behind = Sky(clear.sky + glow, self._azimuth_deg)
        to_sun = sun_direction(conditions.sun_elevation_deg, self._azimuth_deg)
        rays = dome_directions(self._azimuth_deg).reshape(-1, 3)
        bright = max(conditions.sun_elevation_deg, _AFTERGLOW_DEG)
        to_light = sun_direction(bright, self._azimuth_deg)
        mi = runtime.colours()
        light = _light_of_clouds(conditions, clear)
        shares = closed_share(cover), min(cover / _VEILED, 1.0)
        self._clouds = Clouds(mi, conditions.cloud_pattern, to_light, light, *shares)
        self._clouds.set_cover(mi, rays, solid_angles().ravel(), cover)
        seen = self._clouds.seen(mi, np.concatenate([rays, _disc(to_sun)]))
        self.sun_passing = float(seen.passing[len(rays) :].mean())
        whole = (value[: len(rays)] for value in seen)
        dome = CloudsSeen(*(value.reshape(ROWS, AROUND, *value.shape[1:]) for value in whole))
        self._scale = _scale(dome, clear, cover, max(float(to_sun[2]), 0.0))
        self._dome = self._composed(dome, unfolded(clear.sky + glow))
        self.mean = folded(self._dome)

    def _composed(self, seen: CloudsSeen, behind: Array) -> Array:
        """Radiance of clouds before a sky, (..., 3)."""
        through = (seen.passing + seen.air)[..., None]
        own = self._scale * seen.radiance + seen.glow[..., None] * self._glow
        return np.asarray(behind * through + own)

    def veil(self, visibility_m: float | None, airlight: Array) -> None:
        """Be ready to be asked, from below fog if there is any.

        Args:
            visibility_m: in the fog, metres; None: there is none.
            airlight: (3,) radiance of the fog.
        """
        self._visibility_m, self._airlight = visibility_m, airlight
        left = sky_left(visibility_m, np.sin(elevations()))[:, None, None]
        self._table = Dome(left * self._dome + (1 - left) * airlight, self._azimuth_deg)

    def at(self, rays: Array) -> tuple[Array, Array]:
        """Radiance along unit vectors, and the share of light from behind that clouds let through.

        Args:
            rays: (N, 3), above the horizon.

        Returns:
            (N, 3) and (N,).
        """
        seen = self._clouds.seen(runtime.colours(), rays)
        radiance = self._composed(seen, self._behind.at(rays))
        if self._visibility_m is not None:
            left = sky_left(self._visibility_m, rays[:, 2:])
            radiance = left * radiance + (1 - left) * self._airlight
        return radiance, seen.passing

    def ask(self, mi: Any, direction: Any) -> Any:
        """Radiance by a table, inside a kernel: Color3f."""
        return self._table.ask(mi, direction)


def _light_of_clouds(conditions: Conditions, clear: ClearLight) -> CloudLight:
    elevation, turbidity = conditions.sun_elevation_deg, conditions.turbidity
    total = clear.falling(math.sin(math.radians(elevation)))
    # The sun sets later up there, and then the sky above it takes its place.
    row = round(math.sqrt(_AFTERGLOW_DEG / 90) * (ROWS - 1))
    share = min(max(1 - elevation / _AFTERGLOW_DEG, 0.0), 1.0)
    sun = clear.sun + share * _AFTERGLOW_SR * clear.sky[row, 0]
    low, high = (
        np.maximum(_SUN_OUTSIDE * direct(elevation, turbidity, height), sun)
        for height in (BASE_M, CIRRUS_M)
    )
    return CloudLight(
        low=low,
        high=high,
        above=irradiance(clear.sky) / math.pi,
        below=GROUND_REFLECTANCE / math.pi * total,
        closed=9 / (7 * math.pi) * light_left(conditions.cloud_cover) * total,
        reach_m=_CLEAR_REACH_M / turbidity,
    )


def _scale(dome: CloudsSeen, clear: ClearLight, cover: float, sine: float) -> float:
    """Of clouds' radiance, for the ground to get the light that it has under such a cover.

    Args:
        dome: (ROWS, AROUND) clouds.
        clear: light above them.
        cover: 0 to 1.
        sine: of the sun's elevation; 0 at night.
    """
    wanted = light_left(cover) * clear.falling(sine) - sun_left(cover, sine) * sine * clear.sun
    gaps = (dome.passing + dome.air)[..., None] * unfolded(clear.sky)
    passed, given = (
        irradiance(part.mean(axis=1, keepdims=True)) @ LUMINANCE for part in (gaps, dome.radiance)
    )
    return float(np.clip((wanted @ LUMINANCE - passed) / max(given, 1e-30), *_SCALES))


def _disc(to_sun: Array) -> Array:
    """Directions to the disc of the sun, (_DISC**2, 3)."""
    across = np.cross(to_sun, [0.0, 1.0, 0.0] if abs(to_sun[1]) < 0.9 else [1.0, 0.0, 0.0])
    across /= np.linalg.norm(across)
    step = math.radians(SUN_RADIUS_DEG) * np.linspace(-0.7, 0.7, _DISC)
    x, y = (part.reshape(-1, 1) for part in np.meshgrid(step, step))
    rays = to_sun + x * across + y * np.cross(to_sun, across)
    return np.asarray(rays / np.linalg.norm(rays, axis=1, keepdims=True))
