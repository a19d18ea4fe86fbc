"""Accuracy of maps against the target they were traced for."""

import numpy as np

from vasgen.datasets.accuracy import accuracies, target_text
from vasgen.datasets.dataset import Views
from vasgen.spec import RadioSpec

#: Medians 0.4, 0.6, 0.5 and none; the third stopped early, so that rounding alone is above.
ERRORS = np.array([[[0.3, 0.4, 9.0]], [[0.6, np.nan, 0.6]], [[0.5, 0.5, 0.5]], [[np.nan] * 3]])
RAYS = np.array([9000, 9000, 4000, 9000])


def test_met_or_not():
    spec = RadioSpec(rays=9000, target_db=0.5)
    found = accuracies(ERRORS.astype(np.float32), RAYS, spec)
    assert [one.met for one in found] == [True, False, True, False]
    assert [one.rays for one in found] == RAYS.tolist()
    np.testing.assert_allclose([one.median_db for one in found], [0.4, 0.6, 0.5, np.nan])


def test_without_a_target_none_is_met_or_missed():
    found = accuracies(ERRORS.astype(np.float32), RAYS, RadioSpec(rays=9000))
    assert [one.met for one in found] == [None] * 4


def test_views_are_summed_up(tmp_path):
    for name in ("a", "b", "untraced"):
        (tmp_path / name).mkdir()
        if name != "untraced":
            np.savez(tmp_path / name / "radio.npz", standard_error_db=ERRORS, rays=RAYS)
    views = Views(tmp_path, ["a", "b", "untraced"])
    spec = RadioSpec(rays=9000, target_db=0.5)
    assert target_text(views, spec) == "0.5 dB met in 4 of 8 maps"
