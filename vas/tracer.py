"""The tracer: radio layers of views of one scene.

Three estimators share the work, each where it is best: the direct path and first-order
diffraction in closed form, everything that reflects or passes through slabs by counting
rays. Only the last has a statistical error.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

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
from vasgen.vas.surface import offset_m, visible_surface
from vasgen.vas.wedge_search import Footprints, diffraction_on_image
from vasgen.vas.wedges import find_wedges

Array = NDArray[np.float64]
Advance = Callable[[float], None]

#: The radio scene is centred on a grid this wide, metres: the receiver's offset from the
#: surface grows with the distance from the centre (to about 4 cm here). A fixed grid, so that
#: a view's labels do not depend on the views traced before it.
_CENTRE_GRID_M = 250.0

#: Shares of the work, for progress only: counting rays dominates.
_CLOSED_FORM_SHARE = 0.2


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
        """Radio layers of one view.

        Args:
            camera: the view.
            depth: (H, W) float32 z-depth, metres; NaN where there is no surface.
            normal: (H, W, 3) float32 world normals on the visible side.
            transmitters: all transmitters that are on at the same time.
            seed: seed of the estimator.
            advance: called with the share of the work done since the last call.

        Raises:
            InputError: if there is no transmitter, two share a name, or one is inside a solid.
        """
        _check_transmitters(transmitters, self._caster)
        surface = visible_surface(camera, depth, normal, self.spec.surface, self._caster)
        powers = Powers.none(len(transmitters), depth.size)
        if len(surface.pixel):
            radio = self._radio_near(np.median(surface.centres, axis=0))
            target, pixel = pixel_centres(camera, depth, normal, radio.centre)
            footprints = Footprints(surface, target, pixel, depth.shape)
            powers = self._powers(radio, footprints, transmitters, seed, advance)
        else:
            advance(1.0)
        return radio_layers(powers, np.isfinite(depth), transmitters, self.spec)

    def _powers(
        self,
        radio: RadioScene,
        footprints: Footprints,
        transmitters: Sequence[Transmitter],
        seed: int,
        advance: Advance,
    ) -> Powers:
        spec, surface = self.spec, footprints.surface
        powers = Powers.none(len(transmitters), surface.num_pixels)
        for row, transmitter in enumerate(transmitters):
            radio.set_transmitters([transmitter])
            position = np.asarray(transmitter.position)
            direct = trace_direct(radio, surface, self._caster, position)
            powers.visible[row] = direct.visible
            powers.gain[row] += direct.gain if spec.line_of_sight else 0.0
            if spec.diffraction and spec.max_depth > 0:
                bends = Diffraction(radio, self._wedges, self._caster, position)
                powers.gain[row] += diffraction_on_image(bends, footprints, radio.centre)
            advance(_CLOSED_FORM_SHARE / len(transmitters))
        if _counts_rays(spec):
            radio.set_transmitters(transmitters)
            counted = trace_coverage(
                radio,
                surface,
                spec,
                seed=seed,
                line_of_sight=False,
                advance=lambda share: advance((1 - _CLOSED_FORM_SHARE) * share),
            )
            powers.gain[:] += counted.gain
            powers.variance[:] = counted.variance
        return powers

    def _radio_near(self, middle: Array) -> RadioScene:
        """The radio scene, in coordinates centred near the view: far away float32 is coarse."""
        centre = np.round(middle / _CENTRE_GRID_M) * _CENTRE_GRID_M
        if self._radio is None or (centre != self._radio.centre).any():
            self._radio = RadioScene(self.bundle, self.spec, centre)
        return self._radio


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
