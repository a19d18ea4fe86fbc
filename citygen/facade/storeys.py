"""Storeys on walls: which parts of a wall are rows of facade cells.

A row lies between two floors, and is a rectangle whose sides have no vertices but their
ends. Where a wall stands on a roof, ends under an eave or meets a slope, the row is cut
short by a strip that stays plain wall, or left out.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from vasgen.citygen.geometry.assembly import MM, Corners, Levels, Walls, mm
from vasgen.citygen.geometry.solids import Array, Ints
from vasgen.citygen.materials import FACADE_FAMILY

Mask = NDArray[np.bool_]

#: Plain wall between a row and the edge of a roof, millimetres: room for triangles.
_STRIP_MM = 250
#: Levels of one corner are as far apart as this, or the row that wants one is left out.
_APART_MM = 120
#: A row that is cut to less than this share of a storey is left out.
_LOWEST_ROW = 0.58


@dataclass(frozen=True, eq=False)
class WallTable:
    """Walls with a facade and storeys, in the order of their buildings.

    Attributes:
        wall: (W,) number of the wall in the kernel.
        building: (W,) object id.
        facade: (W,) visual index.
        start, end: (W, 2) ends in plan, metres; seen from outside ``start`` is left.
        low, high: (W,) the wall is a rectangle between these, millimetres.
        top: (W,) top of the last storey, millimetres.
        floor, storey, bay: (W,) the shell's grid, metres.
        wing: (W,) whether the wall belongs to a lower part of its building.
        corner: (W, 2) angle inside the building at the start and the end, radians.
    """

    wall: Ints
    building: Ints
    facade: Ints
    start: Array
    end: Array
    low: Ints
    high: Ints
    top: Ints
    floor: Array
    storey: Array
    bay: Array
    wing: Mask
    corner: Array

    @property
    def length(self) -> Array:
        """(W,) metres."""
        return np.asarray(np.hypot(*(self.end - self.start).T))

    @property
    def outward(self) -> Array:
        """(W, 2) unit vectors away from the building."""
        step = (self.end - self.start) / self.length[:, None]
        return np.column_stack([step[:, 1], -step[:, 0]])


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows of cells, by wall and from the ground up.

    Attributes:
        wall: (R,) row of the :class:`WallTable`.
        storey: (R,) counted from the ground floor, 0.
        low, high: (R,) millimetres.
    """

    wall: Ints
    storey: Ints
    low: Ints
    high: Ints

    def only(self, chosen: Mask | Ints) -> Rows:
        """Some of the rows."""
        names = ("wall", "storey", "low", "high")
        return replace(self, **{name: getattr(self, name)[chosen] for name in names})


def table_walls(c: Corners, w: Walls) -> WallTable:
    """Describe the walls that have a facade."""
    cell = c.cell[w.a]
    facade = np.array([found.wall.visual for found in c.cells])[cell]
    gridded = np.array([shell.grid is not None for shell in c.shells])[c.shell[w.a]]
    wall = np.flatnonzero(gridded & np.isin(facade, list(FACADE_FAMILY)))
    a, b, cell = w.a[wall], w.b[wall], cell[wall]
    shell = c.shell[a]
    grids = [shell.grid for shell in c.shells]
    floor, storey, bay = (
        np.array([getattr(grid, name) if grid else 0.0 for grid in grids])[shell]
        for name in ("floor_m", "storey_m", "bay_m")
    )
    highest = np.zeros(len(c.shells), dtype=np.int64)
    np.maximum.at(highest, c.cell_shell, c.storeys_top)
    return WallTable(
        wall,
        c.instance[cell],
        facade[wall],
        c.xy[a] / MM,
        c.xy[b] / MM,
        np.maximum(w.low_a, w.low_b)[wall],
        np.minimum(w.high_a, w.high_b)[wall],
        c.storeys_top[cell],
        floor,
        storey,
        bay,
        c.storeys_top[cell] < highest[shell],
        np.column_stack([_inside_angle(c)[a], _inside_angle(c)[b]]),
    )


def _inside_angle(c: Corners) -> Array:
    """Angle of the cell at each ring corner, radians in (0, 2 pi)."""
    ahead = (c.xy[c.next] - c.xy).astype(float)
    behind = np.empty_like(ahead)
    behind[c.next] = -ahead
    cross = ahead[:, 0] * behind[:, 1] - ahead[:, 1] * behind[:, 0]
    return np.asarray(np.arctan2(cross, (ahead * behind).sum(axis=1)) % (2 * np.pi))


def stack_rows(table: WallTable, chosen: Mask) -> Rows:
    """The rows that fit the chosen walls, whatever their neighbours."""
    least, most = table.low + _STRIP_MM, np.minimum(table.high - _STRIP_MM, table.top)
    floor, storey = table.floor * MM, table.storey * MM
    # A floor counts as reached within a millimetre: both are rounded.
    first = np.maximum(np.floor((least - floor + 1) / storey), 0).astype(np.int64)
    last = np.ceil((most - floor - 1) / storey).astype(np.int64)
    count = np.where(chosen, np.maximum(last - first, 0), 0)
    wall = np.repeat(np.arange(len(count)), count)
    number = first[wall] + np.arange(len(wall)) - np.repeat(np.cumsum(count) - count, count)
    low, high = (mm(table.floor[wall] + k * table.storey[wall]) for k in (number, number + 1))
    low, high = np.maximum(low, least[wall]), np.minimum(high, most[wall])
    rows = Rows(wall, number, low, high)
    return rows.only(high - low >= _LOWEST_ROW * storey[wall])


def settle(c: Corners, w: Walls, table: WallTable, rows: Rows) -> tuple[Rows, Levels]:
    """Keep the rows whose ends get on with all other levels of their corners.

    Returns:
        The rows, and the vertices of the city with all their ends.
    """
    plain = Levels(c, w)
    taken: tuple[Ints, ...] = (plain.point, plain.z)
    full = mm(table.floor[rows.wall] + rows.storey * table.storey[rows.wall])
    next_full = mm(table.floor[rows.wall] + (rows.storey + 1) * table.storey[rows.wall])
    whole = (rows.low == full) & (rows.high == next_full)
    clear = _clear(c, w, table, rows, taken)
    # Whole storeys come first: they agree all around a building.
    rows, whole = rows.only(clear), whole[clear]
    ends = _ends(c, w, table, rows.only(whole))
    taken = tuple(np.concatenate(pair) for pair in zip(taken, ends, strict=True))
    clear = whole | _clear(c, w, table, rows, taken)
    rows, whole = rows.only(clear), whole[clear]
    taken = tuple(
        np.concatenate(pair) for pair in zip(taken, _ends(c, w, table, rows), strict=True)
    )
    rows = rows.only(whole | _clear(c, w, table, rows, taken))
    levels = Levels(c, w, _ends(c, w, table, rows))
    pa, pb = _corners_of(c, w, table, rows)
    smooth = np.ones(len(rows.wall), dtype=bool)
    for point in (pa, pb):
        smooth &= levels.find(point, rows.high) == levels.find(point, rows.low) + 1
    return rows.only(smooth), levels


def _corners_of(c: Corners, w: Walls, table: WallTable, rows: Rows) -> tuple[Ints, Ints]:
    """Plan points at the left and right end of each row."""
    wall = table.wall[rows.wall]
    return c.point[w.a[wall]], c.point[w.b[wall]]


def _ends(c: Corners, w: Walls, table: WallTable, rows: Rows) -> tuple[Ints, Ints]:
    """Plan points and levels of the four corners of every row, row after row."""
    pa, pb = _corners_of(c, w, table, rows)
    return np.stack([pa, pa, pb, pb], axis=1).ravel(), np.stack(
        [rows.low, rows.high, rows.low, rows.high], axis=1
    ).ravel()


def _clear(c: Corners, w: Walls, table: WallTable, rows: Rows, taken: tuple[Ints, ...]) -> Mask:
    """Which rows keep their distance from all taken levels, or share them."""
    point, z = _ends(c, w, table, rows)
    lowest = min(int(taken[1].min()), int(z.min(initial=0)))
    span = max(int(taken[1].max()), int(z.max(initial=0))) - lowest + _APART_MM + 1
    known = np.unique(taken[0] * span + taken[1] - lowest)
    wanted = point * span + z - lowest
    after = np.searchsorted(known, wanted, side="right")
    above = known[np.minimum(after, len(known) - 1)] - wanted
    before = np.searchsorted(known, wanted, side="left") - 1
    below = wanted - known[np.maximum(before, 0)]
    near = ((above > 0) & (above < _APART_MM)) | ((below > 0) & (below < _APART_MM))
    return np.asarray(~near.reshape(-1, 4).any(axis=1))
