"""A source whose images are random views of another source's images."""

from __future__ import annotations

import numpy as np
import torch

from shoal.images.levels import Pixels
from shoal.images.sampling import sample_rows
from shoal.images.subset import Subset
from shoal.images.tensors import to_float, to_pixels
from shoal.protocols import Array, ImageSource
from shoal.recipes.augmentation import Views
from shoal.training.augment import augment

SAMPLE = 1000
"""The number of images on which a checkpoint is judged. Each is embedded three times: as it is, and
as two views. To judge a checkpoint kept along the way, as many images are clustered first."""


def views_of(
    source: ImageSource, views: Views, *, most: int, seed: int
) -> tuple[AugmentedSource, AugmentedSource, AugmentedSource]:
    """A sample of ``source``: the images themselves, and two random views of each.

    Args:
        source: the images.
        views: from which the views are drawn.
        most: the most images; of a larger pile a random sample is taken.
        seed: the seed of the sample and of the views.
    """
    plain = AugmentedSource(source, None, most=most, seed=seed)
    first, second = (
        AugmentedSource(source, views, most=most, seed=seed, stream=stream) for stream in (1, 2)
    )
    return plain, first, second


class AugmentedSource(Subset):
    """Another source's images, or a random sample of them, as views.

    An image's view depends on the seed, the stream and its place in the sample: reading images in
    batches of another size draws other views.
    """

    def __init__(
        self, source: ImageSource, views: Views | None, *, most: int, seed: int, stream: int = 0
    ) -> None:
        super().__init__(source, sample_rows(len(source), most, seed))
        self.views, self.seed, self.stream = views, seed, stream

    def read(self, indices: Array) -> Pixels:
        pixels = super().read(indices)
        if self.views is None:
            return pixels
        entropy = np.random.SeedSequence((self.seed, self.stream, int(indices[0])))
        generator = torch.Generator().manual_seed(int(entropy.generate_state(1)[0]))
        shown = augment(self.views, to_float(pixels, "cpu"), generator)[0][0]
        return to_pixels(shown, pixels.dtype)
