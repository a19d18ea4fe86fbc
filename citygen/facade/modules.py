"""Facade modules: prototypes of what fills one bay of one storey.

A module is a piece of wall whose border has vertices only at its four corners, so that
neighbours weld whatever they are. In between, panels are sunk into the wall or stand out of
it. Along the wall (x) and up (z) a module is stretched to its cell; depth (y, outwards) is
in metres and never stretched.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import shapely
from shapely import Polygon

from vasgen.citygen.geometry.solids import Array, Ints, Surface
from vasgen.citygen.materials import BARE, FACADE_FAMILY, FAMILIES, RADIO_NAMES, RADIO_OF
from vasgen.errors import InputError, unknown_choice
from vasgen.semantics import SemanticClass

#: Kinds of module, in the order in which ``City.modules()["kind"]`` counts them.
KINDS = (
    "blank",
    "window",
    "wide",
    "tall",
    "pair",
    "ribbon",
    "strip",
    "glazing",
    "shop",
    "balcony",
    "door",
    "entrance",
    "wicket",
    "gate",
)
KIND = {name: index for index, name in enumerate(KINDS)}

#: How far a balcony stands out of its wall, metres; nothing stands out further.
BALCONY_M = 1.2

#: What a face of a module is; its labels follow from that and from the facade.
PARTS = ("wall", "pane", "shop", "leaf", "lobby", "gate", "sign", "trim", "railing")
_PART = {name: index for index, name in enumerate(PARTS)}

#: Cells are about this wide and high, metres: prototypes are triangulated at this shape.
_NOMINAL_M = (2.8, 3.1)


@dataclass(frozen=True, eq=False)
class Prototype:
    """Geometry of a module, to be placed on any number of cells.

    Attributes:
        points: (V, 3) x in [0, 1], y metres outwards, z in [0, 1]; the first four are the
            corners: left bottom, right bottom, right top, left top.
        faces: (F, 3) counter-clockwise from outside.
        part: (F,) index into :data:`PARTS`.
        share: (F, 3, 2) texture coordinates that grow with the cell, in widths and heights.
        metres: (F, 3, 2) texture coordinates that do not.
    """

    points: Array
    faces: Ints
    part: Ints
    share: Array
    metres: Array


@dataclass(frozen=True)
class _Panel:
    """A rectangle that is sunk into the wall (depth below 0, metres) or stands out of it."""

    x: tuple[float, float]
    z: tuple[float, float]
    depth: float
    part: str
    side: str = "wall"


_SILL = _Panel((0.25, 0.75), (0.245, 0.272), 0.07, "trim", "trim")
_CANOPY = _Panel((0.22, 0.78), (0.80, 0.835), 0.60, "trim", "trim")
_PANELS: dict[str, tuple[_Panel, ...]] = {
    "blank": (),
    "window": (_Panel((0.28, 0.72), (0.30, 0.83), -0.18, "pane"), _SILL),
    "wide": (_Panel((0.12, 0.88), (0.30, 0.84), -0.18, "pane"),),
    "tall": (_Panel((0.27, 0.73), (0.09, 0.87), -0.22, "pane"),),
    "pair": (
        _Panel((0.13, 0.43), (0.28, 0.83), -0.18, "pane"),
        _Panel((0.57, 0.87), (0.28, 0.83), -0.18, "pane"),
    ),
    "ribbon": (_Panel((0.02, 0.98), (0.31, 0.84), -0.15, "pane"),),
    "strip": (_Panel((0.04, 0.96), (0.66, 0.86), -0.15, "pane"),),
    "glazing": (_Panel((0.025, 0.975), (0.02, 0.98), -0.04, "pane"),),
    "shop": (
        _Panel((0.06, 0.94), (0.10, 0.74), -0.15, "shop"),
        _Panel((0.06, 0.94), (0.79, 0.94), 0.10, "sign", "trim"),
    ),
    "balcony": (_Panel((0.30, 0.70), (0.08, 0.85), -0.20, "pane"),),
    "door": (_Panel((0.30, 0.70), (0.018, 0.74), -0.25, "leaf"), _CANOPY),
    "entrance": (_Panel((0.16, 0.84), (0.018, 0.86), -0.40, "lobby"),),
    "wicket": (_Panel((0.38, 0.62), (0.012, 0.36), -0.15, "leaf"),),
    "gate": (_Panel((0.10, 0.90), (0.014, 0.84), -0.15, "gate"),),
}


class _Builder:
    """Collects the faces of a prototype."""

    def __init__(self) -> None:
        self.points: list[tuple[float, float, float]] = []
        self.index: dict[tuple[float, float, float], int] = {}
        self.faces: list[tuple[int, int, int]] = []
        self.part: list[int] = []
        self.share: list[list[tuple[float, float]]] = []
        self.metres: list[list[tuple[float, float]]] = []

    def vertex(self, point: tuple[float, float, float]) -> int:
        """Number of a point, the same for the same point."""
        if point not in self.index:
            self.index[point] = len(self.points)
            self.points.append(point)
        return self.index[point]

    def face(self, part: str, *corners: tuple[float, float, float]) -> None:
        """A convex face, textured like the wall unrolled around its edges."""
        flat = {axis for axis in range(3) if len({corner[axis] for corner in corners}) == 1}
        along, up = (0.0 if 0 not in flat else 1.0), (0.0 if 2 not in flat else 1.0)
        for k in range(1, len(corners) - 1):
            triple = (corners[0], corners[k], corners[k + 1])
            a, b, c = (self.vertex(corner) for corner in triple)
            self.faces.append((a, b, c))
            self.part.append(_PART[part])
            self.share.append([(x, z) for x, _, z in triple])
            self.metres.append([(along * y, up * y) for _, y, _ in triple])

    def cap(self, panel: _Panel) -> None:
        """The face of a panel; texture covers it once from 0 to 1, whatever its size."""
        (x0, x1), (z0, z1), y = panel.x, panel.z, panel.depth
        self.face(panel.part, (x0, y, z0), (x1, y, z0), (x1, y, z1), (x0, y, z1))
        for at in (-2, -1):
            if panel.part != "trim":
                self.metres[at] = [
                    ((x - x0) / (x1 - x0), (z - z0) / (z1 - z0)) for x, z in self.share[at]
                ]
                self.share[at] = [(0.0, 0.0)] * 3

    def sides(self, panel: _Panel) -> None:
        """The four faces between the wall and a panel."""
        (x0, x1), (z0, z1), y = panel.x, panel.z, panel.depth
        ring = [(x0, z0), (x1, z0), (x1, z1), (x0, z1)]
        for (px, pz), (qx, qz) in zip(ring, ring[1:] + ring[:1], strict=True):
            self.face(panel.side, (px, 0.0, pz), (qx, 0.0, qz), (qx, y, qz), (px, y, pz))

    def wall(self, holes: list[list[tuple[float, float]]]) -> None:
        """The wall around holes, triangulated at the nominal shape of a cell."""
        border = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)]
        for x, z in border:
            self.vertex((x, 0.0, z))
        plane = [border, *holes]
        known = {_shown(x, z): (x, 0.0, z) for ring in plane for x, z in ring}
        rings = [[_shown(*corner) for corner in ring] for ring in plane]
        triangles = shapely.constrained_delaunay_triangles(Polygon(rings[0], rings[1:]))
        for triangle in shapely.get_parts(shapely.orient_polygons(triangles)):
            corners = shapely.get_coordinates(triangle)[:3].tolist()
            self.face("wall", *(known[x, z] for x, z in corners))

    def done(self) -> Prototype:
        """The prototype."""
        return Prototype(
            np.array(self.points),
            np.array(self.faces, dtype=np.int64),
            np.array(self.part, dtype=np.int64),
            np.array(self.share),
            np.array(self.metres),
        )


def _shown(x: float, z: float) -> tuple[float, float]:
    """A point of a module at its nominal shape, exact so that it can be found again."""
    return round(x * _NOMINAL_M[0], 6), round(z * _NOMINAL_M[1], 6)


@cache
def prototype(kind: int) -> Prototype:
    """The geometry of a kind of module, index into :data:`KINDS`."""
    name = KINDS[kind]
    panels, build = _PANELS[name], _Builder()
    holes = [
        [(x, z) for x, z in zip((*p.x, *p.x[::-1]), np.repeat(p.z, 2).tolist(), strict=True)]
        for p in panels
    ]
    tray = [_tray_outline()] if name == "balcony" else []
    build.wall(holes + tray)
    if tray:
        _tray_faces(build)
    for panel in panels:
        build.sides(panel)
        build.cap(panel)
    return build.done()


#: A balcony: outer and inner sides, underside, floor and top of the parapet.
_TRAY_X = (0.06, 0.095, 0.905, 0.94)
_TRAY_Z = (0.012, 0.06, 0.375)


def _tray_outline() -> list[tuple[float, float]]:
    """Where a balcony meets the wall: a U around the way out."""
    (a, b, c, d), (low, floor, top) = _TRAY_X, _TRAY_Z
    return [(a, low), (d, low), (d, top), (c, top), (c, floor), (b, floor), (b, top), (a, top)]


def _tray_faces(build: _Builder) -> None:
    """Slab and parapet: an open box in front of the wall."""
    (a, b, c, d), (low, floor, top) = _TRAY_X, _TRAY_Z
    out, back = BALCONY_M, BALCONY_M - 0.08
    build.face("trim", (a, 0, low), (d, 0, low), (d, out, low), (a, out, low))
    build.face("trim", (b, 0, floor), (b, back, floor), (c, back, floor), (c, 0, floor))
    build.face("railing", (a, 0, low), (a, out, low), (a, out, top), (a, 0, top))
    build.face("railing", (d, 0, low), (d, 0, top), (d, out, top), (d, out, low))
    build.face("railing", (a, out, low), (d, out, low), (d, out, top), (a, out, top))
    build.face("railing", (b, 0, floor), (b, 0, top), (b, back, top), (b, back, floor))
    build.face("railing", (c, 0, floor), (c, back, floor), (c, back, top), (c, 0, top))
    build.face("railing", (b, back, floor), (b, back, top), (c, back, top), (c, back, floor))
    build.face("railing", (a, 0, top), (a, out, top), (b, back, top), (b, 0, top))
    build.face("railing", (a, out, top), (d, out, top), (c, back, top), (b, back, top))
    build.face("railing", (c, 0, top), (c, back, top), (d, out, top), (d, 0, top))


@cache
def side_room(kind: int) -> tuple[float, float, float]:
    """What a module keeps free beside it, for corners of buildings.

    Returns:
        Distance of the nearest panel from the sides, in widths; the deepest recess and the
        furthest projection, metres.
    """
    x, y, _ = prototype(kind).points[4:].T
    if not len(x):
        return 0.5, 0.0, 0.0
    return float(min(x.min(), 1 - x.max())), float(-min(y.min(), 0.0)), float(max(y.max(), 0.0))


@cache
def labels(facade: int) -> tuple[Ints, Ints, Ints]:
    """Class, visual and radio material of each part on a facade, (parts,) each.

    Args:
        facade: index into ``materials.PALETTE`` of a wall with windows.

    Raises:
        InputError: if that material is no facade.
    """
    if facade not in FACADE_FAMILY:
        raise InputError(
            f"facade is {facade}; allowed: indices of facades in the palette, "
            f"{min(FACADE_FAMILY)} to {max(FACADE_FAMILY)}. Take it from City.modules()."
        )
    family = FACADE_FAMILY[facade]
    own, place = RADIO_OF[facade], facade - FAMILIES[family][0]

    def look(name: str) -> int:
        return FAMILIES[name][place % len(FAMILIES[name])]

    pane = "glazing" if family == "curtain" else "window"
    leaf = "steel-door" if family in ("shed", "panel") else "door"
    looks = {
        "wall": (SemanticClass.WALL, BARE[facade], own),
        "pane": (SemanticClass.WINDOW, look(pane), "glass"),
        "shop": (SemanticClass.WINDOW, look("shop"), "glass"),
        "leaf": (SemanticClass.DOOR, look(leaf), "metal" if leaf == "steel-door" else "wood"),
        "lobby": (SemanticClass.DOOR, look("lobby"), "glass"),
        "gate": (SemanticClass.DOOR, look("gate"), "metal"),
        "sign": (SemanticClass.FURNITURE, look("sign"), "metal"),
        "trim": (SemanticClass.WALL, look("coping"), own),
        "railing": (SemanticClass.WALL, look("railing"), own),
    }
    semantic = np.array([int(looks[part][0]) for part in PARTS])
    visual = np.array([looks[part][1] for part in PARTS])
    return semantic, visual, np.array([RADIO_NAMES.index(looks[part][2]) for part in PARTS])


def module(kind: str | int, facade: int) -> Surface:
    """The prototype of a module, to be instanced along ``City.modules()``.

    Args:
        kind: name or index in :data:`KINDS`.
        facade: visual index of the facade.

    Returns:
        Surface with x in [0, 1] along the wall, z in [0, 1] up, y in metres outwards; its
        world point is corner + x * width * along + y * outward + z * height * up. These axes
        are left-handed, so the faces are counter-clockwise from outside once placed.

    Raises:
        InputError: if there is no such kind or facade.
    """
    if isinstance(kind, str):
        if kind not in KIND:
            raise unknown_choice("kind of facade module", kind, KINDS)
        kind = KIND[kind]
    elif not 0 <= kind < len(KINDS):
        raise InputError(f"kind is {kind}; allowed: 0 to {len(KINDS) - 1}, see modules.KINDS.")
    found = prototype(int(kind))
    none = np.zeros(len(found.faces), dtype=np.int64)
    semantic, visual, radio = (label[found.part] for label in labels(int(facade)))
    uv = found.share + found.metres
    return Surface(found.points, found.faces, none, semantic, visual, radio, none, uv)
