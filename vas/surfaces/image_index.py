"""The image index: which pixel of which view sees a point that a ray has hit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vasgen.camera import Camera
from vasgen.vas.surfaces.surface import PLANE_M, PLANE_SHARE, SPLIT, ReceiverSurface, Windows

Array = NDArray[np.float64]

#: Grazing arrivals below this cosine are not counted: their value has no bound.
GRAZING = 1e-4

_ALL_CELLS = 2 ** (SPLIT * SPLIT) - 1


class Spot(NamedTuple):
    """Where rays meet what a view sees, as Mitsuba arrays.

    Attributes:
        pixel: number of the pixel, over all views in a row.
        per_area: one over the area of its footprint, 1 / square metres.
        arriving: cosine between the ray and the visible side's normal.
        active: which rays do.
    """

    pixel: Any
    per_area: Any
    arriving: Any
    active: Any


class ImageIndex:
    """The footprints of all pixels of several images, found by projection.

    A point of the scene that a ray hits is projected into each image; it is in the footprint
    of the pixel it falls into if it lies on that pixel's plane and in its window. So one shot
    of rays serves every view of a scene.

    Args:
        surfaces: what each camera sees, as footprints.
        centre: (3,) world point that is the origin of the traced coordinates, metres.

    Attributes:
        sizes: number of pixels of each view.
    """

    def __init__(self, surfaces: Sequence[ReceiverSurface], centre: Array) -> None:
        import mitsuba as mi

        self.sizes = [surface.num_pixels for surface in surfaces]
        tables = [_pixel_table(surface, centre) for surface in surfaces]
        table = np.concatenate(tables).astype(np.float32)
        self._plane = mi.Float(np.ascontiguousarray(table[:, :4]).ravel())
        self._window = mi.Float(np.ascontiguousarray(table[:, 4:]).ravel())
        rows = [_camera_row(_windows(surface).camera, centre) for surface in surfaces]
        # Apart from the other numbers: in float32 a large one would be rounded.
        self._first = mi.UInt32(np.cumsum([0, *self.sizes[:-1]]).astype(np.uint32))
        self._cameras = mi.Float(np.concatenate(rows).astype(np.float32))
        self._count = mi.UInt32(len(surfaces))

    def each_view(self, ray: Any, hit: Any, active: Any, visit: Callable[[Spot], None]) -> None:
        """Tell, for one view after another, what it sees of rays that meet the scene.

        Args:
            ray: Mitsuba rays.
            hit: where they meet the scene.
            active: which rays there are; those that meet nothing are not ``hit.is_valid()``.
            visit: called within a symbolic loop over the views: its side effects are recorded.
        """
        import drjit as dr
        import mitsuba as mi

        active = active & hit.is_valid()

        def step(view: Any) -> tuple[Any]:
            visit(self._locate(view, ray, hit, active))
            return (view + 1,)

        dr.while_loop((mi.UInt32(0),), lambda view: view < self._count, step)

    def _locate(self, view: Any, ray: Any, hit: Any, active: Any) -> Spot:
        import drjit as dr
        import mitsuba as mi

        x, y, w, frame = (dr.gather(mi.Vector4f, self._cameras, 4 * view + k) for k in range(4))
        point = mi.Vector4f(hit.p.x, hit.p.y, hit.p.z, 1.0)
        deep = dr.dot(w, point)
        u, v = dr.dot(x, point) / deep, dr.dot(y, point) / deep
        active = active & (deep > 0) & (u >= 0) & (u < frame.x) & (v >= 0) & (v < frame.y)
        column, row = mi.UInt32(u), mi.UInt32(v)
        first = dr.gather(mi.UInt32, self._first, view)
        pixel = first + row * mi.UInt32(frame.x) + column
        plane = dr.gather(mi.Vector4f, self._plane, pixel, active)
        per_area, zoom, cells, _ = dr.gather(mi.Vector4f, self._window, pixel, active)
        normal = mi.Vector3f(plane.x, plane.y, plane.z)
        arriving = -dr.dot(normal, ray.d)
        distance = dr.abs(dr.dot(normal, hit.p) - plane.w)
        near = PLANE_M + PLANE_SHARE * deep
        active &= (arriving > GRAZING) & (distance < near)
        # What comes through a thin pane, or a second wall on the first, was counted in front.
        active &= arriving * hit.t > near
        active &= _in_window(u - mi.Float(column), v - mi.Float(row), zoom, mi.UInt32(cells))
        return Spot(pixel, per_area, arriving, active)


def _in_window(x: Any, y: Any, zoom: Any, cells: Any) -> Any:
    """Whether a place in a pixel, [0, 1) each way, is in one of its cells."""
    import drjit as dr
    import mitsuba as mi

    x, y = (SPLIT * ((place - 0.5) * zoom + 0.5) for place in (x, y))
    inside = (x >= 0) & (x < SPLIT) & (y >= 0) & (y < SPLIT)
    cell = mi.UInt32(dr.clip(y, 0, SPLIT - 1)) * SPLIT + mi.UInt32(dr.clip(x, 0, SPLIT - 1))
    return inside & (((cells >> cell) & 1) == 1)


def _pixel_table(surface: ReceiverSurface, centre: Array) -> Array:
    """Normal, offset of the plane; 1 / area, zoom and cells of each pixel, (P, 8)."""
    windows = _windows(surface)
    table = np.zeros((surface.num_pixels, 8))
    pixel, first = np.unique(surface.pixel, return_index=True)
    table[pixel, :3] = surface.normal[first]
    table[pixel, 3] = np.einsum(
        "pc,pc->p", surface.normal[first], surface.corners[first].mean(axis=1) - centre
    )
    table[pixel, 4] = 1.0 / np.maximum(surface.pixel_area[pixel], 1e-30)
    table[pixel, 5] = windows.zoom[first]
    bits = np.where(windows.cell < 0, _ALL_CELLS, 2.0 ** np.maximum(windows.cell, 0))
    table[:, 6] = surface.sum_by_pixel(bits)
    return table


def _windows(surface: ReceiverSurface) -> Windows:
    assert surface.windows is not None, "a lattice has no windows"
    return surface.windows


def _camera_row(camera: Camera, centre: Array) -> Array:
    """Projection of traced coordinates as three rows of four; width and height."""
    to_camera = camera.rotation.T
    shift = to_camera @ (centre - camera.position)
    projection = camera.intrinsics @ np.column_stack([to_camera, shift])
    return np.concatenate([projection.ravel(), [camera.width, camera.height, 0.0, 0.0]])
