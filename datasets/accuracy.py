"""Accuracy: how well radio maps are known, and whether that is as well as was asked for."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vasgen.datasets.dataset import Views
from vasgen.datasets.store import RADIO_NPZ, read_arrays
from vasgen.layers import Float
from vasgen.spec import RadioSpec


class Accuracy(NamedTuple):
    """Of the map of one transmitter in one view.

    Attributes:
        median_db: median standard error of its reached pixels, dB; NaN if none is reached.
        rays: number that was counted.
        met: whether the target was met within the budget, which it is not if no pixel is
            reached; None without a target.
    """

    median_db: float
    rays: int
    met: bool | None


def accuracies(
    standard_error_db: Float, rays: NDArray[np.int64], spec: RadioSpec
) -> list[Accuracy]:
    """Accuracy of every map of a view.

    Args:
        standard_error_db: (T, H, W), the layer of that name.
        rays: (T,), the layer of that name.
        spec: target and budget.
    """
    found = []
    for errors, count in zip(standard_error_db, rays.tolist(), strict=True):
        known = errors[np.isfinite(errors)]
        median = float(np.median(known)) if len(known) else np.nan
        # Rays that were left over say it too: the layer is rounded.
        met = None if spec.target_db is None else median < spec.target_db or 0 < count < spec.rays
        found.append(Accuracy(median, count, met))
    return found


def target_text(views: Views, spec: RadioSpec) -> str:
    """Whether the maps of views met the target, e.g. "0.5 dB met in 10 of 12 maps".

    Args:
        views: those with radio layers count.
        spec: what they were traced with; it has a target.

    Raises:
        StorageError: if radio layers are damaged.
    """
    found: list[Accuracy] = []
    for name in views.names:
        path = views.folder / name / RADIO_NPZ
        if path.is_file():
            arrays = read_arrays(path)
            found += accuracies(arrays["standard_error_db"], arrays["rays"], spec)
    met = sum(accuracy.met is True for accuracy in found)
    return f"{spec.target_db:g} dB met in {met} of {len(found)} maps"
