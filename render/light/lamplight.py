"""Street lamps as light sources: how they shine, and which of many to look at.

A lamp is a small disc that looks down: its intensity falls with the cosine of the angle to
straight down (Lambert). Far away, under flat angles, its light is faded out. A point is lit
by one lamp at a time, drawn from a few candidates by how much they would light it (resampled
importance sampling, Talbot et al. 2005); candidates come from a table of the point's cell.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vasgen.lamps import HEAD_M, LampPosts
from vasgen.render.chance import Draw, lot, share
from vasgen.render.light.illuminance import LUX_PER_UNIT
from vasgen.render.light.night import LAMP_COLOURS
from vasgen.render.light.slots import SLOTS, Lamp, draw_lamp, slot_tables

Array = NDArray[np.float64]

#: Luminous flux over the height of the lamp squared, lumen a square metre: lamps light what is
#: below alike, 38 lux. A lamp at 8.6 m then has 8,900 lm, one at 6 m 4,300 lm.
FLUX_PER_HEIGHT2 = 120.0

#: How far a lamp's light reaches, in heights: it fades out towards there, and 3 % of its
#: flux is lost.
REACH = 10.0

#: Edge of a cell, metres.
_CELL_M = 12.0

#: Lamps of one colour stand together, in squares of so many metres.
_QUARTER_M = 90.0

#: Radius of the disc that shines, and how far it hangs below the head, metres.
RADIUS_M, _BELOW_M = 0.15, 0.05

#: Luminance of a head when looked at, over that of its disc: diffusers are larger than the disc.
_HEAD_DIMMING = 0.05

#: Share of that luminance to the sides, where a head does not shine.
_SIDEWAYS = 0.02


class LampLight:
    """The street lamps of a scene.

    Args:
        posts: at least one lamp.
        centre: (3,) origin of the coordinates that are traced, world metres.
        instance: (F,) object of every face.

    Attributes:
        position: (N, 3) where their light hangs, metres from the centre.
        height: (N,) metres above their foot.
        rows: Float, x, y, z and height of one lamp after the other.
    """

    def __init__(
        self, mi: Any, posts: LampPosts, centre: Array, instance: NDArray[np.int32]
    ) -> None:
        import drjit as dr

        self.position = posts.head - centre - [0.0, 0.0, _BELOW_M]
        self.height = np.maximum(posts.head[:, 2] - posts.foot_z, 1.0)
        rows = np.column_stack([self.position, self.height]).astype(np.float32)
        self.rows = mi.Float(rows.ravel())
        low, table_of, tables = self._grid()
        self._words = mi.UInt32(tables.ravel())
        self._table_of = mi.UInt32(table_of.ravel())
        self._low = mi.Point2f(low.tolist())
        self._rows, self._columns = (mi.UInt32(count) for count in table_of.shape)
        dr.make_opaque(self._low, self._columns, self._rows)
        order = np.argsort(posts.instance)
        at = np.minimum(np.searchsorted(posts.instance[order], instance), len(order) - 1)
        of_face = np.where(posts.instance[order][at] == instance, order[at] + 1, 0)
        self._of_face = mi.UInt32(of_face.astype(np.uint32))

    def _grid(self) -> tuple[Array, NDArray[np.uint32], NDArray[np.uint32]]:
        """Lowest corner of the cells, the table of each (rows, columns), and the tables.

        The first table is empty: that of all cells that no lamp reaches.
        """
        reach = REACH * float(self.height.max())
        at = self.position[:, :2]
        low = at.min(axis=0) - reach
        columns, rows = np.ceil((np.ptp(at, axis=0) + 2 * reach) / _CELL_M).astype(int).tolist()
        lit = _lit_cells((at - low) / _CELL_M, REACH * self.height / _CELL_M, (rows, columns))
        table_of = np.zeros((rows, columns), np.uint32)
        table_of[lit] = np.arange(np.count_nonzero(lit)) + 1
        tables = [np.zeros((1, SLOTS), np.uint32)]
        for row in np.flatnonzero(lit.any(axis=1)):
            middle = low[1] + (row + 0.5) * _CELL_M
            near = np.flatnonzero(np.abs(middle - at[:, 1]) < reach + _CELL_M)
            height = self.height[near]
            x = np.abs(low[0] + (np.flatnonzero(lit[row])[:, None] + 0.5) * _CELL_M - at[near, 0])
            y = np.abs(middle - at[near, 1])[None]
            nearest = np.hypot(np.maximum(x - _CELL_M / 2, 0), np.maximum(y - _CELL_M / 2, 0))
            weight = height**3 / (x**2 + y**2 + height**2) ** 1.5
            tables.append(slot_tables(np.where(nearest < REACH * height, weight, 0), near))
        return low, table_of, np.concatenate(tables)

    def draw(self, mi: Any, point: Any, normal: Any, number: Any) -> Lamp:
        """A lamp for each point, by how much light it would send there.

        Args:
            mi: mitsuba in its colour variant.
            point: Point3f.
            normal: unit vectors, towards the lit side.
            number: random, in [0, 1).
        """
        import drjit as dr

        at = mi.Point2f(point.x, point.y) - self._low
        column, row = (
            mi.UInt32(dr.maximum(at.x, 0) / _CELL_M),
            mi.UInt32(dr.maximum(at.y, 0) / _CELL_M),
        )
        inside = (dr.min(at) >= 0) & (column < self._columns) & (row < self._rows)
        table = dr.gather(mi.UInt32, self._table_of, row * self._columns + column, inside)

        def worth(lamp: Any) -> Any:
            towards = mi.Point3f(lamp.xyz) - point
            wanted = shine(mi, towards, lamp.w) * dr.maximum(dr.dot(normal, towards), 0)
            return wanted * dr.rsqrt(dr.squared_norm(towards))

        return draw_lamp(mi, self._words, self.rows, table, inside, number, worth)

    def glow(self, mi: Any, face: Any, point: Any, normal: Any) -> Any:
        """Radiance of the heads of lamps as a camera sees them: Color3f; zero elsewhere."""
        import drjit as dr

        number = dr.gather(mi.UInt32, self._of_face, face)
        lamp = dr.gather(mi.Vector4f, self.rows, number - 1, number > 0)
        head = (number > 0) & (dr.norm(point - mi.Point3f(lamp.xyz)) < HEAD_M)
        disc = FLUX_PER_HEIGHT2 / (math.pi * LUX_PER_UNIT) * dr.square(lamp.w)
        disc *= _HEAD_DIMMING / (math.pi * RADIUS_M**2)
        part = dr.select(
            normal.z < 0, dr.lerp(_SIDEWAYS, 1.0, -normal.z), _SIDEWAYS * (1 - normal.z)
        )
        return dr.select(head, disc * part, 0) * lamp_colour(mi, lamp.xyz)


def _lit_cells(at: Array, reach: Array, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Cells in the squares around lamps, of rows and columns; places and reaches in cells."""
    lit = np.zeros(shape, bool)
    first = np.maximum(np.floor(at - reach[:, None]).astype(int), 0)
    last = np.floor(at + reach[:, None]).astype(int) + 1
    for (left, low), (right, high) in zip(first.tolist(), last.tolist(), strict=True):
        lit[low:high, left:right] = True
    return lit


def lamp_colour(mi: Any, position: Any) -> Any:
    """Colour of the lamps at points, Color3f of luminance one: warmer and cooler ones by lot."""
    import drjit as dr

    column, row = (mi.UInt32(mi.Int32(dr.floor(at / _QUARTER_M))) for at in position.xy)
    warm, cool = (mi.Color3f(colour) for colour in LAMP_COLOURS.tolist())
    return dr.select(share(lot(column, row, Draw.LAMP)) < 0.5, warm, cool)


def shine(mi: Any, towards: Any, height: Any) -> Any:
    """Irradiance by a lamp of what faces it, of luminance: Float.

    Args:
        mi: mitsuba in its colour variant.
        towards: Vector3f from the point to the lamp, metres.
        height: of the lamp, metres.
    """
    import drjit as dr

    distance2 = dr.squared_norm(towards)
    cosine = dr.maximum(towards.z, 0) * dr.rsqrt(distance2)
    intensity = FLUX_PER_HEIGHT2 / (math.pi * LUX_PER_UNIT) * dr.square(height) * cosine
    far = dr.square(distance2 / dr.square(REACH * height))
    fade = dr.square(dr.maximum(1 - far, 0))
    return intensity * fade / dr.maximum(distance2, RADIUS_M**2)
