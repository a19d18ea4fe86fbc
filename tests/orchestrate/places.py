"""Scenes whose contexts are known, and the places of a city that its streets name."""

import numpy as np
import shapely

from tests.support import box, bundle, ground, mesh
from vasgen.orchestrate.ground import look_down
from vasgen.raycast import RayCaster
from vasgen.semantics import SemanticClass

HEIGHT_M = 15.0


def blocks(*rectangles, half=400.0, z=0.0):
    """Buildings over (west, south, east, north), on a ground plane."""
    solids = [
        box(
            f"building-{i}",
            (east - west, north - south, HEIGHT_M),
            ((west + east) / 2, (south + north) / 2, z + HEIGHT_M / 2),
            instance=i + 1,
        )
        for i, (west, south, east, north) in enumerate(rectangles)
    ]
    return bundle(ground(half, z), *solids)


def street(width_m, length_m=260.0):
    """Two rows of houses along x."""
    w, far = width_m / 2, length_m / 2
    return blocks((-far, w, far, w + 15), (-far, -w - 15, far, -w))


def crossing(width_m, arms=4, reach_m=130.0):
    """Streets that meet at the origin; with three arms the northern one is built up."""
    w, far = width_m / 2, reach_m
    corners = [(w, w, far, far), (-far, w, -w, far), (-far, -far, -w, -w), (w, -far, far, -w)]
    closed = [(-w, w, w, far)] if arms == 3 else []
    return blocks(*corners, *closed)


def plaza(side_m, street_m=14.0, depth_m=60.0):
    """A square with a street out of the middle of each side."""
    s, w, far = side_m / 2, street_m / 2, side_m / 2 + depth_m
    rows = [(w, s, far, far), (-far, s, -w, far), (w, -far, far, -s), (-far, -far, -w, -s)]
    sides = [(s, w, far, s), (-far, w, -s, s), (s, -s, far, -w), (-far, -s, -s, -w)]
    return blocks(*rows, *sides)


def courtyard(width_m, depth_m, wing_m=12.0):
    """Four wings around a yard."""
    w, d, t = width_m / 2, depth_m / 2, wing_m
    return blocks(
        (-w - t, d, w + t, d + t),
        (-w - t, -d - t, w + t, -d),
        (-w - t, -d, -w, d),
        (w, -d, w + t, d),
    )


def prism(name, corners, height, *, semantic, instance=1, z=0.0):
    """An upright prism over a convex outline, closed, its top of class ROOF for walls."""
    outline = np.asarray(corners, float)
    count = len(outline)
    levels = (np.column_stack([outline, np.full(count, level)]) for level in (z, z + height))
    vertices = np.concatenate(list(levels))
    sides = [(i, (i + 1) % count, count + i) for i in range(count)]
    sides += [((i + 1) % count, count + (i + 1) % count, count + i) for i in range(count)]
    top = [(count, count + i, count + i + 1) for i in range(1, count - 1)]
    bottom = [(0, i + 1, i) for i in range(1, count - 1)]
    solid = mesh(
        name, vertices, sides + bottom + top, radio="concrete", semantic=semantic, instance=instance
    )
    if semantic == SemanticClass.WALL:
        solid.face_class[-len(top) :] = SemanticClass.ROOF
    return solid


def rectangle(west, south, east, north):
    return [(west, south), (east, south), (east, north), (west, north)]


#: Uses of blocks whose buildings stand in a row along the street.
_WALLED = {"highrise", "perimeter"}


def named_places(city):
    """Ground points with the name that the road network gives them, (N, 3) and (N,).

    Junctions are nodes of three streets or more; canyons are the middles of streets of 40 m
    or more between their junctions. Streets along parks, plazas and loosely built blocks are
    left out: there the buildings do not make a street.
    """
    graph = city.streets.graph
    points = [(graph.nodes[n]["x"], graph.nodes[n]["y"]) for n in graph if len(graph[n]) > 2]
    names = ["junction"] * len(points)
    for *_, street in graph.edges(data=True):
        if street["length_m"] - sum(street["mouths_m"]) >= 40:
            points.append(street["line"].interpolate(0.5, normalized=True).coords[0])
            names.append("canyon")
    where = shapely.points(np.array(points))
    loose = shapely.union_all([b.kerb for b in city.blocks if b.use not in _WALLED])
    inside = shapely.contains(city.land.outline.buffer(-15), where)
    walled = inside if loose.is_empty else inside & (shapely.distance(loose, where) > 25)
    hits = look_down(RayCaster(city.to_bundle()), np.array(points)[walled])
    return hits.points, np.array(names)[walled][hits.asked]
