"""``vasgen render``: what cameras see."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vasgen._console import Stopwatch, made_of, progress_bars, succeed
from vasgen.commands.arguments import (
    Limits,
    SceneArgument,
    SeedOption,
    in_flags,
    number_within,
    numbers,
)
from vasgen.commands.pictures import FLAGS, picture_spec, with_picture_options
from vasgen.errors import InputError

if TYPE_CHECKING:
    from vasgen.camera import Camera

app = typer.Typer()


@app.command(
    epilog="Example: [cyan]vasgen render sionna:munich --position 0,-60,50 --target 0,0,20 "
    "--out views[/]\n\nAt dusk: [cyan]vasgen render CITY --poses poses.json --out dusk --hour 20.2 "
    "--date 2026-06-21 --latitude 48[/]"
)
@with_picture_options
def render(
    scene: SceneArgument,
    out: Annotated[Path, typer.Option(help="Folder for the views.")],
    picture: dict[str, Any],
    poses: Annotated[Path | None, typer.Option(help="Poses, as written by vasgen plan.")] = None,
    position: Annotated[str | None, typer.Option(metavar="X,Y,Z", help="Camera, metres.")] = None,
    target: Annotated[str | None, typer.Option(metavar="X,Y,Z", help="Looks at, metres.")] = None,
    width: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=16384,
            help="Pixels; of poses, one side gives the other.",
            show_default="640, or poses'",
        ),
    ] = None,
    height: Annotated[
        int | None, typer.Option(min=1, max=16384, help="Pixels.", show_default="480, or poses'")
    ] = None,
    fov: Annotated[
        float | None,
        number_within(Limits(0, 180), "Horizontal, degrees", show_default="70"),
    ] = None,
    rgb: Annotated[bool, typer.Option(help="Draw pictures; slow part of the work.")] = True,
    seed: SeedOption = 0,
) -> None:
    """Render what cameras see: picture, depth, normals, materials, classes."""
    from vasgen.orchestrate import render_views
    from vasgen.orchestrate.posefile import Pose, read_track
    from vasgen.scenes import open_scene

    watch = Stopwatch()
    spec, unreal = picture_spec(picture, None if rgb else "--no-rgb")
    if poses is not None:
        if any(given is not None for given in (position, target, fov)):
            raise InputError("--poses holds whole cameras; give no --position, --target or --fov.")
        views = [pose.resized(width, height) for pose in read_track(poses)]
    else:
        fov = 70.0 if fov is None else fov
        views = [Pose(_looking(position, target, width or 640, height or 480, fov))]
    with progress_bars() as bars, in_flags(FLAGS):
        bars.start("Loading the scene", 0)
        bundle = open_scene(scene)
        made = render_views(
            bundle, views, out, spec=spec, rgb=rgb, seed=seed, unreal=unreal, progress=bars
        )
    facts = {"views": made_of(made, len(views)), "took": str(watch)}
    succeed(f"Rendered {out}", facts, [f"vasgen trace {scene} {out}"])


def _looking(
    position: str | None, target: str | None, width: int, height: int, fov_deg: float
) -> Camera:
    """The camera at one point that looks at another."""
    from vasgen.camera import Camera

    if position is None or target is None:
        raise InputError("give --poses FILE, or both --position X,Y,Z and --target X,Y,Z.")
    eye, aim = numbers("--position", position), numbers("--target", target)
    return Camera.look_at(eye, aim, fov_deg=fov_deg, width=width, height=height)
