"""``vasgen place``: transmitters in a scene, as a file and a map."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from vasgen._console import Stopwatch, progress_bars, succeed
from vasgen.commands.arguments import (
    Limits,
    SceneArgument,
    SeedOverSpecOption,
    map_beside,
    number_within,
)
from vasgen.errors import InputError

if TYPE_CHECKING:
    from vasgen.spec import DatasetSpec

app = typer.Typer()

Placement = Literal["ground", "rooftop", "lamp-post"]


@app.command(
    epilog="Example: [cyan]vasgen place sionna:munich --count 40 --out transmitters.json[/]"
)
def place(
    scene: SceneArgument,
    count: Annotated[
        int | None,
        typer.Option(min=1, max=10_000, help="Number of transmitters.", show_default="2"),
    ] = None,
    placement: Annotated[
        Placement | None, typer.Option(help="What they stand on.", show_default="ground")
    ] = None,
    height_m: Annotated[
        float | None,
        number_within(Limits(0, 500, "(]"), "Metres above that", show_default="1.6, 3 or 0.5"),
    ] = None,
    out: Annotated[
        Path, typer.Option(help="JSON or CSV file; the map is the PNG file beside it.")
    ] = Path("transmitters.json"),
    spec: Annotated[
        Path | None,
        typer.Option(help="Spec whose transmitters and seed count, where no option says else."),
    ] = None,
    seed: SeedOverSpecOption = None,
) -> None:
    """Choose transmitter positions, evenly over a scene and its squares, canyons, junctions."""
    watch = Stopwatch()
    whole = _resolve(spec, {"count": count, "placement": placement, "height_m": height_m})
    wanted, number = whole.transmitters, whole.seed if seed is None else seed
    from vasgen.orchestrate import draw_transmitters, place_transmitters, write_transmitters
    from vasgen.orchestrate.transmitter_file import check_suffix, read_transmitters
    from vasgen.scenes import open_scene

    check_suffix(out)
    picture = map_beside(out, lambda path: read_transmitters(path, wanted))
    with progress_bars() as bars:
        bars.start("Loading the scene", 0)
        bundle = open_scene(scene)
        bars.start(f"Placing {wanted.count} transmitters", 0)
        placed = place_transmitters(bundle, wanted, seed=number)
        write_transmitters(out, placed)
        bars.start("Drawing the map", 0)
        draw_transmitters(bundle, placed, picture)
    contexts = Counter(transmitter.context for transmitter in placed)
    facts = {
        "transmitters": ", ".join(f"{number} {name}" for name, number in contexts.most_common()),
        "look at": str(picture),
        "took": str(watch),
    }
    succeed(f"Placed {out}", facts, [f"vasgen trace {scene} VIEWS --transmitters-file {out}"])


def _resolve(path: Path | None, options: dict[str, object]) -> DatasetSpec:
    """The spec of the file, or the defaults, with what the options say in its place."""
    from vasgen.spec import parse_spec, read_spec

    record = {} if path is None else read_spec(path).to_plain()
    own = record.get("transmitters", {})
    if own.get("positions") or own.get("file"):
        raise InputError(
            f"{path} says where its transmitters stand: there is nothing to place. Leave --spec "
            "out, or give one without positions and file."
        )
    given = {key: value for key, value in options.items() if value is not None}
    return parse_spec({**record, "transmitters": {**own, **given}}, "options")
