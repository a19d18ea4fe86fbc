"""``vasgen build``: a dataset from a spec."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vasgen._console import (
    USER_ERROR,
    complain,
    complain_of_marked,
    duration,
    made_of,
    progress_bars,
    succeed,
    tell_notes,
)
from vasgen.errors import InputError

if TYPE_CHECKING:
    from vasgen.spec import DatasetSpec

app = typer.Typer()


@app.command(
    epilog="Examples: [cyan]vasgen build --preset quickstart[/], "
    "[cyan]vasgen build --scene sionna:munich[/], [cyan]vasgen build spec.yaml --workers 4[/]"
)
def build(
    spec: Annotated[
        Path | None, typer.Argument(metavar="[SPEC.yaml]", help="What to build.")
    ] = None,
    preset: Annotated[
        str | None, typer.Option(help="Or a preset.", show_default="quickstart, with --scene")
    ] = None,
    scene: Annotated[
        str | None, typer.Option(help="Scene folder, .xml or sionna:NAME instead of a city.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Dataset folder.", show_default="out/NAME")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes that make views.")] = 1,
    seed: Annotated[
        int | None, typer.Option(min=0, max=2**63 - 1, help="Instead of the spec's seed.")
    ] = None,
) -> None:
    """Build a dataset. Run it again to go on after an interruption."""
    resolved = _resolve(spec, preset, scene, seed)
    from vasgen.datasets import open as open_dataset
    from vasgen.datasets import target_text
    from vasgen.orchestrate import build as run

    folder = out or Path("out") / resolved.name
    with progress_bars() as bars:
        summary = run(resolved, folder, workers=workers, progress=bars)
    facts = {
        "scene": summary.scene,
        "views": f"{made_of(summary.made, summary.views)}, {_pixels(summary.sizes)}",
        "transmitters": str(summary.transmitters),
        "content": summary.content_hash[:16],
        "took": duration(summary.seconds),
    }
    if resolved.radio.target_db is not None:
        facts["target"] = target_text(open_dataset(folder), resolved.radio)
    _tell_assumed(folder / "scene")
    tell_notes(summary.notes)
    title = f"Built {folder}" if summary.made else f"{folder} is complete: nothing to do"
    succeed(title, facts, [f"vasgen show {folder}", f"vasgen verify {folder}"])
    if summary.marked:
        complain_of_marked(summary.marked, summary.views)
        raise typer.Exit(USER_ERROR)


def _resolve(
    path: Path | None, name: str | None, scene: str | None, seed: int | None
) -> DatasetSpec:
    """The spec of the file or preset, with the scene and seed in its place."""
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
    labels = scene / "labels.json"
    record = json.loads(labels.read_text()) if labels.is_file() else {}
    guesses = record.get("provenance", {}).get("assumed_radio_materials", {})
    if guesses:
        pairs = ", ".join(f"{name!r} is {itu}" for name, itu in sorted(guesses.items()))
        complain(f"note: the scene file names no radio materials for these; assumed: {pairs}.")
