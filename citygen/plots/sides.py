"""The sides of a lot: which of them lie on a street, and where it turns a corner."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import Polygon

from vasgen.citygen.geometry import plane
from vasgen.citygen.plots.blocks import Block

Array = NDArray[np.float64]

#: A shorter side on a street gives no access.
SHORTEST_FRONTAGE_M = 7.0


class Sides:
    """The sides of a lot, and which of them lie on a street."""

    def __init__(self, polygon: Polygon, block: Block) -> None:
        ring = shapely.get_coordinates(shapely.orient_polygons(polygon).exterior)
        self.start, self.end = ring[:-1], ring[1:]
        middles = shapely.points((self.start + self.end) / 2)
        on_street = shapely.distance(middles, block.frontage) < 0.3
        # To the millimetre: of two that are equally long, every machine takes the first.
        self.lengths = plane.length(self.end - self.start).round(3) * on_street

    def front(self) -> Array | None:
        """The longest one on a street, (2, 2), or None."""
        longest = int(self.lengths.argmax())
        if self.lengths[longest] < 3.0:
            return None
        return np.stack([self.start[longest], self.end[longest]])

    def corner(self) -> Array | None:
        """(2,) corner between two sides on streets, or None."""
        step = plane.unit(self.end - self.start)
        before = np.roll(step, 1, axis=0)
        turn = before[:, 0] * step[:, 1] - before[:, 1] * step[:, 0]
        shorter = np.minimum(self.lengths, np.roll(self.lengths, 1)) * (turn > 0.75)
        best = int(shorter.argmax())
        return self.start[best] if shorter[best] > SHORTEST_FRONTAGE_M else None
