"""Facade textures: walls with windows, in bays and storeys.

A texture covers 8 bays by 8 storeys: the ground floor, then seven that repeat upward.
A variant chooses proportions, divisions and trim; every window has its own blinds,
curtains and darkness.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import correlate1d

from vasgen.bundle import VisualMaterial
from vasgen.render.textures.noise import blocks, clouds, grain, mix
from vasgen.render.textures.openings import CELLS, Colour, Facade, Opening
from vasgen.render.textures.shopfront import awning, shop, sign
from vasgen.render.textures.texture import Texture
from vasgen.seeding import stream

Float = NDArray[np.float32]
Random = np.random.Generator

#: Kinds of facade: recipes are "facade-" and the kind.
KINDS = ("brick", "concrete", "glass", "plaster", "shed")

#: What runs of rain take from red, green and blue.
_SOOT = np.array([[[0.9]], [[0.97]], [[1.05]]], np.float32)

#: What warmth adds to red, green and blue of a wall.
_WARM = np.array([1.0, 0.2, -1.0], np.float32)

#: Roughness of window panes.
GLASS_ROUGHNESS = 0.06


def paint(facade: Facade, wall: Float, material: VisualMaterial, random: Random) -> Texture:
    """Put the openings of a facade onto its wall.

    Args:
        facade: the layout.
        wall: (size, size, 3) reflectance of the bare wall.
        material: whose roughness the wall has.
        random: source of what differs between windows.
    """
    size = len(wall)
    kinds = _storeys(facade, size)
    turn = tuple(random.integers(0, size, 2).tolist())
    runs = np.roll(_runs(size), turn, (0, 1))
    room = _planes(_behind(facade.tint or material.base_color, size, random))
    front, cover = _shops(facade, size, random)
    bare, painted = _planes(wall), []
    # Storey by storey, plane by plane: what is worked on fits into the processor's cache.
    for number, rows in enumerate(_strips(size)):
        storey = kinds[min(number, 1) + (number == CELLS - 1)]
        inside = room[:, rows].repeat(size // CELLS, axis=2)
        colour, roughness = _painted(facade, storey, bare[:, rows], runs[rows], inside, material)
        if number == 0:
            storey = storey.behind(cover)
            colour = mix(colour, _planes(front), cover)
            roughness = mix(roughness, 0.6, cover)
        painted.append((colour, roughness, storey.glass > 0.5, storey.bare))
    planes, rough, glass, seen = (
        np.concatenate(parts, axis=-2) for parts in zip(*painted, strict=True)
    )
    return Texture(np.moveaxis(planes, 0, -1), rough, glass, seen, 1 / CELLS)


def _planes(picture: ArrayLike) -> Float:
    """Red, green and blue apart, (3, …), of (…, 3)."""
    return np.moveaxis(np.asarray(picture, np.float32), -1, 0)


def _strips(size: int) -> list[slice]:
    """The rows of each storey."""
    count = size // CELLS
    return [slice(storey * count, (storey + 1) * count) for storey in range(CELLS)]


class _Storey(NamedTuple):
    """Coverage of a storey's parts, (size // CELLS, size) each.

    Attributes:
        opening: windows and doors.
        glass: their panes.
        trim: sills, lintels, surrounds and bands.
        shutters: shutters.
        shade: what parts above throw on the wall.
        drips: where rain may run from the trim above.
    """

    opening: Float
    glass: Float
    trim: Float
    shutters: Float
    shade: Float
    drips: Float

    @property
    def bare(self) -> NDArray[np.bool_]:
        """Where the wall is seen."""
        return np.asarray(self.opening + self.trim + self.shutters < 0.5)

    def behind(self, cover: Float) -> _Storey:
        """The storey with something before it."""
        left = 1 - cover
        trim = np.maximum(self.trim, cover)
        return self._replace(opening=self.opening * left, glass=self.glass * left, trim=trim)


def _storeys(facade: Facade, size: int) -> list[_Storey]:
    """The storeys that differ: the ground floor, those above it, and the top, above all others."""
    opening, glass, trim, shutters = (
        _assemble(facade, part, size // CELLS) for part in ("opening", "glass", "trim", "shutters")
    )
    trim = np.maximum(trim, _courses(facade, size, len(trim)) * (1 - opening))
    # Reveals and sills throw a little shade on the wall below them, and rain runs off them.
    shade = _below(trim + opening, size // 40) * (1 - opening)
    drips = _below(trim, size // 14)
    every = (opening, glass, trim, shutters, shade, drips)
    return [_Storey(*(part[rows] for part in every)) for rows in _strips(size)[:3]]


def _painted(
    facade: Facade, storey: _Storey, wall: Float, runs: Float, room: Float, material: VisualMaterial
) -> tuple[Float, Float]:
    """Reflectance and roughness of a storey without its shops.

    Args:
        facade: its colours.
        storey: what covers the wall.
        wall: reflectance of the bare wall there, in planes.
        runs: where rain runs down.
        room: what is seen through the glass, in planes.
        material: of the wall.
    """
    colour = wall * (1 - 0.16 * storey.shade)
    colour = colour * (1 - np.clip(0.30 * (storey.drips * runs), 0, 0.6) * _SOOT)
    for over, cover in (
        (_planes([[facade.trim]]), storey.trim),
        (_planes([[facade.shutter]]), storey.shutters),
        (_planes([[facade.frame]]), storey.opening),
        (room, storey.glass),
    ):
        colour = mix(colour, over, cover)
    roughness = mix(np.float32(_wall_roughness(material)), 0.5, storey.opening)
    return colour, mix(roughness, GLASS_ROUGHNESS, storey.glass)


@cache
def _runs(size: int) -> Float:
    """Where rain runs down, (size, size), in [0, 1]."""
    random = stream(0, "runs")
    found = clouds(random, size, coarse=24, fine=size / 3, slope=0.6, stretch=(1.0, 12.0))
    return np.asarray(np.clip(0.35 + 0.6 * found, 0, 1), np.float32)


def _wall_roughness(material: VisualMaterial) -> float:
    """A glass facade's roughness is that of its panes; its spandrels are duller."""
    return max(material.roughness, 0.3)


def bare_wall(material: VisualMaterial, size: int, random: Random) -> Float:
    """Reflectance of the wall without openings, (size, size, 3)."""
    relief, hue = _WALLS[material.recipe](size, random)
    value = relief + 0.02 * grain(random, size)
    base = np.array(material.base_color, np.float32) * 1.06
    wall = np.empty((3, size, size), np.float32)
    for rows in _strips(size):
        for plane, own, warm in zip(wall, base, _WARM, strict=True):
            tone = 1 + value[rows] + 0.05 * hue[rows] * warm
            plane[rows] = own * np.clip(tone, 0.3, 1.6)
    return np.moveaxis(wall, 0, -1)


def _assemble(facade: Facade, part: str, count: int) -> Float:
    """One mask of three storeys of cells: the ground floor and two of those above."""

    def cell(openings: tuple[Opening, ...]) -> Float:
        cover = np.zeros((count, count), np.float32)
        for opening in openings:
            cover = np.maximum(cover, getattr(opening, part)(count))
        return cover

    ground, upper = (
        np.concatenate([cell(kinds[kind % len(kinds)]) for kind in facade.rhythm], axis=1)
        for kinds in (facade.ground, facade.upper)
    )
    return np.concatenate([ground, upper, upper])


def _courses(facade: Facade, size: int, rows: int) -> Float:
    """Coverage of the bands of stone, (rows, size): above the ground floor, and at the floors."""
    v = ((np.arange(rows) + 0.5) / size * CELLS)[:, None]
    band = np.where(v < 1, v > 1 - facade.cornice, v % 1 < facade.course)
    return np.asarray(np.broadcast_to(band, (rows, size)), np.float32)


def _shops(facade: Facade, size: int, random: Random) -> tuple[Float, Float]:
    """Sign boards and awnings: colour and coverage of the ground floor."""
    count = size // CELLS
    front, cover = np.zeros((count, size, 3), np.float32), np.zeros((count, size), np.float32)
    kept, before = shop(random), -1
    for bay, kind in enumerate(facade.rhythm):
        opening = (*facade.ground[kind % len(facade.ground)], Opening((0, 1), (0, 1)))[0]
        if opening.board is None:
            continue
        # A shop has one or two bays.
        first = before != bay - 1 or random.random() < 0.5
        kept, before = (shop(random), bay) if first else (kept, -1)
        low, high = (round(edge * count) for edge in opening.board)
        left = bay * count
        board = sign(kept, (high - low, count), first, random)
        front[low:high, left : left + count], cover[low:high, left : left + count] = board, 1
        top = opening.v[1]
        cloth, shown = awning(kept, count, top - 0.11, top + 0.02)
        here = np.s_[:count, left : left + count]
        front[here] = mix(front[here], cloth, shown[..., None])
        cover[here] = np.maximum(cover[here], shown)
    return front, cover


def _below(mask: Float, reach: int) -> Float:
    """How much of the ``reach`` texels above each texel is covered, fading."""
    ramp = 1 - np.arange(1, reach + 1) / (reach + 1)
    weights = np.concatenate([np.zeros(reach + 1), ramp]).astype(np.float32)
    # Facades repeat: work on each different column once.
    columns = np.ascontiguousarray(mask.T).view(np.dtype((np.void, mask.itemsize * len(mask))))
    _, first, which = np.unique(columns.ravel(), return_index=True, return_inverse=True)
    above = correlate1d(mask[:, first], weights, axis=0, mode="constant")[:, which]
    above *= 1 - np.clip(mask, 0, 1)
    return np.asarray(np.clip(above / reach * 2, 0, 1), np.float32)


def rooms(tint: Colour, size: int, random: Random) -> Float:
    """What is seen in every window, (size, size, 3): a room, lighter towards its ceiling."""
    return _behind(tint, size, random).repeat(size // CELLS, axis=1)


def _behind(tint: Colour, size: int, random: Random) -> Float:
    """The same, (size, CELLS, 3): the columns of a room are alike."""
    v = ((np.arange(size) + 0.5) / (size // CELLS) % 1)[:, None]
    glow = _stacks(size, random, 0.25, 1.0) ** 2 * (0.55 + 0.6 * v)
    room = np.array(tint, np.float32) * (0.35 + glow)[..., None]
    warm = np.array([1.0, 0.0, -1.0], np.float32)
    hued = room * (1 + 0.12 * _stacks(size, random, -1, 1)[..., None] * warm)
    return np.asarray(hued, np.float32)


def each(size: int, random: Random, low: float, high: float) -> Float:
    """One value a cell, (size, size)."""
    return _stacks(size, random, low, high).repeat(size // CELLS, axis=1)


def _stacks(size: int, random: Random, low: float, high: float) -> Float:
    """One value a cell, (size, CELLS)."""
    values = random.uniform(low, high, (CELLS, CELLS)).astype(np.float32)
    return values.repeat(size // CELLS, axis=0)


def _even(size: int, random: Random) -> tuple[Float, Float]:
    """Brick, plaster and sheet: what they look like lies in a texture to metre scale."""
    return np.zeros((size, size), np.float32), np.zeros((size, size), np.float32)


def _panels(size: int, random: Random) -> tuple[Float, Float]:
    columns = CELLS * int(random.integers(1, 3))
    value = blocks(random, size, columns, CELLS)
    cell = size // CELLS
    seam = np.maximum(
        (np.arange(size) % (size // columns) < 2)[None], (np.arange(size) % cell < 2)[:, None]
    )
    return np.asarray(0.05 * value - 0.28 * seam, np.float32), 0.5 * value


def _spandrels(size: int, random: Random) -> tuple[Float, Float]:
    value = blocks(random, size, 2 * CELLS, CELLS)
    return 0.10 * value, value


_WALLS: dict[str, Callable[[int, Random], tuple[Float, Float]]] = {
    "facade-brick": _even,
    "facade-plaster": _even,
    "facade-concrete": _panels,
    "facade-glass": _spandrels,
    "facade-shed": _even,
}
