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
"Reload" shows a city that was generated anew. With two, the city is baked into meshes,
materials and actors below that content folder, as for a game. Unreal turns metres into
centimetres and the axes into its own; north is then -Y.
"""

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


if len(sys.argv) == 2:
    show(sys.argv[1])
elif len(sys.argv) == 3:
    for path in bake(*sys.argv[1:]):
        unreal.log(path)
else:
    unreal.log_error("usage: unreal_import.py CITY.usdc [/Game/FOLDER]")
