"""A built dataset says what its transmitters radiate."""

import shutil

import numpy as np
from PIL import Image

import vasgen.datasets
from vasgen.antenna import ANTENNAS
from vasgen.datasets.antennas import read_patterns
from vasgen.orchestrate import build
from vasgen.orchestrate.patterns import add_patterns
from vasgen.transmitter import Transmitter


def test_a_built_dataset_holds_the_pattern_of_each_transmitter(built):
    patterns = vasgen.datasets.open(built).antenna_patterns
    assert patterns.gain.shape == (2, 181, 360)
    assert np.abs(patterns.gain - 1).max() < 1e-4  # isotropic
    with Image.open(built / "antennas.png") as picture:
        assert picture.format == "PNG"


def test_missing_patterns_are_made_again(built, tiny_spec, tmp_path):
    folder = tmp_path / "tiny"
    shutil.copytree(built, folder)
    (folder / "antennas.npz").unlink()
    assert build(tiny_spec, folder).made == 0
    for name in ("antennas.npz", "dataset.json"):
        assert (folder / name).read_bytes() == (built / name).read_bytes()


def test_patterns_follow_the_order_of_the_transmitters(tmp_path):
    names = ["8x4", "siso", "4x4"]
    add_patterns(
        tmp_path, [Transmitter(name, (0.0, 0.0, 0.0), antenna=ANTENNAS[name]) for name in names]
    )
    gain = read_patterns(tmp_path).gain
    assert np.allclose(gain[:, 90, 180], [32, 1, 16], rtol=1e-3)
