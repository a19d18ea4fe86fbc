"""What makes a density what it is: the rules of its streets, lots, heights and looks."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from numbers import Real
from typing import Any, Literal, get_args

from vasgen.errors import InputError

Density = Literal["downtown", "mix", "margin"]
DENSITIES: tuple[Density, ...] = get_args(Density)

#: What a block is used for; the architects of ``massing.py`` each know one.
Use = Literal["highrise", "perimeter", "estate", "houses", "works", "park", "plaza"]


@dataclass(frozen=True)
class StreetProfile:
    """How the street network is drawn.

    Attributes:
        spacing_m: mean distance between long streets and between cross streets, metres.
        major_every: every n-th street is a major one.
        avenue_every: every n-th major street is an avenue.
        bend_rad: root mean square of the random turn of the field, radians.
        radial: weight of rings around the city's centre; a grid has weight 1.
        follow: weight of running along the land's outline and the streets around a quarter.
        stagger: share of the strips between long streets whose cross streets do not continue
            those of their neighbours but end in T junctions.
        merge: share of minor streets left out between two junctions, which joins two blocks.
        widths_m: carriageway widths of avenues, major and minor streets, metres, with the
            parking lanes.
        parking_m: width of the parking lane on each side of these, metres; 0: none.
        pavement_m: width of the pavement, metres.
    """

    spacing_m: tuple[float, float]
    major_every: int
    avenue_every: int
    bend_rad: float
    radial: float
    follow: float
    stagger: float
    merge: float
    widths_m: tuple[float, float, float]
    parking_m: tuple[float, float, float]
    pavement_m: float

    def __post_init__(self) -> None:
        _check_above_0(self, "spacing_m", "widths_m")
        _check_from(self, 1, "major_every", "avenue_every")
        _check_from(self, 0, "parking_m", "pavement_m")


@dataclass(frozen=True)
class LotProfile:
    """How blocks are used and divided.

    Attributes:
        uses: share of the blocks for each use, relative weights.
        area_m2: area at which a lot is no longer divided, for each use, square metres.
        strip_depth_m: depth of the perimeter buildings, metres.
        frontage_m: mean width of a perimeter lot along its street, metres.
        open_share: share of high-rise lots left open as a small square.
    """

    uses: tuple[tuple[Use, float], ...]
    area_m2: tuple[tuple[Use, float], ...]
    strip_depth_m: float = 13.0
    frontage_m: float = 19.0
    open_share: float = 0.0

    def __post_init__(self) -> None:
        _check_above_0(self, "strip_depth_m", "frontage_m")
        _check_weights("uses", self.uses)
        for use, area_m2 in self.area_m2:
            is_right = is_number(area_m2) and area_m2 > 0
            _check(f"area_m2 of {use}", area_m2, is_right, "a number above 0")


@dataclass(frozen=True)
class HeightProfile:
    """How high buildings rise.

    Attributes:
        lowest_storeys: fewest storeys of a street building.
        typical_storeys: mean storeys of a street building.
        tower_spread_m: scale of the Rayleigh distribution of tower heights in the
            centre, metres.
        tower_limit_m: no tower is higher, metres.
        falloff: distance from the centre at which towers have half their height, as a
            share of half the city's size.
        tower_share: chance that a high-rise lot carries a tower.
        storey_m: height of a storey, metres.
    """

    lowest_storeys: int
    typical_storeys: float
    tower_spread_m: float
    tower_limit_m: float
    falloff: float
    tower_share: float
    storey_m: float

    def __post_init__(self) -> None:
        _check_above_0(self, "typical_storeys", "falloff", "storey_m")
        _check_from(self, 1, "lowest_storeys")
        _check_from(self, 0, "tower_spread_m")


@dataclass(frozen=True)
class Profile:
    """Everything that makes a density what it is.

    Attributes:
        streets: the street network.
        lots: the division of blocks.
        heights: storeys and towers.
        facades: relative weights of the facade families of ``materials.FAMILIES``.
        pitched: share of street buildings and houses with a pitched roof.
        tree_spacing_m: mean distance between street trees, metres.
    """

    streets: StreetProfile
    lots: LotProfile
    heights: HeightProfile
    facades: tuple[tuple[str, float], ...]
    pitched: float
    tree_spacing_m: float

    def __post_init__(self) -> None:
        _check_above_0(self, "tree_spacing_m")
        _check_weights("facades", self.facades)


def is_number(value: object) -> bool:
    """Whether a value is a finite number, Python's or numpy's."""
    if isinstance(value, bool) or not isinstance(value, Real):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number too large for a float
        return False


def _check_above_0(part: object, *names: str) -> None:
    for name, value in _values(part, names):
        _check(name, value, is_number(value) and value > 0, "a number above 0")


def _check_from(part: object, least: int, *names: str) -> None:
    for name, value in _values(part, names):
        _check(name, value, is_number(value) and value >= least, f"a number from {least}")


def _check_weights(name: str, weights: tuple[tuple[str, float], ...]) -> None:
    for what, weight in weights:
        _check(f"{name}: {what}", weight, is_number(weight) and weight >= 0, "a weight from 0")
    if sum(weight for _, weight in weights) <= 0:
        raise InputError(f"{name} of a profile have no weight; allowed: at least one above 0.")


def _values(part: object, names: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    """Values of fields, those of tuples one by one."""
    for name in names:
        value = getattr(part, name)
        yield from ((name, item) for item in (value if isinstance(value, tuple) else (value,)))


def _check(name: str, value: object, is_right: bool, allowed: str) -> None:
    if not is_right:
        raise InputError(f"{name} of a profile is {value!r}; allowed: {allowed}.")


PROFILES: dict[Density, Profile] = {
    "downtown": Profile(
        streets=StreetProfile(
            spacing_m=(88.0, 112.0),
            major_every=3,
            avenue_every=2,
            bend_rad=0.02,
            radial=0.0,
            follow=0.15,
            stagger=0.08,
            merge=0.04,
            widths_m=(22.0, 15.0, 10.0),
            parking_m=(2.3, 2.3, 2.0),
            pavement_m=4.0,
        ),
        lots=LotProfile(
            uses=(("highrise", 1.0), ("perimeter", 0.1), ("plaza", 0.07), ("park", 0.03)),
            area_m2=(("highrise", 1150.0),),
            strip_depth_m=16.0,
            frontage_m=24.0,
            open_share=0.06,
        ),
        heights=HeightProfile(
            lowest_storeys=5,
            typical_storeys=9.0,
            tower_spread_m=80.0,
            tower_limit_m=260.0,
            falloff=0.95,
            tower_share=0.62,
            storey_m=3.6,
        ),
        facades=(("curtain", 0.44), ("stone", 0.30), ("brick", 0.16), ("panel", 0.10)),
        pitched=0.0,
        tree_spacing_m=17.0,
    ),
    "mix": Profile(
        streets=StreetProfile(
            spacing_m=(96.0, 118.0),
            major_every=3,
            avenue_every=2,
            bend_rad=0.12,
            radial=0.6,
            follow=0.6,
            stagger=0.35,
            merge=0.08,
            widths_m=(19.0, 13.0, 8.5),
            parking_m=(2.2, 2.2, 0.0),
            pavement_m=3.2,
        ),
        lots=LotProfile(
            uses=(("perimeter", 1.0), ("estate", 0.22), ("highrise", 0.12), ("park", 0.06)),
            area_m2=(("estate", 3000.0), ("highrise", 1400.0), ("perimeter", 620.0)),
            open_share=0.08,
        ),
        heights=HeightProfile(
            lowest_storeys=3,
            typical_storeys=5.4,
            tower_spread_m=34.0,
            tower_limit_m=90.0,
            falloff=1.6,
            tower_share=0.5,
            storey_m=3.3,
        ),
        facades=(("plaster", 0.50), ("brick", 0.28), ("stone", 0.14), ("panel", 0.08)),
        pitched=0.66,
        tree_spacing_m=15.0,
    ),
    "margin": Profile(
        streets=StreetProfile(
            spacing_m=(82.0, 165.0),
            major_every=4,
            avenue_every=2,
            bend_rad=0.34,
            radial=0.0,
            follow=0.6,
            stagger=0.8,
            merge=0.06,
            widths_m=(12.0, 9.0, 6.5),
            parking_m=(2.0, 0.0, 0.0),
            pavement_m=2.2,
        ),
        lots=LotProfile(
            uses=(("houses", 1.0), ("perimeter", 0.12), ("works", 0.08), ("park", 0.08)),
            area_m2=(("houses", 430.0), ("works", 3200.0), ("perimeter", 300.0)),
            strip_depth_m=10.5,
            frontage_m=8.5,
        ),
        heights=HeightProfile(
            lowest_storeys=1,
            typical_storeys=1.9,
            tower_spread_m=10.0,
            tower_limit_m=24.0,
            falloff=3.0,
            tower_share=0.0,
            storey_m=2.9,
        ),
        facades=(("plaster", 0.40), ("brick", 0.38), ("siding", 0.22)),
        pitched=0.94,
        tree_spacing_m=26.0,
    ),
}
