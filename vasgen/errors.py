"""The error tree of vasgen.

Every error a user can cause or mend derives from :class:`VasgenError`; the
command line prints its one line and exits with status 2. Anything else is a
defect of ours and keeps its traceback.

    VasgenError
    ├── InputError              a value, key, file or scene that cannot be used
    ├── MissingDependencyError  an optional package that is not installed
    ├── StorageError            a disk that is full, read-only or damaged
    └── orchestrate.WorkerError a worker process that died
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable


class VasgenError(Exception):
    """Base class of all errors that carry one clear line for the user."""


class InputError(VasgenError, ValueError):
    """Input that cannot be used: says what was given, what is allowed, what to do."""


class MissingDependencyError(VasgenError, ImportError):
    """An optional package is missing: says which, and the command that installs it."""


class StorageError(VasgenError, OSError):
    """Data cannot be written or read back: disk full, read-only, or damaged."""


def check_range(name: str, value: float, low: float, high: float) -> None:
    """Refuse a number that is not finite or not within bounds.

    Args:
        name: of the argument, as the user wrote it, e.g. ``"turbidity"``.
        value: the number that was given.
        low: least allowed.
        high: most allowed.

    Raises:
        InputError: saying so.
    """
    if not (math.isfinite(value) and low <= value <= high):
        raise InputError(f"{name} is {value}; allowed: {low:g} to {high:g}.")


def unknown_choice(what: str, given: object, allowed: Iterable[str]) -> InputError:
    """The error for a value outside a closed set, naming the closest allowed one.

    Args:
        what: name of the argument, as the user wrote it, e.g. ``"density"``.
        given: the value that was given.
        allowed: all allowed values.
    """
    return InputError(f"{what} is {given!r}; {suggest(given, allowed)}")


def suggest(given: object, allowed: Iterable[str]) -> str:
    """What is allowed, and the value that was probably meant."""
    choices = list(allowed)
    close = difflib.get_close_matches(str(given), choices, n=1, cutoff=0.5)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    return f"allowed: {', '.join(choices)}.{hint}"
