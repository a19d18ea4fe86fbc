"""Top-down maps as files: whole, documented, checksummed, and never over something else."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from tests.support import box, bundle, ground, street_canyon
from vasgen.artefact import sha256_of
from vasgen.bundle import SceneBundle
from vasgen.cli import app
from vasgen.errors import InputError
from vasgen.orchestrate.topdown import TOPDOWN_LAYERS, make_topdown, transmitters_above
from vasgen.spec import RadioSpec
from vasgen.transmitter import Transmitter
from vasgen.vas import Grid

DOCS = Path(__file__).parents[2] / "docs"
GRID = Grid((1.0, 2.0), size=24, cell_m=2.0)
SPEC = RadioSpec(rays=20_000, max_depth=2)
TRANSMITTERS = (
    Transmitter("north gate", (0.0, 5.0, 2.0)),
    Transmitter("north_gate", (-50.0, 0.0, 9.0), power_dbm=20.0),
)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("topdown") / "maps"
    scene = street_canyon()
    return folder, scene, make_topdown(scene, SPEC, TRANSMITTERS, GRID, folder, seed=5)


def layers_of(folder):
    with np.load(folder / "maps.npz") as file:
        return dict(file)


def test_the_file_holds_the_layers_that_are_documented(made):
    folder, _, found = made
    layers = layers_of(folder)
    assert list(layers) == list(TOPDOWN_LAYERS)
    sizes = {"transmitter": 2, "row": 24, "column": 24}
    for name, spec in TOPDOWN_LAYERS.items():
        assert layers[name].dtype == spec.dtype, name
        assert layers[name].shape == tuple(sizes[axis] for axis in spec.axes.split()), name
    np.testing.assert_array_equal(layers["path_gain_db"], found.radio.path_gain_db)
    np.testing.assert_array_equal(layers["building_mask"], found.building_mask)
    page = (DOCS / "topdown.md").read_text()
    assert re.findall(r"^\| `(\w+)` \|", page, re.M) == list(TOPDOWN_LAYERS)


def test_places_in_the_file_are_those_of_the_world(made):
    layers = layers_of(made[0])
    assert layers["x_m"][[0, -1]] == pytest.approx([-22, 24])
    assert layers["y_m"][[0, -1]] == pytest.approx([25, -21])
    ((row, column),) = np.argwhere(layers["transmitter_mask"][0])
    assert abs(layers["x_m"][column] - 0.0) <= 1
    assert abs(layers["y_m"][row] - 5.0) <= 1
    assert not layers["transmitter_mask"][1].any()
    rss = layers["path_gain_db"] + np.array([30.0, 20.0])[:, None, None]
    np.testing.assert_allclose(layers["rss_dbm"], rss, atol=1e-3)


def test_the_record_says_what_was_made_and_from_what(made):
    folder, scene, _ = made
    record = json.loads((folder / "topdown.json").read_text())
    assert record["scene"]["content_hash"] == scene.content_hash
    assert record["seed"] == 5
    assert record["grid"] == {"centre": [1.0, 2.0], "size": 24, "cell_m": 2.0, "height_m": 1.5}
    assert record["radio"] == SPEC.model_dump(mode="json")
    assert [Transmitter.from_dict(t) for t in record["transmitters"]] == list(TRANSMITTERS)
    assert {"vasgen", "sionna-rt", "mitsuba"} <= set(record["versions"])
    there = {path.name for path in folder.iterdir()} - {"topdown.json"}
    assert there == set(record["files"]) == {"maps.npz", "north_gate-0.png", "north_gate-1.png"}
    for name, digest in record["files"].items():
        assert sha256_of(folder / name) == digest


def test_the_picture_shows_the_map_between_the_buildings(made):
    with Image.open(made[0] / "north_gate-0.png") as picture:
        pixels = np.asarray(picture.convert("RGB"), float)
    colourful = np.ptp(pixels, axis=2) > 100
    assert 0.2 < colourful.mean() < 0.8


def test_older_maps_are_replaced_and_other_things_stay(made, tmp_path):
    _, scene, _ = made
    old = tmp_path / "maps"
    old.mkdir()
    for name in ("topdown.json", "tx-9.png"):
        (old / name).write_text("old")
    make_topdown(scene, SPEC, [Transmitter("tx", (0.0, 5.0, 2.0))], GRID, old)
    assert {path.name for path in old.iterdir()} == {"maps.npz", "topdown.json", "tx.png"}
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="something other than top-down maps"):
        make_topdown(scene, SPEC, TRANSMITTERS, GRID, tmp_path)
    assert (tmp_path / "mine.txt").read_text() == "mine"


def test_transmitters_stand_above_the_grid(made):
    scene = made[1]
    small = Grid((0.0, 2.0), size=16, cell_m=3.0)
    placed = transmitters_above(scene, small, 3, seed=1)
    assert [t.name for t in placed] == ["tx-0", "tx-1", "tx-2"]
    assert all(small.cell_of(t.position) for t in placed)
    full = bundle(ground(6.0), box("house", (11.5, 11.5, 9.0), (0, 0, 4.5)))
    with pytest.raises(InputError, match="too few places on the grid for 2 transmitters"):
        transmitters_above(full, Grid(size=12), 2)


def test_a_small_grid_in_a_large_scene_gets_its_transmitters():
    scene = bundle(ground(800.0), box("house", (20, 20, 9), (300, -150, 4.5)))
    grid = Grid((314.0, -150.0), size=16)
    placed = transmitters_above(scene, grid, 3)
    assert all(grid.cell_of(t.position) for t in placed)
    assert min(t.position[0] for t in placed) > 310, "the house ends there"
    assert len({t.position for t in placed}) == 3


# The command


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def scene_folder(made, tmp_path_factory):
    return made[1].save(tmp_path_factory.mktemp("scene") / "scene")


def test_the_command_maps_a_scene(scene_folder, tmp_path):
    out = tmp_path / "maps"
    options = ("--centre", "1,2", "--size", 16, "--cell-m", 3, "--height-m", 2, "--seed", 3)
    result = run(
        "topdown", scene_folder, "--out", out, *options, "--rays", 5000, "--transmitters", 1
    )
    assert result.exit_code == 0, (result.output, result.exception)
    assert "1 of 1 on the map" in result.output
    record = json.loads((out / "topdown.json").read_text())
    assert record["grid"] == {"centre": [1.0, 2.0], "size": 16, "cell_m": 3.0, "height_m": 2.0}
    assert record["radio"]["rays"] == 5000
    assert record["radio"]["frequency_hz"] == 3.5e9


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (("--size", 0), "--size is 0; allowed: 1 to 2048."),
        (("--cell-m", -1), "--cell-m is -1; allowed: 0.01 to 1000."),
        (("--height-m", 0), "--height-m is 0; allowed: 0.01 to 10000."),
        (("--size", 500), "the grid covers x -250 to 250, y -250 to 250 m"),
        (("--centre", "5"), "--centre is '5'; expected two numbers X,Y in metres."),
        (("--centre", "1,nan"), "--centre is '1,nan'; expected two numbers X,Y in metres."),
        (("--rays", 5), "--rays is 5; allowed: 1000 to 1000000000000."),
    ],
)
def test_bad_options_are_one_line_and_leave_nothing(scene_folder, tmp_path, options, line):
    out = tmp_path / "maps"
    result = run("topdown", scene_folder, "--out", out, "--size", 32, *options)
    assert result.exit_code == 2
    assert line in result.output
    assert not out.exists()


def test_a_dataset_brings_its_transmitters_and_propagation(scene_folder, tmp_path):
    from vasgen.orchestrate import build
    from vasgen.spec import parse_spec

    spec = parse_spec(
        {
            "seed": 6,
            "scene": {"source": str(scene_folder)},
            "views": {"count": 1, "width": 16, "height": 12},
            "transmitters": {"count": 2},
            "radio": {"frequency_hz": 5.2e9, "rays": 2000, "max_depth": 1},
            "render": {"samples_per_pixel": 1},
        }
    )
    dataset, out = tmp_path / "dataset", tmp_path / "maps"
    build(spec, dataset)
    options = ("--out", out, "--size", 32, "--cell-m", 3, "--rays", 3000)
    assert "give no --transmitters" in run("topdown", dataset, *options, "--transmitters", 1).output
    result = run("topdown", dataset, *options)
    assert result.exit_code == 0, (result.output, result.exception)
    record = json.loads((out / "topdown.json").read_text())
    manifest = json.loads((dataset / "dataset.json").read_text())
    assert record["transmitters"] == manifest["transmitters"]
    assert record["seed"] == 6
    assert record["radio"] == manifest["spec"]["radio"] | {"rays": 3000}
    scene = SceneBundle.load(dataset / "scene")
    assert record["scene"]["content_hash"] == scene.content_hash
