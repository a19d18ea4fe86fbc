"""Pictures in bands of rows: what bounds the memory of large ones."""

from __future__ import annotations

from itertools import pairwise

from vasgen.camera import Camera

#: Most pixels that are worked on at once.
_PIXELS = 2_500_000


def row_bands(camera: Camera) -> list[range]:
    """The rows of a picture, in as few bands as memory allows, all about as tall."""
    number = -(-camera.height // max(1, _PIXELS // camera.width))
    edges = [camera.height * index // number for index in range(number + 1)]
    return [range(*pair) for pair in pairwise(edges)]
