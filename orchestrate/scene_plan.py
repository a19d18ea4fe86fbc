"""The plan of a scene: what rays from above meet, drawn lightly, with buildings by height."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from matplotlib.colors import LinearSegmentedColormap, Normalize, to_rgb
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, gaussian_filter

from vasgen.bundle import SceneBundle
from vasgen.orchestrate.glance import is_class
from vasgen.orchestrate.ground import look_down
from vasgen.raycast import RayCaster
from vasgen.semantics import BUILDING, WALKABLE, SemanticClass

Array = NDArray[np.float64]
Extent = tuple[float, float, float, float]

PAPER = "#f7f4ee"
INK = "#3b3a3f"
HEIGHTS = LinearSegmentedColormap.from_list(
    "heights", ["#dcd8d2", "#b9b7b9", "#8b8d98", "#5b6074", "#2f3550"]
)
#: Everything but buildings is light: what is drawn upon the plan is the subject.
_SURFACES = {
    SemanticClass.GROUND: "#f1ece2",
    SemanticClass.ROAD: "#ffffff",
    SemanticClass.PAVEMENT: "#efeae0",
    SemanticClass.GRASS: "#e1ead0",
    SemanticClass.WATER: "#c5dcec",
    SemanticClass.VEGETATION: "#c9dab5",
    SemanticClass.VEHICLE: "#dfdcd6",
    SemanticClass.FURNITURE: "#e4dfd6",
    SemanticClass.ROAD_MARKING: "#ffffff",
    SemanticClass.OTHER: "#e0ddd8",
}

#: Land shown around what is built and marked, as a share of the longer side and at least in
#: metres; no side is shorter than this share of the other.
_MARGIN, _MARGIN_M, _NARROWEST = 0.04, 10.0, 0.4

#: Rays across the longer side.
_PIXELS = 1500

#: The tallest buildings share the darkest colour: one tower shall not pale a city.
_TALLEST_PERCENT = 99.5

#: Direction to the light, from north-west, and how much of the brightness it makes.
_LIGHT = np.array([-0.35, 0.35, 0.87])
_LIT_SHARE = 0.3

#: A step of this height is drawn as an edge, metres.
_STEP_M = 2.0

#: Width of the soft shadow around buildings, pixels, and its darkness.
_SHADOW_PX, _SHADOW = 5.0, 0.2


class ScenePlan(NamedTuple):
    """What lies under the open sky, row by row from south to north.

    Attributes:
        extent: west, east, south, north, world metres.
        semantic: (H, W) uint8 class; 0 where there is nothing.
        height: (H, W) float64 above the nearest ground, metres.
        shade: (H, W) float64 brightness in slanting light, 1 for level surfaces.
    """

    extent: Extent
    semantic: NDArray[np.uint8]
    height: Array
    shade: Array

    @property
    def heights(self) -> Normalize:
        """Building heights to [0, 1] of ``HEIGHTS``."""
        built = self.height[is_class(self.semantic, BUILDING)]
        tallest = float(np.percentile(built, _TALLEST_PERCENT)) if built.size else 0.0
        return Normalize(0.0, max(12.0, tallest), clip=True)

    def colours(self) -> Array:
        """The plan as a picture, (H, W, 3) sRGB in [0, 1], row by row from south to north."""
        built = is_class(self.semantic, BUILDING)
        table = np.tile(to_rgb(PAPER), (256, 1))
        for kind, colour in _SURFACES.items():
            table[kind] = to_rgb(colour)
        near = np.minimum(2 * gaussian_filter(built.astype(np.float64), _SHADOW_PX), 1.0)
        land = table[self.semantic] * (1 - _SHADOW * near)[..., None]
        light = 1 + _LIT_SHARE * (np.clip(self.shade, 0.0, 1.3) - 1)
        roofs = HEIGHTS(self.heights(self.height))[..., :3] * light[..., None]
        edge = built & (_steps(np.where(built, self.height, 0.0)) > _STEP_M)
        roofs[edge] = 0.6 * roofs[edge] + 0.4 * np.array(to_rgb(INK))
        picture: Array = np.where(built[..., None], roofs, land).clip(0.0, 1.0)
        return picture


def built_frame(bundle: SceneBundle, places: Array) -> Extent:
    """What is worth showing, west, east, south, north, metres: not all of a vast ground.

    Args:
        bundle: any scene, generated or imported.
        places: (N, 3) what is marked on the plan, metres.
    """
    faces = bundle.face_table
    built = faces.triangles[is_class(faces.semantic, BUILDING)].reshape(-1, 3)
    points = np.concatenate([built if len(built) else bundle.bounds, places])[:, :2]
    low, high = points.min(axis=0), points.max(axis=0)
    margin = max(_MARGIN * float((high - low).max()), _MARGIN_M)
    low = np.maximum(low - margin, np.minimum(low, bundle.bounds[0, :2]))
    high = np.minimum(high + margin, np.maximum(high, bundle.bounds[1, :2]))
    size = np.maximum(high - low, max(_NARROWEST * float((high - low).max()), _MARGIN_M))
    (west, south), (east, north) = (low + high - size) / 2, (low + high + size) / 2
    return float(west), float(east), float(south), float(north)


def survey_plan(caster: RayCaster, extent: Extent) -> ScenePlan:
    """Look at a scene from above.

    Args:
        caster: of any scene, generated or imported.
        extent: west, east, south, north, world metres.
    """
    west, east, south, north = extent
    step = max(east - west, north - south) / _PIXELS
    x, y = np.arange(west + step / 2, east, step), np.arange(south + step / 2, north, step)
    hits = look_down(caster, np.column_stack([np.tile(x, len(y)), np.repeat(y, len(x))]))
    semantic = np.zeros(len(x) * len(y), np.uint8)
    semantic[hits.asked] = caster.faces.semantic[hits.face]
    height = np.full(semantic.shape, caster.bundle.bounds[0, 2])
    height[hits.asked] = hits.points[:, 2]
    shade = np.ones(semantic.shape)
    normal = caster.faces.normal[hits.face]
    # Imported surfaces may face down: what is seen from above is lit from above.
    shade[hits.asked] = normal @ _LIGHT / _LIGHT[2] * np.where(normal[:, 2] < 0, -1, 1)
    shape = (len(y), len(x))
    semantic, height = semantic.reshape(shape), height.reshape(shape)
    return ScenePlan(extent, semantic, height - _ground(semantic, height), shade.reshape(shape))


def _ground(semantic: NDArray[np.uint8], height: Array) -> Array:
    """Height of the nearest ground or water of each pixel, (H, W) metres."""
    ground = is_class(semantic, WALKABLE | {SemanticClass.WATER})
    if not ground.any():
        return np.full(height.shape, height.min())
    index = distance_transform_edt(~ground, return_distances=False, return_indices=True)
    nearest: Array = height[tuple(index)]
    return nearest


def _steps(height: Array) -> Array:
    """Largest difference to the four neighbours, (H, W) metres."""
    step = np.zeros(height.shape)
    for turned, out in ((height, step), (height.T, step.T)):  # views: both write into step
        change = np.abs(np.diff(turned, axis=0))
        out[:-1] = np.maximum(out[:-1], change)
        out[1:] = np.maximum(out[1:], change)
    return step
