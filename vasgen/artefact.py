"""Artefacts: files and folders that appear whole or not at all, and say what made them."""

from __future__ import annotations

import errno
import hashlib
import importlib.metadata
import lzma
import os
import shutil
import struct
import tempfile
import tokenize
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vasgen.errors import StorageError

#: Libraries that shape the numbers in an artefact.
SHAPING_LIBRARIES = (
    "vasgen",
    "numpy",
    "shapely",
    "mitsuba",
    "drjit",
    "sionna-rt",
    "trimesh",
)

#: What reading a damaged file raises: JSON of another shape, and what zip archives and
#: numpy's headers trip over. A damaged header may ask for any amount of memory.
DAMAGE = (
    AttributeError,
    EOFError,
    KeyError,
    MemoryError,
    OSError,
    OverflowError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    lzma.LZMAError,
    struct.error,
    tokenize.TokenError,
    zipfile.BadZipFile,
    zlib.error,
)

_PREFIX = ".partial-"
_RETIRED = ".retired-"


@contextmanager
def atomic_directory(folder: Path) -> Iterator[Path]:
    """A scratch folder that becomes ``folder`` when the block ends without an error.

    An existing ``folder`` is replaced, but not a file of that name. A block that fails
    leaves nothing behind; a process that is killed leaves only hidden siblings, which
    :func:`remove_partials` clears.

    Raises:
        StorageError: if the disk is full or refuses.
    """
    with storage_errors(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        if folder.exists() and not folder.is_dir():
            raise StorageError(f"cannot write {folder}: it is a file; choose another with --out.")
        scratch = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{folder.name}-", dir=folder.parent))
        try:
            # mkdtemp makes the folder private; an artefact has the user's usual permissions.
            scratch.chmod(0o777 & ~_umask())
            try:
                yield scratch
            except StorageError as error:
                # The user knows the folder, not where it was being written.
                line = str(error).replace(str(scratch), str(folder))
                raise StorageError(line) from error
            if folder.exists():
                retired = Path(tempfile.mkdtemp(prefix=_RETIRED, dir=folder.parent))
                folder.rename(retired / folder.name)
                scratch.rename(folder)
                shutil.rmtree(retired)
            else:
                scratch.rename(folder)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)


@contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """A scratch file that becomes ``path`` when the block ends without an error.

    Raises:
        StorageError: if the disk is full or refuses.
    """
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        # The suffix stays last: image writers choose their format by it.
        scratch = path.with_name(f"{_PREFIX}{os.getpid()}-{path.name}")
        try:
            yield scratch
            scratch.replace(path)
        finally:
            scratch.unlink(missing_ok=True)


def remove_partials(folder: Path) -> None:
    """Clear what killed runs left directly inside ``folder``.

    What was half-written is deleted. A folder that was being replaced comes back, if its
    replacement had not taken its place yet.
    """
    for retired in folder.glob(f"{_RETIRED}*"):
        for old in retired.iterdir():
            if not (folder / old.name).exists():
                old.rename(folder / old.name)
        shutil.rmtree(retired, ignore_errors=True)
    for leftover in folder.glob(f"{_PREFIX}*"):
        if leftover.is_dir():
            shutil.rmtree(leftover, ignore_errors=True)
        else:
            leftover.unlink(missing_ok=True)


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's bytes, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def library_versions() -> dict[str, str]:
    """Installed versions of the libraries that shape an artefact."""
    versions = {}
    for name in SHAPING_LIBRARIES:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


@contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Turn a refusal of the disk into one clear line that names ``path``.

    Raises:
        StorageError: instead of an ``OSError`` that the user can mend.
    """
    try:
        yield
    except StorageError:
        raise
    except OSError as error:
        parent_is_file = "a parent is a file, not a folder; choose another folder with --out"
        reasons = {
            errno.ENOSPC: "the disk is full; free some space and run the same command again",
            errno.EDQUOT: "your quota is used up; free some space and run the same command again",
            errno.EROFS: "the disk is read-only; choose another folder with --out",
            errno.EACCES: "permission denied; choose another folder with --out",
            errno.EISDIR: "it is a folder; choose another file with --out",
            errno.ENOTDIR: parent_is_file,
            errno.EEXIST: parent_is_file,
        }
        if error.errno not in reasons:
            raise
        raise StorageError(f"cannot write {path}: {reasons[error.errno]}.") from error
