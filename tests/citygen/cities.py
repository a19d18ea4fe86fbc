"""The fixed table of cities that the invariants are checked on."""

from __future__ import annotations

from vasgen.citygen import CityConfig
from vasgen.citygen.config import Corners, District
from vasgen.citygen.profiles import DENSITIES
from vasgen.citygen.targets import ENVIRONMENTS

#: How many of the table the quick run takes, from the front.
QUICK = 60
COUNT = 240

_SMALL_M = (100.0, 137.5, 180.0, 220.0, 260.0, 300.0, 340.0)
_LARGE_M = (330.0, 410.0, 480.0, 560.0, 620.0, 700.0)
_TOWNS = {70: 1500.0, 130: 1500.0, 197: 1500.0}

#: Outlines of one metre across: a triangle, an L, a hexagon, an arrow, a thin slab.
_OUTLINES: tuple[Corners, ...] = (
    ((-0.5, -0.45), (0.5, -0.4), (0.05, 0.5)),
    ((-0.5, -0.5), (0.5, -0.5), (0.5, 0.0), (0.0, 0.0), (0.0, 0.5), (-0.5, 0.5)),
    ((0.5, 0.0), (0.25, 0.43), (-0.25, 0.43), (-0.5, 0.0), (-0.25, -0.43), (0.25, -0.43)),
    ((-0.5, -0.5), (0.0, -0.2), (0.5, -0.5), (0.0, 0.5)),
    ((-0.5, -0.2), (0.5, -0.25), (0.5, 0.25), (-0.5, 0.2)),
)


def _configuration(number: int) -> tuple[str, CityConfig]:
    """The number-th city: what varies runs through its choices at different paces."""
    density = DENSITIES[number % 3]
    pattern = ("field", "grid")[number // 3 % 2]
    sizes = _SMALL_M if number < QUICK else _LARGE_M
    size_m = _TOWNS.get(number, sizes[number // 2 % len(sizes)])
    seed = number * 7919 % 10007
    extra = _extras(number, size_m)
    name = "-".join([f"{number:03d}", density, pattern, f"{size_m:g}m", *sorted(extra)])
    return name, CityConfig(density, seed, size_m, pattern=pattern, **extra)


def _extras(number: int, size_m: float) -> dict:
    """What is special about a city; every seventh has nothing."""
    extra: dict = {}
    way = number % 7
    other = DENSITIES[(number + 1) % 3]
    if way in (1, 6):
        extra["districts"] = (
            District(other, radius_m=0.3 * size_m),
            District(DENSITIES[(number + 2) % 3], corners=_scaled(1, 1.1 * size_m)),
        )
    if way == 2 and size_m > 200.0:
        # A smaller city has too few buildings to hit anything.
        extra["targets"] = list(ENVIRONMENTS.values())[number // 7 % len(ENVIRONMENTS)]
    if way in (3, 6):
        extra["relief_m"] = min((6.0, 20.0, 60.0)[number // 7 % 3], 0.15 * size_m)
    if way in (4, 6):
        extra["boundary"] = _scaled(number // 7, max(size_m, 240.0))
    if way == 5:
        extra["districts"] = (District(other, corners=_scaled(0, 0.7 * size_m)),)
        extra["relief_m"] = 12.0
    return extra


def _scaled(number: int, size_m: float) -> Corners:
    return tuple((x * size_m, y * size_m) for x, y in _OUTLINES[number % len(_OUTLINES)])


#: Name and configuration of every city.
TABLE: tuple[tuple[str, CityConfig], ...] = tuple(_configuration(i) for i in range(COUNT))
