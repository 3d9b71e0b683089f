"""Warnings: what makes the clusters of a run doubtful, found without labels.

Each function returns a list of sentences, empty if there is nothing to warn of. A sentence says
what was measured, what it means and what to do.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from shoal.embedding.out_of_distribution import UNFAMILIAR
from shoal.embedding.table import ImageTable
from shoal.images.channels import channel_kind, constant_channels, describe_constant
from shoal.images.csv_files import printable
from shoal.models.checkpoint import Checkpoint
from shoal.plural import counted
from shoal.protocols import FloatArray, ImageSource, IntArray
from shoal.recipes.named import RECIPES
from shoal.scoring.appearance import describe, warn_of_simple_features
from shoal.scoring.evidence import MEANINGLESS
from shoal.scoring.group_sizes import (
    empty_clusters,
    few_different,
    few_images,
    mostly_copies,
    single_images,
    tiny_clusters,
)
from shoal.scoring.training_command import trained_by
from shoal.training.spread import spread

COLLAPSED = 0.05
"""Embeddings whose spread is below this have collapsed. Sound runs end between 0.41 (autoencoders)
and 1.0 (contrastive)."""
MIN_DIRECTIONS = 1.5
"""Embeddings of fewer effective dimensions than this lie on a line. Sound runs have 10 to 28."""
FALLING = 0.15
"""A loss is still falling if its last fifth brings at least this share of its fall."""
ROUNDING = 1e-5
"""Numbers that differ by less than this share of the largest are taken for equal."""
_COMPARED = 32
"""So many images are compared to see whether they are copies of one."""
_TRAIN_LONGER = "train longer"
_SHOWN_WELL = 0.5
"""From this score on what images show tells the clusters well, whatever else tells them, too."""


def diagnose(
    source: ImageSource, checkpoint: Checkpoint, z: FloatArray, labels: IntArray,
    rows: IntArray, sizes: IntArray, identity: IntArray, shown: float = math.nan,
) -> list[str]:  # fmt: skip
    """All warnings about a finished run.

    Args:
        source: the images it was trained on.
        checkpoint: the run's recipe, history and provenance.
        z: float32 (m, d), the embedding, before any reduction, of the images ``rows``.
        labels: int64 (m,), their clusters.
        rows: int64 (m,), see `sample`.
        sizes: int64 (k,), how many of the images each cluster holds.
        identity: int64 (m,), equal numbers for copies, see `appearance.identities`.
        shown: see `signals.Told`; NaN if it is not known.
    """
    n_clusters = checkpoint.recipe.n_clusters
    too_few = few_images(len(source), n_clusters)
    features, identical = describe(source, rows)
    if identical:
        return [
            *too_few,
            f"all {len(rows):,} images that were compared are the same as shoal sees them, so the "
            "clusters mean nothing; check the images.",
        ]
    if alone := single_images(sizes):
        return [*too_few, *alone]
    if same := mostly_copies(identity, n_clusters):
        return [*same, *empty_clusters(sizes)]
    too_few = few_different(identity) or too_few
    explained: list[str] = []
    training = trained_by(checkpoint.origin.command)
    asked = "" if training is None else training.intensity
    if checkpoint.origin.tried_views == "stronger":  # the views that ignore light and colours
        asked = "ignored"
    if asked != "matters" and not shown >= _SHOWN_WELL:  # nor if it is not known
        explained = warn_of_simple_features(
            features, labels, measured=_is_measured(source), asked=asked
        )
    return [
        *too_few,
        *collapse(z, n_clusters),
        *tiny_clusters(sizes),
        *constant(constant_channels(source), source.shape[2]),
        *explained,
        *still_improving(checkpoint),
    ]


def _is_measured(source: ImageSource) -> bool:
    """Whether the channels are measurements: no colours, or grey of more than 8 bits."""
    kind = channel_kind(source)
    wide = source.read(np.arange(1)).dtype != np.uint8
    return kind == "channels" or (kind == "grey" and wide)


def constant(channels: Sequence[int], n_channels: int) -> list[str]:
    """Warn of channels, counted from 0, that have one number everywhere."""
    return [f"{sentence}." for sentence in describe_constant(channels, n_channels)]


def effective_dimensions(z: FloatArray) -> float:
    """The participation ratio of the covariance of ``z`` float32 (n, d), from 1 to d; 0 if none.

    (Σλ)² / Σλ² of the eigenvalues λ. RankMe (Garrido et al. 2023, arXiv:2210.02885) takes an
    entropy instead of squares, but counts many directions that hold only noise.

    >>> effective_dimensions(np.array([[1, 0], [-1, 0], [0, 1], [0, -1]], dtype=np.float32))
    2.0
    """
    centred = z.astype(np.float64) - z.mean(axis=0, dtype=np.float64)
    wide = centred.T if len(z) > z.shape[1] else centred
    gram = wide @ wide.T  # has the nonzero eigenvalues of the covariance
    squares = float((gram**2).sum())
    return round(float(np.trace(gram)) ** 2 / squares, 6) if squares > 0 else 0.0


def collapse(z: FloatArray, n_clusters: int) -> list[str]:
    """Warn of embeddings ``z`` float32 (n, d) that hardly tell images apart."""
    spread_of_z = spread(z)
    if spread_of_z < COLLAPSED:
        return [_collapsed(spread_of_z, "so the clusters mean nothing")]
    dimensions = effective_dimensions(z)
    # Two tight clusters always lie on a line; three or more need not.
    if n_clusters > 2 and dimensions < MIN_DIRECTIONS:
        return [
            f"the embeddings have only {dimensions:.1f} effective dimensions and lie nearly on a "
            f"line, so the {n_clusters:,} clusters are slices of one scale and not kinds of "
            f"images; {_TRAIN_LONGER}, or ask for two clusters."
        ]
    return []


def collapse_while_training(checkpoint: Checkpoint) -> list[str]:
    """Warn if the last three rows of the history, after a tenth of the run, show a collapse."""
    if checkpoint.step * 10 < checkpoint.total_steps or len(checkpoint.history) < 3:
        return []  # an encoder may begin with nearly equal codes
    largest = max(row.get("spread", 1.0) for row in checkpoint.history[-3:])
    return [_collapsed(largest, "so clusters would mean nothing")] if largest < COLLAPSED else []


def _collapsed(spread_of_z: float, meaning: str) -> str:
    return (
        f"the embeddings have collapsed (their spread is {spread_of_z:.3f}; 0 is a single point, 1 "
        f"is all directions), {meaning}; lower learning_rate or weight_decay, unless all images "
        "are alike."
    )


def went_wrong_late(epoch: float, kept: float, last: float) -> str:
    """The warning that the last checkpoint was replaced by an earlier one.

    Args:
        epoch: the epoch of the checkpoint that was kept.
        kept: the consistency of its clusters.
        last: the consistency of the last checkpoint's clusters, far lower.
    """
    return (
        f"training went wrong late: at its end the clusters are far less consistent ({last:.2f}) "
        f"than after epoch {epoch:g} ({kept:.2f}), so the checkpoint of that epoch was kept; lower "
        f"learning_rate, or train for {epoch:g} epochs only."
    )


def unfamiliar(table: ImageTable, *, vectors: bool = False) -> list[str]:
    """Warn of images, or ``vectors``, unlike those learned from, if familiarity was measured."""
    if table.familiarity is None:
        return []
    noun, known, such_as = (
        ("vector", "vectors that were clustered",
         "vectors of zeros, of another program or between groups")
        if vectors
        else ("image", "images the encoder was trained on",
              "blank pictures, noise or another kind of picture")
    )  # fmt: skip
    n, far = len(table.labels), np.flatnonzero(table.familiarity == 0)
    warned = []
    if len(far):
        are, their, clusters = (
            ("is", "its", "cluster means") if len(far) == 1 else ("are", "their", "clusters mean")
        )
        warned.append(
            f"{len(far):,} of {counted(n, noun)} {are} unlike any of the {known} "
            f"({_listed(table, far)}), such as {such_as}: "
            f"{their} {clusters} nothing, and {their} confidence is that of chance."
        )
    strange = np.flatnonzero((table.familiarity < UNFAMILIAR) & (table.familiarity > 0))
    # Twice the number that chance explains, so that at least half of them really are unfamiliar.
    if len(strange) <= 2 * UNFAMILIAR * n:
        return warned
    strange = strange[np.argsort(table.familiarity[strange], kind="stable")]
    also, by_chance = "more " if len(far) else "", UNFAMILIAR * n
    return [
        *warned,
        f"{len(strange):,} {also}of {counted(n, noun)} {'is' if len(strange) == 1 else 'are'} "
        f"unlike the {known} ({_listed(table, strange)}; {by_chance:,.0f} would be by chance), so "
        f"their clusters mean little; the column familiarity of the table tells which {noun}s.",
    ]


def are_all_alike(z: FloatArray) -> bool:
    """Whether two or more embeddings ``z`` float32 (n, d) are one, up to rounding.

    >>> are_all_alike(np.ones((3, 2), np.float32)), are_all_alike(np.eye(2, dtype=np.float32))
    (True, False)
    """
    if len(z) < 2 or not z.shape[1]:  # of a table from parts
        return False
    return bool(np.ptp(z, axis=0).max() <= ROUNDING * np.abs(z).max())


def tells_nothing(source: ImageSource, table: ImageTable, checkpoint: Checkpoint) -> list[str]:
    """Warn of a checkpoint that tells no images apart: in training, or these ones.

    Args:
        source: n images, or vectors.
        table: their clusters and embedding.
        checkpoint: which gave them.
    """
    told = [*checkpoint.facts.warnings, *collapse_while_training(checkpoint)]
    known = next((each for each in told if MEANINGLESS in each), "")
    if known:
        return [f"this checkpoint was trained with the warning: {known}"]
    if checkpoint.n_dimensions or not are_all_alike(table.embedding):
        return []
    pixels = source.read(np.arange(min(_COMPARED, len(source))))
    if (pixels == pixels[0]).all():  # of copies nothing else is to be expected
        return []
    return [
        "the checkpoint gives different images one embedding, so their clusters mean nothing: its "
        "training may have collapsed; train again with a lower learning_rate."
    ]


def _listed(table: ImageTable, rows: IntArray) -> str:
    listed = ", ".join(printable(str(table.ids[row])) for row in rows[:3])
    word = "id" if len(rows) == 1 else "ids"
    return f"{word} {listed}" + (", …" if len(rows) > 3 else "")


def still_improving(checkpoint: Checkpoint) -> list[str]:
    """Warn of a run that stopped while the encoder was still improving.

    On the cosine schedule every loss flattens as the learning rate goes to 0, in short runs too, so
    the loss does not tell. There, what tells is how many of the recipe's own epochs fitted into the
    minutes. At a constant learning rate the loss itself tells.
    """
    recipe = checkpoint.recipe
    if recipe.schedule == "constant":
        share = late_fall([row["loss"] for row in checkpoint.history])
        if share < FALLING:
            return []
        return [
            f"the loss was still falling (the last fifth of the run brought {share:.0%} of its "
            "fall since the first fifth), so the encoder had not finished learning; "
            f"{_TRAIN_LONGER}."
        ]
    own = RECIPES.get(recipe.name)
    if checkpoint.origin.minutes is None or own is None or recipe.epochs >= own.epochs / 2:
        return []
    return [
        f"the time was enough for {recipe.epochs:g} of the recipe's {counted(own.epochs, 'epoch')} "
        f"({recipe.epochs / own.epochs:.0%}), so the encoder was probably still improving; "
        f"{_TRAIN_LONGER}."
    ]


def late_fall(losses: Sequence[float]) -> float:
    """The share of the last fifth in the fall of ``losses`` since the end of the first fifth.

    The share is 0 if a line through the last fifth does not fall by more than three standard errors
    of its slope, or if there are fewer than 25 losses. A constant fall gives a quarter.

    >>> round(late_fall([100.0 - i for i in range(100)]), 2), late_fall([1.0, 0.5] * 50)
    (0.25, 0.0)
    """
    fifth = len(losses) // 5
    if fifth < 5:
        return 0.0
    y = np.asarray(losses[-fifth:], dtype=np.float64)
    x = np.arange(fifth) - (fifth - 1) / 2
    slope = float(x @ y / (x @ x))
    residuals = y - y.mean() - slope * x
    error = float(np.sqrt(residuals @ residuals / (fifth - 2) / (x @ x)))
    first = float(np.mean(losses[fifth : fifth + 5]))
    end = float(y.mean() + slope * x[-1])
    if slope >= -3.0 * error or first <= end:
        return 0.0
    return min(1.0, -slope * (fifth - 1) / (first - end))
