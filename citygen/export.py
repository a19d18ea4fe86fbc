"""Exports for other programs: glTF binary."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import trimesh
from numpy.typing import NDArray
from trimesh.visual.material import PBRMaterial

from vasgen.artefact import atomic_file
from vasgen.bundle import SceneBundle, VisualMaterial
from vasgen.citygen.city import City


def write_glb(scene: City | SceneBundle, path: Path | str) -> Path:
    """Write a glTF 2.0 binary, Y up as glTF demands, with a node for each visual material.

    Node names are "<radio material>/<visual material>"; colours are the materials' mean
    colours, textures are not written.

    Args:
        scene: a city or any scene bundle; world Z up, metres.
        path: destination, replaced if it exists.

    Returns:
        The path.

    Raises:
        StorageError: if the disk refuses.
    """
    bundle = scene.to_bundle() if isinstance(scene, City) else scene
    exported = trimesh.Scene()
    for mesh in bundle.meshes:
        for index in np.unique(mesh.face_visual):
            material = bundle.visual_materials[index]
            used, faces = np.unique(mesh.faces[mesh.face_visual == index], return_inverse=True)
            exported.add_geometry(
                _painted(mesh.vertices[used], faces.reshape(-1, 3), material),
                node_name=f"{mesh.name}/{material.name}",
                geom_name=f"{mesh.name}/{material.name}",
            )
    with atomic_file(Path(path)) as scratch:
        scratch.write_bytes(exported.export(file_type="glb"))
    return Path(path)


def _painted(
    vertices: NDArray[np.float64], faces: NDArray[np.intp], material: VisualMaterial
) -> trimesh.Trimesh:
    """A mesh in glTF axes (x, z, -y) with flat faces in the material's colour."""
    # Own corners for every face: glTF shades smoothly across shared ones.
    corners = vertices[faces].reshape(-1, 3)
    upright = np.column_stack([corners[:, 0], corners[:, 2], -corners[:, 1]])
    paint = PBRMaterial(
        name=material.name,
        baseColorFactor=[*material.base_color, 1.0],
        roughnessFactor=material.roughness,
        metallicFactor=material.metallic,
    )
    return trimesh.Trimesh(
        upright,
        np.arange(len(corners)).reshape(-1, 3),
        visual=trimesh.visual.TextureVisuals(material=paint),
        process=False,
    )
