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
from vasgen.citygen.exporters import FORMATS, check_formats, export
from vasgen.citygen.profiles import Density
from vasgen.citygen.targets import parse_targets
from vasgen.errors import InputError
from vasgen.orchestrate.progress import Progress, Silent
from vasgen.render.preview import preview
from vasgen.scene_spec import SceneSpec

MORPHOLOGY_JSON = "morphology.json"
MORPHOLOGY_PNG = "morphology.png"
PREVIEW_PNG = "preview.png"
#: Formats a city is written in beside its scene bundle.
USUAL_FORMATS = ("glb", "png")

_BUNDLE = ("scene.xml", "labels.json", "labels.npz", "meshes")
#: All that a city's folder may hold.
_WRITTEN = {
    *_BUNDLE,
    MORPHOLOGY_JSON,
    MORPHOLOGY_PNG,
    PREVIEW_PNG,
    *(name for writer in FORMATS.values() for name in writer.file_names),
}


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
    picture: bool = True,
) -> City:
    """Generate a city into a folder that appears whole: bundle, exports, picture, statistics.

    Args:
        config: what to generate.
        out: scene folder; an older city or scene bundle there is replaced.
        progress: is told about the steps.
        formats: of the exports, keys of ``citygen.exporters.FORMATS``.
        picture: whether to render the preview, which takes longer than all the rest.

    Returns:
        The city.

    Raises:
        InputError: if the folder holds anything that no city writes, or there is no such format.
        MissingDependencyError: if a format needs a package that is not installed.
        StorageError: if the disk refuses.
    """
    watch = progress or Silent()
    wanted = check_formats(formats)
    _check_replaceable(out)
    watch.start("Generating the city", 0)
    city = generate(config)
    bundle = city.to_bundle()
    with atomic_directory(out) as scratch:
        watch.start("Writing the scene", 0)
        bundle.save(scratch)
        record = json.dumps(_figures(city), indent=1, sort_keys=True)
        (scratch / MORPHOLOGY_JSON).write_text(record + "\n")
        draw_morphology(city, scratch / MORPHOLOGY_PNG)
        watch.start(f"Exporting {', '.join(wanted)}", 0)
        export(city, scratch, wanted)
        if picture:
            watch.start("Drawing the preview", 0)
            preview(bundle, scratch / PREVIEW_PNG)
    return city


def _figures(city: City) -> dict[str, object]:
    """The morphology of the city, and of each of its districts if it has several."""
    numbers = range(len(city.land.districts)) if city.config.districts else ()
    return {
        **city.morphology().as_dict(),
        "districts": [city.morphology(district=number).as_dict() for number in numbers],
    }


def _check_replaceable(folder: Path) -> None:
    """Refuse a folder with files of anyone else: all in it will be gone."""
    if folder.is_file():
        raise InputError(f"{folder} is a file; choose another --out.")
    names = {path.name for path in folder.iterdir()} if folder.exists() else set()
    strange = sorted(name for name in names - _WRITTEN if not name.startswith("."))
    if names and "labels.json" not in names:
        strange = strange or sorted(names)
    if strange:
        raise InputError(
            f"{folder} holds something other than a city: {strange[0]}; choose another --out."
        )
