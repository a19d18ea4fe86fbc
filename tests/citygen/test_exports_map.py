"""Plans: pixels of the PNG, and the SVG as svgelements and an XML parser read it."""

from xml.etree import ElementTree

import numpy as np
import pytest
import shapely
import svgelements
from PIL import Image

from vasgen.citygen import CityConfig, generate
from vasgen.citygen.exporters.map import draw_plan
from vasgen.errors import InputError

WIDTH_PX, HEIGHT_PX = 960.0, 1046.4  # of 96 to an inch


def test_the_picture_shows_buildings_in_their_place(make_city, tmp_path, density):
    city = make_city(density, 0)
    path = draw_plan(city, tmp_path / "plan.png", size_px=800)
    picture = np.asarray(Image.open(path).convert("RGB")).astype(int)
    assert picture.shape == pytest.approx((872, 800, 3), abs=1)
    # The map spans 4 % to 96 % of the width; its lower edge is 8.5 % above the picture's.
    scale, left, bottom = 0.92 * 800 / 300.0, 0.04 * 800, 872 - 0.085 * 872

    def is_roof(point):
        x, y = left + (point.x + 150) * scale, bottom - (point.y + 150) * scale
        red, green, _ = picture[int(y), int(x)]
        return red - green > 14 or red < 110

    inside = [b.footprint.representative_point() for b in city.buildings]
    roads = [p.polygon.representative_point() for p in city.ground if p.surface == "road"]
    roads = [point for point in roads if max(abs(point.x), abs(point.y)) < 145]
    assert np.mean([is_roof(point) for point in inside]) > 0.95
    assert np.mean([is_roof(point) for point in roads]) < 0.1


def to_metres(points, size_m, middle):
    """Points of the SVG, in its own units, as metres of the city."""
    x, y = np.array(points).T
    scale = size_m / (0.92 * WIDTH_PX)
    east = (x - 0.04 * WIDTH_PX) * scale - size_m / 2
    north = (HEIGHT_PX * (1 - 0.085) - y) * scale - size_m / 2
    return np.column_stack([east, north]) + middle


#: An outline that neither contains the origin nor is square, and its extents, metres.
AWAY = ((1000.0, -2240.0), (1310.0, -2240.0), (1310.0, -2000.0), (1000.0, -2030.0))
AWAY_X, AWAY_Y = (1000.0, 1310.0), (-2240.0, -2000.0)


@pytest.fixture(scope="module")
def away():
    return generate(CityConfig("mix", 4, boundary=AWAY))


@pytest.mark.parametrize("place", ["around the origin", "away from it"])
def test_the_svg_is_the_plan_to_scale(make_city, away, tmp_path, place):
    city, middle = make_city("mix", 0), (0.0, 0.0)
    if place == "away from it":
        city, middle = away, (np.mean(AWAY_X), np.mean(AWAY_Y))
    drawing = svgelements.SVG.parse(draw_plan(city, tmp_path / "plan.svg"))
    assert (drawing.width, drawing.height) == pytest.approx((WIDTH_PX, HEIGHT_PX), abs=0.1)
    (group,) = drawing.select(lambda element: element.id == "buildings")
    shapes = [part for part in group.select() if isinstance(part, svgelements.Path)]
    outlines = []
    for shape in shapes:
        rings = [
            [(point.x, point.y) for point in svgelements.Path(part).as_points()]
            for part in shape.as_subpaths()
        ]
        rings = [
            to_metres(ring, city.config.extent_m, middle) for ring in rings if len(set(ring)) > 2
        ]
        outlines.append(shapely.Polygon(rings[0], rings[1:]).buffer(0))
    drawn = shapely.union_all(outlines)
    half = city.config.extent_m / 2
    view = shapely.box(*np.subtract(middle, half), *np.add(middle, half))
    built = shapely.union_all([building.footprint for building in city.buildings])
    wrong = shapely.symmetric_difference(drawn.intersection(view), built.intersection(view))
    assert built.area > 1000.0
    assert wrong.area < 0.01 * built.area


def ticks(drawing, axis):
    """Where an axis is labelled, metres; the file's own unit is the point."""
    found = []
    for group in drawing.iter("{http://www.w3.org/2000/svg}g"):
        if (group.get("id") or "").startswith(f"{axis}tick_"):
            mark = next(group.iter("{http://www.w3.org/2000/svg}use"))
            found.append([float(mark.get(key)) * 96 / 72 for key in "xy"])
    return to_metres(found, 310.0, (np.mean(AWAY_X), np.mean(AWAY_Y)))


def test_the_frame_has_world_coordinates_and_the_title_the_extents(away, tmp_path):
    drawing = ElementTree.parse(draw_plan(away, tmp_path / "plan.svg"))
    assert any("310 m × 240 m" in (element.text or "") for element in drawing.iter())
    # The ticks of the frame come first, those of the scale of colours follow.
    assert ticks(drawing, "x")[:5, 0] == pytest.approx(np.arange(1050, 1251, 50), abs=0.1)
    assert ticks(drawing, "y")[:6, 1] == pytest.approx(np.arange(-2250, -1999, 50), abs=0.1)


def test_layers_of_the_svg_have_names(make_city, tmp_path):
    city = make_city("downtown", 0)
    tree = ElementTree.parse(draw_plan(city, tmp_path / "plan.svg"))
    ids = {element.get("id") for element in tree.iter()}
    assert {"ground-road", "ground-pavement", "tree", "buildings"} <= ids


@pytest.mark.parametrize("suffix", [".png", ".svg"])
def test_the_same_city_is_the_same_file(make_city, tmp_path, suffix):
    city = make_city("mix", 2, 137.5)
    one, two = (draw_plan(city, tmp_path / f"{name}{suffix}").read_bytes() for name in ("a", "b"))
    assert one == two
    assert b"<dc:date>" not in one


def test_another_suffix_is_refused(make_city, tmp_path):
    with pytest.raises(InputError, match=r"'\.jpg'; allowed: \.png, \.svg"):
        draw_plan(make_city("mix", 2, 137.5), tmp_path / "plan.jpg")
