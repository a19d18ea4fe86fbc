"""Where the sun stands, from latitude, date and hour, and the direction to it."""

from __future__ import annotations

import datetime
import math

import numpy as np
from numpy.typing import NDArray

#: Noon of 1 January 2000, from which the almanac counts days.
_EPOCH = datetime.date(2000, 1, 1).toordinal() + 0.5


def sun_position(latitude_deg: float, date: datetime.date, hour: float) -> tuple[float, float]:
    """Elevation and azimuth of the sun's centre, degrees, without refraction.

    Hours are apparent solar time, which a sundial shows: the sun is due south (north) at 12,
    whatever clocks and time zones say. The declination is that of Greenwich at this hour; on other
    meridians it differs by 0.2 degrees at most.

    Args:
        latitude_deg: of the place, degrees north.
        date: day of the year; accurate to 0.1 degrees in 1900 to 2100.
        hour: apparent solar time, hours after midnight.

    Returns:
        Elevation above the horizon, and azimuth clockwise from north, 0 up to 360.
    """
    latitude, turned = math.radians(latitude_deg), math.radians(15 * (hour - 12))
    declination = _declination(date.toordinal() + hour / 24 - _EPOCH)
    up = math.sin(latitude) * math.sin(declination)
    up += math.cos(latitude) * math.cos(declination) * math.cos(turned)
    east = -math.cos(declination) * math.sin(turned)
    north = math.cos(latitude) * math.sin(declination)
    north -= math.sin(latitude) * math.cos(declination) * math.cos(turned)
    elevation = math.asin(max(-1.0, min(1.0, up)))
    return math.degrees(elevation), math.degrees(math.atan2(east, north)) % 360


def sun_direction(elevation_deg: float, azimuth_deg: float) -> NDArray[np.float64]:
    """Unit vector to the sun, (3,), world axes (x east, y north, z up).

    Args:
        elevation_deg: above the horizon.
        azimuth_deg: clockwise from north.
    """
    elevation, azimuth = np.radians([elevation_deg, azimuth_deg])
    across = np.cos(elevation)
    return np.array([across * np.sin(azimuth), across * np.cos(azimuth), np.sin(elevation)])


def _declination(days: float) -> float:
    """Radians, by the low-precision formula of the Astronomical Almanac (section C).

    Args:
        days: since noon of 1 January 2000.
    """
    anomaly = math.radians(357.528 + 0.9856003 * days)
    longitude = 280.460 + 0.9856474 * days
    longitude += 1.915 * math.sin(anomaly) + 0.020 * math.sin(2 * anomaly)
    obliquity = math.radians(23.439 - 4e-7 * days)
    return math.asin(math.sin(obliquity) * math.sin(math.radians(longitude)))
