"""Guided rays: whether the path from a transmitter by way of given mirrors to a point exists.

For a chain of planes the path is known: its first leg points at the image of the point (image
method). So one ray is sent in that direction, and at each surface it is mirrored if that is the
chain's next plane, else it passes through. If it ends in its point, nothing is in its way, every
mirror is where it is needed, and what it met is the path's chain. No field is carried: the same
paths serve every frequency.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vasgen.bundle import RadioMaterial
from vasgen.spec import RadioSpec
from vasgen.vas.counting.partition import MOST_SLABS
from vasgen.vas.device import in_fours, on_lanes, tiles, xyz
from vasgen.vas.paths.paths import Chains, Event
from vasgen.vas.scene.materials import slab_loss_db
from vasgen.vas.scene.plane_lookup import PlaneLookup
from vasgen.vas.scene.planes import Facets
from vasgen.vas.scene.radio_scene import RadioScene
from vasgen.vas.scene.visibility import opaque_point
from vasgen.vas.surfaces.keys import mixed, numbered
from vasgen.vas.surfaces.surface import RAY_EPSILON, Target

Array = NDArray[np.float64]
Index = NDArray[np.int64]
Numbers = NDArray[np.uint32]

#: A path ends in its point if it passes it this close, and this share of its length: planes
#: join triangles whose normals differ a little. Metres.
_NEAR_M = 0.02
_NEAR_SHARE = 5e-5

#: A mirror's faces may lie this far outside its box, metres: rounding.
_BOX_M = 0.01

#: Pairs of mirrors and point handled at once: bounds the memory to some 200 MB.
_PAIRS_AT_ONCE = 1_000_000

#: What slabs may take from any path, dB; each by the least of all angles.
_MOST_LOSS_DB = 100.0


class Pairs(NamedTuple):
    """Paths that may exist.

    Attributes:
        point: (M,) int64, rows of the points.
        mirrors: (M,) int64, rows of the chains of mirrors.
    """

    point: Index
    mirrors: Index


class Arrivals(NamedTuple):
    """Paths that exist.

    Attributes:
        point: (N,) int64, rows of the points they end in.
        mirrors: (N,) int64, rows of the chains of mirrors that they were told.
        chain: (N,) int64, rows of ``chains``.
        chains: what they met, slabs and mirrors.
        key: (C,) uint64, a hash of each chain: the same in all scenes of the same planes.
    """

    point: Index
    mirrors: Index
    chain: Index
    chains: Chains
    key: NDArray[np.uint64]

    def take(self, index: NDArray[np.generic]) -> Arrivals:
        """Some of the paths, by number or mask."""
        point, mirrors, chain = (n[index] for n in (self.point, self.mirrors, self.chain))
        return Arrivals(point, mirrors, chain, self.chains, self.key)


def joined(parts: Sequence[Arrivals]) -> Arrivals:
    """Paths found in several turns, with each chain once."""
    keys: NDArray[np.uint64] = np.concatenate([part.key for part in parts])
    key, first, number = numbered(keys)
    begins = np.cumsum([0, *(len(part.key) for part in parts[:-1])])
    columns = [
        np.concatenate([getattr(part.chains, name) for part in parts])[first]
        for name in ("event", "element", "material")
    ]
    return Arrivals(
        np.concatenate([part.point for part in parts]),
        np.concatenate([part.mirrors for part in parts]),
        np.concatenate([number[b + p.chain] for b, p in zip(begins, parts, strict=True)]),
        Chains(*columns),
        key,
    )


class GuidedRays:
    """Sends guided rays through one scene.

    Args:
        radio: the scene.
        lookup: which plane a ray hits.
        facets: its planes.
        materials: its radio materials.
        spec: mechanisms, and depth.
    """

    def __init__(
        self,
        radio: RadioScene,
        lookup: PlaneLookup,
        facets: Facets,
        materials: Sequence[RadioMaterial],
        spec: RadioSpec,
    ) -> None:
        import mitsuba as mi

        self._radio = radio
        self._lookup = lookup
        self._facets = facets
        self._num_materials = len(materials)
        loss = [slab_loss_db(material, spec.frequency_hz) for material in materials]
        self._loss = mi.Float(np.minimum(loss, 2 * _MOST_LOSS_DB).astype(np.float32))
        self._normal = mi.Float(in_fours(facets.planes.normal).astype(np.float32))
        self._slabs = min(MOST_SLABS, spec.max_depth) if spec.refraction else 0
        self._most = spec.max_depth

    def trace(
        self, source: Array, target: Target, mirrors: Index, pairs: Pairs, least: Array
    ) -> Arrivals:
        """Which paths exist.

        Args:
            source: (3,) transmitter, world metres.
            target: points.
            mirrors: (K, R) planes in the order a path meets them; -1 behind the last.
            pairs: a row of ``target`` and one of ``mirrors`` each.
            least: (P,) linear gain at each point below which a path does not matter. Slabs
                weaken it; mirrors and antennas are taken to lose nothing.
        """
        import drjit as dr
        import mitsuba as mi

        unfolding = _Unfolding(self._facets, source, target, mirrors)
        chains = mi.UInt32(np.ascontiguousarray(mirrors + 1).astype(np.uint32).ravel())
        ends = _Ends(
            mi.Float(in_fours(target.point - self._radio.centre).astype(np.float32)),
            mi.Float(in_fours(target.normal, 10 * np.log10(least + 1e-30)).astype(np.float32)),
        )
        start = opaque_point(self._radio, source)
        width = mirrors.shape[1]
        found = [self._nothing(width + self._slabs)]
        for part in tiles(len(pairs.point), _PAIRS_AT_ONCE):
            point, row = (on_lanes(numbers[part]) for numbers in pairs)
            way = unfolding.departure(point, row)
            budget = ends.budget(point, way[1], self._radio.scene.wavelength)
            possible = dr.compress(unfolding.possible(point, row) & (budget > 0))
            if dr.width(possible):
                point, row = (dr.gather(mi.UInt32, n, possible) for n in (point, row))
                found.append(self._follow(start, unfolding, ends, point, row, chains, width))
        return joined(found)

    def _follow(
        self,
        start: Any,
        unfolding: _Unfolding,
        ends: _Ends,
        point: Any,
        row: Any,
        chains: Any,
        width: int,
    ) -> Arrivals:
        """Rays from surface to surface, each told what to do there."""
        import drjit as dr
        import mitsuba as mi

        scene = self._radio.scene.mi_scene
        unit, far, order = unfolding.departure(point, row)
        columns = width + self._slabs
        met = dr.zeros(mi.UInt32, columns * dr.width(point))
        most = dr.opaque(mi.UInt32, self._most)
        lane = dr.arange(mi.UInt32, dr.width(point))
        most_loss = ends.budget(point, far, self._radio.scene.wavelength)

        def step(
            ray: Any, mirrored: Any, depth: Any, loss: Any, key: Any, active: Any, arrived: Any
        ) -> tuple[Any, ...]:
            hit = scene.ray_intersect(ray, active=active)
            here = active & (mirrored == order) & ends.reached(ray, hit, point, far)
            active = active & hit.is_valid() & ~here
            plane, material = self._lookup(hit, active), self._lookup.material(hit, active)
            wanted = dr.gather(
                mi.UInt32, chains, row * width + mirrored, active & (mirrored < order)
            )
            mirror = active & (wanted == plane + 1)
            loss = loss + dr.select(mirror, 0.0, dr.gather(mi.Float, self._loss, material, active))
            code = 1 + dr.select(mirror, 1, 0) + 2 * (material + self._num_materials * plane)
            slot = active & (depth < columns)
            dr.scatter(met, code, lane * columns + depth, slot)
            key = dr.select(active, mixed(key, mi.UInt64(code)), key)
            mirrored = dr.select(mirror, mirrored + 1, mirrored)
            depth = dr.select(active, depth + 1, depth)
            passed = depth - mirrored
            active &= (depth <= most) & (passed <= self._slabs) & (loss < most_loss)
            # The plane's own normal: that of a small triangle is rounded.
            normal = xyz(dr.gather(mi.Vector4f, self._normal, plane, mirror))
            turned = dr.select(mirror, ray.d - 2 * dr.dot(ray.d, normal) * normal, ray.d)
            return hit.spawn_ray(d=turned), mirrored, depth, loss, key, active, arrived | here

        count = dr.width(point)
        state = (
            mi.Ray3f(start, unit),
            dr.zeros(mi.UInt32, count),
            dr.zeros(mi.UInt32, count),
            dr.zeros(mi.Float, count),
            dr.zeros(mi.UInt64, count),
            dr.full(mi.Bool, True, count),
            dr.full(mi.Bool, False, count),
        )
        *_, key, _, arrived = dr.while_loop(state, lambda *state: state[5], step)
        dr.eval(key, arrived)  # together: else the rays are traced once for each of them
        lanes = dr.compress(arrived)
        reached, rows = (np.array(dr.gather(mi.UInt32, n, lanes), np.int64) for n in (point, row))
        keys = np.array(dr.gather(mi.UInt64, key, lanes), np.uint64)
        key, first, chain = numbered(keys)
        places = np.array(lanes, np.int64)[first, None] * columns + np.arange(columns)
        codes = dr.gather(mi.UInt32, met, on_lanes(places.ravel()))
        chains = self._chains(np.array(codes, np.uint32).reshape(-1, columns))
        return Arrivals(reached, rows, chain, chains, key)

    def _nothing(self, columns: int) -> Arrivals:
        none = np.zeros(0, np.int64)
        chains = self._chains(np.zeros((0, columns), np.uint32))
        return Arrivals(none, none, none, chains, np.zeros(0, np.uint64))

    def _chains(self, codes: NDArray[np.uint32]) -> Chains:
        there = codes > 0
        face, mirrored = np.divmod(codes.astype(np.int64) - 1, 2)
        plane, material = np.divmod(face, self._num_materials)
        event = np.where(mirrored == 1, int(Event.REFLECTION), int(Event.TRANSMISSION))
        return Chains(
            np.where(there, event, int(Event.NONE)).astype(np.int8),
            np.where(there, plane, -1).astype(np.int32),
            np.where(there, material, -1).astype(np.int32),
        )


class _Ends(NamedTuple):
    """Where paths end: points and normals in traced coordinates, padded to four numbers.

    The fourth number behind a normal is the least gain that matters, dB.
    """

    point: Any
    normal: Any

    def budget(self, point: Any, far: Any, wavelength: Any) -> Any:
        """What slabs may take from paths of some length, dB."""
        import drjit as dr
        import mitsuba as mi

        least = dr.gather(mi.Vector4f, self.normal, point).w
        spread = 20 * dr.log2(wavelength / (4 * dr.pi * far)) * dr.log(2) / dr.log(10)
        return dr.minimum(spread - least, _MOST_LOSS_DB)

    def reached(self, ray: Any, hit: Any, point: Any, far: Any) -> Any:
        """Whether rays arrive at their points, on the visible side, ``mi.Bool``."""
        import drjit as dr
        import mitsuba as mi

        end = mi.Point3f(xyz(dr.gather(mi.Vector4f, self.point, point)))
        normal = xyz(dr.gather(mi.Vector4f, self.normal, point))
        way = end - ray.o
        ahead = dr.dot(way, ray.d)
        near = dr.norm(dr.cross(way, ray.d)) < _NEAR_M + _NEAR_SHARE * far
        # The point stands off its surface: a grazing ray may pass it and leave the surface.
        slack = RAY_EPSILON * (1 + dr.max(dr.abs(end)))
        free = (ahead > 0) & (~hit.is_valid() | (hit.t > ahead - slack))
        return near & free & (dr.dot(ray.d, normal) < 0)


class _Unfolding:
    """Paths by way of mirrors as straight lines, in float64 relative to the source."""

    def __init__(self, facets: Facets, source: Array, target: Target, mirrors: Index) -> None:
        import mitsuba as mi

        planes = facets.planes
        self._plane = mi.Float64(in_fours(planes.normal, planes.offset - planes.normal @ source))
        self._low, self._high = (
            mi.Float64(in_fours(facets.box[:, side] - source)) for side in (0, 1)
        )
        self._point = mi.Float64(in_fours(target.point - source))
        self._mirrors = mi.UInt32(np.ascontiguousarray(mirrors + 1).astype(np.uint32).ravel())
        self._width = mirrors.shape[1]

    def departure(self, point: Any, row: Any) -> tuple[Any, Any, Any]:
        """Unit directions in which paths leave, their lengths, and their numbers of mirrors."""
        import drjit as dr
        import mitsuba as mi

        image, order = self._image(point, row)
        far = dr.norm(image)
        return mi.Vector3f(image / dr.maximum(far, 1e-9)), mi.Float(far), order

    def possible(self, point: Any, row: Any) -> Any:
        """Whether paths would meet each mirror within the box around its faces, ``mi.Bool``."""
        import drjit as dr
        import mitsuba as mi

        way, _ = self._image(point, row)
        place, possible = mi.Vector3d(0.0), dr.full(mi.Bool, True, dr.width(point))
        for number in range(self._width):
            some, plane, normal, offset = self._mirror(row, number)
            low, high = (
                xyz(dr.gather(mi.Vector4d, box, plane, some)) for box in (self._low, self._high)
            )
            t = (offset - dr.dot(normal, place)) / dr.dot(normal, way)
            at = place + t * way
            hit = (t > 0) & dr.all((at > low - _BOX_M) & (at < high + _BOX_M))
            possible &= hit | ~some
            place = dr.select(some, at, place)
            way = dr.select(some, way - 2 * dr.dot(way, normal) * normal, way)
        return possible

    def _image(self, point: Any, row: Any) -> tuple[Any, Any]:
        """The points mirrored in their chains, the last mirror first; number of mirrors."""
        import drjit as dr
        import mitsuba as mi

        image, order = xyz(dr.gather(mi.Vector4d, self._point, point)), mi.UInt32(0)
        for number in reversed(range(self._width)):
            some, _, normal, offset = self._mirror(row, number)
            height = dr.dot(normal, image) - offset
            image = dr.select(some, image - 2 * height * normal, image)
            order = order + dr.select(some, mi.UInt32(1), 0)
        return image, order

    def _mirror(self, row: Any, number: int) -> tuple[Any, Any, Any, Any]:
        """Whether there is such a mirror; its number, normal and offset."""
        import drjit as dr
        import mitsuba as mi

        wanted = dr.gather(mi.UInt32, self._mirrors, row * self._width + number)
        some, plane = wanted > 0, wanted - 1
        table = dr.gather(mi.Vector4d, self._plane, plane, some)
        return some, plane, xyz(table), table.w
