"""City generation: seconds, and how they grow with the area."""

from __future__ import annotations

import math

from benchmarks.clock import Row, median_seconds
from vasgen.citygen import CityConfig, generate


def measure() -> list[Row]:
    """All densities at 500 m, and downtown from 0.06 to 1 square kilometre."""
    rows = []
    for density in ("downtown", "mix", "margin"):
        bundle = generate(CityConfig(density=density)).to_bundle()
        seconds = median_seconds(lambda d=density: generate(CityConfig(density=d)).to_bundle(), 3)
        note = f"{bundle.num_triangles} triangles; target 5 s"
        rows.append(Row(f"{density}, 500 m x 500 m", f"{seconds:.2f} s", note=note))
    small, large = (
        median_seconds(lambda s=size: generate(CityConfig(size_m=s)).to_bundle(), 3)
        for size in (250.0, 1000.0)
    )
    power = math.log(large / small) / math.log(16)
    rows.append(
        Row("downtown, 1 km x 1 km", f"{large:.2f} s", note=f"time grows as area^{power:.2f}")
    )
    return rows
