"""The map shows the scene's plan, and each transmitter where it stands."""

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from PIL import Image

from tests.orchestrate import places
from tests.support import box, bundle, ground, moved, rectangle
from vasgen.orchestrate import draw_transmitters
from vasgen.orchestrate.scene_plan import survey_plan
from vasgen.orchestrate.transmitter_map import _COLOURS
from vasgen.raycast import RayCaster
from vasgen.semantics import SemanticClass
from vasgen.transmitter import Transmitter


def at(*spots, context="canyon"):
    return [
        Transmitter(f"tx-{i}", (float(x), float(y), 1.6), context=context)
        for i, (x, y) in enumerate(spots)
    ]


def picture(path):
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"), float) / 255


def blobs(pixels, colour):
    """Where a picture has a colour, (N, 2) rows and columns."""
    return np.argwhere(np.abs(pixels - to_rgb(colour)).max(axis=-1) < 0.02)


@pytest.mark.parametrize("shift", [(0.0, 0.0, 0.0), (5000.0, -800.0, 30.0)])
def test_the_plan_knows_heights_and_classes_anywhere(shift):
    water = rectangle(
        "lake",
        [(20, -40, 0.1), (40, -40, 0.1), (40, 40, 0.1), (20, 40, 0.1)],
        semantic=SemanticClass.WATER,
    )
    made = moved(bundle(ground(50), box("house", (20, 30, 12), (-10, 0, 6)), water), shift)
    x, y = shift[:2]
    plan = survey_plan(RayCaster(made), (x - 60, x + 60, y - 45, y + 45))
    rows, columns = plan.height.shape
    assert columns == pytest.approx(rows * 4 / 3, abs=2)

    def pixel(east, north):
        return int((north + 45) / 90 * rows), int((east + 60) / 120 * columns)

    house, lake, field, void = pixel(-10, 0), pixel(30, 20), pixel(10, -30), pixel(57, 0)
    assert plan.height[house] == pytest.approx(12.0, abs=1e-3)
    assert plan.height[lake] == plan.height[field] == 0.0
    assert plan.semantic[lake] == SemanticClass.WATER
    assert plan.semantic[field] == SemanticClass.GROUND
    assert plan.semantic[void] == SemanticClass.NONE
    colours = plan.colours()
    assert colours[lake][2] > colours[lake][0] + 0.05  # blue
    assert colours[house].mean() < colours[field].mean() - 0.1  # buildings are dark


def test_dots_are_where_transmitters_stand_in_the_colour_of_their_context(tmp_path):
    made = places.crossing(20.0, reach_m=80.0)
    spots = [(-60.0, 0.0), (60.0, 0.0), (0.0, 60.0), (0.0, -30.0)]
    draw_transmitters(made, at(*spots, context="junction"), tmp_path / "map.png")
    pixels = picture(tmp_path / "map.png")
    found = blobs(pixels, _COLOURS["junction"])
    dots = found[found[:, 0] < pixels.shape[0] - 160]  # not the legend's
    rows, columns = dots.T
    metre = (columns.max() - columns.min()) / 120.0
    assert metre == pytest.approx(1472 / (160 * 1.08), rel=0.05)  # 9.2 inches at 160 dpi
    middle = columns.mean()
    for x, y in spots:
        row = rows.min() + (60.0 - y) * metre
        assert np.hypot(columns - middle - x * metre, rows - row).min() < 1.5 * metre
    assert len(blobs(pixels, _COLOURS["square"])) == 0
    assert len(found) > len(dots)


@pytest.mark.parametrize(
    "made", [bundle(ground(30)), places.blocks((0, 0, 300, 5)), places.blocks((0, 0, 5, 300))]
)
def test_any_scene_has_a_map_of_sane_shape(made, tmp_path):
    path = draw_transmitters(made, at((1.0, -3.0), context="given"), tmp_path / "map.png")
    height, width, _ = picture(path).shape
    assert width == 1600
    assert 700 < height < 4200


def test_the_same_map_has_the_same_bytes(tmp_path):
    made = places.street(14.0)
    files = [draw_transmitters(made, at((0, 0)), tmp_path / f"{i}.png") for i in range(2)]
    assert files[0].read_bytes() == files[1].read_bytes()
