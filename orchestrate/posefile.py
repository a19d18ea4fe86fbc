"""Pose files: cameras as JSON, to plan once and render often."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from vasgen.artefact import atomic_file
from vasgen.camera import Camera
from vasgen.errors import InputError

FORMAT_VERSION = 1


def write_poses(path: Path, cameras: Sequence[Camera]) -> None:
    """Write cameras to a JSON file.

    Raises:
        StorageError: if the disk refuses.
    """
    record = {"format": FORMAT_VERSION, "cameras": [camera.to_dict() for camera in cameras]}
    with atomic_file(path) as scratch:
        scratch.write_text(json.dumps(record, indent=1) + "\n")


def read_poses(path: Path | str) -> list[Camera]:
    """Read cameras from a JSON file: ``{"cameras": [record, …]}``.

    Raises:
        InputError: if the file is missing, is no JSON, or holds no camera.
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
    return [_camera(path, index, entry) for index, entry in enumerate(cameras)]


def _camera(path: Path, index: int, entry: object) -> Camera:
    if not isinstance(entry, dict):
        raise InputError(f"poses {path}: camera {index} is no record of keys and values.")
    try:
        return Camera.from_dict(entry)
    except InputError as error:
        raise InputError(f"poses {path}: camera {index}: {error}") from error
