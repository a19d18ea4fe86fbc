"""OpenUSD: a stage for Unreal, Omniverse, Houdini and Blender.

A stage is Z up and in metres. In Unreal, enable the plugin "USD Importer"; then either show
the file as it is (*Window > Virtual Production > USD Stage*, or a USD Stage Actor whose root
layer is the file), or bake it into assets with ``UsdStageImportOptions``.
``examples/unreal_import.py`` does either from Unreal's own Python.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from vasgen.artefact import atomic_file
from vasgen.citygen.city import City
from vasgen.citygen.config import Lod
from vasgen.citygen.exporters.objects import by_building, name_of, of_the_ground, record_of
from vasgen.citygen.exporters.stage import StageFile
from vasgen.citygen.facade import modules
from vasgen.citygen.geometry.solids import Surface
from vasgen.citygen.life import archetypes
from vasgen.citygen.materials import PALETTE
from vasgen.errors import unknown_choice
from vasgen.semantics import SemanticClass

_SUFFIXES = (".usdc", ".usd", ".usda")


def write_usd(city: City, path: Path | str, *, lod: Lod | None = None) -> Path:
    """Write a USD stage: ``/City`` with Buildings, Ground, Props, Facades and Materials.

    Each building is a Mesh with flat normals, texture coordinates ``primvars:st``, and a
    GeomSubset for each class, look and radio material, bound to a UsdPreviewSurface. Props,
    and at level of detail 3 the modules of the facades, are PointInstancers. Classes are in
    ``UsdSemantics.LabelsAPI`` under the instance name "class"; radio materials and what is
    known of a building are attributes in the namespace ``vasgen``.

    Args:
        city: the city.
        path: destination, replaced if it exists: ``.usdc`` or ``.usd`` (binary), or
            ``.usda`` (text).
        lod: level of detail; None: the configuration's.

    Returns:
        The path.

    Raises:
        InputError: if the file's suffix is another, or there is no such level of detail.
        MissingDependencyError: if OpenUSD is not installed.
        StorageError: if the disk refuses.
    """
    path = Path(path)
    if path.suffix not in _SUFFIXES:
        raise unknown_choice("suffix of a USD file", path.suffix, _SUFFIXES)
    stage = StageFile(path.suffix, PALETTE)
    wanted = city.level(lod)
    surface = city.mesh(3, modules=False) if wanted == 3 else city.mesh(wanted)
    _lay_ground(stage, city, surface)
    stage.group("/City/Buildings")
    for building, faces in zip(city.buildings, by_building(city, surface), strict=True):
        prim = stage.mesh(f"/City/Buildings/{name_of(building)}", surface, faces)
        stage.label(prim, "building")
        stage.record(prim, record_of(building))
    _set_up_props(stage, city, wanted)
    if wanted == 3:
        _set_up_facades(stage, city)
    stage.paint()
    with atomic_file(path) as scratch:
        stage.save(scratch)
    return path


def _lay_ground(stage: StageFile, city: City, surface: Surface) -> None:
    """A mesh for each class of ground."""
    stage.group("/City/Ground")
    ground = of_the_ground(city, surface)
    found = surface.semantic[ground]
    for value in np.unique(found).tolist():
        name = SemanticClass(value).name.lower()
        stage.label(stage.mesh(f"/City/Ground/{name}", surface, ground[found == value]), name)


def _set_up_props(stage: StageFile, city: City, lod: Lod) -> None:
    """An instancer for each kind of prop, with a prototype for each variant."""
    stage.group("/City/Props")
    first = city.first_prop_id
    for kind in sorted({prop.kind for prop in city.props}):
        chosen = [(i, prop) for i, prop in enumerate(city.props) if prop.kind == kind]
        variants = sorted({prop.variant for _, prop in chosen})
        models = {f"variant_{v}": archetypes.model(kind, v, lod) for v in variants}
        if not any(len(model.faces) for model in models.values()):
            continue  # too small for this level of detail
        prim = stage.instancer(
            f"/City/Props/{kind.replace('-', '_')}",
            models,
            np.array([variants.index(prop.variant) for _, prop in chosen]),
            position=np.array([(prop.x, prop.y, prop.z) for _, prop in chosen]),
            yaw_rad=np.array([prop.yaw_rad for _, prop in chosen]),
            scale=np.array([prop.scale for _, prop in chosen]),
        )
        stage.number(prim, first + np.array([i for i, _ in chosen]))
        semantic = SemanticClass(int(next(iter(models.values())).semantic[0]))
        stage.label(prim, semantic.name.lower())


def _set_up_facades(stage: StageFile, city: City) -> None:
    """One instancer for the cells of all facades, with a prototype for each kind and look."""
    cells = city.modules()
    if not len(cells):
        return
    pairs, index = np.unique(
        np.column_stack([cells["kind"], cells["facade"]]), axis=0, return_inverse=True
    )
    models = {
        f"{modules.KINDS[kind]}_{PALETTE[facade].name}".replace("-", "_"): _mirrored(kind, facade)
        for kind, facade in pairs.tolist()
    }
    prim = stage.instancer(
        "/City/Facades",
        models,
        index.ravel(),
        position=np.column_stack([cells["x"], cells["y"], cells["z"]]),
        yaw_rad=np.arctan2(cells["uy"], cells["ux"]),
        scale=np.column_stack([cells["width"], np.ones(len(cells)), cells["height"]]),
    )
    stage.label(prim, "building")
    for name in ("building", "storey", "bay"):
        stage.column(prim, name, cells[name])


def _mirrored(kind: int, facade: int) -> Surface:
    """A module whose y axis points into the wall.

    A module's own y axis points out, so its axes are left-handed; mirrored, a rotation about
    the vertical places it. The order of corners is that of the placed faces already.
    """
    model = modules.module(kind, facade)
    return dataclasses.replace(model, vertices=model.vertices * np.array([1.0, -1.0, 1.0]))
