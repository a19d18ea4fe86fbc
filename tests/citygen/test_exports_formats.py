"""The table of formats, and what all writers have in common."""

import hashlib
import subprocess
import sys

import pytest

from vasgen.citygen.exporters import FORMATS, check_formats, export
from vasgen.errors import InputError, StorageError

CODE = """
import hashlib, sys
from pathlib import Path
from vasgen.citygen import CityConfig, generate
from vasgen.citygen.exporters import FORMATS, export
paths = export(generate(CityConfig("mix", 2, 100.0)), sys.argv[1], FORMATS)
for path in sorted(Path(sys.argv[1]).iterdir()):
    print(path.name, hashlib.sha256(path.read_bytes()).hexdigest())
"""


def test_every_format_is_written_under_its_name(make_city, tmp_path):
    paths = export(make_city("mix", 2, 137.5), tmp_path / "new", FORMATS)
    names = [path.name for path in paths]
    assert names == [
        "city.glb",
        "city.obj",
        "city.usdc",
        "city.city.json",
        "city.geojson",
        "placements.ply",
        "placements.csv",
        "plan.png",
        "plan.svg",
    ]
    written = {path.name for path in (tmp_path / "new").iterdir()}
    assert written == {*names, "city.mtl"}


def test_another_process_writes_the_same_bytes(tmp_path):
    found = []
    for number in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", CODE, str(tmp_path / number)],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONHASHSEED": number, "PATH": ""},
        )
        found.append(done.stdout)
    assert found[0] == found[1]
    assert len(found[0].splitlines()) == len(FORMATS) + 1


def test_the_level_of_detail_reaches_the_formats_that_know_any(make_city, tmp_path):
    city = make_city("mix", 2, 137.5)
    for name, writer in FORMATS.items():
        sizes = {
            hashlib.sha256(
                export(city, tmp_path / str(lod), [name], lod=lod)[0].read_bytes()
            ).digest()
            for lod in (1, 2, 3)
        }
        assert len(sizes) == (3 if writer.levels else 1), name


def test_an_unknown_format_is_refused_before_anything_is_written(make_city, tmp_path):
    with pytest.raises(InputError, match=r"format is 'gltf'; allowed: glb, .*Did you mean 'glb'"):
        export(make_city("mix", 2, 137.5), tmp_path, ["obj", "gltf"])
    assert not list(tmp_path.iterdir())


def test_a_format_named_twice_is_written_once():
    assert check_formats(["obj", "glb", "obj"]) == ("obj", "glb")


@pytest.mark.parametrize("name", FORMATS)
def test_a_refusal_of_the_disk_is_one_line_and_leaves_nothing(make_city, tmp_path, name):
    folder = tmp_path / "file"
    folder.write_text("in the way")
    with pytest.raises(StorageError, match="cannot write"):
        export(make_city("mix", 2, 137.5), folder, [name])
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
