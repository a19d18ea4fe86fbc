"""``vasgen verify``: whether a dataset is right."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vasgen._console import USER_ERROR, Stopwatch, complain, progress_bars, succeed
from vasgen.commands.arguments import DatasetArgument

app = typer.Typer()

_FAILURES_SHOWN = 20


@app.command(epilog="Example: [cyan]vasgen verify out/quickstart[/]")
def verify(
    dataset: DatasetArgument,
    pictures: Annotated[
        Path | None, typer.Option(help="Folder for maps with the wrong pixels marked.")
    ] = None,
) -> None:
    """Check every file, array and number of a dataset, and that its maps are physical."""
    from vasgen.datasets import verify as run
    from vasgen.datasets.dataset import open_any
    from vasgen.raycast import RayCaster

    watch = Stopwatch()
    with progress_bars() as bars:
        bars.start("Verifying", len(open_any(dataset)))
        report = run(dataset, sight=RayCaster, pictures=pictures, advance=bars.advance)
    if report.ok:
        facts = {"views": str(report.views), "pixels": f"{report.pixels:,}", "took": str(watch)}
        succeed(f"{dataset} is right", facts, [f"vasgen show {dataset}"])
        return
    for problem in report.problems[:_FAILURES_SHOWN]:
        complain(str(problem))
    total = len(report.problems)
    shown = f", the first {_FAILURES_SHOWN} above" if total > _FAILURES_SHOWN else ""
    complain(f"{dataset}: {total} {'check' if total == 1 else 'checks'} failed{shown}.")
    raise typer.Exit(USER_ERROR)
