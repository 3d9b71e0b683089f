"""A source whose images are random views of another source's images."""

from __future__ import annotations

import numpy as np
import torch

from shoal.images.channels import channel_kind
from shoal.images.levels import Pixels
from shoal.images.sampling import sample_rows
from shoal.images.subset import Subset
from shoal.images.tensors import to_float, to_pixels
from shoal.protocols import Array, ImageSource
from shoal.recipes.augmentation import Views
from shoal.recipes.views_for import with_intensity
from shoal.training.augment import augment

EVALUATION_VIEWS = Views(
    min_crop=0.6, rotation=10, zoom=0.1, shear=0.1, shift=0.05, brightness=0.4, contrast=0.4,
    saturation=0.4, hue=0.1, grey_probability=0.2, noise=0.05,
)  # fmt: skip
"""Changes that should not move an image to another cluster. No flip: digits have a left side."""


def evaluation_views(source: ImageSource) -> Views:
    """`EVALUATION_VIEWS`, without changes of intensity where the channels are measurements."""
    kind = channel_kind(source)
    return with_intensity(EVALUATION_VIEWS, True, kind) if kind == "channels" else EVALUATION_VIEWS


SAMPLE = 1000
"""The number of images on which a checkpoint is judged. Each is embedded three times: as it is, and
as two views. To judge a checkpoint kept along the way, as many images are clustered first."""


def views_of(
    source: ImageSource, *, most: int, seed: int
) -> tuple[AugmentedSource, AugmentedSource, AugmentedSource]:
    """A sample of ``source``: the images themselves, and two random views of each.

    Args:
        source: the images.
        most: the most images; of a larger pile a random sample is taken.
        seed: the seed of the sample and of the views.
    """
    plain = AugmentedSource(source, None, most=most, seed=seed)
    views = evaluation_views(source)
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
