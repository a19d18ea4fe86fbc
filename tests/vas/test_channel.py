"""Impulse and frequency responses against closed forms and Sionna's path solver."""

import re
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from tests.support import MATERIALS, bundle, ground, rectangle
from tests.vas.hand_made import NO_WEDGES, Given, Ray, azimuth, chains_of, points_of
from vasgen.antenna import Antenna
from vasgen.errors import InputError
from vasgen.spec import RadioSpec
from vasgen.transmitter import Transmitter
from vasgen.vas.paths.channel import (
    channel_frequency_response,
    channel_impulse_response,
    pixel_channels,
)
from vasgen.vas.paths.paths import Chains, Paths
from vasgen.vas.scene.planes import Planes
from vasgen.vas.scene.radio_scene import RadioScene

C = 299_792_458.0


@pytest.fixture
def given(monkeypatch):
    return partial(Given, monkeypatch)


def over_ground(source, positions, pixels):
    """The direct path and the one mirrored at z = 0, to points in free air above it."""
    points = points_of(pixels, position=positions)
    planes = Planes(np.array([[0.0, 0.0, 1.0]]), np.zeros(1))
    number = np.arange(2 * len(points), dtype=np.int32)
    source = np.asarray(source, float)
    return Paths(source, points, chains_of("", "R"), planes, NO_WEDGES, number // 2, number % 2)


def metal_mirror(frequency_hz, sine):
    """Fresnel coefficients of ITU metal for the vertical and the horizontal field."""
    eta = 1 - 1e7j / (2 * np.pi * frequency_hz * 8.8541878e-12)
    root = np.sqrt(eta - 1 + sine**2)
    return (eta * sine - root) / (eta * sine + root), (sine - root) / (sine + root)


@pytest.mark.parametrize("frequency_hz", [1e9, 3.5e9, 28e9])
@pytest.mark.parametrize(("polarization", "component"), [("V", 0), ("H", 1)])
@pytest.mark.parametrize("far_m", [30.0, 900.0])
def test_two_rays_over_metal_interfere(frequency_hz, polarization, component, far_m):
    spec = RadioSpec(frequency_hz=frequency_hz)
    antenna = Antenna(rows=1, columns=1, polarization=polarization)
    transmitter = Transmitter("a", (5.0, 7.0, 12.0), antenna=antenna)
    ends = [(5.0 + far_m, 7.0, 2.0), (5.0, 7.0 + 0.4 * far_m, 3.5)]
    paths = over_ground(transmitter.position, ends, [4, 9])
    cir = pixel_channels(paths, [4, 9], transmitter, [MATERIALS["metal"]], spec)
    offsets = np.array([-200e6, -31e6, 0.0, 7e6, 50e6, 200e6])
    response = channel_frequency_response(cir, offsets)
    assert response.shape == (2, 6, 2)
    for row, (x, y, z) in enumerate(ends):
        level = np.hypot(x - 5, y - 7)
        direct, mirrored = np.hypot(level, z - 12), np.hypot(level, z + 12)
        assert cir.delay_s[row] == pytest.approx([direct / C, mirrored / C], rel=1e-12)
        turns = (frequency_hz + offsets) * (mirrored - direct) / C
        mirror = metal_mirror(frequency_hz, (z + 12) / mirrored)[component]
        both = 1 / direct + mirror / mirrored * np.exp(-2j * np.pi * turns)
        scale = C / (4 * np.pi * frequency_hz)
        found = np.abs(response[row]) / (scale / direct)
        assert found[:, component] == pytest.approx(np.abs(both) * direct, abs=2e-4)
        assert found[:, 1 - component].max() < 2e-4


def test_the_absolute_phase_is_that_of_the_carrier():
    spec = RadioSpec(frequency_hz=28e9)
    transmitter = Transmitter("a", (0.0, 0.0, 10.0))
    ends = np.array([(600.0, 0.0, 10.0), (600.0 + C / 28e9 / 4, 0.0, 10.0)])
    paths = over_ground(transmitter.position, ends, [0, 1])
    cir = pixel_channels(paths, [0, 1], transmitter, [MATERIALS["concrete"]], spec)
    direct = cir.amplitude[:, 0, 0]
    assert np.angle(direct[1] / direct[0]) == pytest.approx(-np.pi / 2, abs=1e-5)
    assert np.angle(direct[0] * np.exp(2j * np.pi * 28e9 * 600 / C)) == pytest.approx(0, abs=1e-5)


def test_over_a_wide_band_powers_add_up(given):
    """Delays that are multiples of 10 ns: over a band of 100 MHz all fringes cancel exactly."""
    step_m = C * 10e-9
    rng = np.random.default_rng(2)
    late = rng.choice(np.arange(5, 60), (3, 6), replace=False)
    rays = [
        Ray(point, chain, step_m * late[point, chain], rng.normal(size=2) + 1j, azimuth(20 * chain))
        for point in range(3)
        for chain in range(point + 4)
    ]
    made = given(points_of([2, 5, 6]), chains_of("", "R", "T", "RR", "RT", "D"), rays)
    cir = channel_impulse_response(made.radio, None, made.paths, [2, 5, 6])
    band = 100e6 * np.arange(64) / 64 - 50e6
    response = channel_frequency_response(cir, band)
    mean = (np.abs(response) ** 2).mean(axis=1)
    assert mean == pytest.approx((np.abs(cir.amplitude) ** 2).sum(axis=1), rel=1e-9)
    # And the other way round: the transform of the band shows each path at its delay.
    taps = np.fft.ifft(np.fft.ifftshift(response, axes=1), axis=1)
    for row in range(3):
        found = taps[row, late[row, : row + 4] % 64]
        order = np.argsort(late[row, : row + 4])
        assert found[order] == pytest.approx(cir.amplitude[row, : row + 4], abs=1e-6)


def test_paths_come_by_delay_and_end_in_nothing(given):
    rays = [
        Ray(0, 1, 90.0, [1e-3, 0], azimuth(10, 5), azimuth(-170, 30)),
        Ray(0, 0, 60.0, [0, 2e-3], azimuth(-120), azimuth(0)),
        Ray(1, 1, 30.0, [3e-3, 0]),
    ]
    made = given(points_of([3, 8]), chains_of("", "R"), rays)
    cir = channel_impulse_response(made.radio, None, made.paths, [8, 5, 3, 8])
    assert cir.amplitude.shape == (4, 2, 2)
    wanted = np.array([[30, np.nan], [np.nan, np.nan], [60, 90], [30, np.nan]]) / C
    assert cir.delay_s == pytest.approx(wanted, rel=1e-12, nan_ok=True)
    assert cir.chain.tolist() == [[1, -1], [-1, -1], [0, 1], [1, -1]]
    gain = (np.abs(cir.amplitude) ** 2).sum(axis=-1)
    assert gain == pytest.approx(np.array([[9e-6, 0], [0, 0], [4e-6, 1e-6], [9e-6, 0]]), rel=1e-5)
    assert cir.departure_deg[2] == pytest.approx(np.array([[-120, 0], [10, 5]]), abs=1e-4)
    assert np.abs(cir.arrival_deg[2, 0]) == pytest.approx([180, 0], abs=1e-4)
    assert cir.arrival_deg[2, 1] == pytest.approx([10, -30], abs=1e-4)
    assert np.isnan(cir.arrival_deg[1]).all()
    assert not channel_frequency_response(cir, [0.0, 1e6])[1].any()


def test_a_pixel_of_several_points_is_told_at_its_middle(given):
    position = [(x, y, 0) for x in (-1, 0, 1) for y in (-1, 0, 1)]
    points = points_of([6] * 9 + [7], [1 / 9] * 9 + [1], [*position, (0, 0, 0)])
    rays = [Ray(point, 0, 10.0 + point, [1e-3, 0]) for point in range(10)]
    made = given(points, chains_of(""), rays)
    cir = channel_impulse_response(made.radio, None, made.paths, [6])
    assert cir.delay_s == pytest.approx(np.array([[14.0]]) / C)


def test_no_path_to_any_of_the_pixels(given):
    made = given(points_of([3]), chains_of(""), [Ray(0, 0, 10.0, [1, 0])])
    cir = channel_impulse_response(made.radio, None, made.paths, [0, 1])
    assert cir.amplitude.shape == (2, 0, 2)
    assert cir.delay_s.shape == cir.chain.shape == (2, 0)
    response = channel_frequency_response(cir, [0.0, 1.0, 2.0])
    assert response.shape == (2, 3, 2)
    assert not response.any()
    nobody = channel_impulse_response(made.radio, None, made.paths, [])
    assert channel_frequency_response(nobody, [0.0]).shape == (0, 1, 2)


@pytest.mark.parametrize("pixels", [[0.5], 3, [[1, 2]], ["a"]])
def test_pixels_must_be_a_list_of_numbers(given, pixels):
    made = given(points_of([3]), chains_of(""), [Ray(0, 0, 10.0, [1, 0])])
    with pytest.raises(InputError, match="row-major"):
        channel_impulse_response(made.radio, None, made.paths, pixels)


@pytest.mark.parametrize("frequencies", [0.0, [np.nan], [[1.0]]])
def test_frequencies_must_be_a_list_of_finite_numbers(given, frequencies):
    made = given(points_of([3]), chains_of(""), [Ray(0, 0, 10.0, [1, 0])])
    cir = channel_impulse_response(made.radio, None, made.paths, [3])
    with pytest.raises(InputError, match="finite"):
        channel_frequency_response(cir, frequencies)


class Corner:
    """Ground and a wall: four paths to each point, in closed form and by Sionna."""

    def __init__(self, frequency_hz, antenna):
        wall = [(100, 20, 0), (-100, 20, 0), (-100, 20, 50), (100, 20, 50)]
        scene = bundle(ground(100.0), rectangle("wall", wall))
        self.spec = RadioSpec(frequency_hz=frequency_hz)
        self.materials = scene.radio_materials
        self.transmitter = Transmitter("a", (0.0, 0.0, 10.0), 0.0, (20.0, 10.0, 5.0), antenna)
        self.positions = np.array([(30.0, -5.0, 2.0), (15.0, -12.0, 1.5), (60.0, -3.0, 4.0)])
        self._radio = RadioScene(scene, self.spec, np.zeros(3))
        self._radio.set_transmitter(self.transmitter)

    def paths(self):
        planes = Planes(np.array([[0.0, 0.0, 1.0], [0.0, 1.0, 0.0]]), np.array([0.0, 20.0]))
        names = [material.name for material in self.materials]
        of_plane = np.array([names.index("very_dry_ground"), names.index("concrete")])
        element = np.array([[-1, -1], [0, -1], [1, -1], [1, 0]], np.int32)
        met = element >= 0
        material = np.where(met, of_plane[element], -1).astype(np.int32)
        chains = Chains(np.where(met, 0, -1).astype(np.int8), element, material)
        source = np.array(self.transmitter.position)
        points = points_of([3, 7, 11], position=self.positions)
        point = np.repeat(np.arange(3, dtype=np.int32), 4)
        chain = np.tile(np.arange(4, dtype=np.int32), 3)
        return Paths(source, points, chains, planes, NO_WEDGES, point, chain)

    def by_sionna(self):
        rt, scene = self._radio.rt, self._radio.scene
        scene.rx_array = rt.PlanarArray(
            num_rows=1,
            num_cols=1,
            vertical_spacing=0.5,
            horizontal_spacing=0.5,
            pattern="iso",
            polarization="VH",
        )
        for number, position in enumerate(self.positions.tolist()):
            scene.add(rt.Receiver(name=f"receiver-{number}", position=position))
        return rt.PathSolver()(
            scene,
            max_depth=2,
            samples_per_src=200_000,
            refraction=False,
            diffuse_reflection=False,
            synthetic_array=True,
        )


@pytest.mark.parametrize("frequency_hz", [0.9e9, 3.5e9, 9e9])
@pytest.mark.parametrize(
    "antenna",
    [
        Antenna(rows=1, columns=1, pattern="tr38901", polarization="V"),
        Antenna(rows=1, columns=1, pattern="dipole", polarization="H"),
    ],
)
def test_responses_are_those_of_sionnas_path_solver(frequency_hz, antenna):
    corner = Corner(frequency_hz, antenna)
    cir = pixel_channels(
        corner.paths(), [3, 7, 11], corner.transmitter, corner.materials, corner.spec
    )
    theirs = corner.by_sionna()
    amplitude, delay = theirs.cir(normalize_delays=False, out_type="numpy")
    order = np.argsort(delay[:, 0], axis=-1)
    delay = np.take_along_axis(delay[:, 0], order, axis=-1)
    assert cir.delay_s == pytest.approx(delay, abs=1e-13)
    amplitude = np.take_along_axis(amplitude[:, :, 0, 0, :, 0], order[:, None], axis=-1)
    # Float32 delays turn a carrier of 9 GHz by some thousandths.
    largest = np.abs(amplitude).max(axis=(1, 2))[:, None, None]
    assert (np.abs(cir.amplitude - amplitude.transpose(0, 2, 1)) / largest).max() < 3e-3
    for angles, (azimuths, zeniths) in (
        (cir.departure_deg, (theirs.phi_t, theirs.theta_t)),
        (cir.arrival_deg, (theirs.phi_r, theirs.theta_r)),
    ):
        azimuths, zeniths = (np.degrees(np.array(a)[:, 0]) for a in (azimuths, zeniths))
        wanted = np.stack([azimuths, 90 - zeniths], axis=-1)
        wanted = np.take_along_axis(wanted, order[..., None], axis=1)
        assert (angles - wanted + 180) % 360 - 180 == pytest.approx(0 * wanted, abs=1e-3)
    offsets = np.array([-60e6, -9e6, 0.0, 25e6])
    # From the first path on, as Sionna has it by default: ours keeps the time of flight.
    first = (frequency_hz + offsets)[None, :, None] * cir.delay_s[:, :1, None]
    response = channel_frequency_response(cir, offsets) * np.exp(2j * np.pi * first)
    wanted = theirs.cfr(offsets.tolist(), out_type="numpy")[:, :, 0, 0, 0].transpose(0, 2, 1)
    assert (np.abs(response - wanted) / largest).max() < 3e-3


def test_the_example_of_the_documentation():
    page = Path(__file__).parents[2] / "docs" / "paths.md"
    (text,) = re.findall(r"```python\n(.*?)```", page.read_text(), re.S)
    names = {}
    exec(compile(text, str(page), "exec"), names)
    radio, cir, response = names["radio"], names["cir"], names["response"]
    assert response.shape == (100, 64, 2)
    gain_db = 10 * np.log10((np.abs(cir.amplitude) ** 2).sum(axis=(1, 2)))
    wanted = 10 ** (radio.mechanism_gain_db[:4, 0].reshape(4, -1)[:, names["pixels"]] / 10)
    # The label is the mean over the footprint, the channel that of its middle.
    assert np.median(np.abs(gain_db - 10 * np.log10(wanted.sum(axis=0)))) < 0.1
