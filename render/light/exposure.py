"""How a camera is set for some light: exposure and white balance."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from vasgen.colour import LUMINANCE
from vasgen.conditions import Conditions
from vasgen.render.light.clear_sky import share_of_day
from vasgen.render.light.cloudy_sky import light_left
from vasgen.render.light.illuminance import LUX_PER_UNIT, illuminance
from vasgen.render.light.night import LAMP_COLOUR, STREETS_LUX
from vasgen.render.light.overcast import hidden_share

Array = NDArray[np.float64]

#: Horizontal illuminance of a clear day over the sine of the sun's elevation, lux.
_CLEAR_DAY_LUX = 105_400.0

#: Elevation of the sun at which white in full light is exposed as one, degrees.
_REFERENCE_DEG = 40.0

#: Dusk shall look like dusk: of what white is by day, how much is left in the dark; and the power
#: of the light by which the rest goes.
_DARK, _DARKENING = 0.14, 0.3

#: Fog is as bright as what it lights: how much more light it counts for where it hides all.
_FOG_GLARE = 0.6

#: Of the lamps' colour, what a camera's automatic white balance takes out where they rule:
#: 3500 K look like 5000 K.
_ADAPTED = 0.75

#: Colours of the light on the ground, of luminance one: by day, which is shown white, and at
#: dusk, which begins and is full with the sun so many degrees high, and when so much of the
#: blue is taken out.
_DAYLIGHT, _DUSK = np.array([[1.072, 0.984, 0.923], [0.80, 0.996, 1.62]])
_SINKING_DEG, _DUSK_DEG, _DUSK_ADAPTED = 2.0, -5.0, 0.25


def exposure_of(conditions: Conditions) -> float:
    """Factor from scene radiance to display: white in full light becomes one.

    It follows from the light alone, that of the sky and of lamps, so that all pictures of the
    same light are exposed alike.
    """
    adapted = _natural(conditions) + _lamps_lux(conditions)
    return float(math.pi * LUX_PER_UNIT / adapted * 2**conditions.exposure_ev)


def white_balance(conditions: Conditions) -> Array:
    """Factors on red, green and blue, (3,), that keep the luminance of the light.

    Set for clear noon by day, for a little of the blue of dusk, and as lamps take over for most
    of the lamps' colour. Like the exposure they follow from the light alone.
    """
    lamps = _lamps_lux(conditions)
    share = lamps / (_natural(conditions) + lamps)
    dusk = _dusk(conditions.sun_elevation_deg)
    natural = _DAYLIGHT ** (1 - dusk) * _DUSK**dusk
    light = natural ** (1 - share) * LAMP_COLOUR**share
    taken = _DAYLIGHT ** (1 - dusk) * _DUSK ** (_DUSK_ADAPTED * dusk)
    factor = taken ** (share - 1) * LAMP_COLOUR ** (-_ADAPTED * share)
    return np.asarray(factor * (light @ LUMINANCE) / ((light * factor) @ LUMINANCE))


def _dusk(elevation_deg: float) -> float:
    rise = min(max((_SINKING_DEG - elevation_deg) / (_SINKING_DEG - _DUSK_DEG), 0.0), 1.0)
    return rise * rise * (3 - 2 * rise)


def _natural(conditions: Conditions) -> float:
    """Light of the sky for which a camera is set, lux: less of it makes darker pictures."""
    outside = _outside(conditions.sun_elevation_deg) * light_left(conditions.cloud_cover)
    fading = (outside / _outside(_REFERENCE_DEG)) ** _DARKENING
    adapted = outside / (_DARK + (1 - _DARK) * fading)
    return float(adapted * (1 + _FOG_GLARE * hidden_share(conditions.visibility_m)))


def _lamps_lux(conditions: Conditions) -> float:
    return STREETS_LUX if conditions.lamps else 0.0


def _outside(elevation_deg: float) -> float:
    """Illuminance of the ground under our own clear sky, lux."""
    share, twilight = share_of_day(elevation_deg), illuminance(elevation_deg)
    if share == 0:
        return twilight
    day = _CLEAR_DAY_LUX * math.sin(math.radians(elevation_deg))
    return float(twilight ** (1 - share) * day**share)
