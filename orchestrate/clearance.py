"""Clearance: the exact distance from points to the nearest surface of a scene.

Between two points of a path the distance falls by no more than half of what lies between
them: a path whose points, ``step`` apart, are ``clearance + step / 2`` away from everything
keeps the clearance everywhere, not at its points only.
"""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

from vasgen.bundle import SceneBundle

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

#: Points whose distances are found together: bounds memory at about 200 MB in a dense scene.
_AT_ONCE = 4000


class Clearance:
    """Distances to one scene.

    Args:
        bundle: any scene, generated or imported.
        faces: (F,) bool, which of its faces count; all if omitted.
    """

    def __init__(self, bundle: SceneBundle, faces: Mask | None = None) -> None:
        triangles = bundle.face_table.triangles
        self._triangles = triangles if faces is None else triangles[faces]
        low, high = self._triangles.min(axis=1), self._triangles.max(axis=1)
        self._low_m, self._high_m = low[:, 2], high[:, 2]
        self._tree = shapely.STRtree(shapely.box(low[:, 0], low[:, 1], high[:, 0], high[:, 1]))

    def distance(self, points: Array, reach_m: float) -> Array:
        """Distance from each point to the nearest triangle, (N,) metres; at most ``reach_m``.

        Args:
            points: (N, 3) world metres.
            reach_m: what is farther away is not looked at, metres.
        """
        found = np.full(len(points), float(reach_m))
        for start in range(0, len(points), _AT_ONCE):
            part = points[start : start + _AT_ONCE]
            asked, face = self._near(part, reach_m)
            apart = distance_to_triangles(part[asked], self._triangles[face])
            np.minimum.at(found[start : start + _AT_ONCE], asked, apart)
        return found

    def keeps(self, path: Array, clearance_m: float) -> Mask:
        """Whether each segment of a polyline keeps a clearance all along, (N - 1,).

        Args:
            path: (N, 3) world metres; segments much longer than the clearance are refused
                sooner than they need be.
            clearance_m: distance to every surface, metres.
        """
        half = np.linalg.norm(np.diff(path, axis=0), axis=1) / 2
        away = self.distance(path, clearance_m + float(half.max(initial=0.0)))
        kept: Mask = np.minimum(away[:-1], away[1:]) >= clearance_m + half
        return kept

    def _near(self, points: Array, reach_m: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Pairs of a point and a triangle whose bounding box is within reach."""
        x, y, z = points.T
        boxes = shapely.box(x - reach_m, y - reach_m, x + reach_m, y + reach_m)
        asked, face = self._tree.query(boxes)
        level = (self._low_m[face] <= z[asked] + reach_m) & (
            self._high_m[face] >= z[asked] - reach_m
        )
        return asked[level], face[level]


def distance_to_triangles(points: Array, triangles: Array) -> Array:
    """Distance of each point to the triangle beside it, (N,) metres.

    Where the foot of the perpendicular is in the triangle it is the distance to the plane,
    else that to the nearest of the three sides.

    Args:
        points: (N, 3) metres.
        triangles: (N, 3, 3) corners, metres; slivers without an area count as their sides.
    """
    nearest = np.full(len(points), np.inf)
    within = np.ones(len(points), bool)
    corner, across = triangles[:, 0], triangles[:, 1] - triangles[:, 0]
    normal = np.cross(across, triangles[:, 2] - corner)
    area = np.einsum("ij,ij->i", normal, normal)
    for side in range(3):
        start, along = triangles[:, side], triangles[:, (side + 1) % 3] - triangles[:, side]
        offset = points - start
        length = np.maximum(np.einsum("ij,ij->i", along, along), 1e-300)
        share = np.clip(np.einsum("ij,ij->i", offset, along) / length, 0.0, 1.0)
        apart = offset - share[:, None] * along
        np.minimum(nearest, np.einsum("ij,ij->i", apart, apart), out=nearest)
        within &= np.einsum("ij,ij->i", np.cross(along, offset), normal) >= 0
    height = np.einsum("ij,ij->i", points - corner, normal) ** 2 / np.maximum(area, 1e-300)
    squared: Array = np.where(within & (area > 0), np.minimum(height, nearest), nearest)
    return np.sqrt(squared)
