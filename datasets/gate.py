"""The physics gate: what no right radio map of a scene can show.

The checks of :mod:`vasgen.datasets.radio_checks` need the layers alone. With the scene at hand
the gate also computes, apart from any solver, which pixels the transmitter must light and which
no path can reach:

* holes: a pixel all of whose footprint the transmitter sees, among others it sees, that is said
  not to be in line of sight;
* loss: such a pixel far below free space;
* leaks: power on the other side of closed metal.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from vasgen.datasets.findings import Finding, Mask
from vasgen.datasets.path_checks import SPEED_OF_LIGHT_M_PER_S
from vasgen.datasets.radio_checks import check_radio, eroded, one_isotropic
from vasgen.datasets.store import Sample
from vasgen.layers import RadioLayers
from vasgen.shells import Shell
from vasgen.spec import RadioSpec

Array = NDArray[np.float64]

#: Points a side at which a doubtful pixel is looked at.
_LOOKS = 5

#: How far below free space a pixel may lie that the transmitter sees at all of these points,
#: dB: a thin pole may still hide half of the few points that a label is averaged over.
LIT_TOLERANCE_DB = 3.5

#: Points are looked at from this far above their surface, metres: less than where a label's own
#: points are, so that what is seen from here is seen from there, over kerbs and road markings.
_LIFT_M = 0.001

#: A transmitter less than this above a pixel's plane shines along it: whether it is seen depends
#: on how far a label's own points stand off the surface, some centimetres. Metres.
_ABOVE_M = 0.15

#: Neighbours lie on one plane within this, and this share of their distance, metres.
_PLANE_M, _PLANE_SHARE = 0.005, 2e-5
_SAME_NORMAL = 0.999


class Sight(Protocol):
    """Sees what lies between two points, as :class:`vasgen.raycast.RayCaster` does."""

    def blocked(self, origins: Array, targets: Array) -> Mask:
        """Whether something lies between each origin, (N, 3), and target, (N, 3) or (3,)."""


@dataclass(frozen=True, eq=False)
class Scenery:
    """What the gate must know of a scene.

    Attributes:
        sight: sees through its air.
        metal: its closed shells of metal.
    """

    sight: Sight
    metal: tuple[Shell, ...]


def check_physics(sample: Sample, spec: RadioSpec, scenery: Scenery | None) -> Iterator[Finding]:
    """All that is wrong with the radio layers of a view.

    Args:
        sample: a traced view.
        spec: what it was traced with.
        scenery: of the scene; without it holes, loss of single pixels and leaks are not seen.
    """
    if not sample.image.valid.any():
        yield Finding("valid", "sees no surface")
        return
    with np.errstate(all="ignore"):  # what is not finite is reported, not warned of
        yield from check_radio(sample, spec)
        if scenery is not None and sample.radio is not None:
            yield from _check_metal(sample, sample.radio, scenery.metal)
            yield from _check_lit(sample, sample.radio, spec, scenery.sight)


def _check_metal(sample: Sample, radio: RadioLayers, metal: tuple[Shell, ...]) -> Iterator[Finding]:
    """Power where a closed shell of metal has the camera and the transmitter on two sides.

    What a camera sees is in the same air as the camera, so no pixel need be asked.
    """
    eye = np.asarray(sample.camera.position, np.float64)
    points = np.array([eye, *(t.position for t in sample.transmitters)])
    leaks = np.zeros_like(radio.reached)
    for shell in metal:
        inside = shell.contains(points)
        apart = inside[1:] != inside[0]
        leaks[apart] |= radio.reached[apart]
    yield Finding("path_gain_db", "power behind closed metal", leaks)


def _check_lit(
    sample: Sample, radio: RadioLayers, spec: RadioSpec, sight: Sight
) -> Iterator[Finding]:
    """Holes and loss where the transmitter must be seen."""
    unseen, weak = np.zeros_like(radio.reached), np.zeros_like(radio.reached)
    flat = _inside_planes(sample)
    for k, transmitter in enumerate(sample.transmitters):
        place = np.asarray(transmitter.position, np.float64)
        direct = spec.line_of_sight and one_isotropic(transmitter.antenna)
        free = _friis_db(np.linalg.norm(_points(sample) - place, axis=-1), spec)
        doubtful = ~radio.line_of_sight[k]
        if direct:
            doubtful |= ~(radio.path_gain_db[k] >= free - LIT_TOLERANCE_DB / 2)
        if not (flat & doubtful).any():
            continue
        surely = flat & doubtful & eroded(_lit(sample, place, sight))
        row, column = np.nonzero(surely)
        seen, least = _look_closely(sample, place, spec, sight, row, column)
        row, column, least = row[seen], column[seen], least[seen]
        unseen[k, row, column] = ~radio.line_of_sight[k, row, column]
        if direct:
            weak[k, row, column] = ~(radio.path_gain_db[k, row, column] >= least - LIT_TOLERANCE_DB)
    yield Finding("line_of_sight", "a hole: the transmitter sees all of the pixel", unseen)
    yield Finding(
        "path_gain_db",
        f"more than {LIT_TOLERANCE_DB:g} dB below free space, though the transmitter sees all of "
        "the pixel",
        weak,
    )


def _look_closely(
    sample: Sample, place: Array, spec: RadioSpec, sight: Sight, row: Any, column: Any
) -> tuple[Mask, Array]:
    """Whether a transmitter sees all of some pixels, and the least free-space gain there, dB.

    Args:
        sample: the view.
        place: (3,) the transmitter.
        spec: the frequency.
        sight: of the scene.
        row: (P,) row of each pixel.
        column: (P,) column of each pixel.
    """
    ticks = (np.arange(_LOOKS) + 0.5) / _LOOKS
    shifts = np.stack(np.meshgrid(ticks, ticks), axis=-1).reshape(-1, 2)
    corner = np.stack([column, row], axis=-1).astype(np.float64)
    rays = sample.camera.rays(corner[:, None] + shifts)
    normal = sample.image.normal[row, column].astype(np.float64)
    middle = sample.camera.rays(corner + 0.5)
    plane = sample.image.depth[row, column] * np.einsum("pc,pc->p", middle, normal)
    depth = plane[:, None] / np.einsum("pkc,pc->pk", rays, normal)
    points = sample.camera.position + depth[..., None] * rays
    seen = (depth > 0) & np.isfinite(depth)
    seen[seen] = _sees(
        points[seen], np.broadcast_to(normal[:, None], points.shape)[seen], place, sight
    )
    distance = np.linalg.norm(points - place, axis=-1)
    return seen.all(axis=1), _friis_db(distance, spec).min(axis=1)


def _lit(sample: Sample, place: Array, sight: Sight) -> Mask:
    """Pixels whose middle sees a place."""
    lit = sample.image.valid.copy()
    lit[lit] = _sees(
        _points(sample)[lit], sample.image.normal[lit].astype(np.float64), place, sight
    )
    return lit


def _sees(points: Array, normal: Array, place: Array, sight: Sight) -> Mask:
    raised = points + _LIFT_M * normal
    sees: Mask = np.einsum("nc,nc->n", place - raised, normal) > _ABOVE_M
    sees[sees] = ~sight.blocked(raised[sees], place)
    return sees


def _inside_planes(sample: Sample) -> Mask:
    """Pixels that lie on one plane with all their eight neighbours."""
    points, normal = _points(sample), sample.image.normal.astype(np.float64)
    distance = np.linalg.norm(points - sample.camera.position, axis=-1)
    tolerance = _PLANE_M + _PLANE_SHARE * distance
    flat = np.zeros(sample.image.valid.shape, bool)
    if min(flat.shape) < 3:
        return flat
    height, width = sample.camera.height, sample.camera.width
    inner = (slice(1, -1), slice(1, -1))
    good = np.ones((height - 2, width - 2), bool)
    for dy in range(3):
        for dx in range(3):
            near = (slice(dy, height - 2 + dy), slice(dx, width - 2 + dx))
            step = np.einsum("hwc,hwc->hw", points[near] - points[inner], normal[inner])
            turn = np.einsum("hwc,hwc->hw", normal[near], normal[inner])
            good &= (np.abs(step) <= tolerance[inner]) & (turn > _SAME_NORMAL)
    flat[inner] = good
    return flat


def _points(sample: Sample) -> Array:
    """The surface points of the pixels, (H, W, 3) world metres; NaN: sky."""
    points: Array = sample.camera.back_project(sample.image.depth)
    return points


def _friis_db(distance: Array, spec: RadioSpec) -> Array:
    """Free-space gain between isotropic antennas (Friis 1946), dB."""
    wavelength = SPEED_OF_LIGHT_M_PER_S / spec.frequency_hz
    gain: Array = 20 * np.log10(wavelength / (4 * np.pi * distance))
    return gain
