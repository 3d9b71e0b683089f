"""Judging a checkpoint without labels: do its clusters survive what should not matter?

Every image is shown twice more as it might as well have been taken, a little cropped, turned and
recoloured, and clusters are found anew from each half of the pile. The views are the same whatever
the recipe, so that scores compare between recipes, one that trains on no views at all among them.
Which scores follow the true accuracy was measured: README, "How good it is, without labels".
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import mean

import numpy as np
import numpy.typing as npt
import torch

from shoal import parts, pipeline, quality
from shoal.checkpoint import Checkpoint
from shoal.checks import check_n_clusters
from shoal.embedding import EmbeddingTable
from shoal.errors import DataError
from shoal.protocols import (
    Array,
    Clusterer,
    FloatArray,
    ImageSource,
    Track,
    silent,
)
from shoal.sampling import sample_rows
from shoal.sources.subset import Subset
from shoal.views import Views, to_float, to_pixels

EVALUATION_VIEWS = Views(
    min_crop=0.6, rotation=10, zoom=0.1, shear=0.1, shift=0.05, brightness=0.4, contrast=0.4,
    saturation=0.4, hue=0.1, grey_probability=0.2, noise=0.05,
)  # fmt: skip
"""What should not move an image to another cluster. No mirror: digits have a right and a left."""

MOST_IMAGES = 4000
"""How many images are scored unless asked otherwise: the neighbour search is quadratic."""
FEWEST_IMAGES = 20


@dataclass(frozen=True)
class LabelFreeScores:
    """What can be known of a clustering from the images alone; see `quality` for each score."""

    n_images: int
    """How many images were scored."""
    n_clusters: int
    """How many clusters they fell into."""
    view_agreement: float
    """Agreement of the clusters of the images and of two views of them, in [-0.5, 1]."""
    stability: float
    """Agreement of the clusters found from one random half of the images and from the other."""
    neighbour_purity: float
    """Share of the 20 nearest neighbours in an image's own cluster, less chance, up to 1."""
    neighbour_overlap: float
    """Share of the 20 nearest neighbours that two views have in common, in [0, 1]."""
    recognition: float
    """Share of images with their own other view among the 20 nearest, in [0, 1]."""
    silhouette: float
    """In the reduced embedding, in [-1, 1]."""
    normalised_cut: float
    """Of the neighbour graph, a cluster, in [0, 1]; lower is better."""
    mse: float
    """Of the reconstruction: says nothing of the clusters, and is here to be compared."""

    @property
    def combined(self) -> float:
        """One score, in [0, 1]: the geometric mean of view agreement and recognition.

        The first asks whether an image stays in its cluster when it is shown differently, and
        follows the accuracy about as well alone; the second, whether it stays itself, is a guard
        against an embedding that throws everything together, whose few clusters would be steady.
        What was measured: `benchmarks/label_free.py`.
        """
        return combine(self.view_agreement, self.recognition)


def combine(view_agreement: float, recognition: float) -> float:
    """`LabelFreeScores.combined` of its two parts.

    >>> round(combine(0.8, 0.9), 3), combine(-0.1, 1.0)
    (0.849, 0.0)
    """
    return float(np.sqrt(max(view_agreement, 0.0) * recognition))


COMBINED = "the geometric mean of view agreement and recognition (0 to 1)"
"""What `LabelFreeScores.combined` is, for a reader."""


def verdict(scores: LabelFreeScores) -> str:
    """What the scores say, and what they cannot say: a sentence on this clustering, and two more.

    The steps, at 0.4 and 0.7, are a manner of speaking; nothing was measured of them.
    """
    if scores.n_clusters < 2:
        found = "All images fell into one cluster: there is nothing to judge."
    elif scores.combined >= 0.7:
        found = "Steady: the clusters hardly change when the images are shown a little differently."
    elif scores.combined >= 0.4:
        found = "In part: many images change their cluster when shown a little differently."
    else:
        found = "Unsteady: the clusters hang on how the images happen to be shown."
    return (
        f"{found}\n"
        "Of two recipes on the same images, with as many clusters, the higher score is mostly the "
        "more accurate; of two checkpoints of one run it is a weak guide.\n"
        "It cannot tell how accurate that is, nor whether a steady split is the one you want: "
        "look at the clusters."
    )


def judge(
    source: ImageSource, checkpoint: Checkpoint, *, most: int = MOST_IMAGES, seed: int = 0,
    device: str = "cpu", track: Track = silent,
) -> LabelFreeScores:  # fmt: skip
    """Score a checkpoint's clusters on ``source`` without labels.

    Args:
        source: at least 20 images, those it was trained on or others like them.
        checkpoint: one along the way, without clusters, is first organised on ``source``.
        most: a larger pile is scored on a random sample of this many.
        seed: of the sample, the views and the halves; the same seed gives the same scores.
        device: where the encoder runs.
        track: shows progress.

    Raises:
        DataError: fewer than 20 images, or fewer than clusters.
    """
    if len(source) < FEWEST_IMAGES:
        raise DataError(
            f"at least {FEWEST_IMAGES} images are expected to judge clusters by, and "
            f"{len(source)} came; give more images."
        )
    if not checkpoint.finished:
        check_n_clusters(checkpoint.recipe.n_clusters, len(source))
        checkpoint = pipeline.organise(source, checkpoint, device=device, track=track)
    seen = look(source, checkpoint, most=most, seed=seed, device=device, track=track)
    table, (first, second) = seen.table, seen.views
    return LabelFreeScores(
        n_images=len(table.labels),
        n_clusters=len(np.unique(table.labels)),
        view_agreement=seen.view_agreement,
        stability=_stability(table.z, checkpoint, seed),
        neighbour_purity=quality.neighbour_purity(table.z, table.labels),
        neighbour_overlap=quality.neighbour_overlap(first.z, second.z),
        recognition=seen.recognition,
        silhouette=quality.silhouette(table.z, table.labels, seed=seed),
        normalised_cut=quality.normalised_cut(table.z, table.labels),
        mse=quality.reconstruction_mse(seen.images, checkpoint, device=device, track=track),
    )


@dataclass(frozen=True)
class Seen:
    """A sample of images and two views of each, in their clusters."""

    images: Shown
    table: EmbeddingTable
    views: tuple[EmbeddingTable, EmbeddingTable]

    @property
    def view_agreement(self) -> float:
        """See `LabelFreeScores`."""
        a, b, c = (table.labels for table in (self.table, *self.views))
        return mean(quality.agreement(*pair) for pair in ((a, b), (a, c), (b, c)))

    @property
    def recognition(self) -> float:
        """See `LabelFreeScores`."""
        return quality.recognition(self.views[0].z, self.views[1].z)


def look(
    source: ImageSource, checkpoint: Checkpoint, *, most: int = MOST_IMAGES, seed: int = 0,
    device: str = "cpu", track: Track = silent,
) -> Seen:  # fmt: skip
    """Predict a sample of ``source`` as it is, and as it might as well have been taken, twice."""
    images, *views = (
        Shown(source, chosen, most=most, seed=seed, stream=stream)
        for stream, chosen in enumerate((None, EVALUATION_VIEWS, EVALUATION_VIEWS))
    )
    table, first, second = (
        pipeline.predict(shown, checkpoint, device=device, track=track)
        for shown in (images, *views)
    )
    return Seen(images, table, (first, second))


class Shown(Subset):
    """Another source's images, or a random sample of them, as views.

    An image's view depends on the seed, the stream and its place in the sample: reading images in
    batches of another size draws other views.
    """

    def __init__(
        self, source: ImageSource, views: Views | None, *, most: int, seed: int, stream: int = 0
    ) -> None:
        super().__init__(source, sample_rows(len(source), most, seed))
        self.views, self.seed, self.stream = views, seed, stream

    def read(self, indices: Array) -> npt.NDArray[np.uint8]:
        pixels = super().read(indices)
        if self.views is None:
            return pixels
        entropy = np.random.SeedSequence((self.seed, self.stream, int(indices[0])))
        generator = torch.Generator().manual_seed(int(entropy.generate_state(1)[0]))
        shown = self.views(to_float(pixels, "cpu"), generator)[0][0]
        return to_pixels(shown)


def _stability(z: FloatArray, checkpoint: Checkpoint, seed: int) -> float:
    """Agreement on all of ``z`` float32 (n, d) of the clusterers fitted on either half of it.

    Von Luxburg 2010 (arXiv:1007.1075) surveys stability under resampling.
    """
    order = np.random.default_rng(seed).permutation(len(z))
    recipe = checkpoint.recipe
    found = []
    for half in (order[::2], order[1::2]):
        clusterer: Clusterer = parts.build(
            "clusterers",
            recipe.clusterer,
            n_clusters=min(recipe.n_clusters, len(half)),
            random_state=recipe.seed,
        )
        clusterer.fit(z[np.sort(half)])
        found.append(clusterer.predict_proba(z).argmax(axis=1))
    return quality.agreement(*found)
