"""Checks of the layers of paths: consistent with the path gain, and with geometry.

Each check yields one :class:`Finding` per wrong layer, with a mask of wrong pixels.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vasgen.datasets.findings import Finding, Mask
from vasgen.datasets.store import Sample
from vasgen.layers import MECHANISMS, PATH_GAIN_FLOOR_DB, PATH_LAYERS, RadioLayers
from vasgen.spec import RadioSpec

Array = NDArray[np.float64]

SPEED_OF_LIGHT_M_PER_S = 299_792_458.0

#: Float32 storage of five mechanisms and their sum rounds by some 1e-5 dB each.
SUM_DB = 0.01

#: What all mechanisms may lose together below the floor, linear.
_LOST = len(MECHANISMS) * 10 ** (PATH_GAIN_FLOOR_DB / 10)

#: A delay may fall short of the straight line to the footprint by this: labels' points stand
#: off their surface by some centimetres, and float32 rounds the delay of 10 km by a millimetre.
SLACK_M = 0.1

#: Layers that are NaN where there is no path, and only there.
_OF_PATHS = tuple(name for name, spec in PATH_LAYERS.items() if "NaN: no" in spec.meaning)


def check_paths(sample: Sample, spec: RadioSpec) -> Iterator[Finding]:
    """Mechanisms, numbers of paths and their statistics fit each other and the path gain."""
    radio, valid = sample.radio, sample.image.valid
    if radio is None:
        return
    arrays = {name: array for name, array in radio.arrays().items() if name in PATH_LAYERS}
    for name in ("mechanism_gain_db", "coherent_gain_db"):
        if name in arrays:
            broken = ~np.isfinite(arrays[name]) == valid
            yield Finding(
                name,
                "infinite, or NaN exactly in the sky is broken",
                broken.any(axis=0) if broken.ndim > radio.reached.ndim else broken,
            )
    if radio.mechanism_gain_db is not None:
        yield from _check_sum(radio, radio.mechanism_gain_db, valid)
    recall = radio.search_recall
    if recall is not None and not ((recall >= 0) & (recall <= 1)).all():
        yield Finding("search_recall", "outside [0, 1]")
    if radio.num_paths is not None:
        yield from _check_numbers(radio, radio.num_paths, arrays)
    if spec.surface == "footprint":  # a lattice lies between the pixels, beside their planes
        yield from _check_delays(sample, radio)


def _check_sum(radio: RadioLayers, gain_db: NDArray[Any], valid: Mask) -> Iterator[Finding]:
    total = _linear(radio.path_gain_db)
    rounding = (10 ** (SUM_DB / 10) - 1) * total + _LOST
    off = ~(np.abs(_linear(gain_db).sum(axis=0) - total) <= rounding)
    yield Finding("mechanism_gain_db", "does not sum to the path gain", off & valid)


def _check_numbers(
    radio: RadioLayers, number: NDArray[Any], arrays: dict[str, NDArray[Any]]
) -> Iterator[Finding]:
    """Numbers of paths against power, and what is said of pixels with and without paths."""
    for name in (name for name in _OF_PATHS if name in arrays):
        if "path" not in PATH_LAYERS[name].axes.split():
            wrong = np.isnan(arrays[name]) == (number > 0)
        else:
            nothing = np.isnan(arrays[name]).reshape(*arrays[name].shape[:4], -1).any(axis=-1)
            there = np.arange(nothing.shape[-1]) < number[..., None]
            wrong = np.any(nothing == there, axis=-1)
        yield Finding(name, "NaN exactly where there is no path is broken", np.asarray(wrong))
    if radio.mechanism_gain_db is None:
        return
    known = _linear(radio.mechanism_gain_db[: MECHANISMS.index("remainder")]).sum(axis=0)
    yield Finding("num_paths", "none, though there is power", (known > 0) & (number == 0))
    if radio.coherent_gain_db is not None:
        # Cauchy and Schwarz: of n fields the sum's square is at most n times that of squares.
        most = (known + _LOST) * number * 10 ** (SUM_DB / 10)
        above = _linear(radio.coherent_gain_db) > most
        yield Finding("coherent_gain_db", "more than all paths in phase add up to", above)


def _check_delays(sample: Sample, radio: RadioLayers) -> Iterator[Finding]:
    """No path is shorter than the straight line to the nearest point of the footprint."""
    if radio.mean_delay_s is None and radio.path_delay_s is None:
        return
    least = (_nearest_m(sample) - SLACK_M) / SPEED_OF_LIGHT_M_PER_S
    if radio.mean_delay_s is not None:
        yield Finding("mean_delay_s", "earlier than the straight line", radio.mean_delay_s < least)
    if radio.path_delay_s is not None:
        early: Mask = np.any(radio.path_delay_s < least[..., None], axis=-1)
        yield Finding("path_delay_s", "earlier than the straight line", early)


def _nearest_m(sample: Sample) -> Array:
    """Distance from each transmitter that no point of a pixel's footprint lies below, (T, H, W).

    That of the pixel's middle, less its distance from the farthest corner; NaN: sky, or a
    footprint without bound.
    """
    camera, depth = sample.camera, sample.image.depth.astype(np.float64)
    normal = sample.image.normal.astype(np.float64)
    plane = depth * np.einsum("hwc,hwc->hw", camera.rays(), normal)
    middle = camera.back_project(depth)
    corners = np.stack(np.meshgrid(*(np.arange(n + 1.0) for n in depth.shape[::-1])), axis=-1)
    rays, (height, width) = camera.rays(corners), depth.shape
    reach = np.zeros_like(depth)
    for dy, dx in np.ndindex(2, 2):
        ray = rays[dy : dy + height, dx : dx + width]
        deep = plane / np.einsum("hwc,hwc->hw", ray, normal)
        corner = camera.position + np.where(deep > 0, deep, np.nan)[..., None] * ray
        reach = np.maximum(reach, np.linalg.norm(corner - middle, axis=-1))
    places = np.array([t.position for t in sample.transmitters])[:, None, None]
    nearest: Array = np.linalg.norm(middle - places, axis=-1) - reach
    return nearest


def _linear(gain_db: NDArray[Any]) -> Array:
    """Linear gain; zero at the floor, and of what is no number."""
    values = gain_db.astype(np.float64)
    linear: Array = np.where(values > PATH_GAIN_FLOOR_DB, 10 ** (values / 10), 0.0)
    return linear
