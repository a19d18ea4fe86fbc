"""CityJSON 2.0: the city as objects with solids, for 3D geographic information systems.

Follows https://www.cityjson.org/specs/2.0.0/.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vasgen.artefact import atomic_file
from vasgen.citygen.architecture.buildings import Building
from vasgen.citygen.city import City
from vasgen.citygen.config import Lod
from vasgen.citygen.exporters.objects import by_building, name_of, normals, of_the_ground, record_of
from vasgen.citygen.exporters.polygons import Rings, merge
from vasgen.citygen.geometry.solids import Array, Ints, Surface
from vasgen.citygen.life import archetypes
from vasgen.citygen.materials import RADIO_NAMES
from vasgen.semantics import SemanticClass

_MM = 1000.0

_GROUND, _ROOF, _WALL, _WINDOW, _DOOR, _TRAFFIC, _MARKING = range(7)
_SURFACES = (
    "GroundSurface",
    "RoofSurface",
    "WallSurface",
    "Window",
    "Door",
    "TrafficArea",
    "TransportationMarking",
)
_OF_CLASS = {
    SemanticClass.WALL: _WALL,
    SemanticClass.ROOF: _ROOF,
    SemanticClass.WINDOW: _WINDOW,
    SemanticClass.DOOR: _DOOR,
}
_ROOF_TYPES = {
    "flat": "flat roof",
    "gable": "gabled roof",
    "hip": "hipped roof",
    "shed": "monopitch roof",
    "mansard": "mansard roof",
}
#: Attributes of a building, by the standard's names where it has one.
_ATTRIBUTES = {
    "class": "kind",
    "function": "use",
    "storeysAboveGround": "storeys",
    "height_m": "height_m",
    "level_m": "level_m",
    "radio_material": "radio_material",
    "lot": "lot",
}
_ROAD_CLASSES = (SemanticClass.ROAD, SemanticClass.ROAD_MARKING)
#: City object for a kind of prop. Cars are no part of a city model.
_PROPS = {
    "tree": "SolitaryVegetationObject",
    "lamp": "CityFurniture",
    "traffic-light": "CityFurniture",
    "bench": "CityFurniture",
    "bus-stop": "CityFurniture",
}


def write_cityjson(city: City, path: Path | str, *, lod: Lod | None = None) -> Path:
    """Write a CityJSON 2.0 file in local metres, vertices to the millimetre.

    A Building has a Solid at each level of detail from 1 to ``lod``, with semantic surfaces
    (GroundSurface, RoofSurface, WallSurface, Window, Door) that name their radio material.
    What stands on its roof is a BuildingInstallation. Coplanar triangles are merged into
    polygons. The ground is Road, PlantCover and LandUse; trees and street furniture are
    instances of templates. Parked cars are left out, and there is no coordinate reference
    system, as the city is nowhere.

    Args:
        city: the city.
        path: destination, replaced if it exists.
        lod: highest level of detail; None: the configuration's.

    Returns:
        The path.

    Raises:
        InputError: if there is no such level of detail.
        StorageError: if the disk refuses.
    """
    highest = city.level(lod)
    levels: tuple[Lod, ...] = (1, 2, 3)
    model = _Model()
    objects = {name_of(b): _building(b) for b in city.buildings}
    for level in levels[:highest]:
        surface = city.mesh(level)
        _add_solids(model, objects, city, surface, str(level))
    _add_ground(model, objects, city, surface, str(highest))
    _add_props(model, objects, city, highest)
    with atomic_file(Path(path)) as scratch:
        text = json.dumps(model.document(objects), separators=(",", ":"))
        scratch.write_text(text, encoding="utf-8")
    return Path(path)


class _Model:
    """The vertices that all objects share, and the templates of props."""

    def __init__(self) -> None:
        self._blocks: list[NDArray[np.int64]] = []
        self._count = 0
        self.boundaries: list[Any] = []
        self.templates: list[dict[str, Any]] = []
        self.template_points: list[list[float]] = []

    def add(self, points: Array) -> int:
        """Add points (N, 3), metres; returns the number of the first, until they are united."""
        self._blocks.append(np.rint(points * _MM).astype(np.int64))
        self._count += len(points)
        return self._count - len(points)

    def document(self, objects: dict[str, dict[str, Any]]) -> dict[str, Any]:
        """The whole file: equal points become one vertex, unused ones go."""
        rings = [ring for polygon in self.boundaries for ring in polygon]
        corners = np.fromiter(itertools.chain.from_iterable(rings), dtype=np.int64)
        points = np.concatenate(self._blocks)[corners]
        low = points.min(axis=0)
        shifted = points - low
        span = shifted.max(axis=0) + 1
        keys = (shifted[:, 0] * span[1] + shifted[:, 1]) * span[2] + shifted[:, 2]
        _, first, index = np.unique(keys, return_index=True, return_inverse=True)
        numbers = iter(index.tolist())
        for ring in rings:
            ring[:] = itertools.islice(numbers, len(ring))
        extent = np.concatenate([low, points.max(axis=0)]) / _MM
        document = {
            "type": "CityJSON",
            "version": "2.0",
            "metadata": {"geographicalExtent": extent.tolist(), "title": "vasgen city"},
            "transform": {"scale": [1 / _MM] * 3, "translate": (low / _MM).tolist()},
            "CityObjects": objects,
            "vertices": shifted[first].tolist(),
        }
        if self.templates:
            document["geometry-templates"] = {
                "templates": self.templates,
                "vertices-templates": self.template_points,
            }
        return document

    def polygons(self, surface: Surface, faces: Ints, label: Ints) -> list[tuple[int, Rings]]:
        """Plane polygons of some faces: index of a face of each, and its rings."""
        used, inner = np.unique(surface.faces[faces], return_inverse=True)
        first = self.add(surface.vertices[used])
        found = []
        for face, rings in merge(surface.vertices[used], inner.reshape(-1, 3), label):
            moved = [[first + corner for corner in ring] for ring in rings]
            self.boundaries.append(moved)
            found.append((int(faces[face]), moved))
        return found


def _building(building: Building) -> dict[str, Any]:
    record = record_of(building)
    attributes = {name: record[key] for name, key in _ATTRIBUTES.items()}
    if building.roof in _ROOF_TYPES:
        attributes["roofType"] = _ROOF_TYPES[building.roof]
    return {"type": "Building", "attributes": attributes, "geometry": []}


def _add_solids(
    model: _Model, objects: dict[str, dict[str, Any]], city: City, surface: Surface, lod: str
) -> None:
    if not city.buildings:
        return
    faces = np.concatenate(by_building(city, surface))
    kind = _kinds(surface, faces)
    label = (surface.shell[faces] * len(_SURFACES) + kind) * len(RADIO_NAMES) + surface.radio[faces]
    kind_of = np.zeros(len(surface.faces), dtype=np.int64)
    kind_of[faces] = kind
    solids: dict[tuple[int, int], list[tuple[int, Rings]]] = {}
    owner, shell = surface.instance.tolist(), surface.shell.tolist()
    for face, rings in model.polygons(surface, faces, label):
        solids.setdefault((owner[face], shell[face]), []).append((face, rings))
    parts: dict[int, list[list[tuple[int, Rings]]]] = {}
    for instance, number in sorted(solids):
        parts.setdefault(instance, []).append(solids[instance, number])
    for building in city.buildings:
        body, *rest = parts[building.index]
        name = name_of(building)
        shells, semantics = _semantic([body], kind_of, surface.radio)
        solid = {"type": "Solid", "lod": lod, "boundaries": shells, "semantics": semantics}
        objects[name]["geometry"].append(solid)
        if rest:
            _install(objects, name, _semantic(rest, kind_of, surface.radio), lod)


def _install(
    objects: dict[str, dict[str, Any]],
    name: str,
    solids: tuple[list[Any], dict[str, Any]],
    lod: str,
) -> None:
    """Give a building the things on its roof."""
    child = f"{name}_roof"
    if child not in objects:
        objects[name]["children"] = [child]
        objects[child] = {"type": "BuildingInstallation", "parents": [name], "geometry": []}
    shells, semantics = solids
    geometry = {
        "type": "MultiSolid",
        "lod": lod,
        "boundaries": [[shell] for shell in shells],
        "semantics": {**semantics, "values": [[values] for values in semantics["values"]]},
    }
    objects[child]["geometry"].append(geometry)


def _kinds(surface: Surface, faces: Ints) -> Ints:
    """Index into the semantic surfaces of each face of a building."""
    corners = surface.vertices[surface.faces[faces]]
    upright = normals(corners)[:, 2]
    kind = np.where(upright > 0.7, _ROOF, _WALL)
    for semantic, number in _OF_CLASS.items():
        kind[surface.semantic[faces] == semantic] = number
    shell = surface.shell[faces]
    base = np.full(int(shell.max(initial=0)) + 1, np.inf)
    np.minimum.at(base, shell, corners[..., 2].min(axis=1))
    kind[(upright < -0.99) & (corners[..., 2].max(axis=1) == base[shell])] = _GROUND
    return kind


def _semantic(
    shells: Sequence[Sequence[tuple[int, Rings]]], kind_of: Ints, radio: Ints
) -> tuple[list[list[Rings]], dict[str, Any]]:
    """Boundaries of shells, and their semantic surfaces, one for each kind and material."""
    surfaces: dict[tuple[int, int], int] = {}
    values = [
        [
            surfaces.setdefault((int(kind_of[face]), int(radio[face])), len(surfaces))
            for face, _ in shell
        ]
        for shell in shells
    ]
    kinds = [
        {"type": _SURFACES[kind], "radio_material": RADIO_NAMES[material]}
        for kind, material in surfaces
    ]
    return [[rings for _, rings in shell] for shell in shells], {
        "surfaces": kinds,
        "values": values,
    }


def _add_ground(
    model: _Model, objects: dict[str, dict[str, Any]], city: City, surface: Surface, lod: str
) -> None:
    """Roads with their markings, greens, and paved or bare land, by object id."""
    faces = of_the_ground(city, surface)
    semantic = surface.semantic[faces]
    label = surface.instance[faces] * len(SemanticClass) + semantic
    patches: dict[str, list[tuple[int, Rings]]] = {}
    types: dict[str, str] = {}
    for face, rings in model.polygons(surface, faces, label):
        kind = SemanticClass(int(surface.semantic[face]))
        name, described = "land", "LandUse"
        if kind in _ROAD_CLASSES:
            name, described = "road", "Road"
        elif kind == SemanticClass.GRASS:
            name, described = "green", "PlantCover"
        name = f"{name}_{surface.instance[face]:05d}"
        types[name] = described
        patches.setdefault(name, []).append((face, rings))
    kind_of = np.where(surface.semantic == SemanticClass.ROAD_MARKING, _MARKING, _TRAFFIC)
    for name in sorted(patches):
        boundaries, semantics = _semantic([patches[name]], kind_of, surface.radio)
        geometry: dict[str, Any] = {"type": "MultiSurface", "lod": lod}
        geometry["boundaries"] = boundaries[0]
        if types[name] == "Road":
            geometry["semantics"] = {**semantics, "values": semantics["values"][0]}
        objects[name] = {"type": types[name], "geometry": [geometry]}


def _add_props(model: _Model, objects: dict[str, dict[str, Any]], city: City, lod: Lod) -> None:
    templates: dict[tuple[str, int], int] = {}
    for number, prop in enumerate(city.props, start=city.first_prop_id):
        which = prop.kind, prop.variant
        shape = archetypes.model(*which, lod)
        if prop.kind not in _PROPS or not len(shape.faces):
            continue
        if which not in templates:
            templates[which] = len(templates)
            model.templates.append(_template(model, shape, str(lod)))
        cosine, sine = np.cos(prop.yaw_rad), np.sin(prop.yaw_rad)
        x, y, z = prop.scale
        anchor = [model.add(np.array([[prop.x, prop.y, prop.z]]))]
        model.boundaries.append([anchor])
        turn = [x * cosine, -y * sine, 0.0, 0.0, x * sine, y * cosine, 0.0, 0.0]
        instance = {
            "type": "GeometryInstance",
            "template": templates[which],
            "boundaries": anchor,
            "transformationMatrix": [*map(_short, turn), 0.0, 0.0, z, 0.0, 0.0, 0.0, 0.0, 1.0],
        }
        objects[f"{prop.kind}_{number}"] = {
            "type": _PROPS[prop.kind],
            "attributes": {"function": prop.kind},
            "geometry": [instance],
        }


def _template(model: _Model, shape: Surface, lod: str) -> dict[str, Any]:
    first = len(model.template_points)
    model.template_points += shape.vertices.round(4).tolist()
    boundaries = [[(first + face).tolist()] for face in shape.faces]
    return {"type": "MultiSurface", "lod": lod, "boundaries": boundaries}


def _short(value: float) -> float:
    """Without the digits that differ between machines; below a tenth of a millimetre."""
    return round(float(value), 6)
