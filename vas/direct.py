"""The direct path in closed form: Friis over the visible part of each pixel's footprint."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vasgen.raycast import RayCaster
from vasgen.vas.field import radiated_field
from vasgen.vas.radio_scene import RadioScene
from vasgen.vas.surface import ReceiverSurface

Array = NDArray[np.float64]

_POINTS_PER_SIDE = 2  # stratified points a quad and direction, for penumbra pixels


class Direct(NamedTuple):
    """Direct power on each pixel.

    Attributes:
        gain: (P,) float64, path gain, linear, averaged over the footprint.
        visible: (P,) bool, whether any point of the footprint sees the transmitter.
    """

    gain: Array
    visible: NDArray[np.bool_]


def trace_direct(
    radio: RadioScene, surface: ReceiverSurface, caster: RayCaster, position: Array
) -> Direct:
    """Line of sight from one transmitter.

    The path gain at distance r is G (wavelength / (4 pi r))^2 with the antenna's gain G in
    that direction (Friis 1946, isotropic receiver).

    Args:
        radio: the scene with only this transmitter set.
        surface: the receiver.
        caster: the same scene, for visibility.
        position: (3,) transmitter, world metres.
    """
    lift = (surface.offset_m(radio.centre)[:, None] * surface.normal)[:, None]
    points = surface.sample_points(_POINTS_PER_SIDE)
    towards = position - points
    seen = np.einsum("qkc,qc->qk", towards, surface.normal) > 0
    seen[seen] = ~caster.blocked((points + lift)[seen], position)
    gain = np.zeros(seen.shape)
    if seen.any():
        distance = np.linalg.norm(towards[seen], axis=-1)
        power = radiated_field(radio, -towards[seen] / distance[:, None]).power()
        wavelength = float(radio.scene.wavelength[0])
        gain[seen] = power * (wavelength / (4 * np.pi * distance)) ** 2
    share = surface.quad_area / surface.pixel_area[surface.pixel]
    per_pixel = surface.sum_by_pixel(share * gain.mean(axis=1))
    hits = surface.sum_by_pixel(seen.mean(axis=1))
    return Direct(per_pixel, hits > 0)
