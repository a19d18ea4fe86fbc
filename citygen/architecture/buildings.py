"""Buildings, and the site a building is designed for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import shapely
from shapely import Polygon

from vasgen.citygen.architecture.footprints import Rect, inset
from vasgen.citygen.architecture.roofs import Look, Tier, lift, terraces
from vasgen.citygen.geometry import plane
from vasgen.citygen.geometry.solids import Array, Cell, Finish, Grid, Shell
from vasgen.citygen.materials import BLANK, FAMILIES, RADIO_OF
from vasgen.citygen.plots.lots import Lot
from vasgen.citygen.profiles import Profile, Use
from vasgen.seeding import stream
from vasgen.semantics import SemanticClass

#: Lots lie this high above the carriageway: the height of the kerb, metres.
LOT_LEVEL_M = 0.12
#: Walls go on this far below the ground, so that no face of theirs lies in it, metres.
FOUNDATION_M = 0.5
#: What stands on a roof is sunk into it by this much, metres.
SUNK_M = 0.2


@dataclass(frozen=True, eq=False)
class Building:
    """A building.

    Attributes:
        index: object id in labels and masks, from 1.
        lot: number of its lot.
        use: use of the lot.
        kind: what was built: "tower", "block", "slab", "house", "shed".
        footprint: plan at the ground.
        height_m: highest slab, eave or ridge above the lot; plant and parapets not counted.
        storeys: number of storeys.
        roof: "flat", "gable", "hip", "shed" or "mansard".
        radio: radio material of the shell.
        shells: the building's shell, then those of plant and chimneys on its roof.
        drives: paved ways from the street to its doors.
        level_m: level of the ground it stands on without the kerb's height, world z in metres.
    """

    index: int
    lot: int
    use: Use
    kind: str
    footprint: Polygon
    height_m: float
    storeys: int
    roof: str
    radio: str
    shells: tuple[Shell, ...]
    drives: tuple[Polygon, ...] = ()
    level_m: float = 0.0

    def prism(self) -> Shell:
        """The building without its roof: its footprint, as high as it is, under a flat top.

        Its walls have windows up to there, in storeys about as high as the building's.
        """
        shell, ground = self.shells[0], shapely.orient_polygons(self.footprint)
        rings = [shapely.get_coordinates(r)[:-1] for r in (ground.exterior, *ground.interiors)]
        first, top = shell.cells[0], self.level_m + LOT_LEVEL_M + self.height_m
        roof = Finish(SemanticClass.ROOF, first.top.visual)
        flat = tuple(lift(ring, top) for ring in rings)
        cell = Cell(flat, roof, first.wall, first.band, top, self.index)
        return replace(shell, cells=(cell,), outline=tuple(rings), grid=_fitted(shell.grid, top))


def _fitted(grid: Grid | None, top_m: float) -> Grid | None:
    """A grid with as many storeys below a top as fit best."""
    if grid is None:
        return None
    height = top_m - grid.floor_m
    return replace(grid, storey_m=height / max(1, round(height / grid.storey_m)))


@dataclass(frozen=True, eq=False)
class Site:
    """What an architect knows of a lot.

    Attributes:
        lot: the lot.
        profile: the rules of the city.
        seed: the city's seed.
        prominence: how much of the centre's height is allowed here, (0, 1].
    """

    lot: Lot
    profile: Profile
    seed: int
    prominence: float

    def rng(self, topic: str) -> np.random.Generator:
        """The lot's own stream for one topic, so that topics do not disturb each other."""
        return stream(self.seed, "block", self.lot.key, "lot", self.lot.place, topic)

    def block_rng(self, topic: str) -> np.random.Generator:
        """A stream that all lots of the block share: what neighbours have in common."""
        return stream(self.seed, "block", self.lot.key, topic)

    @property
    def along(self) -> Array:
        """(2,) unit vector along the lot's front."""
        return plane.unit(self.lot.front[1] - self.lot.front[0])


@dataclass(frozen=True)
class Style:
    """The materials of one building: indices into the palette, and its radio material."""

    facade: int
    roof: int
    rim: int
    radio: str

    def look(self, index: int) -> Look:
        """Finishes for the building with this id."""
        return Look(
            wall(self.facade),
            wall(BLANK[self.facade]),
            Finish(SemanticClass.ROOF, self.roof),
            Finish(SemanticClass.ROOF, self.rim),
            index,
        )


def wall(visual: int) -> Finish:
    """A wall with this material."""
    return Finish(SemanticClass.WALL, visual)


def pick(rng: np.random.Generator, family: str) -> int:
    """A material of a family."""
    return int(rng.choice(FAMILIES[family]))


def choose_style(
    rng: np.random.Generator, families: Sequence[tuple[str, float]], roof: str
) -> Style:
    """Materials for a building.

    Args:
        rng: the building's stream for looks.
        families: facade families and their weights.
        roof: family of the roof surface.
    """
    weights = np.array([weight for _, weight in families])
    family = families[int(rng.choice(len(families), p=weights / weights.sum()))][0]
    facade, surface, rim = (
        pick(rng, family),
        pick(rng, roof),
        pick(rng, "sheet" if roof == "tiles" else "coping"),
    )
    return Style(facade, surface, rim, RADIO_OF[facade])


def close(cells: Sequence[Cell], outline: Sequence[Array], radio: str, grid: Grid) -> Shell:
    """The shell of a building that stands on its lot."""
    return Shell(tuple(cells), radio, tuple(outline), LOT_LEVEL_M - FOUNDATION_M, grid)


def box(ring: Array, base_m: float, top_m: float, radio: str, finish: Finish, index: int) -> Shell:
    """A plain prism, e.g. roof plant or a chimney."""
    cell = Cell((lift(ring, top_m),), finish, finish, finish, top_m, index)
    return Shell((cell,), radio, (ring,), base_m)


def flat_building(
    site: Site,
    index: int,
    kind: str,
    tiers: Sequence[Tier],
    style: Style,
    grid: Grid,
    *,
    plant: Rect | None = None,
) -> Building:
    """A building with flat roofs.

    Args:
        site: where it stands.
        index: its id.
        kind: for ``Building.kind``.
        tiers: from the ground up, each strictly inside the one below.
        style: its materials.
        grid: bays and storeys.
        plant: room on the highest roof for plant.
    """
    parapet_m = 0.45 + 0.15 * int(site.rng("parapet").integers(1, 6))
    cells = terraces(tiers, style.look(index), parapet_m)
    shells = [close(cells, tiers[0].rings, style.radio, grid)]
    top = tiers[-1].top_m
    if plant is not None:
        shells += _plant(site.rng("plant"), plant, top, index)
    height = top - LOT_LEVEL_M
    ground = tiers[0].rings
    return Building(
        index,
        site.lot.index,
        site.lot.use,
        kind,
        Polygon(ground[0], ground[1:]),
        height,
        round(height / grid.storey_m),
        "flat",
        style.radio,
        tuple(shells),
    )


def _plant(rng: np.random.Generator, room: Rect, roof_m: float, index: int) -> list[Shell]:
    """Up to three boxes of roof plant side by side."""
    finish = Finish(SemanticClass.FURNITURE, pick(rng, "plant"))
    slots = int(np.clip(room.width_m // 7.0, 1, 3))
    pitch = room.width_m / slots
    shells = []
    for slot in range(slots):
        width, depth = rng.uniform(0.35, 0.75) * pitch, rng.uniform(0.3, 0.7) * room.depth_m
        width, depth = min(width, 9.0), min(depth, 7.0)
        x = slot * pitch + rng.uniform(0.1, 0.9) * (pitch - width)
        y, height = rng.uniform(0.1, 0.9) * (room.depth_m - depth), rng.uniform(1.6, 3.4)
        if min(width, depth) > 1.2 and rng.random() < 0.75:
            ring = room.part(x, y, width, depth).ring()
            shells.append(box(ring, roof_m - SUNK_M, roof_m + height, "metal", finish, index))
    return shells


def set_back(ring: Array, distance_m: float, least_m: float = 6.0) -> Array | None:
    """The outline of a tier set back all around; None if it would be narrower than ``least_m``."""
    if inset(ring, distance_m + least_m / 2) is None:
        return None
    return inset(ring, distance_m)
