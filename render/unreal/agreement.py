"""Whether Unreal and the scene show the same: pixel by pixel, within what Unreal's pictures hold.

A float16 depth of 100 m is a multiple of 6 cm, and a label needs millimetres: a receiver 3 cm
inside its wall is in the dark. So Unreal's depths, normals and objects are not what a dataset
gets; they prove that the exact ones belong to its picture.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vasgen.camera import Camera
from vasgen.errors import InputError
from vasgen.layers import Bool, Float, ImageLayers
from vasgen.render.unreal.pictures import FARTHEST_M, UNNAMED, Bytes8, Depth
from vasgen.semantics import BUILDING

#: Corners of vertices that are rounded to float32 in centimetres, metres.
_ROUNDING_M = 0.01

#: Colours of 8 bits turn a normal by 0.4 degrees, shading in half precision by less.
_NORMAL_DEG = 1.0

#: Corners of a pixel, seen from its centre.
_CORNERS = np.array([[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5]])


class Measured(NamedTuple):
    """What Unreal shows, in our units and axes.

    Attributes:
        picture: (H, W, 3) uint8 as lit, or None if not asked for.
        depth: z-depth.
        normal: (H, W, 3) float32 world normals.
        instance: (H, W) int32 object ids; ``UNNAMED`` where Unreal's object carries none.
        named: ids that objects of the level carry, wherever they are.
    """

    picture: Bytes8 | None
    depth: Depth
    normal: Float
    instance: NDArray[np.int32]
    named: frozenset[int]


class Disagreement(NamedTuple):
    """Pixels, (H, W) bool, of which Unreal shows something else than the scene."""

    depth: Bool
    normal: Bool
    instance: Bool


def disagreement(camera: Camera, exact: ImageLayers, measured: Measured) -> Disagreement:
    """Where a view of Unreal is not that of the scene.

    Pixels whose surface is farther than float16 holds are not judged. Normals and objects are
    judged where depths agree.

    Args:
        camera: the view.
        exact: the scene's layers.
        measured: Unreal's.
    """
    seen = np.isfinite(measured.depth.metres)
    far = exact.valid & (exact.depth > FARTHEST_M)
    away = np.abs(measured.depth.metres - exact.depth)
    near = exact.valid & seen & (away <= tolerance(camera, exact, measured.depth.step))
    same = near | far | (~exact.valid & ~seen)
    turned = np.einsum("hwc,hwc->hw", exact.normal, measured.normal) < np.cos(
        np.radians(_NORMAL_DEG)
    )
    other = (measured.instance != UNNAMED) & (measured.instance != exact.instance)
    return Disagreement(~same, near & turned, near & other)


def tolerance(camera: Camera, exact: ImageLayers, step: Float) -> Float:
    """How far depths of the same surface may be apart, (H, W) metres.

    Half a step of float16, and what the surface's slope makes of half a pixel: Unreal may sample
    anywhere in a pixel.

    Args:
        camera: the view.
        exact: the scene's layers.
        step: (H, W) distance between depths that Unreal can tell apart, metres.
    """
    centre = np.einsum("hwc,hwc->hw", camera.rays(), exact.normal)
    slope = np.zeros_like(centre)
    for corner in _CORNERS:
        facing = np.einsum(
            "hwc,hwc->hw", camera.rays(camera.pixel_centres() + corner), exact.normal
        )
        with np.errstate(divide="ignore", invalid="ignore"):
            share = np.where(facing * centre > 0, np.abs(centre / facing - 1), np.inf)
        slope = np.maximum(slope, share)
    return np.asarray(exact.depth * slope + 0.5 * step + _ROUNDING_M, np.float32)


def require_agreement(
    name: str, found: Disagreement, exact: ImageLayers, measured: Measured, limit: float
) -> None:
    """Refuse a view of which Unreal shows something else.

    Args:
        name: what to call the scene.
        found: where the two differ.
        exact: the scene's layers.
        measured: Unreal's.
        limit: largest share of the pixels that may differ.

    Raises:
        InputError: if more differ, naming the first thing that does.
    """
    shares = {kind: float(part.mean()) for kind, part in found._asdict().items()}
    wrong = next((kind for kind, share in shares.items() if share > limit), None)
    if wrong is None:
        return
    row, column = np.argwhere(getattr(found, wrong))[0].tolist()
    shown = {
        "depth": (measured.depth.metres, exact.depth),
        "normal": (measured.normal, exact.normal),
        "instance": (measured.instance, exact.instance),
    }[wrong]
    theirs, ours = (np.round(layer[row, column], 2).tolist() for layer in shown)
    raise InputError(
        f"Unreal shows another {wrong} than scene {name!r} in {100 * shares[wrong]:.1f} % of the "
        f"pixels (allowed: {100 * limit:g} %); at column {column}, row {row} it is {theirs}, not "
        f"{ours}: load the level that was made of this scene."
    )


def require_names(name: str, exact: ImageLayers, measured: Measured, limit: float) -> None:
    """Refuse a view of buildings that the level does not name: nothing would prove their ids.

    Args:
        name: what to call the scene.
        exact: the scene's layers.
        measured: Unreal's.
        limit: largest share of the pixels that may show such buildings.

    Raises:
        InputError: if more do.
    """
    building = np.isin(exact.semantic, list(BUILDING)) & (exact.instance > 0)
    lost = building & ~np.isin(exact.instance, list(measured.named))
    if lost.mean() > limit:
        ids, sizes = np.unique(exact.instance[lost], return_counts=True)
        raise InputError(
            f"{100 * lost.mean():.1f} % of the pixels (allowed: {100 * limit:g} %) show buildings "
            f"of scene {name!r} that no object of the level is named after, most of them "
            f"building_{ids[sizes.argmax()]:05d}: import the level by examples/unreal_import.py "
            "with a content folder, or name its objects so."
        )
