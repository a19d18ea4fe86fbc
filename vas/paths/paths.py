"""Paths: the ways from a transmitter to the points of a surface, as geometry alone.

A path is a point and a chain: the planes that mirror the wave or let it pass, and the edge that
bends it, in the order in which it meets them. With the positions of the transmitter and of the
point that says all: its legs, lengths and directions follow (:mod:`vasgen.vas.paths.legs`), and
with materials and antennas its field (:mod:`vasgen.vas.paths.path_field`). So paths are found once,
and serve every frequency, material, antenna and power.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from vasgen.layers import MECHANISMS
from vasgen.vas.scene.planes import Planes
from vasgen.vas.scene.wedges import Wedges
from vasgen.vas.surfaces.surface import Target

Array = NDArray[np.float64]
Index = NDArray[np.int64]


class Event(IntEnum):
    """What happens to a wave where a path meets the scene."""

    NONE = -1
    REFLECTION = 0
    TRANSMISSION = 1
    DIFFRACTION = 2


@dataclass(frozen=True, eq=False)
class Points:
    """Where paths end: points on the footprints of pixels.

    Most pixels have one, their middle; where the power changes from pixel to pixel there are
    several, and a label is their weighted mean.

    Attributes:
        pixel: (P,) int64, row-major index of the pixel of each, ascending.
        weight: (P,) float64, share of its pixel's footprint; they sum to one over each pixel.
        target: (P, 3) positions, lifted off the surface, and normals.
    """

    pixel: Index
    weight: Array
    target: Target

    def __len__(self) -> int:
        return len(self.pixel)


@dataclass(frozen=True, eq=False)
class Chains:
    """What paths meet on their way, one row a chain; D columns, filled from the left.

    Attributes:
        event: (C, D) int8, of :class:`Event`; -1 behind the last.
        element: (C, D) int32, number of the plane, or of the wedge for a diffraction; -1.
        material: (C, D) int32, radio material there; -1.
    """

    event: NDArray[np.int8]
    element: NDArray[np.int32]
    material: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.event)

    @cached_property
    def mechanism(self) -> NDArray[np.uint8]:
        """Number in :data:`vasgen.layers.MECHANISMS` of each chain, (C,).

        A path is diffracted if it is bent anywhere, else reflected if mirrored anywhere, else
        transmitted if it passes through anything.
        """
        mechanism = np.full(len(self), MECHANISMS.index("line of sight"), np.uint8)
        for event, name in (
            (Event.TRANSMISSION, "transmission"),
            (Event.REFLECTION, "reflection"),
            (Event.DIFFRACTION, "diffraction"),
        ):
            mechanism[(self.event == event).any(axis=1)] = MECHANISMS.index(name)
        return mechanism


@dataclass(frozen=True, eq=False)
class Paths:
    """All paths from one transmitter to points of one surface.

    Attributes:
        source: (3,) float64, the transmitter, world metres.
        points: where paths may end; a point may have many paths or none.
        chains: what they meet; of at most one diffraction each.
        planes: that ``chains`` refer to.
        wedges: that ``chains`` refer to.
        point: (N,) int32, row of ``points`` each path ends in.
        chain: (N,) int32, row of ``chains`` of each path.
    """

    source: Array
    points: Points
    chains: Chains
    planes: Planes
    wedges: Wedges
    point: NDArray[np.int32]
    chain: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.point)

    def take(self, index: NDArray[np.generic]) -> Paths:
        """Some of the paths, by number or mask; points and chains stay."""
        return Paths(
            self.source,
            self.points,
            self.chains,
            self.planes,
            self.wedges,
            self.point[index],
            self.chain[index],
        )

    @property
    def mechanism(self) -> NDArray[np.uint8]:
        """Number in :data:`vasgen.layers.MECHANISMS` of each path, (N,)."""
        return self.chains.mechanism[self.chain]
