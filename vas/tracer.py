"""The tracer: radio layers of views of one scene.

Three estimators share the work, each where it is best: the direct path and first-order
diffraction in closed form, everything that reflects or passes through slabs by counting
rays. Only the last has a statistical error.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vasgen.bundle import SceneBundle
from vasgen.camera import Camera
from vasgen.errors import InputError
from vasgen.inside import solid_around
from vasgen.layers import Float, RadioLayers
from vasgen.raycast import RayCaster
from vasgen.spec import RadioSpec
from vasgen.transmitter import Transmitter
from vasgen.vas.coverage import trace_coverage
from vasgen.vas.diffraction import Diffraction, Target
from vasgen.vas.direct import trace_direct
from vasgen.vas.link_budget import Powers, radio_layers
from vasgen.vas.radio_scene import RadioScene, check_materials, check_scattering
from vasgen.vas.surface import VisibleSurface, offset_m, visible_surface
from vasgen.vas.wedge_search import Footprints, diffraction_on_image
from vasgen.vas.wedges import find_wedges

Array = NDArray[np.float64]
Advance = Callable[[float], None]

#: The radio scene is centred on a grid this wide, metres: the steps that rays keep from a
#: surface grow with the distance from the centre (to about 3 cm here). A fixed grid, so that
#: a view's labels do not depend on the views traced with it.
_CENTRE_GRID_M = 500.0

#: Pixels times transmitters that are counted at once: some 85 bytes each.
_CELLS_AT_ONCE = 20_000_000

#: Shares of the work, for progress only: counting rays dominates.
_CLOSED_FORM_SHARE = 0.2


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


class Tracer:
    """Traces radio onto what cameras see in one scene.

    Args:
        bundle: the scene.
        spec: propagation and effort.
        caster: the same scene for rays, if it is at hand already.

    Raises:
        InputError: if a material is not defined at the frequency, or diffuse reflection is
            asked for and no material scatters.
    """

    def __init__(
        self, bundle: SceneBundle, spec: RadioSpec, *, caster: RayCaster | None = None
    ) -> None:
        check_materials(bundle.radio_materials, spec.frequency_hz)
        check_scattering(bundle.radio_materials, spec)
        self.bundle = bundle
        self.spec = spec
        self._caster = caster or RayCaster(bundle)
        self._wedges = find_wedges(bundle)
        self._radio: RadioScene | None = None

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
        """Radio layers of several views: neighbouring ones share the rays that are shot.

        Args:
            views: cameras, and depth and normals of what they see.
            transmitters: all transmitters that are on at the same time.
            seed: seed of the estimator. A view's layers do not depend on the other views.
            advance: called with the share of the work done since the last call.

        Raises:
            InputError: if there is no transmitter, two share a name, or one is inside a solid.
        """
        _check_transmitters(transmitters, self._caster)
        found = [Powers.none(len(transmitters), view.depth.size) for view in views]
        surfaces = [visible_surface(*view, self.spec.surface, self._caster) for view in views]
        shots = _shots(surfaces, len(transmitters))
        share = 1.0 / max(sum(len(shot.views) for shot in shots), 1)
        for shot in shots:
            radio = self._radio_at(np.array(shot.centre))
            footprints = [_footprints(views[n], surfaces[n], radio.centre) for n in shot.views]
            done = _scaled(advance, share * len(shot.views))
            powers = self._powers(radio, footprints, transmitters, shot.abreast, seed, done)
            for number, power in zip(shot.views, powers, strict=True):
                found[number] = power
        if not shots:
            advance(1.0)
        return [
            radio_layers(powers, np.isfinite(view.depth), transmitters, self.spec)
            for view, powers in zip(views, found, strict=True)
        ]

    def _powers(
        self,
        radio: RadioScene,
        views: Sequence[Footprints],
        transmitters: Sequence[Transmitter],
        abreast: int,
        seed: int,
        advance: Advance,
    ) -> list[Powers]:
        spec = self.spec
        found = [Powers.none(len(transmitters), view.surface.num_pixels) for view in views]
        for row, transmitter in enumerate(transmitters):
            radio.set_transmitters([transmitter])
            position = np.asarray(transmitter.position)
            bends = None
            if spec.diffraction and spec.max_depth > 0:
                bends = Diffraction(radio, self._wedges, self._caster, position)
            for view, powers in zip(views, found, strict=True):
                direct = trace_direct(radio, view.surface, self._caster, position)
                powers.visible[row] = direct.visible
                powers.gain[row] += direct.gain if spec.line_of_sight else 0.0
                if bends is not None:
                    powers.gain[row] += diffraction_on_image(bends, view, radio.centre)
                advance(_CLOSED_FORM_SHARE / (len(transmitters) * len(views)))
        for begin in range(0, len(transmitters) if _counts_rays(spec) else 0, abreast):
            rows = slice(begin, begin + abreast)
            radio.set_transmitters(transmitters[rows])
            share = (1 - _CLOSED_FORM_SHARE) * len(transmitters[rows]) / len(transmitters)
            counted = trace_coverage(
                radio,
                [view.surface for view in views],
                spec,
                seed=seed,
                line_of_sight=False,
                advance=_scaled(advance, share),
            )
            for powers, coverage in zip(found, counted, strict=True):
                powers.gain[rows] += coverage.gain
                powers.variance[rows] = coverage.variance
        return found

    def _radio_at(self, centre: Array) -> RadioScene:
        """The radio scene, in coordinates centred near the views: far away float32 is coarse."""
        if self._radio is None or (centre != self._radio.centre).any():
            self._radio = RadioScene(self.bundle, self.spec, centre)
        return self._radio


def _scaled(advance: Advance, factor: float) -> Advance:
    return lambda share: advance(factor * share)


class _Shot(NamedTuple):
    """Views whose rays are shot together.

    Attributes:
        centre: of their coordinates, world metres.
        abreast: number of transmitters that are counted at the same time.
        views: their numbers.
    """

    centre: tuple[float, ...]
    abreast: int
    views: list[int]


def _shots(surfaces: Sequence[VisibleSurface], num_transmitters: int) -> list[_Shot]:
    """Views that see anything, in groups that bound the memory.

    Centre and transmitters abreast follow from a view alone, so that its labels do not depend
    on the views around it.
    """
    groups: dict[tuple[tuple[float, ...], int], list[int]] = {}
    for number, surface in enumerate(surfaces):
        if len(surface.pixel):
            middle = np.median(surface.centres, axis=0)
            near = np.round(middle / _CENTRE_GRID_M) * _CENTRE_GRID_M + 0.0
            abreast = int(np.clip(_CELLS_AT_ONCE // surface.num_pixels, 1, num_transmitters))
            groups.setdefault((tuple(near.tolist()), abreast), []).append(number)
    shots = []
    for (centre, abreast), numbers in groups.items():
        most = max(surfaces[number].num_pixels for number in numbers) * abreast
        size = max(1, _CELLS_AT_ONCE // most)
        parts = [numbers[begin : begin + size] for begin in range(0, len(numbers), size)]
        shots += [_Shot(centre, abreast, part) for part in parts]
    return shots


def _footprints(view: View, surface: VisibleSurface, centre: Array) -> Footprints:
    target, pixel = pixel_centres(*view, centre)
    return Footprints(surface, target, pixel, view.depth.shape)


def _counts_rays(spec: RadioSpec) -> bool:
    mechanisms = spec.specular_reflection or spec.diffuse_reflection or spec.refraction
    return mechanisms and spec.max_depth > 0


def pixel_centres(
    camera: Camera, depth: Float, normal: Float, centre: Array
) -> tuple[Target, NDArray[np.int64]]:
    """Receiving points of the visible pixels, lifted like the surface, and their pixels."""
    pixel = np.flatnonzero(np.isfinite(depth))
    points = camera.back_project(depth).reshape(-1, 3)[pixel]
    unit = normal.reshape(-1, 3)[pixel].astype(np.float64)
    return Target(points + offset_m(points, centre)[:, None] * unit, unit), pixel


def _check_transmitters(transmitters: Sequence[Transmitter], caster: RayCaster) -> None:
    names = [transmitter.name for transmitter in transmitters]
    if not names:
        raise InputError("no transmitter is given; give at least one.")
    if len(set(names)) < len(names):
        raise InputError(f"transmitter names must differ; given: {', '.join(names)}.")
    for transmitter in transmitters:
        solid = solid_around(caster, transmitter.position)
        if solid is not None:
            x, y, z = transmitter.position
            raise InputError(
                f"transmitter {transmitter.name!r} at ({x:g}, {y:g}, {z:g}) is inside {solid}; "
                "move it outside."
            )
