"""First-order diffraction in closed form.

For a wedge, a transmitter and a point the path is known (:mod:`vasgen.vas.edges.bent_paths`), so
nothing is sampled: the field follows from the uniform theory of diffraction
(:mod:`vasgen.vas.scene.wedge_coefficients`). Sionna's own mesh radio map loses this mechanism: its
last leg ends one metre behind the edge.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vasgen.vas.device import on_lanes, tiles
from vasgen.vas.edges.bent_paths import Bends, BentPaths, kept, point_table
from vasgen.vas.edges.ways import Ways, facing
from vasgen.vas.scene.field import radiated_field
from vasgen.vas.scene.radio_scene import RadioScene
from vasgen.vas.scene.wedges import Wedges
from vasgen.vas.surfaces.surface import Target

Array = NDArray[np.float64]
Index = NDArray[np.int64]

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

    Attributes:
        wedges: of which some point sees the transmitter.
        paths: over those; a way is a row of ``wedges``.
    """

    def __init__(self, radio: RadioScene, wedges: Wedges, position: Array) -> None:
        import mitsuba as mi

        self._radio = radio
        self.paths = _lit_paths(radio, wedges, np.asarray(position, np.float64))
        self.wedges = wedges[self.paths.ways.wedge]
        self._material = mi.UInt32(self.wedges.material.astype(np.uint32))

    def gains(self, target: Target) -> Array:
        """Path gain of each pair of wedge and point, (W, P), linear; zero for no path."""
        import drjit as dr
        import mitsuba as mi

        shape = (len(self.wedges), len(target.point))
        if 0 in shape:
            return np.zeros(shape)
        number = dr.arange(mi.UInt32, shape[0] * shape[1])
        gain = self._gain(number // shape[1], number % shape[1], point_table(self._radio, target))
        return np.array(gain, np.float64).reshape(shape)

    def gain(self, wedge: Index, point: Index, target: Target) -> Array:
        """Path gain of some pairs of wedge and point, linear; zero for no path.

        Args:
            wedge: (N,) indices into ``wedges``.
            point: (N,) indices into ``target``.
            target: the points.
        """
        table = point_table(self._radio, target)
        gain = np.zeros(len(wedge))
        for part in tiles(len(wedge), _PAIRS_AT_ONCE):
            gain[part] = np.array(self._gain(on_lanes(wedge[part]), on_lanes(point[part]), table))
        return gain

    def _gain(self, wedge: Any, point: Any, table: Any) -> Any:
        """Path gain of pairs, ``mi.Float``; the indices are ``mi.UInt32``."""
        import drjit as dr
        import mitsuba as mi

        gain = dr.zeros(mi.Float, dr.width(wedge))
        row, wedge, point, _ = self.paths.existing(wedge, point, table)
        if not dr.width(row):
            return gain
        of_pair = dr.gather(mi.UInt32, self._material, wedge)
        for number in np.unique(self.wedges.material).tolist():
            # Opaque: an input of the compiled kernel, which all materials then use.
            alike = of_pair == dr.opaque(mi.UInt32, number)
            some, wedges, points = kept(alike, row, wedge, point)
            if len(some):
                bends = self.paths.bends(wedges, points, table)
                dr.scatter(gain, self._utd_gain(self._radio.materials[number], bends), some)
        return gain

    def _utd_gain(self, material: Any, bends: Bends) -> Any:
        """Path gain of diffracted paths, by the wedge coefficients of a radio material."""
        import drjit as dr
        import mitsuba as mi

        incoming, outgoing = bends.bend - bends.source, bends.end - bends.bend
        s_in, s_out = dr.norm(incoming), dr.norm(outgoing)
        incoming, outgoing = mi.Vector3f(incoming / s_in), mi.Vector3f(outgoing / s_out)
        matrix = _diffraction_matrix(material, bends, incoming, outgoing, s_in, s_out)
        field = mi.Vector4f(matrix @ radiated_field(self._radio, incoming))
        scale = dr.square(self._radio.scene.wavelength / (4 * dr.pi))
        return scale * dr.squared_norm(field) / (s_in * s_out * (s_in + s_out))


def _diffraction_matrix(
    material: Any, bends: Bends, incoming: Any, outgoing: Any, s_in: Any, s_out: Any
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


def _lit_paths(radio: RadioScene, wedges: Wedges, position: Array) -> BentPaths:
    """Paths over the wedges of which some point sees the transmitter."""
    ways = Ways.plain(facing(wedges, position))
    seen = np.zeros(len(ways), bool)
    for probes in _PROBES:
        dark = np.flatnonzero(~seen)
        seen[dark] = BentPaths(radio, wedges, ways.take(dark), position).lit(probes)
    return BentPaths(radio, wedges, ways.take(np.flatnonzero(seen)), position)
