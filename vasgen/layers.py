"""Layers: the pixel-aligned arrays of a view, and what every number in them means."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float32]
Bool = NDArray[np.bool_]

#: Path gain of a visible surface no path reaches, dB. Far below any gain that a
#: traced path can have at these distances, so it cannot be mistaken for one.
PATH_GAIN_FLOOR_DB = -250.0

#: How power comes to a pixel. A path is diffracted if it is bent anywhere, else reflected if
#: mirrored anywhere, else transmitted if it passes through anything; the remainder is what is
#: counted rather than known in closed form.
MECHANISMS = ("line of sight", "transmission", "reflection", "diffraction", "remainder")

#: Radio-material index of a pixel without a surface.
NO_MATERIAL = 255


class LayerSpec(NamedTuple):
    """Meaning of one layer: its numpy dtype, axes, unit and one line of prose."""

    dtype: str
    axes: str
    unit: str
    meaning: str


IMAGE_LAYERS: dict[str, LayerSpec] = {
    "rgb": LayerSpec(
        "float32", "height width 3", "linear", "scene radiance, linear sRGB primaries, unclipped"
    ),
    "depth": LayerSpec(
        "float32", "height width", "m", "z-depth at the pixel centre, never anti-aliased; NaN: sky"
    ),
    "normal": LayerSpec(
        "float32",
        "height width 3",
        "1",
        "unit normal in world axes, on the side the camera sees; NaN: sky",
    ),
    "albedo": LayerSpec(
        "float32",
        "height width 3",
        "1",
        "diffuse reflectance, linear sRGB primaries, [0, 1]; NaN: sky",
    ),
    "roughness": LayerSpec("float32", "height width", "1", "GGX roughness in [0, 1]; NaN: sky"),
    "semantic": LayerSpec("uint8", "height width", "class", "semantic class; 0: sky"),
    "instance": LayerSpec("int32", "height width", "id", "object id in the scene; 0: no object"),
    "radio_material": LayerSpec(
        "uint8", "height width", "index", "index into the scene's radio materials; 255: sky"
    ),
    "valid": LayerSpec("bool", "height width", "bool", "the pixel's centre sees a surface"),
}

RADIO_LAYERS: dict[str, LayerSpec] = {
    "path_gain_db": LayerSpec(
        "float32",
        "transmitter height width",
        "dB",
        f"sum over paths of |a|^2, mean over the pixel's footprint; {PATH_GAIN_FLOOR_DB:g}: "
        "visible but not reached; NaN: sky",
    ),
    "rss_dbm": LayerSpec(
        "float32", "transmitter height width", "dBm", "transmit power times path gain; NaN: sky"
    ),
    "sinr_db": LayerSpec(
        "float32",
        "transmitter height width",
        "dB",
        "RSS over noise plus the RSS of all other transmitters of its group; NaN: sky",
    ),
    "best_server": LayerSpec(
        "int16",
        "height width",
        "index",
        "transmitter of the strongest RSS; -1: none reaches the footprint, or sky",
    ),
    "line_of_sight": LayerSpec(
        "bool",
        "transmitter height width",
        "bool",
        "the transmitter is visible from some part of the pixel's footprint",
    ),
    "reached": LayerSpec(
        "bool", "transmitter height width", "bool", "at least one path reaches the footprint"
    ),
    "standard_error_db": LayerSpec(
        "float32",
        "transmitter height width",
        "dB",
        "how far one standard error of the path gain lies above it, 10 log10(1 + error / gain); "
        "NaN: not reached or sky",
    ),
    "rays": LayerSpec(
        "int64", "transmitter", "1", "rays that were counted; 0: all is known in closed form"
    ),
}

#: Layers that the closed-form solver adds. Statistics are weighted by the power of the paths.
PATH_LAYERS: dict[str, LayerSpec] = {
    "mechanism_gain_db": LayerSpec(
        "float32",
        "mechanism transmitter height width",
        "dB",
        f"path gain by mechanism: {', '.join(MECHANISMS)}; {PATH_GAIN_FLOOR_DB:g}: nothing; "
        "NaN: sky",
    ),
    "num_paths": LayerSpec(
        "uint16", "transmitter height width", "1", "paths known in closed form; 0: none, or sky"
    ),
    "coherent_gain_db": LayerSpec(
        "float32",
        "transmitter height width",
        "dB",
        "squared size of the sum of the fields of all known paths, mean over the footprint; "
        f"{PATH_GAIN_FLOOR_DB:g}: no path; NaN: sky",
    ),
    "mean_delay_s": LayerSpec(
        "float32", "transmitter height width", "s", "mean delay of the paths; NaN: no path, or sky"
    ),
    "delay_spread_s": LayerSpec(
        "float32",
        "transmitter height width",
        "s",
        "root mean square delay spread of the paths; NaN: no path, or sky",
    ),
    "rician_k_db": LayerSpec(
        "float32",
        "transmitter height width",
        "dB",
        "power of the strongest path over that of all others; +inf: one path; NaN: none, or sky",
    ),
    "departure_spread_deg": LayerSpec(
        "float32",
        "transmitter height width",
        "deg",
        "azimuth spread of departure, 3GPP TR 38.901 annex A; NaN: no path, or sky",
    ),
    "arrival_spread_deg": LayerSpec(
        "float32",
        "transmitter height width",
        "deg",
        "azimuth spread of arrival, 3GPP TR 38.901 annex A; NaN: no path, or sky",
    ),
    "path_amplitude": LayerSpec(
        "complex64",
        "transmitter height width path 2",
        "1",
        "field of the strongest paths, vertical and horizontal part, whose squared size is the "
        "path gain; 0: no path",
    ),
    "path_delay_s": LayerSpec(
        "float32", "transmitter height width path", "s", "delay of each of them; NaN: no path"
    ),
    "path_departure_deg": LayerSpec(
        "float32",
        "transmitter height width path 2",
        "deg",
        "azimuth from east to north, and elevation, of the direction it leaves in; NaN: no path",
    ),
    "path_arrival_deg": LayerSpec(
        "float32",
        "transmitter height width path 2",
        "deg",
        "azimuth and elevation of the direction it comes from; NaN: no path",
    ),
    "path_events": LayerSpec(
        "int8",
        "transmitter height width path event",
        "event",
        "0: reflection, 1: transmission, 2: diffraction, in the order met; -1: no more",
    ),
}


@dataclass(frozen=True, eq=False)
class ImageLayers:
    """What a camera sees. Shapes and units: :data:`IMAGE_LAYERS`.

    Attributes:
        rgb: (H, W, 3) float32, or None if no picture was asked for.
        depth: (H, W) float32, metres.
        normal: (H, W, 3) float32.
        albedo: (H, W, 3) float32.
        roughness: (H, W) float32.
        semantic: (H, W) uint8.
        instance: (H, W) int32.
        radio_material: (H, W) uint8.
        valid: (H, W) bool.
    """

    rgb: Float | None
    depth: Float
    normal: Float
    albedo: Float
    roughness: Float
    semantic: NDArray[np.uint8]
    instance: NDArray[np.int32]
    radio_material: NDArray[np.uint8]
    valid: Bool

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Layer name to array, without absent layers."""
        return _arrays(self)


@dataclass(frozen=True, eq=False)
class RadioLayers:
    """What radio arrives at the surface of every pixel. Units: :data:`RADIO_LAYERS`.

    Attributes:
        path_gain_db: (T, H, W) float32, dB.
        rss_dbm: (T, H, W) float32, dBm.
        sinr_db: (T, H, W) float32, dB.
        best_server: (H, W) int16, index of a transmitter; -1 for none.
        line_of_sight: (T, H, W) bool.
        reached: (T, H, W) bool.
        standard_error_db: (T, H, W) float32, dB.
        rays: (T,) int64.
    """

    path_gain_db: Float
    rss_dbm: Float
    sinr_db: Float
    best_server: NDArray[np.int16]
    line_of_sight: Bool
    reached: Bool
    standard_error_db: Float
    rays: NDArray[np.int64]

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Layer name to array."""
        return _arrays(self)


def _arrays(layers: ImageLayers | RadioLayers) -> dict[str, NDArray[Any]]:
    pairs = ((field.name, getattr(layers, field.name)) for field in fields(layers))
    return {name: array for name, array in pairs if array is not None}
