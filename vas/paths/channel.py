"""The channel of single pixels: impulse and frequency response of their paths.

Both follow from the geometry of paths (:class:`vasgen.vas.paths.paths.Paths`), the materials and
the antenna, without a ray: one tracing serves every carrier, antenna and band.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.constants import speed_of_light

from vasgen.bundle import RadioMaterial
from vasgen.errors import InputError
from vasgen.spec import RadioSpec
from vasgen.transmitter import Transmitter
from vasgen.vas.device import tiles
from vasgen.vas.paths.path_field import PATHS_AT_ONCE, MaterialTable, material_table, path_fields
from vasgen.vas.paths.paths import Paths, Points
from vasgen.vas.scene.radio_scene import FreeSpace

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]
Index = NDArray[np.int64]

#: Phase factors of a frequency response held at once.
_TERMS_AT_ONCE = 4_000_000


class PathParameters(NamedTuple):
    """What a receiver sees of each of some paths.

    Attributes:
        amplitude: (N, 2) complex128, field along theta (vertical) and phi (horizontal), the unit
            vectors of spherical coordinates in the direction it comes from: what an isotropic
            antenna receives in either polarization. The sum of the squared sizes is the path
            gain; the phase is that of the carrier, the travelled length included.
        delay_s: (N,) float64, travelled length over the speed of light.
        departure_deg: (N, 2) float64, azimuth from east to north and elevation of the direction
            it leaves in.
        arrival_deg: (N, 2) float64, the same of the direction it comes from.
    """

    amplitude: Complex
    delay_s: Array
    departure_deg: Array
    arrival_deg: Array


class Cir(NamedTuple):
    """Channel impulse responses of Q pixels: up to K paths each, the earliest first.

    Attributes:
        amplitude: (Q, K, 2) complex128, vertical and horizontal, as of :class:`PathParameters`;
            0 behind a pixel's last path.
        delay_s: (Q, K) float64, from the moment of sending; NaN behind the last path.
        departure_deg: (Q, K, 2) float64, azimuth and elevation; NaN behind the last path.
        arrival_deg: (Q, K, 2) float64, azimuth and elevation; NaN behind the last path.
        chain: (Q, K) int64, row of ``paths.chains`` that says what it met; -1 behind the last.
    """

    amplitude: Complex
    delay_s: Array
    departure_deg: Array
    arrival_deg: Array
    chain: Index


def pixel_channels(
    paths: Paths,
    pixels: ArrayLike,
    transmitter: Transmitter,
    materials: Sequence[RadioMaterial],
    spec: RadioSpec,
) -> Cir:
    """The impulse response of some pixels for any antenna, carrier and materials.

    Args:
        paths: from the place of the transmitter, as :meth:`vasgen.vas.Tracer.trace_paths` finds
            them if the spec stores paths.
        pixels: (Q,) row-major numbers, as of :func:`channel_impulse_response`.
        transmitter: its antenna and orientation; it stands where the paths begin.
        materials: radio materials of the scene.
        spec: carrier frequency.

    Returns:
        See :class:`Cir`.

    Raises:
        InputError: if ``pixels`` are no list of whole numbers, or a material cannot be evaluated
            at the frequency.
    """
    radio = FreeSpace(spec.frequency_hz, paths.source)
    radio.set_transmitter(transmitter)
    return channel_impulse_response(radio, material_table(materials, spec), paths, pixels)


def channel_impulse_response(
    radio: FreeSpace, table: MaterialTable, paths: Paths, pixels: ArrayLike
) -> Cir:
    """The impulse response of some pixels, at the middle of each.

    A pixel of several points is given by the one nearest to their mean.

    Args:
        radio: antenna and carrier frequency, with its transmitter set.
        table: materials at that frequency.
        paths: from that transmitter.
        pixels: (Q,) row-major numbers of pixels, in any order. One that no path reaches, or that
            shows the sky, has none.

    Returns:
        Q pixels by K paths, K being the most that any of them has.

    Raises:
        InputError: if ``pixels`` are no list of whole numbers.
    """
    wanted, back = np.unique(_pixels(pixels), return_inverse=True)
    row_of_point = np.full(len(paths.points), -1)
    for number, point in _middles(paths.points, wanted):
        row_of_point[point] = number
    paths = paths.take(np.flatnonzero(row_of_point[paths.point] >= 0))
    told = path_parameters(radio, table, paths)
    row = row_of_point[paths.point]
    order = np.lexsort((told.delay_s, row))
    row = row[order]
    slot = np.arange(len(row)) - np.searchsorted(row, row)

    shape = (len(wanted), int(slot.max(initial=-1)) + 1)

    def table_of(values: NDArray[Any], nothing: float) -> NDArray[Any]:
        out = np.full((*shape, *values.shape[1:]), nothing, values.dtype)
        out[row, slot] = values[order]
        return out[back]

    return Cir(
        table_of(told.amplitude, 0),
        table_of(told.delay_s, np.nan),
        table_of(told.departure_deg, np.nan),
        table_of(told.arrival_deg, np.nan),
        table_of(paths.chain.astype(np.int64), -1),
    )


def channel_frequency_response(cir: Cir, frequencies_hz: ArrayLike) -> Complex:
    """The frequency response H(f), the sum over paths of a exp(-2 pi j f tau).

    Args:
        cir: impulse responses of Q pixels.
        frequencies_hz: (F,) baseband frequencies, Hz: offsets from the carrier, at which the
            amplitudes are taken to be what they are at the carrier.

    Returns:
        (Q, F, 2) complex128, vertical and horizontal; zero where no path arrives.

    Raises:
        InputError: if the frequencies are no list of finite numbers.
    """
    frequencies = np.asarray(frequencies_hz, np.float64)
    if frequencies.ndim != 1 or not np.isfinite(frequencies).all():
        raise InputError("frequencies_hz must be a list of finite numbers, offsets in Hz.")
    delay = np.nan_to_num(cir.delay_s)
    response = np.empty((len(delay), len(frequencies), 2), np.complex128)
    step = max(1, _TERMS_AT_ONCE // max(delay.size, 1))
    for begin in range(0, len(frequencies), step):
        part = slice(begin, begin + step)
        turns = frequencies[part, None, None] * delay
        response[:, part] = np.einsum("fqk,qkp->qfp", np.exp(-2j * np.pi * turns), cir.amplitude)
    return response


def path_parameters(radio: FreeSpace, table: MaterialTable, paths: Paths) -> PathParameters:
    """Amplitude, delay and angles of each path; arguments as of :func:`path_fields`."""
    parts = [_parameters(radio, table, paths, rows) for rows in tiles(len(paths), PATHS_AT_ONCE)]
    pairs = np.zeros((0, 2))
    none = PathParameters(pairs.astype(np.complex128), np.zeros(0), pairs, pairs)
    return PathParameters(*map(np.concatenate, zip(none, *parts, strict=True)))


def _parameters(
    radio: FreeSpace, table: MaterialTable, paths: Paths, rows: slice
) -> PathParameters:
    import drjit as dr

    fields = path_fields(radio, table, paths, rows)
    sine, cosine = dr.sincos(phase(radio, fields.length))
    real, imaginary = fields.field[:2], fields.field[2:]
    # In the direction it comes from, theta is that of travel, and phi the opposite one.
    amplitude = [
        part
        for r, i, sign in zip(real, imaginary, (1.0, -1.0), strict=True)
        for part in (sign * (cosine * r - sine * i), sign * (cosine * i + sine * r))
    ]
    delay = fields.length / speed_of_light
    departure, arrival = _angles_deg(fields.legs.departure), _angles_deg(-fields.legs.arrival)
    dr.eval(amplitude, delay, departure, arrival)
    v_real, v_imaginary, h_real, h_imaginary = map(np.array, amplitude)
    return PathParameters(
        np.column_stack([v_real + 1j * v_imaginary, h_real + 1j * h_imaginary]),
        np.array(delay),
        np.column_stack([*map(np.array, departure)]),
        np.column_stack([*map(np.array, arrival)]),
    )


def phase(radio: FreeSpace, length: Any) -> Any:
    """Phase of a travelled length, radians, between zero and minus one turn.

    In float64, less whole turns: kilometres at 100 GHz keep it.

    Args:
        radio: gives the carrier frequency.
        length: ``mi.Float64``, metres.
    """
    import drjit as dr
    import mitsuba as mi

    turns = length * dr.opaque(mi.Float64, radio.frequency_hz / speed_of_light)
    return dr.two_pi * (dr.floor(turns) - turns)


def _angles_deg(direction: Any) -> tuple[Any, Any]:
    """Azimuth and elevation, ``mi.Float64``, of unit vectors."""
    import drjit as dr
    import mitsuba as mi

    x, y, z = (mi.Float64(part) for part in direction)
    return dr.rad2deg(dr.atan2(y, x)), dr.rad2deg(dr.atan2(z, dr.sqrt(x * x + y * y)))


def _middles(points: Points, pixels: Index) -> Iterator[tuple[int, int]]:
    """For each of the pixels that has points, its number in ``pixels`` and its middle point."""
    bounds = np.searchsorted(points.pixel, [pixels, pixels + 1]).T
    for row, (begin, end) in enumerate(bounds.tolist()):
        if begin < end:
            place, weight = points.target.point[begin:end], points.weight[begin:end]
            middle = weight @ place / weight.sum()
            yield row, begin + int(np.linalg.norm(place - middle, axis=1).argmin())


def _pixels(pixels: ArrayLike) -> Index:
    numbers = np.asarray(pixels)
    if numbers.ndim != 1 or (numbers.size and numbers.dtype.kind not in "iu"):
        raise InputError(
            "pixels must be a list of whole numbers, row-major: row * width + column of each."
        )
    return numbers.astype(np.int64)
