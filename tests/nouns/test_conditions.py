"""Conditions: drawn per view, each value for itself, recorded and read back."""

import datetime
import json
import math

import numpy as np
import pytest

from vasgen.conditions import Conditions, sample_conditions
from vasgen.errors import InputError
from vasgen.render_spec import RenderSpec
from vasgen.sun import sun_position

RANGES = {
    "sun_elevation_deg": (-10.0, 60.0),
    "sun_azimuth_deg": (0.0, 360.0),
    "turbidity": (2.0, 5.0),
    "cloud_cover": (0.1, 0.9),
    "visibility_m": (50.0, 5000.0),
    "speed_m_s": (5.0, 20.0),
    "turn_deg_s": (10.0, 40.0),
    "shutter_s": (0.0, 0.02),
    "exposure_ev": (-1.0, 1.0),
}
NAMES = [f"{number:06d}" for number in range(300)]


def drawn(spec, field):
    return np.array([getattr(sample_conditions(spec, 3, name), field) for name in NAMES])


def test_a_spec_without_conditions_is_the_usual_afternoon():
    assert sample_conditions(RenderSpec(), 5, "000001") == Conditions()


def test_fixed_values_are_taken_as_they_are():
    spec = RenderSpec(sun_elevation_deg=-3.5, sun_azimuth_deg=10, visibility_m=80, turbidity=6)
    seen = sample_conditions(spec, 1, "000000")
    assert (seen.sun_elevation_deg, seen.sun_azimuth_deg) == (-3.5, 10)
    assert (seen.visibility_m, seen.turbidity) == (80, 6)


@pytest.mark.parametrize("key", sorted(set(RANGES) - {"speed_m_s", "turn_deg_s", "visibility_m"}))
def test_ranges_are_filled_evenly(key):
    low, high = RANGES[key]
    share = (drawn(RenderSpec(**{key: (low, high)}), key) - low) / (high - low)
    assert 0 <= share.min() < 0.03
    assert 0.97 < share.max() <= 1
    assert share.mean() == pytest.approx(0.5, abs=0.06)


def test_visibility_is_drawn_evenly_in_its_logarithm():
    seen = drawn(RenderSpec(visibility_m=(50.0, 5000.0)), "visibility_m")
    assert 50 <= seen.min() < seen.max() <= 5000
    assert np.median(seen) == pytest.approx(500, rel=0.3)


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_a_share_of_the_views_has_fog(share):
    spec = RenderSpec(visibility_m=(50.0, 5000.0), fog_share=share)
    seen = [sample_conditions(spec, 3, name).visibility_m for name in NAMES]
    foggy = [visibility for visibility in seen if visibility is not None]
    assert len(foggy) / len(NAMES) == pytest.approx(share, abs=0.08)
    # The fog of a view does not depend on how many have some.
    always = drawn(RenderSpec(visibility_m=(50.0, 5000.0)), "visibility_m").tolist()
    pairs = zip(seen, always, strict=True)
    assert foggy == [here for visibility, here in pairs if visibility is not None]


@pytest.mark.parametrize("changed", sorted(RANGES))
def test_changing_one_range_moves_no_other_value(changed):
    for name in NAMES[:4]:
        before = sample_conditions(RenderSpec(**RANGES), 3, name).to_record()
        low, high = RANGES[changed]
        other = RANGES | {changed: (low + (high - low) / 3, high)}
        after = sample_conditions(RenderSpec(**other), 3, name).to_record()
        own = "velocity_m_s" if changed == "speed_m_s" else changed
        moved = {key for key in before if before[key] != after[key]}
        assert moved - {"lamps"} == {own}
        east, north, _ = before["velocity_m_s"]
        assert math.atan2(east, north) == pytest.approx(math.atan2(*after["velocity_m_s"][:2]))
        assert before["turn_deg_s"][2] * after["turn_deg_s"][2] > 0


def test_seed_and_name_decide():
    spec = RenderSpec(**RANGES)
    first = sample_conditions(spec, 3, "000000")
    assert first == sample_conditions(spec, 3, "000000")
    assert first != sample_conditions(spec, 4, "000000")
    assert first != sample_conditions(spec, 3, "000001")


def test_the_camera_moves_level_at_its_speed_to_all_sides():
    velocity = drawn(RenderSpec(speed_m_s=12.0, shutter_s=0.1), "velocity_m_s")
    assert np.allclose(np.linalg.norm(velocity, axis=1), 12)
    assert (velocity[:, 2] == 0).all()
    assert np.abs(velocity.mean(axis=0)).max() < 1.5


def test_the_camera_turns_about_the_vertical_to_both_sides():
    turn = drawn(RenderSpec(turn_deg_s=(10.0, 30.0), shutter_s=0.1), "turn_deg_s")
    assert (turn[:, :2] == 0).all()
    assert 10 <= np.abs(turn[:, 2]).min() < 11
    assert 29 < np.abs(turn[:, 2]).max() <= 30
    assert (turn[:, 2] > 0).mean() == pytest.approx(0.5, abs=0.08)


def test_a_motion_that_is_known_is_taken():
    spec = RenderSpec(speed_m_s=(5.0, 20.0), turn_deg_s=9.0, shutter_s=0.1)
    known = (1.0, 2.0, 3.0)
    assert sample_conditions(spec, 3, "000000", velocity_m_s=known).velocity_m_s == known
    assert abs(sample_conditions(spec, 3, "000000", velocity_m_s=known).turn_deg_s[2]) == 9
    assert sample_conditions(spec, 3, "000000", turn_deg_s=known).turn_deg_s == known


def test_hours_put_the_sun_where_it_stands():
    date = datetime.date(2026, 9, 1)
    seen = sample_conditions(RenderSpec(latitude_deg=40, date=date, hour=17.5), 0, "000000")
    assert (seen.sun_elevation_deg, seen.sun_azimuth_deg) == sun_position(40, date, 17.5)


def test_a_range_of_days_holds_its_first_and_its_last():
    days = datetime.date(2026, 3, 1), datetime.date(2026, 3, 3)
    spec = RenderSpec(latitude_deg=0, date=days, hour=12)
    seen = {round(value, 3) for value in drawn(spec, "sun_elevation_deg")}
    assert seen == {round(sun_position(0, datetime.date(2026, 3, d), 12)[0], 3) for d in (1, 2, 3)}


@pytest.mark.parametrize(
    ("lamps", "elevation", "lit"),
    [("auto", 2.5, False), ("auto", 1.5, True), ("on", 60, True), ("off", -20, False)],
)
def test_lamps_follow_the_sun_or_the_switch(lamps, elevation, lit):
    spec = RenderSpec(lamps=lamps, sun_elevation_deg=elevation)
    assert sample_conditions(spec, 0, "000000").lamps is lit


def test_lamps_do_not_light_themselves_in_unreal_which_has_none():
    spec = RenderSpec(backend="unreal", sun_elevation_deg=1)
    assert sample_conditions(spec, 0, "000000").lamps is False


def test_records_are_read_back():
    seen = sample_conditions(RenderSpec(**RANGES), 3, "000000")
    assert Conditions.from_record(json.loads(json.dumps(seen.to_record()))) == seen


def test_an_older_record_tells_of_no_turn():
    record = Conditions(velocity_m_s=(1.0, 2.0, 3.0)).to_record()
    del record["turn_deg_s"]
    assert Conditions.from_record(record) == Conditions(velocity_m_s=(1.0, 2.0, 3.0))


@pytest.mark.parametrize(
    ("record", "line"),
    [
        ({"sun_elevation_deg": math.nan}, "sun_elevation_deg is nan; allowed: -90 to 90"),
        ({"visibility_m": 0.0}, "visibility_m is 0.0; allowed: 10 to 100000"),
        ({"turbidity": 0.5}, "turbidity is 0.5; allowed: 1 to 10"),
        ({"cloud_cover": 1.5}, "cloud_cover is 1.5; allowed: 0 to 1"),
        ({"cloud_pattern": -1}, "cloud_pattern is -1; allowed: 0 to"),
        ({"cloud_pattern": 0.5}, "cloud_pattern is 0.5; allowed: whole numbers"),
        ({"sun_elevation": 3.0}, "conditions name 'sun_elevation'; allowed: "),
    ],
)
def test_impossible_conditions_are_one_line(record, line):
    with pytest.raises(InputError) as caught:
        Conditions.from_record(record)
    assert str(caught.value).startswith(line)
    assert "\n" not in str(caught.value)


def test_motion_and_exposure_are_no_light():
    motion = {"velocity_m_s": (3, 4, 0), "turn_deg_s": (0, 0, 9)}
    moving = Conditions(**motion, shutter_s=0.1, exposure_ev=1, turbidity=5)
    assert moving.light == Conditions(turbidity=5)


def test_every_view_has_its_own_clouds_unless_one_pattern_is_given():
    cloudy = drawn(RenderSpec(cloud_cover=0.5), "cloud_pattern")
    assert len(set(cloudy.tolist())) == len(NAMES)
    assert cloudy.min() >= 0
    assert np.array_equal(cloudy, drawn(RenderSpec(cloud_cover=(0.2, 0.3)), "cloud_pattern"))
    assert set(drawn(RenderSpec(cloud_cover=0.5, cloud_pattern=7), "cloud_pattern")) == {7}
    assert not drawn(RenderSpec(), "cloud_pattern").any()


def test_records_from_before_there_were_clouds_are_clear():
    old = Conditions(turbidity=5).to_record()
    del old["cloud_cover"], old["cloud_pattern"]
    assert Conditions.from_record(old) == Conditions(turbidity=5, cloud_cover=0.0)


def test_words_tell_what_is_not_usual():
    assert Conditions().in_words() == "sun at 40°"
    assert Conditions(cloud_cover=0.35).in_words() == "sun at 40°, 35 % clouds"
    foggy = Conditions(-5, lamps=True, visibility_m=200, exposure_ev=-0.5)
    assert foggy.in_words() == "sun at -5°, lamps, fog of 200 m, -0.5 EV"
    moving = Conditions(velocity_m_s=(6, 8, 0), shutter_s=0.02)
    assert moving.in_words() == "sun at 40°, 20 cm of motion"
    turning = Conditions(turn_deg_s=(0, 3, 4), shutter_s=0.5)
    assert turning.in_words() == "sun at 40°, 2.5° of turn"


def test_a_pattern_is_the_same_however_its_number_is_written():
    assert repr(Conditions(cloud_pattern=3.0)) == repr(Conditions(cloud_pattern=3))
