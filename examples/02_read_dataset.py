"""Read a dataset: run `make demo` first, or name another dataset."""

import sys

import numpy as np

import vasgen.datasets

dataset = vasgen.datasets.open(sys.argv[1] if len(sys.argv) > 1 else "out/quickstart")
for sample in dataset:
    gain = sample.radio.path_gain_db
    lit = sample.radio.line_of_sight
    reached = sample.radio.reached
    print(
        f"view {sample.name}: {reached.mean():.0%} of pixels and transmitters reached, "
        f"{lit.mean():.0%} in line of sight, median gain {np.median(gain[reached]):.0f} dB"
    )
