"""What all wear is made of: one picture of noise, and one of things stuck to surfaces.

Both are shared by all surfaces, which read them at other places.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import ndtr

from vasgen.render.chance import Draw, lot, share
from vasgen.render.textures.noise import clouds
from vasgen.render.textures.openings import CELLS
from vasgen.render.textures.texels import Texels, arrays
from vasgen.render.textures.texture import Texture
from vasgen.seeding import stream

#: Metres that the shared noise covers, and its texels.
NOISE_M, _NOISE_TEXELS = 16.0, 1024


def noise() -> Texture:
    """Three kinds of noise, each even over [0, 1]: runs of water, clouds, and mottles."""
    random, size = stream(0, "stains"), _NOISE_TEXELS
    runs = clouds(random, size, coarse=10, fine=160, slope=0.75, stretch=(1.0, 9.0))
    blots = clouds(random, size, coarse=1, fine=60, slope=1.35)
    mottles = clouds(random, size, coarse=12, fine=300, slope=0.8)
    even = np.stack([ndtr(part) for part in (runs, blots, mottles)], axis=-1).astype(np.float32)
    return Texture(even, np.zeros((size, size), np.float32))


class Stains:
    """The two pictures on the device.

    Args:
        texels: of the scene's textures.
        noise: number of the texture :func:`noise`.
        decals: number of the texture :func:`~vasgen.render.textures.decals.decals`.
    """

    def __init__(self, texels: Texels, noise: int, decals: int) -> None:
        self._texels, self._noise, self._decals = texels, noise, decals

    def at(self, x: Any, y: Any, seed: Any, active: Any) -> Any:
        """Noise at points in metres, Array3f in [0, 1], from another place for every seed."""
        ad = arrays()
        place = lot(seed, Draw.NOISE)
        uv = ad.Array2f(x * (1 / NOISE_M) + share(place, 1), y * (1 / NOISE_M) + share(place, 2))
        return self._texels.colour(ad.UInt32(self._noise), uv, active).xyz

    def decal(self, cell: Any, x: Any, y: Any, here: Any) -> tuple[Any, Any]:
        """Colour of a cell of the decals, and whether it covers what is below."""
        ad = arrays()
        cell = ad.UInt32(cell)
        uv = ad.Array2f(ad.Float(cell % CELLS) + x, ad.Float(cell // CELLS) + y) * (1 / CELLS)
        number = ad.UInt32(self._decals)
        _, shown = self._texels.marks(number, uv, here)
        return self._texels.colour(number, uv, here).xyz, here & shown


def step(value: Any, low: float, high: float) -> Any:
    """Smooth from 0 at ``low`` to 1 at ``high``."""
    import drjit as dr

    t = dr.clip((value - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)
