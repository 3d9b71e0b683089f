"""Steadiness: do clusters survive what should not matter to them? It is known without labels.

Every image is shown twice more as it might as well have been taken, a little cropped, turned and
recoloured. The views are the same whatever the recipe, so that scores compare between recipes, one
that trains on no views at all among them. Which scores follow the true accuracy was measured:
docs/measurements.md, "The score without labels".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import mean

import numpy as np
import numpy.typing as npt
import torch

from shoal import quality
from shoal.embedding import EmbeddingTable
from shoal.protocols import Array, ImageSource, IntArray
from shoal.sampling import sample_rows
from shoal.sources.subset import Subset
from shoal.views import Views, to_float, to_pixels

EVALUATION_VIEWS = Views(
    min_crop=0.6, rotation=10, zoom=0.1, shear=0.1, shift=0.05, brightness=0.4, contrast=0.4,
    saturation=0.4, hue=0.1, grey_probability=0.2, noise=0.05,
)  # fmt: skip
"""What should not move an image to another cluster. No mirror: digits have a right and a left."""

FEWEST_IMAGES = 20
"""Of fewer, the nearest neighbours are everybody."""

SAMPLE = 1000
"""By how many images training judges a checkpoint: it is shown as many, three times over, and one
along the way is first divided into clusters by as many."""


@dataclass(frozen=True)
class Seen:
    """A sample of images and two views of each, in their clusters."""

    images: Shown
    table: EmbeddingTable
    views: tuple[EmbeddingTable, EmbeddingTable]

    @property
    def view_agreement(self) -> float:
        """Agreement of the clusters of the images and of two views of them, in [-0.5, 1]."""
        return _agreement([table.labels for table in (self.table, *self.views)])

    @property
    def recognition(self) -> float:
        """Share of images with their own other view among the 20 nearest, in [0, 1]."""
        return quality.recognition(self.views[0].z, self.views[1].z)

    @property
    def steadiness(self) -> float:
        """The two in one, see `combine`."""
        return combine(self.view_agreement, self.recognition)


def combine(view_agreement: float, recognition: float) -> float:
    """Steadiness: one score, in [0, 1], the geometric mean of view agreement and recognition.

    The first asks whether an image stays in its cluster when it is shown differently, and
    follows the accuracy about as well alone; the second, whether it stays itself, is a guard
    against an embedding that throws everything together, whose few clusters would be steady.
    What was measured: `benchmarks/label_free.py`.

    >>> round(combine(0.8, 0.9), 3), combine(-0.1, 1.0)
    (0.849, 0.0)
    """
    return float(np.sqrt(max(view_agreement, 0.0) * recognition))


def combined(labels: Sequence[IntArray], recognition: float) -> float:
    """The same from clusters: ``labels`` of the images and of their views, each int64 (n,)."""
    return combine(_agreement(labels), recognition)


def _agreement(labels: Sequence[IntArray]) -> float:
    return mean(quality.agreement(*pair) for pair in combinations(labels, 2))


def in_words(steadiness: float) -> str:
    """What a score says. The steps, at 0.4 and 0.7, are a manner of speaking, not measured.

    >>> in_words(0.82)
    'steady: the clusters hardly change when the images are shown a little differently'
    """
    if steadiness >= 0.7:
        return "steady: the clusters hardly change when the images are shown a little differently"
    if steadiness >= 0.4:
        return "steady in part: many images change their cluster when shown a little differently"
    return "unsteady: the clusters hang on how the images happen to be shown"


def show(source: ImageSource, *, most: int, seed: int) -> tuple[Shown, Shown, Shown]:
    """A sample of ``source`` as it is, and twice as it might as well have been taken.

    Args:
        source: the images.
        most: a larger pile is shown by a random sample of this many.
        seed: of the sample and the views.
    """
    plain = Shown(source, None, most=most, seed=seed)
    first, second = (
        Shown(source, EVALUATION_VIEWS, most=most, seed=seed, stream=stream) for stream in (1, 2)
    )
    return plain, first, second


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
