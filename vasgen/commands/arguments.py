"""Arguments that several commands take, and how their text is read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

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


def numbers(option: str, text: str, what: str = "X,Y,Z in metres") -> tuple[float, ...]:
    """The numbers that a text like ``0,-60,50`` holds.

    Args:
        option: how the user names them, e.g. ``"--target"``.
        text: what the user gave.
        what: what they are, as many names as numbers, e.g. ``"X,Y in metres"``.

    Raises:
        InputError: if it is not so many numbers.
    """
    count = what.count(",") + 1
    try:
        found = tuple(float(word) for word in text.split(","))
    except ValueError:
        found = ()
    if len(found) != count:
        how_many = {2: "two", 3: "three"}[count]
        raise InputError(f"{option} is {text!r}; expected {how_many} numbers {what}.")
    return found


def levels(text: str | None) -> tuple[float, float] | None:
    """The lowest and highest height that ``--altitude-m LOW,HIGH`` gives, if it is given.

    Raises:
        InputError: if it is no two numbers, or the first is the higher.
    """
    if text is None:
        return None
    low, high = numbers("--altitude-m", text, "LOW,HIGH in metres")
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
