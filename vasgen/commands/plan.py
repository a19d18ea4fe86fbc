"""``vasgen plan``: camera poses that cover a scene."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vasgen._console import Stopwatch, progress_bars, succeed
from vasgen.commands.arguments import SceneArgument, SeedOption

app = typer.Typer()


@app.command(epilog="Example: [cyan]vasgen plan out/city-downtown-0 --count 6 --out poses.json[/]")
def plan(
    scene: SceneArgument,
    count: Annotated[int, typer.Option(min=1, help="Number of views.")] = 6,
    out: Annotated[Path, typer.Option(help="JSON file for the poses.")] = Path("poses.json"),
    seed: SeedOption = 0,
) -> None:
    """Choose camera poses that cover a scene."""
    from vasgen.orchestrate import plan_views, write_poses
    from vasgen.scenes import open_scene
    from vasgen.spec import ViewsSpec

    watch = Stopwatch()
    with progress_bars() as bars:
        bars.start("Loading the scene", 0)
        bundle = open_scene(scene)
        bars.start(f"Planning {count} views", 0)
        cameras = plan_views(bundle, ViewsSpec(count=count), seed)
    write_poses(out, cameras)
    facts = {"views": str(len(cameras)), "took": str(watch)}
    succeed(f"Planned {out}", facts, [f"vasgen render {scene} --poses {out} --out views"])
