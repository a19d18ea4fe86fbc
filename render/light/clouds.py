"""Clouds: cumulus with flat bases and bulging tops, and thin cirrus high above.

A line of sight is followed through the layer of the cumulus, a field over the Earth's sphere
(:mod:`~vasgen.render.light.cloud_field`) that is positive where there is cloud and falls with
height. What it gathers there is opacity, and where; light comes to that place from the sun through
the cloud in between, from the sky above and from the ground below.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vasgen.render.light.atmosphere import EARTH_M
from vasgen.render.light.cloud_field import BULGES_M, FIBRES_M, PLACES_M, Layout, Tile, packed
from vasgen.render.light.droplets import TURNED, lobe

Array = NDArray[np.float64]

#: Heights of the cumulus' bases, of their highest tops, and of cirrus, metres.
BASE_M, TOP_M, CIRRUS_M = 1_250.0, 2_050.0, 9_000.0

#: Points of the field that a line of sight meets in the layer, and that a way to the sun meets.
_STEPS, _SUN_STEPS = 48, 5

#: Longest way through the layer that is followed, metres, and that to the sun.
_LONGEST_M, _SUN_WAY_M = 16_000.0, 900.0

#: Weight of bulges beside places; how much the field falls from the base to the highest top, and
#: how fast it falls below the base.
_BULGING, _FALL, _FLAT = 0.48, 2.9, 40.0

#: Bulges of one place (tiles aside) follow those of another with height, so that they are round
#: and no columns: the angle over the height of the layer, radians.
_ASIDE, _TURNING = (0.37, 0.61), 4.2

#: Steps between which small bulges fade, metres: what is shorter than steps would be mere noise.
_FINE_M, _ROUGH_M = 25.0, 120.0

#: Extinction in a cloud where the field is one above the level, a metre.
_DENSITY = 0.035

#: Share of light that counts as none.
_DARK = 0.005

#: Light that is scattered often goes farther than straight, by this factor.
_PATHS = 3.0

#: Phase function: asymmetry of its narrow and of its wide part, and the weight of this one.
_NARROW, _WIDE, _WIDE_SHARE = 0.80, 0.1, 0.55

#: Optical thickness of cirrus where it is densest.
_CIRRUS_THICKNESS = 0.55

#: Distance over which the light of a city on clouds falls, metres, and what is left far away.
_CITY_M, _FAR_GLOW = 9_000.0, 0.3

#: How much a closed layer's radiance goes up and down.
_UNEVEN = 0.07

#: A level of the field that nothing reaches.
_NOTHING = 99.0


class CloudLight(NamedTuple):
    """What lights clouds: linear sRGB, (3,) each, but for the last.

    Attributes:
        low: irradiance of the sun at the height of cumulus.
        high: the same at that of cirrus.
        above: radiance of the sky.
        below: radiance of the ground.
        closed: radiance of a closed layer at the zenith.
        reach_m: distance over which the air hides all but 1/e of a cloud, metres.
    """

    low: Array
    high: Array
    above: Array
    below: Array
    closed: Array
    reach_m: float


class CloudsSeen(NamedTuple):
    """Clouds along N rays.

    Attributes:
        passing: (N,) share of the light behind the clouds that comes through.
        radiance: (N, 3) of clouds.
        air: (N,) share of the sky's radiance that lies before clouds.
        glow: (N,) light of a city below them, of that of a closed layer overhead.
    """

    passing: Array
    radiance: Array
    air: Array
    glow: Array


class Clouds:
    """The clouds of a pattern, as seen from the ground.

    Args:
        mi: mitsuba in its colour variant.
        pattern: number of the pattern.
        to_sun: (3,) unit vector.
        light: what lights them.
        closed: how far they are a closed, even layer, 0 to 1.
        veiled: share of the pattern's cirrus that is there, 0 to 1.
    """

    def __init__(
        self, mi: Any, pattern: int, to_sun: Array, light: CloudLight, closed: float, veiled: float
    ) -> None:
        import drjit as dr

        layout = Layout.of(pattern)
        self._tiles = [Tile(mi, corners) for corners in packed()]
        self._turn = [mi.Point2f(turn.tolist()) for turn in layout.turn]
        self._shift = [mi.Point2f(shift.tolist()) for shift in layout.shift]
        self._veil = mi.Float(_CIRRUS_THICKNESS * layout.cirrus * veiled)
        self._to_sun = mi.Vector3f(to_sun.tolist())
        colours = (mi.Color3f(value.tolist()) for value in light[:5])
        self._low, self._high, self._above, self._below, self._even = colours
        self._reach, self._closed = mi.Float(light.reach_m), mi.Float(closed)
        self._level = mi.Float(_NOTHING)
        # Opaque values are inputs of the compiled kernel: the next clouds reuse it.
        dr.make_opaque(
            *self._turn, *self._shift, self._veil, self._to_sun, self._low, self._high, self._above,
            self._below, self._even, self._reach, self._closed, self._level,
        )  # fmt: skip

    def set_cover(self, mi: Any, rays: Array, weight: Array, cover: float) -> None:
        """Choose the level so that clouds cover a share of the sky.

        Args:
            mi: mitsuba in its colour variant.
            rays: (N, 3) unit vectors above the horizon.
            weight: (N,) solid angle that each stands for.
            cover: the share, 0 to 1.
        """
        import drjit as dr

        march = self._march(mi, mi.Vector3f(np.ascontiguousarray(rays.T, np.float32)))
        highest = np.array(march.highest)
        order = np.argsort(-highest)
        share = np.cumsum(weight[order]) / weight.sum()
        self._level = mi.Float(float(np.interp(cover, share, highest[order])))
        dr.make_opaque(self._level)

    def seen(self, mi: Any, rays: Array) -> CloudsSeen:
        """Clouds along unit vectors, (N, 3); below the horizon those of the horizon."""
        import drjit as dr

        ray = mi.Vector3f(np.ascontiguousarray(rays.T, np.float32))
        seen = self._look(mi, ray)
        dr.eval(*seen)
        return CloudsSeen(*(np.array(value, np.float64).T for value in seen))

    def _look(self, mi: Any, ray: Any) -> tuple[Any, ...]:
        """Fields of :class:`CloudsSeen`."""
        import drjit as dr

        march = self._march(mi, ray)
        cosine = dr.dot(ray, self._to_sun)
        colour = self._lit(mi, cosine, march)
        covered = 1 - march.left
        air = 1 - dr.exp(-march.way / self._reach)
        cirrus, glow, haze = self._cirrus(mi, ray, cosine)
        behind = march.left * (1 - cirrus)
        radiance = covered * (1 - air) * colour + behind * (1 - haze) * glow
        # A closed layer: the luminance of CIE's overcast sky (1955).
        base = BASE_M / dr.maximum(ray.z, 0.1) * ray
        uneven = self._tile(mi, 0, base, PLACES_M) + self._tile(mi, 1, base, BULGES_M)
        even = (1 + 2 * dr.maximum(ray.z, 0)) / 3 * (1 + _UNEVEN * uneven * ray.z)
        # From below the city lights their bases more than their sides.
        lumps = dr.exp(-0.7 * dr.maximum(march.height, 0)) * (1 + 0.12 * uneven)
        near = _FAR_GLOW + (1 - _FAR_GLOW) * dr.exp(-march.way / _CITY_M)
        share = self._closed
        return (
            (1 - share) * march.left * cirrus,
            (1 - share) * radiance + share * even * self._even,
            (1 - share) * (covered * air + behind * haze),
            dr.lerp(covered * (1 - air) * lumps, even, share) * near,
        )

    def _march(self, mi: Any, ray: Any) -> _March:
        """Follow rays through the layer of cumulus."""
        import drjit as dr

        sine = dr.maximum(ray.z, 1e-3)
        enter, leave = (_way(sine, height) for height in (BASE_M, TOP_M))
        step = (dr.minimum(leave, enter + _LONGEST_M) - enter) / _STEPS
        fine = dr.clip((_ROUGH_M - step) / (_ROUGH_M - _FINE_M), 0, 1)

        def field(way: Any) -> Any:
            return self._field(mi, way * ray, _height(sine, way), fine)

        def go(number: Any, before: Any, left: Any, at: Any, highest: Any) -> tuple[Any, ...]:
            way = enter + (mi.Float(number) + 1) * step
            now = field(way)
            inside, middle = _above(before - self._level, now - self._level)
            passing = dr.exp(-_DENSITY * inside * step)
            at += left * (1 - passing) * (way - step * (1 - middle))
            return number + 1, now, left * passing, at, dr.maximum(highest, now)

        first = field(enter)
        start = (mi.UInt32(0), first, mi.Float(1), mi.Float(0), first)
        _, _, left, at, highest = dr.while_loop(
            start,
            lambda number, before, left, at, highest: (number < _STEPS) & (left > _DARK),
            go,
        )
        # The sun would show through the least rest.
        left = dr.maximum(left - _DARK, 0) / (1 - _DARK)
        way = dr.select(left < 0.999999, at / dr.maximum(1 - left, 1e-6), enter)
        height = _height(sine, way)
        return _March(left, way, height, highest, self._to_light(mi, way * ray, height))

    def _field(self, mi: Any, point: Any, height: Any, fine: Any | None = None) -> Any:
        """Cloud where it is above the level, ``height`` is 0 at the base and 1 on top."""
        import drjit as dr

        places = self._tile(mi, 0, point, PLACES_M)
        bulges = self._round(mi, 1, point, _TURNING * height)
        if fine is not None:
            bulges += fine * self._round(mi, 2, point, 2 * _TURNING * height)
        # Bulges grow with height: bases are flat.
        grown = _BULGING * (0.45 + 0.55 * dr.minimum(4 * dr.abs(height), 1))
        fall = dr.select(height < 0, -_FLAT * height, _FALL * height * (0.6 + 0.4 * height))
        return places + grown * bulges - fall

    def _round(self, mi: Any, number: int, point: Any, angle: Any) -> Any:
        """A tile's value at points, or its value aside: one after the other as the angle grows."""
        import drjit as dr

        here, aside = (self._tile(mi, number, point, BULGES_M, lean) for lean in ((0, 0), _ASIDE))
        sine, cosine = dr.sincos(angle)
        # The mean of both is weaker than either.
        grown = 1 + 0.4 * dr.square(2 * sine * cosine)
        return grown * (cosine * cosine * here + sine * sine * aside)

    def _tile(self, mi: Any, number: int, point: Any, edge_m: float, lean: Any = (0, 0)) -> Any:
        """A tile's value above points."""
        turn, shift = self._turn[number], self._shift[number]
        u = (point.x * turn.x - point.y * turn.y) / edge_m + shift.x + lean[0]
        v = (point.x * turn.y + point.y * turn.x) / edge_m + shift.y + lean[1]
        return self._tiles[number].at(mi, u, v)

    def _to_light(self, mi: Any, point: Any, height: Any) -> Any:
        """Optical thickness between points and the sun, without the noise of small bulges."""
        import drjit as dr

        total, last = mi.Float(0), 0.0
        for number in range(1, _SUN_STEPS + 1):
            way = _SUN_WAY_M * (number / _SUN_STEPS) ** 2
            rise = way * self._to_sun.z / (TOP_M - BASE_M)
            there = self._field(mi, point + way * self._to_sun, height + rise)
            total += dr.clip(there - self._level, 0, 2) * (way - last)
            last = way
        return _DENSITY * total

    def _lit(self, mi: Any, cosine: Any, march: _March) -> Any:
        """Radiance of cumulus.

        What was scattered once fades like the light, what was scattered often as two-stream
        theory has it (Bohren 1987).
        """
        import drjit as dr

        sun = march.to_light
        once = 0.5 * _phase(cosine) * dr.exp(-sun)
        often = 0.75 / math.pi / (1 + 0.75 * TURNED * _PATHS * sun)
        often *= 0.55 + 0.45 * dr.exp(-0.25 * sun)
        rise = dr.clip(1.6 * march.height, 0, 1)
        around = self._above * (0.3 + 0.6 * rise) + self._below * (0.65 - 0.5 * rise)
        return self._low * (once + often) + around

    def _cirrus(self, mi: Any, ray: Any, cosine: Any) -> tuple[Any, Any, Any]:
        """Share of light that passes it, its radiance, and the share of air before it."""
        import drjit as dr

        sine = dr.maximum(ray.z, 1e-3)
        way = _way(sine, CIRRUS_M)
        fibre = self._tile(mi, 3, way * ray, FIBRES_M)
        patch = self._tile(mi, 0, 0.2 * way * ray, PLACES_M)
        dense = dr.clip(0.35 * fibre + 0.35 * patch + 0.1, 0, 1)
        passing = dr.exp(-self._veil * dense * dr.minimum(1 / sine, 4))
        glow = self._high * _phase(cosine) + 0.5 * self._above
        return passing, glow, 1 - dr.exp(-way / (2.5 * self._reach))


class _March(NamedTuple):
    """What rays met in the layer of cumulus.

    Attributes:
        left: share of the light behind that comes through.
        way: mean distance of what is seen, metres.
        height: of that, 0 at the base and 1 at the highest top.
        highest: value of the field on the way.
        to_light: optical thickness between that and the sun.
    """

    left: Any
    way: Any
    height: Any
    highest: Any
    to_light: Any


def _way(sine: Any, height_m: float) -> Any:
    """Distance along a ray from the ground to a height, over a round Earth, metres."""
    import drjit as dr

    down = EARTH_M * sine
    rise = height_m * (2 * EARTH_M + height_m)
    return rise / (down + dr.sqrt(down * down + rise))


def _height(sine: Any, way: Any) -> Any:
    """In the layer of cumulus after a way along a ray from the ground, over a round Earth."""
    above = way * sine + way * way * ((1 - sine * sine) / (2 * EARTH_M))
    return (above - BASE_M) / (TOP_M - BASE_M)


def _above(first: Any, last: Any) -> tuple[Any, Any]:
    """Mean of the positive part of what goes evenly from first to last, and where one sees it."""
    import drjit as dr

    change = last - first
    crossing = dr.clip(-first / dr.select(dr.abs(change) > 1e-6, change, 1e-6), 0, 1)
    entering, leaving = (first <= 0) & (last > 0), (first > 0) & (last <= 0)
    whole = (first > 0) & (last > 0)
    inside = dr.select(whole, 0.5 * (first + last), 0)
    inside = dr.select(entering, 0.5 * last * (1 - crossing), inside)
    inside = dr.select(leaving, 0.5 * first * crossing, inside)
    middle = dr.select(whole, 0.3, dr.select(entering, crossing, 0.3 * crossing))
    return inside, middle


def _phase(cosine: Any) -> Any:
    """Share of scattered light that goes into a direction, per steradian."""
    return (1 - _WIDE_SHARE) * lobe(cosine, _NARROW) + _WIDE_SHARE * lobe(cosine, _WIDE)
