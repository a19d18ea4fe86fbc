"""Stored paths: what is read is what was written, whatever the paths are."""

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vasgen.errors import StorageError
from vasgen.vas.paths.path_record import paths_from_arrays, paths_to_arrays
from vasgen.vas.paths.paths import Chains, Event, Paths, Points
from vasgen.vas.scene.planes import Planes
from vasgen.vas.scene.wedges import Wedges
from vasgen.vas.surfaces.surface import Target

FAR = np.array([12_345.678, -9_876.543, 21.0])


def _units(random, count):
    vectors = random.normal(size=(count, 3))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def some_points(random, pixels, spread=0.5):
    """One point on most of the pixels, four on the others."""
    chosen = np.flatnonzero(random.random(pixels) < 0.8)
    count = np.where(random.random(len(chosen)) < spread, 4, 1)
    pixel = np.repeat(chosen, count)
    position = FAR + random.normal(scale=50.0, size=(len(pixel), 3))
    normal = _units(random, 3)[random.integers(0, 3, len(pixel))]
    return Points(pixel, np.repeat(1 / count, count), Target(position, normal))


def some_paths(random, points, number=200, chains=20, planes=9, wedges=5):
    """Paths of random chains: of reflections and transmissions, some with one diffraction."""
    event = random.integers(0, 2, (chains, 3)).astype(np.int8)
    event[::3, random.integers(0, 3)] = Event.DIFFRACTION
    event[:, 1:][np.arange(2) >= random.integers(0, 3, chains)[:, None]] = Event.NONE
    event[1] = Event.NONE  # nothing is met: line of sight
    bends = event == Event.DIFFRACTION
    element = random.integers(0, np.where(bends, wedges, planes)).astype(np.int32)
    material = random.integers(0, 4, event.shape).astype(np.int32)
    element[event < 0] = material[event < 0] = -1
    if not len(points):
        number = 0
    pairs = random.choice(max(chains * len(points), 1), min(number, chains * len(points)), False)
    return Paths(
        FAR + random.normal(size=3),
        points,
        Chains(event, element, material),
        Planes(_units(random, planes), random.normal(scale=1e4, size=planes)),
        Wedges(
            FAR + random.normal(size=(wedges, 3)),
            _units(random, wedges),
            random.random(wedges),
            _units(random, wedges),
            _units(random, wedges),
            random.integers(0, 4, wedges),
        ),
        (pairs // chains).astype(np.int32),
        (pairs % chains).astype(np.int32),
    )


def told(paths):
    """All that is said of each path, in an order of its own."""
    table = {"plane": paths.planes, "wedge": paths.wedges}

    def met(event, element, material):
        kind = "wedge" if event == Event.DIFFRACTION else "plane"
        parts = [getattr(table[kind], f.name)[element] for f in fields(table[kind])]
        return (int(event), int(material), *(np.asarray(part).tobytes() for part in parts))

    rows = []
    for point, chain in zip(paths.point, paths.chain, strict=True):
        columns = zip(*(getattr(paths.chains, f.name)[chain] for f in fields(Chains)), strict=True)
        end = [part[point].tobytes() for part in (paths.points.weight, *paths.points.target)]
        rows.append(
            (int(paths.points.pixel[point]), *end, *(met(*c) for c in columns if c[0] >= 0))
        )
    return sorted(rows)


@given(st.integers(0, 10_000), st.integers(0, 40))
@settings(max_examples=40, deadline=None)
def test_what_is_read_is_what_was_written(seed, pixels):
    random = np.random.default_rng(seed)
    points = some_points(random, pixels)
    each = [some_paths(random, points), some_paths(random, some_points(random, pixels), 3)]
    read = paths_from_arrays(paths_to_arrays(each))
    assert len(read) == 2
    for before, after in zip(each, read, strict=True):
        np.testing.assert_array_equal(after.source, before.source)
        assert told(after) == told(before)
        for part in ("point", "chain"):
            assert getattr(after, part).dtype == np.int32
        assert (np.diff(after.points.pixel) >= 0).all()
        assert (np.diff(after.chain) >= 0).all()


def test_the_bytes_do_not_depend_on_the_order_of_the_paths():
    random = np.random.default_rng(1)
    paths = some_paths(random, some_points(random, 30))
    mixed = paths.take(random.permutation(len(paths)))
    one, other = paths_to_arrays([paths]), paths_to_arrays([mixed])
    assert one.keys() == other.keys()
    for name in one:
        np.testing.assert_array_equal(one[name], other[name])


def test_points_of_several_transmitters_are_stored_once():
    random = np.random.default_rng(2)
    points = some_points(random, 50)
    each = [some_paths(random, points, 600) for _ in range(3)]
    reached = np.unique(np.concatenate([points.pixel[paths.point] for paths in each]))
    arrays = paths_to_arrays(each)
    assert len(arrays["point_position"]) == np.isin(points.pixel, reached).sum()
    assert len(arrays["normals"]) <= 3


def test_what_no_path_uses_is_left_out_but_pixels_stay_whole():
    random = np.random.default_rng(3)
    points = some_points(random, 60, spread=1.0)
    paths = some_paths(random, points, number=1)
    (read,) = paths_from_arrays(paths_to_arrays([paths]))
    assert (len(read.points), len(read.chains)) == (4, 1)
    assert read.points.weight.sum() == 1
    assert len(read.planes) + len(read.wedges) <= 3
    assert told(read) == told(paths)


def test_many_chains_of_many_points():
    """Their product is beyond 32 bits, which the numbers of each are not."""
    random = np.random.default_rng(4)
    points = some_points(random, 90_000)
    paths = some_paths(random, points, chains=90_000, number=0)
    chain = random.integers(80_000, 90_000, 500).astype(np.int32)
    point = random.integers(0, len(points), 500).astype(np.int32)
    paths = Paths(paths.source, points, paths.chains, paths.planes, paths.wedges, point, chain)
    (read,) = paths_from_arrays(paths_to_arrays([paths]))
    assert told(read) == told(paths)


def test_a_newer_format_and_missing_arrays_are_refused():
    arrays = paths_to_arrays([])
    assert paths_from_arrays(arrays) == ()
    with pytest.raises(StorageError, match="stored paths have format 2; this vasgen reads 1"):
        paths_from_arrays({**arrays, "format": np.array(2)})
    with pytest.raises(KeyError):
        paths_from_arrays({**arrays, "sources": np.zeros((1, 3))})
