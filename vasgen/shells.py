"""Shells: the connected surfaces that a scene's objects are made of, closed or open."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import csgraph

from vasgen.bundle import Mesh, RadioMaterial, SceneBundle
from vasgen.semantics import BUILDING, SemanticClass

Array = NDArray[np.float64]
Index = NDArray[np.int64]

#: Conductivity of what is metal whatever its name, siemens per metre: at 0.7 GHz a
#: millimetre of it lets through less than a part in 10^40.
_METAL_S_PER_M = 1e6
_METAL_THICKNESS_M = 1e-3

#: Points and faces whose solid angles are held at once.
_ANGLES_AT_ONCE = 4_000_000


@dataclass(frozen=True, eq=False)
class Shell:
    """Faces of one mesh that hang together by their edges.

    Attributes:
        mesh: the mesh.
        faces: (N,) numbers of its faces.
        open_edges: (E, 2, 3) float64, both ends of each edge that only one face has, metres;
            those at the foot of a wall are left out: there stands the ground.
        closed: whether every edge belongs to exactly two faces.
    """

    mesh: Mesh
    faces: Index
    open_edges: Array
    closed: bool

    @property
    def name(self) -> str:
        """Object, kind and mesh, e.g. ``"object 3 (building, mesh 'brick')"``."""
        kind = "building" if self.kind in BUILDING else self.kind.name.lower().replace("_", " ")
        return f"object {self.mesh.face_instance[self.faces[0]]} ({kind}, mesh {self.mesh.name!r})"

    @property
    def kind(self) -> SemanticClass:
        """Class of its first face."""
        return SemanticClass(int(self.mesh.face_class[self.faces[0]]))

    def contains(self, points: Array) -> NDArray[np.bool_]:
        """Whether points are inside a closed shell: it turns once around them.

        Args:
            points: (N, 3) world metres.
        """
        triangles = self.mesh.triangles[self.faces]
        low, high = triangles.min(axis=(0, 1)), triangles.max(axis=(0, 1))
        inside: NDArray[np.bool_] = ((points >= low) & (points <= high)).all(axis=1)
        inside[inside] = np.abs(_turns(triangles, points[inside])) > 0.5
        return inside


def shells(bundle: SceneBundle) -> Iterator[Shell]:
    """All shells of a scene, mesh by mesh."""
    for mesh in bundle.meshes:
        if len(mesh.faces):
            yield from _shells_of(mesh)


def closed_metal(bundle: SceneBundle) -> tuple[Shell, ...]:
    """The closed shells of metal: no radio wave passes through them."""
    metals = {material.name for material in bundle.radio_materials if _is_metal(material)}
    return tuple(
        shell
        for mesh in bundle.meshes
        if mesh.radio_material in metals and len(mesh.faces)
        for shell in _shells_of(mesh)
        if shell.closed
    )


def _is_metal(material: RadioMaterial) -> bool:
    conducts = material.itu_type == "metal" or (
        material.itu_type is None and material.conductivity_s_per_m >= _METAL_S_PER_M
    )
    return conducts and material.thickness_m >= _METAL_THICKNESS_M


def _shells_of(mesh: Mesh) -> Iterator[Shell]:
    faces = mesh.faces.astype(np.int64)
    edges = np.sort(faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    owner = np.repeat(np.arange(len(faces)), 3)
    key = edges[:, 0] * (int(faces.max()) + 1) + edges[:, 1]
    order = np.argsort(key, kind="stable")
    same = np.flatnonzero(key[order][1:] == key[order][:-1])
    shell_of = _components(owner[order[same]], owner[order[same + 1]], len(faces))
    _, index, count = np.unique(key, return_inverse=True, return_counts=True)
    faces_at = count[index.reshape(-1)]
    sealed = np.ones(int(shell_of.max()) + 1, bool)
    sealed[shell_of[owner[faces_at != 2]]] = False
    loose = np.flatnonzero((faces_at == 1) & ~_at_the_foot(mesh, edges, faces))
    ends = mesh.vertices[edges[loose]]
    grouped = np.argsort(shell_of, kind="stable")
    splits = np.searchsorted(shell_of[grouped], np.arange(1, len(sealed)))
    loose_of = shell_of[owner[loose]]
    sorted_loose = np.argsort(loose_of, kind="stable")
    begins = np.searchsorted(loose_of[sorted_loose], np.arange(len(sealed) + 1))
    for number, members in enumerate(np.split(grouped, splits)):
        own = sorted_loose[begins[number] : begins[number + 1]]
        yield Shell(mesh, members, ends[own], bool(sealed[number]))


def _at_the_foot(mesh: Mesh, edges: Index, faces: Index) -> NDArray[np.bool_]:
    """Edges, three a face, above which their face rises: a wall's lower edge."""
    height = mesh.vertices[:, 2]
    third = height[faces[:, [2, 0, 1]].reshape(-1)]
    foot: NDArray[np.bool_] = third > height[edges].max(axis=1)
    return foot


def _components(one: Index, other: Index, count: int) -> Index:
    graph = sparse.coo_matrix((np.ones(len(one), bool), (one, other)), shape=(count, count))
    return np.asarray(csgraph.connected_components(graph, directed=False)[1], np.int64)


def _turns(triangles: Array, points: Array) -> Array:
    """How often a surface turns around each point, (N,): its solid angle over 4 pi.

    Solid angles of triangles by Van Oosterom and Strackee (1983).
    """
    total = np.zeros(len(points))
    step = max(1, _ANGLES_AT_ONCE // max(len(triangles), 1))
    for begin in range(0, len(points), step):
        some = points[begin : begin + step]
        a, b, c = (triangles[None, :, k] - some[:, None] for k in range(3))
        la, lb, lc = (np.linalg.norm(v, axis=-1) for v in (a, b, c))
        volume = np.einsum("pfk,pfk->pf", a, np.cross(b, c))
        dots = [np.einsum("pfk,pfk->pf", u, v) for u, v in ((a, b), (b, c), (c, a))]
        angle = 2 * np.arctan2(volume, la * lb * lc + dots[0] * lc + dots[1] * la + dots[2] * lb)
        total[begin : begin + step] = angle.sum(axis=1) / (4 * np.pi)
    return total
