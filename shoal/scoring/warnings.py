"""Warnings in words: what in a run makes its clusters doubtful, judged without labels.

Each function returns sentences: what was seen, with its number, what that means, what to do. None
if there is nothing to say.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from shoal.embedding.out_of_distribution import UNFAMILIAR
from shoal.embedding.table import ImageTable
from shoal.images.csv_files import printable
from shoal.images.sampling import sample_rows
from shoal.models.checkpoint import Checkpoint
from shoal.plural import counted
from shoal.protocols import FloatArray, ImageSource, IntArray
from shoal.recipes.recipe import RECIPES
from shoal.scoring.appearance import describe, explained
from shoal.training.spread import spread

COLLAPSED = 0.05
"""A spread below this is a collapse. Sound runs end at 0.41 (autoencoders) to 1.0 (contrastive)."""
MIN_DIRECTIONS = 1.5
"""Fewer effective dimensions than this are a line. Sound runs have 10 to 28."""
TINY = 0.1
"""A cluster below this share of an even one is tiny: under 5 % of the pile at k = 2."""
# The recipe digits on random parts of the digits, ten clusters, two seeds each: accuracy 0.92 to
# 0.97 from 300 and from 500 images, 0.84 to 0.94 from 200, 0.72 to 0.88 from 60 and from 100.
FEWEST_IMAGES = 300
FEWEST_PER_CLUSTER = 20
FALLING = 0.15
"""The share of a loss's fall that its last fifth of the run brings if it is still falling."""
_SAMPLE = 3000
_MORE_EPOCHS = "train longer (--minutes or --epochs)"


def diagnose(
    source: ImageSource, checkpoint: Checkpoint, z: FloatArray, labels: IntArray,
    rows: IntArray, sizes: IntArray,
) -> list[str]:  # fmt: skip
    """Everything that is to be said of a finished run.

    Args:
        source: the images it was trained on.
        checkpoint: its recipe, history and provenance.
        z: float32 (m, d), the embedding, before any reduction, of the images ``rows``.
        labels: int64 (m,), their clusters.
        rows: int64 (m,), see `sample`.
        sizes: int64 (k,), how many of the images each cluster holds.
    """
    n_clusters = checkpoint.recipe.n_clusters
    found = few_images(len(source), n_clusters)
    features, alike = describe(source, rows)
    if alike:
        return [
            *found,
            f"all {len(rows):,} images looked at are the same picture, so there is nothing to "
            "tell apart and the clusters mean nothing; check the data.",
        ]
    return [
        *found,
        *collapse(z, n_clusters),
        *tiny_clusters(sizes),
        *explained(features, labels),
        *still_improving(checkpoint),
    ]


def sample(n_images: int) -> IntArray:
    """The images to look at, at most 3,000, the same every time, int64 (m,) ascending."""
    return sample_rows(n_images, _SAMPLE)


def effective_dimensions(z: FloatArray) -> float:
    """The participation ratio of the covariance of ``z`` float32 (n, d), from 1 to d; 0 if none.

    (Σλ)² / Σλ². RankMe (Garrido et al. 2023, arXiv:2210.02885) asks the same with an entropy in
    the place of the squares, but counts many directions of mere noise as dimensions.

    >>> effective_dimensions(np.array([[1, 0], [-1, 0], [0, 1], [0, -1]], dtype=np.float32))
    2.0
    """
    centred = z.astype(np.float64) - z.mean(axis=0, dtype=np.float64)
    small = centred.T if len(z) > z.shape[1] else centred
    gram = small @ small.T  # its eigenvalues are those of the covariance
    squares = float((gram**2).sum())
    return round(float(np.trace(gram)) ** 2 / squares, 6) if squares > 0 else 0.0


def collapse(z: FloatArray, n_clusters: int) -> list[str]:
    """Whether embeddings ``z`` float32 (n, d) tell images apart at all."""
    seen = spread(z)
    if seen < COLLAPSED:
        return [_collapsed(seen, "so the clusters mean nothing")]
    dimensions = effective_dimensions(z)
    # Two tight groups lie on a line by right; three or more do not.
    if n_clusters > 2 and dimensions < MIN_DIRECTIONS:
        return [
            f"the embeddings have {dimensions:.1f} effective dimensions, nearly a line, so the "
            f"{n_clusters} clusters are slices of one scale rather than kinds; {_MORE_EPOCHS}, "
            "or ask for two."
        ]
    return []


def collapse_while_training(checkpoint: Checkpoint) -> list[str]:
    """Whether the last three rows of the history, after a tenth of the run, show a collapse."""
    if checkpoint.step * 10 < checkpoint.total_steps or len(checkpoint.history) < 3:
        return []  # an encoder may begin with nearly equal codes
    seen = max(row.get("spread", 1.0) for row in checkpoint.history[-3:])
    return [_collapsed(seen, "so clusters would mean nothing")] if seen < COLLAPSED else []


def _collapsed(seen: float, meaning: str) -> str:
    return (
        f"the embeddings have collapsed: their spread is {seen:.3f}, where 0 is one point and 1 "
        f"every direction, {meaning}; unless the images are all alike, lower learning_rate or "
        "weight_decay."
    )


def went_wrong_late(epoch: float, kept: float, last: float) -> str:
    """That the checkpoint after ``epoch`` was kept, far steadier than the ``last`` one."""
    return (
        f"training went wrong late: the clusters of its last checkpoint are far less steady "
        f"({last:.2f}) than those after epoch {epoch:g} ({kept:.2f}), which were kept; lower "
        f"learning_rate, or stop there (--epochs {epoch:g})."
    )


def few_images(n_images: int, n_clusters: int) -> list[str]:
    """Whether a pile is too small to learn from, or for this number of clusters."""
    wanted = max(FEWEST_IMAGES, FEWEST_PER_CLUSTER * n_clusters)
    if n_images >= wanted:
        return []
    for_k = f" for {n_clusters} clusters" if wanted > FEWEST_IMAGES else ""
    smaller = " or choose a smaller -k" if wanted > FEWEST_IMAGES else ""
    return [
        f"{counted(n_images, 'image is', 'images are')} few{for_k}: an encoder learns little from "
        f"fewer than {wanted:,}, "
        f"so expect errors; add images{smaller}."
    ]


def tiny_clusters(sizes: Sequence[int] | IntArray) -> list[str]:
    """Whether clusters hold less than a tenth of an even share; ``sizes`` (k,), by number."""
    sizes = np.asarray(sizes)
    share = sizes.sum() / len(sizes)
    tiny = np.flatnonzero((sizes < TINY * share) & (sizes > 0))
    empty = np.flatnonzero(sizes == 0)
    found = []
    if len(tiny):
        listed = ", ".join(f"{cluster} with {sizes[cluster]:,}" for cluster in tiny[:5])
        more = f" and {len(tiny) - 5} more" if len(tiny) > 5 else ""
        found.append(
            f"{len(tiny)} of {len(sizes)} clusters {'is' if len(tiny) == 1 else 'are'} tiny "
            f"({listed}{more}; an even share is {share:,.0f}), which is often a few odd images "
            "and not a kind; look at them, or try another -k."
        )
    if len(empty):
        found.append(
            f"{len(empty)} of {len(sizes)} clusters {'is' if len(empty) == 1 else 'are'} empty: "
            "there are fewer groups than were asked for; choose a smaller -k."
        )
    return found


def unfamiliar(table: ImageTable) -> list[str]:
    """Which images look like nothing the encoder was trained on, if that was asked."""
    if table.familiarity is None:
        return []
    strange = np.flatnonzero(table.familiarity < UNFAMILIAR)
    # Twice the chance level, so that half or more of those named are strange in earnest. Fewer are
    # nothing to warn of: chance alone explains them.
    if len(strange) <= 2 * UNFAMILIAR * len(table.labels):
        return []
    worst = strange[np.argsort(table.familiarity[strange], kind="stable")][:3]
    listed = ", ".join(printable(str(table.ids[row])) for row in worst)
    listed += ", …" if len(strange) > len(worst) else ""
    n, by_chance = len(table.labels), UNFAMILIAR * len(table.labels)
    told = (
        f"{len(strange):,} of {n:,} images {'looks' if len(strange) == 1 else 'look'} like nothing "
        f"the encoder was trained on ({listed}; of images like its own about {by_chance:,.0f} "
        "would by chance)"
    )
    return [f"{told}, so their clusters mean little; a table of familiarity: --table."]


def still_improving(checkpoint: Checkpoint) -> list[str]:
    """Whether the run stopped before its time.

    On the cosine schedule every loss flattens as the learning rate goes to 0, long run or short,
    so the history cannot say; what can be said is how much of the recipe's own epochs fitted into
    the minutes asked for. At a constant rate the loss itself is asked.
    """
    recipe = checkpoint.recipe
    if recipe.schedule == "constant":
        share = late_fall([row["loss"] for row in checkpoint.history])
        if share < FALLING:
            return []
        return [
            f"the loss was still falling: the last fifth of the run brought {share:.0%} of its "
            f"fall since the first fifth, so the encoder was not done learning; {_MORE_EPOCHS}."
        ]
    own = RECIPES.get(recipe.name)
    if "minutes" not in checkpoint.provenance or own is None or recipe.epochs >= own.epochs / 2:
        return []
    return [
        f"the time was enough for {recipe.epochs:g} of the recipe's {counted(own.epochs, 'epoch')} "
        f"({recipe.epochs / own.epochs:.0%}), so the encoder was probably still improving; give "
        "more --minutes."
    ]


def late_fall(losses: Sequence[float]) -> float:
    """The share that the last fifth has in the fall of ``losses`` since the end of the first.

    0 if a line through the last fifth does not fall by more than three standard errors of its
    slope, or if there are fewer than 25 losses. A steady fall gives a quarter.

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
