"""What a worker does with a shard: look at its images, and write its part."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import torch
from threadpoolctl import threadpool_limits

from shoal import pipeline
from shoal.distributed.opening import Order, Shard, checkpoint_at, rows_of
from shoal.distributed.parts import Parts
from shoal.embedding.reduce import reduce
from shoal.images.csv_files import as_text
from shoal.images.files import atomic_path
from shoal.protocols import Array, silent
from shoal.scoring.way import Way, way_of
from shoal.search.copies import look_at
from shoal.training.allocator import keep_large_buffers
from shoal.training.devices import peak_memory


def predict_shard(order: Order, parts: Parts, shard: Shard) -> float | None:
    """Assign the images of a shard, and write its part.

    Returns:
        The most memory that this process has used so far, in GB.

    Raises:
        DistributedError: this machine sees other images, or another version of shoal.
    """
    _one_thread()
    some, _ = rows_of(order, parts, shard)
    plan = parts.plan
    way = _way(order.checkpoint or "", plan.checkpoint, plan.n_clusters, plan.split)
    table = pipeline.assign_way(some, way, familiarity=plan.familiarity, device=order.device)
    table.to_parquet(parts.path(shard.number), parts.metadata(), force=True)
    return peak_memory()


def compare_shard(order: Order, parts: Parts, shard: Shard) -> float | None:
    """Look at the images of a shard for the search for copies, and write its part.

    Returns and raises what `predict_shard` does.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    _one_thread()
    some, checkpoint = rows_of(order, parts, shard)
    seen = look_at(some, silent)
    columns = {
        "id": pa.array([as_text(name) for name in some.ids], pa.string()),
        "digest": pa.array(seen.digests, pa.binary()),
        "outline": fixed_size(seen.outlines),
        "sketch": fixed_size(seen.sketches),
    }
    if checkpoint is not None:
        columns["embedding"] = fixed_size(reduce(some, checkpoint, device=order.device))
    with atomic_path(parts.path(shard.number)) as temporary:
        pq.write_table(pa.table(columns, metadata=parts.metadata()), temporary)
    return peak_memory()


def _one_thread() -> None:
    """Compute on one thread, whatever the environment says: there is a worker for each core."""
    keep_large_buffers()
    torch.set_num_threads(1)
    threadpool_limits(1)


def fixed_size(rows: Array) -> Any:
    """Rows (n, …) as an Arrow array of n lists."""
    import pyarrow as pa

    flat = np.ascontiguousarray(rows).reshape(len(rows), -1)
    return pa.FixedSizeListArray.from_arrays(pa.array(flat.ravel()), flat.shape[1])


@lru_cache(maxsize=1)
def _way(path: str, digest: str, n_clusters: int | None, split: int) -> Way:
    return way_of(checkpoint_at(path, digest), n_clusters, split)
