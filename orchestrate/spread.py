"""Spreading: which sites are taken, evenly over the scene, its contexts and the views."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vasgen.orchestrate.sites import Sites

Array = NDArray[np.float64]

#: Distance in plan at which two transmitters are far enough apart, metres; more of them
#: cover as much land each. Few do not flee to the ends of a large scene, away from all views.
_APART_M = 80.0

#: Sites nearer than this share of the even distance are taken when no others are left.
_TOO_NEAR = 0.4

#: Contexts that get fewer transmitters than the others, as a share: what SynthRM spreads
#: over are squares, canyons and junctions.
_SHARES = {"courtyard": 0.25, "open": 0.25}

#: Instead of a distance: this site is taken.
_TAKEN = -1.0

#: Worth of a site that lights nothing.
_DARK = 1e-3


def spread(sites: Sites, lit: Array, count: int) -> list[int]:
    """Greedy choice: light in views that have little of it, away from the others, balanced.

    A view's worth is the root of the light it gets, so the first transmitter of a view
    counts more than the second. A context that is ahead of the others by k transmitters is
    worth 1 / (1 + k)^2, so it waits until theirs stand too near each other.

    Args:
        sites: (N,), at least ``count``.
        lit: (N, views) share of what each view sees that each site lights.
        count: how many to choose.

    Returns:
        Indices of the chosen sites, the best first.
    """
    names, kind = np.unique(sites.contexts, return_inverse=True)
    shares = np.array([_SHARES.get(str(name), 1.0) for name in names])
    taken = np.zeros(len(names))
    total = np.zeros(lit.shape[1])
    x, y = sites.places[:, :2].T.copy()
    nearest = np.full(len(x), np.inf)
    pool = np.arange(len(x))
    apart = min(_APART_M * (count / 2) ** 0.5, _even_distance(sites.places, count))
    least = _TOO_NEAR * apart
    chosen: list[int] = []
    for _ in range(count):
        pool = pool[nearest[pool] > least]
        if not len(pool):
            least = _TAKEN / 2  # from now on all that are left
            pool = np.flatnonzero(nearest > least)
        light = (np.sqrt(total + lit[pool]) - np.sqrt(total)).sum(axis=1)
        worth = sites.worth[pool] * (_DARK + light) * np.minimum(nearest[pool] / apart, 1.0)
        worth *= _balance(taken / shares, kind[pool])[kind[pool]]
        best = int(pool[np.argmax(worth)])
        chosen.append(best)
        taken[kind[best]] += 1
        total += lit[best]
        np.minimum(nearest, np.sqrt((x - x[best]) ** 2 + (y - y[best]) ** 2), out=nearest)
        nearest[best] = _TAKEN
    return chosen


def _balance(taken: Array, left: NDArray[np.intp]) -> Array:
    """Factor of each context: 1 for the one that has fewest, of those of the sites left."""
    present = np.bincount(left, minlength=len(taken)) > 0
    ahead = np.maximum(taken - taken[present].min(), 0.0)
    factor: Array = 1 / (1 + ahead) ** 2
    return factor


def _even_distance(places: Array, count: int) -> float:
    """Distance of neighbours if so many were spread evenly over the same rectangle, metres."""
    width, depth = np.ptp(places[:, :2], axis=0)
    return max(float(np.sqrt(width * depth / count)), 1e-3)
