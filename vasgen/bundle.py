"""The scene bundle: the contract between the rooms.

A bundle is labelled triangle geometry. In memory it is a :class:`SceneBundle`;
on disk a folder that Sionna RT and Mitsuba open as it is:

    SCENE/
      scene.xml       one Sionna/Mitsuba scene; a shape per radio material group
      meshes/*.ply    triangles, float64, world metres, welded
      labels.json     materials, instances, provenance, content hash
      labels.npz      per mesh: face_class, face_instance, face_visual, corner_uv

A mesh holds many objects that share one radio material; which face belongs to
which object, class and visual material is a per-face label.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from vasgen.artefact import DAMAGE, atomic_directory
from vasgen.errors import InputError, StorageError
from vasgen.layers import NO_MATERIAL
from vasgen.ply import read_ply, write_ply

FORMAT_VERSION = 1

_DTYPES = {
    "vertices": "<f8",
    "faces": "<i4",
    "face_class": "u1",
    "face_instance": "<i4",
    "face_visual": "<u2",
    "corner_uv": "<f4",
}
_FACE_LABELS = ("face_class", "face_instance", "face_visual", "corner_uv")


@dataclass(frozen=True)
class RadioMaterial:
    """How a surface treats radio waves.

    Attributes:
        name: unique in the bundle.
        itu_type: name in ITU-R P.2040 table 3 ("concrete", "glass", …), or None if
            the two constants below are given.
        thickness_m: slab thickness, metres.
        relative_permittivity: real part, if ``itu_type`` is None.
        conductivity_s_per_m: siemens per metre, if ``itu_type`` is None.
        scattering_coefficient: diffusely scattered share of the reflected field, [0, 1].

    Raises:
        InputError: if a number is not finite or out of range.
    """

    name: str
    itu_type: str | None = "concrete"
    thickness_m: float = 0.1
    relative_permittivity: float = 1.0
    conductivity_s_per_m: float = 0.0
    scattering_coefficient: float = 0.0

    def __post_init__(self) -> None:
        ranges = {
            "thickness_m": (0.0, math.inf),
            "relative_permittivity": (1.0, math.inf),
            "conductivity_s_per_m": (0.0, math.inf),
            "scattering_coefficient": (0.0, 1.0),
        }
        for key, (low, high) in ranges.items():
            value = getattr(self, key)
            if not (math.isfinite(value) and low <= value <= high):
                allowed = f"{low:g} to {high:g}" if math.isfinite(high) else f"{low:g} or more"
                raise InputError(
                    f"radio material {self.name!r}: {key} is {value:g}; allowed: {allowed}."
                )


@dataclass(frozen=True)
class VisualMaterial:
    """How a surface looks.

    Attributes:
        name: unique in the bundle.
        recipe: how the renderer textures it: "plain", or a name the renderer knows
            ("facade-brick", "asphalt", …); unknown recipes are rendered as "plain".
        base_color: mean diffuse reflectance, linear RGB in [0, 1].
        roughness: GGX roughness in [0, 1].
        metallic: 0 for dielectrics, 1 for metals.
        variant: seed of the texture, so that two facades of one recipe differ.
    """

    name: str
    recipe: str = "plain"
    base_color: tuple[float, float, float] = (0.5, 0.5, 0.5)
    roughness: float = 0.8
    metallic: float = 0.0
    variant: int = 0


@dataclass(frozen=True, eq=False)
class Mesh:
    """Triangles of one radio material, with labels per face.

    Attributes:
        name: unique in the bundle; file name of its PLY.
        radio_material: name of a :class:`RadioMaterial` of the bundle.
        vertices: (V, 3) float64, world metres; welded (a shared corner is one vertex).
        faces: (F, 3) int32, counter-clockwise seen from outside.
        face_class: (F,) uint8, :class:`~vasgen.semantics.SemanticClass`.
        face_instance: (F,) int32, object id, unique over the bundle; 0 is no object.
        face_visual: (F,) uint16, index into :attr:`SceneBundle.visual_materials`.
        corner_uv: (F, 3, 2) float32 texture coordinates per face corner. The unit is the
            recipe's: bays and storeys for facades, metres elsewhere.
    """

    name: str
    radio_material: str
    vertices: NDArray[np.float64]
    faces: NDArray[np.int32]
    face_class: NDArray[np.uint8]
    face_instance: NDArray[np.int32]
    face_visual: NDArray[np.uint16]
    corner_uv: NDArray[np.float32]

    def __post_init__(self) -> None:
        for part, dtype in _DTYPES.items():
            object.__setattr__(self, part, np.ascontiguousarray(getattr(self, part), dtype))

    @property
    def triangles(self) -> NDArray[np.float64]:
        """Corner positions, (F, 3, 3) float64, metres."""
        return self.vertices[self.faces]


class FaceTable(NamedTuple):
    """All faces of a bundle in one table, in the order of its meshes.

    Attributes:
        triangles: (F, 3, 3) float64 corner positions, metres.
        normal: (F, 3) float64 outward unit normals.
        semantic: (F,) uint8 classes.
        instance: (F,) int32 object ids.
        visual: (F,) uint16 indices of visual materials.
        radio: (F,) uint8 indices of radio materials.
        corner_uv: (F, 3, 2) float32 texture coordinates.
    """

    triangles: NDArray[np.float64]
    normal: NDArray[np.float64]
    semantic: NDArray[np.uint8]
    instance: NDArray[np.int32]
    visual: NDArray[np.uint16]
    radio: NDArray[np.uint8]
    corner_uv: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class SceneBundle:
    """Labelled geometry that can be rendered and traced.

    Attributes:
        name: short name for titles and summaries.
        meshes: geometry with per-face labels.
        radio_materials: all radio materials the meshes name.
        visual_materials: looked up by ``Mesh.face_visual``.
        provenance: spec, seed and library versions the geometry came from.
    """

    name: str
    meshes: tuple[Mesh, ...]
    radio_materials: tuple[RadioMaterial, ...]
    visual_materials: tuple[VisualMaterial, ...]
    provenance: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.meshes or not sum(len(mesh.faces) for mesh in self.meshes):
            raise InputError(f"scene {self.name!r} has no triangles.")
        known = _check_names(self)
        for mesh in self.meshes:
            _check_mesh(mesh, known, len(self.visual_materials))

    @property
    def bounds(self) -> NDArray[np.float64]:
        """Lowest and highest corner, (2, 3) metres."""
        used = [mesh.vertices[np.unique(mesh.faces)] for mesh in self.meshes if len(mesh.faces)]
        return np.array(
            [
                np.min([v.min(axis=0) for v in used], axis=0),
                np.max([v.max(axis=0) for v in used], axis=0),
            ]
        )

    @cached_property
    def face_table(self) -> FaceTable:
        """All faces with their labels, for look-ups by face index."""
        triangles = np.concatenate([mesh.triangles for mesh in self.meshes])
        cross = np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0])
        length = np.linalg.norm(cross, axis=1, keepdims=True)
        index = {material.name: i for i, material in enumerate(self.radio_materials)}
        radio = [np.full(len(m.faces), index[m.radio_material], np.uint8) for m in self.meshes]
        labels = (np.concatenate([getattr(m, part) for m in self.meshes]) for part in _FACE_LABELS)
        semantic, instance, visual, corner_uv = labels
        return FaceTable(
            triangles,
            cross / np.maximum(length, 1e-300),
            semantic,
            instance,
            visual,
            np.concatenate(radio),
            corner_uv,
        )

    @property
    def num_triangles(self) -> int:
        """Number of triangles of all meshes."""
        return sum(len(mesh.faces) for mesh in self.meshes)

    @property
    def content_hash(self) -> str:
        """SHA-256 over geometry, labels and materials; the name and provenance do not count."""
        digest = hashlib.sha256(json.dumps(_materials_record(self), sort_keys=True).encode())
        for mesh in sorted(self.meshes, key=lambda m: m.name):
            digest.update(f"{mesh.name}\0{mesh.radio_material}\0".encode())
            for part in _DTYPES:
                array = getattr(mesh, part)
                digest.update(f"{part}{array.shape}".encode())
                digest.update(array.tobytes())
        return digest.hexdigest()

    def save(self, folder: Path | str) -> Path:
        """Write the bundle as a folder, replacing an older bundle and all that is with it.

        Args:
            folder: destination; appears complete or not at all.

        Raises:
            InputError: if the folder holds other things and no bundle.
            StorageError: if the disk refuses.
        """
        there = Path(folder)
        if there.is_dir() and any(there.iterdir()) and not (there / "labels.json").is_file():
            raise InputError(f"{folder} holds something other than a scene; choose another folder.")
        with atomic_directory(Path(folder)) as tmp:
            (tmp / "meshes").mkdir()
            for mesh in self.meshes:
                write_ply(tmp / "meshes" / f"{mesh.name}.ply", mesh.vertices, mesh.faces)
            (tmp / "scene.xml").write_text(scene_xml(self), encoding="utf-8")
            labels = {f"{m.name}/{p}": getattr(m, p) for m in self.meshes for p in _FACE_LABELS}
            np.savez_compressed(tmp / "labels.npz", **labels)
            (tmp / "labels.json").write_text(json.dumps(_record(self), indent=1, sort_keys=True))
        return Path(folder)

    @classmethod
    def load(cls, folder: Path | str) -> SceneBundle:
        """Read a bundle written by :meth:`save`.

        Raises:
            InputError: if the folder is no bundle, or one of another format.
            StorageError: if a file is damaged or the content hash disagrees.
        """
        folder = Path(folder)
        record = _read_record(folder)
        try:
            # numpy leaves a damaged file open if it opens it itself.
            with (folder / "labels.npz").open("rb") as file, np.load(file) as labels:
                meshes = tuple(_load_mesh(folder, entry, labels) for entry in record["meshes"])
            bundle = cls(
                record["name"],
                meshes,
                tuple(RadioMaterial(**entry) for entry in record["radio_materials"]),
                tuple(
                    VisualMaterial(**{**entry, "base_color": tuple(entry["base_color"])})
                    for entry in record["visual_materials"]
                ),
                record["provenance"],
            )
        except DAMAGE as error:
            raise StorageError(f"scene bundle {folder} is damaged: {error}") from error
        if bundle.content_hash != record.get("content_hash"):
            raise StorageError(
                f"scene bundle {folder} does not match its content hash: a file was changed. "
                "Generate it again."
            )
        return bundle


def _check_names(bundle: SceneBundle) -> set[str]:
    """Names of the radio materials, once they and the meshes' are unique and can be stored."""
    radio = [material.name for material in bundle.radio_materials]
    if len(radio) > NO_MATERIAL:
        raise InputError(
            f"scene {bundle.name!r} has {len(radio)} radio materials; allowed: {NO_MATERIAL}."
        )
    for kind, names in (("mesh", [m.name for m in bundle.meshes]), ("radio material", radio)):
        name, times = Counter(names).most_common(1)[0] if names else ("", 0)
        if times > 1:
            raise InputError(f"scene {bundle.name!r} has {times} {kind} entries named {name!r}.")
    for mesh in bundle.meshes:
        if not mesh.name or set(mesh.name) & set("/\\\0"):
            raise InputError(f"mesh name {mesh.name!r} cannot be a file name: take out the slash.")
    return set(radio)


def _check_mesh(mesh: Mesh, radio_names: set[str], num_visual: int) -> None:
    faces = len(mesh.faces)
    shapes = {
        "vertices": (len(mesh.vertices), 3),
        "faces": (faces, 3),
        "face_class": (faces,),
        "face_instance": (faces,),
        "face_visual": (faces,),
        "corner_uv": (faces, 3, 2),
    }
    for part, shape in shapes.items():
        if getattr(mesh, part).shape != shape:
            got = getattr(mesh, part).shape
            raise InputError(f"mesh {mesh.name!r}: {part} has shape {got}, not {shape}.")
    if mesh.radio_material not in radio_names:
        raise InputError(
            f"mesh {mesh.name!r} names radio material {mesh.radio_material!r}; "
            f"the scene has: {', '.join(sorted(radio_names))}."
        )
    if not np.isfinite(mesh.vertices).all():
        raise InputError(f"mesh {mesh.name!r} has vertices that are not finite.")
    if faces and (mesh.faces.min() < 0 or mesh.faces.max() >= len(mesh.vertices)):
        raise InputError(f"mesh {mesh.name!r} has faces that name vertices it does not have.")
    if faces and int(mesh.face_visual.max()) >= num_visual:
        raise InputError(f"mesh {mesh.name!r} names a visual material the scene does not have.")


def _materials_record(bundle: SceneBundle) -> dict[str, Any]:
    return {
        "radio_materials": [dataclasses.asdict(m) for m in bundle.radio_materials],
        "visual_materials": [dataclasses.asdict(m) for m in bundle.visual_materials],
    }


def _record(bundle: SceneBundle) -> dict[str, Any]:
    return {
        "format": FORMAT_VERSION,
        "name": bundle.name,
        "content_hash": bundle.content_hash,
        "meshes": [{"name": m.name, "radio_material": m.radio_material} for m in bundle.meshes],
        **_materials_record(bundle),
        "provenance": bundle.provenance,
    }


def _read_record(folder: Path) -> dict[str, Any]:
    path = folder / "labels.json"
    if not path.is_file():
        raise InputError(f"{folder} is no scene bundle: it has no labels.json.")
    try:
        record: dict[str, Any] = json.loads(path.read_text())
        version = record["format"]
    except DAMAGE as error:
        raise StorageError(f"scene bundle {folder} is damaged: {error}") from error
    if version != FORMAT_VERSION:
        raise InputError(f"{path} has format {version}; this vasgen reads {FORMAT_VERSION}.")
    return record


def _load_mesh(folder: Path, entry: dict[str, str], labels: Any) -> Mesh:
    name = entry["name"]
    vertices, faces = read_ply(folder / "meshes" / f"{name}.ply")
    parts = {part: labels[f"{name}/{part}"] for part in _FACE_LABELS}
    return Mesh(name, entry["radio_material"], vertices, faces, **parts)


def scene_xml(bundle: SceneBundle) -> str:
    """A scene file that ``sionna.rt.load_scene`` opens.

    ITU materials are written as plugins with their thickness, not as ``mat-itu_*``
    names, which would lose the scattering coefficient. Names carry the "mat-" and
    "mesh-" prefixes that Sionna strips, and differ after stripping.
    """
    root = ElementTree.Element("scene", version="3.0.0")
    for material in bundle.radio_materials:
        kind = "itu-radio-material" if material.itu_type else "radio-material"
        bsdf = ElementTree.SubElement(root, "bsdf", type=kind, id=f"mat-radio_{material.name}")
        values = {
            "thickness": material.thickness_m,
            "scattering_coefficient": material.scattering_coefficient,
        }
        if material.itu_type:
            ElementTree.SubElement(bsdf, "string", name="type", value=material.itu_type)
        else:
            values["relative_permittivity"] = material.relative_permittivity
            values["conductivity"] = material.conductivity_s_per_m
        for name, value in values.items():
            ElementTree.SubElement(bsdf, "float", name=name, value=repr(value))
    for mesh in bundle.meshes:
        shape = ElementTree.SubElement(root, "shape", type="ply", id=f"mesh-{mesh.name}")
        path = f"meshes/{mesh.name}.ply"
        ElementTree.SubElement(shape, "string", name="filename", value=path)
        ElementTree.SubElement(shape, "boolean", name="face_normals", value="true")
        ElementTree.SubElement(shape, "ref", id=f"mat-radio_{mesh.radio_material}", name="bsdf")
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode")
