"""The ground: one conforming sheet of carriageways, kerbs, pavements and lots."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import LineString, Polygon

from vasgen.citygen.blocks import Block
from vasgen.citygen.buildings import LOT_LEVEL_M, Building
from vasgen.citygen.land import Land
from vasgen.citygen.lots import Lot
from vasgen.citygen.materials import FAMILIES
from vasgen.citygen.solids import Array, Cell, Finish, Shell
from vasgen.citygen.streets import Streets
from vasgen.semantics import SemanticClass

#: Corners of the sheet are whole centimetres: coarse enough that a point computed twice is
#: one point, fine enough that nobody sees it.
_LATTICE_M = 0.01

_FINISHES = {
    "road": Finish(SemanticClass.ROAD, FAMILIES["asphalt"][0]),
    "kerb": Finish(SemanticClass.PAVEMENT, FAMILIES["coping"][0]),
    "pavement": Finish(SemanticClass.PAVEMENT, FAMILIES["pavement"][0]),
    "plaza": Finish(SemanticClass.PAVEMENT, FAMILIES["plaza"][0]),
    "yard": Finish(SemanticClass.PAVEMENT, FAMILIES["plaza"][1]),
    "drive": Finish(SemanticClass.PAVEMENT, FAMILIES["plaza"][1]),
    "path": Finish(SemanticClass.PAVEMENT, FAMILIES["plaza"][0]),
    "lawn": Finish(SemanticClass.GRASS, FAMILIES["grass"][0]),
    "meadow": Finish(SemanticClass.GRASS, FAMILIES["grass"][1]),
    "field": Finish(SemanticClass.GRASS, FAMILIES["grass"][1]),
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


@dataclass(frozen=True, eq=False)
class Patch:
    """A piece of ground with one surface.

    Attributes:
        polygon: outline, metres.
        surface: key of the finish.
        level_m: world z.
        owner: index of its block, or -1.
    """

    polygon: Polygon
    surface: str
    level_m: float
    owner: int


def lay_ground(
    land: Land,
    streets: Streets,
    outlines: tuple[Polygon, ...],
    blocks: tuple[Block, ...],
    lots: tuple[Lot, ...],
    buildings: tuple[Building, ...],
) -> tuple[Patch, ...]:
    """Divide the square and its skirt into patches that share their corners.

    Args:
        land: where the city stands.
        streets: the network; long carriageways are cut in the middle of each street.
        outlines: of all land between the carriageways.
        blocks: blocks of the square.
        lots: lots of the blocks.
        buildings: for their drives.
    """
    layers = _layers(land, outlines, blocks, lots)
    layers += [
        Patch(drive, "drive", LOT_LEVEL_M, lots[building.lot].block)
        for building in buildings
        for drive in building.drives
    ]
    outlines = shapely.boundary(np.array([layer.polygon for layer in layers], dtype=object))
    lines = shapely.union_all([*outlines, *_joints(streets)], grid_size=_LATTICE_M)
    faces = shapely.get_parts(shapely.polygonize([lines]))
    tree = shapely.STRtree([layer.polygon for layer in layers])
    face, layer_index = tree.query(shapely.point_on_surface(faces), predicate="within")
    top = np.zeros(len(faces), dtype=np.int64)
    np.maximum.at(top, face, layer_index)
    owner = np.full(len(faces), -1, dtype=np.int64)
    np.maximum.at(owner, face, np.array([layer.owner for layer in layers])[layer_index])
    patches = [
        Patch(shapely.orient_polygons(polygon), layers[i].surface, layers[i].level_m, int(block))
        for polygon, i, block in zip(faces, top, owner, strict=True)
    ]
    return tuple(sorted(patches, key=lambda p: (p.owner, p.polygon.bounds)))


def _layers(
    land: Land, outlines: tuple[Polygon, ...], blocks: tuple[Block, ...], lots: tuple[Lot, ...]
) -> list[Patch]:
    """Surfaces from the lowest to the one that covers all others."""
    city = land.outline
    layers = [Patch(land.skirt, "road", 0.0, -1), Patch(city, "road", 0.0, -1)]
    layers += [Patch(polygon, "field", 0.0, -1) for polygon in outlines]
    inside = shapely.get_parts(shapely.intersection(np.array(outlines, dtype=object), city))
    layers += [
        Patch(polygon, "pavement", LOT_LEVEL_M, -1)
        for polygon in inside
        if isinstance(polygon, Polygon) and not polygon.is_empty
    ]
    layers += [Patch(b.kerb, "pavement", LOT_LEVEL_M, b.index) for b in blocks]
    layers += [Patch(b.inner, _BY_USE[b.use], LOT_LEVEL_M, b.index) for b in blocks]
    layers += [
        Patch(lot.polygon, "yard", LOT_LEVEL_M, lot.block) for lot in lots if lot.use == "perimeter"
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


def _joints(streets: Streets) -> list[LineString]:
    """Lines across the middle of each street, so that no carriageway polygon has holes."""
    joints = []
    for line, width in zip(streets.lines, streets.widths_m, strict=True):
        if line.length < 1.5 * width:
            continue
        ends = [np.array(line.interpolate(line.length / 2 + s).coords[0]) for s in (-0.5, 0.5)]
        across = np.array([ends[0][1] - ends[1][1], ends[1][0] - ends[0][0]])
        middle = (ends[0] + ends[1]) / 2
        reach = across * (width / 2 + 0.5)
        joints.append(LineString([middle - reach, middle + reach]))
    return joints


def ground_shell(patches: tuple[Patch, ...], instances: NDArray[np.int64]) -> Shell:
    """The sheet as an open shell.

    Args:
        patches: from :func:`lay_ground`.
        instances: (patches,) object ids.
    """
    cells = [
        Cell(
            tuple(_lifted(ring, patch.level_m) for ring in _rings(patch.polygon)),
            _FINISHES[patch.surface],
            _FINISHES["kerb"],
            _FINISHES["kerb"],
            patch.level_m,
            int(instance),
        )
        for patch, instance in zip(patches, instances, strict=True)
    ]
    return Shell(tuple(cells), "ground")


def _rings(polygon: Polygon) -> list[Array]:
    return [shapely.get_coordinates(r)[:-1] for r in (polygon.exterior, *polygon.interiors)]


def _lifted(ring: Array, level_m: float) -> Array:
    return np.column_stack([ring, np.full(len(ring), level_m)])
