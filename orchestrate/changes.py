"""Changes: what of a dataset can be another without tracing it again.

A file of changes is a part of a spec: ``radio`` and ``transmitters`` with the keys that change,
and ``materials``, the name of a radio material of the scene to what it is made of.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vasgen.bundle import RadioMaterial, SceneBundle
from vasgen.errors import InputError, unknown_choice
from vasgen.spec import DatasetSpec, TransmittersSpec, parse_spec, read_plain
from vasgen.transmitter import Transmitter

#: Keys that change the fields of paths, and those that change only what follows from the gain.
FIELD_KEYS = {
    "radio": (
        "frequency_hz",
        "undefined_materials",
        "scattering_coefficient",
        "strongest_paths",
    ),
    "transmitters": ("orientation_deg", "antennas"),
}
BUDGET_KEYS = {
    "radio": ("bandwidth_hz", "temperature_k", "noise_figure_db"),
    "transmitters": ("power_dbm", "groups"),
}

MATERIALS = "materials"
_MATERIAL_KEYS = tuple(f.name for f in dataclasses.fields(RadioMaterial) if f.name != "name")
_CONSTANTS = ("relative_permittivity", "conductivity_s_per_m")


@dataclass(frozen=True, eq=False)
class Changed:
    """A dataset's settings after a change.

    Attributes:
        spec: the whole spec.
        transmitters: all transmitters.
        bundle: the scene, with its materials.
        differences: dotted key to the old and the new value, as plain values.
        fields: whether the fields of paths change, not only the link budget.
    """

    spec: DatasetSpec
    transmitters: tuple[Transmitter, ...]
    bundle: SceneBundle
    differences: dict[str, list[Any]]
    fields: bool


def read_changes(path: Path | str) -> dict[str, Any]:
    """The changes that a YAML file holds, not checked yet.

    Raises:
        InputError: if the file is missing or holds no keys and values.
    """
    record = read_plain(path)
    if not isinstance(record, dict):
        raise InputError(f"changes {path} must hold keys and values: radio, transmitters, …")
    return record


def apply_changes(
    changes: Mapping[str, Any],
    spec: DatasetSpec,
    transmitters: Sequence[Transmitter],
    bundle: SceneBundle,
) -> Changed:
    """Settings with some changes.

    Args:
        changes: ``radio``, ``transmitters`` and ``materials`` as a file of changes has them.
        spec: of the dataset.
        transmitters: of the dataset.
        bundle: its scene.

    Raises:
        InputError: naming a key or value that is not allowed, or that needs tracing.
    """
    parts = ("radio", "transmitters", MATERIALS)
    for part, content in changes.items():
        if part not in parts:
            raise _untraceable(str(part))
        if not isinstance(content, dict):
            raise InputError(f"changes: {part} must hold keys and values, not {content!r}.")
    plain = spec.to_plain()
    for part in parts[:2]:
        plain[part] = {**plain[part], **changes.get(part, {})}
    wanted = parse_spec(plain, "changes")
    differences = _differences(spec, wanted, changes)
    placed = tuple(
        _redealt(t, number, wanted.transmitters, changes.get("transmitters", {}))
        for number, t in enumerate(transmitters)
    )
    made = _remade(bundle, changes.get(MATERIALS, {}))
    for old, new in zip(bundle.radio_materials, made.radio_materials, strict=True):
        if old != new:
            differences[f"{MATERIALS}.{old.name}"] = [_plain(old), _plain(new)]
    if not differences and placed == tuple(transmitters):
        raise InputError(
            "nothing would change: these are the settings of the dataset. Without tracing can "
            f"change: {_allowed()}."
        )
    fields = any(_is_field(key) for key in differences) or any(
        (old.antenna, old.orientation_deg) != (new.antenna, new.orientation_deg)
        for old, new in zip(transmitters, placed, strict=True)
    )
    return Changed(wanted, placed, made, differences, fields)


def _differences(
    old: DatasetSpec, new: DatasetSpec, changes: Mapping[str, Any]
) -> dict[str, list[Any]]:
    """Keys whose values differ, or that transmitters of their own are told; old and new value."""
    found = {}
    before, after = old.model_dump(mode="json"), new.model_dump(mode="json")
    for part in ("radio", "transmitters"):
        for key, value in after[part].items():
            told = part == "transmitters" and key in changes.get(part, {})
            if value == before[part][key] and not (told and old.transmitters.file is not None):
                continue
            if key not in (*FIELD_KEYS[part], *BUDGET_KEYS[part]):
                raise _untraceable(f"{part}.{key}")
            found[f"{part}.{key}"] = [before[part][key], value]
    return found


def _is_field(key: str) -> bool:
    part, _, name = key.partition(".")
    return part == MATERIALS or (part == "radio" and name in FIELD_KEYS["radio"])


def _redealt(
    transmitter: Transmitter, number: int, spec: TransmittersSpec, told: Iterable[str]
) -> Transmitter:
    """A transmitter with what it is told; it keeps what is its own."""
    values: dict[str, Any] = {
        "power_dbm": spec.power_dbm,
        "orientation_deg": spec.orientation_deg,
        "antennas": spec.antennas[number % len(spec.antennas)],
        "groups": number % spec.groups,
    }
    names = {"antennas": "antenna", "groups": "group"}
    new = {names.get(key, key): value for key, value in values.items() if key in told}
    return dataclasses.replace(transmitter, **new)


def _remade(bundle: SceneBundle, materials: Mapping[str, Any]) -> SceneBundle:
    known = {material.name: material for material in bundle.radio_materials}
    for name, made_of in materials.items():
        if name not in known:
            raise unknown_choice("radio material", str(name), sorted(known))
        known[name] = _material(known[name], made_of)
    return dataclasses.replace(bundle, radio_materials=tuple(known.values()))


def _material(old: RadioMaterial, made_of: Any) -> RadioMaterial:
    """The material of that ITU type, or with those constants."""
    given = {"itu_type": made_of} if isinstance(made_of, str) else made_of
    if not isinstance(given, dict):
        raise InputError(
            f"radio material {old.name!r} is {made_of!r}; expected an ITU type, or keys and "
            f"values of: {', '.join(_MATERIAL_KEYS)}."
        )
    for key, value in given.items():
        if key not in _MATERIAL_KEYS:
            raise unknown_choice(f"key of radio material {old.name!r}", str(key), _MATERIAL_KEYS)
        kinds = str if key == "itu_type" else (int, float)
        if not isinstance(value, kinds) or isinstance(value, bool):
            kind = "a name" if key == "itu_type" else "a number"
            raise InputError(f"radio material {old.name!r}: {key} is {value!r}; expected {kind}.")
    if any(key in given for key in _CONSTANTS):
        if "itu_type" in given:
            raise InputError(
                f"radio material {old.name!r}: give either itu_type or {' and '.join(_CONSTANTS)}."
            )
        if old.itu_type is not None and not all(key in given for key in _CONSTANTS):
            raise InputError(f"radio material {old.name!r}: give both {' and '.join(_CONSTANTS)}.")
        given = {**given, "itu_type": None}
    numbers = {key: float(value) for key, value in given.items() if key != "itu_type"}
    return dataclasses.replace(old, **{**given, **numbers})


def _plain(material: RadioMaterial) -> dict[str, Any]:
    return {key: getattr(material, key) for key in _MATERIAL_KEYS}


def _untraceable(key: str) -> InputError:
    return InputError(
        f"{key} cannot change without tracing: build the dataset anew with it. "
        f"Without tracing can change: {_allowed()}."
    )


def _allowed() -> str:
    keys = [
        f"{part}.{key}"
        for table in (FIELD_KEYS, BUDGET_KEYS)
        for part, names in table.items()
        for key in names
    ]
    return ", ".join([*keys, MATERIALS])
