"""Which images and which checkpoint are meant by what a person typed."""

from __future__ import annotations

from pathlib import Path

from shoal.cli.run_identity import data_of_run, pictures_of_run, places_of_data
from shoal.errors import DataError
from shoal.images.files import free
from shoal.images.output_checks import outside
from shoal.images.vectors.open import holds_vectors
from shoal.models.history_places import why_missing


def reviewed_of(where: Path, checkpoint: Path | None, data: Path | None) -> tuple[Path, Path]:
    """The images and the checkpoint.

    Args:
        where: the folder of a run; or the images, where a checkpoint is given.
        checkpoint: a checkpoint file; None where the folder of a run is given.
        data: the images of the run.

    Raises:
        DataError: it is not known where the images are.
    """
    if checkpoint is not None:
        if data is not None:
            raise DataError("--data is only for the folder of a run; leave it out.")
        return where, checkpoint
    file = where / "checkpoint.pth"
    if not file.is_file():
        raise DataError(
            why_missing(file)
            or f"{where} is not the folder of a finished run; give one, or DATA and CHECKPOINT."
        )
    images = data_of_run(where) if data is None else data
    if images is None:
        places = list(dict.fromkeys(map(str, places_of_data(where))))
        if not places:
            raise DataError(
                f"it is not known here where the images of {where} are; say it with --data DATA."
            )
        raise DataError(
            f"the images of {where} are not at {' or '.join(places)} any more; say where they are "
            "with --data DATA."
        )
    return images, file


def review_of(folder: Path, data: Path) -> list[str | Path]:
    """The words of the command that reviews the run in a folder."""
    words: list[str | Path] = ["review", folder]
    return words if data_of_run(folder) is not None else [*words, "--data", data]


def handing_over(images: Path, table: Path) -> list[str | Path]:
    """The words of the command that hands the groups in a table over: as sorted folders, or as a
    file where vectors have no pictures."""
    where = table.parent
    if holds_vectors(images) and pictures_of_run(where) is None:
        return ["export", images, table, free(where / "groups.csv"), "--as", "csv"]
    return ["export", images, table, free(outside(where / "sorted", images)), "--dry-run"]


def command_after(where: Path, images: Path, checkpoint: Path, is_run: bool) -> list[str | Path]:
    """The words of the command after a review: hand over the groups, or predict with them."""
    if is_run and (where / "prediction.csv").is_file():
        return handing_over(images, where / "table.parquet")
    return ["predict", images, checkpoint, free(checkpoint.with_name("prediction.csv"))]
