"""The whole tracer: its contract, and random pixels of a city against the path solver."""

import numpy as np
import pytest

from tests.support import bundle, ground, moved, street_canyon, view
from tests.vas.reference import path_solver_gain
from vasgen.citygen import CityConfig, generate
from vasgen.errors import InputError
from vasgen.layers import MECHANISMS, PATH_GAIN_FLOOR_DB, PATH_LAYERS, RADIO_LAYERS
from vasgen.spec import RadioSpec
from vasgen.transmitter import Transmitter
from vasgen.vas import Tracer, View
from vasgen.vas.link_budget import Powers, radio_layers
from vasgen.vas.scene.radio_scene import RadioScene
from vasgen.vas.surfaces.visible import visible_surface

_POINTS = 4  # independent points a footprint

TRANSMITTERS = [
    Transmitter("a", (-15.0, 2.0, 1.6)),
    Transmitter("b", (12.0, 3.0, 1.6), power_dbm=20.0),
]


def trace(
    scene,
    spec,
    camera_at=(-55, -60, 50),
    target=(0, 0, 5),
    size=(64, 48),
    seed=0,
    transmitters=TRANSMITTERS,
):
    caster, camera, depth, normal = view(scene, camera_at, target, *size)
    tracer = Tracer(scene, spec, caster=caster)
    return tracer.trace(camera, depth, normal, transmitters, seed=seed), depth


@pytest.fixture(scope="module")
def canyon():
    spec = RadioSpec(rays=300_000, max_depth=4)
    return (*trace(street_canyon(), spec), spec)


def test_layers_keep_their_contract(canyon):
    layers, depth, _ = canyon
    valid = np.isfinite(depth)
    assert not valid.all(), "the view must contain sky"
    for name, array in layers.arrays().items():
        meant = {**RADIO_LAYERS, **PATH_LAYERS}[name]
        assert array.dtype == np.dtype(meant.dtype), name
        sizes = {"transmitter": 2, "height": depth.shape[0], "width": depth.shape[1]}
        sizes["mechanism"] = len(MECHANISMS)
        assert array.shape == tuple(sizes[axis] for axis in meant.axes.split()), name
        if array.dtype.kind == "f" and name != "rician_k_db":
            assert not np.isinf(array).any(), name
    gain, reached = layers.path_gain_db, layers.reached
    assert (np.isnan(gain) == ~valid).all()
    assert (gain[~reached & valid] == PATH_GAIN_FLOOR_DB).all()
    assert (gain[reached] > PATH_GAIN_FLOOR_DB).all()
    assert (np.isfinite(layers.standard_error_db) == reached).all()
    assert reached[layers.line_of_sight].all()
    assert 0.2 < reached[:, valid].mean() < 1.0


def test_rss_and_sinr_follow_from_gain(canyon):
    layers, depth, spec = canyon
    seen = np.isfinite(depth)
    power = np.array([[30.0], [20.0]])
    rss = layers.path_gain_db[:, seen] + power
    assert layers.rss_dbm[:, seen] == pytest.approx(rss, abs=1e-4)
    noise = spec.noise_w
    assert 10 * np.log10(noise) + 30 == pytest.approx(-113.9, abs=0.1)  # kTB at 1 MHz and 293 K
    watts = 10 ** (rss / 10 - 3)
    sinr = 10 * np.log10(watts / (noise + watts[::-1]))
    assert layers.sinr_db[:, seen] == pytest.approx(sinr, abs=1e-3)


def test_same_seed_same_bytes():
    spec = RadioSpec(rays=50_000, max_depth=3)
    one, _ = trace(street_canyon(), spec, seed=5)
    two, _ = trace(street_canyon(), spec, seed=5)
    for name, array in one.arrays().items():
        assert array.tobytes() == two.arrays()[name].tobytes(), name


def test_labels_do_not_depend_on_where_the_world_lies():
    spec = RadioSpec(rays=1_000_000, max_depth=2)
    shift = np.array([8000.0, -6000.0, 50.0])
    here, _ = trace(street_canyon(), spec)
    there, _ = trace(
        moved(street_canyon(), shift),
        spec,
        camera_at=shift + [-55, -60, 50],
        target=shift + [0, 0, 5],
        transmitters=[
            Transmitter(t.name, tuple(np.array(t.position) + shift), t.power_dbm)
            for t in TRANSMITTERS
        ],
    )
    lit = here.line_of_sight & there.line_of_sight
    assert lit.sum() > 500
    assert (here.line_of_sight == there.line_of_sight).mean() > 0.999
    difference = np.abs(here.path_gain_db - there.path_gain_db)
    assert np.median(difference[lit]) < 0.05
    dark = here.reached & there.reached & ~lit
    total = [10 * np.log10((10 ** (m.path_gain_db[dark] / 10)).sum()) for m in (here, there)]
    assert total[0] == pytest.approx(total[1], abs=0.1)


def test_footprint_and_lattice_agree_where_the_surface_is_smooth():
    spec = RadioSpec(solver="coverage", rays=2_000_000, max_depth=2)
    footprint, _ = trace(street_canyon(), spec)
    lattice, _ = trace(street_canyon(), spec.model_copy(update={"surface": "lattice"}))
    caster, camera, depth, normal = view(street_canyon(), (-55, -60, 50), (0, 0, 5), 64, 48)
    surface = visible_surface(camera, depth, normal, "footprint", caster)
    smooth = np.zeros(depth.size, bool)
    whole = (surface.windows.cell < 0) & (surface.windows.zoom == 1)
    smooth[surface.pixel[whole]] = True
    lit = footprint.line_of_sight & lattice.line_of_sight & smooth.reshape(depth.shape)
    assert lit.sum() > 500
    difference = np.abs(footprint.path_gain_db - lattice.path_gain_db)[lit]
    assert np.median(difference) < 0.05
    assert np.quantile(difference, 0.9) < 1.0


@pytest.mark.parametrize("kind", ["footprint", "lattice"])
def test_a_view_does_not_depend_on_the_views_traced_with_it(kind):
    scene = street_canyon()
    tracer = Tracer(scene, RadioSpec(rays=200_000, max_depth=3, surface=kind))
    places = [((-55, -60, 50), 64, 48), ((40, 3, 20), 48, 64), ((-10, -70, 45), 40, 40)]
    views = []
    for place, width, height in places:
        _, camera, depth, normal = view(scene, place, (0, 0, 5), width, height)
        views.append(View(camera, depth, normal))
    together = tracer.trace_views(views, TRANSMITTERS, seed=5)
    for one, layers in zip(views, together, strict=True):
        alone = tracer.trace(*one, TRANSMITTERS, seed=5)
        assert layers.reached.any()
        for name, array in layers.arrays().items():
            assert np.array_equal(array, alone.arrays()[name], equal_nan=True), name


@pytest.mark.parametrize("diffraction", [pytest.param(False, marks=pytest.mark.slow), True])
def test_random_pixels_of_a_city_against_the_path_solver(diffraction):
    """100 random reached pixels: the label is the mean of point values over the footprint."""
    city = generate(
        CityConfig(
            density="mix", seed=3, size_m=150.0, trees=False, furniture=False, vehicles=False
        )
    )
    scene, camera_at, target = city.to_bundle(), [-75, -70, 60], [10, 10, 5]
    caster, camera, depth, normal = view(scene, camera_at, target, 320, 240, 40.0)
    spec = RadioSpec(rays=8_000_000, max_depth=2, refraction=False, diffraction=diffraction)
    tracer = Tracer(scene, spec, caster=caster)
    flat = np.flatnonzero(np.isfinite(depth).ravel() & (normal.reshape(-1, 3)[:, 2] > 0.99))
    points = camera.back_project(depth).reshape(-1, 3)
    low = flat[points[flat, 2] < 0.2]
    stand = points[low[np.argmin(np.linalg.norm(points[low] - target, axis=1))]]
    transmitter = Transmitter("tx", tuple(stand + [0, 0, 1.6]))
    layers = tracer.trace(camera, depth, normal, [transmitter], seed=1)

    random = np.random.default_rng(0)
    chosen = random.choice(np.flatnonzero(layers.reached[0]), 100, replace=False)
    surface = visible_surface(camera, depth, normal, "footprint", caster)
    quads = np.concatenate([_area_weighted(surface, pixel, random) for pixel in chosen])
    corner = random.random((len(quads), 2, 1))
    a, b, c, d = surface.corners[quads].transpose(1, 0, 2)
    (s, t) = corner.transpose(1, 0, 2)
    points = (1 - s) * (1 - t) * a + s * (1 - t) * b + s * t * c + (1 - s) * t * d
    radio = RadioScene(tracer.bundle, spec, np.zeros(3))
    points += surface.offset_m(radio.centre)[quads, None] * surface.normal[quads]
    radio.set_transmitter(transmitter)
    value = path_solver_gain(radio, points, surface.normal[quads], spec).reshape(-1, _POINTS)
    expected = value.mean(axis=1)
    spread = value.std(axis=1, ddof=1) / np.sqrt(_POINTS)
    gain = 10 ** (layers.path_gain_db[0].ravel()[chosen] / 10)
    stated = gain * (10 ** (layers.standard_error_db[0].ravel()[chosen] / 10) - 1)
    # 2 %: float32 geometry, and the few points a footprint's mean is taken from.
    uncertainty = np.hypot(np.hypot(stated, spread), 0.02 * expected)
    error = gain - expected
    if diffraction:
        # The path solver looks for wedges by shooting rays and misses some of them; what it
        # finds must be in the label.
        error = np.minimum(error, 0.0)
    both = expected > 0
    assert both.sum() >= 90
    assert (np.abs(error[both] / uncertainty[both]) < 2).mean() > 0.9
    assert np.abs(error.sum()) < 3 * np.sqrt((uncertainty**2).sum())
    assert np.abs(np.median(10 * np.log10(gain[both] / expected[both]))) < 0.1


def _area_weighted(surface, pixel, random):
    """Quads of a pixel, drawn in proportion to their area."""
    own = np.flatnonzero(surface.pixel == pixel)
    area = surface.quad_area[own]
    return random.choice(own, _POINTS, p=area / area.sum())


def test_a_view_of_the_sky_gives_empty_layers():
    scene = bundle(ground(10.0))
    layers, depth = trace(scene, RadioSpec(rays=1000), (0, 0, 5), (50, 0, 60))
    assert np.isnan(depth).all()
    assert np.isnan(layers.path_gain_db).all()
    assert not layers.reached.any()


def test_switched_off_mechanisms_bring_nothing():
    base = RadioSpec(rays=100_000, max_depth=2)
    off = {
        "line_of_sight": False,
        "specular_reflection": False,
        "refraction": False,
        "diffraction": False,
    }
    nothing, _ = trace(street_canyon(), base.model_copy(update=off))
    assert not nothing.reached.any()
    assert nothing.line_of_sight.any(), "visibility is a fact of the scene, not a mechanism"
    only_direct, _ = trace(street_canyon(), base.model_copy(update={**off, "line_of_sight": True}))
    assert (only_direct.reached == only_direct.line_of_sight).all()
    with_bends, _ = trace(street_canyon(), base.model_copy(update={**off, "diffraction": True}))
    assert with_bends.reached.sum() > 0


def test_transmitters_are_checked():
    with pytest.raises(InputError, match="no transmitter"):
        trace(street_canyon(), RadioSpec(rays=1000), transmitters=[])
    twins = [Transmitter("a", (0.0, 2.0, 1.6)), Transmitter("a", (9.0, 2.0, 1.6))]
    with pytest.raises(InputError, match="names must differ; given: a, a"):
        trace(street_canyon(), RadioSpec(rays=1000), transmitters=twins)


def test_a_transmitter_inside_a_building_is_refused():
    inside = [Transmitter("mast", (-2.0, 22.0, 5.0))]
    with pytest.raises(InputError, match=r"transmitter 'mast' at \(-2, 22, 5\) is inside object 2"):
        trace(street_canyon(), RadioSpec(rays=1000), transmitters=inside)


def test_a_transmitter_underground_is_refused():
    below = [Transmitter("mole", (-20.0, 2.0, -1.5))]
    with pytest.raises(InputError, match=r"'mole' at .* is 1\.5 m below the ground; raise it"):
        trace(street_canyon(), RadioSpec(rays=1000), transmitters=below)
    deep = [Transmitter("mole", (-65.0, 2.0, -40.0))]  # near the edge: most ways up are free
    with pytest.raises(InputError, match=r"'mole' at .* is 40\.0 m below the ground; raise it"):
        trace(street_canyon(), RadioSpec(rays=1000), transmitters=deep)


def test_diffuse_reflection_needs_a_scattering_coefficient_and_then_matters():
    off = {"line_of_sight": False, "refraction": False, "diffraction": False, "rays": 200_000}
    spec = RadioSpec(max_depth=1, diffuse_reflection=True, **off)
    with pytest.raises(InputError, match=r"no material of the scene scatters; set radio\.scat"):
        Tracer(street_canyon(), spec)
    mirror, _ = trace(street_canyon(), RadioSpec(max_depth=1, **off))
    rough = RadioSpec(max_depth=1, diffuse_reflection=True, scattering_coefficient=0.5, **off)
    diffuse, _ = trace(street_canyon(), rough)
    assert (diffuse.reached & ~mirror.reached).sum() > 100


def test_sinr_survives_a_mast_next_door():
    """Total minus own would cancel: 1 + 1e-12 - 1 loses the interferer."""
    powers = Powers(
        np.array([[1e-2], [1e-16], [3e-16]]),
        np.zeros((3, 1)),
        np.ones((3, 1), bool),
        np.zeros(3, int),
    )
    transmitters = [Transmitter(name, (0.0, 0.0, 9.0), power_dbm=80.0) for name in "abc"]
    spec = RadioSpec(bandwidth_hz=1.0, temperature_k=1.0)
    layers = radio_layers(powers, np.ones((1, 1), bool), transmitters, spec)
    expected = 10 * np.log10(1e-2 / (4e-16 + spec.noise_w / 1e5))
    assert layers.sinr_db[0, 0, 0] == pytest.approx(expected, abs=1e-3)
    assert np.isfinite(layers.sinr_db).all()


def test_more_maps_than_any_memory_holds_are_refused():
    scene = street_canyon()
    caster, camera, depth, normal = view(scene, [0, -12, 10], [0, 0, 2], 320, 240)
    many = [Transmitter(f"tx-{n}", (0.0, 0.0, 30.0 + n)) for n in range(2605)]
    tracer = Tracer(scene, RadioSpec(solver="coverage"), caster=caster)
    with pytest.raises(InputError, match=r"takes some 12 GB of memory; allowed: 2604 transmitters"):
        tracer.trace(camera, depth, normal, many)
