"""Draw the power patterns of SynthRM's antennas, and of an 8x4 array steered and tilted."""

import sys
from pathlib import Path

from vasgen.antenna import ANTENNAS, Antenna
from vasgen.datasets.lobes import draw_patterns
from vasgen.transmitter import Transmitter
from vasgen.vas.scene.power_pattern import power_patterns

OUT = Path(sys.argv[1] if len(sys.argv) > 1 else "out")

SYNTHRM = [
    Transmitter("SISO", (0, 0, 0), antenna=ANTENNAS["siso"]),
    Transmitter("4x4 MIMO", (0, 0, 0), antenna=ANTENNAS["4x4"]),
    Transmitter("8x4 MIMO", (0, 0, 0), antenna=ANTENNAS["8x4"]),
]
PANEL = {"rows": 8, "columns": 4, "pattern": "tr38901", "polarization": "cross"}
STATION = [
    Transmitter("dipole", (0, 0, 0), antenna=Antenna(pattern="hw_dipole")),
    Transmitter("sector", (0, 0, 0), antenna=Antenna(**PANEL)),
    Transmitter(
        "sector, tilted and steered",
        (0, 0, 0),
        orientation_deg=(0, 10, 0),
        antenna=Antenna(**PANEL, steer_deg=(-35, -5)),
    ),
]

for name, transmitters in (("antennas.png", SYNTHRM), ("sectors.png", STATION)):
    patterns = power_patterns(transmitters)
    draw_patterns(patterns, transmitters, OUT / name)
    for transmitter, mean in zip(transmitters, patterns.mean(), strict=True):
        print(f"{transmitter.name}: mean gain over the sphere {mean:.2f}")
