"""The border of a scene: where its ground ends, how high, and what leads out of it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull, QhullError

from vasgen.bundle import FaceTable, SceneBundle
from vasgen.seeding import key
from vasgen.semantics import SemanticClass

Array = NDArray[np.float64]

#: Directions in which the reach of the ground is known: distances from it are then exact for
#: square scenes, and a few per cent too small for others.
_SIDES = 16

#: Ground this near to the border looks like what lies beyond, metres.
_RIM_M = 1.0

#: Roads are measured so far inside of the border, metres, and lead out where they meet it at
#: no more than this slope.
_DEPTHS_M, _STEEPEST = (8.0, 24.0), 3.0

#: Pieces of carriageway this near to each other are one road, metres.
_GAP_M = 1.0

#: Pieces of carriageway narrower than this are no roads, metres: corners of the ground.
_NARROW_M = 6.0

_GROUND = [
    SemanticClass.GROUND,
    SemanticClass.ROAD,
    SemanticClass.PAVEMENT,
    SemanticClass.GRASS,
    SemanticClass.WATER,
    SemanticClass.ROAD_MARKING,
]
_ROAD = [SemanticClass.ROAD, SemanticClass.ROAD_MARKING]


class Border(NamedTuple):
    """What the world beyond a scene must fit.

    Attributes:
        centre: (3,) origin of the coordinates below, in the middle of the border at its height,
            world metres.
        sides: (S, 2) unit vectors outwards.
        reach_m: (S,) how far the ground reaches along them.
        colour: (3,) mean reflectance of the ground at the border, without roads.
        asphalt: (3,) that of the roads that lead out.
        grass: face of the grass that ends on the border, or None if no grass does.
        grass_corner: (2,) place of its first corner.
        exits: (N, 5) roads that lead out: place x and y, direction x and y, half the width.
        seed: tells scenes apart.
    """

    centre: Array
    sides: Array
    reach_m: Array
    colour: Array
    asphalt: Array
    grass: int | None
    grass_corner: Array
    exits: Array
    seed: int


def border_of(bundle: SceneBundle) -> Border:
    """The border of a scene's ground; of all that it has, where no ground is labelled."""
    table = bundle.face_table
    ground = np.isin(table.semantic, _GROUND)
    chosen = np.flatnonzero(ground if ground.any() else np.ones(len(ground), bool))
    corners = table.triangles[chosen]
    middle = np.append((bundle.bounds[0, :2] + bundle.bounds[1, :2]) / 2, 0.0)
    plan = corners[..., :2] - middle[:2]
    hull, lines = _hull(plan.reshape(-1, 2))
    angle = np.arange(_SIDES) * 2 * np.pi / _SIDES
    sides = np.column_stack([np.cos(angle), np.sin(angle)])
    # How far inside of the hull's nearest side every corner lies.
    outer = np.full(corners.shape[:2], np.inf)
    for x, y, offset in lines:
        outer = np.minimum(outer, -(plan[..., 0] * x + plan[..., 1] * y + offset))
    rim = outer < _RIM_M
    middle[2] = float(np.median(corners[..., 2][rim]))
    road = np.isin(table.semantic[chosen], _ROAD)
    beside = rim.sum(axis=1) >= 2
    colours = np.array([material.base_color for material in bundle.visual_materials])
    open_ground = chosen[beside & ~road]
    recipes = np.array([material.recipe == "grass" for material in bundle.visual_materials])
    grass = open_ground[recipes[table.visual[open_ground]]]
    return Border(
        centre=middle,
        sides=sides,
        reach_m=(hull @ sides.T).max(axis=0),
        colour=_mean_colour(table, colours, open_ground, chosen[beside]),
        asphalt=_mean_colour(table, colours, chosen[beside & road], chosen[beside]),
        grass=int(grass[0]) if len(grass) else None,
        grass_corner=table.triangles[grass[:1], 0, :2].sum(axis=0) - middle[:2],
        exits=_exits(plan[road], lines),
        seed=key(0, "landscape", len(table.semantic), *bundle.bounds.ravel().round(2)) % 2**31,
    )


def _hull(points: Array) -> tuple[Array, Array]:
    """Corners of the convex hull, (N, 2), and its sides: (K, 3) outward normals and offsets."""
    try:
        hull = ConvexHull(points)
    except QhullError:
        # All on one line: a scene without area has no border to speak of.
        low, high = points.min(axis=0), points.max(axis=0)
        box = np.array([[1, 0, -high[0]], [-1, 0, low[0]], [0, 1, -high[1]], [0, -1, low[1]]])
        return np.array([low, high]), box
    return points[hull.vertices], np.unique(hull.equations.round(6), axis=0)


def _mean_colour(
    table: FaceTable, colours: Array, faces: NDArray[np.intp], others: NDArray[np.intp]
) -> Array:
    """Mean reflectance of faces by their area, (3,); of the others if there are none."""
    faces = faces if len(faces) else others
    one, two = (table.triangles[faces, i] - table.triangles[faces, 0] for i in (1, 2))
    area = np.linalg.norm(np.cross(one, two), axis=1) + 1e-9
    shown = colours[np.minimum(table.visual[faces], len(colours) - 1)]
    return np.asarray(np.average(shown, axis=0, weights=area))


def _exits(plan: Array, lines: Array) -> Array:
    """Roads that lead out over the border, (N, 5), from their triangles in plan, (T, 3, 2).

    Measured a little inside, since carriageways widen where they end.
    """
    found = []
    for line in lines:
        outer, inner = (_slices(plan, line, depth) for depth in _DEPTHS_M)
        if not len(outer) or not len(inner):
            continue
        normal, tangent = line[:2], np.array([-line[1], line[0]])
        for low, high in outer:
            middle = (low + high) / 2
            before = inner.mean(axis=1)[np.abs(inner.mean(axis=1) - middle).argmin()]
            turn = (middle - before) / (_DEPTHS_M[1] - _DEPTHS_M[0])
            if high - low < _NARROW_M or abs(turn) > _STEEPEST:
                continue
            place = (middle + turn * _DEPTHS_M[0]) * tangent - line[2] * normal
            way = (normal + turn * tangent) / np.hypot(1, turn)
            found.append([*place, *way, (high - low) / 2 / np.hypot(1, turn)])
    return np.array(found).reshape(-1, 5)


def _slices(plan: Array, line: Array, depth_m: float) -> Array:
    """Where triangles cut a line so far inside of a side, (N, 2) intervals along the side."""
    away = plan @ line[:2] + line[2] + depth_m
    cut = (away.min(axis=1) < 0) & (away.max(axis=1) > 0)
    away, corners = away[cut], plan[cut]
    along = corners[..., 1] * line[0] - corners[..., 0] * line[1]
    ends = []
    for i, j in ((0, 1), (1, 2), (2, 0)):
        crosses = (away[:, i] < 0) != (away[:, j] < 0)
        share = away[:, i] / np.where(crosses, away[:, i] - away[:, j], 1.0)
        ends.append(np.where(crosses, along[:, i] + share * (along[:, j] - along[:, i]), np.nan))
    low, high = (f(ends, axis=0) for f in (np.nanmin, np.nanmax))
    merged: list[list[float]] = []
    for index in np.argsort(low, kind="stable"):
        if merged and low[index] < merged[-1][1] + _GAP_M:
            merged[-1][1] = max(merged[-1][1], float(high[index]))
        else:
            merged.append([float(low[index]), float(high[index])])
    return np.array(merged).reshape(-1, 2)
