"""What the exporters share: a city's triangles by object and by finish."""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np

from vasgen.citygen.architecture.buildings import Building
from vasgen.citygen.city import City
from vasgen.citygen.geometry.solids import Array, Ints, Surface
from vasgen.citygen.materials import PALETTE, RADIO_NAMES
from vasgen.semantics import SemanticClass

#: What a record of a building holds.
Record = dict[str, int | float | str]


class Finished(NamedTuple):
    """Faces of one class, look and radio material.

    Attributes:
        semantic: their class.
        visual: index into ``materials.PALETTE``.
        radio: name of the radio material.
        faces: (N,) indices of the faces.
    """

    semantic: SemanticClass
    visual: int
    radio: str
    faces: Ints

    @property
    def name(self) -> str:
        """Class, look and radio material in one word, e.g. "wall_plaster_3_concrete"."""
        look = PALETTE[self.visual].name.replace("-", "_")
        return f"{self.semantic.name.lower()}_{look}_{self.radio}"


def record_of(building: Building) -> Record:
    """What is known of a building beside its geometry; lengths in metres."""
    return {
        "id": building.index,
        "use": building.use,
        "kind": building.kind,
        "storeys": building.storeys,
        "height_m": round(float(building.height_m), 3),
        "level_m": round(float(building.level_m), 3),
        "roof": building.roof,
        "radio_material": building.radio,
        "lot": building.lot,
    }


def name_of(building: Building) -> str:
    """Name of a building in all formats that name objects."""
    return f"building_{building.index:05d}"


def by_building(city: City, surface: Surface) -> list[Ints]:
    """Indices of each building's faces, in the order of ``city.buildings``."""
    order = np.argsort(surface.instance, kind="stable")
    ids = np.arange(1, len(city.buildings) + 2)
    edges = np.searchsorted(surface.instance[order], ids)
    return [order[a:b] for a, b in itertools.pairwise(edges)]


def of_the_ground(city: City, surface: Surface) -> Ints:
    """Indices of the faces that are neither of a building nor of a prop."""
    ids = surface.instance
    return np.flatnonzero((ids == 0) | ((ids > len(city.buildings)) & (ids < city.first_prop_id)))


def by_finish(surface: Surface, faces: Ints) -> list[Finished]:
    """Faces grouped by class, look and radio material, in a fixed order."""
    if not len(faces):
        return []
    looks, radios = len(PALETTE), len(RADIO_NAMES)
    keys = (surface.semantic[faces] * looks + surface.visual[faces]) * radios + surface.radio[faces]
    order = np.argsort(keys, kind="stable")
    found, start = np.unique(keys[order], return_index=True)
    groups = np.split(faces[order], start[1:])
    return [
        Finished(
            SemanticClass(key // radios // looks),
            key // radios % looks,
            RADIO_NAMES[key % radios],
            group,
        )
        for key, group in zip(found.tolist(), groups, strict=True)
    ]


def compact(surface: Surface, faces: Ints) -> tuple[Array, Ints]:
    """The corners that some faces use, (V, 3) metres, and the faces counted in them."""
    used, inner = np.unique(surface.faces[faces], return_inverse=True)
    return surface.vertices[used], inner.reshape(-1, 3)


def normals(corners: Array) -> Array:
    """(F, 3) unit normals of triangles (F, 3, 3); zero where a triangle has no area."""
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    length = np.linalg.norm(across, axis=1, keepdims=True)
    return np.asarray(across / np.where(length > 0, length, 1.0))
