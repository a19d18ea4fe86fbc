"""``vasgen relabel``: a dataset with other antennas, powers, frequencies or materials."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vasgen._console import (
    USER_ERROR,
    complain_of_marked,
    duration,
    made_of,
    progress_bars,
    succeed,
    tell_notes,
)
from vasgen.commands.arguments import Limits, numbers
from vasgen.errors import InputError

if TYPE_CHECKING:
    from vasgen.orchestrate.relabel import Relabelling

app = typer.Typer()


@app.command(
    epilog="Example: [cyan]vasgen relabel out/quickstart --frequency-ghz 28 --antenna 8x4 "
    "--out out/quickstart-28[/]"
)
def relabel(
    dataset: Annotated[
        Path, typer.Argument(metavar="DATASET", help="Dataset, built with radio.store_paths.")
    ],
    out: Annotated[Path, typer.Option(help="Folder of the new dataset.")],
    changes: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.yaml",
            help="What changes: keys of radio, transmitters and materials. Options win over it.",
        ),
    ] = None,
    frequency_ghz: Annotated[
        float | None, typer.Option(min=0.7, max=100, help="Carrier, GHz.")
    ] = None,
    antenna: Annotated[
        str | None, typer.Option(help="Of all transmitters: siso, 4x4 or 8x4.")
    ] = None,
    orientation: Annotated[
        str | None, typer.Option(metavar="YAW,PITCH,ROLL", help="Of all antennas, degrees.")
    ] = None,
    power_dbm: Annotated[
        float | None, typer.Option(min=-100, max=100, help="Of all transmitters, dBm.")
    ] = None,
    bandwidth_hz: Annotated[
        float | None, typer.Option(min=1, max=10**11, help="Noise bandwidth, Hz.")
    ] = None,
    noise_figure_db: Annotated[
        float | None, typer.Option(min=0, max=60, help="Of the receiver, dB.")
    ] = None,
    material: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=ITU_TYPE", help="What a material is; may be repeated."),
    ] = None,
) -> None:
    """Make new labels from stored paths, without tracing. Run it again to go on."""
    from vasgen.orchestrate.changes import read_changes
    from vasgen.orchestrate.relabel import relabel as run

    wanted = {} if changes is None else read_changes(changes)
    _merge(
        wanted,
        "radio",
        frequency_hz=None if frequency_ghz is None else frequency_ghz * 1e9,
        bandwidth_hz=bandwidth_hz,
        noise_figure_db=noise_figure_db,
    )
    _merge(
        wanted,
        "transmitters",
        antennas=None if antenna is None else [antenna],
        orientation_deg=None if orientation is None else _angles(orientation),
        power_dbm=power_dbm,
    )
    _merge(wanted, "materials", **dict(_named(text) for text in material or ()))
    with progress_bars() as bars:
        done = run(dataset, out, wanted, progress=bars)
    _tell(done, dataset)


def _merge(changes: dict[str, Any], part: str, **values: Any) -> None:
    """Put what the options say over what the file says."""
    given = {key: value for key, value in values.items() if value is not None}
    if given and isinstance(changes.get(part, {}), dict):
        changes[part] = {**changes.get(part, {}), **given}


def _angles(text: str) -> tuple[float, ...]:
    return numbers("--orientation", text, "YAW,PITCH,ROLL in degrees", Limits(-360, 360, "[]"))


def _named(text: str) -> tuple[str, str]:
    name, equals, itu_type = text.partition("=")
    if not (name and equals and itu_type):
        raise InputError(f"--material is {text!r}; expected NAME=ITU_TYPE, e.g. wall=brick.")
    return name, itu_type


def _tell(done: Relabelling, dataset: Path) -> None:
    from vasgen.datasets.change_sheet import RELABEL_PNG

    facts = {
        "from": str(dataset),
        "changed": ", ".join(done.differences),
        "views": made_of(done.made, done.views),
        "content": done.content_hash[:16],
        "took": duration(done.seconds),
    }
    if done.made:
        facts["took"] += f", {duration(done.seconds_of_views / done.made)} a view"
        facts["picture"] = str(done.out / RELABEL_PNG)
    tell_notes(done.notes)
    title = f"Relabelled {done.out}" if done.made else f"{done.out} is complete: nothing to do"
    succeed(title, facts, [f"vasgen show {done.out}", f"vasgen verify {done.out}"])
    if done.marked:
        complain_of_marked(done.marked, done.views)
        raise typer.Exit(USER_ERROR)
