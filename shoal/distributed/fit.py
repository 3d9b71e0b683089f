"""`shoal.fit`: the straight line of `shoal.pipeline.fit`, its training on any number of workers."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from shoal import pipeline
from shoal.distributed.address import LOCAL
from shoal.distributed.order import Reopen
from shoal.embedding.table import ImageTable
from shoal.images.open import open_source
from shoal.images.within import Within
from shoal.models.checkpoint import Checkpoint
from shoal.protocols import ImageSource
from shoal.recipes.recipe import Recipe


def fit(
    source: ImageSource, path: str | Path, recipe: Recipe, *, workers: int | None = None,
    ray: str | None = None, **options: Any,
) -> tuple[Checkpoint, ImageTable]:  # fmt: skip
    """Train on ``source``, cluster it, and write the finished checkpoint to ``path``.

    Args:
        source: at least 2 images.
        path: the finished checkpoint. The history of the run lies in ``<path>.history/``.
        recipe: what to do.
        workers: how many processes train together, by Ray; None: this one alone or, with ``ray``,
            one a core or GPU. They open a file or a folder themselves; an array is sent to them.
        ray: the address of a Ray cluster, such as ``head:6379``; None: this machine.
        options: the options of `shoal.pipeline.fit`, such as ``auto_k``, ``device``, ``resume``,
            ``force`` and ``track``.

    Returns:
        The finished checkpoint, and the table of the images it learned from.

    Raises:
        DistributedError: Ray is not installed, does not answer, or has fewer cores or GPUs.
        ShoalError: see `shoal.pipeline.fit`.

    Example:
        ``checkpoint, table = shoal.fit(source, "best.pth", shoal.BEST, workers=8)``
    """
    if workers is None and ray is None:
        return pipeline.fit(source, path, recipe, **options)
    from shoal.distributed.engine import check_engine
    from shoal.distributed.training import trainer

    address = ray or LOCAL
    check_engine(address, workers)
    together = trainer(reopening(source), workers, address=address)
    return pipeline.fit(source, path, recipe, trainer=together, **options)


def reopening(source: ImageSource) -> Reopen:
    """What opens ``source`` again in another process: its file or folder, else the array itself."""
    path = source.originals.path
    if path is None:
        return partial(_itself, source)
    within: Within = getattr(source, "within", Within())
    return partial(
        open_source, Path(path).absolute(), image_shape=source.shape,
        pixel_range=getattr(source, "pixel_range", None), fit=getattr(source, "fit", None),
        every=within.every, pages=within.pages, channels=within.channels or None,
        colours=within.colours,
    )  # fmt: skip


def _itself(source: ImageSource) -> ImageSource:
    return source
