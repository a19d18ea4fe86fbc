"""Plane geometry in plain arithmetic.

A matrix product is the linear algebra library's and a hypotenuse the C library's: their last
bits differ from machine to machine, and a city must not. Sums, products, quotients and square
roots are the same everywhere.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def dot(points: Array, way: Array) -> Array:
    """Products of vectors (..., 2) with a vector (2,), (...)."""
    return np.asarray(points[..., 0] * way[0] + points[..., 1] * way[1])


def length(vectors: Array) -> Array:
    """Lengths of vectors (..., 2), (...)."""
    x, y = vectors[..., 0], vectors[..., 1]
    return np.asarray(np.sqrt(x * x + y * y))


def unit(vectors: Array) -> Array:
    """Vectors (..., 2) of length one in the same directions."""
    return np.asarray(vectors / length(vectors)[..., None])


def left_of(way: Array) -> Array:
    """The direction (2,) a quarter turn to the left of another."""
    return np.array([-way[1], way[0]])


def along(points: Array, first: Array, second: Array) -> Array:
    """Coordinates of points (N, 2) along two directions, (N, 2)."""
    return np.stack([dot(points, first), dot(points, second)], axis=-1)


def across(coordinates: Array, first: Array, second: Array) -> Array:
    """Points (N, 2) from their coordinates along two directions: undoes :func:`along`."""
    return np.asarray(coordinates[:, :1] * first + coordinates[:, 1:] * second)


def waves(points: Array, vectors: Array, phases: Array) -> Array:
    """Phases of plane waves at points (N, 2), (N, K), for wave vectors (K, 2)."""
    return np.asarray(points[:, :1] * vectors[:, 0] + points[:, 1:] * vectors[:, 1] + phases)
