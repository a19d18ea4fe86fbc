"""Building a dataset: from a spec to a finished folder, resumable at any moment.

OUT/
  spec.yaml      the resolved spec, written first: it claims the folder
  scene/         the scene bundle
  plan.json      cameras and transmitters, so that a resumed build keeps them
  views/000000/  one folder per view, complete or absent
  antennas.npz   what each transmitter radiates; antennas.png is its picture
  transmitters.png  where they stand, on the plan of the scene
  dataset.json   the manifest, written last: a folder that has it is finished
"""

from __future__ import annotations

import json
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from vasgen.artefact import DAMAGE, atomic_file, remove_partials
from vasgen.bundle import SceneBundle
from vasgen.camera import Camera
from vasgen.citygen import generate
from vasgen.datasets import store
from vasgen.datasets.manifest import (
    MANIFEST_JSON,
    PLAN_JSON,
    SCENE,
    SPEC_YAML,
    VIEWS,
    Manifest,
    content_hash,
    make_manifest,
    read_manifest,
    write_manifest,
)
from vasgen.errors import InputError, StorageError
from vasgen.orchestrate.camera_check import check_cameras, check_motion
from vasgen.orchestrate.cities import city_config
from vasgen.orchestrate.layout import SOURCE, claim, input_hashes, is_planned, locked
from vasgen.orchestrate.patterns import add_patterns
from vasgen.orchestrate.pool import make_all
from vasgen.orchestrate.posefile import Pose, read_track
from vasgen.orchestrate.poses import plan_views
from vasgen.orchestrate.progress import Progress, Silent
from vasgen.orchestrate.transmitter_map import TRANSMITTERS_PNG, draw_transmitters
from vasgen.orchestrate.transmitters import place_transmitters
from vasgen.orchestrate.view import ViewJob, ViewMaker, batches, view_name, view_record
from vasgen.raycast import RayCaster
from vasgen.scenes import open_scene
from vasgen.spec import DatasetSpec
from vasgen.transmitter import Transmitter
from vasgen.vas import radio_notes


@dataclass(frozen=True)
class Summary:
    """What a build did.

    Attributes:
        out: the dataset folder.
        scene: name of the scene.
        views: number of views in the dataset.
        made: number of them made by this run; the others were there already.
        sizes: width and height of the views, pixels; one pair unless they differ.
        transmitters: number of transmitters.
        seconds: duration of this run.
        content_hash: content hash of the dataset.
        marked: name and problems of each view that the physics gate refuses.
        notes: what to know about all labels, one line each.
    """

    out: Path
    scene: str
    views: int
    made: int
    sizes: frozenset[tuple[int, int]]
    transmitters: int
    seconds: float
    content_hash: str
    marked: tuple[tuple[str, tuple[str, ...]], ...] = ()
    notes: tuple[str, ...] = ()


def build(
    spec: DatasetSpec, out: Path | str, *, workers: int = 1, progress: Progress | None = None
) -> Summary:
    """Build a dataset, or go on with one that was interrupted.

    Args:
        spec: what to build.
        out: dataset folder. Of a finished dataset of the same spec only what is damaged or
            missing is made again.
        workers: number of processes that make views; the result does not depend on it.
        progress: is told about the steps.

    Raises:
        InputError: if the folder holds something else or another spec's dataset, or the
            spec cannot be carried out.
        StorageError: if the disk refuses, or the scene or plan there is damaged; what is
            finished stays and is used next time.
    """
    if workers < 1:
        raise InputError(f"workers is {workers}; allowed: 1 or more.")
    if workers > 1 and spec.render.backend == "unreal":
        raise InputError(f"workers is {workers}; an Unreal serves one client at a time: give 1.")
    started = time.perf_counter()
    out, watch = Path(out), progress or Silent()
    with locked(out):
        fresh = claim(out, spec)
        remove_partials(out)
        remove_partials(out / VIEWS)
        try:
            made, cameras = _run(spec, out, workers, watch)
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
        frozenset((camera.width, camera.height) for camera in cameras),
        len(manifest.transmitters),
        time.perf_counter() - started,
        manifest.content_hash,
        tuple((s["name"], tuple(s["problems"])) for s in manifest.samples if s["problems"]),
        manifest.notes,
    )


def _run(
    spec: DatasetSpec, out: Path, workers: int, progress: Progress
) -> tuple[int, list[Camera]]:
    bundle = _scene(spec, out, progress)
    scene_hash = bundle.content_hash
    poses, transmitters = _plan(spec, bundle, scene_hash, out / PLAN_JSON, progress)
    cameras = [pose.camera for pose in poses]
    jobs = _jobs(spec, scene_hash, poses, transmitters, out / VIEWS)
    manifest = _manifest(out)
    progress.start("Checking finished views", len(jobs))
    todo = _unfinished(jobs, manifest, progress)
    if manifest is not None and not todo and not store.wrong_files(out, manifest.files):
        return 0, cameras
    (out / MANIFEST_JSON).unlink(missing_ok=True)  # a folder that has it is finished
    progress.start(f"Rendering and tracing {len(todo)} views", len(todo))
    try:
        _make(todo, bundle, out / SCENE, spec, workers, progress)
    finally:
        remove_partials(out / VIEWS)  # of workers that were stopped
    names = [job.folder.name for job in jobs]
    notes = radio_notes(bundle, spec.radio)
    add_patterns(out, transmitters)
    draw_transmitters(bundle, transmitters, out / TRANSMITTERS_PNG)
    write_manifest(out, make_manifest(out, spec, bundle, transmitters, names, notes))
    return len(todo), cameras


def _manifest(out: Path) -> Manifest | None:
    """The manifest of a finished dataset; None if there is none that is whole."""
    if not (out / MANIFEST_JSON).is_file():
        return None
    try:
        manifest = read_manifest(out)
    except StorageError:
        return None  # it is written anew from the views
    said = content_hash(manifest.scene, manifest.transmitters, manifest.samples, manifest.files)
    return manifest if said == manifest.content_hash else None


def _unfinished(
    jobs: list[ViewJob], manifest: Manifest | None, progress: Progress
) -> list[ViewJob]:
    """Views to make: of a finished dataset those that are not as its manifest says.

    A finished dataset that is whole stays, whatever libraries made it. If some of it must
    be made again, so must all that today's libraries would make differently.
    """
    samples = {} if manifest is None else {s["name"]: s["files"] for s in manifest.samples}
    wrong: set[str] = set()
    old: set[str] = set()
    for job in jobs:
        files = samples.get(job.folder.name)
        if files is None:
            right = store.is_complete(job.folder, job.record.recipe)
        else:
            right = not store.wrong_files(job.folder, files)
        if not right:
            wrong.add(job.folder.name)
        elif files is not None and store.read_record(job.folder).recipe != job.record.recipe:
            old.add(job.folder.name)
        progress.advance(1)
    again = wrong | old if wrong else wrong
    return [job for job in jobs if job.folder.name in again]


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
        groups = batches(jobs, workers)
        for group in make_all(groups, scene, spec, min(workers, len(groups))):
            progress.advance(len(group))
        return
    maker = ViewMaker(bundle, spec)
    for group in batches(jobs):
        maker.make(group, progress.advance)


def _scene(spec: DatasetSpec, out: Path, progress: Progress) -> SceneBundle:
    folder = out / SCENE
    if SOURCE in input_hashes(spec) and not is_planned(out):
        # The file may have changed since; only a plan records what it held.
        shutil.rmtree(folder, ignore_errors=True)
    if folder.is_dir():
        progress.start("Loading the scene", 0)
        try:
            return SceneBundle.load(folder)
        except StorageError as error:
            raise StorageError(
                f"the scene of dataset {out} is damaged: delete {folder} and run the same "
                f"command again to make it anew. ({error})"
            ) from error
    if spec.scene.source is not None:
        progress.start("Importing the scene", 0)
        bundle = open_scene(spec.scene.source)
    else:
        progress.start(f"Generating a {spec.scene.density} city", 0)
        bundle = generate(city_config(spec.scene, spec.seed)).to_bundle()
    bundle.save(folder)
    return bundle


def _plan(
    spec: DatasetSpec, bundle: SceneBundle, scene_hash: str, path: Path, progress: Progress
) -> tuple[list[Pose], tuple[Transmitter, ...]]:
    if not path.is_file():
        progress.start("Planning views and transmitters", 0)
        poses, transmitters = _chosen(spec, bundle)
        check_motion(poses, spec.render)
        record = {
            "scene_hash": scene_hash,
            "inputs": input_hashes(spec),
            "cameras": [pose.to_record() for pose in poses],
            "transmitters": [transmitter.to_dict() for transmitter in transmitters],
        }
        with atomic_file(path) as scratch:
            scratch.write_text(json.dumps(record, indent=1) + "\n")
    return _read_plan(path, scene_hash)


def _chosen(spec: DatasetSpec, bundle: SceneBundle) -> tuple[list[Pose], list[Transmitter]]:
    """Given views get transmitters that light them; else views look at what is lit."""
    if spec.views.poses:
        poses = read_track(spec.views.poses)
        cameras = [pose.camera for pose in poses]
        names = [view_name(index) for index in range(len(cameras))]
        check_cameras(RayCaster(bundle), cameras, names)
        return poses, place_transmitters(bundle, spec.transmitters, cameras, spec.seed)
    transmitters = place_transmitters(bundle, spec.transmitters, seed=spec.seed)
    cameras = plan_views(bundle, spec.views, spec.seed, transmitters=transmitters)
    return [Pose(camera) for camera in cameras], transmitters


def _read_plan(path: Path, scene_hash: str) -> tuple[list[Pose], tuple[Transmitter, ...]]:
    try:
        record = json.loads(path.read_text())
        if record["scene_hash"] != scene_hash:
            raise InputError(
                f"{path} was made for another scene: delete {path.parent} and build anew."
            )
        poses = [Pose.from_record(entry) for entry in record["cameras"]]
        return poses, tuple(Transmitter.from_dict(entry) for entry in record["transmitters"])
    except InputError:
        raise
    except DAMAGE as error:
        raise StorageError(f"{path} is damaged: {error}") from error


def _jobs(
    spec: DatasetSpec,
    scene_hash: str,
    poses: list[Pose],
    transmitters: tuple[Transmitter, ...],
    folder: Path,
) -> list[ViewJob]:
    jobs = []
    for index, pose in enumerate(poses):
        name = view_name(index)
        record = view_record(
            name,
            pose,
            scene_hash,
            spec.seed,
            render=spec.render,
            transmitters=transmitters,
            radio_spec=spec.radio.model_dump(mode="json"),
        )
        jobs.append(ViewJob(folder / name, record))
    return jobs


def _give_up(out: Path) -> None:
    """Undo a build whose spec cannot be carried out, so that a mended spec may follow."""
    if any((out / VIEWS).glob("*")):
        return  # finished views are worth more
    for folder in (out / SCENE, out / VIEWS):
        shutil.rmtree(folder, ignore_errors=True)
    for file in (out / PLAN_JSON, out / SPEC_YAML):
        file.unlink(missing_ok=True)
