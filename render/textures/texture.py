"""One texture: colour, roughness and window glass at every texel.

A texel is packed into 32 bits: red, green and blue with gamma 2 in bits 0 to 23, roughness in
bits 24 to 29 (63 is 1), in bit 30 whether it is bare wall, which takes stains and courses, and
in bit 31 whether it is the glass of a window, behind which a room may be lit at night. Which
window it is follows from the coordinates: textures of facades, panes, shop windows and doors
have :data:`~vasgen.render.textures.openings.CELLS` cells along u and v, and one cell belongs to
one room.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float32]

#: Rows that are packed at a time: they fit into the processor's cache.
_ROWS = 32


@dataclass(frozen=True, eq=False)
class Texture:
    """A square texture.

    Attributes:
        colour: (size, size, 3) float32 reflectance, linear sRGB, in [0, 1].
        roughness: (size, size) float32 GGX roughness.
        glass: (size, size) bool, whether most of a texel is window glass; None: none is.
        wall: (size, size) bool, whether a texel is bare wall; None: none is.
        ground: share of the rows, from v = 0, that is ground floor and does not repeat
            upward; 0 for textures that repeat as a whole.
    """

    colour: Float
    roughness: Float
    glass: NDArray[np.bool_] | None = None
    wall: NDArray[np.bool_] | None = None
    ground: float = 0.0

    @property
    def size(self) -> int:
        """Edge length, texels."""
        return len(self.roughness)

    def packed(self) -> NDArray[np.uint32]:
        """Texels of 32 bits, (size, size); the module says what each bit is."""
        channels = np.empty((self.size, self.size, 4), np.uint8)
        for row in range(0, self.size, _ROWS):
            some = slice(row, row + _ROWS)
            channels[some, :, :3] = np.rint(np.sqrt(np.clip(self.colour[some], 0, 1)) * 255)
            channels[some, :, 3] = np.rint(np.clip(self.roughness[some], 0, 1) * 63)
        for bit, mask in ((6, self.wall), (7, self.glass)):
            if mask is not None:
                channels[..., 3] |= mask.astype(np.uint8) << bit
        return np.asarray(channels.view("<u4")[..., 0], np.uint32)
