"""The grammar of facades: which module fills which cell of which wall.

A building draws its style once: how its windows look, whether it has shops, balconies, blank
corners. From that, every cell follows by its place: storey, bay, street or yard, what stands
in front of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely

from vasgen.citygen.architecture.buildings import LOT_LEVEL_M, Building
from vasgen.citygen.facade.carving import Cells
from vasgen.citygen.facade.modules import KIND, KINDS, side_room
from vasgen.citygen.facade.storeys import Mask, Rows, WallTable
from vasgen.citygen.geometry.assembly import MM
from vasgen.citygen.geometry.solids import Array, Ints
from vasgen.citygen.materials import FACADE_FAMILY, FACADE_RADIO
from vasgen.citygen.plots.blocks import Block
from vasgen.citygen.plots.lots import Lot
from vasgen.seeding import stream

_FAMILIES = tuple(FACADE_RADIO)
#: Windows a building of each family chooses from.
_WINDOWS: dict[str, tuple[str, ...]] = {
    "brick": ("window", "window", "tall", "pair"),
    "plaster": ("window", "window", "tall", "pair"),
    "stone": ("tall", "window", "wide"),
    "panel": ("wide", "ribbon", "ribbon"),
    "curtain": ("glazing",),
    "siding": ("window", "pair"),
    "shed": ("strip",),
}
_MASONRY = ("brick", "stone")
_WITH_SHOPS = ("brick", "plaster", "stone", "panel")
#: Chance of shops on the ground floor, and of balconies, by use of the lot.
_SHOPS = {"highrise": 0.85, "perimeter": 0.55}
_BALCONIES = {"perimeter": 0.5, "estate": 0.8}

_NARROWEST_WALL_M = 1.6
_NARROWEST_BAY_M = 2.0  # a texture's bay that is narrower is too fine for geometry: take two
_PARTY_M = 0.6  # no window looks at another building that is nearer
_ABOVE_M = 1.2  # a storey looks over a building that is lower than its floor by this: a parapet
_BALCONY_ROOM_M = 3.0  # in front of a balcony; and half of it at both sides
_CORNER_M = 0.02  # between the panels of two walls that meet
_PATTERN = 97  # prime, so that bays and storeys do not run in step with it


@dataclass(frozen=True, eq=False)
class _Styles:
    """What each building drew; (B,) unless noted.

    Attributes:
        window: (B, families) kind of window on a wall of each family.
        shops: whether its street walls have shops.
        balconies: every how many bays it has a balcony; 0: none.
        phase: of that rhythm, and of the looks of its panes, [0, 8).
        street_balconies: whether its street walls have them too.
        corners: whether the bays at its corners are blank.
        solid: share of the bays without a window.
        pattern: (B, 97) uniform values, for what differs from bay to bay.
    """

    window: Ints
    shops: Mask
    balconies: Ints
    phase: Ints
    street_balconies: Mask
    corners: Mask
    solid: Array
    pattern: Array


class Facades:
    """Designs the facades of a city.

    Args:
        seed: of the city.
        buildings: in order of their ids, which count from 1.
        lots: their lots.
        blocks: the blocks of the lots.
    """

    def __init__(
        self,
        seed: int,
        buildings: Sequence[Building],
        lots: Sequence[Lot],
        blocks: Sequence[Block],
    ) -> None:
        own = [lots[building.lot] for building in buildings]
        self._styles = _draw(seed, buildings, own)
        self._use = np.array([lot.use for lot in own], dtype=object)
        self._kind = np.array([building.kind for building in buildings], dtype=object)
        self._fronts = np.array([lot.front for lot in own]).reshape(-1, 2, 2)
        self._streets = np.array([blocks[lot.block].frontage for lot in own], dtype=object)
        self._plans = np.array([building.footprint for building in buildings], dtype=object)
        self._tops = np.array([b.level_m + LOT_LEVEL_M + b.height_m for b in buildings])
        self._tree = shapely.STRtree(self._plans)

    def shift(self, building: Ints) -> Ints:
        """By how many cells the looks of a building's panes are moved."""
        return self._styles.phase[building - 1]

    def bays(self, walls: WallTable) -> Ints:
        """Number of bays of each wall; 0 where no window fits or all would look at a wall."""
        bay = np.where(walls.bay < _NARROWEST_BAY_M, 2 * walls.bay, walls.bay)
        count = np.maximum(1, np.rint(walls.length / bay)).astype(np.int64)
        street = self._faces_street(walls)
        garage = self._garage(walls)
        # One gate closes a garage; its other walls are plain.
        count = np.where(garage, np.where(street, 1, 0), count)
        count[walls.length < _NARROWEST_WALL_M] = 0
        wall = np.repeat(np.arange(len(count)), count)
        bay = np.arange(len(wall)) - np.repeat(np.cumsum(count) - count, count)
        high = np.minimum(walls.high, walls.top)[wall] / MM - walls.storey[wall]
        seeing = wall[self._neighbour(walls, wall, bay, count[wall]) < high - _ABOVE_M]
        return np.where(np.bincount(seeing, minlength=len(count)) > 0, count, 0)

    def kinds(self, walls: WallTable, rows: Rows, cells: Cells) -> Ints:
        """Kind of module of each cell."""
        wall, storey = rows.wall[cells.row], rows.storey[cells.row]
        building = walls.building[wall] - 1
        family = _families(walls)[wall]
        street = self._faces_street(walls)[wall]
        width = walls.length[wall] / cells.bays
        columns, column = np.unique(wall * 2**32 + cells.bay, return_inverse=True)
        at, bay = np.divmod(columns, 2**32)
        _, first = np.unique(column, return_index=True)
        before = self._neighbour(walls, at, bay, cells.bays[first])[column]
        party = before > rows.low[cells.row] / MM - _ABOVE_M
        kind = self._windows(walls, wall, storey, cells, family)
        shops = self._styles.shops[building] & street & (storey == 0) & (width > 1.9)
        kind[shops & _is(family, _WITH_SHOPS)] = KIND["shop"]
        wish = self._wants_balcony(walls, wall, storey, cells, street) & (width > 2.2)
        wish &= ~party & (rows.high - rows.low > 2400)[cells.row]
        kind[self._with_room(walls, wall, cells, wish)] = KIND["balcony"]
        sheds = family == _FAMILIES.index("shed")
        kind[sheds & street & (self._noise(walls, wall, storey, cells.bay) < 0.4)] = KIND["gate"]
        kind[party] = KIND["blank"]
        kind[self._garage(walls)[wall]] = KIND["gate"]
        ribbon = (kind == KIND["ribbon"]) & ~_fits(walls, wall, cells, kind)
        kind[ribbon] = KIND["wide"]
        kind[~_fits(walls, wall, cells, kind)] = KIND["blank"]
        return self._doors(walls, wall, storey, cells, kind, party)

    def _windows(
        self, walls: WallTable, wall: Ints, storey: Ints, cells: Cells, family: Ints
    ) -> Ints:
        """Every cell with the window of its building, or blank."""
        styles, building = self._styles, walls.building[wall] - 1
        kind = styles.window[building, family]
        narrow = walls.length[wall] / cells.bays < 2.0
        kind[narrow & np.isin(kind, [KIND["wide"], KIND["pair"]])] = KIND["window"]
        edge = (cells.bay == 0) | (cells.bay == cells.bays - 1)
        blank = edge & (cells.bays > 4) & styles.corners[building] & _is(family, _MASONRY)
        # The same in all storeys: windows stand above each other.
        blank |= self._noise(walls, wall, np.zeros_like(storey), cells.bay) < styles.solid[building]
        kind[blank & (family != _FAMILIES.index("curtain"))] = KIND["blank"]
        return kind

    def _wants_balcony(
        self, walls: WallTable, wall: Ints, storey: Ints, cells: Cells, street: Mask
    ) -> Mask:
        styles, building = self._styles, walls.building[wall] - 1
        every = styles.balconies[building]
        in_rhythm = (cells.bay + styles.phase[building]) % np.maximum(every, 1) == 0
        side = ~street | styles.street_balconies[building]
        family = _families(walls)[wall]
        masonry = _is(family, _WITH_SHOPS)
        return np.asarray((every > 0) & in_rhythm & side & masonry & (storey > 0))

    def _with_room(self, walls: WallTable, wall: Ints, cells: Cells, wish: Mask) -> Mask:
        """Those of the cells whose balcony hits no building, and no other balcony."""
        chosen = np.flatnonzero(wish)
        start, end = _span(walls, wall[chosen], cells.bay[chosen], cells.bays[chosen])
        out = walls.outward[wall[chosen]]
        along = np.column_stack([-out[:, 1], out[:, 0]]) * (_BALCONY_ROOM_M / 2)
        near, far = 0.05 * out, _BALCONY_ROOM_M * out
        corners = [start - along, end + along]
        ring = [corners[0] + near, corners[1] + near, corners[1] + far, corners[0] + far]
        boxes = shapely.polygons(np.stack(ring, axis=1))
        hit, _ = self._tree.query(boxes, predicate="intersects")
        free = wish.copy()
        free[chosen[hit]] = False
        return free

    def _doors(
        self, walls: WallTable, wall: Ints, storey: Ints, cells: Cells, kind: Ints, party: Mask
    ) -> Ints:
        """Put a door into the front of every building, and more along a slab."""
        ground = np.flatnonzero((storey == 0) & ~self._garage(walls)[wall])
        at, building = wall[ground], walls.building[wall[ground]] - 1
        start, end = _span(walls, at, cells.bay[ground], cells.bays[ground])
        front = self._fronts[building]
        step = front[:, 1] - front[:, 0]
        step /= np.hypot(*step.T)[:, None]
        facing = (walls.outward[at] * np.column_stack([step[:, 1], -step[:, 0]])).sum(axis=1)
        middle = (walls.start[at] + walls.end[at]) / 2
        away = np.abs(((middle - front[:, 0]) * np.column_stack([-step[:, 1], step[:, 0]])).sum(1))
        length = walls.length[at]
        target = np.where(self._kind[building] == "house", 0.4 * length + 0.7, 0.5 * length)
        off = np.abs(np.hypot(*((start + end) / 2 - walls.start[at]).T) - target)
        width = np.hypot(*(end - start).T)
        score = 10 * facing - away / 5 + np.minimum(length, 8) / 2 - off / length
        door = np.full(len(kind), KIND["door"])
        tight = ~_fits(walls, wall, cells, door)[ground]
        score -= 100.0 * party[ground] + 50.0 * tight + 6.0 * (width < 1.9)
        order = np.lexsort((ground, -score, building))
        _, first = np.unique(building[order], return_index=True)
        best = ground[order[first]]
        family = _families(walls)[wall]
        doors = door
        doors[family == _FAMILIES.index("curtain")] = KIND["entrance"]
        doors[family == _FAMILIES.index("shed")] = KIND["wicket"]
        kind[best] = doors[best]
        # A slab has a staircase every five bays.
        main = np.full(len(self._plans), -1)
        main[walls.building[wall[best]] - 1] = np.arange(len(best))
        leader = best[main[building]]
        more = (wall[leader] == at) & (self._kind[building] == "slab")
        more &= ((cells.bay[ground] - cells.bay[leader]) % 5 == 0) & ~party[ground]
        kind[ground[more]] = doors[ground[more]]
        return kind

    def _faces_street(self, walls: WallTable) -> Mask:
        """Whether a wall stands at the street and looks at it."""
        building = walls.building - 1
        middle = (walls.start + walls.end) / 2
        streets = self._streets[building]
        here = shapely.distance(shapely.points(middle), streets)
        # Half a metre inside, not outside: that could be as far beyond the front again.
        inside = shapely.distance(shapely.points(middle - 0.5 * walls.outward), streets)
        reach = np.where(np.isin(self._use[building], ("highrise", "perimeter")), 4.0, 12.0)
        return np.asarray((inside > here + 0.2) & (here < reach))

    def _garage(self, walls: WallTable) -> Mask:
        return np.asarray(walls.wing & (self._kind[walls.building - 1] == "house"))

    def _neighbour(self, walls: WallTable, wall: Ints, bay: Ints, bays: Ints) -> Array:
        """Top of the highest other building right in front of a bay, metres; without: -inf."""
        start, end = _span(walls, wall, bay, bays)
        out = 0.35 * walls.outward[wall]
        top = np.full(len(wall), -np.inf)
        for share in (0.2, 0.5, 0.8):
            points = shapely.points(start + share * (end - start) + out)
            hit, other = self._tree.query(points, predicate="dwithin", distance=_PARTY_M - 0.35)
            apart = walls.building[wall[hit]] - 1 != other
            np.maximum.at(top, hit[apart], self._tops[other[apart]])
        return top

    def _noise(self, walls: WallTable, wall: Ints, storey: Ints, bay: Ints) -> Array:
        """A uniform value for a place on a building."""
        building = walls.building
        number = np.arange(len(building)) - np.searchsorted(building, building)
        index = (5 * bay + 11 * storey + 17 * number[wall]) % _PATTERN
        return np.asarray(self._styles.pattern[building[wall] - 1, index])


def balconied(seed: int, buildings: Sequence[Building], lots: Sequence[Lot]) -> tuple[Mask, Mask]:
    """Which buildings may have balconies, (B,) each: on any wall, and on their street walls.

    Args:
        seed: of the city.
        buildings: in order of their ids.
        lots: lots of the city.
    """
    anywhere, at_street = np.zeros((2, len(buildings)), dtype=bool)
    own = [lots[building.lot] for building in buildings]
    likely = [index for index, lot in enumerate(own) if lot.use in _BALCONIES]
    styles = _draw(seed, [buildings[i] for i in likely], [own[i] for i in likely])
    anywhere[likely] = styles.balconies > 0
    at_street[likely] = anywhere[likely] & styles.street_balconies
    return anywhere, at_street


def _draw(seed: int, buildings: Sequence[Building], lots: Sequence[Lot]) -> _Styles:
    count = len(buildings)
    value, pattern = np.empty((count, 8)), np.empty((count, _PATTERN))
    number = 0
    for i, lot in enumerate(lots):
        # Several buildings may share a lot.
        number = number + 1 if i and lot is lots[i - 1] else 0
        rng = stream(seed, "block", lot.key, "lot", lot.place, "facade", number)
        value[i], pattern[i] = rng.random(8), rng.random(_PATTERN)
    uses = [lot.use for lot in lots]
    balconies = value[:, 2] < np.array([_BALCONIES.get(use, 0.0) for use in uses])
    windows = [
        [KIND[_WINDOWS[f][int(v * len(_WINDOWS[f]))]] for f in _FAMILIES] for v in value[:, 0]
    ]
    house = np.array([use == "houses" for use in uses], dtype=bool)
    return _Styles(
        window=np.array(windows, dtype=np.int64).reshape(count, len(_FAMILIES)),
        shops=value[:, 1] < np.array([_SHOPS.get(use, 0.0) for use in uses]),
        balconies=np.where(balconies, 2 + (value[:, 3] * 2).astype(np.int64), 0),
        phase=(value[:, 4] * 8).astype(np.int64),
        street_balconies=value[:, 5] < 0.4,
        corners=value[:, 6] < 0.4,
        solid=np.where(house, 0.25, 0.03),
        pattern=pattern,
    )


def _families(walls: WallTable) -> Ints:
    """(W,) index of the family of each wall's facade."""
    of = np.zeros(max(FACADE_FAMILY) + 1, dtype=np.int64)
    for facade, family in FACADE_FAMILY.items():
        of[facade] = _FAMILIES.index(family)
    return of[walls.facade]


def _is(family: Ints, names: tuple[str, ...]) -> Mask:
    return np.isin(family, [_FAMILIES.index(name) for name in names])


def _fits(walls: WallTable, wall: Ints, cells: Cells, kind: Ints) -> Mask:
    """Whether modules keep clear of what their neighbours around a corner have."""
    room, recess, stand = np.array([side_room(k) for k in range(len(KINDS))])[kind].T
    room = room * walls.length[wall] / cells.bays
    fits = np.ones(len(kind), dtype=bool)
    for side, at_end in enumerate((cells.bay == 0, cells.bay == cells.bays - 1)):
        half = walls.corner[wall, side] / 2
        inside = recess / np.maximum(np.tan(np.minimum(half, np.pi / 2 - 1e-6)), 1e-6)
        outside = stand / np.maximum(np.tan(np.minimum(np.pi - half, np.pi / 2 - 1e-6)), 1e-6)
        fits &= ~at_end | (room > np.maximum(inside, outside) + _CORNER_M)
    return fits


def _span(walls: WallTable, wall: Ints, bay: Ints, bays: Ints) -> tuple[Array, Array]:
    """(N, 2) ends of bays in plan, metres."""
    start = walls.start[wall]
    step = (walls.end[wall] - start) / bays[:, None]
    return start + step * bay[:, None], start + step * (bay + 1)[:, None]
