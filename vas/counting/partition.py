"""The partition: which paths are evaluated in closed form, so that rays need not be counted.

A path is closed-form if it was never scattered diffusely, passes through at most so many slabs, and
has at most so many mirror reflections, each of them at a plane that the search looks at
(:attr:`vasgen.vas.scene.planes.Facets.mirror`). All other paths are the remainder, and counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from vasgen.vas.scene.plane_lookup import PlaneLookup

#: Slabs that a closed-form path passes through, at most.
MOST_SLABS = 8


@dataclass
class Known:
    """Of rays on their way, as Mitsuba arrays.

    Attributes:
        exact: whether the path so far is closed-form, ``mi.Bool``.
        mirrored: number of its mirror reflections, ``mi.UInt32``.
        passed: number of slabs it went through, ``mi.UInt32``.
    """

    exact: Any
    mirrored: Any
    passed: Any


class Partition:
    """Tells the two kinds of paths apart, from bounce to bounce.

    Args:
        lookup: which plane a ray hits, and which planes mirror in closed form.
        reflections: most mirror reflections of a closed-form path.
    """

    def __init__(self, lookup: PlaneLookup, reflections: int) -> None:
        import drjit as dr
        import mitsuba as mi

        self._lookup = lookup
        self._most = dr.opaque(mi.UInt32, reflections)

    def start(self, rays: int) -> Known:
        """Of so many rays that leave the transmitter."""
        import drjit as dr
        import mitsuba as mi

        return Known(
            dr.full(mi.Bool, True, rays), dr.zeros(mi.UInt32, rays), dr.zeros(mi.UInt32, rays)
        )

    def after(self, known: Known, hit: Any, component: Any, active: Any) -> Known:
        """Of rays that leave a surface again.

        Args:
            known: before they met it.
            hit: where they did.
            component: what they do there, a number of Sionna's interaction types.
            active: which rays there are.
        """
        import drjit as dr
        import mitsuba as mi
        from sionna.rt.constants import InteractionType

        mirrored = active & (component == InteractionType.SPECULAR)
        plane = self._lookup(hit, mirrored)
        flat = dr.gather(mi.Bool, self._lookup.mirror, plane, mirrored)
        count = known.mirrored + dr.select(mirrored, mi.UInt32(1), mi.UInt32(0))
        slab = active & (component == InteractionType.REFRACTION)
        passed = known.passed + dr.select(slab, mi.UInt32(1), mi.UInt32(0))
        beyond = (mirrored & ~flat) | (count > self._most) | (passed > MOST_SLABS)
        diffuse = component == InteractionType.DIFFUSE
        return Known(known.exact & ~beyond & ~diffuse, count, passed)
