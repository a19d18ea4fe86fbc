"""What radio layers cost: seconds against everything they grow with, and the floor below."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.clock import Row
from benchmarks.plots import Curve, draw_curves
from vasgen.bundle import Mesh, SceneBundle
from vasgen.orchestrate import place_transmitters
from vasgen.raycast import RayCaster
from vasgen.render import Renderer
from vasgen.spec import RadioSpec, RenderSpec, TransmittersSpec
from vasgen.transmitter import Transmitter
from vasgen.vas import Tracer, View
from vasgen.vas.counting import coverage
from vasgen.vas.counting.coverage_solver import CoverageSolver
from vasgen.vas.counting.receivers import ImageReceiver
from vasgen.vas.scene.radio_scene import RadioScene
from vasgen.vas.surfaces.visible import visible_surface

PICTURE = Path("out/speed-radio.png")

_BASE = RadioSpec(rays=1_000_000, solver="coverage")
FLOOR_RAYS = 4_000_000

#: Parts of the work, by the method of the solver that does them.
_PARTS = {"closed form": "_closed_form", "counted rays": "_counted"}


class Setting(NamedTuple):
    """One run: a scene, its views, its transmitters and its settings."""

    bundle: SceneBundle
    views: Sequence[View]
    transmitters: Sequence[Transmitter]
    spec: RadioSpec = _BASE


def measure(
    bundle: SceneBundle, views: Sequence[View], transmitters: Sequence[Transmitter]
) -> list[Row]:
    """Growth with all that matters, drawn into ``out/speed-radio.png``; then the floor."""
    base = Setting(bundle, views[:1], transmitters[:1])
    _seconds(base)  # compiles the kernels
    curves = [_curve(name, settings) for name, settings in _series(base, views)]
    PICTURE.parent.mkdir(exist_ok=True)
    draw_curves(
        curves,
        PICTURE,
        "What radio layers cost",
        "seconds from scene to labels; "
        f"all else 1 view of 640 x 480, 1 transmitter, {_BASE.rays / 1e6:g} M rays",
    )
    rows = [
        Row(
            f"  cost against {curve.name}",
            f"{curve.seconds['total'][0]:.1f} to {curve.seconds['total'][-1]:.1f} s",
            note=f"{curve.at[0]:g} to {curve.at[-1]:g}: grows as {curve.law()}",
        )
        for curve in curves
    ]
    return rows + _floor(base, views)


def _series(
    base: Setting, views: Sequence[View]
) -> Iterator[tuple[str, dict[float, Callable[[], Setting]]]]:
    """Settings that differ in one thing, by how much there is of it."""
    many = place_transmitters(base.bundle, TransmittersSpec(count=8))
    yield (
        "pixels",
        {
            base.views[0].depth.size * scale**2: lambda s=scale: base._replace(
                views=[resized(base, s)]
            )
            for scale in (0.25, 0.5, 1.0, 2.0)
        },
    )
    yield "views", {n: lambda n=n: base._replace(views=views[:n]) for n in (1, 2, 4, 6)}
    yield (
        "transmitters",
        {n: lambda n=n: base._replace(transmitters=many[:n]) for n in (1, 2, 4, 8)},
    )
    yield "rays", {n: lambda n=n: _with(base, rays=n) for n in (250_000, 1_000_000, 4_000_000)}
    yield "depth", {n: lambda n=n: _with(base, max_depth=n) for n in (1, 2, 5, 10, 20)}
    faces = sum(len(mesh.faces) for mesh in base.bundle.meshes)
    yield (
        "triangles",
        {
            faces * 4**times: lambda t=times: base._replace(bundle=_finer(base.bundle, t))
            for times in range(3)
        },
    )


def _with(base: Setting, **update: object) -> Setting:
    return base._replace(spec=base.spec.model_copy(update=update))


def resized(base: Setting, scale: float) -> View:
    """The first view with so many times the pixels along each side."""
    camera = base.views[0].camera
    camera = camera.resized(int(camera.width * scale), int(camera.height * scale))
    image = Renderer(base.bundle, RenderSpec()).layers(camera, rgb=False)
    return View(camera, image.depth, image.normal)


def _finer(bundle: SceneBundle, times: int) -> SceneBundle:
    """The same surfaces, each triangle cut into four, so many times."""
    return dataclasses.replace(bundle, meshes=tuple(_cut(mesh, times) for mesh in bundle.meshes))


def _cut(mesh: Mesh, times: int) -> Mesh:
    for _ in range(times):
        sides = np.sort(mesh.faces[:, [[0, 1], [1, 2], [2, 0]]], axis=-1).reshape(-1, 2)
        edges, edge = np.unique(sides, axis=0, return_inverse=True)
        (a, b, c), (ab, bc, ca) = mesh.faces.T, edge.reshape(-1, 3).T + len(mesh.vertices)
        parts = [[a, ab, ca], [ab, b, bc], [ca, bc, c], [ab, bc, ca]]
        mesh = dataclasses.replace(
            mesh,
            vertices=np.concatenate([mesh.vertices, mesh.vertices[edges].mean(axis=1)]),
            faces=np.array(parts).transpose(2, 0, 1).reshape(-1, 3).astype(np.int32),
            face_class=np.repeat(mesh.face_class, 4),
            face_instance=np.repeat(mesh.face_instance, 4),
            face_visual=np.repeat(mesh.face_visual, 4),
            corner_uv=np.repeat(mesh.corner_uv, 4, axis=0),
        )
    return mesh


def _curve(name: str, settings: dict[float, Callable[[], Setting]]) -> Curve:
    found = [_seconds(make()) for make in settings.values()]
    return Curve(name, list(settings), {part: [one[part] for one in found] for part in found[0]})


def _seconds(setting: Setting) -> dict[str, float]:
    """Seconds from the scene to labels, and of the parts."""
    with _timed() as seconds:
        start = time.perf_counter()
        tracer = Tracer(setting.bundle, setting.spec)
        tracer.trace_views(setting.views, setting.transmitters)
        total = time.perf_counter() - start
    return {"total": total, **seconds}


@contextmanager
def _timed() -> Iterator[dict[str, float]]:
    """Seconds of the parts of the solver's work, filled in while it works."""
    seconds = dict.fromkeys(_PARTS, 0.0)
    originals = {part: getattr(CoverageSolver, method) for part, method in _PARTS.items()}

    def timed(part: str) -> Callable[..., None]:
        def call(*args: Any) -> None:
            start = time.perf_counter()
            originals[part](*args)
            seconds[part] += time.perf_counter() - start

        return call

    try:
        for part, method in _PARTS.items():
            setattr(CoverageSolver, method, timed(part))
        yield seconds
    finally:
        for part, method in _PARTS.items():
            setattr(CoverageSolver, method, originals[part])


def _floor(base: Setting, views: Sequence[View]) -> list[Row]:
    """Ray segments a second: of rays that only bounce, and of those that are counted."""
    radio = RadioScene(base.bundle, base.spec, np.zeros(3))
    radio.set_transmitter(base.transmitters[0])
    bare, segments = best(lambda: bounced(radio))
    caster = RayCaster(base.bundle)
    surfaces = [visible_surface(*view, "footprint", caster) for view in views]
    rows = [
        Row(
            "  floor: rays that only bounce",
            f"{segments / bare / 1e6:.1f} M/s",
            note=f"intersections a second, Embree and LLVM; {segments / FLOOR_RAYS:.1f} a ray",
        )
    ]
    counter = _Counter()
    _shot(radio, [counter], base.spec, line_of_sight=True)
    for some in (surfaces[:1], surfaces):
        receiver = ImageReceiver(some, radio.centre)
        seconds, _ = best(lambda r=receiver: _shot(radio, [r], base.spec))
        rate = counter.total() / seconds
        rows.append(
            Row(
                f"  counted rays, {len(some)} views",
                f"{rate / 1e6:.1f} M/s",
                note=f"{segments / bare / rate:.1f} x below the floor; "
                f"{counter.total() / FLOOR_RAYS:.1f} a ray; {FLOOR_RAYS / seconds / 1e6:.1f} M "
                "rays a second",
            )
        )
    return rows


def best(work: Callable[[], float]) -> tuple[float, float]:
    """Least seconds of two runs after one that compiles, and what the work returned."""
    work()
    seconds = []
    for _ in range(2):
        start = time.perf_counter()
        found = work()
        seconds.append(time.perf_counter() - start)
    return min(seconds), found


def bounced(radio: RadioScene) -> float:
    """Rays that are mirrored until they leave, as the counted ones start; their segments."""
    import drjit as dr
    import mitsuba as mi

    def bounce(ray: Any, depth: Any, active: Any) -> tuple[Any, Any, Any]:
        hit = radio.scene.mi_scene.ray_intersect(ray, mi.RayFlags.Minimal, False, active)
        active = active & hit.is_valid() & (depth < _BASE.max_depth)
        away = mi.Vector3f(ray.d - 2 * dr.dot(ray.d, hit.n) * hit.n)
        return hit.spawn_ray(away), depth + 1, active

    lattice = coverage.shifted_lattice(np.random.default_rng(0), FLOOR_RAYS)
    ray, _ = coverage.departing(radio, FLOOR_RAYS, lattice)
    state = (ray, dr.zeros(mi.UInt32, FLOOR_RAYS), dr.full(mi.Bool, True, FLOOR_RAYS))
    _, depth, _ = dr.while_loop(state, lambda *state: state[2], bounce)
    return float(dr.sum(mi.Float64(depth))[0])


def _shot(
    radio: RadioScene, receivers: list[Any], spec: RadioSpec, *, line_of_sight: bool = False
) -> float:
    import drjit as dr

    random = np.random.default_rng(0)
    coverage._shoot(radio, receivers, spec, FLOOR_RAYS, random, line_of_sight, None)
    dr.sync_thread()
    return float(FLOOR_RAYS)


class _Counter:
    """Counts the segments of all rays, in many places so that threads rarely meet."""

    _PLACES = 2**16

    def __init__(self) -> None:
        import drjit as dr
        import mitsuba as mi

        self._counts = dr.zeros(mi.UInt32, self._PLACES)

    def add(self, ray: Any, hit: Any, power: Any, active: Any) -> None:
        """See :class:`vasgen.vas.counting.receivers.Receiver`; misses count too."""
        import drjit as dr
        import mitsuba as mi

        place = dr.reinterpret_array(mi.UInt32, ray.d.x) % self._PLACES
        dr.scatter_reduce(dr.ReduceOp.Add, self._counts, mi.UInt32(1), place, active)

    def total(self) -> float:
        """How many there were."""
        return float(np.array(self._counts, np.float64).sum())
