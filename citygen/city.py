"""A procedural city: generated from a configuration, exported as a scene bundle."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from vasgen.artefact import library_versions
from vasgen.bundle import Mesh, SceneBundle
from vasgen.citygen.assembly import assemble
from vasgen.citygen.blocks import Block, kerbs, make_blocks
from vasgen.citygen.buildings import Building
from vasgen.citygen.config import CityConfig, Lod
from vasgen.citygen.ground import Patch, ground_shell, lay_ground
from vasgen.citygen.land import Land, survey
from vasgen.citygen.lots import Lot, divide
from vasgen.citygen.massing import build
from vasgen.citygen.materials import PALETTE, RADIO, RADIO_NAMES
from vasgen.citygen.morphology import Morphology, measure
from vasgen.citygen.solids import Surface, join
from vasgen.citygen.streets import Streets, lay_streets
from vasgen.citygen.trees import Tree, plant, tree_surface


@dataclass(frozen=True, eq=False)
class City:
    """A city, centred on the origin; Z up, x east, y north, metres.

    Attributes:
        config: what it was generated from.
        land: its outline and districts.
        streets: the network, of the square and its skirt.
        blocks: land between the streets.
        lots: pieces of the blocks.
        buildings: in order of their ids.
        ground: patches of the ground.
        trees: none if the configuration wants none.
    """

    config: CityConfig
    land: Land
    streets: Streets
    blocks: tuple[Block, ...]
    lots: tuple[Lot, ...]
    buildings: tuple[Building, ...]
    ground: tuple[Patch, ...]
    trees: tuple[Tree, ...]

    @property
    def bounds(self) -> NDArray[np.float64]:
        """(2, 3) lowest and highest corner of all geometry, metres."""
        return self.to_bundle().bounds

    @property
    def content_hash(self) -> str:
        """SHA-256 of geometry, labels and materials."""
        return self.to_bundle().content_hash

    def mesh(self, lod: Lod | None = None) -> Surface:
        """All triangles, with labels.

        Args:
            lod: level of detail; None: the configuration's.
        """
        return self._surface

    def to_bundle(self, lod: Lod | None = None) -> SceneBundle:
        """The city as a scene bundle, a mesh for each radio material.

        Args:
            lod: level of detail; None: the configuration's.
        """
        return self._bundle

    def morphology(self) -> Morphology:
        """Built-up ratio, heights and densities of the square."""
        city = self.land.outline
        area = sum(
            patch.polygon.area
            for patch in self.ground
            if patch.surface == "road" and city.contains(patch.polygon.representative_point())
        )
        return measure(self.buildings, area, self.land.outline.area)

    @cached_property
    def _surface(self) -> Surface:
        shells = [shell for building in self.buildings for shell in building.shells]
        shells.append(ground_shell(self.ground, _ground_ids(self)))
        surface = assemble(shells)
        if self.trees:
            first_id = int(surface.instance.max()) + 1
            surface = join(surface, tree_surface(self.trees, len(shells), first_id))
        return surface

    @cached_property
    def _bundle(self) -> SceneBundle:
        surface = self._surface
        used, visual = np.unique(surface.visual, return_inverse=True)
        names = [RADIO_NAMES[index] for index in np.unique(surface.radio)]
        groups = [np.flatnonzero(surface.radio == RADIO_NAMES.index(name)) for name in names]
        config = self.config
        return SceneBundle(
            f"{config.density}-{config.seed}",
            tuple(
                _mesh(name, surface, index, visual)
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
        config: density, seed and size.
    """
    land = survey(config)
    streets = lay_streets(config, land)
    outlines = kerbs(streets, land)
    blocks = make_blocks(config.seed, land, streets, outlines)
    lots = divide(config.seed, land, blocks)
    buildings = build(config, land, blocks, lots)
    ground = lay_ground(land, streets, outlines, blocks, lots, buildings)
    trees = plant(config, land, blocks, buildings, ground)
    return City(config, land, streets, blocks, lots, buildings, ground, trees)


def _ground_ids(city: City) -> NDArray[np.int64]:
    """Object ids after those of the buildings: one a block, then one a piece of road."""
    owner = np.array([patch.owner for patch in city.ground])
    road = np.array([patch.surface == "road" for patch in city.ground])
    ids = np.where(owner >= 0, len(city.buildings) + 1 + owner, 0)
    ids[road] = len(city.buildings) + len(city.blocks) + 1 + np.arange(int(road.sum()))
    return ids


def _mesh(name: str, surface: Surface, index: NDArray[np.intp], visual: NDArray[np.intp]) -> Mesh:
    used, faces = np.unique(surface.faces[index], return_inverse=True)
    return Mesh(
        name,
        name,
        surface.vertices[used],
        faces.reshape(-1, 3).astype(np.int32),
        surface.semantic[index].astype(np.uint8),
        surface.instance[index].astype(np.int32),
        visual[index].astype(np.uint16),
        surface.uv[index].astype(np.float32),
    )
