"""The skin of a scene: textures on all faces, drawn differently on every building, and worn.

Three things keep buildings of one material apart. Its facade has a few layouts, and each
building one of them. What is seen in a window, and which sign hangs on a shop, is drawn by
lot for every window and shop. And weather leaves other marks on every wall.
"""

from __future__ import annotations

from itertools import chain
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vasgen.bundle import SceneBundle, VisualMaterial
from vasgen.render.chance import Draw, lot, share
from vasgen.render.looks.carriageways import street_frames
from vasgen.render.looks.grounds import LAWN, MARKING, PAVED, ROOF, STREET, Grounds, Place
from vasgen.render.looks.stains import Stains, noise
from vasgen.render.looks.variation import anywhere, drawn, dressed, other_room, proportioned
from vasgen.render.looks.walls import merged, wall_frames
from vasgen.render.looks.weathering import Wall, Weathering
from vasgen.render.textures.bodywork import PLATE
from vasgen.render.textures.decals import decals
from vasgen.render.textures.panes import PANES
from vasgen.render.textures.plan import (
    DETAIL_MEAN,
    NATURAL,
    TexturePlan,
    facade_colours,
    painted,
    plan_textures,
    recipe_of,
    texture_numbers,
)
from vasgen.render.textures.recipes import DETAILS, RECIPES
from vasgen.render.textures.texels import Texels, arrays
from vasgen.semantics import SemanticClass

#: By which factor the coordinates of natural surfaces shrink where they vary themselves.
_LARGE = 0.137

#: Strength of that where more would be blotches: on streets, lawns and roofs.
_BLOTCHES = 0.2

#: Recipes of many pictures, of which each object shows one by lot.
_DRAWN = frozenset({*PANES, PLATE})

#: How recipes wear: as masonry, as cladding that only gets dirty, as grounds.
_MASONRY, _CLADDING = 1, 2

#: What does not wear: lacquer, and lacquer over flakes of metal.
_LACQUER, _FLAKES = 4, 5
_WEAR = {
    **{f"facade-{kind}": _MASONRY for kind in ("brick", "concrete", "plaster")},
    **{f"wall-{kind}": _MASONRY for kind in ("brick", "concrete", "plaster", "stone")},
    **dict.fromkeys(("facade-shed", "facade-glass", "wall-boards", "wall-sheet"), _CLADDING),
    "asphalt": STREET,
    "grass": LAWN,
    **dict.fromkeys(("pavement", "plaza"), PAVED),
    "roof-gravel": ROOF,
    **dict.fromkeys(("paint", "car-glass", "headlamp", "tail-lamp"), _LACQUER),
    "paint-metallic": _FLAKES,
}

#: Share of the windows of facades with blinds.
_BLINDS = {
    "facade-brick": 0.3,
    "facade-plaster": 0.35,
    "facade-concrete": 0.4,
    "facade-glass": 0.12,
    "facade-shed": 0.02,
}


class Seen(NamedTuple):
    """What points look like.

    Attributes:
        colour: Array3f base colour in [0, 1].
        roughness: Float GGX roughness.
        metallic: Float metalness.
        glass: Bool, whether a point is glass of a window that can be lit.
        lacquered: Bool, whether a clear coat covers it.
        flakes: Bool, whether there are flakes of metal in its base.
    """

    colour: Any
    roughness: Any
    metallic: Any
    glass: Any
    lacquered: Any
    flakes: Any


class _Spot(NamedTuple):
    """Points on walls or streets.

    Attributes:
        along, across: Float metres.
        lengths: two Floats of the wall or street, metres; see ``walls.Frames``.
        seed: UInt32 number of the wall or street.
        instance: UInt32 number of the object.
    """

    along: Any
    across: Any
    lengths: tuple[Any, Any]
    seed: Any
    instance: Any

    @property
    def wall(self) -> Wall:
        """The points as those of walls."""
        return Wall(self.along, self.across, *self.lengths, self.seed, self.instance)

    def place(self, x: Any, y: Any, framed: Any) -> Place:
        """The points as those of the ground, at x and y, on streets where framed."""
        return Place(x, y, self.across, self.along, *self.lengths, framed, self.instance)


class _Points(NamedTuple):
    """Points to be shaded.

    Attributes:
        uv: Array2f coordinates in the texture.
        number: UInt32 number of the texture.
        textured: Bool, whether there is one.
        constant: Array4f mean colour and roughness of the material.
        metallic: Float.
        wear: Float, how it wears.
        blinds: Float share of windows with blinds, on painted facades; else 0.
        instance: UInt32 number of the object.
        spot: where points lie on walls or streets.
        upright: Bool, whether they lie on a wall.
        framed: Bool, whether they lie on a street that has a direction.
        varied: Array4f, see :func:`_material_table`.
    """

    uv: Any
    number: Any
    textured: Any
    constant: Any
    metallic: Any
    wear: Any
    blinds: Any
    instance: Any
    spot: _Spot
    upright: Any
    framed: Any
    varied: Any


class Skin:
    """Looks of all faces of a bundle.

    Attributes:
        grounds: how grounds wear.

    Args:
        bundle: the scene.
        uv: (F, 3, 2) float32 corner coordinates in tiles.
        tint: (F, 3) float32 factor on the colour of every face.

    Raises:
        InputError: if the textures need more memory than allowed.
    """

    def __init__(self, bundle: SceneBundle, uv: NDArray[np.float32], tint: Any) -> None:
        ad, faces = arrays(), bundle.face_table
        # Two pictures that every scene shares come first.
        plan = plan_textures(bundle, 2)
        self._texels = Texels(chain([noise(), decals()], painted(plan)))
        stains = Stains(self._texels, 0, 1)
        self._wear, self.grounds = Weathering(stains), Grounds(stains)
        self._material = ad.UInt32(faces.visual.astype(np.uint32))
        self._number = ad.UInt32(texture_numbers(plan, faces))
        self._instance = ad.UInt32(faces.instance.astype(np.uint32))
        self._tint = ad.Float(np.ascontiguousarray(tint, np.float32).ravel())
        table = _material_table(bundle.visual_materials, plan)
        table[np.unique(faces.visual[faces.semantic == SemanticClass.ROAD_MARKING]), 6] = MARKING
        self._table = ad.Float(table.ravel())
        worn = np.isin(table[:, 6], (_MASONRY, _CLADDING))[faces.visual]
        walls = wall_frames(faces, uv, worn & (faces.semantic == SemanticClass.WALL))
        frames = merged(walls, street_frames(faces, uv))
        self._frame, self._piece = ad.UInt32(frames.number), ad.UInt32(frames.piece)
        self._rows = ad.Float(frames.rows.ravel())

    def evaluate(self, face: Any, uv: Any, *, near: bool = True) -> Seen:
        """Looks at points on faces.

        Args:
            face: (N,) UInt32 face indices.
            uv: (N,) Array2f coordinates in tiles.
            near: whether to show wear and details; what only sheds light does without.
        """
        import drjit as dr

        ad = arrays()
        points = self._points(face, uv)
        texel, bare, glass = self._texel(points, near)
        tint = dr.gather(ad.Array3f, self._tint, face)
        if near:
            colour = texel.xyz * self._detail(points, bare) * tint
            texel = self._worn(points, colour, texel.w, bare, glass)
            tint = ad.Array3f(1)
        return Seen(
            dr.clip(texel.xyz * tint, 0, 1),
            texel.w,
            points.metallic,
            glass,
            points.wear >= _LACQUER,
            points.wear == _FLAKES,
        )

    def _points(self, face: Any, uv: Any) -> _Points:
        import drjit as dr

        ad = arrays()
        material = dr.gather(ad.UInt32, self._material, face)
        constant, more, varied = (
            dr.gather(ad.Array4f, self._table, 3 * material + k) for k in range(3)
        )
        instance = dr.gather(ad.UInt32, self._instance, face)
        spot, framed = self._spot(face, instance, uv)
        upright = framed & (more.z > 0)
        facade, owned = more.w < 0, instance > 0
        uv = proportioned(uv, instance, facade & owned)
        uv = dr.select(upright & ~facade, uv + anywhere(spot.seed), uv)
        uv = drawn(uv, instance, more.w > 1, (more.w > 0) & owned)
        number = dr.gather(ad.UInt32, self._number, face)
        # Some houses let down many blinds, some few.
        often = 0.3 + 1.4 * share(lot(instance, Draw.BLINDS))
        painted = dr.select(facade & owned, -more.w * often, 0)
        return _Points(
            uv,
            number,
            more.y > 0,
            constant,
            more.x,
            more.z,
            painted,
            instance,
            spot,
            upright,
            framed & ~upright,
            varied,
        )

    def _texel(self, points: _Points, near: bool) -> tuple[Any, Any, Any]:
        """Colour and roughness (Array4f), whether bare wall, and whether window glass."""
        import drjit as dr

        textured, uv = points.textured, points.uv
        if not near:
            texel, glass = self._texels.nearest(points.number, uv, textured)
            return dr.select(textured, texel, points.constant), False, glass
        bare, glass = self._texels.marks(points.number, uv, textured)
        window = glass & (points.blinds > 0)
        room = other_room(uv, points.instance, window)
        texel = self._texels.colour(points.number, room, textured)
        texel = dr.select(window, dressed(texel, uv, points.instance, points.blinds), texel)
        return dr.select(textured, texel, points.constant), bare | ~textured, glass

    def _detail(self, points: _Points, bare: Any) -> Any:
        """Factor of a second texture: courses to metre scale, or a natural surface enlarged."""
        import drjit as dr

        ad = arrays()
        number, tiles, natural = points.varied.x, points.varied.y, points.varied.z > 0
        spot, upright = points.spot, points.upright
        metres = ad.Array2f(spot.along, spot.across) * tiles + anywhere(spot.seed)
        place = dr.select(upright, metres, points.uv * _LARGE + 0.5)
        natural &= ~upright
        shown = (number > 0) & ((upright & bare) | natural)
        second = self._texels.colour(ad.UInt32(number), place, shown).xyz
        mean = dr.select(natural, dr.maximum(points.constant.xyz, 1e-3), DETAIL_MEAN)
        strength = dr.select(points.wear < 0, _BLOTCHES, 1)
        return dr.select(shown, 1 + strength * (second / mean - 1), 1)

    def _worn(self, points: _Points, colour: Any, rough: Any, bare: Any, glass: Any) -> Any:
        """What weather and use leave of colour and roughness, Array4f."""
        import drjit as dr

        upright = points.upright
        masonry = upright & bare & (points.wear == _MASONRY)
        worn = self._wear.walls(points.spot.wall, colour, rough, masonry, upright)
        metres = points.uv * points.varied.w
        place = points.spot.place(metres.x, metres.y, points.framed)
        ground = self.grounds.worn(place, points.wear, colour, rough)
        return dr.select(upright & ~glass, worn, ground)

    def _spot(self, face: Any, instance: Any, uv: Any) -> tuple[_Spot, Any]:
        """Where points lie on their walls or streets, and whether they lie on one."""
        import drjit as dr

        ad = arrays()
        row = dr.gather(ad.UInt32, self._frame, face)
        first, second = (dr.gather(ad.Array4f, self._rows, 2 * row + k) for k in range(2))
        spot = _Spot(
            first.x * uv.x + first.y * uv.y + first.z,
            first.w * uv.x + second.x * uv.y + second.y,
            (second.z, second.w),
            dr.gather(ad.UInt32, self._piece, row),
            instance,
        )
        return spot, row > 0


def _material_table(
    materials: tuple[VisualMaterial, ...], plan: TexturePlan
) -> NDArray[np.float32]:
    """(M, 12): colour, roughness; metalness, whether textured, wear, lots; second texture, its
    tiles a metre, whether natural, metres a tile.

    Lots are drawn among cells (1), pairs of cells (2), or the rooms of a facade (minus the
    share of its windows that have blinds).
    """
    rows: list[list[float]] = []
    pairs = ("pane-shop", "sign-board")
    walls = facade_colours(materials)
    for index, material in enumerate(materials):
        recipe = recipe_of(material)
        like = recipe
        if recipe == "plain" and plan.second[index]:
            like = walls[material.base_color].recipe
        lots = float(recipe in _DRAWN) + float(recipe in pairs) - _BLINDS.get(recipe, 0.0)
        tile = RECIPES[DETAILS[like]].tile if like in DETAILS else 1.0
        rows.append(
            [
                *material.base_color,
                material.roughness,
                material.metallic,
                float(plan.first[index] > 0),
                _WEAR.get(like, 0),
                lots,
                plan.second[index],
                1 / tile,
                float(recipe in NATURAL),
                RECIPES[recipe].tile,
            ]
        )
    return np.array(rows, np.float32)
