"""The partition: which paths are evaluated in closed form, so that rays need not be counted.

A path is closed-form if it was never scattered diffusely, passes through at most so many slabs,
and no mirror turns it, or those that do are known to light the place where it ends. All other
paths are the remainder, and counted: those of more reflections or of surfaces that are no mirrors,
and those that the search for mirrors has missed or held to be negligible. So no mirrored path is
in both parts, and none in neither but for what slabs weaken beyond measure, and one chain and cell
in ten thousand that the table takes for known. Edges are no part of this: rays do not bend.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vasgen.vas.counting.receivers import Sieve
from vasgen.vas.scene.plane_lookup import PlaneLookup
from vasgen.vas.surfaces.keys import KeySet, mixed

Index = NDArray[np.int64]
Keys = NDArray[np.uint64]

#: Slabs that a closed-form path passes through, at most.
MOST_SLABS = 8


@dataclass
class Way:
    """Of rays under way, as Mitsuba arrays.

    Attributes:
        exact: whether they may be closed-form: not scattered, and not through too much.
        sought: whether they are closed-form if they are found: no surface that mirrored them is
            too small for the search, and there were not too many.
        mirrors: hash of the planes that mirrored them, ``mi.UInt64``; zero if none did.
        mirrored: number of these.
        passed: number of slabs they went through, ``mi.UInt32``.
    """

    exact: Any
    sought: Any
    mirrors: Any
    mirrored: Any
    passed: Any


class Lit(NamedTuple):
    """What chains of mirrors are known to light.

    Attributes:
        cell: (N,) int64, over the cells of all views.
        chain: (N, R) int64, planes in the order a path meets them; -1 behind the last.
    """

    cell: Index
    chain: Index

    def keys(self) -> Keys:
        """Hashes of chains and the cells that they light, as rays have them."""
        key = np.zeros(len(self.cell), np.uint64)
        for plane in self.chain.T:
            key = np.where(plane < 0, key, mixed(key, (plane + 1).astype(np.uint64)))
        return np.asarray(mixed(key, self.cell.astype(np.uint64)))


class Partition:
    """Tells the two kinds of paths apart, from bounce to bounce.

    Args:
        lookup: which plane a ray hits.
        cell: (P,) int64, cell of each pixel of all views in a row.
        reflections: most mirrors on a path that is sought.
    """

    def __init__(self, lookup: PlaneLookup, cell: Index, reflections: int) -> None:
        import drjit as dr
        import mitsuba as mi

        self._lookup = lookup
        self._most = dr.opaque(mi.UInt32, reflections)
        self._cell = mi.UInt32(cell.astype(np.uint32))
        self.learn([])

    def learn(self, keys: Sequence[Keys]) -> None:
        """Set what mirrors are known to light, as :meth:`Lit.keys`; nothing else is."""
        self._known = KeySet(np.concatenate([np.zeros(0, np.uint64), *keys]))

    def start(self, rays: int) -> Way:
        """Of so many rays that leave the transmitter."""
        import drjit as dr
        import mitsuba as mi

        exact, none = dr.full(mi.Bool, True, rays), dr.zeros(mi.UInt32, rays)
        return Way(exact, mi.Bool(exact), dr.zeros(mi.UInt64, rays), none, mi.UInt32(none))

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
        count = way.mirrored + dr.select(mirrored, mi.UInt32(1), mi.UInt32(0))
        slab = active & (component == InteractionType.REFRACTION)
        passed = way.passed + dr.select(slab, mi.UInt32(1), mi.UInt32(0))
        diffuse = component == InteractionType.DIFFUSE
        exact = way.exact & ~diffuse & (passed <= MOST_SLABS)
        large = dr.gather(mi.Bool, self._lookup.mirror, plane, mirrored)
        sought = way.sought & exact & (count <= self._most) & (large | ~mirrored)
        return Way(exact, sought, mirrors, count, passed)

    def sieve(self, way: Way) -> Sieve:
        """Which rays of some ways are to be counted: those not known in closed form."""
        import drjit as dr
        import mitsuba as mi

        turned = way.mirrored > 0

        def counts(pixel: Any, active: Any) -> Any:
            asked = active & way.exact & turned
            cell = dr.gather(mi.UInt32, self._cell, pixel, asked)
            known = self._known.has(mixed(way.mirrors, mi.UInt64(cell)), asked)
            return active & ~(way.exact & (known | ~turned))

        return Sieve(counts, way.sought)
