"""The command line. Each command is one call into a room; rooms are imported when needed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vasgen._console import (
    USER_ERROR,
    CommandGroup,
    Stopwatch,
    complain,
    duration,
    progress_bars,
    succeed,
)
from vasgen.errors import InputError

if TYPE_CHECKING:
    from vasgen.camera import Camera
    from vasgen.spec import DatasetSpec

app = typer.Typer(
    cls=CommandGroup,
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)

SceneArgument = Annotated[
    str,
    typer.Argument(metavar="SCENE", help="Scene folder, .xml scene file, or sionna:NAME."),
]
SeedOption = Annotated[int, typer.Option(min=0, max=2**63 - 1, help="Seed of all randomness.")]

_FAILURES_SHOWN = 20


def main() -> None:
    """Entry point of the ``vasgen`` command."""
    app()


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"vasgen {version('vasgen')}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """From one word to a dataset: cities, camera views, and the radio signal on all they see."""


@app.command(epilog="Example: [cyan]vasgen city --density downtown --seed 7 --out out/city[/]")
def city(
    density: Annotated[
        str | None,
        typer.Option(
            help="downtown, mix or margin; or from the centre outwards: downtown,mix,margin. "
            "[default: downtown]"
        ),
    ] = None,
    seed: SeedOption = 0,
    size_m: Annotated[
        float | None, typer.Option(help="Edge of the square, metres. [default: 500]")
    ] = None,
    lod: Annotated[
        int | None,
        typer.Option(help="1 prisms, 2 massing and roofs, 3 facades. [default: 2]"),
    ] = None,
    targets: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|A/B/G",
            help="ITU-R P.1410 figures to hit: suburban, urban, dense-urban, highrise-urban, or "
            "built-up share / buildings per km² / height scale in metres, like 0.3/500/15.",
        ),
    ] = None,
    pattern: Annotated[
        str | None, typer.Option(help="Streets: field or grid. [default: field]")
    ] = None,
    relief_m: Annotated[
        float | None, typer.Option(help="Height difference of the terrain, metres. [default: 0]")
    ] = None,
    without: Annotated[
        list[str] | None, typer.Option(help="Leave out trees, furniture or vehicles.")
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(help="YAML file with the keys of a spec's scene: districts, boundary, …"),
    ] = None,
    formats: Annotated[
        str,
        typer.Option(
            "--format",
            metavar="NAME,…",
            help="What to write beside the scene bundle: glb, obj, usd, cityjson, geojson, "
            "points, csv, png, svg.",
        ),
    ] = "glb,png",
    out: Annotated[
        Path | None, typer.Option(help="Scene folder. [default: out/city-DENSITY-SEED]")
    ] = None,
) -> None:
    """Generate a city: a scene folder with geometry, plan, picture and statistics."""
    from vasgen.spec import parse_scene, read_plain

    watch = Stopwatch()
    given = {
        "density": density,
        "size_m": size_m,
        "lod": lod,
        "targets": targets,
        "pattern": pattern,
        "relief_m": relief_m,
        **_left_out(without or []),
    }
    record = {} if config is None else read_plain(config)
    if not isinstance(record, dict) or "source" in record:
        raise InputError(f"{config} must hold keys of a generated scene; see docs/spec.md.")
    scene = parse_scene(record | {key: v for key, v in given.items() if v is not None})
    from vasgen.orchestrate.cities import city_config, make_city  # slow: once the input is right

    name = scene.density.replace(",", "-")
    folder = out or Path("out") / f"city-{name}-{seed}"
    with progress_bars() as bars:
        city = make_city(city_config(scene, seed), folder, bars, formats.split(","))
    figures = city.morphology()
    triangles = city.to_bundle().num_triangles
    facts = {
        "city": f"{scene.density}, {figures.land_m2 / 1e6:.3g} km², seed {seed}, LoD {scene.lod}",
        "buildings": f"{figures.buildings:,}; {triangles:,} triangles with ground and props",
        "built up": f"α {figures.built_up_ratio:.3g}, β {figures.buildings_per_km2:.4g} per km², "
        f"γ {figures.height_scale_m:.3g} m" + _missed(figures.deviations),
        "look at": f"{folder / 'preview.png'}, morphology.png",
        "took": str(watch),
    }
    succeed(f"Generated {folder}", facts, [f"vasgen plan {folder} --out poses.json"])


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


@app.command(
    epilog="Example: [cyan]vasgen render sionna:munich --position 0,-60,50 --target 0,0,20 "
    "--out views[/]"
)
def render(
    scene: SceneArgument,
    out: Annotated[Path, typer.Option(help="Folder for the views.")],
    poses: Annotated[Path | None, typer.Option(help="Poses, as written by vasgen plan.")] = None,
    position: Annotated[str | None, typer.Option(metavar="X,Y,Z", help="Camera, metres.")] = None,
    target: Annotated[str | None, typer.Option(metavar="X,Y,Z", help="Looks at, metres.")] = None,
    width: Annotated[int | None, typer.Option(min=1, help="Pixels. [default: 640]")] = None,
    height: Annotated[int | None, typer.Option(min=1, help="Pixels. [default: 480]")] = None,
    fov: Annotated[float | None, typer.Option(help="Horizontal, degrees. [default: 70]")] = None,
    rgb: Annotated[bool, typer.Option(help="Draw pictures; slow part of the work.")] = True,
    seed: SeedOption = 0,
) -> None:
    """Render what cameras see: picture, depth, normals, materials, classes."""
    from vasgen.orchestrate import render_views
    from vasgen.scenes import open_scene

    watch = Stopwatch()
    cameras = _cameras(poses, position, target, width, height, fov)
    with progress_bars() as bars:
        bars.start("Loading the scene", 0)
        bundle = open_scene(scene)
        made = render_views(bundle, cameras, out, rgb=rgb, seed=seed, progress=bars)
    facts = {"views": _made(made, len(cameras)), "took": str(watch)}
    succeed(f"Rendered {out}", facts, [f"vasgen trace {scene} {out}"])


@app.command(
    epilog="Example: [cyan]vasgen trace sionna:munich views --transmitters 2 --rays 1000000[/]"
)
def trace(
    scene: SceneArgument,
    views: Annotated[Path, typer.Argument(metavar="VIEWS", help="Folder of rendered views.")],
    transmitter: Annotated[
        list[str] | None,
        typer.Option(metavar="X,Y,Z", help="A transmitter, metres; may be repeated."),
    ] = None,
    transmitters: Annotated[
        int | None, typer.Option(min=1, help="Place so many instead. [default: 2]")
    ] = None,
    frequency_ghz: Annotated[float, typer.Option(help="Carrier, GHz.")] = 3.5,
    rays: Annotated[int, typer.Option(help="Rays per transmitter and view.")] = 10_000_000,
    surface: Annotated[str, typer.Option(help="footprint or lattice.")] = "footprint",
    seed: SeedOption = 0,
) -> None:
    """Trace the radio signal onto the surfaces that rendered views show."""
    from vasgen.orchestrate import place_transmitters, reopen_views, trace_views
    from vasgen.scenes import open_scene
    from vasgen.spec import parse_spec

    watch = Stopwatch()
    folder = reopen_views(views)
    radio = {"frequency_hz": frequency_ghz * 1e9, "rays": rays, "surface": surface}
    spec = parse_spec(
        {"radio": radio, "transmitters": _transmitters(transmitter, transmitters)}, "options"
    )
    with progress_bars() as bars:
        bars.start("Loading the scene", 0)
        bundle = open_scene(scene)
        cameras = [folder.record(index).camera for index in range(len(folder))]
        placed = place_transmitters(bundle, spec.transmitters, cameras, seed)
        made = trace_views(bundle, folder, placed, spec.radio, seed=seed, progress=bars)
    facts = {
        "views": _made(made, len(folder)),
        "transmitters": "  ".join("({:g}, {:g}, {:g})".format(*t.position) for t in placed),
        "took": str(watch),
    }
    succeed(f"Traced {views}", facts, [f"vasgen show {views}", f"vasgen verify {views}"])


@app.command(
    epilog="Examples: [cyan]vasgen build --preset quickstart[/], "
    "[cyan]vasgen build --scene sionna:munich[/], [cyan]vasgen build spec.yaml --workers 4[/]"
)
def build(
    spec: Annotated[
        Path | None, typer.Argument(metavar="[SPEC.yaml]", help="What to build.")
    ] = None,
    preset: Annotated[
        str | None, typer.Option(help="Or a preset. [default with --scene: quickstart]")
    ] = None,
    scene: Annotated[
        str | None, typer.Option(help="Scene folder, .xml or sionna:NAME instead of a city.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Dataset folder. [default: out/NAME]")] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes that make views.")] = 1,
    seed: Annotated[
        int | None, typer.Option(min=0, max=2**63 - 1, help="Instead of the spec's seed.")
    ] = None,
) -> None:
    """Build a dataset. Run it again to go on after an interruption."""
    resolved = _resolve(spec, preset, scene, seed)
    from vasgen.orchestrate import build as run

    folder = out or Path("out") / resolved.name
    with progress_bars() as bars:
        summary = run(resolved, folder, workers=workers, progress=bars)
    facts = {
        "scene": summary.scene,
        "views": f"{_made(summary.made, summary.views)}, {_pixels(summary.sizes)}",
        "transmitters": str(summary.transmitters),
        "content": summary.content_hash[:16],
        "took": duration(summary.seconds),
    }
    _tell_assumed(folder / "scene")
    title = f"Built {folder}" if summary.made else f"{folder} is complete: nothing to do"
    succeed(title, facts, [f"vasgen show {folder}", f"vasgen verify {folder}"])


@app.command(epilog="Example: [cyan]vasgen verify out/quickstart[/]")
def verify(
    dataset: Annotated[Path, typer.Argument(metavar="DATASET", help="Dataset or views folder.")],
) -> None:
    """Check every file, array and number of a dataset."""
    from vasgen.datasets import verify as run
    from vasgen.datasets.dataset import open_any

    watch = Stopwatch()
    with progress_bars() as bars:
        bars.start("Verifying", len(open_any(dataset)))
        report = run(dataset, advance=bars.advance)
    if report.ok:
        facts = {"views": str(report.views), "pixels": f"{report.pixels:,}", "took": str(watch)}
        succeed(f"{dataset} is right", facts, [f"vasgen show {dataset}"])
        return
    for problem in report.problems[:_FAILURES_SHOWN]:
        complain(str(problem))
    total = len(report.problems)
    shown = f", the first {_FAILURES_SHOWN} above" if total > _FAILURES_SHOWN else ""
    complain(f"{dataset}: {total} {'check' if total == 1 else 'checks'} failed{shown}.")
    raise typer.Exit(USER_ERROR)


@app.command(epilog="Example: [cyan]vasgen show out/quickstart --transmitter 1 --out sheet.png[/]")
def show(
    dataset: Annotated[Path, typer.Argument(metavar="DATASET", help="Dataset or views folder.")],
    view: Annotated[
        list[int] | None,
        typer.Option(min=0, help="Number of a view; may be repeated. [default: first 6]"),
    ] = None,
    transmitter: Annotated[
        int | None,
        typer.Option(min=0, help="Number of the transmitter. [default: each view's best]"),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="PNG file. [default: sheet.png in DATASET]")
    ] = None,
) -> None:
    """Draw a contact sheet: pictures, depth, normals and radio layers side by side."""
    from vasgen.datasets import contact_sheet
    from vasgen.datasets.dataset import open_any

    watch = Stopwatch()
    path = out or dataset / "sheet.png"
    views = open_any(dataset)
    with progress_bars() as bars:
        bars.start("Drawing", 0)
        shown = contact_sheet(views, path, views=view, transmitter=transmitter)
    succeed(f"Drew {path}", {"views": f"{shown} of {len(views)}", "took": str(watch)})


@app.command(epilog="Example: [cyan]vasgen doctor[/]")
def doctor() -> None:
    """Check what works on this machine, and say what to install for the rest."""
    from vasgen.doctor import examine, print_table

    with progress_bars() as bars:
        checks = examine(lambda step: bars.start(step, 0))
    print_table(checks)
    if not all(check.ok for check in checks if check.required):
        raise typer.Exit(USER_ERROR)


def _cameras(
    poses: Path | None,
    position: str | None,
    target: str | None,
    width: int | None,
    height: int | None,
    fov: float | None,
) -> list[Camera]:
    from vasgen.camera import Camera
    from vasgen.orchestrate.posefile import read_poses

    if poses is not None:
        if position or target or fov:
            raise InputError("--poses holds whole cameras; give no --position, --target or --fov.")
        cameras = read_poses(poses)
        return [c.resized(width or c.width, height or c.height) for c in cameras]
    if position is None or target is None:
        raise InputError("give --poses FILE, or both --position X,Y,Z and --target X,Y,Z.")
    eye, aim = _point("--position", position), _point("--target", target)
    size = {"width": width or 640, "height": height or 480}
    return [Camera.look_at(eye, aim, fov_deg=70.0 if fov is None else fov, **size)]


def _transmitters(positions: list[str] | None, count: int | None) -> dict[str, object]:
    if not positions:
        return {"count": count or 2}
    if count is not None:
        raise InputError("give either --transmitter X,Y,Z or --transmitters N, not both.")
    return {"positions": [_point("--transmitter", text) for text in positions]}


def _missed(deviations: tuple[float, float, float] | None) -> str:
    """How far the figures are from their targets."""
    if deviations is None:
        return ""
    worst = max(deviations, key=abs)
    return f" (targets hit within {abs(worst):.1%})"


def _left_out(kinds: list[str]) -> dict[str, bool]:
    """The switches of a scene spec that leave these kinds out."""
    for kind in kinds:
        if kind not in ("trees", "furniture", "vehicles"):
            raise InputError(f"--without is {kind!r}; allowed: trees, furniture, vehicles.")
    return dict.fromkeys(kinds, False)


def _point(option: str, text: str) -> tuple[float, ...]:
    try:
        numbers = tuple(float(word) for word in text.split(","))
    except ValueError:
        numbers = ()
    if len(numbers) != 3:
        raise InputError(f"{option} is {text!r}; expected three numbers X,Y,Z in metres.")
    return numbers


def _resolve(
    path: Path | None, name: str | None, scene: str | None, seed: int | None
) -> DatasetSpec:
    from vasgen.scene_spec import SceneSpec
    from vasgen.spec import preset, read_spec

    if path is not None and name is not None:
        raise InputError("give either SPEC.yaml or --preset, not both.")
    if path is None and name is None and scene is None:
        raise InputError("nothing to build: give SPEC.yaml, --preset quickstart, or --scene SCENE.")
    spec = read_spec(path) if path is not None else preset(name or "quickstart")
    changes: dict[str, object] = {}
    if scene is not None:
        changes["scene"] = SceneSpec(source=scene)
        if path is None:  # the preset's own name belongs to its city
            stem = re.sub(r"[^A-Za-z0-9_.-]+", "-", Path(scene.rpartition(":")[2]).stem)
            changes["name"] = f"{spec.name}-{stem.strip('-._') or 'scene'}"
    if seed is not None:
        changes["seed"] = seed
    return spec.model_copy(update=changes)


def _pixels(sizes: frozenset[tuple[int, int]]) -> str:
    if len(sizes) != 1:
        return "mixed sizes"
    ((width, height),) = sizes
    return f"{width} x {height} pixels"


def _tell_assumed(scene: Path) -> None:
    """Say which radio materials an import had to guess: the labels depend on them."""
    import json

    labels = scene / "labels.json"
    record = json.loads(labels.read_text()) if labels.is_file() else {}
    guesses = record.get("provenance", {}).get("assumed_radio_materials", {})
    if guesses:
        pairs = ", ".join(f"{name!r} is {itu}" for name, itu in sorted(guesses.items()))
        complain(f"note: the scene file names no radio materials for these; assumed: {pairs}.")


def _made(made: int, total: int) -> str:
    return f"{total}" if made == total else f"{total} ({total - made} were there already)"
