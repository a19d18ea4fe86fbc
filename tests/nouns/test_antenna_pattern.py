"""The grid of directions that antenna patterns are given on."""

import numpy as np
import pytest

from vasgen.antenna_pattern import AntennaPatterns, directions, globe, solid_angles


def test_the_globe_has_the_poles_the_boresight_and_every_degree():
    elevation, azimuth = globe()
    assert (elevation[0], elevation[-1], len(elevation)) == (-90.0, 90.0, 181)
    assert (azimuth[0], azimuth[-1], len(azimuth)) == (-180.0, 179.0, 360)
    where = directions(elevation, azimuth)
    assert where[90, 180] == pytest.approx([1, 0, 0], abs=1e-12)
    assert where[90, 270] == pytest.approx([0, 1, 0], abs=1e-12)
    assert where[180, 17] == pytest.approx([0, 0, 1], abs=1e-12)
    assert np.linalg.norm(where, axis=-1) == pytest.approx(1)


@pytest.mark.parametrize("step", [1, 5, 30])
def test_solid_angles_fill_the_sphere_and_integrate(step):
    elevation, azimuth = (axis[::step] for axis in globe())
    share = solid_angles(elevation, len(azimuth))
    assert share.shape == (len(elevation), len(azimuth))
    assert share.sum() == pytest.approx(4 * np.pi)
    cap = 2 * np.pi * (1 - np.cos(np.radians(step / 2)))
    assert share[-1].sum() == pytest.approx(cap)
    # Moments of the sphere: the mean of z is 0, of x squared 1/3.
    where = directions(elevation, azimuth)
    assert (share * where[..., 2]).sum() == pytest.approx(0, abs=1e-9)
    third = (share * where[..., 0] ** 2).sum() / (4 * np.pi)
    assert third == pytest.approx(1 / 3, abs=0.06 * np.radians(step) ** 2 + 1e-9)


def test_the_mean_is_over_the_sphere_not_over_the_grid():
    elevation, azimuth = globe()
    upper = (elevation > 30)[:, None] * np.ones(len(azimuth))
    gain = np.stack([np.ones_like(upper), upper]).astype(np.float32)
    mean = AntennaPatterns(gain, elevation, azimuth).mean()
    assert mean == pytest.approx([1, 0.25], abs=0.005)  # the cap above 30 degrees is a quarter
