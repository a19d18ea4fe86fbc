"""Single paths against closed forms: mirrors, two mirrors, street canyons, slabs and edges."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from validation import theory
from validation.case import Case, Check, Outcome
from validation.path_edge import bent_paths
from validation.path_images import Image, between, expected_paths, mirrored, passed
from validation.path_measured import CONCRETE, METAL, TOLERANCE_DB, Measured, Slab, measured
from validation.path_reference import paths_to, solve
from validation.plot import curve, dress, legend, mark, new_figure, points
from validation.scenes import (
    FAR,
    NOTHING,
    ORIGIN,
    Eye,
    look,
    place_name,
    rectangle,
    scene_of,
    transmitters,
)
from vasgen.bundle import Mesh
from vasgen.spec import RadioSpec
from vasgen.vas.paths.paths import Event
from vasgen.vas.scene.radio_scene import RadioScene
from vasgen.vas.surfaces.visible import visible_surface

Array = NDArray[np.float64]
Index = NDArray[np.int64]


_BRICK, _GLASS = Slab("brick", 0.2), Slab("glass", 0.006)

_EAST, _NORTH, _UP = np.eye(3)

#: What each form counts. The search needs few rays where all mirrors are large.
_ALL = NOTHING.model_copy(
    update={
        "line_of_sight": True,
        "specular_reflection": True,
        "max_depth": 3,
        "reflections": 3,
        "rays": 1000,
        "search_rays": 200_000,
    }
)
_THROUGH = _ALL.model_copy(update={"refraction": True, "reflections": 1})


class _Form(NamedTuple):
    """A scene whose paths are known.

    Attributes:
        name: of the table.
        meshes: the scene.
        slabs: its materials.
        eye: the camera.
        facing: (3,) normal of the surface that receives.
        source: (3,) transmitter.
        spec: mechanisms.
        images: all paths to points, (N, 3).
        slab: of the walls, for the table.
    """

    name: str
    meshes: Sequence[Mesh]
    slabs: Sequence[theory.Slab]
    eye: Eye
    facing: Array
    source: Array
    spec: RadioSpec
    images: Callable[[Array], list[Image]]
    slab: theory.Slab


# The forms -------------------------------------------------------------------------------


def _flat(name: str, size: tuple[float, float], slab: theory.Slab) -> Mesh:
    """A floor from -x to x and -y to y."""
    x, y = size
    return rectangle(name, [(-x, -y, 0), (x, -y, 0), (x, y, 0), (-x, y, 0)], slab)


def _across(name: str, x: float, long: float, slab: theory.Slab, tall: float = 80.0) -> Mesh:
    """A wall along y at an x."""
    corners = [(x, -long, -1), (x, long, -1), (x, long, tall), (x, -long, tall)]
    return rectangle(name, corners, slab)


def _along(name: str, y: float, wide: float, slab: theory.Slab, tall: float = 80.0) -> Mesh:
    """A wall along x at a y."""
    corners = [(-wide, y, -1), (wide, y, -1), (wide, y, tall), (-wide, y, tall)]
    return rectangle(name, corners, slab)


def _two_ray(slab: theory.Slab) -> _Form:
    """Direct, and by the ground: a wall receives."""
    source = np.array([1.0, 0.0, 4.0])

    def images(place: Array) -> list[Image]:
        return [Image(place, ()), mirrored(Image(place, ()), source, 2, 0.0, slab)]

    return _Form(
        "mirror",
        [_along("wall", 30.0, 8.0, CONCRETE, 40.0), _flat("floor", (150.0, 150.0), slab)],
        [CONCRETE, slab],
        Eye((0, -35, 20), (0, 30, 20), 24, 48, 14.0),
        -_NORTH,
        source,
        _ALL,
        images,
        slab,
    )


def _corner(slab: theory.Slab) -> _Form:
    """Two mirrors at a right angle: the floor between them receives."""
    source = np.array([7.0, 9.0, 6.0])

    def images(place: Array) -> list[Image]:
        direct = Image(place, ())
        one, other = (mirrored(direct, source, axis, 0.0, slab) for axis in (0, 1))
        return [direct, one, other, mirrored(one, source, 1, 0.0, slab)]

    return _Form(
        "two mirrors",
        [
            _across("one", 0.0, 60.0, slab),
            _along("other", 0.0, 60.0, slab),
            rectangle("floor", [(0, 0, 0), (60, 0, 0), (60, 60, 0), (0, 60, 0)], CONCRETE),
        ],
        [slab, CONCRETE],
        Eye((16, 12, 40), (15, 13, 0), 30, 30, 36.0),
        _UP,
        source,
        _ALL,
        images,
        slab,
    )


def _canyon(slab: theory.Slab) -> _Form:
    """A street: two walls and the ground, up to three mirrors; a wall at its end receives."""
    source, half, end = np.array([2.0, 0.0, 6.0]), 9.0, 45.0

    def images(place: Array) -> list[Image]:
        walls = [between(place, source, number, half, slab) for number in range(-3, 4)]
        ground = [mirrored(image, source, 2, 0.0, CONCRETE) for image in walls[1:-1]]
        return walls + ground

    return _Form(
        "canyon",
        [
            _across("west", -half, 200.0, slab),
            _across("east", half, 200.0, slab),
            _along("end", end, half, _BRICK),
            rectangle(
                "floor",
                [(-half, -200, 0), (half, -200, 0), (half, end, 0), (-half, end, 0)],
                CONCRETE,
            ),
        ],
        [slab, _BRICK, CONCRETE],
        Eye((0, -10, 14), (0, end, 14), 32, 40, 16.0),
        -_NORTH,
        source,
        _ALL,
        images,
        slab,
    )


def _panes(slab: theory.Slab) -> _Form:
    """Through a slab, and through it by the ground: a wall behind it receives."""
    source = np.array([1.5, 0.0, 5.0])

    def images(place: Array) -> list[Image]:
        direct = Image(place, ())
        ground = mirrored(direct, source, 2, 0.0, CONCRETE)
        return [passed(image, source, 1, 12.0, slab) for image in (direct, ground)]

    return _Form(
        "slab",
        [
            _along("pane", 12.0, 60.0, slab),
            _along("wall", 30.0, 8.0, CONCRETE, 40.0),
            _flat("floor", (60.0, 60.0), CONCRETE),
        ],
        [slab, CONCRETE],
        Eye((0, 13, 15), (0, 30, 15), 24, 40, 45.0),
        -_NORTH,
        source,
        _THROUGH,
        images,
        slab,
    )


def _settings(short: bool) -> list[tuple[_Form, float, Array]]:
    """Form, frequency and place of each run."""
    if short:
        return [
            (_canyon(CONCRETE), 3.5e9, FAR),
            (_corner(METAL), 28e9, ORIGIN),
            (_panes(_GLASS), 0.7e9, FAR),
        ]
    forms = [make(slab) for make in (_two_ray, _corner, _canyon) for slab in (METAL, CONCRETE)]
    forms += [_panes(slab) for slab in (_GLASS, _BRICK)]
    return [
        (form, frequency, shift)
        for form in forms
        for frequency in (0.7e9, 3.5e9, 28e9)
        for shift in (ORIGIN, FAR)
    ]


def _forms(short: bool) -> Outcome:
    checks: list[Check] = []
    shown: dict[str, list[Measured]] = {}
    canyon: dict[str, Measured] = {}
    for form, frequency, shift in _settings(short):
        for pol, found in _traced(form, frequency, shift).items():
            setting = (
                f"{form.name}, {form.slab.material} {1000 * form.slab.thickness_m:g} mm, "
                f"{frequency / 1e9:g} GHz, {pol}, {place_name(shift)}"
            )
            checks += found.checks(setting)
            shown.setdefault(form.name, []).append(found)
            if form.name == "canyon" and form.slab == CONCRETE and frequency == 3.5e9:
                canyon[pol] = found
    for setting, found in bent_paths(short):
        checks += found.checks(setting)
        shown.setdefault("edge", []).append(found)
    return Outcome(checks, _forms_figure(shown, canyon["V"]))


def _traced(form: _Form, frequency_hz: float, shift: Array) -> dict[str, Measured]:
    """All paths to the surface of interest, for both polarisations."""
    scene = scene_of(form.meshes, form.slabs, shift)
    spec = form.spec.model_copy(update={"frequency_hz": frequency_hz})
    caster, view = look(scene, form.eye.moved(shift))
    surface = visible_surface(*view, spec.surface, caster)
    senders = transmitters(form.source + shift, "VH")
    powers = solve(scene, spec, surface, senders)
    radio = RadioScene(scene, spec, np.round(np.median(surface.quad_centres, axis=0)))
    found = {}
    for sender, paths in zip(senders, powers.paths, strict=True):
        radio.set_transmitter(sender)
        target = paths.points.target
        rows = np.flatnonzero(target.normal @ form.facing > 0.9)
        place = target.point[rows] - shift
        expected = expected_paths(form.images(place), form.source, frequency_hz, sender.name)
        ours = paths_to(radio, scene, spec, paths, rows)
        found[sender.name] = measured(ours, expected, place)
    return found


def _forms_figure(shown: dict[str, list[Measured]], canyon: Measured) -> Figure:
    figure, (left, right) = new_figure("Single paths against closed forms", 2)
    _canyon_panel(left, canyon)
    for number, (name, found) in enumerate(shown.items()):
        error = np.sort(np.concatenate([np.abs(one.gain_db) for one in found]))
        label = f"{name}, {len(error):,} paths"
        curve(right, np.maximum(error, 1e-7), np.linspace(0, 100, len(error)), number, label)
    right.set_xscale("log")
    right.set_ylim(0, 101)
    mark(right, TOLERANCE_DB, "tolerance")
    dress(right, "all forms", "error of a path's gain (dB)", "share of paths below (%)")
    legend(right, loc="lower right", bbox_to_anchor=(0.9, 0.1))
    return figure


def _canyon_panel(axes: Axes, canyon: Measured) -> None:
    """Gains of the canyon's paths up the wall at its end, by their number of mirrors."""
    expected = canyon.expected
    mirrors = (expected.events == Event.REFLECTION).sum(axis=1)
    middle = np.abs(canyon.place[:, 0]) < 0.5
    for number in range(4):
        some = np.flatnonzero(middle & (mirrors == number))
        some = some[np.argsort(canyon.place[some, 2])][:: 1 + len(some) // 120]
        level = theory.decibels(expected.gain[some]) + canyon.gain_db[some]
        points(axes, canyon.place[some, 2], level, number, f"{number} mirrors")
    dress(
        axes,
        "canyon of concrete, 3.5 GHz, V: every path",
        "height on the wall at its end (m)",
        "gain of the path (dB)",
    )
    axes.set_ylim(None, -70)
    legend(axes, ncol=4, loc="upper center", columnspacing=1.0, handletextpad=0.2)


FORMS = Case(
    name="path-forms",
    title="Paths in closed form",
    what=(
        "Where all walls are planes the paths can be written down: straight lines to images of "
        "the receiver, mirrored in every order that the geometry allows. Each carries Friis "
        "times the power that the plates leave of a unit field, whose TE and TM parts are taken "
        "apart anew at each plate (P.2040-3), or the diffracted field of "
        "[half plane and corner](#half-plane-and-corner)."
    ),
    setting=(
        "A mirror; two mirrors at a right angle; a canyon of two walls and the ground, up to "
        "three mirrors; a slab before the receiver, directly and by the ground; a right-angled "
        "edge. Metal, concrete, glass and brick, 0.7, 3.5 and 28 GHz, both polarisations, at the "
        "origin and 10 km away. Every point of every pixel of the surface that receives."
    ),
    why=(
        "Nothing is random or sampled: the solver must have just these paths, each within "
        "0.05 dB, a picosecond (0.3 mm) and 0.01°. What is left is the rounding of float32. One "
        "path in a thousand may be off by up to 1.2 dB: at the corner of two mirrors, where it is "
        "taken for that of the next pixel, which meets them in the other order."
    ),
    caption=("Left: the canyon's paths, each from its own image. Right: errors of all paths."),
    run=_forms,
)
