"""Which LLVM is used, and which Mitsuba variant is selected when."""

import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from vasgen import runtime
from vasgen.errors import MissingDependencyError
from vasgen.runtime import LLVM_VARIABLE


def fresh(script, **environment):
    """Runs a script in a new Python without an LLVM chosen; what it prints."""
    inherited = {name: v for name, v in os.environ.items() if name != LLVM_VARIABLE}
    found = subprocess.run(
        [sys.executable, "-c", f"import os, sys\nfrom vasgen import runtime\n{script}"],
        env={**inherited, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return found.stdout.split()


SHOW = f"print(os.environ.get({LLVM_VARIABLE!r}))"


@pytest.fixture
def nothing_chosen(monkeypatch):
    """As before the first import of Dr.Jit, with no LLVM chosen."""
    monkeypatch.delenv(LLVM_VARIABLE, raising=False)
    monkeypatch.delitem(sys.modules, "drjit", raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    return monkeypatch


# The LLVM library ---------------------------------------------------------------------


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere Dr.Jit finds LLVM itself")
def test_pip_installed_an_llvm():
    library = runtime.packaged_llvm()
    assert library.is_file()
    assert library.is_absolute()
    assert library.name.startswith("libLLVM.so")


def test_no_package_is_no_library(monkeypatch):
    monkeypatch.setattr(runtime, "_LLVM_PACKAGE", "no-such-package-of-llvm")
    assert runtime.packaged_llvm() is None


def test_a_package_whose_files_are_gone_is_no_library(monkeypatch, tmp_path):
    class Gone:
        name = "libLLVM.so.19"

        def locate(self):
            return tmp_path / self.name

    for files in ([Gone()], [], None):
        monkeypatch.setattr(runtime.importlib.metadata, "files", lambda _, files=files: files)
        assert runtime.packaged_llvm() is None
    (tmp_path / Gone.name).touch()
    monkeypatch.setattr(runtime.importlib.metadata, "files", lambda _: [Gone()])
    assert runtime.packaged_llvm() == tmp_path / Gone.name


def test_importing_vasgen_names_the_installed_library():
    assert fresh(SHOW) == [str(runtime.packaged_llvm())]


def test_importing_vasgen_leaves_the_users_choice():
    assert fresh(SHOW, **{LLVM_VARIABLE: "/opt/libLLVM.so"}) == ["/opt/libLLVM.so"]


def test_prepare_names_the_installed_library_and_repeats_itself(nothing_chosen):
    for _ in range(2):
        runtime.prepare()
        assert os.environ[LLVM_VARIABLE] == str(runtime.packaged_llvm())


def test_prepare_does_nothing_once_dr_jit_is_there(nothing_chosen):
    nothing_chosen.setitem(sys.modules, "drjit", sys)
    runtime.prepare()
    assert LLVM_VARIABLE not in os.environ


def test_prepare_does_nothing_without_a_packaged_library(nothing_chosen):
    nothing_chosen.setattr(runtime, "packaged_llvm", lambda: None)
    runtime.prepare()
    assert LLVM_VARIABLE not in os.environ


def test_the_tracer_runs_on_the_library_that_was_chosen():
    script = f"runtime.radio()\n{SHOW}\nimport mitsuba\nprint(mitsuba.variant())"
    library, variant = fresh(script)
    assert Path(library) == runtime.packaged_llvm()
    assert variant.endswith("_ad_mono_polarized")


@pytest.fixture
def no_library(nothing_chosen):
    """As on Linux where pip installed no LLVM, with a stand-in for Sionna."""
    sionna, rt = ModuleType("sionna"), ModuleType("sionna.rt")
    sionna.rt = rt
    nothing_chosen.setitem(sys.modules, "sionna", sionna)
    nothing_chosen.setitem(sys.modules, "sionna.rt", rt)
    nothing_chosen.setattr(runtime, "packaged_llvm", lambda: None)
    nothing_chosen.setattr(runtime, "_has_cuda_driver", lambda: False)
    return nothing_chosen


def test_no_library_and_no_gpu_says_what_to_install(no_library):
    with pytest.raises(MissingDependencyError) as error:
        runtime.radio()
    assert str(error.value) == (
        "no usable LLVM library is installed, and there is no CUDA GPU. "
        "Run: pip install karellen-llvm-core"
    )


@pytest.mark.parametrize(
    "mend",
    [
        lambda patch: patch.setattr(runtime, "_has_cuda_driver", lambda: True),
        lambda patch: patch.setenv(LLVM_VARIABLE, "/opt/libLLVM.so"),
        lambda patch: patch.setattr(sys, "platform", "darwin"),
        lambda patch: patch.setitem(sys.modules, "drjit", sys),
    ],
    ids=["a GPU", "the user's library", "another system", "Dr.Jit already loaded"],
)
def test_one_thing_that_traces_is_enough(no_library, mend):
    mend(no_library)
    assert runtime.radio() is sys.modules["sionna.rt"]


# Variants -----------------------------------------------------------------------------


@pytest.fixture
def polarised():
    """The variant that Sionna selects, selected."""
    import mitsuba as mi

    name = f"{runtime.backend()}_ad_mono_polarized"
    mi.set_variant(name)
    yield name
    mi.set_variant(name)


def variant():
    import mitsuba as mi

    return mi.variant()


def test_radio_is_sionna_with_its_polarised_variant(polarised):
    assert runtime.radio().__name__ == "sionna.rt"
    assert variant() == polarised


def test_the_backend_is_the_one_of_the_variant(polarised):
    assert runtime.backend() in ("cuda", "llvm")
    assert polarised.startswith(runtime.backend())


def test_colours_are_there_inside_and_gone_after(polarised):
    with runtime.colour_variant() as mi:
        assert mi.variant() == f"{runtime.backend()}_ad_rgb"
        assert mi.Color3f is not None
    assert variant() == polarised


def test_colours_work_while_another_variant_is_selected(polarised):
    with runtime.colour_variant() as mi:
        white, rays = mi.Color3f(1.0, 1.0, 1.0), mi.RayFlags.UV
    names = runtime.colours()
    assert variant() == polarised
    assert names is runtime.colours()
    assert type(white) is names.Color3f
    assert names.luminance(white)[0] == pytest.approx(1.0, abs=1e-5)
    assert rays == names.RayFlags.UV
    with pytest.raises(AttributeError):
        _ = names.NoSuchName


def test_variants_nest_both_ways(polarised):
    with runtime.colour_variant():
        colours = variant()
        with runtime.radio_variant() as mi:
            assert mi.variant() == polarised
        assert variant() == colours
        with runtime.colour_variant():
            assert variant() == colours
        assert variant() == colours
    with runtime.radio_variant(), runtime.colour_variant():
        assert variant() == colours
    assert variant() == polarised


@pytest.mark.parametrize("context", [runtime.colour_variant, runtime.radio_variant])
def test_an_error_inside_passes_and_restores_the_variant(polarised, context):
    def fail():
        with context():
            raise KeyError("inside")

    with pytest.raises(KeyError, match="inside"):
        fail()
    assert variant() == polarised


def test_many_changes_do_not_warn(polarised, monkeypatch):
    """Dr.Jit complains after a thousand decorated functions; a long build changes often."""
    import drjit.ast

    monkeypatch.setattr(drjit.ast, "_syntax_counter", 1000)
    with runtime.colour_variant():
        pass
    assert variant() == polarised
