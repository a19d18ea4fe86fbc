"""Parts of the closed-form solver's work: how long each takes, and the rays it traces.

Functions are wrapped while the solver works. What one part does inside another counts for the
inner one alone, so that the parts add up to the whole.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import numpy as np

from vasgen.vas.closed_form import closed_form_solver
from vasgen.vas.closed_form.chain_search import ChainSearch
from vasgen.vas.closed_form.guided import GuidedRays
from vasgen.vas.closed_form.path_finder import PathFinder
from vasgen.vas.edges.bending import Bending

#: Parts, and the functions that do them.
PARTS: dict[str, tuple[tuple[Any, str], ...]] = {
    "search": ((ChainSearch, "find"),),
    "guided rays": ((GuidedRays, "trace"),),
    "diffraction": ((PathFinder, "_bending"), (Bending, "ends")),
    "fields": ((PathFinder, "_gains"), (closed_form_solver._Views, "_gains")),
    "statistics": ((closed_form_solver, "path_statistics"),),
    "remainder": ((closed_form_solver, "trace_coverage"),),
}

#: All that is in none of the parts.
REST = "rest"

#: Rays are counted in so many places, so that threads rarely meet.
_PLACES = 2**16


class Parts:
    """Where the time went.

    Attributes:
        seconds: of each of :data:`PARTS`.
    """

    def __init__(self) -> None:
        self.seconds = dict.fromkeys(PARTS, 0.0)
        self._open: list[tuple[str, float]] = []  # part, and seconds of the parts inside it

    @property
    def now(self) -> str:
        """The part that is at work."""
        return self._open[-1][0] if self._open else REST

    def wrapped(self, part: str, work: Callable[..., Any]) -> Callable[..., Any]:
        """The same function; its time counts for the part."""

        def call(*args: Any, **keywords: Any) -> Any:
            self._open.append((part, 0.0))
            start = time.perf_counter()
            try:
                return work(*args, **keywords)
            finally:
                took = time.perf_counter() - start
                _, inside = self._open.pop()
                self.seconds[part] += took - inside
                if self._open:
                    outer, others = self._open[-1]
                    self._open[-1] = outer, others + took

        return call


@contextmanager
def parts_timed() -> Iterator[Parts]:
    """Times the parts of all closed-form solvers, while it is open."""
    parts = Parts()
    wrapped = [
        (owner, name, parts.wrapped(part, getattr(owner, name)))
        for part, functions in PARTS.items()
        for owner, name in functions
    ]
    patches = [patch.object(owner, name, function) for owner, name, function in wrapped]
    for one in patches:
        one.start()
    try:
        yield parts
    finally:
        for one in patches:
            one.stop()


@contextmanager
def rays_counted(parts: Parts) -> Iterator[Callable[[], dict[str, float]]]:
    """Counts what the parts ask of the ray tracer, while it is open.

    Yields:
        What tells the number of intersections and visibility tests so far, by part.
    """
    from sionna.rt import Scene

    counts: dict[str, Any] = {}
    known = Scene.mi_scene

    def asked(scene: Any) -> _Counted:
        return _Counted(known.fget(scene), parts, counts)

    with patch.object(Scene, "mi_scene", property(asked)):
        yield lambda: {part: float(np.array(n, np.float64).sum()) for part, n in counts.items()}


class _Counted:
    """A Mitsuba scene that counts the rays it is asked for."""

    def __init__(self, scene: Any, parts: Parts, counts: dict[str, Any]) -> None:
        self._scene = scene
        self._parts = parts
        self._counts = counts

    def __getattr__(self, name: str) -> Any:
        return getattr(self._scene, name)

    def ray_intersect(self, ray: Any, *args: Any, active: Any = True, **keywords: Any) -> Any:
        self._count(ray, active)
        return self._scene.ray_intersect(ray, *args, active=active, **keywords)

    def ray_test(self, ray: Any, active: Any = True) -> Any:
        self._count(ray, active)
        return self._scene.ray_test(ray, active)

    def _count(self, ray: Any, active: Any) -> None:
        import drjit as dr
        import mitsuba as mi

        if self._parts.now not in self._counts:
            self._counts[self._parts.now] = dr.zeros(mi.UInt32, _PLACES)
        count = self._counts[self._parts.now]
        place = dr.reinterpret_array(mi.UInt32, ray.d.x + ray.o.y) % _PLACES
        dr.scatter_reduce(dr.ReduceOp.Add, count, mi.UInt32(1), place, active)
