"""Folders of views outside a dataset: rendered first, traced later, both resumable."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from vasgen.artefact import atomic_directory, remove_partials
from vasgen.bundle import SceneBundle
from vasgen.camera import Camera
from vasgen.datasets import store
from vasgen.datasets.dataset import Views, read_views
from vasgen.datasets.manifest import MANIFEST_JSON, PLAN_JSON, SCENE, SPEC_YAML, VIEWS
from vasgen.datasets.view_record import ViewRecord
from vasgen.errors import InputError
from vasgen.orchestrate.camera_check import check_cameras, check_motion
from vasgen.orchestrate.judge import Judge
from vasgen.orchestrate.posefile import Pose
from vasgen.orchestrate.progress import Progress, Silent
from vasgen.orchestrate.view import batch_size, draw_view, view_name, view_record, write_pictures
from vasgen.raycast import RayCaster
from vasgen.render import ImageBackend, open_backend
from vasgen.render_spec import RenderSpec
from vasgen.spec import RadioSpec
from vasgen.transmitter import Transmitter
from vasgen.vas import Tracer, View
from vasgen.vas.paths.path_record import paths_to_arrays


def render_views(
    bundle: SceneBundle,
    cameras: Sequence[Camera | Pose],
    out: Path,
    *,
    spec: RenderSpec | None = None,
    rgb: bool = True,
    seed: int = 0,
    unreal: str | None = None,
    progress: Progress | None = None,
) -> int:
    """Render image layers into a folder of views; views that are there already stay.

    Args:
        bundle: the scene.
        cameras: the views; a pose may say how its camera moves while the shutter is open.
        out: folder that gets one folder per view.
        spec: quality and conditions of the pictures.
        rgb: whether to draw pictures.
        seed: seed of the pictures' noise.
        unreal: HOST:PORT of the UnrealCV server, if Unreal draws the pictures; else what the
            environment names.
        progress: is told about the steps.

    Returns:
        Number of views rendered now.

    Raises:
        InputError: if a camera is inside a solid, nothing moves while the shutter is open, the
            folder holds other things or belongs to a dataset, or a view that would be replaced
            was traced.
        StorageError: if the disk refuses.
    """
    watch, light = progress or Silent(), spec or RenderSpec()
    poses = [view if isinstance(view, Pose) else Pose(view) for view in cameras]
    scene_hash = bundle.content_hash
    names = [view_name(index) for index in range(len(poses))]
    _refuse_datasets(out)
    _check_folder(out, names)
    remove_partials(out)
    records = [
        view_record(name, pose, scene_hash, seed, render=light, rgb=rgb)
        for name, pose in zip(names, poses, strict=True)
    ]
    todo = [
        (out / name, record)
        for name, record in zip(names, records, strict=True)
        if not store.is_complete(out / name, record.recipe)
    ]
    _refuse_traced(folder for folder, _ in todo)
    if rgb:
        check_motion(poses, light)
    if not todo:
        watch.start("Rendering 0 views", 0)
        return 0
    caster = RayCaster(bundle)
    check_cameras(caster, [pose.camera for pose in poses], names)
    watch.start(f"Rendering {len(todo)} views", len(todo))
    _draw(open_backend(bundle, light, unreal, caster=caster), todo, watch)
    return len(todo)


def _draw(renderer: ImageBackend, todo: Sequence[tuple[Path, ViewRecord]], watch: Progress) -> None:
    """Draw and write views, each into its folder."""
    for folder, record in todo:
        image = draw_view(renderer, record)
        with atomic_directory(folder) as scratch:
            write_pictures(scratch, image, record.conditions)
            store.write_view(scratch, record, image)
        watch.advance(1)


def reopen_views(folder: Path) -> Views:
    """Open a folder of views to work on it: what killed runs left is cleared first.

    Args:
        folder: holds one folder per view.

    Raises:
        InputError: if it holds no view, or belongs to a dataset.
    """
    _refuse_datasets(folder)
    remove_partials(folder)
    return read_views(folder)


def trace_views(
    bundle: SceneBundle,
    views: Views,
    transmitters: Sequence[Transmitter],
    spec: RadioSpec,
    *,
    seed: int = 0,
    progress: Progress | None = None,
) -> int:
    """Add radio layers to a folder of views; views traced like this already stay.

    A view that the physics gate refuses is written with its problems.

    Args:
        bundle: the scene the views were rendered from.
        views: the views.
        transmitters: all transmitters that are on at the same time.
        spec: propagation and effort.
        seed: seed of the estimator.
        progress: is told about the steps.

    Returns:
        Number of views traced now.

    Raises:
        InputError: if a view shows another scene, or the folder belongs to a dataset.
        StorageError: if the disk refuses, or a view is damaged.
    """
    _refuse_datasets(views.folder)
    remove_partials(views.folder)
    watch = progress or Silent()
    todo = _untraced(bundle, views, transmitters, spec, seed)
    watch.start(f"Tracing {len(todo)} views", len(todo))
    if not todo:
        return 0
    caster = RayCaster(bundle)
    tracer, judge = Tracer(bundle, spec, caster=caster), Judge(bundle, spec, caster)
    size = batch_size([record for _, record in todo], len(transmitters))
    for begin in range(0, len(todo), size):
        _trace_together(todo[begin : begin + size], tracer, judge, watch)
    return len(todo)


def _untraced(
    bundle: SceneBundle,
    views: Views,
    transmitters: Sequence[Transmitter],
    spec: RadioSpec,
    seed: int,
) -> list[tuple[Path, ViewRecord]]:
    """Folders of the views to trace, with their records as they will be."""
    scene_hash = bundle.content_hash
    todo = []
    for index, name in enumerate(views.names):
        folder, record = views.folder / name, views.record(index)
        if record.scene_hash != scene_hash:
            raise InputError(
                f"view {folder} shows another scene than {bundle.name!r}; "
                "render it again from this scene."
            )
        wanted = _traced(record, name, transmitters, spec, seed)
        if not _same_trace(record, wanted) or store.wrong_files(folder, record.files):
            todo.append((folder, wanted))
    return todo


def _trace_together(
    batch: Sequence[tuple[Path, ViewRecord]], tracer: Tracer, judge: Judge, watch: Progress
) -> None:
    """Trace views that share their rays, and write what the gate says of each."""
    records = [record for _, record in batch]
    images = [store.read_image(folder, record) for folder, record in batch]
    traced = tracer.trace_paths(
        [
            View(record.camera, image.depth, image.normal)
            for record, image in zip(records, images, strict=True)
        ],
        records[0].transmitters,
        seed=records[0].seeds["radio"],
        advance=_shares(watch, len(batch)),
    )
    for (folder, record), image, (radio, paths) in zip(batch, images, traced, strict=True):
        verdict = judge.judge(folder.name, record, image, radio)
        stored = paths_to_arrays(paths) if paths else None
        store.add_radio(folder, verdict.record, image, radio, verdict.draw, stored)


def _shares(watch: Progress, count: int) -> Callable[[float], None]:
    return lambda share: watch.advance(share * count)


def _traced(
    record: ViewRecord, name: str, transmitters: Sequence[Transmitter], spec: RadioSpec, seed: int
) -> ViewRecord:
    """The view's record as it will be once traced; the picture's seed stays."""
    fresh = view_record(name, Pose(record.camera), record.scene_hash, seed)
    return dataclasses.replace(
        record,
        seeds={**record.seeds, "radio": fresh.seeds["radio"]},
        transmitters=tuple(transmitters),
        radio_spec=spec.model_dump(mode="json"),
    )


def _same_trace(record: ViewRecord, wanted: ViewRecord) -> bool:
    return store.RADIO_NPZ in record.files and (
        record.transmitters,
        record.radio_spec,
        record.seeds,
    ) == (wanted.transmitters, wanted.radio_spec, wanted.seeds)


def _refuse_datasets(folder: Path) -> None:
    """Refuse the views of a dataset: its manifest would no longer be true of them."""
    dataset = folder.resolve().parent
    owned = any((dataset / name).is_file() for name in (MANIFEST_JSON, PLAN_JSON))
    # A spec alone may be anyone's; beside a scene it is a build that has just begun.
    owned = owned or ((dataset / SPEC_YAML).is_file() and (dataset / SCENE).is_dir())
    if owned and folder.resolve().name == VIEWS:
        raise InputError(
            f"{folder} belongs to the dataset {dataset}: change its spec and use vasgen build "
            "with another --out, or work on a copy of the folder."
        )


def _refuse_traced(folders: Iterable[Path]) -> None:
    """Refuse to replace views that hold radio layers: tracing is the dear part."""
    for folder in folders:
        if (folder / store.RADIO_NPZ).is_file():
            raise InputError(
                f"view {folder} was traced, and rendering it anew would delete its radio layers; "
                "choose another --out."
            )


def _check_folder(out: Path, names: Sequence[str]) -> None:
    """Refuse a folder that holds anything but earlier versions of these views."""
    if out.is_file():
        raise InputError(f"{out} is a file; choose a folder with --out.")
    if not out.is_dir():
        return
    for path in sorted(out.iterdir()):
        known = path.name in names and (path / store.VIEW_JSON).is_file()
        if not known and not path.name.startswith("."):
            raise InputError(
                f"{out} holds {path.name!r}, which is none of these views; choose another --out."
            )
