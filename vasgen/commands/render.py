"""``vasgen render``: what cameras see."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from vasgen._console import Stopwatch, made_of, progress_bars, succeed
from vasgen.commands.arguments import SceneArgument, SeedOption, point
from vasgen.errors import InputError

if TYPE_CHECKING:
    from vasgen.camera import Camera
    from vasgen.orchestrate.posefile import Pose

Backend = Literal["mitsuba", "unreal"]
Far = Literal["refuse", "sky", "scene"]
Lamps = Literal["auto", "on", "off"]

app = typer.Typer()


@app.command(
    epilog="Example: [cyan]vasgen render sionna:munich --position 0,-60,50 --target 0,0,20 "
    "--out views[/]\n\nAt dusk: [cyan]vasgen render CITY --poses poses.json --out dusk --hour 20.2 "
    "--date 2026-06-21 --latitude 48[/]"
)
def render(
    scene: SceneArgument,
    out: Annotated[Path, typer.Option(help="Folder for the views.")],
    poses: Annotated[Path | None, typer.Option(help="Poses, as written by vasgen plan.")] = None,
    position: Annotated[str | None, typer.Option(metavar="X,Y,Z", help="Camera, metres.")] = None,
    target: Annotated[str | None, typer.Option(metavar="X,Y,Z", help="Looks at, metres.")] = None,
    width: Annotated[int | None, typer.Option(min=1, help="Pixels.", show_default="640")] = None,
    height: Annotated[int | None, typer.Option(min=1, help="Pixels.", show_default="480")] = None,
    fov: Annotated[
        float | None, typer.Option(help="Horizontal, degrees.", show_default="70")
    ] = None,
    rgb: Annotated[bool, typer.Option(help="Draw pictures; slow part of the work.")] = True,
    hour: Annotated[
        float | None, typer.Option(help="Apparent solar time; with --date and --latitude.")
    ] = None,
    date: Annotated[str | None, typer.Option(metavar="YYYY-MM-DD", help="Day of the year.")] = None,
    latitude: Annotated[float | None, typer.Option(help="Degrees north.")] = None,
    lamps: Annotated[
        Lamps | None, typer.Option(help="Street lamps and lit windows.", show_default="auto")
    ] = None,
    visibility_m: Annotated[
        float | None, typer.Option(help="In fog, metres.", show_default="no fog")
    ] = None,
    speed_m_s: Annotated[
        float | None, typer.Option(help="Of the camera, to a random side.", show_default="0")
    ] = None,
    shutter_s: Annotated[
        float | None, typer.Option(help="How long the shutter is open.", show_default="0")
    ] = None,
    exposure_ev: Annotated[
        float | None, typer.Option(help="Stops brighter than by the light.", show_default="0")
    ] = None,
    seed: SeedOption = 0,
    backend: Annotated[Backend, typer.Option(help="What draws the pictures.")] = "mitsuba",
    unreal: Annotated[
        str | None,
        typer.Option(
            metavar="HOST:PORT",
            help="UnrealCV server of the backend unreal.",
            show_default="$VASGEN_UNREAL or 127.0.0.1:9000",
        ),
    ] = None,
    unreal_far: Annotated[
        Far, typer.Option(help="Surfaces beyond 655 m, where Unreal's depth ends.")
    ] = "refuse",
) -> None:
    """Render what cameras see: picture, depth, normals, materials, classes."""
    _check_backend(backend, unreal, unreal_far, rgb)
    from vasgen.orchestrate import render_views
    from vasgen.orchestrate.posefile import Pose
    from vasgen.scenes import open_scene
    from vasgen.spec import parse_render

    light = {"hour": hour, "date": date, "latitude_deg": latitude, "visibility_m": visibility_m}
    motion = {"speed_m_s": speed_m_s, "shutter_s": shutter_s, "exposure_ev": exposure_ev}
    conditions = {**light, **motion, "lamps": lamps}
    given = {name: value for name, value in conditions.items() if value is not None}
    spec = parse_render({**given, "backend": backend, "unreal_far": unreal_far})
    if given and not rgb:
        raise InputError(
            "--no-rgb draws no pictures, and conditions change nothing else: "
            f"leave out {', '.join(given)}."
        )
    watch = Stopwatch()
    if poses is not None:
        if position or target or fov is not None:
            raise InputError("--poses holds whole cameras; give no --position, --target or --fov.")
        views = _from_file(poses, width, height)
    else:
        fov = 70.0 if fov is None else fov
        views = [Pose(_looking(position, target, width or 640, height or 480, fov))]
    with progress_bars() as bars:
        bars.start("Loading the scene", 0)
        bundle = open_scene(scene)
        made = render_views(
            bundle, views, out, spec=spec, rgb=rgb, seed=seed, unreal=unreal, progress=bars
        )
    facts = {"views": made_of(made, len(views)), "took": str(watch)}
    succeed(f"Rendered {out}", facts, [f"vasgen trace {scene} {out}"])


def _check_backend(backend: Backend, unreal: str | None, far: Far, rgb: bool) -> None:
    """Refuse options that would do nothing."""
    if backend == "mitsuba" and (unreal is not None or far != "refuse"):
        raise InputError("--unreal and --unreal-far need --backend unreal.")
    if backend == "unreal" and not rgb:
        raise InputError("--no-rgb draws no pictures, and only pictures come from Unreal.")


def _from_file(poses: Path, width: int | None, height: int | None) -> list[Pose]:
    """The poses of a file, at another size if one is given."""
    from vasgen.orchestrate.posefile import read_track

    return [
        pose._replace(
            camera=pose.camera.resized(width or pose.camera.width, height or pose.camera.height)
        )
        for pose in read_track(poses)
    ]


def _looking(
    position: str | None, target: str | None, width: int, height: int, fov_deg: float
) -> Camera:
    """The camera at one point that looks at another."""
    from vasgen.camera import Camera

    if position is None or target is None:
        raise InputError("give --poses FILE, or both --position X,Y,Z and --target X,Y,Z.")
    eye, aim = point("--position", position), point("--target", target)
    return Camera.look_at(eye, aim, fov_deg=fov_deg, width=width, height=height)
