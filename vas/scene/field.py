"""The radiated field: what the one active transmitter sends into given directions."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vasgen.vas.scene.radio_scene import FreeSpace

Array = NDArray[np.float64]


def radiated_field(radio: FreeSpace, outward: Any) -> Any:
    """The far field of the scene's only transmitter, before spreading.

    Elements of all patterns and polarisations, weighted by the precoding, add up to one field.

    Args:
        radio: a scene, or free space, with exactly one transmitter set.
        outward: world directions, unit vectors, ``mi.Vector3f``.

    Returns:
        ``mi.Vector4f``: real, then imaginary parts of the two transverse components in the
        world's implicit basis.
    """
    import drjit as dr
    import mitsuba as mi
    from sionna.rt.antenna_pattern import antenna_pattern_to_world_implicit
    from sionna.rt.utils import rotation_matrix

    _, orientation, elements, _ = radio.scene.sources(True, False)
    dr.make_opaque(orientation)  # an input of the compiled kernel, which the next one uses again
    to_world = rotation_matrix(orientation)
    weights = radio.rt.RadioMapSolver()._synthetic_array_weighting(
        radio.scene, outward, elements, radio.precoding
    )
    field = mi.Vector4f(0.0)
    patterns = radio.scene.tx_array.antenna_pattern.patterns
    for pattern, weight in zip(patterns, weights, strict=True):
        sent = antenna_pattern_to_world_implicit(pattern, to_world, outward, direction="out")
        field += mi.Vector4f(weight @ sent)
    return field


def radiated_power(radio: FreeSpace, directions: Array) -> Array:
    """Radiated power gain over an isotropic antenna, (M,), in (M, 3) world unit vectors."""
    import drjit as dr
    import mitsuba as mi

    outward = mi.Vector3f(np.ascontiguousarray(directions.T, np.float32))
    return np.array(dr.squared_norm(radiated_field(radio, outward)), np.float64)
