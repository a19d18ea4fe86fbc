"""Keys: sets of whole numbers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def distinct(keys: NDArray[np.int64]) -> NDArray[np.int64]:
    """Each key once, ascending.

    As :func:`numpy.unique`, which keeps a hash table and takes a hundred times as long for
    millions of different keys.
    """
    ordered = np.sort(keys)
    new = np.ones(len(ordered), bool)
    new[1:] = ordered[1:] != ordered[:-1]
    return np.asarray(ordered[new])
