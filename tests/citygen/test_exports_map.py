"""Plans: pixels of the PNG, and the SVG as svgelements and an XML parser read it."""

from xml.etree import ElementTree

import numpy as np
import pytest
import shapely
import svgelements
from PIL import Image

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


def to_metres(points, size_m):
    """Points of the SVG, in its own units, as metres of the city."""
    x, y = np.array(points).T
    scale = size_m / (0.92 * WIDTH_PX)
    east = (x - 0.04 * WIDTH_PX) * scale - size_m / 2
    north = (HEIGHT_PX * (1 - 0.085) - y) * scale - size_m / 2
    return np.column_stack([east, north])


def test_the_svg_is_the_plan_to_scale(make_city, tmp_path):
    city = make_city("mix", 0)
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
        rings = [to_metres(ring, city.config.size_m) for ring in rings if len(set(ring)) > 2]
        outlines.append(shapely.Polygon(rings[0], rings[1:]).buffer(0))
    drawn = shapely.union_all(outlines)
    view = shapely.box(-150, -150, 150, 150)
    built = shapely.union_all([building.footprint for building in city.buildings])
    wrong = shapely.symmetric_difference(drawn.intersection(view), built.intersection(view))
    assert wrong.area < 0.01 * built.area


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
