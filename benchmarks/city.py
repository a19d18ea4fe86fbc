"""City generation: seconds, memory and triangles, how they grow, and what others need."""

from __future__ import annotations

import dataclasses
import inspect
import json
import math
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import trimesh

from benchmarks.clock import Row, median_seconds
from vasgen.citygen import City, CityConfig, generate
from vasgen.citygen import city as city_module
from vasgen.citygen.config import LODS, Lod
from vasgen.citygen.exporters import FORMATS
from vasgen.citygen.profiles import DENSITIES

_KM = 1000.0


def measure() -> list[Row]:
    """A square kilometre of every density and level of detail, stages, growth, peers."""
    rows = [
        _row_of(density, lod, apart(density, lod, _KM)) for density in DENSITIES for lod in LODS
    ]
    rows += _stages()
    rows += _growth((1.0, 4.0))
    rows += _prisms()
    rows += _exports()
    return rows


def measure_large() -> list[Row]:
    """From one to 25 square kilometres."""
    return _growth((1.0, 4.0, 9.0, 25.0))


def apart(density: str, lod: int, size_m: float) -> dict[str, float]:
    """Figures of one city, made in a process of its own so that its memory is its own."""
    call = f"from benchmarks.city import report; report({density!r}, {lod}, {size_m})"
    run = subprocess.run([sys.executable, "-c", call], capture_output=True, text=True, check=True)
    return dict(json.loads(run.stdout))


def report(density: Any, lod: Lod, size_m: float) -> None:
    """Print the figures of one city as JSON; for :func:`apart`."""
    before = _peak_mb()
    start = time.perf_counter()
    city = generate(CityConfig(density, size_m=size_m))
    made = time.perf_counter()
    surface = city.mesh(lod)
    meshed = time.perf_counter()
    count = len(city.buildings)
    buildings = int(np.count_nonzero((surface.instance > 0) & (surface.instance <= count)))
    props = int(np.count_nonzero(surface.instance >= city.first_prop_id))
    figures = {
        "generate_s": made - start,
        "mesh_s": meshed - made,
        "peak_mb": _peak_mb(),
        "import_mb": before,
        "buildings": count,
        "on_buildings": buildings,
        "on_props": props,
        "on_ground": len(surface.faces) - buildings - props,
    }
    print(json.dumps(figures))


def _peak_mb() -> float:
    """Highest memory of this process so far, megabytes."""
    # Not getrusage: Linux hands a parent's peak on to the process it starts.
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1e3


def _row_of(density: str, lod: int, found: dict[str, float]) -> Row:
    total = found["on_buildings"] + found["on_ground"] + found["on_props"]
    return Row(
        f"{density}, 1 km², level of detail {lod}",
        f"{found['generate_s']:.2f} + {found['mesh_s']:.2f} s",
        note=(
            f"generate + mesh; peak {found['peak_mb']:.0f} MB ({found['import_mb']:.0f} imports); "
            f"{total / 1e6:.2f} M triangles: buildings {found['on_buildings'] / 1e6:.2f} "
            f"({found['on_buildings'] / found['buildings']:.0f} each of "
            f"{found['buildings']:.0f}), ground {found['on_ground'] / 1e6:.2f}, "
            f"props {found['on_props'] / 1e6:.2f}"
        ),
    )


def _stages() -> list[Row]:
    """Seconds in each module that ``generate`` calls, and in the mesh."""
    with _timed_stages() as seconds:
        city = generate(CityConfig(size_m=_KM))
    total = sum(seconds.values())
    start = time.perf_counter()
    city.mesh(2)
    meshed = time.perf_counter() - start
    rows = [
        Row(f"  stage: {name}", f"{spent:.2f} s", note=f"{spent / total:.0%} of generate")
        for name, spent in sorted(seconds.items(), key=lambda item: -item[1])
        if spent >= 0.01 * total
    ]
    return [*rows, Row("  stage: mesh(2)", f"{meshed:.2f} s")]


@contextmanager
def _timed_stages() -> Iterator[dict[str, float]]:
    """Count the seconds of every function that ``generate`` calls, by its module."""
    seconds: dict[str, float] = {}
    names = [
        name
        for name in generate.__code__.co_names
        if inspect.isfunction(getattr(city_module, name, None))
    ]
    originals = {name: getattr(city_module, name) for name in names}

    def timed(function: Callable[..., Any]) -> Callable[..., Any]:
        stage = function.__module__.rpartition(".")[2]

        def call(*args: Any, **kwargs: Any) -> Any:
            start = time.perf_counter()
            try:
                return function(*args, **kwargs)
            finally:
                seconds[stage] = seconds.get(stage, 0.0) + time.perf_counter() - start

        return call

    try:
        for name, function in originals.items():
            setattr(city_module, name, timed(function))
        yield seconds
    finally:
        for name, function in originals.items():
            setattr(city_module, name, function)


def _growth(areas_km2: tuple[float, ...]) -> list[Row]:
    """Seconds and memory of downtown against its area, with the fitted power."""
    found = [apart("downtown", 2, _KM * math.sqrt(area)) for area in areas_km2]
    rows = [
        Row(
            f"downtown, {area:g} km², level of detail 2",
            f"{one['generate_s'] + one['mesh_s']:.1f} s",
            note=f"peak {one['peak_mb'] / 1e3:.2f} GB; {one['buildings']:.0f} buildings",
        )
        for area, one in zip(areas_km2, found, strict=True)
    ]
    log = np.log(areas_km2)
    seconds = [one["generate_s"] + one["mesh_s"] for one in found]
    memory = [one["peak_mb"] - one["import_mb"] for one in found]
    powers = [np.polyfit(log, np.log(values), 1)[0] for values in (seconds, memory)]
    return [
        *rows,
        Row("  growth", f"area^{powers[0]:.2f}", note=f"peak memory grows as area^{powers[1]:.2f}"),
    ]


def _prisms() -> list[Row]:
    """Level of detail 1 beside what a script does: extrude each footprint, then join them."""
    city = generate(CityConfig(size_m=_KM))
    ours = median_seconds(lambda: _fresh(city).mesh(1), 3)
    peer = median_seconds(lambda: _extruded(city), 3)
    return [
        Row(
            f"prisms of {len(city.buildings)} buildings",
            f"{ours:.2f} s",
            f"{peer:.2f} s",
            f"{peer / ours:.1f} x: trimesh extrude_polygon and concatenate; ours has the ground, "
            "props and labels too",
        )
    ]


def _fresh(city: City) -> City:
    """The city without the meshes it holds."""
    return dataclasses.replace(city)


def _extruded(city: City) -> trimesh.Trimesh:
    return trimesh.util.concatenate(
        [
            trimesh.creation.extrude_polygon(building.footprint, building.height_m)
            for building in city.buildings
        ]
    )


def _exports() -> list[Row]:
    """Seconds and size of every format, downtown of 500 m at level of detail 2."""
    city = generate(CityConfig(size_m=500.0))
    city.mesh()
    rows = []
    for name, write in FORMATS.items():
        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder) / f"city{write.suffix}"
            seconds = median_seconds(lambda w=write, t=target: w(city, t), 1)
            size = sum(f.stat().st_size for f in Path(folder).rglob("*") if f.is_file())
        rows.append(Row(f"export, 500 m, {name}", f"{seconds:.2f} s", note=f"{size / 1e6:.1f} MB"))
    return rows
