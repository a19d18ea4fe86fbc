"""The closed-form solver beside the coverage solver, at equal error; and where its time goes."""

from __future__ import annotations

import functools
import time
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from benchmarks import converged, radio_cost
from benchmarks.clock import Row
from benchmarks.converged import Array, Levels, Mask, Truth, remainder_of, rmse_db, run, tracer_of
from benchmarks.parts import PARTS, REST, parts_timed, rays_counted
from benchmarks.radio import Case
from vasgen.spec import RadioSpec
from vasgen.vas import Tracer
from vasgen.vas.scene.radio_scene import RadioScene

#: Efforts of the closed-form solver: rays that look for chains, and that count the remainder.
_EFFORTS = (
    (300_000, 300_000),
    (1_000_000, 1_000_000),
    (1_000_000, 4_000_000),
    (1_000_000, 16_000_000),
    (1_000_000, 64_000_000),
)

#: Rays of the coverage solver.
_RAYS = (1_000_000, 4_000_000, 16_000_000)

#: Errors that are asked for, dB, in the order of :class:`Errors`.
LIMITS_DB = (0.5, 1.5, 1.5, 1.5)

#: Shadow above this is bright, dB.
_BRIGHT_DB = -110.0

#: One map with everything on.
_FULL = RadioSpec(solver="closed-form", rays=1_000_000)

_VIEWS = 3
_STRONGEST = 8


class Errors(NamedTuple):
    """RMSE, dB.

    Attributes:
        lit: of known pixels in line of sight.
        shadow: of known pixels in shadow.
        bright: of all pixels in bright shadow.
        deep: of all pixels in shadow above the noise.
    """

    lit: float
    shadow: float
    bright: float
    deep: float


_WHAT = (
    "known, lit",
    "known, shadowed",
    f"shadow above {_BRIGHT_DB:g} dB",
    "all shadow above the noise",
)


class Measured(NamedTuple):
    """One solver at one effort.

    Attributes:
        effort: in words.
        rays: that were counted.
        seconds: from what the camera sees to labels.
        errors: of the map.
        levels: the map.
        remainder: (H, W) what of it was counted, linear.
    """

    effort: str
    rays: int
    seconds: float
    errors: Errors
    levels: Levels
    remainder: Array


def measure() -> list[Row]:
    """Time at equal error; one map and its parts; what path statistics cost."""
    case = converged.make_case()
    return [*_comparison(), *_one_map(case), *_path_layers(case)]


@functools.cache
def measured() -> tuple[list[Measured], list[Measured]]:
    """The closed-form solver at several efforts, then the coverage solver."""
    case, truth = converged.make_case(), converged.truth()
    ours = [_ours(case, truth, *effort) for effort in _EFFORTS]
    return ours, [*(theirs(case, truth, rays) for rays in _RAYS), _most(truth)]


def _comparison() -> list[Row]:
    truth = converged.truth()
    ours, peers = measured()
    rows = [*_about(truth)]
    rows += [Row(f"  {one.effort}", f"{one.seconds:.1f} s", note=_told(one)) for one in ours]
    rows += [Row(f"  {one.effort}", "", f"{one.seconds:.1f} s", _told(one)) for one in peers]
    rows += [_ratio(column, ours, peers) for column in range(len(_WHAT))]
    return [*rows, *_regions(ours[-1].levels, truth), *_origins(ours, truth)]


def _ours(case: Case, truth: Truth, search_rays: int, rays: int) -> Measured:
    tracer = tracer_of(case, solver="closed-form", search_rays=search_rays, rays=rays)
    layers, levels = run(tracer, case)
    effort = f"closed form: {search_rays / 1e6:g} M search rays, {rays / 1e6:g} M counted"
    errors = _errors(levels, truth)
    return Measured(effort, rays, levels.seconds, errors, levels, remainder_of(layers))


def theirs(case: Case, truth: Truth, rays: int) -> Measured:
    """The coverage solver with so many rays."""
    layers, levels = run(tracer_of(case, solver="coverage", rays=rays), case)
    effort = f"coverage: {rays / 1e6:.3g} M rays"
    errors = _errors(levels, truth)
    return Measured(effort, rays, levels.seconds, errors, levels, remainder_of(layers))


def _most(truth: Truth) -> Measured:
    """The counted map itself: where it does not know, it errs as a map of so many rays does."""
    effort, nowhere = f"coverage: {truth.rays / 1e6:.3g} M rays", float("nan")
    errors = _errors(truth.counted, truth)._replace(lit=nowhere, shadow=nowhere)
    remainder = 10 ** (truth.counted.level_db / 10)
    return Measured(effort, truth.rays, truth.counted.seconds, errors, truth.counted, remainder)


def _errors(levels: Levels, truth: Truth) -> Errors:
    known, counted = truth.known, truth.counted.level_db
    closed = truth.closed.level_db
    return Errors(
        rmse_db(levels.level_db, counted, known & truth.lit),
        rmse_db(levels.level_db, counted, known & truth.shadow),
        rmse_db(levels.level_db, closed, truth.shadow & (closed > _BRIGHT_DB)),
        rmse_db(levels.level_db, closed, truth.shadow),
    )


def _told(one: Measured) -> str:
    return "RMSE " + ", ".join("-" if np.isnan(e) else f"{e:.2f} dB" for e in one.errors)


def _about(truth: Truth) -> list[Row]:
    """What is held for true, and how well."""
    known, counted, closed = truth.known, truth.counted, truth.closed
    reached = truth.shadow & (counted.level_db > converged.NOISE_DB)
    own = [float(np.sqrt(np.mean(counted.error_db[known & w] ** 2))) for w in _parts(truth)]
    apart = [rmse_db(closed.level_db, counted.level_db, known & w) for w in _parts(truth)]
    return [
        Row(
            f"counted map, {truth.rays / 1e6:g} M rays",
            "",
            f"{counted.seconds:.0f} s",
            f"knows (standard error < {converged.KNOWN_DB:g} dB) {(known & truth.lit).sum()} of "
            f"{truth.lit.sum()} lit pixels and {(known & truth.shadow).sum()} of {reached.sum()} "
            f"shadowed ones that it reaches; its own error there {own[0]:.2f}, {own[1]:.2f} dB",
        ),
        Row(
            "  total power in shadow, closed form over counted",
            f"{_power_db(closed, truth.shadow) - _power_db(counted, truth.shadow):+.2f} dB",
        ),
        Row(
            "closed form with much effort",
            f"{closed.seconds:.0f} s",
            note=f"{truth.shadow.sum()} shadowed pixels above {converged.NOISE_DB:.0f} dB, "
            f"{(truth.shadow & (closed.level_db > _BRIGHT_DB)).sum()} above {_BRIGHT_DB:g} dB; "
            f"RMSE to the counted map {apart[0]:.2f} dB in known lit, {apart[1]:.2f} dB in known "
            "shadowed pixels",
        ),
        Row("RMSE in the following: " + "; ".join(_WHAT), ""),
    ]


def _power_db(levels: Levels, where: Mask) -> float:
    """Power of some pixels together, dB."""
    return float(10 * np.log10(np.sum(10 ** (levels.level_db[where] / 10))))


def _parts(truth: Truth) -> tuple[Mask, Mask]:
    return truth.lit, truth.shadow


def _ratio(column: int, ours: Sequence[Measured], peers: Sequence[Measured]) -> Row:
    """Seconds of both to the error asked for, or to ours if we do not come down to it."""
    good = [one for one in ours if one.errors[column] <= LIMITS_DB[column]]
    chosen = good[0] if good else min(ours, key=lambda one: one.errors[column])
    limit = LIMITS_DB[column] if good else chosen.errors[column]
    rays, how = _rays_for(limit, column, peers)
    slope, fixed = seconds_law(peers)
    needed = float(fixed + slope * rays)
    return Row(
        f"  {limit:.2f} dB RMSE, {_WHAT[column]}",
        f"{chosen.seconds:.1f} s",
        f"{needed:.0f} s",
        f"{needed / chosen.seconds:.0f} x: coverage needs {rays / 1e6:.3g} M rays, {how}"
        + ("" if good else f"; {LIMITS_DB[column]:g} dB is not reached"),
    )


def seconds_law(peers: Sequence[Measured]) -> tuple[float, float]:
    """Seconds a ray, and those that all maps take."""
    slope, fixed = np.polyfit([one.rays for one in peers], [one.seconds for one in peers], 1)
    return float(slope), float(fixed)


def _rays_for(limit: float, column: int, peers: Sequence[Measured]) -> tuple[float, str]:
    """Rays at which the coverage solver's error is this, and how that was found.

    Between measurements by a power law; beyond them by 1 / sqrt(rays) from the nearest.
    """
    told = [one for one in peers if np.isfinite(one.errors[column])]
    errors = [one.errors[column] for one in told]
    rays = [float(one.rays) for one in told]
    if limit < errors[-1]:
        return rays[-1] * (errors[-1] / limit) ** 2, "extrapolated by 1/sqrt(rays)"
    if limit > errors[0]:
        return rays[0] * (errors[0] / limit) ** 2, "fewer than measured, by 1/sqrt(rays)"
    logs = np.interp(np.log(limit), np.log(errors[::-1]), np.log(rays[::-1]))
    return float(np.exp(logs)), "between those measured"


def _regions(ours: Levels, truth: Truth) -> list[Row]:
    """Our error at borders and inside, of known pixels."""
    difference, border = ours.level_db - truth.counted.level_db, truth.border
    every = float(np.sum(difference[truth.known & (truth.lit | truth.shadow)] ** 2))
    rows = []
    for kind, where in zip(("lit", "shadowed"), _parts(truth), strict=True):
        for place, some in (("inside", ~border), ("at borders", border)):
            chosen = truth.known & where & some
            part = difference[chosen]
            rows.append(
                Row(
                    f"  our error, known, {kind}, {place}",
                    f"{rmse_db(ours.level_db, truth.counted.level_db, chosen):.2f} dB",
                    note=f"{chosen.sum()} pixels, mean {part.mean() if len(part) else 0:+.2f} dB, "
                    f"{np.sum(part**2) / every:.0%} of all squares",
                )
            )
    return rows


def _origins(ours: Sequence[Measured], truth: Truth) -> list[Row]:
    """How much of our error in shadow comes from paths, and how much from the remainder."""
    rows = []
    true = truth.closed.level_db
    known = 10 ** (true / 10) - truth.remainder
    for name, where in (
        (f"shadow above {_BRIGHT_DB:g} dB", truth.shadow & (true > _BRIGHT_DB)),
        ("all shadow", truth.shadow),
    ):
        for one in ours:
            paths = 10 ** (one.levels.level_db / 10) - one.remainder
            lacking = converged.level_db(paths + truth.remainder)
            noisy = converged.level_db(known + one.remainder)
            rows.append(
                Row(
                    f"  {name}, {one.effort}",
                    f"{rmse_db(lacking, true, where):.2f} dB",
                    note=f"from missing paths; {rmse_db(noisy, true, where):.2f} dB from the noise "
                    "of the remainder",
                )
            )
    return rows


def _one_map(case: Case) -> list[Row]:
    """Seconds of one map with diffraction, of its parts, and the rays that they ask for."""
    begin = time.perf_counter()
    tracer = Tracer(case.bundle, _FULL)
    tracer.trace_views(case.views[:1], case.transmitters[:1])
    scene = time.perf_counter() - begin
    first, parts = _timed(tracer, case, 1)
    several, more = _timed(tracer, case, _VIEWS)
    further = (several - first) / (_VIEWS - 1)
    with parts_timed() as work, rays_counted(work) as counted:
        # Its own tracer: kernels hold the scene that they were recorded with.
        Tracer(case.bundle, _FULL).trace_views(case.views[:1], case.transmitters[:1])
        asked = counted()
    rate = _bare_rate(case)
    total = sum(asked.values())
    rows = [
        Row(
            f"one map, R = {_FULL.reflections}, diffraction, {_FULL.rays / 1e6:g} M counted rays",
            f"{first:.2f} s",
            note=f"target 3 s; {scene:.1f} s the first time, with the scene and all kernels",
        ),
        Row("  each further view of that transmitter", f"{further:.2f} s", note="target 1 s"),
        Row(
            "  floor: the rays alone",
            f"{total / rate:.2f} s",
            note=f"{total / 1e6:.1f} M segments at {rate / 1e6:.1f} M/s, the rate of rays that "
            "only bounce",
        ),
    ]
    for part in (*PARTS, REST):
        each = (more[part] - parts[part]) / (_VIEWS - 1)
        rays = asked.get(part, 0.0)
        rows.append(
            Row(
                f"  {part}",
                f"{parts[part]:.2f} s",
                note=f"{each:.2f} s a further view; {rays / 1e6:.1f} M segments, "
                f"{rays / rate:.2f} s of bare rays",
            )
        )
    return rows


def _timed(tracer: Tracer, case: Case, views: int) -> tuple[float, dict[str, float]]:
    """Least seconds of two runs on so many views, and of its parts."""
    found = []
    for _ in range(2):
        with parts_timed() as parts:
            start = time.perf_counter()
            tracer.trace_views(case.views[:views], case.transmitters[:1])
            seconds = time.perf_counter() - start
        rest = seconds - sum(parts.seconds.values())
        found.append((seconds, {**parts.seconds, REST: rest}))
    return min(found, key=lambda one: one[0])


def _bare_rate(case: Case) -> float:
    """Intersections a second of rays that do nothing but bounce through the same scene."""
    radio = RadioScene(case.bundle, converged.SPEC, np.zeros(3))
    radio.set_transmitter(case.transmitters[0])
    seconds, segments = radio_cost.best(lambda: radio_cost.bounced(radio))
    return segments / seconds


def _path_layers(case: Case) -> list[Row]:
    """What it costs to tell of each pixel's paths."""
    rows = []
    for name, strongest in (
        ("statistics of all paths", 0),
        (f"  and the {_STRONGEST} strongest one by one", _STRONGEST),
    ):
        tracer = Tracer(case.bundle, _FULL.model_copy(update={"strongest_paths": strongest}))
        tracer.trace_views(case.views[:1], case.transmitters[:1])
        seconds, parts = _timed(tracer, case, 1)
        extra = parts["statistics"]
        rows.append(
            Row(
                name,
                f"{extra:.2f} s",
                note=f"{extra / (seconds - extra):.0%} more than the map; target 50 %",
            )
        )
    return rows
