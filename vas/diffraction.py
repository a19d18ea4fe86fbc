"""First-order diffraction in closed form.

For a wedge, a transmitter and a point the diffraction point is known (Keller's law:
equal angles with the edge), so nothing is sampled: the field follows from the uniform
theory of diffraction, evaluated by Sionna's radio materials. Sionna's own mesh radio
map loses this mechanism: its last leg ends one metre behind the edge.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vasgen.raycast import RayCaster
from vasgen.vas.field import radiated_field
from vasgen.vas.radio_scene import RadioScene
from vasgen.vas.surface import Target, sum_by_group
from vasgen.vas.wedges import Wedges

Array = NDArray[np.float64]
Index = NDArray[np.int64]

#: Rays start this far off an edge, into free space, metres: they must not graze its faces.
_STAND_OFF_M = 0.01

#: Legs shorter than this are outside the theory, metres (Sionna's own limit).
_SHORTEST_LEG_M = 0.01

#: Points along an edge that are asked whether they see the transmitter; more, if none does.
_PROBES = (9, 64)

#: Pairs of wedge and point handled at once: bounds the memory to some 300 MB.
_PAIRS_AT_ONCE = 1_000_000


class Diffraction:
    """First-order diffraction from one transmitter.

    Args:
        radio: the scene with only this transmitter set.
        wedges: all wedges of the scene.
        caster: the same scene, for visibility.
        position: (3,) transmitter, world metres.
    """

    def __init__(
        self, radio: RadioScene, wedges: Wedges, caster: RayCaster, position: Array
    ) -> None:
        self._radio = radio
        self._caster = caster
        self._position = np.asarray(position, np.float64)
        self.wedges = self._lit(wedges)

    def gain_everywhere(self, target: Target) -> Array:
        """Diffracted path gain of every point from every wedge, (P,), without a search."""
        wedge, point = np.divmod(np.arange(len(self.wedges) * len(target.point)), len(target.point))
        return sum_by_group(point, self.gain(wedge, point, target), len(target.point))

    def gain(self, wedge: Index, point: Index, target: Target) -> Array:
        """Path gain of each pair of wedge and point, linear; zero for no path.

        Args:
            wedge: (N,) indices into ``wedges``.
            point: (N,) indices into ``target``.
            target: the points.
        """
        gain = np.zeros(len(wedge))
        for begin in range(0, len(wedge), _PAIRS_AT_ONCE):
            part = slice(begin, begin + _PAIRS_AT_ONCE)
            gain[part] = self._gain(wedge[part], point[part], target)
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
        share = ((np.arange(probes) + 0.5) / probes)[:, None]
        start = wedges.origin + _STAND_OFF_M * wedges.outward
        points = start[:, None] + share * (wedges.length[:, None] * wedges.along)[:, None]
        blocked = self._caster.blocked(points.reshape(-1, 3), self._position)
        return np.asarray(~blocked.reshape(-1, probes).all(axis=1))

    def _gain(self, wedge: Index, point: Index, target: Target) -> Array:
        """Path gain of each pair of wedge and point, linear; zero for no path."""
        gain = np.zeros(len(wedge))
        keep, share = self._keller(wedge, point, target)
        wedge, point = wedge[keep], point[keep]
        edge = self.wedges[wedge]
        bend = edge.origin + share[:, None] * edge.along
        clear = ~self._blocked(bend + _STAND_OFF_M * edge.outward, target.point[point])
        if clear.any():
            keep, edge, bend = keep[clear], edge[clear], bend[clear]
            gain[keep] = _utd_gain(
                self._radio, edge, self._position, bend, target.point[point[clear]]
            )
        return gain

    def _keller(self, wedge: Index, point: Index, target: Target) -> tuple[Index, Array]:
        """Pairs that have a diffraction point, and its distance along the edge, metres."""
        source_along, source_off = _cylindrical(
            self.wedges, np.arange(len(self.wedges)), self._position[None]
        )
        along, off = _cylindrical(self.wedges, wedge, target.point[point])
        share = source_along[wedge] * off + along * source_off[wedge]
        share /= np.maximum(off + source_off[wedge], 1e-12)
        edge = self.wedges
        arriving = edge.origin[wedge] + share[:, None] * edge.along[wedge] - target.point[point]
        leg = np.linalg.norm(arriving, axis=1)
        outside = (_dot(arriving, edge.normal_0[wedge]) < 0) | (
            _dot(arriving, edge.normal_n[wedge]) < 0
        )
        keep = (
            (share >= 0)
            & (share <= edge.length[wedge])
            & outside
            & (_dot(arriving, target.normal[point]) > 0)
            & (leg > _SHORTEST_LEG_M)
            & (source_off[wedge] > _SHORTEST_LEG_M)
        )
        kept = np.flatnonzero(keep)
        return kept, share[kept]

    def _blocked(self, bend: Array, point: Array) -> NDArray[np.bool_]:
        blocked = self._caster.blocked(bend, point)
        open_ = np.flatnonzero(~blocked)
        blocked[open_] = self._caster.blocked(bend[open_], self._position)
        return blocked


def _dot(a: Array, b: Array) -> Array:
    product: Array = np.einsum("ij,ij->i", a, b)
    return product


def _cylindrical(wedges: Wedges, index: Index, point: Array) -> tuple[Array, Array]:
    """Coordinates along and distance off the edges, metres."""
    relative = point - wedges.origin[index]
    along = _dot(relative, wedges.along[index])
    # Pythagoras instead of a projection: half the memory traffic, and edges are short.
    return along, np.sqrt(np.maximum(_dot(relative, relative) - along**2, 0.0))


def _utd_gain(radio: RadioScene, edge: Wedges, source: Array, bend: Array, point: Array) -> Array:
    """Path gain of diffracted paths, by the wedge coefficients of Sionna's radio materials."""
    import mitsuba as mi

    incoming, outgoing = bend - source, point - bend
    s_in = np.linalg.norm(incoming, axis=1)
    s_out = np.linalg.norm(outgoing, axis=1)
    incoming, outgoing = incoming / s_in[:, None], outgoing / s_out[:, None]
    spread = 1.0 / np.sqrt(s_in * s_out * (s_in + s_out))
    scale = (float(radio.scene.wavelength[0]) / (4 * np.pi)) ** 2
    gain = np.zeros(len(bend))
    for material in np.unique(edge.material):
        rows = np.flatnonzero(edge.material == material)
        field = radiated_field(radio, incoming[rows])
        matrix = _diffraction_matrix(
            radio.materials[material],
            edge[rows],
            incoming[rows],
            outgoing[rows],
            s_in[rows],
            s_out[rows],
        )
        diffracted = field._replace(jones=[mi.Vector4f(matrix @ jones) for jones in field.jones])
        gain[rows] = diffracted.power()
    powers: Array = scale * spread**2 * gain
    return powers


def _diffraction_matrix(
    material: Any, edge: Wedges, incoming: Array, outgoing: Array, s_in: Array, s_out: Array
) -> Any:
    """Jones matrices (real 4x4) of a material's wedge; inputs as its ``eval`` documents them."""
    import drjit as dr
    import mitsuba as mi
    from sionna.rt.constants import InteractionType
    from sionna.rt.utils import spectrum_to_matrix_4f

    def vector(array: Array) -> Any:
        return mi.Vector3f(np.ascontiguousarray(array.T, np.float32))

    interaction = dr.zeros(mi.SurfaceInteraction3f, len(s_in))
    interaction.n = mi.Normal3f(vector(edge.normal_0))
    interaction.sh_frame.n = interaction.n
    interaction.initialize_sh_frame()
    interaction.wi = interaction.to_local(vector(incoming))
    interaction.dn_du = interaction.to_local(vector(edge.along))
    interaction.dn_dv = interaction.to_local(vector(edge.normal_n))
    kind = dr.reinterpret_array(mi.Float, mi.UInt32(InteractionType.DIFFRACTION))
    interaction.dp_du = mi.Vector3f(
        mi.Float(s_out.astype(np.float32)), mi.Float(s_in.astype(np.float32)), kind
    )
    context = mi.BSDFContext(mode=mi.TransportMode.Importance, type_mask=0, component=0)
    context.component |= InteractionType.DIFFRACTION
    return spectrum_to_matrix_4f(material.eval(context, interaction, vector(outgoing), True))
