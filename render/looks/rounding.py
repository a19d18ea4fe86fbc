"""Rounded shading: normals that turn smoothly over curved bodies made of flat triangles.

Cars and street furniture are round; a clear coat would mirror every one of their triangles as a
flat pane. Where faces of one object meet under less than a crease, the normal at their common
corner is the mean of theirs, weighted with their angles there (Thürmer and Wüthrich 1998), and
in between it is interpolated (Phong 1975). Depth, normals and all labels stay those of the
triangles: only light is rounded.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vasgen.bundle import FaceTable
from vasgen.render.textures.texels import arrays
from vasgen.semantics import SemanticClass

Array = NDArray[np.float64]

#: Classes whose faces are rounded.
_ROUND = (SemanticClass.VEHICLE, SemanticClass.FURNITURE)

#: Faces that turn by more than this are parted by an edge.
_CREASE = math.cos(math.radians(65.0))

#: Corners whose normals lean less than this need no row.
_FLAT = math.cos(math.radians(1.0))

#: Faces rounded at a time.
_AT_ONCE = 200_000

#: Least cosine between a mirrored ray and the flat face it leaves.
_LEAST_RISE = 0.01


class Rounding:
    """Shading normals of the faces of a scene.

    Args:
        table: its faces.
    """

    def __init__(self, table: FaceTable) -> None:
        ad = arrays()
        rows = np.zeros(len(table.semantic), np.uint32)
        words = [np.zeros((1, 3), np.uint32)]
        for faces in _objects(table):
            normals, curved = corner_normals(
                table.triangles[faces], table.normal[faces], table.instance[faces]
            )
            rows[faces[curved]] = sum(map(len, words)) + np.arange(np.count_nonzero(curved))
            words.append(_packed(normals[curved]))
        self._any = len(words) > 1
        self._row, self._words = ad.UInt32(rows), ad.UInt32(np.concatenate(words).ravel())

    def normal(self, mi: Any, face: Any, place: Any, flat: Any, back: Any) -> Any:
        """Shading normals, unit vectors on the side of the flat ones.

        Args:
            mi: mitsuba in its colour variant.
            face: UInt32 face indices.
            place: Point2f barycentric coordinates of the second and the third corner.
            flat: normals of the faces, towards the viewer.
            back: unit vectors towards the viewer.
        """
        import drjit as dr

        if not self._any:
            return flat
        row = dr.gather(mi.UInt32, self._row, face)
        curved = row > 0
        first, second, third = (
            _unpacked(mi, dr.gather(mi.UInt32, self._words, 3 * row + k, curved)) for k in range(3)
        )
        mean = first * (1 - place.x - place.y) + second * place.x + third * place.y
        mean = dr.normalize(mean) * dr.sign(dr.dot(mean, flat))
        # A mirrored ray must leave the flat face too: where it would not, the normal gives way.
        ray = mean * (2 * dr.dot(mean, back)) - back
        ray += flat * dr.maximum(_LEAST_RISE - dr.dot(ray, flat), 0)
        return dr.select(curved, dr.normalize(dr.normalize(ray) + back), flat)


def _objects(table: FaceTable) -> list[NDArray[np.int64]]:
    """Face numbers of rounded classes, whole objects together, in handy portions."""
    faces = np.flatnonzero(np.isin(table.semantic, [int(c) for c in _ROUND]))
    if not len(faces):
        return []
    faces = faces[np.argsort(table.instance[faces], kind="stable")]
    starts = np.flatnonzero(np.diff(table.instance[faces])) + 1
    portion = np.searchsorted(starts, np.arange(_AT_ONCE, len(faces), _AT_ONCE))
    return np.split(faces, np.unique(starts[portion[portion < len(starts)]]))


def corner_normals(
    triangles: Array, normal: Array, instance: NDArray[np.int32]
) -> tuple[Array, NDArray[np.bool_]]:
    """Mean normals at the corners of faces, (F, 3, 3), and which faces are curved, (F,).

    Args:
        triangles: (F, 3, 3) corners, metres; corners of one object are one to the millimetre.
        normal: (F, 3) unit normals.
        instance: (F,) object of each face.
    """
    key = _corner_keys(triangles, instance)
    order = np.argsort(key, kind="stable")
    key, own = key[order], normal[order // 3]
    share = own * _angles(triangles).ravel()[order][:, None]
    total = share.copy()
    for step in range(1, len(key)):
        near = np.flatnonzero(key[step:] == key[:-step])
        if not len(near):
            break
        near = near[np.einsum("ij,ij->i", own[near], own[near + step]) > _CREASE]
        total[near] += share[near + step]
        total[near + step] += share[near]
    total /= np.maximum(np.linalg.norm(total, axis=1), 1e-12)[:, None]
    mean = np.empty_like(total)
    mean[order] = total
    mean = mean.reshape(-1, 3, 3)
    lean = np.einsum("fkc,fc->fk", mean, normal).min(axis=1)
    # What has no area has no normal.
    return mean, (lean < _FLAT) & (lean > 0)


def _corner_keys(triangles: Array, instance: NDArray[np.int32]) -> NDArray[np.uint64]:
    """A number for every corner, (3F,): the same for the same place of the same object."""
    place = np.rint(triangles.reshape(-1, 3) * 1000).astype(np.int64)
    key = np.repeat(instance.astype(np.int64), 3).view(np.uint64)
    for part in place.T:
        key = (key ^ part.astype(np.uint64)) * np.uint64(0x9E3779B97F4A7C15)
        key ^= key >> np.uint64(29)
    return key


def _angles(triangles: Array) -> Array:
    """The inner angles of triangles, (F, 3), radians."""
    ahead = np.roll(triangles, -1, axis=1) - triangles
    ahead /= np.maximum(np.linalg.norm(ahead, axis=2), 1e-12)[..., None]
    behind = -np.roll(ahead, 1, axis=1)
    return np.asarray(np.arccos(np.clip(np.einsum("fkc,fkc->fk", ahead, behind), -1, 1)))


def _packed(normal: Array) -> NDArray[np.uint32]:
    """Unit vectors in 32 bits: 16 each of two octahedral coordinates (Cigolle et al. 2014)."""
    flat = normal / np.abs(normal).sum(axis=-1, keepdims=True)
    turned = (1 - np.abs(flat[..., 1::-1])) * np.where(flat[..., :2] >= 0, 1, -1)
    both = np.where(flat[..., 2:] < 0, turned, flat[..., :2])
    word = np.rint((both * 0.5 + 0.5) * 65535).astype(np.uint32)
    return np.asarray(word[..., 0] | word[..., 1] << 16, np.uint32)


def _unpacked(mi: Any, word: Any) -> Any:
    import drjit as dr

    x = mi.Float(word & 0xFFFF) * (2 / 65535) - 1
    y = mi.Float(word >> 16) * (2 / 65535) - 1
    z = 1 - dr.abs(x) - dr.abs(y)
    fold = dr.maximum(-z, 0)
    x -= dr.mulsign(fold, x)
    y -= dr.mulsign(fold, y)
    return dr.normalize(mi.Vector3f(x, y, z))
