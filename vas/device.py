"""The device: arrays on their way from numpy to Dr.Jit's kernels, and in parts that fit there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray


def on_lanes(numbers: NDArray[np.integer[Any]]) -> Any:
    """Numbers, one a lane, as ``mi.UInt32`` in memory of the device's own.

    Dr.Jit uses the memory of numpy where it lies. But kernels read whole packets of lanes, past
    the end of what is no multiple of them: where numpy's memory ends with a page, that is a
    segmentation fault. A gather reads no lane behind the last. Tables, which are only gathered
    from, need no such care.
    """
    import drjit as dr
    import mitsuba as mi

    lane = dr.arange(mi.UInt32, len(numbers))
    dr.eval(lane)  # else Dr.Jit sees that the gather changes nothing, and leaves it out
    index = mi.UInt32(dr.gather(mi.Int64, mi.Int64(np.asarray(numbers, np.int64)), lane))
    dr.eval(index)
    return index


def padded(rows: NDArray[Any]) -> NDArray[Any]:
    """Rows of a table, one after the other, and a row of zeros: no table is empty."""
    columns = int(np.prod(rows.shape[1:]))
    return np.append(rows, np.zeros(max(columns, 1), rows.dtype))


def in_fours(vectors: NDArray[Any], last: NDArray[Any] | float = 0.0) -> NDArray[Any]:
    """Rows of three numbers and a last one as one line: the device gathers four at a time.

    Args:
        vectors: (N, 3).
        last: (N,), or one for all.
    """
    return np.column_stack([vectors, np.broadcast_to(last, len(vectors))]).ravel()


def xyz(vector: Any) -> Any:
    """The first three of four numbers, as a vector."""
    import drjit as dr
    import mitsuba as mi

    kind = mi.Vector3d if dr.type_v(vector) == dr.VarType.Float64 else mi.Vector3f
    return kind(vector.x, vector.y, vector.z)


def tiles(count: int, size: int) -> Iterator[slice]:
    """Slices of so many things that fit on the device together."""
    for begin in range(0, count, size):
        yield slice(begin, min(begin + size, count))
