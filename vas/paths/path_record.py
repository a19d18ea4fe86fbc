"""Stored paths: the paths of a view as plain arrays, and back.

What is stored is geometry alone, float64 as it was found. Only what paths use is kept: the
points of pixels that some path ends in, chains, planes and wedges that some path meets. Points
that several transmitters share are stored once; paths are sorted by chain, and of the points of
a chain only the steps from one to the next are stored: they deflate well.

    format              ()       version of this layout
    sources             (T, 3)   the transmitters, world metres
    point_pixel         (P,)     steps between the pixels of the points
    point_weight        (P,)     share of the pixel's footprint
    point_position      (P, 3)   world metres
    point_normal        (P,)     row of normals
    normals             (U, 3)   unit normals on the receiving side
    K/points            (Q,)     steps between the rows of points that transmitter K uses
    K/chain_*           (C, D)   event, element and material, as of Chains
    K/chain_paths       (C,)     number of paths of each chain
    K/chain_first       (C,)     row of K's points that the first of them ends in
    K/path_step         (N,)     steps from there; 0 for the first of each chain
    K/plane_*, K/wedge_*         as of Planes and Wedges
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vasgen.errors import StorageError
from vasgen.vas.paths.paths import Chains, Event, Paths, Points
from vasgen.vas.scene.planes import Planes
from vasgen.vas.scene.wedges import Wedges
from vasgen.vas.surfaces.surface import Target

Array = NDArray[np.float64]
Index = NDArray[np.int64]
Arrays = dict[str, NDArray[Any]]

FORMAT_VERSION = 1

_CHAINS, _PLANES, _WEDGES = (
    tuple(field.name for field in dataclasses.fields(part)) for part in (Chains, Planes, Wedges)
)


def paths_to_arrays(each: Sequence[Paths]) -> Arrays:
    """The paths of one view as arrays by name; see the module's text.

    Args:
        each: paths of every transmitter, in their order.
    """
    rows = [_used(_points_of_reached_pixels(paths), len(paths.points)) for paths in each]
    parts = [_take(paths.points, used.rows) for paths, used in zip(each, rows, strict=True)]
    pool, owner = _joined(parts)
    normals, normal = np.unique(pool.target.normal, axis=0, return_inverse=True)
    arrays: Arrays = {
        "format": np.array(FORMAT_VERSION),
        "sources": np.array([paths.source for paths in each], np.float64).reshape(-1, 3),
        "point_pixel": _steps(pool.pixel),
        "point_weight": pool.weight,
        "point_position": pool.target.point,
        "point_normal": _small(normal.reshape(-1)),
        "normals": normals,
    }
    for number, (paths, used, row) in enumerate(zip(each, rows, owner, strict=True)):
        record = _one_to_arrays(paths, row, row[used.new[paths.point]])
        arrays.update({f"{number}/{name}": array for name, array in record.items()})
    return arrays


def paths_from_arrays(arrays: Mapping[str, NDArray[Any]]) -> tuple[Paths, ...]:
    """Inverse of :func:`paths_to_arrays`; the paths of each transmitter are sorted by chain.

    Raises:
        StorageError: if they are of a newer format.
        KeyError: if an array is missing.
        ValueError: if arrays do not fit each other.
    """
    if int(arrays["format"]) != FORMAT_VERSION:
        raise StorageError(
            f"stored paths have format {int(arrays['format'])}; this vasgen reads {FORMAT_VERSION}."
        )
    target = Target(arrays["point_position"], arrays["normals"][arrays["point_normal"]])
    pool = Points(_sums(arrays["point_pixel"]), arrays["point_weight"], target)
    return tuple(
        _one_from_arrays(
            {name: arrays[f"{number}/{name}"] for name in _record_names()}, source, pool
        )
        for number, source in enumerate(arrays["sources"])
    )


class _Used(NamedTuple):
    """Rows of a table that something refers to.

    Attributes:
        rows: (U,) their numbers, ascending.
        new: (N,) new number of each row of the table; -1 of those that nothing refers to.
    """

    rows: Index
    new: Index


def _used(number: NDArray[np.integer[Any]], count: int) -> _Used:
    mask = np.zeros(count, bool)
    mask[number] = True
    return _Used(np.flatnonzero(mask), np.where(mask, np.cumsum(mask) - 1, -1))


def _points_of_reached_pixels(paths: Paths) -> Index:
    """Rows of the points in pixels some path ends in: their weights still sum to one."""
    pixel = paths.points.pixel
    reached = np.zeros(int(pixel.max(initial=-1)) + 1, bool)
    reached[pixel[paths.point]] = True
    return np.flatnonzero(reached[pixel])


def _joined(parts: Sequence[Points]) -> tuple[Points, list[Index]]:
    """All points without repetitions, by pixel, and the row there of each point of each part."""
    pixel = np.concatenate([np.empty(0, np.int64), *(part.pixel for part in parts)])
    columns = np.concatenate(
        [
            np.empty((0, 7)),
            *(
                np.column_stack([part.weight, part.target.point, part.target.normal])
                for part in parts
            ),
        ]
    )
    order = np.lexsort((columns[:, 1], pixel))
    pixel, columns = pixel[order], columns[order]
    new = np.ones(len(pixel), bool)
    new[1:] = (pixel[1:] != pixel[:-1]) | (columns[1:] != columns[:-1]).any(axis=1)
    row = np.empty(len(pixel), np.int64)
    row[order] = np.cumsum(new) - 1
    kept = columns[new]
    pool = Points(pixel[new], kept[:, 0].copy(), Target(kept[:, 1:4].copy(), kept[:, 4:].copy()))
    ends = np.cumsum([len(part) for part in parts])[:-1]
    return pool, np.split(row, ends) if parts else []


def _one_to_arrays(paths: Paths, points: Index, ends: Index) -> Arrays:
    """The record of one transmitter.

    Args:
        paths: its paths.
        points: (Q,) rows among all points of those that it uses.
        ends: (N,) row among all points that each path ends in.
    """
    size = int(points.max(initial=-1)) + 1
    kept, chains = _used(points, size), _used(paths.chain, len(paths.chains))
    # One key sorts in a quarter of the time of two.
    order = np.argsort(paths.chain.astype(np.int64) * size + ends)
    point = kept.new[ends[order]]
    count = np.bincount(chains.new[paths.chain], minlength=len(chains.rows))
    begin = np.cumsum(count) - count
    step = np.diff(point, prepend=point[:1])
    step[begin] = 0
    event, element = paths.chains.event[chains.rows], paths.chains.element[chains.rows]
    bends = event == Event.DIFFRACTION
    flat = (event >= 0) & ~bends
    planes = _used(element[flat], len(paths.planes))
    wedges = _used(element[bends], len(paths.wedges))
    renumbered = np.full_like(element, -1)
    renumbered[flat], renumbered[bends] = planes.new[element[flat]], wedges.new[element[bends]]
    kept_planes, kept_wedges = paths.planes.take(planes.rows), paths.wedges[wedges.rows]
    return {
        "points": _steps(kept.rows),
        "chain_event": event,
        "chain_element": renumbered,
        "chain_material": paths.chains.material[chains.rows],
        "chain_paths": _small(count),
        "chain_first": _small(point[begin]),
        "path_step": _small(step),
        **{f"plane_{name}": getattr(kept_planes, name) for name in _PLANES},
        **{f"wedge_{name}": getattr(kept_wedges, name) for name in _WEDGES},
    }


def _one_from_arrays(record: Arrays, source: Array, pool: Points) -> Paths:
    count = record["chain_paths"].astype(np.int64)
    total = np.cumsum(record["path_step"], dtype=np.int64)
    begin = np.cumsum(count) - count
    point = total + np.repeat(record["chain_first"] - total[begin], count)
    return Paths(
        source,
        _take(pool, _sums(record["points"])),
        Chains(**{name: record[f"chain_{name}"] for name in _CHAINS}),
        Planes(**{name: record[f"plane_{name}"] for name in _PLANES}),
        Wedges(**{name: record[f"wedge_{name}"] for name in _WEDGES}),
        point.astype(np.int32),
        np.repeat(np.arange(len(count), dtype=np.int32), count),
    )


def _record_names() -> tuple[str, ...]:
    return (
        "points",
        "chain_paths",
        "chain_first",
        "path_step",
        *(f"chain_{name}" for name in _CHAINS),
        *(f"plane_{name}" for name in _PLANES),
        *(f"wedge_{name}" for name in _WEDGES),
    )


def _take(points: Points, rows: Index) -> Points:
    return Points(points.pixel[rows], points.weight[rows], points.target.take(rows))


def _steps(ascending: Index) -> NDArray[Any]:
    """Differences between ascending numbers, the first from zero."""
    return _small(np.diff(ascending, prepend=0))


def _sums(steps: NDArray[Any]) -> Index:
    return np.cumsum(steps, dtype=np.int64)


def _small(numbers: Index) -> NDArray[Any]:
    """Numbers that are not negative in the smallest type that holds them."""
    return numbers.astype(np.min_scalar_type(int(numbers.max(initial=0))))
