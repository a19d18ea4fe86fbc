"""Glances: what a camera would see, from few rays, to judge a pose before rendering it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vasgen.camera import Camera
from vasgen.raycast import RayCaster
from vasgen.semantics import BUILDING, WALKABLE

Array = NDArray[np.float64]

#: Width of a glance, pixels: enough to see a street 2 degrees wide.
WIDTH = 64

#: Points of a glance that are tested for light.
_LIGHT_SAMPLES = 64

#: Rays cast together: bounds memory at about 200 MB.
_RAYS_AT_ONCE = 400_000


class Glance(NamedTuple):
    """What few rays of a camera hit.

    Attributes:
        points: (N, 3) float64 hit points, world metres; rays into the sky are left out.
        depth: (N,) float64 z-depth, metres.
        semantic: (N,) uint8 classes.
        valid_share: share of rays that hit something, of all rays.
        building_share: share of rays that hit a building, of all rays.
        walkable_share: share of rays that hit walkable ground, of all rays.
    """

    points: Array
    depth: Array
    semantic: NDArray[np.uint8]
    valid_share: float
    building_share: float
    walkable_share: float

    def some_points(self, rng: np.random.Generator, depth_m: float) -> Array:
        """A few random points up to a depth, (P, 3), to test for light."""
        near = self.points[self.depth < depth_m]
        some: Array = near[rng.permutation(len(near))[:_LIGHT_SAMPLES]]
        return some


def is_class(semantic: NDArray[np.uint8], classes: frozenset[int]) -> NDArray[np.bool_]:
    """Whether each label belongs to a set of classes."""
    return np.isin(semantic, [int(c) for c in sorted(classes)])


def glances(caster: RayCaster, cameras: Sequence[Camera]) -> Iterator[Glance]:
    """A glance through each camera.

    Args:
        caster: of the scene.
        cameras: any number, of any size.
    """
    small = [c.resized(WIDTH) for c in cameras]
    start = 0
    while start < len(small):
        rays = small[start].width * small[start].height
        batch = small[start : start + max(1, _RAYS_AT_ONCE // rays)]
        yield from _cast(caster, batch)
        start += len(batch)


def _cast(caster: RayCaster, cameras: Sequence[Camera]) -> Iterator[Glance]:
    rays = [camera.rays().reshape(-1, 3) for camera in cameras]
    origins = np.concatenate(
        [np.broadcast_to(c.position, r.shape) for c, r in zip(cameras, rays, strict=True)]
    )
    hits = caster.intersect(origins, np.concatenate(rays))
    ends = np.cumsum([len(r) for r in rays])[:-1]
    depths, faces = np.split(hits.distance, ends), np.split(hits.face, ends)
    for camera, ray, depth, face in zip(cameras, rays, depths, faces, strict=True):
        hit = face >= 0
        semantic = caster.faces.semantic[face[hit]]
        count = len(face)
        yield Glance(
            camera.position + depth[hit, None] * ray[hit],
            depth[hit],
            semantic,
            float(hit.sum() / count),
            float(is_class(semantic, BUILDING).sum() / count),
            float(is_class(semantic, WALKABLE).sum() / count),
        )


def lit_shares(caster: RayCaster, places: Array, seen: Sequence[Array]) -> Array:
    """Share of what each camera sees that each position lights directly, (N, cameras).

    Args:
        caster: of the scene.
        places: (N, 3) positions.
        seen: for each camera, (P, 3) points on the surface that it sees.
    """
    shares = np.zeros((len(places), len(seen)))
    for column, points in enumerate(seen):
        if not len(points):
            continue
        origins = np.repeat(places, len(points), axis=0)
        dark = caster.blocked(origins, np.tile(points, (len(places), 1)))
        shares[:, column] = 1 - dark.reshape(len(places), -1).mean(axis=1)
    return shares
