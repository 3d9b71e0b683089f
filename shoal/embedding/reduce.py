"""The embedding in which clusters are found: embed, then reduce."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from shoal.embedding.embed import BLOCK, embed_blocks, gather
from shoal.models.checkpoint import Checkpoint
from shoal.protocols import FloatArray, ImageSource, Reducer, Track, silent
from shoal.recipes import parts
from shoal.recipes.recipe import Recipe


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


def fit_reducers(
    z: FloatArray, checkpoint: Checkpoint, track: Track
) -> tuple[FloatArray, Checkpoint]:
    """Reducers fitted to ``z`` (n, c): ``z`` reduced, (n, d), and the checkpoint with them."""
    reducers = _reducers(checkpoint.recipe)
    for reducer in track(reducers, "reducing", len(reducers)):
        z = reducer.fit_transform(z)
    return z, replace(checkpoint, reducers=[reducer.get_arrays() for reducer in reducers])


def _reducers(recipe: Recipe) -> list[Reducer]:
    return [parts.build("reducers", part, random_state=recipe.seed) for part in recipe.reducers]
