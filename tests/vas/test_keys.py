"""Sets of whole numbers."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from vasgen.vas.surfaces.keys import distinct


@given(st.lists(st.integers(-(2**62), 2**62)), st.integers(1, 5))
def test_distinct_keys_are_the_sorted_set(numbers, times):
    keys = np.array(numbers * times, np.int64)
    assert distinct(keys).tolist() == sorted(set(numbers))
    assert keys.tolist() == numbers * times  # the input stays as it was
