"""What imported faces are, from the names and slopes of their shapes."""

import numpy as np
import pytest

from tests.support import MATERIALS
from vasgen.appearance import dress
from vasgen.bundle import RadioMaterial
from vasgen.car_textures import BARE
from vasgen.importer import ImportedShape
from vasgen.semantics import SemanticClass

BLOCK = np.array([[x, y, z] for x in (0, 9) for y in (0, 9) for z in (0, 9)], float)
BLOCK_FACES = np.array(
    [
        [0, 1, 3], [0, 3, 2], [4, 6, 7], [4, 7, 5],  # west, east
        [0, 4, 5], [0, 5, 1], [2, 3, 7], [2, 7, 6],  # south, north
        [0, 2, 6], [0, 6, 4], [1, 5, 7], [1, 7, 3],  # bottom, top
    ],
    np.int32,
)  # fmt: skip
WALLS, LEVELS = BLOCK_FACES[:8], BLOCK_FACES[8:]


def shape(name, faces=BLOCK_FACES, *, size=1.0, at=(0, 0, 0), material="concrete", colour=None):
    return ImportedShape(name, material, BLOCK * size + at, faces, colour)


def sheet(name, **more):
    """A level square."""
    return shape(name, LEVELS[2:], **more)


def classes(*shapes):
    labels, _ = dress(shapes, MATERIALS)
    return [{SemanticClass(value).name for value in label.semantic} for label in labels]


#: Something far below and aside, so that the shapes in question are not the ground.
ELSEWHERE = sheet("basement", at=(500, 500, -90))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Road", "ROAD"),
        ("main_street.001", "ROAD"),
        ("lane-2", "ROAD"),
        ("Sidewalks", "PAVEMENT"),
        ("plaza", "PAVEMENT"),
        ("GrassField", "GRASS"),
        ("lawn2", "GRASS"),
        ("river", "WATER"),
        ("LakeEast", "WATER"),
        ("terrain_mesh", "GROUND"),
        ("Plane", "GROUND"),  # no lane
        ("floor", "GROUND"),
    ],
)
def test_a_level_shape_is_what_its_name_says(name, expected):
    assert classes(sheet(name), ELSEWHERE)[0] == {expected}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Tree.004", "VEGETATION"),
        ("bushes", "VEGETATION"),
        ("car_3", "VEHICLE"),
        ("RedCar", "VEHICLE"),
        ("bus", "VEHICLE"),
        ("street_lamp", "FURNITURE"),
        ("Streetlamp7", "FURNITURE"),
        ("bench", "FURNITURE"),
    ],
)
def test_a_solid_is_what_its_name_says(name, expected):
    assert classes(shape(name), ELSEWHERE)[0] == {expected}


@pytest.mark.parametrize(
    "name",
    [
        "building_1",
        "Baker_Street_221",  # no tree, and no road
        "Plaza_Hotel",
        "Sterneckerbräu",  # no kerb
        "Columbus_Inn",  # no bus
        "Design_Museum",  # no sign
        "Riccardi",  # no car
        "Metropole",  # no pole
        "Seasons",  # no sea
    ],
)
def test_a_building_is_walls_and_roof_whatever_it_is_called(name):
    assert classes(shape(name), ELSEWHERE)[0] == {"WALL", "ROOF"}


@pytest.mark.parametrize("parts", [("-wall", "-roof"), ("-itu_marble", "-itu_metal")])
def test_the_roof_of_a_building_named_after_a_place_is_a_roof(parts):
    walls, roof = (f"Sea_Plaza{part}" for part in parts)
    named = classes(shape(walls, WALLS), shape(roof, LEVELS), ELSEWHERE)
    assert named[:2] == [{"WALL"}, {"ROOF"}]


@pytest.mark.parametrize("parts", [("-wall", "-roof"), ("-itu_marble", "-itu_metal")])
def test_parts_of_a_building_are_one_instance(parts):
    shapes = [shape(f"a{parts[0]}", WALLS), shape(f"a{parts[1]}", LEVELS), shape("b")]
    labels, _ = dress(shapes, MATERIALS)
    instances = [set(label.instance) for label in labels]
    assert instances[0] == instances[1] == {1}
    assert instances[2] == {2}


def test_the_lowest_level_shape_that_covers_the_plan_is_the_ground():
    wide = sheet("base", size=20, at=(-50, -50, -180))
    assert classes(wide, shape("house")) == [{"GROUND"}, {"WALL", "ROOF"}]


def test_a_level_shape_that_covers_little_or_lies_high_is_a_roof():
    wide = sheet("base", size=20, at=(-50, -50, -180))
    small, high = sheet("patch", at=(0, 0, -9)), sheet("canopy", size=20, at=(-50, -50, 0))
    assert classes(wide, small, high) == [{"GROUND"}, {"ROOF"}, {"ROOF"}]


def test_a_building_alone_in_the_scene_is_not_the_ground():
    assert classes(shape("house")) == [{"WALL", "ROOF"}]


def test_a_steep_face_is_a_wall_and_a_gentle_one_a_roof():
    ramp = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0.2], [0, 0.2, 1]], float)
    faces = np.array([[0, 1, 2], [0, 1, 3]], np.int32)
    labels, _ = dress([ImportedShape("x", "concrete", ramp, faces, None), ELSEWHERE], MATERIALS)
    assert labels[0].semantic.tolist() == [SemanticClass.ROOF, SemanticClass.WALL]


def test_neighbours_differ_and_two_runs_do_not():
    shapes = [shape(f"house-{i}", at=(20 * i, 0, 0), material="brick") for i in range(6)]
    _, looks = dress(shapes, MATERIALS)
    walls = [look for look in looks if look.recipe == "facade-brick"]
    assert len({look.base_color for look in walls}) == 6
    assert len({look.variant for look in walls}) == 6
    assert dress(shapes, MATERIALS)[1] == looks


def test_a_material_without_an_itu_type_looks_like_concrete():
    materials = {"odd": RadioMaterial("odd", None, 0.1, 5.0, 0.1)}
    _, looks = dress([shape("house", material="odd"), shape("b", material="odd")], materials)
    assert {look.recipe for look in looks} == {"facade-concrete", "roof-gravel"}


def test_an_unheard_of_material_looks_plain():
    materials = {"odd": RadioMaterial("odd", "ceiling_board")}
    _, looks = dress([shape("house", material="odd")], materials)
    assert {look.recipe for look in looks} == {"plain"}


def test_metal_roofs_of_a_district_come_in_several_colours():
    shapes = [shape(f"house-{i}", LEVELS, material="metal") for i in range(12)]
    _, looks = dress([*shapes, ELSEWHERE], MATERIALS)
    hues = {np.argmax(look.base_color) for look in looks if look.recipe == "roof-metal"}
    assert len(hues) > 1


def test_cars_are_painted_in_several_colours_without_seams_and_handles():
    shapes = [shape(f"car_{i}", at=(20 * i, 0, 0), material="metal") for i in range(12)]
    labels, looks = dress([*shapes, ELSEWHERE], MATERIALS)
    cars = [looks[label.visual[0]] for label in labels[:-1]]
    assert {look.recipe for look in cars} == {"paint"}
    assert len({look.base_color for look in cars}) > 5
    up = np.concatenate([label.corner_uv[..., 1] for label in labels[:-1]])
    assert BARE[0] < up.min() <= up.max() < BARE[1]


def test_a_named_colour_wins_and_stays_a_reflectance():
    _, looks = dress([shape("house", colour=(5.0, 0.0, 0.4))], MATERIALS)
    for look in looks:
        assert look.base_color[0] == 0.9
        assert look.base_color[1] == 0.0


def test_labels_have_one_entry_a_face_and_the_types_of_a_bundle():
    labels, looks = dress([shape("house")], MATERIALS)
    assert [a.dtype.str for a in labels[0]] == ["|u1", "<i4", "<u2", "<f4"]
    assert [a.shape for a in labels[0]] == [(12,), (12,), (12,), (12, 3, 2)]
    assert labels[0].visual.max() < len(looks)
