"""Checks of what a camera sees: are the arrays as the layer table says, and one geometry?

Each check yields one :class:`Finding` per wrong layer, with a mask of wrong pixels.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vasgen.camera import Camera
from vasgen.datasets.findings import Finding, Mask, sky_findings
from vasgen.datasets.store import Sample
from vasgen.layers import IMAGE_LAYERS, MECHANISMS, NO_MATERIAL, ImageLayers, LayerSpec
from vasgen.semantics import SemanticClass

#: Unit length to float32 rounding, with margin.
UNIT_TOLERANCE = 1e-4

#: Off-plane distance between neighbours on one plane, as a share of depth. Float32
#: depth and normals give 1e-6; ray range stored as depth gives 1e-2.
PLANE_TOLERANCE = 1e-3


def check_schema(
    arrays: dict[str, NDArray[Any]],
    table: dict[str, LayerSpec],
    camera: Camera,
    transmitters: int,
) -> Iterator[Finding]:
    """Layers that are missing, unknown, or of another dtype or shape than the table's.

    Axes of any length, as that of paths, have the same in all layers.
    """
    sizes = {
        "height": camera.height,
        "width": camera.width,
        "transmitter": transmitters,
        "mechanism": len(MECHANISMS),
        "2": 2,
        "3": 3,
    }
    for name in arrays.keys() - table.keys():
        yield Finding(name, "is not a layer of this format")
    for name, spec in table.items():
        if name not in arrays:
            yield Finding(name, "is missing")
            continue
        got, axes = arrays[name], spec.axes.split()
        if got.ndim == len(axes):
            sizes = dict(zip(axes, got.shape, strict=True)) | sizes
        shape = tuple(sizes.get(axis, 1) for axis in axes)
        if got.dtype != np.dtype(spec.dtype) or got.shape != shape:
            yield Finding(name, f"is {got.dtype}{got.shape}, not {spec.dtype}{shape}")


def check_image(sample: Sample) -> Iterator[Finding]:
    """Value ranges of the image layers, and NaN exactly where there is no surface."""
    image, valid = sample.image, sample.image.valid
    yield from sky_findings(image.arrays(), IMAGE_LAYERS, valid)
    yield Finding("depth", "not positive on a surface", valid & ~(image.depth > 0))
    length = np.linalg.norm(image.normal, axis=-1)
    unit = np.abs(length - 1) < UNIT_TOLERANCE
    yield Finding("normal", "not of unit length", valid & ~unit)
    for name in ("albedo", "roughness"):
        values = getattr(image, name)
        outside: Mask = ~((values >= 0) & (values <= 1))
        pixels = outside.reshape(*valid.shape, -1).any(axis=-1)
        yield Finding(name, "outside [0, 1]", valid & pixels)
    known = np.isin(image.semantic, [int(c) for c in SemanticClass])
    yield Finding("semantic", "unknown class", ~known)
    yield Finding(
        "semantic",
        "class 0 exactly where there is no surface is broken",
        (image.semantic == SemanticClass.NONE) == valid,
    )
    yield Finding("instance", "negative, or set in the sky", _bad_instance(image))
    yield Finding(
        "radio_material",
        f"{NO_MATERIAL} exactly where there is no surface is broken",
        (image.radio_material == NO_MATERIAL) == valid,
    )
    if image.rgb is not None:
        fine = (np.isfinite(image.rgb) & (image.rgb >= 0)).all(axis=-1)
        yield Finding("rgb", "negative or not finite", np.asarray(~fine))


def check_alignment(sample: Sample) -> Iterator[Finding]:
    """Depth, normals and camera describe one and the same geometry."""
    image, camera = sample.image, sample.camera
    with np.errstate(invalid="ignore"):  # the sky's NaN, and damage that is reported elsewhere
        points = camera.back_project(image.depth)
        pixels, depth = camera.project(points)
        moved = np.abs(pixels - camera.pixel_centres()).max(axis=-1) > 1e-3
        moved |= np.abs(depth - image.depth) > 1e-4 * image.depth
        away = np.einsum("ijk,ijk->ij", image.normal, camera.rays()) > UNIT_TOLERANCE
    yield Finding("depth", "does not project back to its pixel", image.valid & moved)
    yield Finding("normal", "turned away from the camera", image.valid & away)
    yield from _check_planes(image, points)


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
