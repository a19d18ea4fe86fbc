"""The terrain: natural hills, and the ground as it was made level for streets and houses."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import shapely
from numpy.typing import NDArray

from vasgen.citygen.config import CityConfig
from vasgen.citygen.geometry.plane import waves
from vasgen.citygen.geometry.solids import Array
from vasgen.citygen.land import Land
from vasgen.errors import InputError
from vasgen.seeding import stream

#: Shortest and longest wave of the natural ground, metres.
WAVELENGTHS_M = (300.0, 1500.0)
#: Natural ground is not steeper than this where longer waves can help it.
STEEPEST = 0.25
#: Relief above this share of the city's size would be cliffs, not hills.
_MOST_RELIEF = 0.15

_WAVES = 14
#: The ground is sampled at this distance to find its relief, in small cities more often.
_SAMPLE_M, _FEWEST_SAMPLES = 15.0, 60
#: Exponents of amplitude over wavelength, from rugged to gentle.
_ROUGHNESS = (1.0, 1.5, 2.0, 3.0, 5.0)


@dataclass(frozen=True, eq=False)
class Hills:
    """The natural ground: a sum of plane waves, smooth everywhere.

    Attributes:
        waves: (K, 2) float64 wave vectors, radians per metre.
        phases: (K,) float64 radians.
        amplitudes: (K,) float64 metres.
        datum_m: added to the sum, so that the lowest ground of the city lies at zero.
    """

    waves: Array
    phases: Array
    amplitudes: Array
    datum_m: float

    def level_at(self, points: Array) -> Array:
        """(N,) level of the natural ground at points (N, 2), metres."""
        heights = np.sin(waves(points, self.waves, self.phases)) * self.amplitudes
        return np.asarray(heights.sum(axis=1) + self.datum_m)

    def slope_at(self, points: Array) -> Array:
        """(N,) steepest slope of the natural ground at points (N, 2), metres per metre."""
        swing = np.cos(waves(points, self.waves, self.phases)) * self.amplitudes
        return np.asarray(np.hypot(*((swing * axis).sum(axis=1) for axis in self.waves.T)))


def natural_hills(config: CityConfig, land: Land) -> Hills | None:
    """The natural ground of a city; None where it is flat.

    Its highest and lowest point inside the outline differ by ``config.relief_m``.

    Raises:
        InputError: if the relief is too large for the size.
    """
    if config.relief_m == 0:
        return None
    most = _MOST_RELIEF * config.extent_m
    if config.relief_m > most:
        raise InputError(
            f"relief_m is {config.relief_m:g} on {config.extent_m:g} m; allowed: up to {most:g}. "
            "Ask for less relief or a larger city."
        )
    rng = stream(config.seed, "hills")
    low, high = WAVELENGTHS_M
    lengths = low * (high / low) ** ((np.arange(_WAVES) + rng.random(_WAVES)) / _WAVES)
    angles = rng.permutation(np.arange(_WAVES) + rng.random(_WAVES)) * np.pi / _WAVES
    phases = rng.uniform(0.0, 2 * np.pi, _WAVES)
    vectors = 2 * np.pi * np.column_stack([np.cos(angles), np.sin(angles)]) / lengths[:, None]
    points = _samples(land)
    for exponent in _ROUGHNESS:
        shape = Hills(vectors, phases, (lengths / high) ** exponent, 0.0)
        levels = shape.level_at(points)
        scale = config.relief_m / np.ptp(levels)
        hills = Hills(vectors, phases, shape.amplitudes * scale, float(-levels.min() * scale))
        if hills.slope_at(points).max() <= STEEPEST:
            break
    return hills


def _samples(land: Land) -> Array:
    """(N, 2) points all over the city and along its outline."""
    x0, y0, x1, y1 = land.outline.bounds
    extent = max(x1 - x0, y1 - y0)
    step = min(_SAMPLE_M, extent / _FEWEST_SAMPLES)
    count = int(np.ceil(extent / step)) + 1
    grid = np.stack(
        np.meshgrid(np.linspace(x0, x1, count), np.linspace(y0, y1, count)), axis=-1
    ).reshape(-1, 2)
    inside = grid[shapely.contains_xy(land.outline, *grid.T)]
    rim = shapely.get_coordinates(shapely.segmentize(land.outline, step))
    return np.concatenate([inside, rim])


@dataclass(frozen=True, eq=False)
class Terrain:
    """The ground as built: carriageways, and land level with them, without the kerb's height.

    Attributes:
        hills: the natural ground; None: all is flat.
        triangles: (T, 3, 3) float64 metres, the sheet's faces; none where all is flat.
    """

    hills: Hills | None
    triangles: Array

    def level_at(self, points: Array) -> Array:
        """(N,) level at points (N, 2), metres; outside of the sheet that of the hills."""
        if self.hills is None:
            return np.zeros(len(points))
        levels = self.hills.level_at(points)
        point, triangle = self._tree.query(shapely.points(points), predicate="intersects")
        # Where triangles touch they agree: the first will do.
        order = np.lexsort((triangle, point))
        point, first = np.unique(point[order], return_index=True)
        levels[point] = _on_planes(self.triangles[triangle[order][first]], points[point])
        return levels

    def lowest_along(self, lines: NDArray[np.object_]) -> Array:
        """(N,) lowest level along each of N lines on the sheet, metres."""
        lowest = np.full(len(lines), np.inf if self.hills else 0.0)
        if self.hills is not None:
            line, triangle = self._tree.query(lines, predicate="intersects")
            pieces = shapely.intersection(lines[line], self._tree.geometries[triangle])
            points, piece = shapely.get_coordinates(pieces, return_index=True)
            levels = _on_planes(self.triangles[triangle[piece]], points)
            np.minimum.at(lowest, line[piece], levels)
        return lowest

    def earthworks_m3(self) -> tuple[float, float]:
        """Volumes of ground cut away and filled up, cubic metres."""
        if self.hills is None:
            return 0.0, 0.0
        one, two = (self.triangles[:, i, :2] - self.triangles[:, 0, :2] for i in (1, 2))
        area = (one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0]) / 2
        middle = self.triangles.mean(axis=1)
        raised = (middle[:, 2] - self.hills.level_at(middle[:, :2])) * area
        return float(-raised[raised < 0].sum()), float(raised[raised > 0].sum())

    @cached_property
    def _tree(self) -> shapely.STRtree:
        return shapely.STRtree(np.asarray(shapely.polygons(self.triangles[..., :2])))


#: The ground of a city without relief.
FLAT = Terrain(None, np.empty((0, 3, 3)))


def _on_planes(triangles: Array, points: Array) -> Array:
    """(N,) levels of the planes through triangles (N, 3, 3) at points (N, 2)."""
    origin = triangles[:, 0]
    one, two, at = triangles[:, 1] - origin, triangles[:, 2] - origin, points - origin[:, :2]
    double = one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0]
    u = (at[:, 0] * two[:, 1] - at[:, 1] * two[:, 0]) / double
    v = (one[:, 0] * at[:, 1] - one[:, 1] * at[:, 0]) / double
    return np.asarray(origin[:, 2] + u * one[:, 2] + v * two[:, 2])
