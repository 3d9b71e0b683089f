"""The methods of a fitted estimator that need its encoder and decoder."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted

from shoal.embedding.embed import BATCH, embed
from shoal.errors import DataError
from shoal.estimator.reviewed_estimator import ReviewedEstimator
from shoal.protocols import FloatArray
from shoal.training.devices import reproducible, resolve_device


class EncoderEstimator(ReviewedEstimator):
    """A `ReviewedEstimator` that turns images into codes, and codes into images."""

    def encode(self, X: Any) -> FloatArray:
        """The encoder's codes of ``X``, float32 (n, c), before projection and reduction.

        Raises:
            DataError: see `predict`.
        """
        source, device, track = self._open(X)
        # At the images' own size, which the decoder expects.
        recipe = replace(self.checkpoint_.recipe, embedding="encoder", embedding_resolution=1.0)
        encoder_only = replace(self.checkpoint_, recipe=recipe)
        return embed(source, encoder_only, device=device, track=track)

    @torch.inference_mode()
    def inverse_transform(self, X: Any) -> npt.NDArray[Any]:
        """Decode the codes that `encode` gives, float32 (n, c), to images.

        The output of `transform` cannot be decoded, because projection and reduction lose
        information. It is refused if its width differs from c.

        Returns:
            uint8 (n, H, W, C), or float32 (n, f) if the estimator was fitted on a table.

        Raises:
            DataError: the codes do not have c columns.
        """
        check_is_fitted(self)
        device = resolve_device(self.device)
        encoder = self.checkpoint_.build_encoder().to(device)
        codes = check_array(X, dtype=np.float32)
        if codes.shape[1] != encoder.n_features:
            raise DataError(
                f"X must be codes of {encoder.n_features} numbers, as encode gives them, got "
                f"{codes.shape[1]}. The output of transform cannot be decoded; use encode, or "
                "reconstruct to encode and decode at once."
            )
        batches = torch.tensor(codes).split(BATCH)
        with reproducible():
            decoded = torch.cat([encoder.decode(batch.to(device)).cpu() for batch in batches])
        pixels = decoded.clamp(0, 1).movedim(1, 3).numpy()
        scale = self._row_scale()
        return np.rint(pixels * 255).astype(np.uint8) if scale is None else scale.to_rows(pixels)

    def reconstruct(self, X: Any) -> npt.NDArray[Any]:
        """Images ``X`` encoded and decoded again; shapes as those of `inverse_transform`.

        Raises:
            DataError: see `predict`.
        """
        return self.inverse_transform(self.encode(X))
