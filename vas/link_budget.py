"""The link budget: from path gain to received power, interference and noise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vasgen.layers import PATH_GAIN_FLOOR_DB, RadioLayers
from vasgen.spec import RadioSpec
from vasgen.transmitter import Transmitter
from vasgen.vas.solver import Powers, reached, standard_error_db

Array = NDArray[np.float64]


def radio_layers(
    powers: Powers,
    valid: NDArray[np.bool_],
    transmitters: Sequence[Transmitter],
    spec: RadioSpec,
) -> RadioLayers:
    """Layers of one view.

    Args:
        powers: gain of every transmitter at every pixel, and what is known of their paths.
        valid: (H, W) bool, the pixel sees a surface.
        transmitters: in the order of ``powers``.
        spec: noise temperature, bandwidth and figure.
    """
    floor = 10 ** (PATH_GAIN_FLOOR_DB / 10)
    arrives = reached(powers.gain) & valid.ravel()
    gain = np.where(arrives, powers.gain, floor)
    power_w = 10 ** (np.array([t.power_dbm for t in transmitters])[:, None] / 10 - 3)
    rss_w = power_w * gain
    sinr = rss_w / (spec.noise_w + _interference(rss_w, [t.group for t in transmitters]))
    best = np.where(arrives.any(axis=0), np.where(arrives, rss_w, 0.0).argmax(axis=0), -1)
    shape = (len(transmitters), *valid.shape)

    def layer(values: Array, where: NDArray[np.bool_]) -> NDArray[np.float32]:
        return np.where(where, values, np.nan).astype(np.float32).reshape(shape)

    seen = np.broadcast_to(valid.ravel(), arrives.shape)
    return RadioLayers(
        path_gain_db=layer(10 * np.log10(gain), seen),
        rss_dbm=layer(10 * np.log10(rss_w) + 30, seen),
        sinr_db=layer(10 * np.log10(sinr), seen),
        best_server=best.astype(np.int16).reshape(valid.shape),
        line_of_sight=(powers.visible & seen).reshape(shape),
        reached=arrives.reshape(shape),
        standard_error_db=layer(standard_error_db(gain, powers.variance), arrives),
        rays=powers.rays,
        **_path_layers(powers, valid),
    )


def _path_layers(powers: Powers, valid: NDArray[np.bool_]) -> dict[str, NDArray[Any]]:
    """Those of :data:`vasgen.layers.PATH_LAYERS` that the solver knows, without the sky."""
    layers: dict[str, NDArray[Any]] = {}
    if powers.mechanisms is not None:
        gain = np.maximum(powers.mechanisms, 10 ** (PATH_GAIN_FLOOR_DB / 10))
        gain_db = (10 * np.log10(gain)).astype(np.float32)
        layers["mechanism_gain_db"] = gain_db.reshape(*gain.shape[:2], *valid.shape)
        layers["mechanism_gain_db"][..., ~valid] = np.nan
    if powers.recall is not None:
        layers["search_recall"] = powers.recall.astype(np.float32)
    for name, values in powers.statistics.items():
        layer = values.reshape(len(values), *valid.shape, *values.shape[2:])
        if layer.dtype == np.float32:
            seen = valid.reshape(valid.shape + (1,) * (layer.ndim - 3))
            layer = np.where(seen, layer, np.float32(np.nan))
        layers[name] = layer
    return layers


def _interference(power: Array, groups: Sequence[int]) -> Array:
    """For each row the sum of the other rows of its group."""
    total = np.zeros_like(power)
    for group in set(groups):
        rows = [row for row, other in enumerate(groups) if other == group]
        total[rows] = _sum_of_others(power[rows])
    return total


def _sum_of_others(power: Array) -> Array:
    """For each row the sum of all other rows; total minus own would cancel next to a mast."""
    before = np.zeros_like(power)
    after = np.zeros_like(power)
    before[1:] = np.cumsum(power[:-1], axis=0)
    after[:-1] = np.cumsum(power[:0:-1], axis=0)[::-1]
    return before + after
