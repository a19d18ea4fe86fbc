"""What the user gets wrong becomes one line on stderr, after the steps, and exit status 2."""

import os
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from vasgen.cli import app


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def error_of(result):
    """The error, which is one line and the last."""
    *steps, last = result.stderr.splitlines()
    assert not [step for step in steps if step.startswith("vasgen:")]
    return last


ERRORS = [
    (
        ["city", "--density", "downtow"],
        "vasgen: density is 'downtow'; allowed: downtown, mix, margin. Did you mean 'downtown'?",
    ),
    (
        ["city", "--size-m", "-5"],
        "vasgen: --size-m is -5; allowed: 100 to 5000.",
    ),
    (
        ["city", "--format", "glb,ojb"],
        "vasgen: format is 'ojb'; allowed: glb, obj, usd, cityjson, geojson, points, csv, png, "
        "svg. Did you mean 'obj'?",
    ),
    (
        ["city", "--without", "trees,car"],
        "vasgen: --without is 'car'; allowed: trees, furniture, vehicles.",
    ),
    (
        ["city", "--without", "tree"],
        "vasgen: --without is 'tree'; allowed: trees, furniture, vehicles. Did you mean 'trees'?",
    ),
    (
        ["plan", "nowhere"],
        "vasgen: scene 'nowhere' does not exist; give a scene folder, an .xml scene file, or "
        "sionna:NAME, e.g. sionna:munich.",
    ),
    (
        ["render", "sionna:box", "--out", "v"],
        "vasgen: give --poses FILE, or both --position X,Y,Z and --target X,Y,Z.",
    ),
    (
        ["render", "sionna:box", "--out", "v", "--hour", "25", "--date", "2026-06-21"]
        + ["--latitude", "48"],
        "vasgen: --hour is 25; allowed: 0 to 24.",
    ),
    (
        ["render", "sionna:box", "--out", "v", "--hour", "5"],
        "vasgen: --hour alone cannot place the sun: give --latitude and --date too.",
    ),
    (
        ["render", "sionna:box", "--out", "v", "--visibility-m", "0"],
        "vasgen: --visibility-m is 0; allowed: 10 to 100000.",
    ),
    (
        ["render", "sionna:box", "--out", "v", "--date", "2026-02-30"],
        "vasgen: --date is '2026-02-30'; allowed: a day of the calendar like 2026-06-21, or "
        "[first, last].",
    ),
    (
        ["render", "sionna:box", "--out", "v", "--backend", "unreal", "--turbidity", "5"],
        "vasgen: --turbidity is 5.0, and Unreal cannot be told: leave it out, or use --backend "
        "mitsuba.",
    ),
    (
        ["render", "sionna:box", "--out", "v", "--position", "1,nan,2", "--target", "0,0,0"],
        "vasgen: --position is '1,nan,2'; expected three numbers X,Y,Z in metres.",
    ),
    (
        ["relabel", "d", "--out", "o", "--orientation", "0,400,0"],
        "vasgen: --orientation is '0,400,0'; allowed: -360 to 360.",
    ),
    (
        ["render", "sionna:box", "--out", "v", "--no-rgb", "--lamps", "on"],
        "vasgen: --no-rgb draws no pictures, and nothing else depends on --lamps: leave that out.",
    ),
    (
        ["render", "sionna:box", "--out", "v", "--position", "1,2", "--target", "0,0,0"],
        "vasgen: --position is '1,2'; expected three numbers X,Y,Z in metres.",
    ),
    (
        ["render", "sionna:box", "--out", "v", "--poses", "p.json", "--fov", "60"],
        "vasgen: --poses holds whole cameras; give no --position, --target or --fov.",
    ),
    (
        ["render", "sionna:box", "--out", "v", "--poses", "p.json", "--fov", "0"],
        "vasgen: --fov is 0; allowed: more than 0, less than 180.",
    ),
    (
        ["render", "sionna:box", "--out", "v", "--poses", "p.json", "--position="],
        "vasgen: --poses holds whole cameras; give no --position, --target or --fov.",
    ),
    (
        ["render", "sionna:box", "--out", "v", "--poses", "p.json"],
        "vasgen: cannot read poses p.json: No such file or directory.",
    ),
    (
        ["trace", "sionna:box", "v"],
        "vasgen: v holds no views. Render some: vasgen render SCENE --out v",
    ),
    (
        ["build"],
        "vasgen: nothing to build: give SPEC.yaml, --preset quickstart, or --scene SCENE.",
    ),
    (
        ["build", "a.yaml", "--preset", "quickstart"],
        "vasgen: give either SPEC.yaml or --preset, not both.",
    ),
    (
        ["build", "--preset", "quikstart"],
        "vasgen: preset is 'quikstart'; allowed: quickstart. Did you mean 'quickstart'?",
    ),
    (["build", "a.yaml"], "vasgen: cannot read spec a.yaml: No such file or directory."),
    (["verify", "none"], "vasgen: there is no dataset none: no such folder."),
    (["show", "none"], "vasgen: there is no dataset none: no such folder."),
]


@pytest.mark.parametrize(("arguments", "line"), ERRORS, ids=lambda value: " ".join(value)[:40])
def test_error_lines(arguments, line, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = run(*arguments)
    assert error_of(result) == line
    assert result.exit_code == 2
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_key_names_the_right_one(tmp_path):
    spec = tmp_path / "spec.yaml"
    spec.write_text("radio: {ray: 5}\n")
    result = run("build", spec, "--out", tmp_path / "out")
    assert result.exit_code == 2
    assert "unknown key 'radio.ray': did you mean 'rays'?" in result.stderr
    assert not (tmp_path / "out").exists()


def test_both_kinds_of_transmitter_are_refused(dataset_views):
    both = run("trace", "sionna:box", dataset_views, "--transmitter", "1,2,3", "--transmitters", 2)
    assert both.stderr == (
        "vasgen: give only one of --transmitter X,Y,Z, --transmitters N and "
        "--transmitters-file F.\n"
    )
    surface = run("trace", "sionna:box", dataset_views, "--surface", "foot")
    assert surface.stderr == (
        "vasgen: --surface is 'foot'; allowed: footprint, lattice. Did you mean 'footprint'?\n"
    )
    assert (both.exit_code, surface.exit_code) == (2, 2)


def test_ctrl_c_says_how_to_go_on(monkeypatch, tmp_path):
    def interrupt(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("vasgen.orchestrate.build", interrupt)
    result = run("build", "--preset", "quickstart", "--out", tmp_path / "out")
    assert error_of(result) == "vasgen: interrupted: run the same command again to go on."
    assert result.exit_code == 130
    monkeypatch.setattr("vasgen.orchestrate.cities.generate", interrupt)
    result = run("city")
    assert error_of(result) == "vasgen: interrupted: nothing was written."


def test_our_own_defects_keep_their_traceback(monkeypatch):
    def defect(*args, **kwargs):
        raise ZeroDivisionError

    monkeypatch.setattr("vasgen.orchestrate.cities.generate", defect)
    assert isinstance(run("city").exception, ZeroDivisionError)


def test_an_unwritable_folder_is_explained(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    result = run("build", "--preset", "quickstart", "--out", tmp_path / "file" / "out")
    assert "a parent is a file, not a folder; choose another folder with --out" in result.stderr
    assert result.exit_code == 2


def test_an_error_is_one_line_whatever_the_terminal(tmp_path):
    command = [sys.executable, "-c", "from vasgen.cli import main; main()", "verify", "x" * 300]
    result = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, "COLUMNS": "40"}, cwd=tmp_path
    )
    assert result.returncode == 2
    assert result.stderr.count("\n") == 1
    assert result.stdout == ""


def test_the_views_of_a_dataset_are_refused(dataset_views):
    (dataset_views.parent / "dataset.json").write_text("{}")
    pose = ("--position", "0,-20,12", "--target", "0,0,2", "--width", 16, "--height", 12)
    for command in (
        ("trace", "sionna:box", dataset_views),
        ("render", "sionna:box", *pose, "--out", dataset_views),
    ):
        result = run(*command)
        assert error_of(result) == (
            f"vasgen: {dataset_views} belongs to the dataset {dataset_views.parent}: change its "
            "spec and use vasgen build with another --out, or work on a copy of the folder."
        )
        assert result.exit_code == 2
