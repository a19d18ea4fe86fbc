"""Findings: what a check says is wrong with a view, and as one line for a person."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vasgen.layers import LayerSpec

Mask = NDArray[np.bool_]


class Finding(NamedTuple):
    """A layer that fails a check.

    Attributes:
        layer: its name.
        message: what is wrong.
        wrong: (..., H, W) bool, the pixels; None if the layer as a whole is wrong.
    """

    layer: str
    message: str
    wrong: Mask | None = None

    @property
    def fails(self) -> bool:
        """Whether anything is wrong: a check yields its mask also if no pixel is."""
        return self.wrong is None or bool(self.wrong.any())


@dataclass(frozen=True)
class Problem:
    """One failed check.

    Attributes:
        view: name of the view; empty for the dataset as a whole.
        layer: name of the layer or file.
        message: what is wrong.
        count: number of wrong pixels; 0 if the layer or file as a whole is wrong.
        first: row and column of the first wrong pixel, after the transmitter's index
            for radio layers; empty if there is none.
    """

    view: str
    layer: str
    message: str
    count: int = 0
    first: tuple[int, ...] = ()

    def __str__(self) -> str:
        return f"view {self.view}: {self.text}" if self.view else self.text

    @property
    def text(self) -> str:
        """The line without the name of the view."""
        line = f"{self.layer}: {self.message}"
        if not self.count:
            return line
        axes = ("transmitter", "row", "column")[-len(self.first) :]
        pixel = " ".join(f"{axis} {i}" for axis, i in zip(axes, self.first, strict=True))
        noun = "pixel" if self.count == 1 else "pixels"
        return f"{line} ({self.count} {noun}, first at {pixel})"


def problem(view: str, finding: Finding) -> Problem:
    """A finding of a view, with the number of wrong pixels and the first of them."""
    if finding.wrong is None:
        return Problem(view, finding.layer, finding.message)
    first = tuple(int(i) for i in np.argwhere(finding.wrong)[0])
    return Problem(view, finding.layer, finding.message, int(finding.wrong.sum()), first)


def sky_findings(
    arrays: dict[str, NDArray[Any]], table: dict[str, LayerSpec], valid: Mask
) -> Iterator[Finding]:
    """Float layers that promise NaN for the sky have it there, and only there."""
    for name, array in arrays.items():
        if array.dtype == np.bool_ and name != "valid":
            yield Finding(name, "true in the sky", array & ~valid)
        if array.dtype != np.float32 or "NaN: sky" not in table[name].meaning:
            continue
        vector = table[name].axes.endswith(" 3")
        nan, infinite = np.isnan(array), np.isinf(array)
        broken = infinite | (nan == valid[..., None] if vector else nan == valid)
        yield Finding(
            name,
            "infinite, or NaN exactly in the sky is broken",
            broken.any(axis=-1) if vector else broken,
        )
