"""A procedural city: generated from a configuration, exported as a scene bundle."""

from __future__ import annotations

import dataclasses
import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from vasgen.artefact import library_versions
from vasgen.bundle import Mesh, SceneBundle
from vasgen.citygen.architecture.buildings import Building
from vasgen.citygen.architecture.massing import build
from vasgen.citygen.config import CityConfig, Lod, check_lod
from vasgen.citygen.facade.carving import Relief, carve
from vasgen.citygen.facade.facades import Facades
from vasgen.citygen.geometry.assembly import assemble
from vasgen.citygen.geometry.solids import Shell, Surface, join, locked
from vasgen.citygen.groundwork.grading import GRADE_LENGTH_M, grade
from vasgen.citygen.groundwork.ground import CARRIAGEWAY, Patch, as_built, ground_shell, lay_ground
from vasgen.citygen.groundwork.markings import paint
from vasgen.citygen.groundwork.pads import make_pads, pad_levels, settle
from vasgen.citygen.groundwork.terrain import Terrain, natural_hills
from vasgen.citygen.land import Land, survey
from vasgen.citygen.life.furnish import furnish
from vasgen.citygen.life.props import Prop, prop_surface
from vasgen.citygen.materials import PALETTE, RADIO, RADIO_NAMES
from vasgen.citygen.morphology import Morphology, measure_city
from vasgen.citygen.plots.blocks import Block, make_blocks
from vasgen.citygen.plots.lots import Lot, divide
from vasgen.citygen.roads.kerbs import kerbs
from vasgen.citygen.roads.sections import Sections, section_streets
from vasgen.citygen.roads.streets import Streets, lay_streets

T = TypeVar("T")


@dataclass(frozen=True, eq=False, repr=False)
class City:
    """A city: Z up, x east and y north of the origin, metres.

    Attributes:
        config: what it was generated from.
        land: its outline and districts.
        streets: the network, of the outline and its skirt.
        blocks: land between the streets.
        lots: pieces of the blocks.
        buildings: in order of their ids.
        ground: patches of the ground.
        props: trees, street furniture and cars, kind by kind; without those that the
            configuration does not want.
        sections: the streets, divided at the mouths of their junctions.
        terrain: level of the ground.
    """

    config: CityConfig
    land: Land
    streets: Streets
    blocks: tuple[Block, ...]
    lots: tuple[Lot, ...]
    buildings: tuple[Building, ...]
    ground: tuple[Patch, ...]
    props: tuple[Prop, ...]
    sections: Sections
    terrain: Terrain
    _made: dict[tuple[str, Lod], Any] = field(default_factory=dict, init=False, repr=False)

    def __repr__(self) -> str:
        config = self.config
        return f"<City {config.title}, seed {config.seed}, {len(self.buildings)} buildings>"

    @property
    def bounds(self) -> NDArray[np.float64]:
        """(2, 3) lowest and highest corner of all geometry, metres."""
        return self.to_bundle().bounds

    @property
    def first_prop_id(self) -> int:
        """Object id of the first of ``props``; the others follow."""
        return int(_ground_ids(self).max(initial=len(self.buildings))) + 1

    @property
    def content_hash(self) -> str:
        """SHA-256 of geometry, labels and materials."""
        return self.to_bundle().content_hash

    def mesh(self, lod: Lod | None = None, *, modules: bool = True) -> Surface:
        """All triangles, with labels; at the same level always the same object, read-only.

        Args:
            lod: level of detail; None: the configuration's.
            modules: False leaves out what :meth:`modules` lists, for instancing; below level
                3 there is none.

        Raises:
            InputError: if there is no such level of detail.
        """
        level = self.level(lod)
        if level == 3 and not modules:
            return self._carved().without_modules()
        return self._once("mesh", level, self._surface)

    def modules(self) -> NDArray[np.void]:
        """The cells of all facades, of dtype :data:`vasgen.citygen.facade.carving.CELL`, read-only.

        ``vasgen.citygen.facade.modules.module(kind, facade)`` is what fills a cell.
        """
        return self._carved().cells

    def to_bundle(self, lod: Lod | None = None) -> SceneBundle:
        """The city as a scene bundle, a read-only mesh for each radio material.

        Args:
            lod: level of detail; None: the configuration's.

        Raises:
            InputError: if there is no such level of detail.
        """
        return self._once("bundle", self.level(lod), self._bundle)

    def morphology(self, district: int | None = None) -> Morphology:
        """Figures of what is built, also against the targets.

        Args:
            district: number of a district in ``land.districts``; None: the whole city.
        """
        return measure_city(self, district)

    def level(self, lod: Lod | None = None) -> Lod:
        """A level of detail, or the configuration's if none is given.

        Raises:
            InputError: if there is no such level of detail.
        """
        if lod is None:
            return self.config.lod
        check_lod(lod)
        return lod

    def _once(self, what: str, lod: Lod, make: Callable[[Lod], T]) -> T:
        if (what, lod) not in self._made:
            self._made[what, lod] = make(lod)
        found: T = self._made[what, lod]
        return found

    def _surface(self, lod: Lod) -> Surface:
        if lod == 3:
            return self._carved().surface
        shells = _shells(self, lod)
        return locked(join(assemble(shells), self._props(lod, len(shells))))

    def _carved(self) -> Relief:
        return self._once("relief", 3, self._carve)

    def _carve(self, lod: Lod) -> Relief:
        designer = Facades(self.config.seed, self.buildings, self.lots, self.blocks)
        shells = _shells(self, lod)
        relief, props = carve(shells, designer), self._props(lod, len(shells))
        return locked(dataclasses.replace(relief, surface=locked(join(relief.surface, props))))

    def _props(self, lod: Lod, shells: int) -> Surface:
        return prop_surface(self.props, lod, shells, self.first_prop_id)

    def _bundle(self, lod: Lod) -> SceneBundle:
        surface = self.mesh(lod)
        used, visual = np.unique(surface.visual, return_inverse=True)
        names = [RADIO_NAMES[index] for index in np.unique(surface.radio)]
        groups = [np.flatnonzero(surface.radio == RADIO_NAMES.index(name)) for name in names]
        config = self.config
        return SceneBundle(
            f"{config.title}-{config.seed}".replace(", ", "-"),
            tuple(
                locked(_mesh(name, surface, index, visual))
                for name, index in zip(names, groups, strict=True)
            ),
            tuple(RADIO[name] for name in names),
            tuple(PALETTE[i] for i in used),
            {
                "generator": "vasgen.citygen",
                "config": dataclasses.asdict(config),
                "libraries": library_versions(),
            },
        )


def generate(config: CityConfig) -> City:
    """Generate a city.

    Args:
        config: what determines it; the same configuration gives the same city.

    Raises:
        InputError: if no such city can be built, for example one that is to hit targets on
            too little land.
    """
    with _collector_paused():
        return _generate(config)


def _generate(config: CityConfig) -> City:
    land = survey(config)
    hills = natural_hills(config, land)
    streets = lay_streets(config, land, hills)
    outlines = kerbs(streets, land)
    sections = section_streets(streets, outlines, GRADE_LENGTH_M if hills else np.inf)
    blocks = make_blocks(config.seed, land, streets, outlines)
    lots = divide(config.seed, land, streets, blocks)
    buildings = build(config, land, streets, blocks, lots)
    grading = grade(hills, sections) if hills else None
    levels = pad_levels(grading, buildings, lots) if grading else np.zeros(len(buildings))
    pads = make_pads(buildings, levels, lots) if grading else []
    ground = lay_ground(land, sections, outlines, blocks, lots, buildings, grading, pads)
    terrain = as_built(grading, ground)
    if grading:
        buildings = settle(buildings, levels, terrain)
    props = furnish(config, land, streets, sections, blocks, lots, buildings, ground, terrain)
    return City(config, land, streets, blocks, lots, buildings, ground, props, sections, terrain)


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Without the collector of reference cycles.

    A city makes none, and walking its growing millions of objects again and again would make
    the time grow faster than the city.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _shells(city: City, lod: Lod) -> list[Shell]:
    """Closed shells of the buildings, then the sheet of the ground."""
    if lod == 1:
        return [*(building.prism() for building in city.buildings), _ground(city, lod)]
    return [*(s for building in city.buildings for s in building.shells), _ground(city, lod)]


def _ground(city: City, lod: Lod) -> Shell:
    """The sheet of the ground, with markings from level of detail 3."""
    ids = _ground_ids(city)
    if lod < 3:
        return ground_shell(city.ground, ids)
    patches, carrier = paint(city.ground, city.streets, city.sections, city.terrain)
    return ground_shell(patches, ids[carrier])


def _ground_ids(city: City) -> NDArray[np.int64]:
    """Object ids after those of the buildings: one a block, then one a piece of road."""
    owner = np.array([patch.owner for patch in city.ground])
    road = np.array([patch.surface in CARRIAGEWAY for patch in city.ground])
    ids = np.where(owner >= 0, len(city.buildings) + 1 + owner, 0)
    ids[road] = len(city.buildings) + len(city.blocks) + 1 + np.arange(int(road.sum()))
    return ids


def _mesh(name: str, surface: Surface, index: NDArray[np.intp], visual: NDArray[np.intp]) -> Mesh:
    faces = surface.faces[index]
    used = np.zeros(len(surface.vertices), dtype=bool)
    used[faces] = True
    number = np.cumsum(used) - 1
    return Mesh(
        name,
        name,
        surface.vertices[used],
        number[faces].astype(np.int32),
        surface.semantic[index].astype(np.uint8),
        surface.instance[index].astype(np.int32),
        visual[index].astype(np.uint16),
        surface.uv[index].astype(np.float32),
    )
