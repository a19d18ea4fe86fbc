"""Sets of whole numbers."""

import drjit as dr
import mitsuba as mi
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vasgen.runtime import radio_variant
from vasgen.vas.surfaces.keys import KeySet, among, distinct, mixed, numbered


@pytest.fixture(autouse=True, scope="module")
def _variant():
    with radio_variant():
        yield


@given(st.lists(st.integers(-(2**62), 2**62)), st.integers(1, 5))
def test_distinct_keys_are_the_sorted_set(numbers, times):
    keys = np.array(numbers * times, np.int64)
    assert distinct(keys).tolist() == sorted(set(numbers))
    assert keys.tolist() == numbers * times  # the input stays as it was


@given(st.lists(st.integers(0, 9)), st.integers(1, 3))
def test_numbered_keys_are_those_of_unique(numbers, times):
    keys = np.repeat(np.array(numbers, np.int64), times)
    found = numbered(keys)
    expected = np.unique(keys, return_index=True, return_inverse=True)
    for ours, theirs in zip(found, expected, strict=True):
        assert ours.tolist() == theirs.tolist()


@given(st.lists(st.integers(0, 20)), st.lists(st.integers(0, 20)))
def test_keys_are_among_others_or_not(keys, others):
    found = among(np.array(keys, np.int64), np.array(others, np.int64))
    assert found.tolist() == [key in others for key in keys]


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**32 - 1))
def test_kernels_and_numpy_hash_alike(key, code):
    kernel = mixed(mi.UInt64(key), mi.UInt64(code))
    table = mixed(np.array([key], np.uint64), np.array([code], np.uint64))
    assert int(kernel[0]) == int(table[0])


@pytest.mark.parametrize("count", [0, 1, 1000, 300_000])
def test_a_key_set_has_all_its_keys_and_hardly_any_other(count):
    numbers = np.arange(2 * count + 100_000, dtype=np.uint64)
    keys = mixed(np.zeros(len(numbers), np.uint64), numbers)
    found = np.array(KeySet(keys[:count]).has(mi.UInt64(keys), dr.full(mi.Bool, True, len(keys))))
    assert found[:count].all()
    assert found[count:].mean() < 1e-3


def test_a_key_set_tells_nothing_of_inactive_lanes():
    keys = mixed(np.zeros(2, np.uint64), np.arange(2, dtype=np.uint64))
    found = KeySet(keys).has(mi.UInt64(keys), mi.Bool([True, False]))
    assert list(found) == [True, False]
