"""Arguments that several commands take, and how their text is read."""

from __future__ import annotations

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


def point(option: str, text: str, what: str = "X,Y,Z in metres") -> tuple[float, ...]:
    """The three numbers that a text like ``X,Y,Z`` holds.

    Args:
        option: how the user names them, e.g. ``"--target"``.
        text: what the user gave.
        what: what they are, for an error.

    Raises:
        InputError: if it is not three numbers.
    """
    try:
        numbers = tuple(float(word) for word in text.split(","))
    except ValueError:
        numbers = ()
    if len(numbers) != 3:
        raise InputError(f"{option} is {text!r}; expected three numbers {what}.")
    return numbers


def words(*texts: str) -> list[str]:
    """The words of comma-separated lists, e.g. ``"trees,furniture"``."""
    return [word.strip() for text in texts for word in text.split(",")]


def picture_beside(out: Path) -> Path:
    """The PNG file beside a JSON file of poses, where its map goes.

    Raises:
        InputError: if either is something else's.
    """
    if out.suffix.lower() != ".json":
        raise InputError(f"poses are a JSON file, not {out}; give --out FILE.json.")
    picture = out.with_suffix(".png")
    if picture.exists() and not out.exists():
        raise InputError(f"{picture} exists, and the map goes there; choose another --out.")
    if out.exists():
        from vasgen.orchestrate.posefile import read_poses

        read_poses(out)  # says so if this is anything else
    return picture
