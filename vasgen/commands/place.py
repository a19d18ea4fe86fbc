"""``vasgen place``: transmitters in a scene, as a file and a map."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated, Literal

import typer

from vasgen._console import Stopwatch, progress_bars, succeed
from vasgen.commands.arguments import SceneArgument, SeedOption, map_beside

app = typer.Typer()

Placement = Literal["ground", "rooftop", "lamp-post"]


@app.command(
    epilog="Example: [cyan]vasgen place sionna:munich --count 40 --out transmitters.json[/]"
)
def place(
    scene: SceneArgument,
    count: Annotated[int, typer.Option(min=1, max=10_000, help="Number of transmitters.")] = 2,
    placement: Annotated[Placement, typer.Option(help="What they stand on.")] = "ground",
    height_m: Annotated[
        float | None,
        typer.Option(
            help="Metres above that: more than 0, at most 500.", show_default="1.6, 3 or 0.5"
        ),
    ] = None,
    out: Annotated[
        Path, typer.Option(help="JSON or CSV file; the map is the PNG file beside it.")
    ] = Path("transmitters.json"),
    seed: SeedOption = 0,
) -> None:
    """Choose transmitter positions, evenly over a scene and its squares, canyons, junctions."""
    from vasgen.spec import parse_spec

    watch = Stopwatch()
    keys = {"count": count, "placement": placement, "height_m": height_m}
    spec = parse_spec({"transmitters": keys}, "options").transmitters
    from vasgen.orchestrate import draw_transmitters, place_transmitters, write_transmitters
    from vasgen.orchestrate.transmitter_file import check_suffix, read_transmitters
    from vasgen.scenes import open_scene

    check_suffix(out)
    picture = map_beside(out, lambda path: read_transmitters(path, spec))
    with progress_bars() as bars:
        bars.start("Loading the scene", 0)
        bundle = open_scene(scene)
        bars.start(f"Placing {count} transmitters", 0)
        placed = place_transmitters(bundle, spec, seed=seed)
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
