"""Polygons from triangles: coplanar neighbours become one face with holes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from vasgen.citygen.geometry.solids import Array, Ints

#: Triangles whose corners lie this near to a neighbour's plane are in one plane with it,
#: and a polygon's corners never lie further from its own, metres.
_FLAT_M = 0.001
_PLANAR_M = 0.005

#: A polygon: its outline, counter-clockwise from outside, then holes; vertex numbers.
Rings = list[list[int]]


def merge(vertices: Array, faces: Ints, label: Ints) -> list[tuple[int, Rings]]:
    """Merge the triangles of a surface into plane polygons.

    Every edge between two polygons keeps all of its corners, so that a closed surface stays
    closed. Triangles stay what they are where their union is no polygon: not plane, or with
    rings that touch themselves.

    Args:
        vertices: (V, 3) metres, welded.
        faces: (F, 3) counter-clockwise from outside.
        label: (F,) only triangles of one label are merged.

    Returns:
        Index of a triangle of it, and rings, for each polygon.
    """
    if not len(faces):
        return []
    edges = _Edges(vertices, faces)
    patch = edges.patches(label)
    wrong = edges.misfits(patch)
    # Patches that are no polygon fall apart; each triangle takes a number of its own.
    patch = np.where(wrong[patch], patch.max() + 1 + np.arange(len(faces)), patch)
    return edges.polygons(patch)


class _Edges:
    """The directed edges of triangles, three each, and their opposites."""

    def __init__(self, vertices: Array, faces: Ints) -> None:
        self.tail, self.head = faces.ravel(), np.roll(faces, -1, axis=1).ravel()
        self.face = np.repeat(np.arange(len(faces)), 3)
        self.mate = self._mates(len(vertices))
        corners = vertices[faces]
        # Relative to a corner, for the digits.
        self.corners, self.origin = corners, corners[:, 0]
        sides = corners[:, 1:] - corners[:, :1]
        self.normal = np.cross(sides[:, 0], sides[:, 1])
        self.vertices = vertices

    def _mates(self, count: int) -> Ints:
        """The opposite of each edge; -1 where there is none, or more than one."""
        forth, back = self.tail * count + self.head, self.head * count + self.tail
        order = np.argsort(forth, kind="stable")
        keys = forth[order]
        at = np.searchsorted(keys, back)
        last = np.searchsorted(keys, back, side="right")
        return np.where(last - at == 1, order[np.minimum(at, len(keys) - 1)], -1)

    def patches(self, label: Ints) -> Ints:
        """(F,) number of the patch of coplanar triangles that each belongs to."""
        one = np.flatnonzero(self.mate > np.arange(len(self.mate)))
        two = self.mate[one]
        # The larger triangle of the two says what the plane is: slivers have no reliable one.
        size = np.linalg.norm(self.normal, axis=1)
        swap = size[self.face[two]] > size[self.face[one]]
        big, small = np.where(swap, two, one), np.where(swap, one, two)
        large, little = self.face[big], self.face[small]
        apart = self.vertices[self._opposite(small)] - self.origin[large]
        off = np.abs((apart * self.normal[large]).sum(axis=1))
        same = (label[large] == label[little]) & (size[large] > 0)
        same &= off <= _FLAT_M * size[large]
        same &= (self.normal[large] * self.normal[little]).sum(axis=1) >= 0
        pairs = coo_array(
            (np.ones(int(same.sum()), dtype=np.int8), (large[same], little[same])),
            shape=(len(size), len(size)),
        )
        return np.asarray(connected_components(pairs, directed=False)[1], dtype=np.int64)

    def _opposite(self, edge: Ints) -> Ints:
        """The corner of an edge's triangle that is not on it."""
        return np.asarray(self.tail[edge - edge % 3 + (edge + 2) % 3])

    def misfits(self, patch: Ints) -> NDArray[np.bool_]:
        """(patches,) whether a patch is no plane polygon."""
        count = int(patch.max()) + 1
        normal = _sums(patch, self.normal, count)
        normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-12)
        area = np.linalg.norm(self.normal, axis=1)
        weight = np.maximum(np.bincount(patch, area, count), 1e-12)[:, None]
        middle = _sums(patch, self.corners.mean(axis=1) * area[:, None], count) / weight
        off = np.abs(((self.corners - middle[patch][:, None]) * normal[patch][:, None]).sum(-1))
        wrong = np.zeros(count, dtype=bool)
        wrong[patch[off.max(axis=1) > _PLANAR_M]] = True
        edge, owner = self._rim(patch)
        following = self._following(edge, owner)
        touching = following < 0
        wrong[owner[touching]] = True
        kept = ~wrong[owner]
        edge, owner = edge[kept], owner[kept]
        following = self._following(edge, owner)
        links = coo_array(
            (np.ones(len(edge), dtype=np.int8), (np.arange(len(edge)), following)),
            shape=(len(edge), len(edge)),
        )
        rings, ring = connected_components(links, directed=False)
        start = self.vertices[self.tail[edge]] - middle[owner]
        end = self.vertices[self.head[edge]] - middle[owner]
        across = (np.cross(start, end) * normal[owner]).sum(axis=1)
        ring_owner = np.zeros(rings, dtype=np.int64)
        ring_owner[ring] = owner
        outlines = np.bincount(ring, across, rings) > 0
        outer = np.bincount(ring_owner[outlines], minlength=count)
        has_rim = np.bincount(ring_owner, minlength=count) > 0
        wrong |= has_rim & (outer != 1)
        return wrong

    def _rim(self, patch: Ints) -> tuple[Ints, Ints]:
        """Edges between patches, sorted by patch and tail, and the patch of each."""
        of_edge = patch[self.face]
        inner = (self.mate >= 0) & (of_edge[self.mate] == of_edge)
        edge = np.flatnonzero(~inner)
        edge = edge[np.lexsort((self.tail[edge], of_edge[edge]))]
        return edge, of_edge[edge]

    def _following(self, edge: Ints, owner: Ints) -> Ints:
        """Place of the edge that goes on from each one's head; -1 where two do."""
        count = len(self.vertices)
        keys = owner * count + self.tail[edge]
        wanted = owner * count + self.head[edge]
        at, last = np.searchsorted(keys, wanted), np.searchsorted(keys, wanted, side="right")
        return np.where(last - at == 1, at, -1)

    def polygons(self, patch: Ints) -> list[tuple[int, Rings]]:
        """The rings of each patch, outline first."""
        edge, owner = self._rim(patch)
        following = self._following(edge, owner).tolist()
        tails, owners = self.tail[edge].tolist(), owner.tolist()
        rings: dict[int, Rings] = {}
        visited = bytearray(len(edge))
        for start in range(len(edge)):
            ring, at = [], start
            while not visited[at]:
                visited[at] = 1
                ring.append(tails[at])
                at = following[at]
            if ring:
                rings.setdefault(owners[start], []).append(ring)
        first = np.full(int(patch.max()) + 1, -1)
        first[patch[::-1]] = np.arange(len(patch))[::-1]
        found = []
        for number, parts in rings.items():
            face = int(first[number])
            if len(parts) > 1:
                parts.sort(key=lambda part: -self._area(part, face))
            found.append((face, parts))
        return sorted(found, key=lambda entry: entry[0])

    def _area(self, ring: list[int], face: int) -> float:
        """Twice the signed area of a ring, seen from outside, times a face's own."""
        points = self.vertices[ring] - self.origin[face]
        across = np.cross(points, np.roll(points, -1, axis=0)).sum(axis=0)
        return float((across * self.normal[face]).sum())


def _sums(group: Ints, values: Array, count: int) -> Array:
    """(count, 3) sums of vectors by group."""
    columns = [np.bincount(group, values[:, axis], count) for axis in range(3)]
    return np.column_stack(columns)
