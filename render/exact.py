"""Exact layers: one ray through every pixel's centre, and look-ups by face."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vasgen.camera import Camera
from vasgen.layers import NO_MATERIAL, ImageLayers
from vasgen.raycast import RayCaster
from vasgen.render.bands import row_bands
from vasgen.render.looks.looks import Looks

Array = NDArray[np.float64]


class SurfaceMap:
    """Texture coordinates at world points: one affine map per face.

    Args:
        triangles: (F, 3, 3) corner positions, metres.
        corner_uv: (F, 3, 2) coordinates at the corners.
    """

    def __init__(self, triangles: Array, corner_uv: NDArray[np.float32]) -> None:
        origin = triangles[:, 0]
        first, second = triangles[:, 1] - origin, triangles[:, 2] - origin
        # Gradient of the two barycentric coordinates in the face's plane.
        aa = np.einsum("ij,ij->i", first, first)
        ab = np.einsum("ij,ij->i", first, second)
        bb = np.einsum("ij,ij->i", second, second)
        area = np.maximum(aa * bb - ab * ab, 1e-300)[:, None]
        across = (bb[:, None] * first - ab[:, None] * second) / area
        along = (aa[:, None] * second - ab[:, None] * first) / area
        uv = corner_uv.astype(np.float64)
        du, dv = uv[:, 1] - uv[:, 0], uv[:, 2] - uv[:, 0]
        self._origin, self._uv = origin, uv[:, 0]
        self._gradient = du[:, :, None] * across[:, None] + dv[:, :, None] * along[:, None]

    def at(self, face: NDArray[np.int64], points: ArrayLike) -> Array:
        """Coordinates of (N, 3) world points on (N,) faces: (N, 2)."""
        offset = np.asarray(points, np.float64) - self._origin[face]
        along: Array = np.einsum("nij,nj->ni", self._gradient[face], offset)
        return self._uv[face] + along


def exact_layers(
    camera: Camera, caster: RayCaster, looks: Looks, surface: SurfaceMap
) -> ImageLayers:
    """All layers but the picture.

    Args:
        camera: the view.
        caster: of the scene, centred near the camera.
        looks: of the same scene.
        surface: texture coordinates of the same scene.
    """
    found = [_band(camera, rows, caster, looks, surface) for rows in row_bands(camera)]
    layers = {name: np.concatenate([band.pop(name) for band in found]) for name in list(found[0])}
    return ImageLayers(rgb=None, **layers)


def _band(
    camera: Camera, rows: range, caster: RayCaster, looks: Looks, surface: SurfaceMap
) -> dict[str, NDArray[Any]]:
    """The layers in some rows."""
    rays = camera.rays(camera.pixel_centres(rows)).reshape(-1, 3)
    hits = caster.intersect(camera.position, rays)
    valid = hits.face >= 0
    seen, face = rays[valid], hits.face[valid]
    table = caster.faces
    points = camera.position + hits.distance[valid, None] * seen
    albedo, roughness = _reflectance(looks, face, surface.at(face, points))

    def image(values: Any, empty: float, dtype: Any) -> Any:
        """Values of the pixels that see a surface, as a picture."""
        flat = np.full((len(valid), *np.shape(values)[1:]), empty, dtype)
        flat[valid] = values
        return flat.reshape(len(rows), camera.width, *flat.shape[1:])

    return {
        "depth": image(hits.distance[valid], np.nan, np.float32),
        "normal": image(_towards(table.normal[face], seen), np.nan, np.float32),
        "albedo": image(albedo, np.nan, np.float32),
        "roughness": image(roughness, np.nan, np.float32),
        "semantic": image(table.semantic[face], 0, np.uint8),
        "instance": image(table.instance[face], 0, np.int32),
        "radio_material": image(table.radio[face], NO_MATERIAL, np.uint8),
        "valid": valid.reshape(len(rows), camera.width),
    }


def _towards(normal: Array, rays: Array) -> Array:
    """Normals turned to the side the rays come from."""
    away = np.einsum("ij,ij->i", normal, rays) > 0
    return np.where(away[:, None], -normal, normal)


def _reflectance(
    looks: Looks, face: NDArray[np.int64], uv: Array
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Diffuse reflectance (N, 3) and roughness (N,)."""
    if not len(face):
        return np.zeros((0, 3), np.float32), np.zeros(0, np.float32)
    base, roughness, metallic = looks.at(face, uv)
    return base * (1 - metallic)[:, None], roughness
