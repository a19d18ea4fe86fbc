"""The radiated field: what the one active transmitter sends into given directions."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vasgen.vas.radio_scene import RadioScene, uniform_precoding

Array = NDArray[np.float64]


class RadiatedField(NamedTuple):
    """Far field of a transmit array, before spreading.

    Attributes:
        jones: one real 4-vector (Re, Im of the two transverse components) per element
            pattern, in the world's implicit basis.
        weights: one real 4x4 matrix per element pattern: array factor and precoding.
    """

    jones: list[Any]
    weights: list[Any]

    def power(self) -> Array:
        """Radiated power gain over an isotropic antenna, (M,)."""
        import drjit as dr
        import mitsuba as mi

        pairs = zip(self.weights, self.jones, strict=True)
        total = sum((weight @ field for weight, field in pairs), mi.Vector4f(0.0))
        return np.array(dr.squared_norm(total), np.float64)


def radiated_field(radio: RadioScene, directions: Array) -> RadiatedField:
    """The field the scene's only transmitter sends into world directions.

    Args:
        radio: a radio scene with exactly one transmitter set.
        directions: (M, 3) unit vectors.
    """
    import mitsuba as mi
    from sionna.rt.antenna_pattern import antenna_pattern_to_world_implicit
    from sionna.rt.utils import rotation_matrix

    outward = mi.Vector3f(np.ascontiguousarray(directions.T, np.float32))
    _, orientation, elements, _ = radio.scene.sources(True, False)
    to_world = rotation_matrix(orientation)
    jones = [
        antenna_pattern_to_world_implicit(pattern, to_world, outward, direction="out")
        for pattern in radio.scene.tx_array.antenna_pattern.patterns
    ]
    weights = radio.rt.RadioMapSolver()._synthetic_array_weighting(
        radio.scene, outward, elements, uniform_precoding(radio)
    )
    return RadiatedField(jones, weights)
