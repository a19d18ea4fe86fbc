"""The coverage estimator: rays shot from a transmitter, counted where they arrive.

The rays bounce off Sionna's radio materials. What differs from its radio maps:

- what counts as an arrival, and for which pixel: see :mod:`vasgen.vas.counting.receivers`. All
  views of a scene are served by one shot;
- the sum of squares is kept for the standard error (:mod:`vasgen.vas.counting.shot_noise`); once
  the error is below a target, a view counts no more;
- each chunk shifts the lattice of ray directions at random. Sionna's lattice is fixed, so
  repeating a run would repeat its aliasing; shifted lattices are independent, unbiased
  estimates whose mean converges (Cranley and Patterson 1976).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vasgen.seeding import stream
from vasgen.spec import RadioSpec
from vasgen.vas.counting.chunks import checkpoints, chunk_sizes
from vasgen.vas.counting.partition import Partition, Way
from vasgen.vas.counting.receivers import ImageReceiver, MeshReceiver, Receiver, Sieve
from vasgen.vas.counting.shot_noise import ShotNoise
from vasgen.vas.counting.slab import SlabReceiver
from vasgen.vas.scene.field import radiated_field
from vasgen.vas.scene.radio_scene import RadioScene
from vasgen.vas.solver import reached, standard_error_db
from vasgen.vas.surfaces.surface import ReceiverSurface

Array = NDArray[np.float64]

_GOLDEN = (1.0 + 5.0**0.5) / 2.0

#: Pixels of one plane within a square of this side share their statistics.
_SHARED = 8


class Coverage(NamedTuple):
    """Power that rays bring to each pixel of a view.

    Attributes:
        gain: (P,) float64, path gain, linear.
        variance: (P,) float64, variance of ``gain`` from the finite number of rays.
        rays: number that was counted.
        missed: path gain times area, square metres, of what a search for mirrors was to find;
            zero if nothing was searched for.
    """

    gain: Array
    variance: Array
    rays: int
    missed: float = 0.0


class Counters:
    """What counts the rays of one transmitter after another.

    Args:
        receivers: of all views, in their order.
        noises: of each view.
    """

    def __init__(self, receivers: Sequence[Receiver], noises: Sequence[ShotNoise]) -> None:
        self.receivers = receivers
        self._noises = noises

    def clear(self) -> None:
        """Forget what was counted."""
        for receiver in self.receivers:
            receiver.sums.clear()

    def end_chunk(self, rays: int) -> None:
        """So many rays, one lattice of directions, have been counted since the last call."""
        for receiver in self.receivers:
            receiver.sums.end_chunk(rays)

    def heard(self, rays: int, chunks: int, factor: float) -> list[Coverage]:
        """What each view has received; ``factor`` is the gain of a ray that adds one."""
        each = [receiver.sums.totals().split(receiver.sizes) for receiver in self.receivers]
        return [
            Coverage(
                factor / rays * totals.first,
                (factor / rays) ** 2 * noise.variance(totals, rays, chunks),
                rays,
            )
            for noise, totals in zip(self._noises, itertools.chain(*each), strict=True)
        ]


class Audience(Counters):
    """Visible surfaces, ready to count the rays that arrive at each of their pixels.

    Args:
        surfaces: what each camera sees; all of one kind.
        centre: (3,) world point that is the origin of the traced coordinates, metres.
    """

    def __init__(self, surfaces: Sequence[ReceiverSurface], centre: Array) -> None:
        noises = [
            ShotNoise(surface.neighbourhoods(_SHARED), surface.pixel_area) for surface in surfaces
        ]
        super().__init__(_receivers(surfaces, centre), noises)


def trace_coverage(
    radio: RadioScene,
    audience: Counters,
    spec: RadioSpec,
    *,
    seed: int,
    line_of_sight: bool,
    known: Sequence[Array] | None = None,
    partition: Partition | None = None,
    advance: Callable[[float], None] = lambda share: None,
) -> list[Coverage]:
    """Count the rays of a transmitter on the visible surfaces of views.

    Each view has what was counted until it met the target or the budget was used up; what
    others need beyond that is not added to it.

    Args:
        radio: the scene, with one transmitter set.
        audience: what the cameras see.
        spec: mechanisms, depth, budget and target; diffraction is not traced here.
        seed: seed of the chunks. What a view receives does not depend on the other views.
        line_of_sight: whether direct rays count too. The tracer has them in closed form;
            counting them serves to check one against the other.
        known: (P,) path gain of each view that is known already and has no error, linear.
        partition: which paths are known already, so that they do not count; all do if omitted.
        advance: called with the share of the work done since the last call.

    Returns:
        Path gain of every pixel of each view; zero where no ray arrived.
    """
    audience.clear()
    factor = (float(radio.scene.wavelength[0]) / (4.0 * np.pi)) ** 2
    done: dict[int, Coverage] = {}
    rays, chunks = 0, 0
    for checkpoint in checkpoints(spec):
        for size in chunk_sizes(checkpoint - rays, spec):
            random = stream(seed, "chunk", chunks)
            _shoot(radio, audience.receivers, spec, size, random, line_of_sight, partition)
            audience.end_chunk(size)
            chunks += 1
            advance(size / spec.rays)
        rays = checkpoint
        heard = audience.heard(rays, chunks, factor)
        for number, coverage in enumerate(heard):
            before = None if known is None else known[number]
            if number not in done and (rays == spec.rays or _meets(spec, coverage, before)):
                done[number] = coverage
        if len(done) == len(heard):
            break
    advance(1.0 - rays / spec.rays)
    return [done[number] for number in sorted(done)]


def _meets(spec: RadioSpec, coverage: Coverage, known: Array | None) -> bool:
    """Whether the median standard error of the reached pixels is below the target."""
    gain = coverage.gain if known is None else known + coverage.gain
    where = reached(gain)
    if spec.target_db is None or not where.any():
        return False
    return bool(
        np.median(standard_error_db(gain[where], coverage.variance[where])) < spec.target_db
    )


def _receivers(surfaces: Sequence[ReceiverSurface], centre: Array) -> list[Receiver]:
    if all(surface.windows is not None for surface in surfaces):
        return [ImageReceiver(surfaces, centre)]
    return [
        MeshReceiver(surface, centre)
        if surface.slab is None
        else SlabReceiver(surface.slab, centre)
        for surface in surfaces
    ]


def shifted_lattice(random: np.random.Generator, count: int) -> Any:
    """Points of a Fibonacci lattice on the unit square, moved at random and wrapped around."""
    import drjit as dr
    import mitsuba as mi

    # Opaque: an input of the compiled kernel, which the next chunk then uses again.
    shift = [dr.opaque(mi.Float, float(s)) for s in random.random(2)]
    number = dr.arange(mi.Float64, count)
    x, y = number / _GOLDEN, (number + 0.5) / dr.opaque(mi.Float64, float(count))
    moved = [mi.Float(v - dr.floor(v)) + s for v, s in zip((x, y), shift, strict=True)]
    return mi.Point2f(*(v - dr.floor(v) for v in moved))


def _shoot(
    radio: RadioScene,
    receivers: Sequence[Receiver],
    spec: RadioSpec,
    rays: int,
    random: np.random.Generator,
    line_of_sight: bool,
    partition: Partition | None,
) -> None:
    """One chunk: rays from the transmitter, followed until they leave or grow too deep.

    Each carries the whole sphere; the mean over the rays is taken in the end, so that chunks
    may differ in size.
    """
    import drjit as dr
    import mitsuba as mi
    from sionna.rt.constants import InteractionType

    ray, field = departing(radio, rays, shifted_lattice(random, rays))
    sampler = mi.load_dict({"type": "independent"})
    sampler.seed(int(random.integers(2**31)), rays)
    scene, solver = radio.scene.mi_scene, radio.rt.RadioMapSolver()
    allowed = dr.full(mi.UInt32, mechanisms(spec), rays)
    most = dr.opaque(mi.UInt32, spec.max_depth)
    first = dr.opaque(mi.UInt32, 0 if line_of_sight else 1)

    every = Sieve(lambda pixel, active: active, dr.full(mi.Bool, False, rays))

    def bounce(
        ray: Any, field: Any, angle: Any, depth: Any, active: Any, sampler: Any, *way: Way
    ) -> tuple[Any, ...]:
        hit = scene.ray_intersect(ray, active=active)
        power = dr.squared_norm(field) * angle
        counted = active & (depth >= first)
        sieve = partition.sieve(way[0]) if partition else every
        for receiver in receivers:
            receiver.add(ray, hit, power, counted, sieve)
        active = active & hit.is_valid()
        chance, place = sampler.next_1d(), sampler.next_2d()
        sample, (field,) = solver._sample_radio_material(
            hit, ray.d, [field], angle, chance, place, allowed, active
        )
        diffuse = active & (sample.sampled_component == InteractionType.DIFFUSE)
        if partition is not None:
            way = (partition.after(way[0], hit, sample.sampled_component, active),)
        depth = depth + 1
        gone = (depth > most) | (sample.sampled_component == InteractionType.NONE)
        angle = dr.select(diffuse, dr.two_pi, angle)
        return hit.spawn_ray(d=sample.wo), field, angle, depth, active & ~gone, sampler, *way

    state = (
        ray,
        field,
        dr.full(mi.Float, 4.0 * np.pi, rays),
        dr.zeros(mi.UInt32, rays),
        dr.full(mi.Bool, True, rays),
        sampler,
        *(() if partition is None else (partition.start(rays),)),
    )
    with dr.scoped_set_flag(dr.JitFlag.OptimizeLoops, False):
        dr.while_loop(state, lambda *state: state[4], bounce)
        dr.eval()


def departing(radio: RadioScene, rays: int, lattice: Any) -> tuple[Any, Any]:
    """Rays from the transmitter in the directions of a lattice, and the fields they carry."""
    import drjit as dr
    from sionna.rt.utils import spawn_ray_from_sources

    positions, *_ = radio.scene.sources(True, False)
    dr.make_opaque(positions)
    ray = spawn_ray_from_sources(lambda count: lattice, rays, positions)
    return ray, radiated_field(radio, ray.d)


def mechanisms(spec: RadioSpec) -> int:
    """Flags of the interactions that are on."""
    from sionna.rt.constants import InteractionType

    switches = (
        (spec.specular_reflection, InteractionType.SPECULAR),
        (spec.diffuse_reflection, InteractionType.DIFFUSE),
        (spec.refraction, InteractionType.REFRACTION),
    )
    return sum(int(flag) for on, flag in switches if on)
