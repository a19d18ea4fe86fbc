"""Trees along the streets, in gardens, courts and parks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import Point, Polygon

from vasgen.citygen.blocks import Block
from vasgen.citygen.buildings import LOT_LEVEL_M, Building
from vasgen.citygen.config import CityConfig
from vasgen.citygen.ground import Patch
from vasgen.citygen.land import Land
from vasgen.citygen.materials import FAMILIES, RADIO_NAMES
from vasgen.citygen.profiles import Use
from vasgen.citygen.solids import Array, Ints, Surface
from vasgen.seeding import key, stream
from vasgen.semantics import SemanticClass

#: Distance between planting places behind the pavement, metres, and their chance of a tree.
_GARDENS: dict[Use, tuple[float, float]] = {
    "park": (11.0, 0.55),
    "plaza": (11.0, 0.5),
    "perimeter": (13.0, 0.42),
    "estate": (15.0, 0.5),
    "houses": (16.0, 0.38),
    "highrise": (10.0, 0.5),
}
_GREEN = ("lawn", "meadow")
_KERB_DISTANCE_M = 1.0
_SMALLEST_CROWN_M = 1.3
_CLEARANCE_M = 0.3  # between a crown and a wall
_SUNK_M = 0.3
_VARIANTS = 6


@dataclass(frozen=True, eq=False)
class Tree:
    """A tree.

    Attributes:
        x, y: position, metres.
        height_m: height over the ground.
        radius_m: radius of the crown.
        variant: number of its shape and colour.
    """

    x: float
    y: float
    height_m: float
    radius_m: float
    variant: int

    def crown(self) -> Polygon:
        """Plan of the crown."""
        return Point(self.x, self.y).buffer(self.radius_m, quad_segs=4)


def plant(
    config: CityConfig,
    land: Land,
    blocks: Sequence[Block],
    buildings: Sequence[Building],
    ground: Sequence[Patch],
) -> tuple[Tree, ...]:
    """Plant trees where they stand clear of walls, drives and carriageways.

    Args:
        config: the city's configuration; nothing is planted if its ``trees`` is False.
        land: where the city stands.
        blocks: blocks to plant.
        buildings: what to keep clear of.
        ground: patches; gardens are planted on green ones only.
    """
    if not config.trees:
        return ()
    rows = [_places(config, land, block) for block in blocks]
    places = np.concatenate(rows) if rows else np.empty((0, 4))
    points = np.asarray(shapely.points(places[:, :2]))
    room = _room(points, buildings)
    fits = (places[:, 3] == 0) | _on_green(points, ground)
    fits &= shapely.within(points, land.within(2.0))
    trees = []
    for (x, y, wish, _), free in zip(places[fits], room[fits], strict=True):
        radius = min(wish, free)
        if radius >= _SMALLEST_CROWN_M:
            number = key(config.seed, "tree", round(x * 100), round(y * 100))
            height = radius * (2.5 + 0.1 * (number % 9))
            trees.append(Tree(x, y, height, radius, number // 9 % _VARIANTS))
    return tuple(trees)


def _places(config: CityConfig, land: Land, block: Block) -> Array:
    """(N, 4) x, y, wanted crown radius, and 1 where only green ground will do."""
    rng = stream(config.seed, "block", block.index, "trees")
    row = block.kerb.buffer(-_KERB_DISTANCE_M)
    street = [
        _along(part, land.districts[block.district].rules.tree_spacing_m, rng)
        for part in shapely.get_parts(row)
        if isinstance(part, Polygon) and not part.is_empty
    ]
    garden = _scatter(block, rng)
    places = np.concatenate([*street, garden])
    wish = np.concatenate(
        [rng.uniform(2.0, 3.2, len(places) - len(garden)), rng.uniform(2.0, 4.0, len(garden))]
    )
    green = np.zeros(len(places))
    green[len(places) - len(garden) :] = block.use not in ("plaza", "highrise")
    return np.column_stack([places, wish, green])


def _along(row: Polygon, spacing_m: float, rng: np.random.Generator) -> Array:
    """(N, 2) places along a pavement, a few left out."""
    length = row.exterior.length
    count = max(1, round(length / spacing_m))
    at = (np.arange(count) + rng.uniform(-0.12, 0.12, count)) * length / count
    kept = at[rng.random(count) < 0.8]
    return shapely.get_coordinates(shapely.line_interpolate_point(row.exterior, kept))


def _scatter(block: Block, rng: np.random.Generator) -> Array:
    """(N, 2) places behind the pavement, on a grid shaken so far that it does not show."""
    if block.use not in _GARDENS:
        return np.empty((0, 2))
    spacing, chance = _GARDENS[block.use]
    x0, y0, x1, y1 = block.inner.bounds
    grid = np.stack(
        np.meshgrid(np.arange(x0, x1, spacing), np.arange(y0, y1, spacing)), axis=-1
    ).reshape(-1, 2)
    places = grid + rng.uniform(0.1, 0.9, grid.shape) * spacing
    kept = (rng.random(len(places)) < chance) & shapely.contains_xy(
        block.inner.buffer(-1.5), *places.T
    )
    return places[kept]


def _room(points: NDArray[np.object_], buildings: Sequence[Building]) -> Array:
    """(N,) largest crown radius that keeps clear of all walls, metres."""
    room = np.full(len(points), np.inf)
    if buildings and len(points):
        tree = shapely.STRtree([building.footprint for building in buildings])
        (index, _), distance = tree.query_nearest(points, all_matches=False, return_distance=True)
        room[index] = distance - _CLEARANCE_M
    return room


def _on_green(points: NDArray[np.object_], ground: Sequence[Patch]) -> NDArray[np.bool_]:
    green = [patch.polygon for patch in ground if patch.surface in _GREEN]
    found = np.zeros(len(points), dtype=bool)
    if green:
        # A trunk needs a little ground around it.
        index, _ = shapely.STRtree(green).query(shapely.buffer(points, 0.4), predicate="within")
        found[index] = True
    return found


def tree_surface(trees: Sequence[Tree], shell: int, first_id: int) -> Surface:
    """Triangles of all trees: closed shells of a trunk and the lobes of the crown.

    Args:
        trees: at least one tree.
        shell: shell number to label the faces with.
        first_id: object id of the first tree.
    """
    shapes = [_shape(variant) for variant in range(_VARIANTS)]
    vertices, faces, visual, ids, start = [], [], [], [], 0
    for number, tree in enumerate(trees):
        points, triangles, bark = shapes[tree.variant]
        size = np.array([tree.radius_m, tree.radius_m, tree.height_m])
        vertices.append(points * size + np.array([tree.x, tree.y, LOT_LEVEL_M]))
        faces.append(triangles + start)
        leaf = FAMILIES["foliage"][tree.variant % len(FAMILIES["foliage"])]
        visual.append(np.where(bark, FAMILIES["bark"][0], leaf))
        ids.append(np.full(len(triangles), first_id + number))
        start += len(points)
    points, triangles = np.round(np.concatenate(vertices), 3), np.concatenate(faces)
    count = len(triangles)
    corners = points[triangles]
    return Surface(
        points,
        triangles,
        np.full(count, shell),
        np.full(count, int(SemanticClass.VEGETATION)),
        np.concatenate(visual),
        np.full(count, RADIO_NAMES.index("wood")),
        np.concatenate(ids),
        np.stack([corners[..., 0] + corners[..., 1], corners[..., 2]], axis=-1),
    )


def _shape(variant: int) -> tuple[Array, Ints, NDArray[np.bool_]]:
    """A tree of unit height and crown radius: vertices, faces, and which faces are bark."""
    rng = stream(0, "tree shape", variant)
    parts = [_prism(0.07, -_SUNK_M / 6, 0.55)]
    turn = rng.uniform(0, 2 * np.pi)
    for lobe in range(3):
        angle = turn + lobe * 2 * np.pi / 3
        size = rng.uniform(0.58, 0.66)
        away = 0.9 - size
        centre = (away * np.cos(angle), away * np.sin(angle), (0.52, 0.62, 0.74)[lobe])
        parts.append(_lobe(centre, (size, size, 0.25), rng))
    sizes = [len(points) for points, _ in parts]
    starts = np.cumsum([0, *sizes[:-1]])
    faces = [triangles + start for (_, triangles), start in zip(parts, starts, strict=True)]
    bark = np.concatenate([np.full(len(f), i == 0) for i, f in enumerate(faces)])
    return np.concatenate([points for points, _ in parts]), np.concatenate(faces), bark


def _prism(radius: float, bottom: float, top: float) -> tuple[Array, Ints]:
    """A closed five-sided trunk."""
    angle = np.arange(5) * 2 * np.pi / 5
    ring = radius * np.column_stack([np.cos(angle), np.sin(angle)])
    points = np.concatenate(
        [np.column_stack([ring, np.full(5, bottom)]), np.column_stack([ring, np.full(5, top)])]
    )
    i = np.arange(5)
    j = (i + 1) % 5
    sides = np.concatenate([np.column_stack([i, j, j + 5]), np.column_stack([i, j + 5, i + 5])])
    caps = np.array([[0, 2, 1], [0, 3, 2], [0, 4, 3], [5, 6, 7], [5, 7, 8], [5, 8, 9]])
    return points, np.concatenate([sides, caps])


def _lobe(
    centre: tuple[float, ...], radii: tuple[float, ...], rng: np.random.Generator
) -> tuple[Array, Ints]:
    """A closed icosahedron with uneven corners, inside an ellipsoid."""
    phi = (1 + np.sqrt(5)) / 2
    corners = [(-1, phi, 0), (1, phi, 0), (-1, -phi, 0), (1, -phi, 0), (0, -1, phi), (0, 1, phi)]
    corners += [(0, -1, -phi), (0, 1, -phi), (phi, 0, -1), (phi, 0, 1), (-phi, 0, -1), (-phi, 0, 1)]
    faces = [(0, 11, 5), (0, 5, 1), (0, 1, 7), (0, 7, 10), (0, 10, 11), (1, 5, 9), (5, 11, 4)]
    faces += [(11, 10, 2), (10, 7, 6), (7, 1, 8), (3, 9, 4), (3, 4, 2), (3, 2, 6), (3, 6, 8)]
    faces += [(3, 8, 9), (4, 9, 5), (2, 4, 11), (6, 2, 10), (8, 6, 7), (9, 8, 1)]
    points = np.array(corners) / np.sqrt(1 + phi**2) * rng.uniform(0.86, 1.0, (12, 1))
    return points * radii + centre, np.array(faces, dtype=np.int64)
