"""The manifest: what a dataset holds, what its numbers mean, and what made it."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vasgen.artefact import DAMAGE, atomic_file, library_versions, sha256_of
from vasgen.bundle import SceneBundle
from vasgen.datasets import store
from vasgen.datasets.antennas import ANTENNAS_NPZ
from vasgen.datasets.records import check_keys, check_values, read_json
from vasgen.errors import InputError, StorageError
from vasgen.layers import IMAGE_LAYERS, PATH_LAYERS, RADIO_LAYERS
from vasgen.semantics import SemanticClass
from vasgen.spec import DatasetSpec
from vasgen.transmitter import Transmitter

FORMAT_VERSION = 2

MANIFEST_JSON = "dataset.json"
SPEC_YAML = "spec.yaml"
PLAN_JSON = "plan.json"
VIEWS = "views"
SCENE = "scene"

_KINDS = {
    "name": str,
    "seed": int,
    "spec": dict,
    "versions": dict,
    "scene": dict,
    "transmitters": list,
    "layers": dict,
    "semantic_classes": dict,
    "radio_materials": list,
    "samples": list,
    "notes": list,
    "files": dict,
    "content_hash": str,
}


@dataclass(frozen=True)
class Manifest:
    """What ``dataset.json`` holds.

    Attributes:
        name: name of the dataset.
        seed: seed of everything random in it.
        spec: the resolved spec, as plain values.
        versions: versions of the libraries that shaped the numbers.
        scene: name, content hash and number of triangles of the scene.
        transmitters: all transmitters, in the order of the radio layers' first axis.
        layers: layer name to file, dtype, axes, unit and meaning.
        semantic_classes: number of each class, as text, to its name.
        radio_materials: looked up by the layer ``radio_material``.
        samples: name, file hashes and problems of each view, in order; problems are what the
            physics gate found wrong with it, one line each.
        notes: what to know about all labels: materials used beyond their range of frequencies,
            shells that do not diffract.
        files: name to SHA-256 of the files beside the manifest that count.
        content_hash: SHA-256 over the scene, the transmitters and all files.
        relabelled: of a dataset made from the stored paths of another: the name and content
            hash of that, what was changed, and what its labels leave out; else None.
        format: version of this layout.
    """

    name: str
    seed: int
    spec: dict[str, Any]
    versions: dict[str, str]
    scene: dict[str, Any]
    transmitters: tuple[dict[str, Any], ...]
    layers: dict[str, dict[str, str]]
    semantic_classes: dict[str, str]
    radio_materials: tuple[str, ...]
    samples: tuple[dict[str, Any], ...]
    notes: tuple[str, ...]
    files: dict[str, str]
    content_hash: str
    relabelled: dict[str, Any] | None = None
    format: int = FORMAT_VERSION


def make_manifest(
    folder: Path,
    spec: DatasetSpec,
    bundle: SceneBundle,
    transmitters: tuple[Transmitter, ...],
    names: list[str],
    notes: tuple[str, ...] = (),
    relabelled: dict[str, Any] | None = None,
) -> Manifest:
    """The manifest of the finished views under ``folder``.

    Args:
        folder: dataset folder.
        spec: what was built.
        bundle: the scene.
        transmitters: all transmitters.
        names: names of the views, in order.
        notes: what to know about all labels, one line each.
        relabelled: as of :class:`Manifest`.
    """
    scene = {
        "name": bundle.name,
        "content_hash": bundle.content_hash,
        "triangles": bundle.num_triangles,
    }
    records = tuple(t.to_dict() for t in transmitters)
    samples = tuple(_sample(folder / VIEWS / name) for name in names)
    files = {ANTENNAS_NPZ: sha256_of(folder / ANTENNAS_NPZ)}
    return Manifest(
        name=spec.name,
        seed=spec.seed,
        spec=spec.to_plain(),
        versions=library_versions(),
        scene=scene,
        transmitters=records,
        layers=layer_table(store.path_layers(folder / VIEWS / names[0]) if names else ()),
        semantic_classes={str(int(c)): c.name.lower() for c in SemanticClass},
        radio_materials=tuple(m.name for m in bundle.radio_materials),
        samples=samples,
        notes=notes,
        files=files,
        content_hash=content_hash(scene, records, samples, files),
        relabelled=relabelled,
    )


def layer_table(paths: Iterable[str] = ()) -> dict[str, dict[str, str]]:
    """Every layer with its file, dtype, axes, unit and meaning.

    Args:
        paths: which of :data:`vasgen.layers.PATH_LAYERS` there are.
    """
    table = {}
    known = {name: PATH_LAYERS[name] for name in paths}
    for name, spec in {**IMAGE_LAYERS, **RADIO_LAYERS, **known}.items():
        file = store.IMAGE_NPZ if name in IMAGE_LAYERS else store.RADIO_NPZ
        table[name] = {"file": store.RGB_EXR if name == "rgb" else file, **spec._asdict()}
    return table


def content_hash(
    scene: dict[str, Any],
    transmitters: tuple[dict[str, Any], ...],
    samples: tuple[dict[str, Any], ...],
    files: dict[str, str],
) -> str:
    """SHA-256 over what the dataset says, not over when or by whom it was written."""
    content = [scene["content_hash"], transmitters, samples, files]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write ``dataset.json``: the last file of a build.

    Raises:
        StorageError: if the disk refuses.
    """
    with atomic_file(folder / MANIFEST_JSON) as scratch:
        record = json.dumps(dataclasses.asdict(manifest), indent=1, sort_keys=True)
        scratch.write_text(record + "\n")


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a dataset.

    Raises:
        InputError: if the folder is no dataset, or of a newer format.
        StorageError: if the manifest is damaged.
    """
    path = folder / MANIFEST_JSON
    if not path.is_file():
        raise InputError(_no_dataset(folder))
    record = read_json(path)
    try:
        if record["format"] != FORMAT_VERSION:
            raise InputError(
                f"{path} has format {record['format']}; this vasgen reads {FORMAT_VERSION}."
            )
        _check_record(record)
        for key in ("transmitters", "radio_materials", "samples", "notes"):
            record[key] = tuple(record[key])
        return Manifest(**record)
    except InputError:
        raise
    except DAMAGE as error:
        raise StorageError(f"{path} is damaged: {error}") from error


def _check_record(record: Any) -> None:
    check_keys(record, _KINDS, "it")
    if not isinstance(record.get("relabelled"), dict | None):
        raise TypeError("'relabelled' is no record of keys and values")
    check_keys(record["scene"], {"name": str, "content_hash": str, "triangles": int}, "scene")
    check_values(record["versions"], str, "versions")
    check_values(record["semantic_classes"], str, "semantic_classes")
    check_values(record["layers"], dict, "layers")
    check_values(record["files"], str, "files")
    for index, entry in enumerate(record["transmitters"]):
        check_keys(entry, {}, f"transmitters[{index}]")
    for index, name in enumerate(record["radio_materials"]):
        check_keys({"name": name}, {"name": str}, f"radio_materials[{index}]")
    for index, note in enumerate(record["notes"]):
        check_keys({"note": note}, {"note": str}, f"notes[{index}]")
    for index, sample in enumerate(record["samples"]):
        what = f"samples[{index}]"
        check_keys(sample, {"name": str, "files": dict, "problems": list}, what)
        check_keys(sample["files"], {store.VIEW_JSON: str}, f"files of {what}")
        check_values(sample["files"], str, f"files of {what}")


def _no_dataset(folder: Path) -> str:
    if not folder.exists():
        return f"there is no dataset {folder}: no such folder."
    if (folder / SPEC_YAML).is_file():
        return f"dataset {folder} is not finished: run the same vasgen build again to go on."
    return f"{folder} is no dataset: it has no {MANIFEST_JSON}."


def _sample(folder: Path) -> dict[str, Any]:
    record = store.read_record(folder)
    return {
        "name": folder.name,
        "files": {**record.files, store.VIEW_JSON: sha256_of(folder / store.VIEW_JSON)},
        "problems": list(record.problems),
    }
