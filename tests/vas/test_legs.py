"""Legs of paths that are known because they were walked forwards, from the source to the end."""

import numpy as np
import pytest

from tests.vas.hand_made import NO_WEDGES, points_of
from vasgen import runtime
from vasgen.vas.paths.legs import path_legs
from vasgen.vas.paths.paths import Chains, Event, Paths
from vasgen.vas.scene.planes import Planes
from vasgen.vas.scene.wedges import Wedges

FAR = np.array([8000.0, -6000.0, 400.0])
NONE = Planes(np.zeros((0, 3)), np.zeros(0))

#: Event by letter, in the order in which a wave meets them.
LETTERS = {"R": Event.REFLECTION, "T": Event.TRANSMISSION, "D": Event.DIFFRACTION}


def unit(vector):
    return vector / np.linalg.norm(vector)


class Walk:
    """A path that is walked: planes and edges are put where it turns.

    Args:
        events: letters.
        source: (3,) world metres.
        random: generator of all that is free.
        leg_m: range of the lengths of legs.
    """

    def __init__(self, events, source, random, leg_m=(1.0, 300.0)):
        self.events, self.source = events, source
        self.normals, self.offsets, self.edges = [], [], []
        position, direction = source, unit(random.normal(size=3))
        self.departure = self.incoming = self.outgoing = direction
        lengths = [0.0]
        for letter in events:
            step = random.uniform(*leg_m)
            position = position + step * direction
            lengths[-1] += step
            if letter == "D":
                along = unit(np.cross(direction, random.normal(size=3)) + 0.7 * direction)
                self.incoming = direction
                direction = turned(direction, along, random.uniform(0.5, 5.5))
                self.outgoing = direction
                origin = position - random.uniform(1, 20) * along
                self.edges.append((origin, along))
                lengths.append(0.0)
            else:
                normal = unit(random.normal(size=3))
                self.normals.append(normal)
                self.offsets.append(normal @ position)
                if letter == "R":
                    direction = direction - 2 * (direction @ normal) * normal
        step = random.uniform(*leg_m)
        self.end, self.arrival = position + step * direction, direction
        lengths[-1] += step
        self.before, self.after = (*lengths, 0.0)[:2]


def turned(vector, axis, angle):
    """A vector turned about an axis (Rodrigues)."""
    across, along = np.cross(axis, vector), (axis @ vector) * axis
    return along + np.cos(angle) * (vector - along) + np.sin(angle) * across


def paths_of(walks, columns=None):
    """Paths of walks that share their source, a chain each."""
    runtime.radio()
    columns = max(len(w.events) for w in walks) if columns is None else columns
    event = np.full((len(walks), columns), -1, np.int8)
    element = np.full((len(walks), columns), -1, np.int32)
    planes, edges = 0, 0
    for row, walk in enumerate(walks):
        for place, letter in enumerate(walk.events):
            event[row, place] = LETTERS[letter]
            element[row, place] = edges if letter == "D" else planes
            edges, planes = edges + (letter == "D"), planes + (letter != "D")
    normals = np.array([n for w in walks for n in w.normals]).reshape(-1, 3)
    offsets = np.array([o for w in walks for o in w.offsets])
    origin, along = np.array([e for w in walks for e in w.edges]).reshape(-1, 2, 3).swapaxes(0, 1)
    across = np.zeros_like(along)  # where a wave goes does not depend on the faces
    wedges = Wedges(origin, along, np.full(edges, 99.0), across, across, np.zeros(edges, int))
    points = points_of(np.arange(len(walks)), position=[w.end for w in walks])
    number = np.arange(len(walks), dtype=np.int32)
    chains = Chains(event, element, np.where(event < 0, -1, 0).astype(np.int32))
    return Paths(walks[0].source, points, chains, Planes(normals, offsets), wedges, number, number)


def walks_of(kinds, source, count=20, **options):
    """Several walks of each kind."""
    random = np.random.default_rng(4)
    return [Walk(kind, source, random, **options) for kind in kinds for _ in range(count)]


def assert_as_walked(legs, walks):
    for name in ("departure", "arrival", "incoming", "outgoing"):
        bent = np.array(["D" in w.events for w in walks])
        expected = np.array(
            [
                getattr(w, name if name in ("departure", "arrival") or b else "departure")
                for w, b in zip(walks, bent, strict=True)
            ]
        )
        assert np.abs(np.array(getattr(legs, name)).T - expected).max() < 1e-6, name
    for name in ("before", "after"):
        expected = np.array([getattr(w, name) for w in walks])
        assert np.abs(np.array(getattr(legs, name)) - expected).max() < 1e-6, name


@pytest.mark.parametrize("source", [np.array([3.0, 4.0, 25.0]), FAR])
@pytest.mark.parametrize(
    "kinds",
    [
        ["", "R", "T", "RR", "RT", "TR", "RTRR", "TTTTTTTTT", "RTTRTRTR"],
        ["", "D", "TD", "DT", "RD", "DR", "RDR", "RRD", "DRR", "TRTDTRRT", "RTR"],
    ],
)
def test_paths_are_as_they_were_walked(kinds, source):
    walks = walks_of(kinds, source)
    assert_as_walked(path_legs(paths_of(walks)), walks)


def test_lengths_are_right_to_microns_over_ten_kilometres():
    walks = walks_of(["R", "RR", "RDR"], FAR, leg_m=(2000.0, 4000.0))
    legs = path_legs(paths_of(walks))
    length = np.array(legs.before) + np.array(legs.after)
    expected = np.array([w.before + w.after for w in walks])
    assert expected.max() > 10_000
    assert np.abs(length - expected).max() < 1e-6


def test_some_rows_are_those_of_all():
    walks = walks_of(["", "R", "DR", "TRT"], FAR, count=3)
    paths = paths_of(walks, columns=11)
    part = slice(2, 8)
    assert_as_walked(path_legs(paths, part), walks[part])
    assert_as_walked(path_legs(paths, slice(0, 3)), walks[:3])


def test_many_points_share_a_chain():
    """A mirror on the ground: every path points at its point's image below."""
    runtime.radio()
    source, random = np.array([FAR[0], FAR[1], 20.0]), np.random.default_rng(0)
    ends = source + random.uniform(-500, 500, (50, 3)) * [1, 1, 0] - [0, 0, 15.0]
    chains = Chains(*(np.array([[0]], kind) for kind in (np.int8, np.int32, np.int32)))
    mirror = Planes(np.array([[0.0, 0.0, -1.0]]), np.array([0.0]))
    number = np.arange(50, dtype=np.int32)
    points = points_of(number, position=ends)
    legs = path_legs(Paths(source, points, chains, mirror, NO_WEDGES, number, 0 * number))
    image = ends * [1, 1, -1] - source
    length = np.linalg.norm(image, axis=1)
    assert np.array(legs.before) == pytest.approx(length, abs=1e-9)
    departure, arrival = (np.array(v).T for v in (legs.departure, legs.arrival))
    assert np.abs(departure - image / length[:, None]).max() < 1e-6
    assert np.abs(arrival - departure * [1, 1, -1]).max() < 1e-6


def test_no_path_has_no_legs_and_no_length_is_finite():
    walk = Walk("", np.zeros(3), np.random.default_rng(0))
    assert np.array(path_legs(paths_of([walk]), slice(0, 0)).before).shape == (0,)
    walk.end = walk.source
    legs = path_legs(paths_of([walk]))
    assert np.array(legs.before).tolist() == [0.0]
    assert np.isfinite(np.array(legs.departure)).all()
