"""Radio layers of downtown views beside the plain loop, and what they cost.

Both are compared at equal error: that of the known pixels of a view against a converged map of
the same method. So no systematic difference is held against the plain loop (it counts the
reflection of the surface itself).
"""

from __future__ import annotations

import time
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks import radio_cost
from benchmarks.clock import Row
from benchmarks.plain import plain_map
from benchmarks.render import downtown
from vasgen.bundle import SceneBundle
from vasgen.camera import Camera
from vasgen.layers import RadioLayers
from vasgen.orchestrate import place_transmitters, plan_views
from vasgen.raycast import RayCaster
from vasgen.render import Renderer
from vasgen.spec import RadioSpec, RenderSpec, TransmittersSpec, ViewsSpec
from vasgen.transmitter import Transmitter
from vasgen.vas import Tracer, View
from vasgen.vas.surfaces.visible import visible_surface

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

_VIEWS, _TRANSMITTERS = 6, 4
_RAYS = 4_000_000
_CONVERGED = 24_000_000
_PLAIN_RAYS = (1_000_000, 4_000_000)
_COMPARED = 2  # views on which errors are measured

#: A pixel is known if its converged label has a smaller standard error, dB.
_KNOWN_DB = 0.5


class Case(NamedTuple):
    """Views of a scene, and transmitters."""

    bundle: SceneBundle
    views: list[View]
    transmitters: list[Transmitter]


class _Errors(NamedTuple):
    """Median |error| of known pixels, dB: all, in line of sight, in shadow."""

    all: float
    lit: float
    shadow: float


class _Plain(NamedTuple):
    """The plain loop on the compared views.

    Attributes:
        errors: (len(_PLAIN_RAYS), 3) as of :class:`_Errors`.
        seconds: (len(_PLAIN_RAYS),) a view and transmitter.
    """

    errors: Array
    seconds: Array

    def rays_for(self, error: float, column: int) -> float:
        """Rays at which its error is this: error ~ rays^p through what was measured."""
        slope, level = np.polyfit(np.log(_PLAIN_RAYS), np.log(self.errors[:, column]), 1)
        return float(np.exp((np.log(error) - level) / slope))

    def seconds_for(self, rays: float) -> float:
        """Seconds of the whole loop: a fixed part and one in proportion to the rays."""
        slope, fixed = np.polyfit(_PLAIN_RAYS, self.seconds, 1)
        return float(_VIEWS * _TRANSMITTERS * (fixed + slope * rays))


def measure() -> list[Row]:
    """Time at equal error, then what pixels, views, transmitters, … cost."""
    case = make_case(_VIEWS, _TRANSMITTERS)
    return _comparison(case) + radio_cost.measure(case.bundle, case.views, case.transmitters)


def make_case(num_views: int, num_transmitters: int) -> Case:
    """Planned views of downtown, 640 x 480, and transmitters on the ground."""
    bundle, _ = downtown()
    transmitters = place_transmitters(bundle, TransmittersSpec(count=num_transmitters))
    cameras = plan_views(bundle, ViewsSpec(count=num_views), 0, transmitters=transmitters)
    renderer = Renderer(bundle, RenderSpec())
    return Case(bundle, [seen(renderer, camera) for camera in cameras], transmitters)


def seen(renderer: Renderer, camera: Camera) -> View:
    """What a camera sees."""
    image = renderer.layers(camera, rgb=False)
    return View(camera, image.depth, image.normal)


def _comparison(case: Case) -> list[Row]:
    spec = RadioSpec(rays=_RAYS, diffraction=False, solver="coverage")
    _traced(case, spec.model_copy(update={"rays": 10_000}))  # compiles the kernels
    ours, seconds = _traced(case, spec)
    _, with_diffraction = _traced(case, spec.model_copy(update={"diffraction": True}))
    # The transmitter in line of sight of most pixels, and the views that know most of both kinds.
    number = int(np.argmax(sum(layers.line_of_sight.sum(axis=(1, 2)) for layers in ours)))
    alone = case._replace(transmitters=[case.transmitters[number]])
    converged, _ = _traced(alone, spec.model_copy(update={"rays": _CONVERGED}))
    known = [_known(layers) for layers in converged]
    lit = [layers.line_of_sight[0] for layers in converged]
    both = [min((k & part).sum(), (k & ~part).sum()) for k, part in zip(known, lit, strict=True)]
    views = np.argsort(both)[: -_COMPARED - 1 : -1].tolist()
    errors = [
        _errors(ours[v].path_gain_db[number], converged[v].path_gain_db[0], known[v], lit[v])
        for v in views
    ]
    plain = _plain(alone, spec, views, known, lit)
    return _table(seconds, with_diffraction, _mean_errors(errors), plain)


def _traced(case: Case, spec: RadioSpec) -> tuple[list[RadioLayers], float]:
    """Layers of all views, and seconds: from the scene to labels, nothing kept."""
    start = time.perf_counter()
    found = Tracer(case.bundle, spec).trace_views(case.views, case.transmitters)
    return found, time.perf_counter() - start


def _known(layers: RadioLayers) -> Mask:
    with np.errstate(invalid="ignore"):
        known: Mask = layers.reached[0] & (layers.standard_error_db[0] < _KNOWN_DB)
    return known


def _errors(gain_db: NDArray[np.floating], truth_db: Array, known: Mask, lit: Mask) -> _Errors:
    """Errors of one map; a pixel that was not reached counts as far off."""
    error = np.abs(gain_db - truth_db)
    return _Errors(*(float(np.median(error[known & part])) for part in (known, lit, ~lit)))


def _mean_errors(errors: list[_Errors]) -> _Errors:
    return _Errors(*np.mean(errors, axis=0).tolist())


def _plain(
    case: Case, spec: RadioSpec, views: list[int], known: list[Mask], lit: list[Mask]
) -> _Plain:
    """The plain loop on some of the views, against its own converged maps."""
    caster = RayCaster(case.bundle)
    errors, seconds = [], []
    for view in views:
        surface = visible_surface(*case.views[view], "footprint", caster)
        where = case.bundle, spec, surface, case.transmitters[0]
        plain_map(*where, 10_000)  # compiles the kernels
        maps = [plain_map(*where, rays) for rays in (*_PLAIN_RAYS, _CONVERGED)]
        levels = [_decibels(one.gain).reshape(surface.shape) for one in maps]
        mask = known[view] & (levels[-1] > _decibels(np.zeros(1)))
        errors.append([_errors(one, levels[-1], mask, lit[view]) for one in levels[:-1]])
        seconds.append([one.seconds for one in maps[:-1]])
    return _Plain(np.mean(errors, axis=0), np.mean(seconds, axis=0))


def _decibels(gain: Array) -> Array:
    level: Array = 10 * np.log10(np.maximum(gain, 1e-25))
    return level


def _table(seconds: float, full: float, ours: _Errors, plain: _Plain) -> list[Row]:
    rows = [
        Row(
            f"{_VIEWS} views x {_TRANSMITTERS} transmitters, 640 x 480, depth 20",
            f"{seconds:.1f} s",
            note=f"{_RAYS / 1e6:g} M rays a transmitter; no diffraction",
        ),
        Row("  with diffraction", f"{full:.1f} s"),
    ]
    for rays, errors, each in zip(_PLAIN_RAYS, plain.errors, plain.seconds, strict=True):
        rows.append(
            Row(
                f"  plain loop, {rays / 1e6:g} M rays a view and transmitter",
                "",
                f"{each * _VIEWS * _TRANSMITTERS:.0f} s",
                f"{each:.1f} s each, measured on {_COMPARED}; errors (all, lit, shadow) "
                + ", ".join(f"{error:.2f} dB" for error in errors),
            )
        )
    for column, part in enumerate(_Errors._fields):
        rays = plain.rays_for(ours[column], column)
        needed = plain.seconds_for(rays)
        within = min(_PLAIN_RAYS) <= rays <= max(_PLAIN_RAYS)
        rows.append(
            Row(
                f"  median error {ours[column]:.2f} dB of known pixels, {part}",
                f"{seconds:.1f} s",
                f"{needed:.0f} s",
                f"{needed / seconds:.1f} x: the plain loop needs {rays / 1e6:.1f} M rays, "
                + ("between those measured" if within else "extrapolated")
                + ("; target 4 x" if part == "all" else ""),
            )
        )
    return rows
