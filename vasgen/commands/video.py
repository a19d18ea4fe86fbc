"""``vasgen video``: a layer along a trajectory, as MP4."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vasgen._console import Stopwatch, made_of, progress_bars, succeed
from vasgen.commands.arguments import SceneArgument, SeedOption

app = typer.Typer()


@app.command(
    epilog="Example: [cyan]vasgen video out/city-downtown-0 flight.json --layer depth "
    "--out depth.mp4[/]"
)
def video(
    scene: SceneArgument,
    poses: Annotated[
        Path, typer.Argument(metavar="POSES", help="Poses, as written by vasgen fly.")
    ],
    out: Annotated[Path, typer.Option(help="MP4 file.")],
    layer: Annotated[
        str,
        typer.Option(
            help="rgb, depth, normal, albedo, roughness, semantic, instance or radio_material."
        ),
    ] = "rgb",
    fps: Annotated[
        float | None, typer.Option(help="Frames a second.", show_default="the poses', or 24")
    ] = None,
    width: Annotated[int | None, typer.Option(min=1, help="Pixels.", show_default="poses'")] = None,
    height: Annotated[
        int | None, typer.Option(min=1, help="Pixels.", show_default="poses'")
    ] = None,
    samples: Annotated[
        int | None, typer.Option(min=1, help="Light paths a pixel.", show_default="32")
    ] = None,
    shutter_s: Annotated[
        float | None,
        typer.Option(help="Open so long, for motion blur, seconds.", show_default="0"),
    ] = None,
    seed: SeedOption = 0,
) -> None:
    """Draw a layer along a trajectory as a video; run it again to go on after a stop."""
    from vasgen.orchestrate import make_video, read_track
    from vasgen.scenes import open_scene
    from vasgen.spec import parse_spec

    watch = Stopwatch()
    keys = {"samples_per_pixel": samples, "shutter_s": shutter_s}
    given = {name: value for name, value in keys.items() if value is not None}
    spec = parse_spec({"render": given}, "options").render
    track = [
        p._replace(camera=p.camera.resized(width or p.camera.width, height or p.camera.height))
        for p in read_track(poses)
    ]
    with progress_bars() as bars:
        bars.start("Loading the scene", 0)
        bundle = open_scene(scene)
        made = make_video(bundle, track, layer, out, fps=fps, spec=spec, seed=seed, progress=bars)
    succeed(f"Drew {out}", {"frames": made_of(made, len(track)), "took": str(watch)})
