"""The plain loop: Sionna's radio map solver, once for each view and transmitter.

What a careful user writes without this package: load the scene, put a mesh of what the camera
sees in front of the surfaces, by twice the ray tracer's epsilon, and shoot one large number of
rays. The mesh itself is lent by this package and its making is not timed. Diffraction is off:
on a mesh that version of the solver loses it.
"""

from __future__ import annotations

import time
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vasgen.bundle import SceneBundle
from vasgen.spec import RadioSpec
from vasgen.transmitter import Transmitter
from vasgen.vas.scene.radio_scene import RadioScene, triangle_mesh
from vasgen.vas.surfaces.surface import ReceiverSurface

Array = NDArray[np.float64]


class PlainMap(NamedTuple):
    """A map of the plain loop.

    Attributes:
        gain: (P,) path gain of each pixel, linear; zero where no ray arrived.
        seconds: what it took, the scene included.
    """

    gain: Array
    seconds: float


def plain_map(
    bundle: SceneBundle,
    spec: RadioSpec,
    surface: ReceiverSurface,
    transmitter: Transmitter,
    rays: int,
) -> PlainMap:
    """One view and one transmitter of the plain loop."""
    start = time.perf_counter()
    radio = RadioScene(bundle, spec, np.zeros(3))
    radio.set_transmitter(transmitter)
    found = radio.rt.RadioMapSolver()(
        radio.scene,
        measurement_surface=_mesh(surface),
        precoding_vec=radio.precoding,
        samples_per_tx=rays,
        max_depth=spec.max_depth,
        refraction=spec.refraction,
        diffraction=False,
    )
    cell = np.array(found.path_gain, np.float64)[0].reshape(-1, 2).mean(axis=1)
    energy = surface.sum_by_pixel(cell * surface.quad_area)
    gain = energy / np.maximum(surface.pixel_area, 1e-12)
    return PlainMap(gain, time.perf_counter() - start)


def _mesh(surface: ReceiverSurface) -> object:
    import mitsuba as mi

    lift = surface.offset_m(np.zeros(3))[:, None, None] * surface.normal[:, None]
    first = 4 * np.arange(len(surface.pixel))[:, None, None]
    faces = (first + np.array([[0, 1, 2], [0, 2, 3]])).reshape(-1, 3)
    mesh = triangle_mesh(mi, "surface", (surface.corners + lift).reshape(-1, 3), faces)
    mesh.set_bsdf(mi.load_dict({"type": "diffuse"}))
    return mesh
