"""The built environment that radio models ask for: ITU-R P.1410's three parameters."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

from vasgen.citygen.profiles import LotProfile, Profile, StreetProfile, is_number
from vasgen.errors import InputError

#: Nothing is lower: a storey with its roof, metres.
LOWEST_BUILDING_M = 2.4
#: Fewer buildings say nothing about a density.
FEWEST_BUILDINGS = 10

_USUAL_COVERAGE = 0.7  # share of a block that buildings cover without crowding
_FULL_COVERAGE = 0.82  # little more than light wells and gaps is left
_CORNERS = 0.95  # share of the land that is left by rounded kerbs and oblique streets
_FRONT_M = 24.0  # length of street centre line for a lot, if blocks can be had so small
_NARROWER = (1.0, 0.9, 0.8, 0.7)  # widths of streets that make room, as shares
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
            if not is_number(value) or value <= 0:
                raise InputError(f"{name} is {value!r}; allowed: a number above 0.")
            object.__setattr__(self, name, float(value))
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
    """The profile changed so that the land carries the targets.

    Streets move apart where blocks would be crowded, get narrower where that does not do, and
    fewer blocks are left open as parks.

    Args:
        profile: rules of a density.
        targets: what to hit.

    Raises:
        InputError: if the streets leave too little land, or heights are below a storey.
    """
    _check_heights(targets.gamma)
    for streets, coverage in _choices(profile.streets, targets.beta):
        share = _block_share(streets)
        if targets.alpha <= coverage * share:
            lots = _with_few_parks(profile.lots, targets.alpha / share)
            return replace(profile, streets=streets, lots=lots)
    widths = ", ".join(f"{width:g}" for width in streets.widths_m)
    most = math.floor(coverage * share * 100) / 100
    raise InputError(
        f"alpha is {targets.alpha:g}; allowed: at most {most:g} with these streets, even if "
        f"narrowed to {widths} m; give a smaller alpha or a profile with narrower streets."
    )


def _choices(streets: StreetProfile, beta: float) -> Iterator[tuple[StreetProfile, float]]:
    """Streets to choose from, the best first, with the share of blocks that may be built on."""
    one, two = streets.spacing_m
    # A block carries a building or more, so there are no more blocks than buildings.
    scale = min(_WIDEST, max(1.0, math.sqrt(1e6 / (0.75 * beta * one * two))))
    scales = [scale]
    while scale < _WIDEST:
        scale = min(1.02 * scale, _WIDEST)
        scales.append(scale)
    front_m = 2e6 * (one + two) / (beta * one * two)  # of a lot, along centre lines
    usual = [scale for scale in scales if front_m / scale > _FRONT_M] or scales[:1]
    yield from ((_scaled(streets, scale), _USUAL_COVERAGE) for scale in usual)
    for narrow in _NARROWER:
        yield _scaled(streets, usual[-1], narrow), _FULL_COVERAGE
    for scale in scales[len(usual) :]:
        yield _scaled(streets, scale, _NARROWER[-1]), _FULL_COVERAGE


def _check_heights(gamma: float) -> None:
    lowest = LOWEST_BUILDING_M / math.sqrt(-2.0 * math.log(1.0 - _LOW_SHARE))
    if gamma < lowest:
        raise InputError(
            f"gamma is {gamma:g}; allowed: at least {math.ceil(lowest * 10) / 10:g} m, so that "
            f"most buildings have a storey of {LOWEST_BUILDING_M:g} m; give a larger gamma."
        )


def _scaled(streets: StreetProfile, spacing: float, width: float = 1.0) -> StreetProfile:
    """Streets with other distances and widths; narrowed minor streets have no parking lanes."""
    if spacing == 1.0 and width == 1.0:
        return streets
    one, two = (round(spacing * distance, 1) for distance in streets.spacing_m)
    avenue, major, minor = (round(width * metres, 1) for metres in streets.widths_m)
    parking = streets.parking_m if width == 1.0 else (*streets.parking_m[:2], 0.0)
    return replace(
        streets,
        spacing_m=(one, two),
        widths_m=(avenue, major, minor),
        parking_m=parking,
        pavement_m=round(width * streets.pavement_m, 1),
    )


def _block_share(streets: StreetProfile) -> float:
    """Share of the land behind the pavements."""
    avenue, major, minor = streets.widths_m
    large = (avenue + (streets.avenue_every - 1) * major) / streets.avenue_every
    usual = (large + (streets.major_every - 1) * minor) / streets.major_every
    share = _CORNERS
    for spacing in streets.spacing_m:
        share *= max(0.0, 1.0 - (usual + 2 * streets.pavement_m) / spacing)
    return share


def _with_few_parks(lots: LotProfile, coverage: float) -> LotProfile:
    """The fuller the blocks have to be, the fewer are left open."""
    left = max(0.0, 1.0 - coverage / _USUAL_COVERAGE)
    uses = [(use, w * left if use in ("park", "plaza") else w) for use, w in lots.uses]
    return replace(lots, uses=tuple(uses))
