"""The light of some conditions: sun, sky, clouds, fog and the glow of the city.

Above are the clear sky and the clouds in it, below is fog, if there is any.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vasgen import runtime
from vasgen.camera import Camera
from vasgen.conditions import Conditions
from vasgen.render.light.atmosphere import near_ground
from vasgen.render.light.clear_sky import GROUND_REFLECTANCE, ClearLight, clear_light
from vasgen.render.light.cloudy_sky import CloudySky
from vasgen.render.light.illuminance import LUX_PER_UNIT
from vasgen.render.light.landscape import LAND_BELOW, LandLight, Landscape
from vasgen.render.light.night import city_glow, lit_ground, street_glow
from vasgen.render.light.overcast import extinction, sun_left, veil
from vasgen.render.light.sky import Sky, elevations
from vasgen.render.light.sunsky import SUN_RADIUS_DEG
from vasgen.render.light.sweep import Sweep, sweep_of
from vasgen.sun import sun_direction

Array = NDArray[np.float64]

#: Darkening of the sun towards its limb, about 550 nm (Neckel and Labs 1994).
_LIMB = 0.6


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
        import drjit as dr

        self.direction = sun_direction(conditions.sun_elevation_deg, conditions.sun_azimuth_deg)
        sine = float(self.direction[2])
        clear = clear_light(conditions)
        glow = city_glow(elevations())[:, None] / LUX_PER_UNIT if conditions.lamps else 0.0
        lamps = float(conditions.lamps) / LUX_PER_UNIT
        own = lamps * street_glow()
        self._clouds = CloudySky(conditions, clear, glow) if conditions.cloud_cover else None
        above = clear.sky + glow if self._clouds is None else self._clouds.mean
        passing = 1.0 if self._clouds is None else self._clouds.sun_passing
        hazy = veil(above, clear.sun * passing, sine, conditions.visibility_m, own)
        if self._clouds is not None:
            self._clouds.veil(conditions.visibility_m, hazy.airlight)
        self.sun = hazy.sun
        self._bare_sun = clear.sun * sun_left(conditions.visibility_m, sine)
        self._sky = Sky(hazy.sky, conditions.sun_azimuth_deg)
        falling = ClearLight(hazy.sky, hazy.sun).falling(sine)
        self.ground = GROUND_REFLECTANCE / math.pi * (falling + lamps * lit_ground())
        self.airlight = hazy.airlight
        fog = conditions.visibility_m and extinction(conditions.visibility_m)
        mi = runtime.colours()
        self._ground = mi.Color3f(self.ground.tolist())
        dr.make_opaque(self._ground)
        self._land = LandLight.of(
            mi,
            self.direction,
            (self.sun, falling),
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
        land: Landscape | None = None,
        covered: NDArray[np.float32] | None = None,
        turn: Array | None = None,
    ) -> NDArray[np.float32]:
        """What lies behind the scene, (rows, W, 3) float32; of all rows by default.

        Args:
            camera: the view.
            rows: of the picture.
            land: what surrounds the scene; without it there is sky down to the horizon, whose
                radiance goes on below.
            covered: (rows, W) share of each pixel that the scene covers; where that is all,
                zero is returned.
            turn: (3,) of the camera while the shutter is open: along its axis, radians. The
                mean over it is returned.
        """
        rows = range(camera.height) if rows is None else rows
        radiance = np.zeros((len(rows) * camera.width, 3))
        seen = np.full(len(radiance), True) if covered is None else covered.ravel() < 1
        rays = camera.rays(camera.pixel_centres(rows).reshape(-1, 2)[seen])
        rays /= np.linalg.norm(rays, axis=1, keepdims=True)
        sweep = sweep_of(camera, turn, rays)
        if sweep is None:
            pixels = np.flatnonzero(seen) + rows.start * camera.width
            radiance[seen] = self._around(camera, rays, pixels, land)
        else:
            cells = self._around(camera, sweep.rays(), np.arange(sweep.cells), land, sweep)
            radiance[seen] = sweep.mean(cells, rays)
        return radiance.astype(np.float32).reshape(-1, camera.width, 3)

    def _around(
        self,
        camera: Camera,
        rays: Array,
        pixels: NDArray[np.int64],
        land: Landscape | None,
        sweep: Sweep | None = None,
    ) -> Array:
        """Radiance of sky and land along unit vectors of pixels, or of cells of a sweep, (N, 3)."""
        radiance = self._above(rays)
        low = np.flatnonzero(rays[:, 2] < LAND_BELOW)
        if land is not None and len(low):
            mi = runtime.colours()
            found, share = land.seen(mi, camera, pixels[low], self._land, self._sky, sweep)
            radiance[low] = radiance[low] * (1 - share) + found
        return radiance

    def _above(self, rays: Array) -> Array:
        """Radiance of sky and sun along unit vectors, (N, 3)."""
        if self._clouds is None:
            return self._sky.at(rays) + self._disc(rays)
        radiance, high = np.empty_like(rays), rays[:, 2] > 0
        radiance[~high] = self._sky.at(rays[~high])
        if not high.any():
            return radiance
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
