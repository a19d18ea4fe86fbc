"""Exports of a city for other programs, each in a module of its own."""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from vasgen.citygen.city import City
from vasgen.citygen.config import Lod
from vasgen.errors import unknown_choice


@dataclass(frozen=True)
class Writer:
    """How a format is written.

    Attributes:
        module: module of this package, imported when it is needed.
        function: its function ``write(city, path)``.
        suffix: of the file's name.
        stem: of the file's name.
        beside: suffixes of the files it writes beside that one.
        levels: whether the function takes a level of detail, ``lod``.
    """

    module: str
    function: str
    suffix: str
    stem: str = "city"
    beside: tuple[str, ...] = ()
    levels: bool = True

    @property
    def file_names(self) -> tuple[str, ...]:
        """What :func:`export` calls the file, and those beside it."""
        return tuple(f"{self.stem}{suffix}" for suffix in (self.suffix, *self.beside))

    def __call__(self, city: City, path: Path | str, *, lod: Lod | None = None) -> Path:
        """Write a city.

        Args:
            city: the city.
            path: destination, replaced if it exists.
            lod: level of detail, if the format knows any; None: the configuration's.

        Returns:
            The path of the main file.

        Raises:
            InputError: if there is no such level of detail.
            MissingDependencyError: if the format needs a package that is not installed.
            StorageError: if the disk refuses.
        """
        write = getattr(importlib.import_module(f"{__name__}.{self.module}"), self.function)
        level = city.level(lod)
        options = {"lod": level} if self.levels else {}
        return Path(write(city, path, **options))


#: All formats by name.
FORMATS: dict[str, Writer] = {
    "glb": Writer("glb", "write_glb", ".glb"),
    "obj": Writer("obj", "write_obj", ".obj", beside=(".mtl",)),
    "usd": Writer("usd", "write_usd", ".usdc"),
    "cityjson": Writer("cityjson", "write_cityjson", ".city.json"),
    "geojson": Writer("geojson", "write_geojson", ".geojson", levels=False),
    "points": Writer("placements", "write_placements", ".ply", "placements", levels=False),
    "csv": Writer("placements", "write_placements", ".csv", "placements", levels=False),
    "png": Writer("map", "draw_plan", ".png", "plan", levels=False),
    "svg": Writer("map", "draw_plan", ".svg", "plan", levels=False),
}


def export(
    city: City, folder: Path | str, formats: Iterable[str], *, lod: Lod | None = None
) -> tuple[Path, ...]:
    """Write a city in several formats: ``city.glb``, ``city.usdc``, ``plan.svg`` and so on.

    Args:
        city: the city.
        folder: where to; made if it does not exist.
        formats: keys of :data:`FORMATS`; each is written once.
        lod: level of detail; None: the configuration's.

    Returns:
        The paths, in the order of the formats.

    Raises:
        InputError: if there is no such format or level of detail; nothing is written then.
        MissingDependencyError: if a format needs a package that is not installed.
        StorageError: if the disk refuses.
    """
    writers, level = [FORMATS[name] for name in check_formats(formats)], city.level(lod)
    return tuple(write(city, Path(folder) / write.file_names[0], lod=level) for write in writers)


def check_formats(formats: Iterable[str]) -> tuple[str, ...]:
    """The formats without repetitions.

    Raises:
        InputError: if there is no such format.
    """
    names = tuple(dict.fromkeys(formats))
    for name in names:
        if name not in FORMATS:
            raise unknown_choice("format", name, FORMATS)
    return names
