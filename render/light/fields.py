"""The country around a city, painted: parcels of meadow and field, hedges, lanes and woods.

Nothing of it lies in a texture: what a place looks like follows from random numbers that hang
on its parcel, so that it repeats nowhere and needs no memory. Whatever is smaller than a pixel
fades into its mean.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vasgen.render.chance import lot, share
from vasgen.render.light.border import Border
from vasgen.render.light.woods import WOOD, kept, noise, step
from vasgen.render.looks.looks import Looks
from vasgen.render.textures.recipes import RECIPES

#: Mean reflectances (linear RGB) of parcels, and how many of 16 have each.
_CROPS = (
    ((0.120, 0.170, 0.060), 3),  # meadow
    ((0.150, 0.195, 0.070), 3),  # pasture
    ((0.090, 0.165, 0.050), 1),  # young crop
    ((0.250, 0.255, 0.105), 3),  # hay
    ((0.370, 0.310, 0.150), 3),  # ripe corn
    ((0.310, 0.265, 0.155), 2),  # stubble
    ((0.190, 0.140, 0.092), 1),  # ploughed
)
_LANE = np.array([0.300, 0.270, 0.215])

#: Mean of all this, far away.
_MEAN = np.array([0.220, 0.224, 0.100])

#: Factor that brings the mean luminance of all this to the reflectance asked for.
_SCALE = 1.077

#: Sides of the quarters that are divided into parcels, metres.
_WIDE_M, _DEEP_M = 620.0, 470.0

#: Most parcels side by side in a quarter.
_MOST_STRIPS = 6

#: Beyond the border grass goes on as far, metres.
_SAME_M, _UNLIKE_M = 155.0, 175.0

#: Other ground turns to meadow over as many metres.
_VERGE_M = 20.0

#: Roads that lead out narrow on their first metres: to country roads, or to lanes that end.
_NARROWING_M, _COUNTRY_M, _LANE_M = 150.0, 7.0, 3.4

#: Width from which a road goes on in any case, metres; of others as many.
_MAIN_M, _GO_ON = 24.0, 0.35


class Fields:
    """Paints the ground around one scene.

    Args:
        mi: mitsuba in its colour variant.
        border: what it must fit.
        looks: of the scene's own ground.
    """

    def __init__(self, mi: Any, border: Border, looks: Looks) -> None:
        import drjit as dr

        crops = np.concatenate([np.tile(colour, (n, 1)) for colour, n in _CROPS]) * _SCALE
        self._crops = [mi.Float(channel) for channel in crops.T.astype(np.float32)]
        self._seed = mi.UInt32(border.seed)
        self._colour = mi.Color3f(border.colour.tolist())
        self._asphalt = mi.Color3f(border.asphalt.tolist())
        self._wood = mi.Color3f((WOOD * _SCALE).tolist())
        self._mean = mi.Color3f((_MEAN * _SCALE).tolist())
        self._meadow = mi.Color3f((np.array(_CROPS[0][0]) * _SCALE).tolist())
        self._lane = mi.Color3f((_LANE * _SCALE).tolist())
        exits = border.exits if len(border.exits) else np.full((1, 5), 1e9)
        self._exits = [mi.Float(part) for part in exits.T.astype(np.float32)]
        self._count = mi.UInt32(len(border.exits))
        self._grounds, self._grass = looks.grounds, border.grass is not None
        # The pattern of the scene's grass goes on.
        start = _start(border, looks) if border.grass is not None else np.zeros(2)
        self._start = mi.Point2f(start.tolist())
        dr.make_opaque(self._start)
        dr.make_opaque(self._seed, self._colour, self._asphalt, self._wood, self._lane, self._mean)
        dr.make_opaque(self._count, self._meadow)

    def reflectance(self, mi: Any, x: Any, y: Any, outside: Any, size: Any, fine: Any) -> Any:
        """Of places on the ground, Color3f.

        Args:
            mi: mitsuba in its colour variant.
            x: Float metres from the border's centre, east.
            y: the same, north.
            outside: Float metres beyond the border.
            size: Float metres of the pixel on the ground, along the line of sight.
            fine: Float the same across it.
        """
        import drjit as dr

        wave = mi.Point2f(
            self._noise(mi, x, y, 700.0, 1) - 0.5, self._noise(mi, x, y, 700.0, 2) - 0.5
        )
        bent = mi.Point2f(x + 190 * wave.x, y + 190 * wave.y)
        blot = self._noise(mi, x, y, 38.0, 4) - 0.5
        far = kept(size, 120.0)
        colour = self._parcels(mi, bent, size, blot * kept(size, 38.0))
        skirt = self._skirt(mi, x, y, size, blot, outside)
        edge = outside + 110 * (self._noise(mi, x, y, 90.0, 5) - 0.5) * far
        colour = dr.lerp(skirt, colour, step(edge, _SAME_M, _UNLIKE_M))
        # Grain, as far as the eye makes it out across its line of sight.
        grain = dr.sqrt(size * fine)
        tuft = (self._noise(mi, x, y, 6.0, 6) - 0.5) * kept(grain, 6.0)
        tuft += (self._noise(mi, x, y, 1.3, 7) - 0.5) * kept(grain, 1.3)
        colour *= 1 + 0.30 * tuft
        return self._roads(mi, x, y, fine, colour)

    def _skirt(self, mi: Any, x: Any, y: Any, size: Any, blot: Any, outside: Any) -> Any:
        """The scene's own grass, as it goes on beyond the border; other ground turns to meadow."""
        import drjit as dr

        tone = 1 + 0.30 * blot * kept(size, 38.0)
        if not self._grass:
            return dr.lerp(self._colour, self._meadow, step(outside, 0.0, _VERGE_M)) * tone
        plain = self._colour * tone
        worn = self._grounds.grass(x + self._start.x, y + self._start.y, self._colour)
        return dr.lerp(plain, mi.Color3f(worn), kept(size, 30.0))

    def _parcels(self, mi: Any, at: Any, size: Any, blot: Any) -> Any:
        """What grows at bent places."""
        import drjit as dr

        row = dr.floor(at.y / _DEEP_M)
        line = self._lot(mi, row, 11)
        across = at.x / _WIDE_M + share(line)
        column = dr.floor(across)
        chance = self._lot(mi, row, 12, column)
        u, v = across - column, at.y / _DEEP_M - row
        turned = share(chance) < 0.5
        along, strip = dr.select(turned, v, u), dr.select(turned, u, v)
        count = dr.floor(1 + share(chance, 1) * _MOST_STRIPS)
        number = dr.floor(strip * count)
        parcel = lot(chance, mi.UInt32(number), 3)
        cut = 0.3 + 0.4 * share(parcel, 1)
        parcel = lot(parcel, dr.select(along < cut, mi.UInt32(0), 1))
        crop = mi.UInt32(share(parcel) * 16)
        colour = mi.Color3f(*(dr.gather(mi.Float, channel, crop) for channel in self._crops))
        tone = 0.86 + 0.28 * share(parcel, 2)
        # Tilled in rows along the strip.
        width = dr.select(turned, _WIDE_M, _DEEP_M)
        rows = dr.sin(strip * width * (2 * np.pi / 9.0)) * kept(size, 9.0)
        colour = colour * (tone * (1 + 0.05 * rows + 0.28 * blot))
        strip_m = dr.abs(strip * count - dr.round(strip * count)) * width / count
        wild = 1 - 0.35 * covering(strip_m, 1.6, size)
        colour *= wild
        colour = self._hedges(mi, at, mi.Point2f(u, v), row, column, size, colour)
        return dr.lerp(self._mean, colour, kept(size, 260.0))

    def _hedges(
        self, mi: Any, at: Any, place: Any, row: Any, column: Any, size: Any, colour: Any
    ) -> Any:
        """Hedges or lanes around quarters."""
        import drjit as dr

        across_m = dr.minimum(place.x, 1 - place.x) * _WIDE_M
        deep_m = dr.minimum(place.y, 1 - place.y) * _DEEP_M
        level = deep_m < across_m
        edge = dr.select(
            level,
            self._lot(mi, row + dr.select(place.y > 0.5, 1.0, 0.0), 16),
            self._lot(mi, row, 17, column + dr.select(place.x > 0.5, 1.0, 0.0)),
        )
        kind = share(edge)
        away = dr.minimum(across_m, deep_m)
        trees = self._noise(mi, at.x, at.y, 11.0, 10)
        thick = 1.5 + 6.0 * step(trees, 0.35, 0.7)
        hedge = covering(away - 3.2 * dr.select(kind < 0.75, 1.0, 0.0), thick / 2, size)
        hedge *= dr.select(kind > 0.4, 1.0, 0.0)
        lane = covering(away, 1.9, size) * dr.select(kind < 0.75, 1.0, 0.0)
        shown = dr.lerp(colour, self._wood * 1.2, hedge)
        return dr.lerp(shown, self._lane, lane)

    def _roads(self, mi: Any, x: Any, y: Any, fine: Any, colour: Any) -> Any:
        """The scene's roads go on."""
        import drjit as dr

        px, py, dx, dy, half = self._exits

        def nearer(i: Any, covered: Any, main: Any) -> tuple[Any, Any, Any]:
            ox, oy = x - dr.gather(mi.Float, px, i), y - dr.gather(mi.Float, py, i)
            ex, ey = dr.gather(mi.Float, dx, i), dr.gather(mi.Float, dy, i)
            along, beside = ox * ex + oy * ey, ox * ey - oy * ex
            chance = lot(i, self._seed, 21)
            swing = (share(chance) - 0.5) * 0.5
            far = dr.maximum(along - 30, 0)
            beside += swing * far * far / (far + 700.0)
            wide = dr.gather(mi.Float, half, i)
            large = (2 * wide >= _MAIN_M) | (share(chance, 2) < _GO_ON)
            left = dr.select(large, _COUNTRY_M, _LANE_M) / 2
            now = dr.lerp(wide, left, step(along, 0.0, _NARROWING_M))
            length = dr.select(large, 6000.0, 150.0 + 700.0 * share(chance, 1))
            here = covering(beside, now, fine) * dr.select(
                (along > -1) & (along < length), 1.0, 0.0
            )
            paved = dr.select(large, 1.0, 1 - step(along, 60.0, 200.0))
            main = dr.select(here > covered, paved, main)
            return i + 1, dr.maximum(covered, here), main

        none = dr.zeros(mi.Float, dr.width(x))
        _, covered, paved = dr.while_loop(
            (dr.zeros(mi.UInt32, dr.width(x)), none, none),
            lambda i, covered, main: i < self._count,
            nearer,
            labels=("i", "covered", "main"),
        )
        return dr.lerp(colour, dr.lerp(self._lane, self._asphalt, paved), covered)

    def _lot(self, mi: Any, first: Any, part: int, *more: Any) -> Any:
        whole = [mi.UInt32(mi.Int32(value)) for value in (first, *more)]
        return lot(whole[0], *whole[1:], self._seed, part)

    def _noise(self, mi: Any, x: Any, y: Any, wave_m: float, part: int) -> Any:
        """Smooth noise, even over some [0, 1], with features of ``wave_m``."""
        return noise(mi, x / wave_m, y / wave_m, self._seed + part)


def _start(border: Border, looks: Looks) -> NDArray[np.float64]:
    """Place in the pattern of the scene's grass of the border's centre, (2,) metres."""
    assert border.grass is not None
    corner = looks.uv[border.grass, 0] * RECIPES["grass"].tile
    return np.asarray(corner - border.grass_corner, np.float64)


def covering(away: Any, half: Any, size: Any) -> Any:
    """Share of a pixel that a band covers, whose middle is so far away: Float."""
    import drjit as dr

    inside = half - dr.abs(away)
    soft = dr.maximum(size, 0.3)
    # A band narrower than the pixel covers no more of it than its width.
    return dr.clip(inside / soft + 0.5, 0, 1) * dr.minimum(1, 2 * half / soft)
