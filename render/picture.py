"""Pictures as files: linear radiance to a display, PNG and OpenEXR."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vasgen.artefact import atomic_file
from vasgen.colour import LUMINANCE, decode_srgb, encode_srgb
from vasgen.conditions import Conditions
from vasgen.errors import InputError
from vasgen.render.light.exposure import exposure_of, white_balance

#: Display luminance of white in full sunlight, and the contrast of the curve there.
_WHITE, _CONTRAST = 0.80, 1.6

#: How many times brighter deep shadows are shown, and the light (of white) where half of that
#: is left: streets in shade stay readable, as with a camera that opens its shadows.
_LIFT, _SHADE = 7.0, 0.017

#: Share of a pixel's luminance that replaces its colour: very bright light looks white.
_DESATURATION = 0.04

_WEIGHTS = LUMINANCE.astype(np.float32)  # pictures stay float32


def to_display(
    rgb: ArrayLike, conditions: Conditions | None = None, *, exposure: float | None = None
) -> NDArray[np.uint8]:
    """A picture for a screen: exposure, a filmic curve, and the sRGB transfer function.

    Exposure and white balance follow from the light, not from the picture, so that
    equal radiance looks equal in all views of a dataset. The curve is a sigmoid in the
    logarithm of exposure (Naka and Rushton 1966) after shadows are lifted: they keep a
    toe, highlights roll off.

    Args:
        rgb: (H, W, 3) linear radiance; the rgb layer.
        conditions: what the picture was drawn in; by default a clear afternoon.
        exposure: factor from radiance to display white, instead of the sun's.

    Returns:
        (H, W, 3) uint8, sRGB.
    """
    conditions = conditions or Conditions()
    if exposure is None:
        exposure = exposure_of(conditions)
    balance = (exposure * white_balance(conditions)).astype(np.float32)
    light = np.maximum(np.asarray(rgb, np.float32), 0) * balance
    light += _DESATURATION * ((light @ _WEIGHTS)[..., None] - light)
    grey = (light @ _WEIGHTS)[..., None]
    light *= (grey + _LIFT * _SHADE) / (grey + _SHADE)
    power = light**_CONTRAST
    shown: NDArray[np.float32] = power / (power + (1 / _WHITE - 1))
    return np.rint(255 * encode_srgb(shown)).astype(np.uint8)


def from_display(
    picture: NDArray[np.uint8], conditions: Conditions | None = None
) -> NDArray[np.float32]:
    """Radiance that :func:`to_display` shows as a picture: its inverse.

    For pictures of other renderers, of which no radiance is known. Full white, to which the
    curve never comes, is read as half a step less; of very pure colours, which it never shows,
    the missing channels are black.

    Args:
        picture: (H, W, 3) uint8, sRGB.
        conditions: what it was drawn in; by default a clear afternoon.

    Returns:
        (H, W, 3) float32 linear radiance.
    """
    shown = decode_srgb(np.asarray(np.minimum(picture, 254.5) / 255, np.float32))
    lifted = (shown * (1 / _WHITE - 1) / (1 - shown)) ** np.float32(1 / _CONTRAST)
    # The lift x (x + l s) / (x + s) = y, solved for x.
    seen = (lifted @ _WEIGHTS)[..., None]
    half = (seen - _LIFT * _SHADE) / 2
    light = lifted * (half + np.sqrt(half * half + seen * _SHADE)) / np.maximum(seen, 1e-9)
    grey = _DESATURATION * (light @ _WEIGHTS)[..., None]
    conditions = conditions or Conditions()
    balance = (exposure_of(conditions) * white_balance(conditions)).astype(np.float32)
    radiance = (light - grey) / ((1 - _DESATURATION) * balance)
    return np.asarray(np.maximum(radiance, 0), np.float32)


def write_png(path: Path | str, picture: NDArray[np.uint8]) -> Path:
    """Write an 8-bit picture, (H, W, 3) or (H, W).

    Raises:
        InputError: if the array is no 8-bit picture.
        StorageError: if the disk refuses.
    """
    from PIL import Image

    path = Path(path)
    if picture.dtype != np.uint8 or picture.ndim not in (2, 3):
        raise InputError(
            f"a PNG needs uint8 values of shape (H, W) or (H, W, 3), "
            f"not {picture.dtype} {picture.shape}; to_display converts radiance."
        )
    with atomic_file(path) as scratch:
        Image.fromarray(picture).save(scratch, format="PNG")
    return path


def write_exr(path: Path | str, layer: ArrayLike) -> Path:
    """Write a layer as OpenEXR, 32-bit float, ZIP-compressed.

    Args:
        path: destination.
        layer: (H, W) for one channel Y, or (H, W, 3) for channels R, G, B.

    Raises:
        InputError: if the layer has another shape.
        StorageError: if the disk refuses.
    """
    import OpenEXR

    path, values = Path(path), np.ascontiguousarray(layer, np.float32)
    if values.ndim != 2 and (values.ndim != 3 or values.shape[2] != 3):
        raise InputError(f"an EXR layer has shape (H, W) or (H, W, 3), not {values.shape}.")
    header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
    with atomic_file(path) as scratch:
        name = "Y" if values.ndim == 2 else "RGB"
        try:
            OpenEXR.File(header, {name: values}).write(str(scratch))
        except RuntimeError as error:
            raise _refusal(error) from error
    return path


def _refusal(error: RuntimeError) -> OSError:
    """OpenEXR tells why a disk refuses only in its text; without a reason it is full."""
    known = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES)
    number = next((n for n in known if os.strerror(n) in str(error)), errno.ENOSPC)
    return OSError(number, os.strerror(number))
