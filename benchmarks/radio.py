"""Radio layers of downtown views, beside the plain use of Sionna's radio map solver.

The plain way puts a mesh of the visible surface exactly onto the surface and shoots one
large number of rays for each view and transmitter, with line of sight counted like all else.
"""

from __future__ import annotations

import time
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.clock import Row, median_seconds
from benchmarks.render import downtown
from vasgen.bundle import SceneBundle
from vasgen.orchestrate import place_transmitters, plan_views
from vasgen.raycast import RayCaster
from vasgen.render import Renderer
from vasgen.spec import RadioSpec, RenderSpec, TransmittersSpec, ViewsSpec
from vasgen.transmitter import Transmitter
from vasgen.vas import Tracer, View
from vasgen.vas.radio_scene import RadioScene, triangle_mesh
from vasgen.vas.surface import ReceiverSurface, visible_surface

_RAYS = 2_000_000
_VIEWS = 6
_TRANSMITTERS = 4


class _Case(NamedTuple):
    bundle: SceneBundle
    views: list[View]
    transmitters: list[Transmitter]

    def first(self, count: int) -> _Case:
        """The case with fewer views."""
        return self._replace(views=self.views[:count])


def measure() -> list[Row]:
    """Time and error at equal rays, then growth with rays, depth, pixels and views."""
    case = _case(1)
    spec = RadioSpec(rays=_RAYS, refraction=False)
    tracer = Tracer(case.bundle, spec)
    seconds = median_seconds(lambda: tracer.trace_views(case.views, case.transmitters), 2)
    start = time.perf_counter()
    plain = _plain(case, spec)
    plain_seconds = time.perf_counter() - start
    ours = tracer.trace(*case.views[0], case.transmitters)
    lit = ours.line_of_sight[0]
    friis = _friis(case, spec)
    rows = [
        Row(
            f"{_VIEWS} views x {_TRANSMITTERS} transmitters, {_RAYS / 1e6:g} M rays each, "
            f"depth {spec.max_depth}",
            f"{seconds:.1f} s",
            f"{plain_seconds:.1f} s",
            "a loop over views and transmitters with Sionna's RadioMapSolver",
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
    base = RadioSpec(rays=1_000_000)
    one = case.first(1)
    steps = {
        "1 view, 1 M rays, depth 20": (base, one),
        "1 view, 4 M rays, depth 20": (base.model_copy(update={"rays": 4_000_000}), one),
        "1 view, 1 M rays, depth 5": (base.model_copy(update={"max_depth": 5}), one),
        "1 view, 1 M rays, depth 20, a quarter of the pixels": (base, _case(2).first(1)),
        "2 views, 1 M rays, depth 20": (base, case.first(2)),
        f"{_VIEWS} views, 1 M rays, depth 20": (base, case),
        f"{_VIEWS} views, counting rays alone": (
            base.model_copy(update={"line_of_sight": False, "diffraction": False}),
            case,
        ),
    }
    rows = []
    for name, (spec, some) in steps.items():
        tracer = Tracer(case.bundle, spec)
        seconds = median_seconds(
            lambda t=tracer, c=some: t.trace_views(c.views, c.transmitters[:1]), 2
        )
        rows.append(Row(f"  {name}", f"{seconds:.1f} s"))
    return rows


def _case(shrink: int) -> _Case:
    bundle, _ = downtown()
    transmitters = place_transmitters(bundle, TransmittersSpec(count=_TRANSMITTERS))
    renderer = Renderer(bundle, RenderSpec())
    views = []
    for planned in plan_views(bundle, ViewsSpec(count=_VIEWS), 0, transmitters=transmitters):
        camera = planned.resized(planned.width // shrink, planned.height // shrink)
        image = renderer.layers(camera, rgb=False)
        views.append(View(camera, image.depth, image.normal))
    return _Case(bundle, views, transmitters)


def _plain(case: _Case, spec: RadioSpec) -> NDArray[np.float64]:
    """Path gain of the first view and transmitter, dB, (H, W); -inf where no ray arrived."""
    found = []
    for view in case.views:
        surface = visible_surface(*view, "lattice", RayCaster(case.bundle))
        for transmitter in case.transmitters:
            radio = RadioScene(case.bundle, spec, np.zeros(3))
            radio.set_transmitters([transmitter])
            found.append(_plain_gain(radio, surface, spec))
    with np.errstate(divide="ignore"):
        first: NDArray[np.float64] = 10 * np.log10(found[0]).reshape(case.views[0].depth.shape)
    return first


def _plain_gain(
    radio: RadioScene, surface: ReceiverSurface, spec: RadioSpec
) -> NDArray[np.float64]:
    import mitsuba as mi

    first = 4 * np.arange(len(surface.pixel))[:, None, None]
    faces = (first + np.array([[0, 1, 2], [0, 2, 3]])).reshape(-1, 3)
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
    gain: NDArray[np.float64] = energy / np.maximum(surface.pixel_area, 1e-12)
    return gain


def _friis(case: _Case, spec: RadioSpec) -> NDArray[np.float64]:
    camera, depth, _ = case.views[0]
    points = camera.back_project(depth)
    distance = np.linalg.norm(points - np.array(case.transmitters[0].position), axis=-1)
    wavelength = 299_792_458.0 / spec.frequency_hz
    loss: NDArray[np.float64] = 20 * np.log10(wavelength / (4 * np.pi * distance))
    return loss


def _share_below(
    gain_db: NDArray[np.floating], friis_db: NDArray[np.float64], lit: NDArray[np.bool_]
) -> float:
    return float((gain_db[lit] < friis_db[lit] - 1.0).mean())
