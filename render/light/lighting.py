"""All that lights a scene under some conditions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from vasgen.conditions import Conditions
from vasgen.render.light.fog import Fog
from vasgen.render.light.lamplight import LampLight
from vasgen.render.light.light import Daylight
from vasgen.render.light.windows import Windows


@dataclass(frozen=True)
class Lighting:
    """What a path can meet besides surfaces.

    Attributes:
        daylight: sun and sky.
        sun: direction to the sun (Frame3f, its z axis) and irradiance (Color3f); None at night.
        lamps: street lamps that are on, if any.
        windows: rooms that may be lit, if lamps are on.
        fog: if there is any.
    """

    daylight: Daylight
    sun: tuple[Any, Any] | None
    lamps: LampLight | None
    windows: Windows | None
    fog: Fog | None


def lighting(
    mi: Any, conditions: Conditions, lamps: LampLight | None, windows: Windows | None
) -> Lighting:
    """The light of some conditions.

    Args:
        mi: mitsuba in its colour variant.
        conditions: light and air.
        lamps: the scene's street lamps.
        windows: its windows.
    """
    import drjit as dr

    daylight, sun, fog = Daylight(conditions), None, None
    if daylight.sun.any():
        sun = mi.Vector3f(daylight.direction.tolist()), mi.Color3f(daylight.sun.tolist())
        # Opaque values are inputs of the compiled kernel: the next sun reuses it.
        dr.make_opaque(*sun)
    if conditions.visibility_m is not None:
        fog = Fog(mi, conditions.visibility_m, daylight.airlight)
    if not conditions.lamps:
        return Lighting(daylight, sun, None, None, fog)
    return Lighting(daylight, sun, lamps, windows, fog)
