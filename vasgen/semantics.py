"""Semantic classes: what a surface is, as stored in every labels file and image."""

from __future__ import annotations

from enum import IntEnum


class SemanticClass(IntEnum):
    """Class of a visible surface. The numbers are part of the dataset format."""

    NONE = 0  # no surface: sky
    GROUND = 1  # bare or unknown ground
    ROAD = 2
    PAVEMENT = 3
    GRASS = 4
    WATER = 5
    WALL = 6  # vertical building surface
    ROOF = 7
    WINDOW = 8
    DOOR = 9
    VEGETATION = 10
    VEHICLE = 11
    FURNITURE = 12  # lamps, signs, benches, roof plant
    ROAD_MARKING = 13
    OTHER = 14


#: Classes a person can stand on: transmitters are placed above these only.
WALKABLE = frozenset(
    {
        SemanticClass.GROUND,
        SemanticClass.ROAD,
        SemanticClass.PAVEMENT,
        SemanticClass.GRASS,
        SemanticClass.ROAD_MARKING,
    }
)

#: Classes that belong to a building.
BUILDING = frozenset(
    {SemanticClass.WALL, SemanticClass.ROOF, SemanticClass.WINDOW, SemanticClass.DOOR}
)

#: Display colour of each class, 8-bit sRGB.
CLASS_COLOURS: dict[SemanticClass, tuple[int, int, int]] = {
    SemanticClass.NONE: (222, 235, 247),
    SemanticClass.GROUND: (191, 176, 148),
    SemanticClass.ROAD: (92, 94, 104),
    SemanticClass.PAVEMENT: (189, 183, 173),
    SemanticClass.GRASS: (124, 165, 92),
    SemanticClass.WATER: (88, 143, 196),
    SemanticClass.WALL: (205, 133, 97),
    SemanticClass.ROOF: (142, 72, 66),
    SemanticClass.WINDOW: (91, 134, 160),
    SemanticClass.DOOR: (104, 74, 52),
    SemanticClass.VEGETATION: (66, 120, 66),
    SemanticClass.VEHICLE: (200, 70, 90),
    SemanticClass.FURNITURE: (150, 120, 180),
    SemanticClass.ROAD_MARKING: (240, 240, 235),
    SemanticClass.OTHER: (170, 170, 170),
}
