"""The link budget: from path gain to received power, interference and noise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vasgen.layers import PATH_GAIN_FLOOR_DB, RadioLayers
from vasgen.spec import RadioSpec
from vasgen.transmitter import Transmitter

Array = NDArray[np.float64]


class Powers(NamedTuple):
    """What the estimators found, linear.

    Attributes:
        gain: (T, P) float64 path gain; zero for no path.
        variance: (T, P) float64 variance of ``gain``.
        visible: (T, P) bool, the transmitter is in line of sight.
    """

    gain: Array
    variance: Array
    visible: NDArray[np.bool_]

    @classmethod
    def none(cls, num_transmitters: int, num_pixels: int) -> Powers:
        """No power anywhere."""
        shape = (num_transmitters, num_pixels)
        return cls(np.zeros(shape), np.zeros(shape), np.zeros(shape, bool))


def radio_layers(
    powers: Powers,
    valid: NDArray[np.bool_],
    transmitters: Sequence[Transmitter],
    spec: RadioSpec,
) -> RadioLayers:
    """Layers of one view.

    Args:
        powers: gain of every transmitter at every pixel.
        valid: (H, W) bool, the pixel sees a surface.
        transmitters: in the order of ``powers``.
        spec: noise temperature and bandwidth.
    """
    floor = 10 ** (PATH_GAIN_FLOOR_DB / 10)
    reached = (powers.gain > floor) & valid.ravel()
    gain = np.where(reached, powers.gain, floor)
    power_w = 10 ** (np.array([t.power_dbm for t in transmitters])[:, None] / 10 - 3)
    rss_w = power_w * gain
    sinr = rss_w / (spec.noise_w + _sum_of_others(rss_w))
    # One standard error above the gain: finite and meaningful where the gain is tiny.
    error_db = 10 * np.log10(1 + np.sqrt(powers.variance) / gain)
    shape = (len(transmitters), *valid.shape)

    def layer(values: Array, where: NDArray[np.bool_]) -> NDArray[np.float32]:
        return np.where(where, values, np.nan).astype(np.float32).reshape(shape)

    seen = np.broadcast_to(valid.ravel(), reached.shape)
    return RadioLayers(
        path_gain_db=layer(10 * np.log10(gain), seen),
        rss_dbm=layer(10 * np.log10(rss_w) + 30, seen),
        sinr_db=layer(10 * np.log10(sinr), seen),
        line_of_sight=(powers.visible & seen).reshape(shape),
        reached=reached.reshape(shape),
        standard_error_db=layer(error_db, reached),
    )


def _sum_of_others(power: Array) -> Array:
    """For each row the sum of all other rows; total minus own would cancel next to a mast."""
    before = np.zeros_like(power)
    after = np.zeros_like(power)
    before[1:] = np.cumsum(power[:-1], axis=0)
    after[:-1] = np.cumsum(power[:0:-1], axis=0)[::-1]
    return before + after
