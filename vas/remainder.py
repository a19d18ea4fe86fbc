"""The remainder: the power of all paths that are not evaluated in closed form, counted.

What many reflections, rough surfaces and curved ones bring comes from many directions and
changes little from pixel to pixel. So it is counted in blocks: neighbouring pixels of one plane,
together, and each of them has the mean over its block's area. A block of 64 pixels has 64 times
the hits, and a standard error eight times smaller. The power on the block is that which arrives,
also where only half of it is lit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vasgen.spec import RadioSpec
from vasgen.vas.coverage import Counters, Coverage
from vasgen.vas.image_index import ImageIndex, Spot
from vasgen.vas.planes import Facets
from vasgen.vas.receivers import Sums
from vasgen.vas.shot_noise import ShotNoise
from vasgen.vas.surface import ReceiverSurface, sum_by_group

Array = NDArray[np.float64]
Index = NDArray[np.int64]

#: Side of a block: this share of the image's shorter side, at most so many pixels.
_BLOCKS, _WIDEST_BLOCK = 60, 8

#: Side, in blocks, of the square within which those of one plane share their statistics.
_SHARED = 4


class Blocks:
    """Neighbouring pixels of one plane, that are counted together.

    Args:
        surface: the receiver.

    Attributes:
        of_pixel: (P,) int64, block of each pixel; all that no quad covers are in the first.
        area: (C,) float64, square metres.
        group: (C,) int64, nearby blocks of one plane.
    """

    def __init__(self, surface: ReceiverSurface) -> None:
        side = int(np.clip(min(surface.shape) // _BLOCKS, 1, _WIDEST_BLOCK))
        self.of_pixel: Index = surface.neighbourhoods(side)
        self.area: Array = sum_by_group(self.of_pixel, surface.pixel_area, len(self))
        self.group: Index = np.zeros(len(self), np.int64)
        self.group[self.of_pixel] = surface.neighbourhoods(_SHARED * side)

    def __len__(self) -> int:
        return int(self.of_pixel.max()) + 1


class BlockReceiver:
    """Counts rays for blocks of pixels; see :class:`vasgen.vas.receivers.Receiver`.

    Args:
        index: which pixel sees a point.
        blocks: of each view.
    """

    def __init__(self, index: ImageIndex, blocks: Sequence[Blocks]) -> None:
        import mitsuba as mi

        self._index = index
        self.sizes = [len(some) for some in blocks]
        self.sums = Sums(sum(self.sizes))
        first = np.cumsum([0, *self.sizes[:-1]])
        number = [begin + some.of_pixel for begin, some in zip(first, blocks, strict=True)]
        self._block = mi.UInt32(np.concatenate(number).astype(np.uint32))
        area = np.maximum(np.concatenate([some.area for some in blocks]), 1e-30)
        self._per_area = mi.Float((1.0 / area).astype(np.float32))

    def add(self, ray: Any, hit: Any, power: Any, active: Any) -> None:
        """See :class:`vasgen.vas.receivers.Receiver`."""
        import drjit as dr
        import mitsuba as mi

        def count(spot: Spot) -> None:
            block = dr.gather(mi.UInt32, self._block, spot.pixel, spot.active)
            per_area = dr.gather(mi.Float, self._per_area, block, spot.active)
            self.sums.add(block, power * per_area / spot.arriving, spot.active)

        self._index.each_view(ray, hit, active, count)


class BlockAudience(Counters):
    """As :class:`vasgen.vas.coverage.Audience`, but counts by blocks.

    Args:
        surfaces: what each camera sees, as footprints.
        index: which pixel of theirs sees a point.
    """

    def __init__(self, surfaces: Sequence[ReceiverSurface], index: ImageIndex) -> None:
        self._blocks = [Blocks(surface) for surface in surfaces]
        noises = [ShotNoise(blocks.group, blocks.area) for blocks in self._blocks]
        super().__init__([BlockReceiver(index, self._blocks)], noises)

    def heard(self, rays: int, chunks: int, factor: float) -> list[Coverage]:
        """What each view has received, (P,): every pixel what its block has."""
        return [
            Coverage(gain[blocks.of_pixel], variance[blocks.of_pixel], counted)
            for blocks, (gain, variance, counted) in zip(
                self._blocks, super().heard(rays, chunks, factor), strict=True
            )
        ]


def has_remainder(spec: RadioSpec, facets: Facets) -> bool:
    """Whether any path can be outside what is evaluated in closed form.

    Args:
        spec: mechanisms, depth, and reflections in closed form.
        facets: of the scene.
    """
    if spec.max_depth == 0:
        return False
    if spec.diffuse_reflection:
        return True
    beyond = spec.max_depth > spec.reflections or not facets.mirror.all()
    return spec.specular_reflection and beyond
