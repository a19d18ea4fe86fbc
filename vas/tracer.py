"""The tracer: radio layers of views of one scene."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from vasgen.bundle import SceneBundle
from vasgen.camera import Camera
from vasgen.errors import InputError
from vasgen.inside import check_transmitters
from vasgen.layers import Bool, Float, RadioLayers
from vasgen.raycast import RayCaster
from vasgen.spec import RadioSpec
from vasgen.transmitter import Transmitter
from vasgen.vas.closed_form.closed_form_solver import ClosedFormSolver
from vasgen.vas.counting.coverage_solver import CoverageSolver
from vasgen.vas.link_budget import radio_layers
from vasgen.vas.paths.paths import Paths
from vasgen.vas.scene.materials import check_materials
from vasgen.vas.solver import Advance, Solver
from vasgen.vas.surfaces.surface import ReceiverSurface
from vasgen.vas.surfaces.visible import visible_surface

#: Memory of the layers of one view, bytes.
_MOST_BYTES = 12_000_000_000

#: What each pixel takes of it for each transmitter: layers of any solver, those of mechanisms
#: and paths, each of the strongest paths, and a dozen paths that are kept.
_ANY_BYTES, _PATH_BYTES, _STRONGEST_BYTES, _STORED_BYTES = 60, 100, 100, 100


class View(NamedTuple):
    """What a camera sees.

    Attributes:
        camera: the camera.
        depth: (H, W) float32 z-depth, metres; NaN where there is no surface.
        normal: (H, W, 3) float32 world normals on the visible side.
    """

    camera: Camera
    depth: Float
    normal: Float


class Traced(NamedTuple):
    """What was found for one view.

    Attributes:
        layers: its radio layers.
        paths: of each transmitter, if the spec stores them; else none.
    """

    layers: RadioLayers
    paths: tuple[Paths, ...]


class Tracer:
    """Traces radio onto what cameras see in one scene.

    Args:
        bundle: the scene.
        spec: propagation and effort.
        caster: the same scene for rays, if it is at hand already.

    Raises:
        InputError: if a material is unknown, or cannot be traced as the spec asks.
    """

    def __init__(
        self, bundle: SceneBundle, spec: RadioSpec, *, caster: RayCaster | None = None
    ) -> None:
        check_materials(bundle.radio_materials, spec)
        self.bundle = bundle
        self.spec = spec
        self._caster = caster or RayCaster(bundle)
        self._solvers: dict[str, Solver] = {}

    def trace(
        self,
        camera: Camera,
        depth: Float,
        normal: Float,
        transmitters: Sequence[Transmitter],
        *,
        seed: int = 0,
        advance: Advance = lambda share: None,
    ) -> RadioLayers:
        """Radio layers of one view; arguments and errors as of :meth:`trace_views`."""
        view = View(camera, depth, normal)
        return self.trace_views([view], transmitters, seed=seed, advance=advance)[0]

    def trace_views(
        self,
        views: Sequence[View],
        transmitters: Sequence[Transmitter],
        *,
        seed: int = 0,
        advance: Advance = lambda share: None,
    ) -> list[RadioLayers]:
        """Radio layers of several views; what is not said here as of :meth:`trace_paths`."""
        traced = self.trace_paths(views, transmitters, seed=seed, advance=advance)
        return [one.layers for one in traced]

    def trace_paths(
        self,
        views: Sequence[View],
        transmitters: Sequence[Transmitter],
        *,
        seed: int = 0,
        advance: Advance = lambda share: None,
    ) -> list[Traced]:
        """Radio layers of several views, and the paths that they follow from.

        Neighbouring views share the rays that are shot.

        Args:
            views: cameras, and depth and normals of what they see.
            transmitters: all transmitters; those of one group are on at the same time.
            seed: seed of the estimator. A view's layers do not depend on the other views.
            advance: called with the share of the work done since the last call.

        Raises:
            InputError: if there is no transmitter, two share a name, or one is inside a solid or in
                the earth.
        """
        surfaces = [visible_surface(*view, self.spec.surface, self._caster) for view in views]
        valid = [np.isfinite(view.depth) for view in views]
        return self._trace(surfaces, valid, transmitters, seed, advance)

    def trace_surfaces(
        self,
        surfaces: Sequence[ReceiverSurface],
        valid: Sequence[Bool],
        transmitters: Sequence[Transmitter],
        *,
        seed: int = 0,
        advance: Advance = lambda share: None,
    ) -> list[RadioLayers]:
        """Radio layers of any receivers; what is not said here as of :meth:`trace_paths`.

        Args:
            surfaces: the receivers.
            valid: (H, W) of each, where it has receivers.
        """
        traced = self._trace(surfaces, valid, transmitters, seed, advance)
        return [one.layers for one in traced]

    def _trace(
        self,
        surfaces: Sequence[ReceiverSurface],
        valid: Sequence[Bool],
        transmitters: Sequence[Transmitter],
        seed: int,
        advance: Advance,
    ) -> list[Traced]:
        _check_transmitters(transmitters, self._caster)
        _check_size(surfaces, len(transmitters), self.spec)
        solver = self._solver(surfaces)
        found = solver.solve(surfaces, transmitters, seed=seed, advance=advance)
        return [
            Traced(radio_layers(powers, where, transmitters, self.spec), powers.paths)
            for where, powers in zip(valid, found, strict=True)
        ]

    def _solver(self, surfaces: Sequence[ReceiverSurface]) -> Solver:
        """The solver of the spec; if it may choose, closed form wherever that works."""
        kind = self.spec.solver
        if kind == "auto":
            known = all(surface.windows is not None for surface in surfaces)
            kind = "closed-form" if known else "coverage"
        if kind not in self._solvers:
            make = CoverageSolver if kind == "coverage" else ClosedFormSolver
            self._solvers[kind] = make(self.bundle, self.spec)
        return self._solvers[kind]


def cell_bytes(spec: RadioSpec) -> int:
    """Memory that the layers of a pixel take for each transmitter while they are made, bytes."""
    bytes_ = _ANY_BYTES + (0 if spec.solver == "coverage" else _PATH_BYTES)
    return bytes_ + _STRONGEST_BYTES * spec.strongest_paths + _STORED_BYTES * spec.store_paths


def _check_size(
    surfaces: Sequence[ReceiverSurface], num_transmitters: int, spec: RadioSpec
) -> None:
    """Refuse a view whose layers do not fit any usual memory, before hours are spent on it."""
    pixels = max((surface.num_pixels for surface in surfaces), default=0)
    each = pixels * cell_bytes(spec)
    if each * num_transmitters > _MOST_BYTES:
        raise InputError(
            f"a view of {pixels} pixels for {num_transmitters} transmitters takes some "
            f"{each * num_transmitters / 1e9:.0f} GB of memory; allowed: "
            f"{_MOST_BYTES // each} transmitters of such views. Ask for fewer, or smaller views."
        )


def _check_transmitters(transmitters: Sequence[Transmitter], caster: RayCaster) -> None:
    names = [transmitter.name for transmitter in transmitters]
    if not names:
        raise InputError("no transmitter is given; give at least one.")
    if len(set(names)) < len(names):
        raise InputError(f"transmitter names must differ; given: {', '.join(names)}.")
    check_transmitters(caster, transmitters)
