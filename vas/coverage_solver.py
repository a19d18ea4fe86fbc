"""The coverage solver: rays are counted, and what is known in closed form is not.

Three estimators share the work, each where it is best: the direct path and first-order
diffraction in closed form, everything that reflects or passes through slabs by counting
rays. Only the last has a statistical error.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vasgen.bundle import SceneBundle
from vasgen.raycast import RayCaster
from vasgen.spec import RadioSpec
from vasgen.transmitter import Transmitter
from vasgen.vas.coverage import trace_coverage
from vasgen.vas.diffraction import Diffraction
from vasgen.vas.direct import trace_direct
from vasgen.vas.radio_scene import RadioScene
from vasgen.vas.solver import Advance, Powers, scaled
from vasgen.vas.surface import ReceiverSurface
from vasgen.vas.wedge_search import diffraction_on_image
from vasgen.vas.wedges import find_wedges

Array = NDArray[np.float64]

#: The radio scene is centred on a grid this wide, metres: the steps that rays keep from a
#: surface grow with the distance from the centre (to about 3 cm here). A fixed grid, so that
#: a view's labels do not depend on the views traced with it.
_CENTRE_GRID_M = 500.0

#: Pixels times transmitters that are counted at once: some 85 bytes each.
_CELLS_AT_ONCE = 20_000_000

#: Shares of the work, for progress only: counting rays dominates.
_CLOSED_FORM_SHARE = 0.2


class CoverageSolver:
    """See the module's text, and :class:`vasgen.vas.solver.Solver`.

    Args:
        bundle: the scene.
        spec: mechanisms and effort.
        caster: the same scene for rays.
    """

    def __init__(self, bundle: SceneBundle, spec: RadioSpec, caster: RayCaster) -> None:
        self._bundle = bundle
        self._spec = spec
        self._caster = caster
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
        shots = _shots(surfaces, len(transmitters))
        share = 1.0 / max(sum(len(shot.surfaces) for shot in shots), 1)
        for shot in shots:
            radio = self._radio_at(np.array(shot.centre))
            some = [surfaces[number] for number in shot.surfaces]
            powers = [found[number] for number in shot.surfaces]
            done = scaled(advance, share * len(some))
            self._closed_form(radio, some, transmitters, powers, done)
            self._counted(radio, some, transmitters, powers, shot.abreast, seed, done)
        if not shots:
            advance(1.0)
        return found

    def _closed_form(
        self,
        radio: RadioScene,
        surfaces: Sequence[ReceiverSurface],
        transmitters: Sequence[Transmitter],
        found: Sequence[Powers],
        advance: Advance,
    ) -> None:
        spec = self._spec
        for row, transmitter in enumerate(transmitters):
            radio.set_transmitters([transmitter])
            position = np.asarray(transmitter.position)
            bends = None
            if spec.diffraction and spec.max_depth > 0:
                bends = Diffraction(radio, self._wedges, self._caster, position)
            for surface, powers in zip(surfaces, found, strict=True):
                direct = trace_direct(radio, surface, self._caster, position)
                powers.visible[row] = direct.visible
                powers.gain[row] += direct.gain if spec.line_of_sight else 0.0
                if bends is not None:
                    powers.gain[row] += diffraction_on_image(bends, surface, radio.centre)
                advance(_CLOSED_FORM_SHARE / (len(transmitters) * len(surfaces)))

    def _counted(
        self,
        radio: RadioScene,
        surfaces: Sequence[ReceiverSurface],
        transmitters: Sequence[Transmitter],
        found: Sequence[Powers],
        abreast: int,
        seed: int,
        advance: Advance,
    ) -> None:
        if not _counts_rays(self._spec):
            return
        for rows in _alike(transmitters, abreast):
            radio.set_transmitters([transmitters[row] for row in rows])
            share = (1 - _CLOSED_FORM_SHARE) * len(rows) / len(transmitters)
            counted = trace_coverage(
                radio,
                surfaces,
                self._spec,
                seed=seed,
                line_of_sight=False,
                advance=scaled(advance, share),
            )
            for powers, coverage in zip(found, counted, strict=True):
                powers.gain[rows] += coverage.gain
                powers.variance[rows] = coverage.variance
                powers.rays[rows] = coverage.rays

    def _radio_at(self, centre: Array) -> RadioScene:
        """The radio scene, in coordinates centred near the views: far away float32 is coarse."""
        if self._radio is None or (centre != self._radio.centre).any():
            self._radio = RadioScene(self._bundle, self._spec, centre)
        return self._radio


class _Shot(NamedTuple):
    """Surfaces whose rays are shot together.

    Attributes:
        centre: of their coordinates, world metres.
        abreast: number of transmitters that are counted at the same time.
        surfaces: their numbers.
    """

    centre: tuple[float, ...]
    abreast: int
    surfaces: list[int]


def _shots(surfaces: Sequence[ReceiverSurface], num_transmitters: int) -> list[_Shot]:
    """Surfaces that have any area, in groups that bound the memory.

    Centre and transmitters abreast follow from a surface alone, so that its labels do not
    depend on the views around it.
    """
    groups: dict[tuple[tuple[float, ...], int], list[int]] = {}
    for number, surface in enumerate(surfaces):
        if len(surface.pixel):
            middle = np.median(surface.quad_centres, axis=0)
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


def _alike(transmitters: Sequence[Transmitter], abreast: int) -> Iterator[list[int]]:
    """Rows of transmitters with equal arrays, whatever their precoding, so many at a time."""
    arrays = [transmitter.antenna.elements for transmitter in transmitters]
    for array in dict.fromkeys(arrays):
        rows = [row for row, other in enumerate(arrays) if other == array]
        for begin in range(0, len(rows), abreast):
            yield rows[begin : begin + abreast]


def _counts_rays(spec: RadioSpec) -> bool:
    mechanisms = spec.specular_reflection or spec.diffuse_reflection or spec.refraction
    return mechanisms and spec.max_depth > 0
