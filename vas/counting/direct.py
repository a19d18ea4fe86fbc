"""The direct path in closed form: Friis over the visible part of each pixel's footprint."""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vasgen.vas.scene.field import radiated_field
from vasgen.vas.scene.radio_scene import RadioScene
from vasgen.vas.scene.visibility import blocked, opaque_point
from vasgen.vas.surfaces.surface import RAY_EPSILON, ReceiverSurface

Array = NDArray[np.float64]

_POINTS_PER_SIDE = 2  # stratified points a quad and direction, for penumbra pixels


class Direct(NamedTuple):
    """Direct power on each pixel.

    Attributes:
        gain: (P,) float64, path gain, linear, averaged over the footprint.
        visible: (P,) bool, whether any point of the footprint sees the transmitter.
    """

    gain: Array
    visible: NDArray[np.bool_]


def trace_direct(radio: RadioScene, surface: ReceiverSurface, position: Array) -> Direct:
    """Line of sight from one transmitter.

    The path gain at distance r is G (wavelength / (4 pi r))^2 with the antenna's gain G in
    that direction (Friis 1946, isotropic receiver).

    Args:
        radio: the scene with only this transmitter set.
        surface: the receiver.
        position: (3,) transmitter, world metres.
    """
    import drjit as dr
    import mitsuba as mi

    points = _POINTS_PER_SIDE**2
    point, normal, lift = _sample_points(radio, surface)
    source = opaque_point(radio, position)
    towards = source - point
    # Without a normal no side is the wrong one.
    facing = dr.dot(towards - lift * normal, normal) >= 0
    seen = facing & ~blocked(radio, point + lift * normal, source, facing)
    distance = dr.norm(towards)
    outward = mi.Vector3f(-towards / dr.maximum(distance, 1e-9))
    if surface.slab is not None:
        distance = dr.maximum(distance, surface.slab.nearest_m)
    power = dr.squared_norm(radiated_field(radio, outward))
    gain = dr.select(seen, power * dr.square(radio.scene.wavelength / (4 * dr.pi * distance)), 0.0)
    dr.eval(gain, seen)  # at once: each sum would trace the rays anew
    mean = dr.block_sum(gain, points) / points
    hits = dr.block_sum(mi.UInt32(seen), points)
    share = surface.quad_area / surface.pixel_area[surface.pixel]
    per_pixel = surface.sum_by_pixel(share * np.array(mean, np.float64))
    return Direct(per_pixel, surface.sum_by_pixel(np.array(hits, np.float64)) > 0)


def _sample_points(radio: RadioScene, surface: ReceiverSurface) -> tuple[Any, Any, Any]:
    """Stratified points of every quad in traced coordinates, their normals, and their lift.

    The lift is that of :meth:`ReceiverSurface.offset_m`.
    """
    import drjit as dr
    import mitsuba as mi

    table = np.zeros((len(surface.pixel), 16), np.float32)
    table[:, :12] = (surface.corners - radio.centre).reshape(-1, 12)
    table[:, 12:15] = surface.normal
    quads = mi.Float(table.ravel())
    number = dr.arange(mi.UInt32, len(table) * _POINTS_PER_SIDE**2)
    quad, place = number // _POINTS_PER_SIDE**2, number % _POINTS_PER_SIDE**2
    s = (mi.Float(place % _POINTS_PER_SIDE) + 0.5) / _POINTS_PER_SIDE
    t = (mi.Float(place // _POINTS_PER_SIDE) + 0.5) / _POINTS_PER_SIDE
    *corners, last = (dr.gather(mi.Vector4f, quads, 4 * quad + k) for k in range(4))
    flat = [value for corner in corners for value in corner]
    a, b, c, d = (mi.Point3f(*flat[3 * k : 3 * k + 3]) for k in range(4))
    point = (1 - s) * (1 - t) * a + s * (1 - t) * b + s * t * c + (1 - s) * t * d
    reach = functools.reduce(dr.maximum, [dr.max(dr.abs(corner)) for corner in (a, b, c, d)])
    lift = 2.0 * RAY_EPSILON * (1.0 + reach)
    return mi.Point3f(point), mi.Vector3f(last.x, last.y, last.z), lift
