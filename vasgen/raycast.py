"""Ray casting: what a ray meets first in a scene.

Mitsuba finds the triangle in float32, in coordinates centred near the rays; the
distance is then evaluated in float64 on that triangle's plane. So depth is exact to
float32 rounding wherever in the world the scene lies.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vasgen import runtime
from vasgen.bundle import SceneBundle

Array = NDArray[np.float64]

#: Smallest cosine between ray and plane for which the plane equation gives the distance.
_GRAZING = 1e-9


class Hits(NamedTuple):
    """Nearest intersections of N rays.

    Attributes:
        distance: (N,) float64, in lengths of the direction vector; inf where nothing is hit.
        face: (N,) int64, face index over all meshes of the bundle in order; -1 for nothing.
    """

    distance: Array
    face: NDArray[np.int64]


class RayCaster:
    """Casts rays into a scene.

    Args:
        bundle: the scene.
        centre: (3,) world point near which rays will start, metres; the middle of the
            scene if omitted.

    Attributes:
        bundle: the scene.
        faces: its faces.
        centre: (3,) origin of the coordinates that are traced, world metres.
    """

    def __init__(self, bundle: SceneBundle, centre: ArrayLike | None = None) -> None:
        middle = bundle.bounds.mean(axis=0) if centre is None else centre
        self.bundle = bundle
        self.faces = bundle.face_table
        self.centre = np.asarray(middle, np.float64)
        self._scene = self._build()

    def _build(self) -> Any:
        with runtime.radio_variant() as mi:
            triangles = self.faces.triangles - self.centre
            mesh = mi.Mesh("scene", 3 * len(triangles), len(triangles))
            parameters = mi.traverse(mesh)
            parameters["vertex_positions"] = triangles.astype(np.float32).ravel()
            parameters["faces"] = np.arange(3 * len(triangles), dtype=np.uint32)
            parameters.update()
            return mi.load_dict({"type": "scene", "mesh": mesh})

    def intersect(self, origins: ArrayLike, directions: ArrayLike) -> Hits:
        """The nearest surface along each ray.

        Args:
            origins: (N, 3) or (3,) world metres.
            directions: (N, 3), any length.
        """
        direction = np.asarray(directions, np.float64)
        origin = np.broadcast_to(np.asarray(origins, np.float64), direction.shape)
        if not len(direction):
            return Hits(np.zeros(0), np.zeros(0, np.int64))
        with runtime.radio_variant() as mi:
            found = self._scene.ray_intersect_preliminary(
                mi.Ray3f(_point(mi, origin - self.centre), _vector(mi, direction)), coherent=True
            )
            hit, face = np.array(found.is_valid()), np.array(found.prim_index).astype(np.int64)
            rough = np.array(found.t, np.float64)
        face = np.where(hit, face, -1)
        return Hits(np.where(hit, self._refine(origin, direction, face, rough), np.inf), face)

    def blocked(self, origins: ArrayLike, targets: ArrayLike) -> NDArray[np.bool_]:
        """Whether something lies strictly between each origin and its target.

        Args:
            origins: (N, 3) or (3,) world metres.
            targets: (N, 3) or (3,) world metres.

        Returns:
            (N,) bool. Surfaces within a few float32 roundings of either end do not count.
        """
        start, end = np.broadcast_arrays(
            np.asarray(origins, np.float64), np.asarray(targets, np.float64)
        )
        if not len(start):
            return np.zeros(0, bool)
        with runtime.radio_variant() as mi:
            # Directions of the full length: the ray's extent is then exactly [0, 1].
            margin = self._margin(start, end)
            ray = mi.Ray3f(
                o=_point(mi, start - self.centre + margin * (end - start)),
                d=_vector(mi, (end - start) * (1 - 2 * margin)),
                maxt=1.0,
                time=0.0,
                wavelengths=[],
            )
            return np.array(self._scene.ray_test(ray))

    def _margin(self, start: Array, end: Array) -> Array:
        """Share of the segment left out at each end: Mitsuba's own ray epsilon, in metres."""
        reach = np.maximum(chebyshev(start - self.centre), chebyshev(end - self.centre))
        length = np.sqrt(np.einsum("ij,ij->i", end - start, end - start))
        epsilon = 8.94e-5 * (1 + reach)
        share: Array = np.minimum(epsilon / np.maximum(length, 1e-30), 0.5)
        return share[..., None]

    def _refine(
        self, origin: Array, direction: Array, face: NDArray[np.int64], rough: Array
    ) -> Array:
        normal = self.faces.normal[face]
        facing = np.einsum("ij,ij->i", normal, direction)
        offset = np.einsum("ij,ij->i", normal, self.faces.triangles[face, 0] - origin)
        steep = np.abs(facing) > _GRAZING * np.linalg.norm(direction, axis=-1)
        distance: Array = np.where(steep, offset / np.where(steep, facing, 1.0), rough)
        return distance


def chebyshev(vectors: Array) -> Array:
    """Largest absolute coordinate of each vector, (...) from (..., 3).

    Column by column: numpy reduces a short last axis five times slower.
    """
    x, y, z = (np.abs(vectors[..., axis]) for axis in range(3))
    largest: Array = np.maximum(np.maximum(x, y), z)
    return largest


def _point(mi: Any, array: Array) -> Any:
    return mi.Point3f(np.ascontiguousarray(array.T, np.float32))


def _vector(mi: Any, array: Array) -> Any:
    return mi.Vector3f(np.ascontiguousarray(array.T, np.float32))
