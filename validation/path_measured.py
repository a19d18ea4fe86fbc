"""Single paths of the solver beside those that theory expects, and the plates of both."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tests.vas.reference import FoundPaths
from validation import theory
from validation.case import Check, deviation_db
from validation.path_reference import match

Array = NDArray[np.float64]

TOLERANCE_DB = 0.05
#: At the corner of two mirrors a path may be taken for that of the next pixel, which meets them
#: in the other order.
_WORST_DB = 1.2
_STRONG = 0.01  # share of a point's power; the solver leaves out paths of less than a tenth of it


class Slab(theory.Slab):
    """A plate that below 1 GHz, where P.2040 says nothing, has the permittivity of 1 GHz."""

    def permittivity(self, frequency_hz: float) -> complex:
        """Complex relative permittivity."""
        return super().permittivity(max(frequency_hz, 1e9))


METAL, CONCRETE = Slab("metal", 0.1), Slab("concrete", 0.3)


class Measured(NamedTuple):
    """Paths of the solver beside those of the theory.

    Attributes:
        gain_db: (M,) ours over the theory's, of those that both have.
        delay_ns: (M,) ours less the theory's.
        angle_deg: (M,) the larger of both angles between ours and the theory's.
        expected: the theory's paths that both have.
        place: (M, 3) where they end, relative to the scene's own origin.
        missed: of the theory's paths with a hundredth of their point's power or more, the share
            that the solver has not.
        false: of the solver's paths, the share that the theory has not.
    """

    gain_db: Array
    delay_ns: Array
    angle_deg: Array
    expected: FoundPaths
    place: Array
    missed: float
    false: float

    def checks(self, setting: str) -> list[Check]:
        """Nothing missed, nothing false, and each path right."""
        count = len(self.gain_db)
        error = np.abs(self.gain_db)
        rows = (
            ("path gain, 99.9% below", float(np.quantile(error, 0.999)), TOLERANCE_DB, "dB"),
            ("path gain, worst", float(error.max()), _WORST_DB, "dB"),
            ("delay, worst", float(np.abs(self.delay_ns).max()), 0.001, "ns"),
            ("angles, worst", float(self.angle_deg.max()), 0.01, "°"),
            ("strong paths missed", 100 * self.missed, 0.1, "%"),
            ("paths too many", 100 * self.false, 0.1, "%"),
        )
        return [
            Check(setting, name, count, value, limit, unit) for name, value, limit, unit in rows
        ]


def measured(ours: FoundPaths, expected: FoundPaths, place: Array) -> Measured:
    """Ours beside the theory's, of points at ``place``, (K, 3)."""
    pairs = match(expected, ours)
    one, other = expected.take(pairs.one), ours.take(pairs.other)
    total = np.bincount(expected.point, expected.gain, len(place))
    strong = expected.gain > _STRONG * total[expected.point]
    found = np.zeros(len(strong), bool)
    found[pairs.one] = True
    return Measured(
        deviation_db(other.gain, one.gain),
        -1e9 * pairs.delay_s,
        np.maximum(pairs.departure_deg, pairs.arrival_deg),
        one,
        place[one.point],
        float((~found[strong]).mean()),
        1 - len(pairs.other) / max(len(ours.point), 1),
    )
