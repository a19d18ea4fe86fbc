"""The coverage estimator: rays shot from the transmitters, counted where they arrive.

The rays bounce off Sionna's radio materials. What differs from its radio maps:

- what counts as an arrival, and for which pixel: see :mod:`vasgen.vas.receivers`. All views
  of a scene are served by one shot;
- the sum of squares is kept for the standard error. It is shared among neighbours on one
  plane: a pixel that a rare strong path happened to miss cannot know that from its own hits;
- each chunk shifts the lattice of ray directions at random. Sionna's lattice is fixed, so
  repeating a run would repeat its aliasing; shifted lattices are independent, unbiased
  estimates whose mean converges (Cranley and Patterson 1976).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vasgen.seeding import stream
from vasgen.spec import RadioSpec
from vasgen.vas.radio_scene import RadioScene, uniform_precoding
from vasgen.vas.receivers import ImageReceiver, MeshReceiver, Receiver
from vasgen.vas.surface import ReceiverSurface

Array = NDArray[np.float64]

#: Rays of one call over all transmitters: bounds the memory of their states to a gigabyte.
_RAYS_A_CALL = 8_000_000

#: Pixels of one plane within a square of this side share their statistics.
_BLOCK = 8

_GOLDEN = (1.0 + 5.0**0.5) / 2.0


class Coverage(NamedTuple):
    """Power that rays bring to each pixel of a view.

    Attributes:
        gain: (T, P) float64, path gain, linear.
        variance: (T, P) float64, variance of ``gain`` from the finite number of rays.
        rays: (T,) int64, rays that were counted.
    """

    gain: Array
    variance: Array
    rays: NDArray[np.int64]


def trace_coverage(
    radio: RadioScene,
    surfaces: Sequence[ReceiverSurface],
    spec: RadioSpec,
    *,
    seed: int,
    line_of_sight: bool,
    advance: Callable[[float], None] = lambda share: None,
) -> list[Coverage]:
    """Count rays on the visible surfaces of views.

    Args:
        radio: the scene, with its transmitters set.
        surfaces: what each camera sees; all of one kind.
        spec: mechanisms, depth, rays and chunks; diffraction is not traced here.
        seed: seed of the chunks. What a view receives does not depend on the other views.
        line_of_sight: whether direct rays count too. The tracer has them in closed form;
            counting them serves to check one against the other.
        advance: called with the share of the work done since the last call.

    Returns:
        Path gain of every pixel for every transmitter; zero where no ray arrived.
    """
    num_transmitters = len(radio.scene.transmitters)
    per_call, calls = _split(spec.rays, spec.chunks, num_transmitters)
    receivers = _receivers(surfaces, radio.centre, num_transmitters)
    for call in range(calls):
        _shoot(radio, receivers, spec, per_call, stream(seed, "chunk", call), line_of_sight)
        advance(1.0 / calls)
    totals = [total for receiver in receivers for total in receiver.totals()]
    scale = (float(radio.scene.wavelength[0]) / (4.0 * np.pi)) ** 2 / calls
    rays = np.full(num_transmitters, per_call * calls)
    return [
        Coverage(scale * first, scale**2 * _pooled(second, surface), rays)
        for surface, (first, second) in zip(surfaces, totals, strict=True)
    ]


def _split(rays: int, chunks: int, num_transmitters: int) -> tuple[int, int]:
    """Rays a transmitter and call, and the number of calls: at least ``chunks``."""
    calls = max(chunks, -(-rays * num_transmitters // _RAYS_A_CALL))
    per_call = -(-rays // calls)
    return per_call, calls


def _receivers(
    surfaces: Sequence[ReceiverSurface], centre: Array, num_transmitters: int
) -> list[Receiver]:
    if all(surface.windows is not None for surface in surfaces):
        return [ImageReceiver(surfaces, centre, num_transmitters)]
    return [MeshReceiver(surface, centre, num_transmitters) for surface in surfaces]


def _pooled(squares: Array, surface: ReceiverSurface) -> Array:
    """Expected sum of squares of each pixel, from all pixels of its neighbourhood.

    Hits are Poisson distributed. What they add up to falls with the area of a pixel: hits
    grow with it, and the square of what each adds to the mean shrinks with its square.
    """
    groups, area = surface.neighbourhoods(_BLOCK), surface.pixel_area
    size = np.maximum(np.bincount(groups), 1)
    per_area = np.divide(1.0, area, where=area > 0, out=np.zeros_like(area))
    return np.stack(
        [(np.bincount(groups, row * area) / size)[groups] * per_area for row in squares]
    )


def _shifted_lattice(random: np.random.Generator, count: int) -> Any:
    """Points of a Fibonacci lattice on the unit square, moved at random and wrapped around."""
    import drjit as dr
    import mitsuba as mi

    # Opaque: an input of the compiled kernel, which the next chunk then uses again.
    shift = [dr.opaque(mi.Float, float(s)) for s in random.random(2)]
    number = dr.arange(mi.Float64, count)
    x, y = number / _GOLDEN, (number + 0.5) / count
    moved = [mi.Float(v - dr.floor(v)) + s for v, s in zip((x, y), shift, strict=True)]
    return mi.Point2f(*(v - dr.floor(v) for v in moved))


def _shoot(
    radio: RadioScene,
    receivers: Sequence[Receiver],
    spec: RadioSpec,
    rays: int,
    random: np.random.Generator,
    line_of_sight: bool,
) -> None:
    """One chunk: rays from every transmitter, followed until they leave or grow too deep."""
    import drjit as dr
    import mitsuba as mi
    from sionna.rt.constants import InteractionType

    total = rays * len(radio.scene.transmitters)
    transmitter = dr.repeat(dr.arange(mi.UInt32, len(radio.scene.transmitters)), rays)
    ray, field = _departing(radio, rays, _shifted_lattice(random, rays))
    sampler = mi.load_dict({"type": "independent"})
    sampler.seed(int(random.integers(2**31)), total)
    scene, solver = radio.scene.mi_scene, radio.rt.RadioMapSolver()
    mechanisms = dr.full(mi.UInt32, _mechanisms(spec), total)
    most = dr.opaque(mi.UInt32, spec.max_depth)
    first = dr.opaque(mi.UInt32, 0 if line_of_sight else 1)

    def bounce(
        ray: Any, field: Any, angle: Any, depth: Any, active: Any, sampler: Any
    ) -> tuple[Any, ...]:
        hit = scene.ray_intersect(ray, active=active)
        power = dr.squared_norm(field) * angle
        for receiver in receivers:
            receiver.add(ray, hit, power, transmitter, active & (depth >= first))
        active = active & hit.is_valid()
        chance, place = sampler.next_1d(), sampler.next_2d()
        sample, (field,) = solver._sample_radio_material(
            hit, ray.d, [field], angle, chance, place, mechanisms, active
        )
        diffuse = active & (sample.sampled_component == InteractionType.DIFFUSE)
        depth = depth + 1
        gone = (depth > most) | (sample.sampled_component == InteractionType.NONE)
        angle = dr.select(diffuse, dr.two_pi, angle)
        return hit.spawn_ray(d=sample.wo), field, angle, depth, active & ~gone, sampler

    state = (
        ray,
        field,
        dr.full(mi.Float, 4.0 * np.pi / rays, total),
        dr.zeros(mi.UInt32, total),
        dr.full(mi.Bool, True, total),
        sampler,
    )
    with dr.scoped_set_flag(dr.JitFlag.OptimizeLoops, False):
        dr.while_loop(state, lambda *state: state[4], bounce)
        dr.eval()


def _departing(radio: RadioScene, rays: int, lattice: Any) -> tuple[Any, Any]:
    """Rays from all transmitters in the directions of a lattice, and the fields they carry.

    The array's weights act on the source alone: elements of all patterns and polarisations
    add up to one field, which travels as a whole.
    """
    import drjit as dr
    import mitsuba as mi
    from sionna.rt.antenna_pattern import antenna_pattern_to_world_implicit
    from sionna.rt.utils import rotation_matrix, spawn_ray_from_sources

    positions, orientations, elements, _ = radio.scene.sources(True, False)
    dr.make_opaque(positions, orientations)
    ray = spawn_ray_from_sources(lambda count: lattice, rays, positions)
    to_world = rotation_matrix(dr.repeat(orientations, rays))
    weights = radio.rt.RadioMapSolver()._synthetic_array_weighting(
        radio.scene, ray.d, elements, uniform_precoding(radio)
    )
    field = mi.Vector4f(0.0)
    patterns = radio.scene.tx_array.antenna_pattern.patterns
    for pattern, weight in zip(patterns, weights, strict=True):
        sent = antenna_pattern_to_world_implicit(pattern, to_world, ray.d, direction="out")
        field += mi.Vector4f(weight @ sent)
    return ray, field


def _mechanisms(spec: RadioSpec) -> int:
    """Flags of the interactions that are on."""
    from sionna.rt.constants import InteractionType

    switches = (
        (spec.specular_reflection, InteractionType.SPECULAR),
        (spec.diffuse_reflection, InteractionType.DIFFUSE),
        (spec.refraction, InteractionType.REFRACTION),
    )
    return sum(int(flag) for on, flag in switches if on)
