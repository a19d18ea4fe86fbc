"""``vasgen show``: a contact sheet of a dataset."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vasgen._console import Stopwatch, progress_bars, succeed
from vasgen.commands.arguments import DatasetArgument

app = typer.Typer()


@app.command(epilog="Example: [cyan]vasgen show out/quickstart --transmitter 1 --out sheet.png[/]")
def show(
    dataset: DatasetArgument,
    view: Annotated[
        list[int] | None,
        typer.Option(min=0, help="Number of a view; may be repeated.", show_default="first 6"),
    ] = None,
    transmitter: Annotated[
        int | None,
        typer.Option(min=0, help="Number of the transmitter.", show_default="each view's best"),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="PNG file.", show_default="sheet.png in DATASET")
    ] = None,
) -> None:
    """Draw a contact sheet: pictures, depth, normals and radio layers side by side."""
    from vasgen.datasets import contact_sheet
    from vasgen.datasets.antennas import ANTENNAS_PNG
    from vasgen.datasets.dataset import open_any

    watch = Stopwatch()
    path = out or dataset / "sheet.png"
    views = open_any(dataset)
    with progress_bars() as bars:
        bars.start("Drawing", 0)
        shown = contact_sheet(views, path, views=view, transmitter=transmitter)
    facts = {"views": f"{shown} of {len(views)}", "took": str(watch)}
    antennas = dataset / ANTENNAS_PNG
    if antennas.is_file():
        facts["antennas"] = f"their patterns are in {antennas}"
    succeed(f"Drew {path}", facts)
