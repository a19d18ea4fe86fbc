"""The sky with clouds: a table of the whole dome, as bright as measured under such a cover."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vasgen import runtime
from vasgen.colour import LUMINANCE
from vasgen.conditions import Conditions
from vasgen.render.light.atmosphere import direct
from vasgen.render.light.clouds import BASE_M, CIRRUS_M, CloudLight, Clouds, CloudsSeen
from vasgen.render.light.night import LAMP_COLOUR
from vasgen.render.light.overcast import sky_left
from vasgen.render.light.sky import (
    COLUMNS,
    ROWS,
    Sky,
    directions,
    elevations,
    irradiance,
    trapezoid,
    turns,
)
from vasgen.render.light.sunsky import SUN_RADIUS_DEG
from vasgen.sun import sun_direction

Array = NDArray[np.float64]

#: How the share of suns that clouds hide depends on cover and elevation: the sides of clouds hide low
#: ones. Fitted to 60 patterns.
_HIDING, _HIDING_MORE, _HIDING_POWER = 1.1, 2.0, 0.7

#: Columns of the dome's table: from the sun once around.
_AROUND = 512

#: Columns over which the mean sky, which lights the ground, is evened out.
_EVEN_OVER = 33

#: Cover between which clouds grow into a closed layer.
_CLOSING, _CLOSED = 0.85, 1.0

#: Irradiance of the sun outside the atmosphere, in units of 68,000 lux.
_SUN_OUTSIDE = 128_000.0 / 68_000.0

#: Once the sun is lower, clouds are lit by the sky at this elevation above it, degrees; and how
#: much of the sky is as bright as there, steradians.
_AFTERGLOW_DEG, _AFTERGLOW_SR = 3.0, 0.8

#: Reflectance of the ground below the clouds.
_GROUND = 0.2

#: Luminance of the base of clouds over a lit city, candela a square metre: ten times that of its
#: clear sky (Kyba et al. 2011).
_CITY_GLOW = 0.5

#: Distance over which air of turbidity one hides all but 1/e of a cloud, metres.
_CLEAR_REACH_M = 90_000.0

#: How much clouds may be brightened or dimmed for the ground to get its light.
_SCALES = (0.6, 1.6)

#: Rays to the sun's disc, an edge.
_DISC = 3


def light_left(cover: float) -> float:
    """Mean illuminance of the ground under clouds over that of a clear sky.

    Kasten and Czeplak (Solar Energy 24, 1980), from ten years of Hamburg.

    Args:
        cover: 0 to 1.
    """
    return 1 - 0.75 * cover**3.4


def sun_left(cover: float, sine: float) -> float:
    """Mean share of the sun's light that clouds of many patterns let through.

    Args:
        cover: 0 to 1.
        sine: of the sun's elevation.
    """
    hidden = cover ** ((_HIDING + _HIDING_MORE * cover) * max(sine, 1e-3) ** _HIDING_POWER)
    return float((1 - hidden) * (1 - closed_share(cover)))


class _Above(NamedTuple):
    """Light above the clouds: radiance of the sky, irradiance of the sun, glow of the city."""

    sky: Array
    sun: Array
    glow: Array | float


class CloudySky:
    """The sky of some conditions with clouds, without fog.

    Args:
        conditions: with a cover above zero.
        sky: (ROWS, COLUMNS, 3) radiance of the clear sky.
        sun: (3,) irradiance of the sun.
        glow: radiance of the clear sky that the city adds, (ROWS, 1, 3), or 0.

    Attributes:
        table: (ROWS, _AROUND, 3) radiance.
        mean: (ROWS, COLUMNS, 3) the same, halves left and right of the sun mixed.
        sun_passing: share of the sun's light that clouds let through.
    """

    def __init__(self, conditions: Conditions, sky: Array, sun: Array, glow: Array | float) -> None:
        self._azimuth_deg = conditions.sun_azimuth_deg
        self._to_sun = sun_direction(conditions.sun_elevation_deg, conditions.sun_azimuth_deg)
        azimuth = math.radians(conditions.sun_azimuth_deg)
        with runtime.colour_variant() as mi:
            import drjit as dr

            self._level_to_sun = mi.Point2f(math.sin(azimuth), math.cos(azimuth))
            dr.make_opaque(self._level_to_sun)
        from scipy.ndimage import uniform_filter1d

        self._own = _CITY_GLOW / 68_000.0 * LAMP_COLOUR * float(conditions.lamps)
        sine = max(float(self._to_sun[2]), 0.0)
        falling = irradiance(sky)
        total = falling + sun * sine
        self._behind = Sky(sky + glow, conditions.sun_azimuth_deg)
        bright, afterglow = _afterglow(conditions, self._behind)
        light = _cloud_light(conditions, sun + afterglow, falling, total)
        around = np.arange(_AROUND) * (2 * math.pi / _AROUND)
        rays = directions(elevations(), around, conditions.sun_azimuth_deg)
        with runtime.colour_variant() as mi:
            self._clouds = Clouds(
                mi, conditions.cloud_pattern, bright, light, closed_share(conditions.cloud_cover)
            )
            weight = np.broadcast_to(_solid_angles()[:, None], rays.shape[:2])
            self._clouds.set_cover(
                mi, rays.reshape(-1, 3), weight.ravel(), conditions.cloud_cover
            )
            seen = self._clouds.seen(mi, np.concatenate([rays.reshape(-1, 3), self._disc()]))
        self.sun_passing = float(seen.passing[-(_DISC**2) :].mean())
        dome = CloudsSeen(
            *(v[: -(_DISC**2)].reshape(ROWS, _AROUND, *v.shape[1:]) for v in seen)
        )
        clear = self._behind.at(rays[:, : _AROUND // 2 + 1].reshape(-1, 3))
        clear = clear.reshape(ROWS, -1, 3)
        clear = np.concatenate([clear, clear[:, -2:0:-1]], axis=1)
        self.dome = dome
        wanted = light_left(conditions.cloud_cover) * total
        wanted = wanted - sun_left(conditions.cloud_cover, sine) * sun * sine
        gaps = (dome.passing + dome.air)[..., None] * _even(sky)
        given, passed = (
            irradiance(part.mean(axis=1, keepdims=True)) @ LUMINANCE for part in (dome.radiance, gaps)
        )
        self.scale = float(np.clip((wanted @ LUMINANCE - passed) / given, *_SCALES))
        self.table = self._composed(dome, clear)
        even = uniform_filter1d(self.table, _EVEN_OVER, axis=1, mode="wrap")
        half = even[:, : _AROUND // 2 + 1].copy()
        half[:, 1:-1] = (half[:, 1:-1] + even[:, : _AROUND // 2 : -1]) / 2
        self.mean = _columns(half, turns() / math.pi * (_AROUND // 2))

    def _composed(self, seen: CloudsSeen, clear: Array) -> Array:
        through = (seen.passing + seen.air)[..., None]
        return clear * through + self.scale * seen.radiance + seen.glow[..., None] * self._own

    def veil(self, visibility_m: float | None, airlight: Array) -> None:
        """Look at this sky from below fog from now on.

        Args:
            visibility_m: in the fog, metres; None: there is none.
            airlight: (3,) radiance of the fog.
        """
        self._visibility_m, self._airlight = visibility_m, airlight
        left = sky_left(visibility_m, np.sin(elevations()))[:, None, None]
        table = left * self.table + (1 - left) * airlight
        # Of columns that go around, the first follows the last.
        table = np.concatenate([table, table[:, :1]], axis=1)
        with runtime.colour_variant() as mi:
            texels = mi.TensorXf(np.ascontiguousarray(table, np.float32))
            self._texture = mi.Texture2f(texels, use_accel=False)

    def at(self, rays: Array) -> tuple[Array, Array]:
        """Radiance along unit vectors, and the share of the light behind clouds that passes them.

        Args:
            rays: (N, 3), above the horizon.

        Returns:
            (N, 3) and (N,).
        """
        with runtime.colour_variant() as mi:
            seen = self._clouds.seen(mi, rays)
        left = sky_left(self._visibility_m, rays[:, 2:])
        radiance = self._composed(seen, self._behind.at(rays))
        return left * radiance + (1 - left) * self._airlight, seen.passing

    def ask(self, mi: Any, direction: Any) -> Any:
        """Radiance by the table, inside a kernel: Color3f."""
        import drjit as dr

        to_sun = self._level_to_sun
        side = direction.x * to_sun.x + direction.y * to_sun.y
        across = direction.x * to_sun.y - direction.y * to_sun.x
        turn = dr.atan2(across, side) / (2 * math.pi)
        turn = dr.select(turn < 0, turn + 1, turn)
        elevation = dr.asin(dr.clip(direction.z, 0, 1)) / (math.pi / 2)
        # A texel's value is that of its middle.
        u = (turn * _AROUND + 0.5) / (_AROUND + 1)
        v = (dr.sqrt(elevation) * (ROWS - 1) + 0.5) / ROWS
        return mi.Color3f(self._texture.eval(mi.Point2f(u, v)))

    def _disc(self) -> Array:
        """Directions to the disc of the sun, (_DISC**2, 3)."""
        across = np.array([-self._to_sun[1], self._to_sun[0], 0.0])
        length = float(np.linalg.norm(across))
        across = across / length if length > 1e-9 else np.array([1.0, 0.0, 0.0])
        upward = np.cross(self._to_sun, across)
        step = math.radians(SUN_RADIUS_DEG) * np.linspace(-0.7, 0.7, _DISC)
        x, y = (part.ravel() for part in np.meshgrid(step, step))
        rays = self._to_sun + x[:, None] * across + y[:, None] * upward
        return np.asarray(rays / np.linalg.norm(rays, axis=1, keepdims=True))


def closed_share(cover: float) -> float:
    """How far the clouds are one even layer, 0 to 1."""
    rise = (cover - _CLOSING) / (_CLOSED - _CLOSING)
    rise = min(max(rise, 0.0), 1.0)
    return rise * rise * (3 - 2 * rise)


def _afterglow(conditions: Conditions, sky: Sky) -> tuple[Array, Array]:
    """Where most light comes from, (3,), and how much of it is the sky's around, (3,)."""
    elevation = conditions.sun_elevation_deg
    bright = max(elevation, _AFTERGLOW_DEG)
    direction = sun_direction(bright, conditions.sun_azimuth_deg)
    share = min(max(1 - elevation / _AFTERGLOW_DEG, 0.0), 1.0)
    return direction, share * _AFTERGLOW_SR * sky.at(direction[None])[0]


def _cloud_light(conditions: Conditions, sun: Array, falling: Array, total: Array) -> CloudLight:
    elevation, turbidity = conditions.sun_elevation_deg, conditions.turbidity
    low, high = (_SUN_OUTSIDE * direct(elevation, turbidity, h) for h in (BASE_M, CIRRUS_M))
    even = 9 / (7 * math.pi) * light_left(conditions.cloud_cover) * total
    return CloudLight(
        np.maximum(low, sun), np.maximum(high, sun), falling / math.pi,
        _GROUND / math.pi * total, even, _CLEAR_REACH_M / turbidity,
    )  # fmt: skip


def _solid_angles() -> Array:
    """Of a table's rows, (ROWS,), up to a factor."""
    return trapezoid(np.sin(elevations()))


def _even(sky: Array) -> Array:
    """The table of the sky at the columns of the dome's."""
    around = np.arange(_AROUND // 2 + 1) * (2 * math.pi / _AROUND)
    half = _columns(sky, np.sqrt(around / math.pi) * (COLUMNS - 1))
    return np.concatenate([half, half[:, -2:0:-1]], axis=1)


def _columns(table: Array, at: Array) -> Array:
    """Columns of a table at fractions of its own."""
    low = np.minimum(at.astype(np.int64), table.shape[1] - 2)
    share = (at - low)[:, None]
    return np.asarray((1 - share) * table[:, low] + share * table[:, low + 1])
