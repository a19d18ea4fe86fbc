"""A city's own light at night, as it fills the sky and the streets."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

#: Illuminance of a lit street, lux: EN 13201-2 asks for up to 20 where cities are busy (class C1).
STREETS_LUX = 20.0

#: Colours of street lamps, of luminance one: light-emitting diodes at 3000 and 4000 K (Planck).
LAMP_COLOURS = np.array([[1.755, 0.849, 0.271], [1.406, 0.927, 0.532]])

#: Mean colour of street light, at about 3500 K.
LAMP_COLOUR = LAMP_COLOURS.mean(axis=0)

#: Luminance of fog in a lit city over the mean of light all around in its streets: most of it is
#: above or between them, and what lamps light of it shows as their halos.
_FOG_SHARE = 0.05

#: Share of the city's ground that lamps light.
_LIT_GROUND = 0.2

#: Luminance of the sky over a city (candela a square metre): at the zenith, a bright one of 16
#: magnitudes a square second (Kyba et al. 2015), and what is added at the horizon.
_ZENITH, _HORIZON = 0.05, 0.25

#: Elevation over which the glow of the horizon falls by e, degrees.
_GLOW_HEIGHT_DEG = 14.0

#: Colours of luminance one of the night's sky overhead: of stars, and over a lit city.
_STARS_COLOUR, _ZENITH_COLOUR = np.array([[0.80, 0.98, 1.75], [0.92, 1.00, 1.23]])


def starlight(elevation: Array) -> Array:
    """Pattern of stars and airglow, which is brighter along longer ways, (N, 3) linear sRGB.

    Blue, as eyes see it that have no colours left (Purkinje).

    Args:
        elevation: of the lines of sight, radians, (N,).
    """
    return np.asarray((2 - np.sin(elevation))[:, None] * _STARS_COLOUR)


def city_glow(elevation: Array) -> Array:
    """Luminance of the sky that a lit city adds, candela a square metre, (N, 3) linear sRGB.

    Args:
        elevation: of the lines of sight, radians, (N,).
    """
    low = np.exp(-elevation / math.radians(_GLOW_HEIGHT_DEG))[:, None]
    return np.asarray(_ZENITH * _ZENITH_COLOUR + _HORIZON * low * LAMP_COLOUR)


def lit_ground() -> Array:
    """Illuminance of a lit city's ground, mean of streets and yards, lux, (3,) linear sRGB."""
    return np.asarray(_LIT_GROUND * STREETS_LUX * LAMP_COLOUR)


def street_glow() -> Array:
    """Luminance in which fog glows over a lit city, candela a square metre, (3,) linear sRGB."""
    return np.asarray(_FOG_SHARE * STREETS_LUX / (4 * math.pi) * LAMP_COLOUR)
