"""What the triangles of every city must satisfy, checked for all of them at once.

Each check takes a city, or its surface, and raises an AssertionError that says which object
is wrong, where it is, and by how much.
"""

from __future__ import annotations

import numpy as np
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from vasgen.citygen import City
from vasgen.citygen.geometry.solids import Surface
from vasgen.citygen.materials import PALETTE, RADIO_NAMES
from vasgen.semantics import BUILDING, WALKABLE, SemanticClass

#: Least height of a triangle, metres, by level of detail.
THINNEST_M = {1: 0.005, 2: 0.005, 3: 0.002}
SMALLEST_M2 = 1e-6

#: Solids may touch; surfaces count as crossing where they do so by more than this, metres.
_TOUCH_M = 0.003
_SLAB_M = 4.0

_ON_BUILDINGS = BUILDING | {SemanticClass.FURNITURE}
_ON_GROUND = WALKABLE | {SemanticClass.WATER}
_ON_PROPS = frozenset(
    {SemanticClass.VEGETATION, SemanticClass.VEHICLE, SemanticClass.FURNITURE, SemanticClass.OTHER}
)


def none_of(bad: np.ndarray, what: str, tell) -> None:
    """Fail with a count and the first three offenders.

    Args:
        bad: (N,) booleans, or indices of offenders.
        what: what is wrong.
        tell: from an index to a line: which object, where, by how much.
    """
    index = np.flatnonzero(bad) if bad.dtype == bool else bad
    if len(index):
        lines = "; ".join(str(tell(int(i))) for i in index[:3])
        raise AssertionError(f"{len(index)} {what}: {lines}")


def ground_faces(surface: Surface) -> np.ndarray:
    """(F,) which faces belong to the ground sheet: all of the shell that the roads are in."""
    sheets = np.unique(surface.shell[surface.semantic == SemanticClass.ROAD])
    return np.isin(surface.shell, sheets)


def solid_faces(surface: Surface) -> np.ndarray:
    """(F,) which faces belong to closed solids: all but the ground."""
    return ~ground_faces(surface)


def building_faces(city: City, surface: Surface) -> np.ndarray:
    """(F,) which faces belong to buildings."""
    return (surface.instance >= 1) & (surface.instance <= len(city.buildings))


def place(surface: Surface, face: int) -> str:
    """Where a face is and what it belongs to."""
    x, y, z = surface.vertices[surface.faces[face]].mean(axis=0)
    name = SemanticClass(int(surface.semantic[face])).name.lower()
    return (
        f"{name} of instance {surface.instance[face]}, shell {surface.shell[face]}, "
        f"at ({x:.3f}, {y:.3f}, {z:.3f})"
    )


def check_indices(surface: Surface) -> None:
    """Arrays fit together, and every vertex is used, by one shell alone."""
    count = len(surface.faces)
    for name in ("shell", "semantic", "visual", "radio", "instance"):
        assert getattr(surface, name).shape == (count,), name
    assert surface.uv.shape == (count, 3, 2)
    assert np.isfinite(surface.uv).all(), "texture coordinates that are no numbers"
    assert np.isfinite(surface.vertices).all(), "vertices that are no numbers"
    used = np.bincount(surface.faces.ravel(), minlength=len(surface.vertices))
    assert len(used) == len(surface.vertices), "a face names a vertex that does not exist"
    none_of(used == 0, "vertices of no face", lambda v: surface.vertices[v])
    owner = np.empty(len(surface.vertices), dtype=np.int64)
    owner[surface.faces] = surface.shell[:, None]
    shared = (owner[surface.faces] != surface.shell[:, None]).any(axis=1)
    none_of(shared, "faces that share a vertex with another shell", lambda f: place(surface, f))


def check_lattice(surface: Surface, lod: int) -> None:
    """All is on whole millimetres, the ground's plan without markings on whole centimetres."""
    off = np.abs(surface.vertices - np.round(surface.vertices, 3)).max(axis=1)
    none_of(off > 1e-9, "vertices off the millimetre lattice", lambda v: surface.vertices[v])
    if lod == 3:
        return
    sheet = np.unique(surface.faces[ground_faces(surface)])
    plan = surface.vertices[sheet, :2]
    off = np.abs(plan - np.round(plan, 2)).max(axis=1)
    none_of(off > 1e-9, "corners of the ground off the centimetre lattice", lambda v: plan[v])


def check_triangles(surface: Surface, lod: int) -> None:
    """No triangle is degenerate or a sliver."""
    a, b, c = surface.vertices[surface.faces].transpose(1, 0, 2)
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2
    none_of(
        area <= SMALLEST_M2,
        "degenerate triangles",
        lambda f: f"{place(surface, f)}: {area[f] * 1e6:.3f} mm2",
    )
    longest = np.max([np.linalg.norm(e, axis=1) for e in (b - a, c - b, a - c)], axis=0)
    height = 2 * area / longest
    worst = np.argsort(height, kind="stable")
    none_of(
        worst[: np.count_nonzero(height < THINNEST_M[lod])],
        f"slivers thinner than {THINNEST_M[lod] * 1e3:.0f} mm",
        lambda f: f"{place(surface, f)}: {height[f] * 1e3:.2f} mm of {longest[f]:.2f} m",
    )


def check_welded(city: City, surface: Surface) -> None:
    """No two vertices of a solid are in one place."""
    face = np.flatnonzero(solid_faces(surface))
    vertex, first = np.unique(surface.faces[face], return_index=True)
    face = face[first // 3]
    owner = surface.shell[face].copy()
    # A prop is of several solids, which may touch.
    prop = ~building_faces(city, surface)[face]
    owner[prop] = -1 - _parts(surface.faces, len(surface.vertices))[vertex[prop]]
    keys = np.column_stack([owner, np.rint(surface.vertices[vertex] * 1e3).astype(np.int64)])
    order = np.lexsort(keys.T)
    same = (np.diff(keys[order], axis=0) == 0).all(axis=1)
    none_of(
        vertex[order[1:][same]],
        "vertices of a solid that lie on another of it",
        lambda v: f"{place(surface, int(face[np.searchsorted(vertex, v)]))}: {surface.vertices[v]}",
    )


def check_closed(surface: Surface) -> None:
    """Every edge of a solid has two faces, which agree about the outside."""
    face = np.flatnonzero(solid_faces(surface))
    key, twin = _half_edges(surface.faces[face], len(surface.vertices))
    order = np.argsort(key, kind="stable")
    double = order[1:][np.diff(key[order]) == 0]
    none_of(double, "edges with two faces on one side", lambda h: place(surface, face[h // 3]))
    at = np.searchsorted(key[order], twin)
    lone = key[order][np.minimum(at, len(key) - 1)] != twin
    none_of(lone, "open edges of solids", lambda h: place(surface, face[h // 3]))


def check_vertex_fans(surface: Surface) -> None:
    """The faces around a vertex of a solid are one closed fan: a 2-manifold.

    Half-edges are joined to the next around the vertex they leave; a vertex where two parts
    of a solid merely touch has two rings of them.
    """
    face = np.flatnonzero(solid_faces(surface))
    faces = surface.faces[face]
    key, twin = _half_edges(faces, len(surface.vertices))
    order = np.argsort(key, kind="stable")
    opposite = order[np.minimum(np.searchsorted(key[order], twin), len(key) - 1)]
    half = np.arange(len(key))
    before = half - half % 3 + (half + 2) % 3
    ring = _components(half, opposite[before], len(key))
    start = faces.ravel()
    vertex, first = np.unique(start, return_index=True)
    rings = np.unique(np.column_stack([start, ring]), axis=0)[:, 0]
    count = np.bincount(np.searchsorted(vertex, rings))
    none_of(
        first[count != 1],
        "vertices where a solid touches itself",
        lambda h: f"{surface.vertices[start[h]]}: {place(surface, face[h // 3])}",
    )


def check_outward(city: City, surface: Surface) -> None:
    """Every part of a solid encloses volume, and a building shell is of one part."""
    face = np.flatnonzero(solid_faces(surface))
    faces = surface.faces[face]
    part = _parts(faces, len(surface.vertices))[faces[:, 0]]
    number, first, part = np.unique(part, return_index=True, return_inverse=True)
    # About a corner of the part itself: far from the origin products lose digits.
    corner = surface.vertices[faces] - surface.vertices[faces[first, 0]][part][:, None]
    volume = np.bincount(part, np.linalg.det(corner) / 6, len(number))
    none_of(
        volume <= 1e-6,
        "parts of solids that enclose no volume or look inwards",
        lambda p: f"{place(surface, face[first[p]])}: {volume[p]:.6f} m3",
    )
    own = building_faces(city, surface)[face[first]]
    shell, count = np.unique(surface.shell[face[first]][own], return_counts=True)
    none_of(
        shell[count > 1],
        "building shells in several parts",
        lambda s: place(surface, int(np.flatnonzero(surface.shell == s)[0])),
    )


def check_no_crossing(city: City, surface: Surface, every: int = 1) -> None:
    """No edge of a building pierces a face of it, or of another building.

    What stands on a roof is sunk into it, so shells of one building may cross each other.

    Args:
        city: the city.
        surface: its triangles.
        every: only the edges of every n-th building are tried, on it and its neighbours.
    """
    tried = np.array([b.index % every == 0 for b in city.buildings])
    footprint = _footprints(city)
    near = shapely.STRtree(footprint).query(footprint[tried], predicate="dwithin", distance=3.0)[1]
    face = np.flatnonzero(building_faces(city, surface) & np.isin(surface.instance, near + 1))
    triangles = surface.vertices[surface.faces[face]]
    a, b = triangles.reshape(-1, 3), np.roll(triangles, -1, axis=1).reshape(-1, 3)
    start = surface.faces[face].ravel()
    end = np.roll(surface.faces[face], -1, axis=1).ravel()
    one_way = np.flatnonzero((start < end) & np.repeat(tried[surface.instance[face] - 1], 3))
    edge, other = _close_pairs(
        np.minimum(a, b)[one_way],
        np.maximum(a, b)[one_way],
        triangles.min(axis=1),
        triangles.max(axis=1),
    )
    edge = one_way[edge]
    own = edge // 3
    related = (surface.instance[face[own]] == surface.instance[face[other]]) & (
        surface.shell[face[own]] != surface.shell[face[other]]
    )
    touching = (surface.faces[face[other]] == start[edge][:, None]).any(axis=1)
    touching |= (surface.faces[face[other]] == end[edge][:, None]).any(axis=1)
    keep = ~related & ~touching
    edge, other, own = edge[keep], other[keep], own[keep]
    depth = _piercing_depth(a[edge], b[edge], triangles[other])
    worst = np.argsort(-depth, kind="stable")[: np.count_nonzero(depth > _TOUCH_M)]
    none_of(
        worst,
        "edges that pierce a face",
        lambda i: (
            f"edge of {place(surface, face[own[i]])} by {depth[i]:.3f} m through "
            f"{place(surface, face[other[i]])}"
        ),
    )


def check_ground(city: City, surface: Surface) -> None:
    """The ground is one conforming sheet that covers the land and its skirt exactly once."""
    face = np.flatnonzero(ground_faces(surface))
    faces = surface.faces[face]
    a, b, c = surface.vertices[faces].transpose(1, 0, 2)
    plan = _plan_area(a, b, c)
    none_of(plan < -1e-9, "faces of the ground look down", lambda f: place(surface, face[f]))
    key, twin = _half_edges(faces, len(surface.vertices))
    order = np.argsort(key, kind="stable")
    double = order[1:][np.diff(key[order]) == 0]
    none_of(double, "edges of the ground used twice", lambda h: place(surface, face[h // 3]))
    lone = ~np.isin(twin, key)
    rim = shapely.linestrings(
        np.stack([surface.vertices[faces.ravel(), :2], _next(faces, surface)], axis=1)[lone]
    )
    edge = city.land.skirt.exterior
    away = np.maximum(
        shapely.distance(shapely.get_point(rim, 0), edge),
        shapely.distance(shapely.get_point(rim, 1), edge),
    )
    cracks = np.flatnonzero(lone)[away > 0.011]
    none_of(cracks, "cracks in the ground", lambda h: place(surface, face[h // 3]))
    # Nothing looks down and all rim edges lie on the skirt's: the areas agree only if the
    # sheet covers everything once.
    excess = float(plan.sum()) - city.land.skirt.area
    allowed = 0.011 * city.land.skirt.length
    assert abs(excess) <= allowed, f"ground covers {excess:+.2f} m2 more than land and skirt"


def check_labels(city: City, surface: Surface, lod: int) -> None:
    """Every face has a class, materials and an object that exist and go together."""
    groups = {
        "building": (building_faces(city, surface), _ON_BUILDINGS),
        "ground": (ground_faces(surface), _ON_GROUND),
    }
    prop = ~groups["building"][0] & ~groups["ground"][0]
    for name, (chosen, classes) in {**groups, "prop": (prop, _ON_PROPS)}.items():
        odd = chosen & ~np.isin(surface.semantic, [int(c) for c in classes])
        none_of(odd, f"faces of a {name} with a class of something else", _teller(surface))
    none_of(
        (surface.visual < 0) | (surface.visual >= len(PALETTE)),
        "faces without a visual material",
        _teller(surface),
    )
    none_of(
        (surface.radio < 0) | (surface.radio >= len(RADIO_NAMES)),
        "faces without a radio material",
        _teller(surface),
    )
    # Object 0 is the ground beyond the city: nobody's.
    ids = np.unique(surface.instance[(surface.instance != 0) | ~groups["ground"][0]])
    first = city.first_prop_id
    expected = np.arange(1, first + (len(city.props) if lod > 1 else 0))
    if lod == 1:  # small props have no prism
        assert ids[-1] < first + len(city.props)
        ids = ids[ids < first]
    assert np.array_equal(ids, expected), (
        f"ids of objects: {np.setdiff1d(expected, ids)[:5]} missing, "
        f"{np.setdiff1d(ids, expected)[:5]} unknown"
    )
    assert (surface.instance[prop] >= first).all(), "props with ids of something else"
    assert (surface.instance[~prop] < first).all(), "ids of props on something else"
    pairs = np.unique(
        np.column_stack([surface.shell, surface.instance])[~groups["ground"][0]], axis=0
    )
    own = pairs[:, 1] <= len(city.buildings)
    shell, count = np.unique(pairs[own, 0], return_counts=True)
    assert (count == 1).all(), f"shells {shell[count > 1][:3]} belong to several buildings"
    for name in (SemanticClass.WALL, SemanticClass.ROOF):
        having = surface.instance[groups["building"][0] & (surface.semantic == name)]
        missing = np.setdiff1d(np.arange(1, len(city.buildings) + 1), having)
        none_of(missing, f"buildings without a {name.name.lower()}", lambda i: f"building {i}")


def check_openings(city: City, surface: Surface) -> None:
    """At level of detail 3 every building has a door, and all but sheds and garages windows."""
    own = building_faces(city, surface)
    for name in (SemanticClass.DOOR, SemanticClass.WINDOW):
        having = np.unique(surface.instance[own & (surface.semantic == name)])
        missing = [
            building
            for building in city.buildings
            if building.index not in having
            and not (name == SemanticClass.WINDOW and building.kind == "shed")
        ]
        assert not missing, f"{len(missing)} buildings without a {name.name.lower()}: " + "; ".join(
            f"{b.index} ({b.kind}, {b.use}) at {_xy(b)}" for b in missing[:3]
        )


def check_foundations(city: City, surface: Surface) -> None:
    """The underside of every building is its footprint, whatever the level of detail."""
    face = np.flatnonzero(building_faces(city, surface))
    corner = surface.vertices[surface.faces[face]]
    building = surface.instance[face] - 1
    low = np.full(len(city.buildings), np.inf)
    np.minimum.at(low, building, corner[..., 2].min(axis=1))
    flat = (corner[..., 2] == low[building][:, None]).all(axis=1)
    a, b, c = corner[..., :2].transpose(1, 0, 2)
    area = np.bincount(building[flat], -_plan_area(a, b, c)[flat], len(city.buildings))
    wanted = shapely.area(_footprints(city))
    allowed = 0.002 * shapely.length(_footprints(city)) + 1e-6
    none_of(
        np.abs(area - wanted) > allowed,
        "buildings whose underside is not their footprint",
        lambda i: f"building {i + 1} at {_xy(city.buildings[i])}: {area[i] - wanted[i]:+.3f} m2",
    )


def check_extent(city: City, surface: Surface, lod: int) -> None:
    """Buildings stay over their footprint, but for balconies and sills, and have their height."""
    face = np.flatnonzero(building_faces(city, surface))
    vertex, first = np.unique(surface.faces[face], return_index=True)
    building = surface.instance[face][first // 3] - 1
    points = shapely.points(surface.vertices[vertex, :2])
    away = shapely.distance(points, _footprints(city)[building])
    reach = 0.002 if lod < 3 else 1.6
    none_of(
        away > reach,
        f"corners of a building more than {reach} m outside its footprint",
        lambda i: f"building {building[i] + 1} at {surface.vertices[vertex[i]]}: {away[i]:.3f} m",
    )
    top = np.full(len(city.buildings), -np.inf)
    np.maximum.at(top, building, surface.vertices[vertex, 2])
    level = np.array([b.level_m for b in city.buildings])
    excess = top - level - np.array([b.height_m for b in city.buildings])
    none_of(
        (excess < 0) | (excess > 9.0),
        "buildings whose mesh is not as high as they say",
        lambda i: f"building {i + 1} ({city.buildings[i].kind}): {excess[i]:+.2f} m",
    )


def check_bundle(city: City, lod: int, surface: Surface) -> None:
    """The bundle holds the surface's triangles, each under its radio material."""
    bundle = city.to_bundle(lod)
    assert bundle.num_triangles == len(surface.faces)
    for mesh in bundle.meshes:
        index = np.flatnonzero(surface.radio == RADIO_NAMES.index(mesh.name))
        assert np.array_equal(mesh.vertices[mesh.faces], surface.vertices[surface.faces[index]]), (
            f"triangles of {mesh.name} differ from the surface's"
        )
        assert np.array_equal(mesh.face_instance, surface.instance[index])
        assert np.array_equal(mesh.face_class, surface.semantic[index])
        shown = [bundle.visual_materials[i].name for i in np.unique(mesh.face_visual)]
        wanted = [PALETTE[i].name for i in np.unique(surface.visual[index])]
        assert shown == wanted, f"visual materials of {mesh.name}"


def _plan_area(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
    """(N,) area of triangles in the plan, square metres; below zero where they look down."""
    one, two = b - a, c - a
    return (one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0]) / 2


def _half_edges(faces: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """(3F,) a number for each directed edge, face by face, and that of its opposite."""
    start, end = faces.ravel(), np.roll(faces, -1, axis=1).ravel()
    return start * count + end, end * count + start


def _next(faces: np.ndarray, surface: Surface) -> np.ndarray:
    """(3F, 2) plan position of the end of each directed edge."""
    return surface.vertices[np.roll(faces, -1, axis=1).ravel(), :2]


def _components(a: np.ndarray, b: np.ndarray, count: int) -> np.ndarray:
    """(count,) number of the connected component of each node of a graph with edges a-b."""
    graph = coo_array((np.ones(len(a), dtype=np.int8), (a, b)), shape=(count, count))
    return connected_components(graph, directed=False)[1]


def _parts(faces: np.ndarray, count: int) -> np.ndarray:
    """(count,) number of the connected part of a surface each vertex belongs to."""
    pairs = faces[:, [0, 1, 1, 2]].reshape(-1, 2)
    return _components(pairs[:, 0], pairs[:, 1], count)


def _close_pairs(
    low_a: np.ndarray, high_a: np.ndarray, low_b: np.ndarray, high_b: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Indices (a, b) of boxes in space that meet, perhaps more than once.

    The tree is one of the plane: slabs of height lie side by side in it.
    """
    boxes_a, owner_a = _slabs(low_a, high_a)
    boxes_b, owner_b = _slabs(low_b, high_b)
    a, b = shapely.STRtree(boxes_b).query(boxes_a)
    a, b = owner_a[a], owner_b[b]
    meet = ((low_a[a] <= high_b[b]) & (low_b[b] <= high_a[a])).all(axis=1)
    return a[meet], b[meet]


def _slabs(low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    first = np.floor(low[:, 2] / _SLAB_M).astype(np.int64)
    count = np.floor(high[:, 2] / _SLAB_M).astype(np.int64) - first + 1
    owner = np.repeat(np.arange(len(low)), count)
    slab = np.arange(len(owner)) - np.repeat(np.cumsum(count) - count, count) + first[owner]
    shift = slab * 1e5
    boxes = shapely.box(
        low[owner, 0] + shift, low[owner, 1], high[owner, 0] + shift, high[owner, 1]
    )
    return boxes, owner


def _piercing_depth(p: np.ndarray, q: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """(N,) how deep segments pq pierce triangles, metres: the shortest move that frees them."""
    a = triangles[:, 0]
    normal = np.cross(triangles[:, 1] - a, triangles[:, 2] - a)
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    above = np.einsum("ij,ij->i", p - a, normal)
    below = np.einsum("ij,ij->i", q - a, normal)
    across = above * below < 0
    share = np.where(across, above / np.where(across, above - below, 1.0), 0.0)
    hit = p + share[:, None] * (q - p)
    depth = np.minimum(np.abs(above), np.abs(below))
    for k in range(3):
        start, edge = triangles[:, k], triangles[:, (k + 1) % 3] - triangles[:, k]
        inward = np.cross(normal, edge)
        inward /= np.linalg.norm(inward, axis=1, keepdims=True)
        depth = np.minimum(depth, np.einsum("ij,ij->i", hit - start, inward))
    return np.where(across, depth, 0.0)


def _footprints(city: City) -> np.ndarray:
    return np.array([building.footprint for building in city.buildings], dtype=object)


def _teller(surface: Surface):
    return lambda face: place(surface, face)


def _xy(building) -> tuple[float, float]:
    point = building.footprint.centroid
    return round(point.x, 1), round(point.y, 1)
