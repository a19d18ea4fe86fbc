"""Antenna patterns of a dataset: their file and their picture."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

import vasgen.datasets
from vasgen.antenna import ANTENNAS
from vasgen.antenna_pattern import AntennaPatterns, directions, globe
from vasgen.datasets.antennas import ANTENNAS_NPZ, read_patterns, write_patterns
from vasgen.datasets.lobes import draw_patterns
from vasgen.errors import StorageError
from vasgen.transmitter import Transmitter


@pytest.fixture
def lobe():
    """Patterns with one round lobe each, of 12 dBi: to the east and upwards."""
    elevation, azimuth = globe()
    where = directions(elevation, azimuth)
    gain = np.stack([15.8 * np.clip(where[..., axis], 0, 1) ** 8 for axis in (0, 2)])
    return AntennaPatterns(gain.astype(np.float32), elevation, azimuth)


def transmitters(*antennas):
    return [Transmitter(f"tx-{i}", (0.0, 0.0, 0.0), antenna=a) for i, a in enumerate(antennas)]


def coloured(path):
    """Where a picture is neither white nor grey, (rows, columns)."""
    pixels = np.asarray(Image.open(path).convert("RGB"), int)
    return np.ptp(pixels, axis=-1) > 60


def test_patterns_come_back_as_they_were(lobe, tmp_path):
    write_patterns(tmp_path, lobe)
    back = read_patterns(tmp_path)
    for name, array in lobe._asdict().items():
        assert np.array_equal(getattr(back, name), array)
        assert getattr(back, name).dtype == array.dtype
    first = (tmp_path / ANTENNAS_NPZ).read_bytes()
    write_patterns(tmp_path, lobe)
    assert (tmp_path / ANTENNAS_NPZ).read_bytes() == first


def test_a_dataset_has_the_patterns_of_its_transmitters(dataset):
    opened = vasgen.datasets.open(dataset)
    gain = opened.antenna_patterns.gain
    assert gain.shape == (2, 181, 360)
    assert (gain == 1).all()


def test_changed_and_missing_patterns_are_told(dataset, lobe):
    assert vasgen.datasets.verify(dataset).problems == ()
    write_patterns(dataset, lobe)
    (problem,) = vasgen.datasets.verify(dataset).problems
    assert str(problem) == "antennas.npz: was changed: another SHA-256"
    np.savez(dataset / ANTENNAS_NPZ, gain=lobe.gain)
    with pytest.raises(StorageError, match=r"antennas\.npz lacks azimuth_deg, elevation_deg"):
        _ = vasgen.datasets.open(dataset).antenna_patterns
    (dataset / ANTENNAS_NPZ).unlink()
    (problem,) = vasgen.datasets.verify(dataset).problems
    assert str(problem) == "antennas.npz: is missing"
    with pytest.raises(StorageError, match="cannot be read"):
        _ = vasgen.datasets.open(dataset).antenna_patterns


def test_the_picture_shows_the_lobe_where_it_points(lobe, tmp_path):
    """East is to the lower right of the middle, up is above it."""
    pair = transmitters(ANTENNAS["4x4"], ANTENNAS["8x4"])
    assert draw_patterns(lobe, pair, tmp_path / "antennas.png") == 2
    shown = coloured(tmp_path / "antennas.png")
    height, width = shown.shape
    shown = shown[: int(0.8 * height)]  # without the colour bar
    east, up = shown[:, : width // 2], shown[:, width // 2 :]
    assert np.argwhere(east)[:, 1].mean() > 0.55 * east.shape[1]
    assert np.argwhere(up)[:, 1].mean() == pytest.approx(up.shape[1] / 2, rel=0.02)
    assert np.argwhere(up)[:, 0].mean() < np.argwhere(east)[:, 0].mean() - 20


def test_equal_antennas_of_equal_orientation_share_a_picture(lobe, tmp_path):
    first, second = transmitters(ANTENNAS["4x4"], ANTENNAS["8x4"])
    many = [first, replace(first, name="b", position=(5.0, 0.0, 0.0), power_dbm=3.0), second]
    many.append(replace(first, name="c", orientation_deg=(10.0, 0.0, 0.0)))
    patterns = lobe._replace(gain=lobe.gain[[0, 0, 1, 0]])
    assert draw_patterns(patterns, many, tmp_path / "antennas.png") == 3


def test_a_page_holds_twelve_pictures(tmp_path):
    elevation, azimuth = globe()
    gain = np.ones((14, len(elevation), len(azimuth)), np.float32)
    many = [Transmitter(f"t{i}", (0, 0, 0), orientation_deg=(float(i), 0, 0)) for i in range(14)]
    patterns = AntennaPatterns(gain, elevation, azimuth)
    assert draw_patterns(patterns, many, tmp_path / "antennas.png") == 12
    with Image.open(tmp_path / "antennas.png") as picture:
        assert picture.width > picture.height  # four a row, three rows


def test_an_antenna_that_sends_nothing_can_be_drawn(lobe, tmp_path):
    """Weights of close elements may cancel: a dot, no division by zero."""
    (single,) = transmitters(ANTENNAS["siso"])
    silent = lobe._replace(gain=np.zeros_like(lobe.gain[:1]))
    assert draw_patterns(silent, [single], tmp_path / "antennas.png") == 1
