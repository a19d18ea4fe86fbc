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

#: Events that are listed of each of the strongest paths: the first ones, if there are more.
PATH_EVENTS = 12

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

#: Layers that the closed-form solver adds, of the paths that it knows: all but the remainder.
#: Means and spreads are weighted by power, over all paths to all points of a pixel's footprint.
#: A path counts once however many of these points it reaches; without power it does not count.
PATH_LAYERS: dict[str, LayerSpec] = {
    "mechanism_gain_db": LayerSpec(
        "float32",
        "mechanism transmitter height width",
        "dB",
        f"path gain by mechanism: {', '.join(MECHANISMS)}; {PATH_GAIN_FLOOR_DB:g}: nothing; "
        "NaN: sky",
    ),
    "search_recall": LayerSpec(
        "float32",
        "transmitter",
        "1",
        "share of the power by way of mirrors, up to radio.reflections of them, that is known in "
        "closed form; the rest is counted with the remainder",
    ),
    "num_paths": LayerSpec(
        "uint16", "transmitter height width", "1", "known paths; 0: none, or sky"
    ),
    "coherent_gain_db": LayerSpec(
        "float32",
        "transmitter height width",
        "dB",
        "squared size of the vector sum of the fields of all paths, mean over the footprint; "
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
        "circular azimuth spread of departure, 3GPP TR 38.901 annex A.1, at most 325; "
        "NaN: no path, or sky",
    ),
    "arrival_spread_deg": LayerSpec(
        "float32",
        "transmitter height width",
        "deg",
        "circular azimuth spread of arrival, 3GPP TR 38.901 annex A.1, at most 325; "
        "NaN: no path, or sky",
    ),
    "path_amplitude": LayerSpec(
        "complex64",
        "transmitter height width path 2",
        "1",
        "field of the strongest paths, the strongest first, along theta and phi of the direction "
        "it comes from (vertical, horizontal), with the phase of its length; the sum of both "
        "squared sizes is the path's gain; 0: no path",
    ),
    "path_delay_s": LayerSpec(
        "float32", "transmitter height width path", "s", "delay of each of them; NaN: no path"
    ),
    "path_departure_deg": LayerSpec(
        "float32",
        "transmitter height width path 2",
        "deg",
        "azimuth from east to north, -180 to 180, and elevation of the direction it leaves in; "
        "NaN: no path",
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
        f"0: reflection, 1: transmission, 2: diffraction, the first {PATH_EVENTS} in the order "
        "met; -1: no more",
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
    """What radio arrives at the surface of every pixel.

    Units: :data:`RADIO_LAYERS`, then :data:`PATH_LAYERS`, which are None where the solver does
    not know the paths. M mechanisms, K paths, E events (:data:`PATH_EVENTS`).

    Attributes:
        path_gain_db: (T, H, W) float32, dB.
        rss_dbm: (T, H, W) float32, dBm.
        sinr_db: (T, H, W) float32, dB.
        best_server: (H, W) int16, index of a transmitter; -1 for none.
        line_of_sight: (T, H, W) bool.
        reached: (T, H, W) bool.
        standard_error_db: (T, H, W) float32, dB.
        rays: (T,) int64.
        mechanism_gain_db: (M, T, H, W) float32, dB.
        search_recall: (T,) float32.
        num_paths: (T, H, W) uint16.
        coherent_gain_db: (T, H, W) float32, dB.
        mean_delay_s: (T, H, W) float32.
        delay_spread_s: (T, H, W) float32.
        rician_k_db: (T, H, W) float32, dB.
        departure_spread_deg: (T, H, W) float32.
        arrival_spread_deg: (T, H, W) float32.
        path_amplitude: (T, H, W, K, 2) complex64.
        path_delay_s: (T, H, W, K) float32.
        path_departure_deg: (T, H, W, K, 2) float32.
        path_arrival_deg: (T, H, W, K, 2) float32.
        path_events: (T, H, W, K, E) int8.
    """

    path_gain_db: Float
    rss_dbm: Float
    sinr_db: Float
    best_server: NDArray[np.int16]
    line_of_sight: Bool
    reached: Bool
    standard_error_db: Float
    rays: NDArray[np.int64]
    mechanism_gain_db: Float | None = None
    search_recall: Float | None = None
    num_paths: NDArray[np.uint16] | None = None
    coherent_gain_db: Float | None = None
    mean_delay_s: Float | None = None
    delay_spread_s: Float | None = None
    rician_k_db: Float | None = None
    departure_spread_deg: Float | None = None
    arrival_spread_deg: Float | None = None
    path_amplitude: NDArray[np.complex64] | None = None
    path_delay_s: Float | None = None
    path_departure_deg: Float | None = None
    path_arrival_deg: Float | None = None
    path_events: NDArray[np.int8] | None = None

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Layer name to array, without absent layers."""
        return _arrays(self)


def _arrays(layers: ImageLayers | RadioLayers) -> dict[str, NDArray[Any]]:
    pairs = ((field.name, getattr(layers, field.name)) for field in fields(layers))
    return {name: array for name, array in pairs if array is not None}
