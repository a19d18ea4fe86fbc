"""The inside of a lit room, as it is seen through its window.

Behind the glass are a back wall, side walls, floor and ceiling, where the line of sight ends
(interior mapping, van Dongen 2008); a lamp under the ceiling lights them. So rooms have depth,
and look different from every side, without any geometry.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from vasgen.render.chance import lot, share
from vasgen.render.textures.openings import CELLS

#: Least size of a room, metres: half its width, and from the middle of a window down and up.
_HALF_WIDTH, _DOWN, _UP = 1.7, 1.5, 1.2

#: Depth of the shallowest room, and how much deeper the deepest is, metres.
_DEPTH, _DEEPER = 2.6, 3.5

#: Least cosine between line of sight and glass.
_GRAZING = 0.04

#: Radiance of a room's lamp over that of its brightest wall, and its radius, metres.
_BULB, _BULB_RADIUS = 7.0, 0.14

#: Width of a piece of furniture, metres.
_PIECE = 0.8


class Cloth(NamedTuple):
    """Shares of windows with closed curtains and with curtains aside; whether they are blinds."""

    closed: Any
    aside: Any
    blinds: Any


class _View(NamedTuple):
    """Lines of sight into rooms, metres: from the middle of the window right, up and inwards."""

    start: Any
    direction: Any
    size: Any


def interior(mi: Any, si: Any, word: Any, cloth: Cloth, direction: Any) -> Any:
    """What lines of sight meet behind windows, Color3f; one is white in the light of the room.

    Args:
        mi: mitsuba in its colour variant.
        si: surface interactions with tangents; one cell of their coordinates is one window.
        word: a lot for each room.
        cloth: what hangs in the windows.
        direction: unit vectors into the windows.
    """
    import drjit as dr

    view = _view(mi, si, direction)
    seen = _walls(mi, view, word)
    drawn, fabric = _curtain(mi, view, word, cloth)
    return dr.lerp(seen, fabric, drawn)


def _view(mi: Any, si: Any, direction: Any) -> _View:
    import drjit as dr

    across, up = dr.norm(si.dp_du), dr.norm(si.dp_dv)
    at = si.uv * CELLS
    local = at - dr.floor(at) - 0.5
    size = mi.Vector2f(across, up) / CELLS
    right = dr.dot(direction, si.dp_du) / dr.maximum(across, 1e-6)
    rising = dr.dot(direction, si.dp_dv) / dr.maximum(up, 1e-6)
    inward = dr.maximum(dr.abs(dr.dot(direction, si.n)), _GRAZING)
    start = mi.Vector3f(local.x * size.x, local.y * size.y, 0)
    return _View(start, mi.Vector3f(right, rising, inward), size)


def _walls(mi: Any, view: _View, word: Any) -> Any:
    """The room's walls in the light of its lamp."""
    import drjit as dr

    half = dr.maximum(view.size.x / 2, _HALF_WIDTH)
    low = -dr.maximum(view.size.y / 2, _DOWN)
    high = dr.maximum(view.size.y / 2, _UP)
    deep = _DEPTH + _DEEPER * share(word, 4)
    start, d = view.start, view.direction
    to_side = (dr.copysign(half, d.x) - start.x) / _off_zero(d.x)
    to_level = (dr.select(d.y > 0, high, low) - start.y) / _off_zero(d.y)
    to_back = deep / d.z
    t = dr.minimum(dr.minimum(to_side, to_level), to_back)
    point = start + d * t
    level, side = to_level <= t, to_side <= t
    normal = mi.Vector3f(
        dr.select(side & ~level, -dr.sign(d.x), 0), dr.select(level, -dr.sign(d.y), 0), 0
    )
    normal.z = dr.select(level | side, 0.0, -1.0)
    albedo = _paint(mi, point, level, d.y > 0, side, low, word)
    lamp = mi.Vector3f(
        half * (share(word, 5) - 0.5), high - 0.45, deep * (0.3 + 0.3 * share(word, 6))
    )
    towards = lamp - point
    away2 = dr.squared_norm(towards) + 0.15
    facing = dr.maximum(dr.dot(normal, towards) * dr.rsqrt(away2), 0)
    light = 0.30 + 1.4 * facing / away2
    nearest = dr.norm(dr.cross(lamp - start, dr.normalize(d)))
    bulb = nearest < _BULB_RADIUS
    return dr.select(bulb, mi.Color3f(_BULB), albedo * dr.minimum(light, 2.0))


def _paint(mi: Any, point: Any, level: Any, above: Any, side: Any, low: Any, word: Any) -> Any:
    """Reflectance where lines of sight end: walls of one colour with furniture in front."""
    import drjit as dr

    tone = dr.lerp(0.45, 0.85, share(word, 7))
    wall = tone * dr.lerp(mi.Color3f(1.08, 0.97, 0.80), mi.Color3f(0.92, 1.0, 1.06), share(word, 8))
    along = dr.select(side, point.z, point.x)
    piece = mi.UInt32(mi.Int32(dr.floor(along / _PIECE)) + 64)
    one = lot(word, piece, dr.select(side, mi.UInt32(1), 0))
    height = dr.square(share(one, 1)) * 2.0
    furnished = (point.y - low < height) & (share(one, 2) < 0.7)
    wood = dr.lerp(0.08, 0.40, share(one, 3)) * mi.Color3f(1.15, 0.95, 0.75)
    framed, print_ = _picture(mi, point.y - low, along, one, word)
    upright = dr.select(furnished, wood, dr.select(framed, print_, wall))
    flat = dr.select(above, mi.Color3f(0.85), mi.Color3f(0.34, 0.26, 0.19))
    return dr.select(level, flat, upright)


def _picture(mi: Any, height: Any, along: Any, one: Any, word: Any) -> tuple[Any, Any]:
    """Where a picture hangs on a piece of wall, and its colour; many rooms have none."""
    import drjit as dr

    half = dr.lerp(0.10, 0.46, share(one, 4))
    tall = half * dr.lerp(0.55, 1.5, share(one, 8))
    middle = dr.lerp(1.25, 1.85, share(one, 9))
    room = _PIECE / 2
    shift = (along / _PIECE - dr.floor(along / _PIECE) - 0.5) * _PIECE
    shift -= (share(one, 10) - 0.5) * dr.maximum(room - half, 0)
    across, up = dr.abs(shift) / dr.minimum(half, room), dr.abs(height - middle) / tall
    hung = (share(word, 18) < 0.55) & (share(one, 11) < dr.lerp(0.05, 0.5, share(word, 19)))
    hue = mi.Color3f(share(one, 5), share(one, 6), share(one, 7))
    grey = dr.lerp(0.10, 0.60, dr.square(share(one, 12)))
    # Prints fade; a passe-partout is nearly white.
    faded = dr.lerp(mi.Color3f(grey), hue * (0.3 + grey), 0.3)
    mounted = (share(one, 13) < 0.5) & (dr.maximum(across, up) > 0.62)
    colour = dr.select(mounted, mi.Color3f(0.72, 0.70, 0.66), faded)
    return hung & (across < 1) & (up < 1), colour


def _curtain(mi: Any, view: _View, word: Any, cloth: Cloth) -> tuple[Any, Any]:
    """How far something hangs before the room, 0 to 1, and what it looks like."""
    import drjit as dr

    x = view.start.x / dr.maximum(view.size.x, 1e-3)
    y = view.start.y / dr.maximum(view.size.y, 1e-3)
    kind = share(word, 9)
    closed = kind < cloth.closed
    aside = ~closed & (kind < cloth.closed + cloth.aside)
    reach = dr.lerp(0.12, 0.34, share(word, 10))
    hangs = closed | (aside & (dr.abs(x) > reach))
    folds = 1 + 0.14 * dr.sin(view.start.x * dr.lerp(28.0, 50.0, share(word, 11)))
    # The lamp behind makes the upper middle of the cloth brightest.
    glow = 0.62 - 0.35 * dr.square(x) + 0.25 * y
    dye = mi.Color3f(share(word, 12), share(word, 13), share(word, 14))
    cloth_colour = dr.lerp(mi.Color3f(0.95, 0.88, 0.74), dye, 0.35) * dr.lerp(
        0.45, 1.0, share(word, 15)
    )
    fabric = cloth_colour * glow * folds
    # Blinds come down to a height of their own.
    lowered = cloth.blinds & (y > dr.lerp(-0.4, 0.45, share(word, 16)))
    slats = 0.30 + 0.12 * dr.sin(view.start.y * 90)
    fabric = dr.select(cloth.blinds, mi.Color3f(slats), fabric)
    shown = dr.select(cloth.blinds, closed & lowered, hangs)
    return dr.select(shown, dr.lerp(0.8, 1.0, share(word, 17)), 0), fabric


def _off_zero(value: Any) -> Any:
    import drjit as dr

    return dr.copysign(dr.maximum(dr.abs(value), 1e-6), value)
