"""Fields of paths: what antennas send and materials leave of it, without a ray.

The field that leaves the transmitter is followed from event to event. A slab mirrors it or lets
it pass with the coefficients of ITU-R P.2040, an edge bends it with those of the uniform theory
of diffraction; both are those of the ray tracers here. All paths of a tile go through the same
kernel, whatever they meet and of whatever material: it is compiled once.

Phases are those of fields proportional to exp(+2 pi j f t): lossy permittivities have negative
imaginary parts, and a delay is a negative phase.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vasgen.bundle import RadioMaterial
from vasgen.layers import MECHANISMS
from vasgen.spec import RadioSpec
from vasgen.vas.device import on_lanes, padded, tiles
from vasgen.vas.paths.legs import ChainTable, Legs, legs_of
from vasgen.vas.paths.paths import Paths
from vasgen.vas.paths.wave import Wave
from vasgen.vas.scene.field import radiated_field
from vasgen.vas.scene.materials import check_materials, complex_permittivity
from vasgen.vas.scene.radio_scene import FreeSpace
from vasgen.vas.scene.wedge_coefficients import WedgeMatrix
from vasgen.vas.scene.wedges import Wedges

Array = NDArray[np.float64]

#: Paths handled at once: bounds the memory to some 500 MB.
PATHS_AT_ONCE = 2_000_000

_EVERY = slice(None)


@dataclass(frozen=True, eq=False)
class MaterialTable:
    """Radio materials at one frequency, on the device.

    Attributes:
        rows: ``mi.Float``, four numbers a material: real and imaginary part of the relative
            permittivity, thickness in metres, scattered share of the reflected field.
    """

    rows: Any

    def slab(self, number: Any, active: Any) -> tuple[Any, Any, Any]:
        """Complex relative permittivity, thickness and scattering of numbered materials."""
        import drjit as dr
        import mitsuba as mi

        row = dr.gather(mi.Vector4f, self.rows, number, active)
        return mi.Complex2f(row.x, row.y), row.z, row.w


class PathFields(NamedTuple):
    """Where paths end, on the device.

    Attributes:
        field: ``mi.Vector4f``, real, then imaginary parts of the components along theta and phi,
            the unit vectors of spherical coordinates at ``legs.arrival``. Its square is the path
            gain at an isotropic receiver of both polarisations. The phase of the travelled
            length, ``exp(-2 pi j length / wavelength)``, is not in it.
        length: ``mi.Float64``, travelled metres.
        legs: directions and parts of the length.
    """

    field: Any
    length: Any
    legs: Legs


def material_table(materials: Sequence[RadioMaterial], spec: RadioSpec) -> MaterialTable:
    """Radio materials as the kernels of :func:`path_fields` read them.

    Args:
        materials: of the scene, in the order in which paths number them.
        spec: frequency, and the scattering of materials that name none of their own.

    Raises:
        InputError: if a material cannot be evaluated as the spec asks.
    """
    import mitsuba as mi

    check_materials(materials, spec)
    rows = np.zeros((len(materials), 4), np.float32)
    for row, material in zip(rows, materials, strict=True):
        eta = complex_permittivity(material, spec.frequency_hz)
        scattering = material.scattering_coefficient or spec.scattering_coefficient
        row[:] = eta.real, eta.imag, material.thickness_m, scattering
    return MaterialTable(mi.Float(padded(rows)))


def path_fields(
    radio: FreeSpace, table: MaterialTable, paths: Paths, rows: slice = _EVERY
) -> PathFields:
    """Fields of some of the paths, evaluated.

    Args:
        radio: antenna, precoding and wavelength; its only transmitter is that of the paths,
            which stands where the paths say.
        table: materials at the same frequency.
        paths: from one transmitter.
        rows: which of them; at most some millions at once.

    Returns:
        Their fields; zero where the theory has no answer, never NaN or infinite.
    """
    import drjit as dr
    import mitsuba as mi

    if not len(paths.chain[rows]):
        return PathFields(dr.zeros(mi.Vector4f, 0), dr.zeros(mi.Float64, 0), Legs.none())
    chains = ChainTable(paths.chains, paths.chain[rows])
    legs = legs_of(paths, chains, rows)
    # Apart from the rest: another antenna has another kernel, but the rest keeps its own.
    sent = radiated_field(radio, legs.departure)
    dr.eval(sent)
    wavelength = dr.opaque(mi.Float, float(radio.scene.wavelength[0]))
    way = _Way(paths, chains, table, wavelength)
    field = way.follow(sent, legs).jones(legs.arrival) * way.spread(legs)
    known = dr.isfinite(dr.squared_norm(field))
    fields = PathFields(dr.select(known, field, 0.0), legs.before + legs.after, legs)
    dr.eval(fields.field, fields.length)
    return fields


def path_gains(radio: FreeSpace, table: MaterialTable, paths: Paths) -> Array:
    """Path gain of each path, (N,), linear.

    Args:
        radio: see :func:`path_fields`.
        table: materials at the same frequency.
        paths: from one transmitter.
    """
    import drjit as dr

    gains = np.zeros(len(paths))
    for rows in tiles(len(paths), PATHS_AT_ONCE):
        fields = path_fields(radio, table, paths, rows)
        gains[rows] = np.array(dr.squared_norm(fields.field))
    return gains


def mechanism_gains(radio: FreeSpace, table: MaterialTable, paths: Paths, num_pixels: int) -> Array:
    """Path gain of each pixel by mechanism, (M, P), linear: means over the footprints.

    Args:
        radio: see :func:`path_fields`.
        table: materials at the same frequency.
        paths: from one transmitter.
        num_pixels: P, of the surface.

    Returns:
        Rows in the order of :data:`vasgen.layers.MECHANISMS`; that of the remainder is zero.
    """
    import drjit as dr
    import mitsuba as mi

    # Sums in double precision: the order in which threads add leaves no trace in a label.
    gains = dr.zeros(mi.Float64, len(MECHANISMS) * num_pixels)
    pixel = mi.UInt32(padded(paths.points.pixel).astype(np.uint32))
    weight = mi.Float64(padded(paths.points.weight))
    mechanism = mi.UInt32(padded(paths.chains.mechanism).astype(np.uint32))
    pixels = dr.opaque(mi.UInt32, num_pixels)
    for rows in tiles(len(paths), PATHS_AT_ONCE):
        field = path_fields(radio, table, paths, rows).field
        point, chain = on_lanes(paths.point[rows]), on_lanes(paths.chain[rows])
        cell = dr.gather(mi.UInt32, mechanism, chain) * pixels
        cell += dr.gather(mi.UInt32, pixel, point)
        gain = mi.Float64(dr.squared_norm(field)) * dr.gather(mi.Float64, weight, point)
        dr.scatter_reduce(dr.ReduceOp.Add, gains, gain, cell)
        dr.eval(gains)
    return np.array(gains).reshape(len(MECHANISMS), num_pixels)


class _Way(NamedTuple):
    """What paths meet, as the kernels need it.

    Attributes:
        paths: on the host.
        chains: of the lanes.
        table: of materials.
        wavelength: metres, opaque ``mi.Float``.
    """

    paths: Paths
    chains: ChainTable
    table: MaterialTable
    wavelength: Any

    def follow(self, sent: Any, legs: Legs) -> Wave:
        """Waves where the paths end, before spreading; ``sent`` leaves the antenna."""
        import drjit as dr
        import mitsuba as mi

        chains = self.chains
        wave = Wave.from_jones(sent, legs.departure)
        wave = self.along_slabs(wave, mi.UInt32(0), chains.edge)
        if not chains.any_bent:
            return wave
        wave = Wave.select(chains.bent, self.over_edge(wave, legs), wave)
        behind = dr.select(chains.bent, chains.edge + 1, chains.edge)
        return self.along_slabs(wave, behind, chains.count)

    def spread(self, legs: Legs) -> Any:
        """Amplitude at an isotropic receiver of a wave that was one at the source."""
        import drjit as dr
        import mitsuba as mi

        both = legs.before * legs.after * (legs.before + legs.after)
        spread = dr.select(self.chains.bent, dr.rsqrt(both), 1.0 / legs.before)
        return mi.Float(spread) * self.wavelength / (4 * dr.pi)

    def along_slabs(self, wave: Wave, begin: Any, end: Any) -> Wave:
        """Waves behind the slabs in the columns from ``begin`` to the one before ``end``."""
        import drjit as dr
        import mitsuba as mi

        normals = mi.Float(padded(self.paths.planes.normal).astype(np.float32))

        def meet(place: Any, *wave: Any) -> tuple[Any, ...]:
            number, mirrored = self.chains.element(place)
            slab = self.table.slab(self.chains.material(place), True)
            normal = dr.gather(mi.Vector3f, normals, number)
            return place + 1, *Wave(*wave).behind_slab(normal, mirrored, slab, self.wavelength)

        state = (mi.UInt32(begin), *wave)
        return Wave(*dr.while_loop(state, lambda place, *_: place < end, meet)[1:])

    def over_edge(self, wave: Wave, legs: Legs) -> Wave:
        """Waves behind the edge, where there is one."""
        import drjit as dr
        import mitsuba as mi

        bent = self.chains.bent
        number, _ = self.chains.element(self.chains.edge, bent)
        material = self.chains.material(self.chains.edge, bent)
        eta, thickness, scattering = self.table.slab(material, bent)
        rows = mi.Float(_wedge_table(self.paths.wedges))
        along, normal_0, normal_n = (
            dr.gather(mi.Vector3f, rows, 3 * number + k, bent) for k in range(3)
        )
        # Which of the faces comes first is all the same to the coefficients.
        to_world = mi.Matrix3f(*mi.coordinate_system(normal_0), normal_0).T
        distances = mi.Vector2f(mi.Float(legs.after), mi.Float(legs.before))
        edge = _Edge(to_world.T @ along, to_world.T @ normal_n, distances)
        comes, goes = (to_world.T @ k for k in (legs.incoming, legs.outgoing))
        wavenumber = dr.two_pi / self.wavelength
        matrix = WedgeMatrix(thickness, scattering)(to_world, comes, goes, edge, eta, wavenumber)
        field = mi.Vector4f(matrix @ wave.jones(legs.incoming))
        return Wave.from_jones(field, legs.outgoing)


class _Edge(NamedTuple):
    """What :class:`WedgeMatrix` asks of a surface interaction.

    Attributes:
        dn_du: along the edge, ``mi.Vector3f``, in the frame of face 0.
        dn_dv: normal of face n, the same.
        dp_du: distances to the end and to the source, ``mi.Vector2f``, metres.
    """

    dn_du: Any
    dn_dv: Any
    dp_du: Any


def _wedge_table(wedges: Wedges) -> NDArray[np.float32]:
    """Nine numbers a wedge: direction, normal of face 0, of face n; and a row of zeros."""
    rows = np.column_stack([wedges.along, wedges.normal_0, wedges.normal_n])
    return padded(rows).astype(np.float32)
