"""The render part of a dataset spec: quality, and the conditions that views are drawn in."""

from __future__ import annotations

import datetime
import math
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from vasgen.part import Part
from vasgen.sun import sun_position

Range = float | tuple[float, float]
Dates = datetime.date | tuple[datetime.date, datetime.date]

#: Keys that a running Unreal cannot be told.
_NOT_OF_UNREAL = (
    "samples_per_pixel",
    "turbidity",
    "cloud_cover",
    "visibility_m",
    "shutter_s",
    "exposure_ev",
)


def _within(low: float, high: float) -> BeforeValidator:
    """A number, or a lowest and a highest one, within bounds."""

    def check(given: object) -> object:
        pair = list(given) if isinstance(given, (list, tuple)) else [given]
        numbers = [_number(value) for value in pair]
        fits = len(numbers) < 3 and all(low <= number <= high for number in numbers)
        if fits and numbers and numbers[0] > numbers[-1]:
            raise ValueError(f"from high to low: give [{numbers[1]:g}, {numbers[0]:g}]")
        if not fits or not numbers:
            raise ValueError(f"allowed: {low:g} to {high:g}, or [lowest, highest] of those.")
        return numbers[0] if len(pair) == 1 else tuple(numbers)

    return BeforeValidator(check)


def _number(value: object) -> float:
    """NaN, which is within no bounds, if it is none; YAML reads 1e3 as text."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return math.nan
    try:
        return float(value)
    except ValueError:
        return math.nan


def _ends(given: Range) -> tuple[float, float]:
    return given if isinstance(given, tuple) else (given, given)


def _dates(given: object) -> object:
    pair = list(given) if isinstance(given, (list, tuple)) else [given]
    try:
        days = [datetime.date.fromisoformat(str(day)) for day in pair]
    except ValueError:
        days = []
    if len(days) == 2 and days[0] > days[1]:
        raise ValueError(f"from late to early: give [{days[1]}, {days[0]}]")
    if len(days) not in (1, 2):
        raise ValueError("allowed: a day of the calendar like 2026-06-21, or [first, last].")
    return days[0] if len(days) == 1 else tuple(days)


def _switch(given: object) -> object:
    """YAML reads on and off as true and false."""
    return {True: "on", False: "off"}[given] if isinstance(given, bool) else given


class RenderSpec(Part):
    """The picture: quality and conditions. Radio labels do not depend on it.

    A condition is a number, or [lowest, highest], between which each view draws its own.

    Attributes:
        samples_per_pixel: light paths a pixel before denoising.
        sun_elevation_deg: height of the sun above the horizon, degrees, negative at night;
            40 unless the hour says.
        sun_azimuth_deg: direction of the sun, degrees clockwise from north; 220 unless the
            hour says.
        latitude_deg: of the place, degrees north: with ``date`` and ``hour``, where the sun is.
        date: day of the year, like 2026-06-21, or [first, last].
        hour: apparent solar time, hours after midnight; the sun is highest at 12.
        turbidity: haze of the sky, 1 (clear) to 10.
        cloud_cover: share of the sky that clouds cover, 0 (clear) to 1 (overcast).
        cloud_pattern: number of one pattern of clouds for all views; none: each draws its own.
        visibility_m: meteorological optical range in fog, metres, a range of it even in the
            logarithm; none: no fog.
        fog_share: share of the views that have this fog; the others have none.
        lamps: whether street lamps and windows are lit; ``auto``: once the sun is lower
            than 2 degrees, and never by ``unreal``.
        speed_m_s: of the camera, metres a second, towards a random side of each view, where
            no pose says how it moves.
        turn_deg_s: of the camera about the vertical, degrees a second, to a random side of each
            view, where no pose says how it turns.
        shutter_s: how long the shutter is open, seconds.
        exposure_ev: stops above (brighter) or below the exposure that follows from the light.
        backend: what draws the pictures: ``mitsuba``, or the running ``unreal`` whose address the
            environment names, VASGEN_UNREAL=HOST:PORT; it takes no other conditions than a sun
            above the horizon, and no samples.
        unreal_far: surfaces beyond 655 m, where Unreal's depth ends: ``refuse`` the view, count
            them as ``sky``, or take them from the ``scene`` without comparing.
    """

    samples_per_pixel: Annotated[int, Field(ge=1, le=65536)] = 32
    sun_elevation_deg: Annotated[Range, _within(-90, 90)] | None = None
    sun_azimuth_deg: Annotated[Range, _within(0, 360)] | None = None
    latitude_deg: Annotated[Range, _within(-90, 90)] | None = None
    date: Annotated[Dates, BeforeValidator(_dates)] | None = None
    hour: Annotated[Range, _within(0, 24)] | None = None
    turbidity: Annotated[Range, _within(1, 10)] = 3.0
    cloud_cover: Annotated[Range, _within(0, 1)] = 0.0
    cloud_pattern: Annotated[int, Field(ge=0, lt=2**31)] | None = None
    visibility_m: Annotated[Range, _within(10, 1e5)] | None = None
    fog_share: Annotated[float, Field(ge=0, le=1)] = 1.0
    lamps: Annotated[Literal["auto", "on", "off"], BeforeValidator(_switch)] = "auto"
    speed_m_s: Annotated[Range, _within(0, 1000)] = 0.0
    turn_deg_s: Annotated[Range, _within(0, 3600)] = 0.0
    shutter_s: Annotated[Range, _within(0, 10)] = 0.0
    exposure_ev: Annotated[Range, _within(-20, 20)] = 0.0
    backend: Literal["mitsuba", "unreal"] = "mitsuba"
    unreal_far: Literal["refuse", "sky", "scene"] = "refuse"

    @model_validator(mode="after")
    def _one_sun(self) -> RenderSpec:
        clock = {"latitude_deg": self.latitude_deg, "date": self.date, "hour": self.hour}
        sun = {"sun_elevation_deg": self.sun_elevation_deg, "sun_azimuth_deg": self.sun_azimuth_deg}
        told = [name for name, value in clock.items() if value is not None]
        placed = [name for name, value in sun.items() if value is not None]
        if told and placed:
            raise ValueError(f"{told[0]} and {placed[0]} contradict each other: give one of them")
        if told and len(told) < len(clock):
            missing = [name for name in clock if name not in told]
            raise ValueError(
                f"{' and '.join(told)} alone cannot place the sun: give {' and '.join(missing)} too"
            )
        return self

    @model_validator(mode="after")
    def _open_shutter(self) -> RenderSpec:
        for name in ("speed_m_s", "turn_deg_s"):
            value = getattr(self, name)
            if value != 0.0 and self.shutter_s == 0.0:
                raise ValueError(
                    f"{name} is {value}, but nothing moves while the shutter is closed: give "
                    "shutter_s too"
                )
        return self

    @model_validator(mode="after")
    def _clouds_of_pattern(self) -> RenderSpec:
        if self.cloud_pattern is not None and self.cloud_cover == 0.0:
            raise ValueError(
                f"cloud_pattern is {self.cloud_pattern}, but there are no clouds: "
                "give cloud_cover too"
            )
        return self

    @model_validator(mode="after")
    def _fog_to_share(self) -> RenderSpec:
        if self.fog_share != 1.0 and self.visibility_m is None:
            raise ValueError(
                f"fog_share is {self.fog_share}, but there is no fog: give visibility_m too"
            )
        return self

    @model_validator(mode="after")
    def _options_of_unreal(self) -> RenderSpec:
        if self.backend != "unreal":
            if self.unreal_far != "refuse":
                raise ValueError("unreal_far needs backend unreal: leave it out")
            return self
        usual = {name: type(self).model_fields[name].default for name in _NOT_OF_UNREAL}
        given = {name: getattr(self, name) for name in _NOT_OF_UNREAL}
        wrong = [f"{name} is {value}" for name, value in given.items() if value != usual[name]]
        if self.lamps == "on":
            wrong.append("lamps is on")
        if wrong:
            raise ValueError(
                f"{wrong[0]}, and Unreal cannot be told: leave it out, or use backend mitsuba"
            )
        lowest = self._lowest_sun_deg()
        if lowest is not None and lowest <= 0:
            raise ValueError(
                f"the sun sinks to {lowest:.3g} degrees, and Unreal's level has no light at night: "
                "keep it above 0, or use backend mitsuba"
            )
        return self

    def _lowest_sun_deg(self) -> float | None:
        """The lowest elevation of the sun in any view; None where none is given."""
        if self.hour is None or self.latitude_deg is None or self.date is None:
            return None if self.sun_elevation_deg is None else _ends(self.sun_elevation_deg)[0]
        first, last = self.date if isinstance(self.date, tuple) else (self.date, self.date)
        days = range(first.toordinal(), min(last.toordinal(), first.toordinal() + 366) + 1)
        # Along hours, and along latitudes, the sun is lowest at an end if it is up at both.
        return min(
            sun_position(latitude, datetime.date.fromordinal(day), hour)[0]
            for day in days
            for latitude in _ends(self.latitude_deg)
            for hour in _ends(self.hour)
        )
