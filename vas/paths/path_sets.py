"""Sets of paths: parts of them, and several in one."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vasgen.vas.paths.paths import Chains, Paths, Points
from vasgen.vas.surfaces.surface import Target

Index = NDArray[np.int64]


def at_pixels(paths: Paths, chosen: NDArray[np.bool_]) -> Paths:
    """The points of some pixels, and the paths to them.

    Args:
        paths: to the points of one view.
        chosen: (P,) bool, which pixels.
    """
    points = paths.points
    kept = chosen[points.pixel]
    row, some = np.cumsum(kept) - 1, np.flatnonzero(kept)
    fewer = Points(points.pixel[some], points.weight[some], points.target.take(some))
    paths = paths.take(kept[paths.point])
    return dataclasses.replace(paths, points=fewer, point=row[paths.point].astype(np.int32))


def renumbered(paths: Paths, pixel: Index) -> Paths:
    """The same paths in a larger image.

    Args:
        paths: to the points of a part of it.
        pixel: (P,) number in the image of each pixel of the part, ascending.
    """
    points = dataclasses.replace(paths.points, pixel=pixel[paths.points.pixel])
    return dataclasses.replace(paths, points=points)


def added(one: Paths, other: Paths) -> Paths:
    """All paths of two sets to the same points."""
    every = np.arange(len(one.points))
    return _united((one, other), one.points, (every, every))


def joined(one: Paths, other: Paths) -> Paths:
    """All paths of two sets to different points, which are put in the order of their pixels."""
    columns = [(p.pixel, p.weight, *p.target) for p in (one.points, other.points)]
    pixel, weight, point, normal = (np.concatenate(parts) for parts in zip(*columns, strict=True))
    order = np.argsort(pixel, kind="stable")
    row = np.empty(len(order), np.int64)
    row[order] = np.arange(len(order))
    points = Points(pixel[order], weight[order], Target(point[order], normal[order]))
    return _united((one, other), points, np.split(row, [len(one.points)]))


def _united(parts: Sequence[Paths], points: Points, rows: Sequence[Index]) -> Paths:
    """All paths of some parts, each chain once.

    Args:
        parts: paths from one transmitter in one scene.
        points: of all of them.
        rows: of each part, the row of each of its points among all.
    """
    chains, numbers = _all_chains([part.chains for part in parts])
    pairs = list(zip(parts, rows, numbers, strict=True))
    return dataclasses.replace(
        parts[0],
        points=points,
        chains=chains,
        point=np.concatenate([row[part.point] for part, row, _ in pairs]).astype(np.int32),
        chain=np.concatenate([new[part.chain] for part, _, new in pairs]).astype(np.int32),
    )


def _all_chains(parts: Sequence[Chains]) -> tuple[Chains, list[Index]]:
    """Each chain of some parts once, and its number for each chain of each part."""
    columns = max(part.event.shape[1] for part in parts)
    tables = []
    for part in parts:
        missing = ((0, 0), (0, 0), (0, columns - part.event.shape[1]))
        table = np.stack([part.event, part.element, part.material], axis=1)
        tables.append(np.pad(table, missing, constant_values=-1).reshape(len(part), 3 * columns))
    rows, number = np.unique(np.concatenate(tables), axis=0, return_inverse=True)
    event, element, material = rows.reshape(-1, 3, columns).transpose(1, 0, 2)
    ends = np.cumsum([len(table) for table in tables])[:-1]
    return Chains(event.astype(np.int8), element, material), np.split(number.reshape(-1), ends)
