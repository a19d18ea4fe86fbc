"""Planes: the mirrors of a scene. Coplanar triangles are one plane."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vasgen.bundle import SceneBundle
from vasgen.semantics import SemanticClass

Array = NDArray[np.float64]

#: Triangles whose normals and offsets round to the same are one plane. Fine enough that a
#: path of a kilometre still meets its point within centimetres; what falls on both sides of
#: a rounding step becomes two planes, which costs work and no truth.
_NORMAL_STEP = 1e-5
_OFFSET_STEP_M = 1e-3

#: Planes of less area in all are not worth a search: curved things in fine triangles, knobs. Nor
#: are those of trees, which are many and each seen from few places. What they mirror is left to
#: counted rays. Square metres.
_SMALLEST_MIRROR_M2 = 0.25


@dataclass(frozen=True, eq=False)
class Planes:
    """Planes, each through all faces that lie in it.

    Attributes:
        normal: (N, 3) float64, unit; which of both sides it looks to means nothing.
        offset: (N,) float64, ``normal . p`` of its points, world metres.
    """

    normal: Array
    offset: Array

    def __len__(self) -> int:
        return len(self.offset)

    def take(self, index: NDArray[np.generic]) -> Planes:
        """Some of the planes."""
        return Planes(self.normal[index], self.offset[index])


@dataclass(frozen=True, eq=False)
class Facets:
    """The faces of a scene by the planes they lie in.

    Attributes:
        planes: of all faces.
        plane: (F,) int64, plane of each face, in the order of the bundle's face table.
        material: (F,) int64, radio material of each face.
        mirror: (N,) bool, which planes mirror in closed form.
        box: (N, 2, 3) float64, least and greatest coordinates of all faces in each plane,
            world metres.
    """

    planes: Planes
    plane: NDArray[np.int64]
    material: NDArray[np.int64]
    mirror: NDArray[np.bool_]
    box: Array


def find_facets(bundle: SceneBundle) -> Facets:
    """The planes of all faces of a scene."""
    table = bundle.face_table
    corners = table.triangles
    normal = table.normal
    middle = corners.mean(axis=1)
    near = middle - middle.mean(axis=0)  # far from the origin a tiny turn would be a large offset
    offset = np.einsum("fc,fc->f", normal, near)
    largest = normal[np.arange(len(normal)), np.abs(normal).argmax(axis=1)]
    side = np.where(largest < 0, -1.0, 1.0)  # both sides of a sheet are one mirror
    keys = np.column_stack(
        [np.rint(side[:, None] * normal / _NORMAL_STEP), np.rint(side * offset / _OFFSET_STEP_M)]
    )
    _, first, plane = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    plane = plane.reshape(-1)
    cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    area = np.linalg.norm(cross, axis=1) / 2
    flat = np.where(table.semantic == SemanticClass.VEGETATION, 0.0, area)
    mirror = np.bincount(plane, flat, len(first)) >= _SMALLEST_MIRROR_M2
    normal = normal[first]
    planes = Planes(normal, np.einsum("nc,nc->n", normal, middle[first]))
    box = np.stack([np.full((len(first), 3), np.inf), np.full((len(first), 3), -np.inf)], axis=1)
    np.minimum.at(box[:, 0], plane, corners.min(axis=1))
    np.maximum.at(box[:, 1], plane, corners.max(axis=1))
    return Facets(planes, plane, table.radio.astype(np.int64), mirror, box)
