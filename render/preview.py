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

_FOV_DEG = 45.0
_DOWN_DEG = 35.0

#: Where the camera stands seen from the scene, degrees clockwise from the sun: the light
#: then comes over a shoulder and models the facades.
_FROM_SUN_DEG = 55.0

#: Share of the picture's width or height that the objects fill.
_FILL = 0.96


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
    """A camera high above, looking 35 degrees down, that sees all objects.

    Args:
        bundle: the scene.
        conditions: whose sun decides from which side to look.
        width: width of the picture, pixels.
        height: height of the picture, pixels.
    """
    points = _content(bundle)
    azimuth = np.radians(conditions.sun_azimuth_deg + _FROM_SUN_DEG)
    down = np.radians(_DOWN_DEG)
    back = np.array([np.cos(down) * np.sin(azimuth), np.cos(down) * np.cos(azimuth), np.sin(down)])
    aim = (points.min(axis=0) + points.max(axis=0)) / 2
    distance = 2 * float(np.linalg.norm(np.ptp(points, axis=0))) + 1.0
    for _ in range(12):
        camera = Camera.look_at(
            aim + distance * back, aim, width=width, height=height, fov_deg=_FOV_DEG
        )
        pixels, depth = camera.project(points)
        low, high = pixels.min(axis=0), pixels.max(axis=0)
        if depth.min() <= 0:
            distance *= 1.5
            continue
        # Centre what is seen, then fill the picture with it.
        shift = ((low + high) / 2 - [width / 2, height / 2]) * distance / camera.intrinsics[0, 0]
        aim = aim + camera.rotation[:, :2] @ shift
        distance *= float(np.clip(((high - low) / [width, height]).max() / _FILL, 0.5, 2.0))
    return camera


def _content(bundle: SceneBundle) -> NDArray[np.float64]:
    """Corners of what the picture must show, (N, 3): the objects, else the ground."""
    table = bundle.face_table
    objects = table.instance > 0
    chosen = table.triangles[objects] if objects.any() else table.triangles
    return chosen.reshape(-1, 3)
