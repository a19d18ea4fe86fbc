"""Transmitter files come back as they were written, and each mistake is one clear line."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support import box, bundle, ground
from vasgen.antenna import ANTENNAS, Antenna
from vasgen.errors import InputError
from vasgen.orchestrate import place_transmitters, read_transmitters, write_transmitters
from vasgen.spec import TransmittersSpec, parse_spec, read_spec
from vasgen.transmitter import Transmitter

SPEC = TransmittersSpec()
METRES = st.floats(-1e6, 1e6)
NAMES = st.text("abcdefghijklmnopqrstuvwxyz,;\"'{}[]-_ÄßéЖ東 0123456789", min_size=1).filter(
    lambda name: name == name.strip()
)
ARRAYS = st.builds(
    Antenna,
    rows=st.integers(1, 8),
    columns=st.integers(1, 8),
    horizontal_spacing=st.floats(0.1, 2.0),
    pattern=st.sampled_from(["iso", "dipole", "tr38901"]),
    steer_deg=st.none() | st.tuples(st.floats(-180, 180), st.floats(-90, 90)),
)
TRANSMITTERS = st.lists(
    st.builds(
        Transmitter,
        name=NAMES,
        position=st.tuples(METRES, METRES, METRES),
        power_dbm=st.floats(-100, 100),
        orientation_deg=st.tuples(*[st.floats(-360, 360)] * 3),
        antenna=st.sampled_from(sorted(ANTENNAS)).map(ANTENNAS.get) | ARRAYS,
        group=st.integers(0, 9),
        context=st.sampled_from(["given", "canyon", "lamp post"]),
    ),
    min_size=1,
    max_size=5,
    unique_by=lambda transmitter: transmitter.name,
)


@pytest.mark.parametrize("suffix", [".json", ".csv", ".CSV"])
@given(transmitters=TRANSMITTERS)
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_what_is_written_comes_back(suffix, transmitters, tmp_path):
    path = tmp_path / f"t{suffix}"
    write_transmitters(path, transmitters)
    assert read_transmitters(path, SPEC) == transmitters


def read(tmp_path, name, text, spec=SPEC):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return read_transmitters(path, spec)


def test_only_positions_are_needed_the_spec_has_the_rest(tmp_path):
    spec = TransmittersSpec(
        power_dbm=12.0, orientation_deg=(90, 0, 0), antennas=("4x4", "8x4"), groups=2
    )
    first, second, third = read(
        tmp_path, "t.csv", "x,y,z,group,yaw_deg,name\n1,2,3,,,\n4,5,6,7,45,b\n7,8,9,,,\n", spec
    )
    assert first == Transmitter("tx-0", (1, 2, 3), 12.0, (90, 0, 0), ANTENNAS["4x4"], 0)
    assert second == Transmitter("b", (4, 5, 6), 12.0, (45, 0, 0), ANTENNAS["8x4"], 7)
    assert third == Transmitter("tx-2", (7, 8, 9), 12.0, (90, 0, 0), ANTENNAS["4x4"], 0)


def test_the_ways_to_write_the_same_transmitter_agree(tmp_path):
    wanted = Transmitter("a", (1, 2, 3), 20.0, (10, -5, 0), ANTENNAS["4x4"], 1, "canyon")
    rest = {"name": "a", "power_dbm": 20, "group": 1, "context": "canyon"}
    lists = {"position": [1, 2, 3], "orientation_deg": [10, -5, 0], "antenna": "4x4"}
    parts = {"x": 1, "y": 2, "z": 3, "yaw_deg": 10, "pitch_deg": -5}
    keys = {"antenna": {"rows": 4, "columns": 4}}
    for record in (rest | lists, rest | parts | keys):
        assert read(tmp_path, "t.json", json.dumps([record])) == [wanted]
    text = "\ufeffname, x, y, z, power_dbm, yaw_deg, pitch_deg, antenna, group, context\n\n"
    text += 'a, 1, 2, 3, 20, 10, -5, "{""rows"": 4, ""columns"": 4}", 1, canyon\n'
    assert read(tmp_path, "t.csv", text.replace(', "{', ',"{')) == [wanted]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("t.csv", "name,x,y\na,1,2\n", r"t\.csv: column 'z' is missing"),
        ("t.csv", "x,y,z,pwr\n1,2,3,4\n", r"unknown column 'pwr'; allowed: name, x, "),
        ("t.csv", "x,y,z,x\n1,2,3,4\n", "there are 2 columns 'x'"),
        ("t.csv", "x,y,z\n1,2\n", "transmitter 0 has 2 cells, not 3"),
        ("t.csv", "x,y,z\n1,2,3\n1,two,3\n", "transmitter 1: y is 'two', which is no number"),
        ("t.csv", "name,x,y,z\nA,1,,3\n", r"transmitter 0 \(A\): y is missing"),
        ("t.csv", "name,x,y,z\nA,1,2,3\nA,4,5,6\n", "0 and 1 are both named 'A'"),
        ("t.csv", "x,y,z,antenna\n1,2,3,9x9\n", "antenna is '9x9': allowed: siso, 4x4, 8x4"),
        ("t.csv", "x,y,z,antenna\n1,2,3,{rows\n", "antenna is '{rows': no valid JSON"),
        ("t.csv", "x,y,z,group\n1,2,3,-1\n", "group is '-1': input should be greater"),
        ("t.csv", "x,y,z,power_dbm\n1,2,3,300\n", "power_dbm is '300': input should be less"),
        ("t.csv", 'x,y,z\n"1,2,3\n', "t.csv: unexpected end of data"),
        ("t.csv", "", r"t\.csv: there are none in it"),
        ("t.json", "[]", "there are none in it"),
        ("t.json", "{", "no valid JSON"),
        ("t.json", '{"transmitters": 1}', r"expected a list of records: \[\{"),
        ("t.json", "[3]", "transmitter 0 is no record of keys and values"),
        ("t.json", '[{"name": "a"}]', r"transmitter 0 \(a\): position is missing"),
        ("t.json", '[{"x": 1, "y": 2}]', "transmitter 0: z is missing"),
        ("t.json", '[{"x": 1, "position": [1, 2, 3]}]', "give either position or x, y, z"),
        ("t.json", '[{"position": [1, 2]}]', r"position\.2 is missing"),
        ("t.json", '[{"position": [1, 2, NaN]}]', r"position\.2 is nan: .*finite"),
        ("t.json", '[{"position": [1, 2, 3], "powr_dbm": 1}]', "unknown key 'powr_dbm'; .*power"),
        ("t.yaml", "", "suffix of a transmitter file is '.yaml'; allowed: .json, .csv"),
    ],
)
def test_each_mistake_is_one_line(tmp_path, name, text, message):
    with pytest.raises(InputError, match=message) as caught:
        read(tmp_path, name, text)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_or_no_text(tmp_path):
    with pytest.raises(InputError, match=r"cannot read transmitters .*none\.csv: No such file"):
        read_transmitters(tmp_path / "none.csv", SPEC)
    (tmp_path / "t.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="are no text file"):
        read_transmitters(tmp_path / "t.csv", SPEC)
    with pytest.raises(InputError, match=r"suffix of a transmitter file is '\.txt'"):
        write_transmitters(tmp_path / "t.txt", [])


@pytest.mark.parametrize(
    ("z", "message"),
    [(5.0, r"transmitter 'shop' at \(1, 2, 5\) is inside object 1 \(building\); move it"),
     (-3.0, r"transmitter 'shop' at \(1, 2, -3\) is 3\.0 m below the ground; raise it")],
)  # fmt: skip
def test_positions_of_a_file_are_checked_against_the_scene(tmp_path, z, message):
    house = box("house", (20, 20, 20), (0, 0, 10 if z > 0 else 40))
    path = tmp_path / "t.csv"
    path.write_text(f"name,x,y,z\nmast,30,0,25\nshop,1,2,{z}\n")
    with pytest.raises(InputError, match=message):
        place_transmitters(bundle(ground(100), house), TransmittersSpec(file=str(path)))


def test_a_file_in_a_spec_is_relative_to_the_spec(tmp_path):
    (tmp_path / "t.json").write_text('[{"position": [30, 0, 25]}]')
    (tmp_path / "spec.yaml").write_text("transmitters: {file: t.json, power_dbm: 7}\n")
    spec = read_spec(tmp_path / "spec.yaml").transmitters
    (placed,) = place_transmitters(bundle(ground(100)), spec)
    assert placed == Transmitter("tx-0", (30.0, 0.0, 25.0), 7.0)
    with pytest.raises(InputError, match="give either positions or file"):
        parse_spec({"transmitters": {"file": "t.json", "positions": [[1, 2, 3]]}})
