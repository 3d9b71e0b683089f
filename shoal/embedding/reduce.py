"""The embedding in which clusters are found: embed, then reduce."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from shoal.embedding.embed import BLOCK, embed, embed_blocks, gather
from shoal.embedding.pixel_components import (
    JOINT_PIXELS,
    LEARNED,
    PIXELS,
    as_spread_as,
    components_of,
    fit_components,
)
from shoal.images.sampling import sample_rows
from shoal.images.subset import Subset
from shoal.models.checkpoint import Checkpoint
from shoal.protocols import Array, FloatArray, ImageSource, IntArray, Reducer, Track, silent
from shoal.recipes import parts
from shoal.recipes.recipe import Recipe

_REDUCED_WHOLE = 50_000
"""The reducers of a larger pile learn from a random sample of this many images: what they learn
from is in memory at once, 4 kB an image and more where codes are long."""


def reduce(
    source: ImageSource, checkpoint: Checkpoint, *, device: str = "cpu", track: Track = silent,
    noticed: Callable[[FloatArray], None] | None = None,
) -> FloatArray:  # fmt: skip
    """The embedding in which a finished checkpoint's clusters were found, float32 (n, d).

    Of what comes before the reduction, float32 (n, c), only a block is in memory at a time: c may
    be thousands. ``noticed`` is shown each block.
    """
    # One display of progress at a time: of many blocks the embedding's, which goes on beside.
    within = track if len(source) <= BLOCK else silent

    def reduced() -> Iterator[FloatArray]:
        for block in embed_blocks(source, checkpoint, device=device, track=track):
            if noticed is not None:
                noticed(block)
            yield transform(block, checkpoint, track=within)

    return gather(reduced(), len(source))


def transform(z: FloatArray, checkpoint: Checkpoint, *, track: Track = silent) -> FloatArray:
    """An embedding float32 (n, c) reduced as a finished checkpoint learned to, float32 (n, d)."""
    reducers = list(zip(_reducers(checkpoint.recipe), checkpoint.reducers, strict=True))
    for reducer, arrays in track(reducers, "reducing", len(reducers)):
        z = reducer.set_arrays(arrays).transform(z)
    return z


@dataclass(frozen=True)
class Reduction:
    """The embedding of the images that a checkpoint learned from, and how it was reduced."""

    checkpoint: Checkpoint
    """With the fitted reducers."""
    fitted: FloatArray
    """float32 (n, d): what the reducers gave as they were fitted. Clusters are found in it."""
    sample: FloatArray
    """float32 (m, c): the embedding of the images ``rows``, before any reduction."""
    rows: IntArray
    """int64 (m,): a sample of the images, see `examined_rows`."""
    whole: FloatArray | None
    """float32 (n, c), before any reduction; None of a large pile, which is not held in memory."""

    @property
    def embedding(self) -> FloatArray:
        """float32 (n, d): what `reduce` gives for these images, as for any others."""
        return self.fitted if self.whole is None else transform(self.whole, self.checkpoint)


def examined_rows(n_images: int) -> IntArray:
    """The rows of at most 3,000 images to examine, int64 (m,) ascending; the same every time."""
    return sample_rows(n_images, 3000)


def fit_reduction(
    source: ImageSource, checkpoint: Checkpoint, *, pixels: dict[str, Array] | None = None,
    learned: Reduction | None = None, device: str = "cpu", track: Track = silent,
) -> Reduction:  # fmt: skip
    """Embed the images that a checkpoint learned from, once, and fit its reducers to them.

    Args:
        source: the images.
        checkpoint: the checkpoint.
        pixels: the components of their pixels, if these are known, see `fit_components`.
        learned: how these images were reduced before; what was learned is not embedded again to
            stand beside the pixels, unless the pile is too large to be held in memory.
        device: where the encoder runs.
        track: shows progress.
    """
    if learned is not None and learned.checkpoint.recipe.embedding != LEARNED:
        learned = None
    checkpoint = _with_pixels(source, checkpoint, pixels, learned, device)
    rows = examined_rows(len(source))
    if len(source) <= _REDUCED_WHOLE:
        if checkpoint.recipe.embedding == JOINT_PIXELS and learned and learned.whole is not None:
            whole = _beside_pixels(source, checkpoint, learned.whole)
        else:
            whole = embed(source, checkpoint, device=device, track=track)
        fitted, checkpoint = _fit_reducers(whole, checkpoint, track)
        return Reduction(checkpoint, fitted, whole[rows], rows, whole)
    some = Subset(source, sample_rows(len(source), _REDUCED_WHOLE, checkpoint.recipe.seed))
    _, checkpoint = _fit_reducers(
        embed(some, checkpoint, device=device, track=track), checkpoint, track
    )
    blocks = _RowsOfBlocks(rows)
    fitted = reduce(source, checkpoint, device=device, track=track, noticed=blocks.take)
    return Reduction(checkpoint, fitted, blocks.gathered(), rows, None)


def _with_pixels(
    source: ImageSource, checkpoint: Checkpoint, known: dict[str, Array] | None,
    before: Reduction | None, device: str,
) -> Checkpoint:  # fmt: skip
    """The checkpoint with the components of the pixels, if its embedding holds them."""
    kind = checkpoint.recipe.embedding
    if kind not in (PIXELS, JOINT_PIXELS):
        return replace(checkpoint, pixels={})
    symmetric = checkpoint.recipe.views.free_orientation
    arrays = fit_components(source, symmetric) if known is None else dict(known)
    if kind == JOINT_PIXELS:
        rows = examined_rows(len(source))
        if before is None:
            alone = replace(checkpoint, recipe=replace(checkpoint.recipe, embedding=LEARNED))
            learned = embed(Subset(source, rows), alone, device=device)
        else:
            learned = before.sample
        pixels = components_of(source, arrays, symmetric, rows)
        arrays["scale"] = np.array([as_spread_as(pixels, learned)])
    return replace(checkpoint, pixels=arrays)


def _beside_pixels(source: ImageSource, checkpoint: Checkpoint, learned: FloatArray) -> FloatArray:
    """What was learned of all images, float32 (n, c), beside the components of their pixels."""
    symmetric = checkpoint.recipe.views.free_orientation
    pixels = components_of(source, checkpoint.pixels, symmetric, np.arange(len(source)))
    return np.concatenate([learned, pixels], axis=1)


class _RowsOfBlocks:
    """Collects some rows of an array that passes by in blocks."""

    def __init__(self, rows: IntArray) -> None:
        self.rows, self.start = rows, 0
        self.parts: list[FloatArray] = []

    def take(self, block: FloatArray) -> None:
        stop = self.start + len(block)
        first, last = np.searchsorted(self.rows, [self.start, stop])
        self.parts.append(block[self.rows[first:last] - self.start])
        self.start = stop

    def gathered(self) -> FloatArray:
        return np.concatenate(self.parts)


def _fit_reducers(
    z: FloatArray, checkpoint: Checkpoint, track: Track
) -> tuple[FloatArray, Checkpoint]:
    """Reducers fitted to ``z`` (n, c): ``z`` reduced, (n, d), and the checkpoint with them."""
    reducers = _reducers(checkpoint.recipe)
    for reducer in track(reducers, "reducing", len(reducers)):
        z = reducer.fit_transform(z)
    return z, replace(checkpoint, reducers=[reducer.get_arrays() for reducer in reducers])


def _reducers(recipe: Recipe) -> list[Reducer]:
    return [parts.build("reducers", part, random_state=recipe.seed) for part in recipe.reducers]
