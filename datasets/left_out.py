"""What relabelling leaves out: power that was counted has no paths that could be evaluated."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vasgen.datasets import store
from vasgen.datasets.dataset import Views
from vasgen.layers import MECHANISMS, PATH_GAIN_FLOOR_DB, RadioLayers

Array = NDArray[np.float64]

#: Losses are told apart in steps of this, up to this, dB: memory does not grow with the views.
_STEP_DB, _MOST_DB = 0.01, 300.0

_COUNTED = MECHANISMS.index("remainder")
_FLOOR = 10 ** (PATH_GAIN_FLOOR_DB / 10)


class LeftOut(NamedTuple):
    """The remainder of all maps of a dataset: what was counted there.

    Attributes:
        power_share: of the path gain, summed over all pixels and transmitters.
        median_db: median over reached pixels of how far their gain lies above that of their
            paths, dB.
        lost_share: of the reached pixels, those that no path reaches.
    """

    power_share: float
    median_db: float
    lost_share: float

    @property
    def text(self) -> str:
        """The line that says so, without a full stop."""
        return (
            f"left out, since it was counted: {self.power_share:.2g} of the power, "
            f"{self.median_db:.2f} dB (median of the reached pixels), "
            f"{self.lost_share:.2%} of the reached pixels altogether"
        )


def what_is_left_out(views: Views) -> LeftOut:
    """The power of the remainder in all views, before it is left out.

    Args:
        views: with layers of mechanisms.

    Raises:
        StorageError: if a view is damaged.
    """
    power, counted = 0.0, 0.0
    losses = np.zeros(round(_MOST_DB / _STEP_DB) + 1, np.int64)
    for name in views.names:
        radio = store.read_radio(views.folder / name)
        share, total = _counted_share(radio)
        power, counted = power + float(total.sum()), counted + float((share * total).sum())
        with np.errstate(divide="ignore"):
            loss_db = np.minimum(-10 * np.log10(1 - share), _MOST_DB)
        losses += np.bincount(np.rint(loss_db / _STEP_DB).astype(int), minlength=len(losses))
    reached = int(losses.sum())
    if not reached:
        return LeftOut(0.0, 0.0, 0.0)
    median = int(np.searchsorted(np.cumsum(losses), reached / 2)) * _STEP_DB
    return LeftOut(counted / power, median, int(losses[-1]) / reached)


def _counted_share(radio: RadioLayers) -> tuple[Array, Array]:
    """Counted share of the gain of the reached pixels, and that gain, (N,) each."""
    total = 10 ** (radio.path_gain_db[radio.reached].astype(np.float64) / 10)
    if radio.mechanism_gain_db is None:
        return np.zeros(len(total)), total
    gain_db = radio.mechanism_gain_db[:, radio.reached].astype(np.float64)
    gain = np.where(gain_db > PATH_GAIN_FLOOR_DB, 10 ** (gain_db / 10), 0.0)
    return gain[_COUNTED] / np.maximum(gain.sum(axis=0), _FLOOR), total
