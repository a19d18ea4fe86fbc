"""The receiver surface: what a camera sees, or a grid in the air, as a mesh that only receives.

The surface only receives; it never blocks or reflects. It stands a small offset in
front of what it lies on, along the surface normal: on the surface itself a float32 ray
tracer cannot tell which comes first, and loses about 5 dB of line of sight.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vasgen.camera import Camera
from vasgen.raycast import chebyshev
from vasgen.vas.surfaces.grid import Grid

Array = NDArray[np.float64]

#: Mitsuba moves a ray's origin by this, times one plus its largest coordinate, metres.
RAY_EPSILON = 8.94e-5

#: A point lies on a plane within this, and this share of its distance from the camera: float32
#: depths and positions are not exact. Less than a kerb or the gap behind a pane. Metres.
PLANE_M = 0.005
PLANE_SHARE = 2e-5

SPLIT = 3  # boundary pixels are resolved into SPLIT x SPLIT cells


@dataclass(frozen=True, eq=False)
class Windows:
    """Parts of the pixels of an image.

    A pixel's inner part is its square, shrunk about its centre by a factor ``1 / zoom``; a
    window is the inner part, or one of its ``SPLIT * SPLIT`` cells.

    Attributes:
        camera: whose image it is.
        zoom: (Q,) float64, the same for all quads of a pixel.
        cell: (Q,) int64, row-major number of the cell; -1 for all of them.
    """

    camera: Camera
    zoom: Array
    cell: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Slab:
    """A layer of free air above a grid, whose cells receive from all sides.

    Attributes:
        grid: the cells, as the image's pixels.
        thickness_m: height of the layer; the grid's height is in its middle.
        middle_m: (P,) float64, height of its middle in each cell, world metres.
        free_share: (P,) float64, share of each cell that is not inside a building.
    """

    grid: Grid
    thickness_m: float
    middle_m: Array
    free_share: Array

    @property
    def nearest_m(self) -> float:
        """Least distance between a transmitter and a point that stands for the air around it.

        A quarter of a cell: over a cube of half a cell about the transmitter, the mean of the
        inverse square of the distance is about that there.
        """
        return self.grid.cell_m / 4


class Target(NamedTuple):
    """Points that receive.

    Attributes:
        point: (P, 3) float64 world metres, clear of the surface they belong to.
        normal: (P, 3) float64 unit normal on the receiving side; zero where all sides receive,
            so that no arrival is on the wrong side of it.
    """

    point: Array
    normal: Array

    def take(self, index: NDArray[np.int64]) -> Target:
        """The points at an index."""
        return Target(self.point[index], self.normal[index])


class Centres(NamedTuple):
    """The middles of the pixels that receive, on the surface itself.

    Attributes:
        pixel: (P,) int64, row-major index of each, ascending.
        point: (P, 3) float64 world metres.
        normal: (P, 3) float64, as of :class:`Target`.
    """

    pixel: NDArray[np.int64]
    point: Array
    normal: Array


@dataclass(frozen=True, eq=False)
class ReceiverSurface:
    """A receiver mesh in which every quad belongs to one pixel.

    Attributes:
        shape: height and width of the image, or of the grid.
        pixel: (Q,) int64, row-major index of the pixel each quad belongs to.
        corners: (Q, 4, 3) float64 world metres, on the surface itself; ordered so that
            the normal of both triangles (0, 1, 2) and (0, 2, 3) points to the visible side.
        normal: (Q, 3) float64, unit, on the visible side; zero where all sides receive.
        centres: the middle of each pixel.
        windows: the part of its pixel that each quad covers; None for a lattice, whose quads
            lie between pixels, and for a slab.
        slab: the layer of air around quads that are no surface of anything; else None.
    """

    shape: tuple[int, int]
    pixel: NDArray[np.int64]
    corners: Array
    normal: Array
    centres: Centres
    windows: Windows | None = None
    slab: Slab | None = None

    @property
    def num_pixels(self) -> int:
        """Pixels of the image, covered by a quad or not."""
        return self.shape[0] * self.shape[1]

    @cached_property
    def quad_centres(self) -> Array:
        """Middle of each quad, (Q, 3) world metres."""
        # One by one: numpy averages a short axis ten times slower.
        a, b, c, d = (self.corners[:, corner] for corner in range(4))
        middle: Array = 0.25 * (a + b + c + d)
        return middle

    @cached_property
    def quad_area(self) -> Array:
        """Area of each quad, (Q,) square metres."""
        diagonals = self.corners[:, 2:] - self.corners[:, :2]
        area: Array = 0.5 * np.linalg.norm(np.cross(diagonals[:, 0], diagonals[:, 1]), axis=-1)
        return area

    @cached_property
    def pixel_area(self) -> Array:
        """Surface area each pixel's label is averaged over, (num_pixels,) square metres."""
        return self.sum_by_pixel(self.quad_area)

    def offset_m(self, centre: Array) -> Array:
        """Distance the quads stand off the surface, (Q,) metres; see :func:`offset_m`."""
        farthest: Array = offset_m(self.corners, centre).max(axis=1)
        return farthest

    def target(self, origin: Array) -> Target:
        """The middles of the pixels, lifted off the surface like the quads.

        Args:
            origin: (3,) world point that is the origin of the traced coordinates.
        """
        point, normal = self.centres.point, self.centres.normal
        return Target(point + offset_m(point, origin)[:, None] * normal, normal)

    def sum_by_pixel(self, values: Array) -> Array:
        """Sum of one value a quad over the quads of each pixel, (num_pixels,) from (Q,)."""
        return sum_by_group(self.pixel, values, self.num_pixels)

    def neighbourhoods(self, block: int) -> NDArray[np.int64]:
        """Groups of nearby pixels on one plane, (num_pixels,) group number of each pixel.

        Pixels that no quad covers form group 0.

        Args:
            block: side of the square of pixels that a group lies in.
        """
        first = np.unique(self.pixel, return_index=True)[1]
        pixel, normal, middle = self.pixel[first], self.normal[first], self.quad_centres
        distance = np.einsum("ij,ij->i", middle[first] - middle.mean(axis=0), normal)
        row, column = np.divmod(pixel, self.shape[1])
        plane = np.column_stack([np.rint(10 * normal), np.rint(distance)]).astype(np.int64)
        keys = np.column_stack([row // block, column // block, plane])
        keys -= keys.min(axis=0)
        number = np.ravel_multi_index(tuple(keys.T), tuple(keys.max(axis=0) + 1))
        groups = np.zeros(self.num_pixels, np.int64)
        groups[pixel] = 1 + np.unique(number, return_inverse=True)[1].reshape(-1)
        return groups

    def sample_points(self, per_side: int, quads: NDArray[Any] | slice = slice(None)) -> Array:
        """Stratified points on each quad, (Q, per_side**2, 3) world metres.

        Args:
            per_side: points along each side of a quad.
            quads: which quads; all if omitted.
        """
        ticks = (np.arange(per_side) + 0.5) / per_side
        s, t = (grid.ravel()[:, None] for grid in np.meshgrid(ticks, ticks))
        a, b, c, d = (self.corners[quads, None, i] for i in range(4))
        points: Array = (1 - s) * (1 - t) * a + s * (1 - t) * b + s * t * c + (1 - s) * t * d
        return points


def sum_by_group(group: NDArray[np.int64], values: Array, num_groups: int) -> Array:
    """Sum of the values of each group, (num_groups,) float64 from (N,) group numbers."""
    total: Array = np.bincount(group, values, num_groups).astype(np.float64)
    return total


def offset_m(points: Array, centre: Array) -> Array:
    """Distance that receivers must stand off their surface, metres.

    Twice the ray tracer's own epsilon, which grows with the coordinates; less, and
    reflections vanish while walls leak.

    Args:
        points: (..., 3) world metres.
        centre: (3,) world point that is the origin of the traced coordinates.

    Returns:
        (...) float64.
    """
    return 2.0 * RAY_EPSILON * (1.0 + chebyshev(points - centre))
