"""Colour: linear sRGB, what eyes see of it, and how a display is told."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Real = TypeVar("Real", bound=np.floating[Any])

#: Weights of red, green and blue in the luminance of linear sRGB (ITU-R BT.709).
LUMINANCE = np.array([0.2126, 0.7152, 0.0722])


def encode_srgb(linear: NDArray[Real]) -> NDArray[Real]:
    """The sRGB transfer function (IEC 61966-2-1), for light in [0, 1], any shape."""
    high = 1.055 * np.maximum(linear, 0.0031308) ** (1 / 2.4) - 0.055
    encoded: NDArray[Real] = np.where(linear <= 0.0031308, 12.92 * linear, high)
    return encoded


def decode_srgb(encoded: NDArray[Real]) -> NDArray[Real]:
    """Inverse of :func:`encode_srgb`."""
    linear: NDArray[Real] = np.where(
        encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4
    )
    return linear
