"""The procedural city: streets, blocks, lots, buildings, ground."""

from vasgen.citygen.city import City, generate
from vasgen.citygen.config import CityConfig

__all__ = ["City", "CityConfig", "generate"]
