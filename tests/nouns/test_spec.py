"""The dataset specification: its files, and the line each wrong one gets."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from vasgen.errors import InputError
from vasgen.spec import (
    PRESETS,
    DatasetSpec,
    RadioSpec,
    SceneSpec,
    ViewsSpec,
    parse_spec,
    preset,
    read_spec,
    spec_from_yaml,
)


@pytest.fixture
def read(tmp_path):
    """Reads a spec from text."""

    def read_text(text):
        path = tmp_path / "spec.yaml"
        path.write_text(text, encoding="utf-8")
        return read_spec(path)

    return read_text


def line_of(text):
    with pytest.raises(InputError) as error:
        parse_spec(yaml.safe_load(text))
    assert "\n" not in str(error.value)
    return str(error.value)


positive = st.floats(1e-3, 1e12, allow_nan=False)
coordinate = st.floats(-1e6, 1e6, allow_nan=False)
records = st.fixed_dictionaries(
    {},
    optional={
        "name": st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,20}", fullmatch=True),
        "seed": st.integers(0, 2**63 - 1),
        "scene": st.one_of(
            st.fixed_dictionaries({"source": st.sampled_from(["sionna:munich", "/a b/c:d.xml"])}),
            st.fixed_dictionaries(
                {},
                optional={
                    "density": st.sampled_from(["downtown", "mix", "margin"]),
                    "size_m": st.floats(100, 5000),
                    "lod": st.sampled_from([1, 2, 3]),
                    "targets": st.sampled_from(["urban", "0.25/400/12.5"]),
                    "pattern": st.sampled_from(["field", "grid"]),
                    "trees": st.booleans(),
                },
            ),
            st.fixed_dictionaries(
                {"boundary": st.just([[0, 0], [300, 0], [150, 260.5]])},
                optional={
                    "districts": st.just([{"density": "mix", "radius_m": 90.0}]),
                    "relief_m": st.floats(0, 300),
                },
            ),
        ),
        "views": st.fixed_dictionaries(
            {},
            optional={
                "count": st.integers(1, 100_000),
                "altitude_m": st.tuples(positive, positive).map(sorted),
                "poses": st.none() | st.just("/poses.json"),
            },
        ),
        "transmitters": st.fixed_dictionaries(
            {},
            optional={
                "power_dbm": st.floats(-100, 100),
                "antennas": st.lists(
                    st.sampled_from(["siso", "4x4", "8x4"])
                    | st.fixed_dictionaries(
                        {},
                        optional={
                            "rows": st.integers(1, 64),
                            "pattern": st.just("tr38901"),
                            "steer_deg": st.just([30.0, -10.0]),
                        },
                    ),
                    min_size=1,
                    max_size=3,
                ),
                "positions": st.none()
                | st.lists(st.lists(coordinate, min_size=3, max_size=3), min_size=1, max_size=3),
            },
        ),
        "radio": st.fixed_dictionaries(
            {},
            optional={
                "frequency_hz": st.floats(0.7e9, 100e9),
                "diffraction": st.booleans(),
                "rays": st.integers(1000, 10**12),
            },
        ),
    },
)


@given(records)
def test_any_spec_survives_yaml_and_plain_values(record):
    spec = parse_spec(record)
    assert spec_from_yaml(spec.to_yaml()) == spec
    assert parse_spec(spec.to_plain()) == spec


def test_a_written_spec_is_read_back_equal(read):
    spec = parse_spec({"name": "a", "scene": {"source": "sionna:munich"}, "radio": {"rays": 5000}})
    assert read(spec.to_yaml()) == spec


def test_the_resolved_spec_names_every_key():
    record = yaml.safe_load(DatasetSpec().to_yaml())
    assert set(record) == set(DatasetSpec.model_fields)
    assert set(record["radio"]) == set(RadioSpec.model_fields)
    assert set(record["views"]) == set(ViewsSpec.model_fields)
    assert set(record["scene"]) == set(SceneSpec.model_fields)


@pytest.mark.parametrize("text", ["", "# only a comment\n", "---\n", "{}", "null"])
def test_an_empty_file_is_all_defaults(read, text):
    assert read(text) == DatasetSpec()


def test_a_byte_order_mark_is_no_part_of_the_first_key(read):
    assert read("\ufeffname: ä-free\n".replace("ä", "a")).name == "a-free"


def test_defaults_are_those_of_synthrm():
    spec = DatasetSpec()
    assert spec.radio.frequency_hz == 3.5e9
    assert spec.radio.max_depth == 20
    assert spec.views.altitude_m == (35.0, 110.0)


def test_every_preset_is_valid_and_named_after_itself():
    assert "quickstart" in PRESETS
    for name in PRESETS:
        assert preset(name).name == name
        assert spec_from_yaml(preset(name).to_yaml()) == preset(name)


def test_a_preset_that_is_not_there_names_the_one_meant():
    with pytest.raises(InputError) as error:
        preset("quikstart")
    assert str(error.value) == (
        "preset is 'quikstart'; allowed: quickstart. Did you mean 'quickstart'?"
    )


@pytest.mark.parametrize("part", ["scene", "views", "transmitters", "radio", "render", "seed"])
def test_a_spec_is_frozen(part):
    with pytest.raises(ValidationError, match="frozen"):
        setattr(DatasetSpec(), part, None)


# File names ---------------------------------------------------------------------------


def test_relative_file_names_are_beside_the_spec(tmp_path, read):
    spec = read("scene: {source: maps/a.xml}\nviews: {poses: ../poses.json, count: 3}")
    assert Path(spec.scene.source) == tmp_path / "maps" / "a.xml"
    assert Path(spec.views.poses) == tmp_path / ".." / "poses.json"
    assert spec.views.count == 3


def test_other_names_stay(read):
    spec = read("scene: {source: 'sionna:munich'}\nviews: {poses: /srv/poses.json}")
    assert spec.scene.source == "sionna:munich"
    assert spec.views.poses == "/srv/poses.json"
    assert read("name: a").views.poses is None


def test_the_home_folder_has_its_short_name(read, monkeypatch):
    monkeypatch.setenv("HOME", "/home/someone")
    spec = read("scene: {source: ~/a.xml}\nviews: {poses: ~/poses.json}")
    assert spec.scene.source == "/home/someone/a.xml"
    assert spec.views.poses == "/home/someone/poses.json"


# Wrong keys ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("sede: 1", "unknown key 'sede': did you mean 'seed'? Allowed: name, seed, scene, views,"),
        ("scene: {densty: mix}", "unknown key 'scene.densty': did you mean 'density'? Allowed: "),
        ("views: {altitude: [1, 2]}", "unknown key 'views.altitude': did you mean 'altitude_m'?"),
        ("transmitters: {power: 1}", "unknown key 'transmitters.power': did you mean 'power_dbm'?"),
        ("radio: {frequency: 1}", "unknown key 'radio.frequency': did you mean 'frequency_hz'?"),
        ("transmitters: {antennas: [{row: 2}]}", "unknown key 'transmitters.antennas.0.row': did"),
        ("render: {spp: 4}", "unknown key 'render.spp': Allowed: samples_per_pixel, sun_elevation"),
    ],
)
def test_a_wrong_key_names_the_one_meant(text, start):
    assert line_of(text).startswith(f"spec: {start}")


# Wrong values -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            "scene: {density: downtwon}",
            "scene.density is 'downtwon'; allowed: downtown, mix, margin. Did you mean 'downtown'?",
        ),
        (
            "scene: {size_m: 99}",
            "scene.size_m is 99; allowed: 100 to 5000 metres.",
        ),
        (
            "scene: {density: 'mix,mix'}",
            "scene.density is 'mix,mix'; allowed: each density once, from the centre outwards.",
        ),
        (
            "scene: {targets: 0.3/500}",
            "scene.targets is '0.3/500'; allowed: suburban, urban, dense-urban, highrise-urban,",
        ),
        (
            "scene: {districts: [{radius: 3}]}",
            "unknown key 'scene.districts.0.radius': did you mean 'radius_m'? Allowed: density,",
        ),
        (
            "scene: {districts: [{density: 'mix,margin'}]}",
            "scene.districts.0.density is 'mix,margin'; allowed: downtown, mix, margin.",
        ),
        ("scene: {boundary: [[0, 0], [1, 1]]}", "scene.boundary is "),
        ("scene: {boundary: [[0, 0], [9, 0], [0, 9]], size_m: 300}", "scene: give either"),
        ("seed: -1", "seed is -1: input should be greater than or equal to 0."),
        ("seed: 1.5", "seed is 1.5: input should be a valid integer, got a number with a "),
        (f"seed: {2**63}", f"seed is {2**63}: input should be less than {2**63}."),
        ("name: a b", "name is 'a b': string should match pattern"),
        ("name: ../up", "name is '../up': string should match pattern"),
        ("name: 5", "name is 5: input should be a valid string."),
        ("views: {width: 7}", "views.width is 7: input should be greater than or equal to 8."),
        ("views: {fov_deg: wide}", "views.fov_deg is 'wide': input should be a valid number"),
        ("views: {fov_deg: 170}", "views.fov_deg is 170: input should be less than 170."),
        (
            "views: {altitude_m: [50, 20]}",
            "views: altitude_m is [50, 20], from high to low: give [20, 50].",
        ),
        ("views: {altitude_m: [0, 20]}", "views.altitude_m.0 is 0: input should be greater than 0"),
        ("views: {altitude_m: 20}", "views.altitude_m is 20: input should be a valid tuple."),
        ("views: {altitude_m: [1, 2, 3]}", "views.altitude_m is [1, 2, 3]: tuple should have at"),
        ("views: [1]", "views is [1]: input should be a valid dictionary"),
        ("radio: null", "radio is None: input should be a valid dictionary"),
        ("radio: {rays: 999}", "radio.rays is 999: input should be greater than or equal to 1000."),
        ("radio: {rays: 1e7}", "radio.rays is '1e7': input should be a valid integer"),
        ("radio: {chunks: 1}", "radio.chunks is 1: input should be greater than or equal to 2."),
        ("radio: {max_depth: 65}", "radio.max_depth is 65: input should be less than or equal to"),
        ("radio: {diffraction: maybe}", "radio.diffraction is 'maybe': input should be a valid bo"),
        ("radio: {surface: quad}", "radio.surface is 'quad': input should be 'footprint' or 'latt"),
        (
            "transmitters: {antennas: [{pattern: isotropic}]}",
            "transmitters.antennas.0.pattern is 'is",
        ),
        ("transmitters: {antennas: [9x4]}", "transmitters.antennas.0 is '9x4'; allowed: siso, 4x4"),
        ("radio: {frequency_hz: 0}", "radio.frequency_hz is 0: input should be greater than or eq"),
        ("radio: {frequency_hz: 2.0e+11}", "radio.frequency_hz is 200000000000.0: input should be"),
        ("radio: {frequency_hz: .nan}", "radio.frequency_hz is nan: input should be a finite num"),
        ("radio: {bandwidth_hz: .inf}", "radio.bandwidth_hz is inf: input should be a finite num"),
        ("transmitters: {power_dbm: -.inf}", "transmitters.power_dbm is -inf: input should be a "),
        ("transmitters: {positions: [[1, 2]]}", "transmitters.positions.0.2 is [1, 2]: field requ"),
        ("transmitters: {positions: [[1, 2, .nan]]}", "transmitters.positions.0.2 is nan: input "),
        ("render: {sun_azimuth_deg: 361}", "render.sun_azimuth_deg is 361; allowed: 0 to 360, or "),
        ("1: 2", "1 is 1: keys should be strings."),
    ],
)
def test_a_wrong_value_names_key_value_and_what_is_allowed(text, line):
    assert line_of(text).startswith(f"spec: {line}")


@pytest.mark.parametrize("other", ["density: mix", "size_m: 200", "density: downtown"])
def test_a_scene_is_a_city_or_a_file_not_both(other):
    line = line_of(f"scene: {{source: a.xml, {other}}}")
    assert line == f"spec: scene: give either source, or {other.split(':')[0]}, not both."


def test_no_source_is_no_conflict():
    assert parse_spec({"scene": {"source": None, "density": "mix"}}).scene.density == "mix"


@pytest.mark.parametrize(
    ("record", "kind"), [([], "list"), ("text", "str"), (5, "int"), (None, "NoneType")]
)
def test_a_spec_of_no_keys_says_what_it_is(record, kind):
    with pytest.raises(InputError, match=rf"^a\.yaml must hold keys and values, not {kind}\.$"):
        parse_spec(record, "a.yaml")


# Files that cannot be read ------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["a: [", "a: b: c", "\ta: 1", "!!python/object:os.system {}", "a: \x01"]
)
def test_what_is_no_yaml_says_so_in_one_line(read, tmp_path, text):
    with pytest.raises(InputError) as error:
        read(text)
    assert str(error.value).startswith(f"{tmp_path / 'spec.yaml'} is no valid YAML: ")
    assert "\n" not in str(error.value)


def test_a_list_for_a_file_says_so(read, tmp_path):
    with pytest.raises(InputError, match=r"spec\.yaml must hold keys and values, not list\."):
        read("- 1")


def test_a_file_that_is_not_there_says_so(tmp_path):
    path = tmp_path / "no.yaml"
    with pytest.raises(InputError) as error:
        read_spec(path)
    assert str(error.value) == f"cannot read spec {path}: No such file or directory."


def test_a_folder_for_a_file_says_so(tmp_path):
    with pytest.raises(InputError, match=f"^cannot read spec {tmp_path}: Is a directory"):
        read_spec(str(tmp_path))


def test_a_binary_file_says_so(tmp_path):
    path = tmp_path / "spec.yaml"
    path.write_bytes(b"\x89PNG\xff\xfe")
    with pytest.raises(InputError, match=f"^spec {path} is no text file: "):
        read_spec(path)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("visibility_m: 0", "render.visibility_m is 0; allowed: 10 to 100000, or [lowest, highest"),
        ("visibility_m: .nan", "render.visibility_m is nan; allowed: 10 to 100000"),
        ("exposure_ev: [2, 1]", "render.exposure_ev is [2, 1]: from high to low: give [1, 2]."),
        ("exposure_ev: [25, 1]", "render.exposure_ev is [25, 1]; allowed: -20 to 20, or [lowest"),
        ("turbidity: [1, 2, 3]", "render.turbidity is [1, 2, 3]; allowed: 1 to 10"),
        ("cloud_cover: 40", "render.cloud_cover is 40; allowed: 0 to 1, or [lowest, highest]"),
        ("{cloud_cover: 0.5, cloud_pattern: -1}", "render.cloud_pattern is -1"),
        ("cloud_pattern: 3", "cloud_pattern is 3, but there are no clouds: give cloud_cover too"),
        ("{backend: unreal, cloud_cover: 0.5}", "cloud_cover is 0.5, and Unreal cannot be told"),
        ("speed_m_s: yes", "render.speed_m_s is True; allowed: 0 to 1000"),
        (
            "speed_m_s: 5",
            "speed_m_s is 5.0, but nothing moves while the shutter is closed: give sh",
        ),
        (
            "turn_deg_s: [0, 30]",
            "turn_deg_s is (0.0, 30.0), but nothing moves while the shutter is closed: give sh",
        ),
        ("lamps: dim", "render.lamps is 'dim'"),
        ("fog_share: 0.5", "fog_share is 0.5, but there is no fog: give visibility_m too"),
        ("{visibility_m: 90, fog_share: 1.5}", "render.fog_share is 1.5"),
        ("{latitude_deg: 100, date: 2026-01-02, hour: 3}", "latitude_deg is 100; allowed: -90 to"),
        ("{latitude_deg: 10, date: 2026-01-02, hour: 25}", "render.hour is 25; allowed: 0 to 24"),
        ("{latitude_deg: 10, date: 2026-02-30, hour: 5}", "holds a date that does not exist: day"),
        ("{latitude_deg: 10, date: '2026-02-30', hour: 5}", "render.date is '2026-02-30'; allowed"),
        ("{latitude_deg: 10, date: soon, hour: 5}", "allowed: a day of the calendar like 2026-06-"),
        ("hour: 5", "hour alone cannot place the sun: give latitude_deg and date too"),
        (
            "{latitude_deg: 10, date: 2026-01-02, hour: 5, sun_azimuth_deg: 90}",
            "latitude_deg and sun_azimuth_deg contradict each other: give one of them",
        ),
        (
            "{backend: unreal, turbidity: 5}",
            "turbidity is 5.0, and Unreal cannot be told: leave it out, or use backend mitsuba",
        ),
        ("{backend: unreal, visibility_m: [50, 90]}", "visibility_m is (50.0, 90.0), and Unreal"),
        ("{backend: unreal, shutter_s: 0.1}", "shutter_s is 0.1, and Unreal cannot be told"),
        ("{backend: unreal, exposure_ev: -1}", "exposure_ev is -1.0, and Unreal cannot be told"),
        ("{backend: unreal, lamps: on}", "lamps is on, and Unreal cannot be told"),
        ("{backend: unreal, samples_per_pixel: 64}", "samples_per_pixel is 64, and Unreal cannot"),
        (
            "{backend: unreal, sun_elevation_deg: [-5, 20]}",
            "the sun sinks to -5 degrees, and Unreal's level has no light at night: keep it above",
        ),
        (
            "{backend: unreal, latitude_deg: 48, date: 2026-06-21, hour: [12, 21]}",
            "the sun sinks to -7",
        ),
        (
            "{backend: unreal, latitude_deg: [0, 60], date: [2026-05-01, 2027-05-01], hour: 15.5}",
            "the sun sinks to -3.74",
        ),
    ],
)
def test_impossible_conditions_are_refused_in_one_line(lines, expected):
    text = f"render: {lines}" if lines.startswith("{") else f"render:\n  {lines}"
    with pytest.raises(InputError) as caught:
        spec_from_yaml(text)
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "lines",
    ["", "{lamps: on}", "{visibility_m: [50, 2e3], lamps: off, shutter_s: [0, 0.01]}",
     "{latitude_deg: [-30, 60], date: [2026-01-01, 2026-12-31], hour: [0, 24]}",
     "{sun_elevation_deg: [-20, 70], sun_azimuth_deg: 90}",
     "{backend: unreal, sun_elevation_deg: [1, 70]}",
     "{backend: unreal, latitude_deg: [-23, 23], date: [2026-01-01, 2026-12-31], hour: [8, 16]}"],
)  # fmt: skip
def test_conditions_are_written_and_read_back(lines):
    spec = spec_from_yaml(f"render: {lines or '{}'}")
    assert spec_from_yaml(spec.to_yaml()) == spec
