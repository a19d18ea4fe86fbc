"""Antenna patterns: how strongly transmitters radiate in each direction of the world."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

#: Distance of directions in azimuth and in elevation, degrees.
STEP_DEG = 1.0


class AntennaPatterns(NamedTuple):
    """Power patterns of transmitters on the unit sphere, in world directions.

    The directions are those of a globe with a line at every degree: :data:`STEP_DEG`. Every
    fifth row and column of it are again such a grid, of 5 degrees.

    Attributes:
        gain: (T, E, A) float32, power gain over an isotropic antenna, linear; the
            transmitter's orientation and precoding included.
        elevation_deg: (E,) float64, from -90 (down) to 90 (up).
        azimuth_deg: (A,) float64, from -180 on, anticlockwise from the x axis (east).
    """

    gain: NDArray[np.float32]
    elevation_deg: Array
    azimuth_deg: Array

    def mean(self) -> Array:
        """Gain averaged over the sphere, (T,).

        That is the power sent out by the power fed in, 1 for a lossless antenna. Arrays miss
        it, as elements do not feel each other: see docs/antennas.md.
        """
        share = solid_angles(self.elevation_deg, len(self.azimuth_deg)) / (4 * np.pi)
        mean: Array = np.einsum("tea,ea->t", self.gain.astype(np.float64), share)
        return mean


def globe() -> tuple[Array, Array]:
    """Elevations, (E,), and azimuths, (A,), of the grid, degrees."""
    azimuth = np.linspace(-180.0, 180.0, round(360 / STEP_DEG), endpoint=False)
    return np.linspace(-90.0, 90.0, round(180 / STEP_DEG) + 1), azimuth


def directions(elevation_deg: Array, azimuth_deg: Array) -> Array:
    """Unit vectors of a grid, (E, A, 3), world axes."""
    elevation, azimuth = np.radians(elevation_deg)[:, None], np.radians(azimuth_deg)
    flat = np.cos(elevation)
    x, y = flat * np.cos(azimuth), flat * np.sin(azimuth)
    return np.stack([x, y, np.broadcast_to(np.sin(elevation), x.shape)], axis=-1)


def solid_angles(elevation_deg: Array, num_azimuths: int) -> Array:
    """Solid angle that each direction of a grid stands for, (E, A) steradians.

    It reaches half way to the neighbours: the difference of sin(elevation) between its upper
    and lower bound, times the step in azimuth. The directions of a pole share its cap. All
    add up to 4 pi.

    Args:
        elevation_deg: (E,) from -90 to 90, evenly spaced.
        num_azimuths: A, evenly spaced around.
    """
    middle = (elevation_deg[1:] + elevation_deg[:-1]) / 2
    bounds = np.sin(np.radians(np.concatenate([[-90.0], middle, [90.0]])))
    band = np.diff(bounds) * 2 * np.pi / num_azimuths
    return np.repeat(band[:, None], num_azimuths, axis=1)
