"""Labels and looks for imported geometry, which usually brings neither.

The class of a face follows from its shape's name, its slope, and whether the shape is
the scene's ground; its look from its class and radio material.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from vasgen.bays import bays_and_storeys
from vasgen.bundle import RadioMaterial, VisualMaterial
from vasgen.car_textures import BARE
from vasgen.seeding import stream
from vasgen.semantics import SemanticClass

Array = NDArray[np.float64]

#: A face whose normal is this far from horizontal counts as a roof or ground.
_UPWARD = 0.35

#: Shapes whose faces are this level on average can be ground; hilly terrain still is.
_LEVEL = 0.8

#: A lowest shape that covers this share of the plan is the ground.
_GROUND_SHARE = 0.5

_NAMED: dict[SemanticClass, str] = {
    SemanticClass.ROAD: r"road|street|asphalt|lane",
    SemanticClass.PAVEMENT: r"pavement|sidewalk|kerb|plaza",
    SemanticClass.GRASS: r"grass|lawn|meadow",
    SemanticClass.WATER: r"water|river|lake|sea",
    SemanticClass.VEGETATION: r"tree|plant|bush|foliage|vegetation",
    SemanticClass.VEHICLE: r"car|vehicle|truck|bus",
    SemanticClass.FURNITURE: r"(?:street)?lamp|pole|bench|sign",
    SemanticClass.GROUND: r"ground|terrain|floor|plane",
}
#: Whole words only: there is a tree in "street", and a lane in "plane".
_WORD = r"(?<![a-z])(?:{})(?:e?s)?(?![a-z])"

_LEVEL_CLASSES = frozenset(
    {
        SemanticClass.ROAD,
        SemanticClass.PAVEMENT,
        SemanticClass.GRASS,
        SemanticClass.WATER,
        SemanticClass.GROUND,
    }
)

#: (recipe, mean linear RGB) by radio material for walls, roofs and everything else.
_WALL_LOOKS = {
    "brick": ("facade-brick", (0.30, 0.13, 0.08)),
    "concrete": ("facade-concrete", (0.42, 0.40, 0.37)),
    "marble": ("facade-plaster", (0.58, 0.52, 0.42)),
    "plasterboard": ("facade-plaster", (0.62, 0.58, 0.50)),
    "glass": ("facade-glass", (0.10, 0.16, 0.20)),
    "metal": ("facade-shed", (0.45, 0.46, 0.48)),
    "wood": ("facade-plaster", (0.38, 0.25, 0.14)),
}
_ROOF_LOOKS = {
    "brick": ("roof-tiles", (0.33, 0.12, 0.07)),
    "marble": ("roof-tiles", (0.30, 0.14, 0.09)),
    "wood": ("roof-tiles", (0.22, 0.13, 0.08)),
    "concrete": ("roof-gravel", (0.36, 0.35, 0.33)),
}
#: Sheet roofs are painted or weathered: zinc, slate grey, tile red, copper green.
_SHEET_ROOFS = (
    ("roof-metal", (0.20, 0.20, 0.19)),
    ("roof-metal", (0.27, 0.10, 0.07)),
    ("roof-metal", (0.11, 0.11, 0.11)),
    ("roof-metal", (0.24, 0.11, 0.08)),
    ("roof-metal", (0.29, 0.13, 0.08)),
    ("roof-metal", (0.15, 0.24, 0.20)),
)
_FLAT_LOOKS = {
    SemanticClass.ROAD: ("asphalt", (0.09, 0.09, 0.095)),
    SemanticClass.PAVEMENT: ("pavement", (0.30, 0.29, 0.27)),
    SemanticClass.GRASS: ("grass", (0.075, 0.113, 0.037)),
    SemanticClass.WATER: ("water", (0.03, 0.07, 0.08)),
    SemanticClass.GROUND: ("pavement", (0.26, 0.25, 0.24)),
    SemanticClass.VEGETATION: ("foliage", (0.07, 0.14, 0.04)),
}

#: Paints of vehicles: white, silver, grey, black, blue, red, green.
_PAINTS = (
    (0.66, 0.66, 0.65),
    (0.34, 0.35, 0.36),
    (0.12, 0.125, 0.13),
    (0.03, 0.031, 0.034),
    (0.035, 0.075, 0.19),
    (0.30, 0.035, 0.03),
    (0.045, 0.11, 0.08),
)

_ROUGHNESS = {
    "paint": 0.05,
    "facade-glass": 0.1,
    "water": 0.08,
    "roof-metal": 0.35,
    "facade-shed": 0.4,
}
_WALL_VARIANTS = 12

#: Washes of rendered walls, by variant: white, ochre, sand, rose, grey, green, cream.
_WASHES = (
    (0.66, 0.63, 0.57),
    (0.60, 0.43, 0.20),
    (0.62, 0.52, 0.36),
    (0.56, 0.38, 0.30),
    (0.50, 0.50, 0.48),
    (0.44, 0.48, 0.36),
    (0.66, 0.58, 0.42),
)


class Shape(Protocol):
    """Geometry to be labelled: an imported shape."""

    @property
    def name(self) -> str:
        """Name in the scene file."""

    @property
    def material(self) -> str:
        """Name of the radio material."""

    @property
    def vertices(self) -> Array:
        """(V, 3) float64, metres."""

    @property
    def faces(self) -> NDArray[np.int32]:
        """(F, 3) int32."""

    @property
    def colour(self) -> tuple[float, float, float] | None:
        """Linear RGB, if the file names one."""


class Labels(NamedTuple):
    """Labels of one shape's faces; see :class:`~vasgen.bundle.Mesh` for the arrays."""

    semantic: NDArray[np.uint8]
    instance: NDArray[np.int32]
    visual: NDArray[np.uint16]
    corner_uv: NDArray[np.float32]


def dress(
    shapes: Sequence[Shape], materials: dict[str, RadioMaterial]
) -> tuple[list[Labels], tuple[VisualMaterial, ...]]:
    """Labels of every shape's faces, and the visual materials they name.

    Args:
        shapes: imported shapes.
        materials: radio materials by name.
    """
    instances = {name: i + 1 for i, name in enumerate(sorted({_object(s) for s in shapes}))}
    ground = _ground_shapes(shapes)
    palette: dict[VisualMaterial, int] = {}
    normals = [_normals(shape) for shape in shapes]
    flat = _flat_objects(shapes, normals)
    classes = [
        _classes(shape, normal, _object(shape) in flat, number in ground)
        for number, (shape, normal) in enumerate(zip(shapes, normals, strict=True))
    ]
    ids = [np.full(len(shape.faces), instances[_object(shape)], np.int32) for shape in shapes]
    uv = _corner_uv(shapes, normals, classes, ids)
    labels = []
    for shape, semantic, own, coordinates in zip(shapes, classes, ids, uv, strict=True):
        visual = np.zeros(len(semantic), np.uint16)
        instance = instances[_object(shape)]
        for value in np.unique(semantic):
            look = _look(shape, SemanticClass(value), materials[shape.material], instance)
            visual[semantic == value] = palette.setdefault(look, len(palette))
        labels.append(Labels(semantic, own, visual, coordinates))
    return labels, tuple(palette)


def _object(shape: Shape) -> str:
    """Name of the object a shape is a part of: Sionna splits buildings by material."""
    return re.sub(r"-(itu_\w+|wall|roof)$", "", shape.name)


def _ground_shapes(shapes: Sequence[Shape]) -> set[int]:
    low = np.array([s.vertices.min(axis=0) for s in shapes])
    high = np.array([s.vertices.max(axis=0) for s in shapes])
    scene = np.prod((high.max(axis=0) - low.min(axis=0))[:2])
    share = np.prod((high - low)[:, :2], axis=1) / max(float(scene), 1e-12)
    lowest = low[:, 2] <= low[:, 2].min() + 1.0
    return set(np.flatnonzero((share >= _GROUND_SHARE) & lowest).tolist())


def _flat_objects(shapes: Sequence[Shape], normals: Sequence[Array]) -> set[str]:
    """Objects that are level as a whole: a building's roof is, its walls are not."""
    rises: dict[str, list[Array]] = {}
    for shape, normal in zip(shapes, normals, strict=True):
        rises.setdefault(_object(shape), []).append(np.abs(normal[:, 2]))
    return {name for name, rise in rises.items() if np.concatenate(rise).mean() > _LEVEL}


def _normals(shape: Shape) -> Array:
    corners = shape.vertices[shape.faces]
    cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    unit: Array = cross / np.maximum(np.linalg.norm(cross, axis=1, keepdims=True), 1e-300)
    return unit


def _classes(shape: Shape, normal: Array, flat: bool, is_ground: bool) -> NDArray[np.uint8]:
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", shape.name).lower()
    for semantic, pattern in _NAMED.items():
        # A building may be named after the street or the plaza it stands on.
        if re.search(_WORD.format(pattern), words) and (flat or semantic not in _LEVEL_CLASSES):
            return np.full(len(normal), semantic, np.uint8)
    if is_ground and flat:
        return np.full(len(normal), SemanticClass.GROUND, np.uint8)
    upward = np.abs(normal[:, 2]) > _UPWARD
    return np.where(upward, SemanticClass.ROOF, SemanticClass.WALL).astype(np.uint8)


def _look(
    shape: Shape, semantic: SemanticClass, material: RadioMaterial, instance: int
) -> VisualMaterial:
    itu = material.itu_type or "concrete"
    if semantic in _FLAT_LOOKS:
        recipe, colour = _FLAT_LOOKS[semantic]
        variant = 0
    elif semantic is SemanticClass.VEHICLE:
        variant = instance % len(_PAINTS)
        recipe, colour = "paint", _PAINTS[variant]
    else:
        # Neighbours differ: one of a dozen variants, each with its own tint.
        variant = 1 + instance % _WALL_VARIANTS
        recipe, colour = _building_look(semantic, itu, variant)
    base = np.asarray(shape.colour or colour)
    random = stream(0, "tint", recipe, variant)
    tint = random.uniform(0.75, 1.1) * random.uniform(0.95, 1.05, 3) if variant else np.ones(3)
    red, green, blue = np.clip(base * tint, 0.0, 0.9).round(4).tolist()
    name = f"{recipe}-{material.name}-{variant}-{semantic.name.lower()}"
    return VisualMaterial(
        name, recipe, (red, green, blue), _ROUGHNESS.get(recipe, 0.85), variant=variant
    )


def _building_look(
    semantic: SemanticClass, itu: str, variant: int
) -> tuple[str, tuple[float, float, float]]:
    plain = ("plain", (0.5, 0.5, 0.5))
    if semantic is SemanticClass.WALL:
        recipe, colour = _WALL_LOOKS.get(itu, plain)
        washed = recipe == "facade-plaster" and itu != "wood"
        return recipe, _WASHES[variant % len(_WASHES)] if washed else colour
    if itu == "metal":
        return _SHEET_ROOFS[variant % len(_SHEET_ROOFS)]
    return _ROOF_LOOKS.get(itu, plain)


def _corner_uv(
    shapes: Sequence[Shape],
    normals: Sequence[Array],
    classes: Sequence[NDArray[np.uint8]],
    ids: Sequence[NDArray[np.int32]],
) -> list[NDArray[np.float32]]:
    """Bays and storeys on walls, bare paint on vehicles, metres elsewhere: (F, 3, 2) a shape."""
    corners = np.concatenate([shape.vertices[shape.faces] for shape in shapes])
    semantic = np.concatenate(classes)
    wall = semantic == SemanticClass.WALL
    uv = corners[..., :2].astype(np.float32)
    found = (part[wall] for part in (corners, np.concatenate(normals), np.concatenate(ids)))
    uv[wall] = bays_and_storeys(*found)
    uv[semantic == SemanticClass.VEHICLE, :, 1] = sum(BARE) / 2
    return np.split(uv, np.cumsum([len(shape.faces) for shape in shapes])[:-1])
