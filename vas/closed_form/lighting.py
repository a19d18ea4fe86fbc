"""Lighting: which pixels each chain of mirrors lights.

The light of a chain on a view is a patch. It grows from the cells in which the search has seen
it, cell by cell, until it ends or no longer matters: so few rays find all of it, and few are
spent beyond it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from vasgen.vas.closed_form.chain_search import Candidates
from vasgen.vas.closed_form.guided import Arrivals, GuidedRays, Pairs, joined
from vasgen.vas.closed_form.patches import Patches
from vasgen.vas.counting.partition import Lit
from vasgen.vas.paths.paths import Points
from vasgen.vas.surfaces.cells import CELL, Cells
from vasgen.vas.surfaces.keys import among, distinct
from vasgen.vas.surfaces.surface import ReceiverSurface, sum_by_group

Array = NDArray[np.float64]
Index = NDArray[np.int64]
Mask = NDArray[np.bool_]

#: Patches grow where they bring more than this share: the search has seen most of the others.
_GROWING = 3e-3

#: At the borders of patches, only paths with more than this share of a pixel's power are
#: traced anew: the others light it whole or not at all.
_MINOR = 3e-2

#: Patches stop growing once a round of it finds less than this share of all paths.
_LAST_ROUND = 2e-3

#: Paths with less than this share of a point's power do not matter.
_NEGLIGIBLE = 1e-3

#: One pixel of so many, each way, is a scout.
_STRIDE = 4

#: Tells the powers of paths, (K, N) linear: for each of some antennas of no more than no gain.
Weigh = Callable[[Points, Arrivals], Array]


class Lighting:
    """The paths of one transmitter to one view, by way of mirrors and through slabs.

    Args:
        guided: proves paths.
        weigh: tells the powers of paths, (K, N) linear: those of an antenna that sends alike into
            all directions, and those of others, scaled to send nowhere more than that. A path
            matters if it does for any of them.
        source: (3,) transmitter, world metres.
        surface: of the view.
        cells: of the view.
        found: what the search has seen in them.
    """

    def __init__(
        self,
        guided: GuidedRays,
        weigh: Weigh,
        source: Array,
        surface: ReceiverSurface,
        cells: Cells,
        found: Candidates,
    ) -> None:
        self._guided = guided
        self._weigh = weigh
        self._source = source
        self._surface = surface
        self._cells = cells
        empty = np.full((1, found.chain.shape[1]), -1)
        # Sorted: the empty chain comes first.
        self._mirrors, number = np.unique(
            np.concatenate([empty, found.chain]), axis=0, return_inverse=True
        )
        number = number.reshape(-1)[1:]
        self._seen = found.cell * len(self._mirrors) + number
        self._known: tuple[Patches, Arrivals] | None = None
        self._inner = self._lit = np.zeros(0, np.int64)
        self._open = self._inner, self._inner

    def middles(self, points: Points) -> Arrivals:
        """Paths to the middles of all pixels.

        Args:
            points: one of each pixel.
        """
        arrivals = self._grown(points)
        gain = self._weigh(points, arrivals)
        share = _shares(gain, self._sums(points, arrivals, gain), arrivals)
        kept = self._kept(points, arrivals, share)
        arrivals = arrivals.take(kept)
        matters = (share[kept] > _MINOR) | (arrivals.mirrors == 0)
        pixel, shape = points.pixel[arrivals.point], self._surface.shape
        patches = Patches(shape, pixel, arrivals.mirrors, arrivals.chain, matters)
        self._known = patches, arrivals
        return arrivals

    def lit(self) -> Lit:
        """The cells in which all paths by way of a chain of mirrors are known."""
        cell, mirrors = np.divmod(self._lit, len(self._mirrors))
        turned = mirrors > 0  # the empty chain is known everywhere
        return Lit(cell[turned], self._mirrors[mirrors[turned]])

    def _kept(self, points: Points, arrivals: Arrivals, share: Array) -> Mask:
        """Which paths matter: those of chains that bring anything worth its while to their cell.

        What is dropped is dropped from whole cells, so that it is known what remains to be
        counted.
        """
        cell = self._cells.of_pixel[points.pixel[arrivals.point]]
        key = cell * len(self._mirrors) + arrivals.mirrors
        # Paths of a chain to a cell mostly follow each other.
        begin = np.flatnonzero(np.diff(key, prepend=-1))
        matters = np.maximum.reduceat(share, begin) > _NEGLIGIBLE
        # Whether the transmitter is in sight does not depend on how it shines.
        matters |= arrivals.mirrors[begin] == 0
        self._lit = distinct(key[begin[matters]])
        return among(key, self._lit)

    def _grown(self, points: Points) -> Arrivals:
        """Paths of all patches, from where they were seen to where they end."""
        parts = [self._straight(points)]
        power = self._power(points, parts[0])
        where = _Where(self._cells, points.pixel, self._surface.shape[1])
        new = done = distinct(self._seen)
        count = 0
        while True:
            lit = self._lit_cells(points, where, new, power)
            parts.append(lit)
            count += len(lit.point)
            if len(lit.point) <= _LAST_ROUND * count:
                break
            gain = self._weigh(points, lit)
            power += self._sums(points, lit, gain)
            counts = _shares(gain, power, lit) > _GROWING
            near = self._around(points.pixel[lit.point[counts]], lit.mirrors[counts])
            new = near[~among(near, done)]
            done = distinct(np.concatenate([done, new]))
        return joined(parts)

    def unsettled(self, asked: Mask) -> Mask:
        """Which pixels a chain that matters may light in part only.

        Args:
            asked: (P,) bool, pixels that are asked for; :meth:`middles` has been called before.
        """
        patches, _ = self._all_known()
        self._inner = np.flatnonzero(patches.inner(asked))
        pixel, mirrors = patches.beside(asked)
        count = len(self._mirrors)
        settled = patches.pixel[self._inner] * count + patches.mirrors[self._inner]
        some = ~among(pixel * count + mirrors, settled)
        # What crosses into a cell that it is not known to light is counted there.
        some &= (mirrors == 0) | among(self._cells.of_pixel[pixel] * count + mirrors, self._lit)
        self._open = pixel[some], mirrors[some]
        found = np.zeros(self._surface.num_pixels, bool)
        found[pixel[some]] = True
        return found

    def samples(self, points: Points) -> Arrivals:
        """Paths to other points of the pixels' footprints.

        Args:
            points: of pixels that :meth:`unsettled` was asked for, in their order.
        """
        patches, arrivals = self._all_known()
        row, point = joins(patches.pixel[self._inner], points.pixel)
        whole = arrivals.take(self._inner[row])._replace(point=point)
        pixel, mirrors = self._open
        chosen, point = joins(pixel, points.pixel)
        least = _NEGLIGIBLE * self._power(points, whole).min(axis=0)
        return joined([whole, self._trace(points, Pairs(point, mirrors[chosen]), least)])

    def forget(self) -> None:
        """Free all that is known; ask nothing more."""
        self._known, self._seen = None, np.zeros(0, np.int64)
        self._inner = self._lit = self._seen
        self._open = self._seen, self._seen

    def _all_known(self) -> tuple[Patches, Arrivals]:
        assert self._known is not None, "the middles come first"
        return self._known

    def _lit_cells(self, points: Points, where: _Where, keys: Index, power: Array) -> Arrivals:
        """Paths in some cells by way of some mirrors.

        A few scouts of each cell go first: where they see paths, and none that matters, the
        others stay at home.

        Args:
            points: the middles.
            where: they are.
            keys: cell times the number of chains, plus chain.
            power: (P,) already known at each point.
        """
        cell, mirrors = np.divmod(keys, len(self._mirrors))
        least = _NEGLIGIBLE * power.min(axis=0)
        key, point = joins(cell, where.scouts)
        scouts = self._trace(points, Pairs(where.scout[point], mirrors[key]), least)
        own = where.cell[scouts.point] * len(self._mirrors) + scouts.mirrors
        seen = among(keys, own)
        matters = _shares(self._weigh(points, scouts), power, scouts) > _NEGLIGIBLE
        wanted = ~seen | among(keys, own[matters])
        chosen = np.flatnonzero(wanted)
        key, point = joins(cell[chosen], where.others)
        rest = self._trace(points, Pairs(where.other[point], mirrors[chosen[key]]), least)
        return joined([scouts.take(among(own, keys[wanted])), rest])

    def _straight(self, points: Points) -> Arrivals:
        """Paths that no mirror turns, to all points."""
        every = np.arange(len(points))
        pairs = Pairs(every, np.zeros_like(every))
        return self._trace(points, pairs, np.zeros(len(points)))

    def _trace(self, points: Points, pairs: Pairs, least: Array) -> Arrivals:
        return self._guided.trace(self._source, points.target, self._mirrors, pairs, least)

    def _power(self, points: Points, arrivals: Arrivals) -> Array:
        """Powers at each point, (K, P)."""
        return self._sums(points, arrivals, self._weigh(points, arrivals))

    def _sums(self, points: Points, arrivals: Arrivals, gain: Array) -> Array:
        """Sum of the gains of paths, (K, N), at each point, (K, P)."""
        return np.array([sum_by_group(arrivals.point, one, len(points)) for one in gain])

    def _around(self, pixel: Index, mirrors: Index) -> Index:
        """Keys of the cells that a patch may reach next: beside the quarters in which it is."""
        count = len(self._mirrors)
        row, column = np.divmod(pixel, self._surface.shape[1])
        low, right = (row % CELL >= CELL // 2), (column % CELL >= CELL // 2)
        quarter = 2 * low.astype(np.int64) + right
        keys = distinct((self._cells.of_pixel[pixel] * 4 + quarter) * count + mirrors)
        quarter, mirrors = np.divmod(keys, count)
        cell, quarter = np.divmod(quarter, 4)
        row, column = np.divmod(cell, self._cells.columns)
        down, right = np.where(quarter >= 2, 1, -1), np.where(quarter % 2 == 1, 1, -1)
        found = []
        for y, x in ((row + down, column), (row, column + right), (row + down, column + right)):
            inside = (y >= 0) & (y < self._cells.rows) & (x >= 0) & (x < self._cells.columns)
            found.append(((y * self._cells.columns + x) * count + mirrors)[inside])
        return distinct(np.concatenate(found))


def _shares(gain: Array, power: Array, arrivals: Arrivals) -> Array:
    """The part of their points' power that paths bring, (N,): of the antenna that shows most."""
    share = power[:, arrivals.point]
    np.maximum(share, 1e-300, out=share)
    most: Array = np.divide(gain, share, out=share).max(axis=0)
    return most


class _Where:
    """Points by their cells: the scouts, a few of each, and the others.

    Attributes:
        cell: (P,) of each point.
        scout: numbers of the scouts, in the order of their cells, which are ``scouts``.
        other: the same of the others, in the cells ``others``.
    """

    def __init__(self, cells: Cells, pixel: Index, columns: int) -> None:
        row, column = np.divmod(pixel, columns)
        self.cell = cells.of_pixel[pixel]
        order = np.argsort(self.cell, kind="stable")
        is_scout = ((row % _STRIDE == _STRIDE // 2) & (column % _STRIDE == _STRIDE // 2))[order]
        self.scout, self.other = order[is_scout], order[~is_scout]
        self.scouts, self.others = self.cell[self.scout], self.cell[self.other]


def joins(keys: Index, ordered: Index) -> tuple[Index, Index]:
    """All pairs (i, j) with ``keys[i] == ordered[j]``; ``ordered`` is sorted."""
    begin = np.searchsorted(ordered, keys)
    count = np.searchsorted(ordered, keys, side="right") - begin
    run = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    return np.repeat(np.arange(len(keys)), count), np.repeat(begin, count) + run
