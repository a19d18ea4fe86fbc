"""What no city can be made from is refused with one line, in Python and on the command line."""

import dataclasses
import math

import pytest
from typer.testing import CliRunner

from vasgen.citygen import CityConfig, generate
from vasgen.citygen.config import District
from vasgen.citygen.profiles import PROFILES
from vasgen.citygen.targets import Targets
from vasgen.cli import app
from vasgen.errors import InputError

SQUARE = ((0.0, 0.0), (200.0, 0.0), (200.0, 200.0), (0.0, 200.0))
BOW_TIE = ((0.0, 0.0), (200.0, 200.0), (200.0, 0.0), (0.0, 200.0))
SPIKE = ((0.0, 0.0), (200.0, 0.0), (200.0, 200.0), (100.0, 0.0))

BAD = {
    "size-nan": {"size_m": math.nan},
    "size-infinite": {"size_m": math.inf},
    "size-negative": {"size_m": -300.0},
    "size-tiny": {"size_m": 1e-9},
    "size-huge": {"size_m": 1e9},
    "size-text": {"size_m": "300"},
    "seed-negative": {"seed": -1},
    "seed-bool": {"seed": True},
    "seed-float": {"seed": 1.0},
    "seed-huge": {"seed": 2**63},
    "density": {"density": "village"},
    "pattern": {"pattern": "spiral"},
    "lod-0": {"lod": 0},
    "lod-4": {"lod": 4},
    "lod-bool": {"lod": True},
    "lod-text": {"lod": "2"},
    "relief-nan": {"relief_m": math.nan},
    "relief-negative": {"relief_m": -1.0},
    "relief-huge": {"relief_m": 1e6},
    "boundary-crossing": {"boundary": BOW_TIE},
    "boundary-touching-itself": {"boundary": SPIKE},
    "boundary-of-two-corners": {"boundary": SQUARE[:2]},
    "boundary-small": {"boundary": tuple((x / 10, y / 10) for x, y in SQUARE)},
    "boundary-thin": {"boundary": ((0.0, 0.0), (400.0, 0.0), (400.0, 0.5), (0.0, 0.5))},
    "boundary-huge": {"boundary": tuple((x * 1e3, y * 1e3) for x, y in SQUARE)},
    "boundary-nan": {"boundary": (*SQUARE[:3], (math.nan, 200.0))},
    "boundary-far-away": {"boundary": tuple((x + 1e9, y) for x, y in SQUARE)},
    "boundary-flat-list": {"boundary": (0.0, 0.0, 200.0, 200.0)},
    "boundary-number": {"boundary": 5},
    "boundary-of-sets": {"boundary": ({0.0, 1.0}, {200.0, 0.0}, {0.0, 200.0})},
    "boundary-of-texts": {"boundary": ("ab", "cd", "ef")},
    "boundary-one-corner-again": {"boundary": ((0, 0), (0, 0), (200, 0), (200, 0))},
    "boundary-beyond-floats": {"boundary": (*SQUARE[:3], (10**400, 0))},
    "size-beyond-floats": {"size_m": 10**200},
    "targets-name": {"targets": "urban"},
    "profile-name": {"profile": "mix"},
    "districts-names": {"districts": ("mix",)},
    "districts-number": {"districts": 3},
    "trees-text": {"trees": "no"},
    "furniture-none": {"furniture": None},
    "vehicles-number": {"vehicles": 1},
}


@pytest.mark.parametrize("values", BAD.values(), ids=BAD)
def test_a_configuration_that_cannot_be(values):
    with pytest.raises(InputError) as error:
        generate(CityConfig(**values))
    one_helpful_line(error.value)


@pytest.mark.parametrize(
    "figures",
    [
        (math.nan, 300.0, 20.0),
        (0.0, 300.0, 20.0),
        (1.0, 300.0, 20.0),
        (0.3, -5.0, 20.0),
        (0.3, math.inf, 20.0),
        (0.3, 300.0, 0.0),
        (True, 300.0, 20.0),
        ("0.3", 300.0, 20.0),
    ],
    ids=str,
)
def test_targets_that_are_no_figures(figures):
    with pytest.raises(InputError) as error:
        Targets(*figures)
    one_helpful_line(error.value)


@pytest.mark.parametrize(
    ("density", "figures"),
    [
        ("downtown", (0.95, 300.0, 30.0)),
        ("margin", (0.9, 300.0, 10.0)),
        ("mix", (0.3, 1e6, 15.0)),
        ("mix", (0.3, 500.0, 0.5)),
        ("margin", (0.001, 5000.0, 8.0)),
        ("mix", (0.3, 0.01, 15.0)),
        ("downtown", (0.3, 300.0, 1e5)),
    ],
    ids=str,
)
def test_targets_that_no_city_can_hit(density, figures):
    with pytest.raises(InputError) as error:
        generate(CityConfig(density, 0, 300.0, targets=Targets(*figures)))
    one_helpful_line(error.value)


@pytest.mark.parametrize(
    "values",
    [
        {"density": "village"},
        {"density": "mix", "radius_m": 0.0},
        {"density": "mix", "radius_m": math.nan},
        {"density": "mix", "radius_m": 50.0, "corners": SQUARE},
        {"density": "mix", "corners": BOW_TIE},
        {"density": "mix", "targets": Targets(0.99, 300.0, 20.0)},
        {"density": "mix", "targets": "urban"},
        {"density": "mix", "profile": "mix"},
        {"density": "mix", "corners": ((0, 0), (1, 1), (1, 1))},
    ],
    ids=str,
)
def test_districts_that_cannot_be(values):
    with pytest.raises(InputError) as error:
        District(**values)
    one_helpful_line(error.value)


@pytest.mark.parametrize(
    ("part", "values"),
    [
        ("streets", {"spacing_m": (0.0, 90.0)}),
        ("streets", {"widths_m": (20.0, -1.0, 8.0)}),
        ("streets", {"major_every": 0}),
        ("streets", {"avenue_every": 0}),
        ("streets", {"pavement_m": -1.0}),
        ("streets", {"parking_m": (2.0, 2.0, -2.0)}),
        ("lots", {"uses": (("park", 0.0),)}),
        ("lots", {"uses": (("park", 1.0), ("houses", -1.0))}),
        ("lots", {"area_m2": (("houses", 0.0),)}),
        ("lots", {"frontage_m": 0.0}),
        ("lots", {"strip_depth_m": -13.0}),
        ("heights", {"storey_m": 0.0}),
        ("heights", {"storey_m": "3"}),
        ("heights", {"falloff": 0.0}),
        ("heights", {"typical_storeys": math.nan}),
        ("heights", {"lowest_storeys": 0}),
        ("heights", {"tower_spread_m": -1.0}),
        (None, {"tree_spacing_m": 0.0}),
        (None, {"facades": ()}),
    ],
    ids=str,
)
def test_profiles_that_cannot_be(part, values):
    profile = PROFILES["mix"]
    with pytest.raises(InputError) as error:
        dataclasses.replace(getattr(profile, part) if part else profile, **values)
    one_helpful_line(error.value)


def test_the_corner_that_is_wrong_is_named():
    with pytest.raises(InputError, match=r"^boundary: corner 3 is \(200.0, nan\); allowed: "):
        CityConfig(boundary=(*SQUARE[:2], (200.0, math.nan), SQUARE[3]))


def test_targets_by_name_are_told_where_the_names_are():
    with pytest.raises(InputError, match=r'Targets, or one of .* ENVIRONMENTS\["urban"\]'):
        CityConfig(targets="urban")


@pytest.mark.parametrize(
    "arguments",
    [
        ["--size-m", "nan"],
        ["--size-m", "inf"],
        ["--size-m", "1e9"],
        ["--size-m", "0.001"],
        ["--density", "village"],
    ],
    ids=" ".join,
)
def test_the_command_line_says_so_and_exits_2(arguments, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, ["city", *arguments])
    assert result.exit_code == 2
    assert result.stderr.startswith("vasgen: ")
    assert result.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def one_helpful_line(error):
    text = str(error)
    assert "\n" not in text
    assert len(text) < 300
    assert "allowed" in text or "give" in text, text
