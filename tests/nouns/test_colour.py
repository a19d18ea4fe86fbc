"""The sRGB transfer function is that of IEC 61966-2-1, and luminance that of BT.709."""

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from vasgen.colour import LUMINANCE, decode_srgb, encode_srgb


@pytest.mark.parametrize(
    ("linear", "byte"), [(0.0, 0), (0.0021, 7), (0.0144, 32), (0.2159, 128), (0.5, 188), (1.0, 255)]
)
def test_known_values(linear, byte):
    assert round(255 * float(encode_srgb(np.array(linear)))) == byte


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_decoding_is_the_inverse_and_keeps_the_type(kind):
    shown = np.linspace(0, 1, 256, dtype=kind)
    linear = decode_srgb(shown)
    assert encode_srgb(linear) == pytest.approx(shown, abs=2e-6)
    assert linear.dtype == encode_srgb(linear).dtype == kind
    assert (np.diff(linear) > 0).all()


def test_the_pieces_of_the_curve_meet():
    joint = np.array([0.0031308 * (1 - 1e-9), 0.0031308 * (1 + 1e-9)])
    assert np.ptp(encode_srgb(joint)) < 1e-6


def test_white_has_luminance_one_and_green_most_of_it():
    assert pytest.approx(1.0) == LUMINANCE.sum()
    red, green, blue = (
        decode_srgb(np.array(to_rgb(c))) @ LUMINANCE for c in ("red", "lime", "blue")
    )
    assert green > red > blue
