"""Worker processes: many views at the same time, each process with its own scene."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

from vasgen.bundle import SceneBundle
from vasgen.errors import VasgenError
from vasgen.orchestrate.view import ViewJob, ViewMaker
from vasgen.spec import DatasetSpec


class WorkerError(VasgenError):
    """A worker process died."""


class _Worker:
    """State of a worker process: its one view maker."""

    maker: ViewMaker


def make_all(
    batches: Sequence[Sequence[ViewJob]], scene: Path, spec: DatasetSpec, workers: int
) -> Iterator[Sequence[ViewJob]]:
    """Make views in several processes.

    Args:
        batches: groups of views that are made together.
        scene: bundle folder; each process loads it once.
        spec: what to make.
        workers: number of processes.

    Yields:
        Each group once it is done, in any order.

    Raises:
        WorkerError: if a process dies, as one does that runs out of memory.
    """
    # Threads of a ray tracer do not survive a fork; a spawned process starts clean.
    context = multiprocessing.get_context("spawn")
    before = set(multiprocessing.active_children())
    threads = max(1, (os.cpu_count() or 1) // workers)
    pool = ProcessPoolExecutor(
        workers,
        context,
        initializer=_start,
        initargs=(scene, spec, threads, list(warnings.filters)),
    )
    try:
        futures = {pool.submit(_make, batch): batch for batch in batches}
        for future in as_completed(futures):
            future.result()
            yield futures[future]
    except BrokenProcessPool:
        raise WorkerError(
            f"a worker process died, most likely for lack of memory: run again with fewer "
            f"than {workers} workers; finished views are kept."
        ) from None
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        # On an error or Ctrl-C a view under way is not worth waiting for.
        for process in set(multiprocessing.active_children()) - before:
            process.terminate()
            process.join()


def _start(scene: Path, spec: DatasetSpec, threads: int, filters: list[Any]) -> None:
    warnings.filters[:] = filters  # type: ignore[index]  # warn of what the parent warns of
    # Ctrl-C reaches the whole process group; the parent decides what happens.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_die_with_parent, daemon=True).start()
    from vasgen import runtime

    runtime.radio()
    import drjit as dr

    dr.set_thread_count(threads)
    _Worker.maker = ViewMaker(SceneBundle.load(scene), spec)


def _die_with_parent() -> None:
    """A killed parent cannot stop its workers; each watches for its end."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _make(jobs: Sequence[ViewJob]) -> None:
    _Worker.maker.make(jobs)
