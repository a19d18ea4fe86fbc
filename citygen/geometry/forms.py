"""Closed solids that models are built from: boxes, lofts, lobes and tufts."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from vasgen.citygen.geometry.solids import Array, Finish, Ints, Surface
from vasgen.citygen.materials import RADIO_NAMES

_MM = 1000.0
_TUFT_THICK = 0.35  # of a spray of leaves, share of half its width
_RADIO_INDEX = {name: index for index, name in enumerate(RADIO_NAMES)}


class Solid(NamedTuple):
    """A closed, welded surface.

    Attributes:
        points: (V, 3) float64 metres, whole millimetres.
        faces: (F, 3) int64, counter-clockwise from outside.
        finishes: one a face; each names its radio material.
        uv: (F, 3, 2) texture coordinates; None: metres across the axis a face looks along.
    """

    points: Array
    faces: Ints
    finishes: tuple[Finish, ...]
    uv: Array | None = None


def box(low: Sequence[float], high: Sequence[float], finish: Finish) -> Solid:
    """A cuboid with sides along the axes: 12 triangles."""
    (x0, y0, z0), (x1, y1, z1) = low, high
    ring = np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)])
    return loft([np.column_stack([ring, np.full(4, z)]) for z in (z0, z1)], finish)


def loft(
    rings: Sequence[Array],
    finish: Finish,
    *,
    sides: Sequence[Sequence[Finish | None]] = (),
    caps: tuple[Sequence[Finish | None], Sequence[Finish | None]] = ((), ()),
) -> Solid:
    """A skin over rings of equally many corners, closed by flat caps.

    A ring whose corners are one point makes a tip.

    Args:
        rings: two or more, each (K, 3) metres, all in the same sense of rotation.
        finish: of every face that has no other.
        sides: for each pair of neighbouring rings the finish from corner k to k + 1.
        caps: finishes of the triangles of the first and the last cap. A cap is a strip that
            zigzags from the last edge of the ring to the middle, so two triangles follow
            each other for corners k, k + 1 and their opposites.
    """
    count = len(rings[0])
    faces: list[tuple[int, int, int]] = []
    finishes: list[Finish] = []
    for pair, (a, b) in enumerate(itertools.pairwise(range(0, len(rings) * count, count))):
        for i in range(count):
            j = (i + 1) % count
            faces += [(a + i, a + j, b + j), (a + i, b + j, b + i)]
            finishes += [(sides[pair][i] if sides else None) or finish] * 2
    strip = _strip(count)
    last = (len(rings) - 1) * count
    for start, turn, own in ((0, -1, caps[0]), (last, 1, caps[1])):
        for number, corners in enumerate(strip):
            i, j, k = (start + corner for corner in corners[::turn])
            faces.append((i, j, k))
            finishes.append((own[number] if own else None) or finish)
    return _welded(np.concatenate(rings), np.array(faces, dtype=np.int64), finishes)


def lathe(
    profile: Sequence[tuple[float, float]],
    corners: int,
    finish: Finish,
    *,
    centre: tuple[float, float] = (0.0, 0.0),
    turn_rad: float = 0.0,
) -> Solid:
    """A solid of revolution around an upright axis.

    Args:
        profile: (radius, z) from the bottom up, metres; radius 0 at an end makes a tip.
        corners: of each ring.
        finish: of all faces.
        centre: x, y of the axis.
        turn_rad: direction of the first corner.
    """
    angle = turn_rad + np.arange(corners) * 2 * np.pi / corners
    ring = np.column_stack([np.cos(angle), np.sin(angle)])
    return loft(
        [np.column_stack([centre + r * ring, np.full(corners, z)]) for r, z in profile], finish
    )


def lobe(
    centre: Sequence[float] | Array,
    radii: Sequence[float] | Array,
    finish: Finish,
    rng: np.random.Generator,
    *,
    rough: float = 0.18,
    fine: bool = False,
) -> Solid:
    """An uneven ball inside an ellipsoid: 20 triangles, 80 if it is fine.

    Args:
        centre, radii: of the ellipsoid, metres.
        finish: of all faces.
        rng: turns the ball, and draws how far each corner stays inside.
        rough: the most that a corner does, share of its distance from the centre.
        fine: whether there are more triangles.
    """
    points, faces = _icosahedron()
    if fine:
        points, faces = _halved(points, faces)
    points = _turned(points, rng) * rng.uniform(1 - rough, 1.0, (len(points), 1))
    return _welded(points * radii + centre, faces, [finish] * len(faces))


def _turned(points: Array, rng: np.random.Generator) -> Array:
    """Points in an orientation by chance, from a random quaternion."""
    q = rng.standard_normal(4)
    w, axis = q[0], q[1:]
    twice = 2 / (q * q).sum()
    across = np.cross(axis, points)
    return np.asarray(points + twice * (w * across + np.cross(axis, across)))


def tuft(root: Array, tip: Array, width: float, finish: Finish, turn_rad: float) -> Solid:
    """A spray of leaves: a kite, a little thicker along one diagonal, 4 triangles.

    Args:
        root, tip: its ends, metres; it is widest near the middle.
        width: largest distance from its axis, metres.
        finish: of all faces.
        turn_rad: of its flat side around the axis.
    """
    along = tip - root
    along /= np.sqrt((along * along).sum())
    side = np.cross(along, (0.0, 0.0, 1.0) if abs(along[2]) < 0.9 else (1.0, 0.0, 0.0))
    side /= np.sqrt((side * side).sum())
    flat = np.cos(turn_rad) * side + np.sin(turn_rad) * np.cross(along, side)
    middle = 0.47 * root + 0.53 * tip + _TUFT_THICK * width * np.cross(along, flat)
    points = np.array([root, tip, middle + width * flat, middle - width * flat])
    faces = np.array([[0, 1, 2], [0, 3, 1], [0, 2, 3], [1, 3, 2]])
    return _welded(points, faces, [finish] * 4)


def unrolled(solid: Solid) -> Solid:
    """A solid with texture in the plane of each face, level and up the slope, in metres.

    Nothing is stretched, but fewer faces fit together than across the axes.
    """
    corners = solid.points[solid.faces]
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    level = np.column_stack([-normal[:, 1], normal[:, 0], np.zeros(len(normal))])
    level[(level == 0).all(axis=1), 0] = 1.0
    axes = np.stack([level, np.cross(normal, level)], axis=1)
    axes /= np.sqrt((axes * axes).sum(axis=2, keepdims=True))
    return solid._replace(uv=(corners[:, :, None] * axes[:, None]).sum(axis=3))


def assembled(solids: Sequence[Solid]) -> Surface:
    """Solids as one surface of shell 0 and object 0."""
    sizes = [len(solid.points) for solid in solids]
    starts = np.cumsum([0, *sizes])[:-1]
    points = np.concatenate([np.empty((0, 3)), *(solid.points for solid in solids)])
    faces = np.concatenate(
        [
            np.empty((0, 3), dtype=np.int64),
            *(solid.faces + start for solid, start in zip(solids, starts, strict=True)),
        ]
    )
    finishes = [finish for solid in solids for finish in solid.finishes]
    radio = [_RADIO_INDEX[str(finish.radio)] for finish in finishes]
    uv = [_box_uv(solid.points[solid.faces]) if solid.uv is None else solid.uv for solid in solids]
    zeros = np.zeros(len(faces), dtype=np.int64)
    return Surface(
        points,
        faces,
        zeros,
        np.array([int(finish.semantic) for finish in finishes], dtype=np.int64),
        np.array([finish.visual for finish in finishes], dtype=np.int64),
        np.array(radio, dtype=np.int64),
        zeros,
        np.concatenate([np.empty((0, 3, 2)), *uv]),
    )


def _strip(count: int) -> list[tuple[int, int, int]]:
    """Triangles of a convex ring, zigzagging from its last edge, each in the ring's sense."""
    triangles, i, j = [], 0, count - 1
    while j - i > 1:
        triangles.append((i, i + 1, j))
        i += 1
        if j - i > 1:
            triangles.append((i, j - 1, j))
            j -= 1
    return triangles


def _welded(points: Array, faces: Ints, finishes: Sequence[Finish]) -> Solid:
    """Corners at the same millimetre become one, faces without area go, the rest look out."""
    lattice, number = np.unique(np.rint(points * _MM).astype(np.int64), axis=0, return_inverse=True)
    merged = number.reshape(-1)[faces]
    a, b, c = merged.T
    kept = (a != b) & (b != c) & (c != a)
    merged, welded = merged[kept], lattice / _MM
    corner = welded[merged]
    first, second, third = np.moveaxis(corner - welded.mean(axis=0), 1, 0)
    volume = (first * np.cross(second, third)).sum()
    own = tuple(itertools.compress(finishes, kept.tolist()))
    return Solid(welded, merged if volume > 0 else merged[:, ::-1], own)


def _box_uv(corners: Array) -> Array:
    """(F, 3, 2) the two coordinates across the axis that a face looks along most."""
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    axis = np.abs(normal).argmax(axis=1)
    first, second = np.array([[1, 2], [0, 2], [0, 1]])[axis].T
    row = np.arange(len(corners))[:, None]
    at = np.arange(3)[None]
    return np.stack([corners[row, at, first[:, None]], corners[row, at, second[:, None]]], axis=-1)


def _icosahedron() -> tuple[Array, Ints]:
    """Corners on the unit sphere, one of them at the top, and faces."""
    low, high = np.arctan(0.5), np.arange(5) * 2 * np.pi / 5
    rings = [
        np.column_stack([np.cos(low) * np.cos(a), np.cos(low) * np.sin(a), np.full(5, z)])
        for a, z in ((high, -np.sin(low)), (high + np.pi / 5, np.sin(low)))
    ]
    points = np.concatenate([[[0.0, 0.0, -1.0]], *rings, [[0.0, 0.0, 1.0]]])
    i = np.arange(5)
    j = (i + 1) % 5
    faces = [
        np.column_stack([np.zeros(5, dtype=np.int64), 1 + j, 1 + i]),
        np.column_stack([1 + i, 1 + j, 6 + i]),
        np.column_stack([6 + i, 1 + j, 6 + j]),
        np.column_stack([np.full(5, 11), 6 + i, 6 + j]),
    ]
    return points, np.concatenate(faces)


def _halved(points: Array, faces: Ints) -> tuple[Array, Ints]:
    """Every face cut into four, the new corners on the unit sphere."""
    a, b, c = faces.T
    edges = np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), axis=1)
    distinct, number = np.unique(edges, axis=0, return_inverse=True)
    middles = points[distinct].mean(axis=1)
    middles /= np.sqrt((middles * middles).sum(axis=1, keepdims=True))
    ab, bc, ca = number.reshape(3, -1) + len(points)
    quarters = [(a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca)]
    return np.concatenate([points, middles]), np.concatenate([np.column_stack(q) for q in quarters])
