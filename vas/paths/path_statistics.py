"""Path statistics: what the paths of each pixel amount to.

Pixels are taken a few at a time, so that the memory does not grow with the picture. Sums over
paths are taken on the host, in an order that depends on the paths alone: the same paths give the
same bytes, however many threads work.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.constants import speed_of_light

from vasgen.layers import PATH_EVENTS, PATH_GAIN_FLOOR_DB, PATH_LAYERS
from vasgen.vas.device import tiles
from vasgen.vas.paths.channel import path_parameters, phase
from vasgen.vas.paths.path_field import PATHS_AT_ONCE, MaterialTable, PathFields, path_fields
from vasgen.vas.paths.paths import Paths, Points
from vasgen.vas.scene.radio_scene import FreeSpace
from vasgen.vas.surfaces.surface import Target, sum_by_group

Array = NDArray[np.float64]
Index = NDArray[np.int64]
Statistics = dict[str, NDArray[Any]]

_FLOOR = 10 ** (PATH_GAIN_FLOOR_DB / 10)

#: Mean of unit vectors below which they point all around: power is known to float32 only, so
#: zero cannot be told from this. The spread would be infinite; it is 325 degrees.
_ALL_AROUND = 1e-7

#: Directions whose level part is shorter than this have no azimuth; they count as east.
_VERTICAL = 1e-6


def path_statistics(
    radio: FreeSpace, table: MaterialTable, paths: Paths, num_pixels: int, strongest: int
) -> Statistics:
    """What is told about the paths from one transmitter, by pixel.

    Args:
        radio: antenna and carrier frequency, with its transmitter set.
        table: materials at that frequency.
        paths: from that transmitter.
        num_pixels: P, of the surface.
        strongest: number K of paths of each pixel to list; 0: none, and no layers ``path_*``.

    Returns:
        Layers of :data:`vasgen.layers.PATH_LAYERS` but the gain by mechanism, in their units and
        types, (P, …). There is no sky here: a pixel without points is one without paths.
    """
    parts = [
        _statistics(radio, table, part, size, strongest)
        for part, size in _parts(_ordered(paths), num_pixels)
    ]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _statistics(
    radio: FreeSpace, table: MaterialTable, ordered: Paths, num_pixels: int, strongest: int
) -> Statistics:
    """The same of paths that are in order, all at once."""
    heard = _listen(radio, table, ordered, num_pixels)
    distinct = _distinct(heard, ordered)
    total = sum_by_group(heard.pixel, heard.power, num_pixels)
    any_path = total > 0
    found = {
        "num_paths": np.minimum(np.bincount(distinct.pixel, minlength=num_pixels), 65535),
        "coherent_gain_db": 10 * np.log10(np.maximum(heard.coherent, _FLOOR)),
        **_delays(heard, total),
        "rician_k_db": _rician_k_db(distinct, num_pixels),
        "departure_spread_deg": np.where(any_path, _spread_deg(heard.departure, total), np.nan),
        "arrival_spread_deg": np.where(any_path, _spread_deg(heard.arrival, total), np.nan),
    }
    if strongest:
        found |= _strongest(radio, table, ordered, distinct, (num_pixels, strongest))
    return {n: array.astype(PATH_LAYERS[n].dtype, copy=False) for n, array in found.items()}


def stacked(parts: Sequence[Mapping[str, NDArray[Any]]]) -> Statistics:
    """The statistics of all transmitters, (T, P, …), from those of each."""
    return {name: np.stack([part[name] for part in parts]) for name in (parts[0] if parts else ())}


class _Heard(NamedTuple):
    """The N paths that carry power, by pixel and chain, and sums that need their fields.

    Attributes:
        row: (N,) their numbers among the ordered paths, ascending.
        pixel: (N,) pixel of each.
        power: (N,) path gain, weighted by the share of the footprint.
        length: (N,) metres.
        departure: (P,) complex, sum of power times the unit phasor of the azimuth.
        arrival: (P,) the same.
        coherent: (P,) squared size of the sum of fields, mean over the footprint.
    """

    row: Index
    pixel: Index
    power: Array
    length: Array
    departure: NDArray[np.complex128]
    arrival: NDArray[np.complex128]
    coherent: Array


class _Distinct(NamedTuple):
    """The distinct chains of each pixel, by pixel.

    Attributes:
        pixel: (C,) ascending.
        power: (C,) of all its paths to points of that pixel.
        row: (C,) number, among the ordered paths, of the strongest of these.
    """

    pixel: Index
    power: Array
    row: Index


def _ordered(paths: Paths) -> Paths:
    """The paths by pixel, then by chain."""
    # One key sorts in a quarter of the time of two.
    key = paths.points.pixel[paths.point]
    key *= max(len(paths.chains), 1)
    key += paths.chain
    return paths.take(np.argsort(key))


def _parts(paths: Paths, num_pixels: int) -> Iterator[tuple[Paths, int]]:
    """Paths in order, in parts that bound the memory: a few pixels and all that leads to them.

    Yields:
        The paths to the next pixels, which are counted anew, and how many pixels these are.
    """
    points, begin, first = paths.points, 0, 0
    ends = np.cumsum(np.bincount(points.pixel[paths.point], minlength=num_pixels))
    while first < num_pixels:
        last = max(int(np.searchsorted(ends, begin + PATHS_AT_ONCE, "right")), first + 1)
        end = int(ends[last - 1])
        low, high = np.searchsorted(points.pixel, (first, last)).tolist()
        place = Target(points.target.point[low:high], points.target.normal[low:high])
        few = Points(points.pixel[low:high] - first, points.weight[low:high], place)
        point, chain = paths.point[begin:end] - np.int32(low), paths.chain[begin:end]
        yield dataclasses.replace(paths, points=few, point=point, chain=chain), last - first
        begin, first = end, last


def _listen(radio: FreeSpace, table: MaterialTable, paths: Paths, num_pixels: int) -> _Heard:
    pixel = paths.points.pixel[paths.point]
    power, length = np.zeros(len(paths)), np.zeros(len(paths))
    azimuths = np.zeros((4, num_pixels))
    waves = np.zeros((6, len(paths.points)))
    for rows in tiles(len(paths), PATHS_AT_ONCE):
        each = _values(radio, path_fields(radio, table, paths, rows))
        point = paths.point[rows]
        power[rows] = paths.points.weight[point] * each.power
        length[rows] = each.length
        for azimuth, part in zip(azimuths, each.azimuths, strict=True):
            azimuth += sum_by_group(pixel[rows], power[rows] * part, num_pixels)
        for wave, values in zip(waves, each.waves, strict=True):
            wave += np.bincount(point, values, len(wave))
    at_point = paths.points.weight * (waves**2).sum(axis=0)
    row = np.flatnonzero(power > 0)
    return _Heard(
        row,
        pixel[row],
        power[row],
        length[row],
        azimuths[0] + 1j * azimuths[1],
        azimuths[2] + 1j * azimuths[3],
        sum_by_group(paths.points.pixel, at_point, num_pixels),
    )


class _Values(NamedTuple):
    """What the statistics add up of each path of a tile.

    Attributes:
        power: (N,) path gain.
        length: (N,) metres.
        azimuths: (N,) each: cosine and sine of the azimuth of departure, then of arrival.
        waves: (N,) each: real, then imaginary part of the field along x, y and z, with the phase
            of its length.
    """

    power: Array
    length: Array
    azimuths: list[Array]
    waves: list[NDArray[np.float32]]


def _values(radio: FreeSpace, fields: PathFields) -> _Values:
    import drjit as dr
    import mitsuba as mi
    from sionna.rt.utils import implicit_basis_vector

    theta = implicit_basis_vector(fields.legs.arrival)
    phi = dr.cross(fields.legs.arrival, theta)
    x, y, z, w = fields.field
    real, imaginary = x * theta + y * phi, z * theta + w * phi
    sine, cosine = dr.sincos(mi.Float(phase(radio, fields.length)))
    waves = [*(real * cosine - imaginary * sine), *(real * sine + imaginary * cosine)]
    azimuths = [*_azimuth(fields.legs.departure), *_azimuth(-fields.legs.arrival)]
    power = mi.Float64(dr.squared_norm(fields.field))
    dr.eval(power, waves, azimuths)
    length = np.array(fields.length)
    return _Values(np.array(power), length, [*map(np.array, azimuths)], [*map(np.array, waves)])


def _azimuth(direction: Any) -> tuple[Any, Any]:
    """Cosine and sine of the azimuth of directions, ``mi.Float64``.

    In float64, so that equal directions have no spread at all.
    """
    import drjit as dr
    import mitsuba as mi

    x, y = mi.Float64(direction.x), mi.Float64(direction.y)
    level = dr.sqrt(x * x + y * y)
    upright = level < _VERTICAL
    return dr.select(upright, 1.0, x / level), dr.select(upright, 0.0, y / level)


def _distinct(heard: _Heard, paths: Paths) -> _Distinct:
    chain = paths.chain[heard.row]
    begin = _first_of_each(heard.pixel, chain)
    if not len(begin):
        return _Distinct(begin, np.zeros(0), begin)
    size = np.diff(begin, append=len(chain))
    peak = np.repeat(np.maximum.reduceat(heard.power, begin), size)
    number = np.where(heard.power == peak, np.arange(len(chain)), len(chain))
    first = np.minimum.reduceat(number, begin)
    power = np.add.reduceat(heard.power, begin)
    return _Distinct(heard.pixel[begin], power, heard.row[first])


def _delays(heard: _Heard, total: Array) -> Statistics:
    """Mean delay and its root mean square spread, seconds; NaN without a path."""
    first = np.zeros(len(total))
    begin = _first_of_each(heard.pixel)
    if len(begin):
        first[heard.pixel[begin]] = np.minimum.reduceat(heard.length, begin)
    # After the pixel's first path: squares of whole lengths would cancel.
    later = heard.length - first[heard.pixel]
    with np.errstate(invalid="ignore"):
        mean = sum_by_group(heard.pixel, heard.power * later, len(total)) / total
        from_mean = later - mean[heard.pixel]
        variance = sum_by_group(heard.pixel, heard.power * from_mean**2, len(total)) / total
    return {
        "mean_delay_s": (first + mean) / speed_of_light,
        "delay_spread_s": np.sqrt(variance) / speed_of_light,
    }


def _rician_k_db(distinct: _Distinct, num_pixels: int) -> Array:
    """Power of the strongest chain over that of the others; +inf: no other, NaN: none at all."""
    k_db = np.full(num_pixels, np.nan)
    begin = _first_of_each(distinct.pixel)
    if not len(begin):
        return k_db
    size = np.diff(begin, append=len(distinct.pixel))
    peak = np.maximum.reduceat(distinct.power, begin)
    is_peak = distinct.power == np.repeat(peak, size)
    # Not the sum less the strongest, which would cancel where the others are weak.
    others = np.add.reduceat(np.where(is_peak, 0.0, distinct.power), begin)
    others += peak * (np.add.reduceat(is_peak.astype(np.int64), begin) - 1)
    with np.errstate(divide="ignore"):
        k_db[distinct.pixel[begin]] = 10 * np.log10(peak / others)
    return k_db


def _spread_deg(phasors: NDArray[np.complex128], total: Array) -> Array:
    """Circular spread, degrees (3GPP TR 38.901, annex A.1), of sums of power times phasors."""
    with np.errstate(invalid="ignore"):
        mean = np.clip(np.abs(phasors) / total, _ALL_AROUND, 1.0)
    spread: Array = np.degrees(np.sqrt(2 * np.log(1 / mean)))
    return spread


def _strongest(
    radio: FreeSpace,
    table: MaterialTable,
    paths: Paths,
    distinct: _Distinct,
    shape: tuple[int, int],
) -> Statistics:
    """The strongest chains of each pixel, each told by its strongest path."""
    order = _by_power(distinct)
    pixel = distinct.pixel[order]
    begin = _first_of_each(pixel)
    rank = np.arange(len(pixel)) - np.repeat(begin, np.diff(begin, append=len(pixel)))
    first = rank < shape[1]
    order, place = order[first], (pixel[first], rank[first])
    few = paths.take(distinct.row[order])
    told = path_parameters(radio, table, few)
    # All of the chain's power in this pixel, not only that of the point it is told at.
    own = np.linalg.norm(told.amplitude, axis=1)
    scale = np.sqrt(distinct.power[order]) / own
    columns: dict[str, tuple[NDArray[Any], float]] = {
        "path_amplitude": (told.amplitude * scale[:, None], 0),
        "path_delay_s": (told.delay_s, np.nan),
        "path_departure_deg": (told.departure_deg, np.nan),
        "path_arrival_deg": (told.arrival_deg, np.nan),
        "path_events": (_first_events(few), -1),
    }
    found = {}
    for name, (values, nothing) in columns.items():
        found[name] = np.full((*shape, *values.shape[1:]), nothing, PATH_LAYERS[name].dtype)
        found[name][place] = values
    return found


def _first_events(paths: Paths) -> NDArray[np.int8]:
    """What each path meets, (N, PATH_EVENTS)."""
    event = paths.chains.event[:, :PATH_EVENTS]
    padded = np.pad(event, [(0, 0), (0, PATH_EVENTS - event.shape[1])], constant_values=-1)
    return padded[paths.chain]


def _by_power(distinct: _Distinct) -> Index:
    """The order by pixel, and by falling power within each."""
    # Positive floats sort as the integers of the same bits do, and one key sorts in a tenth of
    # the time of two.
    bits = distinct.power.astype(np.float32).view(np.int32).astype(np.int64)
    return np.argsort((distinct.pixel << 32) - bits)


def _first_of_each(*keys: NDArray[np.integer[Any]]) -> Index:
    """Where groups of equal keys begin."""
    count = len(keys[0])
    new = np.ones(count, bool)
    new[1:] = np.any([key[1:] != key[:-1] for key in keys], axis=0)
    return np.flatnonzero(new)
