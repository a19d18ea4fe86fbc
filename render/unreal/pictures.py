"""What UnrealCV sends as pictures, and what the numbers in them mean."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from io import BytesIO
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from vasgen.errors import InputError
from vasgen.render.unreal.coordinates import CM_PER_M, to_unreal_axes

Bytes8 = NDArray[np.uint8]
Float = NDArray[np.float32]

#: The largest number of float16, 65504: here "this or more".
_MOST = np.finfo(np.float16).max

#: Depths beyond this, metres, are read as 65504 cm or infinite.
FARTHEST_M = (float(_MOST) + float(np.nextafter(_MOST, np.float16(0)))) / 2 / CM_PER_M

#: Colours of the object mask are within this of those that the server names; its own client
#: allows as much.
_COLOUR_TOLERANCE = 3

#: No object with an id of its own.
UNNAMED = -1

#: Names of objects that carry their id: those of the USD export.
_WITH_ID = re.compile(r"building_0*([1-9]\d*)$")

_COLOUR = re.compile(r"R=(\d+),\s*G=(\d+),\s*B=(\d+)")

Colour = tuple[int, int, int]


class Depth(NamedTuple):
    """Depths as they were measured.

    Attributes:
        metres: (H, W) float32 z-depth; NaN where nothing is nearer than ``FARTHEST_M``.
        step: (H, W) float32 distance to the next depth that float16 holds, metres.
    """

    metres: Float
    step: Float


def read_depth(reply: object, width: int, height: int) -> Depth:
    """Depths from a file of numpy, centimetres in float16.

    Raises:
        InputError: if the reply is no such picture.
    """
    try:
        file = BytesIO(reply) if isinstance(reply, bytes) else BytesIO()
        with np.errstate(over="ignore", invalid="ignore"):
            half = np.lib.format.read_array(file, allow_pickle=False).astype(np.float16)
    except Exception:  # damaged headers raise a dozen kinds, from TokenError to MemoryError
        raise _unusable("depth", reply) from None
    half = half.squeeze(-1) if half.ndim == 3 and half.shape[-1] == 1 else half
    _check_size("depth", half.shape, width, height)
    near = (half > 0) & (half < _MOST)
    metres = np.where(near, half.astype(np.float32) / np.float32(CM_PER_M), np.float32(np.nan))
    step = np.spacing(np.where(near, half, np.float16(1))).astype(np.float32)
    return Depth(metres, step / np.float32(CM_PER_M))


def read_picture(kind: str, reply: object, width: int, height: int) -> Bytes8:
    """A PNG as (H, W, 3) uint8.

    Args:
        kind: what it shows, for an error.
        reply: the file.
        width: that it must have, pixels.
        height: that it must have, pixels.

    Raises:
        InputError: if the reply is no such picture.
    """
    from PIL import Image

    try:
        file = BytesIO(reply) if isinstance(reply, bytes) else BytesIO()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of sizes that are refused below
            with Image.open(file) as image:
                _check_size(kind, image.size[::-1], width, height)
                return np.asarray(image.convert("RGB"))
    except InputError:
        raise
    except Exception:  # damaged chunks raise half a dozen kinds, SyntaxError among them
        raise _unusable(kind, reply) from None


def normals(picture: Bytes8) -> Float:
    """Unit normals in our axes, (H, W, 3), from colours: 0 to 255 is -1 to 1 along X, Y, Z.

    A component is off by 1/255 at most, an angle by 0.4 degrees.
    """
    vectors = to_unreal_axes(picture / 127.5 - 1.0)
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.maximum(length, 1e-9), np.float32)


def colour(reply: object) -> Colour:
    """An object's colour, from text like ``(R=0,G=127,B=255,A=255)``.

    Raises:
        InputError: if it is none.
    """
    found = _COLOUR.search(str(reply))
    if found is None:
        raise InputError(f"UnrealCV names {reply!r} as the colour of an object.")
    red, green, blue = (int(part) for part in found.groups())
    return red, green, blue


def object_id(name: str) -> int:
    """The id of the object that has this name in Unreal; ``UNNAMED`` if it carries none."""
    found = _WITH_ID.match(name)
    return int(found[1]) if found else UNNAMED


def instances(picture: Bytes8, ids: Mapping[Colour, int]) -> NDArray[np.int32]:
    """Object ids from a picture of object colours, (H, W); ``UNNAMED`` where there is none.

    Args:
        picture: (H, W, 3) the mask.
        ids: id of each object, by its colour.
    """
    flat = picture.reshape(-1, 3).astype(np.int32)
    keys, place = np.unique(flat @ np.array([65536, 256, 1], np.int32), return_inverse=True)
    seen = np.stack([keys >> 16, keys >> 8 & 255, keys & 255], axis=-1)
    known = cKDTree(np.array([*ids], np.int32).reshape(-1, 3))
    named = np.array([*ids.values(), UNNAMED], np.int32)  # the tree's index of nothing is the last
    _, nearest = known.query(seen, p=np.inf, distance_upper_bound=_COLOUR_TOLERANCE + 0.5)
    return np.asarray(named[nearest][place.ravel()].reshape(picture.shape[:2]))


def _check_size(kind: str, shape: tuple[int, ...], width: int, height: int) -> None:
    if shape != (height, width):
        given = "x".join(map(str, reversed(shape)))
        raise InputError(f"Unreal's picture of {kind} has {given} pixels, not {width}x{height}.")


def _unusable(kind: str, reply: object) -> InputError:
    return InputError(f"Unreal's picture of {kind} is damaged: it begins with {reply!r:.40}.")
