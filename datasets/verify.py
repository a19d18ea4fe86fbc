"""Verification: is a dataset complete, unchanged, and right?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from vasgen.artefact import DAMAGE, sha256_of
from vasgen.bundle import SceneBundle, scene_xml
from vasgen.datasets import store
from vasgen.datasets.dataset import Dataset, open_any
from vasgen.datasets.findings import Finding, Problem, problem
from vasgen.datasets.gate import Scenery, Sight, check_physics
from vasgen.datasets.gate_picture import draw_findings
from vasgen.datasets.image_checks import check_alignment, check_image, check_schema
from vasgen.datasets.manifest import (
    MANIFEST_JSON,
    PLAN_JSON,
    SCENE,
    SPEC_YAML,
    content_hash,
    layer_table,
)
from vasgen.datasets.records import read_json
from vasgen.datasets.store import Sample
from vasgen.datasets.view_record import ViewRecord
from vasgen.errors import InputError, StorageError
from vasgen.layers import IMAGE_LAYERS, PATH_LAYERS, RADIO_LAYERS
from vasgen.shells import closed_metal
from vasgen.spec import RadioSpec, parse_spec, spec_from_yaml


@dataclass(frozen=True)
class Report:
    """Result of :func:`verify`.

    Attributes:
        path: what was verified.
        views: number of views.
        pixels: number of pixels over all views.
        problems: failed checks, in order of views.
    """

    path: Path
    views: int
    pixels: int
    problems: tuple[Problem, ...]

    @property
    def ok(self) -> bool:
        """Whether every check passed."""
        return not self.problems


def verify(
    path: Path | str,
    *,
    sight: Callable[[SceneBundle], Sight] | None = None,
    pictures: Path | None = None,
    advance: Callable[[float], None] = lambda views: None,
) -> Report:
    """Check every file, array and number of a dataset or a folder of views.

    Args:
        path: dataset, or folder of views.
        sight: makes what sees through the air of a scene, e.g.
            :class:`vasgen.raycast.RayCaster`; without it, and in a folder of views, which has
            no scene, the physics gate does not look for holes and leaks.
        pictures: folder for maps with the wrong pixels marked, one a view and layer; none are
            drawn if omitted.
        advance: called with the number of views checked since the last call.

    Raises:
        InputError: if the folder is neither.
        StorageError: if the manifest cannot be read, or a picture cannot be written.
    """
    views = open_any(path)
    problems = list(_check_dataset(views)) if isinstance(views, Dataset) else []
    scenery = _scenery(views, sight) if isinstance(views, Dataset) and sight else None
    pixels = 0
    for index, name in enumerate(views.names):
        try:
            record = views.record(index)
            pixels += record.camera.width * record.camera.height
            problems += _check_view(views.folder / name, record, scenery, pictures)
            if isinstance(views, Dataset):
                problems += _check_layers(views, name)
        except (StorageError, InputError) as error:
            problems.append(Problem(name, store.VIEW_JSON, str(error)))
        advance(1)
    return Report(Path(path), len(views), pixels, tuple(problems))


def _scenery(dataset: Dataset, sight: Callable[[SceneBundle], Sight]) -> Scenery | None:
    """What the gate needs of the dataset's scene; None if that is damaged, as told elsewhere."""
    try:
        bundle = SceneBundle.load(dataset.path / SCENE)
    except (StorageError, InputError):
        return None
    return Scenery(sight(bundle), closed_metal(bundle))


def _check_dataset(dataset: Dataset) -> Iterator[Problem]:
    manifest = dataset.manifest
    said = content_hash(manifest.scene, manifest.transmitters, manifest.samples, manifest.files)
    if said != manifest.content_hash:
        yield Problem("", "dataset.json", "does not match its content hash")
    for name in store.wrong_files(dataset.path, manifest.files):
        kind = "was changed: another SHA-256" if (dataset.path / name).is_file() else "is missing"
        yield Problem("", name, kind)
    if manifest.layers != layer_table(name for name in PATH_LAYERS if name in manifest.layers):
        yield Problem("", "dataset.json", "describes other layers than this vasgen writes")
    yield from _check_plans(dataset)
    try:
        scene = SceneBundle.load(dataset.path / SCENE)
        if scene.content_hash != manifest.scene["content_hash"]:
            yield Problem("", SCENE, "is not the scene that the manifest names")
        if (dataset.path / SCENE / "scene.xml").read_text(encoding="utf-8") != scene_xml(scene):
            yield Problem("", f"{SCENE}/scene.xml", "was changed: it is not that of the bundle")
    except OSError as error:
        yield Problem("", f"{SCENE}/scene.xml", f"cannot be read: {error}")
    except (StorageError, InputError) as error:
        yield Problem("", SCENE, str(error))
    for sample in manifest.samples:
        view_json = dataset.folder / sample["name"] / store.VIEW_JSON
        if not view_json.is_file():
            continue  # reported with the view
        if sha256_of(view_json) != sample["files"][store.VIEW_JSON]:
            yield Problem(sample["name"], store.VIEW_JSON, "was changed: another SHA-256")
        elif store.read_record(view_json.parent).scene_hash != manifest.scene["content_hash"]:
            yield Problem(sample["name"], store.VIEW_JSON, "belongs to another scene")


def _check_layers(dataset: Dataset, name: str) -> Iterator[Problem]:
    """A view has those layers of paths that the manifest describes, and no other."""
    described = tuple(layer for layer in PATH_LAYERS if layer in dataset.manifest.layers)
    if store.path_layers(dataset.folder / name) != described:
        yield Problem(name, store.RADIO_NPZ, "has other layers than the manifest describes")


def _check_plans(dataset: Dataset) -> Iterator[Problem]:
    """The spec and the plan beside the manifest: a build reads them when it goes on."""
    manifest = dataset.manifest
    if (manifest.spec.get("seed"), manifest.spec.get("name")) != (manifest.seed, manifest.name):
        yield Problem("", MANIFEST_JSON, "has another name or seed than its own spec")
    try:
        spec = spec_from_yaml((dataset.path / SPEC_YAML).read_text(encoding="utf-8"))
        # What a key that is newer than the dataset would have been is its default.
        if spec != parse_spec(manifest.spec):
            yield Problem("", SPEC_YAML, "is not the spec of the manifest")
    except (InputError, *DAMAGE) as error:
        yield Problem("", SPEC_YAML, f"cannot be read: {error}")
    try:
        plan = read_json(dataset.path / PLAN_JSON)
        planned = (len(plan["cameras"]), tuple(plan["transmitters"]), plan["scene_hash"])
        written = (len(manifest.samples), manifest.transmitters, manifest.scene["content_hash"])
        if planned != written:
            yield Problem("", PLAN_JSON, "plans other views, transmitters or scene")
    except (StorageError, *DAMAGE) as error:
        yield Problem("", PLAN_JSON, f"cannot be read: {error}")


def _check_view(
    folder: Path, record: ViewRecord, scenery: Scenery | None, pictures: Path | None
) -> Iterator[Problem]:
    for name in store.wrong_files(folder, record.files):
        kind = "was changed: another SHA-256" if (folder / name).is_file() else "is missing"
        yield Problem(folder.name, name, kind)
    schema = list(_check_schema(folder, record))
    yield from schema
    if schema:
        return  # values of a layer that is not what it should be say nothing
    sample = store.read_view(folder)
    with np.errstate(all="ignore"):  # what overflows is reported, not warned of
        findings = [f for f in _check_values(sample, record, scenery) if f.fails]
    if pictures is not None:
        draw_findings(sample, findings, pictures, f"{folder.name}-")
    found = [problem(folder.name, finding) for finding in findings]
    yield from found
    for line in record.problems:
        if line not in {p.text for p in found}:
            yield Problem(folder.name, store.VIEW_JSON, f"is marked: {line}")


def _check_schema(folder: Path, record: ViewRecord) -> Iterator[Problem]:
    camera, count = record.camera, len(record.transmitters)
    tables = {store.IMAGE_NPZ: {k: v for k, v in IMAGE_LAYERS.items() if k != "rgb"}}
    if store.RADIO_NPZ in record.files:
        tables[store.RADIO_NPZ] = RADIO_LAYERS
    for file, table in tables.items():
        try:
            arrays = store.read_arrays(folder / file)
        except StorageError as error:
            yield Problem(folder.name, file, str(error))
            continue
        optional = PATH_LAYERS if file == store.RADIO_NPZ else {}
        table = table | {layer: spec for layer, spec in optional.items() if layer in arrays}
        for finding in check_schema(arrays, table, camera, count):
            yield problem(folder.name, finding)
    if store.RGB_EXR in record.files:
        try:
            rgb = {"rgb": store.read_rgb(folder / store.RGB_EXR)}
        except StorageError as error:
            yield Problem(folder.name, store.RGB_EXR, str(error))
            return
        for finding in check_schema(rgb, {"rgb": IMAGE_LAYERS["rgb"]}, camera, count):
            yield problem(folder.name, finding)


def _check_values(sample: Sample, record: ViewRecord, scenery: Scenery | None) -> Iterator[Finding]:
    yield from check_image(sample)
    yield from check_alignment(sample)
    if sample.radio is None:
        return
    try:
        spec = RadioSpec.model_validate(record.radio_spec)
    except ValidationError as error:
        yield Finding(store.VIEW_JSON, f"radio_spec: {error.errors()[0]['msg']}")
        return
    yield from check_physics(sample, spec, scenery)
