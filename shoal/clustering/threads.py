"""Linear algebra on one thread, in a process whose other threads go on as they were."""

from __future__ import annotations

import contextlib
import threading
import warnings
from collections.abc import Iterator
from functools import cache
from typing import Any

from threadpoolctl import ThreadpoolController

_lock = threading.Lock()
_inside = 0
_limit: Any = None


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Run linear algebra on one thread: several add up in any order, which changes the last bit.

    And on a machine that other programs use, they wait for one another: learning from what was
    said of 200,000 images took 4.7 seconds on two threads, 0.3 on one.

    A BLAS library has one number of threads for the whole process. So of several blocks at a time,
    as in a review, the first one sets it and the last one sets it back.
    Fewer distinct points than clusters are met before, see `BaseClusterer.fit`.
    """
    from sklearn.exceptions import ConvergenceWarning

    blas, openmp = _libraries()
    with _one_blas_thread(blas), openmp.limit(limits=1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield


@contextlib.contextmanager
def _one_blas_thread(blas: ThreadpoolController) -> Iterator[None]:
    global _inside, _limit
    with _lock:
        if _inside == 0:
            _set_by_any_thread(blas)
            _limit = blas.limit(limits=1)
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if _inside == 0:
                _set_by_any_thread(blas)
                _limit.restore_original_limits()


def _set_by_any_thread(blas: ThreadpoolController) -> None:
    """Let this thread set the number: from threadpoolctl 3.7 on only the one that set it may."""
    for library in blas.lib_controllers:
        if hasattr(library, "clear_controlling_thread"):
            library.clear_controlling_thread(force=True)


@cache
def _libraries() -> tuple[ThreadpoolController, ThreadpoolController]:
    """The BLAS libraries, and the OpenMP ones, whose number of threads is each thread's own.

    faiss's own BLAS is left alone: it frees what another thread may be computing with when its
    number is set, and scikit-learn does not use it.
    """
    import sklearn.cluster  # noqa: F401 - brings its libraries

    every = ThreadpoolController()
    blas = [
        library.filepath for library in every.select(user_api="blas").lib_controllers
        if "faiss" not in library.filepath
    ]  # fmt: skip
    return every.select(filepath=blas), every.select(user_api="openmp")
