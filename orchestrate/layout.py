"""A dataset folder while it is built: the files of its build, its lock and whose it is."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from vasgen.artefact import DAMAGE, atomic_file, sha256_of, storage_errors
from vasgen.datasets.manifest import MANIFEST_JSON, PLAN_JSON, SPEC_YAML
from vasgen.errors import InputError, StorageError
from vasgen.spec import DatasetSpec, spec_from_yaml

_LOCK = ".vasgen-lock"

#: Keys of a spec that name files: what counts is what is in them, not where they are.
POSES, SOURCE, TRANSMITTERS = "views.poses", "scene.source", "transmitters.file"


@contextmanager
def locked(out: Path) -> Iterator[None]:
    """Make the folder and keep a second build out of it; a killed build's lock is free.

    An empty folder is removed again at the end.

    Raises:
        InputError: if it is a file, or another build is at work there.
        StorageError: if the disk refuses.
    """
    if out.is_file():
        raise InputError(f"{out} is a file; choose a folder with --out.")
    with storage_errors(out):
        lock = _lock(out)
    try:
        yield
    finally:
        # Whoever opened the file before finds it gone and starts over: see _lock.
        with suppress(OSError):
            (out / _LOCK).unlink()
        os.close(lock)
        with suppress(OSError):
            out.rmdir()


def claim(out: Path, spec: DatasetSpec) -> bool:
    """Make the folder this spec's, or refuse if it is something else's.

    Returns:
        Whether the folder was nobody's before.

    Raises:
        InputError: if it holds another spec's dataset, or anything else.
        StorageError: if the disk refuses, or the plan is damaged.
    """
    path, planned = out / SPEC_YAML, is_planned(out)
    fresh = not path.is_file()
    if fresh and any(not p.name.startswith(".") for p in out.iterdir()):
        raise InputError(f"{out} is not empty and holds no dataset; choose another --out.")
    if not fresh:
        there = spec_from_yaml(path.read_text(), str(path))
        difference = _difference(there, spec, _recorded(out / PLAN_JSON) if planned else None)
        if difference:
            raise InputError(
                f"{out} holds a dataset of another spec: {difference}. "
                "Choose another --out, or delete that folder."
            )
    if not planned:
        with atomic_file(path) as scratch:
            scratch.write_text(spec.to_yaml())
    return fresh


def is_planned(out: Path) -> bool:
    """Whether anything was made from the files that the spec names."""
    return (out / PLAN_JSON).is_file() or (out / MANIFEST_JSON).is_file()


def input_hashes(spec: DatasetSpec) -> dict[str, str]:
    """SHA-256 of the files that a spec names, by its keys; a scene folder by its labels."""
    hashes = {}
    files = {
        POSES: spec.views.poses,
        SOURCE: spec.scene.source,
        TRANSMITTERS: spec.transmitters.file,
    }
    for key, name in files.items():
        if name is None:
            continue
        path = Path(name).expanduser()
        path = path / "labels.json" if path.is_dir() else path
        if path.is_file():
            hashes[key] = sha256_of(path)
    return hashes


def _lock(out: Path) -> int:
    """A descriptor that holds the lock of the folder."""
    while True:
        out.mkdir(parents=True, exist_ok=True)
        try:
            lock = os.open(out / _LOCK, os.O_RDWR | os.O_CREAT, 0o666)
        except FileNotFoundError:  # another build has just given the folder up
            continue
        try:
            _hold(lock, out)
            # A lock on a file that its last holder has deleted keeps no one out.
            if os.path.samestat(os.fstat(lock), (out / _LOCK).stat()):
                return lock
        except FileNotFoundError:
            pass
        except BaseException:
            os.close(lock)
            raise
        os.close(lock)


def _hold(lock: int, out: Path) -> None:
    if sys.platform == "win32":
        return
    import fcntl

    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise InputError(f"another vasgen build is writing to {out}; wait for it.") from None


def _recorded(plan: Path) -> dict[str, str]:
    """Hashes of the files that a plan was made from."""
    if not plan.is_file():
        return {}
    try:
        inputs = json.loads(plan.read_text()).get("inputs", {})
        return {str(key): str(value) for key, value in inputs.items()}
    except DAMAGE as error:
        raise StorageError(f"{plan} is damaged: {error}") from error


def _difference(there: DatasetSpec, here: DatasetSpec, recorded: dict[str, str] | None) -> str:
    """The first key in which two specs differ, with both values; empty if none.

    Args:
        there: the spec of the folder.
        here: the spec that is asked for.
        recorded: hashes of the files that the plan there was made from; None before there
            is one: then nothing was made from them either.
    """
    old, new = (_flat(s.model_dump(mode="json")) for s in (there, here))
    hashes = input_hashes(here)
    for key in {**old, **new}:
        if key in hashes and old.get(key) is not None:
            if recorded is None or recorded.get(key) == hashes[key]:
                continue
            if key in recorded:
                return f"{key} held other content there than {new[key]!r} holds now"
        if old.get(key) != new.get(key):
            return f"{key} is {old.get(key)!r} there and {new.get(key)!r} here"
    return ""


def _flat(record: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in record.items():
        flat.update(
            _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value}
        )
    return flat
