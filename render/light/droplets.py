"""How droplets, of clouds and of fog, scatter light."""

from __future__ import annotations

import math
from typing import Any

#: One minus the asymmetry of droplets: how much of the light's direction one scattering takes.
TURNED = 0.15


def lobe(cosine: Any, asymmetry: float) -> Any:
    """Share of the scattered light that goes into an angle, per steradian.

    Henyey and Greenstein (1941).

    Args:
        cosine: Float, of the angle between the ways before and after.
        asymmetry: mean cosine, above -1 and below 1.
    """
    import drjit as dr

    base = 1 + asymmetry**2 - 2 * asymmetry * cosine
    return (1 - asymmetry**2) / (4 * math.pi) * dr.rcp(base * dr.sqrt(base))
