"""The hashes that cities must have on every machine.

``python -m tests.citygen.golden`` writes them anew, after a change that is meant to change
cities; ``python -m tests.citygen.golden show`` prints them.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tests.citygen.cities import TABLE
from vasgen.citygen import generate
from vasgen.citygen.config import LODS

FILE = Path(__file__).with_suffix(".json")

#: Which of the table: every kind of extra, density and pattern.
NUMBERS = (*range(14), 35, 40, 41, 61)


def compute() -> dict[str, list[str]]:
    """Content hashes by city, one for each level of detail."""
    return {TABLE[number][0]: _hashes(number) for number in NUMBERS}


def _hashes(number: int) -> list[str]:
    city = generate(TABLE[number][1])
    return [city.to_bundle(lod).content_hash for lod in LODS]


if __name__ == "__main__":
    text = json.dumps(compute(), indent=1) + "\n"
    if sys.argv[1:] == ["show"]:
        sys.stdout.write(text)
    else:
        FILE.write_text(text)
