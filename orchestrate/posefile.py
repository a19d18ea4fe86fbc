"""Pose files: cameras as JSON, to plan once and render often.

A record may say when the camera is there, ``time_s``, and how it moves, ``velocity_m_s``,
and turns, ``turn_deg_s``.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from vasgen.artefact import atomic_file
from vasgen.camera import Camera
from vasgen.conditions import Vector
from vasgen.errors import InputError

FORMAT_VERSION = 1


class Pose(NamedTuple):
    """A camera, and of a trajectory its moment and motion.

    Attributes:
        camera: the camera.
        time_s: seconds from the first frame; None if the file names none.
        velocity_m_s: world axes, metres a second; None if the file names none.
        turn_deg_s: along the axis that the camera turns about, world axes, degrees a second;
            None if the file names none.
    """

    camera: Camera
    time_s: float | None = None
    velocity_m_s: Vector | None = None
    turn_deg_s: Vector | None = None

    def resized(self, width: int | None = None, height: int | None = None) -> Pose:
        """The same pose with another number of pixels; see :meth:`Camera.resized`."""
        return self._replace(camera=self.camera.resized(width, height))

    def to_record(self) -> dict[str, Any]:
        """Plain values that :meth:`from_record` reads back."""
        record = self.camera.to_dict()
        if self.time_s is not None:
            record["time_s"] = self.time_s
        if self.velocity_m_s is not None:
            record["velocity_m_s"] = list(self.velocity_m_s)
        if self.turn_deg_s is not None:
            record["turn_deg_s"] = list(self.turn_deg_s)
        return record

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> Pose:
        """A pose from plain values.

        Raises:
            InputError: if the camera is none, or a number is missing or not finite.
        """
        (time,) = _numbers(record, "time_s", 1)
        vectors = (_numbers(record, key, 3) for key in ("velocity_m_s", "turn_deg_s"))
        velocity, turn = (None if vector[0] is None else vector for vector in vectors)
        return cls(Camera.from_dict(record), time, velocity, turn)


def write_poses(path: Path, cameras: Sequence[Camera]) -> None:
    """Write cameras to a JSON file.

    Raises:
        StorageError: if the disk refuses.
    """
    _write(path, [camera.to_dict() for camera in cameras])


def write_track(path: Path, poses: Sequence[Pose]) -> None:
    """Write cameras with their times, velocities and turns to a JSON file.

    Raises:
        StorageError: if the disk refuses.
    """
    _write(path, [pose.to_record() for pose in poses])


def read_poses(path: Path | str) -> list[Camera]:
    """Read cameras from a JSON file: ``{"cameras": [record, …]}``.

    Raises:
        InputError: if the file is missing, is no JSON, or holds no camera.
    """
    return [pose.camera for pose in read_track(path)]


def read_track(path: Path | str) -> list[Pose]:
    """Read cameras from a JSON file, with the times, velocities and turns that it names.

    Raises:
        InputError: if the file is missing, is no JSON, holds no camera, some of its records
            lack what others hold, or its times do not increase.
    """
    path = Path(path)
    try:
        record = json.loads(path.read_text())
    except OSError as error:
        raise InputError(f"cannot read poses {path}: {error.strerror}.") from error
    except ValueError as error:
        raise InputError(f"poses {path} are no valid JSON: {error}.") from error
    cameras = record.get("cameras") if isinstance(record, dict) else None
    if not isinstance(cameras, list) or not cameras:
        raise InputError(
            f'poses {path} hold no cameras; expected {{"cameras": [...]}}, as written by '
            "vasgen plan."
        )
    poses = [_pose(path, index, entry) for index, entry in enumerate(cameras)]
    _check_alike(path, poses)
    times = [pose.time_s for pose in poses if pose.time_s is not None]
    if any(later <= earlier for earlier, later in pairwise(times)):
        raise InputError(f"poses {path}: time_s must increase from camera to camera.")
    return poses


def _write(path: Path, records: Sequence[dict[str, Any]]) -> None:
    record = {"format": FORMAT_VERSION, "cameras": records}
    with atomic_file(path) as scratch:
        scratch.write_text(json.dumps(record, indent=1) + "\n")


def _pose(path: Path, index: int, entry: object) -> Pose:
    if not isinstance(entry, dict):
        raise InputError(f"poses {path}: camera {index} is no record of keys and values.")
    try:
        return Pose.from_record(entry)
    except InputError as error:
        raise InputError(f"poses {path}: camera {index}: {error}") from error


def _check_alike(path: Path, poses: Sequence[Pose]) -> None:
    """Refuse a time or a motion that some cameras have and others lack."""
    for key in ("time_s", "velocity_m_s", "turn_deg_s"):
        has = [getattr(pose, key) is not None for pose in poses]
        if any(has) and not all(has):
            raise InputError(
                f"poses {path}: camera {has.index(True)} has {key}, camera {has.index(False)} has "
                "none; give it in each record or in none."
            )


def _numbers(entry: dict[str, Any], key: str, count: int) -> tuple[Any, ...]:
    """The finite numbers under a key; so many None if it is not there."""
    given = entry.get(key)
    if given is None:
        return (None,) * count
    listed = given if isinstance(given, list) else [given]
    numbers = all(isinstance(value, int | float) for value in listed) and len(listed) == count
    if not numbers or not all(math.isfinite(value) for value in listed):
        what = "a finite number" if count == 1 else f"{count} finite numbers"
        raise InputError(f"{key} is {given!r}; allowed: {what}.")
    return tuple(float(value) for value in listed)
