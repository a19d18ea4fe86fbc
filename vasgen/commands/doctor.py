"""``vasgen doctor``: what works on this machine."""

from __future__ import annotations

import typer

from vasgen._console import USER_ERROR, progress_bars

app = typer.Typer()


@app.command(epilog="Example: [cyan]vasgen doctor[/]")
def doctor() -> None:
    """Check what works on this machine, and say what to install for the rest."""
    from vasgen.doctor import examine, print_table

    with progress_bars() as bars:
        checks = examine(lambda step: bars.start(step, 0))
    print_table(checks)
    if not all(check.ok for check in checks if check.required):
        raise typer.Exit(USER_ERROR)
