"""Corrections by a person, as the commands find them, honour them and speak of them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from shoal.clustering.choose_k import AUTO, weigh_remembered
from shoal.corrections.division import Division
from shoal.corrections.honoured import Corrections, Honoured, honour, is_corrected, is_of
from shoal.corrections.journal_file import check_journal, journal_beside, reviewed_beside
from shoal.corrections.nouns import said_of_vectors
from shoal.embedding.table import ImageTable
from shoal.errors import DataError
from shoal.export.load_corrections import load_corrections
from shoal.images.csv_files import printable
from shoal.images.vectors.source import has_pictures
from shoal.models.checkpoint import Checkpoint
from shoal.plural import counted
from shoal.progress import Reporter
from shoal.protocols import ImageSource

_LISTED = 10
_WITHOUT = "--no-corrections leaves them out"


def journal_for(checkpoint: Path, given: Path | None, without: bool) -> Path | None:
    """The journal that a command honours: the one given, else the one beside the checkpoint.

    Raises:
        DataError: it was both given and left out, or there is no such file.
    """
    if given is None:
        beside = journal_beside(checkpoint)
        return None if without or not beside.exists() else beside
    if without:
        raise DataError("--corrections and --no-corrections cannot both be given; give one.")
    if not given.is_file():
        raise DataError(f"{given}: no such file of corrections; check the path.")
    check_journal(given)
    return given


class Honouring:
    """The corrections that a command honours, if there are any.

    Args:
        checkpoint: the checkpoint's file.
        given: the journal of --corrections.
        without: whether --no-corrections was given.
        report: what says it.

    Raises:
        DataError: see `journal_for` and `load_corrections`.
    """

    def __init__(
        self, checkpoint: Path, given: Path | None, without: bool, report: Reporter
    ) -> None:
        self.path = journal_for(checkpoint, given, without)
        self._checkpoint, self._given, self._report = checkpoint, given, report

    @property
    def files(self) -> list[Path]:
        """What is read, besides the images and the checkpoint."""
        if self.path is None:
            return []
        beside = reviewed_beside(self.path)
        return [self.path, *([beside] if beside.exists() else [])]

    @contextlib.contextmanager
    def advised(self) -> Iterator[None]:
        """A block whose errors on corrections that nobody asked for say how to go on without."""
        try:
            yield
        except DataError as error:
            ours = str(self.path) in str(error) and _WITHOUT not in str(error)
            if self._given is not None or not ours:
                raise
            raise DataError(f"{str(error).rstrip('.')}; {_WITHOUT}.") from error

    def of_file(self, table: ImageTable, source: ImageSource) -> ImageTable:
        """A table from a file with the corrections, unless it has them already.

        Those beside it are only for the pile that was corrected.

        Raises:
            DataError: see `load_corrections` and `honour`.
        """
        if self.path is None:
            return table
        found = self._read(self.path)
        if not len(found) or is_corrected(table, found):
            return table
        if self._given is None and not is_of(table, found, source.digest()):
            self._report.say(
                f"{table.path} is of other images than {self.path} corrects: they are left out"
            )
            return table
        self._say(found)
        return self.honour(table, found, None, source).table

    def load(self, checkpoint: Checkpoint | None) -> Corrections | None:
        """The corrections, which are spoken of; None where there are none.

        Raises:
            DataError: see `load_corrections`.
        """
        if self.path is None:
            return None
        found = self._read(self.path, checkpoint)
        if not len(found):
            if self._given is not None:
                self._report.say(f"{self.path} holds no corrections yet")
            return None
        self._say(found)
        return found

    def _read(self, path: Path, checkpoint: Checkpoint | None = None) -> Corrections:
        with self.advised():
            found = load_corrections(path, checkpoint, beside=self._checkpoint)
        if found.lacks:
            self._report.warn(found.lacks)
        return found

    def _say(self, found: Corrections) -> None:
        decided = found.groups.decided
        said = f"with {counted(len(found), 'correction')} by hand from {self.path}"
        said += f", {decided.sum():,} of {len(decided):,} decided"
        self._report.say(said if self._given is not None else f"{said}; {_WITHOUT}")

    def division(
        self, corrections: Corrections | None, clusters: int | str | None, split: int | None,
        checkpoint: Checkpoint,
    ) -> Division:  # fmt: skip
        """The division of the pile that is used: the one asked for, else the corrected one.

        ``auto`` chooses the number of clusters among the images that the checkpoint remembers. What
        another division than the corrected one means is said.
        """
        corrected = Division() if corrections is None else corrections.division
        if clusters is None and split is None:
            return corrected
        words = f"--split {split}" if clusters is None else f"-k {clusters}"
        if clusters == AUTO:
            choice = weigh_remembered(checkpoint, track=self._report)
            self._report.say(choice.reason)
            clusters = choice.n_clusters
        asked = Division(None if clusters is None else int(clusters), 1 if split is None else split)
        if corrections is not None and asked.of(checkpoint) != corrected.of(checkpoint):
            self._report.say(
                f"the corrections are of {corrected}, but {words} counts: decided images keep "
                "their groups, and the others follow it"
            )
        return asked

    def honour(
        self, table: ImageTable, corrections: Corrections, checkpoint: Checkpoint | None,
        source: ImageSource, division: Division | None = None,
    ) -> Honoured:  # fmt: skip
        """The table with the corrections. Conflicts are listed.

        Raises:
            DataError: see `honour`.
        """
        with self.advised():
            result = honour(
                table, corrections, checkpoint, division=division, images=source.digest()
            )
        if not has_pictures(source):
            result = replace(result, conflicts=tuple(map(said_of_vectors, result.conflicts)))
        for conflict in result.conflicts[:_LISTED]:
            self._report.say(f"conflict: {printable(conflict)}")
        if len(result.conflicts) > _LISTED:
            self._report.say(f"and {len(result.conflicts) - _LISTED:,} more conflicts")
        return result
