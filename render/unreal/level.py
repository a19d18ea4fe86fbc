"""The level that an Unreal has loaded, with a camera of ours in it."""

from __future__ import annotations

import dataclasses

from vasgen.camera import Camera
from vasgen.conditions import Conditions
from vasgen.errors import InputError
from vasgen.render.unreal.connection import Connection, is_refusal
from vasgen.render.unreal.coordinates import field_of_view_deg, light_rotation, unreal_pose
from vasgen.render.unreal.pictures import colour, object_id
from vasgen.sun import sun_direction

#: The level's sun, if it is one that can be turned.
SUN = "Sun"

#: Conditions that a sun can be turned to; the others are Unreal's own.
_OF_THE_SUN = ("sun_elevation_deg", "sun_azimuth_deg")

#: Conditions of any value: motion shows while the shutter is open only, and it cannot be.
_ANY = (*_OF_THE_SUN, "velocity_m_s", "turn_deg_s")


class Level:
    """The level at the end of one connection; spawns a camera.

    Args:
        connection: that is open.

    Attributes:
        opened: which connection it belongs to.
        ids: object ids by colour in the mask.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection, self.opened = connection, connection.opened
        before = str(connection.ask("vget /cameras")).split()
        connection.ask("vset /cameras/spawn")
        after = str(connection.ask("vget /cameras")).split()
        if len(after) <= len(before):
            raise InputError(f"UnrealCV at {connection.address} spawned no camera.")
        kept = [ours == theirs for ours, theirs in zip(before, after, strict=False)]
        self._camera = kept.index(False) if False in kept else len(before)
        self._names = str(connection.ask("vget /objects")).split()
        replies = connection.ask_all([f"vget /object/{name}/color" for name in self._names])
        self.ids = {
            colour(reply): object_id(name)
            for name, reply in zip(self._names, replies, strict=True)
            if not is_refusal(reply)  # lights and the sky have no colour
        }

    def light(self, conditions: Conditions) -> None:
        """Turn the level's sun.

        Raises:
            InputError: if the level has none that is known by its name.
        """
        if SUN in self._names:
            to_sun = sun_direction(conditions.sun_elevation_deg, conditions.sun_azimuth_deg)
            self._set(f"/object/{SUN}/rotation", light_rotation(to_sun))
            return
        if any(getattr(conditions, name) != getattr(Conditions(), name) for name in _OF_THE_SUN):
            raise InputError(
                f"the level has no light named {SUN!r} to turn to elevation "
                f"{conditions.sun_elevation_deg:g} and azimuth {conditions.sun_azimuth_deg:g} "
                "degrees: import it by examples/unreal_import.py, or leave out the sun."
            )

    def place(self, camera: Camera) -> None:
        """Put our camera where another one is."""
        pose, ours = unreal_pose(camera), f"/camera/{self._camera}"
        self._set(f"{ours}/size", (camera.width, camera.height))
        self._set(f"{ours}/fov", (field_of_view_deg(camera),))
        self._set(f"{ours}/location", pose.location)
        self._set(f"{ours}/rotation", pose.rotation)

    def capture(self, what: str) -> object:
        """What our camera sees: "lit png", "depth npy", …"""
        return self._connection.ask(f"vget /camera/{self._camera}/{what}")

    def _set(self, what: str, values: tuple[float, ...]) -> None:
        numbers = " ".join(str(v) if isinstance(v, int) else f"{v:.7f}" for v in values)
        self._connection.ask(f"vset {what} {numbers}")


def settable(conditions: Conditions) -> Conditions:
    """The same conditions, if Unreal can be told to have them.

    Raises:
        InputError: naming the one that it cannot.
    """
    usual = Conditions()
    for field in dataclasses.fields(conditions):
        value = getattr(conditions, field.name)
        if field.name not in _ANY and value != getattr(usual, field.name):
            raise InputError(
                f"{field.name} is {value}; UnrealCV can set {' and '.join(_OF_THE_SUN)} only: "
                "leave it out, or use the backend mitsuba."
            )
    if conditions.sun_elevation_deg <= 0:
        raise InputError(
            f"sun_elevation_deg is {conditions.sun_elevation_deg:g}; Unreal's level has no light "
            "at night: choose more than 0, or use the backend mitsuba."
        )
    return conditions
