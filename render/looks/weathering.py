"""What weather and use leave on walls, to metre scale.

Nothing of it lies in a texture of its own: stains follow shared noise, laid over every wall
from another place; what is drawn where follows from random numbers that hang on the wall. So
every building has its own marks, and a thousand need no more memory than one.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from vasgen.render.chance import Draw, lot, share
from vasgen.render.looks.stains import Stains, step
from vasgen.render.textures.decals import GRAFFITI, PLATES, POSTERS
from vasgen.render.textures.openings import CELLS
from vasgen.render.textures.texels import arrays


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
    """Applies wear to the colours and the roughness of points on walls.

    Args:
        stains: the pictures of noise and of things stuck to walls.
    """

    def __init__(self, stains: Stains) -> None:
        self._stains = stains

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

        noise = self._stains.at(wall.along, wall.up, wall.seed, active)
        paint = dr.select(masonry, self._repairs(wall, noise), 1)
        colour = colour * paint
        colour = dr.select(masonry, self._plinth(wall, colour), colour)
        colour = colour * _dirt(wall, noise, masonry)
        colour, rough = self._stuck(wall, colour, rough, masonry & active)
        return _pipe(wall, colour, rough, masonry)

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
        patched = inside & (share(chance) < 0.10 * share(lot(wall.house, Draw.REPAIRS)))
        return dr.select(patched, tone, 1) * (1 + 0.16 * (noise.y - 0.5))

    def _plinth(self, wall: Wall, colour: Any) -> Any:
        """A foot of darker stone on some buildings."""
        import drjit as dr

        chance = lot(wall.house, Draw.PLINTH)
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
        chance = lot(wall.seed, ad.UInt32(slot), Draw.STUCK)
        kind = share(chance)
        careless = share(lot(wall.house, Draw.CARE))
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
        number = PLATES[0] * CELLS + ad.Int32(share(lot(wall.house, Draw.STREET_NUMBER)) * CELLS)
        x, y = (wall.along - middle) / wide + 0.5, (wall.up - low) / tall
        here = active & (plate | poster | tag) & (x > 0) & (x < 1) & (y > 0) & (y < 1)
        found, shown = self._stains.decal(dr.select(plate, number, cell), x, y, here)
        return dr.select(shown, found, colour), dr.select(shown, 0.55, rough)


def _dirt(wall: Wall, noise: Any, masonry: Any) -> Any:
    """How much light dirt leaves: splashes at the foot, runs below the roof's edge."""
    import drjit as dr

    ad = arrays()
    age = share(lot(wall.house, Draw.AGE))
    age = dr.select(masonry, 0.35 + 0.65 * age, 0.4 + 0.4 * age)
    foot = dr.exp(-dr.maximum(wall.up - 0.2, 0) / (0.25 + 0.55 * noise.y)) * (0.35 + 0.65 * noise.z)
    below = dr.maximum(wall.top - wall.up, 0)
    # Water runs down where the edge lets it: here and there, and a metre or two far.
    runs = step(noise.x, 0.62, 1.0) * step(noise.y, 0.25, 0.75)
    edge = dr.exp(-below / (0.22 + 1.7 * runs)) * (0.42 + 0.58 * runs)
    film = step(noise.y, 0.35, 1.0)
    amount = age * (0.38 * foot + 0.36 * edge + 0.07 * film)
    mottle = 1 + dr.select(masonry, 0.10, 0.03) * (noise.z - 0.5)
    shade = ad.Array3f(0.88, 0.96, 1.06)
    return (1 - dr.clip(amount, 0, 0.75) * shade) * mottle


def _pipe(wall: Wall, colour: Any, rough: Any, masonry: Any) -> Any:
    """A drain pipe at an end of some walls, with its shadow."""
    import drjit as dr

    ad = arrays()
    chance = lot(wall.seed, Draw.PIPE)
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
