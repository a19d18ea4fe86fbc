"""City folders: a generated city as a scene bundle, with pictures and statistics."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable
from pathlib import Path
from typing import cast

from vasgen.artefact import atomic_directory
from vasgen.citygen import City, CityConfig, generate
from vasgen.citygen.charts import draw_morphology
from vasgen.citygen.config import District, rings
from vasgen.citygen.exporters import check_formats, export
from vasgen.citygen.profiles import Density
from vasgen.citygen.targets import parse_targets
from vasgen.errors import InputError
from vasgen.orchestrate.progress import Progress, Silent
from vasgen.render.preview import preview
from vasgen.scene_spec import SceneSpec

MORPHOLOGY_JSON = "morphology.json"
#: Formats a city is written in beside its scene bundle.
USUAL_FORMATS = ("glb", "png")


def city_config(scene: SceneSpec, seed: int) -> CityConfig:
    """What to generate for the scene part of a spec.

    Args:
        scene: a spec without a source.
        seed: the city's seed.

    Raises:
        InputError: if a value is not allowed.
    """
    districts = tuple(
        District(cast(Density, d.density), d.radius_m, d.corners, parse_targets(d.targets))
        for d in scene.districts
    )
    *inner, outermost = scene.density.split(",")
    config = CityConfig(
        cast(Density, outermost),
        seed,
        scene.size_m,
        lod=scene.lod,
        targets=parse_targets(scene.targets),
        boundary=scene.boundary,
        pattern=scene.pattern,
        relief_m=scene.relief_m,
        trees=scene.trees,
        furniture=scene.furniture,
        vehicles=scene.vehicles,
    )
    return dataclasses.replace(config, districts=districts + rings(inner, config.extent_m))


def make_city(
    config: CityConfig,
    out: Path,
    progress: Progress | None = None,
    formats: Iterable[str] = USUAL_FORMATS,
) -> City:
    """Generate a city into a folder that appears whole: bundle, exports, picture, statistics.

    Args:
        config: what to generate.
        out: scene folder; an older city there is replaced.
        progress: is told about the steps.
        formats: of the exports, keys of ``citygen.exporters.FORMATS``.

    Returns:
        The city.

    Raises:
        InputError: if the folder holds something other than a city, or there is no such format.
        MissingDependencyError: if a format needs a package that is not installed.
        StorageError: if the disk refuses.
    """
    watch = progress or Silent()
    wanted = check_formats(formats)
    if out.exists() and not (out / MORPHOLOGY_JSON).is_file() and not _is_empty(out):
        raise InputError(f"{out} holds something other than a city; choose another --out.")
    watch.start("Generating the city", 0)
    city = generate(config)
    bundle = city.to_bundle()
    with atomic_directory(out) as scratch:
        watch.start("Writing the scene", 0)
        bundle.save(scratch)
        record = json.dumps(_figures(city), indent=1, sort_keys=True)
        (scratch / MORPHOLOGY_JSON).write_text(record + "\n")
        draw_morphology(city, scratch / "morphology.png")
        watch.start(f"Exporting {', '.join(wanted)}", 0)
        export(city, scratch, wanted)
        watch.start("Drawing the preview", 0)
        preview(bundle, scratch / "preview.png")
    return city


def _figures(city: City) -> dict[str, object]:
    """The morphology of the city, and of each of its districts if it has several."""
    numbers = range(len(city.land.districts)) if city.config.districts else ()
    return {
        **city.morphology().as_dict(),
        "districts": [city.morphology(district=number).as_dict() for number in numbers],
    }


def _is_empty(folder: Path) -> bool:
    return folder.is_dir() and not any(folder.iterdir())
