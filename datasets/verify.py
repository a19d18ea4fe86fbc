"""Verification: is a dataset complete, unchanged, and right?"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from vasgen.artefact import sha256_of
from vasgen.bundle import SceneBundle
from vasgen.datasets import checks, store
from vasgen.datasets.checks import Finding
from vasgen.datasets.dataset import Dataset, open_any
from vasgen.datasets.manifest import SCENE, content_hash, layer_table
from vasgen.datasets.store import Sample, ViewRecord
from vasgen.errors import InputError, StorageError
from vasgen.layers import IMAGE_LAYERS, RADIO_LAYERS
from vasgen.spec import RadioSpec


@dataclass(frozen=True)
class Problem:
    """One failed check.

    Attributes:
        view: name of the view; empty for the dataset as a whole.
        layer: name of the layer or file.
        message: what is wrong.
        count: number of wrong pixels; 0 if the layer or file as a whole is wrong.
        first: row and column of the first wrong pixel, after the transmitter's index
            for radio layers; empty if there is none.
    """

    view: str
    layer: str
    message: str
    count: int = 0
    first: tuple[int, ...] = ()

    def __str__(self) -> str:
        where = f"view {self.view}: " if self.view else ""
        line = f"{where}{self.layer}: {self.message}"
        if not self.count:
            return line
        axes = ("transmitter", "row", "column")[-len(self.first) :]
        pixel = " ".join(f"{axis} {i}" for axis, i in zip(axes, self.first, strict=True))
        return f"{line} ({self.count} pixels, first at {pixel})"


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


def verify(path: Path | str, *, advance: Callable[[float], None] = lambda views: None) -> Report:
    """Check every file, array and number of a dataset or a folder of views.

    Args:
        path: dataset, or folder of views.
        advance: called with the number of views checked since the last call.

    Raises:
        InputError: if the folder is neither.
        StorageError: if the manifest cannot be read.
    """
    views = open_any(path)
    problems = list(_check_dataset(views)) if isinstance(views, Dataset) else []
    pixels = 0
    for index, name in enumerate(views.names):
        try:
            record = views.record(index)
            pixels += record.camera.width * record.camera.height
            problems += _check_view(views.folder / name, record)
        except (StorageError, InputError) as error:
            problems.append(Problem(name, store.VIEW_JSON, str(error)))
        advance(1)
    return Report(Path(path), len(views), pixels, tuple(problems))


def _check_dataset(dataset: Dataset) -> Iterator[Problem]:
    manifest = dataset.manifest
    if content_hash(manifest.scene, manifest.transmitters, manifest.samples) != (
        manifest.content_hash
    ):
        yield Problem("", "dataset.json", "does not match its content hash")
    if manifest.layers != layer_table():
        yield Problem("", "dataset.json", "describes other layers than this vasgen writes")
    try:
        scene = SceneBundle.load(dataset.path / SCENE)
        if scene.content_hash != manifest.scene["content_hash"]:
            yield Problem("", SCENE, "is not the scene that the manifest names")
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


def _check_view(folder: Path, record: ViewRecord) -> Iterator[Problem]:
    for name in store.wrong_files(folder, record.files):
        kind = "was changed: another SHA-256" if (folder / name).is_file() else "is missing"
        yield Problem(folder.name, name, kind)
    schema = list(_check_schema(folder, record))
    yield from schema
    if schema:
        return  # values of a layer that is not what it should be say nothing
    sample = store.read_view(folder)
    with np.errstate(all="ignore"):  # what overflows is reported, not warned of
        findings = list(_check_values(sample, record))
    for finding in findings:
        if finding.wrong is None or finding.wrong.any():
            yield _problem(folder.name, finding)


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
        for finding in checks.check_schema(arrays, table, camera, count):
            yield _problem(folder.name, finding)
    if store.RGB_EXR in record.files:
        try:
            rgb = {"rgb": store.read_rgb(folder / store.RGB_EXR)}
        except StorageError as error:
            yield Problem(folder.name, store.RGB_EXR, str(error))
            return
        for finding in checks.check_schema(rgb, {"rgb": IMAGE_LAYERS["rgb"]}, camera, count):
            yield _problem(folder.name, finding)


def _check_values(sample: Sample, record: ViewRecord) -> Iterator[Finding]:
    yield from checks.check_image(sample)
    yield from checks.check_alignment(sample)
    if sample.radio is None:
        return
    try:
        spec = RadioSpec.model_validate(record.radio_spec)
    except ValidationError as error:
        yield Finding(store.VIEW_JSON, f"radio_spec: {error.errors()[0]['msg']}")
        return
    yield from checks.check_radio(sample, spec)


def _problem(view: str, finding: Finding) -> Problem:
    problem = Problem(view, finding.layer, finding.message)
    if finding.wrong is None:
        return problem
    first = tuple(int(i) for i in np.argwhere(finding.wrong)[0])
    return dataclasses.replace(problem, count=int(finding.wrong.sum()), first=first)
