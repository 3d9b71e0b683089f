"""The out-of-distribution score: do new images look like those that a checkpoint learned from?"""

from __future__ import annotations

import numpy as np

from shoal.embedding import far_off, gaps
from shoal.embedding.embed import embed_blocks
from shoal.embedding.linear_algebra import has_direction, unit_rows
from shoal.embedding.projection import project
from shoal.embedding.reconstruction import reconstruction_errors
from shoal.embedding.reduce import reduce
from shoal.models.checkpoint import Checkpoint
from shoal.protocols import Array, FloatArray, ImageSource, IntArray, Track, silent
from shoal.recipes.metric import COSINE

UNFAMILIAR = 0.01
"""An image less familiar than this is out of distribution: by chance, a hundredth of the others."""
# Measured with checkpoints/best.pth: 32 components or 380, from 400 images or 4,000, do no better.
_COMPONENTS = 128
_IMAGES_PER_COMPONENT = 12
_QUANTILES = 1001
_DISTANCES, _ERRORS = "surprise", "reconstruction"  # as checkpoint files call them
_APART = "apart"
"""How far vectors lie from one another, see `gaps`; older files and those of images lack it."""
_DIRECTIONS = "directions"
"""Whether directions alone were modelled; older files of vectors compared by the cosine lack it."""


def fit_reference(
    source: ImageSource, checkpoint: Checkpoint, embedding: FloatArray, rows: IntArray,
    remembered: FloatArray | None = None, *, device: str = "cpu", track: Track = silent,
) -> dict[str, FloatArray]:  # fmt: skip
    """Fit what new images are compared with to the images that a checkpoint learned from.

    Of vectors from elsewhere that are compared by the cosine the directions are modelled: how long
    a vector is says nothing.

    Args:
        source: those images.
        checkpoint: with their autoencoder.
        embedding: float32 (m, d), of the images looked at, before any reduction.
        rows: int64 (m,), which images these are. Half of them are modelled, so that the other
            half shows how likely images are that the model was not fitted to.
        remembered: float32 (r, d'), the points that the clusterer remembers. Of vectors from
            elsewhere it is learned how far these lie from one another.
        device: where the encoder runs.
        track: shows progress.

    Returns:
        The model of `mahalanobis`, and ascending values of the two measures of `familiarity`,
        float32, at most 1,001 quantiles, and of what `far_off` compares besides; of vectors from
        elsewhere, which nothing reconstructs, of the distance and of what `gaps` compares. Nothing
        for fewer than 4 images.
    """
    by_direction = checkpoint.n_dimensions > 0 and checkpoint.metric == COSINE
    if by_direction:
        some = has_direction(embedding)
        embedding, rows = unit_rows(embedding[some]).astype(np.float32), rows[some]
    if len(rows) < 4:
        return {}
    order = np.random.default_rng(0).permutation(len(rows))
    modelled, held_out = embedding[order[::2]], embedding[order[1::2]]
    model = _fit(modelled)
    known = model | {_DISTANCES: _quantiles(mahalanobis(held_out, model))}
    if by_direction:
        known |= {_DIRECTIONS: np.ones(1, np.float32)}
    if checkpoint.n_dimensions:
        if remembered is not None and len(apart := gaps.apart_from_others(remembered)):
            known |= {_APART: _quantiles(apart)}
        return known
    some = np.sort(rows[order[:_QUANTILES]])
    errors = reconstruction_errors(source, checkpoint, rows=some, device=device, track=track)
    return known | {_ERRORS: _quantiles(errors)} | far_off.fit_appearance(source, rows)


def familiarity(
    source: ImageSource, checkpoint: Checkpoint, distances: FloatArray,
    apart: FloatArray | None = None, *, device: str = "cpu", track: Track = silent,
) -> FloatArray:  # fmt: skip
    """How much each image looks like those that the checkpoint learned from, as a p-value.

    Two measures say that an image is strange: a large `mahalanobis` distance of its embedding, and
    a large error of its reconstruction (Hawkins et al. 2002, doi:10.1007/3-540-46145-0_17).
    `share_beyond` turns each into a p-value. Twice the lesser of the two (Bonferroni) is the
    p-value of both.

    So of images of the same kinds no more than about a share p has one of p or less: below
    `UNFAMILIAR`, an image looks like nothing the encoder was trained on. The converse does not
    hold. Measured with checkpoints/best.pth, of photographs: nearly all digits, blank pictures
    and noise are below it, a fifth of photographs whose parts were shuffled, but only a few in
    a hundred that stand on their head or are negatives, or show kinds of things never seen: an
    encoder maps those to where it knows its way. Fewer than 400 images to learn from are too few
    to call anything unfamiliar by this.

    Of vectors from elsewhere the second measure is how far the nearest of those is that are
    remembered.

    It is 0 for images far beyond everything that was learned, see `far_off`, for vectors in a gap
    between groups, see `gaps`, and for a vector of length 0 where directions are compared: it has
    none.

    Args:
        source: the images asked about.
        checkpoint: a finished one.
        distances: float32 (n,), see `distances_to`.
        apart: float32 (n,), see `gaps.apart_from`; None of images.
        device: where the encoder runs.
        track: shows progress.

    Returns:
        float32 (n,) in [0, 1].
    """
    known, rows = checkpoint.familiar, np.arange(len(source))
    if _ERRORS not in known:
        far = far_off.exceeds(distances, known[_DISTANCES])
        likely = share_beyond(distances, known[_DISTANCES])
        if apart is not None and _APART in known:
            far |= gaps.in_gaps(apart, known[_APART])
            likely = _of_both(likely, share_beyond(apart, known[_APART]))
        return np.where(far, np.float32(0.0), likely)
    errors = reconstruction_errors(source, checkpoint, rows=rows, device=device, track=track)
    by_distance = share_beyond(distances, known[_DISTANCES])
    by_error = share_beyond(errors, known[_ERRORS])
    of_both = _of_both(by_distance, by_error)
    far = far_off.exceeds(distances, known[_DISTANCES]) | far_off.exceeds(errors, known[_ERRORS])
    far |= far_off.looks_far_off(source, known, strange=of_both < UNFAMILIAR)
    return np.where(far, np.float32(0.0), of_both)


def reduce_with_familiarity(
    source: ImageSource, checkpoint: Checkpoint, remembered: FloatArray, *, device: str = "cpu",
    track: Track = silent,
) -> tuple[FloatArray, FloatArray]:  # fmt: skip
    """The reduced embedding float32 (n, d), see `reduce`, and `familiarity` float32 (n,).

    Args:
        source: the images asked about.
        checkpoint: a finished one.
        remembered: float32 (r, d), the points that its clusterer remembers.
        device: where the encoder runs.
        track: shows progress.
    """
    distances: list[FloatArray] = []

    def measure(block: FloatArray) -> None:
        distances.append(distances_to(checkpoint.familiar, block))

    z = reduce(source, checkpoint, device=device, track=track, noticed=measure)
    apart = gaps.apart_from(remembered, z) if _APART in checkpoint.familiar else None
    return z, familiarity(
        source, checkpoint, np.concatenate(distances), apart, device=device, track=track
    )


def distances_to(known: dict[str, Array], embedding: FloatArray) -> FloatArray:
    """The `mahalanobis` distance of an embedding float32 (n, d) to what was learned, float32 (n,).

    Args:
        known: of `fit_reference`. Where it is of directions, these are compared, and a vector
            without one is infinitely far away.
        embedding: before any reduction.
    """
    if _DIRECTIONS not in known:
        return mahalanobis(embedding, known)
    distances = mahalanobis(unit_rows(embedding).astype(np.float32), known)
    return np.where(has_direction(embedding), distances, np.float32(np.inf))


def without_direction(source: ImageSource, checkpoint: Checkpoint) -> Array:
    """Which vectors nothing can be compared with, bool (n,): of length 0, where directions count.

    Those that were clustered are among them, too. No image is.
    """
    if not checkpoint.n_dimensions or checkpoint.metric != COSINE:
        return np.zeros(len(source), bool)
    blocks = [~has_direction(block) for block in embed_blocks(source, checkpoint)]
    return np.concatenate(blocks)


def mahalanobis(embedding: FloatArray, model: dict[str, Array]) -> FloatArray:
    """Squared Mahalanobis distances to the images of training, float32 (n,), per dimension.

    As an out-of-distribution score: Lee et al. 2018, arXiv:1807.03888, here without classes. The
    covariance is that of probabilistic principal components (Tipping and Bishop 1999,
    doi:10.1111/1467-9868.00196, equation 9): one variance for all directions but the leading ones.

    Args:
        embedding: float32 (n, d).
        model: ``mean`` (d,), ``components`` float16 (c, d) of unit length, their ``variances``
            (c,) and that of the rest, ``noise`` (1,).
    """
    found = []
    for start in range(0, len(embedding), 4096):
        centred = embedding[start : start + 4096] - model["mean"]
        leading = project(centred, model["components"])
        rest = np.maximum((centred**2).sum(axis=1) - (leading**2).sum(axis=1), 0.0)
        distance = (leading**2 / model["variances"]).sum(axis=1) + rest / model["noise"]
        found.append(distance / embedding.shape[1])
    return np.concatenate(found).astype(np.float32)


def share_beyond(values: Array, known: Array) -> FloatArray:
    """Share of ``known`` values (m,) at or above each of ``values`` (n,): float32 (n,) in (0, 1].

    Counted with the value itself, (1 + number) / (1 + m), it is a p-value of the question
    whether a value is one more of the known: the conformal p-value (Vovk et al. 2005; Bates et al.
    2023, arXiv:2104.08279, equation 2). Of values that are, a share p has one of p or less.

    >>> share_beyond(np.array([0.0, 2.5, 9.0]), np.array([1.0, 2.0, 3.0])).tolist()
    [1.0, 0.5, 0.25]
    """
    ordered = np.sort(known)
    beyond = len(ordered) - np.searchsorted(ordered, values, side="left")
    return ((1 + beyond) / (1 + len(ordered))).astype(np.float32)


def _fit(embedding: FloatArray) -> dict[str, FloatArray]:
    """The model of `mahalanobis`. In a collapsed embedding, of variance 0, anything is far."""
    from sklearn.decomposition import PCA

    n, d = embedding.shape
    n_components = max(1, min(_COMPONENTS, n // _IMAGES_PER_COMPONENT, d))
    with np.errstate(all="ignore"):  # equal images have no variance to divide by
        found = PCA(n_components, random_state=0).fit(embedding)
    least = max(float(found.explained_variance_[0]) * 1e-6, 1e-12)
    model = {
        "mean": found.mean_,
        "variances": np.maximum(found.explained_variance_, least),
        "noise": np.array([max(float(found.noise_variance_), least)]),
    }
    exact = {name: array.astype(np.float32) for name, array in model.items()}
    return exact | {"components": found.components_.astype(np.float16)}


def _of_both(first: FloatArray, second: FloatArray) -> FloatArray:
    """The p-value (n,) of two measures of which each has one (Bonferroni)."""
    return np.minimum(1.0, 2.0 * np.minimum(first, second)).astype(np.float32)


def _quantiles(values: FloatArray) -> FloatArray:
    if len(values) > _QUANTILES:
        values = np.quantile(values, np.linspace(0.0, 1.0, _QUANTILES))
    return np.sort(values).astype(np.float32)
