"""Statistics of paths whose fields are given, against numbers worked out by hand."""

from functools import partial

import numpy as np
import pytest

from tests.vas.hand_made import Given, Ray, azimuth, chains_of, points_of
from vasgen.layers import MECHANISMS, PATH_EVENTS, PATH_GAIN_FLOOR_DB, PATH_LAYERS
from vasgen.spec import RadioSpec
from vasgen.transmitter import Transmitter
from vasgen.vas.link_budget import radio_layers
from vasgen.vas.paths import channel, path_statistics
from vasgen.vas.paths.path_statistics import stacked
from vasgen.vas.solver import Powers

C = 299_792_458.0
WAVE = C / 3.5e9


@pytest.fixture
def given(monkeypatch):
    return partial(Given, monkeypatch)


def test_two_equal_paths(given):
    """Delays spread by half their difference, K is 0 dB, the spread of +-30 deg is known."""
    rays = [
        Ray(0, 0, 100.0, [1e-4, 0], azimuth(30), azimuth(10)),
        Ray(0, 1, 160.0, [0, 1e-4j], azimuth(-30), azimuth(10, -40)),
    ]
    found = given(points_of([0]), chains_of("", "R"), rays).statistics(1)
    assert found["num_paths"] == 2
    assert found["mean_delay_s"][0] == pytest.approx(130 / C, rel=1e-6)
    assert found["delay_spread_s"][0] == pytest.approx(30 / C, rel=1e-6)
    assert found["rician_k_db"][0] == pytest.approx(0, abs=1e-5)
    # The mean phasor of +-30 degrees is cos 30; elevation has no say in azimuth.
    spread = np.degrees(np.sqrt(-2 * np.log(np.cos(np.pi / 6))))
    assert found["departure_spread_deg"][0] == pytest.approx(spread, rel=1e-5)
    assert found["arrival_spread_deg"][0] == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize("frequency_hz", [0.7e9, 3.5e9, 28e9])
@pytest.mark.parametrize("far_m", [50.0, 10_000.0])
def test_three_paths(given, frequency_hz, far_m):
    """Powers 4, 2 and 1 (x 1e-12) at three delays, of which one is 1 m, 20 m and 300 m late."""
    power, late = np.array([4.0, 2.0, 1.0]), np.array([0.0, 20.0, 300.0])
    angle = np.array([0.0, 90.0, 200.0])
    rays = [
        Ray(0, k, far_m + late[k], [1e-6 * np.sqrt(power[k]), 0], azimuth(angle[k]))
        for k in range(3)
    ]
    found = given(points_of([0]), chains_of("", "R", "D"), rays, frequency_hz).statistics(1)
    mean = (2 * 20 + 300) / 7
    assert found["mean_delay_s"][0] == pytest.approx((far_m + mean) / C, rel=1e-6)
    spread = np.sqrt((2 * 20**2 + 300**2) / 7 - mean**2)
    assert found["delay_spread_s"][0] == pytest.approx(spread / C, rel=1e-6)
    assert found["rician_k_db"][0] == pytest.approx(10 * np.log10(4 / 3), abs=1e-5)
    phasor = abs((power * np.exp(1j * np.radians(angle))).sum()) / 7
    wanted = np.degrees(np.sqrt(-2 * np.log(phasor)))
    assert found["departure_spread_deg"][0] == pytest.approx(wanted, rel=1e-5)
    waves = 1e-6 * np.sqrt(power) * np.exp(-2j * np.pi * frequency_hz * (far_m + late) / C)
    wanted = 20 * np.log10(abs(waves.sum()))
    assert found["coherent_gain_db"][0] == pytest.approx(wanted, abs=1e-3)


@pytest.mark.parametrize("half_deg", [1.0, 20.0])
def test_two_directions_across_the_seam_of_180_degrees_are_near_each_other(given, half_deg):
    rays = [
        Ray(0, k, 100.0, [1e-4, 0], azimuth(180 + side * half_deg), azimuth(side * half_deg))
        for k, side in enumerate((-1, 1))
    ]
    found = given(points_of([0]), chains_of("", "R"), rays).statistics(1)
    wanted = np.degrees(np.sqrt(-2 * np.log(np.cos(np.radians(half_deg)))))
    assert wanted == pytest.approx(half_deg, rel=0.03)
    assert found["departure_spread_deg"][0] == pytest.approx(wanted, rel=1e-4)
    # What travels towards +-h comes from 180 +- h.
    assert found["arrival_spread_deg"][0] == pytest.approx(wanted, rel=1e-4)


def test_opposite_and_vertical_directions_have_a_finite_spread(given):
    pairs = [(azimuth(0), azimuth(180)), ((0, 0, 1), (0, 0, -1)), ((0, 0, 1), azimuth(0))]
    rays = [
        Ray(pixel, k, 10.0, [1e-4, 0], one, one)
        for pixel, pair in enumerate(pairs)
        for k, one in enumerate(pair)
    ]
    found = given(points_of([0, 1, 2]), chains_of("", "R"), rays).statistics(3)
    assert found["departure_spread_deg"] == pytest.approx([325.3, 0, 0], abs=0.1)


@pytest.mark.parametrize("frequency_hz", [0.7e9, 3.5e9, 100e9])
@pytest.mark.parametrize("length_m", [10.0, 3000.0])
@pytest.mark.parametrize("turns", [0.0, 0.25, 0.5])
def test_the_fringe_of_two_waves(given, frequency_hz, length_m, turns):
    """Two waves of size 1 and 1/2 that differ by a part of a wavelength, and by 30 whole ones."""
    late = (30 + turns) * C / frequency_hz
    rays = [Ray(0, 0, length_m, [1e-3, 0]), Ray(0, 1, length_m + late, [5e-4, 0])]
    found = given(points_of([0]), chains_of("", "R"), rays, frequency_hz).statistics(1)
    wanted = 20 * np.log10(1e-3 * abs(1 + 0.5 * np.exp(-2j * np.pi * turns)))
    assert found["coherent_gain_db"][0] == pytest.approx(wanted, abs=2e-4)


def test_fields_add_as_vectors_of_the_world(given):
    """Two vertical waves from either side add; so do two whose theta is not the same vector."""
    level = [Ray(0, k, 1.0, [1e-3, 0], arrival=azimuth(180 * k)) for k in range(2)]
    # Travelling along x at -45 degrees, theta is (-1, 0, -1) / sqrt 2; at +45 it is (1, 0, -1).
    tilted = [Ray(1, k, 1.0, [1e-3, 0], arrival=azimuth(0, 90 * k - 45)) for k in range(2)]
    # phi looks to y when travelling along x, to -y when travelling along -x.
    flat = [Ray(2, k, 1.0, [0, 1e-3], arrival=azimuth(180 * k)) for k in range(2)]
    rays = [*level, *tilted, *flat]
    found = given(points_of([0, 1, 2]), chains_of("", "R"), rays).statistics(3)
    gain = 10 ** (found["coherent_gain_db"] / 10)
    assert gain == pytest.approx([4e-6, 2e-6, 0], abs=1e-10)
    assert found["coherent_gain_db"][2] >= PATH_GAIN_FLOOR_DB


def test_pixels_of_several_points(given):
    """A chain seen from several points counts once, with the power of its share of each."""
    points = points_of([1, 1, 1, 3], [0.5, 0.25, 0.25, 1.0])
    rays = [
        Ray(0, 0, 100.0, [2e-3, 0]),
        Ray(1, 0, 103.0, [4e-3, 0]),
        Ray(2, 1, 112.0, [0, 2e-3]),
        Ray(3, 1, 50.0, [3e-3, 0]),
    ]
    found = given(points, chains_of("", "R"), rays).statistics(5)
    # In units of 1e-6: 0.5 * 4 + 0.25 * 16 = 6 by the first chain, 0.25 * 4 = 1 by the second.
    assert found["num_paths"].tolist() == [0, 2, 0, 1, 0]
    assert found["rician_k_db"][1] == pytest.approx(10 * np.log10(6), abs=1e-5)
    assert found["rician_k_db"][3] == np.inf
    mean = (4 * 3 + 1 * 12) / 7
    assert found["mean_delay_s"][1] == pytest.approx((100 + mean) / C, rel=1e-6)
    spread = np.sqrt((4 * 3**2 + 12**2) / 7 - mean**2)
    assert found["delay_spread_s"][1] == pytest.approx(spread / C, rel=1e-6)
    assert found["delay_spread_s"][3] == 0
    # Points do not interfere with each other.
    assert found["coherent_gain_db"][1] == pytest.approx(10 * np.log10(7e-6), abs=1e-5)
    assert found["coherent_gain_db"][3] == pytest.approx(20 * np.log10(3e-3), abs=1e-5)
    assert (found["coherent_gain_db"][[0, 2, 4]] == PATH_GAIN_FLOOR_DB).all()
    for name in ("mean_delay_s", "delay_spread_s", "rician_k_db", "departure_spread_deg"):
        assert np.isnan(found[name][[0, 2, 4]]).all()


def test_the_strongest_paths(given):
    points = points_of([0, 0, 2], [0.5, 0.5, 1.0])
    rays = [
        Ray(0, 0, 100.0, [1e-3, 0], azimuth(10), azimuth(20)),
        Ray(1, 0, 101.0, [0, 1e-3], azimuth(11), azimuth(21)),
        Ray(0, 1, 120.0, [3e-3, 4e-3j], azimuth(30, 45), azimuth(-40, -30)),
        Ray(1, 1, 121.0, [3e-3, 0], azimuth(31), azimuth(-41)),
        Ray(1, 2, 90.0, [1e-4, 0], azimuth(50), azimuth(50)),
        Ray(2, 2, 70.0, [1e-5, 0], azimuth(-60, -80), azimuth(90)),
    ]
    found = given(points, chains_of("", "RT", "D"), rays).statistics(3, strongest=2)
    assert found["path_amplitude"].shape == (3, 2, 2)
    gain = (np.abs(found["path_amplitude"]) ** 2).sum(axis=-1)
    wanted = [[0.5 * 25e-6 + 0.5 * 9e-6, 1e-6], [0, 0], [1e-10, 0]]
    assert gain == pytest.approx(np.array(wanted), rel=1e-5)
    assert found["path_delay_s"][:, 0] == pytest.approx(
        np.array([120, np.nan, 70]) / C, rel=1e-6, nan_ok=True
    )
    assert np.isnan(found["path_delay_s"][[1, 1, 2], [0, 1, 1]]).all()
    assert found["path_departure_deg"][[0, 2], 0] == pytest.approx(
        np.array([[30, 45], [-60, -80]]), abs=1e-3
    )
    # What travels towards -40 and down comes from 140 and above.
    assert found["path_arrival_deg"][0, 0] == pytest.approx([140, 30], abs=1e-3)
    assert found["path_arrival_deg"][2, 0] == pytest.approx([-90, 0], abs=1e-3)
    assert found["path_events"].shape == (3, 2, PATH_EVENTS)
    assert found["path_events"][..., :2].tolist() == [
        [[0, 1], [-1, -1]],
        [[-1, -1], [-1, -1]],
        [[2, -1], [-1, -1]],
    ]
    assert (found["path_events"][..., 2:] == -1).all()
    # Phase of the length, and the split into polarizations, are those of the strongest point.
    vertical, horizontal = found["path_amplitude"][0, 0].astype(complex)
    turn = np.exp(-2j * np.pi * 120 / WAVE)
    assert np.angle(vertical / turn) == pytest.approx(0, abs=1e-3)
    assert abs(horizontal / vertical) == pytest.approx(4 / 3, rel=1e-5)
    assert abs(np.angle(horizontal / vertical)) == pytest.approx(np.pi / 2, abs=1e-3)


def random_rays(number_of_points, number_of_chains, count, seed=3):
    rng = np.random.default_rng(seed)
    keys = rng.choice(number_of_points * number_of_chains, count, replace=False)
    for key in keys:
        field = (rng.normal(size=2) + 1j * rng.normal(size=2)) * 10 ** rng.uniform(-7, -4)
        out, back = rng.normal(size=(2, 3))
        point, chain = divmod(int(key), number_of_chains)
        yield Ray(point, chain, rng.uniform(50, 500), field, out, back)


@pytest.fixture
def crowd(given):
    """300 paths by 8 chains to 90 points of 40 pixels, some with none."""
    rng = np.random.default_rng(1)
    pixel = np.sort(rng.integers(0, 40, 90))
    weight = rng.uniform(0.1, 1, 90)
    weight /= np.bincount(pixel, weight, 40)[pixel]
    events = ("", "R", "T", "RR", "RT", "D", "RD", "TTT")
    return given(points_of(pixel, weight), chains_of(*events), list(random_rays(90, 8, 300)))


def test_tiles_and_the_order_of_paths_leave_no_trace(crowd, monkeypatch):
    whole = crowd.statistics(40, strongest=3)
    monkeypatch.setattr(channel, "PATHS_AT_ONCE", 37)
    crowd.paths = crowd.paths.take(np.random.default_rng(5).permutation(300))
    parts = crowd.statistics(40, strongest=3)
    for name, array in whole.items():
        assert np.allclose(parts[name], array, rtol=1e-6, atol=1e-12, equal_nan=True), name


def test_layers_are_as_the_table_says(crowd):
    found = crowd.statistics(45, strongest=6)
    assert list(found) == [
        name for name in PATH_LAYERS if name not in ("mechanism_gain_db", "search_recall")
    ]
    sizes = {"path": 6, "2": 2, "event": PATH_EVENTS}
    reached = found["num_paths"] > 0
    assert 30 <= reached.sum() < 45
    for name, array in found.items():
        spec = PATH_LAYERS[name]
        axes = spec.axes.removeprefix("transmitter height width").split()
        assert array.dtype == spec.dtype
        assert array.shape == (45, *(sizes[axis] for axis in axes)), name
        assert np.isfinite(array[reached]).all() or "NaN" in spec.meaning
        if array.dtype == np.float32 and array.ndim == 1:
            assert (np.isnan(array) == ~reached).all() or name == "coherent_gain_db"
    assert (found["delay_spread_s"][reached] >= 0).all()
    gain = (np.abs(found["path_amplitude"]) ** 2).sum(axis=-1)
    assert (np.diff(gain, axis=1) <= 0).all()
    present = np.arange(6) < found["num_paths"][:, None]
    assert ((gain > 0) == present).all()
    assert (np.isfinite(found["path_delay_s"]) == present).all()


def test_no_path_at_all(given):
    made = given(points_of([0, 1]), chains_of(""), [])
    found = made.statistics(2, strongest=2)
    assert found["num_paths"].tolist() == [0, 0]
    assert (found["coherent_gain_db"] == PATH_GAIN_FLOOR_DB).all()
    assert not found["path_amplitude"].any()
    assert np.isnan(found["rician_k_db"]).all()


def test_a_path_without_power_is_none(given):
    rays = [Ray(0, 0, 10.0, [0, 0]), Ray(1, 0, 10.0, [0, 0]), Ray(1, 1, 20.0, [1e-3, 0])]
    found = given(points_of([0, 1]), chains_of("", "R"), rays).statistics(2, strongest=1)
    assert found["num_paths"].tolist() == [0, 1]
    assert found["rician_k_db"][1] == np.inf
    assert found["mean_delay_s"][1] == pytest.approx(20 / C, rel=1e-6)
    assert np.isnan(found["path_delay_s"][0, 0])


def test_weak_others_do_not_vanish_beside_a_strong_path(given):
    rays = [Ray(0, 0, 10.0, [1.0, 0]), Ray(0, 1, 20.0, [1e-10, 0]), Ray(0, 2, 30.0, [1e-10, 0])]
    found = given(points_of([0]), chains_of("", "R", "D"), rays).statistics(1)
    assert found["rician_k_db"][0] == pytest.approx(200 - 10 * np.log10(2), abs=1e-3)


def test_transmitters_with_chains_of_different_length_stack(given):
    short = given(points_of([0]), chains_of(""), [Ray(0, 0, 10.0, [1e-3, 0])])
    one = short.statistics(2, strongest=2)
    other = given(points_of([1]), chains_of("R" + 13 * "T"), [Ray(0, 0, 20.0, [1e-3, 0])])
    both = stacked([one, other.statistics(2, strongest=2)])
    assert both["path_events"].shape == (2, 2, 2, PATH_EVENTS)
    assert both["path_events"][0].max() == -1
    assert both["path_events"][1, 1, 0].tolist() == [0] + (PATH_EVENTS - 1) * [1]
    assert both["num_paths"].tolist() == [[1, 0], [0, 1]]
    assert stacked([]) == {}


def test_layers_of_a_view_with_sky(given):
    """Pixels 0 to 5 of a view of 2 x 3: the first is sky, the last has no path."""
    rays = [Ray(k, k % 2, 10.0 + k, [10.0 ** -(k + 3), 0]) for k in range(4)]
    made = given(points_of([1, 2, 3, 4]), chains_of("", "RRT"), rays)
    statistics = stacked([made.statistics(6, strongest=2)] * 2)
    mechanisms = np.zeros((len(MECHANISMS), 2, 6))
    mechanisms[0, 0, 1:5] = 10.0 ** np.arange(-6, -14, -2)
    mechanisms[2, 1, 3] = 1e-9
    nothing = Powers.none(2, 6)
    powers = nothing._replace(
        gain=mechanisms.sum(axis=0),
        mechanisms=mechanisms,
        statistics=statistics,
        recall=np.ones(2),
    )
    valid = np.array([[False, True, True], [True, True, True]])
    transmitters = [Transmitter("a", (0.0, 0.0, 1.0)), Transmitter("b", (0.0, 0.0, 2.0))]
    layers = radio_layers(powers, valid, transmitters, RadioSpec())
    sizes = {"mechanism": len(MECHANISMS), "transmitter": 2, "height": 2, "width": 3}
    sizes |= {"path": 2, "2": 2, "event": PATH_EVENTS}
    for name, spec in PATH_LAYERS.items():
        array = getattr(layers, name)
        assert array.dtype == spec.dtype
        assert array.shape == tuple(sizes[axis] for axis in spec.axes.split()), name
        if array.dtype == np.float32 and name != "search_recall":
            at_sky = array[:, :, 0, 0] if name == "mechanism_gain_db" else array[:, 0, 0]
            assert np.isnan(at_sky).all(), name
    by_mechanism = layers.mechanism_gain_db
    assert by_mechanism[0, 0].ravel()[1:] == pytest.approx([-60, -80, -100, -120, -250])
    assert by_mechanism[2, 1, 1, 0] == pytest.approx(-90)
    total = (10 ** (by_mechanism[..., valid].astype(float) / 10)).sum(axis=0)
    reached = layers.reached[:, valid]
    assert reached.sum() == 5
    wanted = layers.path_gain_db[:, valid][reached]
    assert 10 * np.log10(total[reached]) == pytest.approx(wanted, abs=1e-4)
    coherent = layers.coherent_gain_db[0].ravel()
    assert coherent[1:] == pytest.approx([-60, -80, -100, -120, PATH_GAIN_FLOOR_DB], abs=1e-4)
    assert layers.path_delay_s[1, 0, 2, 0] == pytest.approx(11 / C, rel=1e-6)
    assert layers.path_events[0, 0, 2, 0, :4].tolist() == [0, 0, 1, -1]


def test_a_solver_that_knows_no_paths_makes_no_layers_of_them():
    transmitters = [Transmitter("a", (0.0, 0.0, 1.0))]
    layers = radio_layers(Powers.none(1, 6), np.ones((2, 3), bool), transmitters, RadioSpec())
    assert not layers.arrays().keys() & PATH_LAYERS.keys()


@pytest.mark.parametrize("at_once", [1, 4, 7, 40])
def test_pixels_taken_a_few_at_a_time_give_the_same(given, monkeypatch, at_once):
    """Pixels of none, one and many paths, to one and several points."""
    random = np.random.default_rng(4)
    pixel = np.sort(random.choice([0, 1, 3, 4, 5, 8], 20))
    share = 1 / np.bincount(pixel)[pixel]
    pairs = [(p, c) for p in range(20) for c in range(4) if random.random() < 0.6]
    rays = [
        Ray(p, c, random.uniform(50, 90), random.normal(size=2) * 1e-5, azimuth(90 * c), azimuth(c))
        for p, c in pairs
    ]
    paths = given(points_of(pixel, share), chains_of("", "R", "RT", "D"), rays)
    whole = paths.statistics(10, strongest=3)
    monkeypatch.setattr(path_statistics, "PATHS_AT_ONCE", at_once)
    parts = paths.statistics(10, strongest=3)
    assert whole["num_paths"].max() > 2
    assert whole["num_paths"][[2, 6, 7, 9]].tolist() == [0, 0, 0, 0]
    assert parts.keys() == whole.keys()
    for name, values in whole.items():
        assert np.allclose(parts[name], values, rtol=1e-6, atol=0, equal_nan=True), name
