"""Bending: the paths of one transmitter to one view that an edge bends."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vasgen.vas.edges.bent_paths import Ends
from vasgen.vas.edges.diffraction import Diffraction
from vasgen.vas.edges.mirrored_ways import MirroredWays
from vasgen.vas.edges.wedge_search import wedge_candidates
from vasgen.vas.paths.paths import Points
from vasgen.vas.surfaces.surface import ReceiverSurface

Array = NDArray[np.float64]


class Bending:
    """First-order diffracted paths, and those that are mirrored once as well.

    The search for candidates runs once, at the middles of a few pixels; paths are then proved
    for any points.

    Args:
        diffraction: from the transmitter.
        surface: of the view.
        origin: (3,) origin of the traced coordinates, world metres.
        mirrored: from the transmitter; None for paths without mirrors alone.
    """

    def __init__(
        self,
        diffraction: Diffraction,
        surface: ReceiverSurface,
        origin: Array,
        mirrored: MirroredWays | None = None,
    ) -> None:
        self._surface = surface
        self._searched = [(diffraction.paths, wedge_candidates(diffraction, surface, origin))]
        if mirrored is not None:
            self._searched.append(mirrored.search(surface))

    def ends(self, points: Points) -> list[Ends]:
        """Paths to points on footprints of the surface.

        Args:
            points: of the same surface; any number on each pixel.

        Returns:
            Paths without a mirror; then those with one, if they were asked for.
        """
        return [
            paths.find(*found.at(points, self._surface), points.target)
            for paths, found in self._searched
        ]
