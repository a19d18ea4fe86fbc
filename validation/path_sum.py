"""The sum of what is known and what is counted, against a map of which all is counted."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from validation import theory
from validation.case import Case, Check, Outcome
from validation.path_cities import Place, place_in
from validation.plot import INK, curve, dress, legend, new_figure, points
from vasgen.spec import RadioSpec
from vasgen.vas.closed_form.closed_form_solver import ClosedFormSolver
from vasgen.vas.counting.coverage_solver import CoverageSolver
from vasgen.vas.solver import Powers

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

#: Share of a label by which the two may differ besides: its points on the footprint.
_GEOMETRY = 0.03

#: How far sums may differ, dB; with the few rays of the short form.
_SUM_DB, _FEW_RAYS_DB = 0.1, 0.3

_SPEC = RadioSpec(diffraction=False)  # all mechanisms that are counted, 20 deep


class _Sums(NamedTuple):
    """Two maps of one view and transmitter.

    Attributes:
        known: closed form and remainder.
        counted: by rays alone, but for line of sight.
        whole: (P,) pixels that lie on one plane: of others a few points stand for the mean.
    """

    known: Powers
    counted: Powers
    whole: Mask

    @property
    def normal(self) -> Array:
        """Differences in units of their own standard error, (K,), where rays have left any."""
        known, counted = self.known.gain[0], self.counted.gain[0]
        variance = self.known.variance[0] + self.counted.variance[0]
        where = self.whole & (variance > (_GEOMETRY * counted) ** 2) & (counted > 0)
        sigma = np.sqrt(variance + (_GEOMETRY * counted) ** 2)
        return np.asarray((known - counted)[where] / sigma[where])

    def bias_db(self, where: Mask) -> float:
        """Sum of some pixels of ours over that of the counted ones, dB."""
        known, counted = (powers.gain[0][where].sum() for powers in self[:2])
        return float(theory.decibels(known / counted))

    def checks(self, setting: str, limit_db: float) -> list[Check]:
        """Sums of lit and of dark pixels, and the spread of the differences."""
        lit = self.whole & self.counted.visible[0]
        dark = self.whole & ~self.counted.visible[0]
        normal = self.normal
        spread = float(np.quantile(np.abs(normal), 0.683)) - 1
        beyond = 100 * float((np.abs(normal) > 2).mean())
        return [
            Check(setting, "sum, lit", int(lit.sum()), self.bias_db(lit), limit_db),
            Check(setting, "sum, in shadow", int(dark.sum()), self.bias_db(dark), limit_db),
            Check(setting, "spread (1 is exact)", len(normal), spread, 0.35, "σ"),
            Check(setting, "share beyond 2 σ", len(normal), beyond, 10.0, "%"),
        ]


def _summed(short: bool) -> Outcome:
    rays = 2_000_000 if short else 10_000_000
    shown = {}
    for name in ("mix",) if short else ("downtown", "mix", "munich"):
        place = place_in(name, far=False, size=0.25 if short else 0.5)
        shown[name] = _both(place, rays)
    limit_db = _FEW_RAYS_DB if short else _SUM_DB
    checks = [check for name, sums in shown.items() for check in sums.checks(name, limit_db)]
    return Outcome(checks, _sum_figure(shown))


def _both(place: Place, rays: int) -> _Sums:
    ours = _SPEC.model_copy(update={"rays": rays // 3, "search_rays": 3_000_000})
    theirs = _SPEC.model_copy(update={"rays": rays, "chunks": 20})
    found = [
        solver.solve([place.surface], [place.transmitter], seed=seed, advance=lambda share: None)[0]
        for seed, solver in enumerate(
            (ClosedFormSolver(place.scene, ours), CoverageSolver(place.scene, theirs))
        )
    ]
    windows, whole = place.surface.windows, np.zeros(place.surface.num_pixels, bool)
    if windows is not None:
        whole[place.surface.pixel[(windows.cell < 0) & (windows.zoom == 1)]] = True
    return _Sums(*found, whole)


def _sum_figure(shown: dict[str, _Sums]) -> Figure:
    figure, (left, right) = new_figure("Closed form and remainder against counted rays", 2)
    random = np.random.default_rng(0)
    low, high = -60.0, -140.0
    for number, (name, sums) in enumerate(shown.items()):
        reached = (sums.known.gain[0] > 0) & (sums.counted.gain[0] > 0)
        both = np.flatnonzero(reached & sums.whole)
        some = random.permutation(both)[:250]
        x, y = (theory.decibels(powers.gain[0][some]) for powers in (sums.counted, sums.known))
        points(left, x, y, number, name)
        low, high = min(low, x.min()), max(high, x.max())
    curve(left, [low, high], [low, high], 4)
    dress(left, "250 random pixels each", "counted (dB)", "closed form and remainder (dB)")
    legend(left)
    normal = np.concatenate([sums.normal for sums in shown.values()])
    edges = np.linspace(-4, 4, 41).tolist()
    right.hist(
        np.clip(normal, -4, 4), edges, density=True, color="#cf9d74", edgecolor="#f7f4ee", lw=0.4
    )
    line = np.linspace(-4, 4, 200)
    bell = np.exp(-(line**2) / 2) / np.sqrt(2 * np.pi)
    right.plot(line, bell, color=INK, lw=1.3, label="normal law")
    dress(right, "pixels whose error exceeds 3 %", "difference (σ)", "density")
    legend(right)
    return figure


SUM = Case(
    name="sum",
    title="The sum of mechanisms",
    what=(
        "The closed-form solver adds what it knows, mechanism by mechanism, and counts rays for "
        "the remainder: more mirrors, and what is no mirror. The sum must be the map of the "
        "coverage solver, which counts rays for all but line of sight."
    ),
    setting=(
        "Views of cities, 20 interactions deep, reflections and transmissions; the coverage "
        "solver has three times the rays."
    ),
    why=(
        "Differences are divided by their own uncertainty: the stated standard errors of both "
        "and 3 % for where in a footprint the mean is taken, in whole pixels whose standard error "
        "is more than that. 68 % should lie within one, give or take 35 %, nine in ten within "
        "two; sums over all whole pixels within 0.1 dB."
    ),
    caption="Left: pixels. Right: all differences in units of their standard error.",
    run=_summed,
)
