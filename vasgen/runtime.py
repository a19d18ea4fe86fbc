"""The compute backend: CUDA where present, else the CPU with an LLVM that works.

Dr.Jit looks for an LLVM shared library when it is first imported. Debian's LLVM 14
and 15 abort the process on Sionna's kernels, so the library that pip installed
(package ``karellen-llvm-core``) is named before that import, unless the user has
named one. :func:`prepare` does this and must run before mitsuba is imported;
every module of vasgen gets mitsuba and sionna through this one.
"""

from __future__ import annotations

import importlib.metadata
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from vasgen.errors import MissingDependencyError

Backend = Literal["cuda", "llvm"]

LLVM_VARIABLE = "DRJIT_LIBLLVM_PATH"
_LLVM_PACKAGE = "karellen-llvm-core"


def packaged_llvm() -> Path | None:
    """The LLVM library that pip installed, or None."""
    try:
        files = importlib.metadata.files(_LLVM_PACKAGE) or []
    except importlib.metadata.PackageNotFoundError:
        return None
    found = [Path(str(f.locate())).resolve() for f in files if f.name.startswith("libLLVM.so")]
    existing = sorted(path for path in found if path.is_file())
    return existing[-1] if existing else None


def prepare() -> None:
    """Choose the LLVM library; harmless to call again.

    Raises:
        MissingDependencyError: if no LLVM was named or installed and there is no CUDA.
    """
    if "drjit" in sys.modules or os.environ.get(LLVM_VARIABLE):
        return
    library = packaged_llvm()
    if library is not None:
        os.environ[LLVM_VARIABLE] = str(library)
    elif sys.platform == "linux" and not _has_cuda_driver():
        raise MissingDependencyError(
            "no usable LLVM library is installed, and there is no CUDA GPU. "
            f"Run: pip install {_LLVM_PACKAGE}"
        )


def radio() -> Any:
    """The module ``sionna.rt``, with its polarised Mitsuba variant selected."""
    prepare()
    with warnings.catch_warnings():
        # Sionna imports notebook widgets that warn about themselves.
        warnings.simplefilter("ignore")
        import sionna.rt
    return sionna.rt


def backend() -> Backend:
    """Which processor traces rays: "cuda" or "llvm"."""
    radio()
    import mitsuba as mi

    return "cuda" if str(mi.variant()).startswith("cuda") else "llvm"


@contextmanager
def colour_variant() -> Iterator[Any]:
    """Mitsuba with its RGB variant; leave no Mitsuba object alive outside its variant.

    Sionna must be imported first, as it selects its own variant on import.
    """
    name = f"{backend()}_ad_rgb"
    import mitsuba as mi

    with mi.scoped_set_variant(name):
        yield mi


@contextmanager
def radio_variant() -> Iterator[Any]:
    """Mitsuba with Sionna's polarised variant: free where it is already selected.

    Changing the variant costs a tenth of a second, as Sionna reloads its plugins; so work
    that needs no colours, such as casting rays, belongs here.
    """
    name = f"{backend()}_ad_mono_polarized"
    import mitsuba as mi

    if mi.variant() == name:
        yield mi
    else:
        with mi.scoped_set_variant(name):
            yield mi


def _has_cuda_driver() -> bool:
    return Path("/proc/driver/nvidia/version").is_file()
