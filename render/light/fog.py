"""Fog between the camera and what it sees: extinction and airlight.

Light on its way is dimmed by exp(-extinction distance) and replaced by airlight (Koschmieder
1924), so that black keeps 5 % of its contrast at the visibility.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vasgen.render.light.overcast import extinction

Array = NDArray[np.float64]


class Fog:
    """Fog of one density, alike everywhere.

    Args:
        mi: mitsuba in its colour variant.
        visibility_m: meteorological optical range, metres.
        airlight: (3,) radiance that replaces what is lost.
    """

    def __init__(self, mi: Any, visibility_m: float, airlight: Array) -> None:
        import drjit as dr

        self.extinction_per_m = extinction(visibility_m)
        self.extinction = mi.Float(self.extinction_per_m)
        self._airlight = mi.Color3f(airlight.tolist())
        dr.make_opaque(self.extinction, self._airlight)

    def left(self, distance: Any) -> Any:
        """Share of the light that is left after a distance in metres: Float."""
        import drjit as dr

        return dr.exp(-self.extinction * distance)

    def gained(self, left: Any) -> Any:
        """Radiance that replaces what was lost, Color3f."""
        return (1 - left) * self._airlight
