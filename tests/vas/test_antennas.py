"""Arrays, precoding and element patterns against closed forms."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import sici

from tests.support import bundle, rectangle, street_canyon, view
from vasgen.antenna import ANTENNAS, Antenna
from vasgen.antenna_pattern import directions, globe
from vasgen.spec import RadioSpec
from vasgen.transmitter import Transmitter
from vasgen.vas import Tracer
from vasgen.vas.counting.coverage import Audience, trace_coverage
from vasgen.vas.scene.field import radiated_field, radiated_power
from vasgen.vas.scene.power_pattern import power_patterns
from vasgen.vas.scene.radio_scene import FreeSpace, RadioScene
from vasgen.vas.surfaces.visible import visible_surface

SPEED_OF_LIGHT = 299_792_458.0
SHAPES = [(4, 4), (8, 4), (3, 5)]
SPACINGS = [(0.5, 0.5), (0.7, 1.1)]


@pytest.fixture(scope="module")
def space():
    return FreeSpace(3.5e9, np.zeros(3))


def random_directions(count, seed=0):
    vectors = np.random.default_rng(seed).normal(size=(count, 3))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def towards(azimuth_deg, elevation_deg):
    return directions(np.array([elevation_deg]), np.array([azimuth_deg]))[0, 0]


def turned(yaw, pitch, roll):
    """Rotation about x, then y, then z."""

    def about(axis, degrees):
        c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
        i, j = (axis + 1) % 3, (axis + 2) % 3
        matrix = np.eye(3)
        matrix[[i, i, j, j], [i, j, i, j]] = c, -s, s, c
        return matrix

    return about(2, yaw) @ about(1, pitch) @ about(0, roll)


def place(space, antenna, orientation_deg=(0.0, 0.0, 0.0)):
    space.set_transmitter(
        Transmitter("tx", (0.0, 0.0, 0.0), orientation_deg=orientation_deg, antenna=antenna)
    )


def power(space, antenna, where, orientation_deg=(0.0, 0.0, 0.0)):
    place(space, antenna, orientation_deg)
    return radiated_power(space, where)


def field(space, antenna, where):
    import mitsuba as mi

    place(space, antenna)
    outward = mi.Vector3f(np.ascontiguousarray(where.T, np.float32))
    return np.array(radiated_field(space, outward), np.float64).reshape(4, -1)


def row_factor(count, spacing, sine):
    """|sum of ``count`` phasors|: the Dirichlet kernel."""
    half = np.pi * spacing * sine
    below = np.sin(half)
    flat = np.abs(below) < 1e-9
    return np.where(flat, count, np.abs(np.sin(count * half) / np.where(flat, 1, below)))


def array_gain(antenna, where):
    """Gain of an array of isotropic elements in its own frame."""
    aim = towards(*(antenna.steer_deg or (0.0, 0.0)))
    across = row_factor(antenna.columns, antenna.horizontal_spacing, where[:, 1] - aim[1])
    up = row_factor(antenna.rows, antenna.vertical_spacing, where[:, 2] - aim[2])
    return (across * up) ** 2 / (antenna.rows * antenna.columns)


@pytest.mark.parametrize("steer", [None, (30.0, -20.0), (-55.0, 5.0)])
@pytest.mark.parametrize("spacing", SPACINGS)
@pytest.mark.parametrize("shape", SHAPES)
def test_the_array_factor_is_the_closed_form(space, shape, spacing, steer):
    antenna = Antenna(
        rows=shape[0],
        columns=shape[1],
        vertical_spacing=spacing[0],
        horizontal_spacing=spacing[1],
        steer_deg=steer,
    )
    where = random_directions(2000)
    expected = array_gain(antenna, where)
    assert power(space, antenna, where) == pytest.approx(expected, abs=1e-3)
    # The same array turned: the pattern is the array's own, in its own frame.
    orientation = (40.0, -15.0, 70.0)
    rotation = turned(*orientation)
    there = power(space, antenna, where @ rotation.T, orientation)
    assert there == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("orientation", [(0, 0, 0), (120, 0, 0), (-30, 12, 0), (75, 8, 40)])
@pytest.mark.parametrize("steer", [(0.0, 0.0), (25.0, -10.0), (-50.0, 0.0), (10.0, 30.0)])
@pytest.mark.parametrize("name", ["4x4", "8x4"])
def test_the_main_lobe_points_where_it_is_steered(space, name, steer, orientation):
    antenna = ANTENNAS[name].model_copy(update={"steer_deg": steer})
    orientation = tuple(map(float, orientation))
    rotation = turned(*orientation)
    grid = directions(np.arange(-90.0, 90.1, 1.5), np.arange(-90.0, 90.1, 1.5)).reshape(-1, 3)
    coarse = grid[power(space, antenna, grid @ rotation.T, orientation).argmax()]
    near = coarse + 0.03 * random_directions(20_000)
    near /= np.linalg.norm(near, axis=1, keepdims=True)
    gain = power(space, antenna, near @ rotation.T, orientation)
    lobe = near[gain > gain.max() * (1 - 1e-5)].mean(axis=0)
    lobe /= np.linalg.norm(lobe)
    assert np.degrees(np.arccos(lobe @ towards(*steer))) < 0.5
    count = antenna.rows * antenna.columns
    assert 10 * np.log10(gain.max()) == pytest.approx(10 * np.log10(count), abs=0.01)


def test_positive_pitch_tilts_down_and_yaw_turns_towards_north(space):
    grid = directions(*globe()).reshape(-1, 3)
    antenna = Antenna(rows=8, columns=8, pattern="tr38901")
    best = grid[power(space, antenna, grid, (90.0, 12.0, 0.0)).argmax()]
    assert best == pytest.approx(towards(90.0, -12.0), abs=1e-6)


@pytest.mark.parametrize("pattern", ["iso", "dipole", "hw_dipole", "tr38901"])
@pytest.mark.parametrize("polarization", ["V", "cross"])
@pytest.mark.parametrize("steer", [(0.0, 0.0), (35.0, -15.0)])
def test_where_it_is_steered_an_array_has_the_elements_gain_times_their_number(
    space, pattern, polarization, steer
):
    element = Antenna(pattern=pattern)
    array = Antenna(rows=8, columns=4, pattern=pattern, polarization=polarization, steer_deg=steer)
    aim = towards(*steer)[None]
    ratio = power(space, array, aim) / power(space, element, aim)
    assert 10 * np.log10(ratio) == pytest.approx(10 * np.log10(32), abs=0.01)


def test_ports_count_down_each_column_from_the_least_y_on(space):
    """Two ports alone: where their waves add up says where they stand."""
    rows, columns = 3, 2
    where = random_directions(500)
    for first, second in [(0, 1), (0, 2), (0, 3), (4, 2), (5, 1)]:
        weights = np.zeros((rows * columns, 2))
        weights[first], weights[second] = (1, 0), (0, 1)
        antenna = Antenna(
            rows=rows,
            columns=columns,
            vertical_spacing=0.6,
            horizontal_spacing=0.8,
            weights=tuple(map(tuple, weights)),
        )
        step = np.array([0.0, 0.8, -0.6])
        apart = (np.array([0, *divmod(first, rows)]) - [0, *divmod(second, rows)]) * step
        expected = 1 + np.sin(2 * np.pi * where @ apart)
        assert power(space, antenna, where) == pytest.approx(expected, abs=1e-4)


def test_ports_of_the_second_polarization_come_last(space):
    where = random_directions(300)
    shape = {"rows": 2, "columns": 2}

    def fed(polarization, port):
        weights = np.zeros((8, 2))
        weights[port, 0] = 1
        antenna = Antenna(polarization=polarization, weights=tuple(map(tuple, weights)), **shape)
        return field(space, antenna, where)

    def alone(polarization, port):
        weights = np.zeros((4, 2))
        weights[port, 0] = 1
        antenna = Antenna(polarization=polarization, weights=tuple(map(tuple, weights)), **shape)
        return field(space, antenna, where)

    for port in (0, 3):
        vertical, horizontal = alone("V", port), alone("H", port)
        assert (vertical * horizontal).sum(axis=0) == pytest.approx(0, abs=1e-5)
        assert fed("VH", port) == pytest.approx(vertical, abs=1e-5)
        assert fed("VH", 4 + port) == pytest.approx(horizontal, abs=1e-5)
        slanted = (vertical - horizontal) / np.sqrt(2), (vertical + horizontal) / np.sqrt(2)
        assert fed("cross", port) == pytest.approx(slanted[0], abs=1e-5)
        assert fed("cross", 4 + port) == pytest.approx(slanted[1], abs=1e-5)


@pytest.mark.parametrize("polarization", ["V", "VH", "cross"])
def test_weights_are_those_of_the_path_solvers_ports(space, polarization):
    """Sionna's path solver gives the channel of every port by itself."""
    random = np.random.default_rng(5)
    ports = Antenna(rows=3, columns=2, pattern="tr38901", polarization=polarization).num_ports
    weights = random.normal(size=(ports, 2))
    antenna = Antenna(
        rows=3,
        columns=2,
        pattern="tr38901",
        polarization=polarization,
        weights=tuple(map(tuple, weights)),
    )
    where = random_directions(20, seed=1)
    gain = power(space, antenna, where, (30.0, 10.0, 20.0))
    space.scene.rx_array = space.rt.PlanarArray(
        num_rows=1, num_cols=1, pattern="iso", polarization="VH"
    )
    for number, point in enumerate(where):
        space.scene.add(space.rt.Receiver(name=f"rx-{number}", position=(100 * point).tolist()))
    paths = space.rt.PathSolver()(space.scene, max_depth=0, synthetic_array=True)
    for name in list(space.scene.receivers):
        space.scene.remove(name)
    real, imaginary = (np.array(part, np.float64) for part in paths.a)
    channel = (real + 1j * imaginary)[:, :, 0, :, 0]  # receiver, its polarization, port
    sent = channel @ (weights @ [1, 1j]) / np.linalg.norm(weights)
    friis = (float(space.scene.wavelength[0]) / (4 * np.pi * 100)) ** 2
    assert (np.abs(sent) ** 2).sum(axis=1) / friis == pytest.approx(gain, rel=1e-3, abs=1e-5)


@pytest.mark.parametrize("polarization", ["V", "VH"])
@pytest.mark.parametrize("factor", [1.0, 1e-200, 3e5j])
def test_given_weights_are_scaled_and_may_steer(space, polarization, factor):
    """The conjugate phases of a direction, times anything, are the array steered there."""
    steer = (-20.0, 12.0)
    steered = Antenna(rows=4, columns=4, polarization=polarization, steer_deg=steer)
    row, column = np.meshgrid(np.arange(4), np.arange(4))  # the row changes first
    place = np.stack([0 * row, column, -row], axis=-1).reshape(-1, 3) / 2
    phases = np.exp(-2j * np.pi * place @ towards(*steer)) * factor
    phases = np.tile(phases, 2 if polarization == "VH" else 1)
    given = Antenna(
        rows=4,
        columns=4,
        polarization=polarization,
        weights=tuple((w.real, w.imag) for w in phases),
    )
    where = random_directions(1000)
    expected = power(space, steered, where)
    assert power(space, given, where) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("pattern", ["iso", "hw_dipole", "tr38901"])
@pytest.mark.parametrize("steer", [None, (15.0, -30.0)])
def test_polarizations_share_the_same_power(space, pattern, steer):
    where = random_directions(1000)
    vertical, *others = (
        power(
            space,
            Antenna(rows=2, columns=3, pattern=pattern, polarization=kind, steer_deg=steer),
            where,
        )
        for kind in ("V", "H", "VH", "cross")
    )
    for other in others:
        assert other == pytest.approx(vertical, rel=1e-4, abs=1e-5)


def element_gain(pattern, where):
    """Gain of one vertical element, from its formula."""
    cosine = where[..., 2]
    sine = np.sqrt(np.maximum(1 - cosine**2, 0))
    if pattern == "iso":
        return np.ones(cosine.shape)
    if pattern == "dipole":  # Balanis, Antenna Theory, eq. 4-26a
        return 1.5 * sine**2
    if pattern == "hw_dipole":  # eq. 4-84, directivity 1.643
        return 1.643 * (np.cos(np.pi / 2 * cosine) / np.maximum(sine, 1e-9)) ** 2
    zenith = np.degrees(np.arccos(cosine))  # 3GPP TR 38.901, table 7.3-1
    azimuth = np.degrees(np.arctan2(where[..., 1], where[..., 0]))
    down = np.minimum(12 * ((zenith - 90) / 65) ** 2, 30)
    aside = np.minimum(12 * (azimuth / 65) ** 2, 30)
    return 10 ** ((8 - np.minimum(down + aside, 30)) / 10)


@pytest.mark.parametrize("pattern", ["iso", "dipole", "hw_dipole", "tr38901"])
@pytest.mark.parametrize("polarization", ["V", "H"])
def test_elements_follow_their_formula(space, pattern, polarization):
    where = random_directions(3000)
    antenna = Antenna(pattern=pattern, polarization=polarization)
    expected = element_gain(pattern, where)
    assert power(space, antenna, where) == pytest.approx(expected, rel=2e-3, abs=1e-5)


def one(antenna, orientation_deg=(0.0, 0.0, 0.0)):
    return Transmitter("tx", (9.0, 9.0, 9.0), 11.0, orientation_deg, antenna)


def test_single_elements_send_out_what_is_fed_in():
    """All but 38.901's, which fixes the maximum at 8 dBi and so has losses."""
    kinds = ["iso", "dipole", "hw_dipole", "tr38901"]
    means = power_patterns([one(Antenna(pattern=kind)) for kind in kinds]).mean()
    # Balanis eq. 4-88: 2.435 is Cin(2 pi).
    cin = np.euler_gamma + np.log(2 * np.pi) - sici(2 * np.pi)[1]
    grid = directions((np.arange(720) + 0.5) / 4 - 90, (np.arange(1440) + 0.5) / 4 - 180)
    weight = np.sqrt(1 - grid[..., 2] ** 2)
    lossy = np.average(element_gain("tr38901", grid), weights=weight)
    assert lossy == pytest.approx(0.657, abs=0.001)
    assert means == pytest.approx([1, 1, 1.643 * cin / 4, lossy], rel=3e-4)


@pytest.mark.parametrize("steer", [None, (40.0, 25.0)])
@pytest.mark.parametrize("spacing", SPACINGS)
@pytest.mark.parametrize("shape", SHAPES)
def test_isotropic_elements_couple_through_the_sphere(shape, spacing, steer):
    """The mean of |sum w exp(2 pi j p.k)|^2: each pair adds sinc of twice its distance."""
    antenna = Antenna(
        rows=shape[0],
        columns=shape[1],
        vertical_spacing=spacing[0],
        horizontal_spacing=spacing[1],
        steer_deg=steer,
    )
    z, y = (
        g.ravel()
        for g in np.meshgrid(*(d * np.arange(n) for n, d in zip(shape, spacing, strict=True)))
    )
    apart = np.hypot(y[:, None] - y, z[:, None] - z)
    aim = towards(*(steer or (0.0, 0.0)))
    weight = np.exp(-2j * np.pi * (y * aim[1] + z * aim[2])) / np.sqrt(len(y))
    expected = (weight.conj() @ np.sinc(2 * apart) @ weight).real
    assert power_patterns([one(antenna)]).mean()[0] == pytest.approx(expected, rel=1e-3)


def test_the_pattern_of_a_transmitter_is_in_world_directions():
    antenna = Antenna(rows=2, columns=4, pattern="tr38901", steer_deg=(20.0, 10.0))
    patterns = power_patterns([one(antenna), one(antenna, (90.0, 0.0, 0.0)), one(antenna)])
    assert patterns.gain.dtype == np.float32
    assert patterns.gain.shape == (3, 181, 360)
    assert (patterns.gain[2] == patterns.gain[0]).all()
    quarter = np.roll(patterns.gain[0], 90, axis=1)
    inside = slice(1, -1)  # at the poles 38.901 has no azimuth
    assert patterns.gain[1, inside] == pytest.approx(quarter[inside], rel=0.01, abs=0.01)


CANYON = [
    Transmitter("a", (-15.0, 2.0, 1.6)),
    Transmitter("b", (12.0, 3.0, 1.6), antenna=ANTENNAS["4x4"], orientation_deg=(90.0, 5.0, 0.0)),
    Transmitter(
        "c",
        (2.0, 1.0, 4.0),
        antenna=Antenna(rows=8, columns=4, polarization="cross", steer_deg=(30.0, 5.0)),
    ),
]


def layers_of(transmitters, **settings):
    scene = street_canyon()
    caster, camera, depth, normal = view(scene, (-55, -60, 50), (0, 0, 5), 40, 30)
    spec = RadioSpec(rays=40_000, **settings)
    return Tracer(scene, spec, caster=caster).trace(camera, depth, normal, transmitters, seed=3)


def assert_as_alone(transmitters, **settings):
    together = layers_of(transmitters, **settings)
    for number, transmitter in enumerate(transmitters):
        alone = layers_of([transmitter], **settings)
        assert alone.reached.any()
        for name in ("path_gain_db", "line_of_sight", "reached", "standard_error_db", "rays"):
            rows = (getattr(together, name)[number], getattr(alone, name)[0])
            assert np.array_equal(*rows, equal_nan=True), (transmitter.name, name)


def test_transmitters_of_different_arrays_are_traced_as_alone():
    assert_as_alone(CANYON, max_depth=3)


def test_transmitters_of_one_array_and_different_precoding_are_traced_as_alone():
    steered = [
        replace(t, antenna=Antenna(rows=4, columns=4, steer_deg=steer))
        for t, steer in zip(CANYON, (None, (40.0, 10.0), (-60.0, 0.0)), strict=True)
    ]
    assert_as_alone(steered, max_depth=3)


def test_given_and_steered_weights_give_the_same_labels():
    steer = (50.0, -5.0)
    z, y = -np.arange(4) / 2, np.arange(4) / 2
    aim = towards(*steer)
    phases = np.exp(-2j * np.pi * (y[:, None] * aim[1] + z * aim[2])).ravel()
    weights = tuple((5 * w.real, 5 * w.imag) for w in phases)
    pair = [
        layers_of([replace(CANYON[0], antenna=Antenna(rows=4, columns=4, **how))], max_depth=2)
        for how in ({"steer_deg": steer}, {"weights": weights})
    ]
    difference = np.abs(pair[0].path_gain_db - pair[1].path_gain_db)
    strong = pair[0].path_gain_db > -110
    assert strong.sum() > 200
    assert difference[strong].max() < 0.02


@pytest.mark.parametrize("name", ["4x4", "8x4"])
@pytest.mark.parametrize(
    ("frequency_hz", "orientation", "steer"),
    [(3.5e9, (90.0, 0.0, 0.0), (20.0, -10.0)), (28e9, (60.0, 25.0, 15.0), (0.0, 10.0))],
)
def test_reflections_follow_the_antenna(name, frequency_hz, orientation, steer):
    """Behind a metal wall stands the mirror image of a steered array."""
    wall = rectangle(
        "wall", [(40, 10, 0), (-40, 10, 0), (-40, 10, 60), (40, 10, 60)], radio="metal"
    )
    floor = rectangle("floor", [(-8, -8, 0), (8, -8, 0), (8, 4, 0), (-8, 4, 0)], instance=2)
    scene, antenna = bundle(wall, floor), ANTENNAS[name].model_copy(update={"steer_deg": steer})
    spec = RadioSpec(frequency_hz=frequency_hz, rays=4_000_000, max_depth=1, refraction=False)
    caster, camera, depth, normal = view(scene, (0, -4, 30), (0, -3, 0), 24, 18)
    surface = visible_surface(camera, depth, normal, "footprint", caster)
    radio = RadioScene(scene, spec, np.zeros(3))
    position = (2.0, -6.0, 5.0)
    radio.set_transmitter(Transmitter("tx", position, orientation_deg=orientation, antenna=antenna))
    coverage = trace_coverage(
        radio, Audience([surface], radio.centre), spec, seed=1, line_of_sight=False
    )[0]
    on_floor = surface.normal[:, 2] > 0.5
    points = surface.sample_points(4)[on_floor]  # footprints are wide beside a lobe
    leg = points - np.array([2.0, 26.0, 5.0])
    distance = np.linalg.norm(leg, axis=-1)
    departing = leg * [1, -1, 1] / distance[..., None]
    own = departing @ turned(*orientation)
    gain = array_gain(antenna, own.reshape(-1, 3)).reshape(distance.shape)
    friis = gain * (SPEED_OF_LIGHT / frequency_hz / (4 * np.pi * distance)) ** 2
    expected = friis.mean(axis=1)
    found = coverage.gain[surface.pixel[on_floor]]
    assert 10 * np.log10(found.sum() / expected.sum()) == pytest.approx(0, abs=0.2)
    strong = expected > 0.1 * expected.max()
    assert strong.sum() > 20
    error_db = 10 * np.log10(found[strong] / expected[strong])
    assert np.abs(np.median(error_db)) < 0.2
