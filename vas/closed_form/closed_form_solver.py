"""The closed-form solver: every path of every pixel, and rays only for what remains.

Buildings are planes, so for a given chain of them the path to a pixel is known, and nothing
about it is random: line of sight, mirror reflections up to a number, transmission along all of
these, and diffraction. What remains are paths of more reflections, of rough and of curved
surfaces; rays are counted for them alone. Transmitters are taken one at a time.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vasgen import runtime
from vasgen.bundle import SceneBundle
from vasgen.errors import InputError
from vasgen.layers import MECHANISMS
from vasgen.spec import RadioSpec
from vasgen.transmitter import Transmitter
from vasgen.vas.closed_form.path_finder import PathFinder, TracedScene
from vasgen.vas.counting.coverage import trace_coverage
from vasgen.vas.counting.partition import Partition
from vasgen.vas.counting.remainder import BlockAudience, has_remainder
from vasgen.vas.paths.path_field import MaterialTable, material_table, path_gains
from vasgen.vas.paths.path_sets import at_pixels, joined, renumbered
from vasgen.vas.paths.path_statistics import Statistics, path_statistics, stacked
from vasgen.vas.paths.paths import Chains, Paths, Points
from vasgen.vas.scene.plane_lookup import PlaneLookup
from vasgen.vas.scene.planes import find_facets
from vasgen.vas.scene.radio_scene import FreeSpace, RadioScene
from vasgen.vas.scene.wedges import find_wedges
from vasgen.vas.shots import shots_of
from vasgen.vas.solver import Advance, Powers, scaled
from vasgen.vas.surfaces.crops import Crop, crops_of
from vasgen.vas.surfaces.footprint_samples import middles, spread, uneven
from vasgen.vas.surfaces.image_index import ImageIndex
from vasgen.vas.surfaces.surface import ReceiverSurface, Target, sum_by_group

Array = NDArray[np.float64]
Index = NDArray[np.int64]

_DIRECT = MECHANISMS.index("line of sight")
_REFLECTION = MECHANISMS.index("reflection")
_BENT = MECHANISMS.index("diffraction")
_REMAINDER = MECHANISMS.index("remainder")

#: Share of the work that finds paths, for progress only; the rest counts rays.
_PATHS_SHARE = 0.6


class ClosedFormSolver:
    """See the module's text, and :class:`vasgen.vas.solver.Solver`.

    Args:
        bundle: the scene.
        spec: mechanisms and effort.
    """

    def __init__(self, bundle: SceneBundle, spec: RadioSpec) -> None:
        self._bundle = bundle
        self._spec = spec
        self._facets = find_facets(bundle)
        self._wedges = find_wedges(bundle)
        self._table = material_table(bundle.radio_materials, spec)
        self._scene: TracedScene | None = None

    def solve(
        self,
        surfaces: Sequence[ReceiverSurface],
        transmitters: Sequence[Transmitter],
        *,
        seed: int,
        advance: Advance,
    ) -> list[Powers]:
        """See :class:`vasgen.vas.solver.Solver`.

        Raises:
            InputError: if a surface is no footprint of pixels.
        """
        _check_surfaces(surfaces)
        shots = shots_of(surfaces)
        views = len(transmitters) * sum(len(shot.surfaces) for shot in shots)
        maps: list[list[_Map]] = [[] for _ in surfaces]
        for shot in shots:
            scene = self._scene_at(np.array(shot.centre))
            some = _Views(scene, self._spec, [surfaces[number] for number in shot.surfaces])
            done = scaled(advance, len(shot.surfaces) / views)
            for transmitter in transmitters:
                found = some.solve(transmitter, seed, done)
                for number, one in zip(shot.surfaces, found, strict=True):
                    maps[number].append(one)
        if not shots:
            advance(1.0)
        for surface, each in zip(surfaces, maps, strict=True):
            each += [self._nothing(surface, t) for t in transmitters[len(each) :]]
        return [_powers(each) for each in maps]

    def _nothing(self, surface: ReceiverSurface, transmitter: Transmitter) -> _Map:
        """What arrives at a surface without any area."""
        radio = FreeSpace(self._spec.frequency_hz, np.zeros(3))
        radio.set_transmitter(transmitter)
        none, empty = np.zeros((0, 3)), np.zeros((0, 1), np.int32)
        paths = Paths(
            np.asarray(transmitter.position, np.float64),
            Points(np.zeros(0, np.int64), np.zeros(0), Target(none, none)),
            Chains(empty.astype(np.int8), empty, empty),
            self._facets.planes,
            self._wedges,
            np.zeros(0, np.int32),
            np.zeros(0, np.int32),
        )
        gains = np.zeros((len(MECHANISMS), surface.num_pixels))
        return _map(radio, self._table, paths, gains, self._spec)

    def _scene_at(self, centre: Array) -> TracedScene:
        """The scene in coordinates centred near the views: far away float32 is coarse."""
        if self._scene is None or (centre != self._scene.radio.centre).any():
            radio = RadioScene(self._bundle, self._spec, centre)
            lookup = PlaneLookup(radio, self._bundle, self._facets)
            self._scene = TracedScene(
                self._bundle, radio, lookup, self._facets, self._wedges, self._table
            )
        return self._scene


class _Views:
    """Views that are solved together.

    Args:
        scene: in coordinates centred near them.
        spec: mechanisms and effort.
        surfaces: what they see.
    """

    def __init__(
        self, scene: TracedScene, spec: RadioSpec, surfaces: Sequence[ReceiverSurface]
    ) -> None:
        self._spec = spec
        self._radio = scene.radio
        self._table = scene.table
        self._surfaces = surfaces
        self._crops = [crops_of(surface) for surface in surfaces]
        parts = [crop.surface for crops in self._crops for crop in crops]
        index = ImageIndex(surfaces, scene.radio.centre)
        few = len(parts) == len(surfaces)
        cut = index if few else ImageIndex(parts, scene.radio.centre)
        self._finder = PathFinder(scene, spec, cut, parts)
        self._partition = Partition(scene.lookup, self._cells(), spec.reflections)
        self._audience: BlockAudience | None = None
        if has_remainder(spec):
            self._audience = BlockAudience(surfaces, index)

    def solve(self, transmitter: Transmitter, seed: int, advance: Advance) -> list[_Map]:
        """What one transmitter brings to each of them."""
        self._radio.set_transmitter(transmitter)
        self._finder.look_from(transmitter, seed)
        maps, numbers = [], itertools.count()
        lit: list[NDArray[np.uint64]] = []
        for crops in self._crops:
            parts = [self._known(next(numbers), crop.surface, lit) for crop in crops]
            maps.append(_merged(parts, crops))
            advance(_PATHS_SHARE / len(self._crops))
        self._partition.learn(lit)
        rest = scaled(advance, 1 - _PATHS_SHARE)
        if self._audience is None:
            rest(1.0)
            return maps
        return self._with_remainder(self._audience, maps, seed, rest)

    def _cells(self) -> Index:
        """Cell of each pixel of all views in a row; crops count theirs one after the other."""
        numbers, found = itertools.count(), []
        for crops in self._crops:
            cell = np.zeros(sum(len(crop.pixel) for crop in crops), np.int64)
            for crop in crops:
                cell[crop.pixel] = self._finder.cells(next(numbers))
            found.append(cell)
        return np.concatenate(found)

    def _known(self, number: int, surface: ReceiverSurface, lit: list[NDArray[np.uint64]]) -> _Map:
        """What is known in closed form.

        Args:
            number: of the part.
            surface: what it sees.
            lit: what mirrors light is appended, as hashes.
        """
        paths, gains = self._paths(number, surface)
        lit.append(self._finder.lit(number).keys())
        # Before the statistics, which take memory of their own.
        self._finder.forget(number)
        runtime.free_unused()
        found = _map(self._radio, self._table, paths, gains, self._spec)
        runtime.free_unused()
        return found

    def _paths(self, number: int, surface: ReceiverSurface) -> tuple[Paths, Array]:
        """The paths to a part, and its path gain by mechanism, (M, P).

        Every pixel's middle first; then, where neighbours differ, several points.
        """
        origin, pixel = self._radio.centre, surface.centres.pixel
        coarse = self._finder.middles(number, middles(surface, origin))
        gains = self._gains(coarse, surface)
        rough = self._rough(number, gains, surface)
        runtime.free_unused()
        fine = self._finder.samples(number, spread(surface, rough, origin))
        even = np.zeros(surface.num_pixels, bool)
        even[pixel[~rough]] = True
        gains = np.where(even, gains, self._gains(fine, surface))
        if not self._spec.line_of_sight:
            gains[_DIRECT] = 0.0
        return joined(at_pixels(coarse, even), fine), gains

    def _rough(self, number: int, gains: Array, surface: ReceiverSurface) -> NDArray[np.bool_]:
        """Which rows are asked at several points: chains or edges light some of them in part."""
        pixel = surface.centres.pixel
        asked = np.zeros(surface.num_pixels, bool)
        asked[pixel[uneven(gains.sum(axis=0)[pixel], surface)]] = True
        rough = self._finder.unsettled(number, asked)[pixel]
        if self._spec.diffraction:
            rough |= asked[pixel] & uneven(gains[_BENT][pixel], surface)
        return rough

    def _gains(self, paths: Paths, surface: ReceiverSurface) -> Array:
        """Path gain by mechanism, (M, P), means over the points of each pixel."""
        shape = len(MECHANISMS), surface.num_pixels
        gain = path_gains(self._radio, self._table, paths)
        gain *= paths.points.weight[paths.point]
        group = paths.mechanism.astype(np.int64)
        group *= shape[1]
        group += paths.points.pixel[paths.point]
        return sum_by_group(group, gain, shape[0] * shape[1]).reshape(shape)

    def _with_remainder(
        self, audience: BlockAudience, maps: Sequence[_Map], seed: int, advance: Advance
    ) -> list[_Map]:
        gains = [known.gains.sum(axis=0) for known in maps]
        audience.expect(gains)
        counted = trace_coverage(
            self._radio,
            audience,
            self._spec,
            seed=seed,
            line_of_sight=False,
            known=gains,
            partition=self._partition,
            advance=advance,
        )
        found = []
        for surface, known, (gain, variance, rays, missed) in zip(
            self._surfaces, maps, counted, strict=True
        ):
            known.gains[_REMAINDER] = gain
            mirrored = float(known.gains[_REFLECTION] @ surface.pixel_area)
            recall = mirrored / (mirrored + missed) if mirrored + missed > 0 else 1.0
            found.append(known._replace(variance=variance, rays=rays, recall=recall))
        return found


class _Map(NamedTuple):
    """One transmitter on one surface.

    Attributes:
        gains: (M, P) path gain by mechanism.
        variance: (P,) of the remainder.
        visible: (P,) bool.
        rays: that were counted.
        recall: share of the power by way of mirrors that is known in closed form.
        statistics: (P, …) layers of its paths.
        paths: None if they are not kept.
    """

    gains: Array
    variance: Array
    visible: NDArray[np.bool_]
    rays: int
    recall: float
    statistics: Statistics
    paths: Paths | None


def _map(
    radio: FreeSpace, table: MaterialTable, paths: Paths, gains: Array, spec: RadioSpec
) -> _Map:
    """What known paths of known gains bring to a surface; nothing remains, none is missed."""
    num_pixels = gains.shape[1]
    direct = paths.mechanism == _DIRECT
    visible = np.zeros(num_pixels, bool)
    visible[paths.points.pixel[paths.point[direct]]] = True
    if not spec.line_of_sight:
        paths = paths.take(~direct)
    return _Map(
        gains,
        np.zeros(num_pixels),
        visible,
        0,
        1.0,
        path_statistics(radio, table, paths, num_pixels, spec.strongest_paths),
        paths if spec.store_paths else None,
    )


def _merged(parts: Sequence[_Map], crops: Sequence[Crop]) -> _Map:
    """The map of an image from those of its crops."""
    if len(parts) == 1:
        return parts[0]
    order = np.argsort(np.concatenate([crop.pixel for crop in crops]))
    paths = [
        renumbered(part.paths, crop.pixel)
        for part, crop in zip(parts, crops, strict=True)
        if part.paths is not None
    ]
    return _Map(
        np.concatenate([part.gains for part in parts], axis=1)[:, order],
        np.concatenate([part.variance for part in parts])[order],
        np.concatenate([part.visible for part in parts])[order],
        0,
        1.0,
        {
            name: np.concatenate([part.statistics[name] for part in parts])[order]
            for name in parts[0].statistics
        },
        functools.reduce(joined, paths) if paths else None,
    )


def _powers(maps: Sequence[_Map]) -> Powers:
    """The maps of one surface, one a transmitter, in one."""
    gains = np.stack([one.gains for one in maps], axis=1)
    return Powers(
        gains.sum(axis=0),
        np.stack([one.variance for one in maps]),
        np.stack([one.visible for one in maps]),
        np.array([one.rays for one in maps], np.int64),
        gains,
        stacked([one.statistics for one in maps]),
        tuple(one.paths for one in maps if one.paths is not None),
        np.array([one.recall for one in maps]),
    )


def _check_surfaces(surfaces: Sequence[ReceiverSurface]) -> None:
    if any(surface.windows is None for surface in surfaces):
        raise InputError(
            "radio.solver is closed-form, which works on the footprints of pixels only; for a "
            "lattice or a top-down map set it to auto or coverage."
        )
