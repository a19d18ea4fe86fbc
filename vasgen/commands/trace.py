"""``vasgen trace``: the radio signal on what rendered views show."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

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
from vasgen.commands.arguments import (
    Limits,
    SceneArgument,
    SeedOverSpecOption,
    ViewsArgument,
    number_within,
    numbers,
)
from vasgen.errors import InputError

if TYPE_CHECKING:
    from vasgen.spec import DatasetSpec

app = typer.Typer()

Surface = Literal["footprint", "lattice"]


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
        int | None, typer.Option(min=1, max=10_000, help="Place so many instead.", show_default="2")
    ] = None,
    transmitters_file: Annotated[
        Path | None, typer.Option(help="Or those of a JSON or CSV file, as from vasgen place.")
    ] = None,
    frequency_ghz: Annotated[
        float | None, typer.Option(min=0.7, max=100, help="Carrier, GHz.", show_default="3.5")
    ] = None,
    rays: Annotated[
        int | None,
        typer.Option(
            min=1000, max=10**12, help="Rays counted per transmitter.", show_default="4000000"
        ),
    ] = None,
    target_db: Annotated[
        float | None,
        number_within(
            Limits(0, 100, "(]"), "Stop where the median standard error of a map is below it, dB"
        ),
    ] = None,
    surface: Annotated[
        Surface | None,
        typer.Option(help="How pixels become receivers.", show_default="footprint"),
    ] = None,
    spec: Annotated[
        Path | None,
        typer.Option(
            help="Spec whose radio, transmitters and seed count, where no option says else."
        ),
    ] = None,
    seed: SeedOverSpecOption = None,
) -> None:
    """Trace the radio signal onto the surfaces that rendered views show."""
    from vasgen.datasets import target_text
    from vasgen.orchestrate import place_transmitters, reopen_views, trace_views
    from vasgen.scenes import open_scene
    from vasgen.vas import radio_notes

    watch = Stopwatch()
    folder = reopen_views(views)
    radio: dict[str, object] = {
        "frequency_hz": None if frequency_ghz is None else frequency_ghz * 1e9,
        "rays": rays,
        "target_db": target_db,
        "surface": surface,
    }
    places = _transmitters(transmitter, transmitters, transmitters_file)
    resolved = _resolve(spec, radio, places)
    number = resolved.seed if seed is None else seed
    with progress_bars() as bars:
        bars.start("Loading the scene", 0)
        bundle = open_scene(scene)
        cameras = [folder.record(index).camera for index in range(len(folder))]
        placed = place_transmitters(bundle, resolved.transmitters, cameras, number)
        made = trace_views(bundle, folder, placed, resolved.radio, seed=number, progress=bars)
    tell_notes(radio_notes(bundle, resolved.radio))
    facts = {
        "views": made_of(made, len(folder)),
        "transmitters": "  ".join("({:g}, {:g}, {:g})".format(*t.position) for t in placed),
        "took": str(watch),
    }
    if resolved.radio.target_db is not None:
        facts["target"] = target_text(folder, resolved.radio)
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
    if positions:
        return {"positions": [numbers("--transmitter", text) for text in positions]}
    return {} if count is None else {"count": count}


def _resolve(
    path: Path | None, radio: dict[str, object], transmitters: dict[str, object]
) -> DatasetSpec:
    """The spec of the file, or the defaults, with what the options say in its place."""
    from vasgen.spec import parse_spec, read_spec

    record = {} if path is None else read_spec(path).to_plain()
    given = {key: value for key, value in radio.items() if value is not None}
    if transmitters:  # other places than those of the file
        record["transmitters"] = {
            **record.get("transmitters", {}),
            "positions": None,
            "file": None,
            **transmitters,
        }
    record["radio"] = {**record.get("radio", {}), **given}
    return parse_spec(record, "options")
