"""Wedges: the edges of the scene that diffract."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import csgraph

from vasgen.bundle import Mesh, SceneBundle
from vasgen.semantics import SemanticClass

Array = NDArray[np.float64]
Index = NDArray[np.int64]

#: Faces that differ by less than this angle are one plane: nothing diffracts there.
_FLAT = np.cos(np.radians(2.0))

#: Pieces of an edge that differ by less than this angle are one straight edge.
_STRAIGHT = np.cos(np.radians(0.02))

#: Least length of an edge, and least mean width of a plane beside it, metres: the theory's
#: edges and faces have no end.
_SMALLEST_M = 0.3

#: Normals whose sum is shorter belong to the two sides of a folded sheet.
_FOLDED = 1e-6

#: Planes whose normals have more than this cosine look to the same side.
_SAME_SIDE = 0.5

ROUNDED = (SemanticClass.VEGETATION, SemanticClass.VEHICLE)


@dataclass(frozen=True, eq=False)
class Wedges:
    """Edges between two faces of one radio material.

    Attributes:
        origin: (W, 3) float64, one end of the edge, world metres.
        along: (W, 3) float64, unit vector along the edge. With ``normal_0``,
            ``cross(normal_0, along)`` points into face 0, away from the edge.
        length: (W,) float64, metres.
        normal_0: (W, 3) float64, outward unit normal of face 0.
        normal_n: (W, 3) float64, outward unit normal of face n.
        material: (W,) int64, index of the radio material.
    """

    origin: Array
    along: Array
    length: Array
    normal_0: Array
    normal_n: Array
    material: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.length)

    def __getitem__(self, index: NDArray[np.generic]) -> Wedges:
        return Wedges(
            self.origin[index],
            self.along[index],
            self.length[index],
            self.normal_0[index],
            self.normal_n[index],
            self.material[index],
        )

    @property
    def outward(self) -> Array:
        """Unit vector from the edge into free space, between the two faces, (W, 3)."""
        middle = self.normal_0 + self.normal_n
        length = np.linalg.norm(middle, axis=1, keepdims=True)
        # A sheet folded onto itself has air on all sides but that of its faces.
        away = -np.cross(self.normal_0, self.along)
        unit: Array = np.where(length > _FOLDED, middle / np.maximum(length, _FOLDED), away)
        return unit

    def swapped(self, flip: NDArray[np.bool_]) -> Wedges:
        """The same wedges with faces 0 and n exchanged where ``flip`` is set."""
        pick = flip[:, None]
        return Wedges(
            np.where(pick, self.origin + self.length[:, None] * self.along, self.origin),
            np.where(pick, -self.along, self.along),
            self.length,
            np.where(pick, self.normal_n, self.normal_0),
            np.where(pick, self.normal_0, self.normal_n),
            self.material,
        )


def find_wedges(bundle: SceneBundle) -> Wedges:
    """All bent edges of a scene, whole: an edge that triangles cut into pieces is one wedge.

    Edges must be shared by exactly two faces of one mesh: open shells and edges between
    different radio materials do not diffract, as in Sionna RT. Facets of trees and parked cars
    stand for rounded things and have no edges; nor has a narrow step in a plane, whose next edge
    is at hand (a kerb, the reveal of a window): the theory's faces are half planes.
    """
    index = {material.name: i for i, material in enumerate(bundle.radio_materials)}
    parts = [_mesh_wedges(mesh, index[mesh.radio_material]) for mesh in bundle.meshes]
    names = ("origin", "along", "length", "normal_0", "normal_n", "material")
    return Wedges(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def _mesh_wedges(mesh: Mesh, material: int) -> Wedges:
    corners = mesh.triangles
    cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    twice_area = np.linalg.norm(cross, axis=1)
    normals = cross / np.maximum(twice_area, 1e-300)[:, None]
    edges, plane = _bent_edges(mesh.faces, normals)
    edges = edges.take(~np.isin(mesh.face_class[edges.face_0], ROUNDED))
    chain = _straight_chains(edges, plane, mesh.vertices)
    edges, origin, tip = _ends_of_chains(edges, chain, mesh.vertices)
    normal_0, normal_n = normals[edges.face_0], normals[edges.face_n]
    across = corners[edges.face_n].mean(axis=1) - origin
    # The solid is taken to be on the narrow side, whichever way the faces are wound: imported
    # shells are often inside out. At a true inner corner that side is air, from where no
    # path bends round the edge, and the far side is in the dark.
    inward = (np.einsum("ij,ij->i", across, normal_0) > 0)[:, None]
    normal_0, normal_n = (np.where(inward, -n, n) for n in (normal_0, normal_n))
    # Directed so that normal x edge points into face 0.
    origin, tip = np.where(inward, tip, origin), np.where(inward, origin, tip)
    length = np.linalg.norm(tip - origin, axis=1)
    area = np.bincount(plane, twice_area) / 2
    sides = np.column_stack([plane[edges.face_0], plane[edges.face_n]])
    narrow = area[sides] <= _SMALLEST_M * length[:, None]
    facing = normals[np.unique(plane, return_index=True)[1]]
    keep = (length > _SMALLEST_M) & ~_on_a_step(sides, narrow, facing)
    return Wedges(
        origin[keep],
        (tip - origin)[keep] / length[keep, None],
        length[keep],
        normal_0[keep],
        normal_n[keep],
        np.full(int(keep.sum()), material),
    )


@dataclass(frozen=True, eq=False)
class _Edges:
    """Edges of two faces: numbers of the faces, and of the vertices it runs between."""

    face_0: Index
    face_n: Index
    start: Index
    end: Index

    def take(self, index: NDArray[Any]) -> _Edges:
        """Some of the edges."""
        return _Edges(self.face_0[index], self.face_n[index], self.start[index], self.end[index])


def _bent_edges(faces: NDArray[np.int32], normals: Array) -> tuple[_Edges, Index]:
    """Edges between two planes, and the number of the plane of each face."""
    face_0, face_n, start, end = _shared_edges(faces)
    flat = np.einsum("ij,ij->i", normals[face_0], normals[face_n]) >= _FLAT
    plane = _components(face_0[flat], face_n[flat], len(faces))
    # In one direction along each pair of planes, so that pieces of an edge join end to start.
    turn = plane[face_0] > plane[face_n]
    face_0, face_n = np.where(turn, face_n, face_0), np.where(turn, face_0, face_n)
    start, end = np.where(turn, end, start), np.where(turn, start, end)
    return _Edges(face_0, face_n, start, end).take(~flat), plane


def _straight_chains(edges: _Edges, plane: Index, vertices: Array) -> Index:
    """Number of the chain of each edge: pieces of one straight edge between two planes."""
    pair = _number(np.column_stack([plane[edges.face_0], plane[edges.face_n]]))
    heads, tails = _number_together(
        np.column_stack([pair, edges.end]), np.column_stack([pair, edges.start])
    )
    order = np.argsort(tails, kind="stable")
    slot = np.minimum(np.searchsorted(tails[order], heads), max(len(order) - 1, 0))
    following = order[slot] if len(order) else order
    step = vertices[edges.end] - vertices[edges.start]
    unit = step / np.maximum(np.linalg.norm(step, axis=1, keepdims=True), 1e-300)
    straight = np.einsum("ij,ij->i", unit, unit[following]) > _STRAIGHT
    joins = np.flatnonzero((tails[following] == heads) & straight)
    return _components(joins, following[joins], len(edges.start))


def _ends_of_chains(edges: _Edges, chain: Index, vertices: Array) -> tuple[_Edges, Array, Array]:
    """One edge of each chain, and where the chain starts and ends, metres."""
    _, first = np.unique(chain, return_index=True)
    origin = vertices[edges.start[first]]
    step = vertices[edges.end[first]] - origin
    unit = step / np.maximum(np.linalg.norm(step, axis=1, keepdims=True), 1e-300)
    along = [
        np.einsum("ij,ij->i", vertices[corner] - origin[chain], unit[chain])
        for corner in (edges.start, edges.end)
    ]
    low, high = np.zeros(len(first)), np.zeros(len(first))
    np.minimum.at(low, chain, along[0])
    np.maximum.at(high, chain, along[1])
    return edges.take(first), origin + low[:, None] * unit, origin + high[:, None] * unit


def _on_a_step(sides: Index, narrow: NDArray[np.bool_], facing: Array) -> NDArray[np.bool_]:
    """Edges beside a narrow strip that is a mere step in a plane.

    Behind a kerb or a window's reveal the next edge is at hand, and takes the power back. Not so
    behind the narrow top of a free-standing wall, or a bevelled corner: beyond the strip lies a
    wide plane that looks elsewhere. A bar whose sides are all narrow has no edges.

    Args:
        sides: (E, 2) planes at each edge.
        narrow: (E, 2) whether they are, beside the edge.
        facing: (P, 3) normals of the planes.
    """
    slim = np.zeros(len(facing), bool)
    slim[sides[narrow]] = True
    strip = np.where(narrow[:, 0], sides[:, 0], sides[:, 1])
    other = np.where(narrow[:, 0], sides[:, 1], sides[:, 0])
    pairs = np.unique(np.concatenate([sides, sides[:, ::-1]]), axis=0)
    begin = np.searchsorted(pairs[:, 0], strip)
    count = np.searchsorted(pairs[:, 0], strip, side="right") - begin
    edge = np.repeat(np.arange(len(strip)), count)
    run = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    beyond = pairs[np.repeat(begin, count) + run, 1]
    away = np.einsum("ij,ij->i", facing[beyond], facing[other[edge]]) < _SAME_SIDE
    corner = np.zeros(len(strip), bool)
    corner[edge[away & ~slim[beyond]]] = True
    return narrow.all(axis=1) | (narrow.any(axis=1) & ~corner)


def _components(one: Index, other: Index, count: int) -> Index:
    """Number of the connected component of each of ``count`` things, in order of appearance."""
    graph = sparse.coo_matrix((np.ones(len(one), bool), (one, other)), shape=(count, count))
    found = csgraph.connected_components(graph, directed=False)[1]
    return np.asarray(found, np.int64)


def _number(rows: Index) -> Index:
    return np.unique(rows, axis=0, return_inverse=True)[1].reshape(-1)


def _number_together(one: Index, other: Index) -> tuple[Index, Index]:
    both = _number(np.concatenate([one, other]))
    return both[: len(one)], both[len(one) :]


def _shared_edges(faces: NDArray[np.int32]) -> tuple[Index, ...]:
    """Edges of exactly two consistently oriented faces: face 0, face n, start and end vertex."""
    directed = faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2).astype(np.int64)
    face = np.repeat(np.arange(len(faces)), 3)
    key = directed.min(axis=1) * (int(faces.max(initial=0)) + 1) + directed.max(axis=1)
    order = np.argsort(key, kind="stable")
    ordered = key[order]
    begins = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    counts = np.diff(np.r_[begins, len(ordered)])
    pairs = begins[counts == 2]
    one, other = order[pairs], order[pairs + 1]
    opposed = directed[one, 0] == directed[other, 1]
    one, other = one[opposed], other[opposed]
    return face[one], face[other], directed[one, 0], directed[one, 1]
