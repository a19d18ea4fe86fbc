"""Draw the pictures of docs/city.md: densities, levels of detail, ITU environments, districts."""

import sys
from pathlib import Path

import numpy as np
from PIL import Image

from vasgen.camera import Camera
from vasgen.citygen import ENVIRONMENTS, City, CityConfig, generate, rings
from vasgen.citygen.charts import draw_morphology
from vasgen.citygen.exporters.map import draw_plan
from vasgen.conditions import Conditions
from vasgen.render import Renderer
from vasgen.render.picture import to_display
from vasgen.render.preview import overview_camera

OUT = Path(sys.argv[1] if len(sys.argv) > 1 else "out/gallery")
LIGHT = Conditions()
SIZE = (720, 480)


def overview(city: City) -> np.ndarray:
    bundle = city.to_bundle()
    camera = overview_camera(bundle, LIGHT, width=SIZE[0], height=SIZE[1])
    return to_display(Renderer(bundle).layers(camera, LIGHT).arrays()["rgb"], LIGHT)


def from_above_a_street(city: City, lod: int) -> np.ndarray:
    """The middle of the longest street, from 14 m above it."""
    lines = [line for _, _, line in city.streets.graph.edges(data="line")]
    inside = [line for line in lines if city.land.within(40.0).contains(line)]
    street = max(inside, key=lambda line: line.length)
    here, there = (np.array(street.interpolate(s, normalized=True).coords[0]) for s in (0.1, 0.6))
    eye, aim = [*here, 14.0], [*there, 6.0]
    camera = Camera.look_at(eye, aim, width=SIZE[0], height=SIZE[1], fov_deg=75.0)
    picture = Renderer(city.to_bundle(lod)).layers(camera, LIGHT).arrays()["rgb"]
    return to_display(picture, LIGHT)


def save(name: str, rows: list[list[np.ndarray]]) -> None:
    gap = np.full((SIZE[1], 8, 3), 255, np.uint8)
    lines = []
    for row in rows:
        parts = [part for picture in row for part in (gap, picture)][1:]
        lines += [np.full((8, sum(p.shape[1] for p in parts), 3), 255, np.uint8), np.hstack(parts)]
    Image.fromarray(np.vstack(lines[1:])).save(OUT / name, quality=85)


OUT.mkdir(parents=True, exist_ok=True)
densities = [
    generate(CityConfig(density, seed=3, size_m=600)) for density in ("downtown", "mix", "margin")
]
save("densities.jpg", [[overview(city) for city in densities]])
save("lods.jpg", [[from_above_a_street(city, lod) for lod in (1, 2, 3)] for city in densities])
names = list(ENVIRONMENTS)
styles = ("margin", "mix", "mix", "downtown")
built = [
    generate(CityConfig(style, seed=5, size_m=700, targets=ENVIRONMENTS[name]))
    for style, name in zip(styles, names, strict=True)
]
pictures = [overview(city) for city in built]
save("environments.jpg", [pictures[:2], pictures[2:]])
draw_morphology(built[1], OUT / "morphology.png")
ringed = CityConfig("margin", seed=1, size_m=1200, districts=rings(("downtown", "mix"), 1200))
plan = draw_plan(generate(ringed), OUT / "districts.png", size_px=1000)
Image.open(plan).convert("RGB").save(plan.with_suffix(".jpg"), quality=85)
hills = generate(CityConfig("mix", seed=4, size_m=600, relief_m=45.0))
save("more.jpg", [[overview(generate(ringed)), overview(hills)]])
