"""The built environment that radio models ask for: ITU-R P.1410's three parameters."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from vasgen.citygen.profiles import LotProfile, Profile, StreetProfile
from vasgen.errors import InputError

#: Nothing is lower: a storey with its roof, metres.
LOWEST_BUILDING_M = 2.4
#: Fewer buildings say nothing about a density.
FEWEST_BUILDINGS = 10

_USUAL_COVERAGE = 0.7  # share of a block that buildings cover without crowding
_FULL_COVERAGE = 0.86  # hardly more than light wells and gaps are left
_CORNERS = 0.95  # share of the land that is left by rounded kerbs and oblique avenues
_WIDEST = 2.2  # streets are at most this many times as far apart as the profile's
_LOW_SHARE = 0.2  # of the Rayleigh law may lie below the lowest building


@dataclass(frozen=True)
class Targets:
    """How built-up a city is to be, by Recommendation ITU-R P.1410-6.

    Attributes:
        alpha: share of the land that buildings cover, (0, 1).
        beta: buildings per square kilometre.
        gamma: scale of the Rayleigh distribution of building heights, metres.

    Raises:
        InputError: if a value is no positive number, or alpha not below 1.
    """

    alpha: float
    beta: float
    gamma: float

    def __post_init__(self) -> None:
        for name in ("alpha", "beta", "gamma"):
            value = getattr(self, name)
            if not math.isfinite(value) or value <= 0:
                raise InputError(f"{name} is {value!r}; allowed: a number above 0.")
        if self.alpha >= 1:
            raise InputError(f"alpha is {self.alpha!r}; allowed: a share of the land below 1.")


#: The environments of ITU-R P.1410-6, table 1, by the names radio models use.
ENVIRONMENTS: dict[str, Targets] = {
    "suburban": Targets(0.1, 750.0, 8.0),
    "urban": Targets(0.3, 500.0, 15.0),
    "dense-urban": Targets(0.5, 300.0, 20.0),
    "highrise-urban": Targets(0.5, 300.0, 50.0),
}


def parse_targets(text: str | None) -> Targets | None:
    """Targets from a name of :data:`ENVIRONMENTS`, or from "alpha/beta/gamma".

    Raises:
        InputError: if it is neither, or a figure is not allowed.
    """
    if text is None or text in ENVIRONMENTS:
        return None if text is None else ENVIRONMENTS[text]
    try:
        alpha, beta, gamma = (float(figure) for figure in text.split("/"))
    except ValueError:
        raise InputError(
            f"targets are {text!r}; allowed: {', '.join(ENVIRONMENTS)}, or alpha/beta/gamma like "
            "0.3/500/15."
        ) from None
    return Targets(alpha, beta, gamma)


def fit(profile: Profile, targets: Targets) -> Profile:
    """The profile with streets so far apart, and so few parks, that the land carries the targets.

    Args:
        profile: rules of a density.
        targets: what to hit.

    Raises:
        InputError: if the streets leave too little land, or heights are below a storey.
    """
    _check_heights(targets.gamma)
    streets = profile.streets
    # A block carries a building or more, so there are no more blocks than buildings.
    block_m2 = streets.spacing_m[0] * streets.spacing_m[1]
    scale = min(_WIDEST, max(1.0, math.sqrt(1e6 / (0.75 * targets.beta * block_m2))))
    while targets.alpha > _USUAL_COVERAGE * _block_share(streets, scale) and scale < _WIDEST:
        scale = min(scale * 1.02, _WIDEST)
    most = _FULL_COVERAGE * _block_share(streets, scale)
    if targets.alpha > most:
        widths = ", ".join(f"{width:g}" for width in streets.widths_m)
        raise InputError(
            f"alpha is {targets.alpha:g}; allowed: at most {math.floor(most * 100) / 100:g} with "
            f"streets of {widths} m; give a smaller alpha or a profile with narrower streets."
        )
    coverage = targets.alpha / _block_share(streets, scale)
    return replace(
        profile, streets=_spaced(streets, scale), lots=_with_few_parks(profile.lots, coverage)
    )


def _check_heights(gamma: float) -> None:
    lowest = LOWEST_BUILDING_M / math.sqrt(-2.0 * math.log(1.0 - _LOW_SHARE))
    if gamma < lowest:
        raise InputError(
            f"gamma is {gamma:g}; allowed: at least {math.ceil(lowest * 10) / 10:g} m, so that "
            f"most buildings have a storey of {LOWEST_BUILDING_M:g} m; give a larger gamma."
        )


def _block_share(streets: StreetProfile, scale: float) -> float:
    """Share of the land behind the pavements, with all distances times ``scale``."""
    avenue, major, minor = streets.widths_m
    sides = 2 * streets.pavement_m
    usual = (major + (streets.major_every - 1) * minor) / streets.major_every + sides
    share = _CORNERS * (1.0 - (avenue + sides) / (scale * streets.avenue_spacing_m))
    for spacing in streets.spacing_m:
        share *= max(0.0, 1.0 - usual / (scale * spacing))
    return share


def _spaced(streets: StreetProfile, scale: float) -> StreetProfile:
    one, two = (round(scale * spacing, 1) for spacing in streets.spacing_m)
    return replace(
        streets, spacing_m=(one, two), avenue_spacing_m=round(scale * streets.avenue_spacing_m, 1)
    )


def _with_few_parks(lots: LotProfile, coverage: float) -> LotProfile:
    """The fuller the blocks have to be, the fewer are left open."""
    left = max(0.0, 1.0 - coverage / _USUAL_COVERAGE)
    uses = [(use, w * left if use in ("park", "plaza") else w) for use, w in lots.uses]
    return replace(lots, uses=tuple(uses))
