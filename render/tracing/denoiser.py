"""Open Image Denoise, within a bound of memory."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float32]

#: Pictures of more pixels are denoised in tiles, which overlap as far as the network sees.
_WHOLE_PIXELS = 2_500_000

#: Memory that the network may need for a tile.
_TILE_MB = 700


def denoise(colour: Float, albedo: Float, normal: Float) -> Float:
    """A picture without its noise, (H, W, 3).

    Args:
        colour: (H, W, 3) radiance.
        albedo: (H, W, 3) of the first surface, in [0, 1].
        normal: (H, W, 3) of the first surface.
    """
    import pyoidn

    images = [np.ascontiguousarray(image, np.float32) for image in (colour, albedo, normal)]
    if colour.shape[0] * colour.shape[1] <= _WHOLE_PIXELS:
        colour, albedo, normal = images
        return np.asarray(pyoidn.denoise(colour, hdr=True, albedo=albedo, normal=normal))
    return _in_tiles(*images)


def _in_tiles(colour: Float, albedo: Float, normal: Float) -> Float:
    import pyoidn

    result = np.empty_like(colour)
    with pyoidn.Device() as device:
        device.commit()
        with pyoidn.Filter(device) as network:
            for name, image in (
                (pyoidn.OIDN_IMAGE_COLOR, colour),
                (pyoidn.OIDN_IMAGE_ALBEDO, albedo),
                (pyoidn.OIDN_IMAGE_NORMAL, normal),
                (pyoidn.OIDN_IMAGE_OUTPUT, result),
            ):
                network.set_image(name, image, pyoidn.OIDN_FORMAT_FLOAT3)
            network.set_bool("hdr", True)
            network.set_int("maxMemoryMB", _TILE_MB)
            network.commit()
            network.execute()
            refused = device.get_error()
    if refused:
        raise RuntimeError(f"Open Image Denoise: {refused}")
    return result
