"""``vasgen video``: a layer along a trajectory, as MP4."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from vasgen._console import Stopwatch, made_of, progress_bars, succeed
from vasgen.commands.arguments import SceneArgument, SeedOption, in_flags
from vasgen.commands.pictures import FLAGS, picture_spec, with_picture_options

app = typer.Typer()


@app.command(
    epilog="Example: [cyan]vasgen video out/city-downtown-0 flight.json --layer depth "
    "--out depth.mp4[/]\n\nAt night: [cyan]vasgen video CITY drive.json --sun-elevation-deg -12 "
    "--shutter-s 0.02 --out night.mp4[/]"
)
@with_picture_options
def video(
    scene: SceneArgument,
    poses: Annotated[
        Path, typer.Argument(metavar="POSES", help="Poses, as written by vasgen fly.")
    ],
    out: Annotated[Path, typer.Option(help="MP4 file.")],
    picture: dict[str, Any],
    layer: Annotated[
        str,
        typer.Option(
            help="rgb, depth, normal, albedo, roughness, semantic, instance or radio_material."
        ),
    ] = "rgb",
    fps: Annotated[
        float | None,
        typer.Option(min=0.1, max=240, help="Frames a second.", show_default="the poses', or 24"),
    ] = None,
    width: Annotated[
        int | None,
        typer.Option(
            min=1, max=16384, help="Pixels; one side gives the other.", show_default="poses'"
        ),
    ] = None,
    height: Annotated[
        int | None, typer.Option(min=1, max=16384, help="Pixels.", show_default="poses'")
    ] = None,
    seed: SeedOption = 0,
) -> None:
    """Draw a layer along a trajectory as a video; run it again to go on after a stop."""
    from vasgen.orchestrate import make_video, read_track
    from vasgen.scenes import open_scene

    watch = Stopwatch()
    spec, unreal = picture_spec(picture, None if layer == "rgb" else f"--layer {layer}")
    track = [pose.resized(width, height) for pose in read_track(poses)]
    with progress_bars() as bars, in_flags(FLAGS):
        bars.start("Loading the scene", 0)
        bundle = open_scene(scene)
        made = make_video(
            bundle, track, layer, out, fps=fps, spec=spec, seed=seed, unreal=unreal, progress=bars
        )
    succeed(f"Drew {out}", {"frames": made_of(made, len(track)), "took": str(watch)})
