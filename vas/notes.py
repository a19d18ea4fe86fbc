"""Notes: what a user should know about how the labels of a scene come about."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vasgen.bundle import SceneBundle
from vasgen.semantics import WALKABLE, SemanticClass
from vasgen.shells import shells
from vasgen.spec import RadioSpec
from vasgen.vas.scene.materials import held_materials
from vasgen.vas.scene.wedges import ROUNDED

#: Shells that a note names; the others are counted.
_NAMED = 3

#: What is set into a wall: it fills the hole there.
_SET_IN = frozenset({SemanticClass.WINDOW, SemanticClass.DOOR, SemanticClass.FURNITURE})

#: The ground ends at the border of the scene, panes and signs lie in a wall, and rounded
#: things have no edges that count.
_OPEN_BY_NATURE = frozenset({*WALKABLE, SemanticClass.WATER, *_SET_IN, *ROUNDED})


def radio_notes(bundle: SceneBundle, spec: RadioSpec) -> tuple[str, ...]:
    """Lines to tell once: materials used beyond their range, shells that do not diffract.

    Args:
        bundle: the scene.
        spec: propagation.
    """
    held: tuple[str, ...] = ()
    if spec.undefined_materials == "hold":
        held = held_materials(bundle.radio_materials, spec.frequency_hz)
    return held + (_open_shells(bundle) if spec.diffraction and spec.max_depth > 0 else ())


def _open_shells(bundle: SceneBundle) -> tuple[str, ...]:
    """Which objects have edges that will not diffract since no second face is there."""
    corners = _corners_set_in(bundle)
    found = (s for s in shells(bundle) if len(s.open_edges) and s.kind not in _OPEN_BY_NATURE)
    names = list(dict.fromkeys(s.name for s in found if not _filled(s.open_edges, corners).all()))
    if not names:
        return ()
    named = ", ".join(names[:_NAMED])
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    what = "1 object has" if len(names) == 1 else f"{len(names)} objects have"
    return (
        f"{what} open edges, or edges between two radio materials, which do not diffract: "
        f"{named}{more}.",
    )


def _corners_set_in(bundle: SceneBundle) -> set[tuple[float, ...]]:
    """Corners of all windows, doors and signs, to the millimetre."""
    table = bundle.face_table
    inset = table.triangles[np.isin(table.semantic, list(_SET_IN))]
    return set(map(tuple, np.unique(inset.reshape(-1, 3).round(3), axis=0).tolist()))


def _filled(edges: NDArray[np.float64], corners: set[tuple[float, ...]]) -> NDArray[np.bool_]:
    """Which edges, (E, 2, 3), run between corners of what is set in."""
    ends = edges.round(3).reshape(-1, 3).tolist()
    at_corner = np.array([tuple(end) in corners for end in ends], bool).reshape(-1, 2)
    filled: NDArray[np.bool_] = at_corner[:, 0] & at_corner[:, 1]
    return filled
