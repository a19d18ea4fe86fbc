"""The partition: which paths are evaluated in closed form, so that rays need not be counted.

A path is closed-form if it was never scattered diffusely, passes through at most so many slabs,
and no mirror turns it, or those that do are known to light the place where it ends. All other
paths are the remainder, and counted: those of more reflections or of surfaces that are no mirrors,
and those that the search for mirrors has missed or held to be negligible. So nothing is in
both parts, and nothing in neither.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vasgen.vas.counting.receivers import Chooses
from vasgen.vas.scene.plane_lookup import PlaneLookup
from vasgen.vas.surfaces.keys import KeySet, mixed

Index = NDArray[np.int64]

#: Slabs that a closed-form path passes through, at most.
MOST_SLABS = 8


@dataclass
class Way:
    """Of rays under way, as Mitsuba arrays.

    Attributes:
        exact: whether they may be closed-form: not scattered, and not through too much.
        mirrors: hash of the planes that mirrored them, ``mi.UInt64``; zero if none did.
        passed: number of slabs they went through, ``mi.UInt32``.
    """

    exact: Any
    mirrors: Any
    passed: Any


class Lit(NamedTuple):
    """What chains of mirrors are known to light.

    Attributes:
        cell: (N,) int64, over the cells of all views.
        chain: (N, R) int64, planes in the order a path meets them; -1 behind the last.
    """

    cell: Index
    chain: Index


class Partition:
    """Tells the two kinds of paths apart, from bounce to bounce.

    Args:
        lookup: which plane a ray hits.
        cell: (P,) int64, cell of each pixel of all views in a row.
    """

    def __init__(self, lookup: PlaneLookup, cell: Index) -> None:
        import mitsuba as mi

        self._lookup = lookup
        self._cell = mi.UInt32(cell.astype(np.uint32))
        self.learn([])

    def learn(self, lit: Sequence[Lit]) -> None:
        """Set what mirrors are known to light; nothing else is."""
        keys = [_keys(some) for some in lit]
        self._known = KeySet(np.concatenate([np.zeros(0, np.uint64), *keys]))

    def start(self, rays: int) -> Way:
        """Of so many rays that leave the transmitter."""
        import drjit as dr
        import mitsuba as mi

        exact = dr.full(mi.Bool, True, rays)
        return Way(exact, dr.zeros(mi.UInt64, rays), dr.zeros(mi.UInt32, rays))

    def after(self, way: Way, hit: Any, component: Any, active: Any) -> Way:
        """Of rays that leave a surface again.

        Args:
            way: before they met it.
            hit: where they did.
            component: what they do there, a number of Sionna's interaction types.
            active: which rays there are.
        """
        import drjit as dr
        import mitsuba as mi
        from sionna.rt.constants import InteractionType

        mirrored = active & (component == InteractionType.SPECULAR)
        plane = self._lookup(hit, mirrored)
        mirrors = dr.select(mirrored, mixed(way.mirrors, mi.UInt64(plane + 1)), way.mirrors)
        slab = active & (component == InteractionType.REFRACTION)
        passed = way.passed + dr.select(slab, mi.UInt32(1), mi.UInt32(0))
        diffuse = component == InteractionType.DIFFUSE
        return Way(way.exact & ~diffuse & (passed <= MOST_SLABS), mirrors, passed)

    def remains(self, way: Way) -> Chooses:
        """Which rays of some ways are to be counted."""
        import drjit as dr
        import mitsuba as mi

        def counts(pixel: Any, active: Any) -> Any:
            turned = way.mirrors != 0
            asked = active & way.exact & turned
            cell = dr.gather(mi.UInt32, self._cell, pixel, asked)
            known = self._known.has(mixed(way.mirrors, mi.UInt64(cell)), asked)
            return active & ~(way.exact & (known | ~turned))

        return counts


def _keys(lit: Lit) -> NDArray[np.uint64]:
    """Hashes of chains and the cells that they light, as rays have them."""
    key = np.zeros(len(lit.cell), np.uint64)
    for plane in lit.chain.T:
        key = np.where(plane < 0, key, mixed(key, (plane + 1).astype(np.uint64)))
    return np.asarray(mixed(key, lit.cell.astype(np.uint64)))
