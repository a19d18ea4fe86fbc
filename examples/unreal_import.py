"""Bring a city into Unreal Engine. Runs inside the editor's own Python, not in vasgen's.

Write the city first:

    vasgen city --density downtown --seed 7 --format usd --out out/city

Enable the plugins "USD Importer" and "Python Editor Script Plugin", then either run it from
the editor's output log (set to "Cmd"):

    py "examples/unreal_import.py" /path/to/out/city/city.usdc
    py "examples/unreal_import.py" /path/to/out/city/city.usdc /Game/City

or without a window:

    UnrealEditor-Cmd PROJECT.uproject -run=pythonscript -script="unreal_import.py FILE /Game/City"

With one argument, the level shows the file as a USD Stage actor: nothing is copied, and
"Reload" shows a city that was generated anew; to Unreal it is a single object. With two, the city
is baked into meshes, materials and actors below that content folder, as for a game, and the level
gets what vasgen's backend asks for (docs/unreal.md): a building is the actor building_00012, whose
number is its id in vasgen's labels, and the light is the actor Sun, which can be turned. Unreal
turns metres into centimetres and the axes into its own; north is then -Y.
"""

import re
import sys

import unreal


def show(usd_file: str) -> unreal.UsdStageActor:
    """Add a USD Stage actor that shows the file."""
    actors = unreal.get_editor_subsystem(unreal.EditorActorSubsystem)
    stage = actors.spawn_actor_from_class(unreal.UsdStageActor, unreal.Vector(0.0, 0.0, 0.0))
    stage.set_actor_label("City")
    stage.set_root_layer(usd_file)
    return stage


def bake(usd_file: str, folder: str) -> list[str]:
    """Import the file as assets and actors; returns the paths of the assets."""
    options = unreal.UsdStageImportOptions()
    options.set_editor_property("import_actors", True)
    options.set_editor_property("import_geometry", True)
    options.set_editor_property("import_materials", True)
    # A building is a mesh of its own; a kind of prop stays one instanced component.
    options.set_editor_property("prim_path_folder_structure", True)

    task = unreal.AssetImportTask()
    task.set_editor_property("filename", usd_file)
    task.set_editor_property("destination_path", folder)
    task.set_editor_property("automated", True)
    task.set_editor_property("replace_existing", True)
    task.set_editor_property("save", True)
    task.set_editor_property("factory", unreal.UsdStageImportFactory())
    task.set_editor_property("options", options)
    unreal.AssetToolsHelpers.get_asset_tools().import_asset_tasks([task])
    return list(task.get_editor_property("imported_object_paths"))


def name_buildings() -> int:
    """Name actors by their labels, as UnrealCV knows names only; returns how many are buildings."""
    actors = unreal.get_editor_subsystem(unreal.EditorActorSubsystem).get_all_level_actors()
    taken = {actor.get_name() for actor in actors}
    buildings = [a for a in actors if re.fullmatch(r"building_\d+", a.get_actor_label())]
    for actor in buildings:
        # Unreal stops if two objects get one name.
        if actor.get_actor_label() not in taken:
            actor.rename(actor.get_actor_label())
    return len(buildings)


def light_up() -> None:
    """Add a sun with sky and air, and an exposure that does not follow the picture."""
    sun = spawn(unreal.DirectionalLight, "Sun", unreal.Rotator(pitch=-40.0, yaw=-50.0, roll=0.0))
    beam = sun.get_component_by_class(unreal.DirectionalLightComponent)
    beam.set_mobility(unreal.ComponentMobility.MOVABLE)
    beam.set_editor_property("atmosphere_sun_light", True)
    spawn(unreal.SkyAtmosphere, "Air")
    sky = spawn(unreal.SkyLight, "Sky").get_component_by_class(unreal.SkyLightComponent)
    sky.set_mobility(unreal.ComponentMobility.MOVABLE)
    sky.set_editor_property("real_time_capture", True)
    volume = spawn(unreal.PostProcessVolume, "Exposure")
    volume.set_editor_property("unbound", True)
    settings = volume.get_editor_property("settings")
    for limit in ("auto_exposure_min_brightness", "auto_exposure_max_brightness"):
        settings.set_editor_property(f"override_{limit}", True)
        settings.set_editor_property(limit, 1.0)
    settings.set_editor_property("override_motion_blur_amount", True)
    settings.set_editor_property("motion_blur_amount", 0.0)
    volume.set_editor_property("settings", settings)


def spawn(kind: type, name: str, rotation: unreal.Rotator | None = None) -> unreal.Actor:
    """Add an actor of that name, instead of an older one."""
    actors = unreal.get_editor_subsystem(unreal.EditorActorSubsystem)
    for old in actors.get_all_level_actors():
        if old.get_name() == name:
            actors.destroy_actor(old)
            old.rename(f"{name}_old")
    origin = unreal.Vector(0.0, 0.0, 0.0)
    actor = actors.spawn_actor_from_class(kind, origin, rotation or unreal.Rotator())
    actor.set_actor_label(name)
    actor.rename(name)
    return actor


if len(sys.argv) == 2:
    show(sys.argv[1])
elif len(sys.argv) == 3:
    for path in bake(*sys.argv[1:]):
        unreal.log(path)
    light_up()
    unreal.log(f"{name_buildings()} buildings")
else:
    unreal.log_error("usage: unreal_import.py CITY.usdc [/Game/FOLDER]")
