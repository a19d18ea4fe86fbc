"""Layers: one table says what every array of a view is."""

import dataclasses
import math

import numpy as np
import pytest

from vasgen.layers import (
    IMAGE_LAYERS,
    MECHANISMS,
    NO_MATERIAL,
    PATH_GAIN_FLOOR_DB,
    PATH_LAYERS,
    RADIO_LAYERS,
    ImageLayers,
    RadioLayers,
)

ALL_RADIO_LAYERS = {**RADIO_LAYERS, **PATH_LAYERS}
KINDS = [(ImageLayers, IMAGE_LAYERS), (RadioLayers, ALL_RADIO_LAYERS)]


def arrays_of(table, height=3, width=5, transmitters=2):
    sizes = {"height": height, "width": width, "transmitter": transmitters, "3": 3, "2": 2}
    sizes |= {"mechanism": len(MECHANISMS), "path": 4, "event": 6}
    return {
        name: np.zeros([sizes[axis] for axis in spec.axes.split()], spec.dtype)
        for name, spec in table.items()
    }


@pytest.mark.parametrize(("kind", "table"), KINDS)
def test_the_table_lists_the_layers_in_their_order(kind, table):
    assert [field.name for field in dataclasses.fields(kind)] == list(table)


@pytest.mark.parametrize(("kind", "table"), KINDS)
def test_arrays_come_back_by_name(kind, table):
    arrays = arrays_of(table)
    back = kind(**arrays).arrays()
    assert list(back) == list(table)
    assert all(back[name] is arrays[name] for name in table)


PER_MAP = {"rays", "search_recall"}


def test_a_layer_that_is_absent_is_left_out():
    arrays = {**arrays_of(IMAGE_LAYERS), "rgb": None}
    assert list(ImageLayers(**arrays).arrays()) == [n for n in IMAGE_LAYERS if n != "rgb"]


def test_without_paths_their_layers_are_left_out():
    assert list(RadioLayers(**arrays_of(RADIO_LAYERS)).arrays()) == list(RADIO_LAYERS)


def test_layer_names_are_unique_over_all_tables():
    assert not IMAGE_LAYERS.keys() & ALL_RADIO_LAYERS.keys()
    assert not RADIO_LAYERS.keys() & PATH_LAYERS.keys()


@pytest.mark.parametrize(
    "name", [*IMAGE_LAYERS, *(n for n in ALL_RADIO_LAYERS if n not in PER_MAP)]
)
def test_unit_type_and_axes_fit_together(name):
    spec = {**IMAGE_LAYERS, **ALL_RADIO_LAYERS}[name]
    kind = np.dtype(spec.dtype)
    radio = name in ALL_RADIO_LAYERS
    assert kind.itemsize <= (8 if kind.kind == "c" else 4)
    each = radio and name != "best_server"
    axes = spec.axes.removeprefix("mechanism ")
    assert axes.startswith("transmitter height width" if each else "height width")
    assert spec.meaning
    assert (spec.unit == "bool") == (spec.dtype == "bool")
    for suffix, unit in (("_db", "dB"), ("_dbm", "dBm"), ("_deg", "deg"), ("_s", "s")):
        assert name.endswith(suffix) == (spec.unit == unit)
    # Numbers that may be missing are floats; classes, ids and masks never are.
    assert ("NaN" in spec.meaning) <= (kind == np.float32)


def test_the_floor_is_below_any_gain_of_a_traced_path():
    wavelength = 299_792_458 / 450e9  # the highest frequency ITU-R P.2040 lists
    free_space_10_km = 20 * math.log10(wavelength / (4 * math.pi * 10_000))
    weakest_reflections = 3 * 20 * math.log10(0.05)
    assert free_space_10_km + weakest_reflections > PATH_GAIN_FLOOR_DB
    assert float(np.float32(PATH_GAIN_FLOOR_DB)) == PATH_GAIN_FLOOR_DB
    assert f"{PATH_GAIN_FLOOR_DB:g}" in RADIO_LAYERS["path_gain_db"].meaning


def test_no_material_is_the_last_number_of_its_layer():
    assert np.iinfo(IMAGE_LAYERS["radio_material"].dtype).max == NO_MATERIAL
    assert str(NO_MATERIAL) in IMAGE_LAYERS["radio_material"].meaning
