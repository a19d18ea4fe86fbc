"""The command line, and the whole demo."""

from __future__ import annotations

import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.clock import Row, median_seconds

VASGEN = str(Path(sys.executable).parent / "vasgen")


def measure() -> list[Row]:
    """Start-up time."""
    seconds = median_seconds(
        lambda: subprocess.run([VASGEN, "--help"], capture_output=True, check=True)
    )
    return [Row("vasgen --help", f"{seconds:.2f} s", note="target 0.5 s")]


def measure_demo() -> list[Row]:
    """The quickstart dataset from nothing, in a process of its own."""
    folder = tempfile.mkdtemp()
    try:
        command = [VASGEN, "build", "--preset", "quickstart", "--out", f"{folder}/quickstart"]
        start = time.perf_counter()
        subprocess.run(command, capture_output=True, check=True)
        seconds = time.perf_counter() - start
        peak_gb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6
        size_mb = sum(f.stat().st_size for f in Path(folder).rglob("*") if f.is_file()) / 1e6
    finally:
        shutil.rmtree(folder)
    return [
        Row("quickstart, 6 views x 2 transmitters", f"{seconds:.0f} s", note="target 180 s"),
        Row("  peak memory", f"{peak_gb:.2f} GB", note="target 4 GB"),
        Row("  on disk", f"{size_mb:.0f} MB"),
    ]
