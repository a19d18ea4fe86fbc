"""The coverage solver: rays are counted, and what is known in closed form is not.

Three estimators share the work, each where it is best: the direct path and first-order
diffraction in closed form, everything that reflects or passes through slabs by counting
rays. Only the last has a statistical error. Transmitters are taken one at a time: a call of
some million rays leaves nothing to gain from mixing them, and their labels do not depend on
each other.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vasgen.bundle import SceneBundle
from vasgen.spec import RadioSpec
from vasgen.transmitter import Transmitter
from vasgen.vas.counting.coverage import Audience, trace_coverage
from vasgen.vas.counting.direct import trace_direct
from vasgen.vas.edges.diffraction import Diffraction
from vasgen.vas.edges.wedge_search import diffraction_on_image
from vasgen.vas.scene.radio_scene import RadioScene
from vasgen.vas.scene.wedges import find_wedges
from vasgen.vas.shots import shots_of
from vasgen.vas.solver import Advance, Powers, scaled
from vasgen.vas.surfaces.surface import ReceiverSurface

Array = NDArray[np.float64]

#: Shares of the work, for progress only: counting rays dominates.
_CLOSED_FORM_SHARE = 0.2


class CoverageSolver:
    """See the module's text, and :class:`vasgen.vas.solver.Solver`.

    Args:
        bundle: the scene.
        spec: mechanisms and effort.
    """

    def __init__(self, bundle: SceneBundle, spec: RadioSpec) -> None:
        self._bundle = bundle
        self._spec = spec
        self._wedges = find_wedges(bundle)
        self._radio: RadioScene | None = None

    def solve(
        self,
        surfaces: Sequence[ReceiverSurface],
        transmitters: Sequence[Transmitter],
        *,
        seed: int,
        advance: Advance,
    ) -> list[Powers]:
        """See :class:`vasgen.vas.solver.Solver`."""
        found = [Powers.none(len(transmitters), surface.num_pixels) for surface in surfaces]
        shots = shots_of(surfaces)
        maps = len(transmitters) * sum(len(shot.surfaces) for shot in shots)
        for shot in shots:
            radio = self._radio_at(np.array(shot.centre))
            some = [surfaces[number] for number in shot.surfaces]
            powers = [found[number] for number in shot.surfaces]
            done = scaled(advance, len(some) / maps)
            audience = Audience(some, radio.centre) if _counts_rays(self._spec) else None
            for row, transmitter in enumerate(transmitters):
                radio.set_transmitter(transmitter)
                position = np.asarray(transmitter.position)
                rows = [one.row(row) for one in powers]
                self._closed_form(radio, some, position, rows, scaled(done, _CLOSED_FORM_SHARE))
                rest = scaled(done, 1.0 - _CLOSED_FORM_SHARE)
                if audience is None:
                    rest(1.0)
                else:
                    self._counted(radio, audience, rows, seed, rest)
        if not shots:
            advance(1.0)
        return found

    def _closed_form(
        self,
        radio: RadioScene,
        surfaces: Sequence[ReceiverSurface],
        position: Array,
        found: Sequence[Powers],
        advance: Advance,
    ) -> None:
        spec = self._spec
        bends = None
        if spec.diffraction and spec.max_depth > 0:
            bends = Diffraction(radio, self._wedges, position)
        for surface, powers in zip(surfaces, found, strict=True):
            direct = trace_direct(radio, surface, position)
            powers.visible[:] = direct.visible
            powers.gain[:] += direct.gain if spec.line_of_sight else 0.0
            if bends is not None:
                powers.gain[:] += diffraction_on_image(bends, surface, radio.centre)
            advance(1.0 / len(surfaces))

    def _counted(
        self,
        radio: RadioScene,
        audience: Audience,
        found: Sequence[Powers],
        seed: int,
        advance: Advance,
    ) -> None:
        counted = trace_coverage(
            radio,
            audience,
            self._spec,
            seed=seed,
            line_of_sight=False,
            known=[powers.gain for powers in found],
            advance=advance,
        )
        for powers, coverage in zip(found, counted, strict=True):
            powers.gain[:] += coverage.gain
            powers.variance[:] = coverage.variance
            powers.rays[...] = coverage.rays

    def _radio_at(self, centre: Array) -> RadioScene:
        """The radio scene, in coordinates centred near the views: far away float32 is coarse."""
        if self._radio is None or (centre != self._radio.centre).any():
            self._radio = RadioScene(self._bundle, self._spec, centre)
        return self._radio


def _counts_rays(spec: RadioSpec) -> bool:
    mechanisms = spec.specular_reflection or spec.diffuse_reflection or spec.refraction
    return mechanisms and spec.max_depth > 0
