"""Relabelling a dataset: other antennas, frequencies, powers or materials without tracing.

A relabelled dataset is a dataset like any other: pictures and stored paths are linked from the
one it was made from, and the spec, plan and manifest are those of its own labels. Its plan says
which dataset it was made from and what was changed: it claims the folder.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vasgen.artefact import DAMAGE, atomic_file, library_versions, remove_partials, sha256_of
from vasgen.bundle import SceneBundle
from vasgen.datasets import store
from vasgen.datasets.change_sheet import RELABEL_PNG, draw_change
from vasgen.datasets.dataset import Dataset, open_dataset
from vasgen.datasets.left_out import LeftOut, what_is_left_out
from vasgen.datasets.manifest import (
    MANIFEST_JSON,
    PLAN_JSON,
    SCENE,
    SPEC_YAML,
    VIEWS,
    make_manifest,
    read_manifest,
    write_manifest,
)
from vasgen.datasets.records import read_json
from vasgen.datasets.view_record import ViewRecord
from vasgen.errors import InputError, StorageError
from vasgen.layers import ImageLayers, RadioLayers
from vasgen.orchestrate.changes import Changed, apply_changes
from vasgen.orchestrate.judge import Judge
from vasgen.orchestrate.layout import TRANSMITTERS, locked
from vasgen.orchestrate.patterns import add_patterns
from vasgen.orchestrate.progress import Progress, Silent
from vasgen.orchestrate.transmitter_file import write_transmitters
from vasgen.orchestrate.transmitter_map import TRANSMITTERS_PNG, draw_transmitters
from vasgen.raycast import RayCaster
from vasgen.spec import parse_spec
from vasgen.transmitter import Transmitter
from vasgen.vas import radio_notes
from vasgen.vas.paths.path_record import paths_from_arrays
from vasgen.vas.paths.paths import Paths
from vasgen.vas.paths.relabel import Relabeller, opened_slabs, rebudgeted

#: The transmitters of a relabelled dataset whose spec named a file of them.
_TRANSMITTERS_JSON = "transmitters.json"


@dataclass(frozen=True)
class Relabelling:
    """What a run of :func:`relabel` did.

    Attributes:
        out: the new dataset.
        views: number of its views.
        made: number of them made by this run; the others were there already.
        differences: dotted key to the old and the new value.
        left_out: what was counted and so has no paths; None if nothing was left out.
        seconds: duration of this run, and of it the making of views.
        seconds_of_views: the latter.
        content_hash: of the new dataset.
        marked: name and problems of each view that the physics gate refuses.
        notes: what to know about all labels, one line each.
    """

    out: Path
    views: int
    made: int
    differences: Mapping[str, list[Any]]
    left_out: LeftOut | None
    seconds: float
    seconds_of_views: float
    content_hash: str
    marked: tuple[tuple[str, tuple[str, ...]], ...]
    notes: tuple[str, ...]


def relabel(
    dataset: Path | str,
    out: Path | str,
    changes: Mapping[str, Any],
    *,
    progress: Progress | None = None,
) -> Relabelling:
    """Make a dataset from another by changing what needs no tracing.

    Run again after an interruption it goes on: finished views are kept.

    Args:
        dataset: finished dataset; with stored paths, unless only the link budget changes.
        out: folder of the new dataset.
        changes: ``radio``, ``transmitters`` and ``materials``, see
            :mod:`vasgen.orchestrate.changes`.
        progress: is told about the steps.

    Raises:
        InputError: if a change is not allowed or needs tracing, paths are not stored, or ``out``
            holds something else.
        StorageError: if the disk refuses, or the dataset is damaged.
    """
    started = time.perf_counter()
    watch, out = progress or Silent(), Path(out)
    source = open_dataset(dataset)
    _check_apart(source.path, out)
    watch.start("Loading the scene", 0)
    job = _Job(source, changes)
    with locked(out):
        _claim(out, job.plan)
        remove_partials(out)
        remove_partials(out / VIEWS)
        made, seconds = job.run(out, watch)
        manifest = read_manifest(out)
    return Relabelling(
        out,
        len(manifest.samples),
        made,
        job.changed.differences,
        job.left_out,
        time.perf_counter() - started,
        seconds,
        manifest.content_hash,
        tuple((s["name"], tuple(s["problems"])) for s in manifest.samples if s["problems"]),
        manifest.notes,
    )


class _Job:
    """A dataset, what shall change, and all that follows before the first view is made."""

    def __init__(self, source: Dataset, changes: Mapping[str, Any]) -> None:
        manifest = source.manifest
        spec = parse_spec(manifest.spec, str(source.path / SPEC_YAML))
        transmitters = tuple(map(Transmitter.from_dict, manifest.transmitters))
        bundle = SceneBundle.load(source.path / SCENE)
        changed = apply_changes(changes, spec, transmitters, bundle)
        if changed.spec.transmitters.file is not None:
            placed = changed.spec.transmitters.model_copy(update={"file": _TRANSMITTERS_JSON})
            changed = dataclasses.replace(
                changed, spec=changed.spec.model_copy(update={"transmitters": placed})
            )
        self.source, self.changed = source, changed
        self.left_out: LeftOut | None = None
        self._relabeller: Relabeller | None = None
        self._opened: tuple[str, ...] = ()
        if changed.fields:
            _check_paths(source)
            self._relabeller = Relabeller(
                changed.bundle.radio_materials, changed.transmitters, changed.spec.radio
            )
            self.left_out = what_is_left_out(source)
            self._opened = opened_slabs(
                bundle.radio_materials,
                spec.radio,
                changed.bundle.radio_materials,
                changed.spec.radio,
            )
        self.provenance = {
            "name": manifest.name,
            "content_hash": manifest.content_hash,
            "changes": changed.differences,
            "left_out": None if self.left_out is None else self.left_out._asdict(),
        }
        self.plan = _plan(source, changed, self.provenance)

    def run(self, out: Path, watch: Progress) -> tuple[int, float]:
        """Make what is missing in the new dataset.

        Returns:
            Number of views made, and the seconds that took.
        """
        changed, names = self.changed, self.source.names
        if not (out / SCENE).is_dir():
            changed.bundle.save(out / SCENE)
        if changed.spec.transmitters.file is not None:
            write_transmitters(out / _TRANSMITTERS_JSON, changed.transmitters)
        with atomic_file(out / SPEC_YAML) as scratch:
            scratch.write_text(changed.spec.to_yaml())
        records = [self._record(number) for number in range(len(names))]
        todo = [
            number
            for number, name in enumerate(names)
            if not store.is_complete(out / VIEWS / name, records[number].recipe)
        ]
        if not todo and _is_finished(out):
            return 0, 0.0
        (out / MANIFEST_JSON).unlink(missing_ok=True)  # a folder that has it is finished
        watch.start(f"Relabelling {len(todo)} views", len(todo))
        begun = time.perf_counter()
        judge = Judge(changed.bundle, changed.spec.radio, RayCaster(changed.bundle))
        for number in todo:
            self._make(out / VIEWS / names[number], records[number], judge)
            watch.advance(1)
        seconds = time.perf_counter() - begun
        self._finish(out, watch)
        return len(todo), seconds

    def _record(self, number: int) -> ViewRecord:
        """The record of a view as it will be, but for the files that change."""
        old = self.source.record(number)
        content = [old.files, self.provenance, library_versions()]
        recipe = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
        return dataclasses.replace(
            old,
            scene_hash=self.plan["scene_hash"],
            recipe=recipe,
            transmitters=self.changed.transmitters,
            radio_spec=self.changed.spec.radio.model_dump(mode="json"),
        )

    def _make(self, folder: Path, record: ViewRecord, judge: Judge) -> None:
        there = self.source.folder / folder.name
        wrong = store.wrong_files(there, record.files)
        if wrong:
            raise StorageError(
                f"view {there} is damaged ({wrong[0]}): mend the dataset with the command that "
                "built it, then run this one again."
            )
        image = store.read_image(there, record)
        layers = self._layers(there, image, store.read_radio(there))
        verdict = judge.judge(folder.name, record, image, layers)
        store.relabel_view(there, folder, verdict.record, image, layers, verdict.draw)

    def _layers(self, folder: Path, image: ImageLayers, before: RadioLayers) -> RadioLayers:
        changed = self.changed
        if self._relabeller is None:
            return rebudgeted(before, image.valid, changed.transmitters, changed.spec.radio)
        paths = _read_paths(folder)
        return self._relabeller.layers(paths, before, image.valid)

    def _finish(self, out: Path, watch: Progress) -> None:
        watch.start("Drawing before and after", 0)
        changed = self.changed
        before = self.source.manifest
        notes = (
            *_notes(self.provenance, self.left_out),
            *self._opened,
            *radio_notes(changed.bundle, changed.spec.radio),
            # What an earlier relabelling left out is still missing.
            *(before.notes if before.relabelled else ()),
        )
        add_patterns(out, changed.transmitters)
        draw_transmitters(changed.bundle, changed.transmitters, out / TRANSMITTERS_PNG)
        manifest = make_manifest(
            out,
            changed.spec,
            changed.bundle,
            changed.transmitters,
            list(self.source.names),
            tuple(dict.fromkeys(notes)),
            self.provenance,
        )
        after = Dataset(out, manifest)
        draw_change(self.source, after, _shown(changed), out / RELABEL_PNG)
        write_manifest(out, manifest)


def _plan(source: Dataset, changed: Changed, provenance: Mapping[str, Any]) -> dict[str, Any]:
    old = read_json(source.path / PLAN_JSON)
    try:
        kept = {key: old[key] for key in ("cameras", "inputs") if key in old}
        inputs = {k: v for k, v in kept.get("inputs", {}).items() if k != TRANSMITTERS}
    except DAMAGE as error:
        raise StorageError(f"{source.path / PLAN_JSON} is damaged: {error}") from error
    return {
        **kept,
        "inputs": inputs,
        "scene_hash": changed.bundle.content_hash,
        "transmitters": [t.to_dict() for t in changed.transmitters],
        "relabelled": provenance,
    }


def _claim(out: Path, plan: Mapping[str, Any]) -> None:
    """Make the folder this relabelling's, or refuse if it is something else's."""
    path = out / PLAN_JSON
    if not any(not p.name.startswith(".") for p in out.iterdir()):
        with atomic_file(path) as scratch:
            scratch.write_text(json.dumps(plan, indent=1) + "\n")
    # Compared as JSON has it: tuples are lists there.
    elif not path.is_file() or read_json(path) != json.loads(json.dumps(plan)):
        raise InputError(
            f"{out} holds something else than this relabelling; choose another --out, or delete "
            "that folder."
        )


def _check_apart(source: Path, out: Path) -> None:
    here, there = source.resolve(), out.resolve()
    if here == there or here in there.parents or there in here.parents:
        raise InputError(
            f"{out} and {source} lie in each other; the dataset stays as it is: choose another "
            "--out."
        )


def _check_paths(source: Dataset) -> None:
    for number, name in enumerate(source.names):
        if store.PATHS_NPZ not in source.record(number).files:
            raise InputError(
                f"view {name} of {source.path} has no stored paths, and only power, groups and "
                "noise can change without them: build it again with radio.store_paths: true."
            )


def _read_paths(folder: Path) -> tuple[Paths, ...]:
    arrays = store.read_arrays(folder / store.PATHS_NPZ)
    try:
        return paths_from_arrays(arrays)
    except (IndexError, *DAMAGE) as error:
        raise StorageError(f"{folder / store.PATHS_NPZ} cannot be read: {error}") from error


def _is_finished(out: Path) -> bool:
    try:
        manifest = read_manifest(out)
    except (InputError, StorageError):
        return False
    return not store.wrong_files(out, manifest.files) and all(
        sha256_of(out / VIEWS / s["name"] / store.VIEW_JSON) == s["files"][store.VIEW_JSON]
        for s in manifest.samples
    )


def _notes(provenance: Mapping[str, Any], left_out: LeftOut | None) -> Iterator[str]:
    changes = ", ".join(provenance["changes"])
    yield (f"relabelled from {provenance['name']} ({provenance['content_hash'][:16]}): {changes}.")
    if left_out is not None and left_out.power_share > 0:
        yield f"labels follow from stored paths; {left_out.text}."


def _shown(changed: Changed) -> str:
    """The layer in which the change is seen."""
    if changed.fields:
        return "path_gain_db"
    return "rss_dbm" if "transmitters.power_dbm" in changed.differences else "sinr_db"
