"""What weather and use leave on walls and streets, to metre scale.

Nothing of it lies in a texture of its own: stains follow shared noise, laid over every wall
from another place; what is drawn where follows from random numbers that hang on the wall. So
every building has its own marks, and a thousand need no more memory than one.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from vasgen.render.chance import lot, share
from vasgen.render.textures.decals import GRAFFITI, MANHOLES, PLATES, POSTERS
from vasgen.render.textures.noise import clouds
from vasgen.render.textures.openings import CELLS
from vasgen.render.textures.texels import Texels, arrays
from vasgen.render.textures.texture import Texture
from vasgen.seeding import stream

Float = NDArray[np.float32]

#: Metres that the shared noise covers, and its texels.
NOISE_M, _NOISE_TEXELS = 16.0, 1024

#: How much finer than this noise the grain of asphalt is.
_FINER = 9.3


def stains() -> Texture:
    """Three kinds of noise, each even over [0, 1]: runs of water, clouds, and mottles."""
    random, size = stream(0, "stains"), _NOISE_TEXELS
    runs = clouds(random, size, coarse=10, fine=400, slope=0.75, stretch=(1.0, 9.0))
    blots = clouds(random, size, coarse=1, fine=60, slope=1.35)
    mottles = clouds(random, size, coarse=12, fine=300, slope=0.8)
    even = np.stack([ndtr(part) for part in (runs, blots, mottles)], axis=-1).astype(np.float32)
    return Texture(even, np.zeros((size, size), np.float32))


class Wall(NamedTuple):
    """Points on walls.

    Attributes:
        along: Float metres from the wall's left edge.
        up: Float metres above the ground floor.
        length: Float metres.
        top: Float height of the top, metres.
        seed: UInt32 number of the wall.
        house: UInt32 number of the building.
    """

    along: Any
    up: Any
    length: Any
    top: Any
    seed: Any
    house: Any


class Weathering:
    """Applies wear to the colours and the roughness of points.

    Args:
        texels: of the scene's textures.
        noise: number of the texture :func:`stains`.
        decals: number of the texture :func:`~vasgen.render.textures.decals.decals`.
    """

    def __init__(self, texels: Texels, noise: int, decals: int) -> None:
        self._texels, self._noise, self._decals = texels, noise, decals

    def walls(self, wall: Wall, colour: Any, rough: Any, masonry: Any, active: Any) -> Any:
        """Colour and roughness of walls, Array4f.

        Args:
            wall: the points.
            colour: Array3f when new.
            rough: Float when new.
            masonry: Bool, whether pipes, plinths and posters are on it and not only dirt.
            active: Bool.
        """
        import drjit as dr

        noise = self._at(self._noise, wall.along, wall.up, wall.seed, active)
        paint = dr.select(masonry, self._repairs(wall, noise), 1)
        colour = colour * paint
        colour = dr.select(masonry, self._plinth(wall, colour), colour)
        colour = colour * _dirt(wall, noise, masonry)
        colour, rough = self._stuck(wall, colour, rough, masonry & active)
        return _pipe(wall, colour, rough, masonry)

    def streets(self, x: Any, y: Any, colour: Any, rough: Any, active: Any) -> Any:
        """Colour and roughness of asphalt with trenches, covers and oil, Array4f."""
        import drjit as dr

        ad = arrays()
        noise = self._at(self._noise, x, y, ad.UInt32(7), active)
        blots = _step(noise.y, 0.55, 0.95) * _step(noise.z, 0.3, 0.8)
        # Chippings of half a centimetre: what is left of asphalt from close by.
        fine = self._at(self._noise, x * _FINER, y * _FINER, ad.UInt32(13), active).z - 0.5
        colour = colour * (1 - 0.22 * blots) * (1 + 0.10 * (noise.z - 0.5)) * (1 + 0.5 * fine)
        for size in (7.0, 17.0):
            colour = colour * _trench(x, y, size, noise)
        cover, covered = self._cover(x, y, active)
        colour = dr.select(covered, cover, colour)
        return ad.Array4f(colour.x, colour.y, colour.z, dr.select(covered, 0.7, rough))

    def _at(self, number: int, x: Any, y: Any, seed: Any, active: Any) -> Any:
        """Noise at points in metres, from another place for every seed."""
        ad = arrays()
        place = lot(seed, 11)
        uv = ad.Array2f(x * (1 / NOISE_M) + share(place, 1), y * (1 / NOISE_M) + share(place, 2))
        return self._texels.colour(ad.UInt32(number), uv, active).xyz

    def _repairs(self, wall: Wall, noise: Any) -> Any:
        """Patches of another batch of paint, and slow changes of tone."""
        import drjit as dr

        ad = arrays()
        cell_x, cell_y = dr.floor(wall.along / 3.7), dr.floor((wall.up + 50) / 2.9)
        chance = lot(wall.seed, ad.UInt32(ad.Int32(cell_x)), ad.UInt32(ad.Int32(cell_y)))
        x, y = wall.along / 3.7 - cell_x, (wall.up + 50) / 2.9 - cell_y
        wide, tall = 0.10 + 0.25 * share(chance, 1), 0.08 + 0.25 * share(chance, 2)
        edge = 0.03 * (noise.z - 0.5)
        inside = (abs(x - 0.5) + edge < wide) & (abs(y - 0.5) + edge < tall)
        tone = 0.86 + 0.24 * share(chance, 3)
        patched = inside & (share(chance) < 0.10 * share(lot(wall.house, 3)))
        return dr.select(patched, tone, 1) * (1 + 0.16 * (noise.y - 0.5))

    def _plinth(self, wall: Wall, colour: Any) -> Any:
        """A foot of darker stone on some buildings."""
        import drjit as dr

        chance = lot(wall.house, 5)
        height = 0.55 + 0.5 * share(chance, 1)
        has = (share(chance) < 0.55) & (wall.up < height) & (wall.top > 4)
        tone = dr.lerp(colour, dr.mean(colour), 0.7) * (0.45 + 0.4 * share(chance, 2))
        ledge = dr.select(wall.up > height - 0.05, 1.25, 1)
        return dr.select(has, tone * ledge, colour)

    def _stuck(self, wall: Wall, colour: Any, rough: Any, active: Any) -> tuple[Any, Any]:
        """Posters, graffiti and the street number."""
        import drjit as dr

        ad = arrays()
        slot = ad.Int32(dr.floor(wall.along / 2.6))
        chance = lot(wall.seed, ad.UInt32(slot), 21)
        kind = share(chance)
        careless = share(lot(wall.house, 9))
        poster, tag = kind < 0.12 * careless, (kind > 0.5) & (kind < 0.5 + 0.14 * careless)
        middle = (ad.Float(slot) + 0.5) * 2.6 + 0.4 * (share(chance, 1) - 0.5)
        wide = dr.select(poster, 0.62, 1.5 + 0.6 * share(chance, 2))
        tall = dr.select(poster, 0.88, 0.8 + 0.3 * share(chance, 2))
        low = dr.select(poster, 1.25, 0.75 + 0.5 * share(chance, 3))
        first = dr.select(poster, POSTERS[0], GRAFFITI[0])
        count = dr.select(poster, POSTERS[1], GRAFFITI[1]) * CELLS
        cell = first * CELLS + ad.Int32(share(chance, 4) * count)
        plate = (slot == 0) & (wall.length > 5)
        middle, low = dr.select(plate, 0.8, middle), dr.select(plate, 2.15, low)
        wide, tall = dr.select(plate, 0.34, wide), dr.select(plate, 0.25, tall)
        number = PLATES[0] * CELLS + ad.Int32(share(lot(wall.house, 13)) * CELLS)
        x, y = (wall.along - middle) / wide + 0.5, (wall.up - low) / tall
        here = active & (plate | poster | tag) & (x > 0) & (x < 1) & (y > 0) & (y < 1)
        found, shown = self._decal(dr.select(plate, number, cell), x, y, here)
        return dr.select(shown, found, colour), dr.select(shown, 0.55, rough)

    def _decal(self, cell: Any, x: Any, y: Any, here: Any) -> tuple[Any, Any]:
        """Colour of a cell of the decals, and whether it covers what is below."""
        ad = arrays()
        cell = ad.UInt32(cell)
        uv = ad.Array2f(ad.Float(cell % CELLS) + x, ad.Float(cell // CELLS) + y) * (1 / CELLS)
        number = ad.UInt32(self._decals)
        _, shown = self._texels.marks(number, uv, here)
        return self._texels.colour(number, uv, here).xyz, here & shown

    def _cover(self, x: Any, y: Any, active: Any) -> tuple[Any, Any]:
        """Manhole covers and drains, one in some squares of 11 m."""
        import drjit as dr

        ad = arrays()
        column, row = dr.floor(x / 11.0), dr.floor(y / 11.0)
        chance = lot(ad.UInt32(ad.Int32(column)), ad.UInt32(ad.Int32(row)), 31)
        size = 0.66
        u = (x - (column + 0.2 + 0.6 * share(chance, 1)) * 11.0) / size + 0.5
        v = (y - (row + 0.2 + 0.6 * share(chance, 2)) * 11.0) / size + 0.5
        here = active & (share(chance) < 0.45) & (u > 0) & (u < 1) & (v > 0) & (v < 1)
        cell = MANHOLES[0] * CELLS + ad.Int32(share(chance, 3) * (MANHOLES[1] * CELLS))
        colour, shown = self._decal(cell, u, v, here)
        return colour, shown


def _dirt(wall: Wall, noise: Any, masonry: Any) -> Any:
    """How much light dirt leaves: splashes at the foot, runs below the roof's edge."""
    import drjit as dr

    ad = arrays()
    age = dr.select(masonry, 0.35 + 0.65 * share(lot(wall.house, 17)), 0.4)
    foot = dr.exp(-dr.maximum(wall.up - 0.2, 0) / (0.25 + 0.55 * noise.y)) * (0.35 + 0.65 * noise.z)
    below = dr.maximum(wall.top - wall.up, 0)
    runs = _step(noise.x, 0.35, 0.95)
    edge = dr.exp(-below / (0.25 + 3.2 * runs * runs)) * (0.25 + 0.75 * runs)
    film = _step(noise.y, 0.45, 1.0) * _step(noise.x, 0.2, 0.9)
    amount = age * (0.42 * foot + 0.40 * edge + 0.07 * film)
    mottle = 1 + dr.select(masonry, 0.10, 0.03) * (noise.z - 0.5)
    shade = ad.Array3f(0.88, 0.96, 1.06)
    return (1 - dr.clip(amount, 0, 0.75) * shade) * mottle


def _pipe(wall: Wall, colour: Any, rough: Any, masonry: Any) -> Any:
    """A drain pipe at an end of some walls, with its shadow."""
    import drjit as dr

    ad = arrays()
    chance = lot(wall.seed, 41)
    at = dr.select(share(chance, 1) < 0.5, 0.24, wall.length - 0.24)
    has = masonry & (share(chance) < 0.5) & (wall.length > 6) & (wall.top > 4)
    has &= wall.up < wall.top - 0.15
    collar = dr.abs((wall.up + 40) / 2.1 - dr.round((wall.up + 40) / 2.1)) < 0.03
    across = (wall.along - at) / dr.select(collar, 0.075, 0.055)
    on, beside = has & (dr.abs(across) < 1), has & (across >= 1) & (across < 2.2)
    round_ = 0.35 + 0.65 * dr.sqrt(dr.maximum(1 - dr.square(across + 0.25), 0))
    grey = dr.select(
        share(chance, 2) < 0.5, ad.Array3f(0.22, 0.23, 0.23), ad.Array3f(0.30, 0.24, 0.17)
    )
    paint = dr.select(share(chance, 3) < 0.4, colour * 0.9, grey)
    shown = dr.select(on, paint * round_, dr.select(beside, colour * 0.72, colour))
    return ad.Array4f(shown.x, shown.y, shown.z, dr.select(on, 0.4, rough))


def _trench(x: Any, y: Any, spacing: float, noise: Any) -> Any:
    """Factor of a filled trench, in some squares of ``spacing`` metres, with a seam of tar."""
    import drjit as dr

    ad = arrays()
    column, row = dr.floor(x / spacing), dr.floor(y / spacing)
    chance = lot(ad.UInt32(ad.Int32(column)), ad.UInt32(ad.Int32(row)), round(spacing))
    angle = share(chance, 1) * 6.2832
    dx, dy = x - (column + 0.5) * spacing, y - (row + 0.5) * spacing
    u, v = dx * dr.cos(angle) + dy * dr.sin(angle), dy * dr.cos(angle) - dx * dr.sin(angle)
    long, wide = (
        (0.18 + 0.26 * share(chance, 2)) * spacing,
        0.25 + 0.07 * spacing * share(chance, 3),
    )
    inside = dr.minimum(long - dr.abs(u), wide - dr.abs(v)) + 0.05 * (noise.z - 0.5)
    tone = 0.72 + 0.42 * share(chance, 4)
    factor = dr.select(inside > 0, dr.select(inside < 0.06, 0.55, tone), 1)
    return dr.select(share(chance) < 0.28, factor, 1)


def _step(value: Any, low: float, high: float) -> Any:
    """Smooth from 0 at ``low`` to 1 at ``high``."""
    import drjit as dr

    t = dr.clip((value - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)
