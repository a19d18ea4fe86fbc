"""glTF 2.0 binary: what most viewers and engines open."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vasgen.artefact import atomic_file
from vasgen.bundle import SceneBundle, VisualMaterial
from vasgen.citygen.city import City
from vasgen.citygen.config import Lod
from vasgen.citygen.exporters.objects import (
    Finished,
    by_building,
    by_finish,
    name_of,
    normals,
    of_the_ground,
    record_of,
)
from vasgen.citygen.geometry.solids import Array, Ints, Surface
from vasgen.citygen.life import archetypes
from vasgen.citygen.life.props import Prop
from vasgen.citygen.materials import PALETTE

_FLOAT, _UINT = 5126, 5125
_VERTICES, _INDICES = 34962, 34963


def write_glb(scene: City | SceneBundle, path: Path | str, *, lod: Lod | None = None) -> Path:
    """Write a glTF 2.0 binary, Y up as glTF demands.

    A city becomes three branches. "buildings" has a node for each building, whose ``extras``
    are its id, use, storeys, height and radio material. "ground" has a node for each class
    of surface. "props" has a node for each tree, lamp or car; all of a kind and variant share
    one mesh. Every primitive says its class and radio material in its ``extras``. A bundle
    becomes a node for each radio and visual material. Colours are the materials' mean
    colours, textures are not written.

    Args:
        scene: a city or any scene bundle; world Z up, metres.
        path: destination, replaced if it exists.
        lod: level of detail of a city; None: the configuration's.

    Returns:
        The path.

    Raises:
        InputError: if there is no such level of detail.
        StorageError: if the disk refuses.
    """
    file = _from_city(scene, scene.level(lod)) if isinstance(scene, City) else _from_bundle(scene)
    with atomic_file(Path(path)) as scratch:
        scratch.write_bytes(file.content())
    return Path(path)


def _from_city(city: City, lod: Lod) -> _File:
    surface = city.mesh(lod)
    file = _File(PALETTE)
    buildings = [
        file.node(name_of(building), file.mesh(surface, faces), extras=record_of(building))
        for building, faces in zip(city.buildings, by_building(city, surface), strict=True)
    ]
    ground = [
        file.node(f"ground_{finish.name}", file.mesh(surface, finish.faces))
        for finish in by_finish(surface, of_the_ground(city, surface))
    ]
    branches = [
        file.node("buildings", children=buildings),
        file.node("ground", children=ground),
        file.node("props", children=_props(file, city, lod)),
    ]
    file.roots = [file.node("city", children=[branch for branch in branches if branch >= 0])]
    return file


def _props(file: _File, city: City, lod: Lod) -> list[int]:
    models: dict[tuple[str, int], int] = {}
    nodes = []
    for number, prop in enumerate(city.props, start=city.first_prop_id):
        model = prop.kind, prop.variant
        if model not in models:
            shape = archetypes.model(*model, lod)
            models[model] = file.mesh(shape, np.arange(len(shape.faces)))
        if models[model] < 0:  # too small for this level of detail
            continue
        extras = {"id": number, "kind": prop.kind, "variant": prop.variant}
        nodes.append(
            file.node(f"{prop.kind}_{number}", models[model], extras=extras, **_placed(prop))
        )
    return nodes


def _placed(prop: Prop) -> dict[str, list[float]]:
    """Translation, rotation and scale in glTF's axes: x, z, -y."""
    half = prop.yaw_rad / 2
    return {
        "translation": [prop.x, prop.z, -prop.y],
        "rotation": [0.0, round(math.sin(half), 9), 0.0, round(math.cos(half), 9)],
        "scale": [prop.scale[0], prop.scale[2], prop.scale[1]],
    }


def _from_bundle(bundle: SceneBundle) -> _File:
    file = _File(bundle.visual_materials)
    for mesh in bundle.meshes:
        for index in np.unique(mesh.face_visual).tolist():
            corners = mesh.vertices[mesh.faces[mesh.face_visual == index]]
            extras = {"radio_material": mesh.radio_material}
            number = file.add_mesh([(corners, index, extras)])
            name = f"{mesh.name}/{bundle.visual_materials[index].name}"
            file.roots.append(file.node(name, number))
    return file


class _File:
    """A glTF document that grows, and its binary chunk."""

    def __init__(self, palette: Sequence[VisualMaterial]) -> None:
        self.palette = palette
        self.roots: list[int] = []
        self._nodes: list[dict[str, Any]] = []
        self._meshes: list[dict[str, Any]] = []
        self._accessors: list[dict[str, Any]] = []
        self._materials: dict[int, int] = {}
        self._chunks: dict[int, list[bytes]] = {0: [], 1: []}
        self._sizes = [0, 0]

    def node(self, name: str, mesh: int = -1, **properties: Any) -> int:
        """Add a node and return its number; -1, and no node, if it would be empty."""
        node = {key: value for key, value in properties.items() if value != []}
        if mesh >= 0:
            node["mesh"] = mesh
        elif not node.get("children"):
            return -1
        self._nodes.append({"name": name, **node})
        return len(self._nodes) - 1

    def mesh(self, surface: Surface, faces: Ints) -> int:
        """Add a mesh with a primitive for each finish; -1 if there are no faces."""
        return self.add_mesh([_primitive(surface, f) for f in by_finish(surface, faces)])

    def add_mesh(self, parts: Sequence[tuple[Array, int, dict[str, str]]]) -> int:
        """Add a mesh of parts: triangles (F, 3, 3), index of the look, extras."""
        if not parts:
            return -1
        corners = np.concatenate([part for part, _, _ in parts])
        attributes, indices = self._corners(corners)
        ends = np.cumsum([3 * len(part) for part, _, _ in parts])[:-1]
        self._meshes.append(
            {
                "primitives": [
                    {
                        "attributes": attributes,
                        "indices": self._accessor(1, part[:, None]),
                        "material": self._material(look),
                        "extras": extras,
                    }
                    for part, (_, look, extras) in zip(np.split(indices, ends), parts, strict=True)
                ]
            }
        )
        return len(self._meshes) - 1

    def _corners(self, corners: Array) -> tuple[dict[str, int], NDArray[np.uint32]]:
        """Positions and normals; faces in one plane share corners, so that edges stay sharp."""
        upright = np.stack([corners[..., 0], corners[..., 2], -corners[..., 1]], axis=-1)
        facing = np.repeat(normals(upright).astype(np.float32), 3, axis=0)
        facing[~facing.any(axis=1)] = (0.0, 1.0, 0.0)
        # Normals a thousandth apart are one plane; + 0.0 makes -0.0 and 0.0 one key.
        rows = np.column_stack([upright.reshape(-1, 3), np.round(facing, 3)]).astype("<f4") + 0.0
        _, first, index = np.unique(
            np.ascontiguousarray(rows).view("V24").ravel(), return_index=True, return_inverse=True
        )
        attributes = {
            "POSITION": self._accessor(0, rows[first, :3], bounds=True),
            "NORMAL": self._accessor(0, facing[first]),
        }
        return attributes, index.astype("<u4")

    def _accessor(self, view: int, values: NDArray[Any], *, bounds: bool = False) -> int:
        chunk = np.ascontiguousarray(values).tobytes()
        accessor: dict[str, Any] = {
            "bufferView": view,
            "byteOffset": self._sizes[view],
            "componentType": _UINT if view else _FLOAT,
            "count": len(values),
            "type": "SCALAR" if view else "VEC3",
        }
        if bounds:
            accessor |= {"min": values.min(axis=0).tolist(), "max": values.max(axis=0).tolist()}
        self._chunks[view].append(chunk)
        self._sizes[view] += len(chunk)
        self._accessors.append(accessor)
        return len(self._accessors) - 1

    def _material(self, look: int) -> int:
        return self._materials.setdefault(look, len(self._materials))

    def content(self) -> bytes:
        """The bytes of the file."""
        document: dict[str, Any] = {
            "asset": {"version": "2.0", "generator": "vasgen"},
            "scene": 0,
            "scenes": [{"nodes": self.roots}],
            "nodes": self._nodes,
            "meshes": self._meshes,
            "materials": [_paint(self.palette[look]) for look in self._materials],
            "accessors": self._accessors,
            "bufferViews": [
                {"buffer": 0, "byteLength": self._sizes[0], "byteStride": 12, "target": _VERTICES},
                {
                    "buffer": 0,
                    "byteOffset": self._sizes[0],
                    "byteLength": self._sizes[1],
                    "target": _INDICES,
                },
            ],
            "buffers": [{"byteLength": sum(self._sizes)}],
        }
        text = json.dumps(document, separators=(",", ":")).encode()
        text += b" " * (-len(text) % 4)
        binary = b"".join(self._chunks[0] + self._chunks[1])
        total = 12 + 8 + len(text) + 8 + len(binary)
        return b"".join(
            [
                struct.pack("<4sII", b"glTF", 2, total),
                struct.pack("<I4s", len(text), b"JSON"),
                text,
                struct.pack("<I4s", len(binary), b"BIN\0"),
                binary,
            ]
        )


def _primitive(surface: Surface, finish: Finished) -> tuple[Array, int, dict[str, str]]:
    extras = {"class": finish.semantic.name.lower(), "radio_material": finish.radio}
    return surface.vertices[surface.faces[finish.faces]], finish.visual, extras


def _paint(look: VisualMaterial) -> dict[str, Any]:
    return {
        "name": look.name,
        "pbrMetallicRoughness": {
            "baseColorFactor": [*look.base_color, 1.0],
            "metallicFactor": look.metallic,
            "roughnessFactor": look.roughness,
        },
    }
