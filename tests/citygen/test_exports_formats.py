"""The table of formats, and what all writers have in common."""

import hashlib
import json
import subprocess
import sys

import pytest

from vasgen.citygen import CityConfig, generate
from vasgen.citygen.exporters import FORMATS, check_formats, export
from vasgen.citygen.exporters.cityjson import write_cityjson
from vasgen.citygen.exporters.glb import write_glb
from vasgen.citygen.exporters.obj import write_obj
from vasgen.citygen.exporters.usd import write_usd
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


WRITERS = (
    (write_glb, ".glb"),
    (write_obj, ".obj"),
    (write_usd, ".usdc"),
    (write_cityjson, ".city.json"),
)


@pytest.fixture(scope="module")
def parkland():
    """A strip too narrow for a building."""
    strip = ((-26.0, -60.0), (26.0, -60.0), (26.0, 60.0), (-26.0, 60.0))
    city = generate(CityConfig("mix", 59, boundary=strip, pattern="grid"))
    assert not city.buildings
    return city


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


@pytest.mark.parametrize("lod", [0, -1, 9, True, 2.0, "2"])
def test_an_unknown_level_is_refused_before_anything_is_written(make_city, tmp_path, lod):
    city = make_city("mix", 2, 137.5)
    with pytest.raises(InputError, match=r"lod is .*; allowed: 1, 2 or 3"):
        export(city, tmp_path, FORMATS, lod=lod)
    for writer in FORMATS.values():
        with pytest.raises(InputError, match=r"lod is .*; allowed: 1, 2 or 3"):
            writer(city, tmp_path / f"city{writer.suffix}", lod=lod)
    for write, suffix in WRITERS:
        with pytest.raises(InputError, match=r"lod is .*; allowed: 1, 2 or 3"):
            write(city, tmp_path / f"city{suffix}", lod=lod)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("lod", [1, 2, 3])
def test_a_city_without_buildings_is_written_in_every_format(parkland, tmp_path, lod):
    paths = export(parkland, tmp_path, FORMATS, lod=lod)
    assert all(path.stat().st_size for path in paths)
    model = json.loads((tmp_path / "city.city.json").read_text())
    types = {found["type"] for found in model["CityObjects"].values()}
    assert "Road" in types
    assert not {"Building", "BuildingInstallation"} & types


def test_a_format_named_twice_is_written_once():
    assert check_formats(["obj", "glb", "obj"]) == ("obj", "glb")


@pytest.mark.parametrize("name", FORMATS)
def test_a_refusal_of_the_disk_is_one_line_and_leaves_nothing(make_city, tmp_path, name):
    folder = tmp_path / "file"
    folder.write_text("in the way")
    with pytest.raises(StorageError, match="cannot write"):
        export(make_city("mix", 2, 137.5), folder, [name])
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
