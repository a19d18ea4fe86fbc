"""Receivers of counted rays: what happens where a ray meets a visible surface.

A ray tube of solid angle W and field a that crosses a cell of area A at cos(theta) adds
|a|^2 W / (A cos(theta)) to the mean of the cell. Only arrivals on the visible side count:
the surface's own reflection leaves it from there and would add 3 dB on metal.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from vasgen.camera import Camera
from vasgen.vas.radio_scene import triangle_mesh
from vasgen.vas.surface import PLANE_M, PLANE_SHARE, SPLIT, ReceiverSurface, Windows

Array = NDArray[np.float64]

#: Grazing arrivals below this cosine are not counted: their value has no bound.
_GRAZING = 1e-4

_ALL_CELLS = 2 ** (SPLIT * SPLIT) - 1


class Receiver(Protocol):
    """Counts rays, for every pixel of some views.

    Attributes:
        sums: what was counted, of all its views in a row.
        sizes: number of pixels of each view.
    """

    sums: Sums
    sizes: list[int]

    def add(self, ray: Any, hit: Any, power: Any, active: Any) -> None:
        """Count rays that travel to a point of the scene.

        Args:
            ray: Mitsuba rays.
            hit: where they meet the scene; its normal is that of the geometry.
            power: solid angle of each ray's tube times its squared field.
            active: which rays there are; those that meet nothing are not ``hit.is_valid()``.
        """


class Totals(NamedTuple):
    """What has been counted.

    Attributes:
        first: (P,) sum of all hits.
        second: (P,) sum of their squares.
        spread: (P,) sum over the chunks of the square of their sum, over their rays.
    """

    first: Array
    second: Array
    spread: Array

    def split(self, sizes: Sequence[int]) -> list[Totals]:
        """Those of each view, of so many pixels."""
        ends = np.cumsum(sizes)[:-1]
        return [Totals(*arrays) for arrays in zip(*(np.split(a, ends) for a in self), strict=True)]


class Sums:
    """Accumulators for every pixel."""

    def __init__(self, num_pixels: int) -> None:
        self._num_pixels = num_pixels
        self.clear()

    def clear(self) -> None:
        """Forget all that was counted."""
        import drjit as dr
        import mitsuba as mi

        # Threads add in any order; in float64 that leaves no trace in the float32 label.
        self._chunk, self._first, self._second, self._spread = (
            dr.zeros(mi.Float64, self._num_pixels) for _ in range(4)
        )

    def add(self, pixel: Any, value: Any, active: Any) -> None:
        """Add values to pixels, where active."""
        import drjit as dr
        import mitsuba as mi

        exact = mi.Float64(value)
        dr.scatter_reduce(dr.ReduceOp.Add, self._chunk, exact, pixel, active)
        dr.scatter_reduce(dr.ReduceOp.Add, self._second, exact * exact, pixel, active)

    def end_chunk(self, rays: int) -> None:
        """So many rays, one lattice of directions, have been counted since the last call."""
        import drjit as dr
        import mitsuba as mi

        self._first += self._chunk
        self._spread += dr.square(self._chunk) / dr.opaque(mi.Float64, float(rays))
        self._chunk = dr.zeros(mi.Float64, self._num_pixels)
        dr.eval(self._first, self._spread, self._chunk)

    def totals(self) -> Totals:
        """All that was counted in chunks that have ended."""
        kept = (self._first, self._second, self._spread)
        return Totals(*(np.array(values, np.float64) for values in kept))


class ImageReceiver:
    """The footprints of all pixels of several images, found by projection.

    A point of the scene that a ray hits is projected into each image; it counts for the
    pixel it falls into if it lies on that pixel's plane and in its window. So one shot of
    rays serves every view of a scene.

    Args:
        surfaces: what each camera sees, as footprints.
        centre: (3,) world point that is the origin of the traced coordinates, metres.
    """

    def __init__(self, surfaces: Sequence[ReceiverSurface], centre: Array) -> None:
        import mitsuba as mi

        self.sizes = [surface.num_pixels for surface in surfaces]
        self.sums = Sums(sum(self.sizes))
        tables = [_pixel_table(surface, centre) for surface in surfaces]
        table = np.concatenate(tables).astype(np.float32)
        self._plane = mi.Float(np.ascontiguousarray(table[:, :4]).ravel())
        self._window = mi.Float(np.ascontiguousarray(table[:, 4:]).ravel())
        rows = [_camera_row(_windows(surface).camera, centre) for surface in surfaces]
        # Apart from the other numbers: in float32 a large one would be rounded.
        self._first = mi.UInt32(np.cumsum([0, *self.sizes[:-1]]).astype(np.uint32))
        self._cameras = mi.Float(np.concatenate(rows).astype(np.float32))
        self._count = mi.UInt32(len(surfaces))

    def add(self, ray: Any, hit: Any, power: Any, active: Any) -> None:
        """See :class:`Receiver`."""
        import drjit as dr
        import mitsuba as mi

        active = active & hit.is_valid()

        def count(view: Any) -> tuple[Any]:
            self._add_to(view, ray, hit, power, active)
            return (view + 1,)

        dr.while_loop((mi.UInt32(0),), lambda view: view < self._count, count)

    def _add_to(self, view: Any, ray: Any, hit: Any, power: Any, active: Any) -> None:
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
        active &= (arriving > _GRAZING) & (distance < near)
        # What comes through a thin pane, or a second wall on the first, was counted in front.
        active &= arriving * hit.t > near
        active &= _in_window(u - mi.Float(column), v - mi.Float(row), zoom, mi.UInt32(cells))
        self.sums.add(pixel, power * per_area / arriving, active)


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


class MeshReceiver:
    """The quads of a surface, as a mesh that rays pass through: for a lattice.

    Args:
        surface: of one view.
        centre: (3,) world point that is the origin of the traced coordinates, metres.
    """

    def __init__(self, surface: ReceiverSurface, centre: Array) -> None:
        import mitsuba as mi

        lift = surface.offset_m(centre)[:, None, None] * surface.normal[:, None]
        corners = surface.corners - centre + lift
        first = 4 * np.arange(len(corners))[:, None, None]
        faces = (first + np.array([[0, 1, 2], [0, 2, 3]])).reshape(-1, 3)
        mesh = triangle_mesh(mi, "receiver", corners.reshape(-1, 3), faces)
        self._scene = mi.load_dict({"type": "scene", "receiver": mesh})
        self.sizes = [surface.num_pixels]
        self.sums = Sums(surface.num_pixels)
        self._pixel = mi.UInt32(np.repeat(surface.pixel, 2).astype(np.uint32))
        area = np.maximum(surface.pixel_area, 1e-30)
        self._per_area = mi.Float((1.0 / area).astype(np.float32))

    def add(self, ray: Any, hit: Any, power: Any, active: Any) -> None:
        """See :class:`Receiver`."""
        import drjit as dr
        import mitsuba as mi

        def cross(ray: Any, left: Any, active: Any) -> tuple[Any, Any, Any]:
            """The next crossing: first, as a rule, the surface that the ray has just left."""
            crossing = self._scene.ray_intersect(ray, active=active)
            active = active & crossing.is_valid() & (crossing.t < left)
            arriving = -dr.dot(crossing.n, ray.d)
            counted = active & (arriving > _GRAZING)
            pixel = dr.gather(mi.UInt32, self._pixel, crossing.prim_index, counted)
            per_area = dr.gather(mi.Float, self._per_area, pixel, counted)
            self.sums.add(pixel, power * per_area / arriving, counted)
            return crossing.spawn_ray(d=ray.d), left - crossing.t, active

        dr.while_loop((mi.Ray3f(ray), mi.Float(hit.t), mi.Bool(active)), lambda *s: s[2], cross)
