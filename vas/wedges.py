"""Wedges: the edges of the scene that diffract."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vasgen.bundle import Mesh, SceneBundle
from vasgen.semantics import SemanticClass

Array = NDArray[np.float64]

#: Faces that differ by less than this angle are one plane: nothing diffracts there.
_FLAT = np.cos(np.radians(2.0))

#: Edges shorter than this are mesh debris, metres.
_SHORTEST_M = 0.02


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
        unit: Array = middle / np.linalg.norm(middle, axis=1, keepdims=True)
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
    """All bent edges of a scene.

    Edges must be shared by exactly two faces of one mesh: open shells and edges between
    different radio materials do not diffract, as in Sionna RT. The facets of a tree stand for
    leaves and have no edges either.
    """
    index = {material.name: i for i, material in enumerate(bundle.radio_materials)}
    parts = [_mesh_wedges(mesh, index[mesh.radio_material]) for mesh in bundle.meshes]
    names = ("origin", "along", "length", "normal_0", "normal_n", "material")
    return Wedges(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def _mesh_wedges(mesh: Mesh, material: int) -> Wedges:
    first, second, start, end = _shared_edges(mesh.faces)
    corners = mesh.triangles
    cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals = cross / np.maximum(np.linalg.norm(cross, axis=1, keepdims=True), 1e-300)
    normal_0, normal_n = normals[first], normals[second]
    origin, tip = mesh.vertices[start], mesh.vertices[end]
    across = corners[second].mean(axis=1) - origin
    # The solid is taken to be on the narrow side, whichever way the faces are wound: imported
    # shells are often inside out. At a true inner corner that side is air, from where no
    # path bends round the edge, and the far side is in the dark.
    inward = (np.einsum("ij,ij->i", across, normal_0) > 0)[:, None]
    normal_0, normal_n = (np.where(inward, -n, n) for n in (normal_0, normal_n))
    # Directed so that normal x edge points into face 0.
    origin, tip = np.where(inward, tip, origin), np.where(inward, origin, tip)
    length = np.linalg.norm(tip - origin, axis=1)
    bent = np.einsum("ij,ij->i", normal_0, normal_n) < _FLAT
    leaf = mesh.face_class[first] == SemanticClass.VEGETATION
    keep = bent & ~leaf & (length > _SHORTEST_M)
    return Wedges(
        origin[keep],
        (tip - origin)[keep] / length[keep, None],
        length[keep],
        normal_0[keep],
        normal_n[keep],
        np.full(int(keep.sum()), material),
    )


def _shared_edges(faces: NDArray[np.int32]) -> tuple[NDArray[np.int64], ...]:
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
