"""Models of trees: a trunk and an irregular crown, by species."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from vasgen.citygen.config import Lod
from vasgen.citygen.geometry.forms import Solid, lathe, lobe, loft, tuft, unrolled
from vasgen.citygen.geometry.solids import Array, Finish
from vasgen.citygen.materials import FAMILIES
from vasgen.seeding import stream
from vasgen.semantics import SemanticClass

_SUNK_M = 0.3

#: Around an upright axis leaves follow each other at this angle, radians: no two in one line.
_GOLDEN = np.pi * (3 - np.sqrt(5))

#: Outline of a crown: pairs of height, share of the crown's, and radius, share of the largest.
_Outline = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Species:
    """The habit of a tree.

    Attributes:
        name: what it is called.
        habit: how leaves hang: in clumps all over, in layers, or in skirts around the stem.
        leaf: number of the leaves' colour.
        radius_m, height_m: of the model.
        base: lower end of the crown, share of the height.
        outline: of the crown, from the lower end up.
        clump: size of the clumps, share of the radius.
        flat: their height over their width.
    """

    name: str
    habit: Literal["clumps", "layers", "skirts"]
    leaf: int
    radius_m: float
    height_m: float
    base: float
    outline: _Outline
    clump: float = 0.4
    flat: float = 0.8


_EGG: _Outline = ((0.0, 0.50), (0.14, 0.84), (0.36, 1.0), (0.62, 0.84), (0.86, 0.50), (1.0, 0.16))
_BALL: _Outline = ((0.0, 0.46), (0.2, 0.86), (0.5, 1.0), (0.8, 0.80), (1.0, 0.30))
_VASE: _Outline = ((0.0, 0.50), (0.22, 0.84), (0.58, 1.0), (0.84, 0.82), (1.0, 0.36))
_DOME: _Outline = ((0.0, 0.60), (0.18, 0.95), (0.42, 1.0), (0.74, 0.84), (1.0, 0.36))
_SPINDLE: _Outline = ((0.0, 0.48), (0.14, 0.84), (0.42, 1.0), (0.72, 0.76), (1.0, 0.20))
_FLAME: _Outline = ((0.0, 0.50), (0.1, 0.80), (0.36, 1.0), (0.72, 0.74), (1.0, 0.16))
_SPIRE: _Outline = ((0.0, 1.0), (1.0, 0.0))
_PINE: _Outline = ((0.0, 0.75), (0.18, 1.0), (0.55, 0.82), (0.85, 0.55), (1.0, 0.30))

SPECIES: tuple[Species, ...] = (
    Species("lime", "clumps", 0, 3.0, 9.5, 0.27, _EGG, 0.38, 0.85),
    Species("maple", "clumps", 1, 3.2, 9.0, 0.26, _BALL, 0.36, 0.80),
    Species("plane", "clumps", 3, 3.6, 9.5, 0.28, _VASE, 0.40, 0.75),
    Species("oak", "clumps", 0, 3.6, 8.6, 0.25, _DOME, 0.40, 0.60),
    Species("hornbeam", "clumps", 1, 1.9, 9.5, 0.2, _SPINDLE, 0.52, 1.1),
    Species("poplar", "clumps", 0, 1.7, 12.0, 0.12, _FLAME, 0.50, 1.5),
    Species("spruce", "skirts", 2, 2.4, 11.0, 0.1, _SPIRE),
    Species("pine", "layers", 2, 2.8, 9.5, 0.24, _PINE, 0.46, 0.42),
)

#: Whether there is a core, and the number of clumps and of sprays, of a crown.
_CROWDED, _OPEN = (True, 14, 87), (False, 16, 85)

#: How far sprays stand out from their clumps, and half their width, least and most, metres.
_STANDS_OUT_M, _SPRAY_M = (0.02, 0.30), (0.10, 0.27)

#: How often a spray is drawn again that would be hidden or outside.
_DRAWS = 8

_BARK = Finish(SemanticClass.VEGETATION, FAMILIES["bark"][0], "wood")


def tree(variant: int, lod: Lod) -> list[Solid]:
    """The solids of a tree; its crown stays within the species' radius.

    Args:
        variant: number of the species.
        lod: 1: a spindle; 2: a trunk and a crown of one piece; 3: a trunk with boughs, and
            many clumps and sprays of leaves.
    """
    return [unrolled(solid) for solid in _solids(SPECIES[variant], variant, lod)]


def _solids(species: Species, variant: int, lod: Lod) -> list[Solid]:
    leaf = Finish(SemanticClass.VEGETATION, FAMILIES["foliage"][species.leaf], "wood")
    rng = stream(0, "tree model", variant, lod)
    if lod == 1:
        middle = (species.base + 0.25) * species.height_m
        profile = [(0.0, -_SUNK_M), (species.radius_m, middle), (0.0, species.height_m)]
        return [lathe(profile, 5, leaf)]
    if lod == 2:
        return [*_light_trunk(species), _light_crown(species, leaf, rng)]
    if species.habit == "skirts":
        return [_trunk(species, 0.9), *_skirts(species, leaf, rng)]
    closed, count, twigs = _CROWDED if species.habit == "clumps" else _OPEN
    crown = _Crown(species, leaf, rng)
    clumps = crown.clumps(count)
    leaves = [*crown.balls(clumps), *crown.sprays(clumps, twigs)]
    if not closed:
        return [_trunk(species, 0.9), *leaves]
    return [_trunk(species, 0.6), *_boughs(species, rng), crown.core(), *leaves]


def _trunk(species: Species, reach: float) -> Solid:
    radius = 0.055 * species.radius_m + 0.04
    top = reach * species.height_m
    profile = [(1.35 * radius, -_SUNK_M), (radius, 0.5), (0.45 * radius, top), (0.0, top + 0.2)]
    return lathe(profile, 6, _BARK)


def _light_trunk(species: Species) -> list[Solid]:
    profile = [(0.3, -_SUNK_M), (0.0, 0.75 * species.height_m)]
    return [lathe(profile, 3, _BARK)]


def _light_crown(species: Species, leaf: Finish, rng: np.random.Generator) -> Solid:
    """Uneven rings in the crown's outline under a tip: 46 triangles; skirts have 28."""
    low, deep = species.base * species.height_m, (1 - species.base) * species.height_m
    if species.habit == "skirts":
        heights, shares, corners = [0.0, 0.34, 0.30], [1.0, 0.42, 0.68], 5
    else:
        heights, corners = [0.0, 0.26, 0.60, 0.88], 6
        shares = [_reach(species, height) for height in heights]
    wide = [species.radius_m * share for share in shares]
    rings = [
        _uneven_ring(radius, low + at * deep, corners, number * np.pi / corners, rng)
        for number, (at, radius) in enumerate(zip(heights, wide, strict=True))
    ]
    rings.append(np.tile([0.0, 0.0, low + deep], (corners, 1)))
    return loft(rings, leaf)


def _reach(species: Species, height: float) -> float:
    """Radius of the crown's outline at a share of its height, share of the largest."""
    at, radius = zip(*species.outline, strict=True)
    return float(np.interp(height, at, radius))


def _uneven_ring(
    radius: float, z: float, corners: int, turn: float, rng: np.random.Generator
) -> Array:
    angle = turn + np.arange(corners) * 2 * np.pi / corners
    reach = radius * rng.uniform(0.9, 1.0, corners)
    level = z + 0.10 * radius * rng.uniform(0.0, 1.0, corners)
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


class _Clump(NamedTuple):
    """An ellipsoid of leaves: (3,) centre and (3,) radii, metres."""

    centre: Array
    radii: Array


def _unit(vector: Array) -> Array:
    """A vector of length one in the same direction; no direction stays none."""
    return np.asarray(vector / max(float(np.sqrt((vector * vector).sum())), 1e-9))


def _within(point: Array, clump: _Clump) -> bool:
    away = (point - clump.centre) / clump.radii
    return bool((away * away).sum() < 1.0)


@dataclass(frozen=True)
class _Crown:
    """The leaves of a tree at level of detail 3."""

    species: Species
    leaf: Finish
    rng: np.random.Generator

    @property
    def _low(self) -> float:
        return self.species.base * self.species.height_m

    @property
    def _deep(self) -> float:
        return self.species.height_m - self._low

    def core(self) -> Solid:
        """What is seen between the clumps."""
        wide = 0.74 * self.species.radius_m
        middle = (0.0, 0.0, self._low + 0.48 * self._deep)
        return lobe(middle, (wide, wide, 0.42 * self._deep), self.leaf, self.rng)

    def clumps(self, count: int) -> list[_Clump]:
        """Balls along a spiral, from the lower end up."""
        found, turn = [], self.rng.uniform(0, 2 * np.pi)
        for number, at in enumerate(self._levels(count)):
            radius = self.species.radius_m * _reach(self.species, at)
            wide = self.species.clump * self.species.radius_m * self.rng.uniform(0.82, 1.16)
            wide = min(wide, 0.94 * radius)
            tall = min(self.species.flat * wide, 0.3 * self._deep)
            out = (0.94 * radius - wide) * self.rng.uniform(0.82, 1.0)
            angle = turn + number * _GOLDEN + self.rng.uniform(-0.2, 0.2)
            z = np.clip(self._low + at * self._deep, self._low + tall, self.species.height_m - tall)
            centre = np.array([out * np.cos(angle), out * np.sin(angle), z])
            found.append(_Clump(centre, np.array([wide, wide, tall])))
        return found

    def balls(self, clumps: list[_Clump]) -> list[Solid]:
        """The inside of clumps."""
        return [lobe(c.centre, c.radii, self.leaf, self.rng, rough=0.20) for c in clumps]

    def sprays(self, clumps: list[_Clump], count: int) -> list[Solid]:
        """Twigs full of leaves that stand out from clumps and make the outline ragged."""
        drawn = [self._spray(clumps, clumps[number % len(clumps)]) for number in range(count)]
        return [spray for spray in drawn if spray is not None]

    def _spray(self, clumps: list[_Clump], clump: _Clump) -> Solid | None:
        """A spray of a clump that no other one hides, within the crown's bounds, if draws find it.

        It grows outwards from the stem, and leans along its clump.
        """
        for _ in range(_DRAWS):
            way = self.rng.uniform(-1, 1, 3) + (*(0.9 * _unit(clump.centre[:2])), 0.0)
            way = _unit(way)
            lean = _unit(way + 0.8 * _unit(self.rng.uniform(-1, 1, 3)))
            foot = clump.centre + 0.80 * way * clump.radii
            far = self.rng.uniform(*_STANDS_OUT_M)
            root, tip = foot - 0.3 * lean, foot + far * lean + 0.20 * way * clump.radii
            wide, turn = self.rng.uniform(*_SPRAY_M), self.rng.uniform(0, np.pi)
            spray = tuft(root, tip, wide, self.leaf, turn)
            if self._fits(spray.points) and not any(_within(tip, other) for other in clumps):
                return spray
        return None

    def _fits(self, points: Array) -> bool:
        low, high = points[:, 2].min(), points[:, 2].max()
        wide = np.hypot(*points[:, :2].T).max()
        return bool(
            wide <= self.species.radius_m and self._low <= low and high <= self.species.height_m
        )

    def _levels(self, count: int) -> list[float]:
        """Heights in the crown, shares, as many at each as its outline is wide."""
        grid = np.linspace(0.0, 1.0, 65)
        share = np.cumsum([_reach(self.species, float(at)) for at in grid])
        at = (np.arange(count) + 0.5) / count * share[-1]
        return [float(level) for level in np.interp(at, share, grid)]


def _skirts(species: Species, leaf: Finish, rng: np.random.Generator) -> list[Solid]:
    """Skirts of boughs, one above the other, each hanging over the next."""
    low, high = species.base * species.height_m, species.height_m
    solids, count, corners = [], 6, 14
    for number in range(count):
        share = number / count
        foot = low + (high - low) * share
        top = min(high, foot + (0.32 - 0.01 * number) * (high - low))
        radius = species.radius_m * (1.0 - 0.84 * share)
        if number == count - 1:
            top = high
        rim = _uneven_ring(radius, foot, corners, rng.uniform(0, 1), rng)
        rim[::2, :2] *= rng.uniform(0.64, 0.82, (corners // 2, 1))
        rim[::2, 2] += 0.10 * radius
        inner = rim * (0.45, 0.45, 1.0) + (0.0, 0.0, 0.14 * (top - foot))
        tips = [np.tile([0.0, 0.0, z], (corners, 1)) for z in (foot + 0.3 * (top - foot), top)]
        solids.append(loft([tips[0], inner, rim, tips[1]], leaf))
    return solids
