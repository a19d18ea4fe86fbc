"""The land a city stands on: its outline, and which district each place belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import LineString, Polygon

from vasgen.citygen.config import CityConfig, District

#: Streets and ground go on this far beyond the city's outline, metres.
SKIRT_M = 60.0

_EDGE_M = 10.0  # along the outline's edge there is no room for an avenue


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

    @cached_property
    def middle(self) -> NDArray[np.float64]:
        """(2,) middle of the outline's bounding box, from which radii are measured, metres."""
        x0, y0, x1, y1 = self.outline.bounds
        return np.array([(x0 + x1) / 2, (y0 + y1) / 2])

    def within(self, margin_m: float) -> shapely.Geometry:
        """The outline, narrower by a margin."""
        return self.outline.buffer(-margin_m, join_style="mitre")

    @cached_property
    def borders(self) -> tuple[LineString, ...]:
        """Where districts end on the land, as lines of straight pieces of some 25 metres.

        Only what lies inside the outline: a district that reaches its edge does not end there.
        """
        lines = []
        for district in self.districts[:-1]:
            rim = _shape(district, self).exterior.intersection(self.within(_EDGE_M))
            lines += [
                shapely.segmentize(self._led_out(part), 25.0)
                for part in shapely.get_parts(shapely.line_merge(rim))
                if part.length > 100.0
            ]
        return tuple(shapely.set_precision(line, 0.01) for line in lines)

    def _led_out(self, line: LineString) -> LineString:
        """A line whose ends go on beyond the skirt, on the shortest way; a ring as it is."""
        if line.is_ring:
            return line
        edge = self.skirt.buffer(1.0).exterior
        points = shapely.get_coordinates(line)
        ends = shapely.points(points[[0, -1]])
        first, last = shapely.get_coordinates(shapely.shortest_line(ends, edge)).reshape(2, 2, 2)
        return LineString(np.vstack([first[1:], points, last[1:]]))

    def districts_of(self, areas: NDArray[np.object_]) -> NDArray[np.int64]:
        """(N,) number of the district that covers most of each area, (N,) polygons.

        A district too small to cover most of any takes the one it covers most of, unless it
        is the only one of another district.
        """
        left: shapely.Geometry = self.outline
        cover = np.zeros((len(self.districts), len(areas)))
        for number, district in enumerate(self.districts):
            shape = shapely.intersection(_shape(district, self), left, grid_size=0.01)
            left = shapely.difference(left, shape, grid_size=0.01)
            cover[number] = shapely.area(shapely.intersection(areas, shape, grid_size=0.01))
        cover = cover.round(1)  # square metres: the last digits decide nothing
        cover[-1] += 0.1  # what lies in the skirt belongs to the rest
        found = cover.argmax(axis=0)
        for number in range(len(self.districts) - 1):
            if not (found == number).any():
                count = np.bincount(found, minlength=len(self.districts))
                spare = np.where(count[found] > 1, cover[number], 0.0)
                if spare.any():
                    found[spare.argmax()] = number
        return np.asarray(found, dtype=np.int64)


def survey(config: CityConfig) -> Land:
    """The land of a city: a square around the origin, or the boundary."""
    if config.boundary is None:
        half = config.size_m / 2
        outline = shapely.box(-half, -half, half, half)
    else:
        outline = shapely.orient_polygons(Polygon(config.boundary))
    return Land(outline, (*config.districts, config.character))


def _shape(district: District, land: Land) -> Polygon:
    """Where a district is asked for."""
    if district.corners is not None:
        return Polygon(district.corners)
    if district.radius_m is not None:
        return shapely.Point(land.middle).buffer(district.radius_m)
    return land.outline
