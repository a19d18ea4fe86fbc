"""Keyed randomness: every object draws from its own stream.

A stream is addressed by the seed and the path of the object it belongs to, so
adding a tree never moves a road: ``stream(seed, "lot", 17, "roof")``.
"""

from __future__ import annotations

import hashlib

import numpy as np


def key(seed: int, *path: object) -> int:
    """A 128-bit key for an object path, the same on every machine and run."""
    text = "/".join([str(seed), *map(str, path)])
    encoded = text.encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(encoded, digest_size=16).digest(), "little")


def stream(seed: int, *path: object) -> np.random.Generator:
    """An independent random generator for the object at ``path``.

    Args:
        seed: the user's seed.
        path: names and numbers that identify the object, e.g. ``"block", 3``.
    """
    return np.random.Generator(np.random.PCG64(key(seed, *path)))
