"""Many small measurements at once, each on a core of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch
from threadpoolctl import threadpool_limits

Item = TypeVar("Item")
Result = TypeVar("Result")


def side_by_side(
    function: Callable[[Item], Result], items: Sequence[Item], *, device: str = "cpu"
) -> Iterator[Result]:
    """``function`` of each item, in their order, several at once, as they are done.

    A network that is only asked, and the clustering behind it, keep two cores busy poorly: products
    are small, and threads wait for one another. Whole items on a core each do not, and as each is
    computed on one thread, the results do not depend on how many there are.

    Args:
        function: computes with torch, NumPy and scikit-learn, and changes nothing that is shared.
        items: what it is called with.
        device: on another than the processor, one item at a time.

    Raises:
        Exception: whatever ``function`` raised, at the place of its item; no more are begun.
    """
    cores = torch.get_num_threads()
    pool = ThreadPoolExecutor(
        min(cores, len(items)) if device == "cpu" else 1,
        initializer=torch.set_num_threads, initargs=(1,),
    )  # fmt: skip
    # Encoders are initialised, before they are filled, from the one global generator.
    with torch.random.fork_rng(devices=[]), threadpool_limits(1, user_api="blas"):
        try:
            yield from pool.map(function, items)
        finally:
            pool.shutdown(cancel_futures=True)
            torch.set_num_threads(cores)  # torch's products take the number set last, by any thread
