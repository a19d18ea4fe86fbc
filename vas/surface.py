"""The visible-aligned surface: what a camera sees, as a receiver mesh.

The surface only receives; it never blocks or reflects. It stands a small offset in
front of what it lies on, along the surface normal: on the surface itself a float32 ray
tracer cannot tell which comes first, and loses about 5 dB of line of sight.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vasgen.camera import Camera
from vasgen.errors import InputError
from vasgen.layers import Float
from vasgen.raycast import RayCaster, chebyshev
from vasgen.vas.grid import Grid

Array = NDArray[np.float64]
Kind = Literal["footprint", "lattice"]

#: Mitsuba moves a ray's origin by this, times one plus its largest coordinate, metres.
RAY_EPSILON = 8.94e-5

#: A pixel whose corner is this much deeper or nearer than its centre is seen so
#: obliquely that its footprint is cut to the part around the centre.
_OBLIQUE = 0.5

#: A point lies on a plane within this, and this share of its distance from the camera: float32
#: depths and positions are not exact. Less than a kerb or the gap behind a pane. Metres.
PLANE_M = 0.005
PLANE_SHARE = 2e-5

#: A plane at less than this sine to a pixel's ray is a line in the picture.
_EDGE_ON = 1e-9

#: Neighbouring normals are of one plane if their dot product exceeds this.
_SAME_NORMAL = 0.999

#: A lattice quad is cut where neighbouring depths differ by more than this share beyond
#: what the surface's slope explains.
_DEPTH_JUMP = 0.05

#: A window of this zoom shows little more than its pixel's centre.
_CENTRE_ZOOM = 8.0

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


def visible_surface(
    camera: Camera, depth: Float, normal: Float, kind: Kind, caster: RayCaster
) -> ReceiverSurface:
    """The surface a camera sees.

    Args:
        camera: the view.
        depth: (H, W) float32 z-depth, metres; NaN for no surface.
        normal: (H, W, 3) float32 world normals on the visible side.
        kind: ``"footprint"``: each pixel's own area on its tangent plane, so that a depth
            jump cannot spoil its neighbours; pixels at the border of a plane are resolved
            into the cells that lie on it. ``"lattice"``: the triangulation of SynthRM
            section 3.3 between pixel centres, cut at depth jumps.
        caster: the scene, asked which cells of a border pixel lie on its plane.

    Raises:
        InputError: if the layers do not fit the camera.
    """
    shape = (camera.height, camera.width)
    if depth.shape != shape or normal.shape != (*shape, 3):
        raise InputError(
            f"depth {depth.shape} and normal {normal.shape} do not fit a camera of "
            f"{camera.width}x{camera.height} pixels."
        )
    deep, facing = depth.astype(np.float64), normal.astype(np.float64)
    deep[~_has_area(camera, deep, facing)] = np.nan
    centres = _centres(camera, deep, facing)
    if kind == "footprint":
        return _footprints(camera, deep, facing, centres, caster)
    lattice = _lattice(camera, deep, facing, centres)
    bare = np.isfinite(deep).ravel() & ~(lattice.pixel_area > 0)
    if not bare.any():
        return lattice
    # A pixel cut off from all its neighbours still has its own footprint.
    alone = np.where(bare.reshape(shape), deep, np.nan)
    single = _footprints(camera, alone, facing, centres, caster)
    return ReceiverSurface(
        shape,
        np.concatenate([lattice.pixel, single.pixel]),
        np.concatenate([lattice.corners, single.corners]),
        np.concatenate([lattice.normal, single.normal]),
        centres,
    )


def _has_area(camera: Camera, depth: Array, normal: Array) -> NDArray[np.bool_]:
    """Pixels that have a footprint: not right at the lens, of a plane, and not seen edge on."""
    facing = np.abs(np.einsum("hwc,hwc->hw", camera.rays(), normal))
    has: NDArray[np.bool_] = (depth > 0) & (facing > _EDGE_ON)
    return has


def _centres(camera: Camera, depth: Array, normal: Array) -> Centres:
    pixel = np.flatnonzero(np.isfinite(depth))
    return Centres(
        pixel, camera.back_project(depth).reshape(-1, 3)[pixel], normal.reshape(-1, 3)[pixel]
    )


def _footprints(
    camera: Camera, depth: Array, normal: Array, centres: Centres, caster: RayCaster
) -> ReceiverSurface:
    border = _border_pixels(camera, depth, normal)
    whole = np.flatnonzero((np.isfinite(depth) & ~border).ravel())
    split = np.flatnonzero(border.ravel())
    owner, number = _border_cells(camera, depth, normal, split, caster)
    pixel = np.concatenate([whole, owner])
    cell = np.concatenate([np.full(len(whole), -1), number])
    unit = normal.reshape(-1, 3)[pixel]
    unit = unit / np.linalg.norm(unit, axis=1, keepdims=True)
    # A border pixel on which no cell fits keeps the surroundings of its centre.
    least = np.where((cell < 0) & border.ravel()[pixel], _CENTRE_ZOOM, 1.0)
    corners, zoom = _tangent_quads(camera, depth.ravel()[pixel], unit, pixel, cell, least)
    windows = Windows(camera, zoom, cell)
    return ReceiverSurface(depth.shape, pixel, corners, unit, centres, windows)


def _border_pixels(camera: Camera, depth: Array, normal: Array) -> NDArray[np.bool_]:
    """Pixels with a neighbour (of eight) that is not on their own tangent plane."""
    points = camera.back_project(depth)
    rows, columns = depth.shape
    border = np.zeros(depth.shape, bool)
    # A plane may end within the outermost pixels, where no neighbour tells.
    around = ((1, 1), (1, 1), (0, 0))
    padded = np.pad(points, around, constant_values=np.nan)
    normals = np.pad(normal, around, constant_values=np.nan)
    tolerance = PLANE_M + PLANE_SHARE * np.linalg.norm(points - camera.position, axis=-1)
    for dy in range(3):
        for dx in range(3):
            step = padded[dy : dy + rows, dx : dx + columns] - points
            other = normals[dy : dy + rows, dx : dx + columns]
            distance = np.abs(np.einsum("hwc,hwc->hw", step, normal))
            agree = np.einsum("hwc,hwc->hw", other, normal) > _SAME_NORMAL
            border |= ~((distance <= tolerance) & agree)  # NaN neighbours count as border
    return border & np.isfinite(depth)


def _border_cells(
    camera: Camera, depth: Array, normal: Array, pixels: NDArray[np.int64], caster: RayCaster
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Cells of border pixels that lie on the pixel's own plane: pixel, and number of the cell.

    A cell counts if its four corners see the plane, so that it hardly reaches beyond. A pixel
    without such a cell gets -1.
    """
    ticks = np.arange(SPLIT + 1) / SPLIT - 0.5
    shifts = np.stack(np.meshgrid(ticks, ticks), axis=-1).reshape(-1, 2)
    centres = camera.pixel_centres().reshape(-1, 2)[pixels]
    rays = camera.rays(centres[:, None] + shifts)
    hits = caster.intersect(camera.position, rays.reshape(-1, 3))
    reached = np.where(hits.face >= 0, hits.distance, np.nan).reshape(rays.shape[:2])
    points = camera.position + reached[..., None] * rays
    unit = normal.reshape(-1, 3)[pixels]
    middle = camera.position + depth.ravel()[pixels][:, None] * camera.rays(centres)
    distance = np.abs(np.einsum("pkc,pc->pk", points - middle[:, None], unit))
    facing = caster.faces.normal[hits.face].reshape(*reached.shape, 3)
    agree = np.abs(np.einsum("pkc,pc->pk", facing, unit)) > _SAME_NORMAL
    tolerance = PLANE_M + PLANE_SHARE * np.linalg.norm(middle - camera.position, axis=-1)[:, None]
    corner = ((distance <= tolerance) & agree).reshape(-1, SPLIT + 1, SPLIT + 1)
    cell = corner[:, :-1, :-1] & corner[:, 1:, :-1] & corner[:, :-1, 1:] & corner[:, 1:, 1:]
    cell = cell.reshape(-1, SPLIT * SPLIT)
    chosen, number = np.nonzero(cell)
    bare = np.flatnonzero(~cell.any(axis=1))
    owner = np.concatenate([pixels[chosen], pixels[bare]])
    return owner, np.concatenate([number, np.full(len(bare), -1)])


def _cell_centres() -> Array:
    """Middles (u, v) of the cells of a pixel, relative to its centre, row by row."""
    ticks = (np.arange(SPLIT) - (SPLIT - 1) / 2) / SPLIT
    return np.stack(np.meshgrid(ticks, ticks), axis=-1).reshape(-1, 2)


def _tangent_quads(
    camera: Camera,
    depth: Array,
    normal: Array,
    pixel: NDArray[np.int64],
    cell: NDArray[np.int64],
    zoom: Array,
) -> tuple[Array, Array]:
    """Corners of windows carried onto the tangent plane of their pixel, and their zoom.

    ``zoom`` is the least of each window.
    """
    middle = camera.pixel_centres().reshape(-1, 2)[pixel]
    plane = depth * np.einsum("qc,qc->q", camera.rays(middle), normal)
    turn = np.array([[-1, -1], [-1, 1], [1, 1], [1, -1]])  # faces the camera, y is down
    whole = (cell < 0)[:, None]
    shift = np.where(whole, 0.0, _cell_centres()[cell])
    half = np.where(whole, 0.5, 0.5 / SPLIT)
    # Towards the horizon a pixel's footprint grows without bound: keep its inner part.
    for _ in range(12):
        window = (shift[:, None] + half[:, None] * turn) / zoom[:, None, None]
        corners = camera.rays(middle[:, None] + window)
        facing = np.einsum("qkc,qc->qk", corners, normal)
        with np.errstate(divide="ignore", invalid="ignore"):
            along = plane[:, None] / facing
        oblique = ~(np.abs(along / depth[:, None] - 1) <= _OBLIQUE).all(axis=1)
        if not oblique.any():
            break
        # All windows of a pixel shrink together.
        zoom = np.where(np.isin(pixel, pixel[oblique]), 2 * zoom, zoom)
    along = np.where(oblique[:, None], depth[:, None], along)
    quads: Array = camera.position + along[..., None] * corners
    return quads, zoom


def _lattice(camera: Camera, depth: Array, normal: Array, centres: Centres) -> ReceiverSurface:
    """Quads between four neighbouring pixel centres, each quarter for the pixel at its corner."""
    index = np.arange(depth.size).reshape(depth.shape)
    # Counter-clockwise as the camera sees them: upper left, lower left, lower right, upper right.
    owner = np.stack([index[:-1, :-1], index[1:, :-1], index[1:, 1:], index[:-1, 1:]], axis=-1)
    owner = owner.reshape(-1, 4)[_connected(camera, depth, normal).ravel()]
    corners = camera.back_project(depth).reshape(-1, 3)[owner]
    middle = corners.mean(axis=1)
    after = (corners + np.roll(corners, -1, axis=1)) / 2  # middle of the edge behind each corner
    quarters = np.stack(
        [corners, after, np.broadcast_to(middle[:, None], corners.shape), np.roll(after, 1, 1)],
        axis=2,
    ).reshape(-1, 4, 3)
    across = np.cross(quarters[:, 2] - quarters[:, 0], quarters[:, 3] - quarters[:, 1])
    length = np.linalg.norm(across, axis=1)
    solid = length > 0
    unit = across[solid] / length[solid, None]
    return ReceiverSurface(depth.shape, owner.ravel()[solid], quarters[solid], unit, centres)


def _connected(camera: Camera, depth: Array, normal: Array) -> NDArray[np.bool_]:
    """Which quads span one surface, (H - 1, W - 1), rather than a depth jump."""
    around = np.stack([depth[:-1, :-1], depth[1:, :-1], depth[1:, 1:], depth[:-1, 1:]])
    # How much a step of one pixel changes the depth, given the slope of the surface.
    facing = np.abs(np.einsum("hwc,hwc->hw", camera.rays(), normal))[:-1, :-1]
    focal = min(camera.intrinsics[0, 0], camera.intrinsics[1, 1])
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = np.ptp(around, axis=0) / around.min(axis=0)
        connected: NDArray[np.bool_] = np.isfinite(around).all(axis=0) & (
            spread <= _DEPTH_JUMP + 3.0 / (focal * facing)
        )
    return connected
