"""Building a dataset: from a spec to a finished folder, resumable at any moment.

OUT/
  spec.yaml      the resolved spec, written first: it claims the folder
  scene/         the scene bundle
  plan.json      cameras and transmitters, so that a resumed build keeps them
  views/000000/  one folder per view, complete or absent
  dataset.json   the manifest, written last: a folder that has it is finished
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vasgen.artefact import atomic_file, remove_partials
from vasgen.bundle import SceneBundle
from vasgen.camera import Camera
from vasgen.citygen import CityConfig, generate
from vasgen.datasets import store
from vasgen.datasets.manifest import (
    MANIFEST_JSON,
    SCENE,
    VIEWS,
    make_manifest,
    read_manifest,
    write_manifest,
)
from vasgen.errors import InputError, StorageError
from vasgen.orchestrate.pool import make_all
from vasgen.orchestrate.posefile import read_poses
from vasgen.orchestrate.poses import plan_views
from vasgen.orchestrate.progress import Progress, Silent
from vasgen.orchestrate.transmitters import place_transmitters
from vasgen.orchestrate.view import ViewJob, ViewMaker, view_name, view_record
from vasgen.scenes import open_scene
from vasgen.spec import DatasetSpec, spec_from_yaml
from vasgen.transmitter import Transmitter

SPEC_YAML = "spec.yaml"
PLAN_JSON = "plan.json"


@dataclass(frozen=True)
class Summary:
    """What a build did.

    Attributes:
        out: the dataset folder.
        scene: name of the scene.
        views: number of views in the dataset.
        made: number of them made by this run; the others were there already.
        transmitters: number of transmitters.
        seconds: duration of this run.
        content_hash: content hash of the dataset.
    """

    out: Path
    scene: str
    views: int
    made: int
    transmitters: int
    seconds: float
    content_hash: str


def build(
    spec: DatasetSpec, out: Path | str, *, workers: int = 1, progress: Progress | None = None
) -> Summary:
    """Build a dataset, or go on with one that was interrupted.

    Args:
        spec: what to build.
        out: dataset folder. A finished dataset of the same spec is left as it is.
        workers: number of processes that make views; the result does not depend on it.
        progress: is told about the steps.

    Raises:
        InputError: if the folder holds something else or another spec's dataset, or the
            spec cannot be carried out.
        StorageError: if the disk refuses; what is finished stays and is used next time.
    """
    if workers < 1:
        raise InputError(f"workers is {workers}; allowed: 1 or more.")
    started = time.perf_counter()
    out, watch = Path(out), progress or Silent()
    fresh = _claim(out, spec)
    with _locked(out):
        made = 0
        if not (out / MANIFEST_JSON).is_file():
            remove_partials(out)
            remove_partials(out / VIEWS)
            try:
                made = _run(spec, out, workers, watch)
            except InputError:
                if fresh:
                    _give_up(out)
                raise
        manifest = read_manifest(out)
    return Summary(
        out,
        manifest.scene["name"],
        len(manifest.samples),
        made,
        len(manifest.transmitters),
        time.perf_counter() - started,
        manifest.content_hash,
    )


def _run(spec: DatasetSpec, out: Path, workers: int, progress: Progress) -> int:
    bundle = _scene(spec, out / SCENE, progress)
    scene_hash = bundle.content_hash
    cameras, transmitters = _plan(spec, bundle, scene_hash, out / PLAN_JSON, progress)
    jobs = _jobs(spec, scene_hash, cameras, transmitters, out / VIEWS)
    progress.start("Checking finished views", len(jobs))
    todo = []
    for job in jobs:
        if not store.is_complete(job.folder, job.record.recipe):
            todo.append(job)
        progress.advance(1)
    progress.start(f"Rendering and tracing {len(todo)} views", len(todo))
    try:
        _make(todo, bundle, out / SCENE, spec, workers, progress)
    finally:
        remove_partials(out / VIEWS)  # of workers that were stopped
    names = [job.folder.name for job in jobs]
    write_manifest(out, make_manifest(out, spec, bundle, transmitters, names))
    return len(todo)


def _make(
    jobs: list[ViewJob],
    bundle: SceneBundle,
    scene: Path,
    spec: DatasetSpec,
    workers: int,
    progress: Progress,
) -> None:
    if not jobs:
        return
    if workers > 1:
        for _ in make_all(jobs, scene, spec, min(workers, len(jobs))):
            progress.advance(1)
        return
    maker = ViewMaker(bundle, spec)
    for job in jobs:
        maker.make(job, progress.advance)


def _scene(spec: DatasetSpec, folder: Path, progress: Progress) -> SceneBundle:
    if folder.is_dir():
        progress.start("Loading the scene", 0)
        return SceneBundle.load(folder)
    if spec.scene.source is not None:
        progress.start("Importing the scene", 0)
        bundle = open_scene(spec.scene.source)
    else:
        progress.start(f"Generating a {spec.scene.density} city", 0)
        config = CityConfig(density=spec.scene.density, seed=spec.seed, size_m=spec.scene.size_m)
        bundle = generate(config).to_bundle()
    bundle.save(folder)
    return bundle


def _plan(
    spec: DatasetSpec, bundle: SceneBundle, scene_hash: str, path: Path, progress: Progress
) -> tuple[list[Camera], tuple[Transmitter, ...]]:
    if not path.is_file():
        progress.start("Planning views and transmitters", 0)
        cameras, transmitters = _chosen(spec, bundle)
        record = {
            "scene_hash": scene_hash,
            "cameras": [camera.to_dict() for camera in cameras],
            "transmitters": [transmitter.to_dict() for transmitter in transmitters],
        }
        with atomic_file(path) as scratch:
            scratch.write_text(json.dumps(record, indent=1) + "\n")
    return _read_plan(path, scene_hash)


def _chosen(spec: DatasetSpec, bundle: SceneBundle) -> tuple[list[Camera], list[Transmitter]]:
    """Given views get transmitters that light them; else views look at what is lit."""
    if spec.views.poses:
        cameras = read_poses(spec.views.poses)
        return cameras, place_transmitters(bundle, spec.transmitters, cameras, spec.seed)
    transmitters = place_transmitters(bundle, spec.transmitters, seed=spec.seed)
    return plan_views(bundle, spec.views, spec.seed, transmitters=transmitters), transmitters


def _read_plan(path: Path, scene_hash: str) -> tuple[list[Camera], tuple[Transmitter, ...]]:
    try:
        record = json.loads(path.read_text())
        if record["scene_hash"] != scene_hash:
            raise InputError(
                f"{path} was made for another scene: delete {path.parent} and build anew."
            )
        cameras = [Camera.from_dict(entry) for entry in record["cameras"]]
        return cameras, tuple(Transmitter.from_dict(entry) for entry in record["transmitters"])
    except InputError:
        raise
    except (KeyError, TypeError, ValueError, OSError) as error:
        raise StorageError(f"{path} is damaged: {error}") from error


def _jobs(
    spec: DatasetSpec,
    scene_hash: str,
    cameras: list[Camera],
    transmitters: tuple[Transmitter, ...],
    folder: Path,
) -> list[ViewJob]:
    jobs = []
    for index, camera in enumerate(cameras):
        name = view_name(index)
        record = view_record(
            name,
            camera,
            scene_hash,
            spec.seed,
            settings=spec.render.model_dump(mode="json"),
            transmitters=transmitters,
            radio_spec=spec.radio.model_dump(mode="json"),
        )
        jobs.append(ViewJob(folder / name, record))
    return jobs


def _claim(out: Path, spec: DatasetSpec) -> bool:
    """Make the folder this spec's, or refuse if it is something else's.

    Returns:
        Whether the folder was nobody's before.
    """
    path = out / SPEC_YAML
    if path.is_file():
        difference = _difference(spec_from_yaml(path.read_text(), str(path)), spec)
        if difference:
            raise InputError(
                f"{out} holds a dataset of another spec: {difference}. "
                "Choose another --out, or delete that folder."
            )
        return False
    if out.is_file():
        raise InputError(f"{out} is a file; choose a folder with --out.")
    if out.is_dir() and any(not p.name.startswith(".") for p in out.iterdir()):
        raise InputError(f"{out} is not empty and holds no dataset; choose another --out.")
    with atomic_file(path) as scratch:
        scratch.write_text(spec.to_yaml())
    return True


def _give_up(out: Path) -> None:
    """Undo a build whose spec cannot be carried out, so that a mended spec may follow."""
    if any((out / VIEWS).glob("*")):
        return  # finished views are worth more
    for folder in (out / SCENE, out / VIEWS):
        shutil.rmtree(folder, ignore_errors=True)
    for file in (out / PLAN_JSON, out / SPEC_YAML):
        file.unlink(missing_ok=True)
    with suppress(OSError):
        out.rmdir()


def _difference(there: DatasetSpec, here: DatasetSpec) -> str:
    """The first key in which two specs differ, with both values; empty if none."""
    old, new = (_flat(s.model_dump(mode="json")) for s in (there, here))
    for key in {**old, **new}:
        if old.get(key) != new.get(key):
            return f"{key} is {old.get(key)!r} there and {new.get(key)!r} here"
    return ""


def _flat(record: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in record.items():
        flat.update(
            _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value}
        )
    return flat


@contextmanager
def _locked(out: Path) -> Iterator[None]:
    """Keep a second build out of the folder; the lock ends with the process."""
    if sys.platform == "win32":
        yield
        return
    import fcntl

    with (out / SPEC_YAML).open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(f"another vasgen build is writing to {out}; wait for it.") from None
        yield
