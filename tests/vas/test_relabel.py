"""Relabelling: fields of given paths against closed forms, and the link budget by itself."""

import dataclasses

import numpy as np
import pytest

from tests.support import MATERIALS
from vasgen.antenna import ANTENNAS, Antenna
from vasgen.layers import MECHANISMS, PATH_GAIN_FLOOR_DB
from vasgen.spec import RadioSpec
from vasgen.transmitter import Transmitter
from vasgen.vas.link_budget import radio_layers
from vasgen.vas.paths.paths import Chains, Event, Paths, Points
from vasgen.vas.paths.relabel import Relabeller, opened_slabs, rebudgeted
from vasgen.vas.scene.field import radiated_power
from vasgen.vas.scene.planes import Planes
from vasgen.vas.scene.radio_scene import FreeSpace
from vasgen.vas.scene.wedges import Wedges
from vasgen.vas.solver import Powers
from vasgen.vas.surfaces.surface import Target

SPEED_OF_LIGHT = 299_792_458.0
HEIGHT, WIDTH = 3, 4
VALID = np.ones((HEIGHT, WIDTH), bool)
VALID[0, 0] = False
#: Points on the ground, 20 to 26 m east of a transmitter 8 m above it; metal in the north.
PLACES = np.array([[20.0 + 2 * u, 3.0 * v, 0.0] for v in range(HEIGHT) for u in range(WIDTH)])
WALL_Y = 11.0
PANEL = Antenna(rows=4, columns=8, pattern="tr38901", polarization="V", steer_deg=(-15, -5))


def street(centre=(0.0, 0.0, 0.0)):
    """A direct and a mirrored path to every pixel but the first, which is sky."""
    shift, pixel = np.asarray(centre), np.arange(1, HEIGHT * WIDTH)
    none = np.zeros((0, 3))
    count = len(pixel)
    up = np.tile([0.0, 0.0, 1.0], (count, 1))
    return Paths(
        shift + [0.0, 0.0, 8.0],
        Points(pixel, np.ones(count), Target(shift + PLACES[pixel], up)),
        Chains(
            np.array([[Event.NONE], [Event.REFLECTION]], np.int8),
            np.array([[-1], [0]], np.int32),
            np.array([[-1], [0]], np.int32),
        ),
        Planes(np.array([[0.0, 1, 0]]), np.array([WALL_Y + shift[1]])),
        Wedges(none, none, np.zeros(0), none, none, np.zeros(0, np.int64)),
        np.tile(np.arange(count, dtype=np.int32), 2),
        np.repeat(np.arange(2, dtype=np.int32), count),
    )


def traced(transmitter):
    """Layers of a view that is all in line of sight; nothing else of them counts."""
    seen = np.broadcast_to(VALID.ravel(), (1, VALID.size))
    powers = Powers.none(1, VALID.size)._replace(visible=seen, recall=np.array([0.75]))
    return radio_layers(powers, VALID, [transmitter], RadioSpec())


def image_gain(transmitter, paths, frequency_hz):
    """Friis over the straight line and over that to the mirror image; metal keeps all."""
    radio = FreeSpace(frequency_hz, np.zeros(3))
    radio.set_transmitter(transmitter)
    ends = np.stack([PLACES, PLACES * [1, -1, 1] + [0, 2 * WALL_Y, 0]]) - [0, 0, 8.0]
    distance = np.linalg.norm(ends, axis=-1)
    power = radiated_power(radio, (ends / distance[..., None]).reshape(-1, 3))
    wavelength = SPEED_OF_LIGHT / frequency_hz
    gain = power.reshape(distance.shape) * (wavelength / (4 * np.pi * distance)) ** 2
    return 10 * np.log10(gain).reshape(2, HEIGHT, WIDTH), distance


@pytest.mark.parametrize("centre", [(0.0, 0.0, 0.0), (9_000.0, -7_000.0, 0.0)])
@pytest.mark.parametrize("frequency_hz", [0.7e9, 3.5e9, 28e9])
@pytest.mark.parametrize(
    "antenna", [ANTENNAS["siso"], ANTENNAS["8x4"], PANEL], ids=["siso", "8x4", "panel"]
)
def test_new_antennas_and_frequencies_are_closed_forms(antenna, frequency_hz, centre):
    paths, spec = street(centre), RadioSpec(frequency_hz=frequency_hz)
    place = tuple(paths.source.tolist())
    transmitter = Transmitter("tx", place, orientation_deg=(20.0, 5.0, 0.0), antenna=antenna)
    relabeller = Relabeller([MATERIALS["metal"]], [transmitter], spec)
    layers = relabeller.layers([paths], traced(transmitter), VALID)
    gain_db, distance = image_gain(transmitter, paths, frequency_hz)
    found = {m: layers.mechanism_gain_db[k, 0] for k, m in enumerate(MECHANISMS)}
    for name, expected in zip(("line of sight", "reflection"), gain_db, strict=True):
        strong = VALID & (expected > expected.max() - 30)  # a null is no closed form in float32
        np.testing.assert_allclose(found[name][strong], expected[strong], atol=0.02)
    assert (found["remainder"][VALID] == PATH_GAIN_FLOOR_DB).all()
    total = 10 * np.log10((10 ** (gain_db / 10)).sum(axis=0))
    np.testing.assert_allclose(layers.path_gain_db[0][VALID], total[VALID], atol=0.02)
    assert (layers.num_paths[0] == np.where(VALID, 2, 0)).all()
    weight = 10 ** (gain_db / 10)
    delay = (weight * distance.reshape(weight.shape)).sum(axis=0) / weight.sum(axis=0)
    np.testing.assert_allclose(
        layers.mean_delay_s[0][VALID] * SPEED_OF_LIGHT, delay[VALID], atol=0.03
    )
    assert (layers.standard_error_db[0][VALID] == 0).all()
    assert layers.rays.tolist() == [0]
    assert (layers.line_of_sight[0] == VALID).all()
    assert np.isnan(layers.path_gain_db[0, 0, 0])


def test_another_material_changes_only_what_it_mirrors():
    paths, transmitter = street(), Transmitter("tx", (0.0, 0.0, 8.0))
    metal, glass = (
        Relabeller([MATERIALS[name]], [transmitter], RadioSpec()).layers(
            [paths], traced(transmitter), VALID
        )
        for name in ("metal", "glass")
    )
    direct, mirrored = (MECHANISMS.index(name) for name in ("line of sight", "reflection"))
    np.testing.assert_array_equal(metal.mechanism_gain_db[direct], glass.mechanism_gain_db[direct])
    loss = (metal.mechanism_gain_db - glass.mechanism_gain_db)[mirrored, 0][VALID]
    assert (loss > 1).all()


def test_slabs_that_let_more_pass_than_in_the_trace_are_named():
    wall, pane = (replace_name(MATERIALS[name], "wall") for name in ("concrete", "glass"))
    low, high = RadioSpec(frequency_hz=3.5e9), RadioSpec(frequency_hz=28e9)
    (line,) = opened_slabs([wall], low, [pane], low)
    assert "a slab of wall takes" in line
    assert opened_slabs([wall], high, [wall], low)
    assert opened_slabs([wall], low, [wall], high) == ()
    assert opened_slabs([pane], low, [wall], low) == ()
    assert opened_slabs([wall], low, [pane], low.model_copy(update={"refraction": False})) == ()


def replace_name(material, name):
    return dataclasses.replace(material, name=name)


def test_a_new_budget_is_that_of_the_same_gain():
    random = np.random.default_rng(0)
    gain = 10 ** random.uniform(-14, -7, (3, HEIGHT * WIDTH))
    gain[:, :2] = 0.0
    powers = Powers.none(3, HEIGHT * WIDTH)._replace(gain=gain, variance=(0.1 * gain) ** 2)
    sources = [Transmitter(f"tx-{n}", (0.0, 0.0, 9.0), power_dbm=20.0) for n in range(3)]
    before = radio_layers(powers, VALID, sources, RadioSpec())
    louder = [
        dataclasses.replace(t, power_dbm=p, group=g)
        for t, p, g in zip(sources, (20.0, 47.0, 11.5), (0, 0, 1), strict=True)
    ]
    spec = RadioSpec(bandwidth_hz=2e7, noise_figure_db=7.0, temperature_k=310.0)
    after = rebudgeted(before, VALID, louder, spec)
    expected = radio_layers(powers, VALID, louder, spec)
    for name, array in expected.arrays().items():
        if array.dtype == np.float32:
            np.testing.assert_allclose(getattr(after, name), array, atol=2e-5, err_msg=name)
        else:
            np.testing.assert_array_equal(getattr(after, name), array, err_msg=name)
    assert not np.array_equal(after.best_server, before.best_server)
