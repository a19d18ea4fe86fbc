"""Shots: surfaces that the rays of a transmitter are shot onto together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from vasgen.vas.surfaces.surface import ReceiverSurface

#: The radio scene is centred on a grid this wide, metres: the steps that rays keep from a
#: surface grow with the distance from the centre (to about 3 cm here). A fixed grid, so that
#: a view's labels do not depend on the views traced with it.
_CENTRE_GRID_M = 500.0

#: Pixels that are counted at once: some 140 bytes each.
_PIXELS_AT_ONCE = 20_000_000


class Shot(NamedTuple):
    """Surfaces whose rays are shot together.

    Attributes:
        centre: of their coordinates, world metres.
        surfaces: their numbers.
    """

    centre: tuple[float, ...]
    surfaces: list[int]


def shots_of(surfaces: Sequence[ReceiverSurface]) -> list[Shot]:
    """Surfaces that have any area, in groups that bound the memory.

    The centre follows from a surface alone, so that its labels do not depend on the views
    around it.
    """
    groups: dict[tuple[float, ...], list[int]] = {}
    for number, surface in enumerate(surfaces):
        if len(surface.pixel):
            middle = np.median(surface.quad_centres, axis=0)
            near = np.round(middle / _CENTRE_GRID_M) * _CENTRE_GRID_M + 0.0
            groups.setdefault(tuple(near.tolist()), []).append(number)
    shots = []
    for centre, numbers in groups.items():
        most = max(surfaces[number].num_pixels for number in numbers)
        size = max(1, _PIXELS_AT_ONCE // most)
        parts = [numbers[begin : begin + size] for begin in range(0, len(numbers), size)]
        shots += [Shot(centre, part) for part in parts]
    return shots
