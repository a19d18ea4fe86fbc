"""The configuration of a city."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, get_args

import shapely
from shapely import Polygon

from vasgen.citygen.profiles import DENSITIES, PROFILES, Density, Profile
from vasgen.citygen.targets import Targets, fit
from vasgen.errors import InputError, unknown_choice

#: Level of detail: 1 prisms, 2 massing and roofs, 3 facades.
Lod = Literal[1, 2, 3]
LODS: tuple[Lod, ...] = get_args(Lod)

#: How streets are laid: along tensor fields, or as a plain grid for controlled experiments.
Pattern = Literal["field", "grid"]
PATTERNS: tuple[Pattern, ...] = get_args(Pattern)

#: Corners of an outline, (x, y) in metres.
Corners = tuple[tuple[float, float], ...]

MIN_SIZE_M = 100.0
MAX_SIZE_M = 5000.0
MAX_SEED = 2**63 - 1
MAX_RELIEF_M = 300.0
#: Corners of a boundary lie within this of the origin, along either axis.
MAX_AWAY_M = 10_000.0
#: A boundary holds a circle of this radius: land for a block with streets around it.
MIN_RADIUS_M = 25.0


@dataclass(frozen=True)
class District:
    """A part of a city with a character of its own.

    It takes the quarters (land between major streets) of which it covers most; at least the one
    of which it covers most of all.

    Attributes:
        density: kind of city.
        radius_m: how far it reaches from the middle of the city, metres: the origin, or with a
            boundary the middle of its bounding box; None: no limit.
        corners: its outline instead of a radius.
        targets: figures it is to hit.
        profile: replaces the density's own rules.

    Raises:
        InputError: if a value is not allowed.
    """

    density: Density
    radius_m: float | None = None
    corners: Corners | None = None
    targets: Targets | None = None
    profile: Profile | None = None

    def __post_init__(self) -> None:
        if self.density not in DENSITIES:
            raise unknown_choice("density of a district", self.density, DENSITIES)
        if self.radius_m is not None and self.corners is not None:
            raise InputError("a district has a radius_m and corners; give one of them.")
        if self.radius_m is not None and not (_is_number(self.radius_m) and self.radius_m > 0):
            raise InputError(
                f"radius_m of a district is {self.radius_m!r}; allowed: a number above 0."
            )
        if self.corners is not None:
            as_polygon("corners of a district", self.corners)
        if self.targets is not None:  # says early if no streets can carry them
            fit(self.profile or PROFILES[self.density], self.targets)

    @cached_property
    def rules(self) -> Profile:
        """The profile in force, fitted to the targets."""
        profile = self.profile or PROFILES[self.density]
        return profile if self.targets is None else fit(profile, self.targets)


@dataclass(frozen=True)
class CityConfig:
    """One city, fully determined: the same configuration gives the same city.

    Attributes:
        density: kind of city.
        seed: any non-negative integer.
        size_m: side of the square city, 100 to 5000 metres; with a boundary, its longer
            extent.
        lod: level of detail of the mesh and the scene bundle.
        targets: ITU-R P.1410 figures to hit; None: the density's own character.
        districts: parts with another character; the first that covers a place has it.
        boundary: corners of the city's outline, metres, instead of a square around the origin;
            within 10 km of the origin, and wide enough for a circle of 25 m radius.
        pattern: "field" (tensor fields) or "grid".
        relief_m: height difference of the terrain, metres, up to 0.15 of the city's size; 0:
            flat.
        trees, furniture, vehicles: whether to set up trees, street furniture and parked
            cars; leaves everything else as it is.
        profile: replaces the density's own ``PROFILES[density]``.

    Raises:
        InputError: if a value is not allowed.
    """

    density: Density = "downtown"
    seed: int = 0
    size_m: float = 500.0
    lod: Lod = 2
    targets: Targets | None = None
    districts: tuple[District, ...] = ()
    boundary: Corners | None = None
    pattern: Pattern = "field"
    relief_m: float = 0.0
    trees: bool = True
    furniture: bool = True
    vehicles: bool = True
    profile: Profile | None = None

    def __post_init__(self) -> None:
        if self.density not in DENSITIES:
            raise unknown_choice("density", self.density, DENSITIES)
        check_lod(self.lod)
        if self.pattern not in PATTERNS:
            raise unknown_choice("pattern", self.pattern, PATTERNS)
        if not _is_number(self.relief_m) or not 0 <= self.relief_m <= MAX_RELIEF_M:
            raise InputError(
                f"relief_m is {self.relief_m!r}; allowed: 0 to {MAX_RELIEF_M:.0f} metres."
            )
        if self.boundary is not None:
            x0, y0, x1, y1 = _checked_boundary(self.boundary).bounds
            object.__setattr__(self, "size_m", max(x1 - x0, y1 - y0))
        _check_seed(self.seed)
        _check_size(self.size_m)
        District(self.density, targets=self.targets, profile=self.profile)  # checks them

    @property
    def title(self) -> str:
        """The densities of the city, its districts' first: "downtown, mix, margin"."""
        return ", ".join(dict.fromkeys([*(d.density for d in self.districts), self.density]))

    @property
    def character(self) -> District:
        """The district of every place that no other covers."""
        return District(self.density, targets=self.targets, profile=self.profile)


def rings(densities: Sequence[str], size_m: float) -> tuple[District, ...]:
    """Districts around the middle of a city that widen evenly towards the edge of a square city.

    ``CityConfig("margin", size_m=900, districts=rings(("downtown", "mix"), 900))`` is a city
    with a downtown of 150 m radius, a ring of mixed character to 300 m, and a margin.

    Args:
        densities: kinds of city from the centre outwards, without the outermost.
        size_m: side of the city, metres.
    """
    step_m = size_m / 2 / (len(densities) + 1)
    return tuple(
        District(density, radius_m=step_m * number)  # type: ignore[arg-type]
        for number, density in enumerate(densities, start=1)
    )


def as_polygon(name: str, corners: Corners) -> Polygon:
    """A polygon from its corners.

    Raises:
        InputError: if the corners are no simple polygon with an area.
    """
    if not _are_pairs(corners):
        raise InputError(
            f"{name}: {len(corners)} corners; allowed: three or more pairs of metres, like "
            "((0, 0), (300, 0), (0, 300))."
        )
    polygon = Polygon(corners)
    if not polygon.is_valid or polygon.area <= 0:
        raise InputError(
            f"{name}: {shapely.is_valid_reason(polygon)}; allowed: a ring that does not cross or "
            "touch itself. Order the corners along the outline."
        )
    return polygon


def check_lod(lod: object) -> None:
    """Check that there is such a level of detail.

    Raises:
        InputError: if there is none.
    """
    if type(lod) is not int or lod not in LODS:
        raise InputError(f"lod is {lod!r}; allowed: 1, 2 or 3.")


def _checked_boundary(corners: Corners) -> Polygon:
    polygon = as_polygon("boundary", corners)
    away_m = max(map(abs, polygon.bounds))
    if away_m > MAX_AWAY_M:
        raise InputError(
            f"boundary: reaches {away_m:g} m from the origin; allowed: at most {MAX_AWAY_M:.0f} m "
            "along either axis. Move it to the origin."
        )
    if polygon.buffer(-MIN_RADIUS_M).is_empty:
        raise InputError(
            "boundary: too thin; allowed: outlines that hold a circle of at least "
            f"{MIN_RADIUS_M:.0f} m radius."
        )
    return polygon


def _are_pairs(corners: Corners) -> bool:
    return len(corners) >= 3 and all(
        isinstance(corner, Collection) and len(corner) == 2 and all(map(_is_number, corner))
        for corner in corners
    )


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _check_seed(seed: object) -> None:
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed <= MAX_SEED:
        raise InputError(f"seed is {seed!r}; allowed: a whole number from 0 to 2**63 - 1.")


def _check_size(size_m: float) -> None:
    if not _is_number(size_m) or not MIN_SIZE_M <= size_m <= MAX_SIZE_M:
        raise InputError(
            f"size_m is {size_m!r}; allowed: {MIN_SIZE_M:.0f} to {MAX_SIZE_M:.0f} metres."
        )
