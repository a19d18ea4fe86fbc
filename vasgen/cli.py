"""The command line: the commands, in the order of the help."""

from __future__ import annotations

from typing import Annotated

import typer

from vasgen._console import CommandGroup
from vasgen.commands import (
    build,
    city,
    doctor,
    fly,
    place,
    plan,
    relabel,
    render,
    show,
    topdown,
    trace,
    verify,
    video,
)

COMMANDS = (
    city,
    plan,
    fly,
    place,
    render,
    video,
    trace,
    topdown,
    build,
    relabel,
    verify,
    show,
    doctor,
)

app = typer.Typer(
    cls=CommandGroup,
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in COMMANDS:
    app.add_typer(command.app)


def main() -> None:
    """Entry point of the ``vasgen`` command."""
    app()


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"vasgen {version('vasgen')}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """From one word to a dataset: cities, camera views, and the radio signal on all they see."""
