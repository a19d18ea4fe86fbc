"""Visibility in a radio scene, for points that are already on the device."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vasgen.vas.scene.radio_scene import FreeSpace
from vasgen.vas.surfaces.surface import RAY_EPSILON

Array = NDArray[np.float64]


def on_device(radio: FreeSpace, points: Array) -> Any:
    """Points as ``mi.Point3f``, in the traced coordinates.

    Args:
        radio: whose coordinates.
        points: (N, 3) world metres.
    """
    import mitsuba as mi

    return mi.Point3f(np.ascontiguousarray((points - radio.centre).T, np.float32))


def opaque_point(radio: FreeSpace, point: Array) -> Any:
    """One point as ``mi.Point3f``: an input of compiled kernels, which the next one uses again.

    Args:
        radio: whose coordinates.
        point: (3,) world metres.
    """
    import drjit as dr
    import mitsuba as mi

    return mi.Point3f(*(dr.opaque(mi.Float, float(x)) for x in point - radio.centre))


def blocked(radio: FreeSpace, start: Any, end: Any, active: Any = True) -> Any:
    """Whether something lies strictly between each start and its end, ``mi.Bool``.

    Surfaces within a few float32 roundings of either end do not count.

    Args:
        radio: the scene.
        start: ``mi.Point3f``, traced coordinates.
        end: the same.
        active: which of them to ask for; for all others the answer is False.
    """
    import drjit as dr
    import mitsuba as mi

    way = end - start
    reach = dr.maximum(dr.max(dr.abs(start)), dr.max(dr.abs(end)))
    # Mitsuba's own ray epsilon, as a share of the way, is left out at each end.
    share = dr.minimum(RAY_EPSILON * (1 + reach) / dr.maximum(dr.norm(way), 1e-30), 0.5)
    ray = mi.Ray3f(
        o=start + share * way,
        d=mi.Vector3f(way * (1 - 2 * share)),
        maxt=1.0,
        time=0.0,
        wavelengths=[],
    )
    return radio.scene.mi_scene.ray_test(ray, active)
