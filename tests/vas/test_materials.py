"""Radio materials: the table of ITU-R P.2040, and what happens beyond its ranges."""

import numpy as np
import pytest
from scipy import ndimage

from tests.support import MATERIALS, bundle, ground, rectangle, street_canyon, view
from vasgen import runtime
from vasgen.bundle import RadioMaterial, SceneBundle
from vasgen.citygen.materials import RADIO
from vasgen.errors import InputError
from vasgen.spec import RadioSpec
from vasgen.transmitter import Transmitter
from vasgen.vas import Tracer
from vasgen.vas.scene.materials import (
    check_materials,
    held_materials,
    itu_constants,
    radio_material,
)

SPEED_OF_LIGHT = 299_792_458.0
VACUUM_PERMITTIVITY = 8.8541878128e-12

#: ITU-R P.2040-3, table 3: range in GHz, then a, b, c, d.
TABLE = {
    "concrete": (1, 100, 5.24, 0.0, 0.0462, 0.7822),
    "brick": (1, 40, 3.91, 0.0, 0.0238, 0.16),
    "glass": (0.1, 100, 6.31, 0.0, 0.0036, 1.3394),
    "metal": (1, 100, 1.0, 0.0, 1e7, 0.0),
    "wood": (0.001, 100, 1.99, 0.0, 0.0047, 1.0718),
    "marble": (1, 60, 7.074, 0.0, 0.0055, 0.9262),
    "very_dry_ground": (1, 10, 3.0, 0.0, 0.00015, 2.52),
    "medium_dry_ground": (1, 10, 15.0, -0.1, 0.035, 1.63),
}
#: The rows that count at 100 GHz: brick's nearest range begins at 110 GHz.
AT_100_GHZ = {
    "brick": (110, 330, 4.15, 0.0, 0.0006, 1.5712),
    "marble": (100, 400, 8.62, 0.0, 0.0027, 1.15),
}

FREQUENCIES_GHZ = [0.7, 3.5, 10, 28, 60, 100]


def complex_permittivity(name, ghz):
    """The table's law at the frequency, or at the end of its range that is nearest."""
    row = AT_100_GHZ.get(name, TABLE[name]) if ghz == 100 else TABLE[name]
    low, high, a, b, c, d = row
    at = min(max(ghz, low), high)
    return a * at**b - 1j * c * at**d / (2 * np.pi * at * 1e9 * VACUUM_PERMITTIVITY)


@pytest.mark.parametrize("ghz", FREQUENCIES_GHZ)
def test_every_material_of_a_city_has_the_permittivity_of_the_table(ghz):
    names = {material.itu_type for material in RADIO.values()}
    assert names == set(TABLE)
    spec, rt = RadioSpec(frequency_hz=ghz * 1e9), runtime.radio()
    scene = rt.load_scene(None)
    scene.frequency = spec.frequency_hz
    for name in sorted(names):
        made = radio_material(rt, RadioMaterial(name, name), spec)
        scene.add(made)
        omega = 2 * np.pi * spec.frequency_hz
        real, sigma = (float(x[0]) for x in (made.relative_permittivity, made.conductivity))
        found = real - 1j * sigma / (omega * VACUUM_PERMITTIVITY)
        assert found == pytest.approx(complex_permittivity(name, ghz), rel=1e-4), name


@pytest.mark.parametrize("ghz", [0.7, 28, 60, 100])
def test_the_loss_tangent_of_dry_ground_stays_what_it_is_at_the_end_of_its_range(ghz):
    end = 1 if ghz < 1 else 10
    held, known = (itu_constants("very_dry_ground", f * 1e9) for f in (ghz, end))
    assert held.relative_permittivity == known.relative_permittivity
    assert held.conductivity_s_per_m == pytest.approx(known.conductivity_s_per_m * ghz / end)


def test_what_is_held_is_told_in_a_line_per_material():
    twice = [RadioMaterial("a", "very_dry_ground"), RadioMaterial("b", "very_dry_ground")]
    others = [RadioMaterial("c", "concrete"), RadioMaterial("d", None)]
    assert held_materials(twice + others, 28e9) == (
        "very_dry_ground is defined for 1-10 GHz; at 28 GHz its complex permittivity of 10 GHz "
        "is used.",
    )
    assert held_materials(twice + others, 3.5e9) == ()
    assert held_materials([RadioMaterial("b", "brick")], 100e9) == (
        "brick is defined for 1-40 GHz, 110-330 GHz; at 100 GHz its complex permittivity of "
        "110 GHz is used.",
    )


@pytest.mark.parametrize(
    ("ghz", "message"),
    [
        (28, r"28 GHz, but ITU-R P.2040 defines 'very_dry_ground'.* for 1-10 GHz only.* to hold"),
        (0.7, r"0.7 GHz, but ITU-R P.2040 defines 'brick'.* for 1-40 GHz, 110-330 GHz only"),
    ],
)
def test_a_material_beyond_its_range_is_refused_if_one_asks_for_it(ghz, message):
    spec = RadioSpec(frequency_hz=ghz * 1e9, undefined_materials="refuse")
    with pytest.raises(InputError, match=message):
        Tracer(street_canyon(), spec)
    check_materials([MATERIALS["glass"]], spec)


def test_unknown_radio_materials_are_refused():
    scene = street_canyon()
    bad = [
        m if m.name != "brick" else RadioMaterial("brick", "bricks") for m in scene.radio_materials
    ]
    scene = SceneBundle(scene.name, scene.meshes, tuple(bad), scene.visual_materials)
    with pytest.raises(InputError, match=r"'bricks', which .* not list; .* you mean 'brick'\?"):
        Tracer(scene, RadioSpec())


def test_diffuse_reflection_needs_something_that_scatters():
    rough = RadioMaterial("rough", "concrete", scattering_coefficient=0.3)
    spec = RadioSpec(diffuse_reflection=True)
    check_materials([rough], spec)
    with pytest.raises(InputError, match=r"no material of the scene scatters; set radio\.scat"):
        check_materials([MATERIALS["concrete"]], spec)


@pytest.mark.parametrize("ghz", [0.7, 28, 100])
def test_a_street_is_traced_at_both_ends_of_the_band(ghz):
    caster, camera, depth, normal = view(street_canyon(), [-60, 1, 12], [20, 3, 2])
    spec = RadioSpec(frequency_hz=ghz * 1e9, rays=50_000, max_depth=2, diffraction=False)
    tracer = Tracer(street_canyon(), spec, caster=caster)
    layers = tracer.trace(camera, depth, normal, [Transmitter("tx", (-20.0, 2.0, 3.0))])
    assert layers.reached.mean() > 0.3
    assert np.isfinite(layers.path_gain_db[:, np.isfinite(depth)]).all()


@pytest.mark.parametrize("ghz", [28, 60, 100])
@pytest.mark.parametrize("name", ["very_dry_ground", "concrete"])
def test_ground_reflects_like_a_half_space_of_its_permittivity(name, ghz):
    """A wall above flat ground sees the antenna's image, weakened by Fresnel's coefficient.

    The antenna is vertical, so its field lies in the plane of incidence everywhere. A metre of
    ground is as good as no end: what enters it does not come back.
    """
    floor = ground(60.0, radio=name)
    wall = rectangle("wall", [(5, 15, 1), (-5, 15, 1), (-5, 15, 9), (5, 15, 9)], instance=2)
    thick = RadioMaterial(name, name, 1.0)
    radio_materials = (thick, *(m for m in (MATERIALS["concrete"],) if m.name != name))
    plain = bundle(floor, wall)
    scene = SceneBundle("two", plain.meshes, radio_materials, plain.visual_materials)
    only = {"line_of_sight": False, "refraction": False, "diffraction": False, "max_depth": 1}
    spec = RadioSpec(frequency_hz=ghz * 1e9, rays=8_000_000, **only)
    caster, camera, depth, normal = view(scene, [0, -5, 5], [0, 15, 5], 24, 18, 35.0)
    position = np.array([1.0, 0.0, 4.0])
    tracer = Tracer(scene, spec, caster=caster)
    layers = tracer.trace(camera, depth, normal, [Transmitter("tx", tuple(position))])

    on_wall = ndimage.binary_erosion(normal[..., 1] < -0.5)
    path = camera.back_project(depth)[on_wall] - position * [1, 1, -1]
    distance = np.linalg.norm(path, axis=1)
    cosine = path[:, 2] / distance
    index = complex_permittivity(name, ghz)
    root = np.sqrt(index - (1 - cosine**2))
    fresnel = (index * cosine - root) / (index * cosine + root)
    friis = (SPEED_OF_LIGHT / spec.frequency_hz / (4 * np.pi * distance)) ** 2
    gain = 10 ** (layers.path_gain_db[0][on_wall] / 10)
    assert on_wall.sum() > 150
    expected = (np.abs(fresnel) ** 2 * friis).sum()
    assert 10 * np.log10(gain.sum() / expected) == pytest.approx(0, abs=0.1)
