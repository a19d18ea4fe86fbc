"""The land a city stands on: its outline, and which district each place belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import Polygon

from vasgen.citygen.config import CityConfig, District, as_polygon

#: Streets and ground go on this far beyond the city's outline, metres.
SKIRT_M = 60.0


@dataclass(frozen=True, eq=False)
class Land:
    """Where a city stands.

    Attributes:
        outline: the city; nothing is built outside.
        districts: from the one that is asked first to the one that covers all.
    """

    outline: Polygon
    districts: tuple[District, ...]

    @cached_property
    def skirt(self) -> Polygon:
        """The outline widened by the skirt that streets and ground cover."""
        return self.outline.buffer(SKIRT_M, join_style="mitre", mitre_limit=2.0)

    def within(self, margin_m: float) -> shapely.Geometry:
        """The outline, narrower by a margin."""
        return self.outline.buffer(-margin_m, join_style="mitre")

    def district_at(self, points: NDArray[np.float64]) -> NDArray[np.int64]:
        """(N,) number of the district of each point (N, 2), metres."""
        found = np.full(len(points), len(self.districts) - 1, dtype=np.int64)
        for index in reversed(range(len(self.districts))):
            found[_covers(self.districts[index], points)] = index
        return found


def survey(config: CityConfig) -> Land:
    """The land of a city: a square around the origin, or the boundary."""
    if config.boundary is None:
        half = config.size_m / 2
        outline = shapely.box(-half, -half, half, half)
    else:
        outline = shapely.orient_polygons(as_polygon("boundary", config.boundary))
    return Land(outline, (*config.districts, config.character))


def _covers(district: District, points: NDArray[np.float64]) -> NDArray[np.bool_]:
    if district.corners is not None:
        return np.asarray(shapely.contains_xy(Polygon(district.corners), *points.T))
    if district.radius_m is not None:
        return np.asarray(np.hypot(*points.T) <= district.radius_m)
    return np.ones(len(points), dtype=bool)
