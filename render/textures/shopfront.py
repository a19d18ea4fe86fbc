"""Shop fronts: sign boards with names, and awnings."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vasgen.render.textures.lettering import name, written
from vasgen.render.textures.noise import mix

Float = NDArray[np.float32]
Random = np.random.Generator

#: Boards and awnings (linear RGB), and the letters that go with dark and with light ones.
_BOARDS = np.array(
    [
        (0.40, 0.03, 0.03),
        (0.02, 0.10, 0.30),
        (0.02, 0.16, 0.08),
        (0.62, 0.40, 0.03),
        (0.02, 0.02, 0.022),
        (0.66, 0.64, 0.58),
        (0.10, 0.24, 0.28),
        (0.30, 0.07, 0.20),
        (0.14, 0.07, 0.035),
        (0.55, 0.18, 0.02),
        (0.20, 0.32, 0.10),
        (0.34, 0.35, 0.36),
    ],
    np.float32,
)
_LIGHT_LETTERS = ((0.80, 0.79, 0.74), (0.80, 0.62, 0.16), (0.78, 0.72, 0.55))
_DARK_LETTERS = ((0.02, 0.02, 0.02), (0.35, 0.02, 0.02), (0.02, 0.06, 0.25))


class Shop(NamedTuple):
    """How a shop shows itself: colours (3,) of board and letters, its name and its awning."""

    board: Float
    letters: Float
    name: str
    trade: str
    awning: str


def shop(random: Random) -> Shop:
    """A shop. Its awning is "none", "plain" or "striped"."""
    board = _BOARDS[random.integers(len(_BOARDS))] * np.float32(random.uniform(0.8, 1.1))
    choices = _LIGHT_LETTERS if board.mean() < 0.3 else _DARK_LETTERS
    letters = np.array(choices[int(random.integers(len(choices)))], np.float32)
    awning = ("none", "none", "plain", "striped")[int(random.integers(4))]
    return Shop(board, letters, name(random), name(random), awning)


def sign(kept: Shop, shape: tuple[int, int], main: bool, random: Random) -> Float:
    """The board over a bay, (rows, columns, 3): the name, or beside it what there is to buy."""
    rows = shape[0]
    board = np.broadcast_to(kept.board, (*shape, 3))
    rim = np.ones(shape, np.float32)
    border = max(1, rows // 14)
    rim[border:-border] = 0
    board = mix(board, 0.6 * kept.board, rim[..., None])
    # Letters about as wide as high, on a board four times as long.
    text, share, low = (kept.name, 0.062, 0.20) if main else (kept.trade, 0.036, 0.32)
    half = min(0.45, share * len(text))
    cover = written(text, shape, (0.5 - half, 0.5 + half, low, 1 - low), 0.6)
    colour = mix(board, kept.letters, cover[..., None])
    return np.asarray(colour * (1 + 0.02 * random.standard_normal(shape))[..., None], np.float32)


def awning(kept: Shop, count: int, low: float, high: float) -> tuple[Float, Float]:
    """Cloth over a shop window, (count, count, 3), and its coverage; it ends in a valance."""
    u = ((np.arange(count) + 0.5) / count)[None]
    v = ((np.arange(count) + 0.5) / count)[:, None]
    hem = low + 0.02 * np.abs(np.sin(u * 8 * np.pi))
    cover = ((v > hem) & (v < high)).astype(np.float32)
    stripes = (np.floor(u * 16) % 2 == 0) & (kept.awning == "striped")
    cloth = np.where(stripes[..., None], np.float32(0.68), kept.board * 1.1 + 0.02)
    # The slope is lit from above, the valance hangs.
    slope = np.where(v < low + 0.06, 0.62, 0.8 + 0.3 * (v - low) / max(high - low, 1e-3))
    return np.asarray(cloth * slope[..., None], np.float32), cover * (kept.awning != "none")
