"""The straight line: a pile of images in, a table of clusters out. Read this file first.

```
open_source ─▶ train ─▶ a trail of checkpoints ─▶ embed ─▶ reduce ─▶ cluster ─▶ checkpoint
open_source + checkpoint ─▶ embed ─▶ reduce ─▶ assign ─▶ EmbeddingTable ─▶ prediction.csv
```
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from shoal import checkpoint as checkpoints
from shoal import diagnosis, novelty, parts, splits
from shoal.checkpoint import Checkpoint
from shoal.checks import check_n_clusters
from shoal.embedding import EmbeddingTable, embed
from shoal.errors import CheckpointError, Interrupted
from shoal.protocols import Clusterer, FloatArray, ImageSource, IntArray, Reducer, Track, silent
from shoal.recipes import Recipe
from shoal.schedule import n_steps
from shoal.trail import Trail
from shoal.training import train


def fit(
    source: ImageSource,
    path: str | Path,
    recipe: Recipe,
    *,
    device: str = "cpu",
    resume: Checkpoint | None = None,
    notes: dict[str, Any] | None = None,
    track: Track = silent,
) -> Checkpoint:
    """Train on ``source``, cluster it, and write the finished checkpoint to ``path``.

    Raises:
        ShoalError: see `train`; `Interrupted` when ``track`` asks to stop between two steps, after
            the state to resume from was saved.
    """
    check_n_clusters(recipe.n_clusters, len(source))
    trail = Trail(path)
    steps = train(source, recipe, device=device, resume=resume, notes=notes)
    checkpoint = resume
    try:
        for checkpoint in track(steps, "training", n_steps(recipe, len(source))):
            if checkpoint.step == 1:
                trail.begin()  # not before: a run that cannot start must not cost an older one
            trail.save(checkpoint)
    except Interrupted:
        if checkpoint is not None:
            trail.save(checkpoint, now=True)
        raise
    assert checkpoint is not None  # a run has at least one step
    checkpoint = organise(source, checkpoint, device=device, track=track)
    checkpoints.save(checkpoint, path)
    trail.finish()
    return checkpoint


def organise(
    source: ImageSource, checkpoint: Checkpoint, *, examine: bool = True, device: str = "cpu",
    track: Track = silent,
) -> Checkpoint:  # fmt: skip
    """Embed, reduce and cluster the images a checkpoint was trained on; return it finished.

    The provenance tells of the ``splits`` among which one was chosen, see `Split`, and, as
    sentences, of ``warnings``: what makes the clusters doubtful.

    Args:
        source: the images.
        checkpoint: without clusters, or with others, which are forgotten.
        examine: look for what to warn of, and remember what new images are to be compared with;
            a checkpoint that only its clusters are wanted of does without, and is ready sooner.
        device: where the encoder runs.
        track: shows progress.
    """
    recipe = checkpoint.recipe
    embedding = z = embed(source, checkpoint, device=device, track=track)
    reducers = _reducers(recipe)
    for reducer in track(reducers, "reducing", len(reducers)):
        z = reducer.fit_transform(z)
    clusterer = _clusterer(recipe, recipe.n_clusters)
    for step in track([clusterer], "clustering", 1):
        step.fit(z)
    found = splits.choose(source, clusterer, z)
    finished = replace(
        checkpoint,
        optimizer_state=None,
        provenance=checkpoint.provenance | {"splits": splits.to_json(found)},
        reducers=[reducer.get_arrays() for reducer in reducers],
        clusterer=clusterer.get_arrays(),
    )
    if not examine:
        return finished
    labels = assign(source, z, clusterer).labels
    sizes = np.bincount(labels, minlength=recipe.n_clusters)
    rows = diagnosis.sample(len(source))
    warnings = diagnosis.diagnose(source, checkpoint, embedding[rows], labels[rows], rows, sizes)
    return replace(
        finished,
        provenance=finished.provenance | {"warnings": warnings},
        familiar=novelty.remember(source, checkpoint, embedding, rows, device=device),
    )


def predict(
    source: ImageSource,
    checkpoint: Checkpoint,
    *,
    n_clusters: int | None = None,
    split: int = 1,
    new: bool = False,
    device: str = "cpu",
    track: Track = silent,
) -> EmbeddingTable:
    """Assign each image to a cluster with what the checkpoint holds alone.

    Args:
        source: the images trained on or new ones; an image's cluster does not depend on the rest.
        checkpoint: a finished one.
        n_clusters: another number of clusters than the recipe's, found anew among the images
            remembered from training.
        split: which of the ways to divide the pile, counted from 1, see `splits`.
        new: whether to say also how familiar each image is, see `novelty`: takes twice the time.
        device: where the encoder runs.
        track: shows progress.

    Raises:
        CheckpointError: the checkpoint is one along the way, without clusters.
        DataError: more clusters than images, or a split that was not found.
    """
    if n_clusters is not None:
        check_n_clusters(n_clusters, len(source))
    recipe = checkpoint.recipe
    clusterer = fitted_clusterer(checkpoint)
    if n_clusters is not None and n_clusters != recipe.n_clusters:
        check_n_clusters(n_clusters, len(clusterer.reference))
        clusterer = _clusterer(recipe, n_clusters).fit(clusterer.reference)
    splits.select(clusterer, split)
    embedding = embed(source, checkpoint, device=device, track=track)
    table = assign(source, transform(embedding, checkpoint, track=track), clusterer)
    if not new or not checkpoint.familiar:  # an older checkpoint cannot tell
        return table
    familiarity = novelty.familiarity(source, checkpoint, embedding, device=device, track=track)
    return replace(table, familiarity=familiarity)


def reduce(
    source: ImageSource, checkpoint: Checkpoint, *, device: str = "cpu", track: Track = silent
) -> FloatArray:
    """The embedding in which a finished checkpoint's clusters were found, float32 (n, d)."""
    embedding = embed(source, checkpoint, device=device, track=track)
    return transform(embedding, checkpoint, track=track)


def transform(z: FloatArray, checkpoint: Checkpoint, *, track: Track = silent) -> FloatArray:
    """An embedding float32 (n, c) reduced as a finished checkpoint learned to, float32 (n, d)."""
    reducers = list(zip(_reducers(checkpoint.recipe), checkpoint.reducers, strict=True))
    for reducer, arrays in track(reducers, "reducing", len(reducers)):
        z = reducer.set_arrays(arrays).transform(z)
    return z


def assign(source: ImageSource, z: FloatArray, clusterer: Clusterer) -> EmbeddingTable:
    """Label each row of ``z`` float32 (n, d); clusters are numbered by size in training."""
    membership = splits.number_by_size(clusterer, clusterer.predict_proba(z))
    labels = _largest(membership)
    confidence = membership[np.arange(len(labels)), labels]
    return EmbeddingTable(ids=source.ids, z=z, labels=labels, confidence=confidence)


def cluster_sizes(clusterer: Clusterer) -> tuple[IntArray, float]:
    """How many of the points it was fitted on each cluster holds, int64 (k,), and how surely.

    The second is their mean membership of the cluster assigned, in [0, 1].
    """
    membership = clusterer.predict_proba(clusterer.reference)
    sizes = np.bincount(_largest(membership), minlength=membership.shape[1])
    return sizes, float(membership.max(axis=1).mean())


def fitted_clusterer(checkpoint: Checkpoint) -> Clusterer:
    """The clusterer that a finished checkpoint holds.

    Raises:
        CheckpointError: the checkpoint is one along the way, without clusters.
    """
    if not checkpoint.finished:
        raise CheckpointError(
            "a finished checkpoint is expected, and this one was kept along the way and has no "
            "clusters; use the final file, or finish the run with 'shoal train … --resume'."
        )
    clusterer = _clusterer(checkpoint.recipe, checkpoint.recipe.n_clusters)
    return clusterer.set_arrays(checkpoint.clusterer)


def _largest(membership: FloatArray) -> IntArray:
    return membership.argmax(axis=1).astype(np.int64)


def _reducers(recipe: Recipe) -> list[Reducer]:
    return [parts.build("reducers", part, random_state=recipe.seed) for part in recipe.reducers]


def _clusterer(recipe: Recipe, n_clusters: int) -> Clusterer:
    clusterer: Clusterer = parts.build(
        "clusterers", recipe.clusterer, n_clusters=n_clusters, random_state=recipe.seed
    )
    return clusterer
