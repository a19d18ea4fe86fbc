"""Closed shells from plan pieces: the geometry kernel of the city.

A :class:`Shell` is a plan, cut into :class:`Cell` pieces that share their corners, with a
height at every corner. Where two cells meet at different heights a wall stands between
them; around the outside a wall goes down to the base, and a bottom closes it. So a shell is
watertight and welded by construction, whatever its plan: a gabled house, a tower on its
podium with parapets, or (open, without base) the ground with its kerbs.

``assembly.py`` triangulates the shells of a city, all at once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from vasgen.semantics import SemanticClass

T = TypeVar("T")

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

_UV_DIGITS = 4  # of texture coordinates, in metres, bays or storeys


@dataclass(frozen=True)
class Finish:
    """What a face shows.

    Attributes:
        semantic: its class.
        visual: index into ``materials.PALETTE``.
        radio: name of its radio material; None: that of the shell.
    """

    semantic: SemanticClass
    visual: int
    radio: str | None = None


@dataclass(frozen=True, eq=False)
class Cell:
    """A piece of a plan with a height at each corner.

    Attributes:
        rings: outline, then holes; each (N, 3) float64 metres, not closed, the outline
            counter-clockwise and the holes clockwise. Cells of a shell share corners
            exactly: a corner of one never lies inside an edge of another.
        top: finish of the upper face.
        wall: finish of the walls below the cell's edges, up to ``storeys_top_m``.
        band: finish of the walls above it: parapets and gables, which have no windows.
        storeys_top_m: top of the last whole storey, world z in metres.
        instance: object id of the cell's faces.
        eave: (4,) x, y of a point and dx, dy of the unit direction of the eave of a pitched
            roof; texture runs along and up from it. None: texture is world x, y.
    """

    rings: tuple[Array, ...]
    top: Finish
    wall: Finish
    band: Finish
    storeys_top_m: float
    instance: int
    eave: tuple[float, float, float, float] | None = None


@dataclass(frozen=True)
class Grid:
    """The grid of a facade, which its texture coordinates count.

    Attributes:
        bay_m: wanted width of a bay, metres.
        storey_m: height of a storey, metres.
        floor_m: level of the ground floor, world z in metres.
    """

    bay_m: float
    storey_m: float
    floor_m: float


@dataclass(frozen=True, eq=False)
class Shell:
    """Cells that form one surface.

    Attributes:
        cells: the pieces.
        radio: name of the radio material.
        outline: outer ring, then holes, of the plan, with every corner of the cells on it;
            (N, 2) or (N, 3) float64 metres, oriented as in :class:`Cell`. None: an open sheet.
        base_m: level of the bottom, world z in metres; not used by an open sheet.
        grid: the facade's grid; None: wall texture in metres.
    """

    cells: tuple[Cell, ...]
    radio: str
    outline: tuple[Array, ...] | None = None
    base_m: float = 0.0
    grid: Grid | None = None

    def raised(self, dz_m: float) -> Shell:
        """The same shell at another height: everything that has a level moves by ``dz_m``."""
        shift = np.array([0.0, 0.0, dz_m])
        cells = tuple(
            replace(
                cell,
                rings=tuple(ring + shift for ring in cell.rings),
                storeys_top_m=cell.storeys_top_m + dz_m,
            )
            for cell in self.cells
        )
        grid = self.grid and replace(self.grid, floor_m=self.grid.floor_m + dz_m)
        return replace(self, cells=cells, base_m=self.base_m + dz_m, grid=grid)


@dataclass(frozen=True, eq=False)
class Surface:
    """Triangles with labels.

    Attributes:
        vertices: (V, 3) float64, metres.
        faces: (F, 3) int64, counter-clockwise from outside.
        shell: (F,) int64 index of the shell a face belongs to.
        semantic, visual, radio, instance: (F,) int64 labels; ``visual`` and ``radio`` index
            ``materials.PALETTE`` and ``materials.RADIO_NAMES``.
        uv: (F, 3, 2) float64 texture coordinates.
    """

    vertices: Array
    faces: Ints
    shell: Ints
    semantic: Ints
    visual: Ints
    radio: Ints
    instance: Ints
    uv: Array


def locked(record: T) -> T:
    """A dataclass whose own arrays can no longer be written into, for what many share."""
    for value in vars(record).values():
        if isinstance(value, np.ndarray):
            value.flags.writeable = False
    return record


def join(one: Surface, other: Surface) -> Surface:
    """Both surfaces as one; nothing is welded, and texture is on a lattice of its own."""
    labels = ("shell", "semantic", "visual", "radio", "instance", "uv")
    whole = Surface(
        np.concatenate([one.vertices, other.vertices]),
        np.concatenate([one.faces, other.faces + len(one.vertices)]),
        *(np.concatenate([getattr(one, name), getattr(other, name)]) for name in labels),
    )
    # Vertices are whole millimetres; here last digits, and the sign of zero, go too.
    return replace(whole, uv=np.round(whole.uv, _UV_DIGITS) + 0.0)
