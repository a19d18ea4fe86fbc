"""The error tree, and the line of a value outside a closed set."""

import importlib
import inspect
import math
import pkgutil
import subprocess
import sys

import pytest

import vasgen
from vasgen import errors
from vasgen.errors import (
    InputError,
    MissingDependencyError,
    StorageError,
    VasgenError,
    check_range,
    unknown_choice,
)

ROOMS = ["citygen", "render", "vas", "orchestrate", "datasets"]


def modules():
    for room in ["vasgen", *(f"vasgen.{room}" for room in ROOMS)]:
        package = importlib.import_module(room)
        yield package
        for entry in pkgutil.iter_modules(package.__path__, f"{room}."):
            yield importlib.import_module(entry.name)


def error_classes():
    return {
        value
        for module in modules()
        for value in vars(module).values()
        if inspect.isclass(value)
        and issubclass(value, BaseException)
        and value.__module__.startswith("vasgen")
    }


def test_every_error_of_ours_is_a_vasgen_error_and_says_what_it_is():
    found = error_classes()
    assert {InputError, MissingDependencyError, StorageError} <= found
    for error in found:
        assert issubclass(error, VasgenError)
        assert error.__doc__


def test_the_tree_lists_every_error():
    for error in error_classes():
        assert error.__name__ in errors.__doc__


@pytest.mark.parametrize(
    ("error", "builtin"),
    [(InputError, ValueError), (MissingDependencyError, ImportError), (StorageError, OSError)],
)
def test_errors_are_caught_by_their_builtin_kin(error, builtin):
    assert issubclass(error, builtin)
    assert str(error("one line")) == "one line"


def test_the_closest_choice_is_named():
    error = unknown_choice("density", "downtwon", ["downtown", "mix", "margin"])
    assert isinstance(error, InputError)
    assert str(error) == (
        "density is 'downtwon'; allowed: downtown, mix, margin. Did you mean 'downtown'?"
    )


def test_nothing_is_named_where_nothing_is_close():
    assert str(unknown_choice("density", "xyz", ("mix",))) == "density is 'xyz'; allowed: mix."


def test_a_value_of_another_type_and_choices_that_are_read_once_are_fine():
    line = str(unknown_choice("pattern", 5, iter(["iso", "dipole"])))
    assert line == "pattern is 5; allowed: iso, dipole."


@pytest.mark.parametrize("value", [-1.5, 3.01, math.nan, math.inf])
def test_a_number_out_of_range_is_named_with_its_range(value):
    with pytest.raises(InputError) as caught:
        check_range("share", value, -1.0, 3.0)
    assert str(caught.value) == f"share is {value}; allowed: -1 to 3."
    for allowed in (-1.0, 0, 3.0):
        check_range("share", allowed, -1.0, 3.0)


def test_the_nouns_import_no_ray_tracer():
    """LLVM must be chosen before Dr.Jit is imported, and ``vasgen --help`` be instant."""
    nouns = [entry.name for entry in pkgutil.iter_modules(vasgen.__path__, "vasgen.")]
    script = (
        f"import sys, importlib; [importlib.import_module(n) for n in {nouns!r}]; "
        "print(sorted({'drjit', 'mitsuba', 'sionna'} & set(sys.modules)))"
    )
    found = subprocess.check_output([sys.executable, "-c", script], text=True)
    assert found.strip() == "[]"
