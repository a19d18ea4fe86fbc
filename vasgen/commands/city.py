"""``vasgen city``: a generated city as a scene folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vasgen._console import Stopwatch, progress_bars, succeed
from vasgen.commands.arguments import SeedOption, words
from vasgen.errors import InputError, unknown_choice

if TYPE_CHECKING:
    from vasgen.citygen import City
    from vasgen.scene_spec import SceneSpec

app = typer.Typer()

_KINDS = ("trees", "furniture", "vehicles")

DensityOption = Annotated[
    str | None,
    typer.Option(
        help="downtown, mix or margin; or from the centre outwards: downtown,mix,margin.",
        show_default="downtown",
    ),
]
SizeOption = Annotated[
    float | None,
    typer.Option(min=100, max=5000, help="Edge of the square, metres.", show_default="500"),
]
LodOption = Annotated[
    int | None,
    typer.Option(min=1, max=3, help="1 prisms, 2 massing and roofs, 3 facades.", show_default="2"),
]
TargetsOption = Annotated[
    str | None,
    typer.Option(
        metavar="NAME|A/B/G",
        help="ITU-R P.1410 figures to hit: suburban, urban, dense-urban, highrise-urban, or "
        "built-up share / buildings per km² / height scale in metres, like 0.3/500/15.",
    ),
]
PatternOption = Annotated[
    str | None, typer.Option(help="Streets: field or grid.", show_default="field")
]
ReliefOption = Annotated[
    float | None,
    typer.Option(
        min=0, max=300, help="Height difference of the terrain, metres.", show_default="0"
    ),
]
WithoutOption = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME,…", help="Leave out trees, furniture or vehicles."),
]
ConfigOption = Annotated[
    Path | None,
    typer.Option(help="YAML file with the keys of a spec's scene: districts, boundary, …"),
]
FormatOption = Annotated[
    str,
    typer.Option(
        "--format",
        metavar="NAME,…",
        help="What to write beside the scene bundle: glb, obj, usd, cityjson, geojson, "
        "points, csv, png, svg.",
    ),
]
OutOption = Annotated[
    Path | None, typer.Option(help="Scene folder.", show_default="out/city-NAME-SEED")
]
PreviewOption = Annotated[bool, typer.Option(help="Render preview.png; slow part of the work.")]


@app.command(epilog="Example: [cyan]vasgen city --density downtown --seed 7 --out out/city[/]")
def city(
    density: DensityOption = None,
    seed: SeedOption = 0,
    size_m: SizeOption = None,
    lod: LodOption = None,
    targets: TargetsOption = None,
    pattern: PatternOption = None,
    relief_m: ReliefOption = None,
    without: WithoutOption = None,
    config: ConfigOption = None,
    formats: FormatOption = "glb,png",
    preview: PreviewOption = True,
    out: OutOption = None,
) -> None:
    """Generate a city: a scene folder with geometry, plan, picture and statistics."""
    watch = Stopwatch()
    given = {"density": density, "size_m": size_m, "lod": lod, "targets": targets}
    given |= {"pattern": pattern, "relief_m": relief_m, **_left_out(without or [])}
    scene = _scene(config, given)
    from vasgen.orchestrate.cities import city_config, make_city  # slow: once the input is right

    folder = out or Path("out") / f"city-{scene.density.replace(',', '-')}-{seed}"
    with progress_bars() as bars:
        made = make_city(city_config(scene, seed), folder, bars, words(formats), preview)
    picture = folder / ("preview.png" if preview else "morphology.png")
    facts = {**_facts(made), "look at": str(picture), "took": str(watch)}
    succeed(f"Generated {folder}", facts, [f"vasgen plan {folder} --out poses.json"])


def _left_out(without: list[str]) -> dict[str, bool]:
    """The switches of a scene spec that leave these kinds out."""
    kinds = words(*without)
    for kind in kinds:
        if kind not in _KINDS:
            raise unknown_choice("--without", kind, _KINDS)
    return dict.fromkeys(kinds, False)


def _scene(config: Path | None, given: dict[str, Any]) -> SceneSpec:
    """The scene of the file with what was given in its place."""
    from vasgen.spec import parse_scene, read_plain

    record = {} if config is None else read_plain(config)
    if not isinstance(record, dict) or "source" in record:
        raise InputError(f"{config} must hold keys of a generated scene; see docs/spec.md.")
    return parse_scene(record | {key: v for key, v in given.items() if v is not None})


def _facts(city: City) -> dict[str, str]:
    """What was made, for the summary."""
    config, figures = city.config, city.morphology()
    triangles = city.to_bundle().num_triangles
    return {
        "city": f"{config.title}, {figures.land_m2 / 1e6:.3g} km², seed {config.seed}, "
        f"LoD {config.lod}",
        "buildings": f"{figures.buildings:,}; {triangles:,} triangles with ground and props",
        "built up": f"α {figures.built_up_ratio:.3g}, β {figures.buildings_per_km2:.4g} per km², "
        f"γ {figures.height_scale_m:.3g} m" + _missed(figures.deviations),
    }


def _missed(deviations: tuple[float, float, float] | None) -> str:
    """How far the figures are from their targets."""
    if deviations is None:
        return ""
    worst = max(deviations, key=abs)
    return f" (targets hit within {abs(worst):.1%})"
