"""The ground: one conforming sheet of carriageways, kerbs, pavements and lots."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import LineString, Point, Polygon

from vasgen.citygen.architecture.buildings import LOT_LEVEL_M, Building
from vasgen.citygen.geometry.assembly import mm, triangulate
from vasgen.citygen.geometry.solids import Array, Cell, Finish, Ints, Shell
from vasgen.citygen.groundwork.grading import Grading
from vasgen.citygen.groundwork.linework import LATTICE_M, faces_between
from vasgen.citygen.groundwork.pads import Pad
from vasgen.citygen.groundwork.terrain import FLAT, Terrain
from vasgen.citygen.land import Land
from vasgen.citygen.materials import FAMILIES
from vasgen.citygen.plots.blocks import Block
from vasgen.citygen.plots.lots import Lot
from vasgen.citygen.roads.sections import Sections
from vasgen.semantics import SemanticClass

_FINISHES = {
    "road": Finish(SemanticClass.ROAD, FAMILIES["asphalt"][0]),
    "junction": Finish(SemanticClass.ROAD, FAMILIES["asphalt"][0]),
    "marking": Finish(SemanticClass.ROAD_MARKING, FAMILIES["marking"][0]),
    "kerb": Finish(SemanticClass.PAVEMENT, FAMILIES["coping"][0]),
    "pavement": Finish(SemanticClass.PAVEMENT, FAMILIES["pavement"][0]),
    "plaza": Finish(SemanticClass.PAVEMENT, FAMILIES["plaza"][0]),
    "yard": Finish(SemanticClass.PAVEMENT, FAMILIES["plaza"][1]),
    "drive": Finish(SemanticClass.PAVEMENT, FAMILIES["plaza"][1]),
    "path": Finish(SemanticClass.PAVEMENT, FAMILIES["plaza"][0]),
    "lawn": Finish(SemanticClass.GRASS, FAMILIES["grass"][0], "soil"),
    "meadow": Finish(SemanticClass.GRASS, FAMILIES["grass"][1], "soil"),
    "field": Finish(SemanticClass.GRASS, FAMILIES["grass"][1], "soil"),
}

#: Surface behind the pavement, by use of the block.
_BY_USE = {
    "highrise": "plaza",
    "perimeter": "lawn",
    "estate": "lawn",
    "houses": "lawn",
    "works": "yard",
    "park": "meadow",
    "plaza": "plaza",
}

#: Surfaces that vehicles drive on.
CARRIAGEWAY = ("road", "junction")

#: The ground is filled by up to so much to make a pad level, and cut by all that is needed;
#: on steeper ground a building stands with one side high above it, metres.
TERRACE_M = 0.6
#: Corners this near to a pad are its own, metres: lines were drawn together by less.
_NEAR_PAD_M = 0.12
#: Where raised ground would touch tip to tip, so much is cut off the tips, metres.
_TIP_M = 0.3
#: On hills, corners of wide open ground are no farther apart, metres.
_OPEN_STEP_M = 25.0
#: Cuts across streets reach so far beyond the kerb: over it, and on hills over the pavement.
_OVER_KERB_M, _OVER_PAVEMENT_M = 0.5, 1.2


@dataclass(frozen=True, eq=False)
class Patch:
    """A piece of ground with one surface.

    Attributes:
        polygon: outline, metres.
        surface: key of the finish.
        level_m: height above the carriageway beside it, metres.
        owner: index of its block, or -1.
        base_m: (N,) level of the ground at each corner of the polygon without ``level_m``,
            world z in metres, in the order of ``shapely.get_coordinates``; None: zero.
    """

    polygon: Polygon
    surface: str
    level_m: float
    owner: int
    base_m: Array | None = None


def lay_ground(
    land: Land,
    sections: Sections,
    outlines: tuple[Polygon, ...],
    blocks: tuple[Block, ...],
    lots: tuple[Lot, ...],
    buildings: tuple[Building, ...],
    grading: Grading | None = None,
    pads: Sequence[Pad] = (),
) -> tuple[Patch, ...]:
    """Divide the city and its skirt into patches that share their corners.

    Args:
        land: where the city stands.
        sections: streets; their carriageways are cut where these end.
        outlines: of all land between the carriageways.
        blocks: blocks of the city.
        lots: lots of the blocks.
        buildings: for their drives.
        grading: levels on hilly ground; None: flat.
        pads: where buildings stand on hilly ground.
    """
    layers = _layers(land, outlines, blocks, lots)
    layers += [
        Patch(drive, "drive", LOT_LEVEL_M, lots[building.lot].block)
        for building in buildings
        for drive in building.drives
    ]
    areas = [*(layer.polygon for layer in layers), *(pad.polygon for pad in pads)]
    lines = list(shapely.boundary(np.array(areas, dtype=object)))
    if grading is None:
        lines += sections.cuts(np.full(len(sections.lines), _OVER_KERB_M))
    else:
        lines += sections.cuts(sections.pavement_m + _OVER_PAVEMENT_M)
        lines += _open_ground(land, blocks)
    patches = _surfaced(faces_between(lines, land.skirt), layers)
    pinches = _pinches(patches)
    if len(pinches):
        tips = [Point(place).buffer(_TIP_M, cap_style="square") for place in pinches]
        layers += [Patch(tip, "field", 0.0, -1) for tip in tips]
        lines += [tip.boundary for tip in tips]
        patches = _surfaced(faces_between(lines, land.skirt), layers)
    patches = _junctions_apart(patches, sections)
    patches.sort(key=lambda p: (p.owner, p.polygon.bounds))
    return tuple(patches if grading is None else _levelled(patches, grading, pads))


def _layers(
    land: Land, outlines: tuple[Polygon, ...], blocks: tuple[Block, ...], lots: tuple[Lot, ...]
) -> list[Patch]:
    """Surfaces from the lowest to the one that covers all others."""
    city = land.outline
    layers = [Patch(land.skirt, "road", 0.0, -1), Patch(city, "road", 0.0, -1)]
    # Rounded kerbs may reach a few centimetres beyond the skirt where that turns inwards.
    fields = shapely.get_parts(
        shapely.intersection(np.array(outlines, dtype=object), land.skirt, grid_size=LATTICE_M)
    )
    layers += [
        Patch(polygon, "field", 0.0, -1)
        for polygon in fields
        if isinstance(polygon, Polygon) and not polygon.is_empty
    ]
    inside = shapely.get_parts(shapely.intersection(np.array(outlines, dtype=object), city))
    layers += [
        Patch(polygon, "pavement", LOT_LEVEL_M, -1)
        for polygon in inside
        if isinstance(polygon, Polygon) and not polygon.is_empty
    ]
    layers += [Patch(b.kerb, "pavement", LOT_LEVEL_M, b.index) for b in blocks]
    layers += [Patch(b.inner, _BY_USE[b.use], LOT_LEVEL_M, b.index) for b in blocks]
    layers += [
        Patch(lot.polygon, "yard", LOT_LEVEL_M, lot.block)
        for lot in lots
        # With targets most of a lot may be left open: it stays green.
        if lot.use == "perimeter" and not land.districts[blocks[lot.block].district].targets
    ]
    for block in blocks:
        if block.use == "park":
            layers += [Patch(way, "path", LOT_LEVEL_M, block.index) for way in _paths(block.inner)]
        elif block.use == "plaza":
            bed = block.inner.buffer(-9.0, join_style="mitre")
            beds = [part for part in shapely.get_parts(bed) if part.area > 60.0]
            layers += [Patch(part, "lawn", LOT_LEVEL_M, block.index) for part in beds]
    return layers


def _paths(park: Polygon) -> list[Polygon]:
    """Two paths that cross in the middle of a park, from corner to corner."""
    corners = shapely.get_coordinates(shapely.oriented_envelope(park))[:4]
    ways = shapely.multilinestrings([LineString(corners[::2]), LineString(corners[1::2])])
    crossing = shapely.union(ways.buffer(1.5), park.centroid.buffer(6.0, quad_segs=4))
    parts = shapely.get_parts(crossing.intersection(park))
    return [part for part in parts if isinstance(part, Polygon) and part.area > 1.0]


def _surfaced(faces: NDArray[np.object_], layers: Sequence[Patch]) -> list[Patch]:
    """Each face with the surface of the layer that covers all others there."""
    tree = shapely.STRtree([layer.polygon for layer in layers])
    face, layer_index = tree.query(shapely.point_on_surface(faces), predicate="within")
    top = np.zeros(len(faces), dtype=np.int64)
    np.maximum.at(top, face, layer_index)
    owner = np.full(len(faces), -1, dtype=np.int64)
    np.maximum.at(owner, face, np.array([layer.owner for layer in layers])[layer_index])
    return [
        Patch(polygon, layers[i].surface, layers[i].level_m, block)
        for polygon, i, block in zip(
            shapely.orient_polygons(faces), top.tolist(), owner.tolist(), strict=True
        )
    ]


def _pinches(patches: Sequence[Patch]) -> Array:
    """(N, 2) corners where raised patches touch that share no side: tip to tip."""
    rings = [ring for patch in patches for ring in _rings(patch)]
    count = [1 + len(patch.polygon.interiors) for patch in patches]
    level = np.repeat(np.repeat([mm([p.level_m])[0] for p in patches], count), [*map(len, rings)])
    start = np.concatenate(rings)[:, :2]
    end = np.concatenate([np.roll(ring, -1, axis=0) for ring in rings])[:, :2]
    _, first, number = np.unique(
        _keys(np.concatenate([start, end]), LATTICE_M), return_index=True, return_inverse=True
    )
    one, two = np.split(number, 2)
    way, back = one * len(first) + two, two * len(first) + one
    order = np.argsort(way)
    twin = order[np.minimum(np.searchsorted(way[order], back), len(way) - 1)]
    # Every wall is counted from its upper side.
    wall = (way[twin] == back) & (level > level[twin])
    walls = np.bincount(np.concatenate([one[wall], two[wall]]), minlength=len(first))
    return np.concatenate([start, end])[first[walls > 2]]


def _junctions_apart(patches: list[Patch], sections: Sections) -> list[Patch]:
    """The patches; pieces of carriageway that are no section of one street are junctions."""
    roads = np.array([i for i, patch in enumerate(patches) if patch.surface == "road"])
    polygons = np.array([patches[index].polygon for index in roads], dtype=object)
    middles = shapely.get_coordinates(shapely.point_on_surface(polygons))
    piece, street, position, _ = sections.beside(middles, _OVER_KERB_M)
    first, last = np.array([s[[0, -1]] if len(s) else (1.0, 0.0) for s in sections.stations]).T
    is_street = np.zeros(len(roads), dtype=bool)
    is_street[piece] = (first[street] <= position) & (position <= last[street])
    is_street[shapely.STRtree(polygons).query(sections.junctions, predicate="within")[1]] = False
    for index in roads[~is_street].tolist():
        patches[index] = replace(patches[index], surface="junction")
    return patches


def _open_ground(land: Land, blocks: tuple[Block, ...]) -> list[shapely.Geometry]:
    """Lines that give parks, squares and the city's edge corners enough to follow the hills."""
    lines: list[shapely.Geometry] = [
        shapely.segmentize(ring, _OPEN_STEP_M).boundary for ring in (land.outline, land.skirt)
    ]
    for block in blocks:
        if block.use in ("park", "plaza"):
            (x0, y0, x1, y1), step = block.inner.bounds, _OPEN_STEP_M
            xs = np.arange(np.ceil(x0 / step), np.ceil(x1 / step)) * step
            ys = np.arange(np.ceil(y0 / step), np.ceil(y1 / step)) * step
            grid = [LineString([(x, y0 - 1.0), (x, y1 + 1.0)]) for x in xs]
            grid += [LineString([(x0 - 1.0, y), (x1 + 1.0, y)]) for y in ys]
            lines += list(shapely.intersection(np.array(grid, dtype=object), block.inner))
    return lines


def _levelled(patches: list[Patch], grading: Grading, pads: Sequence[Pad]) -> list[Patch]:
    """The patches with levels at their corners: the streets', and on pads those of the pads."""
    polygons = np.array([patch.polygon for patch in patches], dtype=object)
    points = shapely.get_coordinates(polygons)
    _, first, corner = np.unique(_keys(points, LATTICE_M), return_index=True, return_inverse=True)
    places = points[first]
    levels = grading.level_at(places)
    tree = shapely.STRtree([pad.polygon for pad in pads])
    place, pad = tree.query(shapely.points(places), predicate="dwithin", distance=_NEAR_PAD_M)
    change = np.array([pad.level_m for pad in pads])[pad] - levels[place]
    levels[place] = np.round(levels[place] + np.minimum(change, TERRACE_M), 3)
    stops = np.cumsum(shapely.get_num_coordinates(polygons))[:-1]
    return [
        replace(patch, base_m=base)
        for patch, base in zip(patches, np.split(levels[corner], stops), strict=True)
    ]


def _keys(points: Array, lattice_m: float) -> Ints:
    """(N,) one number for each place of a lattice."""
    x, y = np.rint(points[:, :2] / lattice_m).astype(np.int64).T
    return np.asarray(x * 2**32 + y)


def as_built(grading: Grading | None, patches: tuple[Patch, ...]) -> Terrain:
    """The terrain that the sheet of patches shows."""
    if grading is None:
        return FLAT
    rings = [ring for patch in patches for ring in _rings(patch)]
    owner = np.repeat(np.arange(len(patches)), [1 + len(p.polygon.interiors) for p in patches])
    ring = np.repeat(np.arange(len(rings)), [len(r) for r in rings])
    corners = np.concatenate(rings)
    _, xy = triangulate(mm(corners[:, :2]), ring, owner)
    known, first = np.unique(_keys(corners, 0.001), return_index=True)
    corner = first[np.searchsorted(known, _keys(xy.reshape(-1, 2) / 1000.0, 0.001))]
    return Terrain(grading.hills, corners[corner].reshape(-1, 3, 3))


def ground_shell(patches: Sequence[Patch], instances: NDArray[np.int64]) -> Shell:
    """The sheet as an open shell.

    Args:
        patches: from :func:`lay_ground`, or with markings from ``markings.paint``.
        instances: (patches,) object ids.
    """
    cells = []
    for patch, instance in zip(patches, instances, strict=True):
        rings = tuple(ring + (0.0, 0.0, patch.level_m) for ring in _rings(patch))
        top, highest = _FINISHES[patch.surface], max(float(ring[:, 2].max()) for ring in rings)
        # A lawn ends in a bank, all else in a kerb.
        side = top if top.semantic == SemanticClass.GRASS else _FINISHES["kerb"]
        cells.append(Cell(rings, top, side, side, highest, int(instance)))
    return Shell(tuple(cells), "ground")


def _rings(patch: Patch) -> list[Array]:
    """Outline and holes, (N, 3) each, not closed, at the level of the ground without kerbs."""
    points = shapely.get_coordinates(patch.polygon)
    base = np.zeros(len(points)) if patch.base_m is None else patch.base_m
    rings = shapely.get_rings(patch.polygon)
    stops = np.cumsum(shapely.get_num_coordinates(rings))[:-1]
    return [ring[:-1] for ring in np.split(np.column_stack([points, base]), stops)]
