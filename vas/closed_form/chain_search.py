"""The search for chains: which planes, one after the other, mirror a transmitter onto a view.

Rays are shot from the transmitter, and wherever one meets what a camera sees, the planes that
mirrored it on its way are a candidate for the pixels around. Half of the rays spread evenly over
the sphere; the others aim at random points of random faces that mirror, so that small mirrors are
found as surely as large ones. A candidate is no path yet:
:mod:`vasgen.vas.closed_form.guided` proves it pixel by pixel.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vasgen.seeding import stream
from vasgen.spec import RadioSpec
from vasgen.vas.counting.coverage import departing, mechanisms, shifted_lattice
from vasgen.vas.scene.plane_lookup import PlaneLookup
from vasgen.vas.scene.radio_scene import RadioScene
from vasgen.vas.surfaces.image_index import ImageIndex, Spot
from vasgen.vas.surfaces.keys import mixed

Array = NDArray[np.float64]
Index = NDArray[np.int64]

#: Rays followed at the same time: some 100 bytes each.
_RAYS_A_CALL = 1_000_000

#: Rays with less than this share of their power are given up: -80 dB.
_NOTHING = 1e-8

#: Arrivals a ray and view that there is room for at first; if there are more, once again.
_ARRIVALS = 1.0
_MOST_VIEWS = 8


class Candidates(NamedTuple):
    """Chains that were seen to light a cell.

    Attributes:
        cell: (C,) int64, over the cells of all views.
        chain: (C, R) int64, planes in the order a path meets them; -1 behind the last.
    """

    cell: Index
    chain: Index

    @classmethod
    def none(cls, reflections: int) -> Candidates:
        """Nothing was seen."""
        nothing = np.zeros(0, np.int64)
        return cls(nothing, np.zeros((0, reflections), np.int64))

    def take(self, index: NDArray[np.generic], first: int = 0) -> Candidates:
        """Some of them, by number or mask; cells are counted from ``first`` on."""
        return Candidates(self.cell[index] - first, self.chain[index])


class ChainSearch:
    """Finds the chains of one transmitter after another for some views.

    Args:
        radio: the scene.
        lookup: which plane a ray hits.
        index: which pixel sees a point.
        cell: (P,) int64, cell of each pixel of all views in a row.
        triangles: (F, 3, 3) faces to aim at, world metres.
        spec: mechanisms, depth, and number of rays.
    """

    def __init__(
        self,
        radio: RadioScene,
        lookup: PlaneLookup,
        index: ImageIndex,
        cell: Index,
        triangles: Array,
        spec: RadioSpec,
    ) -> None:
        import mitsuba as mi

        self._radio = radio
        self._lookup = lookup
        self._index = index
        self._cell = mi.UInt32(cell.astype(np.uint32))
        corners = np.zeros((len(triangles), 12), np.float32)
        corners[:, :9] = (triangles - radio.centre).reshape(-1, 9)
        self._triangles = mi.Float(corners.ravel())
        self._num_faces = len(triangles)
        self._spec = spec

    def find(self, seed: int) -> Candidates:
        """Chains of up to ``spec.reflections`` mirrors, each with a cell once.

        Args:
            seed: of the rays; the radio scene has one transmitter set.
        """
        spec = self._spec
        calls = 2 * max(1, -(-spec.search_rays // (2 * _RAYS_A_CALL)))
        size = -(-spec.search_rays // calls)
        found = np.zeros((0, 1 + spec.reflections), np.uint32)
        for call in range(calls):
            rows = self._shoot(size, (seed, "search", call), aimed=call % 2 == 1)
            found = _distinct(np.concatenate([found, rows]))
        cell, *chain = found.T.astype(np.int64)
        return Candidates(cell, np.stack(chain, axis=1) - 1)

    def _shoot(self, rays: int, name: tuple[Any, ...], *, aimed: bool) -> NDArray[np.uint32]:
        """Rows of cell and chain (planes count from one), each once.

        Args:
            rays: number of them.
            name: of the random stream.
            aimed: at faces, or all around.
        """
        room = int(_ARRIVALS * rays * min(len(self._index.sizes), _MOST_VIEWS))
        while True:
            log = _Log(1 + self._spec.reflections, room)
            self._follow(rays, stream(*name), aimed, log)
            if log.count <= room:
                return _distinct(log.rows())
            room = log.count

    def _follow(self, rays: int, random: np.random.Generator, aimed: bool, log: _Log) -> None:
        """Rays from bounce to bounce; writes down where a view sees one arrive."""
        import drjit as dr
        import mitsuba as mi
        from sionna.rt.constants import InteractionType

        spec = self._spec
        ray, field = departing(self._radio, rays, shifted_lattice(random, rays))
        sampler = mi.load_dict({"type": "independent"})
        sampler.seed(int(random.integers(2**31)), rays)
        if aimed:  # its field stays that of the lattice: only its share of itself is asked for
            ray.d = self._aims(ray.o, sampler, rays)
        scene, solver = self._radio.scene.mi_scene, self._radio.rt.RadioMapSolver()
        allowed = mechanisms(spec) & ~int(InteractionType.DIFFUSE)
        both = allowed == int(InteractionType.SPECULAR) | int(InteractionType.REFRACTION)
        # Chosen by power, a ray hardly ever passes through a wall: every other one tosses a coin.
        tosses = (dr.arange(mi.UInt32, rays) % 2 == 1) & both
        most = dr.opaque(mi.UInt32, spec.max_depth)
        least = _NOTHING * dr.squared_norm(field)

        def bounce(
            ray: Any, field: Any, chain: list[Any], mirrored: Any, depth: Any, active: Any, s: Any
        ) -> tuple[Any, ...]:
            hit = scene.ray_intersect(ray, active=active)
            active = active & hit.is_valid()

            def arrive(spot: Spot) -> None:
                cell = dr.gather(mi.UInt32, self._cell, spot.pixel, spot.active)
                log.write((cell, *chain), spot.active)

            self._index.each_view(ray, hit, active & (mirrored > 0), arrive)
            plane = self._lookup(hit, active)
            coin, chance, place = s.next_1d(), s.next_1d(), s.next_2d()
            tossed = dr.select(
                coin < 0.5, int(InteractionType.SPECULAR), int(InteractionType.REFRACTION)
            )
            kinds = dr.select(tosses, mi.UInt32(tossed), allowed)
            sample, (field,) = solver._sample_radio_material(
                hit, ray.d, [field], mi.Float(1.0), chance, place, kinds, active
            )
            reflected = active & (sample.sampled_component == InteractionType.SPECULAR)
            chain = [
                dr.select(reflected & (mirrored == place), plane + 1, known)
                for place, known in enumerate(chain)
            ]
            known = dr.gather(mi.Bool, self._lookup.mirror, plane, reflected)
            mirrored = dr.select(reflected, mirrored + 1, mirrored)
            depth = depth + 1
            gone = (sample.sampled_component == InteractionType.NONE) | (reflected & ~known)
            gone |= (mirrored > len(chain)) | (depth > most) | (dr.squared_norm(field) < least)
            return hit.spawn_ray(d=sample.wo), field, chain, mirrored, depth, active & ~gone, s

        state = (
            ray,
            field,
            [dr.zeros(mi.UInt32, rays) for _ in range(spec.reflections)],
            dr.zeros(mi.UInt32, rays),
            dr.zeros(mi.UInt32, rays),
            dr.full(mi.Bool, True, rays),
            sampler,
        )
        with dr.scoped_set_flag(dr.JitFlag.OptimizeLoops, False):
            dr.while_loop(state, lambda *state: state[5], bounce)
            dr.eval()

    def _aims(self, origin: Any, sampler: Any, rays: int) -> Any:
        """Directions to random points of random faces, ``mi.Vector3f``."""
        import drjit as dr
        import mitsuba as mi

        last = dr.opaque(mi.UInt32, self._num_faces - 1)
        face = dr.minimum(mi.UInt32(sampler.next_1d() * mi.Float(last + 1)), last)
        one, two, three = (dr.gather(mi.Vector4f, self._triangles, 3 * face + k) for k in range(3))
        a, b = mi.Point3f(one.x, one.y, one.z), mi.Point3f(one.w, two.x, two.y)
        c = mi.Point3f(two.z, two.w, three.x)
        place = sampler.next_2d()
        turn = place.x + place.y > 1
        s, t = dr.select(turn, 1 - place.x, place.x), dr.select(turn, 1 - place.y, place.y)
        return mi.Vector3f(dr.normalize(a + s * (b - a) + t * (c - a) - origin))


class _Log:
    """Rows of numbers that lanes of a symbolic loop write down."""

    def __init__(self, columns: int, capacity: int) -> None:
        import drjit as dr
        import mitsuba as mi

        self._columns = [dr.zeros(mi.UInt32, capacity) for _ in range(columns)]
        self._capacity = capacity
        self._next = dr.zeros(mi.UInt32, 1)

    def write(self, row: Sequence[Any], active: Any) -> None:
        import drjit as dr
        import mitsuba as mi

        slot = dr.scatter_inc(self._next, mi.UInt32(0), active)
        for column, value in zip(self._columns, row, strict=True):
            dr.scatter(column, value, slot, active & (slot < self._capacity))

    @property
    def count(self) -> int:
        """Number of rows that were to be written; those beyond the capacity are lost."""
        return int(self._next[0])

    def rows(self) -> NDArray[np.uint32]:
        """(N, columns), in no order."""
        return np.stack([np.array(column)[: self.count] for column in self._columns], axis=1)


def _distinct(rows: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Each row once, in the order of the rows' hashes."""
    key = np.zeros(len(rows), np.uint64)
    for column in rows.T:
        key = mixed(key, column.astype(np.uint64))
    return np.asarray(rows[np.unique(key, return_index=True)[1]])
