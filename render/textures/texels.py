"""The texels of all textures of a scene, in one array on the device."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vasgen import runtime
from vasgen.render.textures.texture import Texture


class Texels:
    """Textures to be looked up by number.

    Args:
        textures: in the order of their numbers; None for those without texels.
    """

    def __init__(self, textures: Iterable[Texture | None]) -> None:
        ad = arrays()
        words: list[NDArray[np.uint32]] = []
        sizes, grounds = [], []
        # One at a time: painted textures are four times as large as packed ones.
        for texture in textures:
            words.append(np.zeros(0, np.uint32) if texture is None else texture.packed().ravel())
            sizes.append(0 if texture is None else texture.size)
            grounds.append(0.0 if texture is None else texture.ground)
        starts = np.concatenate([[0], np.cumsum(np.square(sizes, dtype=np.int64))[:-1]])
        self._words = ad.UInt32(np.concatenate([*words, np.zeros(1, np.uint32)]))
        self._start = ad.UInt32(starts.astype(np.uint32))
        self._size = ad.UInt32(np.array(sizes, np.uint32))
        self._ground = ad.Float(np.array(grounds, np.float32))

    def colour(self, number: Any, uv: Any, active: Any) -> Any:
        """Linear colour and roughness between the four texels around a point: Array4f.

        Args:
            number: UInt32 number of the texture.
            uv: Array2f coordinates in tiles.
            active: Bool, where there is a texture to look up.
        """
        import drjit as dr

        ad = arrays()
        start, size, ground, v = self._rows(number, uv, active)
        edge = ad.Float(size)
        x, y = (uv.x - dr.floor(uv.x)) * edge - 0.5, v * edge - 0.5
        left, low = dr.floor(x), dr.floor(y)
        last = ad.Int32(size) - 1
        x0, x1 = ad.Int32(left), ad.Int32(left) + 1
        y0, y1 = ad.Int32(low), ad.Int32(low) + 1
        x0, x1 = dr.select(x0 < 0, last, x0), dr.select(x1 > last, 0, x1)
        y0 = dr.select(y0 < 0, dr.select(ground > 0, 0, last), y0)
        y1 = dr.select(y1 > last, ad.Int32(ground * edge), y1)

        def tap(column: Any, row: Any) -> Any:
            index = start + ad.UInt32(row) * size + ad.UInt32(column)
            return _unpack(dr.gather(ad.UInt32, self._words, index, active))

        wide, tall = x - left, y - low
        bottom = dr.lerp(tap(x0, y0), tap(x1, y0), wide)
        top = dr.lerp(tap(x0, y1), tap(x1, y1), wide)
        return dr.lerp(bottom, top, tall)

    def marks(self, number: Any, uv: Any, active: Any) -> tuple[Any, Any]:
        """Whether the nearest texel is bare wall, and whether it is window glass: Bools."""
        word = self._nearest(number, uv, active)
        return (word & (1 << 30)) != 0, (word & (1 << 31)) != 0

    def nearest(self, number: Any, uv: Any, active: Any) -> tuple[Any, Any]:
        """Colour and roughness of the nearest texel (Array4f), and whether it is glass (Bool)."""
        word = self._nearest(number, uv, active)
        return _unpack(word), (word & (1 << 31)) != 0

    def _nearest(self, number: Any, uv: Any, active: Any) -> Any:
        import drjit as dr

        ad = arrays()
        start, size, _, v = self._rows(number, uv, active)
        column = ad.UInt32((uv.x - dr.floor(uv.x)) * size)
        row = ad.UInt32(v * size)
        index = start + dr.minimum(row, size - 1) * size + dr.minimum(column, size - 1)
        return dr.gather(ad.UInt32, self._words, index, active)

    def _rows(self, number: Any, uv: Any, active: Any) -> tuple[Any, Any, Any, Any]:
        """First texel, edge, share of the ground floor, and v without its repetitions."""
        import drjit as dr

        ad = arrays()
        start = dr.gather(ad.UInt32, self._start, number, active)
        size = dr.gather(ad.UInt32, self._size, number, active)
        ground = dr.gather(ad.Float, self._ground, number, active)
        # The ground floor's rows do not repeat upward.
        above = (uv.y - ground) / (1 - ground)
        repeated = ground + (1 - ground) * (above - dr.floor(above))
        v = dr.select((ground > 0) & (uv.y < ground), dr.maximum(uv.y, 0), repeated)
        return start, size, ground, v


def arrays() -> Any:
    """Dr.Jit's array types on this machine's backend, the same in every Mitsuba variant."""
    # Asking for the backend also chooses the LLVM library, before drjit is imported.
    cuda = runtime.backend() == "cuda"
    import drjit.cuda.ad
    import drjit.llvm.ad

    return drjit.cuda.ad if cuda else drjit.llvm.ad


def _unpack(word: Any) -> Any:
    ad = arrays()
    red, green, blue = (ad.Float((word >> shift) & 0xFF) * (1 / 255) for shift in (0, 8, 16))
    roughness = ad.Float((word >> 24) & 0x3F) * (1 / 63)
    return ad.Array4f(red * red, green * green, blue * blue, roughness)
