"""Pictures and image layers of a square kilometre of downtown, beside Mitsuba loaded anew."""

from __future__ import annotations

import datetime
import resource
import time
from itertools import count
from typing import Any

import numpy as np

from benchmarks.clock import Row, median_seconds
from vasgen import runtime
from vasgen.bundle import SceneBundle
from vasgen.camera import Camera
from vasgen.citygen import CityConfig, generate
from vasgen.conditions import Conditions, sample_conditions
from vasgen.orchestrate import plan_views
from vasgen.render import Renderer, to_display
from vasgen.spec import RenderSpec, ViewsSpec

#: Every view has an hour of its own.
_HOURS = RenderSpec(latitude_deg=48.0, date=datetime.date(2026, 4, 10), hour=(4.0, 21.0))


def downtown(size_m: float = 500.0) -> tuple[SceneBundle, list[Camera]]:
    """The city and views that benchmarks use."""
    bundle = generate(CityConfig(size_m=size_m)).to_bundle()
    return bundle, plan_views(bundle, ViewsSpec(), 0)


def measure(size_m: float = 1000.0) -> list[Row]:
    """Loading, geometric layers, pictures, memory; and the same by Mitsuba alone."""
    bundle, cameras = downtown(size_m)
    camera, spec = cameras[0], RenderSpec()
    start = time.perf_counter()
    renderer = Renderer(bundle, spec)
    loading = time.perf_counter() - start
    start = time.perf_counter()
    _picture(renderer, camera, Conditions())
    first = time.perf_counter() - start
    layers = median_seconds(lambda: renderer.layers(camera, rgb=False))
    picture = median_seconds(lambda: _picture(renderer, camera, Conditions()), 3)
    views = count()

    def own_hour() -> None:
        light = sample_conditions(_HOURS, 0, str(next(views)))
        _picture(renderer, camera, light)

    hourly = median_seconds(own_hour, 5)
    # Before Mitsuba alone is asked for the same: its memory is not ours.
    peak_gb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    with runtime.colour_variant() as mi:
        plain_layers = median_seconds(lambda: _aov(mi, bundle, camera), 3)
        plain = median_seconds(lambda: _path(mi, bundle, camera, spec), 2)
    return [
        Row("triangles", f"{len(bundle.face_table.semantic):,}", note=f"{size_m:g} m downtown"),
        Row("load the scene, once", f"{loading:.1f} s", note="with its textures"),
        Row("the first picture", f"{first:.1f} s", note="with the kernels, once a scene"),
        Row(
            "image layers without rgb, a view",
            f"{layers:.3f} s",
            f"{plain_layers:.3f} s",
            f"{plain_layers / layers:.1f} x: AOV integrator, scene reloaded a view; target 0.2 s",
        ),
        Row(
            f"all layers with display rgb, {spec.samples_per_pixel} paths a pixel, a view",
            f"{picture:.2f} s",
            f"{plain:.2f} s",
            f"{plain / picture:.1f} x: path integrator, scene reloaded a view, untextured, not "
            "denoised; target 3 s",
        ),
        Row("  the same, each at an hour of its own", f"{hourly:.2f} s"),
        Row("peak memory", f"{peak_gb:.2f} GB", note="with making the city; target 3 GB"),
    ]


def _picture(renderer: Renderer, camera: Camera, light: Conditions) -> Any:
    """What a dataset keeps of a view: all layers, and the picture for a display."""
    image = renderer.layers(camera, light)
    return to_display(image.arrays()["rgb"], light)


def _path(mi: Any, bundle: SceneBundle, camera: Camera, spec: RenderSpec) -> Any:
    """The picture of a script that loads the scene for each view."""
    scene = _scene(mi, bundle, camera, "path")
    return np.array(mi.render(scene, spp=spec.samples_per_pixel))


def _aov(mi: Any, bundle: SceneBundle, camera: Camera) -> Any:
    """Its image layers."""
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
