"""How buildings and windows of one material differ: by lots, which need no memory."""

from __future__ import annotations

from typing import Any

from vasgen.render.chance import Draw, lot, share
from vasgen.render.textures.openings import CELLS
from vasgen.render.textures.texels import arrays

#: How much windows on painted facades differ in size from building to building.
_WIDER, _TALLER = 0.8, 0.5


def proportioned(uv: Any, instance: Any, active: Any) -> Any:
    """The facade of each building has windows of its own width and height.

    Every other one has its upper floors the other way round, too.
    """
    import drjit as dr

    ad = arrays()
    word = lot(instance, Draw.PROPORTIONS)
    upper = uv.y * CELLS >= 1
    wide, tall = _WIDER * (share(word, 1) - 0.5), _TALLER * (share(word, 2) - 0.5)
    turn = 2 * dr.pi * CELLS
    # Borders of cells stay where they are, and the middle is enlarged or reduced.
    u = uv.x + wide * dr.sin(turn * uv.x) / turn
    v = uv.y + dr.select(upper, tall, 0) * dr.sin(turn * uv.y) / turn
    u = dr.select(upper & (word % 2 == 0), -u, u)
    return dr.select(active, ad.Array2f(u, v), uv)


def anywhere(seed: Any) -> Any:
    """A place in a texture, of its own for every wall."""
    word = lot(seed, Draw.PLACE)
    return arrays().Array2f(share(word, 1), share(word, 2))


def dressed(value: Any, uv: Any, instance: Any, blinds: Any) -> Any:
    """Texels of a painted window with blinds let down by lot, and its own light behind."""
    import drjit as dr

    ad = arrays()
    at = uv * CELLS
    cell = dr.floor(at)
    word = lot(instance, ad.UInt32(ad.Int32(cell.x)), ad.UInt32(ad.Int32(cell.y)), Draw.BLIND)
    u, v = at.x - cell.x, at.y - cell.y
    down = (share(word) < blinds) & (v > 0.25 + 0.5 * share(word, 1))
    slats = 0.94 + 0.06 * dr.sign(dr.sin(v * 110.0))
    cloth = (0.16 + 0.34 * share(word, 2)) * slats * ad.Array3f(1.0, 0.96, 0.88)
    aside = (share(word, 3) < 0.8 * blinds) & (dr.abs(u - 0.5) > 0.08 + 0.12 * share(word, 4))
    drape = (0.10 + 0.38 * share(word, 5)) * ad.Array3f(1.0, 0.94, 0.86)
    room = value.xyz * (0.55 + 0.9 * share(word, 6))
    seen = dr.select(down, cloth, dr.select(aside, drape, room))
    return ad.Array4f(seen.x, seen.y, seen.z, value.w)


def drawn(uv: Any, instance: Any, pairs: Any, active: Any) -> Any:
    """Panes, doors and signs: any of the cells of their texture, by lot; shops have two."""
    import drjit as dr

    ad = arrays()
    at = uv * CELLS
    cell = dr.floor(at)
    column, row = ad.UInt32(ad.Int32(cell.x)), ad.UInt32(ad.Int32(cell.y))
    single = lot(instance, column, row) % (CELLS * CELLS)
    double = lot(instance, column // 2, row) % (CELLS * CELLS // 2) * 2 + column % 2
    chosen = dr.select(pairs, double, single)
    moved = ad.Array2f(ad.Float(chosen % CELLS), ad.Float(chosen // CELLS)) + at - cell
    return dr.select(active, moved / CELLS, uv)


def other_room(uv: Any, instance: Any, active: Any) -> Any:
    """Painted windows: the room of another storey, by lot; the frames are the same."""
    import drjit as dr

    ad = arrays()
    at = uv * CELLS
    cell = dr.floor(at)
    column, row = ad.UInt32(ad.Int32(cell.x)), ad.UInt32(ad.Int32(cell.y))
    storey = 1 + ad.Int32(share(lot(instance, column, row)) * (CELLS - 1))
    moved = ad.Array2f(uv.x, (ad.Float(storey) + at.y - cell.y) / CELLS)
    return dr.select(active & (cell.y >= 1), moved, uv)
