"""The record of a view: what its ``view.json`` holds."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vasgen.camera import Camera
from vasgen.conditions import Conditions
from vasgen.datasets.records import check_keys, check_values
from vasgen.layers import ImageLayers, RadioLayers
from vasgen.transmitter import Transmitter

FORMAT_VERSION = 3

_NULL = type(None)
_KINDS: dict[str, type | tuple[type, ...]] = {
    "camera": dict,
    "scene_hash": str,
    "recipe": str,
    "seeds": dict,
    "conditions": (dict, _NULL),
    "transmitters": list,
    "radio_spec": (dict, _NULL),
    "problems": list,
    "files": dict,
}


@dataclass(frozen=True, eq=False)
class ViewRecord:
    """What ``view.json`` holds besides statistics.

    Attributes:
        camera: intrinsics and pose.
        scene_hash: content hash of the scene bundle.
        recipe: digest of all that decides the view's bytes; a view of another recipe
            is made anew.
        seeds: seed of each stage, by its name.
        conditions: what the picture was drawn in; None without a picture.
        transmitters: in the order of the first axis of the radio layers.
        radio_spec: propagation the radio layers were traced with; None before tracing.
        problems: what the physics gate found wrong with the radio layers, one line each.
        files: file name to SHA-256, hexadecimal.
    """

    camera: Camera
    scene_hash: str
    recipe: str
    seeds: dict[str, int]
    conditions: Conditions | None = None
    transmitters: tuple[Transmitter, ...] = ()
    radio_spec: dict[str, Any] | None = None
    problems: tuple[str, ...] = ()
    files: dict[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        parts = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        parts["camera"] = self.camera.to_dict()
        parts["conditions"] = self.conditions and self.conditions.to_record()
        parts["transmitters"] = [t.to_dict() for t in self.transmitters]
        parts["problems"] = list(self.problems)
        return {"format": FORMAT_VERSION, **parts}

    @classmethod
    def from_dict(cls, record: dict[str, Any]) -> ViewRecord:
        """Inverse of :meth:`to_dict`; other keys are ignored.

        Raises:
            TypeError: if a key is missing, or its value of another kind.
            InputError: if the camera, the conditions or a transmitter cannot be read.
        """
        record = {"conditions": None, **record}  # format 2 knew none
        check_keys(record, _KINDS, "it")
        check_values(record["seeds"], int, "seeds")
        check_values(record["files"], str, "files")
        parts = {f.name: record[f.name] for f in dataclasses.fields(cls)}
        parts["camera"] = Camera.from_dict(record["camera"])
        conditions = record["conditions"]
        parts["conditions"] = conditions and Conditions.from_record(conditions)
        parts["transmitters"] = tuple(map(Transmitter.from_dict, record["transmitters"]))
        parts["problems"] = tuple(map(str, record["problems"]))
        return cls(**parts)


def statistics(image: ImageLayers, radio: RadioLayers | None) -> dict[str, Any]:
    """Shares and medians that say what a view shows, rounded for reading."""
    valid = image.valid
    result: dict[str, Any] = {"valid_share": _share(valid)}
    if valid.any():
        depth = image.depth[valid]
        result["depth_m"] = _rounded(depth.min(), np.median(depth), depth.max())
    if radio is not None and valid.any():
        result["reached_share"] = [_share(r[valid]) for r in radio.reached]
        result["line_of_sight_share"] = [_share(s[valid]) for s in radio.line_of_sight]
        result["median_path_gain_db"] = _rounded(
            *(np.median(gain[valid]) for gain in radio.path_gain_db)
        )
    return result


def _share(mask: NDArray[np.bool_]) -> float:
    return round(float(mask.mean()), 4)


def _rounded(*values: Any) -> list[float]:
    return [round(float(value), 2) for value in values]
