"""Pictures of image layers: how each is coloured, on contact sheets and in videos."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import Colormap, LogNorm, Normalize, hsv_to_rgb, to_rgb
from numpy.typing import NDArray

from vasgen.colour import encode_srgb
from vasgen.layers import ImageLayers
from vasgen.semantics import CLASS_COLOURS, SemanticClass

Pixels = NDArray[np.float64]

#: Where there is no surface; it does not occur in the colour maps.
SKY_COLOUR = "#eef0f3"

#: Colour maps of the layers that are quantities.
DEPTH_COLOURS, ROUGHNESS_COLOURS = colormaps["magma_r"], colormaps["cividis"]

#: From 1 m to 1 km, logarithmic: the scale of depths in files, alike in all views.
FIXED_DEPTH_SCALE = LogNorm(1.0, 1000.0)

CLASS_TABLE: Pixels = np.array([CLASS_COLOURS[c] for c in SemanticClass], np.float64) / 255

#: Steps of the golden ratio around the circle of hues: neighbouring numbers look different.
_GOLDEN = 0.6180339887498949

#: What belongs to no object: as grey as the land on a plan.
_NO_OBJECT = "#c9c6bf"


def paint_layer(image: ImageLayers, layer: str, depth_scale: Normalize | None = None) -> Pixels:
    """Display colours of a layer other than ``rgb``, (H, W, 3) sRGB in [0, 1].

    Args:
        image: the layers of a view.
        layer: its name.
        depth_scale: metres to [0, 1]; that of this view if omitted.
    """
    if layer == "depth":
        colours = mapped(image.depth, DEPTH_COLOURS, depth_scale or depth_scale_of([image.depth]))
    elif layer == "normal":
        colours = 0.5 + 0.5 * image.normal.astype(np.float64)
    elif layer == "albedo":
        light = np.clip(np.nan_to_num(image.albedo.astype(np.float64)), 0, 1)
        colours = encode_srgb(light)
    elif layer == "roughness":
        colours = mapped(image.roughness, ROUGHNESS_COLOURS, Normalize(0, 1))
    elif layer == "semantic":
        colours = CLASS_TABLE[image.semantic]
    elif layer == "instance":
        colours = _object_colours(image.instance)
    elif layer == "radio_material":
        colours = np.asarray(colormaps["tab20"](image.radio_material % 20)[..., :3], np.float64)
    else:
        raise ValueError(f"layer {layer} has no picture")
    return with_colour(colours, ~image.valid, SKY_COLOUR)


def depth_scale_of(depths: Sequence[NDArray[Any]]) -> Normalize:
    """A logarithmic scale that holds nearly all depths.

    Args:
        depths: arrays of any shape, metres; NaN does not count.
    """
    found = np.concatenate([depth[np.isfinite(depth)] for depth in depths])
    low, high = np.percentile(found, [0.5, 99.5]) if len(found) else (1.0, 10.0)
    return LogNorm(low, max(high, 1.01 * low))


def mapped(values: NDArray[Any], colours: Colormap, scale: Normalize) -> Pixels:
    """Quantities in the colours of a map, (H, W, 3); NaN as the lowest."""
    scaled = np.ma.filled(scale(np.ma.masked_invalid(values)), 0.0)
    pixels: Pixels = colours(np.clip(scaled, 0, 1))[..., :3]
    return pixels


def with_colour(colours: NDArray[Any], where: NDArray[np.bool_], colour: str) -> Pixels:
    """The colours, replaced by one colour in some pixels."""
    result: Pixels = np.where(where[..., None], to_rgb(colour), np.nan_to_num(colours))
    return result


def _object_colours(instance: NDArray[np.int32]) -> Pixels:
    """A colour for each object id: well apart in hue, in three shades."""
    number = instance.astype(np.float64)
    shade = 0.95 - 0.15 * (number % 3)
    hue = (number * _GOLDEN) % 1.0
    colours = hsv_to_rgb(np.stack([hue, np.full(hue.shape, 0.55), shade], axis=-1))
    return with_colour(colours, instance == 0, _NO_OBJECT)
