"""Draw the second picture of docs/render.md: three densities from the air and from the street.

python examples/09_cities.py [FILE.jpg]
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image

from vasgen.camera import Camera
from vasgen.citygen import City, CityConfig, generate
from vasgen.conditions import Conditions
from vasgen.render import Renderer, to_display
from vasgen.render_spec import RenderSpec

OUT = Path(sys.argv[1] if len(sys.argv) > 1 else "out/cities.jpg")
SIZE = {"width": 600, "height": 400}
GAP = 6
LIGHT = Conditions(
    sun_elevation_deg=38.0, sun_azimuth_deg=215.0, cloud_cover=0.35, cloud_pattern=11
)


def from_the_air(city: City) -> Camera:
    """A drone above the city's edge that looks over it to the horizon."""
    x0, y0, x1, y1 = city.land.outline.bounds
    middle, reach = np.array([(x0 + x1) / 2, (y0 + y1) / 2]), (x1 - x0) / 2
    eye = [*(middle + reach * np.array([-0.75, -0.95])), 95.0]
    return Camera.look_at(eye, [*middle, 12.0], fov_deg=62.0, **SIZE)


def from_the_street(city: City) -> Camera:
    """A car's view along the longest street."""
    lines = [line for _, _, line in city.streets.graph.edges(data="line")]
    inside = [line for line in lines if city.land.within(60.0).contains(line)]
    street = max(inside, key=lambda line: line.length)
    here, there = (np.array(street.interpolate(s, normalized=True).coords[0]) for s in (0.1, 0.7))
    return Camera.look_at([*here, 2.6], [*there, 5.0], fov_deg=75.0, **SIZE)


rows: list[list[np.ndarray]] = [[], []]
for density in ("downtown", "mix", "margin"):
    city = generate(CityConfig(density, seed=3, size_m=500))
    renderer = Renderer(city.to_bundle(3), RenderSpec(samples_per_pixel=64))
    for row, camera in zip(rows, (from_the_air(city), from_the_street(city)), strict=True):
        row.append(to_display(renderer.layers(camera, LIGHT).arrays()["rgb"], LIGHT))
        print(f"{density}, {len(rows[1])} of 3", flush=True)
wide, tall = SIZE["width"] + GAP, SIZE["height"] + GAP
sheet = Image.new("RGB", (3 * wide - GAP, 2 * tall - GAP), "white")
for y, row in enumerate(rows):
    for x, picture in enumerate(row):
        sheet.paste(Image.fromarray(picture), (x * wide, y * tall))
OUT.parent.mkdir(parents=True, exist_ok=True)
sheet.save(OUT, quality=86)
