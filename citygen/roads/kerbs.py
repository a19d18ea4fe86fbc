"""Kerbs: where the land between the streets begins."""

from __future__ import annotations

import itertools

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import Polygon

from vasgen.citygen.land import Land
from vasgen.citygen.roads.streets import Streets


def kerbs(streets: Streets, land: Land) -> tuple[Polygon, ...]:
    """Outlines of all land between the carriageways, of the city and its skirt.

    Kerbs are rounded at street corners, wider where the pavement is wider. Slivers between
    streets become carriageway.
    """
    pavements_m = np.array([district.rules.streets.pavement_m for district in land.districts])
    found: list[Polygon] = []
    for quarter, dry in zip(streets.quarters, _dry_land(streets), strict=True):
        pavement_m = float(pavements_m[quarter.district])
        radius = 1.4 * pavement_m
        opened = shapely.buffer(shapely.buffer(dry, -radius, quad_segs=4), radius, quad_segs=3)
        rounded = shapely.get_parts(shapely.simplify(opened, 0.04))
        found += rounded[shapely.area(rounded) > 4 * pavement_m**2].tolist()
    return tuple(sorted(found, key=lambda p: p.bounds))


def _dry_land(streets: Streets) -> NDArray[np.object_]:
    """(Q,) what the carriageways leave of each quarter.

    Each quarter on its own, so that streets of another cannot move its kerbs.
    """
    strips = streets.strips()
    polygons = np.array([quarter.polygon for quarter in streets.quarters], dtype=object)
    is_major = streets.course_quarters < 0
    majors = np.flatnonzero(is_major)
    own, near = shapely.STRtree(strips[majors]).query(polygons, predicate="intersects")
    owner = np.concatenate([own, streets.course_quarters[~is_major]])
    strip = np.concatenate([majors[near], np.flatnonzero(~is_major)])
    order = np.lexsort((strip, owner))
    ends = np.searchsorted(owner[order], np.arange(len(polygons) + 1))
    wet = [
        shapely.union_all(strips[strip[order[a:b]]], grid_size=0.001)
        for a, b in itertools.pairwise(ends)
    ]
    return np.asarray(shapely.difference(polygons, np.array(wet, dtype=object), grid_size=0.001))
