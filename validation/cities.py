"""Cities: random pixels against an independent solver; both surfaces; honest errors."""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from tests.vas.reference import path_solver_gain
from validation import theory
from validation.case import Case, Check, Outcome, deviation_db
from validation.plot import INK, curve, dress, legend, new_figure, points
from validation.scenes import FAR, ORIGIN, Eye, Map, look, moved, place_name, trace
from vasgen.bundle import SceneBundle
from vasgen.citygen import CityConfig, generate
from vasgen.scenes import open_scene
from vasgen.spec import RadioSpec
from vasgen.transmitter import Transmitter
from vasgen.vas.scene.radio_scene import RadioScene

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

_POINTS = 4  # random points on each footprint that the path solver is asked for

#: Share of a label that float32 geometry and a footprint's few points leave open.
_GEOMETRY = 0.02

#: Share of a hundred pixels that may lie beyond two standard errors, percent: if one in twenty
#: does, one setting in a thousand has more by chance.
_MOST = 13.0

#: Transmitters keep this far from walls, metres.
_CLEAR_M = 2.0

_SPEC = RadioSpec(solver="coverage", max_depth=2, refraction=False, diffraction=False)


class _Place(NamedTuple):
    """A scene, and where its camera stands and looks."""

    scene: SceneBundle
    eye: Eye


@cache
def _place(name: str) -> _Place:
    if name == "munich":
        return _Place(open_scene("sionna:munich"), Eye((-60, -150, 95), (20, 10, 5), 320, 240, 50))
    bare: dict[str, Any] = {"trees": False, "furniture": False, "vehicles": False}
    config = CityConfig(**{"density": name, "seed": 3, "size_m": 150.0, **bare})
    eye = Eye((-75, -70, 60), (10, 10, 5), 320, 240, 40.0)
    return _Place(generate(config).to_bundle(), eye)


def street_transmitter(scene: SceneBundle, eye: Eye) -> Transmitter:
    """1.6 m over the street nearest to what the camera looks at, clear of walls."""
    caster, view = look(scene, eye)
    place = view.camera.back_project(view.depth).reshape(-1, 3)
    upward = np.isfinite(view.depth).ravel() & (view.normal.reshape(-1, 3)[:, 2] > 0.99)
    ground = np.quantile(place[upward, 2], 0.02)
    street = place[upward][place[upward][:, 2] < ground + 0.3]
    order = np.argsort(np.linalg.norm(street - np.asarray(eye.target), axis=1))
    turn = np.arange(16) * np.pi / 8
    around = np.column_stack([np.cos(turn), np.sin(turn), np.zeros(16)])
    for stand in street[order]:
        place = stand + [0, 0, 1.6]
        if (caster.intersect(place, around).distance > _CLEAR_M).all():
            break
    x, y, z = map(float, place)
    return Transmitter("tx", (x, y, z))


def _pixels(short: bool) -> Outcome:
    count = 40 if short else 100
    checks: list[Check] = []
    shown: dict[str, list[_Pair]] = {}
    for setting, name, spec, shift, size in _settings(short):
        scene, eye = _place(name)
        scene, eye = moved(scene, shift), eye.of_size(size).moved(shift)
        transmitter = street_transmitter(scene, eye)
        found = trace(scene, eye, spec, [transmitter], seed=1)
        pair = _against_paths(found, scene, spec, transmitter, count)
        checks += pair.checks(setting)
        shown.setdefault(name, []).append(pair)
    return Outcome(checks, _pixels_figure(shown))


def _settings(short: bool) -> list[tuple[str, str, RadioSpec, Array, float]]:
    """Name, scene, spec, place and size of each run."""
    rays = 4_000_000 if short else 8_000_000
    base = _SPEC.model_copy(update={"rays": rays})
    runs = [("mix", 3.5e9, FAR, 0.5, False)]
    if not short:
        runs = [
            (name, frequency, shift, 1.0, False)
            for name in ("mix", "munich")
            for frequency in (3.5e9, 28e9)
            for shift in (ORIGIN, FAR)
        ]
        for name in ("downtown", "margin"):
            runs += [(name, 3.5e9, ORIGIN, 1.0, False), (name, 28e9, FAR, 1.0, False)]
        runs += [(name, 3.5e9, FAR, size, False) for name in ("mix", "munich") for size in (0.5, 2)]
        runs += [(name, 3.5e9, ORIGIN, 1.0, True) for name in ("downtown", "munich")]
    settings = []
    for name, frequency, shift, size, bends in runs:
        eye = _place(name).eye.of_size(size)
        text = (
            f"{name}, {frequency / 1e9:g} GHz, {eye.width}x{eye.height}, {place_name(shift)}"
            f"{', with diffraction' if bends else ''}"
        )
        spec = base.model_copy(update={"frequency_hz": frequency, "diffraction": bends})
        settings.append((text, name, spec, shift, size))
    return settings


class _Pair(NamedTuple):
    """Random pixels.

    Attributes:
        gain: (N,) of the map.
        expected: (N,) mean of the path solver over points of each footprint.
        uncertainty: (N,) of the difference, linear.
        one_sided: whether only what is missing counts.
    """

    gain: Array
    expected: Array
    uncertainty: Array
    one_sided: bool

    def checks(self, setting: str) -> list[Check]:
        """Normalised deviations, their sum, the median and what is missing."""
        error = self.gain - self.expected
        if self.one_sided:
            error = np.minimum(error, 0.0)
        both = self.expected > 0
        count = int(both.sum())
        normal = np.abs(error[both]) / self.uncertainty[both]
        ratio = deviation_db(self.gain[both], self.expected[both])
        median = float(np.median(np.minimum(ratio, 0.0) if self.one_sided else ratio))
        combined = error.sum() / np.sqrt((self.uncertainty**2).sum())
        return [
            Check(setting, "median", count, median, 0.1),
            Check(setting, "share beyond 2 σ", count, 100 * float((normal > 2).mean()), _MOST, "%"),
            Check(setting, "sum", count, float(combined), 3.0, "σ"),
            Check(setting, "pixels the solver misses", len(both), 100 * (1 - both.mean()), 10, "%"),
        ]


def _against_paths(
    found: Map, scene: SceneBundle, spec: RadioSpec, transmitter: Transmitter, count: int
) -> _Pair:
    """Random reached pixels of a map against the path solver on their footprints."""
    random = np.random.default_rng(0)
    surface = found.surface
    chosen = random.choice(np.flatnonzero(found.gain[0] > 0), count, replace=False)
    quads = np.concatenate([_area_weighted(found, pixel, random) for pixel in chosen])
    s, t = random.random((len(quads), 2, 1)).transpose(1, 0, 2)
    a, b, c, d = surface.corners[quads].transpose(1, 0, 2)
    place = (1 - s) * (1 - t) * a + s * (1 - t) * b + s * t * c + (1 - s) * t * d
    centre = np.round(np.median(surface.quad_centres, axis=0))
    radio = RadioScene(scene, spec, centre)
    radio.set_transmitter(transmitter)
    place = place + surface.offset_m(centre)[quads, None] * surface.normal[quads]
    solve: Any = path_solver_gain
    value: Array = solve(radio, place, surface.normal[quads], spec).reshape(-1, _POINTS)
    expected = value.mean(axis=1)
    spread = value.std(axis=1, ddof=1) / np.sqrt(_POINTS)
    stated = found.error[0][chosen]
    uncertainty = np.sqrt(stated**2 + spread**2 + (_GEOMETRY * expected) ** 2)
    return _Pair(found.gain[0][chosen], expected, uncertainty, spec.diffraction)


def _area_weighted(found: Map, pixel: int, random: np.random.Generator) -> Ints:
    own = np.flatnonzero(found.surface.pixel == pixel)
    area = found.surface.quad_area[own]
    drawn: Ints = random.choice(own, _POINTS, p=area / area.sum())
    return drawn


def _pixels_figure(shown: dict[str, list[_Pair]]) -> Figure:
    figure, (left, right) = new_figure("Random pixels of cities against a path solver", 2)
    normal = []
    low, high = -60.0, -140.0
    for number, (name, pairs) in enumerate(shown.items()):
        plain = [pair for pair in pairs if not pair.one_sided]
        gain, expected, sigma = (np.concatenate([pair[k] for pair in plain]) for k in range(3))
        both = expected > 0
        x, y = theory.decibels(expected[both]), theory.decibels(gain[both])
        points(left, x, y, number, name)
        low, high = min(low, x.min()), max(high, x.max())
        normal.append((gain - expected)[both] / sigma[both])
    curve(left, [low, high], [low, high], 4)
    dress(left, "no diffraction", "path solver, mean of 4 points (dB)", "map (dB)")
    legend(left)
    _bell(right, np.concatenate(normal))
    dress(right, "deviation in its own uncertainty", "deviation (σ)", "density")
    legend(right)
    return figure


def _bell(axes: Axes, normal: Array) -> None:
    """A histogram beside the standard normal density."""
    edges = np.linspace(-4, 4, 41).tolist()
    axes.hist(
        np.clip(normal, -4, 4), edges, density=True, color="#cf9d74", edgecolor="#f7f4ee", lw=0.4
    )
    line = np.linspace(-4, 4, 200)
    axes.plot(
        line, np.exp(-(line**2) / 2) / np.sqrt(2 * np.pi), color=INK, lw=1.3, label="normal law"
    )


# Both surfaces ---------------------------------------------------------------------------


def _surfaces(short: bool) -> Outcome:
    rays = 2_000_000 if short else 10_000_000
    checks: list[Check] = []
    shown = {}
    for name in ("mix",) if short else ("downtown", "mix", "munich"):
        for size in (0.5,) if short else (0.5, 1.0):
            scene, eye = _place(name)
            eye = eye.of_size(size)
            transmitter = street_transmitter(scene, eye)
            spec = RadioSpec(solver="coverage", max_depth=3, rays=rays)
            pair = [
                trace(scene, eye, spec.model_copy(update={"surface": kind}), [transmitter], seed=2)
                for kind in ("footprint", "lattice")
            ]
            footprint, lattice = pair
            smooth = footprint.whole() & (lattice.surface.pixel_area > 0)
            lit = smooth & footprint.visible[0] & lattice.visible[0]
            setting = f"{name}, {eye.width}x{eye.height}"
            error = deviation_db(lattice.gain[0][lit], footprint.gain[0][lit])
            dark = smooth & ~lit & (footprint.gain[0] > 0) & (lattice.gain[0] > 0)
            total = lattice.gain[0][dark].sum() / footprint.gain[0][dark].sum()
            checks += [
                Check(setting, "median, lit", len(error), float(np.median(error)), 0.05),
                _beyond(setting, footprint, lattice, lit),
                Check(
                    setting, "sum, in shadow", int(dark.sum()), float(theory.decibels(total)), 0.5
                ),
            ]
            shown[setting] = (footprint.gain[0][smooth], lattice.gain[0][smooth])
    return Outcome(checks, _surfaces_figure(shown))


def _beyond(setting: str, one: Map, other: Map, pixels: NDArray[np.bool_]) -> Check:
    """Share of pixels that differ by more than two of the difference's standard errors."""
    gain = one.gain[0][pixels]
    sigma = np.hypot(one.error[0][pixels], other.error[0][pixels])
    normal = np.abs(other.gain[0][pixels] - gain) / np.hypot(sigma, 0.05 * gain)
    return Check(
        setting, "share beyond 2 σ, lit", len(gain), 100 * float((normal > 2).mean()), 10.0, "%"
    )


def _surfaces_figure(shown: dict[str, tuple[Array, Array]]) -> Figure:
    figure, (left, right) = new_figure("Lattice against footprints, pixel by pixel", 2)
    random = np.random.default_rng(0)
    for number, (setting, (footprint, lattice)) in enumerate(list(shown.items())[-3:]):
        some = random.permutation(np.flatnonzero((footprint > 0) & (lattice > 0)))[:150]
        points(
            left, theory.decibels(footprint[some]), theory.decibels(lattice[some]), number, setting
        )
        both = (footprint > 0) & (lattice > 0)
        error = np.sort(np.abs(deviation_db(lattice[both], footprint[both])))
        curve(right, error, np.linspace(0, 100, len(error)), number, setting)
    dress(left, "150 random pixels each", "footprints (dB)", "lattice (dB)")
    dress(right, "all pixels of one plane", "deviation (dB)", "share of pixels below (%)")
    right.set_xscale("log")
    right.set_xlim(1e-3, 30)
    legend(left)
    legend(right, loc="upper left")
    return figure


# Calibration -----------------------------------------------------------------------------


def _calibration(short: bool) -> Outcome:
    few = (1_000_000,) if short else (1_000_000, 4_000_000)
    checks: list[Check] = []
    shown = {}
    for name in ("mix",) if short else ("downtown", "mix", "munich"):
        scene, eye = _place(name)
        eye = eye.of_size(0.5)
        transmitter = street_transmitter(scene, eye)
        spec = RadioSpec(solver="coverage", max_depth=4, diffraction=False, refraction=not short)
        best = spec.model_copy(update={"rays": 10 * max(few), "chunks": 10})
        truth = trace(scene, eye, best, [transmitter], seed=100)
        for rays in few:
            found = trace(
                scene, eye, spec.model_copy(update={"rays": rays}), [transmitter], seed=rays
            )
            counted = (found.error[0] > 0) & (truth.gain[0] > 0)
            known = np.hypot(found.error[0], truth.error[0])[counted]
            normal = (found.gain[0] - truth.gain[0])[counted] / known
            setting = f"{name}, {rays / 1e6:g} M rays"
            checks += [
                _share(setting, normal, 2.0, 95.4, 5.0),
                Check(
                    setting,
                    "spread (1 is exact)",
                    len(normal),
                    float(np.quantile(np.abs(normal), 0.683)) - 1.0,
                    0.35,
                    "σ",
                ),
            ]
            shown[setting] = (known / found.gain[0][counted], normal)
    return Outcome(checks, _calibration_figure(shown))


def _share(setting: str, normal: Array, limit: float, expected: float, tolerance: float) -> Check:
    share = 100 * float((np.abs(normal) < limit).mean())
    name = f"share within {limit:g} σ, against {expected:g} %"
    return Check(setting, name, len(normal), share - expected, tolerance, "%")


def _calibration_figure(shown: dict[str, tuple[Array, Array]]) -> Figure:
    figure, (left, right) = new_figure("Stated standard errors against true ones", 2)
    for number, (setting, (stated, normal)) in enumerate(list(shown.items())[:5]):
        order = np.argsort(stated)
        parts = [part for part in np.array_split(order, 12) if len(part) > 30]
        x = np.array([100 * np.sqrt(np.mean(stated[part] ** 2)) for part in parts])
        spread = np.array([np.quantile(np.abs(normal[part]), 0.683) for part in parts])
        points(left, x, x * spread, number, setting)
    limits = np.array([1.0, 100.0])
    curve(left, limits, limits, 4)
    left.set_xscale("log")
    left.set_yscale("log")
    dress(left, "pixels in twelfths by stated error", "stated (%)", "true, 68 % quantile (%)")
    legend(left)
    _bell(right, np.concatenate([normal for _, normal in shown.values()]))
    dress(right, "all counted pixels", "error over stated error", "density")
    legend(right)
    return figure


PIXELS = Case(
    name="cities",
    title="Random pixels of cities",
    what=(
        "The label of a pixel is the mean of Σ|a|² over its footprint. Sionna RT's path solver, "
        "which looks for each path by itself (image method, refined end points), gives Σ|a|² at "
        "points; four random points of each footprint are asked, arrivals from behind left out."
    ),
    setting=(
        "Generated cities of 150 m and Munich of Sionna RT, a transmitter 1.6 m over a street, "
        "two reflections; 100 random pixels among those the map says are reached, each setting."
    ),
    why=(
        "The difference is divided by its own uncertainty: the label's stated standard error, the "
        "spread of the four points and 2 % for float32 geometry. Of a hundred 87 must lie within "
        "two of it (if 95 % do, one setting in a thousand has fewer by chance), the sum within "
        "three, the median within 0.1 dB. With diffraction the path solver finds only wedges that "
        "its rays happen to hit, so nothing it finds may be missing from the label, but the label "
        "may have more."
    ),
    caption="Left: every pixel without diffraction. Right: deviations over their uncertainty.",
    run=_pixels,
)

SURFACES = Case(
    name="surfaces",
    title="Lattice and footprints",
    what=(
        "Two ways to make a receiver of a depth image, a quadrilateral a pixel on its plane and "
        "the triangulation between pixel centres, must agree where the surface is smooth; rays "
        "are counted by projection in one and by intersection in the other."
    ),
    setting="The same views of cities, all mechanisms, three interactions.",
    why=(
        "Lit pixels differ by where in the pixel the mean is taken: 0.05 dB in the median, and "
        "nine in ten within two of their stated standard errors and 5 % for the place. Shadow "
        "pixels are noisy in both, so their sum is compared."
    ),
    caption="Left: pixels. Right: how many deviate by less than so much.",
    run=_surfaces,
)

CALIBRATION = Case(
    name="errors",
    title="The standard error is honest",
    what=(
        "The error of a map is its difference to one with ten times as many rays and another "
        "seed. Divided by the stated standard error (that of the better map included) it should "
        "spread like a normal law: 68 % within one, 95 % within two."
    ),
    setting="Views of cities, four reflections and transmissions, all counted pixels.",
    why=(
        "The lattice of rays is more even than chance, so the stated error is a little too large, "
        "and rare strong hits leave tails: 35 % for the spread, by which 68 % of the errors are "
        "compared, and 5 percentage points within two. An error bar that is wrong by a factor of "
        "1.6 either way would fail."
    ),
    caption="Left: stated against true errors. Right: all errors in units of the stated one.",
    run=_calibration,
)
