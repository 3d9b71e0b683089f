"""What the autoencoder gives back: images above their reconstructions."""

from __future__ import annotations

import numpy as np
import torch

from shoal.images.levels import in_grey_levels
from shoal.images.pictures import composite_of, to_pictures
from shoal.images.tensors import to_float, to_pixels
from shoal.models.checkpoint import Checkpoint
from shoal.protocols import Array
from shoal.reports import figures
from shoal.reports.document import Block, Heading, Picture
from shoal.reports.inputs import ReportInputs
from shoal.reports.wording import Wording


def section(inputs: ReportInputs, wording: Wording) -> list[Block]:
    """Images above their reconstructions by `ReportInputs.main`; empty if none are to be shown."""
    main, rows = inputs.main, np.array(inputs.show, dtype=np.int64)
    if not len(rows):
        return []
    images = inputs.train.read(rows)
    ids = [inputs.train.ids[row] for row in rows]
    titles = [wording("image {i}", i=name) if name.isdecimal() else name for name in ids]
    reason = (
        wording("the most accurate of the checkpoints")
        if inputs.labels is not None
        else wording("the last of the checkpoints given, as there are no labels to choose by")
    )
    caption = wording(
        "Images, and below them their reconstructions by {name}, {why}. MSE: mean squared error of "
        "the pixels in 0 to 1; over all {n:,} {n:image|images} it is {mse:.4f}.",
        name=main.trained.name, why=reason, n=len(inputs.train), mse=main.mse,
    )  # fmt: skip
    rebuilt = _reconstruct(images, main.trained.checkpoint)
    errors = np.square(in_grey_levels(images) / 255 - in_grey_levels(rebuilt) / 255).mean((1, 2, 3))
    composite = composite_of(inputs.train)
    figure = figures.reconstructions(
        to_pictures(images, composite), to_pictures(rebuilt, composite), titles, errors,
        wording=wording,
    )  # fmt: skip
    return [Heading(wording("Reconstructions")), Picture(figure, caption)]


@torch.inference_mode()
def _reconstruct(images: Array, checkpoint: Checkpoint) -> Array:
    """Images (m, H, W, C) as the autoencoder gives them back, of the same shape and type."""
    rebuilt = checkpoint.build_encoder()(to_float(images, "cpu")).clamp(0.0, 1.0)
    return to_pixels(rebuilt, images.dtype)
