"""Windows at night: which are lit, and the rooms that are seen behind them.

Which rooms are lit, how, and whether curtains are drawn is decided by lot for every window, the
same in all pictures of a scene.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from vasgen.bundle import FaceTable, VisualMaterial
from vasgen.render.chance import lot, share
from vasgen.render.light.illuminance import LUX_PER_UNIT
from vasgen.render.light.rooms import Cloth, interior
from vasgen.render.textures.openings import CELLS


class _Use(NamedTuple):
    """How rooms of one use are lit.

    Attributes:
        lit: share of the windows, on the floors that are in use.
        floors: share of those floors.
        luminance: darkest and brightest room, candela a square metre.
        warmth: least and greatest share of warm light, of cool light the rest.
        closed, aside: share of windows with closed curtains, and with curtains at the sides.
    """

    lit: float
    floors: float
    luminance: tuple[float, float]
    warmth: tuple[float, float]
    closed: float
    aside: float


#: Uses of the rooms behind windows, by their number; 0 is none.
_USES = (
    _Use(0.0, 0.0, (0.0, 0.0), (0.0, 0.0), 0.0, 0.0),
    _Use(0.42, 1.0, (2.0, 9.0), (0.35, 1.0), 0.32, 0.40),  # homes
    _Use(0.75, 0.35, (3.0, 10.0), (0.0, 0.75), 0.15, 0.0),  # offices
    _Use(0.85, 1.0, (8.0, 22.0), (0.2, 0.9), 0.0, 0.0),  # shops
    _Use(0.50, 1.0, (2.0, 6.0), (0.5, 1.0), 0.0, 0.0),  # halls
    _Use(0.70, 1.0, (4.0, 14.0), (0.0, 1.0), 0.0, 0.0),  # signs
)
_HOME, _OFFICE, _SHOP, _HALL, SIGN = range(1, len(_USES))

_USE_OF = {
    "facade-brick": _HOME,
    "facade-plaster": _HOME,
    "facade-concrete": _OFFICE,
    "facade-glass": _OFFICE,
    "facade-shed": _HALL,
    "pane-window": _HOME,
    "pane-glazing": _OFFICE,
    "pane-shop": _SHOP,
    "door-leaf": _HALL,
    "sign-board": SIGN,
}

#: What lamps at 2700 K and at 4700 K look like, linear sRGB of luminance one (Planck), and the
#: screen of a television, which lights a few homes.
_WARM, _COOL, _SCREEN = (1.91, 0.81, 0.19), (1.26, 0.95, 0.70), (0.77, 1.00, 1.60)
_SCREENS = 0.04

#: Mean radiance of a room over that of its brightest wall.
_MEAN = 0.4


class _Lit(NamedTuple):
    """Rooms behind points: lot, use, radiance (Color3f; zero where dark), shares of curtains."""

    word: Any
    use: Any
    light: Any
    closed: Any
    aside: Any


class Windows:
    """The windows of a scene.

    Args:
        faces: the scene's faces.
        materials: its visual materials.
    """

    def __init__(self, mi: Any, faces: FaceTable, materials: Sequence[VisualMaterial]) -> None:
        uses = np.array([_USE_OF.get(material.recipe, 0) for material in materials], np.uint32)
        painted = np.array([material.recipe.startswith("facade-") for material in materials])
        # Rooms at other walls of a building are other rooms.
        side = np.round(np.arctan2(faces.normal[:, 1], faces.normal[:, 0]) * 8 / np.pi + 0.2)
        wall = faces.instance.astype(np.int64) * 16 + side.astype(np.int64) % 16
        visual = faces.visual
        self._style = mi.UInt32(
            (wall.astype(np.uint32) << 4) | (painted[visual].astype(np.uint32) << 3) | uses[visual]
        )
        self._table = mi.Float(np.array([_row(use) for use in _USES], np.float32).ravel())

    def mean(self, mi: Any, face: Any, uv: Any, seen: Any) -> Any:
        """Mean radiance of the rooms behind points, Color3f: what lights the street."""
        room = self._room(mi, face, uv)
        return _shown(room, seen.glass, _MEAN * room.light, mi.Color3f(seen.colour))

    def look(self, mi: Any, si: Any, face: Any, seen: Any, direction: Any) -> Any:
        """Radiance of the rooms behind points along lines of sight, Color3f.

        Args:
            mi: mitsuba in its colour variant.
            si: surface interactions with their tangents along u and v.
            face: UInt32 faces.
            seen: what the points look like.
            direction: of the lines of sight.
        """
        room = self._room(mi, face, si.uv)
        cloth = Cloth(room.closed, room.aside, room.use == _OFFICE)
        inside = interior(mi, si, room.word, cloth, direction)
        return _shown(room, seen.glass, inside * room.light, mi.Color3f(seen.colour))

    def _room(self, mi: Any, face: Any, uv: Any) -> _Lit:
        import drjit as dr

        style = dr.gather(mi.UInt32, self._style, face)
        column, row = (mi.UInt32(mi.Int32(dr.floor(part * CELLS))) for part in (uv.x, uv.y))
        word = lot(style, column, row)
        use = style & 7
        # The ground floors of painted facades are shops as often as not.
        shop = ((style & 8) > 0) & (row == 0) & (share(lot(style), 1) < 0.6)
        use = dr.select(shop, _SHOP, use)
        first, second = (dr.gather(mi.Vector4f, self._table, 2 * use + k) for k in range(2))
        floor = lot(style, row)
        busy = share(floor, 2) < first.y
        lit = share(word, 1) < dr.select(busy, first.x, 0.12 * first.x)
        luminance = dr.lerp(first.z, first.w, dr.square(share(word, 2))) / LUX_PER_UNIT
        # A floor of offices has lamps of one kind.
        lamp = dr.select(use == _OFFICE, share(floor, 3), share(word, 3))
        warmth = dr.lerp(second.x, second.y, lamp)
        colour = dr.lerp(mi.Color3f(*_COOL), mi.Color3f(*_WARM), warmth)
        screen = (use == _HOME) & (share(word, 20) < _SCREENS)
        colour = dr.select(screen, 0.3 * mi.Color3f(*_SCREEN), colour)
        light = dr.select(lit, luminance, 0) * colour
        return _Lit(word, use, light, second.z, second.w)


def _row(use: _Use) -> list[float]:
    return [use.lit, use.floors, *use.luminance, *use.warmth, use.closed, use.aside]


def _shown(room: _Lit, glass: Any, inside: Any, base: Any) -> Any:
    """Glass shows the room; a sign that is lit shows itself."""
    import drjit as dr

    return dr.select(room.use == SIGN, base * room.light, dr.select(glass, inside, 0))
