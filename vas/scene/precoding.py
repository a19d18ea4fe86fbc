"""Precoding: with which weight each port of a planar array is fed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vasgen.antenna import Antenna

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]


def element_positions(antenna: Antenna) -> Array:
    """Where the elements stand in the array's own frame, (N, 3) wavelengths.

    The array lies in the y-z plane around the origin. Elements are counted column by column
    from the one with the least y on, each column from its top down.
    """
    column, row = np.divmod(np.arange(antenna.rows * antenna.columns), antenna.rows)
    y = (column - (antenna.columns - 1) / 2) * antenna.horizontal_spacing
    z = ((antenna.rows - 1) / 2 - row) * antenna.vertical_spacing
    return np.stack([np.zeros(len(row)), y, z], axis=1)


def port_weights(antenna: Antenna) -> Complex:
    """The complex weight of each port, of unit power in all, (ports,).

    With weights w the element at position p (wavelengths) adds w exp(2 pi j p.k) to the field
    in direction k: weights are not conjugated. Ports of the second polarization follow all
    those of the first; steering and uniform feeding treat both alike.
    """
    if antenna.weights is not None:
        given = np.array(antenna.weights) @ [1, 1j]
        # Divided by the greatest first: squares of tiny or huge weights leave the range.
        given = given / np.abs(given).max()
        return np.asarray(given / np.linalg.norm(given))
    elements = np.ones(antenna.rows * antenna.columns, np.complex128)
    if antenna.steer_deg is not None:
        towards = direction(*antenna.steer_deg)
        elements = np.exp(-2j * np.pi * (element_positions(antenna) @ towards))
    ports = np.tile(elements, antenna.num_ports // len(elements))
    return np.asarray(ports / np.sqrt(len(ports)))


def direction(azimuth_deg: float, elevation_deg: float) -> Array:
    """Unit vector, (3,), from azimuth (from +x towards +y) and elevation, degrees."""
    azimuth, elevation = np.radians([azimuth_deg, elevation_deg])
    flat = np.cos(elevation)
    return np.array([flat * np.cos(azimuth), flat * np.sin(azimuth), np.sin(elevation)])
