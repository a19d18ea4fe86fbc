"""City folders: a generated city as a scene bundle, with pictures and statistics."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

from vasgen.artefact import atomic_directory
from vasgen.bundle import SceneBundle
from vasgen.citygen import CityConfig, generate
from vasgen.citygen.config import District, rings
from vasgen.citygen.export import write_glb
from vasgen.citygen.plan import draw_plan
from vasgen.citygen.targets import parse_targets
from vasgen.errors import InputError
from vasgen.orchestrate.progress import Progress, Silent
from vasgen.render.preview import preview
from vasgen.scene_spec import SceneSpec

MORPHOLOGY_JSON = "morphology.json"


def city_config(scene: SceneSpec, seed: int) -> CityConfig:
    """What to generate for the scene part of a spec.

    Args:
        scene: a spec without a source.
        seed: the city's seed.

    Raises:
        InputError: if a value is not allowed.
    """
    districts = tuple(
        District(d.density, d.radius_m, d.corners, parse_targets(d.targets))
        for d in scene.districts
    )
    *inner, density = scene.density.split(",")
    return CityConfig(
        density,
        seed,
        scene.size_m,
        lod=scene.lod,
        targets=parse_targets(scene.targets),
        districts=districts + rings(inner, scene.size_m),
        boundary=scene.boundary,
        pattern=scene.pattern,
        relief_m=scene.relief_m,
        trees=scene.trees,
        furniture=scene.furniture,
        vehicles=scene.vehicles,
    )


def make_city(config: CityConfig, out: Path, progress: Progress | None = None) -> SceneBundle:
    """Generate a city into a folder that appears whole: bundle, GLB, plan, picture, statistics.

    Args:
        config: what to generate.
        out: scene folder; an older city there is replaced.
        progress: is told about the steps.

    Returns:
        The city's scene bundle.

    Raises:
        InputError: if the folder holds something other than a city.
        StorageError: if the disk refuses.
    """
    watch = progress or Silent()
    if out.exists() and not (out / MORPHOLOGY_JSON).is_file() and not _is_empty(out):
        raise InputError(f"{out} holds something other than a city; choose another --out.")
    watch.start(f"Generating a {config.density} city", 0)
    city = generate(config)
    bundle = city.to_bundle()
    with atomic_directory(out) as scratch:
        watch.start("Writing the scene", 0)
        bundle.save(scratch)
        write_glb(city, scratch / "city.glb")
        record = json.dumps(dataclasses.asdict(city.morphology()), indent=1, sort_keys=True)
        (scratch / MORPHOLOGY_JSON).write_text(record + "\n")
        watch.start("Drawing plan and preview", 0)
        draw_plan(city, scratch / "plan.png")
        preview(bundle, scratch / "preview.png")
    return bundle


def _is_empty(folder: Path) -> bool:
    return folder.is_dir() and not any(folder.iterdir())
