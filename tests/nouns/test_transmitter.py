"""Transmitters and their records."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vasgen.errors import InputError
from vasgen.transmitter import Transmitter

number = st.floats(-1e6, 1e6, allow_nan=False)
triple = st.tuples(number, number, number)


@given(st.text(), triple, number, triple)
def test_the_record_survives_json_exactly(name, position, power, orientation):
    transmitter = Transmitter(name, position, power, orientation)
    assert Transmitter.from_dict(json.loads(json.dumps(transmitter.to_dict()))) == transmitter


def test_a_transmitter_can_be_a_key():
    assert len({Transmitter("a", (0, 0, 0)), Transmitter("a", (0, 0, 0))}) == 1
    record = Transmitter("a", (0, 0, 0)).to_dict()
    hash(Transmitter.from_dict(json.loads(json.dumps(record))))


RECORD = Transmitter("tx-0", (1.0, 2.0, 3.0)).to_dict()


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"position": [1, 2]}, "transmitter 'tx-0': position and orientation are 3 numbers."),
        ({"orientation_deg": [0] * 4}, "transmitter 'tx-0': position and orientation are 3 numb"),
        ({"position": [1, 2, float("nan")]}, "transmitter 'tx-0' has a number that is not finite."),
        ({"power_dbm": float("inf")}, "transmitter 'tx-0' has a number that is not finite."),
        ({"orientation_deg": [0, 0, float("inf")]}, "transmitter 'tx-0' has a number that is"),
        ({"position": 5}, "transmitter record cannot be read: "),
        ({"position": ["a", 1, 2]}, "transmitter record cannot be read: could not convert"),
        ({"power_dbm": None}, "transmitter record cannot be read: "),
        ({"colour": 1}, "transmitter record cannot be read: "),
    ],
)
def test_a_record_that_is_no_transmitter_says_why(change, line):
    with pytest.raises(InputError) as error:
        Transmitter.from_dict({**RECORD, **change})
    assert str(error.value).startswith(line)


@pytest.mark.parametrize("record", [{"name": "a", "power_dbm": 3}, {"name": "b"}])
def test_a_record_names_the_keys_it_lacks(record):
    with pytest.raises(InputError, match=r"^transmitter record lacks position\.$"):
        Transmitter.from_dict(record)


def test_a_transmitter_made_in_python_is_checked_too():
    with pytest.raises(InputError, match="is not finite"):
        Transmitter("a", (0, 0, float("nan")))
    with pytest.raises(InputError, match="are 3 numbers"):
        Transmitter("a", (0, 0))
