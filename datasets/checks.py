"""Checks of one view: are its arrays what the layer table says, and are they physical?

Each check yields one :class:`Finding` per wrong layer, with a mask of wrong pixels.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vasgen.antenna import Antenna
from vasgen.camera import Camera
from vasgen.datasets.store import Sample
from vasgen.layers import (
    IMAGE_LAYERS,
    NO_MATERIAL,
    PATH_GAIN_FLOOR_DB,
    RADIO_LAYERS,
    ImageLayers,
    LayerSpec,
    RadioLayers,
)
from vasgen.semantics import SemanticClass
from vasgen.spec import RadioSpec

Mask = NDArray[np.bool_]

SPEED_OF_LIGHT_M_PER_S = 299_792_458.0

#: How far the sum of all paths may exceed the direct path, dB. Image sources of an
#: ideal, lossless street canyon add up to about pi * range / width times free space:
#: 15 dB in a canyon ten times as long as wide, and 3 dB more for a perfect ground.
#: Real walls absorb; so more than this is an error of scale, not multipath.
MULTIPATH_HEADROOM_DB = 20.0

#: Share of pixels that may exceed the bound: a ray that hits a tiny footprint by chance
#: brings too much there. An error of scale lifts most pixels.
CHANCE_SHARE = 0.01

#: Nearest distance to a transmitter at which far-field gain is asked for, metres.
NEAREST_M = 0.5

#: The direct path of a single isotropic element is known in closed form, and other paths
#: only add to it. A lit pixel may still lie below free space: part of its footprint can
#: be in shadow. The median of many lit pixels may not.
LIT_MEDIAN_TOLERANCE_DB = 0.5
LIT_PIXELS_FOR_MEDIAN = 100

#: Float32 storage of rss and sinr near -250 dB rounds by 1.5e-5 dB; other layers' own
#: rounding enters the sum. A hundredth of a dB is far above both.
CONSISTENCY_DB = 0.01

#: Unit length to float32 rounding, with margin.
UNIT_TOLERANCE = 1e-4

#: Off-plane distance between neighbours on one plane, as a share of depth. Float32
#: depth and normals give 1e-6; ray range stored as depth gives 1e-2.
PLANE_TOLERANCE = 1e-3

_PEAK_GAIN_DBI = {"iso": 0.0, "dipole": 1.76, "hw_dipole": 2.15, "tr38901": 8.0}


class Finding(NamedTuple):
    """A layer that fails a check.

    Attributes:
        layer: its name.
        message: what is wrong.
        wrong: (..., H, W) bool, the pixels; None if the layer as a whole is wrong.
    """

    layer: str
    message: str
    wrong: Mask | None = None


def check_schema(
    arrays: dict[str, NDArray[Any]],
    table: dict[str, LayerSpec],
    camera: Camera,
    transmitters: int,
) -> Iterator[Finding]:
    """Layers that are missing, unknown, or of another dtype or shape than the table's."""
    sizes = {"height": camera.height, "width": camera.width, "transmitter": transmitters, "3": 3}
    for name in arrays.keys() - table.keys():
        yield Finding(name, "is not a layer of this format")
    for name, spec in table.items():
        if name not in arrays:
            yield Finding(name, "is missing")
            continue
        shape = tuple(sizes[axis] for axis in spec.axes.split())
        got = arrays[name]
        if got.dtype != np.dtype(spec.dtype) or got.shape != shape:
            yield Finding(name, f"is {got.dtype}{got.shape}, not {spec.dtype}{shape}")


def check_image(sample: Sample) -> Iterator[Finding]:
    """Value ranges of the image layers, and NaN exactly where there is no surface."""
    image, valid = sample.image, sample.image.valid
    yield from _check_sky(image.arrays(), IMAGE_LAYERS, valid)
    yield _finding("depth", "not positive on a surface", valid & ~(image.depth > 0))
    length = np.linalg.norm(image.normal, axis=-1)
    unit = np.abs(length - 1) < UNIT_TOLERANCE
    yield _finding("normal", "not of unit length", valid & ~unit)
    for name in ("albedo", "roughness"):
        values = getattr(image, name)
        outside: Mask = ~((values >= 0) & (values <= 1))
        pixels = outside.reshape(*valid.shape, -1).any(axis=-1)
        yield _finding(name, "outside [0, 1]", valid & pixels)
    known = np.isin(image.semantic, [int(c) for c in SemanticClass])
    yield _finding("semantic", "unknown class", ~known)
    yield _finding(
        "semantic",
        "class 0 exactly where there is no surface is broken",
        (image.semantic == SemanticClass.NONE) == valid,
    )
    yield _finding("instance", "negative, or set in the sky", _bad_instance(image))
    yield _finding(
        "radio_material",
        f"{NO_MATERIAL} exactly where there is no surface is broken",
        (image.radio_material == NO_MATERIAL) == valid,
    )
    if image.rgb is not None:
        fine = (np.isfinite(image.rgb) & (image.rgb >= 0)).all(axis=-1)
        yield _finding("rgb", "negative or not finite", np.asarray(~fine))


def check_alignment(sample: Sample) -> Iterator[Finding]:
    """Depth, normals and camera describe one and the same geometry."""
    image, camera = sample.image, sample.camera
    with np.errstate(invalid="ignore"):  # the sky's NaN, and damage that is reported elsewhere
        points = camera.back_project(image.depth)
        pixels, depth = camera.project(points)
        moved = np.abs(pixels - camera.pixel_centres()).max(axis=-1) > 1e-3
        moved |= np.abs(depth - image.depth) > 1e-4 * image.depth
        away = np.einsum("ijk,ijk->ij", image.normal, camera.rays()) > UNIT_TOLERANCE
    yield _finding("depth", "does not project back to its pixel", image.valid & moved)
    yield _finding("normal", "turned away from the camera", image.valid & away)
    yield from _check_planes(image, points)


def check_radio(sample: Sample, spec: RadioSpec) -> Iterator[Finding]:
    """Radio layers are consistent with each other and with free space."""
    radio, valid = sample.radio, sample.image.valid
    if radio is None:
        return
    skies = {k: v for k, v in radio.arrays().items() if k != "standard_error_db"}
    yield from _check_sky(skies, RADIO_LAYERS, valid)
    if not sample.transmitters:
        yield Finding("path_gain_db", "has no transmitter")
        return
    yield from _check_reached(radio, valid)
    if spec.line_of_sight:
        dark = radio.line_of_sight & ~radio.reached
        dark[[not _one_isotropic(t.antenna) for t in sample.transmitters]] = False
        yield _finding("line_of_sight", "lit but not reached", dark)
    power = np.array([t.power_dbm for t in sample.transmitters])[:, None, None]
    with np.errstate(invalid="ignore"):
        off = np.abs(radio.rss_dbm - (radio.path_gain_db + power)) > CONSISTENCY_DB
        groups = [t.group for t in sample.transmitters]
        far = np.abs(radio.sinr_db - sinr_db(radio.rss_dbm, spec, groups)) > CONSISTENCY_DB
    yield _finding("rss_dbm", "is not power plus path gain", off & valid)
    yield _finding("sinr_db", "does not follow from rss_dbm and the noise", far & valid)
    yield from _check_free_space(sample, radio, spec)


def noise_dbm(spec: RadioSpec) -> float:
    """Thermal noise power kTB, dBm."""
    watts = spec.noise_w
    return 10 * math.log10(watts) + 30


def sinr_db(rss_dbm: NDArray[Any], spec: RadioSpec, groups: Sequence[int]) -> NDArray[np.float64]:
    """Signal over noise plus the signals of the others in its group, (T, H, W) dB."""
    milliwatts = 10 ** (rss_dbm.astype(np.float64) / 10)
    others = np.zeros_like(milliwatts)
    for row, group in enumerate(groups):
        # Others are summed one by one: total minus own would cancel next to a transmitter.
        for other, its_group in enumerate(groups):
            if other != row and its_group == group:
                others[row] += milliwatts[other]
    result: NDArray[np.float64] = 10 * np.log10(
        milliwatts / (10 ** (noise_dbm(spec) / 10) + others)
    )
    return result


def free_space_db(sample: Sample, spec: RadioSpec) -> NDArray[np.float64]:
    """Friis gain between isotropic antennas at every pixel, (T, H, W) dB; NaN: sky."""
    points = sample.camera.back_project(sample.image.depth)
    places = np.array([t.position for t in sample.transmitters])[:, None, None]
    distance = np.linalg.norm(points - places, axis=-1)
    wavelength = SPEED_OF_LIGHT_M_PER_S / spec.frequency_hz
    loss: NDArray[np.float64] = 20 * np.log10(
        4 * np.pi * np.maximum(distance, NEAREST_M) / wavelength
    )
    return -loss


def array_gain_db(antenna: Antenna) -> float:
    """Highest gain of the transmit array in any direction, dB over isotropic."""
    return _PEAK_GAIN_DBI[antenna.pattern] + 10 * math.log10(antenna.num_ports)


def _check_free_space(sample: Sample, radio: RadioLayers, spec: RadioSpec) -> Iterator[Finding]:
    gain = radio.path_gain_db
    free = free_space_db(sample, spec)
    peak = np.array([array_gain_db(t.antenna) for t in sample.transmitters])[:, None, None]
    with np.errstate(invalid="ignore"):
        yield _finding("path_gain_db", "more power than was sent", gain > peak)
        excess = gain > free + peak + MULTIPATH_HEADROOM_DB
    if excess.sum() > CHANCE_SHARE * radio.reached.sum():
        yield _finding("path_gain_db", "more than free space and multipath allow", excess)
    if not spec.line_of_sight:
        return
    for k, lit in enumerate(radio.line_of_sight):
        if not _one_isotropic(sample.transmitters[k].antenna) or lit.sum() < LIT_PIXELS_FOR_MEDIAN:
            continue
        deficit = float(np.median(free[k][lit] - gain[k][lit]))
        if not deficit < LIT_MEDIAN_TOLERANCE_DB:
            message = f"transmitter {k}: lit pixels lie {deficit:.1f} dB below free space (median)"
            yield Finding("path_gain_db", message, lit)


def _one_isotropic(antenna: Antenna) -> bool:
    """Whether the antenna shines everywhere: arrays and other patterns have nulls."""
    return antenna.pattern == "iso" and antenna.num_ports == 1


def _check_reached(radio: RadioLayers, valid: Mask) -> Iterator[Finding]:
    floor = radio.path_gain_db <= PATH_GAIN_FLOOR_DB
    yield _finding(
        "reached",
        f"false exactly at {PATH_GAIN_FLOOR_DB:g} dB is broken",
        valid & (radio.reached == floor),
    )
    yield _finding(
        "path_gain_db", "below the floor", valid & (radio.path_gain_db < PATH_GAIN_FLOOR_DB)
    )
    error = radio.standard_error_db
    known = np.isfinite(error) & (error >= 0)
    yield _finding(
        "standard_error_db",
        "negative or infinite, or given where nothing was estimated",
        ~(known | np.isnan(error)) | (known & ~(radio.reached & valid)),
    )


def _check_sky(
    arrays: dict[str, NDArray[Any]], table: dict[str, LayerSpec], valid: Mask
) -> Iterator[Finding]:
    """Float layers that promise NaN for the sky have it there, and only there."""
    for name, array in arrays.items():
        if array.dtype == np.bool_ and name != "valid":
            yield _finding(name, "true in the sky", array & ~valid)
        if array.dtype != np.float32 or "NaN: sky" not in table[name].meaning:
            continue
        vector = table[name].axes.endswith(" 3")
        nan, infinite = np.isnan(array), np.isinf(array)
        broken = infinite | (nan == valid[..., None] if vector else nan == valid)
        yield _finding(
            name,
            "infinite, or NaN exactly in the sky is broken",
            broken.any(axis=-1) if vector else broken,
        )


def _bad_instance(image: ImageLayers) -> Mask:
    wrong: Mask = (image.instance < 0) | ((image.instance != 0) & ~image.valid)
    return wrong


def _check_planes(image: ImageLayers, points: NDArray[np.float64]) -> Iterator[Finding]:
    """Neighbours of one object with one normal lie on one plane, as a rule.

    Ray range in place of z-depth, or another view's normals, bend every plane.
    """
    same = (image.instance[:, 1:] == image.instance[:, :-1]) & image.valid[:, 1:]
    with np.errstate(invalid="ignore"):
        same &= np.abs(image.normal[:, 1:] - image.normal[:, :-1]).max(axis=-1) < 1e-6
        step = points[:, 1:] - points[:, :-1]
        off = np.abs(np.einsum("ijk,ijk->ij", step, image.normal[:, 1:])) / image.depth[:, 1:]
        bent = np.zeros_like(image.valid)
        bent[:, 1:] = same & (off > PLANE_TOLERANCE)
    if same.any() and bent.sum() > 0.5 * same.sum():
        yield Finding("depth", "does not fit the normals: planes are bent", bent)


def _finding(layer: str, message: str, wrong: Mask) -> Finding:
    return Finding(layer, message, wrong)
