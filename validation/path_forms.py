"""Single paths against closed forms: mirrors, two mirrors, street canyons, slabs and edges."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from tests.vas.reference import FoundPaths
from validation import theory
from validation.case import Case, Check, Outcome, deviation_db
from validation.path_reference import match, paths_to, solve
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
    wedge_mesh,
)
from vasgen.bundle import Mesh
from vasgen.spec import RadioSpec
from vasgen.vas.paths import Event
from vasgen.vas.radio_scene import RadioScene
from vasgen.vas.visible import visible_surface

Array = NDArray[np.float64]
Index = NDArray[np.int64]


class _Slab(theory.Slab):
    """A plate that below 1 GHz, where P.2040 says nothing, has the permittivity of 1 GHz."""

    def permittivity(self, frequency_hz: float) -> complex:
        """Complex relative permittivity."""
        return super().permittivity(max(frequency_hz, 1e9))


_METAL, _CONCRETE = _Slab("metal", 0.1), _Slab("concrete", 0.3)
_BRICK, _GLASS = _Slab("brick", 0.2), _Slab("glass", 0.006)

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
_BENT = NOTHING.model_copy(update={"diffraction": True, "rays": 1000})


class _Crossing(NamedTuple):
    """Where the straight line from the transmitter to an image of the point crosses a plane.

    Attributes:
        share: (N,) of the line that lies before it.
        normal: (3,) of the plane.
        slab: it is made of.
        event: mirrored or passed.
    """

    share: Array
    normal: Array
    slab: theory.Slab
    event: Event


class _Image(NamedTuple):
    """A path as a straight line.

    Attributes:
        place: (N, 3) image of each point.
        crossings: the planes it crosses, in any order.
    """

    place: Array
    crossings: tuple[_Crossing, ...]


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
    images: Callable[[Array], list[_Image]]
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

    def images(place: Array) -> list[_Image]:
        return [_Image(place, ()), _mirrored(_Image(place, ()), source, 2, 0.0, slab)]

    return _Form(
        "mirror",
        [_along("wall", 30.0, 8.0, _CONCRETE, 40.0), _flat("floor", (150.0, 150.0), slab)],
        [_CONCRETE, slab],
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

    def images(place: Array) -> list[_Image]:
        direct = _Image(place, ())
        one, other = (_mirrored(direct, source, axis, 0.0, slab) for axis in (0, 1))
        return [direct, one, other, _mirrored(one, source, 1, 0.0, slab)]

    return _Form(
        "two mirrors",
        [
            _across("one", 0.0, 60.0, slab),
            _along("other", 0.0, 60.0, slab),
            rectangle("floor", [(0, 0, 0), (60, 0, 0), (60, 60, 0), (0, 60, 0)], _CONCRETE),
        ],
        [slab, _CONCRETE],
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

    def images(place: Array) -> list[_Image]:
        walls = [_between(place, source, number, half, slab) for number in range(-3, 4)]
        ground = [_mirrored(image, source, 2, 0.0, _CONCRETE) for image in walls[1:-1]]
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
                _CONCRETE,
            ),
        ],
        [slab, _BRICK, _CONCRETE],
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

    def images(place: Array) -> list[_Image]:
        direct = _Image(place, ())
        ground = _mirrored(direct, source, 2, 0.0, _CONCRETE)
        return [_passed(image, source, 1, 12.0, slab) for image in (direct, ground)]

    return _Form(
        "slab",
        [
            _along("pane", 12.0, 60.0, slab),
            _along("wall", 30.0, 8.0, _CONCRETE, 40.0),
            _flat("floor", (60.0, 60.0), _CONCRETE),
        ],
        [slab, _CONCRETE],
        Eye((0, 13, 15), (0, 30, 15), 24, 40, 45.0),
        -_NORTH,
        source,
        _THROUGH,
        images,
        slab,
    )


def _mirrored(image: _Image, source: Array, axis: int, level: float, slab: theory.Slab) -> _Image:
    """Mirrored once more, in a plane across an axis that nothing before has moved."""
    place = image.place.copy()
    place[:, axis] = 2 * level - place[:, axis]
    return _crossed(image._replace(place=place), source, axis, level, slab, Event.REFLECTION)


def _passed(image: _Image, source: Array, axis: int, level: float, slab: theory.Slab) -> _Image:
    return _crossed(image, source, axis, level, slab, Event.TRANSMISSION)


def _crossed(
    image: _Image, source: Array, axis: int, level: float, slab: theory.Slab, event: Event
) -> _Image:
    share = (level - source[axis]) / (image.place[:, axis] - source[axis])
    crossing = _Crossing(share, np.eye(3)[axis], slab, event)
    return image._replace(crossings=(*image.crossings, crossing))


def _between(place: Array, source: Array, number: int, half: float, slab: theory.Slab) -> _Image:
    """Between two walls at -half and half: so many mirrors, the first of them east if positive."""
    place = place.copy()
    place[:, 0] = 2 * half * number + (-1) ** number * place[:, 0]
    image = _Image(place, ())
    for mirror in range(abs(number)):
        level = np.sign(number) * (2 * mirror + 1) * half
        image = _crossed(image, source, 0, float(level), slab, Event.REFLECTION)
    return image


# What a straight line carries ------------------------------------------------------------


def _expected(
    images: Sequence[_Image], source: Array, frequency_hz: float, polarization: str
) -> FoundPaths:
    """The paths to points as the theory has them, ordered by point."""
    depth = max(len(image.crossings) for image in images)
    parts = [_by_image(image, source, frequency_hz, polarization, depth) for image in images]
    joined = FoundPaths(*(np.concatenate(values) for values in zip(*parts, strict=True)))
    return joined.take(np.argsort(joined.point, kind="stable"))


def _by_image(
    image: _Image, source: Array, frequency_hz: float, polarization: str, depth: int
) -> FoundPaths:
    count = len(image.place)
    way = image.place - source
    length = np.linalg.norm(way, axis=1)
    departure = way / length[:, None]
    shares = np.array([crossing.share for crossing in image.crossings]).reshape(-1, count).T
    order = np.argsort(shares, axis=1)
    power, arrival = np.zeros(count), departure.copy()
    events = np.full((count, depth), Event.NONE, np.int8)
    for turn in np.unique(order, axis=0):
        some = np.flatnonzero((order == turn).all(axis=1))
        met = [image.crossings[number] for number in turn]
        power[some], arrival[some] = _carried(departure[some], met, frequency_hz, polarization)
        events[some, : len(met)] = [crossing.event for crossing in met]
    gain = theory.friis(length, frequency_hz) * power
    nowhere = np.full((count, depth, 3), np.nan)
    delay = length / theory.SPEED_OF_LIGHT
    return FoundPaths(np.arange(count), gain, delay, departure, arrival, events, nowhere)


def _carried(
    ray: Array, met: Sequence[_Crossing], frequency_hz: float, polarization: str
) -> tuple[Array, Array]:
    """Power left of a unit field behind plates, and the direction it travels in."""
    field = theory.sent_field(ray, polarization).astype(np.complex128)
    for crossing in met:
        cosine = ray @ crossing.normal
        across = np.cross(ray, crossing.normal)
        across /= np.linalg.norm(across, axis=1, keepdims=True)
        plate = theory.plate(np.abs(cosine), crossing.slab, frequency_hz)
        mirrors = crossing.event == Event.REFLECTION
        te, tm = (plate.r_te, plate.r_tm) if mirrors else (plate.t_te, plate.t_tm)
        soft = te * np.einsum("ij,ij->i", field, across)
        # r_tm keeps the sense of the magnetic field, which is ray x field.
        hard = tm * np.einsum("ij,ij->i", np.cross(ray, field), across)
        if mirrors:
            ray = ray - 2 * cosine[:, None] * crossing.normal
        field = soft[:, None] * across + hard[:, None] * np.cross(across, ray)
    return (np.abs(field) ** 2).sum(axis=1), ray


# Measured against expected ---------------------------------------------------------------

_TOLERANCE_DB = 0.05
_STRONG = 0.01  # share of a point's power; the solver leaves out paths of less than a tenth of it


class _Measured(NamedTuple):
    """Paths of the solver beside those of the theory.

    Attributes:
        gain_db: (M,) ours over the theory's, of those that both have.
        delay_ns: (M,) ours less the theory's.
        angle_deg: (M,) the larger of both angles between ours and the theory's.
        expected: the theory's paths that both have.
        place: (M, 3) where they end, relative to the scene's own origin.
        missed: of the theory's paths with a hundredth of their point's power or more, the share
            that the solver has not.
        false: of the solver's paths, the share that the theory has not.
    """

    gain_db: Array
    delay_ns: Array
    angle_deg: Array
    expected: FoundPaths
    place: Array
    missed: float
    false: float

    def checks(self, setting: str) -> list[Check]:
        """Nothing missed, nothing false, and each path right."""
        count = len(self.gain_db)
        rows = (
            ("path gain, worst", float(np.abs(self.gain_db).max()), _TOLERANCE_DB, "dB"),
            ("delay, worst", float(np.abs(self.delay_ns).max()), 0.001, "ns"),
            ("angles, worst", float(self.angle_deg.max()), 0.01, "°"),
            ("strong paths missed", 100 * self.missed, 0.1, "%"),
            ("paths too many", 100 * self.false, 0.1, "%"),
        )
        return [
            Check(setting, name, count, value, limit, unit) for name, value, limit, unit in rows
        ]


def _measured(ours: FoundPaths, expected: FoundPaths, place: Array) -> _Measured:
    """Ours beside the theory's, of points at ``place``, (K, 3)."""
    pairs = match(expected, ours)
    one, other = expected.take(pairs.one), ours.take(pairs.other)
    total = np.bincount(expected.point, expected.gain, len(place))
    strong = expected.gain > _STRONG * total[expected.point]
    found = np.zeros(len(strong), bool)
    found[pairs.one] = True
    return _Measured(
        deviation_db(other.gain, one.gain),
        -1e9 * pairs.delay_s,
        np.maximum(pairs.departure_deg, pairs.arrival_deg),
        one,
        place[one.point],
        float((~found[strong]).mean()),
        1 - len(pairs.other) / max(len(ours.point), 1),
    )


def _settings(short: bool) -> list[tuple[_Form, float, Array]]:
    """Form, frequency and place of each run."""
    if short:
        return [
            (_canyon(_CONCRETE), 3.5e9, FAR),
            (_corner(_METAL), 28e9, ORIGIN),
            (_panes(_GLASS), 0.7e9, FAR),
        ]
    forms = [make(slab) for make in (_two_ray, _corner, _canyon) for slab in (_METAL, _CONCRETE)]
    forms += [_panes(slab) for slab in (_GLASS, _BRICK)]
    return [
        (form, frequency, shift)
        for form in forms
        for frequency in (0.7e9, 3.5e9, 28e9)
        for shift in (ORIGIN, FAR)
    ]


def _forms(short: bool) -> Outcome:
    checks: list[Check] = []
    shown: dict[str, list[_Measured]] = {}
    canyon: dict[str, _Measured] = {}
    for form, frequency, shift in _settings(short):
        for pol, found in _traced(form, frequency, shift).items():
            setting = (
                f"{form.name}, {form.slab.material} {1000 * form.slab.thickness_m:g} mm, "
                f"{frequency / 1e9:g} GHz, {pol}, {place_name(shift)}"
            )
            checks += found.checks(setting)
            shown.setdefault(form.name, []).append(found)
            if form.name == "canyon" and form.slab == _CONCRETE and frequency == 3.5e9:
                canyon[pol] = found
    for setting, found in _bent(short):
        checks += found.checks(setting)
        shown.setdefault("edge", []).append(found)
    return Outcome(checks, _forms_figure(shown, canyon["V"]))


def _traced(form: _Form, frequency_hz: float, shift: Array) -> dict[str, _Measured]:
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
        expected = _expected(form.images(place), form.source, frequency_hz, sender.name)
        ours = paths_to(radio, scene, spec, paths, rows)
        found[sender.name] = _measured(ours, expected, place)
    return found


# Edges -----------------------------------------------------------------------------------


def _bent(short: bool) -> list[tuple[str, _Measured]]:
    """A vertical right-angled corner: the floor around it receives what its edge bends."""
    found = []
    for slab in (_CONCRETE,) if short else (_METAL, _CONCRETE):
        for frequency in (3.5e9,) if short else (0.7e9, 3.5e9, 28e9):
            for shift in (FAR,) if short else (ORIGIN, FAR):
                for pol, measured in _around_edge(slab, frequency, shift).items():
                    setting = (
                        f"edge, {slab.material}, {frequency / 1e9:g} GHz, {pol}, "
                        f"{place_name(shift)}"
                    )
                    found.append((setting, measured))
    return found


def _around_edge(slab: theory.Slab, frequency_hz: float, shift: Array) -> dict[str, _Measured]:
    wedge = theory.Wedge(np.zeros(3), _UP, -_NORTH, _EAST, slab)
    walls = wedge_mesh(np.zeros(3), 200 * _UP, (-120 * _EAST, 120 * _NORTH), slab)
    floor = [(-30, -30, 0), (30, -30, 0), (30, 30, 0), (-30, 30, 0)]
    scene = scene_of([walls, rectangle("floor", floor, _CONCRETE)], [slab, _CONCRETE], shift)
    spec = _BENT.model_copy(update={"frequency_hz": frequency_hz})
    source = np.array([-16.0, -19.0, 12.0])
    caster, view = look(scene, Eye((8, -8, 55), (0.5, -0.5, 0), 60, 60, 34.0).moved(shift))
    surface = visible_surface(*view, spec.surface, caster)
    senders = transmitters(source + shift, "VH")
    powers = solve(scene, spec, surface, senders)
    radio = RadioScene(scene, spec, np.round(np.median(surface.quad_centres, axis=0)))
    found = {}
    for sender, paths in zip(senders, powers.paths, strict=True):
        radio.set_transmitter(sender)
        point = paths.points.target.point - shift
        angle, off = np.degrees(wedge.angle(point)), np.hypot(point[:, 0], point[:, 1])
        rows = np.flatnonzero((off > 1.0) & (angle > 1.0) & (angle < 269.0))
        place = point[rows]
        ours = paths_to(radio, scene, spec, paths, rows)
        ours = ours._replace(vertices=np.full_like(ours.vertices, np.nan))
        expected = _over_edge(wedge, source, place, frequency_hz, sender.name)
        found[sender.name] = _measured(ours, expected, place)
    return found


def _over_edge(
    wedge: theory.Wedge, source: Array, place: Array, frequency_hz: float, polarization: str
) -> FoundPaths:
    """The one path over the edge, the z axis, to each point."""
    count = len(place)
    off_in, off = np.hypot(*source[:2]), np.hypot(place[:, 0], place[:, 1])
    # Unfolded about the edge the path is straight.
    height = source[2] + (place[:, 2] - source[2]) * off_in / (off_in + off)
    bend = np.column_stack([np.zeros((count, 2)), height])
    first, second = bend - source, place - bend
    length, on = np.linalg.norm(first, axis=1), np.linalg.norm(second, axis=1)
    return FoundPaths(
        np.arange(count),
        theory.wedge_gain(wedge, source, place, frequency_hz, polarization),
        (length + on) / theory.SPEED_OF_LIGHT,
        first / length[:, None],
        second / on[:, None],
        np.full((count, 1), Event.DIFFRACTION, np.int8),
        np.full((count, 1, 3), np.nan),
    )


def _forms_figure(shown: dict[str, list[_Measured]], canyon: _Measured) -> Figure:
    figure, (left, right) = new_figure("Single paths against closed forms", 2)
    _canyon_panel(left, canyon)
    for number, (name, found) in enumerate(shown.items()):
        error = np.sort(np.concatenate([np.abs(one.gain_db) for one in found]))
        label = f"{name}, {len(error):,} paths"
        curve(right, np.maximum(error, 1e-7), np.linspace(0, 100, len(error)), number, label)
    right.set_xscale("log")
    right.set_ylim(0, 101)
    mark(right, _TOLERANCE_DB, "tolerance")
    dress(right, "all forms", "error of a path's gain (dB)", "share of paths below (%)")
    legend(right, loc="upper left")
    return figure


def _canyon_panel(axes: Axes, canyon: _Measured) -> None:
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
    legend(axes, ncol=2)


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
        "0.05 dB, a picosecond (0.3 mm) and 0.01°. What is left is the rounding of float32."
    ),
    caption=("Left: the canyon's paths, each from its own image. Right: errors of all paths."),
    run=_forms,
)
