"""Bent paths: which ways over an edge lead from a transmitter to which points.

A way is a wedge, and at most one plane that mirrors the wave before or behind it. By Keller's
law the path of a way to a point is known: its legs make equal angles with the edge, where a
mirror turns the transmitter, or the point, into its image. So nothing is sampled: what is left
to find out is whether the path meets the edge itself and the face of its mirror, and whether
nothing stands in the way of any leg; rays against the whole scene tell. Slabs stand in the way
like anything else: no bent path passes through one. No field is carried: the same paths serve
every frequency.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vasgen.vas.device import on_lanes, tiles, xyz
from vasgen.vas.edges.mirrors import Mirrors
from vasgen.vas.edges.ways import Ways
from vasgen.vas.paths.paths import Chains
from vasgen.vas.scene.radio_scene import RadioScene
from vasgen.vas.scene.visibility import blocked, opaque_point
from vasgen.vas.scene.wedges import Wedges
from vasgen.vas.surfaces.surface import Target

Array = NDArray[np.float64]
Index = NDArray[np.int64]

#: Rays start this far off an edge, into free space, metres: they must not graze its faces.
_STAND_OFF_M = 0.01

#: Legs shorter than this are outside the theory, metres (Sionna's own limit).
_SHORTEST_LEG_M = 0.01

#: Normals whose sum is shorter belong to the two sides of a folded sheet.
_FOLDED = 1e-6

#: Pairs of way and point handled at once: bounds the memory to some 200 MB.
_PAIRS_AT_ONCE = 4_000_000


class Ends(NamedTuple):
    """Paths that exist.

    Attributes:
        point: (N,) int64, rows of the points they end in.
        way: (N,) int64, rows of the ways they take.
        chain: (N,) int64, rows of ``chains``.
        chains: what they meet.
    """

    point: Index
    way: Index
    chain: Index
    chains: Chains


class Bends(NamedTuple):
    """Paths over edges, as Mitsuba arrays.

    Attributes:
        bend: where the path meets the line of the edge.
        source: the transmitter, or its image in the mirror before the edge.
        image: where the path ends, or the image of that in the mirror behind the edge.
        end: where it ends.
        arriving: the way back from there along the last leg, as long as from ``image`` to
            ``bend``.
        normal: of the receiving side there; zero where all sides receive.
        along: of the wedge, like the following.
        normal_0: see :class:`vasgen.vas.scene.wedges.Wedges`.
        normal_n: the same.
        on_edge: whether it meets the edge itself.
    """

    bend: Any
    source: Any
    image: Any
    end: Any
    arriving: Any
    normal: Any
    along: Any
    normal_0: Any
    normal_n: Any
    on_edge: Any

    @property
    def start(self) -> Any:
        """A point in the air beside ``bend``, from which rays are sent."""
        return self.bend + _STAND_OFF_M * _outward(self.along, self.normal_0, self.normal_n)


class BentPaths:
    """Finds paths over edges from one transmitter.

    Args:
        radio: the scene.
        wedges: of the scene.
        ways: over them.
        position: (3,) transmitter, world metres.
        mirrors: of the scene; not needed for ways without any.

    Attributes:
        ways: as given.
    """

    def __init__(
        self,
        radio: RadioScene,
        wedges: Wedges,
        ways: Ways,
        position: Array,
        mirrors: Mirrors | None = None,
    ) -> None:
        import mitsuba as mi

        self.ways = ways
        self._radio = radio
        self._source = opaque_point(radio, np.asarray(position, np.float64))
        self._wedges = wedges
        self._table = mi.Float(_wedge_table(wedges[ways.wedge], radio.centre))
        self._mirrors = mirrors
        if mirrors is not None:
            self._before, self._after = (
                mi.UInt32((number + 1).astype(np.uint32)) for number in (ways.before, ways.after)
            )

    def find(self, way: Index, point: Index, target: Target) -> Ends:
        """Which paths exist, of some pairs of way and point.

        Args:
            way: (M,) rows of ``ways``.
            point: (M,) rows of ``target``.
            target: points.
        """
        table = point_table(self._radio, target)
        found = [np.zeros((3, 0), np.int64)]
        for part in tiles(len(way), _PAIRS_AT_ONCE):
            pairs = self.existing(on_lanes(way[part]), on_lanes(point[part]), table)
            found.append(np.stack([np.array(numbers, np.int64) for numbers in pairs[1:]]))
        way, point, material = np.concatenate(found, axis=1)
        # Chains of one way differ where faces of several materials lie in its mirror.
        several = int(material.max(initial=0)) + 1
        used, chain = _renumbered(way * several + material, several * len(self.ways))
        ways = self.ways.take(used // several)
        return Ends(point, way, chain, ways.chains(self._wedges, used % several))

    def existing(self, way: Any, point: Any, table: Any) -> list[Any]:
        """Those of some pairs that have a path.

        Args:
            way: ``mi.UInt32``, rows of ``ways``.
            point: the same, rows of ``table``.
            table: the points, of :func:`point_table`.

        Returns:
            Their numbers, ways, points, and materials of the mirror, ``mi.UInt32``.
        """
        import drjit as dr
        import mitsuba as mi

        row = dr.arange(mi.UInt32, dr.width(way))
        if dr.width(row):
            possible = self._possible(way, self.bends(way, point, table))
            row, way, point = kept(possible, row, way, point)
        if not dr.width(row):
            return [row, way, point, mi.UInt32()]
        clear, material = self._clear(way, self.bends(way, point, table))
        return kept(clear, row, way, point, material)

    def lit(self, probes: int) -> NDArray[np.bool_]:
        """Whether the transmitter is seen, by way of the mirror before, from any of some points
        along the edge of each way, (B,).

        Args:
            probes: number of points.
        """
        import drjit as dr
        import mitsuba as mi

        seen = np.zeros(len(self.ways), bool)
        step = max(1, _PAIRS_AT_ONCE // probes)
        for begin in range(0, len(self.ways), step):
            count = min(step, len(self.ways) - begin)
            number = dr.arange(mi.UInt32, count * dr.opaque(mi.UInt32, probes)[0])
            way = number // probes + dr.opaque(mi.UInt32, begin)
            share = (mi.Float(number % probes) + 0.5) / probes
            seen[begin : begin + count] = np.array(self._lit(way, share)).reshape(-1, probes).any(1)
        return seen

    def bends(self, way: Any, point: Any, table: Any) -> Bends:
        """The path of each pair, wherever it leads: equal angles with the edge."""
        import drjit as dr
        import mitsuba as mi

        origin, length, along, normal_0, normal_n = self._edges(way)
        end, normal = (xyz(dr.gather(mi.Vector4f, table, 2 * point + k)) for k in range(2))
        source, image = self._source, end
        if self._mirrors is not None:
            before, after = self._mirrors_of(way)
            source = self._mirrors.image(before, source)
            image = self._mirrors.image(after, end)
        to_source, to_end = source - origin, image - origin
        source_along, end_along = dr.dot(to_source, along), dr.dot(to_end, along)
        source_off = dr.norm(to_source - source_along * along)
        end_off = dr.norm(to_end - end_along * along)
        share = source_along * end_off + end_along * source_off
        share /= dr.maximum(end_off + source_off, 1e-12)
        bend = origin + share * along
        arriving = bend - image
        if self._mirrors is not None:
            arriving = self._mirrors.turned(after, arriving)
        on_edge = (share >= 0) & (share <= length) & (source_off > _SHORTEST_LEG_M)
        return Bends(bend, source, image, end, arriving, normal, along, normal_0, normal_n, on_edge)

    def _edges(self, way: Any) -> tuple[Any, ...]:
        """Origin, length, direction, and both normals of the wedge of each way."""
        import drjit as dr
        import mitsuba as mi

        rows = [dr.gather(mi.Vector4f, self._table, 4 * way + k) for k in range(4)]
        origin, along, normal_0, normal_n = (xyz(row) for row in rows)
        return mi.Point3f(origin), rows[0].w, along, normal_0, normal_n

    def _possible(self, way: Any, bends: Bends) -> Any:
        """Whether there is a path, if nothing stands in its way, ``mi.Bool``."""
        import drjit as dr

        back = bends.bend - bends.image
        possible = bends.on_edge & _in_air(back, bends) & _in_air(bends.bend - bends.source, bends)
        possible &= (dr.dot(bends.arriving, bends.normal) >= 0) & (dr.norm(back) > _SHORTEST_LEG_M)
        if self._mirrors is not None:
            before, after = self._mirrors_of(way)
            possible &= self._mirrors.crossed(before, bends.start, bends.source)
            possible &= self._mirrors.crossed(after, bends.start, bends.image)
        return possible

    def _clear(self, way: Any, bends: Bends) -> tuple[Any, Any]:
        """Whether nothing stands in the way of any leg, and the material of the mirror."""
        import mitsuba as mi

        start = bends.start
        if self._mirrors is None:
            clear = ~blocked(self._radio, start, bends.end)
            return clear & ~blocked(self._radio, start, self._source, clear), mi.UInt32(0)
        before, after = self._mirrors_of(way)
        clear, behind = self._mirrors.leg(after, start, bends.image, bends.end, mi.Bool(True))
        clear, first = self._mirrors.leg(before, start, bends.source, self._source, clear)
        return clear, first + behind

    def _lit(self, way: Any, share: Any) -> Any:
        """Whether the transmitter is seen from beside a point of an edge, ``mi.Bool``."""
        origin, length, along, normal_0, normal_n = self._edges(way)
        point = origin + share * length * along
        start = point + _STAND_OFF_M * _outward(along, normal_0, normal_n)
        if self._mirrors is None:
            return ~blocked(self._radio, start, self._source)
        before, _ = self._mirrors_of(way)
        source = self._mirrors.image(before, self._source)
        meets = self._mirrors.crossed(before, start, source)
        return self._mirrors.leg(before, start, source, self._source, meets)[0]

    def _mirrors_of(self, way: Any) -> tuple[Any, Any]:
        """Numbers of the mirrors before and behind the edge, for :class:`Mirrors`."""
        import drjit as dr
        import mitsuba as mi

        return dr.gather(mi.UInt32, self._before, way), dr.gather(mi.UInt32, self._after, way)


def point_table(radio: RadioScene, target: Target) -> Any:
    """Points on the device: eight numbers each, traced coordinates.

    Point, nothing, normal, nothing.
    """
    import mitsuba as mi

    table = np.zeros((len(target.point), 8), np.float32)
    table[:, :3] = target.point - radio.centre
    table[:, 4:7] = target.normal
    return mi.Float(table.ravel())


def kept(keep: Any, *numbers: Any) -> list[Any]:
    """The numbers, ``mi.UInt32``, whose mask is set."""
    import drjit as dr
    import mitsuba as mi

    index = dr.compress(keep)
    chosen = [dr.gather(mi.UInt32, number, index) for number in numbers]
    dr.eval(chosen)
    return chosen


def _in_air(leg: Any, bends: Bends) -> Any:
    """Whether a leg, backwards from its far end to the edge, comes from outside the wedge."""
    import drjit as dr

    return (dr.dot(leg, bends.normal_0) < 0) | (dr.dot(leg, bends.normal_n) < 0)


def _outward(along: Any, normal_0: Any, normal_n: Any) -> Any:
    """As :attr:`vasgen.vas.scene.wedges.Wedges.outward`."""
    import drjit as dr

    middle = normal_0 + normal_n
    length = dr.norm(middle)
    away = dr.cross(along, normal_0)
    return dr.select(length > _FOLDED, middle / dr.maximum(length, _FOLDED), away)


def _renumbered(numbers: Index, count: int) -> tuple[Index, Index]:
    """The numbers that occur, below ``count``, ascending; and the place of each among them."""
    used = np.zeros(count, bool)
    used[numbers] = True
    place = np.cumsum(used) - 1
    return np.flatnonzero(used), place[numbers]


def _wedge_table(wedges: Wedges, centre: Array) -> NDArray[np.float32]:
    """Sixteen numbers a wedge, in traced coordinates.

    Origin, length; direction, nothing; normal 0, nothing; normal n, nothing.
    """
    table = np.zeros((len(wedges), 4, 4), np.float32)
    table[:, 0, :3], table[:, 0, 3] = wedges.origin - centre, wedges.length
    table[:, 1, :3], table[:, 2, :3] = wedges.along, wedges.normal_0
    table[:, 3, :3] = wedges.normal_n
    return table.ravel()
