"""Whether given cameras stand where a camera can stand, before any of them is rendered."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vasgen.bundle import SceneBundle
from vasgen.camera import Camera
from vasgen.errors import InputError
from vasgen.inside import inside_solid, solid_around
from vasgen.orchestrate.glance import is_class
from vasgen.raycast import RayCaster
from vasgen.semantics import WALKABLE


def check_cameras(bundle: SceneBundle, cameras: Sequence[Camera], names: Sequence[str]) -> None:
    """Refuse cameras inside a solid or below the ground.

    Args:
        bundle: the scene.
        cameras: at least one.
        names: of their views, for the error.

    Raises:
        InputError: naming the first such view.
    """
    caster = RayCaster(bundle)
    eyes = np.array([camera.position for camera in cameras])
    lowest = float(bundle.bounds[0, 2])
    grounded = bool(is_class(caster.faces.semantic, WALKABLE).any())
    wrong = inside_solid(caster, eyes) | (grounded & (eyes[:, 2] < lowest))
    if not wrong.any():
        return
    first = int(np.argmax(wrong))
    x, y, z = eyes[first].round(2).tolist()
    where = solid_around(caster, eyes[first]) or "the ground: all of the scene is above it"
    more = int(wrong.sum()) - 1
    others = f" (and {more} more)" if more else ""
    raise InputError(
        f"view {names[first]}{others}: camera at ({x}, {y}, {z}) is inside {where}; "
        "move it outside."
    )
