"""Making one view of a dataset: the unit of work that a campaign repeats."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vasgen import runtime
from vasgen.artefact import atomic_directory, library_versions
from vasgen.bundle import SceneBundle
from vasgen.conditions import Conditions, sample_conditions
from vasgen.datasets import store
from vasgen.datasets.layer_pictures import FIXED_DEPTH_SCALE, paint_layer
from vasgen.datasets.view_record import ViewRecord
from vasgen.layers import ImageLayers
from vasgen.orchestrate.judge import Judge
from vasgen.orchestrate.posefile import Pose
from vasgen.raycast import RayCaster
from vasgen.render import ImageBackend, open_backend
from vasgen.render.picture import to_display, write_exr, write_png
from vasgen.render_spec import RenderSpec
from vasgen.seeding import key
from vasgen.spec import DatasetSpec, RadioSpec
from vasgen.transmitter import Transmitter
from vasgen.vas import Tracer, View
from vasgen.vas.paths.path_record import paths_to_arrays
from vasgen.vas.tracer import cell_bytes

#: Share of a view's work that is drawing the picture, for progress.
_PICTURE_SHARE = 0.7

#: Views that are traced together at most: what a kill can cost.
_LARGEST_BATCH = 8

#: Memory of the labels of a batch, bytes.
_BATCH_BYTES = 2_400_000_000


@dataclass(frozen=True, eq=False)
class ViewJob:
    """A view to make.

    Attributes:
        folder: where it goes.
        record: camera, transmitters, seeds and recipe of the view.
    """

    folder: Path
    record: ViewRecord


class ViewMaker:
    """Makes views of one scene; loads the scene once.

    Args:
        bundle: the scene.
        spec: what to make.
    """

    def __init__(self, bundle: SceneBundle, spec: DatasetSpec) -> None:
        caster = RayCaster(bundle)
        self._renderer = open_backend(bundle, spec.render, caster=caster)
        self._tracer = Tracer(bundle, spec.radio, caster=caster)
        self._judge = Judge(bundle, spec.radio, caster)

    def make(
        self, jobs: Sequence[ViewJob], advance: Callable[[float], None] = lambda views: None
    ) -> None:
        """Render, trace and write views together; each appears whole or not at all.

        A view that the physics gate refuses is written with its problems.

        Args:
            jobs: the views, of the same transmitters and seed of the radio.
            advance: called with the number of views done since the last call.

        Raises:
            InputError: if the camera is inside a solid.
            StorageError: if the disk refuses.
        """
        images = []
        for job in jobs:
            images.append(draw_view(self._renderer, job.record))
            advance(_PICTURE_SHARE)
        runtime.free_unused()  # pictures and labels need arrays of other sizes
        traced = self._tracer.trace_paths(
            [
                View(job.record.camera, image.depth, image.normal)
                for job, image in zip(jobs, images, strict=True)
            ],
            jobs[0].record.transmitters,
            seed=jobs[0].record.seeds["radio"],
            advance=lambda share: advance((1 - _PICTURE_SHARE) * share * len(jobs)),
        )
        for job, image, (layers, paths) in zip(jobs, images, traced, strict=True):
            with atomic_directory(job.folder) as scratch:
                write_pictures(scratch, image, job.record.conditions)
                verdict = self._judge.judge(job.folder.name, job.record, image, layers)
                verdict.draw(scratch)
                stored = paths_to_arrays(paths) if paths else None
                store.write_view(scratch, verdict.record, image, layers, stored)


def batches(jobs: Sequence[ViewJob], workers: int = 1) -> list[Sequence[ViewJob]]:
    """Jobs in groups that share the rays of one shot: large, but enough for all workers.

    Args:
        jobs: the views to make.
        workers: number of processes that share them.
    """
    records = [job.record for job in jobs]
    size = batch_size(records, len(records[0].transmitters) if records else 1, workers)
    return [jobs[begin : begin + size] for begin in range(0, len(jobs), size)]


def batch_size(records: Sequence[ViewRecord], num_transmitters: int, workers: int = 1) -> int:
    """Views to trace together, so that batches are alike and their labels fit the memory."""
    cells = num_transmitters * max((r.camera.width * r.camera.height for r in records), default=1)
    view_bytes = cells * max((_cell_bytes(record) for record in records), default=1)
    most = max(1, min(_LARGEST_BATCH, _BATCH_BYTES // view_bytes, -(-len(records) // workers)))
    number = max(1, -(-len(records) // most))
    return max(1, -(-len(records) // number))


def _cell_bytes(record: ViewRecord) -> int:
    return cell_bytes(RadioSpec.model_validate(record.radio_spec or {}))


def draw_view(renderer: ImageBackend, record: ViewRecord) -> ImageLayers:
    """The image layers of a view; with a picture, if its record names the conditions."""
    conditions = record.conditions
    return renderer.layers(
        record.camera, conditions, rgb=conditions is not None, seed=record.seeds["picture"]
    )


def write_pictures(folder: Path, image: ImageLayers, conditions: Conditions | None) -> None:
    """Write ``rgb.exr``, ``rgb.png`` and ``depth.png``, if there is a picture.

    Args:
        folder: scratch folder of the view.
        image: image layers.
        conditions: what the picture was drawn in; they decide the exposure.
    """
    if image.rgb is not None:
        write_exr(folder / store.RGB_EXR, image.rgb)
        write_png(folder / store.RGB_PNG, to_display(image.rgb, conditions))
        depth = paint_layer(image, "depth", FIXED_DEPTH_SCALE)
        write_png(folder / store.DEPTH_PNG, np.rint(255 * depth).astype(np.uint8))


def view_name(index: int) -> str:
    """Name of a view by its number: sorts as it counts."""
    return f"{index:06d}"


def view_record(
    name: str,
    pose: Pose,
    scene_hash: str,
    seed: int,
    *,
    render: RenderSpec | None = None,
    rgb: bool = True,
    transmitters: Sequence[Transmitter] = (),
    radio_spec: dict[str, object] | None = None,
) -> ViewRecord:
    """The record of a view, with its seeds and the recipe that its bytes follow from.

    Args:
        name: name of the view: its conditions and its picture's noise depend on it.
        pose: the camera, and how it moves if that is known.
        scene_hash: content hash of the scene.
        seed: seed of the dataset.
        render: what draws the layers, quality and conditions of the picture; None: no picture.
        rgb: whether there is a picture.
        transmitters: transmitters of the radio layers.
        radio_spec: propagation of the radio layers.
    """
    # Views share the rays that are shot, so the seed of the radio is that of the dataset.
    seeds = {
        "picture": key(seed, "view", name, "picture") % 2**31,
        "radio": key(seed, "radio") % 2**31,
    }
    conditions = None
    if render is not None and rgb:
        conditions = sample_conditions(render, seed, name, pose.velocity_m_s, pose.turn_deg_s)
    content = [
        pose.camera.to_dict(),
        scene_hash,
        seeds,
        render and [render.backend, render.unreal_far],
        render and rgb and render.samples_per_pixel,
        conditions and conditions.to_record(),
        [t.to_dict() for t in transmitters],
        radio_spec,
        library_versions(),
    ]
    recipe = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    return ViewRecord(
        pose.camera, scene_hash, recipe, seeds, conditions, tuple(transmitters), radio_spec
    )
