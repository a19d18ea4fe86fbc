"""Generate a city without any ray tracer, and look at its numbers and its plan."""

from pathlib import Path

from vasgen.citygen import CityConfig, generate
from vasgen.citygen.exporters import export

out = Path("out/example-city")
city = generate(CityConfig(density="mix", seed=7, size_m=400))
city.to_bundle().save(out)
export(city, out, ["glb", "png", "geojson"])
print(city.morphology())
print(f"{len(city.buildings)} buildings, hash {city.content_hash[:16]}, in {out}")
