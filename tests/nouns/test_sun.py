"""Where the sun stands, against closed forms and pvlib."""

import datetime

import numpy as np
import pandas as pd
import pvlib
import pytest

from vasgen.sun import sun_direction, sun_position

OBLIQUITY = 23.44
DAYS = ["1995-07-11", "2010-03-20", "2026-01-04", "2026-06-21", "2026-10-31", "2041-12-21"]


@pytest.mark.parametrize("day", DAYS)
@pytest.mark.parametrize("latitude", [-89.0, -66.0, -33.9, -10.0, 0.0, 23.5, 48.1, 69.6, 85.0])
def test_the_sun_is_where_pvlib_sees_it(latitude, day):
    date = datetime.date.fromisoformat(day)
    hours = np.arange(0.25, 24, 1.5)
    # At longitude 0 a sundial is ahead of UTC by the equation of time.
    noon = pd.DatetimeIndex([f"{day} 12:00"], tz="UTC")
    ahead = pvlib.solarposition.spa_python(noon, latitude, 0.0)["equation_of_time"].iloc[0]
    times = pd.Timestamp(day, tz="UTC") + pd.to_timedelta(60 * hours - ahead, unit="min")
    known = pvlib.solarposition.spa_python(pd.DatetimeIndex(times), latitude, 0.0)
    ours = np.radians([sun_position(latitude, date, float(hour)) for hour in hours])
    theirs = np.radians(known[["elevation", "azimuth"]].to_numpy())
    cosine = np.sin(ours[:, 0]) * np.sin(theirs[:, 0])
    cosine += np.cos(ours[:, 0]) * np.cos(theirs[:, 0]) * np.cos(ours[:, 1] - theirs[:, 1])
    assert np.degrees(np.arccos(np.clip(cosine, -1, 1))).max() < 0.1


@pytest.mark.parametrize("latitude", [-80.0, -23.0, 0.0, 30.0, 52.0])
def test_at_the_equinox_noon_is_as_high_as_the_equator_is_far(latitude):
    # The sun crossed the equator on 20 March 2026 at 14:46.
    elevation, azimuth = sun_position(latitude, datetime.date(2026, 3, 20), 12.0)
    assert elevation == pytest.approx(90 - abs(latitude), abs=0.06)
    if latitude:
        assert azimuth == pytest.approx(180 if latitude > 0 else 0, abs=0.1) or azimuth > 359.9


@pytest.mark.parametrize("hour", [0.0, 5.0, 9.5, 12.0, 17.0])
def test_the_polar_night_is_night_and_its_summer_has_no_night(hour):
    winter, _ = sun_position(80.0, datetime.date(2026, 12, 21), hour)
    summer, _ = sun_position(80.0, datetime.date(2026, 6, 21), hour)
    assert winter <= 90 - 80 - OBLIQUITY + 0.02
    assert summer >= OBLIQUITY - 10 - 0.02


def test_the_sun_rises_in_the_east_and_days_are_as_long_as_they_are():
    latitude, date = 50.0, datetime.date(2026, 6, 21)
    # Half the day's arc: cos(arc) = -tan(latitude) tan(declination).
    tangents = np.tan(np.radians(latitude)) * np.tan(np.radians(OBLIQUITY))
    half = np.degrees(np.arccos(-tangents)) / 15
    for hour, sign in ((12 - half, 1), (12 + half, -1)):
        elevation, azimuth = sun_position(latitude, date, float(hour))
        assert elevation == pytest.approx(0, abs=0.02)
        assert np.sign(180 - azimuth) == sign


@pytest.mark.parametrize(
    ("elevation", "azimuth", "direction"),
    [
        (0, 0, (0, 1, 0)),
        (0, 90, (1, 0, 0)),
        (90, 17, (0, 0, 1)),
        (-30, 180, (0, -(0.75**0.5), -0.5)),
    ],
)
def test_the_direction_to_the_sun_is_in_world_axes(elevation, azimuth, direction):
    assert sun_direction(elevation, azimuth) == pytest.approx(np.array(direction), abs=1e-12)
