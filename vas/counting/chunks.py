"""Chunks: how the rays of a transmitter are split, and when their sum is looked at.

The plan follows from the settings alone. A map's label would otherwise depend on the maps
that are made with it.
"""

from __future__ import annotations

from collections.abc import Iterator

from vasgen.spec import RadioSpec

#: Rays of one chunk: bounds the memory of their states to a gigabyte, and their number to
#: what 32 bits can count.
_MOST_RAYS = 8_000_000

#: Rays before a map's error is looked at for the first time.
_FIRST_LOOK = 250_000


def checkpoints(spec: RadioSpec) -> Iterator[int]:
    """Rays shot when the maps are compared with the target; the budget is the last.

    They double. Whoever stops when the estimated error is small prefers runs that look
    luckier than they are; a few looks at a median over many pixels leave little room for it.
    A larger budget only adds checkpoints, so it does not change a map that met its target.
    """
    rays = _FIRST_LOOK
    while spec.target_db is not None and rays < spec.rays:
        yield rays
        rays *= 2
    yield spec.rays


def chunk_sizes(rays: int, spec: RadioSpec) -> Iterator[int]:
    """The chunks of a number of rays: at least ``spec.chunks``, as even as can be."""
    calls = min(rays, max(spec.chunks, -(-rays // _MOST_RAYS)))
    for call in range(calls):
        yield rays * (call + 1) // calls - rays * call // calls
