"""Arrays on their way to the device: kernels must not read past the end of numpy's memory."""

import subprocess
import sys

import pytest

#: Numbers whose last byte is the last of a page, and no one may read the page behind it.
AT_THE_END_OF_A_PAGE = """
import ctypes, mmap, sys
import numpy as np
from vasgen.runtime import radio_variant
from vasgen.vas.device import on_lanes
count, page = int(sys.argv[1]), mmap.PAGESIZE
pages = -(-8 * count // page)
memory = mmap.mmap(-1, (pages + 1) * page)
behind = np.frombuffer(memory, np.uint8).ctypes.data + pages * page
assert ctypes.CDLL(None).mprotect(ctypes.c_void_p(behind), ctypes.c_size_t(page), 0) == 0
numbers = np.frombuffer(memory, np.int64, count, pages * page - 8 * count)
numbers[:] = np.arange(count)[::-1]
with radio_variant():
    assert (np.array(on_lanes(numbers)) == numbers).all()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="protects a page as Linux does")
@pytest.mark.parametrize("count", [3, 16, 1001, 200_003])
def test_indices_are_read_to_their_end_and_no_further(count):
    # In a process of its own: what fails here is a segmentation fault.
    command = [sys.executable, "-c", AT_THE_END_OF_A_PAGE, str(count)]
    subprocess.run(command, check=True)
