"""Files and folders appear whole or not at all."""

import errno
import hashlib
import os
import stat
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest

from vasgen import artefact
from vasgen.artefact import (
    SHAPING_LIBRARIES,
    atomic_directory,
    atomic_file,
    library_versions,
    remove_partials,
    sha256_of,
)
from vasgen.errors import InputError, StorageError


def names(folder):
    return sorted(path.name for path in folder.iterdir())


class Interrupted(BaseException):
    """As KeyboardInterrupt: no Exception."""


# Folders ------------------------------------------------------------------------------


def test_a_folder_appears_when_the_block_ends(tmp_path):
    target = tmp_path / "a" / "b" / "new"
    with atomic_directory(target) as scratch:
        (scratch / "x").write_text("1")
        assert not target.exists()
        assert scratch.parent == target.parent  # so that the rename stays on one disk
    assert (target / "x").read_text() == "1"
    assert names(target.parent) == ["new"]


def test_a_folder_is_replaced_whole(tmp_path):
    target = tmp_path / "old"
    target.mkdir()
    (target / "stale").write_text("0")
    with atomic_directory(target) as scratch:
        (scratch / "x").write_text("1")
        assert names(target) == ["stale"]
    assert names(target) == ["x"]
    assert names(tmp_path) == ["old"]


@pytest.mark.parametrize("failure", [RuntimeError, KeyboardInterrupt, Interrupted, InputError])
@pytest.mark.parametrize("existing", [False, True])
def test_a_block_that_fails_leaves_things_as_they_were(tmp_path, failure, existing):
    target = tmp_path / "target"
    if existing:
        target.mkdir()
        (target / "kept").write_text("0")

    def fail():
        with atomic_directory(target) as scratch:
            (scratch / "x").write_text("1")
            raise failure

    with pytest.raises(failure):
        fail()
    assert names(tmp_path) == (["target"] if existing else [])
    assert not existing or names(target) == ["kept"]


def test_a_folder_has_the_users_usual_permissions(tmp_path):
    (tmp_path / "usual").mkdir()
    with atomic_directory(tmp_path / "new"):
        pass
    modes = [stat.S_IMODE((tmp_path / n).stat().st_mode) for n in ("usual", "new")]
    assert modes[0] == modes[1]


def test_the_umask_stays(tmp_path):
    before = os.umask(0o027)
    try:
        with atomic_directory(tmp_path / "new"):
            pass
        assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o750
        assert os.umask(0o027) == 0o027
    finally:
        os.umask(before)


def test_a_file_is_never_replaced_by_a_folder(tmp_path):
    target = tmp_path / "notes.txt"
    target.write_text("precious")

    def replace():
        with atomic_directory(target):
            pass

    with pytest.raises(StorageError, match=f"^cannot write {target}: it is a file; choose anoth"):
        replace()
    assert target.read_text() == "precious"
    assert names(tmp_path) == ["notes.txt"]


# Files --------------------------------------------------------------------------------


def test_a_file_appears_when_the_block_ends_and_keeps_its_suffix(tmp_path):
    target = tmp_path / "deep" / "picture.png"
    with atomic_file(target) as scratch:
        assert scratch.suffix == ".png"
        assert scratch.parent == target.parent
        scratch.write_text("1")
        assert not target.exists()
    assert target.read_text() == "1"
    assert names(target.parent) == ["picture.png"]


def test_a_file_is_replaced(tmp_path):
    target = tmp_path / "a.json"
    target.write_text("0")
    with atomic_file(target) as scratch:
        scratch.write_text("1")
        assert target.read_text() == "0"
    assert target.read_text() == "1"


@pytest.mark.parametrize("failure", [RuntimeError, KeyboardInterrupt, Interrupted])
def test_a_file_whose_block_fails_stays_as_it_was(tmp_path, failure):
    target = tmp_path / "a.json"
    target.write_text("0")

    def fail():
        with atomic_file(target) as scratch:
            scratch.write_text("1")
            raise failure

    with pytest.raises(failure):
        fail()
    assert target.read_text() == "0"
    assert names(tmp_path) == ["a.json"]


def test_a_folder_is_never_replaced_by_a_file(tmp_path):
    (tmp_path / "folder").mkdir()

    def replace():
        with atomic_file(tmp_path / "folder") as scratch:
            scratch.write_text("1")

    with pytest.raises(StorageError, match="it is a folder; choose another file with --out"):
        replace()
    assert names(tmp_path) == ["folder"]


# Disks that refuse --------------------------------------------------------------------


def fill(scratch):
    if scratch.is_dir():
        scratch = scratch / "x"
    scratch.write_bytes(b"half")
    with Path("/dev/full").open("wb", buffering=0) as device:
        device.write(b"x")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has a disk that is always full")
@pytest.mark.parametrize("writer", [atomic_directory, atomic_file])
def test_a_full_disk_is_one_clear_line_and_leaves_nothing(tmp_path, writer):
    target = tmp_path / "target"

    def write():
        with writer(target) as scratch:
            fill(scratch)

    with pytest.raises(StorageError) as error:
        write()
    assert str(error.value) == (
        f"cannot write {target}: the disk is full; free some space and run the same command again."
    )
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    ("number", "line"),
    [
        (errno.ENOSPC, "the disk is full; free some space and run the same command again."),
        (errno.EDQUOT, "your quota is used up; free some space and run the same command again."),
        (errno.EROFS, "the disk is read-only; choose another folder with --out."),
        (errno.EACCES, "permission denied; choose another folder with --out."),
    ],
)
@pytest.mark.parametrize("writer", [atomic_directory, atomic_file])
def test_every_refusal_says_what_to_do(tmp_path, writer, number, line):
    def write():
        with writer(tmp_path / "target"):
            raise OSError(number, os.strerror(number))

    with pytest.raises(StorageError, match=f"cannot write {tmp_path / 'target'}: {line}"):
        write()
    assert names(tmp_path) == []


@pytest.mark.parametrize("writer", [atomic_directory, atomic_file])
@pytest.mark.parametrize("below", ["x", "x/y"])
def test_a_file_for_a_parent_is_one_clear_line(tmp_path, writer, below):
    (tmp_path / "file").write_text("0")

    def write():
        with writer(tmp_path / "file" / below):
            pass

    with pytest.raises(StorageError, match="a parent is a file, not a folder; choose another"):
        write()
    assert names(tmp_path) == ["file"]


@pytest.mark.parametrize("writer", [atomic_directory, atomic_file])
def test_other_errors_pass_unchanged(tmp_path, writer):
    def read_something_else():
        with writer(tmp_path / "target"):
            (tmp_path / "missing").read_text()

    def fail_with_a_line():
        with writer(tmp_path / "target"):
            raise StorageError("a line of its own")

    with pytest.raises(FileNotFoundError):
        read_something_else()
    with pytest.raises(StorageError, match=r"^a line of its own$"):
        fail_with_a_line()


# What killed runs leave ---------------------------------------------------------------


def test_what_killed_runs_left_is_removed_and_nothing_else(tmp_path):
    for name in (".partial-a", ".partial-b-xyz", "kept", ".hidden"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "inside").write_text("1")
    (tmp_path / ".partial-99-view.json").write_text("half")
    (tmp_path / "partial-notes.txt").write_text("mine")
    (tmp_path / "kept" / ".partial-deeper").write_text("half")
    remove_partials(tmp_path)
    assert names(tmp_path) == [".hidden", "kept", "partial-notes.txt"]
    assert names(tmp_path / "kept") == [".partial-deeper", "inside"]


@pytest.mark.parametrize("writer", [atomic_directory, atomic_file])
def test_a_killed_writer_leaves_only_what_is_removed(tmp_path, writer):
    script = f"""
import os, pathlib
from vasgen.artefact import {writer.__name__}
with {writer.__name__}(pathlib.Path({str(tmp_path / "target")!r})) as scratch:
    (scratch / "x" if scratch.is_dir() else scratch).write_text("half")
    os._exit(9)
"""
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 9
    assert len(names(tmp_path)) == 1
    remove_partials(tmp_path)
    assert names(tmp_path) == []


@pytest.mark.parametrize("renames_done", [0, 1, 2])
def test_a_replacement_that_is_killed_leaves_the_old_folder_or_the_new(
    tmp_path, monkeypatch, renames_done
):
    target = tmp_path / "target"
    target.mkdir()
    (target / "old").write_text("0")
    rename, done = Path.rename, []

    def dying(self, other):
        if len(done) == renames_done:
            raise Interrupted
        done.append(other)
        return rename(self, other)

    def replace():
        with atomic_directory(target) as scratch:
            (scratch / "new").write_text("1")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", dying)
        patch.setattr(artefact.shutil, "rmtree", lambda *_, **__: None)
        if renames_done < 2:
            with pytest.raises(Interrupted):
                replace()
        else:
            replace()
    remove_partials(tmp_path)
    assert names(tmp_path) == ["target"]
    assert names(target) == (["new"] if renames_done == 2 else ["old"])


def test_a_folder_that_is_not_there_has_no_leftovers(tmp_path):
    remove_partials(tmp_path / "missing")
    assert names(tmp_path) == []


# Hashes and versions ------------------------------------------------------------------


@pytest.mark.parametrize("content", [b"", b"vasgen", bytes(3_000_000)])
def test_the_hash_of_a_file_is_sha256(tmp_path, content):
    path = tmp_path / "x"
    path.write_bytes(content)
    assert sha256_of(path) == hashlib.sha256(content).hexdigest()


def test_versions_are_those_installed():
    versions = library_versions()
    assert list(versions) == list(SHAPING_LIBRARIES)
    assert versions["numpy"] == version("numpy")
    assert versions["vasgen"] == version("vasgen")


def test_a_library_that_is_not_installed_is_left_out(monkeypatch):
    def without_mitsuba(name):
        if name == "mitsuba":
            raise PackageNotFoundError(name)
        return "1"

    monkeypatch.setattr(artefact.importlib.metadata, "version", without_mitsuba)
    assert set(library_versions()) == set(SHAPING_LIBRARIES) - {"mitsuba"}


def test_an_inner_error_names_the_folder_that_the_user_knows(tmp_path):
    target = tmp_path / "city"

    def write():
        with atomic_directory(target) as outer, atomic_directory(outer / "scene") as inner:
            raise StorageError(f"cannot write {inner / 'city.glb'}: the disk is full.")

    with pytest.raises(StorageError) as error:
        write()
    assert str(error.value) == f"cannot write {target}/scene/city.glb: the disk is full."
