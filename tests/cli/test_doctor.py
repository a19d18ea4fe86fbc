"""The doctor tells what works, and survives what aborts."""

import pytest
from typer.testing import CliRunner

from tests.render.unreal_server import UnrealServer
from vasgen import doctor, runtime
from vasgen.cli import app
from vasgen.doctor import Check


def test_this_machine_is_well():
    checks = {check.name: check for check in doctor.examine()}
    assert {"python", "machine", "LLVM", "libraries", "ray tracing", "denoiser", "OpenEXR"} <= set(
        checks
    )
    assert [c.detail for c in checks.values() if c.required and not c.ok] == []
    assert "free space -63.33 dB" in checks["ray tracing"].detail


def test_the_traced_gain_is_free_space():
    # Friis at 3.5 GHz and 10 m, from the formula alone; the ground reflects nothing upwards
    # onto its own visible side.
    assert doctor.trace_gain_db() == pytest.approx(-63.33, abs=0.1)


def test_an_abort_is_a_failed_check_not_the_end():
    check = doctor._probe("ray tracing", "import os; os.abort()", "mend it")
    assert not check.ok
    assert check.detail.startswith("the process was aborted by signal 6")
    assert check.remedy == "mend it"


def test_a_probe_that_says_nothing_failed():
    assert not doctor._probe("x", "pass", "").ok
    assert doctor._probe("x", "print('found: it')", "").detail == "it"


def test_a_named_library_that_is_not_there(monkeypatch):
    monkeypatch.setenv(runtime.LLVM_VARIABLE, "/nowhere/libLLVM.so")
    check = doctor._llvm()
    assert not check.ok
    assert "named by the user, but does not exist" in check.detail
    assert check.remedy == f"unset {runtime.LLVM_VARIABLE}"


@pytest.mark.parametrize(
    ("installed", "relation", "wanted", "ok"),
    [
        ("1.5.0", "==", "1.5.0", True),
        ("1.5.1", "==", "1.5.0", False),
        ("2.10", ">=", "2.9", True),
        ("2.0.0rc1", ">=", "2.1", False),
    ],
)
def test_versions_are_compared_by_number(installed, relation, wanted, ok):
    assert doctor._satisfies(installed, relation, wanted) is ok


def test_a_wrong_version_names_the_pip_command(monkeypatch):
    versions = {"mitsuba": "3.5.0", "rich": None}
    real = doctor._installed
    monkeypatch.setattr(doctor, "_installed", lambda name: versions.get(name, real(name)))
    (check,) = doctor._libraries()
    assert not check.ok
    assert check.remedy == "pip install 'mitsuba==3.9.1' 'rich>=13.9'"
    assert "rich absent" in check.detail


@pytest.mark.parametrize(("required", "status"), [(True, 2), (False, 0)])
def test_exit_status(monkeypatch, required, status):
    check = Check("thing", False, "broken", "buy another", required)
    monkeypatch.setattr(doctor, "examine", lambda begin: [check])
    result = CliRunner().invoke(app, ["doctor"])
    assert result.exit_code == status
    assert "to mend: buy another" in result.output
    assert ("cannot build datasets here: thing" in result.output) is required


def test_an_unreal_that_runs(monkeypatch):
    with UnrealServer() as server:
        monkeypatch.setenv("VASGEN_UNREAL", server.address)
        check = doctor._unreal()
        assert check.detail == f"an UnrealCV server greets at {server.address}"
    assert check.ok


def test_no_unreal_is_no_fault(monkeypatch):
    monkeypatch.setenv("VASGEN_UNREAL", "127.0.0.1:9")
    check = doctor._unreal()
    assert not check.ok
    assert not check.required
    assert check.detail.startswith("no Unreal at 127.0.0.1:9: Connection refused")
    assert check.remedy == "docs/unreal.md"


def test_an_address_that_cannot_be_one_is_told(monkeypatch):
    monkeypatch.setenv("VASGEN_UNREAL", "a..b:9000")
    assert doctor._unreal().detail.startswith("Unreal's address is 'a..b:9000'; allowed: HOST:PORT")
