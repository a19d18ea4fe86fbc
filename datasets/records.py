"""Records: JSON files that must hold what we wrote, whatever happened to them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vasgen.artefact import DAMAGE
from vasgen.errors import StorageError


def read_json(path: Path) -> Any:
    """The content of a JSON file.

    Raises:
        StorageError: if it cannot be read.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except DAMAGE as error:
        raise StorageError(f"{path} is damaged: {error}") from error


def check_keys(record: object, kinds: Mapping[str, type | tuple[type, ...]], what: str) -> None:
    """Refuse a record that lacks a key, or holds a value of another kind.

    Args:
        record: as read from JSON.
        kinds: key to the kind, or kinds, of its value.
        what: name of the record in an error, e.g. ``"samples[3]"``.

    Raises:
        TypeError: naming the first wrong key.
    """
    if not isinstance(record, dict):
        raise TypeError(f"{what} is no record of keys and values")
    for key, kind in kinds.items():
        if key not in record:
            raise TypeError(f"{what} lacks {key!r}")
        if not isinstance(record[key], kind):
            raise TypeError(f"{key!r} of {what} is {type(record[key]).__name__}")


def check_values(record: Mapping[str, object], kind: type, what: str) -> None:
    """Refuse a record with a value of another kind.

    Raises:
        TypeError: naming the first wrong key.
    """
    check_keys(record, dict.fromkeys(record, kind), what)
