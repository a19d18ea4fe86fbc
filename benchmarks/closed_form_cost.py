"""What the closed-form solver's maps cost: seconds against everything they grow with."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks import converged
from benchmarks.clock import Row
from benchmarks.parts import parts_timed
from benchmarks.plots import Curve, draw_curves
from benchmarks.radio import Case
from benchmarks.radio_cost import Setting, resized
from vasgen.spec import RadioSpec
from vasgen.vas import Tracer

PICTURE = Path("out/speed-closed-form.png")

_BASE = RadioSpec(solver="closed-form")

_REFLECTIONS = (0, 1, 2, 3, 4)
_CITIES_M = (150.0, 300.0, 500.0, 750.0)  # and that of the comparison
_SCALES = (0.25, 0.5, 1.0, 1.5)  # of the image's sides
_TRANSMITTERS = (1, 2, 4, 8)
_VIEWS = (1, 2, 4, 6)
_SEARCH_RAYS = (250_000, 1_000_000, 4_000_000)

#: What is drawn of the parts of the work.
_DRAWN = {
    "finding paths": ("search", "guided rays"),
    "diffraction": ("diffraction",),
    "fields and statistics": ("fields", "statistics"),
    "remainder": ("remainder",),
}


def measure() -> list[Row]:
    """Growth with all that matters, drawn into ``out/speed-closed-form.png``."""
    case = converged.case_of(converged.SIZE_M, max(_TRANSMITTERS))
    curves = [_curve(name, settings) for name, settings in _series(case)]
    PICTURE.parent.mkdir(exist_ok=True)
    camera = case.views[0].camera
    draw_curves(
        curves,
        PICTURE,
        "What closed-form maps cost",
        "seconds from what cameras see to labels; "
        f"all else 1 view of {camera.width} x {camera.height}, 1 transmitter, "
        f"{_BASE.reflections} reflections, diffraction, downtown of {converged.SIZE_M:g} m",
    )
    return [
        Row(
            f"  cost against {curve.name}",
            f"{curve.seconds['total'][0]:.1f} to {curve.seconds['total'][-1]:.1f} s",
            note=f"{curve.at[0]:g} to {curve.at[-1]:g}: grows as {curve.law()}",
        )
        for curve in curves
    ]


def _series(case: Case) -> Iterator[tuple[str, dict[float, Callable[[], Setting]]]]:
    """Settings that differ in one thing, by how much there is of it."""
    base = Setting(case.bundle, case.views[:1], case.transmitters[:1], _BASE)
    yield "reflections", {n: lambda n=n: _with(base, reflections=n) for n in _REFLECTIONS}
    cities = [_city(size_m) for size_m in _CITIES_M]
    yield "triangles", {_faces(city): lambda c=city: c for city in (*cities, base)}
    pixels = base.views[0].depth.size
    yield (
        "pixels",
        {
            pixels * scale**2: lambda s=scale: base._replace(views=[resized(base, s)])
            for scale in _SCALES
        },
    )
    yield (
        "transmitters",
        {n: lambda n=n: base._replace(transmitters=case.transmitters[:n]) for n in _TRANSMITTERS},
    )
    yield "views", {n: lambda n=n: base._replace(views=case.views[:n]) for n in _VIEWS}
    yield "search rays", {n: lambda n=n: _with(base, search_rays=n) for n in _SEARCH_RAYS}


def _with(base: Setting, **update: object) -> Setting:
    return base._replace(spec=base.spec.model_copy(update=update))


def _city(size_m: float) -> Setting:
    case = converged.case_of(size_m)
    return Setting(case.bundle, case.views[:1], case.transmitters[:1], _BASE)


def _faces(setting: Setting) -> float:
    return float(sum(len(mesh.faces) for mesh in setting.bundle.meshes))


def _curve(name: str, settings: dict[float, Callable[[], Setting]]) -> Curve:
    found = [_seconds(make()) for make in settings.values()]
    return Curve(name, list(settings), {part: [one[part] for one in found] for part in found[0]})


def _seconds(setting: Setting) -> dict[str, float]:
    """Seconds from what the cameras see to labels, and of the parts: with scene and kernels."""
    tracer = Tracer(setting.bundle, setting.spec)
    tracer.trace_views(setting.views, setting.transmitters)
    with parts_timed() as parts:
        start = time.perf_counter()
        tracer.trace_views(setting.views, setting.transmitters)
        total = time.perf_counter() - start
    drawn = {name: sum(parts.seconds[part] for part in members) for name, members in _DRAWN.items()}
    return {"total": total, **drawn}
