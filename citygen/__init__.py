"""The procedural city: streets, blocks, lots, buildings, ground."""

from vasgen.citygen.city import City, generate
from vasgen.citygen.config import CityConfig, District, rings
from vasgen.citygen.targets import ENVIRONMENTS, Targets

__all__ = [
    "ENVIRONMENTS",
    "City",
    "CityConfig",
    "District",
    "Targets",
    "generate",
    "rings",
]
