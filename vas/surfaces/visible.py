"""What a camera sees, as a receiver surface: footprints of pixels, or a lattice between them."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from vasgen.camera import Camera
from vasgen.errors import InputError
from vasgen.layers import Float
from vasgen.raycast import RayCaster
from vasgen.vas.surfaces.surface import (
    PLANE_M,
    PLANE_SHARE,
    SPLIT,
    Centres,
    ReceiverSurface,
    Windows,
)

Array = NDArray[np.float64]
Kind = Literal["footprint", "lattice"]

#: A pixel whose corner is this much deeper or nearer than its centre is seen so
#: obliquely that its footprint is cut to the part around the centre.
_OBLIQUE = 0.5

#: A plane at less than this sine to a pixel's ray is a line in the picture.
_EDGE_ON = 1e-9

#: Neighbouring normals are of one plane if their dot product exceeds this.
_SAME_NORMAL = 0.999

#: A lattice quad is cut where neighbouring depths differ by more than this share beyond
#: what the surface's slope explains.
_DEPTH_JUMP = 0.05

#: A window of this zoom shows little more than its pixel's centre.
_CENTRE_ZOOM = 8.0


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
