"""``vasgen plan``: camera poses that cover a scene."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vasgen._console import Stopwatch, progress_bars, succeed
from vasgen.commands.arguments import SceneArgument, SeedOption, map_of_poses

app = typer.Typer()


@app.command(epilog="Example: [cyan]vasgen plan out/city-downtown-0 --count 6 --out poses.json[/]")
def plan(
    scene: SceneArgument,
    count: Annotated[int, typer.Option(min=1, help="Number of views.")] = 6,
    kind: Annotated[
        str, typer.Option(help="uav: from the air; street: car, pedestrian; pole: lamp posts.")
    ] = "uav",
    out: Annotated[
        Path, typer.Option(help="JSON file for the poses; the map is the PNG file beside it.")
    ] = Path("poses.json"),
    seed: SeedOption = 0,
) -> None:
    """Choose camera poses that cover a scene."""
    from vasgen.spec import parse_spec

    watch = Stopwatch()
    spec = parse_spec({"views": {"count": count, "kind": kind}}, "options").views
    from vasgen.orchestrate import draw_cameras, plan_views, write_poses
    from vasgen.scenes import open_scene

    picture = map_of_poses(out)
    with progress_bars() as bars:
        bars.start("Loading the scene", 0)
        bundle = open_scene(scene)
        bars.start(f"Planning {count} views", 0)
        cameras = plan_views(bundle, spec, seed)
        write_poses(out, cameras)
        bars.start("Drawing the map", 0)
        draw_cameras(bundle, cameras, picture)
    facts = {"views": str(len(cameras)), "look at": str(picture), "took": str(watch)}
    succeed(f"Planned {out}", facts, [f"vasgen render {scene} --poses {out} --out views"])
