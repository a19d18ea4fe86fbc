"""Fog from the ground up: what it leaves of sun and sky, and the light that it gives itself."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vasgen.render.light.droplets import TURNED
from vasgen.render.light.sky import elevations, irradiance

Array = NDArray[np.float64]

#: Extinction times visibility: black keeps 5 % of its contrast at the visibility (WMO-No. 8).
_FIVE_PERCENT = -math.log(0.05)

#: Height of the layer of fog, metres.
_LAYER_M = 200.0

#: Share of the sunlight met by droplets that goes on so straight that it casts shadows still.
STRAIGHT = 0.5


def extinction(visibility_m: float) -> float:
    """Of fog, a metre: light falls to 5 % over the visibility."""
    return _FIVE_PERCENT / visibility_m


def hidden_share(visibility_m: float | None) -> float:
    """Share of the light from straight above that meets fog; None: there is none."""
    return 1 - math.exp(-_thickness(visibility_m)) if visibility_m else 0.0


def _thickness(visibility_m: float) -> float:
    return extinction(visibility_m) * _LAYER_M


def sky_left(visibility_m: float | None, sine: Array) -> Array:
    """Share of the light along rays from the sky that fog lets through unscattered.

    Args:
        visibility_m: in the fog, metres; None: there is none.
        sine: of the rays' elevation.
    """
    if visibility_m is None:
        return np.ones_like(sine)
    return np.asarray(np.exp(-_thickness(visibility_m) / np.maximum(sine, 1e-6)))


def sun_left(visibility_m: float | None, sine: float) -> float:
    """The same for the sun, whose light goes on as straight as before in part."""
    if visibility_m is None:
        return 1.0
    thickness = (1 - STRAIGHT) * _thickness(visibility_m)
    return math.exp(-thickness / max(sine, 1e-3)) if sine > 0 else 0.0


class Veiled(NamedTuple):
    """Light below a layer of fog.

    Attributes:
        sky: (rows, columns, 3) radiance.
        sun: (3,) irradiance of what still comes straight from the sun.
        airlight: (3,) radiance of a line of sight that ends in fog.
    """

    sky: Array
    sun: Array
    airlight: Array


def veil(sky: Array, sun: Array, sine: float, visibility_m: float | None, lamps: Array) -> Veiled:
    """What a layer of fog makes of sun and sky.

    Light that meets droplets comes down from everywhere alike; a part of it goes back up, by
    the two-stream approximation (Bohren 1987).

    Args:
        sky: (rows, columns, 3) radiance above the fog.
        sun: (3,) irradiance of the sun, on a surface that faces it.
        sine: of the sun's elevation.
        visibility_m: in the fog, metres; None: there is none.
        lamps: (3,) radiance that the city's lamps give to fog.
    """
    if visibility_m is None:
        return Veiled(sky, sun, np.zeros(3))
    thickness = _thickness(visibility_m)
    clear, clear_sun = sky_left(visibility_m, np.sin(elevations())), sun_left(visibility_m, sine)
    met = irradiance(sky) - irradiance(sky, clear) + sun * max(sine, 0.0) * (1 - clear_sun)
    down = met / (1 + 0.75 * TURNED * thickness)
    ones = np.ones_like(sky)
    airlight = down / (irradiance(ones) - irradiance(ones, clear)) + lamps
    share = clear[:, None, None]
    return Veiled(share * sky + (1 - share) * airlight, sun * clear_sun, airlight)
