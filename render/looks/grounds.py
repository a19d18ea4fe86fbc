"""What traffic, weather and gardeners leave on the ground and on flat roofs, to metre scale."""

from __future__ import annotations

from typing import Any, NamedTuple

from vasgen.render.chance import Draw, lot, share
from vasgen.render.looks.carriageways import PARKED_M, WIDE_M
from vasgen.render.looks.stains import Stains, step
from vasgen.render.textures.decals import MANHOLES
from vasgen.render.textures.openings import CELLS
from vasgen.render.textures.texels import arrays

#: How grounds wear: asphalt, paint on it, lawn, flags, flat roofs.
STREET, MARKING, LAWN, PAVED, ROOF = -1, -2, -3, -4, -5

#: Seeds of the two kinds of noise: what they show near by, and over a wider stretch.
_NEAR, _WIDE = 7, 13

#: How much wider than on walls the two kinds of noise lie on lawns.
_LAWN = (1 / 7.3, 1 / 29)

#: Half the distance between the wheels of a car, and half the width of their tracks, metres.
_WHEELS_M, _TRACK_M = 0.78, 0.30

#: Reflectance of asphalt that shows through worn paint.
_BELOW = 0.11


class Place(NamedTuple):
    """Points on the ground.

    Attributes:
        x, y: Float metres.
        left: Float metres to the left of the middle of a street.
        along: Float metres along it.
        lane: Float width of its lanes, metres.
        half: Float half its width, metres.
        framed: Bool, whether they lie on a street that has a direction.
        instance: UInt32 number of the object.
    """

    x: Any
    y: Any
    left: Any
    along: Any
    lane: Any
    half: Any
    framed: Any
    instance: Any


class _Traffic(NamedTuple):
    """What traffic leaves at points of streets.

    Attributes:
        noise: Array3f over metres.
        fine: Array3f over decimetres.
        track: Float, how much tyres have polished a point, 0 to 1.
        middle: Float, how near it is to the middle of a lane, 0 to 1.
    """

    noise: Any
    fine: Any
    track: Any
    middle: Any


class Grounds:
    """Applies wear to the colours and the roughness of points on the ground.

    Args:
        stains: the pictures of noise and of things set into streets.
    """

    def __init__(self, stains: Stains) -> None:
        self._stains = stains

    def worn(self, place: Place, kind: Any, colour: Any, rough: Any) -> Any:
        """Colour and roughness, Array4f.

        Args:
            place: the points.
            kind: Float, how they wear; nothing changes where it is not below zero.
            colour: Array3f when new.
            rough: Float when new.
        """
        import drjit as dr

        ad = arrays()
        road, lawn = (kind == STREET) | (kind == MARKING), kind == LAWN
        # Of a lawn only what is wide shows; chippings are half a centimetre.
        near = dr.select(lawn, _LAWN[0], 1)
        other = dr.select(road, 9.3, dr.select(lawn, _LAWN[1], 1 / 5))
        x, y, some = place.x, place.y, kind < 0
        first = self._stains.at(x * near, y * near, ad.UInt32(_NEAR), some)
        second = self._stains.at(x * other, y * other, ad.UInt32(_WIDE), some)
        traffic = _Traffic(first, second, *_tracks(place, first))
        street, smooth = self._street(place, colour, rough, traffic, road)
        bare = step(0.45 * first.z + 0.55 * second.z + 0.22 * traffic.track, 0.62, 0.92)
        paint = dr.lerp(colour * (0.86 + 0.14 * first.y), _BELOW, 0.8 * bare)
        shown = dr.select(kind == STREET, street, colour)
        shown = dr.select(kind == MARKING, paint, shown)
        shown = dr.select(lawn, _lawn(place, colour, first, second), shown)
        shown = dr.select(kind == PAVED, _paved(colour, first, second), shown)
        shown = dr.select(kind == ROOF, _roof(place, colour, first, second), shown)
        return ad.Array4f(shown.x, shown.y, shown.z, dr.select(kind == STREET, smooth, rough))

    def grass(self, x: Any, y: Any, colour: Any) -> Any:
        """Grass that goes on beyond the scene, Array3f; places in metres."""
        ad = arrays()
        first = self._stains.at(x * _LAWN[0], y * _LAWN[0], ad.UInt32(_NEAR), True)
        second = self._stains.at(x * _LAWN[1], y * _LAWN[1], ad.UInt32(_WIDE), True)
        return _grass(colour, first, second)

    def _street(
        self, place: Place, colour: Any, rough: Any, traffic: _Traffic, active: Any
    ) -> tuple[Any, Any]:
        """Colour and roughness of asphalt with tracks, trenches, covers and oil."""
        import drjit as dr

        noise, fine, track, middle = traffic
        blots = step(noise.y, 0.6, 1.0) * step(noise.z, 0.3, 0.8)
        oil = middle * step(noise.z, 0.35, 0.95)
        tone = (1 - 0.10 * blots) * (1 + 0.08 * (noise.z - 0.5)) * (1 + 0.5 * (fine.z - 0.5))
        tone *= (1 + 0.13 * track) * (1 - 0.20 * oil) * (1 - 0.05 * middle)
        edge = place.half - dr.abs(place.left)
        dust = dr.select(place.framed, dr.exp(-dr.maximum(edge, 0) / 0.22), 0)
        tone *= 1 - 0.22 * dust * noise.y
        colour = colour * tone
        for size, draw in ((7.0, Draw.TRENCH), (17.0, Draw.LONG_TRENCH)):
            colour = colour * _trench(place, size, noise, draw)
        cover, covered = self._cover(place, active)
        colour = dr.select(covered, cover, colour)
        return colour, dr.select(covered, 0.7, rough - 0.14 * track)

    def _cover(self, place: Place, active: Any) -> tuple[Any, Any]:
        """Manhole covers and drains, one in some squares of 11 m."""
        import drjit as dr

        ad = arrays()
        x, y = place.x, place.y
        column, row = dr.floor(x / 11.0), dr.floor(y / 11.0)
        chance = lot(ad.UInt32(ad.Int32(column)), ad.UInt32(ad.Int32(row)), Draw.COVER)
        size = 0.66
        u = (x - (column + 0.2 + 0.6 * share(chance, 1)) * 11.0) / size + 0.5
        v = (y - (row + 0.2 + 0.6 * share(chance, 2)) * 11.0) / size + 0.5
        here = active & (share(chance) < 0.45) & (u > 0) & (u < 1) & (v > 0) & (v < 1)
        cell = MANHOLES[0] * CELLS + ad.Int32(share(chance, 3) * (MANHOLES[1] * CELLS))
        return self._stains.decal(cell, u, v, here)


def _tracks(place: Place, noise: Any) -> tuple[Any, Any]:
    """How much tyres have polished a place, and how near it is to the middle of a lane."""
    import drjit as dr

    away = dr.abs(place.left)
    parked = dr.select(2 * place.half > WIDE_M, PARKED_M, 0)
    lane = dr.maximum(place.lane, 1)
    across = away - (dr.floor(away / lane) + 0.5) * lane + 0.3 * (noise.y - 0.5)
    driven = place.framed & (away < place.half - parked)
    wheel = dr.exp(-dr.square((dr.abs(across) - _WHEELS_M) / _TRACK_M))
    middle = dr.exp(-dr.square(across / 0.42))
    return dr.select(driven, wheel, 0), dr.select(driven, middle, 0)


def _trench(place: Place, spacing: float, noise: Any, draw: Draw) -> Any:
    """Factor of a filled trench, in some squares of ``spacing`` metres, with a seam of tar.

    Along a street or across it, where it has a direction.
    """
    import drjit as dr

    ad = arrays()
    x = dr.select(place.framed, place.along, place.x)
    y = dr.select(place.framed, place.left + 100, place.y)
    column, row = dr.floor(x / spacing), dr.floor(y / spacing)
    chance = lot(ad.UInt32(ad.Int32(column)), ad.UInt32(ad.Int32(row)), draw)
    chance = lot(chance, place.instance)
    turn = share(chance, 1)
    angle = dr.select(place.framed, dr.select(turn < 0.5, 0, dr.pi / 2), turn * 6.2832)
    dx, dy = x - (column + 0.5) * spacing, y - (row + 0.5) * spacing
    u, v = dx * dr.cos(angle) + dy * dr.sin(angle), dy * dr.cos(angle) - dx * dr.sin(angle)
    long = (0.18 + 0.26 * share(chance, 2)) * spacing
    wide = 0.25 + 0.07 * spacing * share(chance, 3)
    inside = dr.minimum(long - dr.abs(u), wide - dr.abs(v)) + 0.03 * (noise.z - 0.5)
    tone = 0.78 + 0.34 * share(chance, 4)
    factor = dr.select(inside > 0, dr.select(inside < 0.05, 0.66, tone), 1)
    return dr.select(share(chance) < 0.28, factor, 1)


def _lawn(place: Place, colour: Any, noise: Any, wide: Any) -> Any:
    """Grass, mown in swaths."""
    import drjit as dr

    shown = _grass(colour, noise, wide)
    chance = lot(place.instance, Draw.MOWING)
    angle = share(chance, 1) * 6.2832
    across = place.x * dr.cos(angle) + place.y * dr.sin(angle)
    swath = dr.clip(5 * dr.sin(across * (dr.pi / 1.1)), -1, 1)
    return shown * (1 + dr.select(share(chance) < 0.5, 0.035, 0) * swath)


def _grass(colour: Any, noise: Any, wide: Any) -> Any:
    """Grass that is drier here and lusher there, over tens of metres."""
    import drjit as dr

    ad = arrays()
    dry = step(0.45 * noise.y + 0.55 * wide.y, 0.40, 0.85) * (0.6 + 0.4 * noise.z)
    shown = colour * (0.82 + 0.32 * wide.y) * (0.85 + 0.3 * noise.z) * (0.9 + 0.2 * noise.y)
    return dr.lerp(shown, shown * ad.Array3f(1.75, 1.22, 1.25), 0.75 * dry)


def _paved(colour: Any, noise: Any, wide: Any) -> Any:
    """Flags under a film of dirt that feet and rain take off here and there."""
    import drjit as dr

    ad = arrays()
    film = step(0.5 * wide.y + 0.3 * noise.y + 0.2 * noise.z, 0.40, 0.70)
    return dr.lerp(colour * 1.04, colour * ad.Array3f(0.80, 0.80, 0.79), film)


def _roof(place: Place, colour: Any, noise: Any, wide: Any) -> Any:
    """Rims of dried puddles, dark patches, and on some roofs the laps of welded sheets."""
    import drjit as dr

    level = 0.55 * noise.y + 0.45 * wide.y
    puddle, rim = step(level, 0.60, 0.64), dr.exp(-dr.square((level - 0.60) / 0.012))
    tone = (1 - 0.15 * puddle) * (1 + 0.10 * rim) * (0.93 + 0.14 * wide.z)
    chance = lot(place.instance, Draw.LAPS)
    x = dr.select(share(chance, 1) < 0.5, place.x, place.y) + 7 * noise.y * 0.004
    lap = dr.abs(x - dr.round(x)) < 0.02
    return colour * tone * dr.select(lap & (share(chance) < 0.45), 0.80, 1)
