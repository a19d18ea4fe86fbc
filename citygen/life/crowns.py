"""Models of trees: a trunk and an irregular crown, by species."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from vasgen.citygen.config import Lod
from vasgen.citygen.geometry.forms import Solid, lathe, lobe, loft
from vasgen.citygen.geometry.solids import Array, Finish
from vasgen.citygen.materials import FAMILIES
from vasgen.seeding import stream
from vasgen.semantics import SemanticClass

_SUNK_M = 0.3


@dataclass(frozen=True)
class Species:
    """The habit of a tree.

    Attributes:
        name: what it is called.
        habit: shape of the crown.
        leaf: number of the leaves' colour.
        radius_m, height_m: of the model.
        base: lower end of the crown, share of the height.
    """

    name: str
    habit: Literal["round", "column", "cone"]
    leaf: int
    radius_m: float
    height_m: float
    base: float


SPECIES: tuple[Species, ...] = (
    Species("lime", "round", 0, 3.0, 9.5, 0.27),
    Species("maple", "round", 1, 3.2, 9.0, 0.26),
    Species("plane", "round", 3, 3.6, 9.5, 0.28),
    Species("oak", "round", 0, 3.6, 8.6, 0.25),
    Species("hornbeam", "column", 1, 1.9, 9.5, 0.2),
    Species("poplar", "column", 0, 1.7, 12.0, 0.12),
    Species("spruce", "cone", 2, 2.4, 11.0, 0.1),
    Species("pine", "cone", 2, 2.8, 9.5, 0.24),
)

_BARK = Finish(SemanticClass.VEGETATION, FAMILIES["bark"][0], "wood")


def tree(variant: int, lod: Lod) -> list[Solid]:
    """The solids of a tree; its crown stays within the species' radius.

    Args:
        variant: number of the species.
        lod: 1: a spindle; 2: a trunk and one lobe; 3: a trunk with boughs and many lobes.
    """
    species = SPECIES[variant]
    leaf = Finish(SemanticClass.VEGETATION, FAMILIES["foliage"][species.leaf], "wood")
    rng = stream(0, "tree model", variant, lod)
    if lod == 1:
        middle = (species.base + 0.25) * species.height_m
        profile = [(0.0, -_SUNK_M), (species.radius_m, middle), (0.0, species.height_m)]
        return [lathe(profile, 5, leaf)]
    if lod == 2:
        return [*_light_trunk(species), _light_crown(species, leaf, rng)]
    if species.habit == "cone":
        return [_trunk(species, 0.9), *_tiers(species, leaf, rng)]
    if species.habit == "column":
        return [_trunk(species, 0.6), *_column(species, leaf, rng)]
    return [_trunk(species, 0.6), *_boughs(species, rng), *_round(species, leaf, rng)]


def _trunk(species: Species, reach: float) -> Solid:
    radius = 0.055 * species.radius_m + 0.04
    top = reach * species.height_m
    profile = [(1.35 * radius, -_SUNK_M), (radius, 0.5), (0.45 * radius, top), (0.0, top + 0.2)]
    return lathe(profile, 6, _BARK)


def _light_trunk(species: Species) -> list[Solid]:
    profile = [(0.3, -_SUNK_M), (0.0, 0.75 * species.height_m)]
    return [lathe(profile, 3, _BARK)]


def _light_crown(species: Species, leaf: Finish, rng: np.random.Generator) -> Solid:
    """A foot and a waist of four corners each under a tip: 14 triangles; a cone has 10."""
    low, high = species.base * species.height_m, species.height_m
    radius = species.radius_m
    if species.habit == "cone":
        return lathe([(0.0, low), (radius, low + 0.6), (0.0, high)], 5, leaf)
    rings = [
        _uneven_ring(0.7 * radius, low + 0.06 * (high - low), 4, 0.0, rng),
        _uneven_ring(radius, low + 0.5 * (high - low), 4, -np.pi / 4, rng),
        np.tile([0.0, 0.0, high], (4, 1)),
    ]
    return loft(rings, leaf)


def _uneven_ring(
    radius: float, z: float, corners: int, turn: float, rng: np.random.Generator
) -> Array:
    angle = turn + np.arange(corners) * 2 * np.pi / corners
    reach = radius * rng.uniform(0.9, 1.0, corners)
    level = z + 0.12 * radius * rng.uniform(-1.0, 1.0, corners)
    return np.column_stack([reach * np.cos(angle), reach * np.sin(angle), level])


def _boughs(species: Species, rng: np.random.Generator) -> list[Solid]:
    """Three boughs from the trunk into the crown."""
    low = (species.base - 0.02) * species.height_m
    boughs, turn = [], rng.uniform(0, 2 * np.pi)
    for number in range(3):
        angle = turn + number * 2 * np.pi / 3
        away = np.array([np.cos(angle), np.sin(angle)]) * 0.5 * species.radius_m
        tip = np.array([*away, low + 0.22 * species.height_m])
        start = lathe([(0.09, low), (0.0, low + 1.0)], 3, _BARK).points[:3]
        boughs.append(loft([start, np.tile(tip, (3, 1))], _BARK))
    return boughs


def _round(species: Species, leaf: Finish, rng: np.random.Generator) -> list[Solid]:
    """A large lobe, a ring of smaller ones around its foot, and one on its shoulder."""
    radius, low = species.radius_m, species.base * species.height_m
    deep = species.height_m - low
    wide = 0.84 * radius
    core = lobe((0.0, 0.0, low + 0.55 * deep), (wide, wide, 0.45 * deep), leaf, rng, fine=True)
    solids, turn = [core], rng.uniform(0, 2 * np.pi)
    for number in range(5):
        angle = turn + number * 2 * np.pi / 5 + rng.uniform(-0.2, 0.2)
        size = radius * rng.uniform(0.50, 0.60)
        way = (radius - size) * np.array([np.cos(angle), np.sin(angle)])
        z = low + deep * rng.uniform(0.27, 0.52)
        solids.append(lobe((*way, z), (size, size, 0.26 * deep), leaf, rng))
    size, angle = 0.56 * radius, turn + np.pi / 5
    way = 0.36 * radius * np.array([np.cos(angle), np.sin(angle)])
    return [*solids, lobe((*way, low + 0.74 * deep), (size, size, 0.25 * deep), leaf, rng)]


def _column(species: Species, leaf: Finish, rng: np.random.Generator) -> list[Solid]:
    """A tall lobe with smaller ones around it, from the foot up."""
    radius, low = species.radius_m, species.base * species.height_m
    deep = species.height_m - low
    core = lobe(
        (0, 0, low + 0.5 * deep), (0.9 * radius, 0.9 * radius, 0.5 * deep), leaf, rng, fine=True
    )
    solids, turn = [core], rng.uniform(0, 2 * np.pi)
    for number, at in enumerate((0.24, 0.4, 0.58)):
        size = (0.66 - 0.04 * number) * radius
        angle = turn + number * 2.2
        way = (radius - size) * np.array([np.cos(angle), np.sin(angle)])
        solids.append(lobe((*way, low + at * deep), (size, size, 0.22 * deep), leaf, rng))
    return solids


def _tiers(species: Species, leaf: Finish, rng: np.random.Generator) -> list[Solid]:
    """Skirts of boughs, one above the other, each hanging over the next."""
    low, high = species.base * species.height_m, species.height_m
    solids = []
    for number in range(4):
        share = number / 4
        foot = low + (high - low) * share
        top = min(high, foot + (0.44 - 0.02 * number) * (high - low))
        radius = species.radius_m * (1.0 - 0.78 * share)
        if number == 3:
            top = high
        rim = _uneven_ring(radius, foot, 9, rng.uniform(0, 1), rng)
        rim[::2, :2] *= 0.84
        inner = rim * (0.45, 0.45, 1.0) + (0.0, 0.0, 0.14 * (top - foot))
        tips = [np.tile([0.0, 0.0, z], (9, 1)) for z in (foot + 0.3 * (top - foot), top)]
        solids.append(loft([tips[0], inner, rim, tips[1]], leaf))
    return solids
