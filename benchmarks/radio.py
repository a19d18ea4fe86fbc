"""Radio layers of one downtown view, beside the plain use of Sionna's radio map solver.

The plain way puts a mesh of the visible surface exactly onto the surface and shoots one
large number of rays for each transmitter, with line of sight counted like all else.
"""

from __future__ import annotations

import time
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.clock import Row, median_seconds
from benchmarks.render import downtown
from vasgen.bundle import SceneBundle
from vasgen.camera import Camera
from vasgen.layers import ImageLayers
from vasgen.orchestrate import place_transmitters, plan_views
from vasgen.raycast import RayCaster
from vasgen.render import Renderer
from vasgen.spec import RadioSpec, RenderSpec, TransmittersSpec, ViewsSpec
from vasgen.transmitter import Transmitter
from vasgen.vas import Tracer
from vasgen.vas.radio_scene import RadioScene, triangle_mesh
from vasgen.vas.surface import VisibleSurface, visible_surface

_RAYS = 4_000_000


class _Case(NamedTuple):
    bundle: SceneBundle
    camera: Camera
    image: ImageLayers
    transmitters: list[Transmitter]


def measure() -> list[Row]:
    """Time and error at equal rays, then growth with rays, depth and pixels."""
    case = _case()
    spec = RadioSpec(rays=_RAYS, refraction=False)
    tracer = Tracer(case.bundle, spec)
    seconds = median_seconds(lambda: _trace(tracer, case), 2)
    caster = RayCaster(case.bundle)
    surface = visible_surface(case.camera, case.image.depth, case.image.normal, "lattice", caster)
    start = time.perf_counter()
    plain = _plain(case, surface, spec)
    plain_seconds = time.perf_counter() - start
    ours = _trace(tracer, case)
    lit = ours.line_of_sight[0]
    friis = _friis(case, spec)
    pairs = len(case.transmitters)
    rows = [
        Row(
            f"a view for {pairs} transmitters, {_RAYS / 1e6:g} M rays, depth {spec.max_depth}",
            f"{seconds:.1f} s",
            f"{plain_seconds:.1f} s",
            "Sionna's RadioMapSolver on the surface itself",
        ),
        Row(
            "  lit pixels below free space by > 1 dB",
            f"{_share_below(ours.path_gain_db[0], friis, lit):.1%}",
            f"{_share_below(plain, friis, lit):.1%}",
            "shadow borders aside, none can be: the direct path alone brings it",
        ),
    ]
    return rows + _growth(case)


def _growth(case: _Case) -> list[Row]:
    rows = []
    base = RadioSpec(rays=1_000_000)
    steps = {
        "1 M rays, depth 20": (base, 1),
        "4 M rays, depth 20": (base.model_copy(update={"rays": 4_000_000}), 1),
        "1 M rays, depth 5": (base.model_copy(update={"max_depth": 5}), 1),
        "1 M rays, depth 20, a quarter of the pixels": (base, 2),
    }
    for name, (spec, shrink) in steps.items():
        tracer = Tracer(case.bundle, spec)
        smaller = _shrunk(case, shrink)
        seconds = median_seconds(lambda t=tracer, c=smaller: _trace(t, c), 2)
        rows.append(Row(f"  {name}", f"{seconds:.1f} s"))
    return rows


def _case() -> _Case:
    bundle, _ = downtown()
    transmitters = place_transmitters(bundle, TransmittersSpec())
    camera = plan_views(bundle, ViewsSpec(), 0, transmitters=transmitters)[0]
    image = Renderer(bundle, RenderSpec()).layers(camera, rgb=False)
    return _Case(bundle, camera, image, transmitters)


def _shrunk(case: _Case, factor: int) -> _Case:
    camera = case.camera.resized(case.camera.width // factor, case.camera.height // factor)
    image = Renderer(case.bundle, RenderSpec()).layers(camera, rgb=False)
    return case._replace(camera=camera, image=image)


def _trace(tracer: Tracer, case: _Case) -> Any:
    return tracer.trace(case.camera, case.image.depth, case.image.normal, case.transmitters)


def _plain(case: _Case, surface: VisibleSurface, spec: RadioSpec) -> NDArray[np.float64]:
    """Path gain of the first transmitter, dB, (H, W); -inf where no ray arrived."""
    import mitsuba as mi

    radio = RadioScene(case.bundle, spec, np.zeros(3))
    gain = np.zeros((0, surface.num_pixels))
    for transmitter in case.transmitters:
        radio.set_transmitters([transmitter])
        faces = (
            4 * np.arange(len(surface.pixel))[:, None, None] + np.array([[0, 1, 2], [0, 2, 3]])
        ).reshape(-1, 3)
        mesh = triangle_mesh(mi, "surface", surface.corners.reshape(-1, 3), faces)
        mesh.set_bsdf(mi.load_dict({"type": "diffuse"}))
        found = radio.rt.RadioMapSolver()(
            radio.scene,
            measurement_surface=mesh,
            samples_per_tx=spec.rays,
            max_depth=spec.max_depth,
            refraction=spec.refraction,
            diffraction=True,
        )
        cell = np.array(found.path_gain, np.float64)[0].reshape(-1, 2).mean(axis=1)
        energy = np.bincount(surface.pixel, cell * surface.quad_area, surface.num_pixels)
        gain = np.concatenate([gain, [energy / np.maximum(surface.pixel_area, 1e-12)]])
    with np.errstate(divide="ignore"):
        first: NDArray[np.float64] = 10 * np.log10(gain[0]).reshape(case.image.depth.shape)
    return first


def _friis(case: _Case, spec: RadioSpec) -> NDArray[np.float64]:
    points = case.camera.back_project(case.image.depth)
    distance = np.linalg.norm(points - np.array(case.transmitters[0].position), axis=-1)
    wavelength = 299_792_458.0 / spec.frequency_hz
    loss: NDArray[np.float64] = 20 * np.log10(wavelength / (4 * np.pi * distance))
    return loss


def _share_below(
    gain_db: NDArray[Any], friis_db: NDArray[np.float64], lit: NDArray[np.bool_]
) -> float:
    return float((gain_db[lit] < friis_db[lit] - 1.0).mean())
