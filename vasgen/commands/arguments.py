"""Arguments that several commands take, and how their text is read."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from vasgen._usage import limits_in_words
from vasgen.errors import InputError

SceneArgument = Annotated[
    str,
    typer.Argument(metavar="SCENE", help="Scene folder, .xml scene file, or sionna:NAME."),
]
ViewsArgument = Annotated[Path, typer.Argument(metavar="VIEWS", help="Folder of rendered views.")]
DatasetArgument = Annotated[
    Path, typer.Argument(metavar="DATASET", help="Dataset or views folder.")
]
SeedOption = Annotated[int, typer.Option(min=0, max=2**63 - 1, help="Seed of all randomness.")]
SeedOverSpecOption = Annotated[
    int | None,
    typer.Option(
        min=0, max=2**63 - 1, help="Seed of all randomness.", show_default="the spec's, or 0"
    ),
]


class Limits(NamedTuple):
    """An interval of numbers whose ends need not belong to it.

    Attributes:
        low: its lower end.
        high: its upper end.
        ends: whether they belong to it, in brackets: square ones do, round ones do not.
    """

    low: float
    high: float = math.inf
    ends: str = "()"

    def hold(self, number: float) -> bool:
        """Whether a number is within; NaN never is."""
        above = number > self.low or (self.ends[0] == "[" and number == self.low)
        return above and (number < self.high or (self.ends[1] == "]" and number == self.high))

    def __str__(self) -> str:
        """In words, e.g. ``"more than 0, at most 500"``."""
        if self.ends == "[]":
            return limits_in_words(self.low, self.high)
        low = f"more than {self.low:g}"
        high = f"{'at most' if self.ends[1] == ']' else 'less than'} {self.high:g}"
        return low if math.isinf(self.high) else f"{low}, {high}"


def number_within(limits: Limits, text: str, **more: Any) -> Any:
    """An option that takes a number of an interval that is open, which Typer does not know.

    Args:
        limits: the interval.
        text: of the help, without the limits.
        more: for Typer.
    """

    def check(param: typer.CallbackParam, value: float | None) -> float | None:
        if value is not None and not limits.hold(value):
            raise InputError(f"{max(param.opts, key=len)} is {value:g}; allowed: {limits}.")
        return value

    return typer.Option(help=f"{text}: {limits}.", callback=check, **more)


@contextmanager
def in_flags(flags: Mapping[str, str]) -> Iterator[None]:
    """Name options, not keys, in what is said of wrong values that options gave.

    Args:
        flags: by key, how the user gives it.

    Raises:
        InputError: the one that was raised within, in other words.
    """
    try:
        yield
    except InputError as error:
        keys = "|".join(map(re.escape, flags))
        line = re.sub(
            rf"(?<![\w./'-])({keys})(?![\w/'-]|\.\w)", lambda key: flags[key[0]], str(error)
        )
        raise InputError(line) from error


def numbers(
    option: str, text: str, what: str = "X,Y,Z in metres", limits: Limits | None = None
) -> tuple[float, ...]:
    """The numbers that a text like ``0,-60,50`` holds.

    Args:
        option: how the user names them, e.g. ``"--target"``.
        text: what the user gave.
        what: what they are, as many names as numbers, e.g. ``"X,Y in metres"``.
        limits: of each of them.

    Raises:
        InputError: if it is not so many numbers, or one is not within the limits.
    """
    count = what.count(",") + 1
    try:
        found = tuple(float(word) for word in text.split(","))
    except ValueError:
        found = ()
    if len(found) != count or (limits is None and not all(map(math.isfinite, found))):
        how_many = {2: "two", 3: "three"}[count]
        raise InputError(f"{option} is {text!r}; expected {how_many} numbers {what}.")
    if limits is not None and not all(map(limits.hold, found)):
        raise InputError(f"{option} is {text!r}; allowed: {limits}.")
    return found


def levels(text: str | None, limits: Limits) -> tuple[float, float] | None:
    """The lowest and highest height that ``--altitude-m LOW,HIGH`` gives, if it is given.

    Raises:
        InputError: if it is no two numbers, one is not within the limits, or the first is the
            higher.
    """
    if text is None:
        return None
    low, high = numbers("--altitude-m", text, "LOW,HIGH in metres", limits)
    if low > high:
        raise InputError(
            f"--altitude-m is {text!r}, from high to low; give the lower first: {high:g},{low:g}."
        )
    return low, high


def words(*texts: str) -> list[str]:
    """The words of comma-separated lists, e.g. ``"trees,furniture"``."""
    return [word.strip() for text in texts for word in text.split(",")]


def map_of_poses(out: Path) -> Path:
    """The PNG file beside a JSON file of poses, where its map goes.

    Raises:
        InputError: if either is something else's.
    """
    if out.suffix.lower() != ".json":
        raise InputError(f"poses are a JSON file, not {out}; give --out FILE.json.")
    from vasgen.orchestrate.posefile import read_poses

    return map_beside(out, read_poses)


def map_beside(out: Path, read: Callable[[Path], object]) -> Path:
    """The PNG file beside a file, where its map goes.

    Args:
        out: the file, replaced if it exists.
        read: reads such a file, and says so if it is anything else.

    Raises:
        InputError: if either is something else's.
    """
    picture = out.with_suffix(".png")
    if picture.exists() and not out.exists():
        raise InputError(f"{picture} exists, and the map goes there; choose another --out.")
    if out.exists():
        read(out)
    return picture
