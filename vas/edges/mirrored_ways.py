"""Mirrored ways: which pairs of an edge and a mirror bring power to which pixels.

There are far too many pairs to try them all at every pixel, so both ends look first. Rays from
the transmitter tell which planes it sees: each makes an image of it, and of some points along
each edge rays tell whether that image lights them. Rays from each scout tell which planes it
sees: in each of them it has an image, for which the edges that see the transmitter are tried.
Every path to a scout is proved, and weighed with its field; the strongest are candidates for
the pixels around it.

What it may miss: mirrors that fill so little of a transmitter's or a scout's view that no ray
meets them, or that are not among the largest there; edges of which a mirror lights only a short
piece; what reaches no scout but a pixel between them; and all that is weaker than the strongest
few ways to a scout. In a district of 200 m, of what all pairs brought to 127 random pixels that
they reached, it missed 0.01 dB at the median pixel and 0.54 dB at the 95th percentile.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vasgen.vas.edges.bent_paths import BentPaths, Ends
from vasgen.vas.edges.mirrors import Mirrors
from vasgen.vas.edges.scouts import Candidates, Scouts
from vasgen.vas.edges.ways import Ways, facing
from vasgen.vas.paths.path_field import MaterialTable, path_gains
from vasgen.vas.paths.paths import Paths, Points
from vasgen.vas.scene.radio_scene import RadioScene
from vasgen.vas.scene.visibility import on_device
from vasgen.vas.scene.wedges import Wedges
from vasgen.vas.surfaces.surface import ReceiverSurface, Target

Array = NDArray[np.float64]
Index = NDArray[np.int64]

#: Rays from a transmitter, and how many of the planes they meet are tried: the largest in view.
_SOURCE_RAYS, _SOURCE_MIRRORS = 50_000, 256

#: The same from each scout.
_SCOUT_RAYS, _SCOUT_MIRRORS = 128, 16

#: Points along an edge that are asked whether they see the transmitter in a mirror.
_PROBES = 16

#: A plane that a whole edge is so near to is no mirror beside it, metres: it is a face of the
#: wedge, whose reflection the theory of diffraction counts.
_BESIDE_M = 0.05

#: Ways that are kept where the search looks: the strongest, down to this share of the sum.
_MOST_WAYS = 8
_KEPT_SHARE = 0.99

#: Ways or pairs tried at once: bounds the memory to some 300 MB.
_AT_ONCE = 1_000_000


class MirroredWays:
    """Searches ways from one transmitter.

    Args:
        radio: the scene, with this transmitter set.
        wedges: of the scene.
        lit: (L,) those that see the transmitter.
        position: (3,) transmitter, world metres.
        mirrors: of the scene.
        table: its radio materials.
    """

    def __init__(
        self,
        radio: RadioScene,
        wedges: Wedges,
        lit: Index,
        position: Array,
        mirrors: Mirrors,
        table: MaterialTable,
    ) -> None:
        self._radio = radio
        self._wedges = wedges
        self._lit = lit
        self._position = position
        self._mirrors = mirrors
        self._table = table
        self._before = self._lit_by_images()

    def search(self, surface: ReceiverSurface) -> tuple[BentPaths, Candidates]:
        """The ways that matter to a surface, and to which of its pixels they may lead."""
        scouts = Scouts(surface)
        target = surface.target(self._radio.centre).take(scouts.row)
        tried = itertools.chain(self._mirrored_before(target), self._mirrored_after(target))
        none = np.zeros(0, np.int64)
        found = [_Found(Ways.plain(none), none, np.zeros(0))]
        found += [self._strong(some, target) for some in tried]
        scout = np.concatenate([part.scout for part in found])
        keep = _strongest(scout, np.concatenate([part.gain for part in found]), _MOST_WAYS)
        ways, way = _distinct(_joined([part.ways for part in found]).take(keep))
        return self._paths(ways), scouts.shared(way, scout[keep])

    def _mirrored_before(self, target: Target) -> Iterator[_Tried]:
        """Every scout with every way by which the transmitter lights an edge."""
        ways = self._before
        step = max(1, _AT_ONCE // max(len(ways), 1))
        for begin in range(0, len(target.point) if len(ways) else 0, step):
            some = np.arange(begin, min(begin + step, len(target.point)))
            way, scout = np.meshgrid(np.arange(len(ways)), some)
            yield _Tried(ways, way.ravel(), scout.ravel())

    def _mirrored_after(self, target: Target) -> Iterator[_Tried]:
        """Every scout with every mirror it sees behind every edge that sees the transmitter."""
        count = len(self._lit)
        scout, plane = self._in_view(target, _SCOUT_RAYS, _SCOUT_MIRRORS)
        order = np.argsort(plane, kind="stable")
        step = max(1, _AT_ONCE // max(count, 1))
        for begin in range(0, len(order) if count else 0, step):
            some = order[begin : begin + step]
            planes, number = np.unique(plane[some], return_inverse=True)
            after = np.repeat(planes, count)
            ways = Ways(np.tile(self._lit, len(planes)), np.full(len(after), -1), after)
            way = (number[:, None] * count + np.arange(count)).ravel()
            bends = ~self._beside(ways.wedge, ways.after)[way]
            yield _Tried(ways, way[bends], np.repeat(scout[some], count)[bends])

    def _strong(self, tried: _Tried, target: Target) -> _Found:
        """What is strongest among what was tried."""
        ends = self._paths(tried.ways).find(tried.way, tried.scout, target)
        gain = self._gain(ends, target)
        keep = _strongest(ends.point, gain, _MOST_WAYS)
        return _Found(tried.ways.take(ends.way[keep]), ends.point[keep], gain[keep])

    def _gain(self, ends: Ends, target: Target) -> Array:
        every = np.arange(len(target.point))
        paths = Paths(
            self._position,
            Points(every, np.ones(len(every)), target),
            ends.chains,
            self._mirrors.facets.planes,
            self._wedges,
            ends.point.astype(np.int32),
            ends.chain.astype(np.int32),
        )
        return path_gains(self._radio, self._table, paths)

    def _paths(self, ways: Ways) -> BentPaths:
        return BentPaths(self._radio, self._wedges, ways, self._position, self._mirrors)

    def _lit_by_images(self) -> Ways:
        """Ways by a mirror before an edge of which some point sees the transmitter in it."""
        here = Target(self._position[None], np.zeros((1, 3)))
        _, plane = self._in_view(here, _SOURCE_RAYS, _SOURCE_MIRRORS)
        parts = [self._towards_image(number) for number in plane.tolist()]
        ways = _joined([Ways.plain(np.zeros(0, np.int64)), *parts])
        return ways.take(self._paths(ways).lit(_PROBES)) if len(ways) else ways

    def _towards_image(self, plane: int) -> Ways:
        """Ways by a mirror before every edge that may see the transmitter in it."""
        planes = self._mirrors.facets.planes
        normal, offset = planes.normal[plane], planes.offset[plane]
        image = self._position - 2 * (self._position @ normal - offset) * normal
        wedge = facing(self._wedges, image)
        before = np.full(len(wedge), plane)
        keep = self._in_front(wedge, plane) & ~self._beside(wedge, before)
        return Ways(wedge, before, np.full(len(wedge), -1)).take(keep)

    def _in_front(self, wedge: Index, plane: int) -> NDArray[np.bool_]:
        """Whether some point of an edge is on the transmitter's side of a plane."""
        planes = self._mirrors.facets.planes
        side = np.sign(planes.normal[plane] @ self._position - planes.offset[plane])
        ends = (planes.offset[plane] - e @ planes.normal[plane] for e in self._tips(wedge))
        return np.asarray(np.minimum(*(side * height for height in ends)) < 0)

    def _beside(self, wedge: Index, plane: Index) -> NDArray[np.bool_]:
        """Whether edges lie in planes."""
        planes = self._mirrors.facets.planes
        normal, offset = planes.normal[plane], planes.offset[plane]
        heights = (np.einsum("wc,wc->w", e, normal) - offset for e in self._tips(wedge))
        return np.asarray(np.maximum(*(np.abs(height) for height in heights)) < _BESIDE_M)

    def _tips(self, wedge: Index) -> tuple[Array, Array]:
        """Both ends of edges."""
        wedges = self._wedges[wedge]
        return wedges.origin, wedges.origin + wedges.length[:, None] * wedges.along

    def _in_view(self, target: Target, rays: int, most: int) -> tuple[Index, Index]:
        """Pairs of point and mirror: the largest mirrors in view of each point.

        Args:
            target: the points.
            rays: from each, to the side that receives.
            most: mirrors of each.
        """
        several = len(self._mirrors.facets.planes)
        step = max(1, _AT_ONCE // rays)
        keys = [np.zeros(0, np.int64)]
        for begin in range(0, len(target.point), step):
            some = np.arange(begin, min(begin + step, len(target.point)))
            way = _hemispheres(target.normal[some], rays)
            ray, plane = self._met(np.repeat(target.point[some], rays, axis=0), way)
            keys.append(some[ray // rays] * several + plane)
        key, count = np.unique(np.concatenate(keys), return_counts=True)
        largest = _strongest(key // several, count.astype(np.float64), most, share=np.inf)
        point, plane = np.divmod(key[largest], several)
        return point, plane

    def _met(self, start: Array, way: Array) -> tuple[Index, Index]:
        """Numbers of the rays that first meet a mirror, and the planes they meet."""
        import drjit as dr
        import mitsuba as mi

        direction = mi.Vector3f(np.ascontiguousarray(way.T, np.float32))
        hit = self._radio.scene.mi_scene.ray_intersect(
            mi.Ray3f(on_device(self._radio, start), direction)
        )
        lookup = self._mirrors.lookup
        plane = lookup(hit, hit.is_valid())
        rays = dr.compress(hit.is_valid() & dr.gather(mi.Bool, lookup.mirror, plane))
        met = dr.gather(mi.UInt32, plane, rays)
        return np.array(rays, np.int64), np.array(met, np.int64)


class _Tried(NamedTuple):
    """Pairs of way and scout that may be joined by a path.

    Attributes:
        ways: some.
        way: (M,) rows of them.
        scout: (M,) rows of the scouts.
    """

    ways: Ways
    way: Index
    scout: Index


class _Found(NamedTuple):
    """Paths to scouts.

    Attributes:
        ways: (N) one of each.
        scout: (N,) rows of the scouts.
        gain: (N,) linear.
    """

    ways: Ways
    scout: Index
    gain: Array


def _hemispheres(normal: Array, count: int) -> Array:
    """Directions spread evenly over the side of each normal, (P * count, 3); all, if zero."""
    number = np.arange(count) + 0.5
    z = 1 - 2 * number / count
    turn = np.pi * (1 + np.sqrt(5)) * number  # a Fibonacci lattice on the sphere
    off = np.sqrt(1 - z**2)
    sphere = np.column_stack([off * np.cos(turn), off * np.sin(turn), z])
    height = np.minimum(normal @ sphere.T, 0.0)
    ways: Array = sphere - 2 * height[..., None] * normal[:, None]
    return ways.reshape(-1, 3)


def _joined(parts: Sequence[Ways]) -> Ways:
    """The ways of all parts."""
    names = ("wedge", "before", "after")
    return Ways(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def _distinct(ways: Ways) -> tuple[Ways, Index]:
    """Each way once, and the number of each."""
    rows = np.column_stack([ways.wedge, ways.before, ways.after])
    rows, number = np.unique(rows, axis=0, return_inverse=True)
    return Ways(*rows.T), number.reshape(-1)


def _strongest(group: Index, power: Array, most: int, share: float = _KEPT_SHARE) -> Index:
    """Numbers of the strongest of each group, down to a share of its sum.

    Args:
        group: (N,) number of the group of each.
        power: (N,) linear.
        most: of a group.
        share: of the power of a group.
    """
    order = np.lexsort((-power, group))
    group, power = group[order], power[order]
    _, begins, size = np.unique(group, return_index=True, return_counts=True)
    total = np.repeat(np.add.reduceat(power, begins) if len(group) else power, size)
    rank = np.arange(len(group)) - np.repeat(begins, size)
    part = power / np.maximum(total, 1e-300)
    before = np.cumsum(part) - part  # shares: groups of little power keep their digits
    before -= np.repeat(before[begins], size)
    strongest: Index = order[(rank < most) & (power > 0) & (before < share)]
    return strongest
