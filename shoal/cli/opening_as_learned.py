"""How the commands open what a checkpoint is applied to: as that which it learned from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from shoal import pipeline
from shoal.cli.channel_options import colours_as_typed
from shoal.cli.opening import open_images
from shoal.cli.opening_vectors import open_vectors, open_vectors_of
from shoal.cli.options import OpenOptions
from shoal.cli.outputs import check_outputs
from shoal.clustering.clustering import check_finished
from shoal.errors import CheckpointError, DataError, ShoalError
from shoal.images.array import ArraySource
from shoal.images.open import check_fit
from shoal.images.output_checks import check_picture
from shoal.images.vectors import open as vectors
from shoal.images.vectors.source import VectorSource
from shoal.images.within import Within
from shoal.models import checkpoint as checkpoints
from shoal.models.checkpoint import Checkpoint
from shoal.models.history import CHECKPOINT_SUFFIXES
from shoal.plural import pixels
from shoal.progress import Reporter
from shoal.protocols import ImageSource

_AS_IT_IS = OpenOptions()


def open_with(
    checkpoint: Path,
    data: Path,
    report: Reporter,
    options: OpenOptions = _AS_IT_IS,
    *,
    at_least: int = 1,
    known: Checkpoint | None = None,
) -> tuple[ImageSource, Checkpoint]:
    """A checkpoint, and images of the shape it learned from, or vectors of its length.

    Where nothing else is asked for, a file holds the images that it held when the checkpoint
    learned: ``every`` and ``pages`` are those of the checkpoint. ``known`` is what `load_finished`
    gave, if it was read before.

    Raises:
        DataError: a checkpoint is given as the images.
    """
    check_order(data)
    loaded = known
    if loaded is None:
        loaded = checkpoints.load(checkpoint)
        check_learned(loaded, checkpoint)
    if loaded.n_dimensions:
        opened = open_vectors_of(loaded, checkpoint, data, options, report, at_least=at_least)
        return opened, loaded
    return open_as_learned(data, loaded, options, at_least=at_least, report=report), loaded


def check_order(data: Path) -> None:
    """Raise if a checkpoint is given as the images.

    Raises:
        DataError: so it is.
    """
    if data.is_file() and data.suffix.lower() in CHECKPOINT_SUFFIXES:
        raise DataError(f"{data} is a checkpoint, not images; DATA comes first, then CHECKPOINT.")


def load_finished(checkpoint: Path, data: Path) -> Checkpoint:
    """A checkpoint with clusters, before its images are opened: they may take long.

    Raises:
        CheckpointError: it cannot be read, or was kept along the way.
        DataError: the images are a checkpoint.
    """
    check_order(data)
    loaded = checkpoints.load(checkpoint)
    check_finished(loaded)
    check_learned(loaded, checkpoint)
    return loaded


def check_question(picture: Path, checkpoint: Path, data: Path) -> None:
    """Raise if what is asked of a checkpoint cannot be done, whatever would be overwritten.

    Raises:
        OutputError: a picture of another kind than can be drawn.
        CheckpointError: see `load_finished`.
        DataError: see `load_finished`.
    """
    check_picture(picture)
    load_finished(checkpoint, data)


def check_answer(
    outputs: Sequence[Path],
    picture: Path,
    data: Path,
    checkpoint: Path,
    *,
    force: bool,
    csv: Path | None = None,
) -> list[Path]:
    """Raise if what is asked cannot be done, or its answer not be written; see `check_outputs`.

    Args:
        outputs: what is written beside the picture and the ``csv``.
        picture: the picture, which an option names.
        data: the images.
        checkpoint: the checkpoint that is asked.
        force: whether files may be replaced.
        csv: the list, which an option names, if there is one.

    Returns:
        The files that will be replaced.
    """
    replaced = check_outputs(
        [*outputs, csv, picture], [data, checkpoint], force=force,
        named_by={"--csv": csv, "--picture": picture},
        first=lambda: check_question(picture, checkpoint, data),
    )  # fmt: skip
    check_picture(picture)
    return replaced


def open_as_learned(
    path: Path, checkpoint: Checkpoint, options: OpenOptions, *, at_least: int = 1,
    size: int | None = None, report: Reporter | None = None,
) -> ImageSource:  # fmt: skip
    """Open images as those that a checkpoint learned from: of their shape, range and fit.

    See `open_images` and `asked_or_learned`.
    """
    return open_images(
        path, asked_or_learned(options, checkpoint, path), image_shape=checkpoint.image_shape,
        pixel_range=checkpoint.pixel_range, fit=checkpoint.fit, at_least=at_least, size=size,
        report=report,
    )  # fmt: skip


def open_pile(
    data: Path,
    checkpoint: Path | None = None,
    options: OpenOptions = _AS_IT_IS,
    *,
    size: int | None = None,
    fit: str | None = None,
    report: Reporter | None = None,
    only_shown: bool = False,
) -> ImageSource:
    """Images as they are; or vectors, where a file holds these or a checkpoint takes them.

    Args:
        data: the images or the vectors.
        checkpoint: the file of the checkpoint that clustered them, if there is one.
        options: completed by the checkpoint, see `asked_or_learned`.
        size: see `open_images`.
        fit: see `open_images`.
        report: shows progress.
        only_shown: see `open_images`.

    Raises:
        DataError: they cannot be used.
    """
    if not vectors.holds_vectors(data):
        known = None if checkpoint is None else checkpoints.load(checkpoint)
        return open_images(
            data, asked_or_learned(options, known, data), size=size, fit=fit, report=report,
            only_shown=only_shown,
        )  # fmt: skip
    for name, asked in (("size", size), ("fit", fit)):
        if asked is not None:
            raise DataError(
                f"{name} is only for images, got {name}={asked} with {data}, which are vectors."
            )
    loaded = None if checkpoint is None else checkpoints.load(checkpoint)
    if checkpoint is None or loaded is None or not loaded.n_dimensions:
        return open_vectors(data, array=options.array)
    return open_vectors_of(loaded, checkpoint, data, options, report)


def asked_or_learned(
    options: OpenOptions, checkpoint: Checkpoint | None, data: Path
) -> OpenOptions:
    """The options with what a checkpoint says of the images of ``data``, where nothing was asked.

    The pattern of a checkpoint whose channels were files of their own is for folders alone.
    """
    known = Within() if checkpoint is None else checkpoint.within
    colours = colours_as_typed(known.colours)
    if data.suffix.lower() in (".npy", ".npz"):  # which holds no files
        known = Within()
    own = None if known.every is None else str(known.every)
    pattern = known.channels or None if data.is_dir() else None
    composite = options.composite
    if composite is None and checkpoint is not None and checkpoint.composite:
        composite = ",".join(map(str, checkpoint.composite))
    return replace(
        options,
        every=own if options.every is None else options.every,
        pages=known.pages if options.pages == "auto" else options.pages,
        channels=pattern if options.channels is None else options.channels,
        composite=composite,
        colours=colours if options.colours is None else options.colours,
    )


def check_learned(checkpoint: Checkpoint, path: Path) -> None:
    """Try a checkpoint on two blank images: its parts may be whole, and yet not of one another.

    Raises:
        CheckpointError: something in it is missing, of another shape, or not a number.
    """
    blank: ImageSource = ArraySource(np.zeros((2, *checkpoint.image_shape), np.uint8))
    if checkpoint.n_dimensions:
        rows = np.eye(2, checkpoint.n_dimensions, dtype=np.float32)
        blank = VectorSource(rows if checkpoint.centre is None else rows + checkpoint.centre)
    reason = "what it computes is not a number"
    try:
        if not checkpoint.n_dimensions:
            checkpoint.build_encoder()
        # t-SNE takes seconds to place even two images.
        if not checkpoint.finished or any(
            part.name == "tsne" for part in checkpoint.recipe.reducers
        ):
            return
        table = pipeline.predict(blank, checkpoint, familiarity=True)
        if np.isfinite(table.embedding).all() and np.isfinite(table.confidence).all():
            return
    except ShoalError as error:
        raise CheckpointError(f"{path}: {error}") from error
    except Exception as error:  # noqa: BLE001 - of parts that do not fit, anything
        reason = f"{type(error).__name__}: {error}".partition("\n")[0][:200]
    raise CheckpointError(
        f"{path}: the parts of this checkpoint do not fit one another ({reason}); train again or "
        "restore the file from a copy."
    )


def check_as_learned(size: int | None, fit: str | None, checkpoint: Checkpoint | None) -> None:
    """Raise if another size or fit is asked than that to which a checkpoint brings images.

    Raises:
        DataError: so it is, or there is no such fit.
    """
    check_fit(fit)
    if checkpoint is None or checkpoint.n_dimensions:
        return
    height, width, _ = checkpoint.image_shape
    if size is not None and (height, width) != (size, size):
        raise DataError(
            f"--size must be left out or {height} with this checkpoint, got {size}: it compares "
            f"images of {pixels(height, width)}."
        )
    if fit is not None and fit != checkpoint.fit:
        raise DataError(
            f"--fit must be left out or {checkpoint.fit} with this checkpoint, got {fit}: it "
            "compares images as they were in its training."
        )
