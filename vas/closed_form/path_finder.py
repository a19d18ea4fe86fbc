"""The path finder: all paths that are known in closed form, for the points of some views.

Rays look for chains of mirrors once a transmitter, for all views together. Then each view is
told which paths lead to the middles of its pixels, and to more points where it asks for them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vasgen.antenna import Antenna
from vasgen.antenna_pattern import directions, globe
from vasgen.bundle import SceneBundle
from vasgen.errors import InputError
from vasgen.layers import MECHANISMS
from vasgen.spec import RadioSpec
from vasgen.transmitter import Transmitter
from vasgen.vas.closed_form.chain_search import Candidates, ChainSearch
from vasgen.vas.closed_form.guided import Arrivals, GuidedRays
from vasgen.vas.closed_form.lighting import Lighting
from vasgen.vas.counting.partition import Lit
from vasgen.vas.edges.bending import Bending
from vasgen.vas.edges.bent_paths import Ends
from vasgen.vas.edges.diffraction import Diffraction
from vasgen.vas.edges.mirrored_ways import MirroredWays
from vasgen.vas.edges.mirrors import Mirrors
from vasgen.vas.paths.path_field import MaterialTable, path_gains
from vasgen.vas.paths.path_sets import added
from vasgen.vas.paths.paths import Paths, Points
from vasgen.vas.scene.field import radiated_power
from vasgen.vas.scene.plane_lookup import PlaneLookup
from vasgen.vas.scene.planes import Facets
from vasgen.vas.scene.radio_scene import FreeSpace, RadioScene
from vasgen.vas.scene.wedges import Wedges
from vasgen.vas.surfaces.cells import CELL, cells_of
from vasgen.vas.surfaces.image_index import ImageIndex
from vasgen.vas.surfaces.surface import ReceiverSurface

Array = NDArray[np.float64]
Index = NDArray[np.int64]

#: Memory that pairs of a pixel and a chain of mirrors may take, and what each of them takes.
_MOST_BYTES, _BYTES_A_PAIR = 12_000_000_000, 40

_DIRECT = MECHANISMS.index("line of sight")

#: The greatest gain of an antenna is looked for on a grid, and may lie between its points.
_MARGIN = 1.2


class TracedScene(NamedTuple):
    """One scene, as everything that paths need.

    Attributes:
        bundle: the scene.
        radio: the same, for rays.
        lookup: which of its planes a ray hits.
        facets: its planes.
        wedges: its wedges.
        table: its radio materials.
    """

    bundle: SceneBundle
    radio: RadioScene
    lookup: PlaneLookup
    facets: Facets
    wedges: Wedges
    table: MaterialTable


class PathFinder:
    """See the module's text.

    Args:
        scene: in coordinates centred near the views.
        spec: mechanisms, depth and effort.
        index: which pixel of the views sees a point.
        surfaces: what the views see, as footprints.
    """

    def __init__(
        self,
        scene: TracedScene,
        spec: RadioSpec,
        index: ImageIndex,
        surfaces: Sequence[ReceiverSurface],
    ) -> None:
        bundle, radio, lookup, facets, *_ = scene
        self._spec = spec
        self._scene = scene
        self._surfaces = surfaces
        self._cells = [cells_of(surface) for surface in surfaces]
        self._first = np.cumsum([0, *(len(cells) for cells in self._cells)])
        cell = np.concatenate([self.cells(number) for number in range(len(surfaces))])
        # Only what can mirror begins a chain: leaves, say, are not worth a ray.
        self._mirrored = bool(facets.mirror.any())
        triangles = bundle.face_table.triangles[facets.mirror[facets.plane]]
        self._search = ChainSearch(radio, lookup, index, cell, triangles, spec)
        self._guided = GuidedRays(radio, lookup, facets, bundle.radio_materials, spec)
        self._mirrors = Mirrors(radio, facets, lookup)
        self._plain = FreeSpace(spec.frequency_hz, radio.centre)
        self._most_gain = 1.0
        self._source = np.zeros(3)
        self._lights: list[Lighting] = []
        self._bends: dict[int, Bending] = {}
        self._edges: tuple[Diffraction, MirroredWays | None] | None = None

    def look_from(self, transmitter: Transmitter, seed: int) -> None:
        """Search for what leads from a transmitter to the views.

        Args:
            transmitter: the radio scene has it set.
            seed: of the rays.
        """
        self._source = source = np.asarray(transmitter.position, np.float64)
        # Where paths run is to serve other antennas too.
        plain = dataclasses.replace(transmitter, antenna=Antenna(polarization="VH"))
        self._plain.set_transmitter(plain)
        towards = directions(*globe()).reshape(-1, 3)
        self._most_gain = _MARGIN * float(radiated_power(self._scene.radio, towards).max())
        every = self._candidates(seed)
        self._lights = []
        for number, surface in enumerate(self._surfaces):
            first, last = self._first[number : number + 2]
            mine = (every.cell >= first) & (every.cell < last)
            found = every.take(mine, first)
            _check_size(len(found.cell), self._spec)
            cells = self._cells[number]
            light = Lighting(self._guided, self._gains, source, surface, cells, found)
            self._lights.append(light)
        self._bends = {}
        self._edges = self._lit_edges()

    def _lit_edges(self) -> tuple[Diffraction, MirroredWays | None] | None:
        """The edges that the transmitter lights, also by way of mirrors if that is asked for."""
        _, radio, _, _, wedges, table = self._scene
        spec, source = self._spec, self._source
        if not (spec.diffraction and spec.max_depth):
            return None
        diffraction = Diffraction(radio, wedges, source)
        mirrored = None
        if spec.diffracted_reflections and spec.specular_reflection and spec.max_depth > 1:
            lit = diffraction.paths.ways.wedge
            mirrored = MirroredWays(radio, wedges, lit, source, self._mirrors, table)
        return diffraction, mirrored

    def _bending(self, view: int) -> Bending | None:
        """What edges bend towards a view; searched once, kept until it is forgotten."""
        if self._edges is not None and view not in self._bends:
            diffraction, mirrored = self._edges
            surface, centre = self._surfaces[view], self._scene.radio.centre
            self._bends[view] = Bending(diffraction, surface, centre, mirrored)
        return self._bends.get(view)

    def _candidates(self, seed: int) -> Candidates:
        spec = self._spec
        mirrors = self._mirrored and spec.specular_reflection
        if mirrors and spec.reflections and spec.max_depth:
            return self._search.find(seed)
        return Candidates.none(1)

    def middles(self, view: int, points: Points) -> Paths:
        """All paths to the middles of a view's pixels.

        Args:
            view: its number.
            points: one of each pixel.
        """
        return self._with_bent(view, points, self._lights[view].middles(points))

    def unsettled(self, view: int, asked: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Which pixels a chain may light in part only; see :class:`Lighting`.

        Args:
            view: its number.
            asked: (P,) bool, pixels that are asked for.
        """
        return self._lights[view].unsettled(asked)

    def samples(self, view: int, points: Points) -> Paths:
        """All paths to other points of a view; the middles come first.

        Args:
            view: its number.
            points: any.
        """
        return self._with_bent(view, points, self._lights[view].samples(points))

    def _with_bent(self, view: int, points: Points, found: Arrivals) -> Paths:
        """Those found, and those that edges bend."""
        paths = self._paths(points, found)
        bending = self._bending(view)
        for ends in bending.ends(points) if bending else ():
            paths = added(paths, self._paths(points, ends))
        return paths

    def lit(self, view: int) -> Lit:
        """What mirrors are known to light in a view; after :meth:`middles`."""
        lit = self._lights[view].lit()
        return lit._replace(cell=self._first[view] + lit.cell)

    def cells(self, view: int) -> Index:
        """Cell of each pixel of a view, (P,), over the cells of all views."""
        return np.asarray(self._first[view] + self._cells[view].of_pixel)

    def forget(self, view: int) -> None:
        """Free what is known of a view: it takes more memory than its paths."""
        self._lights[view].forget()
        self._bends.pop(view, None)

    def _gains(self, points: Points, found: Arrivals) -> Array:
        """Powers of paths, (2, N): see :class:`Lighting`."""
        _, radio, _, _, _, table = self._scene
        paths = self._paths(points, found)
        # In place, here and where such powers are used: there are many paths.
        weighed: Array = np.empty((2, len(paths)))
        for row, space in zip(weighed, (self._plain, radio), strict=True):
            row[:] = path_gains(space, table, paths)
        weighed[1] /= self._most_gain
        weighed *= self._spec.line_of_sight | (paths.mechanism != _DIRECT)
        return weighed

    def _paths(self, points: Points, found: Arrivals | Ends) -> Paths:
        planes, wedges = self._scene.facets.planes, self._scene.wedges
        ends, chain = found.point.astype(np.int32), found.chain.astype(np.int32)
        return Paths(self._source, points, found.chains, planes, wedges, ends, chain)


def _check_size(num_found: int, spec: RadioSpec) -> None:
    """Refuse more chains than fit any usual memory.

    Args:
        num_found: number of chains and cells of a view that the search has found.
        spec: what it was told.
    """
    pairs = num_found * CELL**2
    if pairs * _BYTES_A_PAIR > _MOST_BYTES:
        raise InputError(
            f"radio.reflections is {spec.reflections}: {pairs / 1e6:.0f} million pairs of a pixel "
            f"and a chain of mirrors take some {pairs * _BYTES_A_PAIR / 1e9:.0f} GB of memory; "
            f"allowed: {_MOST_BYTES / 1e9:.0f} GB. Lower radio.reflections, or radio.search_rays "
            f"({spec.search_rays})."
        )
