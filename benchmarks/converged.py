"""The case that the two solvers are compared on, and what they should both find there.

The case is a square kilometre of downtown, one transmitter and a view of which it lights a
third: the rest is shadow. Both solvers leave out diffraction, which coverage maps do not count.

Two maps are held for true. One is counted: so many rays that many pixels are *known*, with a
standard error that is small beside the errors that are measured. It owes nothing to the
closed-form solver, but it knows the bright pixels only: rays reach deep shadow by luck. The
other is the closed-form solver's own with far more effort. It covers all shadow, and is held
against the first one where that is known.
"""

from __future__ import annotations

import functools
import time
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from benchmarks.radio import Case, seen
from vasgen.camera import Camera
from vasgen.citygen import CityConfig, generate
from vasgen.layers import RadioLayers
from vasgen.orchestrate import place_transmitters, plan_views
from vasgen.render import Renderer
from vasgen.spec import RadioSpec, RenderSpec, TransmittersSpec, ViewsSpec
from vasgen.vas import Tracer

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

SIZE_M = 1000.0

#: Rays of the counted map: runs with other seeds, and rays of each.
RUNS, RAYS_A_RUN = 8, 25_000_000

#: A pixel is known if its counted label has a smaller standard error, dB.
KNOWN_DB = 0.3

#: Share of the image that the transmitter should light.
_LIT = 1 / 3

#: The closed-form solver's own converged map.
_MUCH = {"search_rays": 20_000_000, "rays": 200_000_000}

#: Neighbours that differ by more than this make a pixel a border, dB.
_BORDER_DB = 3.0

#: Settings of both solvers.
SPEC = RadioSpec(diffraction=False)

#: What a receiver of one megahertz cannot tell from nothing, as path gain, dB: its thermal
#: noise, under a transmitter of 30 dBm. Labels below count as this.
NOISE_DB = float(10 * np.log10(SPEC.noise_w))


class Levels(NamedTuple):
    """A map.

    Attributes:
        level_db: (H, W) path gain, at least :data:`NOISE_DB`; that is also where the sky is.
        error_db: (H, W) its standard error; infinite where nothing arrived.
        seconds: it took.
    """

    level_db: Array
    error_db: Array
    seconds: float


class Truth(NamedTuple):
    """What is true of the case.

    Attributes:
        counted: the map of very many rays.
        rays: of it.
        closed: the closed-form solver's own converged map.
        remainder: (H, W) what of that was counted, linear.
        lit: (H, W) line of sight.
        shadow: (H, W) shadowed, and above the noise.
    """

    counted: Levels
    rays: int
    closed: Levels
    remainder: Array
    lit: Mask
    shadow: Mask

    @property
    def known(self) -> Mask:
        """(H, W), where the counted map is known."""
        known: Mask = (self.counted.error_db < KNOWN_DB) & (self.counted.level_db > NOISE_DB)
        return known

    @property
    def border(self) -> Mask:
        """(H, W), pixels beside others of another level: of shadows, mirrors and objects."""
        level = self.closed.level_db
        high, low = ndimage.maximum_filter(level, 3), ndimage.minimum_filter(level, 3)
        border: Mask = high - low > _BORDER_DB
        return border


@functools.cache
def make_case() -> Case:
    """The case; the view to be compared comes first, then others around."""
    case = case_of(SIZE_M)
    return case._replace(transmitters=case.transmitters[:1])


def case_of(size_m: float, num_transmitters: int = 4) -> Case:
    """Views of a downtown, and transmitters: the pair that is compared comes first."""
    bundle = generate(CityConfig(size_m=size_m)).to_bundle()
    transmitters = place_transmitters(bundle, TransmittersSpec(count=num_transmitters))
    cameras: list[Camera] = plan_views(bundle, ViewsSpec(), 0, transmitters=transmitters)
    renderer = Renderer(bundle, RenderSpec())
    views = [seen(renderer, camera) for camera in cameras]
    direct = RadioSpec(
        solver="coverage", specular_reflection=False, refraction=False, diffraction=False
    )
    layers = Tracer(bundle, direct).trace_views(views, transmitters)
    lit = np.array([one.line_of_sight.mean(axis=(1, 2)) for one in layers])
    off = np.abs(lit - _LIT)
    transmitter = off.min(axis=0).argmin()
    nearest = np.argsort(off[:, transmitter])
    first = transmitters.pop(int(transmitter))
    return Case(bundle, [views[number] for number in nearest], [first, *transmitters])


def run(tracer: Tracer, case: Case, seed: int = 0) -> tuple[RadioLayers, Levels]:
    """One transmitter and view: from what the camera sees to labels."""
    start = time.perf_counter()
    layers = tracer.trace_views(case.views[:1], case.transmitters[:1], seed=seed)[0]
    seconds = time.perf_counter() - start
    error = np.where(layers.reached[0], layers.standard_error_db[0], np.inf)
    return layers, Levels(level_db(linear(layers)), error.astype(np.float64), seconds)


def tracer_of(case: Case, **update: object) -> Tracer:
    """A tracer of the case that has its kernels and its scene at hand."""
    tracer = Tracer(case.bundle, SPEC.model_copy(update=update))
    run(tracer, case)
    return tracer


def linear(layers: RadioLayers) -> Array:
    """(H, W) path gain of the first transmitter, linear; zero in the sky."""
    gain = 10 ** (layers.path_gain_db[0].astype(np.float64) / 10)
    return np.where(layers.reached[0], gain, 0.0)


def remainder_of(layers: RadioLayers) -> Array:
    """(H, W) what of it was counted rather than known, linear."""
    mechanisms = layers.mechanism_gain_db
    if mechanisms is None:
        return linear(layers)
    return np.where(layers.reached[0], 10 ** (mechanisms[-1, 0].astype(np.float64) / 10), 0.0)


def level_db(gain: Array) -> Array:
    """(H, W) path gain, dB, at least the noise."""
    level: Array = 10 * np.log10(np.maximum(gain, 10 ** (NOISE_DB / 10)))
    return level


def rmse_db(one: Array, other: Array, where: Mask) -> float:
    """Root mean square difference, dB; NaN of no pixel."""
    if not where.any():
        return float("nan")
    return float(np.sqrt(np.mean((one - other)[where] ** 2)))


@functools.cache
def truth() -> Truth:
    """Both converged maps of the case: some minutes."""
    case = make_case()
    counted = _counted(case)
    much = SPEC.model_copy(update={"solver": "closed-form", **_MUCH})
    layers, closed = run(Tracer(case.bundle, much), case, seed=1)
    valid = np.isfinite(layers.path_gain_db[0])
    lit = layers.line_of_sight[0] & valid
    shadow = valid & ~lit & (closed.level_db > NOISE_DB)
    return Truth(counted, RUNS * RAYS_A_RUN, closed, remainder_of(layers), lit, shadow)


def _counted(case: Case) -> Levels:
    """Mean of several runs of the coverage solver."""
    tracer = Tracer(case.bundle, SPEC.model_copy(update={"solver": "coverage", "rays": RAYS_A_RUN}))
    gains, variances, seconds = [], [], 0.0
    for seed in range(RUNS):
        layers, levels = run(tracer, case, seed=100 + seed)
        gain = linear(layers)
        share = np.where(gain > 0, 10 ** (levels.error_db / 10) - 1, 0.0)
        gains.append(gain)
        variances.append((share * gain) ** 2)
        seconds += levels.seconds
    mean, squares = np.mean(gains, axis=0), np.mean(variances, axis=0) / RUNS
    with np.errstate(divide="ignore", invalid="ignore"):
        error = 10 * np.log10(1 + np.sqrt(squares) / mean)
    return Levels(level_db(mean), np.where(mean > 0, error, np.inf), seconds)
