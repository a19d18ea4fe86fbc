"""The terminal: progress, summaries, and errors as one line."""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import typer
from rich.console import Console
from typer.core import TyperGroup

from vasgen._usage import UsageError, is_help, usage_line
from vasgen.errors import VasgenError, unknown_choice

USER_ERROR = 2
INTERRUPTED = 130

#: Marked views that are named; the others are counted.
_MARKED_SHOWN = 10

#: Commands whose finished work survives Ctrl-C.
_RESUMABLE = ("build", "relabel", "render", "trace", "video")


class CommandGroup(TyperGroup):
    """Runs a command; what the user caused or can mend becomes one line, not a traceback."""

    def make_context(self, *args: Any, **options: Any) -> Any:
        """Read what stands before the name of the command."""
        with _one_line(()):
            return super().make_context(*args, **options)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that the first word names, and the words after it."""
        if args[0] not in self.commands:
            raise unknown_choice("the command", args[0], self.commands)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Run the command that the context names."""
        words = [*getattr(ctx, "_protected_args", ()), *ctx.args]
        try:
            with warnings.catch_warnings():
                # What libraries deprecate is for their developers, not for this terminal.
                warnings.simplefilter("ignore")
                with _one_line(words):
                    return super().invoke(ctx)
        except VasgenError as error:
            complain(str(error))
            raise typer.Exit(USER_ERROR) from error
        except ValueError as error:  # of a part of a spec that a command makes by itself
            from pydantic import ValidationError

            from vasgen.spec import first_problem

            if not isinstance(error, ValidationError):
                raise
            complain(first_problem(error))
            raise typer.Exit(USER_ERROR) from error
        except BrokenPipeError:
            raise  # the reader of our output has gone: Typer ends quietly
        except OSError as error:  # a file that cannot be read or named is no defect of ours
            complain(f"{error.strerror or error}: {error.filename or 'no file name'}.")
            raise typer.Exit(USER_ERROR) from error
        except KeyboardInterrupt:
            kept = ctx.invoked_subcommand in _RESUMABLE
            outcome = "run the same command again to go on" if kept else "nothing was written"
            complain(f"interrupted: {outcome}.")
            raise typer.Exit(INTERRUPTED) from None


@contextmanager
def _one_line(words: Sequence[str]) -> Iterator[None]:
    """Say in one line what is wrong with a command line, of which these words are read."""
    try:
        yield
    except UsageError as error:
        if is_help(error):
            raise
        complain(usage_line(error, words))
        raise typer.Exit(USER_ERROR) from error


def complain(line: str) -> None:
    """Write an error line to stderr, whole: a terminal wraps it, a pipe does not."""
    typer.echo(f"vasgen: {' '.join(line.split())}", err=True)


def tell_notes(notes: Iterable[str]) -> None:
    """Write what a user should know about the labels, a line each, to stderr."""
    for note in notes:
        complain(f"note: {note}")


def complain_of_marked(marked: Sequence[tuple[str, Sequence[str]]], views: int) -> None:
    """Say which views the physics gate refuses, and why.

    Args:
        marked: name and problems of each.
        views: number of all views.
    """
    for name, problems in marked[:_MARKED_SHOWN]:
        complain(f"view {name}: {'; '.join(problems)}")
    shown = f", the first {_MARKED_SHOWN} above" if len(marked) > _MARKED_SHOWN else ""
    verb = "view is" if views == 1 else "views is" if len(marked) == 1 else "views are"
    complain(
        f"{len(marked)} of {views} {verb} marked{shown}; "
        "gate-*.png there show which pixels, if some are wrong."
    )


def succeed(title: str, facts: dict[str, str], next_commands: Sequence[str] = ()) -> None:
    """Print what was made, and what to run next.

    Args:
        title: what happened and where, e.g. ``"Built out/quickstart"``.
        facts: name to value.
        next_commands: command lines.
    """
    console = Console(highlight=False, soft_wrap=True)
    console.print(title, style="bold green", markup=False)
    rows = [*facts.items(), *(("next", command) for command in next_commands)]
    width = max((len(name) for name, _ in rows), default=0)
    for name, value in rows:
        style = "cyan" if name == "next" else ""
        console.print(f"  {name:<{width}}  ", style="dim", end="", markup=False)
        console.print(value, style=style, markup=False)


def made_of(made: int, total: int) -> str:
    """How many there are, and how many of them were there before."""
    return f"{total}" if made == total else f"{total} ({total - made} were there already)"


def duration(seconds: float) -> str:
    """A duration for reading: ``"0.4 s"``, ``"2 min 05 s"``, ``"3 h 07 min"``."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


class Stopwatch:
    """Seconds since it was made."""

    def __init__(self) -> None:
        self._start = time.perf_counter()

    def __str__(self) -> str:
        return duration(time.perf_counter() - self._start)


class Bars:
    """Progress of a run as bars on the terminal, one per step.

    Args:
        progress: a running ``rich.progress.Progress``.
    """

    def __init__(self, progress: Any) -> None:
        self._progress = progress
        self._task: Any = None

    def start(self, step: str, total: float) -> None:
        """End the last step's bar and begin one."""
        self._finish()
        self._task = self._progress.add_task(step, total=total or None)

    def advance(self, amount: float) -> None:
        """Move the bar of the step."""
        self._progress.advance(self._task, amount)

    def _finish(self) -> None:
        if self._task is None:
            return
        task = next(t for t in self._progress.tasks if t.id == self._task)
        total = task.total or 1
        self._progress.update(self._task, total=total, completed=total)


#: A log is told of progress after so much silence, seconds.
_SILENCE_S = 10.0


class Lines:
    """Progress of a run as plain lines, for a log: one a step, and how far long ones are."""

    def __init__(self) -> None:
        self._step = ""
        self._total = self._done = 0.0
        self._start = self._told = time.perf_counter()

    def start(self, step: str, total: float) -> None:
        """Write the step down."""
        self._step, self._total, self._done = step, total, 0.0
        self._start = self._told = time.perf_counter()
        typer.echo(step, err=True)

    def advance(self, amount: float) -> None:
        """Write down how much of the step is done, if nothing was told for a while."""
        self._done += amount
        now = time.perf_counter()
        if self._total and now - self._told >= _SILENCE_S:
            self._told = now
            share = 100 * min(self._done / self._total, 1.0)
            typer.echo(f"{self._step}: {share:.0f} % after {duration(now - self._start)}", err=True)


@contextmanager
def progress_bars() -> Iterator[Bars | Lines]:
    """Bars on stderr while the block runs; plain lines where stderr is no terminal."""
    from rich.progress import (
        BarColumn,
        Progress,
        SpinnerColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    if not console.is_terminal:
        yield Lines()
        return
    columns = (
        SpinnerColumn(finished_text="[green]✓[/]"),
        TextColumn("{task.description}"),
        BarColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as progress:
        bars = Bars(progress)
        yield bars
        bars._finish()
