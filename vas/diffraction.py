"""First-order diffraction in closed form.

For a wedge, a transmitter and a point the diffraction point is known (Keller's law:
equal angles with the edge), so nothing is sampled: the field follows from the uniform
theory of diffraction, evaluated by Sionna's radio materials. Sionna's own mesh radio
map loses this mechanism: its last leg ends one metre behind the edge.

A view asks for many pixels times many wedges. Neighbouring pixels share their wedges, so
the search runs on a coarse grid of pixels, and each pixel evaluates only what the grid
points around it receive.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vasgen.raycast import RayCaster
from vasgen.vas.field import radiated_field
from vasgen.vas.radio_scene import RadioScene
from vasgen.vas.surface import sum_by_group
from vasgen.vas.wedges import Wedges

Array = NDArray[np.float64]
Index = NDArray[np.int64]

#: Rays start this far off an edge, into free space, metres: they must not graze its faces.
_STAND_OFF_M = 0.01

#: Legs shorter than this are outside the theory, metres (Sionna's own limit).
_SHORTEST_LEG_M = 0.01

#: Points along an edge that are asked whether they see the transmitter.
_PROBES = 9

#: Distance of the coarse grid, pixels.
_STRIDE = 8

#: Wedges a grid point keeps: its strongest, down to this share of their sum.
_MOST_WEDGES = 12
_KEPT_SHARE = 0.995

#: Pairs of wedge and point handled at once: bounds the memory to some 300 MB.
_PAIRS_AT_ONCE = 1_000_000


class Target(NamedTuple):
    """Points that receive.

    Attributes:
        point: (P, 3) float64 world metres, clear of the surface they belong to.
        normal: (P, 3) float64 unit normal on the receiving side.
    """

    point: Array
    normal: Array

    def take(self, index: Index) -> Target:
        """The points at an index."""
        return Target(self.point[index], self.normal[index])


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
        return sum_by_group(point, self._gain(wedge, point, target), len(target.point))

    def gain_on_image(self, target: Target, pixel: Index, shape: tuple[int, int]) -> Array:
        """Diffracted path gain of the pixels of an image.

        Args:
            target: one point a visible pixel.
            pixel: (P,) row-major pixel of each point.
            shape: height and width of the image.

        Returns:
            (height * width,) float64, linear; zero where nothing arrives.
        """
        if not len(self.wedges) or not len(pixel):
            return np.zeros(shape[0] * shape[1])
        grid = _grid(pixel, shape)
        candidates = self._candidates(target.take(grid))
        wedge, point = _neighbourhood_pairs(candidates, grid, pixel, shape)
        gain = np.zeros(len(wedge))
        for begin in range(0, len(wedge), _PAIRS_AT_ONCE):
            part = slice(begin, begin + _PAIRS_AT_ONCE)
            gain[part] = self._gain(wedge[part], point[part], target)
        return sum_by_group(pixel[point], gain, shape[0] * shape[1])

    def _lit(self, wedges: Wedges) -> Wedges:
        """Wedges of which some point sees the transmitter, face 0 turned towards it."""
        share = (np.arange(_PROBES) + 0.5) / _PROBES
        reach = wedges.origin - self._position
        facing_0 = np.einsum("ij,ij->i", reach, wedges.normal_0) < 0
        facing_n = np.einsum("ij,ij->i", reach, wedges.normal_n) < 0
        wedges = wedges[np.flatnonzero(facing_0 | facing_n)]
        lift = _STAND_OFF_M * wedges.outward
        probes = (wedges.origin + lift)[:, None] + share[:, None] * (
            wedges.length[:, None] * wedges.along
        )[:, None]
        blocked = self._caster.blocked(probes.reshape(-1, 3), self._position)
        wedges = wedges[np.flatnonzero(~blocked.reshape(-1, _PROBES).all(axis=1))]
        towards = np.einsum("ij,ij->i", wedges.origin - self._position, wedges.normal_0)
        return wedges.swapped(towards > 0)

    def _candidates(self, target: Target) -> tuple[Index, Index]:
        """The wedges that matter at each point, as pairs (wedge, point)."""
        count = len(target.point)
        step = max(1, _PAIRS_AT_ONCE // max(count, 1))
        gain = np.zeros((len(self.wedges), count))
        for begin in range(0, len(self.wedges), step):
            block = np.arange(begin, min(begin + step, len(self.wedges)))
            wedge, point = (i.ravel() for i in np.meshgrid(block, np.arange(count), indexing="ij"))
            gain[block] = self._gain(wedge, point, target).reshape(len(block), count)
        most = min(_MOST_WEDGES, len(self.wedges))
        strongest = np.argpartition(-gain, most - 1, axis=0)[:most]
        power = np.take_along_axis(gain, strongest, axis=0)
        order = np.argsort(-power, axis=0, kind="stable")
        strongest = np.take_along_axis(strongest, order, axis=0)
        power = np.take_along_axis(power, order, axis=0)
        before = np.cumsum(power, axis=0) - power
        rank, point = np.nonzero((power > 0) & (before < _KEPT_SHARE * gain.sum(axis=0)))
        return strongest[rank, point], point

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


def _grid(pixel: Index, shape: tuple[int, int]) -> Index:
    """Rows of ``pixel`` nearest to the middle of each coarse cell, one a cell."""
    row, column = np.divmod(pixel, shape[1])
    cell = (row // _STRIDE) * (-(-shape[1] // _STRIDE)) + column // _STRIDE
    middle = (_STRIDE - 1) / 2
    distance = np.abs(row % _STRIDE - middle) + np.abs(column % _STRIDE - middle)
    order = np.lexsort((distance, cell))
    first = np.r_[True, np.diff(cell[order]) > 0]
    return order[first]


def _neighbourhood_pairs(
    candidates: tuple[Index, Index], grid: Index, pixel: Index, shape: tuple[int, int]
) -> tuple[Index, Index]:
    """Pairs (wedge, row of ``pixel``): each pixel with the wedges of the 3x3 cells around it."""
    wedge, rank = candidates
    columns = -(-shape[1] // _STRIDE)
    rows = -(-shape[0] // _STRIDE)
    row, column = np.divmod(pixel, shape[1])
    cell_row, cell_column = row // _STRIDE, column // _STRIDE
    shifts = [(dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)]
    near_row = np.concatenate([cell_row[grid[rank]] + dy for dy, _ in shifts])
    near_column = np.concatenate([cell_column[grid[rank]] + dx for _, dx in shifts])
    inside = (near_row >= 0) & (near_row < rows) & (near_column >= 0) & (near_column < columns)
    many = np.tile(wedge, len(shifts))[inside]
    cells = (near_row * columns + near_column)[inside]
    num_wedges = int(wedge.max(initial=0)) + 1
    cells, many = np.divmod(np.unique(cells * num_wedges + many), num_wedges)
    # Join cells with their pixels: pixels sorted by cell, each pair repeated for its run.
    cell_of = cell_row * columns + cell_column
    order = np.argsort(cell_of, kind="stable")
    begin = np.searchsorted(cell_of[order], cells)
    count = np.searchsorted(cell_of[order], cells, side="right") - begin
    run = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    return np.repeat(many, count), order[np.repeat(begin, count) + run]
