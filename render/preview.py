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

#: Samples a pixel: twice as many cost a third more, and look the same.
_SAMPLES = 16


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
        spec: quality; by default 16 samples a pixel.
        width: width of the picture, pixels.
        height: height of the picture, pixels.

    Raises:
        InputError: if the size is below one pixel.
        StorageError: if the disk refuses.
    """
    conditions = conditions or Conditions()
    spec = spec or RenderSpec(samples_per_pixel=_SAMPLES)
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
    azimuth = np.radians(conditions.sun_azimuth_deg + _FROM_SUN_DEG)
    # The slope of the ray through the picture's middle, where the horizon is level with the eye.
    down = np.arctan(np.tan(np.radians(_FOV_DEG) / 2) * height / width * (1 - 2 * _SKY))
    back = np.array([np.cos(down) * np.sin(azimuth), np.cos(down) * np.cos(azimuth), np.sin(down)])
    camera = Camera.look_at(back, np.zeros(3), width=width, height=height, fov_deg=_FOV_DEG)
    position = camera.rotation @ _nearest(_content(bundle) @ camera.rotation, camera)
    return Camera.look_at(position, position - back, width=width, height=height, fov_deg=_FOV_DEG)


def _nearest(points: NDArray[np.float64], camera: Camera) -> NDArray[np.float64]:
    """Where a camera stands, (3,), that has points just within its margins.

    Each margin is a plane through the camera, before which all points lie: so pairs of margins
    tell how far forward it may go, and then how far aside and down.

    Args:
        points: (N, 3) right, down and forward along the camera's axes.
        camera: whose margins they are; only its intrinsics count.
    """
    size = np.array([camera.width, camera.height])
    edges = np.array([[0.5 - _FILL / 2, _LOWEST - _FILL], [0.5 + _FILL / 2, _LOWEST]])
    low, high = (edges - 0.5) * size / camera.intrinsics[0, 0]
    across, forward = points[:, :2], points[:, 2:]
    least, most = (across - high * forward).max(axis=0), (across - low * forward).min(axis=0)
    depth = ((most - least) / (high - low)).min()
    # In the middle between left and right, and as low as all is still seen.
    first, last = least + high * depth, most + low * depth
    return np.array([(first[0] + last[0]) / 2, first[1], depth])


def _content(bundle: SceneBundle) -> NDArray[np.float64]:
    """Corners of what the picture must show, (N, 3): all that stands, else the ground."""
    table = bundle.face_table
    standing = (table.instance > 0) & ~np.isin(table.semantic, [*WALKABLE, SemanticClass.WATER])
    chosen = table.triangles[standing] if standing.any() else table.triangles
    return chosen.reshape(-1, 3)
