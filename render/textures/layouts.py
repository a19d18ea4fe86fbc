"""The layouts of facades: what a variant of a recipe chooses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from vasgen.render.textures.openings import (
    CELLS,
    DARK,
    STONE,
    TIMBER,
    WHITE,
    Colour,
    Facade,
    Opening,
)

Random = np.random.Generator


def layout(recipe: str, random: Random) -> Facade:
    """The layout that a variant of a recipe gets."""
    return _LAYOUTS[recipe](random)


def _pick(random: Random, *choices: Colour) -> Colour:
    return choices[int(random.integers(len(choices)))]


def _rhythm(random: Random) -> tuple[int, ...]:
    patterns = (
        *("00000000", "01010101", "00010001", "00110011", "01100110"),
        *("00100100", "00001111", "01111110", "00011000", "01001001"),
    )
    return tuple(int(kind) for kind in patterns[int(random.integers(len(patterns)))])


def _punched(random: Random, trim: float) -> tuple[Opening, ...]:
    """One or two upright windows in a bay."""
    height = (float(random.uniform(0.24, 0.32)), float(random.uniform(0.80, 0.88)))
    window = Opening(
        (0.0, 1.0),
        height,
        panes=(int(random.integers(1, 3)), int(random.integers(1, 4))),
        sill=0.025 + 0.02 * float(random.random()),
        lintel=trim * float(random.integers(0, 2)),
        surround=trim * 0.8 * float(random.random() < 0.4),
        shutter=0.12 * float(random.random() < 0.3),
    )
    if random.random() < 0.35:
        half, window = float(random.uniform(0.14, 0.17)), replace(window, shutter=0.0)
        return tuple(replace(window, u=(at - half, at + half)) for at in (0.27, 0.73))
    half = float(random.uniform(0.17, 0.27))
    return (replace(window, u=(0.5 - half, 0.5 + half)),)


def _shop(random: Random) -> tuple[Opening, ...]:
    """A shop window over the whole bay, with a sign board above."""
    return (
        Opening(
            (0.05, 0.95),
            (0.10, 0.74),
            panes=(int(random.integers(2, 4)), 1),
            frame=0.022,
            board=(0.76, 0.92),
        ),
    )


def _door(random: Random) -> tuple[Opening, ...]:
    """A door beside a window."""
    return (
        Opening((0.12, 0.40), (0.0, 0.70), panes=(1, 2), frame=0.05, surround=0.03),
        Opening((0.52, 0.90), (0.28, 0.74), panes=(2, 1), sill=0.03),
    )


def _brick(random: Random) -> Facade:
    upper = (_punched(random, 0.06), _punched(random, 0.06))
    shops = random.random() < 0.6
    return Facade(
        upper,
        (_shop(random) if shops else upper[0], _door(random)),
        _rhythm(random),
        frame=_pick(random, WHITE, DARK, (0.10, 0.14, 0.11)),
        trim=_pick(random, STONE, (0.62, 0.58, 0.50), (0.34, 0.30, 0.26)),
        shutter=_pick(random, (0.06, 0.10, 0.08), DARK, (0.22, 0.06, 0.05)),
        cornice=0.07 * float(random.random() < 0.6),
        course=0.035 * float(random.random() < 0.35),
    )


def _plaster(random: Random) -> Facade:
    upper = (_punched(random, 0.04), _punched(random, 0.04))
    french = (Opening((0.32, 0.68), (0.03, 0.80), panes=(2, 1), surround=0.02),)
    ground = (_shop(random), _door(random)) if random.random() < 0.4 else (upper[0], _door(random))
    return Facade(
        (upper[0], french if random.random() < 0.4 else upper[1]),
        ground,
        _rhythm(random),
        frame=_pick(random, WHITE, TIMBER, (0.30, 0.31, 0.32)),
        trim=_pick(random, WHITE, STONE, (0.60, 0.57, 0.50)),
        shutter=_pick(random, (0.10, 0.18, 0.14), TIMBER, (0.16, 0.20, 0.26), (0.40, 0.38, 0.33)),
        cornice=0.06 * float(random.random() < 0.5),
        course=0.04 * float(random.random() < 0.3),
    )


def _concrete(random: Random) -> Facade:
    low, high = float(random.uniform(0.26, 0.36)), float(random.uniform(0.78, 0.86))
    ribbon = (Opening((-0.01, 1.01), (low, high), panes=(int(random.integers(2, 4)), 1)),)
    square = (Opening((0.14, 0.86), (low, high), panes=(int(random.integers(2, 4)), 1), sill=0.02),)
    slots = tuple(
        Opening((at - 0.09, at + 0.09), (0.12, 0.90), panes=(1, 2)) for at in (0.2, 0.5, 0.8)
    )
    upper = (ribbon, square, slots)[int(random.integers(3))]
    kinds = (upper, square if upper is slots else upper)
    return Facade(
        kinds,
        (_shop(random), _shop(random), _door(random)),
        _rhythm(random),
        frame=_pick(random, DARK, (0.35, 0.36, 0.37), (0.20, 0.16, 0.11)),
        trim=_pick(random, STONE, (0.30, 0.30, 0.30)),
        cornice=0.05 * float(random.random() < 0.4),
    )


def _glass(random: Random) -> Facade:
    columns = int(random.integers(2, 4))
    slab = float(random.choice([0.0, 0.18, 0.26]))
    upper = (Opening((-0.01, 1.01), (slab, 1.01), panes=(columns, 1), frame=0.022),)
    if random.random() < 0.4:
        upper = (Opening((0.0, 1.0), (slab, 1.0), panes=(columns, 2), frame=0.016),)
    lobby = (Opening((0.06, 0.94), (0.0, 0.88), panes=(2, 1), frame=0.02),)
    return Facade(
        (upper,),
        (lobby,),
        _rhythm(random),
        frame=_pick(random, DARK, (0.42, 0.43, 0.44), (0.14, 0.14, 0.15)),
        tint=None,
    )


def _shed(random: Random) -> Facade:
    strip = (Opening((-0.01, 1.01), (0.62, 0.86), panes=(3, 1)),)
    gate = (Opening((0.08, 0.92), (0.0, 0.85), panes=(1, 6), frame=0.012),)
    door = (Opening((0.40, 0.62), (0.0, 0.62), frame=0.03),)
    upper = (strip, ()) if random.random() < 0.6 else ((), ())
    return Facade(
        upper,
        (gate, (), door),
        tuple(int(k) for k in random.choice([0, 1, 1, 1, 2], CELLS)),
        frame=(0.30, 0.31, 0.32),
        tint=(0.10, 0.12, 0.13),
    )


_LAYOUTS: dict[str, Callable[[Random], Facade]] = {
    "facade-brick": _brick,
    "facade-plaster": _plaster,
    "facade-concrete": _concrete,
    "facade-glass": _glass,
    "facade-shed": _shed,
}
