"""Rows of trees on the plain around a city: what a street looks out to.

They stand upright in straight lines, so that they rise above the horizon of a low eye as well
as they are seen from above.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vasgen.render.chance import lot, share
from vasgen.render.light.border import Border
from vasgen.render.light.woods import WOOD, kept, noise
from vasgen.seeding import stream

#: How many rows, how far beyond the border the middle of each is to stand, which no
#: part of one comes nearer than, and half its length.
_ROWS, _AWAY_M, _HALF_M = 14, (280.0, 1200.0), (90.0, 330.0)

#: Most that a row turns from running around the scene, radians.
_TURN = 0.7

#: Steps in which rows move out that come too near.
_MOVES = 60

#: Distance of trees, and their least and largest height, metres.
_STEP_M, _LOW_M, _HIGH_M = 9.5, 8.0, 15.0

#: Height of the bushes between them, metres.
_BUSH_M = 2.2


class Row(NamedTuple):
    """What lines of sight find of rows.

    Attributes:
        covered: Float share.
        colour: Color3f reflectance.
        distance: Float metres.
    """

    covered: Any
    colour: Any
    distance: Any


class Avenues:
    """The rows around one scene.

    Args:
        mi: mitsuba in its colour variant.
        border: of the scene.
    """

    def __init__(self, mi: Any, border: Border) -> None:
        import drjit as dr

        self._rows = [mi.Float(part) for part in _planted(border).T]
        self._seed = mi.UInt32(border.seed + 31)
        self._count = mi.UInt32(_ROWS)
        dr.make_opaque(self._seed, self._count)

    def seen(self, mi: Any, eye: Any, ray: Any, angle: Any, to_sun: Any) -> Row:
        """Trees along lines of sight.

        Args:
            mi: mitsuba in its colour variant.
            eye: Point3f above the plain.
            ray: Vector3f unit vectors.
            angle: Float half of what a sample covers, radians.
            to_sun: Vector3f unit vector.
        """
        import drjit as dr

        def nearer(i: Any, covered: Any, light: Any, distance: Any) -> tuple[Any, ...]:
            px, py, dx, dy, half = (dr.gather(mi.Float, part, i) for part in self._rows)
            # The row's plane is level along d, its normal (dy, -dx).
            speed = ray.x * dy - ray.y * dx
            reach = ((px - eye.x) * dy - (py - eye.y) * dx) / dr.select(
                dr.abs(speed) < 1e-5, 1e-5, speed
            )
            x, y, z = eye.x + reach * ray.x - px, eye.y + reach * ray.y - py, eye.z + reach * ray.z
            along = x * dx + y * dy
            size = dr.maximum(reach * angle, 0.3)
            # Seen end on, a row is as thick as its crowns.
            found = self._row(mi, i, along, z, size)
            # A row ends with a whole tree.
            end = dr.abs(dr.floor(along / _STEP_M) + 0.5) * _STEP_M + 0.5 * _STEP_M
            found = dr.select((reach > 1) & (end <= half), found, 0)
            back = dr.select(speed > 0, -1.0, 1.0)
            facing = dr.maximum((to_sun.x * dy - to_sun.y * dx) * back, 0)
            leaves = noise(mi, along / 1.7, z / 1.7, self._seed + i) - 0.5
            now = (0.25 + 0.40 * facing + 0.025 * z) * (1 + 1.3 * leaves * kept(size, 1.7))
            shown = (found > covered) | ((found > 0.9) & (reach < distance))
            return (
                i + 1,
                dr.maximum(covered, found),
                dr.select(shown, now, light),
                dr.select(shown, reach, distance),
            )

        none = dr.zeros(mi.Float, dr.width(ray))
        _, covered, light, distance = dr.while_loop(
            (dr.zeros(mi.UInt32, dr.width(ray)), none, none, none + 1e9),
            lambda i, *_: i < self._count,
            nearer,
            labels=("i", "covered", "light", "distance"),
        )
        return Row(covered, mi.Color3f(WOOD.tolist()) * light, distance)

    def _row(self, mi: Any, row: Any, along: Any, z: Any, size: Any) -> Any:
        """Share of samples that trees of a row cover, Float."""
        import drjit as dr

        number = dr.floor(along / _STEP_M)
        chance = lot(mi.UInt32(mi.Int32(number)), row, self._seed)
        top = _LOW_M + (_HIGH_M - _LOW_M) * share(chance)
        middle = (number + 0.4 + 0.2 * share(chance, 1)) * _STEP_M
        u = (along - middle) / (0.56 * _STEP_M)
        v = (z - 0.55 * top) / (0.45 * top)
        # Twigs break the outline.
        twigs = noise(mi, along / 2.3, z / 2.3, self._seed + row) - 0.5
        crown = (1 - dr.sqrt(u * u + v * v)) * (0.45 * _STEP_M) + 2.4 * twigs * kept(size, 2.3)
        bush = dr.minimum(_BUSH_M + 3 * twigs - z, z + 0.2)
        inside = dr.clip(dr.maximum(crown, bush) / size + 0.5, 0, 1)
        # From afar a row is a band.
        band = dr.clip((0.8 * _HIGH_M - z) / size + 0.5, 0, 1) * dr.clip(z / size + 0.5, 0, 1)
        return dr.lerp(0.75 * band, inside, kept(size, _STEP_M))


def _planted(border: Border) -> NDArray[np.float32]:
    """The rows, (N, 5): middle x and y, direction x and y, half the length."""
    random = stream(border.seed, "avenues")
    angle = (np.arange(_ROWS) + random.random(_ROWS)) * 2 * np.pi / _ROWS
    out = np.column_stack([np.cos(angle), np.sin(angle)])
    # Where the border is in that direction.
    ahead = np.maximum(out @ border.sides.T, 1e-9)
    edge = (border.reach_m / ahead).min(axis=1)
    low, high = _AWAY_M
    away = edge + low * (high / low) ** random.random(_ROWS)
    turned = angle + np.pi / 2 + random.uniform(-_TURN, _TURN, _ROWS)
    half = random.uniform(*_HALF_M, _ROWS)
    way = np.column_stack([np.cos(turned), np.sin(turned)])
    # A row moves out until its nearest place is as far away as the nearest middle may be.
    for _ in range(_MOVES):
        places = away[:, None] * out
        along = places + np.linspace(-1, 1, 33)[:, None, None] * (half[:, None] * way)
        beyond = (along @ border.sides.T - border.reach_m).max(axis=-1).min(axis=0)
        away += np.maximum(low - beyond, 0)
    rows = [*(away[:, None] * out).T, *way.T, half]
    return np.column_stack(rows).astype(np.float32)
