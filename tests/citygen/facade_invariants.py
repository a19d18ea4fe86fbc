"""What the facades of every city must satisfy: the table of modules, doors, what stands out.

Each check takes a city and raises an AssertionError that says which object is wrong, where
it is, and by how much.
"""

from __future__ import annotations

import numpy as np
import shapely

from tests.citygen.surface_invariants import none_of
from vasgen.citygen import City
from vasgen.citygen.facade.modules import KIND, KINDS, module, prototype
from vasgen.citygen.life.archetypes import model

#: Ground beside a door may lie this far above its floor, metres.
STEP_M = 0.6

_DOORS = tuple(KIND[name] for name in ("door", "entrance", "wicket"))
_BESIDE_M = 0.4
#: So many cells of each kind are placed to compare them with the mesh.
_PLACED = 40
#: What stands out less is no obstacle: sills and signs, metres.
_STANDING_M = 0.15


def check_modules(city: City) -> None:
    """The table has a row for each cell; its prototypes, placed, are the mesh's own faces."""
    cells, whole, bare = city.modules(), city.mesh(3), city.mesh(3, modules=False)
    sizes = np.array([len(prototype(kind).faces) for kind in range(len(KINDS))])
    count = np.bincount(cells["kind"], minlength=len(KINDS))
    lacking = len(whole.faces) - len(bare.faces)
    assert lacking == (count * sizes).sum(), f"{lacking} faces for cells of {count} a kind"
    places = np.column_stack([cells[name] for name in ("building", "x", "y", "z", "ux", "uy")])
    assert len(np.unique(places.round(4), axis=0)) == len(cells), "two cells in one place"
    storeys = np.array([building.storeys for building in city.buildings])
    # The highest storey may be cut short by a roof, or be one more under it.
    high = cells["storey"] > storeys[cells["building"] - 1] + 1
    none_of(high, "cells above the last storey", lambda i: _tell(cells, i))
    if not len(cells):
        return
    first = _first_module(whole, bare, lacking)
    for kind in np.flatnonzero(count).tolist():
        group = np.flatnonzero(cells["kind"] == kind)
        chosen = np.unique(np.linspace(0, len(group) - 1, _PLACED).astype(int))
        face = first + chosen[:, None] * sizes[kind] + np.arange(sizes[kind])
        _check_placed(whole, cells, group[chosen], face)
        first += sizes[kind] * len(group)


def _first_module(whole, bare, lacking: int) -> int:
    """Number of the first face of a module: they lie together, kind by kind."""
    triangles = whole.vertices[whole.faces]
    kept = bare.vertices[bare.faces]
    differ = (kept != triangles[: len(kept)]).any(axis=(1, 2))
    first = int(np.flatnonzero(np.append(differ, True))[0])
    assert np.array_equal(kept[first:], triangles[first + lacking :]), "faces beside the modules"
    return first


def _check_placed(surface, cells: np.ndarray, chosen: np.ndarray, face: np.ndarray) -> None:
    """Modules on chosen cells are faces (C, F) of the surface, with the same labels."""
    for index, own in zip(chosen.tolist(), face, strict=True):
        cell = cells[index]
        one = module(int(cell["kind"]), int(cell["facade"]))
        x, y, z = one.vertices.T
        along = np.array([cell["ux"], cell["uy"], 0.0])
        out = np.array([cell["uy"], -cell["ux"], 0.0])
        points = np.array([cell["x"], cell["y"], cell["z"]]) + np.outer(x * cell["width"], along)
        points += np.outer(y, out)
        points[:, 2] += z * cell["height"]
        away = np.abs(surface.vertices[surface.faces[own]] - points[one.faces]).max()
        assert away < 0.0011, f"{_tell(cells, index)}: placed {away:.4f} m beside the mesh"
        assert (surface.instance[own] == cell["building"]).all(), _tell(cells, index)
        for name in ("semantic", "visual", "radio"):
            same = np.array_equal(getattr(surface, name)[own], getattr(one, name))
            assert same, f"{_tell(cells, index)}: {name}"


def check_doors(city: City) -> None:
    """The ground beside a door is not so far above its floor that nobody could go out."""
    cells = city.modules()
    index = np.flatnonzero(np.isin(cells["kind"], _DOORS))
    doors = cells[index]
    out = np.column_stack([doors["uy"], -doors["ux"]])
    along = np.column_stack([doors["ux"], doors["uy"]]) * doors["width"][:, None]
    corner = np.column_stack([doors["x"], doors["y"]])
    rise = np.max(
        [
            city.terrain.level_at(corner + share * along + _BESIDE_M * out)
            for share in (0.3, 0.5, 0.7)
        ],
        axis=0,
    )
    rise -= np.array([b.level_m for b in city.buildings])[doors["building"] - 1]
    worst = np.argsort(-rise, kind="stable")
    none_of(
        worst[: np.count_nonzero(rise > STEP_M)],
        f"doors more than {STEP_M} m in the ground",
        lambda i: f"{_tell(cells, int(index[i]))}: by {rise[i]:.2f} m",
    )


def check_standing(city: City) -> None:
    """No tree, lamp or shelter stands in a balcony, or in a canopy."""
    cells = city.modules()
    plans, low, high, owner = [], [], [], []
    for kind in range(len(KINDS)):
        x, y, z = prototype(kind).points[4:].T
        group = np.flatnonzero(cells["kind"] == kind)
        far = y > _STANDING_M
        if not far.any() or not len(group):
            continue
        c = cells[group]
        along, out = (np.column_stack(pair) for pair in ((c["ux"], c["uy"]), (c["uy"], -c["ux"])))
        corner, width = np.column_stack([c["x"], c["y"]]), c["width"][:, None]
        left, right = (corner + along * width * share for share in (x[far].min(), x[far].max()))
        reach = y.max() * out
        plans.append(shapely.polygons(np.stack([left, right, right + reach, left + reach], axis=1)))
        low.append(c["z"] + z[far].min() * c["height"])
        high.append(c["z"] + z[far].max() * c["height"])
        owner.append(group)
    if not plans:
        return
    plans, low, high, owner = (np.concatenate(part) for part in (plans, low, high, owner))
    centres = shapely.points([(prop.x, prop.y) for prop in city.props] or np.empty((0, 2)))
    sizes = np.array([_size(prop) for prop in city.props]).reshape(-1, 3)
    tree = shapely.STRtree(plans)
    prop, panel = tree.query(centres, predicate="dwithin", distance=sizes[:, 0])
    foot = np.array([prop.z for prop in city.props])[prop]
    meet = (foot + sizes[prop, 1] < high[panel]) & (foot + sizes[prop, 2] > low[panel])
    prop, panel = prop[meet], panel[meet]
    shapes = np.array([_plan(city.props[i]) for i in prop.tolist()], dtype=object)
    depth = shapely.area(shapely.intersection(shapes, plans[panel], grid_size=0.001))
    none_of(
        depth > 1e-3,
        "props in a balcony or canopy",
        lambda i: (
            f"{city.props[prop[i]].kind} {prop[i]}: {depth[i]:.3f} m2 of "
            f"{_tell(cells, int(owner[panel[i]]))}"
        ),
    )


def _size(prop) -> tuple[float, float, float]:
    """Reach in the plan; where what is broad begins, and where it ends, over the foot."""
    points = model(prop.kind, prop.variant, 3).vertices * prop.scale
    reach = np.hypot(points[:, 0], points[:, 1])
    broad = points[reach > 0.5 * reach.max(), 2]
    return float(reach.max()), float(broad.min()), float(points[:, 2].max())


def _plan(prop) -> shapely.Geometry:
    points = model(prop.kind, prop.variant, 3).vertices[:, :2] * prop.scale[:2]
    cos, sin = np.cos(prop.yaw_rad), np.sin(prop.yaw_rad)
    turned = points @ np.array([[cos, sin], [-sin, cos]])
    return shapely.MultiPoint(turned + (prop.x, prop.y)).convex_hull


def _tell(cells: np.ndarray, index: int) -> str:
    cell = cells[index]
    return (
        f"{KINDS[cell['kind']]} of building {cell['building']}, storey {cell['storey']}, "
        f"at ({cell['x']:.2f}, {cell['y']:.2f}, {cell['z']:.2f})"
    )
