"""Pictures and image layers of downtown, 640 x 480, beside stock Mitsuba."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.clock import Row, median_seconds
from vasgen import runtime
from vasgen.bundle import SceneBundle
from vasgen.camera import Camera
from vasgen.citygen import CityConfig, generate
from vasgen.orchestrate import plan_views
from vasgen.render import Renderer
from vasgen.spec import RenderSpec, ViewsSpec


def downtown() -> tuple[SceneBundle, list[Camera]]:
    """The city and views that all benchmarks use."""
    bundle = generate(CityConfig()).to_bundle()
    return bundle, plan_views(bundle, ViewsSpec(), 0)


def measure() -> list[Row]:
    """Geometric layers, then the picture."""
    bundle, cameras = downtown()
    spec = RenderSpec()
    renderer = Renderer(bundle, spec)
    camera = cameras[0]
    layers = median_seconds(lambda: renderer.layers(camera, rgb=False))
    picture = median_seconds(lambda: renderer.layers(camera), 3)
    with runtime.colour_variant() as mi:
        stock_layers = median_seconds(lambda: _aov(mi, bundle, camera))
        scene = _scene(mi, bundle, camera, "path")
        stock_picture = median_seconds(
            lambda: np.array(mi.render(scene, spp=spec.samples_per_pixel)), 2
        )
    return [
        Row(
            "image layers without rgb",
            f"{layers:.3f} s",
            f"{stock_layers:.3f} s",
            f"{stock_layers / layers:.1f} x: AOV integrator, scene reloaded a view; target 0.3 s",
        ),
        Row(
            f"picture, {spec.samples_per_pixel} paths a pixel, denoised",
            f"{picture:.2f} s",
            f"{stock_picture:.2f} s",
            f"{stock_picture / picture:.1f} x: path integrator, untextured, not denoised",
        ),
    ]


def _aov(mi: Any, bundle: SceneBundle, camera: Camera) -> Any:
    """What a script does that loads the scene for each view."""
    return np.array(mi.render(_scene(mi, bundle, camera, "aov"), spp=1))


def _scene(mi: Any, bundle: SceneBundle, camera: Camera, integrator: str) -> Any:
    triangles = bundle.face_table.triangles.astype(np.float32)
    mesh = mi.Mesh("city", 3 * len(triangles), len(triangles))
    parameters = mi.traverse(mesh)
    parameters["vertex_positions"] = triangles.ravel()
    parameters["faces"] = np.arange(3 * len(triangles), dtype=np.uint32)
    parameters.update()
    field = 2 * np.degrees(np.arctan(0.5 * camera.width / camera.intrinsics[0, 0]))
    look = mi.ScalarTransform4f().look_at(
        camera.position.tolist(), (camera.position + camera.forward).tolist(), [0, 0, 1]
    )
    kinds = {
        "path": {"type": "path", "max_depth": 5},
        "aov": {"type": "aov", "aovs": "p:position,n:geo_normal,a:albedo,i:prim_index"},
    }
    return mi.load_dict(
        {
            "type": "scene",
            "integrator": kinds[integrator],
            "sensor": {
                "type": "perspective",
                "fov": float(field),
                "to_world": look,
                "film": {"type": "hdrfilm", "width": camera.width, "height": camera.height},
            },
            "sky": {"type": "sunsky", "sun_direction": [-0.5, -0.6, 0.6]},
            "city": mesh,
        }
    )
