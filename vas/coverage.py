"""The coverage estimator: rays shot from the transmitters, counted where they arrive.

Sionna's radio-map solver shoots and bounces the rays; what differs from its mesh radio
map is what is counted, and how chunks are drawn:

- only arrivals on the visible side count: the surface's own reflection, which passes the
  receiver from behind, would add 3 dB on metal;
- a pixel's quads are one cell, and the sum of squares is kept for the standard error. It
  is shared among neighbours on one plane: a pixel that a rare strong path happened to
  miss cannot know that from its own hits;
- each chunk shifts the lattice of ray directions at random. Sionna's lattice is fixed, so
  repeating a run would repeat its aliasing; shifted lattices are independent, unbiased
  estimates whose mean converges (Cranley and Patterson 1976).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple
from unittest import mock

import numpy as np
from numpy.typing import NDArray

from vasgen.seeding import stream
from vasgen.spec import RadioSpec
from vasgen.vas.radio_scene import RadioScene, triangle_mesh, uniform_precoding
from vasgen.vas.surface import VisibleSurface

Array = NDArray[np.float64]

#: Rays of one call over all transmitters: bounds the memory to about a gigabyte, far below
#: the 2**32 that the solver can count.
_RAYS_A_CALL = 8_000_000

#: Pixels of one plane within a square of this side share their statistics.
_BLOCK = 8

_SURFACE_NAME = "visible-surface"
_GOLDEN = (1.0 + 5.0**0.5) / 2.0


class Coverage(NamedTuple):
    """Power that rays bring to each pixel.

    Attributes:
        gain: (T, P) float64, path gain, linear.
        variance: (T, P) float64, variance of ``gain`` from the finite number of rays.
    """

    gain: Array
    variance: Array


def trace_coverage(
    radio: RadioScene,
    surface: VisibleSurface,
    spec: RadioSpec,
    *,
    seed: int,
    line_of_sight: bool,
    advance: Callable[[float], None] = lambda share: None,
) -> Coverage:
    """Count rays on a visible-aligned surface.

    Args:
        radio: the scene, with its transmitters set.
        surface: the receiver.
        spec: mechanisms, depth, rays and chunks; diffraction is not traced here.
        seed: seed of the chunks.
        line_of_sight: whether direct rays count too. The tracer has them in closed form;
            counting them serves to check one against the other.
        advance: called with the share of the work done since the last call.

    Returns:
        Path gain of every pixel for every transmitter; zero where no ray arrived.
    """
    num_transmitters = len(radio.scene.transmitters)
    per_call, calls = _split(spec.rays, spec.chunks, num_transmitters)
    cells = _PixelCells(radio, surface, num_transmitters)
    scene = cells.extended_scene(radio.scene.mi_scene)
    for call in range(calls):
        _shoot(radio, cells, scene, spec, per_call, stream(seed, "chunk", call), line_of_sight)
        advance(1.0 / calls)
    return cells.coverage(calls)


def _split(rays: int, chunks: int, num_transmitters: int) -> tuple[int, int]:
    """Rays a transmitter and call, and the number of calls: at least ``chunks``."""
    calls = max(chunks, -(-rays * num_transmitters // _RAYS_A_CALL))
    per_call = -(-rays // calls)
    return per_call, calls


class _PixelCells:
    """Accumulators per transmitter and pixel; takes the place of Sionna's mesh radio map."""

    def __init__(self, radio: RadioScene, surface: VisibleSurface, num_transmitters: int) -> None:
        import drjit as dr
        import mitsuba as mi

        self._dr, self._mi = dr, mi
        self._shape = (num_transmitters, surface.num_pixels)
        corners = surface.corners - radio.centre
        corners = corners + surface.offset_m(radio.centre)[:, None, None] * surface.normal[:, None]
        first = 4 * np.arange(len(corners))[:, None, None]
        faces = (first + np.array([[0, 1, 2], [0, 2, 3]])).reshape(-1, 3)
        self.measurement_surface = triangle_mesh(mi, _SURFACE_NAME, corners.reshape(-1, 3), faces)
        self.measurement_surface.set_bsdf(mi.load_dict({"type": "diffuse"}))
        self._neighbourhood = surface.neighbourhoods(_BLOCK)
        self._area = area = surface.pixel_area
        self._pixel = mi.UInt32(np.repeat(surface.pixel, 2).astype(np.uint32))
        self._per_area = mi.Float(np.divide(1.0, area, where=area > 0, out=np.zeros_like(area)))
        # Threads add in any order; in float64 that leaves no trace in the float32 label.
        self._sum = dr.zeros(mi.Float64, num_transmitters * surface.num_pixels)
        self._squares = dr.zeros(mi.Float64, num_transmitters * surface.num_pixels)
        self._scale = float(radio.scene.wavelength[0]) / (4.0 * np.pi)

    def extended_scene(self, scene: Any) -> Any:
        """The scene with the receiver in it."""
        from sionna.rt.scene_utils import extend_scene_with_mesh

        return extend_scene_with_mesh(scene, self.measurement_surface)

    def add_paths(
        self,
        e_fields: list[Any],
        array_w: list[Any],
        si: Any,
        k_world: Any,
        tx_indices: Any,
        active: Any,
        diffracted_paths: bool,
        solid_angle: Any,
    ) -> None:
        """Count arriving rays; called by the solver for each bounce.

        A ray tube of solid angle W and field a crosses a cell of area A at cos(theta) and
        adds |a|^2 W / (A cos(theta)) to the mean of the cell.
        """
        dr, mi = self._dr, self._mi
        field = sum((w @ e for w, e in zip(array_w, e_fields, strict=True)), mi.Vector4f(0.0))
        arriving = -dr.dot(si.n, k_world)
        active = mi.Bool(active) & (arriving > 0)
        pixel = dr.gather(mi.UInt32, self._pixel, si.prim_index, active)
        value = dr.squared_norm(field) * solid_angle / arriving
        value *= dr.gather(mi.Float, self._per_area, pixel, active)
        value = mi.Float64(value)
        index = tx_indices * self._shape[1] + pixel
        dr.scatter_reduce(dr.ReduceOp.Add, self._sum, value, index, active)
        dr.scatter_reduce(dr.ReduceOp.Add, self._squares, value * value, index, active)

    def coverage(self, calls: int) -> Coverage:
        """The mean of all calls, and its variance if hits are Poisson distributed."""
        total = np.array(self._sum, np.float64).reshape(self._shape)
        squares = np.array(self._squares, np.float64).reshape(self._shape)
        scale = self._scale**2 / calls
        return Coverage(scale * total, scale**2 * self._pooled(squares))

    def _pooled(self, squares: Array) -> Array:
        """Expected sum of squares of each cell, from all cells of its neighbourhood.

        It falls with the area of a cell: hits grow with it, and the square of what each
        adds to the mean shrinks with its square.
        """
        groups = self._neighbourhood
        size = np.maximum(np.bincount(groups), 1)
        per_area = np.divide(1.0, self._area, where=self._area > 0, out=np.zeros_like(self._area))
        return np.stack(
            [(np.bincount(groups, row * self._area) / size)[groups] * per_area for row in squares]
        )


def _shifted_lattice(random: np.random.Generator) -> Callable[[int], Any]:
    """A Fibonacci lattice on the unit square, moved by a random offset and wrapped around."""
    import drjit as dr
    import mitsuba as mi

    # Opaque: an input of the compiled kernel, which the next chunk then uses again.
    offset = [dr.opaque(mi.Float, float(s)) for s in random.random(2)]

    def lattice(count: int) -> Any:
        number = dr.arange(mi.Float64, count)
        x, y = number / _GOLDEN, (number + 0.5) / count
        moved = [mi.Float(v - dr.floor(v)) + s for v, s in zip((x, y), offset, strict=True)]
        return mi.Point2f(*(v - dr.floor(v) for v in moved))

    return lattice


def _shoot(
    radio: RadioScene,
    cells: _PixelCells,
    scene: Any,
    spec: RadioSpec,
    rays: int,
    random: np.random.Generator,
    line_of_sight: bool,
) -> None:
    import drjit as dr
    import mitsuba as mi
    from sionna.rt.radio_map_solvers import radio_map_solver as solver_module

    solver = radio.rt.RadioMapSolver()
    sampler = mi.load_dict({"type": "independent"})
    sampler.seed(int(random.integers(2**31)), rays * len(radio.scene.transmitters))
    positions, orientations, elements, _ = radio.scene.sources(True, False)
    dr.make_opaque(positions, orientations)
    with (
        mock.patch.object(solver_module, "fibonacci_lattice", _shifted_lattice(random)),
        dr.scoped_set_flag(dr.JitFlag.OptimizeLoops, False),
        radio.scene.use_mi_scene(scene),
    ):
        solver._shoot_and_bounce(
            radio.scene,
            cells,
            sampler,
            positions,
            orientations,
            radio.scene.tx_array.antenna_pattern.patterns,
            uniform_precoding(radio),
            elements,
            rays,
            spec.max_depth,
            line_of_sight,
            spec.specular_reflection,
            spec.diffuse_reflection,
            spec.refraction,
            False,  # diffraction: see vasgen.vas.diffraction
            False,
            spec.max_depth + 1,  # no Russian roulette
            1.0,
            None,
        )
        dr.eval(cells._sum, cells._squares)
