"""Each command does its work, says what it made, and what to run next."""

import importlib.metadata
import json
import re
import subprocess
import sys

import pytest
from PIL import Image
from typer.testing import CliRunner

from vasgen.bundle import SceneBundle
from vasgen.cli import app
from vasgen.commands import pictures
from vasgen.datasets import read_views
from vasgen.errors import InputError
from vasgen.orchestrate import read_poses
from vasgen.render_spec import RenderSpec
from vasgen.semantics import SemanticClass

COMMANDS = [
    "city",
    "plan",
    "fly",
    "place",
    "render",
    "video",
    "trace",
    "topdown",
    "build",
    "relabel",
    "verify",
    "show",
    "doctor",
]


def run(*arguments):
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == 0, (result.output, result.exception)
    return result.output


def classes_of(folder):
    return set(SceneBundle.load(folder).face_table.semantic.tolist())


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cli") / "city"
    run("city", "--density", "margin", "--seed", 3, "--size-m", 120, "--out", folder)
    return folder


@pytest.fixture(scope="module")
def traced(scene, tmp_path_factory):
    folder = tmp_path_factory.mktemp("cli")
    poses, views = folder / "poses.json", folder / "views"
    run("plan", scene, "--count", 2, "--out", poses)
    size = ("--width", 64, "--height", 48)
    run("render", scene, "--poses", poses, *size, "--no-rgb", "--out", views)
    run("trace", scene, views, "--transmitters", 1, "--rays", 4000, "--frequency-ghz", 2.1)
    return folder


def test_help_is_instant_because_it_imports_nothing():
    code = (
        "import sys; sys.argv = ['vasgen', '--help']\n"
        "from vasgen.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'numpy', 'pydantic', 'mitsuba', 'drjit', 'sionna', 'matplotlib', 'shapely'}\n"
        "print(sorted(heavy & sys.modules.keys()))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout.splitlines()[-1] == "[]"
    assert all(command in result.stdout for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_an_example(command):
    text = re.sub(r"\s+", " ", run(command, "--help"))
    assert re.search(rf"Examples?: vasgen {command}", text)


def test_version():
    assert run("--version") == f"vasgen {importlib.metadata.version('vasgen')}\n"


def test_the_help_says_what_is_left_to_the_command():
    text = re.sub(r"[\s│]+", " ", run("city", "--help"))
    assert all(f"[default: ({value})]" in text for value in ("downtown", "500", "2", "field"))


@pytest.mark.parametrize("command", ["render", "video"])
def test_the_help_lists_the_options_of_pictures(command):
    text = re.sub(r"[\s│]+", " ", run(command, "--help"))
    flags = [option.__metadata__[0].default for option in pictures._OPTIONS.values()]
    assert {*pictures._OPTIONS} == {*RenderSpec.model_fields, "unreal"} - {"fog_share"}
    assert all(f" {flag} " in text for flag in flags)
    assert all(word in text for word in ("negative at night", "Light paths a pixel", "HOST:PORT"))


def test_city_makes_a_scene_folder(scene):
    files = {path.name for path in scene.iterdir()}
    assert files == {
        "scene.xml",
        "labels.json",
        "labels.npz",
        "meshes",
        "city.glb",
        "plan.png",
        "preview.png",
        "morphology.json",
        "morphology.png",
    }
    assert SceneBundle.load(scene).num_triangles > 100
    assert 0 < json.loads((scene / "morphology.json").read_text())["built_up_ratio"] < 1
    assert not [path for path in scene.parent.iterdir() if path.name.startswith(".")]


def test_city_writes_the_formats_one_asks_for(tmp_path):
    folder = tmp_path / "city"
    run("city", "--size-m", 120, "--no-preview", "--format", "geojson,usd", "--out", folder)
    files = {path.name for path in folder.iterdir()}
    assert {"city.geojson", "city.usdc", "scene.xml"} < files
    assert not files & {"city.glb", "plan.png", "preview.png"}


def test_city_says_what_it_made_and_a_log_what_it_does(tmp_path):
    folder = tmp_path / "city"
    result = CliRunner().invoke(
        app,
        ["city", "--density", "mix,margin", "--size-m", "120", "--no-preview"]
        + ["--without", "trees,furniture", "--without", "vehicles", "--out", str(folder)],
    )
    assert result.exit_code == 0
    assert result.stderr.splitlines() == [
        "Generating the city",
        "Writing the scene",
        "Exporting glb, png",
    ]
    assert "mix, margin, 0.0144 km², seed 0, LoD 2" in result.stdout
    assert str(folder / "morphology.png") in result.stdout
    assert not {SemanticClass.VEGETATION, SemanticClass.VEHICLE} & classes_of(folder)


def test_a_city_has_trees_and_cars_unless_left_out(scene):
    assert {SemanticClass.VEGETATION, SemanticClass.VEHICLE} < classes_of(scene)


def test_city_replaces_a_city_but_nothing_else(scene, tmp_path):
    command = ["city", "--size-m", "120", "--no-preview", "--format", "csv", "--out"]
    plain = tmp_path / "plain"
    SceneBundle.load(scene).save(plain)
    (plain / ".DS_Store").write_text("")
    run(*command, plain)  # a saved bundle
    run(*command[:-3], "--out", plain)  # an earlier city of other formats
    assert not (plain / "placements.csv").exists()
    (plain / "notes.txt").write_text("mine")
    for folder, name in ((plain, "notes.txt"), (tmp_path, "plain")):
        before = sorted(folder.iterdir())
        result = CliRunner().invoke(app, [*command, str(folder)])
        assert result.exit_code == 2
        assert result.stderr == (
            f"vasgen: {folder} holds something other than a city: {name}; choose another --out.\n"
        )
        assert sorted(folder.iterdir()) == before


@pytest.mark.parametrize("name", ["meshes", "plan.png", ".git"])
def test_a_folder_that_only_looks_like_a_city_is_kept(tmp_path, name):
    (tmp_path / name).mkdir()
    result = CliRunner().invoke(app, ["city", "--out", str(tmp_path)])
    assert f"holds something other than a city: {name};" in result.stderr
    assert (tmp_path / name).is_dir()


def test_a_file_is_no_place_for_a_city(tmp_path):
    (tmp_path / "a").write_text("mine")
    result = CliRunner().invoke(app, ["city", "--out", str(tmp_path / "a")])
    assert result.stderr == f"vasgen: {tmp_path / 'a'} is a file; choose another --out.\n"


def test_plan_render_trace(traced):
    assert len(read_poses(traced / "poses.json")) == 2
    views = read_views(traced / "views")
    assert [(v.camera.width, v.camera.height) for v in views] == [(64, 48)] * 2
    assert views[0].image.rgb is None
    assert views[0].radio.path_gain_db.shape == (1, 48, 64)
    assert views.record(0).radio_spec["frequency_hz"] == 2.1e9


def test_verify_and_show(traced):
    output = run("verify", traced / "views")
    assert "is right" in output
    assert "next" in output
    run("show", traced / "views", "--view", 1, "--out", traced / "sheet.png")
    with Image.open(traced / "sheet.png") as sheet:
        assert sheet.width == 2400


def test_trace_takes_positions(scene, traced):
    output = run("trace", scene, traced / "views", "--transmitter", "0,0,60", "--rays", 4000)
    assert "(0, 0, 60)" in output
    assert read_views(traced / "views")[1].transmitters[0].position == (0.0, 0.0, 60.0)


def test_trace_takes_a_spec_and_options_over_it(scene, traced, tmp_path):
    spec = tmp_path / "spec.yaml"
    spec.write_text(
        "transmitters: {positions: [[0, 0, 50]], power_dbm: 20, antennas: [4x4]}\n"
        "radio: {rays: 4000, max_depth: 1, noise_figure_db: 7, target_db: 50}\n"
    )
    views = traced / "views"
    output = run("trace", scene, views, "--spec", spec, "--transmitter", "0,0,70")
    assert "50 dB met in" in output
    record = read_views(views).record(0)
    (transmitter,) = record.transmitters
    assert transmitter.position == (0.0, 0.0, 70.0)
    assert (transmitter.power_dbm, transmitter.antenna.rows) == (20.0, 4)
    assert (record.radio_spec["noise_figure_db"], record.radio_spec["max_depth"]) == (7.0, 1)


def test_verify_lists_failures(traced):
    path = traced / "views" / "000001" / "image.npz"
    data = path.read_bytes()
    path.write_bytes(data[:-1] + b"x")
    result = CliRunner().invoke(app, ["verify", str(traced / "views")])
    path.write_bytes(data)
    assert result.exit_code == 2
    step, first, *_, last = result.stderr.splitlines()
    assert step == "Verifying"
    assert first == "vasgen: view 000001: image.npz: was changed: another SHA-256"
    assert re.search(r"views: \d checks? failed\.$", last)


def test_build_with_another_scene_and_seed(tmp_path):
    spec = tmp_path / "spec.yaml"
    spec.write_text(
        "name: canyon\n"
        "views: {count: 1, width: 48, height: 36}\n"
        "transmitters: {count: 1}\n"
        "radio: {rays: 4000, chunks: 2, max_depth: 1}\n"
        "render: {samples_per_pixel: 1}\n"
    )
    out = tmp_path / "out"
    options = ("--scene", "sionna:simple_street_canyon", "--seed", 5, "--out", out)
    output = run("build", spec, *options)
    assert "1, 48 x 36 pixels" in output
    assert f"vasgen show {out}" in output.replace("\n", "")
    manifest = json.loads((out / "dataset.json").read_text())
    assert manifest["seed"] == 5
    assert manifest["spec"]["scene"]["source"] == "sionna:simple_street_canyon"
    assert "complete: nothing to do" in run("build", spec, *options)
    assert "is right" in run("verify", out)


@pytest.mark.parametrize(
    ("scene", "name"),
    [
        ("sionna:munich", "quickstart-munich"),
        ("my scenes/Old Town.xml", "quickstart-Old-Town"),
        ("out/city-mix-3", "quickstart-city-mix-3"),
    ],
)
def test_a_scene_alone_is_built_like_the_quickstart(monkeypatch, tmp_path, scene, name):
    import vasgen.orchestrate

    asked = []

    def remember(spec, folder, **options):
        asked.append((spec, folder))
        raise InputError("far enough")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(vasgen.orchestrate, "build", remember)
    assert CliRunner().invoke(app, ["build", "--scene", scene]).exit_code == 2
    ((spec, folder),) = asked
    assert (spec.name, str(folder)) == (name, f"out/{name}")
    assert spec.scene.source == scene
    assert spec.views.count == 6


@pytest.mark.parametrize(
    ("sizes", "text"),
    [({(16, 12)}, "16 x 12 pixels"), ({(16, 12), (24, 12)}, "mixed sizes")],
)
def test_the_summary_says_the_size_of_the_views_that_were_made(monkeypatch, tmp_path, sizes, text):
    import vasgen.orchestrate

    def done(spec, folder, **options):
        return vasgen.orchestrate.Summary(
            folder,
            "box",
            views=2,
            made=2,
            sizes=sizes,
            transmitters=1,
            seconds=1.0,
            content_hash="",
        )

    monkeypatch.setattr(vasgen.orchestrate, "build", done)
    output = run("build", "--preset", "quickstart", "--out", tmp_path / "out")
    assert f"2, {text}" in output
