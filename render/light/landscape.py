"""The world beyond a scene: a plain of fields, and hills on the horizon.

A line of sight that leaves the scene finds the ground at the height of the scene's border, or one
of three ridges, and on its way takes on the light of clear air (Koschmieder 1924), until
land and sky are one.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vasgen.camera import Camera
from vasgen.render.light.atmosphere import HAZE_SCALE
from vasgen.render.light.avenues import Avenues
from vasgen.render.light.border import Border
from vasgen.render.light.fields import Fields
from vasgen.render.light.sky import Sky
from vasgen.render.light.sweep import Sweep
from vasgen.render.light.villages import lights
from vasgen.render.light.woods import kept, noise, rarity, seen, shaded, step
from vasgen.render.looks.looks import Looks
from vasgen.seeding import stream

Array = NDArray[np.float64]

#: Samples of a pixel: points on a turned grid, in pixels.
_SAMPLES = np.array([[0.375, 0.125], [0.875, 0.375], [0.125, 0.625], [0.625, 0.875]])

#: Lines of sight this flat end at the horizon: the sine of their slope.
_FLAT = 1e-6

#: Sine of the elevation above which there is only sky.
LAND_BELOW = 0.06

#: Distance of ground that is never met, metres.
_NEVER = 1e9

#: Distances beyond the border from where on trees may stand, metres.
_TREES_M = (60.0, 140.0)

#: A camera is at least so high above the plain, metres.
_EYE_M = 0.5


class _Ridge(NamedTuple):
    """Hills around the scene: on a circle so far beyond its border, with heights along it."""

    distance_m: float
    height_m: float
    roughness: float


_RIDGES = (_Ridge(4200.0, 62.0, 1.5), _Ridge(8000.0, 145.0, 1.45), _Ridge(15000.0, 300.0, 1.35))

#: Entries of the table of a ridge's heights.
_TABLE = 2048

#: Of rectangles of these sides some have a lamp, on the plain and on hills, metres.
_SQUARE, _HILL_SQUARE = (55.0, 55.0), (60.0, 14.0)

#: Slope of hills towards the scene.
_SLOPE = 0.35

#: Size of crowns on the skyline, metres.
_CROWN_M = 14.0

#: Reflectance of woods and of meadows on hills, linear RGB.
_HILL_WOOD, _HILL_FIELD = (0.050, 0.080, 0.034), (0.150, 0.175, 0.080)


class LandLight(NamedTuple):
    """Light on the land, and the air above it.

    Attributes:
        direction: Vector3f to the sun.
        sun: Color3f irradiance of what faces it.
        falling: Color3f irradiance of level ground.
        air: Color3f extinction by air, a metre.
        haze: Color3f the same by haze, at the ground.
        fog: Float the same by fog.
        lamps: radiance of one candela a square metre where villages are lit, else 0.
    """

    direction: Any
    sun: Any
    falling: Any
    air: Any
    haze: Any
    fog: Any
    lamps: float

    @classmethod
    def of(
        cls,
        mi: Any,
        direction: Array,
        irradiance: tuple[Array, Array],
        clear: tuple[Array, Array],
        fog: float,
        lamps: float,
    ) -> LandLight:
        """The same from numbers: irradiance by the sun and in all, extinction by air and haze."""
        import drjit as dr

        sun, falling = (mi.Color3f(part.tolist()) for part in irradiance)
        air, haze = (mi.Color3f(part.tolist()) for part in clear)
        toward = mi.Vector3f(direction.tolist())
        made = cls(toward, sun, falling, air, haze, mi.Float(fog), lamps)
        # Opaque values are inputs of the compiled kernel: other light reuses it.
        dr.make_opaque(*made[:-1])
        return made


class _Sight(NamedTuple):
    """Lines of sight: from the eye, along unit vectors, and the level part of these.

    ``angle`` is half of what a sample covers, radians; ``part`` in [0, 1) tells the samples of
    a pixel apart; ``horizon`` is the radiance there.
    """

    eye: Any
    ray: Any
    level: Any
    angle: Any
    part: Any
    horizon: Any


class Landscape:
    """What lies around one scene.

    Args:
        mi: mitsuba in its colour variant.
        border: of the scene.
        looks: of its ground.
    """

    def __init__(self, mi: Any, border: Border, looks: Looks) -> None:
        import drjit as dr

        self._border = border
        self._fields = Fields(mi, border, looks)
        self._avenues = Avenues(mi, border)
        self._reach = [mi.Float(float(value)) for value in border.reach_m]
        self._heights = [
            mi.Float(_heights(border.seed, number, ridge)) for number, ridge in enumerate(_RIDGES)
        ]
        reach = float(border.reach_m.max())
        self._distances = [mi.Float(reach + ridge.distance_m) for ridge in _RIDGES]
        self._seed = mi.UInt32(border.seed)
        dr.make_opaque(self._seed, *self._reach, *self._distances)

    def seen(
        self,
        mi: Any,
        camera: Camera,
        pixels: NDArray[np.int64],
        light: LandLight,
        sky: Sky,
        sweep: Sweep | None = None,
    ) -> tuple[Array, Array]:
        """What pixels see of it: mean radiance, (N, 3), and the share that it covers, (N, 1).

        Args:
            mi: mitsuba in its colour variant.
            camera: the view.
            pixels: (N,) numbers of pixels, row by row.
            light: on the land.
            sky: above it.
            sweep: whose cells are meant instead of the camera's pixels.
        """
        import drjit as dr

        count = len(_SAMPLES)
        lane = dr.arange(mi.UInt32, len(pixels) * count)
        pixel = dr.gather(mi.UInt32, mi.UInt32(pixels.astype(np.uint32)), lane // count)
        offset = [mi.Float(part) for part in _SAMPLES.T.astype(np.float32)]
        wide = dr.opaque(mi.UInt32, camera.width if sweep is None else sweep.columns)
        u = mi.Float(pixel % wide) + dr.gather(mi.Float, offset[0], lane % count)
        v = mi.Float(pixel // wide) + dr.gather(mi.Float, offset[1], lane % count)
        eye, ray = self._rays(mi, camera, u, v)
        ray = ray if sweep is None else sweep.towards(mi, u, v)
        # A sample stands for half a pixel across: four are spread over both sides.
        size = 1 / float(camera.intrinsics[0, 0]) if sweep is None else sweep.step
        angle = dr.opaque(mi.Float, 0.5 * size)
        part = mi.Float(lane % count) / count
        level = dr.maximum(dr.hypot(ray.x, ray.y), _FLAT)
        horizon = sky.ask(mi, mi.Vector3f(ray.x, ray.y, 0))
        radiance, covered = self._along(mi, _Sight(eye, ray, level, angle, part, horizon), light)
        channels = [*radiance, covered]
        # All at once: each sum would trace the land again.
        dr.eval(channels)
        means = [dr.block_sum(part, count) / count for part in channels]
        found = np.stack([np.array(part, np.float64) for part in means], axis=-1)
        return found[:, :3], found[:, 3:]

    def _rays(self, mi: Any, camera: Camera, u: Any, v: Any) -> tuple[Any, Any]:
        """The camera's place from the border's centre, and directions through image points."""
        import drjit as dr

        axes = camera.rotation @ np.linalg.inv(camera.intrinsics)
        right, down, forward = (mi.Vector3f(axes[:, i].tolist()) for i in range(3))
        eye = mi.Point3f((camera.position - self._border.centre).tolist())
        dr.make_opaque(right, down, forward, eye)
        eye.z = dr.maximum(eye.z, _EYE_M)
        return eye, dr.normalize(right * u + down * v + forward)

    def _along(self, mi: Any, sight: _Sight, light: LandLight) -> tuple[Any, Any]:
        """Radiance that rays find on land, and whether they do (Float)."""
        import drjit as dr

        down = -sight.ray.z
        ground = dr.select(down > _FLAT, sight.eye.z / dr.maximum(down, _FLAT), _NEVER)
        below = down > 0
        radiance = dr.select(below, self._plain(mi, sight, ground, light), 0)
        covered = dr.select(below, mi.Float(1), 0)
        # From the farthest to the nearest.
        for number in reversed(range(len(_RIDGES))):
            hill, shown = self._ridge(mi, number, sight, ground, light)
            radiance = dr.lerp(radiance, hill, shown)
            covered = dr.lerp(covered, 1, shown)
        row = self._avenues.seen(mi, sight.eye, sight.ray, sight.angle, light.direction)
        x, y = (sight.eye[i] + row.distance * sight.ray[i] for i in range(2))
        trees = row.colour * light.falling / math.pi
        trees = _veiled(trees, sight, row.distance, self.outside(mi, x, y), light)
        return dr.lerp(radiance, trees, row.covered), dr.lerp(covered, 1, row.covered)

    def _plain(self, mi: Any, sight: _Sight, distance: Any, light: LandLight) -> Any:
        """The ground, Color3f."""
        import drjit as dr

        # Beyond all sight a place of its own is of no use to anyone.
        near = dr.minimum(distance, 60_000.0)
        x, y = sight.eye.x + near * sight.ray.x, sight.eye.y + near * sight.ray.y
        outside = self.outside(mi, x, y)
        fine = near * sight.angle
        along = fine / dr.maximum(-sight.ray.z, 1e-4)
        colour = self._fields.reflectance(mi, x, y, outside, along, fine)
        seed = self._seed + 90
        rare = rarity(mi, x, y, outside, seed)
        sun, planted = light.direction, step(outside, *_TREES_M)
        shade = planted * shaded(mi, x, y, rare, along, sun, seed)
        trees = seen(mi, sight.eye, sight.ray, sight.part, rare, along, sun, seed)
        sky = light.falling - light.sun * dr.maximum(light.direction.z, 0)
        colour = colour * dr.lerp(light.falling, sky, shade) * (1 - planted * trees.covered)
        colour += planted * trees.colour * light.falling
        colour /= math.pi
        if light.lamps:
            # Lamps stand upright: the flatter they are seen, the closer together.
            tilt = dr.maximum(-sight.ray.z, 0.01)
            view = mi.Vector2f(sight.ray.x, sight.ray.y) / sight.level
            seed = self._seed + 70
            lit = lights(mi, mi.Point2f(x, y), _SQUARE, view, (along, fine), seed)
            colour += lit * (light.lamps * step(outside, 1500.0, 2500.0) / tilt)
        return _veiled(colour, sight, distance, outside, light)

    def outside(self, mi: Any, x: Any, y: Any) -> Any:
        """How far beyond the border places are, metres: Float."""
        import drjit as dr

        away = mi.Float(0)
        for side, reach in zip(self._border.sides.tolist(), self._reach, strict=True):
            away = dr.maximum(away, x * side[0] + y * side[1] - reach)
        return away

    def _ridge(
        self, mi: Any, number: int, sight: _Sight, ground: Any, light: LandLight
    ) -> tuple[Any, Any]:
        """One ridge: radiance, and the share of each sample that it covers."""
        import drjit as dr

        eye, ray, level = sight.eye, sight.ray, sight.level
        circle = self._distances[number]
        dx, dy = ray.x / level, ray.y / level
        across = eye.x * dx + eye.y * dy
        off = eye.x * eye.x + eye.y * eye.y - circle * circle
        level_t = -across + dr.sqrt(dr.maximum(across * across - off, 0))
        distance = level_t / level
        x, y, z = eye.x + level_t * dx, eye.y + level_t * dy, eye.z + distance * ray.z
        turn = (dr.atan2(y, x) / (2 * math.pi) + 0.5) * _TABLE
        first = dr.floor(turn)
        entry = mi.UInt32(first) % _TABLE
        low = dr.gather(mi.Float, self._heights[number], entry)
        high = dr.gather(mi.Float, self._heights[number], (entry + 1) % _TABLE)
        top = dr.lerp(low, high, turn - first)
        size = distance * sight.angle * 2
        along = turn * circle * (2 * math.pi / _TABLE)
        crowns = noise(mi, along / _CROWN_M, z * 0, self._seed + 40 + number) - 0.5
        top += 0.5 * _CROWN_M * crowns * kept(size, _CROWN_M)
        shown = dr.clip((top - z) / size + 0.5, 0, 1) * dr.select(distance < ground, 1.0, 0.0)
        shown = dr.select((off < 0) & (top > 0.5), shown, 0)
        rise = (high - low) * (_TABLE / (2 * math.pi)) / circle
        colour = self._slopes(mi, number, along, z, top, size)
        lit = self._lit(mi, x, y, rise, light)
        away = self.outside(mi, x, y)
        radiance = colour * lit / math.pi
        if light.lamps:
            seed = self._seed + 80 + number
            place, view = mi.Point2f(along, z), mi.Vector2f(1, 0)
            lit = lights(mi, place, _HILL_SQUARE, view, (size, size), seed)
            radiance += lit * light.lamps
        return _veiled(radiance, sight, distance, away, light), shown

    def _slopes(self, mi: Any, number: int, along: Any, z: Any, top: Any, size: Any) -> Any:
        """Reflectance of hills: woods above, fields below."""
        import drjit as dr

        seed = self._seed + 50 + 4 * number
        patches = noise(mi, along / 330.0, z / 30.0, seed) * 0.6
        patches += noise(mi, along / 110.0, z / 11.0, seed + 1) * 0.4
        share_up = dr.clip(z / dr.maximum(top, 1.0), 0, 1)
        wood = dr.clip((patches + 0.35 * (share_up - 0.3) - 0.42) * 9, 0, 1)
        wood = dr.lerp(0.75, wood, kept(size, 90.0))
        return dr.lerp(mi.Color3f(_HILL_FIELD), mi.Color3f(_HILL_WOOD), wood)

    def _lit(self, mi: Any, x: Any, y: Any, rise: Any, light: LandLight) -> Any:
        """Irradiance of slopes that look towards the scene."""
        import drjit as dr

        away = dr.rsqrt(x * x + y * y)
        out_x, out_y = x * away, y * away
        # Downhill is towards the scene, and along the ridge away from its tops.
        normal = dr.normalize(
            mi.Vector3f(-out_x * _SLOPE + out_y * 4 * rise, -out_y * _SLOPE - out_x * 4 * rise, 1.0)
        )
        height = dr.maximum(light.direction.z, 0)
        sky = light.falling - light.sun * height
        return sky + light.sun * dr.maximum(dr.dot(normal, light.direction), 0)


def _veiled(radiance: Any, sight: _Sight, distance: Any, outside: Any, light: LandLight) -> Any:
    """Radiance as it arrives: through clear air beyond the border, and through all of the fog."""
    import drjit as dr

    # Haze thins out with height: its mean between the eye and the ground.
    up = dr.maximum(sight.eye.z, 1.0) / HAZE_SCALE
    thin = (1 - dr.exp(-up)) / up
    left = dr.exp(-(light.air + light.haze * thin) * outside - light.fog * distance)
    left = dr.select(distance < _NEVER, left, 0)
    return radiance * left + sight.horizon * (1 - left)


def _heights(seed: int, number: int, ridge: _Ridge) -> NDArray[np.float32]:
    """Along a ridge, (_TABLE,) metres: random waves around the circle, weaker as they shorten."""
    random = stream(seed, "ridge", number)
    wave = np.arange(1, _TABLE // 6)
    phase = random.uniform(0, 2 * np.pi, len(wave))
    strength = np.maximum(wave, 5.0) ** -ridge.roughness
    spectrum = np.zeros(_TABLE // 2 + 1, complex)
    spectrum[wave] = strength * np.exp(1j * phase)
    shape = np.fft.irfft(spectrum, _TABLE)
    shape /= shape.std()
    return np.asarray(ridge.height_m * np.maximum(0.5 + 0.4 * shape, 0.0), np.float32)
