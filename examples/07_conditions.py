"""Draw the picture of docs/render.md: one view at noon, in the evening, at night, in fog, moving.

python examples/07_conditions.py [FILE.jpg]
"""

import datetime
import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from vasgen.camera import Camera
from vasgen.citygen import City, CityConfig, generate
from vasgen.conditions import Conditions, sample_conditions
from vasgen.render import Renderer, to_display
from vasgen.render_spec import RenderSpec
from vasgen.sun import sun_position

OUT = Path(sys.argv[1] if len(sys.argv) > 1 else "out/conditions.jpg")
WIDTH, HEIGHT, GAP = 600, 420, 6
LATITUDE, DAY = 48.0, datetime.date(2026, 6, 21)


def street_camera(city: City) -> tuple[Camera, np.ndarray]:
    """A camera that looks along the longest street, and the street's direction."""
    lines = [line for _, _, line in city.streets.graph.edges(data="line")]
    inside = [line for line in lines if city.land.within(30.0).contains(line)]
    street = max(inside, key=lambda line: line.length)
    here, there = (np.array(street.interpolate(s, normalized=True).coords[0]) for s in (0.95, 0.3))
    eye, aim = [*here, 7.0], [*there, 17.0]
    along = (there - here) / np.linalg.norm(there - here)
    return Camera.look_at(eye, aim, width=WIDTH, height=HEIGHT, fov_deg=78), along


def at(hour: float, **others: object) -> Conditions:
    """A midsummer hour at 48 degrees north; lamps switch themselves."""
    spec = RenderSpec(latitude_deg=LATITUDE, date=DAY, hour=hour, **others)
    return sample_conditions(spec, 0, "000000")


city = generate(CityConfig("downtown", seed=3, size_m=350))
renderer = Renderer(city.to_bundle(3), RenderSpec(samples_per_pixel=48))
camera, along = street_camera(city)
driving = (12.0 * float(along[0]), 12.0 * float(along[1]), 0.0)
elevation, azimuth = sun_position(LATITUDE, DAY, 15.5)
pictures = {
    "noon": at(12.0, cloud_cover=0.4, cloud_pattern=11),
    "evening": at(19.3, cloud_cover=0.5, cloud_pattern=5),
    "dusk": at(20.5),
    "night": at(23.5),
    "fog, visibility 250 m": at(9.0, visibility_m=250.0),
    "12 m/s, shutter 1/15 s": Conditions(
        elevation, azimuth, velocity_m_s=driving, shutter_s=1 / 15
    ),
}
sheet = Image.new("RGB", (3 * WIDTH + 2 * GAP, 2 * HEIGHT + GAP), "white")
font = ImageFont.load_default(22)
for number, (title, conditions) in enumerate(pictures.items()):
    picture = to_display(renderer.layers(camera, conditions).arrays()["rgb"], conditions)
    x, y = number % 3 * (WIDTH + GAP), number // 3 * (HEIGHT + GAP)
    sheet.paste(Image.fromarray(picture), (x, y))
    text = {"font": font, "stroke_width": 2, "stroke_fill": "black"}
    ImageDraw.Draw(sheet).text((x + 14, y + HEIGHT - 38), title, **text)
    print(f"{title}: {conditions.in_words()}", flush=True)
OUT.parent.mkdir(parents=True, exist_ok=True)
sheet.save(OUT, quality=84)
