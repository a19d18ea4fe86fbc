"""Accuracy by request, and whether the stated errors are those that occur."""

import numpy as np
import pytest

from tests.support import street_canyon, view
from vasgen.citygen import CityConfig, generate
from vasgen.datasets.accuracy import accuracies
from vasgen.raycast import RayCaster
from vasgen.spec import RadioSpec
from vasgen.transmitter import Transmitter
from vasgen.vas import Tracer, View
from vasgen.vas.counting.chunks import checkpoints, chunk_sizes
from vasgen.vas.counting.coverage import Audience, trace_coverage
from vasgen.vas.counting.coverage_solver import CoverageSolver
from vasgen.vas.scene.radio_scene import RadioScene
from vasgen.vas.solver import standard_error_db
from vasgen.vas.surfaces.visible import visible_surface

TRANSMITTERS = [Transmitter("a", (-15.0, 2.0, 1.6)), Transmitter("b", (12.0, 3.0, 1.6))]
BUDGET = 1_000_000


@pytest.fixture(scope="module")
def views():
    """A wide view, and a small one that needs fewer rays."""
    made = []
    for place, width, height in [((-55, -60, 50), 96, 72), ((-50, 4, 30), 12, 9)]:
        _, camera, depth, normal = view(street_canyon(), place, (0, 0, 5), width, height)
        made.append(View(camera, depth, normal))
    return made


def trace(views, target_db, *, rays=BUDGET, seed=3, transmitters=TRANSMITTERS):
    spec = RadioSpec(
        solver="coverage", rays=rays, max_depth=3, diffraction=False, target_db=target_db
    )
    layers = Tracer(street_canyon(), spec).trace_views(views, transmitters, seed=seed)
    return layers, spec


@pytest.fixture(scope="module")
def outcome(views):
    """Layers for a target that is the final median error of the wide view, a little relaxed."""
    layers, spec = trace(views, None)
    target = 1.2 * accuracies(layers[0].standard_error_db, layers[0].rays, spec)[0].median_db
    return trace(views, target)


def test_rays_are_shot_until_the_median_error_is_below_the_target(outcome):
    layers, spec = outcome
    found = [accuracies(one.standard_error_db, one.rays, spec) for one in layers]
    assert found[0][0].met
    assert found[0][0].median_db < spec.target_db
    small = found[1][0]
    assert small.met
    assert small.median_db < spec.target_db
    assert small.rays < found[0][0].rays, "the small view must need fewer rays"
    assert small.rays in list(checkpoints(spec))


def test_a_target_out_of_reach_uses_up_the_budget_and_says_so(views):
    layers, spec = trace(views[:1], 1e-3)
    for accuracy in accuracies(layers[0].standard_error_db, layers[0].rays, spec):
        assert accuracy.rays == spec.rays
        assert accuracy.met is False
        assert accuracy.median_db > spec.target_db


def test_a_map_does_not_depend_on_those_that_need_more_rays(views, outcome):
    together, spec = outcome
    assert len(np.unique([one.rays for one in together])) > 1, "some must stop before others"
    for one, layers in zip(views, together, strict=True):
        for row, transmitter in enumerate(TRANSMITTERS):
            (alone,), _ = trace([one], spec.target_db, transmitters=[transmitter])
            for name in ("path_gain_db", "standard_error_db", "rays"):
                part = layers.arrays()[name][row]
                assert np.array_equal(part, alone.arrays()[name][0], equal_nan=True), name


def test_a_larger_budget_leaves_a_map_alone_that_met_its_target(views, outcome):
    together, spec = outcome
    (more,), _ = trace(views[1:], spec.target_db, rays=2 * BUDGET)
    assert together[1].rays[0] < BUDGET
    assert np.array_equal(more.path_gain_db[0], together[1].path_gain_db[0], equal_nan=True)


def test_known_gain_counts_towards_the_target(views):
    """A view lit by a direct path that hides the reflections is known after the first look."""
    spec = RadioSpec(solver="coverage", rays=BUDGET, max_depth=3, target_db=0.05)
    _, radio, audience = _counter(views[1], spec)
    rays = [
        trace_coverage(
            radio, audience, spec, seed=0, line_of_sight=False, known=[np.full(12 * 9, level)]
        )[0].rays
        for level in (0.0, 1.0)
    ]
    assert rays[0] == spec.rays
    assert rays[1] == next(checkpoints(spec))


def test_what_is_known_in_closed_form_needs_no_rays(views):
    spec = RadioSpec(solver="coverage", max_depth=0, target_db=0.5)
    layers = Tracer(street_canyon(), spec).trace_views(views, TRANSMITTERS)
    for one in layers:
        assert (one.rays == 0).all()
        assert all(a.met for a in accuracies(one.standard_error_db, one.rays, spec))


@pytest.mark.parametrize("rays", [1000, 10**6 + 7, 10**9, 10**12])
@pytest.mark.parametrize("target_db", [None, 0.5])
def test_any_number_of_rays_is_split_into_calls_of_bounded_size(rays, target_db):
    spec = RadioSpec(solver="coverage", rays=rays, target_db=target_db, chunks=7)
    before, total, largest, chunks = 0, 0, 0, 0
    for checkpoint in checkpoints(spec):
        for size in chunk_sizes(checkpoint - before, spec):
            total, largest, chunks = total + size, max(largest, size), chunks + 1
        assert total == checkpoint
        before = checkpoint
    assert total == rays
    assert largest <= 8_000_000
    assert chunks >= 7


def test_chunks_of_any_number_agree(views):
    """The same rays in 2, 7 and 60 chunks: the same energy, within its error."""
    base = RadioSpec(solver="coverage", rays=1_000_000, max_depth=3)
    surface, radio, audience = _counter(views[0], base)
    totals, errors = [], []
    for chunks in (2, 7, 60):
        spec = base.model_copy(update={"chunks": chunks})
        coverage = trace_coverage(radio, audience, spec, seed=chunks, line_of_sight=False)[0]
        assert coverage.rays == spec.rays
        totals.append((coverage.gain * surface.pixel_area).sum())
        errors.append(np.sqrt((coverage.variance * surface.pixel_area**2).sum()))
    assert max(errors) < 0.02 * min(totals)
    assert np.ptp(totals) < 4 * np.hypot(errors[0], errors[1])


def _counter(one, spec):
    """Surface, radio scene and audience of a view, with the first transmitter set."""
    surface = visible_surface(*one, "footprint", RayCaster(street_canyon()))
    radio = RadioScene(street_canyon(), spec, np.zeros(3))
    radio.set_transmitter(TRANSMITTERS[0])
    return surface, radio, Audience([surface], radio.centre)


def test_stopping_by_the_error_does_not_bias_the_map(views):
    """Runs that stop at the target have the mean of runs that count a fixed number."""
    spec = RadioSpec(solver="coverage", rays=2_000_000, max_depth=3, diffraction=False)
    _, radio, audience = _counter(views[1], spec)

    def run(spec, seed):
        return trace_coverage(radio, audience, spec, seed=seed, line_of_sight=False)[0]

    def error_db(coverage):
        hit = coverage.gain > 0
        return np.median(10 * np.log10(1 + np.sqrt(coverage.variance[hit]) / coverage.gain[hit]))

    # In as many chunks as the runs that stop there.
    few = spec.model_copy(update={"rays": 500_000, "target_db": 1e-6})
    target = np.median([error_db(run(few, seed)) for seed in range(5)])
    stopped = [run(spec.model_copy(update={"target_db": target}), seed) for seed in range(10, 34)]
    rays = np.array([coverage.rays for coverage in stopped])
    assert len(np.unique(rays)) > 1, "the target must be one that luck decides about"
    sums = np.array([coverage.gain.sum() for coverage in stopped])
    expected = np.mean([run(spec, seed).gain.sum() for seed in range(50, 56)])
    error = sums.std(ddof=1) / np.sqrt(len(sums))
    assert abs(sums.mean() / expected - 1) < 3 * error / expected + 0.005


PLACES = [(10, 10, 0), (-20, -15, 0), (25, -20, 0), (-30, 30, 0)]
BINS = [(0.02, 0.1), (0.1, 0.5), (0.5, 1.0), (1.0, 3.0)]


def _scores(city_seed, rays, runs, reference_rays, diffraction=False):
    """Estimates of a city view against a reference with more rays and another seed.

    Returns:
        (3, N): (estimate - reference) / stated error, stated error in dB, cut by a border or
        not, of all pixels; and for each transmitter the error of the sum over all pixels and
        runs, over its own stated error.
    """
    city = CityConfig(
        density="mix", seed=city_seed, size_m=150.0, trees=False, furniture=False, vehicles=False
    )
    scene, target = generate(city).to_bundle(), np.array([10.0, 10.0, 5.0])
    caster, camera, depth, normal = view(scene, [-75, -70, 60], target, 64, 48)
    spec = RadioSpec(solver="coverage", rays=rays, max_depth=6, diffraction=diffraction)
    surface = visible_surface(camera, depth, normal, "footprint", caster)
    low = surface.quad_centres[(surface.normal[:, 2] > 0.99) & (surface.quad_centres[:, 2] < 0.2)]
    stands = [low[np.argmin(np.linalg.norm(low - near, axis=1))] for near in PLACES]
    transmitters = [
        Transmitter(f"tx-{number}", tuple(stand + [0, 0, 1.6]))
        for number, stand in enumerate(stands)
    ]

    def solve(rays, seed):
        solver = CoverageSolver(scene, spec.model_copy(update={"rays": rays}))
        return solver.solve([surface], transmitters, seed=seed, advance=lambda share: None)[0]

    truth = solve(reference_rays, 999)
    cut = np.isin(np.arange(surface.num_pixels), surface.pixel[surface.windows.cell >= 0])
    rows, power, spread = [], [], []
    for seed in range(runs):
        found = solve(rays, seed)
        some = (found.gain > 1e-25) & (found.variance > 0)
        error = np.sqrt(found.variance + truth.variance)[some]
        score = (found.gain - truth.gain)[some] / error
        stated = standard_error_db(found.gain[some], found.variance[some])
        rows.append(np.stack([score, stated, np.broadcast_to(cut, some.shape)[some]]))
        power.append((found.gain - truth.gain).sum(axis=1))
        spread.append(found.variance.sum(axis=1))
    doubt = np.sqrt(np.mean(spread, axis=0) / runs + truth.variance.sum(axis=1))
    return np.concatenate(rows, axis=1), np.mean(power, axis=0) / doubt


def _check_calibration(parts, low, high):
    score, stated, cut = np.concatenate(parts, axis=1)
    for begin, end in BINS:
        for border in (0, 1):
            some = (stated >= begin) & (stated < end) & (cut == border)
            assert some.sum() > 100, (begin, border)
            square = np.mean(score[some] ** 2)
            assert low < square < high, (begin, border, square, some.sum())
            assert abs(score[some].mean()) < 0.5, (begin, border, score[some].mean())


def test_stated_errors_are_those_that_occur():
    """One city, three runs: mean square of error over stated error, whole and cut pixels."""
    scores, sums = _scores(4, 500_000, 3, 8_000_000)
    _check_calibration([scores], 0.5, 1.6)
    assert np.abs(sums).max() < 4.0


@pytest.mark.slow
@pytest.mark.parametrize("diffraction", [False, True])
def test_stated_errors_are_those_that_occur_in_many_cities(diffraction):
    """Four cities, each six runs, against sixteen times the rays."""
    made = [_scores(seed, 1_000_000, 6, 16_000_000, diffraction) for seed in (3, 4, 5, 6)]
    _check_calibration([scores for scores, _ in made], 0.6, 1.4)
    assert np.abs([sums for _, sums in made]).max() < 4.0
