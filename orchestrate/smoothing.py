"""Smooth paths: a polyline with its corners rounded as far as the room around it permits."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d, maximum_filter1d

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

#: Widths that are tried, as shares of the one that is wanted; the last is the path itself.
_SHARES = (1.0, 0.75, 0.55, 0.4, 0.28, 0.18, 0.1, 0.0)

#: A place without room is narrowed by this part of a step, its surroundings with it.
_STEP = 0.5


def resample(path: Array, step_m: float) -> Array:
    """Points along a polyline at equal distances, (M, 3), about ``step_m`` apart.

    Args:
        path: (N, 3) corners, metres; the first stays.
        step_m: distance, metres.
    """
    travelled = arc_length(path)
    count = max(2, round(float(travelled[-1]) / step_m) + 1)
    at = np.linspace(0.0, float(travelled[-1]), count)
    return np.column_stack([np.interp(at, travelled, column) for column in path.T])


def arc_length(path: Array) -> Array:
    """Length of a polyline up to each of its points, (N,) metres."""
    return np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=1))])


def smooth(
    path: Array,
    step_m: float,
    width_m: float,
    free: Callable[[Array], Mask],
    *,
    aside_m: float = 0.0,
) -> Array | None:
    """A path with rounded corners, as a Gaussian of ``width_m`` rounds them where it may.

    Where that path is not free it is moved towards the given one, little by little.

    Args:
        path: (N, 3) points, ``step_m`` apart, metres.
        step_m: their distance.
        width_m: standard deviation of the Gaussian, metres.
        free: whether each segment of a polyline may be used, (N - 1,) from (N, 3).
        aside_m: how far to the right of the given path to go, where that is free.

    Returns:
        (N, 3), or None if not even the given path is free.
    """
    levels = np.stack([_rounded(path, step_m, width_m, share, aside_m) for share in _SHARES])
    last = len(_SHARES) - 1
    reach = max(3, round(width_m / step_m))
    level = np.zeros(len(path))
    for _ in range(2 * last * len(_SHARES)):
        found = _at_level(levels, level)
        taken = ~free(found)
        if not taken.any():
            return found
        near = np.zeros(len(path))
        near[:-1] = taken
        near[1:] = np.maximum(near[1:], taken)
        if (near * level).max() >= last:
            return None
        widened = maximum_filter1d(near, 2 * reach + 1, mode="nearest")
        raised = level + _STEP * gaussian_filter1d(widened, reach / 2, mode="nearest")
        level = np.minimum(np.where(near > 0, np.maximum(raised, level + _STEP), raised), last)
    return None


def _rounded(path: Array, step_m: float, width_m: float, share: float, aside_m: float) -> Array:
    """The path under a narrower Gaussian, and less aside."""
    if share == 0:
        return path
    # Beyond its ends the path goes on straight, so its ends stay.
    pad = int(np.ceil(4 * share * width_m / step_m))
    before = 2 * path[0] - path[pad:0:-1] if pad < len(path) else path[:1]
    after = 2 * path[-1] - path[-2 : -pad - 2 : -1] if pad < len(path) else path[-1:]
    longer = np.concatenate([before, path, after])
    found = gaussian_filter1d(longer, share * width_m / step_m, axis=0, mode="nearest")
    found = found[len(before) : len(before) + len(path)]
    ahead = np.gradient(found, axis=0)
    right = np.column_stack([ahead[:, 1], -ahead[:, 0], np.zeros(len(found))])
    right /= np.maximum(np.linalg.norm(right, axis=1, keepdims=True), 1e-9)
    moved: Array = found + share * aside_m * right
    return moved


def _at_level(levels: Array, level: Array) -> Array:
    """Between the smoothed paths, (N, 3) from (L, N, 3) and (N,) fractional levels."""
    low = np.minimum(level.astype(int), len(levels) - 2)
    rest = (level - low)[:, None]
    rows = np.arange(len(level))
    mixed: Array = (1 - rest) * levels[low, rows] + rest * levels[low + 1, rows]
    return mixed
