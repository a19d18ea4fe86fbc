"""Draw the pictures of docs/cameras.md: three kinds of views, and a drive with its map."""

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from vasgen.camera import Camera
from vasgen.citygen import CityConfig, generate
from vasgen.conditions import Conditions
from vasgen.datasets.layer_pictures import depth_scale_of, paint_layer
from vasgen.orchestrate import Trip, draw_trajectory, plan_trajectory, plan_views
from vasgen.render import Renderer, to_display
from vasgen.spec import RenderSpec, ViewsSpec

OUT = Path(sys.argv[1] if len(sys.argv) > 1 else "out/cameras")
LIGHT = Conditions(sun_elevation_deg=58.0, sun_azimuth_deg=195.0)
GAP = 8

OUT.mkdir(parents=True, exist_ok=True)
scene = generate(CityConfig("downtown", seed=3, size_m=400, lod=3)).to_bundle()
renderer = Renderer(scene, RenderSpec(samples_per_pixel=24))


def picture(camera: Camera) -> np.ndarray:
    return to_display(renderer.layers(camera, LIGHT).arrays()["rgb"], LIGHT)


def grid(rows: Iterable[Sequence[np.ndarray]]) -> np.ndarray:
    """Pictures in rows, with white between them."""
    lines = []
    for row in rows:
        column = np.full((row[0].shape[0], GAP, 3), 255, np.uint8)
        lines.append(np.hstack([part for p in row for part in (column, p)][1:]))
        lines.append(np.full((GAP, lines[-1].shape[1], 3), 255, np.uint8))
    return np.vstack(lines[:-1])


kinds = []
for kind, shown in (("uav", (0, 4)), ("street", (1, 5)), ("pole", (0, 2))):
    views = ViewsSpec(kind=kind, count=6, width=640, height=480)
    cameras = plan_views(scene, views, seed=2)
    kinds.append([picture(cameras[index]) for index in shown])
Image.fromarray(grid(zip(*kinds, strict=True))).save(OUT / "cameras.jpg", quality=88)

trip = Trip(kind="street", seconds=30.0, speed_m_s=10.0, width=480, height=320)
drive = plan_trajectory(scene, trip, seed=1)
draw_trajectory(scene, drive, OUT / "map.png")
frames = [drive.cameras[i] for i in np.linspace(0, len(drive.cameras) - 1, 5).astype(int)]
layers = [renderer.layers(camera, LIGHT) for camera in frames]
scale = depth_scale_of([layer.depth for layer in layers])
rows = []
for layer in layers:
    depth, classes = (
        np.rint(255 * paint_layer(layer, name, scale)).astype(np.uint8)
        for name in ("depth", "semantic")
    )
    rows.append([to_display(layer.arrays()["rgb"], LIGHT), depth, classes])
strip = grid(rows)
with Image.open(OUT / "map.png") as drawn:
    width = round(drawn.width * strip.shape[0] / drawn.height)
    shown = np.asarray(drawn.convert("RGB").resize((width, strip.shape[0])))
sheet = Image.fromarray(grid([[shown, strip]]))
sheet.thumbnail((2000, 2000))
sheet.save(OUT / "trajectory.jpg", quality=85)
