"""Notes: what a user is told about the labels of a scene."""

import numpy as np

from tests.support import box, bundle, ground, mesh, rectangle, street_canyon
from vasgen.citygen import CityConfig, generate
from vasgen.semantics import SemanticClass
from vasgen.spec import RadioSpec
from vasgen.vas import radio_notes


def roofless(name, instance):
    solid = box(name, (6, 6, 5), (10 * instance, 0, 2.5))
    keep = solid.triangles.mean(axis=1)[:, 2] < 4.9
    return mesh(name, solid.vertices, solid.faces[keep], radio="concrete", instance=instance)


def test_a_scene_of_closed_shells_at_an_ordinary_frequency_has_no_notes():
    assert radio_notes(street_canyon(), RadioSpec()) == ()


def test_open_shells_are_named_if_diffraction_is_on():
    scene = bundle(ground(90), *(roofless(f"house-{i}", i) for i in range(1, 6)))
    assert radio_notes(scene, RadioSpec()) == (
        "5 objects have open edges, or edges between two radio materials, which do not diffract: "
        "object 1 (building, mesh 'house-1'), object 2 (building, mesh 'house-2'), "
        "object 3 (building, mesh 'house-3') and 2 more.",
    )
    assert radio_notes(scene, RadioSpec(diffraction=False)) == ()
    assert radio_notes(scene, RadioSpec(max_depth=0)) == ()
    (line,) = radio_notes(bundle(roofless("a", 1)), RadioSpec())
    assert line.startswith("1 object has open edges")


def test_a_hole_that_a_window_fills_is_no_opening():
    wall = [(0, 0, 0), (9, 0, 0), (9, 0, 6), (0, 0, 6), (3, 0, 2), (6, 0, 2), (6, 0, 4), (3, 0, 4)]
    ring = [[i, (i + 1) % 4, 4 + (i + 1) % 4] for i in range(4)]
    ring += [[i, 4 + (i + 1) % 4, 4 + i] for i in range(4)]
    back = [[0, 2, 1], [0, 3, 2]]  # the wall is a thin closed shell, but for its window
    front = mesh("wall", wall, ring + back, radio="brick")
    pane = rectangle("pane", wall[4:], radio="glass", semantic=SemanticClass.WINDOW, instance=2)
    assert len(radio_notes(bundle(front), RadioSpec())) == 1
    assert radio_notes(bundle(front, pane), RadioSpec()) == ()


def test_generated_cities_are_closed():
    for density, lod in (("downtown", 2), ("mix", 3)):
        city = generate(CityConfig(density=density, seed=1, size_m=150.0, lod=lod)).to_bundle()
        assert radio_notes(city, RadioSpec()) == ()
        (held, *_) = radio_notes(city, RadioSpec(frequency_hz=28e9))
        assert "at 28 GHz its complex permittivity of 10 GHz is used" in held


def test_what_is_held_comes_first_and_is_not_told_where_it_is_refused():
    scene = bundle(ground(90), roofless("house", 1))
    held, opened = radio_notes(scene, RadioSpec(frequency_hz=28e9))
    assert held.startswith("very_dry_ground is defined for 1-10 GHz")
    assert opened.startswith("1 object has")
    refused = RadioSpec(frequency_hz=28e9, undefined_materials="refuse", diffraction=False)
    assert radio_notes(scene, refused) == ()
    assert np.all([line.endswith(".") for line in (held, opened)])
