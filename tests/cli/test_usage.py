"""A command line that cannot be read is one line: what was given, what is allowed, what to do."""

import inspect
import io
import math
from contextlib import redirect_stderr, redirect_stdout
from typing import Literal, get_args, get_origin

import pytest
import typer
from typer.testing import CliRunner

from vasgen import _console, cli
from vasgen._console import Lines
from vasgen._usage import limits_in_words
from vasgen.camera import Camera
from vasgen.commands import fly, pictures
from vasgen.commands.arguments import Limits, in_flags
from vasgen.errors import InputError
from vasgen.orchestrate import Trip
from vasgen.orchestrate.cities import city_config
from vasgen.spec import TransmittersSpec, parse_spec
from vasgen.vas import Grid

GROUP = typer.main.get_command(cli.app)
NAMES = sorted(GROUP.commands)


def line_of(*arguments):
    """The one line of a command line that is refused."""
    told, shown = io.StringIO(), io.StringIO()
    # Not by a runner, which would make all commands anew for each line.
    with redirect_stderr(told), redirect_stdout(shown), pytest.raises(SystemExit) as end:
        GROUP.main([str(argument) for argument in arguments])
    assert end.value.code == 2
    (line,) = told.getvalue().splitlines()
    assert shown.getvalue() == ""
    return line.removeprefix("vasgen: ")


def options(name):
    """Of a command: flag, type of the value, and what was declared of each option with one."""
    parameters = inspect.signature(GROUP.commands[name].callback, eval_str=True).parameters
    for parameter in GROUP.commands[name].params:
        declared = parameters.get(parameter.name)
        about = get_args(declared.annotation) if declared else ()
        if about and isinstance(about[1], typer.models.OptionInfo):
            kinds = [about[0], *(k for k in get_args(about[0]) if k is not type(None))]
            yield max(parameter.opts, key=len), kinds, about[1]


def bad_values():
    """Every option of every command that takes numbers or choices, with values it refuses."""
    for name in NAMES:
        for flag, kinds, about in options(name):
            numeric = {int, float, list[int]} & set(kinds)
            if numeric:
                yield name, flag, "many", "'many'; allowed: a "
            if numeric and about.min is not None:
                low = limits_in_words(about.min, about.max)
                yield name, flag, about.min - 1, f"{about.min - 1}; allowed: {low}."
            if numeric and about.max is not None:
                yield name, flag, about.max + 1, f"{about.max + 1}; allowed: "
            choices = [get_args(kind) for kind in kinds if get_origin(kind) is Literal]
            for some in choices:
                yield name, flag, "maybe", f"'maybe'; allowed: {', '.join(some)}."


@pytest.mark.parametrize(
    ("name", "flag", "value", "end"), list(bad_values()), ids=lambda value: str(value)[:24]
)
def test_a_bad_value_says_what_was_given_and_what_is_allowed(name, flag, value, end):
    assert line_of(name, f"{flag}={value}").startswith(f"{flag} is {end}")
    assert line_of(name, flag, value).startswith(f"{flag} is {end}")


@pytest.mark.parametrize("values", [["x", 1], [1, "x"], [0, "x", 2, "y"]])
def test_of_values_of_a_repeated_option_the_wrong_one_is_told(values):
    apart = [word for value in values for word in ("--view", value)]
    assert line_of("show", "ods", *apart) == "--view is 'x'; allowed: a whole number, 0 or more."
    joined = [f"--view={value}" for value in values]
    assert line_of("show", "ods", *joined) == "--view is 'x'; allowed: a whole number, 0 or more."
    assert line_of("show", "ods", "--view", 3, "--view", -1, "--view", 2).startswith("--view is -1")


def test_of_values_of_an_option_that_does_not_repeat_the_last_is_told():
    line = line_of("show", "ods", "--transmitter", 1, "--transmitter", "x")
    assert line == "--transmitter is 'x'; allowed: a whole number, 0 or more."


@pytest.mark.parametrize("name", NAMES)
def test_what_no_command_has_is_named(name):
    line = line_of(name, "--colour", "red")
    assert line.startswith(f"--colour is no option of vasgen {name}")
    for flag, _, _ in options(name):
        close = line_of(name, flag + "x")
        assert close == f"{flag}x is no option of vasgen {name}. Did you mean '{flag}'?"
    own = [p.opts[0] for p in GROUP.commands[name].params if p.param_type_name == "argument"]
    out = ["--out", "o"] if any(p.name == "out" for p in GROUP.commands[name].params) else []
    assert line_of(name, *out, *own, "surplus") == (
        f"'surplus' is more than vasgen {name} takes: leave that out, or see vasgen {name} --help."
    )


@pytest.mark.parametrize("name", NAMES)
def test_what_is_missing_is_named(name):
    for flag, kinds, _ in options(name):
        if bool not in kinds:
            assert line_of(name, flag) == f"{flag} needs a value; see vasgen {name} --help."
    first = next((p for p in GROUP.commands[name].params if p.required), None)
    if first is not None:
        shown = first.metavar or max(first.opts, key=len)
        assert line_of(name) == f"{shown} is missing: give it, or see vasgen {name} --help."


def test_other_mistakes_before_a_command_are_lines_too():
    assert line_of("--versio") == "--versio is no option of vasgen. Did you mean '--version'?"
    assert line_of("--colour") == "--colour is no option of vasgen; see vasgen --help."
    assert line_of("citty").startswith("the command is 'citty'; allowed: city, plan, fly, place,")
    assert line_of("citty").endswith("Did you mean 'city'?")
    assert line_of("city", "--preview=3") == "--preview takes no value; see vasgen city --help."


def test_a_bare_command_line_shows_the_help():
    result = CliRunner().invoke(cli.app, [])
    assert "From one word to a dataset" in result.output
    assert "vasgen:" not in result.output


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (0, 24, "0 to 24"),
        (10.0, 1e5, "10 to 100000"),
        (1, None, "1 or more"),
        (None, 5, "at most 5"),
        (None, None, ""),
    ],
)
def test_limits_in_words(low, high, words):
    assert limits_in_words(low, high) == words


#: What an option sets in a spec, by command and flag; its unit in that of the spec.
SET = {
    ("place", "--count"): ("transmitters.count", 1),
    ("plan", "--count"): ("views.count", 1),
    ("plan", "--width"): ("views.width", 1),
    ("plan", "--height"): ("views.height", 1),
    ("trace", "--transmitters"): ("transmitters.count", 1),
    ("trace", "--frequency-ghz"): ("radio.frequency_hz", 1e9),
    ("trace", "--rays"): ("radio.rays", 1),
    ("topdown", "--transmitters"): ("transmitters.count", 1),
    ("topdown", "--frequency-ghz"): ("radio.frequency_hz", 1e9),
    ("topdown", "--rays"): ("radio.rays", 1),
    ("relabel", "--frequency-ghz"): ("radio.frequency_hz", 1e9),
    ("relabel", "--bandwidth-hz"): ("radio.bandwidth_hz", 1),
    ("relabel", "--noise-figure-db"): ("radio.noise_figure_db", 1),
    ("relabel", "--power-dbm"): ("transmitters.power_dbm", 1),
    ("city", "--size-m"): ("scene.size_m", 1),
    ("city", "--lod"): ("scene.lod", 1),
    ("city", "--relief-m"): ("scene.relief_m", 1),
    **{
        ("render", option.__metadata__[0].default): (f"render.{key}", 1)
        for key, option in pictures._OPTIONS.items()
        if option.__metadata__[0].min is not None
    },
}

#: What a spec needs beside a key.
BESIDE = {
    "hour": {"latitude_deg": 0, "date": "2026-06-21"},
    "latitude_deg": {"hour": 12, "date": "2026-06-21"},
    "cloud_pattern": {"cloud_cover": 0.5},
    "speed_m_s": {"shutter_s": 0.1},
    "turn_deg_s": {"shutter_s": 0.1},
}


#: Options of intervals whose ends need not belong to them: what they set, and the ends.
OPEN = {
    ("plan", "--fov"): ("views.fov_deg", Limits(1, 170)),
    ("trace", "--target-db"): ("radio.target_db", Limits(0, 100, "(]")),
    ("place", "--height-m"): ("transmitters.height_m", Limits(0, 500, "(]")),
    ("fly", "--fov"): (None, Limits(0, 180)),
    ("render", "--fov"): (None, Limits(0, 180)),
}


@pytest.mark.parametrize(("name", "flag"), sorted(OPEN))
def test_the_ends_of_an_open_interval_are_those_of_the_spec(name, flag):
    path, limits = OPEN[name, flag]
    (about,) = (about for other, _, about in options(name) if other == flag)
    assert f"{limits}." in about.help
    needed = ["x", "v"] if name == "trace" else ["x", "--out", "v"]
    for value in (limits.low, limits.high + 1, "nan", *[limits.high][: limits.ends == "()"]):
        assert line_of(name, *needed, flag, value) == f"{flag} is {value}; allowed: {limits}."

    def ask(value):
        if path is None:
            Camera.look_at((0, 0, 0), (1, 0, 0), fov_deg=value, width=8, height=8)
        else:
            part, key = path.split(".")
            parse_spec({part: {key: value}})

    little = 1e-4 * (limits.high - limits.low)
    for end, sign, bracket in zip((limits.low, limits.high), (1, -1), limits.ends, strict=True):
        closed = bracket in "[]"
        ask(end if closed else end + sign * little)
        with pytest.raises(InputError):
            ask(end - sign * little if closed else end)


@pytest.mark.parametrize(
    ("limits", "words", "held", "refused"),
    [
        (Limits(0), "more than 0", [1e-9, 1e9], [0, -1, math.inf, math.nan]),
        (Limits(1, 170), "more than 1, less than 170", [1.1, 169.9], [1, 170, math.nan]),
        (Limits(0, 500, "(]"), "more than 0, at most 500", [0.1, 500], [0, 500.1]),
        (Limits(0.3, 1e4, "[]"), "0.3 to 10000", [0.3, 10_000], [0.29, 10_001, math.nan]),
    ],
)
def test_intervals_in_words(limits, words, held, refused):
    assert str(limits) == words
    assert all(map(limits.hold, held))
    assert not any(map(limits.hold, refused))


def test_heights_and_cells_are_those_that_the_rooms_take():
    """What no spec says, but the help and the refusal do."""
    low, high, _ = fly._HEIGHTS
    Trip(altitude_m=(low, high))
    for heights in ((low - 0.01, high), (low, high + 1)):
        with pytest.raises(InputError, match="altitude_m"):
            Trip(altitude_m=heights)
    said = {flag: about for flag, _, about in options("topdown")}
    for key in ("size", "cell_m", "height_m"):
        about = said[f"--{key.replace('_', '-')}"]
        Grid(**{key: about.min})
        Grid(**{key: about.max})
        for beyond in (about.min - 0.001, about.max + 1):
            with pytest.raises(InputError, match="allowed"):
                Grid(**{key: beyond})


def test_no_wrong_value_of_a_spec_is_a_traceback(monkeypatch):
    """Nor one that no option refuses, in a part of a spec that a command makes by itself."""

    def make(*given):
        TransmittersSpec(count=0)

    monkeypatch.setattr("vasgen.datasets.dataset.open_any", make)
    result = CliRunner().invoke(cli.app, ["show", "x"])
    told = result.stderr.splitlines()[-1]
    assert told == "vasgen: count is 0: input should be greater than or equal to 1."
    assert result.exit_code == 2

    def defect(*given):
        raise ValueError("ours")

    monkeypatch.setattr("vasgen.datasets.dataset.open_any", defect)
    assert str(CliRunner().invoke(cli.app, ["show", "x"]).exception) == "ours"


def test_keys_in_a_line_become_options_and_other_words_stay():
    flags = {"hour": "--hour", "latitude_deg": "--latitude"}
    line = "hour alone: give {}. A scene 'hour', radio.hour, out/hour and an hour-glass."
    with pytest.raises(InputError) as told, in_flags(flags):
        raise InputError(line.format("latitude_deg"))
    assert str(told.value) == f"--{line.format('--latitude')}"


@pytest.mark.parametrize(("name", "flag"), sorted(SET))
def test_the_limits_of_an_option_are_those_of_the_spec(name, flag):
    (about,) = (about for other, _, about in options(name) if other == flag)
    path, unit = SET[name, flag]
    part, key = path.split(".")
    others = BESIDE.get(key, {})

    def ask(value):
        spec = parse_spec({part: {**others, key: value}})
        city_config(spec.scene, 0)

    for end, beyond in ((about.min, -1), (about.max, 1)):
        ask(end * unit)
        with pytest.raises(InputError, match=key):
            ask(end * unit + beyond)


def test_a_log_is_told_how_far_a_long_step_is(capsys, monkeypatch):
    now = iter([0.0, 100.0, 104.0, 112.0, 115.0, 130.0, 200.0, 240.0])
    monkeypatch.setattr(_console.time, "perf_counter", lambda: next(now))
    lines = Lines()
    lines.start("Rendering 3 views", 3)
    for _ in range(4):
        lines.advance(0.6)
    lines.start("Drawing the map", 0)
    lines.advance(1)
    assert capsys.readouterr().err.splitlines() == [
        "Rendering 3 views",
        "Rendering 3 views: 40 % after 12.0 s",
        "Rendering 3 views: 80 % after 30.0 s",
        "Drawing the map",
    ]
