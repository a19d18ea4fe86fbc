"""``vasgen place`` writes transmitters and their map; ``vasgen trace`` and a build use them."""

import json

import pytest
from PIL import Image
from typer.testing import CliRunner

from tests.cli.test_cli_commands import run
from vasgen.artefact import sha256_of
from vasgen.cli import app
from vasgen.datasets import read_views
from vasgen.errors import InputError
from vasgen.orchestrate import place_transmitters, read_transmitters
from vasgen.orchestrate.layout import TRANSMITTERS, input_hashes
from vasgen.scenes import open_scene
from vasgen.spec import TransmittersSpec, parse_spec, read_spec

STREET = "sionna:simple_street_canyon"


@pytest.mark.parametrize("name", ["mine.json", "mine.csv"])
def test_place_writes_a_file_and_a_map(tmp_path, name):
    out = tmp_path / name
    output = run("place", STREET, "--count", 5, "--height-m", 2.5, "--seed", 3, "--out", out)
    placed = read_transmitters(out, TransmittersSpec())
    assert [t.name for t in placed] == [f"tx-{i}" for i in range(5)]
    assert {t.position[2] for t in placed} == {2.47}  # the street lies 3 cm below zero
    assert "canyon" in output
    assert {path.name for path in tmp_path.iterdir()} == {name, "mine.png"}
    with Image.open(tmp_path / "mine.png") as picture:
        assert picture.width == 1600
    first = out.read_bytes()
    run("place", STREET, "--count", 5, "--height-m", 2.5, "--seed", 3, "--out", out)
    assert out.read_bytes() == first


def test_trace_takes_a_file(dataset_views):
    file = dataset_views.parent / "t.csv"
    file.write_text("name,x,y,z,antenna\neast,3,-20,15,4x4\nwest,-3,-20,15,\n")
    run("trace", "sionna:box", dataset_views, "--transmitters-file", file, "--rays", 4000)
    first, second = read_views(dataset_views)[0].transmitters
    assert (first.name, first.position, first.antenna.rows) == ("east", (3.0, -20.0, 15.0), 4)
    assert (second.name, second.antenna.rows) == ("west", 1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("place", STREET, "--placement", "roof"), "--placement is 'roof'; allowed: ground, roof"),
        (("place", STREET, "--placement", "lamp-post"), "has no lamp posts to place transmitters"),
        (("place", STREET, "--out", "t.txt"), "suffix of a transmitter file is '.txt'; allowed"),
        (("place", STREET, "--height-m", "-1"), "--height-m is -1; allowed: more than 0, at m"),
        (("trace", STREET, "{views}", "--transmitters", "1", "--transmitters-file", "t.csv"),
         "give only one of --transmitter X,Y,Z, --transmitters N and --transmitters-file F"),
        (("trace", STREET, "{views}", "--transmitters-file", "t.csv"),
         "cannot read transmitters t.csv: No such file"),
    ],
)  # fmt: skip
def test_bad_input_is_one_line(monkeypatch, tmp_path, dataset_views, arguments, message):
    before = set(tmp_path.rglob("*"))
    monkeypatch.chdir(tmp_path)
    given = [a.replace("{views}", str(dataset_views)) for a in arguments]
    result = CliRunner().invoke(app, given)
    assert result.exit_code == 2
    assert message in result.stderr
    assert set(tmp_path.rglob("*")) == before


def test_a_build_uses_a_file_and_draws_the_map(tmp_path):
    (tmp_path / "t.csv").write_text("name,x,y,z\nlamp,0,0,9\n")
    (tmp_path / "spec.yaml").write_text(
        "views: {count: 1, width: 32, height: 24}\n"
        "transmitters: {file: t.csv}\n"
        "radio: {rays: 2000, chunks: 2, max_depth: 1, diffraction: false}\n"
        "render: {samples_per_pixel: 1}\n"
    )
    out = tmp_path / "out"
    run("build", tmp_path / "spec.yaml", "--scene", STREET, "--out", out)
    manifest = json.loads((out / "dataset.json").read_text())
    assert [t["name"] for t in manifest["transmitters"]] == ["lamp"]
    with Image.open(out / "transmitters.png") as picture:
        assert picture.width == 1600
    (out / "transmitters.png").unlink()
    assert "is right" in run("verify", out)
    (tmp_path / "t.csv").write_text("name,x,y,z\nlamp,0,0,8\n")
    result = CliRunner().invoke(
        app, ["build", str(tmp_path / "spec.yaml"), "--scene", STREET, "--out", str(out)]
    )
    assert result.exit_code == 2
    assert "transmitters.file held other content there" in result.stderr


def test_what_counts_of_a_file_is_its_content(tmp_path):
    file = tmp_path / "t.json"
    file.write_text("[]")
    spec = parse_spec({"transmitters": {"file": str(file)}})
    assert input_hashes(spec) == {TRANSMITTERS: sha256_of(file)}


def test_place_replaces_transmitters_and_nothing_else(tmp_path):
    photo, notes = tmp_path / "holiday.png", tmp_path / "notes.json"
    photo.write_bytes(b"photo")
    notes.write_text('{"my": "notes"}')
    for out, line in (("holiday.json", "holiday.png exists"), ("notes.json", "notes.json")):
        result = CliRunner().invoke(app, ["place", STREET, "--out", str(tmp_path / out)])
        assert result.exit_code == 2
        assert line in result.stderr.splitlines()[-1]
    assert photo.read_bytes() == b"photo"
    assert notes.read_text() == '{"my": "notes"}'


def test_a_spec_says_what_options_do_not(tmp_path):
    spec, out = tmp_path / "spec.yaml", tmp_path / "t.json"
    spec.write_text("seed: 5\ntransmitters: {count: 3, placement: rooftop, power_dbm: 17}\n")
    options = ["--spec", str(spec), "--count", "2", "--out", str(out)]
    result = CliRunner().invoke(app, ["place", STREET, *options])
    assert result.exit_code == 0, (result.output, result.exception)
    wanted = read_spec(spec).transmitters
    placed = read_transmitters(out, wanted)
    two = wanted.model_copy(update={"count": 2})
    assert placed == place_transmitters(open_scene(STREET), two, seed=5)
    assert [t.power_dbm for t in placed] == [17, 17]
    spec.write_text("transmitters: {positions: [[1, 2, 3]]}\n")
    refused = CliRunner().invoke(app, ["place", STREET, "--spec", str(spec)])
    assert refused.exit_code == 2
    assert f"{spec} says where its transmitters stand: there is nothing to place" in refused.stderr


def test_a_map_of_a_scene_takes_the_radio_of_a_spec(tmp_path, monkeypatch, dataset_views):
    asked = []

    def stop(bundle, radio, *args, **options):
        asked.append(radio)
        raise InputError("enough")

    monkeypatch.setattr("vasgen.orchestrate.topdown.make_topdown", stop)
    spec = tmp_path / "spec.yaml"
    spec.write_text("radio: {frequency_hz: 28.0e+9, max_depth: 3, rays: 5000}\n")
    options = ["--size", "4", "--spec", str(spec), "--rays", "2000", "--out", str(tmp_path / "o")]
    assert CliRunner().invoke(app, ["topdown", STREET, *options]).exit_code == 2
    assert asked == [read_spec(spec).radio.model_copy(update={"rays": 2000})]


@pytest.mark.parametrize(
    ("written", "options", "seed"),
    [("seed: 5", [], 5), ("seed: 5", ["--seed", "0"], 0), ("name: mine", [], 0), (None, [], 0)],
)
def test_the_seed_of_a_spec_counts_where_none_is_given(
    tmp_path, monkeypatch, dataset_views, written, options, seed
):
    seeds = []

    def stop(*args, seed, **options):
        seeds.append(seed)
        raise InputError("enough")

    def place(bundle, spec, cameras=(), seed=None, **options):
        seeds.append(seed)
        return place_transmitters(bundle, spec, cameras, seed, **options)

    monkeypatch.setattr("vasgen.orchestrate.topdown.make_topdown", stop)
    monkeypatch.setattr("vasgen.orchestrate.topdown.place_transmitters", place)
    monkeypatch.setattr("vasgen.orchestrate.trace_views", stop)
    monkeypatch.setattr("vasgen.orchestrate.place_transmitters", place)
    monkeypatch.setattr("vasgen.orchestrate.write_transmitters", lambda *args: stop(seed=seeds[-1]))
    if written is not None:
        (tmp_path / "spec.yaml").write_text(written + "\n")
        options = [*options, "--spec", str(tmp_path / "spec.yaml")]
    out = str(tmp_path / "out.json")
    for command in (
        ["trace", STREET, str(dataset_views)],
        ["topdown", STREET, "--size", "128", "--out", out],
        ["place", STREET, "--out", out],
    ):
        result = CliRunner().invoke(app, [*command, *options])
        assert result.stderr.splitlines()[-1] == "vasgen: enough", result.output
        assert seeds == [seed, seed], command
        seeds.clear()
