"""Transmitter files: transmitters as JSON or CSV, to choose once and use often.

A JSON file is a list of records, a CSV file has a column for each key and a first line that
names them. Keys: ``name``; ``position``, or ``x``, ``y`` and ``z``; ``power_dbm``;
``orientation_deg``, or ``yaw_deg``, ``pitch_deg`` and ``roll_deg``; ``antenna``, a preset's
name or the keys of an antenna (in CSV as JSON); ``group``; ``context``. Only the position is
needed: the rest is as the spec says.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, ValidationError, model_validator

from vasgen.antenna import ANTENNAS, Antenna
from vasgen.artefact import atomic_file
from vasgen.errors import InputError, suggest, unknown_choice
from vasgen.part import Part
from vasgen.spec import Angle, Position, TransmittersSpec
from vasgen.transmitter import Transmitter

#: Columns of a CSV file that stand for one key of a record.
_POSITION = ("x", "y", "z")
_ANGLES = ("yaw_deg", "pitch_deg", "roll_deg")
_COLUMNS = ("name", *_POSITION, "power_dbm", *_ANGLES, "antenna", "group", "context")


def _antenna(given: object) -> object:
    """The antenna that a text names or spells out; anything else is left to be checked."""
    if not isinstance(given, str):
        return given
    if given in ANTENNAS:
        return ANTENNAS[given]
    if not given.lstrip().startswith("{"):
        raise ValueError(suggest(given, ANTENNAS))
    try:
        return json.loads(given)
    except ValueError as error:
        raise ValueError(f"no valid JSON: {error}") from None


class TransmitterEntry(Part):
    """A transmitter as people write it: what is None is as the spec says.

    Attributes:
        name: unique in the file.
        position: world metres.
        power_dbm: transmit power, dBm.
        orientation_deg: yaw, pitch and roll, degrees.
        antenna: its array and precoding.
        group: only transmitters of one group are on at the same time.
        context: what kind of place it stands at.
    """

    name: Annotated[str, Field(min_length=1)] | None = None
    position: Position
    power_dbm: Annotated[float, Field(ge=-100, le=100)] | None = None
    orientation_deg: tuple[Angle, Angle, Angle] | None = None
    antenna: Annotated[Antenna, BeforeValidator(_antenna)] | None = None
    group: Annotated[int, Field(ge=0)] | None = None
    context: Annotated[str, Field(min_length=1)] = "given"

    @model_validator(mode="before")
    @classmethod
    def _joined(cls, record: Any) -> Any:
        """``x``, ``y``, ``z`` and the three angles as one key each."""
        if not isinstance(record, dict):
            return record
        joined = dict(record)
        _join(joined, "position", _POSITION, {})
        _join(joined, "orientation_deg", _ANGLES, dict.fromkeys(_ANGLES, 0.0))
        return joined

    def resolved(self, index: int, spec: TransmittersSpec) -> Transmitter:
        """The transmitter with that number in the file."""
        return Transmitter(
            f"tx-{index}" if self.name is None else self.name,
            self.position,
            spec.power_dbm if self.power_dbm is None else self.power_dbm,
            self.orientation_deg or spec.orientation_deg,
            self.antenna or spec.antennas[index % len(spec.antennas)],
            index % spec.groups if self.group is None else self.group,
            self.context,
        )


def _join(record: dict[Any, Any], key: str, parts: tuple[str, ...], default: Any) -> None:
    given = {part: record.pop(part) for part in parts if part in record}
    if not given:
        return
    if key in record:
        raise ValueError(f"give either {key} or {', '.join(parts)}")
    values = {**default, **given}
    missing = [part for part in parts if part not in values]
    if missing:
        raise ValueError(f"{missing[0]} is missing")
    record[key] = tuple(_number(part, values[part]) for part in parts)


def _number(key: str, value: object) -> float:
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise ValueError(f"{key} is {value!r}, which is no number") from None


def check_suffix(path: Path) -> None:
    """Refuse what is neither JSON nor CSV by its name.

    Raises:
        InputError: if the suffix is another.
    """
    if path.suffix.lower() not in _READERS:
        raise unknown_choice("suffix of a transmitter file", path.suffix, _READERS)


def read_transmitters(path: Path | str, spec: TransmittersSpec) -> list[Transmitter]:
    """Read transmitters from a JSON or CSV file, told apart by their suffix.

    Args:
        path: file ending in ``.json`` or ``.csv``.
        spec: power, orientation, antennas and groups of transmitters that have none of
            their own.

    Raises:
        InputError: if the file is missing or cannot be read; it names the transmitter and
            the key.
    """
    path = Path(path).expanduser()
    check_suffix(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"cannot read transmitters {path}: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise InputError(f"transmitters {path} are no text file: {error}.") from error
    try:
        records = _READERS[path.suffix.lower()](text)
    except (ValueError, csv.Error) as error:
        raise InputError(f"transmitters {path}: {error}.") from error
    if not records:
        raise InputError(f"transmitters {path}: there are none in it.")
    found = [_entry(path, i, record).resolved(i, spec) for i, record in enumerate(records)]
    _check_names(path, found)
    return found


def _json_records(text: str) -> list[Any]:
    try:
        records = json.loads(text)
    except ValueError as error:
        raise ValueError(f"no valid JSON: {error}") from None
    if not isinstance(records, list):
        raise ValueError('expected a list of records: [{"name": "tx-0", "position": [x, y, z]}]')
    return records


def _csv_records(text: str) -> list[Any]:
    rows = list(csv.reader(io.StringIO(text), strict=True))
    rows = [[cell.strip() for cell in row] for row in rows if any(cell.strip() for cell in row)]
    if not rows:
        return []
    columns = rows[0]
    for column in columns:
        if column not in _COLUMNS:
            raise ValueError(f"unknown column {column!r}; {suggest(column, _COLUMNS)}")
        if columns.count(column) > 1:
            raise ValueError(f"there are {columns.count(column)} columns {column!r}")
    for column in _POSITION:
        if column not in columns:
            raise ValueError(f"column {column!r} is missing; the first line names the columns")
    for number, row in enumerate(rows[1:]):
        if len(row) != len(columns):
            raise ValueError(f"transmitter {number} has {len(row)} cells, not {len(columns)}")
    return [{c: v for c, v in zip(columns, row, strict=True) if v} for row in rows[1:]]


_READERS = {".json": _json_records, ".csv": _csv_records}


def _entry(path: Path, index: int, record: object) -> TransmitterEntry:
    name = record.get("name") if isinstance(record, dict) else None
    label = f"transmitters {path}: transmitter {index}" + (f" ({name})" if name else "")
    if not isinstance(record, dict):
        raise InputError(f"{label} is no record of keys and values.")
    try:
        return TransmitterEntry.model_validate(record)
    except ValidationError as error:
        raise InputError(f"{label}: {_explain(error.errors()[0])}.") from None


def _explain(problem: Any) -> str:
    """One line from one pydantic problem, without a full stop."""
    key = ".".join(str(part) for part in problem["loc"])
    message = problem["msg"].removeprefix("Value error, ").rstrip(".")
    if problem["type"] == "missing":
        return f"{key} is missing"
    if problem["type"] == "extra_forbidden":
        return f"unknown key {key!r}; {suggest(key, TransmitterEntry.model_fields)}".rstrip(".?")
    if not key:
        return str(message)
    return f"{key} is {problem['input']!r}: {message[0].lower()}{message[1:]}"


def _check_names(path: Path, transmitters: Sequence[Transmitter]) -> None:
    first: dict[str, int] = {}
    for index, transmitter in enumerate(transmitters):
        before = first.setdefault(transmitter.name, index)
        if before != index:
            raise InputError(
                f"transmitters {path}: transmitters {before} and {index} are both named "
                f"{transmitter.name!r}; give each its own name."
            )


def write_transmitters(path: Path | str, transmitters: Sequence[Transmitter]) -> None:
    """Write transmitters to a JSON or CSV file, by its suffix.

    Args:
        path: file ending in ``.json`` or ``.csv``; replaced if it exists.
        transmitters: in order.

    Raises:
        InputError: if the suffix is another.
        StorageError: if the disk refuses.
    """
    path = Path(path)
    check_suffix(path)
    records = [{**t.to_dict(), "antenna": _plain(t.antenna)} for t in transmitters]
    with atomic_file(path) as scratch:
        if path.suffix.lower() == ".json":
            scratch.write_text(json.dumps(records, indent=1) + "\n", encoding="utf-8")
        else:
            scratch.write_text(_csv_text(records), encoding="utf-8")


def _plain(antenna: Antenna) -> str | dict[str, Any]:
    """The name of a preset, else the keys that are not as usual."""
    names = {preset: name for name, preset in ANTENNAS.items()}
    return names.get(antenna) or antenna.model_dump(mode="json", exclude_defaults=True)


def _csv_text(records: Sequence[dict[str, Any]]) -> str:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(_COLUMNS)
    for record in records:
        antenna = record["antenna"]
        table.writerow(
            [
                record["name"],
                *record["position"],
                record["power_dbm"],
                *record["orientation_deg"],
                antenna if isinstance(antenna, str) else json.dumps(antenna),
                record["group"],
                record["context"],
            ]
        )
    return text.getvalue()
