"""The remainder: the power of all paths that are not evaluated in closed form, counted.

What many reflections, rough surfaces and curved ones bring comes from many directions and
changes little from pixel to pixel. So it is counted in blocks: neighbouring pixels of one plane,
together, and each of them has the mean over its block's area. A block of 64 pixels has 64 times
the hits, and a standard error eight times smaller. The power on the block is that which arrives,
also where only half of it is lit. Where rays are few even so, blocks lean on those around them, as
far as these are alike: see :mod:`vasgen.vas.counting.credibility`. Last, the steps where blocks of
one plane meet are smoothed away.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vasgen.spec import RadioSpec
from vasgen.vas.counting.coverage import Counters, Coverage
from vasgen.vas.counting.credibility import Counts, believed
from vasgen.vas.counting.partition import MOST_SLABS
from vasgen.vas.counting.receivers import Sieve, Sums
from vasgen.vas.counting.shot_noise import ShotNoise
from vasgen.vas.surfaces.image_index import ImageIndex, Spot
from vasgen.vas.surfaces.surface import ReceiverSurface, sum_by_group

Array = NDArray[np.float64]
Index = NDArray[np.int64]

#: Side of a block: this share of the image's shorter side, at most so many pixels.
_BLOCKS, _WIDEST_BLOCK = 60, 8

#: Side, in blocks, of the squares within which those of one plane, of one facing, and all share
#: their statistics: each within the next.
_SHARED, _WIDE, _WIDEST = 4, 16, 64

_AROUND = [(dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1) if dy or dx]

#: Places know alike if the path gain that is known rounds to the same number of such steps, dB;
#: below that gain all is dark.
_ALIKE_DB, _DARKEST = 10.0, 1e-17

#: Planes whose normals round to the same number of such steps have one facing.
_FACINGS = 2.0


class Blocks:
    """Neighbouring pixels of one plane, that are counted together.

    Args:
        surface: the receiver.

    Attributes:
        of_pixel: (P,) int64, block of each pixel; all that no quad covers are in the first.
        area: (C,) float64, square metres.
        levels: (C,) int64 each, the neighbourhoods of a block: nearby ones of one plane, those
            farther away that look to the same side, and all of a wide part of the view; once
            what is known is told, only such as know alike.
    """

    def __init__(self, surface: ReceiverSurface) -> None:
        side = int(np.clip(min(surface.shape) // _BLOCKS, 1, _WIDEST_BLOCK))
        self._side = side
        self._plane = surface.neighbourhoods(max(surface.shape)).reshape(surface.shape)
        self.of_pixel: Index = surface.neighbourhoods(side)
        self.area: Array = sum_by_group(self.of_pixel, surface.pixel_area, len(self))
        plane = surface.neighbourhoods(_SHARED * side)
        self._levels = [np.zeros(len(self), np.int64) for _ in range(3)]
        for level, of_pixel in zip(self._levels, (plane, *_wider(surface, side)), strict=True):
            level[self.of_pixel] = of_pixel
        self._pixel_area = surface.pixel_area
        self.levels = self._levels

    def __len__(self) -> int:
        return int(self.of_pixel.max()) + 1

    def expect(self, known: Array) -> None:
        """Tell what is known, so that what lies in the dark is not compared with what is lit.

        Args:
            known: (P,) path gain, linear.
        """
        near, *wide = self._levels
        size = int(near.max()) + 1
        energy = sum_by_group(near[self.of_pixel], known * self._pixel_area, size)
        area = sum_by_group(near[self.of_pixel], self._pixel_area, size)
        gain = energy / np.maximum(area, 1e-30)
        step = np.floor(10 * np.log10(np.maximum(gain, _DARKEST)) / _ALIKE_DB).astype(np.int64)
        kind = (step - step.min())[near]
        self.levels = [near, *(level * (int(kind.max()) + 1) + kind for level in wide)]

    def blended(self, values: Array) -> Array:
        """Values of blocks at each pixel, (P,), without steps where blocks of one plane meet."""
        image = values[self.of_pixel].reshape(self._plane.shape)
        step = self._side // 2
        while step:
            image = _smooth(image, self._plane, step)
            step //= 2
        return image.ravel()

    def blended_noise(self, variance: Array) -> Array:
        """Variance of blended values, (P,), of blocks whose noise is their own.

        Pixels take shares of neighbouring blocks, so that part of the noise goes. At the borders of
        planes it is a little more than this.
        """
        rows, columns = (np.arange(size) % self._side for size in self._plane.shape)
        left = _left_of_noise(self._side)
        return self.blended(variance) * np.outer(left[rows], left[columns]).ravel()


class BlockReceiver:
    """Counts rays for blocks of pixels; see :class:`vasgen.vas.counting.receivers.Receiver`.

    Args:
        index: which pixel sees a point.
        blocks: of each view.

    Attributes:
        missed: (C,) ``mi.Float64``, of what was counted, what a search for mirrors was to find.
    """

    def __init__(self, index: ImageIndex, blocks: Sequence[Blocks]) -> None:
        import mitsuba as mi

        self._index = index
        self.sizes = [len(some) for some in blocks]
        self.sums = Sums(sum(self.sizes))
        self.clear_missed()
        first = np.cumsum([0, *self.sizes[:-1]])
        number = [begin + some.of_pixel for begin, some in zip(first, blocks, strict=True)]
        self._block = mi.UInt32(np.concatenate(number).astype(np.uint32))
        area = np.maximum(np.concatenate([some.area for some in blocks]), 1e-30)
        self._per_area = mi.Float((1.0 / area).astype(np.float32))

    def clear_missed(self) -> None:
        """Forget what a search was to find."""
        import drjit as dr
        import mitsuba as mi

        self.missed = dr.zeros(mi.Float64, sum(self.sizes))

    def add(self, ray: Any, hit: Any, power: Any, active: Any, sieve: Sieve) -> None:
        """See :class:`vasgen.vas.counting.receivers.Receiver`."""
        import drjit as dr
        import mitsuba as mi

        def count(spot: Spot) -> None:
            block = dr.gather(mi.UInt32, self._block, spot.pixel, spot.active)
            per_area = dr.gather(mi.Float, self._per_area, block, spot.active)
            some = sieve.counts(spot.pixel, spot.active)
            value = mi.Float64(power * per_area / spot.arriving)
            self.sums.add(block, value, some)
            dr.scatter_reduce(dr.ReduceOp.Add, self.missed, value, block, some & sieve.sought)

        self._index.each_view(ray, hit, active, count)


class BlockAudience(Counters):
    """As :class:`vasgen.vas.counting.coverage.Audience`, but counts by blocks.

    Args:
        surfaces: what each camera sees, as footprints.
        index: which pixel of theirs sees a point.

    """

    def __init__(self, surfaces: Sequence[ReceiverSurface], index: ImageIndex) -> None:
        self._blocks = [Blocks(surface) for surface in surfaces]
        self._noises = [ShotNoise(blocks.levels[0], blocks.area) for blocks in self._blocks]
        self._receiver = BlockReceiver(index, self._blocks)
        super().__init__([self._receiver], self._noises)

    def expect(self, known: Sequence[Array]) -> None:
        """Tell what is known of each view, (P,) path gain, before it is heard."""
        for blocks, gain in zip(self._blocks, known, strict=True):
            blocks.expect(gain)

    def clear(self) -> None:
        """Forget what was counted."""
        super().clear()
        self._receiver.clear_missed()

    def heard(self, rays: int, chunks: int, factor: float) -> list[Coverage]:
        """What each view has received, (P,): every pixel what its block has."""
        receiver, scale = self._receiver, factor / rays
        every = receiver.sums.totals().split(receiver.sizes)
        ends = np.cumsum(receiver.sizes)[:-1]
        missed = np.split(np.array(receiver.missed, np.float64), ends)
        found = []
        for blocks, noise, totals, lost in zip(
            self._blocks, self._noises, every, missed, strict=True
        ):
            variance = scale**2 * noise.own(totals, rays, chunks)
            sure = believed(Counts(scale * totals.first, variance, blocks.area), blocks.levels)
            variance = blocks.blended_noise(sure.own) + blocks.blended(sure.shared)
            missed_here = float(scale * (lost @ blocks.area))
            found.append(Coverage(blocks.blended(sure.gain), variance, rays, missed_here))
        return found


def _left_of_noise(side: int) -> Array:
    """Share of the variance of blocks in a row that blending leaves at each place of a block."""
    shares = np.repeat(np.eye(3), side, axis=1)
    shares = np.pad(shares, ((0, 0), (side, side)))
    step = side // 2
    while step:
        kernel = np.zeros(2 * step + 1)
        kernel[[0, step, -1]] = 0.25, 0.5, 0.25
        shares = np.array([np.convolve(row, kernel, "same") for row in shares])
        step //= 2
    left: Array = (shares[:, 2 * side : 3 * side] ** 2).sum(axis=0)
    return left


def _smooth(image: Array, plane: Index, step: int) -> Array:
    """Means of each pixel and the eight so many steps away, of those in its plane.

    Args:
        image: (H, W).
        plane: (H, W), number of each pixel's plane.
        step: pixels.
    """
    total, weight = 4.0 * image, np.full(image.shape, 4.0)
    for dy, dx in _AROUND:
        here = _shifted(image.shape, -dy * step, -dx * step)
        there = _shifted(image.shape, dy * step, dx * step)
        share = (2.0 - abs(dy)) * (2.0 - abs(dx)) * (plane[here] == plane[there])
        total[here] += share * image[there]
        weight[here] += share
    return np.asarray(total / weight)


def _shifted(shape: tuple[int, ...], dy: int, dx: int) -> tuple[slice, slice]:
    """The part of an image that is still inside when it is moved back by so many pixels."""
    rows, columns = shape
    return (
        slice(min(max(dy, 0), rows), max(rows + min(dy, 0), 0)),
        slice(min(max(dx, 0), columns), max(columns + min(dx, 0), 0)),
    )


def _wider(surface: ReceiverSurface, side: int) -> tuple[Index, Index]:
    """Two wider neighbourhoods of each pixel: of one facing, and of all; see :class:`Blocks`."""
    first = np.unique(surface.pixel, return_index=True)[1]
    pixel, facing = surface.pixel[first], np.rint(_FACINGS * surface.normal[first])
    row, column = np.divmod(pixel, surface.shape[1])
    found = []
    for wide, keys in ((_WIDE * side, facing), (_WIDEST * side, np.zeros((len(pixel), 0)))):
        key = np.column_stack([row // wide, column // wide, keys]).astype(np.int64)
        number = np.zeros(surface.num_pixels, np.int64)
        number[pixel] = 1 + np.unique(key, axis=0, return_inverse=True)[1].reshape(-1)
        found.append(number)
    return found[0], found[1]


def has_remainder(spec: RadioSpec) -> bool:
    """Whether any path can be outside what is evaluated in closed form.

    Args:
        spec: mechanisms and depth.
    """
    slabs = spec.refraction and spec.max_depth > MOST_SLABS
    turned = spec.specular_reflection or spec.diffuse_reflection
    return slabs or (turned and spec.max_depth > 0)
