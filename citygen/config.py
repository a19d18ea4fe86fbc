"""The configuration of a city."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from numbers import Integral
from typing import Any, Literal, TypeGuard, get_args

import numpy as np
import shapely
from shapely import Polygon

from vasgen.citygen.profiles import DENSITIES, PROFILES, Density, Profile, is_number
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

_SAME_M = 0.01  # corners nearer to each other are one, as on the ground


@dataclass(frozen=True)
class District:
    """A part of a city with a character of its own.

    It takes the quarters (land between major streets) of which it covers most. One too small
    for that takes the quarter of which it covers most of all, unless this is the only one of
    another district: then it gets no land, and its figures are zeros. With targets it must get
    some.

    Attributes:
        density: kind of city.
        radius_m: how far it reaches from the middle of the city, metres: the origin, or with a
            boundary the middle of its bounding box; None: no limit.
        corners: its outline instead of a radius, (x, y) in metres.
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
        if self.radius_m is not None:
            if not is_number(self.radius_m) or self.radius_m <= 0:
                raise InputError(
                    f"radius_m of a district is {self.radius_m!r}; allowed: a number above 0."
                )
            _set(self, "radius_m", float(self.radius_m))
        if self.corners is not None:
            _set(self, "corners", _as_corners("corners of a district", self.corners))
        _check_kinds(self.targets, self.profile)
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
        size_m: side of the square city, 100 to 5000 metres; a boundary replaces the square.
        lod: level of detail of the mesh and the scene bundle.
        targets: ITU-R P.1410 figures to hit; None: the density's own character.
        districts: parts with another character; the first that covers a place has it.
        boundary: corners of the city's outline, metres, instead of a square around the origin;
            within 10 km of the origin, 100 to 5000 metres long, and wide enough for a circle
            of 25 m radius.
        pattern: "field" (tensor fields) or "grid".
        relief_m: height difference of the terrain, metres, up to 0.15 of the city's extent;
            0: flat.
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
        if not is_number(self.relief_m) or not 0 <= self.relief_m <= MAX_RELIEF_M:
            raise InputError(
                f"relief_m is {self.relief_m!r}; allowed: 0 to {MAX_RELIEF_M:.0f} metres."
            )
        _check_seed(self.seed)
        _check_size(self.size_m)
        _check_switches(self)
        # Plain numbers and tuples: equal cities have equal, hashable configurations.
        _set(self, "seed", int(self.seed))
        _set(self, "size_m", float(self.size_m))
        _set(self, "relief_m", float(self.relief_m))
        _set(self, "districts", _as_districts(self.districts))
        if self.boundary is not None:
            _set(self, "boundary", _as_boundary(self.boundary))
        District(self.density, targets=self.targets, profile=self.profile)  # checks them

    @property
    def title(self) -> str:
        """The densities of the city, its districts' first: "downtown, mix, margin"."""
        return ", ".join(dict.fromkeys([*(d.density for d in self.districts), self.density]))

    @property
    def extent_m(self) -> float:
        """Longer side of the box around the city, metres: the size, or the boundary's."""
        return self.size_m if self.boundary is None else _extent_m(Polygon(self.boundary))

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


def check_lod(lod: object) -> None:
    """Check that there is such a level of detail.

    Raises:
        InputError: if there is none.
    """
    if type(lod) is not int or lod not in LODS:
        raise InputError(f"lod is {lod!r}; allowed: 1, 2 or 3.")


def _as_boundary(given: object) -> Corners:
    corners = _as_corners("boundary", given)
    polygon = Polygon(corners)
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
    if not MIN_SIZE_M <= _extent_m(polygon) <= MAX_SIZE_M:
        raise InputError(
            f"boundary: {_extent_m(polygon):g} m long; allowed: {MIN_SIZE_M:.0f} to "
            f"{MAX_SIZE_M:.0f} metres."
        )
    return corners


def _as_corners(name: str, given: object) -> Corners:
    """Corners of a simple polygon with an area as plain numbers, each corner once."""
    if not _is_series(given) or len(given) < 3:
        raise InputError(
            f"{name}: {_brief(given)}; allowed: three or more pairs of metres, like "
            "((0, 0), (300, 0), (0, 300))."
        )
    corners: list[tuple[float, float]] = []
    for number, corner in enumerate(given, start=1):
        if not _is_series(corner) or len(corner) != 2 or not all(map(is_number, corner)):
            raise InputError(
                f"{name}: corner {number} is {_brief(corner)}; allowed: two numbers, the metres "
                "east and north, like (300, 0)."
            )
        point = (float(corner[0]), float(corner[1]))
        if not corners or math.dist(point, corners[-1]) >= _SAME_M:
            corners.append(point)
    while len(corners) > 1 and math.dist(corners[0], corners[-1]) < _SAME_M:
        corners.pop()
    if len(corners) < 3:
        raise InputError(f"{name}: {len(corners)} different corners; allowed: three or more.")
    polygon = Polygon(corners)
    if not polygon.is_valid or polygon.area <= 0:
        raise InputError(
            f"{name}: {shapely.is_valid_reason(polygon)}; allowed: a ring that does not cross or "
            "touch itself. Order the corners along the outline."
        )
    return tuple(corners)


def _as_districts(given: object) -> tuple[District, ...]:
    if isinstance(given, District):
        return (given,)
    if not isinstance(given, (list, tuple)):
        raise InputError(f"districts are {_brief(given)}; allowed: a tuple of District.")
    for number, district in enumerate(given):
        if not isinstance(district, District):
            raise InputError(
                f"districts[{number}] is {_brief(district)}; allowed: a District, like "
                'District("mix", radius_m=150).'
            )
    return tuple(given)


def _extent_m(polygon: Polygon) -> float:
    x0, y0, x1, y1 = polygon.bounds
    return float(max(x1 - x0, y1 - y0))


def _set(config: object, name: str, value: object) -> None:
    """Set a field of a frozen dataclass while it is made."""
    object.__setattr__(config, name, value)


def _brief(value: object) -> str:
    """A value for a message: one line, not too long."""
    text = " ".join(repr(value).split())
    return text if len(text) <= 60 else f"{text[:57]}..."


def _is_series(value: object) -> TypeGuard[Sequence[Any]]:
    """Whether a value has items in an order."""
    if isinstance(value, np.ndarray):
        return value.ndim > 0
    return isinstance(value, Sequence) and not isinstance(value, (str, bytes))


def _check_kinds(targets: object, profile: object) -> None:
    if targets is not None and not isinstance(targets, Targets):
        raise InputError(
            f"targets are {_brief(targets)}; allowed: None, Targets, or one of ENVIRONMENTS, like "
            'ENVIRONMENTS["urban"].'
        )
    if profile is not None and not isinstance(profile, Profile):
        raise InputError(
            f"profile is {_brief(profile)}; allowed: None, Profile, or one of PROFILES, like "
            'PROFILES["mix"].'
        )


def _check_switches(config: CityConfig) -> None:
    for name in ("trees", "furniture", "vehicles"):
        value = getattr(config, name)
        if not isinstance(value, bool):
            raise InputError(f"{name} is {_brief(value)}; allowed: True or False.")


def _check_seed(seed: object) -> None:
    if isinstance(seed, bool) or not isinstance(seed, Integral) or not 0 <= int(seed) <= MAX_SEED:
        raise InputError(f"seed is {seed!r}; allowed: a whole number from 0 to 2**63 - 1.")


def _check_size(size_m: float) -> None:
    if not is_number(size_m) or not MIN_SIZE_M <= size_m <= MAX_SIZE_M:
        raise InputError(
            f"size_m is {size_m!r}; allowed: {MIN_SIZE_M:.0f} to {MAX_SIZE_M:.0f} metres."
        )
