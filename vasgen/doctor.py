"""The doctor: what works on this machine, and what to install for the rest.

What may abort the process, such as a bad LLVM library, is tried in a process of its own.
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from vasgen import runtime
from vasgen.errors import InputError, MissingDependencyError

_TIMEOUT_S = 300

_REQUIREMENT = re.compile(r"^(?P<name>[\w.-]+)\s*(?P<relation>==|>=)\s*(?P<version>[\w.]+)")

#: Lines a probe ends with: what it found. Libraries write above it.
_FOUND = "found: "

_TRACE = """
from vasgen import runtime
from vasgen.doctor import trace_gain_db
print("found: {}, direct path over 10 m {:.2f} dB (free space -63.33 dB)".format(
    runtime.backend(), trace_gain_db()))
"""

_DENOISE = """
import numpy as np, pyoidn
noisy = np.full((16, 16, 3), 0.5, np.float32)
result = pyoidn.denoise(noisy, hdr=True)
assert np.isfinite(result).all()
print("found: Open Image Denoise on the CPU")
"""

_EXR = """
import numpy as np, pathlib, tempfile
from vasgen.datasets.store import read_rgb
from vasgen.render.picture import write_exr
picture = np.linspace(0, 4, 48, dtype=np.float32).reshape(4, 4, 3)
with tempfile.TemporaryDirectory() as folder:
    path = pathlib.Path(folder) / "a.exr"
    write_exr(path, picture)
    assert np.allclose(read_rgb(path), picture, rtol=1e-3)
print("found: OpenEXR writes and reads")
"""


@dataclass(frozen=True)
class Check:
    """One thing that was examined.

    Attributes:
        name: what.
        ok: whether it works.
        detail: what was found.
        remedy: what to do if it does not work.
        required: whether building a dataset needs it.
    """

    name: str
    ok: bool
    detail: str
    remedy: str = ""
    required: bool = True


def examine(begin: Callable[[str], None] = lambda step: None) -> list[Check]:
    """Examine this machine; takes some seconds.

    Args:
        begin: called with the name of each step before it.
    """
    begin("Looking at the machine")
    checks = [_python(), _machine(), _llvm(), *_libraries()]
    for name, code, remedy in (
        (
            "ray tracing",
            _TRACE,
            f"pip install --upgrade karellen-llvm-core, unset "
            f"{runtime.LLVM_VARIABLE}, and run vasgen doctor again",
        ),
        ("denoiser", _DENOISE, "pip install --force-reinstall pyoidn"),
        ("OpenEXR", _EXR, "pip install --force-reinstall OpenEXR"),
    ):
        begin(f"Trying {name}")
        checks.append(_probe(name, code, remedy))
    begin("Looking for Unreal")
    return [*checks, *_extras(), _unreal()]


def trace_gain_db() -> float:
    """Path gain over ten metres of free space, traced with the real tracer, dB."""
    import numpy as np

    from vasgen.bundle import Mesh, RadioMaterial, SceneBundle, VisualMaterial
    from vasgen.camera import Camera
    from vasgen.spec import RadioSpec
    from vasgen.transmitter import Transmitter
    from vasgen.vas import Tracer

    corners = np.array([[-50.0, -50, 0], [50, -50, 0], [50, 50, 0], [-50, 50, 0]])
    ground = Mesh(
        "ground",
        "concrete",
        corners,
        np.array([[0, 1, 2], [0, 2, 3]], np.int32),
        np.ones(2, np.uint8),
        np.zeros(2, np.int32),
        np.zeros(2, np.uint16),
        np.zeros((2, 3, 2), np.float32),
    )
    bundle = SceneBundle(
        "doctor", (ground,), (RadioMaterial("concrete"),), (VisualMaterial("grey"),)
    )
    camera = Camera.look_at((0, 0, 20), (0, 0, 0), width=9, height=9, fov_deg=10)
    depth = np.full((9, 9), 20.0, np.float32)
    normal = np.broadcast_to(np.array([0, 0, 1], np.float32), (9, 9, 3)).copy()
    spec = RadioSpec(rays=10_000, chunks=2, max_depth=1)
    layers = Tracer(bundle, spec).trace(
        camera, depth, normal, [Transmitter("tx", (0.0, 0.0, 10.0))]
    )
    return float(layers.path_gain_db[0, 4, 4])


def print_table(checks: list[Check]) -> None:
    """Print the checks as a table, and what to do about those that failed."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, show_header=False)
    for check in checks:
        mark = Text("ok", "green") if check.ok else Text("fails", "bold red")
        if not check.ok and not check.required:
            mark = Text("absent", "yellow")
        remedy = f"\nto mend: {check.remedy}" if check.remedy and not check.ok else ""
        table.add_row(mark, Text(check.name, "bold"), Text(check.detail + remedy))
    console = Console(highlight=False)
    console.print(table)
    broken = [check.name for check in checks if check.required and not check.ok]
    if broken:
        console.print(f"vasgen cannot build datasets here: {', '.join(broken)}.", style="bold red")
    else:
        console.print("vasgen can build datasets here.", style="bold green")


def _python() -> Check:
    version = platform.python_version()
    return Check("python", sys.version_info >= (3, 11), f"{version}, {sys.executable}")


def _machine() -> Check:
    memory = ""
    if hasattr(os, "sysconf"):
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        memory = f", {total / 2**30:.0f} GiB memory"
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return Check("machine", True, f"{platform.platform()}, {cores} cores{memory}")


def _llvm() -> Check:
    named = os.environ.get(runtime.LLVM_VARIABLE)
    try:
        runtime.require_backend()
    except MissingDependencyError as error:
        return Check("LLVM", False, str(error), "pip install karellen-llvm-core")
    library = os.environ.get(runtime.LLVM_VARIABLE)
    if library is None:
        return Check("LLVM", True, "none named; Dr.Jit looks for CUDA or a system library")
    packaged = str(runtime.packaged_llvm())
    origin = "installed by pip" if library == packaged else "named by the user"
    exists = os.path.exists(library)  # noqa: PTH110  a plain string from the environment
    detail = f"{library} ({origin}{'' if exists else ', but does not exist'})"
    remedy = f"unset {runtime.LLVM_VARIABLE}" if named else ""
    return Check("LLVM", exists, detail, remedy)


def _libraries() -> Iterator[Check]:
    """The libraries vasgen depends on, against the versions it asks for."""
    wrong, found = [], []
    for name, relation, wanted in _requirements(extra=None):
        installed = _installed(name)
        if installed is None or not _satisfies(installed, relation, wanted):
            wrong.append(f"{name}{relation}{wanted}")
            found.append(f"{name} {installed or 'absent'}")
        elif relation == "==":
            found.append(f"{name} {installed}")
    quoted = " ".join(f"'{requirement}'" for requirement in wrong)
    yield Check("libraries", not wrong, ", ".join(found), f"pip install {quoted}")


def _extras() -> Iterator[Check]:
    """The optional packages, by the extra that installs them."""
    extras = importlib.metadata.metadata("vasgen").get_all("Provides-Extra") or []
    for extra in extras:
        missing = [n for n, _, _ in _requirements(extra) if _installed(n) is None]
        detail = f"missing: {', '.join(missing)}" if missing else "installed"
        remedy = f"pip install 'vasgen[{extra}]'"
        yield Check(f"extra {extra}", not missing, detail, remedy, required=False)


def _unreal() -> Check:
    """Whether a running Unreal would draw pictures; only it needs one."""
    from vasgen.render.unreal.probe import endpoint, probe

    try:
        address = endpoint()
        probe(address)
    except InputError as error:
        return Check("Unreal", False, str(error), "docs/unreal.md", required=False)
    return Check("Unreal", True, f"an UnrealCV server greets at {address}", required=False)


def _requirements(extra: str | None) -> Iterator[tuple[str, str, str]]:
    """Name, relation and version of each requirement of vasgen for this platform."""
    for text in importlib.metadata.requires("vasgen") or []:
        requirement, _, marker = text.partition(";")
        in_extra = re.search(r"extra == ['\"]([^'\"]+)", marker)
        if (in_extra[1] if in_extra else None) != extra:
            continue
        if "sys_platform" in marker and f'"{sys.platform}"' not in marker.replace("'", '"'):
            continue
        match = _REQUIREMENT.match(requirement.strip())
        if match:
            yield match["name"], match["relation"], match["version"]


def _installed(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _satisfies(installed: str, relation: str, wanted: str) -> bool:
    if relation == "==":
        return installed == wanted
    return _numbers(installed) >= _numbers(wanted)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])


def _probe(name: str, code: str, remedy: str) -> Check:
    """Run code in a process of its own; it prints what it found as its last line."""
    try:
        result = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", code],
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Check(name, False, f"no answer after {_TIMEOUT_S} s", remedy)
    lines = [line for line in result.stdout.splitlines() if line.startswith(_FOUND)]
    if result.returncode == 0 and lines:
        return Check(name, True, lines[-1].removeprefix(_FOUND))
    last = (result.stderr.strip().splitlines() or [f"exit status {result.returncode}"])[-1]
    if result.returncode < 0:
        last = f"the process was aborted by signal {-result.returncode}: {last}"
    return Check(name, False, last, remedy)
