"""Generate a city without any ray tracer, and look at its numbers and its plan."""

from pathlib import Path

from vasgen.citygen import CityConfig, generate
from vasgen.citygen.export import write_glb
from vasgen.citygen.plan import draw_plan

out = Path("out/example-city")
city = generate(CityConfig(density="mix", seed=7, size_m=400))
city.to_bundle().save(out)
write_glb(city, out / "city.glb")
draw_plan(city, out / "plan.png")
print(city.morphology())
print(f"{len(city.buildings)} buildings, hash {city.content_hash[:16]}, in {out}")
