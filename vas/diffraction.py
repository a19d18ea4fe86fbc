"""First-order diffraction in closed form.

For a wedge, a transmitter and a point the diffraction point is known (Keller's law:
equal angles with the edge), so nothing is sampled: the field follows from the uniform
theory of diffraction (:mod:`vasgen.vas.wedge_coefficients`). Sionna's own mesh radio map
loses this mechanism: its last leg ends one metre behind the edge.

All of it runs on the device, in three steps that each keep only the pairs of wedge and
point that the next one needs: which have a diffraction point, which legs are clear, and how
strong the field is.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vasgen.vas.field import radiated_field
from vasgen.vas.radio_scene import RadioScene
from vasgen.vas.surface import Target
from vasgen.vas.visibility import blocked, on_device, opaque_point
from vasgen.vas.wedges import Wedges

Array = NDArray[np.float64]
Index = NDArray[np.int64]

#: Rays start this far off an edge, into free space, metres: they must not graze its faces.
_STAND_OFF_M = 0.01

#: Legs shorter than this are outside the theory, metres (Sionna's own limit).
_SHORTEST_LEG_M = 0.01

#: Points along an edge that are asked whether they see the transmitter; more, if none does.
_PROBES = (9, 64)

#: Pairs of wedge and point handled at once: bounds the memory to some 150 MB.
_PAIRS_AT_ONCE = 4_000_000


class Diffraction:
    """First-order diffraction from one transmitter.

    Args:
        radio: the scene with only this transmitter set, whenever a gain is asked for.
        wedges: all wedges of the scene.
        position: (3,) transmitter, world metres.
    """

    def __init__(self, radio: RadioScene, wedges: Wedges, position: Array) -> None:
        import mitsuba as mi

        self._radio = radio
        self._position = np.asarray(position, np.float64)
        self._source = opaque_point(radio, self._position)
        self.wedges = self._lit(wedges)
        self._table = mi.Float(_wedge_table(self.wedges, radio.centre, self._position))
        self._material = mi.UInt32(self.wedges.material.astype(np.uint32))

    def gain_everywhere(self, target: Target) -> Array:
        """Diffracted path gain of every point from every wedge, (P,), without a search."""
        count = len(target.point)
        step = max(1, _PAIRS_AT_ONCE // max(len(self.wedges), 1))
        parts = [np.arange(begin, min(begin + step, count)) for begin in range(0, count, step)]
        return np.concatenate([self.gains(target.take(part)).sum(axis=0) for part in parts])

    def gains(self, target: Target) -> Array:
        """Path gain of each pair of wedge and point, (W, P), linear; zero for no path."""
        import drjit as dr
        import mitsuba as mi

        shape = (len(self.wedges), len(target.point))
        if 0 in shape:
            return np.zeros(shape)
        number = dr.arange(mi.UInt32, shape[0] * shape[1])
        gain = self._gain(number // shape[1], number % shape[1], _point_table(self._radio, target))
        return np.array(gain, np.float64).reshape(shape)

    def gain(self, wedge: Index, point: Index, target: Target) -> Array:
        """Path gain of some pairs of wedge and point, linear; zero for no path.

        Args:
            wedge: (N,) indices into ``wedges``.
            point: (N,) indices into ``target``.
            target: the points.
        """
        table = _point_table(self._radio, target)
        gain = np.zeros(len(wedge))
        for begin in range(0, len(wedge), _PAIRS_AT_ONCE):
            part = slice(begin, begin + _PAIRS_AT_ONCE)
            gain[part] = np.array(self._gain(_index(wedge[part]), _index(point[part]), table))
        return gain

    def _lit(self, wedges: Wedges) -> Wedges:
        """Wedges of which some point sees the transmitter, face 0 turned towards it."""
        reach = wedges.origin - self._position
        facing = (_dot(reach, wedges.normal_0) < 0) | (_dot(reach, wedges.normal_n) < 0)
        wedges = wedges[np.flatnonzero(facing)]
        seen = np.zeros(len(wedges), bool)
        for probes in _PROBES:
            dark = np.flatnonzero(~seen)
            seen[dark] = self._sees(wedges[dark], probes)
        wedges = wedges[np.flatnonzero(seen)]
        return wedges.swapped(_dot(wedges.origin - self._position, wedges.normal_0) > 0)

    def _sees(self, wedges: Wedges, probes: int) -> NDArray[np.bool_]:
        """Whether the transmitter is seen from any of some points along each edge."""
        if not len(wedges):
            return np.zeros(0, bool)
        share = ((np.arange(probes) + 0.5) / probes)[:, None]
        start = wedges.origin + _STAND_OFF_M * wedges.outward
        points = start[:, None] + share * (wedges.length[:, None] * wedges.along)[:, None]
        dark = blocked(self._radio, on_device(self._radio, points.reshape(-1, 3)), self._source)
        return np.asarray(~np.array(dark).reshape(-1, probes).all(axis=1))

    def _gain(self, wedge: Any, point: Any, table: Any) -> Any:
        """Path gain of pairs, ``mi.Float``; the indices are ``mi.UInt32``."""
        import drjit as dr
        import mitsuba as mi

        gain = dr.zeros(mi.Float, dr.width(wedge))
        row = dr.arange(mi.UInt32, dr.width(wedge))
        for keep in (_exists, self._clear):
            row, wedge, point = _kept(keep(self._bends(wedge, point, table)), row, wedge, point)
            if not len(row):
                return gain
        of_pair = dr.gather(mi.UInt32, self._material, wedge)
        for number in np.unique(self.wedges.material).tolist():
            # Opaque: an input of the compiled kernel, which all materials then use.
            alike = of_pair == dr.opaque(mi.UInt32, number)
            some, wedges, points = _kept(alike, row, wedge, point)
            if len(some):
                bends = self._bends(wedges, points, table)
                dr.scatter(gain, self._utd_gain(self._radio.materials[number], bends), some)
        return gain

    def _bends(self, wedge: Any, point: Any, table: Any) -> _Bends:
        """The diffraction point of each pair: equal angles with the edge."""
        import drjit as dr
        import mitsuba as mi

        origin, along, normal_0, normal_n = (
            dr.gather(mi.Vector4f, self._table, 4 * wedge + k) for k in range(4)
        )
        length, source_along, source_off = origin.w, along.w, normal_0.w
        end, normal = (_xyz(dr.gather(mi.Vector4f, table, 2 * point + k)) for k in range(2))
        origin, along, normal_0, normal_n = map(_xyz, (origin, along, normal_0, normal_n))
        relative = end - origin
        point_along = dr.dot(relative, along)
        point_off = dr.norm(relative - point_along * along)
        share = source_along * point_off + point_along * source_off
        share /= dr.maximum(point_off + source_off, 1e-12)
        bend = origin + share * along
        on_edge = (share >= 0) & (share <= length) & (source_off > _SHORTEST_LEG_M)
        return _Bends(bend, end, normal, along, normal_0, normal_n, on_edge)

    def _clear(self, bends: _Bends) -> Any:
        """Whether nothing stands in the way of either leg, ``mi.Bool``."""
        import drjit as dr

        start = bends.bend + _STAND_OFF_M * dr.normalize(bends.normal_0 + bends.normal_n)
        clear = ~blocked(self._radio, start, bends.end)
        return clear & ~blocked(self._radio, start, self._source, clear)

    def _utd_gain(self, material: Any, bends: _Bends) -> Any:
        """Path gain of diffracted paths, by the wedge coefficients of a radio material."""
        import drjit as dr
        import mitsuba as mi

        incoming, outgoing = bends.bend - self._source, bends.end - bends.bend
        s_in, s_out = dr.norm(incoming), dr.norm(outgoing)
        incoming, outgoing = mi.Vector3f(incoming / s_in), mi.Vector3f(outgoing / s_out)
        matrix = _diffraction_matrix(material, bends, incoming, outgoing, s_in, s_out)
        field = mi.Vector4f(matrix @ radiated_field(self._radio, incoming))
        scale = dr.square(self._radio.scene.wavelength / (4 * dr.pi))
        return scale * dr.squared_norm(field) / (s_in * s_out * (s_in + s_out))


class _Bends(NamedTuple):
    """Paths over the edges of wedges, as Mitsuba arrays.

    Attributes:
        bend: where the path meets the line of the edge.
        end: where it ends.
        normal: of the receiving side there; zero where all sides receive.
        along: of the wedge, like the following.
        normal_0: see :class:`vasgen.vas.wedges.Wedges`.
        normal_n: the same.
        on_edge: whether it meets the edge itself.
    """

    bend: Any
    end: Any
    normal: Any
    along: Any
    normal_0: Any
    normal_n: Any
    on_edge: Any


def _exists(bends: _Bends) -> Any:
    """Whether there is a path, if nothing stands in its way, ``mi.Bool``."""
    import drjit as dr

    arriving = bends.bend - bends.end
    outside = (dr.dot(arriving, bends.normal_0) < 0) | (dr.dot(arriving, bends.normal_n) < 0)
    received = (dr.dot(arriving, bends.normal) >= 0) & (dr.norm(arriving) > _SHORTEST_LEG_M)
    return bends.on_edge & outside & received


def _diffraction_matrix(
    material: Any, bends: _Bends, incoming: Any, outgoing: Any, s_in: Any, s_out: Any
) -> Any:
    """Jones matrices (real 4x4) of a material's wedge; inputs as its ``eval`` documents them."""
    import drjit as dr
    import mitsuba as mi
    from sionna.rt.constants import InteractionType
    from sionna.rt.utils import spectrum_to_matrix_4f

    interaction = dr.zeros(mi.SurfaceInteraction3f, dr.width(s_in))
    interaction.n = mi.Normal3f(bends.normal_0)
    interaction.sh_frame.n = interaction.n
    interaction.initialize_sh_frame()
    interaction.wi = interaction.to_local(incoming)
    interaction.dn_du = interaction.to_local(bends.along)
    interaction.dn_dv = interaction.to_local(bends.normal_n)
    kind = dr.reinterpret_array(mi.Float, mi.UInt32(InteractionType.DIFFRACTION))
    interaction.dp_du = mi.Vector3f(s_out, s_in, kind)
    context = mi.BSDFContext(mode=mi.TransportMode.Importance, type_mask=0, component=0)
    context.component |= InteractionType.DIFFRACTION
    return spectrum_to_matrix_4f(material.eval(context, interaction, outgoing, True))


def _kept(keep: Any, *numbers: Any) -> list[Any]:
    """The numbers, ``mi.UInt32``, whose mask is set."""
    import drjit as dr
    import mitsuba as mi

    index = dr.compress(keep)
    kept = [dr.gather(mi.UInt32, number, index) for number in numbers]
    dr.eval(kept)
    return kept


def _xyz(vector: Any) -> Any:
    import mitsuba as mi

    return mi.Vector3f(vector.x, vector.y, vector.z)


def _index(numbers: Index) -> Any:
    """Indices as evaluated ``mi.UInt32``.

    Kernels are compiled apart for memory that is aligned and that is not, as that of numpy
    may be: a copy is always aligned.
    """
    import drjit as dr
    import mitsuba as mi

    index = mi.UInt32(mi.Int64(numbers))
    dr.eval(index)
    return index


def _wedge_table(wedges: Wedges, centre: Array, source: Array) -> NDArray[np.float32]:
    """Sixteen numbers a wedge, in traced coordinates.

    Origin, length; direction, the source's coordinate along it; normal 0, the source's
    distance from its line; normal n, nothing.
    """
    relative = source - wedges.origin
    along = _dot(relative, wedges.along)
    off = np.linalg.norm(relative - along[:, None] * wedges.along, axis=1)
    columns = [wedges.origin - centre, wedges.length, wedges.along, along]
    columns += [wedges.normal_0, off, wedges.normal_n, np.zeros(len(wedges))]
    return np.column_stack(columns).astype(np.float32).ravel()


def _point_table(radio: RadioScene, target: Target) -> Any:
    """Eight numbers a point, in traced coordinates: point, nothing, normal, nothing."""
    import mitsuba as mi

    table = np.zeros((len(target.point), 8), np.float32)
    table[:, :3] = target.point - radio.centre
    table[:, 4:7] = target.normal
    return mi.Float(table.ravel())


def _dot(a: Array, b: Array) -> Array:
    product: Array = np.einsum("ij,ij->i", a, b)
    return product
