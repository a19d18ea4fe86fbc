"""``vasgen plan``: camera poses that cover a scene."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from vasgen._console import Stopwatch, progress_bars, succeed
from vasgen.commands.arguments import (
    Limits,
    SceneArgument,
    SeedOption,
    levels,
    map_of_poses,
    number_within,
)

app = typer.Typer()

Kind = Literal["uav", "street", "pole"]

_HEIGHTS = Limits(0)


@app.command(epilog="Example: [cyan]vasgen plan out/city-downtown-0 --count 6 --out poses.json[/]")
def plan(
    scene: SceneArgument,
    count: Annotated[int, typer.Option(min=1, max=100_000, help="Number of views.")] = 6,
    kind: Annotated[
        Kind, typer.Option(help="uav: from the air; street: car, pedestrian; pole: lamp posts.")
    ] = "uav",
    altitude_m: Annotated[
        str | None,
        typer.Option(
            metavar="LOW,HIGH",
            help=f"Above the ground, metres: {_HEIGHTS}.",
            show_default="35,110; 1.5,2.5 or 4,8",
        ),
    ] = None,
    width: Annotated[int, typer.Option(min=8, max=8192, help="Pixels.")] = 640,
    height: Annotated[int, typer.Option(min=8, max=8192, help="Pixels.")] = 480,
    fov: Annotated[float, number_within(Limits(1, 170), "Horizontal, degrees")] = 70.0,
    out: Annotated[
        Path, typer.Option(help="JSON file for the poses; the map is the PNG file beside it.")
    ] = Path("poses.json"),
    seed: SeedOption = 0,
) -> None:
    """Choose camera poses that cover a scene."""
    from vasgen.spec import parse_spec

    watch = Stopwatch()
    keys = {"count": count, "kind": kind, "width": width, "height": height, "fov_deg": fov}
    heights = levels(altitude_m, _HEIGHTS)
    given = keys if heights is None else {**keys, "altitude_m": heights}
    spec = parse_spec({"views": given}, "options").views
    from vasgen.orchestrate import draw_cameras, plan_views, write_poses
    from vasgen.scenes import open_scene

    picture = map_of_poses(out)
    with progress_bars() as bars:
        bars.start("Loading the scene", 0)
        bundle = open_scene(scene)
        bars.start(f"Planning {count} view{'s' * (count != 1)}", 0)
        cameras = plan_views(bundle, spec, seed)
        write_poses(out, cameras)
        bars.start("Drawing the map", 0)
        draw_cameras(bundle, cameras, picture)
    facts = {"views": str(len(cameras)), "look at": str(picture), "took": str(watch)}
    succeed(f"Planned {out}", facts, [f"vasgen render {scene} --poses {out} --out views"])
