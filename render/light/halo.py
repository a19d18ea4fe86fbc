"""Halos: light of street lamps that fog scatters once on its way, towards the camera.

Half of the light that meets droplets goes on so straight that it counts as not met, as that of
the sun does; the rest is scattered by the phase function of Henyey and Greenstein (1941), so
that both together have the asymmetry of fog (delta scaling: Joseph, Wiscombe and Weinman 1976).

A line of sight looks at one lamp, drawn by how much it may add there, and at one point, drawn
by the angle under which the lamp is seen from it (Kulla and Fajardo 2012), small angles of
scattering more often; whether the lamp is seen from there, a ray tells. So the mean over many
samples is the integral over the line of sight.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vasgen.camera import Camera
from vasgen.render.light.droplets import TURNED, lobe
from vasgen.render.light.fog import Fog
from vasgen.render.light.lamplight import RADIUS_M, LampLight, lamp_colour, shine
from vasgen.render.light.lighting import Lighting
from vasgen.render.light.overcast import STRAIGHT
from vasgen.render.light.slots import draw_lamp, slot_tables

Array = NDArray[np.float64]

#: Asymmetry of what is scattered by droplets, if that which goes straight on does not count.
ASYMMETRY = (1 - TURNED - STRAIGHT) / (1 - STRAIGHT)

#: Parts of the picture, side by side, for which lamps are chosen.
_ACROSS = 24

#: Width of the density that angles of scattering are drawn from, radians.
_FORWARD = 0.4

#: Lamps that would add less than this share of the halos in a part of the picture are left out.
_LEAST = 5e-4

#: How much a lamp counts to all sides when lamps are chosen; where it shines it counts one more.
_ASIDE = 0.2

#: How far lines of sight go that meet no surface, metres: fog hides all that is so far.
FAR_M = 1e4


class Halo:
    """What lamps make of fog, as seen by one camera.

    Args:
        mi: mitsuba in its colour variant.
        lamps: that are lit.
        fog: that they light.
        camera: of the picture.
        centre: (3,) origin of the coordinates that are traced, world metres.
    """

    def __init__(self, mi: Any, lamps: LampLight, fog: Fog, camera: Camera, centre: Array) -> None:
        import drjit as dr

        self._lamps, self._scattering = lamps, (1 - STRAIGHT) * fog.extinction
        edge = -(-camera.width // _ACROSS)
        rows = -(-camera.height // edge)
        grid = np.stack(np.meshgrid(np.arange(_ACROSS), np.arange(rows)), axis=-1).reshape(-1, 2)
        rays = camera.rays((grid + 0.5) * edge)
        rays /= np.linalg.norm(rays, axis=1, keepdims=True)
        scattering = (1 - STRAIGHT) * fog.extinction_per_m
        spread = edge / (2 * min(camera.intrinsics[0, 0], camera.intrinsics[1, 1]))
        self._words = mi.UInt32(self._tables(rays, camera.position - centre, scattering, spread))
        self._width, self._edge = mi.UInt32(camera.width), mi.UInt32(edge)
        dr.make_opaque(self._width, self._edge)

    def _tables(
        self, rays: Array, eye: Array, scattering: float, spread: float
    ) -> NDArray[np.uint32]:
        """Lamps to choose from around rays, one table after the other."""
        towards = self._lamps.position - eye
        away = np.linalg.norm(towards, axis=1)
        along = rays @ towards.T
        aside = np.sqrt(np.maximum(away**2 - along**2, 0))
        aside = np.maximum(aside, np.maximum(RADIUS_M, spread * away))
        span = math.atan(math.pi / _FORWARD) - np.arctan(np.arctan2(aside, along) / _FORWARD)
        shines = _ASIDE + np.maximum(towards[:, 2] / np.maximum(away, RADIUS_M), 0)
        weight = self._lamps.height**2 * shines * np.exp(-scattering * away) * span / aside
        weight[weight < _LEAST * weight.sum(axis=1, keepdims=True)] = 0
        return slot_tables(weight).ravel()

    def glow(self, mi: Any, scene: Any, ray: Any, distance: Any, pixel: Any, number: Any) -> Any:
        """Radiance that lamps add to lines of sight, Color3f: an estimate.

        Args:
            mi: mitsuba in its colour variant.
            scene: what may hide the lamps.
            ray: Ray3f from the camera.
            distance: where it ends, metres.
            pixel: UInt32 that it belongs to, row by row.
            number: Point2f, random.
        """
        import drjit as dr

        column, row = pixel % self._width // self._edge, pixel // self._width // self._edge

        def worth(lamp: Any) -> Any:
            towards = mi.Point3f(lamp.xyz) - ray.o
            aside, along = _beside(towards, ray.d)
            first, last = _angles(aside, along, distance)
            away = dr.norm(towards)
            shines = _ASIDE + dr.maximum(towards.z / dr.maximum(away, RADIUS_M), 0)
            worth = dr.square(lamp.w) * shines * dr.exp(-self._scattering * away)
            return worth * (last - first) / aside

        part = row * _ACROSS + column
        lamp = draw_lamp(mi, self._words, self._lamps.rows, part, True, number.x, worth)
        aside, along = _beside(lamp.position - ray.o, ray.d)
        first, last = _angles(aside, along, distance)
        angle = _FORWARD * dr.tan(dr.lerp(first, last, number.y))
        sine, cosine = dr.sincos(angle)
        way = dr.clip(along - aside * cosine / sine, 0, distance)
        point = ray.o + way * ray.d
        towards = lamp.position - point
        apart = dr.norm(towards)
        strength = shine(mi, towards, lamp.height) * lamp.weight * dr.square(apart) / aside
        strength *= self._scattering * dr.exp(-self._scattering * (way + apart))
        strength *= lobe(cosine, ASYMMETRY)
        strength *= (last - first) * (dr.square(angle) + _FORWARD**2) / _FORWARD
        seen = strength > 0
        # A lamp does not hide itself: its light hangs below the head.
        seen &= ~scene.ray_test(mi.Ray3f(point, towards / apart, apart, 0.0, mi.Color0f()), seen)
        return dr.select(seen, strength, 0) * lamp_colour(mi, lamp.position)


def halo_of(mi: Any, lighting: Lighting, camera: Camera, centre: Array) -> Halo | None:
    """What the lamps of some light make of its fog; None if it lacks one of them."""
    if lighting.fog is None or lighting.lamps is None:
        return None
    return Halo(mi, lighting.lamps, lighting.fog, camera, centre)


def _beside(towards: Any, direction: Any) -> tuple[Any, Any]:
    """How far lines of sight pass beside lamps, and how far along them that is, metres."""
    import drjit as dr

    along = dr.dot(towards, direction)
    # By the cross product: a difference of squares loses the digits of small angles.
    return dr.maximum(dr.norm(dr.cross(towards, direction)), RADIUS_M), along


def _angles(aside: Any, along: Any, distance: Any) -> tuple[Any, Any]:
    """First and last angle of scattering on lines of sight, as they are drawn evenly."""
    import drjit as dr

    first, last = dr.atan2(aside, along), dr.atan2(aside, along - distance)
    return dr.atan(first / _FORWARD), dr.atan(last / _FORWARD)
