"""Ways over edges: the candidates for paths that are bent once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vasgen.vas.paths.paths import Chains, Event
from vasgen.vas.scene.wedges import Wedges

Array = NDArray[np.float64]
Index = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Ways:
    """Ways over an edge, and by way of at most one mirror.

    Attributes:
        wedge: (B,) int64, among the wedges of the scene.
        before: (B,) int64, plane that mirrors the wave before the edge; -1 for none.
        after: (B,) int64, plane that mirrors it behind the edge; -1 for none. No way has both.
    """

    wedge: Index
    before: Index
    after: Index

    def __len__(self) -> int:
        return len(self.wedge)

    def take(self, index: NDArray[np.generic]) -> Ways:
        """Some of the ways."""
        return Ways(self.wedge[index], self.before[index], self.after[index])

    @classmethod
    def plain(cls, wedge: Index) -> Ways:
        """Ways over some wedges without any mirror."""
        none = np.full(len(wedge), -1)
        return cls(wedge, none, none)

    @property
    def mirror(self) -> Index:
        """The plane that mirrors the wave, before or behind the edge, (B,); -1 for none."""
        return np.maximum(self.before, self.after)

    def chains(self, wedges: Wedges, material: Index) -> Chains:
        """A chain for each way.

        Args:
            wedges: of the scene.
            material: (B,) radio material of the mirror; of no meaning without one.
        """
        plane = self.mirror
        mirrored = np.flatnonzero(plane >= 0)
        shape = (len(self), 2 if len(mirrored) else 1)
        event, element, met = (np.full(shape, Event.NONE.value) for _ in range(3))
        place = np.where(self.before >= 0, 1, 0)
        every = np.arange(len(self))
        event[every, place], element[every, place] = Event.DIFFRACTION, self.wedge
        met[every, place] = wedges.material[self.wedge]
        other = 1 - place[mirrored]
        event[mirrored, other], element[mirrored, other] = Event.REFLECTION, plane[mirrored]
        met[mirrored, other] = material[mirrored]
        return Chains(event.astype(np.int8), element.astype(np.int32), met.astype(np.int32))


def facing(wedges: Wedges, source: Array) -> Index:
    """Numbers of the wedges of which at least one face looks at a source, (3,) world metres."""
    reach = wedges.origin - source
    looks = [np.einsum("wc,wc->w", reach, n) < 0 for n in (wedges.normal_0, wedges.normal_n)]
    return np.flatnonzero(looks[0] | looks[1])
