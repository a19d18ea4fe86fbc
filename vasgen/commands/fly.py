"""``vasgen fly``: a camera that moves through a scene."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from vasgen._console import Stopwatch, progress_bars, succeed
from vasgen.commands.arguments import (
    Limits,
    SceneArgument,
    SeedOption,
    in_flags,
    levels,
    map_of_poses,
    number_within,
)

app = typer.Typer()

Kind = Literal["uav", "street"]

_HEIGHTS = Limits(0.3, 10_000, "[]")


@app.command(
    epilog="Example: [cyan]vasgen fly out/city-downtown-0 --kind street --seconds 10 "
    "--out drive.json[/]"
)
def fly(
    scene: SceneArgument,
    kind: Annotated[
        Kind, typer.Option(help="uav: between planned views; street: along the streets.")
    ] = "uav",
    seconds: Annotated[float, typer.Option(min=0.1, max=3600, help="Duration.")] = 10.0,
    fps: Annotated[float, typer.Option(min=0.1, max=240, help="Frames a second.")] = 24.0,
    speed_m_s: Annotated[
        float, typer.Option(min=0.1, max=100, help="Highest speed, metres a second.")
    ] = 8.0,
    acceleration_m_s2: Annotated[
        float, typer.Option(min=0.05, max=100, help="Highest acceleration.")
    ] = 3.0,
    clearance_m: Annotated[
        float | None,
        typer.Option(
            min=0.05,
            help="Free space around the camera, metres: at most 0.9 LOW.",
            show_default="8 or 0.75",
        ),
    ] = None,
    altitude_m: Annotated[
        str | None,
        typer.Option(
            metavar="LOW,HIGH",
            help=f"Above the ground, metres: {_HEIGHTS}.",
            show_default="35,110 or 1.5,2.5",
        ),
    ] = None,
    width: Annotated[int, typer.Option(min=1, max=16384, help="Pixels.")] = 640,
    height: Annotated[int, typer.Option(min=1, max=16384, help="Pixels.")] = 480,
    fov: Annotated[float, number_within(Limits(0, 180), "Horizontal, degrees")] = 70.0,
    out: Annotated[
        Path, typer.Option(help="JSON file for the poses; the map is the PNG file beside it.")
    ] = Path("flight.json"),
    seed: SeedOption = 0,
) -> None:
    """Plan a smooth trajectory that touches nothing: poses with times and velocities."""
    from vasgen.orchestrate import Trip, draw_trajectory, plan_trajectory, write_track
    from vasgen.scenes import open_scene

    watch = Stopwatch()
    heights = levels(altitude_m, _HEIGHTS)
    with in_flags({"clearance_m": "--clearance-m"}):
        trip = Trip(
            kind=kind,
            seconds=seconds,
            fps=fps,
            speed_m_s=speed_m_s,
            acceleration_m_s2=acceleration_m_s2,
            clearance_m=clearance_m,
            altitude_m=heights,
            width=width,
            height=height,
            fov_deg=fov,
        )
    picture = map_of_poses(out)
    with progress_bars() as bars:
        bars.start("Loading the scene", 0)
        bundle = open_scene(scene)
        bars.start(f"Planning {trip.frames} frames", 0)
        found = plan_trajectory(bundle, trip, seed)
        write_track(out, found.poses)
        bars.start("Drawing the map", 0)
        draw_trajectory(bundle, found, picture)
    facts = {
        "frames": f"{trip.frames} in {seconds:g} s",
        "length": f"{found.length_m:.0f} m",
        "clearance": f"{found.clearance_m:g} m or more",
        "look at": str(picture),
        "took": str(watch),
    }
    succeed(f"Planned {out}", facts, [f"vasgen video {scene} {out} --out {out.stem}.mp4"])
