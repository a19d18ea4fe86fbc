"""Legs of paths: how long they are, and in which directions the wave travels.

The image method: a path mirrored at planes is straight once its end is mirrored in them, last
plane first. A path bent at an edge has two straight parts, one from the image of the source in
the planes before the edge, one to the image of the end in those behind it; they meet the edge
at equal angles with it (Keller 1962). What a path passes through does not turn it.

All is computed in double precision relative to the source, so it is as true far from the
origin as near it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vasgen.vas.device import on_lanes, padded
from vasgen.vas.paths.paths import Chains, Event, Paths

Array = NDArray[np.float64]
Index = NDArray[np.int64]

_EVERY = slice(None)


class Legs(NamedTuple):
    """Directions and lengths of paths, on the device.

    Attributes:
        departure: ``mi.Vector3f``, unit direction in which the wave leaves the source.
        arrival: the same, in which it travels where the path ends.
        incoming: the same, just before the edge; ``departure`` where no edge bends the path.
        outgoing: the same, just behind the edge.
        before: ``mi.Float64``, metres from the source to the edge, or to the end.
        after: ``mi.Float64``, metres from the edge to the end, or zero.
    """

    departure: Any
    arrival: Any
    incoming: Any
    outgoing: Any
    before: Any
    after: Any

    @classmethod
    def none(cls) -> Legs:
        """Legs of no path."""
        import drjit as dr
        import mitsuba as mi

        nowhere, nothing = dr.zeros(mi.Vector3f, 0), dr.zeros(mi.Float64, 0)
        return cls(nowhere, nowhere, nowhere, nowhere, nothing, nothing)


class ChainTable:
    """Chains on the device, with what belongs to a lane's chain behind one index.

    Args:
        chains: on the host.
        row: (N,) chain of each lane.

    Attributes:
        row: ``mi.UInt32``, first entry of each lane's chain in the tables.
        count: ``mi.UInt32``, number of columns of each that are filled.
        edge: ``mi.UInt32``, its column with the diffraction; ``count`` if it has none.
        bent: ``mi.Bool``, whether it has one.
        any_bent: whether any of them has one.
    """

    def __init__(self, chains: Chains, row: NDArray[np.int32]) -> None:
        import drjit as dr
        import mitsuba as mi

        bends = chains.event == Event.DIFFRACTION
        count = (chains.event != Event.NONE).sum(axis=1)
        bent = bends.any(axis=1)
        edge = np.where(bent, bends.argmax(axis=1) if bends.size else 0, count)
        self.any_bent = bool(bent[row].any())
        columns = chains.event.shape[1]
        number = on_lanes(row)
        self._element = mi.UInt32(padded(4 * chains.element + chains.event).astype(np.uint32))
        self._material = mi.UInt32(padded(chains.material).astype(np.uint32))
        self.row = number * dr.opaque(mi.UInt32, columns)
        self.count = dr.gather(mi.UInt32, mi.UInt32(padded(count).astype(np.uint32)), number)
        self.edge = dr.gather(mi.UInt32, mi.UInt32(padded(edge).astype(np.uint32)), number)
        self.bent = self.edge < self.count
        dr.eval(self.row, self.count, self.edge, self.bent)

    def element(self, place: Any, active: Any = True) -> tuple[Any, Any]:
        """Number of the plane or wedge in a column, and whether the wave is mirrored there."""
        import drjit as dr
        import mitsuba as mi

        code = dr.gather(mi.UInt32, self._element, self.row + place, active)
        return code >> 2, (code & 3) == int(Event.REFLECTION)

    def material(self, place: Any, active: Any = True) -> Any:
        """Radio material in a column, ``mi.UInt32``."""
        import drjit as dr
        import mitsuba as mi

        return dr.gather(mi.UInt32, self._material, self.row + place, active)


def path_legs(paths: Paths, rows: slice = _EVERY) -> Legs:
    """Legs of some of the paths, evaluated.

    Args:
        paths: from one transmitter.
        rows: which of them.
    """
    if not len(paths.chain[rows]):
        return Legs.none()
    return legs_of(paths, ChainTable(paths.chains, paths.chain[rows]), rows)


def legs_of(paths: Paths, chains: ChainTable, rows: slice) -> Legs:
    """Legs of some of the paths, one at least, whose chains are on the device already."""
    import drjit as dr
    import mitsuba as mi

    points = mi.Float64(padded(paths.points.target.point - paths.source))
    mirrors = _Mirrors(paths, chains)
    begin = dr.select(chains.bent, chains.edge + 1, 0)
    end = dr.gather(mi.Vector3d, points, on_lanes(paths.point[rows]))
    end = mirrors.backward(end, chains.count, begin, 1.0)
    if chains.any_bent:
        way, on = _bent_legs(paths, chains, mirrors, end)
    else:
        way, on = end, mi.Vector3d(0.0)
    before, after = dr.norm(way), dr.norm(on)
    incoming = way * dr.rcp(dr.maximum(before, 1e-30))
    outgoing, departure = incoming, incoming
    if chains.any_bent:
        turned = on * dr.rcp(dr.maximum(after, 1e-30))
        outgoing = dr.select(chains.bent, turned, incoming)
        first = dr.select(chains.bent, chains.edge, 0)
        departure = mirrors.backward(incoming, first, mi.UInt32(0), 0.0)
    arrival = mirrors.forward(outgoing, begin, chains.count, 0.0)
    departure, arrival, incoming, outgoing = (
        mi.Vector3f(v) for v in (departure, arrival, incoming, outgoing)
    )
    legs = Legs(departure, arrival, incoming, outgoing, before, after)
    dr.eval(*legs)
    return legs


class _Mirrors:
    """The planes of chains as mirrors of points and of directions."""

    def __init__(self, paths: Paths, chains: ChainTable) -> None:
        import mitsuba as mi

        planes = paths.planes
        near = planes.offset - planes.normal @ paths.source
        self._chains = chains
        self._table = mi.Float64(padded(np.column_stack([planes.normal, near])))

    def backward(self, vector: Any, begin: Any, end: Any, point: float) -> Any:
        """Mirror in the columns from the one before ``begin`` down to ``end``.

        Args:
            vector: ``mi.Vector3d``, relative to the source if it is a point.
            begin: ``mi.UInt32``.
            end: the same.
            point: 1 for points, 0 for directions.
        """
        return self._mirror(vector, begin, end, point, down=True)

    def forward(self, vector: Any, begin: Any, end: Any, point: float) -> Any:
        """Mirror in the columns from ``begin`` up to the one before ``end``."""
        return self._mirror(vector, begin, end, point, down=False)

    def _mirror(self, vector: Any, begin: Any, end: Any, point: float, *, down: bool) -> Any:
        import drjit as dr
        import mitsuba as mi

        def mirror(place: Any, vector: Any) -> tuple[Any, Any]:
            number, mirrored = self._chains.element(place - 1 if down else place)
            plane = dr.gather(mi.Vector4d, self._table, number, mirrored)
            normal = mi.Vector3d(plane.x, plane.y, plane.z)
            height = dr.dot(normal, vector) - point * plane.w
            moved = vector - 2.0 * height * normal
            place = place - 1 if down else place + 1
            return place, dr.select(mirrored, moved, vector)

        state = (mi.UInt32(begin), mi.Vector3d(vector))
        return dr.while_loop(state, lambda place, _: place != end, mirror)[1]


def _bent_legs(paths: Paths, chains: ChainTable, mirrors: _Mirrors, end: Any) -> tuple[Any, Any]:
    """From the image of the source to the edge, and on to the image of the end.

    Where no edge bends the path: to the image of the end, and nothing.
    """
    import drjit as dr
    import mitsuba as mi

    wedges = paths.wedges
    edges = np.column_stack([wedges.origin - paths.source, wedges.along])
    table = mi.Float64(padded(edges))
    first = dr.select(chains.bent, chains.edge, 0)
    source = dr.zeros(mi.Vector3d, dr.width(end))
    source = mirrors.forward(source, mi.UInt32(0), first, 1.0)
    number, _ = chains.element(chains.edge, chains.bent)
    origin, along = (dr.gather(mi.Vector3d, table, 2 * number + k, chains.bent) for k in range(2))
    to_source, to_end = source - origin, end - origin
    source_along, end_along = dr.dot(to_source, along), dr.dot(to_end, along)
    source_off = dr.norm(to_source - source_along * along)
    end_off = dr.norm(to_end - end_along * along)
    share = source_along * end_off + end_along * source_off
    share /= dr.maximum(source_off + end_off, 1e-12)
    bend = origin + share * along
    way, on = dr.select(chains.bent, bend - source, end), end - bend
    return way, dr.select(chains.bent, on, mi.Vector3d(0.0))
