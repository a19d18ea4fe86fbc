"""The compute backend: CUDA where present, else the CPU with an LLVM that works.

Dr.Jit looks for an LLVM shared library when it is first imported. Debian's LLVM 14
and 15 abort the process on Sionna's kernels, so the library that pip installed
(package ``karellen-llvm-core``) is named before that import, unless the user has
named one. :func:`prepare` does this, and importing vasgen calls it.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
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
    """Name the packaged LLVM library to Dr.Jit, unless the user has named one.

    Importing vasgen does this; it is harmless to call again.
    """
    if "drjit" in sys.modules or os.environ.get(LLVM_VARIABLE):
        return
    library = packaged_llvm()
    if library is not None:
        os.environ[LLVM_VARIABLE] = str(library)


def require_backend() -> None:
    """Refuse to go on with whatever LLVM the system has: it might abort the process.

    Raises:
        MissingDependencyError: if no LLVM is named or installed by pip, and there is no CUDA.
    """
    prepare()
    chosen = "drjit" in sys.modules or os.environ.get(LLVM_VARIABLE)
    if sys.platform == "linux" and not chosen and not _has_cuda_driver():
        raise MissingDependencyError(
            "no usable LLVM library is installed, and there is no CUDA GPU. "
            f"Run: pip install {_LLVM_PACKAGE}"
        )


def radio() -> Any:
    """The module ``sionna.rt``, with its polarised Mitsuba variant selected.

    Raises:
        MissingDependencyError: as :func:`require_backend`.
    """
    require_backend()
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
    with _variant(f"{backend()}_ad_rgb") as mi:
        yield mi


@contextmanager
def radio_variant() -> Iterator[Any]:
    """Mitsuba with Sionna's polarised variant: free where it is already selected.

    Changing the variant costs a tenth of a second, as Sionna reloads its plugins; so work
    that needs no colours, such as casting rays, belongs here.
    """
    with _variant(f"{backend()}_ad_mono_polarized") as mi:
        yield mi


def free_unused() -> None:
    """Give arrays' memory that nobody uses any more back to the system.

    Dr.Jit keeps it for arrays of the same size: worth a call where the next step needs others.
    """
    import drjit as dr

    dr.flush_malloc_cache()


class _Colours:
    """Names of the RGB variant; those that all variants share come from Mitsuba itself.

    The variant's own module is what ``mitsuba`` forwards to while the variant is selected.
    """

    def __init__(self) -> None:
        import mitsuba as mi

        self._own = importlib.import_module(f"mitsuba.{backend()}_ad_rgb")
        self._shared = mi

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._own if hasattr(self._own, name) else self._shared, name)
        setattr(self, name, value)
        return value


@cache
def colours() -> Any:
    """Mitsuba's names in its RGB variant, whichever variant is selected.

    Its classes work without :func:`colour_variant`, which costs a tenth of a second; only
    what loads plugins, such as ``load_dict``, must be within that.
    """
    return _Colours()


@contextmanager
def _variant(name: str) -> Iterator[Any]:
    import mitsuba as mi

    before = mi.variant()
    _select(mi, name)
    try:
        yield mi
    finally:
        _select(mi, before)


def _select(mi: Any, variant: str) -> None:
    if mi.variant() == variant:
        return
    with warnings.catch_warnings():
        # Sionna decorates its functions anew at each change; Dr.Jit counts and complains.
        warnings.filterwarnings("ignore", "The AST-transforming decorator", RuntimeWarning)
        mi.set_variant(variant)


def _has_cuda_driver() -> bool:
    return Path("/proc/driver/nvidia/version").is_file()
