"""``vasgen topdown``: radio maps seen from above."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from vasgen._console import Stopwatch, progress_bars, succeed
from vasgen.commands.arguments import numbers
from vasgen.errors import InputError

if TYPE_CHECKING:
    from vasgen.bundle import SceneBundle
    from vasgen.spec import RadioSpec
    from vasgen.transmitter import Transmitter
    from vasgen.vas import Grid

app = typer.Typer()


class _Source(NamedTuple):
    """What the maps are made from; a scene by itself has no transmitters."""

    bundle: SceneBundle
    transmitters: tuple[Transmitter, ...]
    radio: RadioSpec
    seed: int


@app.command(epilog="Example: [cyan]vasgen topdown out/quickstart --out out/topdown[/]")
def topdown(
    source: Annotated[
        str,
        typer.Argument(
            metavar="SCENE|DATASET",
            help="Scene folder, .xml scene file, sionna:NAME; or a dataset, with its "
            "transmitters and propagation.",
        ),
    ],
    out: Annotated[
        Path, typer.Option(help="Folder for the maps; earlier maps there are replaced.")
    ],
    centre: Annotated[
        str | None, typer.Option(metavar="X,Y", help="Metres.", show_default="the scene's middle")
    ] = None,
    size: Annotated[int, typer.Option(min=1, max=2048, help="Cells along each side.")] = 256,
    cell_m: Annotated[
        float, typer.Option(min=0.01, max=1000, help="Side of a cell, metres.")
    ] = 1.0,
    height_m: Annotated[
        float, typer.Option(min=0.01, max=10_000, help="Above the ground, metres.")
    ] = 1.5,
    transmitters: Annotated[
        int | None,
        typer.Option(
            min=1, max=10_000, help="Place so many above the cells of a scene.", show_default="2"
        ),
    ] = None,
    frequency_ghz: Annotated[
        float | None,
        typer.Option(min=0.7, max=100, help="Carrier, GHz.", show_default="the dataset's, or 3.5"),
    ] = None,
    rays: Annotated[
        int | None,
        typer.Option(
            min=1000,
            max=10**12,
            help="Rays per transmitter.",
            show_default="the dataset's, or 4 million",
        ),
    ] = None,
    spec: Annotated[
        Path | None,
        typer.Option(
            help="Spec whose radio and seed count for a scene, where no option says else."
        ),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(
            min=0, max=2**63 - 1, help="Seed.", show_default="the dataset's or spec's, or 0"
        ),
    ] = None,
) -> None:
    """Map path gain, RSS and SINR at a height above the ground, seen from above."""
    from vasgen.orchestrate.topdown import make_topdown, transmitters_above

    watch = Stopwatch()
    with progress_bars() as bars:
        bars.start("Loading the scene", 0)
        given = _open(source, seed, _changes(frequency_ghz, rays), spec)
        grid = _grid(given.bundle, centre, size, cell_m, height_m)
        if given.transmitters and transmitters is not None:
            raise InputError(f"{source} is a dataset with transmitters; give no --transmitters.")
        placed = given.transmitters or transmitters_above(
            given.bundle, grid, transmitters or 2, given.seed
        )
        made = make_topdown(
            given.bundle, given.radio, placed, grid, out, seed=given.seed, progress=bars
        )
    on_map = int(made.transmitter_mask.any(axis=(1, 2)).sum())
    facts = {
        "maps": f"{len(placed)} of {size} x {size} cells of {cell_m:g} m",
        "transmitters": f"{on_map} of {len(placed)} on the map",
        "buildings": f"{made.building_mask.mean():.0%} of the cells",
        "reached": f"{made.radio.reached[:, ~made.building_mask].mean():.1%} of the others",
        "took": str(watch),
    }
    succeed(f"Mapped {out}", facts)


def _changes(frequency_ghz: float | None, rays: int | None) -> dict[str, object]:
    """What the options change of the propagation."""
    options = {
        "frequency_hz": None if frequency_ghz is None else frequency_ghz * 1e9,
        "rays": rays,
    }
    return {name: value for name, value in options.items() if value is not None}


def _open(source: str, seed: int | None, changes: dict[str, object], path: Path | None) -> _Source:
    """The scene or dataset that was named, with what the options and a spec say."""
    from vasgen.bundle import SceneBundle
    from vasgen.datasets.manifest import MANIFEST_JSON, SCENE, SPEC_YAML, read_manifest
    from vasgen.scenes import open_scene
    from vasgen.spec import parse_spec, read_spec
    from vasgen.transmitter import Transmitter

    if not (Path(source) / MANIFEST_JSON).is_file():
        if (Path(source) / SPEC_YAML).is_file():
            read_manifest(Path(source))  # says that the dataset is not finished
        record = {} if path is None else read_spec(path).to_plain()
        spec = parse_spec({**record, "radio": {**record.get("radio", {}), **changes}}, "options")
        number = spec.seed if seed is None else seed
        return _Source(open_scene(source), (), spec.radio, number)
    if path is not None:
        raise InputError(f"{source} is a dataset with its own propagation; give no --spec.")
    manifest = read_manifest(Path(source))
    spec = parse_spec({"radio": {**manifest.spec["radio"], **changes}}, "options")
    return _Source(
        SceneBundle.load(Path(source) / SCENE),
        tuple(Transmitter.from_dict(record) for record in manifest.transmitters),
        spec.radio,
        manifest.seed if seed is None else seed,
    )


def _grid(
    bundle: SceneBundle, centre: str | None, size: int, cell_m: float, height_m: float
) -> Grid:
    from vasgen.vas import Grid

    if centre is None:
        x, y = bundle.bounds[:, :2].mean(axis=0).tolist()
    else:
        x, y = numbers("--centre", centre, "X,Y in metres")
    return Grid((x, y), size, cell_m, height_m)
