"""``vasgen trace``: the radio signal on what rendered views show."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vasgen._console import (
    USER_ERROR,
    Stopwatch,
    complain_of_marked,
    made_of,
    progress_bars,
    succeed,
    tell_notes,
)
from vasgen.commands.arguments import SceneArgument, SeedOption, ViewsArgument, point
from vasgen.errors import InputError

app = typer.Typer()


@app.command(
    epilog="Example: [cyan]vasgen trace sionna:munich views --transmitters 2 --rays 1000000[/]"
)
def trace(
    scene: SceneArgument,
    views: ViewsArgument,
    transmitter: Annotated[
        list[str] | None,
        typer.Option(metavar="X,Y,Z", help="A transmitter, metres; may be repeated."),
    ] = None,
    transmitters: Annotated[
        int | None, typer.Option(min=1, help="Place so many instead.", show_default="2")
    ] = None,
    transmitters_file: Annotated[
        Path | None, typer.Option(help="Or those of a JSON or CSV file, as from vasgen place.")
    ] = None,
    frequency_ghz: Annotated[float, typer.Option(help="Carrier, GHz.")] = 3.5,
    rays: Annotated[int, typer.Option(help="Rays per transmitter and view.")] = 10_000_000,
    target_db: Annotated[
        float | None,
        typer.Option(help="Stop where the median standard error of a map is below it, dB."),
    ] = None,
    surface: Annotated[str, typer.Option(help="footprint or lattice.")] = "footprint",
    seed: SeedOption = 0,
) -> None:
    """Trace the radio signal onto the surfaces that rendered views show."""
    from vasgen.datasets import target_text
    from vasgen.orchestrate import place_transmitters, reopen_views, trace_views
    from vasgen.scenes import open_scene
    from vasgen.spec import parse_spec
    from vasgen.vas import radio_notes

    watch = Stopwatch()
    folder = reopen_views(views)
    radio = {
        "frequency_hz": frequency_ghz * 1e9,
        "rays": rays,
        "target_db": target_db,
        "surface": surface,
    }
    spec = parse_spec(
        {
            "radio": radio,
            "transmitters": _transmitters(transmitter, transmitters, transmitters_file),
        },
        "options",
    )
    with progress_bars() as bars:
        bars.start("Loading the scene", 0)
        bundle = open_scene(scene)
        cameras = [folder.record(index).camera for index in range(len(folder))]
        placed = place_transmitters(bundle, spec.transmitters, cameras, seed)
        made = trace_views(bundle, folder, placed, spec.radio, seed=seed, progress=bars)
    tell_notes(radio_notes(bundle, spec.radio))
    facts = {
        "views": made_of(made, len(folder)),
        "transmitters": "  ".join("({:g}, {:g}, {:g})".format(*t.position) for t in placed),
        "took": str(watch),
    }
    if spec.radio.target_db is not None:
        facts["target"] = target_text(folder, spec.radio)
    succeed(f"Traced {views}", facts, [f"vasgen show {views}", f"vasgen verify {views}"])
    records = {name: folder.record(index) for index, name in enumerate(folder.names)}
    marked = [(name, record.problems) for name, record in records.items() if record.problems]
    if marked:
        complain_of_marked(marked, len(folder))
        raise typer.Exit(USER_ERROR)


def _transmitters(
    positions: list[str] | None, count: int | None, file: Path | None
) -> dict[str, object]:
    """The transmitters of a spec that the options ask for."""
    if sum(given is not None for given in (positions or None, count, file)) > 1:
        raise InputError(
            "give only one of --transmitter X,Y,Z, --transmitters N and --transmitters-file F."
        )
    if file is not None:
        return {"file": str(file)}
    if not positions:
        return {"count": count or 2}
    return {"positions": [point("--transmitter", text) for text in positions]}
