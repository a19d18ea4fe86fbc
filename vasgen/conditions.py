"""Conditions: the light, the air and the camera's motion of one picture.

They change what a picture looks like, and nothing else: depth, normals, labels and radio layers
are those of the frozen scene.
"""

from __future__ import annotations

import dataclasses
import datetime
import math
from dataclasses import dataclass
from typing import Any

from vasgen.errors import InputError, check_range
from vasgen.render_spec import Range, RenderSpec
from vasgen.seeding import stream
from vasgen.sun import sun_position

Vector = tuple[float, float, float]

#: Elevation of the sun below which lamps are lit if they choose, degrees.
_LAMPS_BELOW_DEG = 2.0

#: Numbers of patterns of clouds: from 0 up to here.
_PATTERNS = 2**31

#: Conditions that are vectors.
_VECTORS = {"velocity_m_s", "turn_deg_s"}


@dataclass(frozen=True)
class Conditions:
    """What one picture is taken in.

    Attributes:
        sun_elevation_deg: height of the sun above the horizon, degrees; negative at night.
        sun_azimuth_deg: direction of the sun, degrees clockwise from north.
        turbidity: haze of the clear sky, 1 (clear) to 10.
        cloud_cover: share of the sky that low clouds cover, 0 (clear) to 1 (overcast).
        cloud_pattern: number of the pattern of clouds: which they are and where they stand.
        visibility_m: meteorological optical range, metres: where black against the horizon keeps
            5 % of its contrast (WMO-No. 8); None: no fog.
        lamps: whether street lamps and windows are lit.
        velocity_m_s: of the camera, world axes, metres a second.
        turn_deg_s: how the camera turns: a vector along the axis, world axes, as long as the
            angular velocity, degrees a second, counter-clockwise seen from its tip.
        shutter_s: how long the shutter is open, seconds; 0: nothing blurs.
        exposure_ev: stops above (brighter) or below the exposure that follows from the light.

    Raises:
        InputError: if a value is out of range.
    """

    sun_elevation_deg: float = 40.0
    sun_azimuth_deg: float = 220.0
    turbidity: float = 3.0
    cloud_cover: float = 0.0
    cloud_pattern: int = 0
    visibility_m: float | None = None
    lamps: bool = False
    velocity_m_s: Vector = (0.0, 0.0, 0.0)
    turn_deg_s: Vector = (0.0, 0.0, 0.0)
    shutter_s: float = 0.0
    exposure_ev: float = 0.0

    def __post_init__(self) -> None:
        check_range("sun_elevation_deg", self.sun_elevation_deg, -90, 90)
        check_range("sun_azimuth_deg", self.sun_azimuth_deg, 0, 360)
        check_range("turbidity", self.turbidity, 1, 10)
        check_range("cloud_cover", self.cloud_cover, 0, 1)
        check_range("cloud_pattern", self.cloud_pattern, 0, _PATTERNS - 1)
        if self.cloud_pattern != int(self.cloud_pattern):
            raise InputError(f"cloud_pattern is {self.cloud_pattern}; allowed: whole numbers.")
        # 3.0 is the pattern 3: seeds tell them apart.
        object.__setattr__(self, "cloud_pattern", int(self.cloud_pattern))
        if self.visibility_m is not None:
            check_range("visibility_m", self.visibility_m, 10, 1e5)
        for speed in self.velocity_m_s:
            check_range("velocity_m_s", speed, -1000, 1000)
        for turn in self.turn_deg_s:
            check_range("turn_deg_s", turn, -3600, 3600)
        check_range("shutter_s", self.shutter_s, 0, 10)
        check_range("exposure_ev", self.exposure_ev, -20, 20)

    @property
    def light(self) -> Conditions:
        """These conditions as a still camera meets them: all that light and air depend on."""
        still = (0.0, 0.0, 0.0)
        return dataclasses.replace(
            self, velocity_m_s=still, turn_deg_s=still, shutter_s=0, exposure_ev=0
        )

    def in_words(self) -> str:
        """What one would tell of the picture, e.g. ``sun at -5°, lamps, fog of 200 m``."""
        parts = [f"sun at {self.sun_elevation_deg:.0f}°", *["lamps"] * self.lamps]
        if self.cloud_cover:
            parts.append(f"{100 * self.cloud_cover:.0f} % clouds")
        if self.visibility_m is not None:
            parts.append(f"fog of {self.visibility_m:.0f} m")
        blur_m = math.hypot(*self.velocity_m_s) * self.shutter_s
        if blur_m:
            parts.append(f"{100 * blur_m:.0f} cm of motion")
        blur_deg = math.hypot(*self.turn_deg_s) * self.shutter_s
        if blur_deg:
            parts.append(f"{blur_deg:.1f}° of turn")
        if self.exposure_ev:
            parts.append(f"{self.exposure_ev:+.1f} EV")
        return ", ".join(parts)

    def to_record(self) -> dict[str, Any]:
        """Plain values that :meth:`from_record` reads back."""
        vectors = {name: list(getattr(self, name)) for name in _VECTORS}
        return dataclasses.asdict(self) | vectors

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> Conditions:
        """Conditions from plain values.

        Raises:
            InputError: if a key is unknown or a value out of range.
        """
        known = {field.name for field in dataclasses.fields(cls)}
        unknown = sorted(set(record) - known)
        if unknown:
            raise InputError(
                f"conditions name {unknown[0]!r}; allowed: {', '.join(sorted(known))}."
            )
        given = dict(record)
        for name in _VECTORS & given.keys():
            east, north, up = given[name]
            given[name] = (float(east), float(north), float(up))
        return cls(**given)


def sample_conditions(
    spec: RenderSpec,
    seed: int,
    name: str,
    velocity_m_s: Vector | None = None,
    turn_deg_s: Vector | None = None,
) -> Conditions:
    """The conditions of one view.

    Each value has a stream of its own: a range that changes moves no other value.

    Args:
        spec: numbers and ranges.
        seed: seed of the dataset.
        name: of the view.
        velocity_m_s: of the camera, if it is known; then the spec's speed says nothing.
        turn_deg_s: of the camera, likewise.
    """
    draw = _Draw(seed, name)
    elevation, azimuth = _sun(spec, draw)
    return Conditions(
        sun_elevation_deg=elevation,
        sun_azimuth_deg=azimuth,
        turbidity=draw("turbidity", spec.turbidity),
        cloud_cover=(cover := draw("cloud_cover", spec.cloud_cover)),
        cloud_pattern=_pattern(spec, draw) if cover else 0,
        visibility_m=_visibility(spec, draw),
        lamps=_lamps(spec, elevation),
        velocity_m_s=_velocity(spec, draw) if velocity_m_s is None else velocity_m_s,
        turn_deg_s=_turn(spec, draw) if turn_deg_s is None else turn_deg_s,
        shutter_s=draw("shutter_s", spec.shutter_s),
        exposure_ev=draw("exposure_ev", spec.exposure_ev),
    )


@dataclass(frozen=True)
class _Draw:
    """Draws the values of one view."""

    seed: int
    name: str

    def __call__(self, key: str, given: Range) -> float:
        if not isinstance(given, tuple):
            return given
        return float(stream(self.seed, "view", self.name, "conditions", key).uniform(*given))


def _pattern(spec: RenderSpec, draw: _Draw) -> int:
    if spec.cloud_pattern is not None:
        return spec.cloud_pattern
    return int(draw("cloud_pattern", (0.0, _PATTERNS)))


def _velocity(spec: RenderSpec, draw: _Draw) -> Vector:
    """Level, towards a random side."""
    speed = draw("speed_m_s", spec.speed_m_s)
    heading = draw("heading", (0.0, 2 * math.pi)) if speed else 0.0
    return speed * math.sin(heading), speed * math.cos(heading), 0.0


def _turn(spec: RenderSpec, draw: _Draw) -> Vector:
    """About the vertical, to a random side: so drones yaw, cars corner and cameras on poles pan."""
    rate = draw("turn_deg_s", spec.turn_deg_s)
    left = not rate or draw("side", (0.0, 1.0)) < 0.5
    return 0.0, 0.0, rate if left else -rate


def _sun(spec: RenderSpec, draw: _Draw) -> tuple[float, float]:
    """Elevation and azimuth, degrees."""
    if spec.hour is None or spec.latitude_deg is None or spec.date is None:
        usual = Conditions()
        elevation, azimuth = spec.sun_elevation_deg, spec.sun_azimuth_deg
        return (
            draw("sun_elevation_deg", usual.sun_elevation_deg if elevation is None else elevation),
            draw("sun_azimuth_deg", usual.sun_azimuth_deg if azimuth is None else azimuth),
        )
    first, last = spec.date if isinstance(spec.date, tuple) else (spec.date, spec.date)
    day = draw("date", (first.toordinal(), last.toordinal() + 1.0)) if first < last else 0.0
    date = datetime.date.fromordinal(int(day)) if day else first
    return sun_position(draw("latitude_deg", spec.latitude_deg), date, draw("hour", spec.hour))


def _lamps(spec: RenderSpec, elevation_deg: float) -> bool:
    """Whether they are lit; in Unreal, whose level has none, only if the user insists."""
    if spec.lamps == "auto":
        return spec.backend != "unreal" and elevation_deg < _LAMPS_BELOW_DEG
    return spec.lamps == "on"


def _visibility(spec: RenderSpec, draw: _Draw) -> float | None:
    """Metres: even in the logarithm, since fog of twice the range looks half as dense."""
    if draw("fog", (0.0, 1.0)) >= spec.fog_share:
        return None
    if not isinstance(spec.visibility_m, tuple):
        return spec.visibility_m
    low, high = spec.visibility_m
    drawn = math.exp(draw("visibility_m", (math.log(low), math.log(high))))
    return min(max(drawn, low), high)  # rounding must not leave the range
