"""Imports between the rooms go one way."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = {"citygen", "render", "vas", "datasets", "orchestrate"}

MAY_IMPORT = {
    "citygen": set(),
    "render": set(),
    "vas": set(),
    "datasets": set(),
    "orchestrate": {"citygen", "render", "vas", "datasets"},
}
RAY_TRACERS = {"mitsuba", "sionna", "drjit"}


def imports(path, *, inside_functions=True):
    tree = ast.parse(path.read_text())
    nodes = ast.walk(tree) if inside_functions else tree.body
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("room", sorted(MAY_IMPORT))
def test_a_room_imports_only_what_it_may(room):
    for path in (ROOT / room).rglob("*.py"):
        for name in imports(path):
            parts = name.split(".")
            if parts[0] == "vasgen" and len(parts) > 1 and parts[1] in ROOMS - {room}:
                assert parts[1] in MAY_IMPORT[room], f"{path.name} imports {name}"


def test_the_packages_of_render_import_one_way():
    order = ["textures", "looks", "light", "tracing", "unreal"]
    for index, package in enumerate(order):
        later = {f"vasgen.render.{name}" for name in order[index + 1 :]}
        for path in (ROOT / "render" / package).glob("*.py"):
            names = {".".join(name.split(".")[:3]) for name in imports(path)}
            assert not names & later, f"{package}/{path.name} imports {names & later}"


@pytest.mark.parametrize("room", ["citygen", "datasets"])
def test_libraries_without_simulator_import_no_ray_tracer(room):
    for path in (ROOT / room).rglob("*.py"):
        names = set(imports(path))
        assert not {name.split(".")[0] for name in names} & RAY_TRACERS, path.name
        assert not names & {"vasgen.runtime", "vasgen.raycast"}, path.name


def test_nouns_import_no_room_and_the_cli_only_inside_commands():
    for path in (ROOT / "vasgen").rglob("*.py"):
        is_command = path.name in {"cli.py", "_console.py", "doctor.py"}
        top_level_only = is_command or path.parent.name == "commands"
        for name in imports(path, inside_functions=not top_level_only):
            parts = name.split(".")
            assert not (parts[0] == "vasgen" and len(parts) > 1 and parts[1] in ROOMS), (
                f"{path.name} imports {name}"
            )
