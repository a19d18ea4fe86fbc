"""The physics gate: each kind of fault is refused, by its name, number and first pixel."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from tests.datasets.conftest import TRANSMITTERS
from tests.support import box, mesh
from tests.support import bundle as scene_of
from vasgen.antenna import ANTENNAS
from vasgen.datasets import radio_checks, store, verify
from vasgen.datasets.findings import Finding, problem
from vasgen.datasets.gate import Scenery, check_physics
from vasgen.datasets.gate_picture import WRONG_COLOUR, draw_findings
from vasgen.datasets.store import Sample
from vasgen.layers import PATH_GAIN_FLOOR_DB
from vasgen.raycast import RayCaster
from vasgen.spec import RadioSpec

SPEC = RadioSpec()
BLOCK = (0, slice(20, 22), slice(5, 8))  # of transmitter 0; row 20 sees the ground


@pytest.fixture
def scenery(bundle):
    return Scenery(RayCaster(bundle), ())


def problems(view, scenery, *, spec=SPEC, antenna=ANTENNAS["siso"], transmitters=TRANSMITTERS):
    transmitters = tuple(replace(t, antenna=antenna) for t in transmitters)
    sample = Sample("v", view.camera, view.image, view.radio, transmitters)
    findings = check_physics(sample, spec, scenery)
    return [problem("v", finding).text for finding in findings if finding.fails]


def with_gain(view, where, gain_db):
    """The view with another gain somewhere, and all that follows from it."""
    gain = view.radio.path_gain_db.copy()
    gain[where] = gain_db(gain[where]) if callable(gain_db) else gain_db
    rss = gain + np.array([t.power_dbm for t in TRANSMITTERS], np.float32)[:, None, None]
    reached = view.image.valid & (gain > PATH_GAIN_FLOOR_DB)
    radio = replace(
        view.radio,
        path_gain_db=gain,
        rss_dbm=rss,
        sinr_db=radio_checks.sinr_db(rss, SPEC, [0, 0]).astype(np.float32),
        best_server=np.where(reached.any(axis=0), rss.argmax(axis=0), -1).astype(np.int16),
        reached=reached,
        standard_error_db=np.where(reached, 0, np.nan).astype(np.float32),
    )
    return replace(view, radio=radio)


def unlit(view, where):
    lit = view.radio.line_of_sight.copy()
    lit[where] = False
    return replace(view, radio=replace(view.radio, line_of_sight=lit))


def test_free_space_above_a_plain_passes(view, scenery):
    assert problems(view, scenery) == []
    assert problems(view, None) == []


def test_a_hole_in_a_lit_region_is_refused(view, scenery):
    dark = unlit(with_gain(view, BLOCK, PATH_GAIN_FLOOR_DB), BLOCK)
    line = "a hole: the transmitter sees all of the pixel (6 pixels, first at transmitter 0 row 20"
    assert any(
        text.startswith(f"line_of_sight: {line} column 5") for text in problems(dark, scenery)
    )
    assert problems(dark, None) == [], "without the scene nobody knows"


def test_a_lit_pixel_that_is_not_reached_is_refused(view, scenery):
    dark = with_gain(view, BLOCK, PATH_GAIN_FLOOR_DB)
    assert (
        "line_of_sight: lit but not reached (6 pixels, first at transmitter 0 row 20 column 5)"
        in (problems(dark, scenery))
    )


@pytest.mark.parametrize(("loss_db", "found"), [(3.3, False), (3.7, True), (60, True)])
def test_loss_of_a_single_lit_pixel_is_refused(view, scenery, loss_db, found):
    weak = with_gain(view, (1, 20, 9), lambda gain: gain - loss_db)
    expected = [
        "path_gain_db: more than 3.5 dB below free space, though the transmitter sees all of the "
        "pixel (1 pixel, first at transmitter 1 row 20 column 9)"
    ]
    # The far edge of the pixel lies 0.1 dB lower than its middle.
    assert problems(weak, scenery) == (expected if found else [])


def test_arrays_have_nulls_but_no_holes(view, scenery):
    weak = with_gain(view, BLOCK, lambda gain: gain - 60)
    assert problems(weak, scenery, antenna=ANTENNAS["4x4"]) == []
    (hole,) = problems(unlit(weak, BLOCK), scenery, antenna=ANTENNAS["4x4"])
    assert hole.startswith("line_of_sight: a hole")
    indirect = RadioSpec(line_of_sight=False)
    assert problems(weak, scenery, spec=indirect) == []


def test_what_is_not_finite_or_too_strong_is_refused(view, scenery):
    broken = problems(with_gain(view, BLOCK, np.nan), scenery)
    assert broken[0] == (
        "path_gain_db: infinite, or NaN exactly in the sky is broken "
        "(6 pixels, first at transmitter 0 row 20 column 5)"
    )
    strong = problems(with_gain(view, BLOCK, 1.0), scenery)
    assert strong[0] == (
        "path_gain_db: more power than was sent (6 pixels, first at transmitter 0 row 20 column 5)"
    )
    (lifted,) = problems(with_gain(view, (0,), lambda gain: gain + 21), scenery)
    assert lifted.startswith("path_gain_db: more than free space and multipath allow")


@pytest.mark.parametrize(("error_db", "found"), [(0.0, True), (0.5, True), (3.0, False)])
def test_each_transmitter_is_held_to_the_bound_as_far_as_it_is_known(view, error_db, found):
    """Neither do others dilute what is too strong, nor is a lone hit of a rare ray an error."""
    few = np.zeros_like(view.radio.reached)
    few[BLOCK] = True
    few[1] = True
    known = with_gain(unlit(view, 0), ~few & view.image.valid, PATH_GAIN_FLOOR_DB)
    known = with_gain(known, BLOCK, lambda gain: gain + 26)
    assert few[0].sum() < radio_checks.CHANCE_SHARE * known.radio.reached[1].sum()
    known.radio.standard_error_db[BLOCK] = error_db
    line = "path_gain_db: more than free space and multipath allow (6 pixels"
    assert [text.startswith(line) for text in problems(known, None)] == ([True] if found else [])


def closed_box(centre, *, inward=False, radio="metal"):
    solid = box("box", (4, 4, 4), centre, radio=radio)
    faces = solid.faces[:, ::-1] if inward else solid.faces
    return mesh("box", solid.vertices, faces, radio=radio)


@pytest.mark.parametrize("inward", [False, True])
@pytest.mark.parametrize("around", ["transmitter", "camera"])
def test_power_behind_closed_metal_is_refused(view, around, inward):
    centre = TRANSMITTERS[0].position if around == "transmitter" else view.camera.position
    metal = Scenery(Blind(), _metal(closed_box(centre, inward=inward)))
    count = int(view.radio.reached[: 1 if around == "transmitter" else 2].sum())
    row, column = np.argwhere(view.image.valid)[0]
    assert problems(view, metal) == [
        f"path_gain_db: power behind closed metal ({count} pixels, first at transmitter 0 "
        f"row {row} column {column})"
    ]
    assert problems(view, Scenery(Blind(), _metal(closed_box(centre, radio="concrete")))) == []


def test_metal_around_both_or_neither_is_no_wall(view):
    near = [replace(t, position=(3.0 + k, 0.0, 28.0)) for k, t in enumerate(TRANSMITTERS)]
    room = box("room", (12, 12, 12), view.camera.position, radio="metal")
    dark = replace(view, radio=replace(view.radio, line_of_sight=view.radio.line_of_sight & False))
    found = problems(dark, Scenery(Blind(), _metal(room)), transmitters=near)
    assert not any("closed metal" in text for text in found)
    aside = Scenery(Blind(), _metal(closed_box((0, 90, 2))))
    assert problems(view, aside) == []


def test_a_view_of_the_sky_sees_no_surface(view, scenery):
    sky = np.zeros_like(view.image.valid)
    blank = replace(view, image=replace(view.image, valid=sky))
    assert problems(blank, scenery) == ["valid: sees no surface"]


class Blind:
    """Sees nothing: no pixel is lit."""

    def blocked(self, origins, targets):
        return np.ones(len(origins), bool)


def _metal(solid):
    from vasgen.shells import closed_metal

    return closed_metal(scene_of(solid))


def magenta(path):
    with Image.open(path) as picture:
        return (np.asarray(picture.convert("RGB")) == _rgb(WRONG_COLOUR)).all(axis=-1)


def _rgb(colour):
    return [int(colour[i : i + 2], 16) for i in (1, 3, 5)]


def test_the_picture_shows_the_wrong_pixels_in_their_place(tmp_path, view, scenery):
    sample = Sample("000003", view.camera, view.image, view.radio, TRANSMITTERS)
    wrong = np.zeros_like(view.radio.reached)
    wrong[1, 4:20, 24:] = True
    draw_findings(sample, [Finding("path_gain_db", "too much", wrong)], tmp_path)
    (path,) = tmp_path.iterdir()
    assert path.name == "gate-path_gain_db.png"
    shown = magenta(path)[95:-100]  # the map without the legend
    columns = np.flatnonzero(shown.any(axis=0))
    assert shown.mean() == pytest.approx(wrong[1].mean(), rel=0.15)
    assert columns.min() > 0.7 * shown.shape[1]


def test_layers_without_wrong_pixels_have_no_picture(tmp_path, view):
    sample = Sample("v", view.camera, view.image, view.radio, TRANSMITTERS)
    none = np.zeros_like(view.radio.reached)
    findings = [Finding("rss_dbm", "fine", none), Finding("valid", "sees no surface")]
    draw_findings(sample, findings, tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_verify_uses_the_scene_and_draws(tmp_path, dataset, view, write):
    name = "000000"
    write(dataset / "views" / name, unlit(view, BLOCK))
    assert not [p for p in verify(dataset).problems if p.layer == "line_of_sight"]
    report = verify(dataset, sight=RayCaster, pictures=tmp_path / "pictures")
    (hole,) = [p for p in report.problems if p.layer == "line_of_sight"]
    assert (hole.view, hole.count, hole.first) == (name, 6, (0, 20, 5))
    assert [p.name for p in (tmp_path / "pictures").iterdir()] == ["000000-gate-line_of_sight.png"]


def test_verify_repeats_what_a_view_is_marked_with_once(tmp_path, view, write):
    folder = write(tmp_path / "v", with_gain(view, BLOCK, PATH_GAIN_FLOOR_DB))
    found = [p.text for p in verify(tmp_path).problems]
    assert len(found) == 1
    record = replace(store.read_record(folder), problems=(found[0], "line_of_sight: a hole"))
    store.add_radio(folder, record, view.image, store.read_view(folder).radio)
    assert store.read_view(folder).problems == record.problems
    assert [str(p) for p in verify(tmp_path).problems] == [
        f"view v: {found[0]}",
        "view v: view.json: is marked: line_of_sight: a hole",
    ]


def test_a_new_trace_replaces_the_pictures_of_the_old(tmp_path, view, write):
    folder = write(tmp_path / "v", view)
    record = store.read_record(folder)

    def draw(scratch):
        (scratch / store.gate_png("path_gain_db")).write_bytes(b"png")

    store.add_radio(folder, record, view.image, view.radio, draw)
    marked = store.read_record(folder)
    assert "gate-path_gain_db.png" in marked.files
    store.add_radio(folder, marked, view.image, view.radio)
    assert store.read_record(folder).files == record.files
    assert not list(folder.glob("gate-*"))


def test_a_transmitter_in_the_plane_of_a_pixel_is_no_hole(view, scenery):
    """Whether it is seen depends on how far a label's points stand off the surface."""
    low = [replace(t, position=(*t.position[:2], 0.1)) for t in TRANSMITTERS]
    dark = unlit(with_gain(view, slice(None), -180.0), slice(None))
    found = problems(dark, scenery, transmitters=low)
    assert not any("a hole" in text or "sees all of the pixel" in text for text in found)
