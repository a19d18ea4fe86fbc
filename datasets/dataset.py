"""Reading: a dataset, or a folder of views, as a sequence of samples."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Self, overload

from vasgen.antenna_pattern import AntennaPatterns
from vasgen.datasets import store
from vasgen.datasets.antennas import read_patterns
from vasgen.datasets.manifest import MANIFEST_JSON, VIEWS, Manifest, read_manifest
from vasgen.datasets.store import Sample
from vasgen.datasets.view_record import ViewRecord
from vasgen.errors import InputError


class Views(Sequence[Sample]):
    """Views of a folder; a sample is read from disk when it is asked for.

    Args:
        folder: holds one folder per view.
        names: which views, in order.
    """

    def __init__(self, folder: Path, names: Sequence[str]) -> None:
        self.folder = folder
        self.names = tuple(names)

    def __len__(self) -> int:
        return len(self.names)

    @overload
    def __getitem__(self, index: int) -> Sample: ...
    @overload
    def __getitem__(self, index: slice) -> Self: ...
    def __getitem__(self, index: int | slice) -> Sample | Self:
        if isinstance(index, slice):
            return self._with(self.names[index])
        return store.read_view(self.folder / self.names[index])

    def record(self, index: int) -> ViewRecord:
        """Camera, transmitters, seeds and file hashes of a view, without its layers."""
        return store.read_record(self.folder / self.names[index])

    def _with(self, names: Sequence[str]) -> Self:
        return type(self)(self.folder, names)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.folder}: {len(self)} views>"


class Dataset(Views):
    """A finished dataset: its views and its manifest.

    Args:
        path: dataset folder.
        manifest: what it holds.
        names: which views, in order; all of the manifest if omitted.
    """

    def __init__(self, path: Path, manifest: Manifest, names: Sequence[str] | None = None) -> None:
        every = [sample["name"] for sample in manifest.samples]
        super().__init__(path / VIEWS, every if names is None else names)
        self.path = path
        self.manifest = manifest

    @cached_property
    def antenna_patterns(self) -> AntennaPatterns:
        """What each transmitter radiates in each direction of the world.

        Raises:
            StorageError: if their file is missing or damaged.
        """
        return read_patterns(self.path)

    def _with(self, names: Sequence[str]) -> Self:
        return type(self)(self.path, self.manifest, names)


def open_dataset(path: Path | str) -> Dataset:
    """Open a dataset written by ``vasgen build``.

    Args:
        path: dataset folder.

    Raises:
        InputError: if the folder is no dataset, or its build is not finished.
        StorageError: if its manifest is damaged.
    """
    return Dataset(Path(path), read_manifest(Path(path)))


def read_views(folder: Path | str) -> Views:
    """Open a folder of views written by ``vasgen render``.

    Args:
        folder: holds one folder per view.

    Raises:
        InputError: if it holds no view.
    """
    folder = Path(folder)
    names = sorted(path.parent.name for path in folder.glob(f"[!.]*/{store.VIEW_JSON}"))
    if not names:
        raise InputError(
            f"{folder} holds no views. Render some: vasgen render SCENE --out {folder}"
        )
    return Views(folder, names)


def open_any(path: Path | str) -> Views:
    """A dataset, or a folder of views, whichever ``path`` is.

    Raises:
        InputError: if it is neither.
        StorageError: if its manifest is damaged.
    """
    path = Path(path)
    is_views = any(path.glob(f"[!.]*/{store.VIEW_JSON}"))
    if is_views and not (path / MANIFEST_JSON).exists():
        return read_views(path)
    return open_dataset(path)
