"""A picture of a whole scene: what a city looks like, at a glance."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vasgen.bundle import SceneBundle
from vasgen.camera import Camera
from vasgen.conditions import Conditions
from vasgen.render.picture import to_display, write_png
from vasgen.render.renderer import Renderer
from vasgen.render_spec import RenderSpec
from vasgen.semantics import WALKABLE, SemanticClass

_FOV_DEG = 50.0

#: Share of the picture's height above the horizon: for sky and hills.
_SKY = 0.12

#: Where the camera stands seen from the scene, degrees clockwise from the sun: the light
#: then comes over a shoulder and models the facades.
_FROM_SUN_DEG = 55.0

#: Share of the picture's width or height that the objects fill, and where the lowest are.
_FILL, _LOWEST = 0.94, 0.96


def preview(
    bundle: SceneBundle,
    path: Path | str,
    *,
    conditions: Conditions | None = None,
    spec: RenderSpec | None = None,
    width: int = 1280,
    height: int = 800,
) -> Path:
    """Draw a scene from above as PNG.

    Args:
        bundle: the scene.
        path: destination.
        conditions: light, air and motion; by default a clear afternoon.
        spec: quality; the default spec if omitted.
        width: width of the picture, pixels.
        height: height of the picture, pixels.

    Raises:
        InputError: if the size is below one pixel.
        StorageError: if the disk refuses.
    """
    conditions = conditions or Conditions()
    camera = overview_camera(bundle, conditions, width=width, height=height)
    rgb = Renderer(bundle, spec).layers(camera, conditions).arrays()["rgb"]
    return write_png(path, to_display(rgb, conditions))


def overview_camera(
    bundle: SceneBundle, conditions: Conditions, *, width: int, height: int
) -> Camera:
    """A camera high above that sees all that stands, with the horizon near the picture's top.

    Args:
        bundle: the scene.
        conditions: whose sun decides from which side to look.
        width: width of the picture, pixels.
        height: height of the picture, pixels.
    """
    points = _content(bundle)
    azimuth = np.radians(conditions.sun_azimuth_deg + _FROM_SUN_DEG)
    # The slope of the ray through the picture's middle, where the horizon is level with the eye.
    down = np.arctan(np.tan(np.radians(_FOV_DEG) / 2) * height / width * (1 - 2 * _SKY))
    back = np.array([np.cos(down) * np.sin(azimuth), np.cos(down) * np.cos(azimuth), np.sin(down)])
    aim = (points.min(axis=0) + points.max(axis=0)) / 2
    distance = 2 * float(np.linalg.norm(np.ptp(points, axis=0))) + 1.0
    for _ in range(40):
        camera = Camera.look_at(
            aim + distance * back, aim, width=width, height=height, fov_deg=_FOV_DEG
        )
        pixels, depth = camera.project(points)
        low, high = pixels.min(axis=0), pixels.max(axis=0)
        if depth.min() <= 0:
            distance *= 1.5
            continue
        # Centre what is seen and set it on the lower edge, then fill the picture with it.
        place = np.array([(low[0] + high[0]) / 2, high[1]])
        wanted = np.array([0.5 * width, _LOWEST * height])
        shift = (place - wanted) * depth.min() / camera.intrinsics[0, 0]
        aim = aim + camera.rotation[:, :2] @ shift
        distance *= float(np.clip(((high - low) / [width, height]).max() / _FILL, 0.7, 1.4))
    return camera


def _content(bundle: SceneBundle) -> NDArray[np.float64]:
    """Corners of what the picture must show, (N, 3): all that stands, else the ground."""
    table = bundle.face_table
    standing = (table.instance > 0) & ~np.isin(table.semantic, [*WALKABLE, SemanticClass.WATER])
    chosen = table.triangles[standing] if standing.any() else table.triangles
    return chosen.reshape(-1, 3)
