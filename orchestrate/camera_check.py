"""Whether cameras stand and move as cameras can, before any of them is rendered."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vasgen.camera import Camera
from vasgen.errors import InputError
from vasgen.inside import obstructed, solid_around
from vasgen.orchestrate.posefile import Pose
from vasgen.raycast import RayCaster
from vasgen.render_spec import RenderSpec


def check_cameras(caster: RayCaster, cameras: Sequence[Camera], names: Sequence[str]) -> None:
    """Refuse cameras inside a solid or in the earth.

    Args:
        caster: of the scene.
        cameras: at least one.
        names: of their views, for the error.

    Raises:
        InputError: naming the first such view.
    """
    eyes = np.array([camera.position for camera in cameras])
    wrong = obstructed(caster, eyes)
    if not wrong.any():
        return
    first = int(np.argmax(wrong))
    x, y, z = eyes[first].round(2).tolist()
    where = solid_around(caster, eyes[first])
    more = int(wrong.sum()) - 1
    others = f" (and {more} more)" if more else ""
    raise InputError(f"view {names[first]}{others}: camera at ({x}, {y}, {z}) is {where}.")


def check_motion(poses: Sequence[Pose], spec: RenderSpec) -> None:
    """Refuse an open shutter where nothing moves, and a motion where the poses name their own.

    Args:
        poses: of the views.
        spec: conditions of their pictures.

    Raises:
        InputError: saying which.
    """
    moves = [pose.velocity_m_s is not None for pose in poses]
    turns = [pose.turn_deg_s is not None for pose in poses]
    asked = spec.speed_m_s != 0.0 or spec.turn_deg_s != 0.0
    if spec.shutter_s != 0.0 and not asked and not any(moves + turns):
        raise InputError(
            f"shutter_s is {spec.shutter_s}, but no camera moves: give speed_m_s or turn_deg_s "
            "too, or poses with velocities, as vasgen fly writes them."
        )
    if spec.speed_m_s != 0.0 and all(moves):
        raise InputError(
            f"speed_m_s is {spec.speed_m_s}, but the poses say how they move: leave it out."
        )
    if spec.turn_deg_s != 0.0 and all(turns):
        raise InputError(
            f"turn_deg_s is {spec.turn_deg_s}, but the poses say how they turn: leave it out."
        )
