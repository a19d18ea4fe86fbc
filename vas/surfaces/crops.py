"""Crops: a large image in parts that bound the memory, each with a camera of its own."""

from __future__ import annotations

import dataclasses
import itertools
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vasgen.vas.surfaces.surface import Centres, ReceiverSurface

Index = NDArray[np.int64]

#: Largest crop, rows and columns. The paths of one take some 2 GB.
_ROWS, _COLUMNS = 512, 1024


class Crop(NamedTuple):
    """A part of an image.

    Attributes:
        surface: what is seen there, its pixels counted anew.
        pixel: (P,) int64, number in the image of each pixel, ascending.
    """

    surface: ReceiverSurface
    pixel: Index


def crops_of(surface: ReceiverSurface) -> list[Crop]:
    """A surface in parts of bounded size; itself if it is small enough.

    Args:
        surface: footprints of the pixels of a camera.
    """
    rows, columns = surface.shape
    parts = -(-rows // _ROWS), -(-columns // _COLUMNS)
    if parts == (1, 1):
        return [Crop(surface, np.arange(surface.num_pixels))]
    down, across = (
        np.arange(count + 1) * size // count
        for size, count in zip((rows, columns), parts, strict=True)
    )
    return [
        _crop(surface, slice(top, bottom), slice(left, right))
        for top, bottom in itertools.pairwise(down)
        for left, right in itertools.pairwise(across)
    ]


def _crop(surface: ReceiverSurface, rows: slice, columns: slice) -> Crop:
    assert surface.windows is not None, "only footprints have a camera"
    pixel = np.arange(surface.num_pixels).reshape(surface.shape)[rows, columns]
    number = np.full(surface.num_pixels, -1)
    number[pixel.ravel()] = np.arange(pixel.size)
    quads = np.flatnonzero(number[surface.pixel] >= 0)
    some = np.flatnonzero(number[surface.centres.pixel] >= 0)
    centres = surface.centres
    camera = surface.windows.camera
    shift = np.array([[0, 0, columns.start], [0, 0, rows.start], [0, 0, 0]])
    camera = dataclasses.replace(
        camera, width=pixel.shape[1], height=pixel.shape[0], intrinsics=camera.intrinsics - shift
    )
    windows = surface.windows
    part = ReceiverSurface(
        (pixel.shape[0], pixel.shape[1]),
        number[surface.pixel[quads]],
        surface.corners[quads],
        surface.normal[quads],
        Centres(number[centres.pixel[some]], centres.point[some], centres.normal[some]),
        dataclasses.replace(
            windows, camera=camera, zoom=windows.zoom[quads], cell=windows.cell[quads]
        ),
    )
    return Crop(part, pixel.ravel())
