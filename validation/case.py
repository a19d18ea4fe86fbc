"""The case: one claim about the maps, what it is held against, and how it came out."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

Array = NDArray[np.float64]


class Check(NamedTuple):
    """One deviation and its limit.

    Attributes:
        setting: where it was measured, e.g. ``"3.5 GHz, origin, 160x120"``.
        statistic: what is compared, e.g. ``"energy"``.
        points: number of pixels or bins behind it.
        deviation: measured against expected.
        tolerance: its largest allowed size.
        unit: of both.
    """

    setting: str
    statistic: str
    points: int
    deviation: float
    tolerance: float
    unit: str = "dB"

    @property
    def passed(self) -> bool:
        """Whether the deviation is finite and within the tolerance."""
        return bool(abs(self.deviation) <= self.tolerance)


class Outcome(NamedTuple):
    """What a case found.

    Attributes:
        checks: every comparison.
        figure: its picture.
    """

    checks: list[Check]
    figure: Figure

    @property
    def passed(self) -> bool:
        """Whether there are checks and all are within their tolerance."""
        return bool(self.checks) and all(check.passed for check in self.checks)

    @property
    def worst(self) -> Check:
        """The check that comes closest to its tolerance, or exceeds it most."""
        # A deviation that is no number is the worst of all.
        return max(
            self.checks,
            key=lambda c: (not np.isfinite(c.deviation), abs(c.deviation) / c.tolerance),
        )


class Case(NamedTuple):
    """A case.

    Attributes:
        name: of the command line and of the picture.
        title: heading.
        what: the claim, its formula and the formula's source.
        setting: scene, transmitters and receivers.
        why: the reason of the tolerances.
        caption: what the picture shows.
        run: measures; in its short form if the argument is true.
    """

    name: str
    title: str
    what: str
    setting: str
    why: str
    caption: str
    run: Callable[[bool], Outcome]


def deviation_db(measured: Array, expected: Array) -> Array:
    """Deviation of powers, dB; what is missing altogether is -300 dB off."""
    floor = 1e-30 * np.maximum(expected, 1e-300)
    found: Array = 10 * np.log10(np.maximum(measured, floor) / np.maximum(expected, 1e-300))
    return found


def spread_checks(
    setting: str, deviation: Array, *, median: float, worst: float, share: float = 1.0
) -> list[Check]:
    """The median and the largest size of many deviations, in dB.

    Args:
        setting: see :class:`Check`.
        deviation: (N,) dB.
        median: tolerance of the median of the signed deviations.
        worst: tolerance of the size that ``share`` of them stay below.
        share: 1 for all of them.
    """
    name = "worst" if share == 1.0 else f"{share:.0%} below"
    middle, most = np.median(deviation), np.quantile(np.abs(deviation), share)
    return [
        Check(setting, "median", len(deviation), float(middle), median),
        Check(setting, name, len(deviation), float(most), worst),
    ]
