"""``vasgen relabel``: new labels from stored paths, and one line for what cannot be had."""

import pytest
from PIL import Image
from typer.testing import CliRunner

import vasgen.datasets
from vasgen.cli import app
from vasgen.orchestrate import build
from vasgen.spec import parse_spec


def run(*arguments):
    return CliRunner().invoke(app, ["relabel", *(str(argument) for argument in arguments)])


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cli")
    spec = {
        "name": "room",
        "scene": {"source": "sionna:box"},
        "views": {"count": 1, "width": 24, "height": 18, "altitude_m": [3, 8]},
        "transmitters": {"positions": [[0, -15, 4]]},
        "radio": {
            "solver": "closed-form",
            "store_paths": True,
            "reflections": 1,
            "diffraction": False,
            "search_rays": 5000,
            "rays": 2000,
            "chunks": 2,
            "max_depth": 1,
        },
        "render": {"samples_per_pixel": 1},
    }
    build(parse_spec(spec), folder / "room")
    return folder / "room"


def test_options_change_what_they_say(dataset, tmp_path):
    out, file = tmp_path / "out", tmp_path / "changes.yaml"
    file.write_text("radio: {bandwidth_hz: 2.0e+7, noise_figure_db: 3}\n")
    result = run(
        *(dataset, "--out", out, "--changes", file, "--frequency-ghz", 28, "--antenna", "4x4"),
        *("--orientation", "30,10,0", "--power-dbm", 20, "--noise-figure-db", 7),
    )
    assert result.exit_code == 0, result.output
    (sample,) = vasgen.datasets.open(out)
    spec = vasgen.datasets.open(out).manifest.spec["radio"]
    assert (spec["frequency_hz"], spec["bandwidth_hz"], spec["noise_figure_db"]) == (28e9, 2e7, 7)
    (transmitter,) = sample.transmitters
    assert (transmitter.power_dbm, transmitter.orientation_deg) == (20.0, (30.0, 10.0, 0.0))
    assert transmitter.antenna.num_ports == 16
    assert f"Relabelled {out}" in result.stdout
    assert "a view" in result.stdout
    assert f"vasgen verify {out}" in result.stdout
    assert "note: relabelled from room" in result.stderr
    with Image.open(out / "relabel.png") as picture:
        assert picture.width == 2000
    again = run(dataset, "--out", out, "--changes", file, "--frequency-ghz", 28)
    assert again.exit_code == 2
    assert "holds something else than this relabelling" in again.stderr


def test_a_material_is_named_with_its_type(dataset, tmp_path):
    name = vasgen.datasets.open(dataset).manifest.radio_materials[0]
    result = run(dataset, "--out", tmp_path / "out", "--material", f"{name}=glass")
    assert result.exit_code == 0, result.output
    told = vasgen.datasets.open(tmp_path / "out").manifest.relabelled
    assert told["changes"][f"materials.{name}"][1]["itu_type"] == "glass"
    again = run(dataset, "--out", tmp_path / "out", "--material", f"{name}=glass")
    assert "is complete: nothing to do" in again.stdout


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (["--frequency-ghz", "300"], "--frequency-ghz is 300; allowed: 0.7 to 100."),
        (["--antenna", "9x9"], "transmitters.antennas.0 is '9x9'; allowed: siso, 4x4, 8x4."),
        (["--orientation", "30"], "--orientation is '30'; expected three numbers YAW,PITCH,ROLL"),
        (
            ["--material", "brick"],
            "--material is 'brick'; expected NAME=ITU_TYPE, e.g.",
        ),
        (["--material", "brik=metal"], "radio material is 'brik'; allowed: "),
        (["--changes", "nowhere.yaml"], "cannot read spec nowhere.yaml: No such file"),
        ([], "nothing would change: these are the settings of the dataset. Without tracing can"),
    ],
)
def test_what_is_wrong_is_one_line(dataset, tmp_path, options, line):
    result = run(dataset, "--out", tmp_path / "out", *options)
    assert result.exit_code == 2
    last = result.stderr.splitlines()[-1]
    assert last.removeprefix("vasgen: ").removeprefix("changes: ").startswith(line)
    assert not (tmp_path / "out").exists()


def test_what_is_no_dataset_is_one_line(tmp_path):
    result = run(tmp_path, "--out", tmp_path / "out", "--power-dbm", "3")
    assert result.exit_code == 2
    assert result.stderr == f"vasgen: {tmp_path} is no dataset: it has no dataset.json.\n"
