"""Keyed randomness: the same everywhere, and independent between objects."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from vasgen.seeding import key, stream

# Changing these changes every dataset anyone has made.
GOLDEN_KEYS = {
    (0,): 144831499309457368979394674105665208338,
    (0, "lot", 17, "roof"): 95490765504461420377016866778211039430,
    (7, "tree"): 306936345193195988806829538601066175643,
    (2**63 - 1, "straße"): 322855694965053638274885773393625131033,
}
GOLDEN_INTEGERS = [39, 24, 813, 20, 789, 51]

part = st.one_of(st.integers(0, 999), st.text(st.characters(exclude_characters="/"), min_size=1))
paths = st.lists(part, max_size=4)


@pytest.mark.parametrize("path", GOLDEN_KEYS, ids=str)
def test_keys_are_the_same_on_every_machine_and_version(path):
    assert key(*path) == GOLDEN_KEYS[path]


def test_numbers_are_the_same_on_every_machine_and_version():
    assert stream(0, "lot", 17, "roof").integers(0, 1000, 6).tolist() == GOLDEN_INTEGERS


@pytest.mark.parametrize("hash_seed", ["0", "1", "4242"])
def test_keys_do_not_depend_on_the_hash_seed_of_python(hash_seed):
    script = "from vasgen.seeding import key; print(key(0, 'lot', 17, 'roof'))"
    found = subprocess.run(
        [sys.executable, "-c", script],
        env={"PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(found.stdout) == key(0, "lot", 17, "roof")


@given(st.integers(0, 2**63 - 1), paths)
def test_a_key_is_a_128_bit_number_and_repeats(seed, path):
    assert 0 <= key(seed, *path) < 2**128
    assert key(seed, *path) == key(seed, *path)
    first, again = stream(seed, *path), stream(seed, *path)
    assert np.array_equal(first.integers(0, 2**62, 8), again.integers(0, 2**62, 8))


@given(st.integers(0, 99), st.integers(0, 99), paths, paths)
def test_other_seeds_and_paths_have_other_keys(seed, other_seed, path, other_path):
    assume((seed, [*map(str, path)]) != (other_seed, [*map(str, other_path)]))
    assert key(seed, *path) != key(other_seed, *other_path)


def test_what_one_object_draws_does_not_move_another():
    road = stream(3, "road").random(5)
    stream(3, "tree").random(1000)
    assert np.array_equal(stream(3, "road").random(5), road)


def test_streams_of_neighbours_are_independent():
    draws = np.array([stream(0, "block", number).normal(size=4000) for number in range(20)])
    correlation = np.corrcoef(draws) - np.eye(20)
    assert np.abs(correlation).max() < 5 / np.sqrt(4000)
    assert np.abs(draws.mean(axis=1)).max() < 5 / np.sqrt(4000)


def test_streams_of_neighbouring_seeds_are_independent():
    first = np.array([stream(seed, "a").random() for seed in range(4000)])
    assert abs(first.mean() - 0.5) < 5 * np.sqrt(1 / 12 / 4000)
    assert abs(np.corrcoef(first[:-1], first[1:])[0, 1]) < 5 / np.sqrt(4000)
