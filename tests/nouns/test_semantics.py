"""Semantic classes are part of the dataset format."""

import re
from pathlib import Path

import numpy as np

from vasgen.semantics import BUILDING, CLASS_COLOURS, WALKABLE, SemanticClass


def test_the_numbers_never_change():
    assert {c.name: c.value for c in SemanticClass} == {
        "NONE": 0,
        "GROUND": 1,
        "ROAD": 2,
        "PAVEMENT": 3,
        "GRASS": 4,
        "WATER": 5,
        "WALL": 6,
        "ROOF": 7,
        "WINDOW": 8,
        "DOOR": 9,
        "VEGETATION": 10,
        "VEHICLE": 11,
        "FURNITURE": 12,
        "ROAD_MARKING": 13,
        "OTHER": 14,
    }


def test_one_stands_on_no_building_and_not_on_water():
    assert not WALKABLE & BUILDING
    assert SemanticClass.WATER not in WALKABLE
    assert SemanticClass.NONE not in WALKABLE | BUILDING
    assert {SemanticClass.WALL, SemanticClass.ROOF} <= BUILDING
    assert SemanticClass.GROUND in WALKABLE


def test_every_class_has_a_colour_that_can_be_told_from_the_others():
    assert set(CLASS_COLOURS) == set(SemanticClass)
    colours = np.array([CLASS_COLOURS[c] for c in SemanticClass])
    assert colours.min() >= 0
    assert colours.max() <= 255
    apart = np.abs(colours[:, None] - colours).sum(axis=-1) + 999 * np.eye(len(colours), dtype=int)
    assert apart.min() >= 10


def test_the_documentation_lists_every_class():
    page = (Path(__file__).parents[2] / "docs" / "dataset.md").read_text()
    listed = dict(re.findall(r"^\| (\d+) \| `(\w+)` \|$", page, re.MULTILINE))
    assert listed == {str(c.value): c.name.lower() for c in SemanticClass}
