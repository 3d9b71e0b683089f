"""The straight line for vectors that do not fit into memory all at once.

```
open_vectors ─▶ a sample ─▶ reduce ─▶ k-means of a larger sample ─▶ all, a block at a time ─▶
checkpoint, labels of all, table of the sample
```

What `pipeline.cluster_vectors` holds of every vector (its reduced form, its membership in each
group) is held of a sample alone. The checkpoint is an ordinary one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from shoal.clustering import streamed
from shoal.clustering.centres import Centres
from shoal.clustering.choose_k import MOST, choose_k, weigh_beside
from shoal.clustering.choose_metric import metric_for
from shoal.clustering.clusterers.streamed_kmeans import StreamedKMeansClusterer
from shoal.clustering.clustering import Clustering, build_clusterer
from shoal.clustering.vector_blocks import Reduced
from shoal.embedding.out_of_distribution import without_direction
from shoal.embedding.reduce import Reduction, fit_reduction, transform
from shoal.embedding.table import ImageTable
from shoal.errors import DataError
from shoal.images.checks import check_n_clusters
from shoal.images.sampling import sample_rows
from shoal.images.subset import Subset
from shoal.images.vectors.scale import numbers_of
from shoal.images.vectors.source import VectorSource
from shoal.models.checkpoint import Checkpoint
from shoal.models.facts import ClusterFacts, Origin, Split
from shoal.protocols import Array, FloatArray, IntArray, Track, silent
from shoal.recipes.noise import OFF
from shoal.recipes.parts import Part
from shoal.recipes.recipe import Recipe
from shoal.scoring.assignment import calibration_of, unsure_of
from shoal.scoring.examine import examine

AT_ONCE = 8 * 2**30
"""Bytes in memory from which vectors are clustered in blocks."""
SHOWN = 20_000
"""Vectors drawn at random that are looked at: reducers learn from them, the report shows them."""
CALIBRATED = 100
"""Groups up to which the confidence is calibrated: of more, a sample holds too few of each."""
_CLUSTERER = Part("streamed_kmeans")


class Readers(Protocol):
    """Reads all vectors, wherever that is done."""

    def sums(self, centres: Centres) -> streamed.Sums:
        """See `streamed.sums`."""
        ...

    def assign(self, centres: Centres) -> streamed.Assignment:
        """See `streamed.assign`."""
        ...


Spread = Callable[[VectorSource, Checkpoint], Readers]
"""Makes the readers of a source, which reduce its vectors as a checkpoint does."""


@dataclass(frozen=True)
class LargeResult:
    """The groups of very many vectors."""

    checkpoint: Checkpoint
    labels: Array
    """int32 (n,): the group of each, the largest first."""
    confidence: FloatArray
    """float32 (n,) in [0, 1]: calibrated, or of more than 100 groups how far each belongs to its
    group rather than to the next."""
    sample: Subset
    """Some of the vectors, to be shown."""
    table: ImageTable
    """Of the sample."""
    description: str
    """How the groups were found, and how good they are, in a few sentences."""


def bytes_at_once(n: int, n_dimensions: int, n_clusters: int) -> int:
    """About how many bytes `pipeline.cluster_vectors` needs for n vectors.

    For each vector: its id, up to 64 numbers after reduction, twice, and its membership in each
    cluster as votes, shares and probabilities.

    >>> bytes_at_once(1_000_000, 128, 10) // 10**6
    1012
    """
    return n * (100 + 8 * min(n_dimensions, 64) + 40 * n_clusters)


def is_large(source: VectorSource, recipe: Recipe, *, auto_k: bool = False) -> bool:
    """Whether so many vectors, or groups of them, are clustered a block at a time."""
    k = MOST if auto_k else recipe.n_clusters
    return bytes_at_once(len(source), source.n_dimensions, k) > AT_ONCE


def check(source: VectorSource, recipe: Recipe) -> None:
    """Raise, before anything is written, unless `cluster` can do what is asked.

    Raises:
        DataError: more clusters than vectors, or noise is to be set apart.
    """
    check_n_clusters(recipe.n_clusters, len(source), "vectors")
    if recipe.noise != OFF:
        raise DataError(
            f"noise must be off with so many vectors ({len(source):,}), got {recipe.noise!r}."
        )


def cluster(
    source: VectorSource, recipe: Recipe, *, auto_k: bool = False, auto_metric: bool = False,
    origin: Origin | None = None, notes: Mapping[str, Any] | None = None,
    spread: Spread | None = None, track: Track = silent,
) -> LargeResult:  # fmt: skip
    """Cluster vectors that do not fit into memory; they are read a few times, in blocks.

    In memory are samples, the centres, and 16 bytes for each vector.

    Args:
        source: the vectors.
        recipe: without an encoder: its reducers. The clusterer is `streamed_kmeans` in any case.
        auto_k: choose the number of clusters by a sample, in place of the recipe's.
        auto_metric: choose the metric by a sample, see `pipeline.cluster_vectors`.
        origin: what the checkpoint is to know of the command.
        notes: what its provenance is to tell a person besides.
        spread: reads all vectors elsewhere, in parts; None: here.
        track: shows progress.

    Raises:
        DataError: see `check`.
    """
    check(source, recipe)
    began, recipe = time.monotonic(), replace(recipe, clusterer=_CLUSTERER)
    recipe, metric, centre = metric_for(
        source, recipe, auto=auto_metric, auto_k=auto_k, track=track
    )
    sample = Subset(source, sample_rows(len(source), SHOWN, recipe.seed))
    empty = Checkpoint(
        recipe=recipe, image_shape=(1, 1, 1), n_dimensions=source.n_dimensions,
        n_images=len(source), step=0, total_steps=0, epoch=0.0, encoder_state={},
        objective_states=[], provenance=dict(notes or {}), centre=centre,
        origin=replace(origin or Origin(), digest=source.digest(), numbers=numbers_of(source)),
    )  # fmt: skip
    reduction = fit_reduction(sample, empty, track=track)
    facts = ClusterFacts(metric=metric)
    if auto_k:
        n_clusters, chosen = choose_k(reduction.fitted, recipe, track=track)
        recipe, facts = replace(recipe, n_clusters=n_clusters), replace(facts, chosen=chosen)
    else:
        facts = replace(facts, weighed=weigh_beside(reduction.fitted, recipe))
    z = reduction.embedding
    vectors = Reduced(source, _reducing(reduction), z.shape[1], centre)
    readers = None if spread is None else spread(source, reduction.checkpoint)
    found = streamed.k_means(
        vectors, recipe.n_clusters, seed=recipe.seed, track=track,
        add_up=None if readers is None else readers.sums,
    )  # fmt: skip
    if readers is None:
        assigned = streamed.assign(vectors, found.centres, track)
    else:
        assigned = readers.assign(found.centres)
    found, assigned = streamed.by_size(found, assigned)
    clusterer = build_clusterer(recipe, recipe.n_clusters)
    assert isinstance(clusterer, StreamedKMeansClusterer)
    clusterer.take(found, z)
    sizes = assigned.sizes(recipe.n_clusters)
    split = Split(tuple(sizes.tolist()), float(clusterer.separation[0]), None)
    finished = replace(
        reduction.checkpoint, recipe=recipe, clusterer=clusterer.get_arrays(),
        facts=replace(facts, splits=(split,)),
    )  # fmt: skip
    if 1 < recipe.n_clusters <= CALIBRATED:
        finished = examine(sample, finished, reduction, Clustering(clusterer))
    confidence = _confidence(finished, clusterer, assigned)
    lost = without_direction(source, finished)
    confidence = unsure_of(lost, confidence, recipe.n_clusters)
    labels = assigned.labels
    table = ImageTable(sample.ids, labels[sample.rows].astype(np.int64), z, confidence[sample.rows])
    seconds = round(time.monotonic() - began, 3)
    finished = replace(finished, origin=replace(finished.origin, seconds=seconds))
    described = f"{found.describe()} {_goodness(found, assigned, sizes)}"
    return LargeResult(finished, labels, confidence, sample, table, described)


def _reducing(reduction: Reduction) -> Callable[[FloatArray], FloatArray]:
    return lambda x: transform(x, reduction.checkpoint)


def _confidence(
    finished: Checkpoint, clusterer: StreamedKMeansClusterer, assigned: streamed.Assignment
) -> FloatArray:
    """The confidence of each label, float32 (n,)."""
    if finished.recipe.n_clusters == 1:
        return np.ones(len(assigned.labels), np.float32)
    own = clusterer.shares(assigned.squared)
    calibrated = calibration_of(finished)
    return own if calibrated is None else calibrated.confidence(own, assigned.labels)


def _goodness(
    found: streamed.StreamedKMeans, assigned: streamed.Assignment, sizes: IntArray
) -> str:
    objective = assigned.objective
    empty = int((sizes == 0).sum())
    more = f" {empty:,} groups stayed empty." if empty else ""
    return (
        f"The mean squared distance of a vector to its centre is {objective:.4g}, "
        f"{objective / max(found.spread, 1e-30):.1%} of that to the mean of all.{more}"
    )
