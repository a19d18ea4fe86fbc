"""The same configuration is the same bytes: in every process, on every machine, ever after."""

import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.citygen.golden import FILE

ROOT = Path(__file__).parents[2]

#: What other machines compute differently in the last digit: vector units in numpy, kernels
#: in its linear algebra, and the C library's sines; and the order of Python's sets.
_PLAIN_CPU = {
    "NPY_DISABLE_CPU_FEATURES": " ".join(
        np.show_config(mode="dicts")["SIMD Extensions"].get("found", [])
    ),
    "OPENBLAS_CORETYPE": "Nehalem",
    "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2_Usable,-FMA_Usable,-AVX2,-FMA,-AVX512F",
    "PYTHONHASHSEED": "77",
}


def hashes(extra):
    command = [sys.executable, "-m", "tests.citygen.golden", "show"]
    run = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **extra}, capture_output=True, text=True, check=True
    )
    return json.loads(run.stdout)


def differing(found):
    expected = json.loads(FILE.read_text())
    return [name for name in expected if found.get(name) != expected[name]]


def test_cities_have_the_hashes_they_always_had():
    assert differing(hashes({"PYTHONHASHSEED": "1"})) == []


@pytest.mark.skipif(platform.machine() != "x86_64", reason="names of x86 instruction sets")
def test_a_machine_without_wide_vectors_makes_the_same_cities():
    assert differing(hashes(_PLAIN_CPU)) == []
