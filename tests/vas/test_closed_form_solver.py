"""The closed-form solver: against images, against counted rays, and as a part of the tracer."""

import itertools

import numpy as np
import pytest

from tests.support import box, bundle, ground, moved, rectangle, street_canyon, view
from vasgen.errors import InputError
from vasgen.layers import MECHANISMS
from vasgen.semantics import SemanticClass
from vasgen.spec import RadioSpec
from vasgen.transmitter import Transmitter
from vasgen.vas import Grid, Tracer, View, trace_topdown
from vasgen.vas.closed_form import path_finder
from vasgen.vas.closed_form.closed_form_solver import ClosedFormSolver
from vasgen.vas.counting.coverage_solver import CoverageSolver
from vasgen.vas.surfaces import crops
from vasgen.vas.surfaces.visible import visible_surface

FAR = np.array([7000.0, -5000.0, 0.0])
BASE = RadioSpec(
    solver="closed-form",
    search_rays=100_000,
    rays=200_000,
    max_depth=3,
    diffraction=False,
)
TRANSMITTERS = [Transmitter("a", (-20.0, 0.0, 5.0)), Transmitter("b", (12.0, 3.0, 1.6))]


def seen(scene, camera_at, target, size=(64, 48)):
    """The surface of a view."""
    caster, camera, depth, normal = view(scene, camera_at, target, *size)
    return visible_surface(camera, depth, normal, "footprint", caster)


def canyon_view(size=(64, 48), camera_at=(-60, -2, 30)):
    return seen(street_canyon(), camera_at, [0, 2, 5], size)


def solve(scene, surfaces, transmitters, spec, seed=0, solver=ClosedFormSolver):
    if solver is CoverageSolver:
        spec = spec.model_copy(update={"rays": 10 * spec.rays})
    found = solver(scene, spec)
    return found.solve(surfaces, transmitters, seed=seed, advance=lambda share: None)


def changed(**changes):
    return BASE.model_copy(update=changes)


def energy_of(powers, surface, mechanism=None):
    gain = powers.gain if mechanism is None else powers.mechanisms[MECHANISMS.index(mechanism)]
    return (gain * surface.pixel_area).sum(axis=-1)


def decibels(ratio):
    return 10 * np.log10(ratio)


# Against closed forms


@pytest.mark.parametrize("shift", [np.zeros(3), FAR])
@pytest.mark.parametrize(("frequency_hz", "size"), [(0.7e9, 24), (3.5e9, 60), (28e9, 24)])
def test_every_pixel_has_the_images_of_two_mirrors(shift, frequency_hz, size):
    """A metal corner over a floor: line of sight, two images, and one of both walls."""
    walls = [
        rectangle("s", [(40, 0, 0), (0, 0, 0), (0, 0, 30), (40, 0, 30)], radio="metal"),
        rectangle("w", [(0, 0, 0), (0, 40, 0), (0, 40, 30), (0, 0, 30)], radio="metal"),
        rectangle("floor", [(1, 1, 0), (12, 1, 0), (12, 12, 0), (1, 12, 0)], radio="concrete"),
    ]
    place = np.array([9.0, 6.0, 5.0])
    scene = moved(bundle(*walls), shift)
    surface = seen(scene, shift + [7, 7, 30], shift + [6, 6, 0], (size, size))
    spec = changed(frequency_hz=frequency_hz, refraction=False, max_depth=2)
    transmitter = Transmitter("tx", tuple(place + shift))
    powers = solve(scene, [surface], [transmitter], spec)[0]
    pixel = np.unique(surface.pixel[surface.normal[:, 2] > 0.5])
    point = surface.sample_points(5) - shift
    share = surface.quad_area / surface.pixel_area[surface.pixel]
    wavelength = 299_792_458.0 / frequency_hz

    def image(sign):
        distance = np.linalg.norm(point - place * sign, axis=-1)
        mean = ((wavelength / (4 * np.pi * distance)) ** 2).mean(axis=1)
        return surface.sum_by_pixel(share * mean)[pixel]

    direct, reflected = powers.mechanisms[[0, MECHANISMS.index("reflection")], 0][:, pixel]
    both = sum(image(sign) for sign in ([1, -1, 1], [-1, 1, 1], [-1, -1, 1]))
    for ours, expected in ((direct, image([1, 1, 1])), (reflected, both)):
        error_db = np.abs(decibels(ours / expected))
        assert np.quantile(error_db, 0.9) < 0.05
        assert error_db.max() < 0.2, "a middle stands for a footprint cut by the floor's border"
    rest = powers.mechanisms[MECHANISMS.index("remainder"), 0][pixel]
    assert rest.sum() < 1e-3 * powers.gain[0, pixel].sum(), "hardly anything remains"
    assert powers.recall[0] > 0.999


def test_the_search_aims_at_what_mirrors_and_not_at_leaves():
    x, y = (4.0 * part.ravel() for part in np.mgrid[-10:10, -10:10])
    leaves = [
        rectangle(
            f"leaf-{number}",
            np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]]) + (*place, 25.0),
            semantic=SemanticClass.VEGETATION,
            radio="concrete",
            instance=number + 10,
        )
        for number, place in enumerate(zip(x, y, strict=True))
    ]
    mirror = box("mirror", (0.1, 0.8, 0.8), (12.0, 0.0, 1.5), radio="metal")
    scene = bundle(ground(60.0), mirror, *leaves)
    surface = seen(scene, (-8, 0, 12), [6, 0, 0], (32, 24))
    transmitter = [Transmitter("a", (-6.0, 0.0, 5.0))]
    few, many = (
        solve(scene, [surface], transmitter, changed(search_rays=rays))[0]
        for rays in (100, 400_000)
    )
    found, there = (energy_of(powers, surface, "reflection")[0] for powers in (few, many))
    assert there > 0
    assert found == pytest.approx(there, rel=0.02)


def test_slabs_lie_on_straight_and_on_reflected_ways():
    """A glass pane between the transmitter and a metal wall: both paths pass it."""
    pane = box("pane", (200, 0.03, 200), (0, 4, 0), radio="glass")
    wall = rectangle("wall", [(60, 20, -60), (-60, 20, -60), (-60, 20, 60), (60, 20, 60)])
    floor = rectangle("floor", [(-6, 6, 0), (6, 6, 0), (6, 12, 0), (-6, 12, 0)], instance=3)
    scene = bundle(pane, wall, floor)
    surface = seen(scene, [0, 8, 15], [0, 9, 0], (32, 24))
    spec = changed(max_depth=5, reflections=1)
    glass = solve(scene, [surface], [Transmitter("tx", (1.0, -6.0, 5.0))], spec)[0]
    bare = solve(bundle(wall, floor), [surface], [Transmitter("tx", (1.0, -6.0, 5.0))], spec)[0]
    pixel = surface.centres.pixel[surface.centres.normal[:, 2] > 0.5]
    for through, without in (("transmission", "line of sight"), ("reflection", "reflection")):
        kept, free = (
            powers.mechanisms[MECHANISMS.index(name), 0, pixel]
            for powers, name in ((glass, through), (bare, without))
        )
        assert (free > 0).all()
        lost = decibels(kept / free)
        assert lost.max() < -0.2
        assert lost.min() > -25
    assert not glass.visible[0, pixel].any()
    assert bare.visible[0, pixel].all()


# Against counted rays


@pytest.mark.parametrize(("reflections", "diffraction"), [(0, False), (1, True), (3, False)])
def test_known_and_counted_paths_add_up_to_the_counted_map(reflections, diffraction):
    surface = canyon_view((96, 72))
    spec = changed(max_depth=6, reflections=reflections, rays=2_000_000, diffraction=diffraction)
    ours = solve(street_canyon(), [surface], TRANSMITTERS[:1], spec)[0]
    theirs = solve(street_canyon(), [surface], TRANSMITTERS[:1], spec, 5, CoverageSolver)[0]
    ratio = energy_of(ours, surface) / energy_of(theirs, surface)
    assert decibels(ratio) == pytest.approx(0, abs=0.03)
    assert ours.gain == pytest.approx(ours.mechanisms.sum(axis=0))
    error = np.sqrt(ours.variance + theirs.variance)[0]
    # What is much weaker than the rest of a pixel is given up.
    counted = (error > 0.01 * theirs.gain[0]) & (theirs.gain[0] > 1e-13)
    assert counted.sum() > 200
    normal = np.abs(ours.gain - theirs.gain)[0][counted] / error[counted]
    assert np.median(normal) < 1.2
    assert np.quantile(normal, 0.9) < 3.0
    both = ours.visible[0] == theirs.visible[0]
    assert both.mean() > 0.99


@pytest.mark.parametrize("reflections", [pytest.param(0, marks=pytest.mark.slow), 2])
def test_the_error_is_that_of_the_remainder(reflections):
    surface = canyon_view()
    spec = changed(max_depth=6, reflections=reflections)
    runs = [solve(street_canyon(), [surface], TRANSMITTERS[:1], spec, seed)[0] for seed in range(8)]
    rest = MECHANISMS.index("remainder")
    known = np.array([np.delete(run.mechanisms[:, 0], rest, axis=0).sum(axis=0) for run in runs])
    area = surface.pixel_area
    # Searches of other seeds miss other small chains.
    assert np.ptp((known * area).sum(axis=1)) < 1e-3 * (known[0] * area).sum()
    gain = np.array([run.mechanisms[rest, 0] for run in runs])
    stated = np.mean([run.variance[0] for run in runs], axis=0)
    ratio = gain.var(axis=0, ddof=1).sum() / stated.sum()
    assert 0.2 < ratio < 1.5


# Switches


@pytest.mark.parametrize(
    ("switch", "silent"),
    [
        ("line_of_sight", {"line of sight"}),
        ("specular_reflection", {"reflection", "remainder"}),
        ("refraction", {"transmission"}),
        ("diffraction", {"diffraction"}),
    ],
)
def test_a_mechanism_that_is_off_brings_nothing(switch, silent):
    glass = box("pane", (30, 0.1, 20), (0, 8, 10), radio="glass")
    house = box("house", (12, 8, 7), (8, -12, 3.5), radio="concrete", instance=2)
    scene = bundle(ground(30), glass, house)
    surface = seen(scene, [-22, 24, 30], [0, 4, 0])
    transmitter = [Transmitter("tx", (2.0, -3.0, 5.0))]
    spec = changed(diffraction=True, reflections=1)
    every = solve(scene, [surface], transmitter, spec)[0]
    fewer = solve(scene, [surface], transmitter, spec.model_copy(update={switch: False}))[0]
    for name in MECHANISMS:
        assert energy_of(every, surface, name)[0] > 0, name
        assert (energy_of(fewer, surface, name)[0] > 0) == (name not in silent), name
    assert (fewer.visible == every.visible).all()


def test_without_any_depth_only_the_direct_path_is_left():
    surface = canyon_view()
    spec = changed(max_depth=0, diffraction=True)
    powers = solve(street_canyon(), [surface], TRANSMITTERS[:1], spec)[0]
    assert powers.gain == pytest.approx(powers.mechanisms[0])
    assert powers.gain.max() > 0
    assert (powers.rays == 0).all()


def test_curved_things_leave_their_power_to_the_remainder():
    """A metal drum of narrow facets between two walls: no mirror of it is known."""
    turn = np.linspace(0, 2 * np.pi, 721)
    strips = [
        rectangle(
            f"strip-{i}",
            [
                (3 * np.cos(a), 3 * np.sin(a), 0),
                (3 * np.cos(b), 3 * np.sin(b), 0),
                (3 * np.cos(b), 3 * np.sin(b), 8),
                (3 * np.cos(a), 3 * np.sin(a), 8),
            ],
            radio="metal",
            instance=2 + i,
        )
        for i, (a, b) in enumerate(itertools.pairwise(turn))
    ]
    scene = bundle(ground(25), *strips)
    surface = seen(scene, [-18, -18, 20], [0, -4, 0])
    spec = changed(max_depth=2, reflections=2, rays=2_000_000)
    transmitter = [Transmitter("tx", (2.0, -12.0, 3.0))]
    powers = solve(scene, [surface], transmitter, spec)[0]
    counted = solve(scene, [surface], transmitter, spec, 3, CoverageSolver)[0]
    on_floor = surface.centres.pixel[surface.centres.normal[:, 2] > 0.5]
    reflected, rest = powers.mechanisms[[MECHANISMS.index(m) for m in ("reflection", "remainder")]]
    assert reflected[0, on_floor].max() == 0
    assert rest[0, on_floor].max() > 0
    ratio = energy_of(powers, surface)[0] / energy_of(counted, surface)[0]
    assert decibels(ratio) == pytest.approx(0, abs=0.05)


# Effort


def test_rays_stop_once_the_remainder_is_known_well_enough():
    surface = canyon_view()
    spec = changed(max_depth=6, rays=50_000_000, target_db=0.2)
    powers = solve(street_canyon(), [surface], TRANSMITTERS[:1], spec)[0]
    assert powers.rays[0] == 250_000


@pytest.mark.parametrize("strongest", [0, 3])
def test_statistics_and_paths_come_for_every_transmitter(strongest):
    surface = canyon_view((32, 24))
    spec = changed(strongest_paths=strongest, store_paths=strongest > 0)
    powers = solve(street_canyon(), [surface], TRANSMITTERS, spec)[0]
    assert powers.statistics["num_paths"].shape == (2, surface.num_pixels)
    assert ("path_delay_s" in powers.statistics) == (strongest > 0)
    assert len(powers.paths) == (2 if strongest else 0)
    for paths, gain in zip(powers.paths, powers.gain - powers.mechanisms[-1], strict=False):
        weight = np.bincount(paths.points.pixel, paths.points.weight, surface.num_pixels)
        assert weight[surface.centres.pixel] == pytest.approx(1)
        heard = np.unique(paths.points.pixel[paths.point])
        assert (heard == np.flatnonzero(gain > 0)).all()


def test_more_chains_than_fit_the_memory_are_refused(monkeypatch):
    monkeypatch.setattr(path_finder, "_MOST_BYTES", 100_000)
    with pytest.raises(InputError, match=r"radio\.reflections is 3: .* GB.*Lower radio\.refl"):
        solve(street_canyon(), [canyon_view()], TRANSMITTERS, BASE)
    solve(street_canyon(), [canyon_view()], TRANSMITTERS, changed(reflections=0))


# Views, transmitters, seeds


@pytest.mark.parametrize("target_db", [None, 0.3])
def test_a_map_depends_on_no_other_view_or_transmitter(target_db):
    one, other = canyon_view((48, 36)), canyon_view((40, 30), (60, 4, 25))
    sky = seen(street_canyon(), [0, 0, 80], [0, 20, 140], (16, 12))
    spec = changed(max_depth=5, diffraction=True, target_db=target_db)
    together = solve(street_canyon(), [one, sky, other], TRANSMITTERS, spec)
    alone = solve(street_canyon(), [other], TRANSMITTERS[1:], spec)[0]
    for part in ("gain", "variance", "visible", "recall"):
        ours, theirs = (np.asarray(getattr(p, part), np.float32) for p in (together[2], alone))
        assert ours[1:].tobytes() == theirs.tobytes(), part
    assert together[1].gain.max() == 0
    assert together[1].statistics.keys() == together[0].statistics.keys()
    for name, values in together[1].statistics.items():
        assert values.shape[:2] == (2, sky.num_pixels), name


@pytest.mark.parametrize("changes", [{"reflections": 0}, {"specular_reflection": False}])
def test_where_no_mirror_was_sought_none_is_missed(changes):
    spec = changed(max_depth=3, **changes)
    powers = solve(street_canyon(), [canyon_view((48, 36))], TRANSMITTERS[:1], spec)[0]
    assert powers.recall.tolist() == [1.0]


@pytest.mark.parametrize("line_of_sight", [True, False])
def test_the_sight_of_a_transmitter_does_not_depend_on_what_counts(line_of_sight):
    block = box("block", (6, 6, 12), (0, 0, 6), radio="metal")
    scene = bundle(block, ground(40))
    views = [seen(scene, [30, -30, 40], [0, 0, 0], (72, 54))]
    transmitter = [Transmitter("a", (-14.0, 9.0, 8.0))]
    every = solve(scene, views, transmitter, changed())[0]
    fewer = solve(scene, views, transmitter, changed(line_of_sight=line_of_sight))[0]
    assert (fewer.visible == every.visible).all()
    lit = every.visible[0] & (every.mechanisms[0, 0] > 0)
    assert (fewer.mechanisms[0, 0][lit] > 0).all() == line_of_sight


def test_the_map_is_the_same_far_away():
    scene, shift = street_canyon(), FAR
    spec = changed(diffraction=True)
    here = solve(scene, [canyon_view()], TRANSMITTERS[:1], spec)[0].gain[0]
    surface = seen(moved(scene, shift), shift + [-60, -2, 30], shift + [0, 2, 5])
    place = tuple(shift + TRANSMITTERS[0].position)
    there = solve(moved(scene, shift), [surface], [Transmitter("a", place)], spec)[0].gain[0]
    lit = (here > 1e-13) & (there > 1e-13)
    assert lit.mean() > 0.5
    assert np.quantile(np.abs(decibels(here[lit] / there[lit])), 0.99) < 0.1


# In the tracer


def traced(spec, kind="footprint"):
    caster, camera, depth, normal = view(street_canyon(), [-60, -2, 30], [0, 2, 5], 24, 18)
    tracer = Tracer(street_canyon(), spec.model_copy(update={"surface": kind}), caster=caster)
    return tracer.trace_views([View(camera, depth, normal)], TRANSMITTERS)[0]


def test_auto_is_closed_form_for_footprints_and_coverage_for_all_else():
    spec = changed(solver="auto")
    assert traced(spec).mechanism_gain_db is not None
    assert traced(spec, "lattice").mechanism_gain_db is None
    flat = trace_topdown(street_canyon(), spec, TRANSMITTERS, Grid(size=8, cell_m=4.0))
    assert flat.radio.mechanism_gain_db is None
    assert flat.radio.reached.any()


def test_closed_form_refuses_what_has_no_pixels():
    for call in (
        lambda: traced(BASE, "lattice"),
        lambda: trace_topdown(street_canyon(), BASE, TRANSMITTERS, Grid(size=8, cell_m=4.0)),
    ):
        with pytest.raises(InputError, match=r"radio\.solver is closed-form.*auto or coverage"):
            call()


def test_layers_of_both_solvers_mean_the_same():
    ours, theirs = traced(changed(max_depth=1)), traced(changed(max_depth=1, solver="coverage"))
    assert (np.isnan(ours.path_gain_db) == np.isnan(theirs.path_gain_db)).all()
    both = ours.reached & theirs.reached
    assert np.abs(np.median((ours.path_gain_db - theirs.path_gain_db)[both])) < 0.05
    power = 10 ** (ours.mechanism_gain_db.astype(float) / 10)
    known = ours.reached
    assert decibels(power.sum(axis=0))[known] == pytest.approx(ours.path_gain_db[known], abs=1e-3)


def test_a_large_image_in_crops_is_the_image_whole(monkeypatch):
    surface = canyon_view((64, 48))
    spec = changed(max_depth=5, diffraction=True, store_paths=True, strongest_paths=2)
    whole = solve(street_canyon(), [surface], TRANSMITTERS, spec)[0]
    monkeypatch.setattr(crops, "_ROWS", 20)
    monkeypatch.setattr(crops, "_COLUMNS", 40)
    parts = crops.crops_of(surface)
    assert [part.surface.shape for part in parts] == [(16, 32)] * 6
    camera = parts[3].surface.windows.camera
    assert camera.rays()[2, 5] == pytest.approx(surface.windows.camera.rays()[18, 37])
    cut = solve(street_canyon(), [surface], TRANSMITTERS, spec)[0]
    assert (cut.visible == whole.visible).all()
    some, every = (powers.mechanisms[:-1].sum(axis=0) for powers in (cut, whole))
    both = (some > 1e-12) & (every > 1e-12)
    assert both.mean() > 0.5
    # Several points stand for a pixel beside which the gain bends: not so at the cuts.
    error_db = np.abs(decibels(some[both] / every[both]))
    assert np.quantile(error_db, 0.9) < 0.01
    assert np.quantile(error_db, 0.99) < 0.5
    assert [len(p.points) for p in cut.paths] == pytest.approx(
        [len(p.points) for p in whole.paths], rel=0.05
    )
    for paths in cut.paths:
        assert (np.diff(paths.points.pixel) >= 0).all()
        weight = np.bincount(paths.points.pixel, paths.points.weight, surface.num_pixels)
        assert weight[surface.centres.pixel] == pytest.approx(1)
    same = cut.statistics["num_paths"] == whole.statistics["num_paths"]
    assert same.mean() > 0.9
