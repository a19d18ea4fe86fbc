"""Receivers of counted rays: what happens where a ray meets a visible surface.

A ray tube of solid angle W and field a that crosses a cell of area A at cos(theta) adds
|a|^2 W / (A cos(theta)) to the mean of the cell. Only arrivals on the visible side count:
the surface's own reflection leaves it from there and would add 3 dB on metal.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from vasgen.vas.scene.radio_scene import triangle_mesh
from vasgen.vas.surfaces.image_index import GRAZING, ImageIndex, Spot
from vasgen.vas.surfaces.surface import ReceiverSurface

Array = NDArray[np.float64]


class Sieve(NamedTuple):
    """Which rays count.

    Attributes:
        counts: tells it from the pixels they arrive at (of all views in a row) and from which rays
            there are: ``mi.UInt32`` and ``mi.Bool`` to ``mi.Bool``.
        sought: whether they are of the kind that is known in closed form once it is found,
            ``mi.Bool``.
    """

    counts: Callable[[Any, Any], Any]
    sought: Any


class Receiver(Protocol):
    """Counts rays, for every pixel of some views.

    Attributes:
        sums: what was counted, of all its views in a row.
        sizes: number of pixels of each view.
    """

    sums: Sums
    sizes: list[int]

    def add(self, ray: Any, hit: Any, power: Any, active: Any, sieve: Sieve) -> None:
        """Count rays that travel to a point of the scene.

        Args:
            ray: Mitsuba rays.
            hit: where they meet the scene; its normal is that of the geometry.
            power: solid angle of each ray's tube times its squared field.
            active: which rays there are; those that meet nothing are not ``hit.is_valid()``.
            sieve: which of those that arrive count.
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

    Args:
        surfaces: what each camera sees, as footprints.
        centre: (3,) world point that is the origin of the traced coordinates, metres.
    """

    def __init__(self, surfaces: Sequence[ReceiverSurface], centre: Array) -> None:
        self._index = ImageIndex(surfaces, centre)
        self.sizes = self._index.sizes
        self.sums = Sums(sum(self.sizes))

    def add(self, ray: Any, hit: Any, power: Any, active: Any, sieve: Sieve) -> None:
        """See :class:`Receiver`."""

        def count(spot: Spot) -> None:
            some = sieve.counts(spot.pixel, spot.active)
            self.sums.add(spot.pixel, power * spot.per_area / spot.arriving, some)

        self._index.each_view(ray, hit, active, count)


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

    def add(self, ray: Any, hit: Any, power: Any, active: Any, sieve: Sieve) -> None:
        """See :class:`Receiver`."""
        import drjit as dr
        import mitsuba as mi

        def cross(ray: Any, left: Any, active: Any) -> tuple[Any, Any, Any]:
            """The next crossing: first, as a rule, the surface that the ray has just left."""
            crossing = self._scene.ray_intersect(ray, active=active)
            active = active & crossing.is_valid() & (crossing.t < left)
            arriving = -dr.dot(crossing.n, ray.d)
            counted = active & (arriving > GRAZING)
            pixel = dr.gather(mi.UInt32, self._pixel, crossing.prim_index, counted)
            per_area = dr.gather(mi.Float, self._per_area, pixel, counted)
            self.sums.add(pixel, power * per_area / arriving, sieve.counts(pixel, counted))
            return crossing.spawn_ray(d=ray.d), left - crossing.t, active

        dr.while_loop((mi.Ray3f(ray), mi.Float(hit.t), mi.Bool(active)), lambda *s: s[2], cross)
