"""Names on the way to Unreal: the USD export, and the script that runs in Unreal's editor."""

import runpy
import sys
from pathlib import Path
from unittest.mock import MagicMock

import numpy as np
import pytest

from vasgen.citygen import CityConfig, generate
from vasgen.citygen.exporters.usd import write_usd
from vasgen.conditions import Conditions
from vasgen.render.unreal.coordinates import light_rotation
from vasgen.render.unreal.level import SUN
from vasgen.render.unreal.pictures import object_id
from vasgen.sun import sun_direction

SCRIPT = Path(__file__).parents[2] / "examples" / "unreal_import.py"


def test_a_building_of_the_usd_export_has_its_id_as_its_name(tmp_path):
    from pxr import Usd

    city = generate(CityConfig("mix", seed=2, size_m=100))
    table = city.to_bundle(2).face_table
    stage = Usd.Stage.Open(str(write_usd(city, tmp_path / "city.usda", lod=2)))
    buildings = stage.GetPrimAtPath("/City/Buildings").GetChildren()
    assert len(buildings) > 1
    for prim in buildings:
        number = object_id(prim.GetName())
        theirs = np.array(prim.GetAttribute("points").Get())
        ours = table.triangles[table.instance == number].reshape(-1, 3)
        for end in (np.min, np.max):
            assert end(theirs, axis=0) == pytest.approx(end(ours, axis=0), abs=1e-3)


class Actor:
    """What the script needs of an actor of a level."""

    def __init__(self, name, label):
        self.name, self.label = name, label
        self.component = MagicMock()

    def get_name(self):
        return self.name

    def get_actor_label(self):
        return self.label

    def set_actor_label(self, label):
        self.label = label

    def rename(self, name):
        self.name = name

    def get_component_by_class(self, _):
        return self.component

    def get_editor_property(self, _):
        return self.component

    def set_editor_property(self, *_):
        return None

    def set_root_layer(self, file):
        self.file = file


@pytest.fixture
def editor(monkeypatch):
    """A stand-in for the editor's module ``unreal``, with a level of actors."""
    unreal = MagicMock()
    unreal.actors = []
    level = unreal.get_editor_subsystem.return_value
    level.get_all_level_actors.side_effect = lambda: list(unreal.actors)
    level.destroy_actor.side_effect = unreal.actors.remove
    unreal.Rotator.side_effect = dict

    def spawn(kind, location, rotation=None):
        unreal.actors.append(Actor(f"Actor_{len(unreal.actors)}", "new"))
        unreal.actors[-1].rotation = rotation
        return unreal.actors[-1]

    level.spawn_actor_from_class.side_effect = spawn
    monkeypatch.setitem(sys.modules, "unreal", unreal)
    return unreal


def run(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", [str(SCRIPT), *arguments])
    runpy.run_path(str(SCRIPT))


def test_a_baked_level_has_names_and_a_sun(editor, monkeypatch):
    editor.actors += [
        Actor("StaticMeshActor_3", "building_00012"),
        Actor("building_00007", "building_00007"),
        Actor("StaticMeshActor_9", "road"),
        Actor("Sun", "Sun"),
    ]
    run(monkeypatch, "city.usdc", "/Game/City")
    names = [actor.name for actor in editor.actors]
    assert names[:3] == ["building_00012", "building_00007", "StaticMeshActor_9"]
    assert names.count(SUN) == 1
    sun = next(actor for actor in editor.actors if actor.name == SUN)
    usual = Conditions()
    to_sun = sun_direction(usual.sun_elevation_deg, usual.sun_azimuth_deg)
    pitch, yaw, _ = light_rotation(to_sun)
    assert sun.rotation == pytest.approx({"pitch": pitch, "yaw": yaw, "roll": 0.0})
    editor.log.assert_called_with("2 buildings")


def test_a_stage_is_shown_as_it_is(editor, monkeypatch):
    run(monkeypatch, "city.usdc")
    (stage,) = editor.actors
    assert (stage.label, stage.file) == ("City", "city.usdc")
    editor.AssetImportTask.assert_not_called()


def test_other_arguments_are_an_error(editor, monkeypatch):
    run(monkeypatch)
    assert "usage" in editor.log_error.call_args.args[0]
