"""Plane geometry in plain arithmetic.

A matrix product is the linear algebra library's: its last bits differ from processor to
processor, and a city must not. Sums of products written out are the same everywhere.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def dot(points: Array, way: Array) -> Array:
    """Products of vectors (..., 2) with a vector (2,), (...)."""
    return np.asarray(points[..., 0] * way[0] + points[..., 1] * way[1])


def along(points: Array, first: Array, second: Array) -> Array:
    """Coordinates of points (N, 2) along two directions, (N, 2)."""
    return np.stack([dot(points, first), dot(points, second)], axis=-1)


def across(coordinates: Array, first: Array, second: Array) -> Array:
    """Points (N, 2) from their coordinates along two directions: undoes :func:`along`."""
    return np.asarray(coordinates[:, :1] * first + coordinates[:, 1:] * second)


def waves(points: Array, vectors: Array, phases: Array) -> Array:
    """Phases of plane waves at points (N, 2), (N, K), for wave vectors (K, 2)."""
    return np.asarray(points[:, :1] * vectors[:, 0] + points[:, 1:] * vectors[:, 1] + phases)
