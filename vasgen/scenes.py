"""Opening a scene by name: a bundle folder, a Sionna example, or a scene file."""

from __future__ import annotations

from pathlib import Path

from vasgen import runtime
from vasgen.bundle import SceneBundle
from vasgen.errors import InputError, unknown_choice
from vasgen.importer import import_xml

SIONNA_PREFIX = "sionna:"


def open_scene(reference: str | Path) -> SceneBundle:
    """The scene that a reference names.

    Args:
        reference: a bundle folder, ``sionna:NAME`` for an example scene that comes with
            Sionna RT (``sionna:munich``), or a Sionna or Mitsuba XML file.

    Raises:
        InputError: if there is no such scene, or it cannot be used.
        StorageError: if a bundle is damaged.
    """
    text = str(reference)
    if text.startswith(SIONNA_PREFIX):
        return _sionna_scene(text.removeprefix(SIONNA_PREFIX))
    path = Path(text).expanduser()
    if path.is_dir():
        return SceneBundle.load(path)
    if path.suffix.lower() == ".xml" and path.is_file():
        return import_xml(path)
    problem = "has no .xml ending" if path.exists() else "does not exist"
    raise InputError(
        f"scene {text!r} {problem}; give a scene folder, an .xml scene file, or "
        f"{SIONNA_PREFIX}NAME, e.g. {SIONNA_PREFIX}munich."
    )


def _sionna_scene(name: str) -> SceneBundle:
    folder = Path(runtime.radio().__file__).parent / "scenes"
    known = sorted(path.stem for path in folder.glob("*/*.xml") if path.stem == path.parent.name)
    if name not in known:
        raise unknown_choice("Sionna scene", name, known)
    return import_xml(folder / name / f"{name}.xml")
