"""The validation: every case passes in its short form, and its theory is right by itself."""

import numpy as np
import pytest

from validation import theory
from validation.__main__ import CASES, main
from validation.case import Check, Outcome
from validation.page import write_page
from validation.path_images import Image, between, expected_paths, mirrored
from validation.path_reference import match
from validation.plot import new_figure

GLASS = theory.Slab("glass", 0.006)


#: Too long for every run.
_LONG = {"recall"}


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=case.name, marks=[pytest.mark.slow] if case.name in _LONG else [])
        for case in CASES
    ],
)
def test_a_case_passes_in_its_short_form(case):
    outcome = case.run(True)
    failed = [check for check in outcome.checks if not check.passed]
    assert outcome.checks
    assert not failed, failed
    assert outcome.figure.axes


def test_a_check_fails_beyond_its_tolerance_and_where_nothing_was_measured():
    good, bad, none = (Check("here", "sum", 1, value, 0.1) for value in (-0.1, 0.11, np.nan))
    assert good.passed
    assert not bad.passed
    assert not none.passed
    assert not Outcome([good, bad], new_figure("", 1)[0]).passed
    assert not Outcome([], new_figure("", 1)[0]).passed
    assert Outcome([good, none, bad], new_figure("", 1)[0]).worst is none


def test_the_page_tells_of_every_case_and_of_failure(tmp_path):
    figure = new_figure("title", 1)[0]
    checks = [Check("here", "sum", 3, 0.25, 0.1), Check("there", "sum", 3, 0.0, 0.1)]
    page = tmp_path / "docs" / "page.md"
    write_page(page, [(case, Outcome(checks, figure)) for case in CASES], 60.0, short=True)
    text = page.read_text()
    assert text.count("**FAIL**") == 3 * len(CASES)  # summary, by statistic, every check
    for case in CASES:
        assert f"## {case.title}\n" in text
        picture = page.parent / "images" / f"validation-{case.name}.png"
        assert picture.stat().st_size > 1000
        assert f"images/{picture.name}" in text


def test_unknown_cases_are_refused(capsys):
    assert main(["mirrors"]) == 2
    assert "allowed: free-space, room" in capsys.readouterr().out


def test_a_lossless_plate_loses_nothing():
    """Without conductivity all power is reflected or passes, at every angle and thickness."""
    cosine = np.linspace(0.05, 1.0, 40)

    class Lossless(theory.Slab):
        def permittivity(self, frequency_hz):
            return complex(super().permittivity(frequency_hz).real, 0.0)

    for thickness in (0.004, 0.0313):
        found = theory.plate(cosine, Lossless("glass", thickness), 28e9)
        for reflected, passed in ((found.r_te, found.t_te), (found.r_tm, found.t_tm)):
            assert np.abs(reflected) ** 2 + np.abs(passed) ** 2 == pytest.approx(1.0, abs=1e-12)


def test_a_plate_by_its_wave_matrix():
    """The same by the characteristic matrix of Born and Wolf 1.6.2: no sum of echoes."""
    cosine, frequency = np.linspace(0.1, 1.0, 30), 3.5e9
    found = theory.plate(cosine, GLASS, frequency)
    eta = GLASS.permittivity(frequency)
    inside = np.sqrt(eta - 1 + cosine**2)
    phase = 2 * np.pi * GLASS.thickness_m / theory.wavelength_m(frequency) * inside
    for p_air, p_glass, r, t in (
        (cosine, inside, found.r_te, found.t_te),
        (cosine, inside / eta, found.r_tm, found.t_tm),
    ):
        a, b, c = np.cos(phase), 1j * np.sin(phase) / p_glass, 1j * np.sin(phase) * p_glass
        bottom = 2 * a * p_air + b * p_air**2 + c
        assert np.abs(r) == pytest.approx(np.abs((b * p_air**2 - c) / bottom), rel=1e-9)
        assert np.abs(t) == pytest.approx(np.abs(2 * p_air / bottom), rel=1e-9)


def test_the_transition_function_has_its_known_limits():
    """Kouyoumjian and Pathak 1974, equations 30 and 31."""
    small, large = np.array([1e-6]), np.array([300.0])
    leading = np.sqrt(np.pi * small) * np.exp(0.25j * np.pi)
    assert theory.transition(small) == pytest.approx(leading, rel=1e-2)
    assert theory.transition(large) == pytest.approx(1 + 0.5j / large, rel=1e-4)


def test_a_corner_gives_the_same_both_ways_round():
    """Faces are named by us: counted from the other one, the field is the same."""
    up, west, north = np.array([0.0, 0, 1]), np.array([-1.0, 0, 0]), np.array([0.0, 1, 0])
    slab = theory.Slab("concrete", 0.3)
    source = np.array([-9.0, -15.0, 4.0])
    place = np.array([[8.0, 3.0, 0.0], [6.0, -7.0, 1.0], [3.0, 9.0, 2.0]])
    one = theory.Wedge(np.zeros(3), up, -north, -west, slab)
    other = theory.Wedge(np.zeros(3), up, -west, -north, slab)
    for polarization in "VH":
        gains = [theory.wedge_gain(w, source, place, 3.5e9, polarization) for w in (one, other)]
        assert gains[0] == pytest.approx(gains[1], rel=1e-9)
        assert (gains[0] > 0).all()


def test_images_between_parallel_walls_carry_what_one_formula_says():
    """Plate by plate, the field is taken apart anew; between parallel plates powers suffice."""
    source, half, slab = np.array([2.0, 0.0, 6.0]), 9.0, theory.Slab("concrete", 0.3)
    place = np.random.default_rng(0).uniform([-8, 20, 1], [8, 60, 20], (30, 3))
    for number in (-3, -2, 1, 2):
        image = between(place, source, number, half, slab)
        for polarization in "VH":
            found = expected_paths([image], source, 3.5e9, polarization)
            back = np.array([2 * half * number + (-1) ** number * source[0], *source[1:]])
            if number % 2 == 0:
                back[0] = source[0] - 2 * half * number
            expected = theory.image_gain(
                back,
                place,
                3.5e9,
                normal=np.array([1.0, 0, 0]),
                slab=slab,
                polarization=polarization,
                bounces=abs(number),
            )
            assert found.gain == pytest.approx(expected, rel=1e-9)


def test_a_path_matches_itself_and_no_other():
    source, slab = np.array([7.0, 9.0, 6.0]), theory.Slab("metal", 0.1)
    place = np.random.default_rng(1).uniform([1, 1, 0], [30, 30, 1], (20, 3))
    direct = Image(place, ())
    images = [
        direct,
        mirrored(direct, source, 0, 0.0, slab),
        mirrored(direct, source, 1, 0.0, slab),
    ]
    found = expected_paths(images, source, 3.5e9, "V")
    pairs = match(found, found)
    assert (pairs.one == pairs.other).all()
    assert len(pairs.one) == len(found.point) == 60
    late = found._replace(delay_s=found.delay_s + 0.5e-9)
    assert not match(found, late).within(0.1e-9, 0.1).any()
    other = found._replace(arrival=-found.arrival)
    assert not len(match(found, other).one)


def test_the_documented_page_lists_every_case():
    from tests.test_docs import ROOT

    text = (ROOT / "docs" / "validation.md").read_text()
    for case in CASES:
        assert f"## {case.title}\n" in text
        assert (ROOT / "docs" / "images" / f"validation-{case.name}.png").exists()
    assert "**FAIL**" not in text
