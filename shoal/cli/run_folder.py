"""The folder of a run: always of one run, and nothing in it lost.

`open_run` says before any work whether a run may write there; `Run.results` records what it wrote.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from shoal.cli.fit import take_back
from shoal.cli.going_on import RESUME, going_on
from shoal.cli.outputs import copied_aside
from shoal.cli.request import Request, rehearse
from shoal.cli.run_identity import completed, data_of_run, first_difference, identity_of
from shoal.embedding.table import result_digest
from shoal.errors import Interrupted, OutputError
from shoal.export.load_corrections import corrections_beside
from shoal.export.record import NAME, RUN, Record, digests_of, read_record, way_to
from shoal.images.csv_files import printable
from shoal.images.file_names import is_image
from shoal.images.files import free_name, locked, sweep
from shoal.images.left_out import service_folder
from shoal.images.output_checks import check_writable, lies_in
from shoal.images.readers.zarr_store import is_store
from shoal.models.history import CheckpointHistory
from shoal.models.history_places import put_back
from shoal.models.provenance import command_line, typed, typed_words
from shoal.progress import Reporter
from shoal.protocols import ImageSource, IntArray

FILES = (
    "checkpoint.pth", "prediction.csv", "table.parquet", "clusters.png", "map.png", "report.html",
    "skipped.csv",
)  # fmt: skip
"""What a run writes, besides its record and the checkpoint history of its checkpoint."""


@dataclass(frozen=True)
class Run:
    """A run and the folder that it has to itself."""

    folder: Path
    record: Record
    done: bool = False
    """Whether all of it is there already."""
    mends: bool = False
    """Whether it is finished, and some of its files are gone: these are written again."""
    returned: bool = False
    """Whether it is the one before a run that has not ended, and its checkpoint is there again."""

    @property
    def checkpoint(self) -> Path:
        return self.folder / "checkpoint.pth"

    def of(self, source: ImageSource, request: Request, report: Reporter) -> Run:
        """The run on these images, its record begun; an older run that it replaces makes room.

        Raises:
            OutputError: the folder is of a run on other images.
        """
        digest = source.digest()
        known = self.record.identity.get("images")
        if known not in (None, digest) and not request.force:
            kind = request.resolve().kind
            raise OutputError(_of_another(self.folder, f"it is of other {kind}"))
        if self.returned:
            take_back(self.checkpoint, report)
            self.record.save(self.folder)
        if self.done and known == digest:
            return self
        if self.mends:
            gone = self.record.missing(self.folder)
            report.say(f"gone, and to be written again: {', '.join(gone)}")
            return self
        rehearse(source, request)
        pile = request.pictures or source.originals.path
        if lies_in(self.folder, pile):
            report.say(f"{self.folder} lies in the pile {pile}: what shoal writes there is left "
                       "out whenever the pile is read")  # fmt: skip
        if request.force:
            report.say(*_make_room(self.folder, self.record))
        identity = identity_of(request) | {"images": digest, "n_images": len(source)}
        # What is there stays until it is written anew; by its digest a later change is noticed.
        named = tuple(name for name in self.record.named if (self.folder / name).is_file())
        data = way_to(source.originals.path, self.folder)
        pictures = way_to(request.pictures, self.folder)
        record = Record(
            RUN, command_line(), identity, files=self.record.files, named=named, data=data,
            images=pictures, before=self.record if self.record.finished else self.record.before,
        )  # fmt: skip
        self.folder.mkdir(parents=True, exist_ok=True)
        record.save(self.folder)
        return replace(self, record=record, done=False)

    def _to_keep(self) -> list[str]:
        """The results that must outlast the next ones.

        That is what a person worked on; and all that are there, where only missing ones are written
        again.
        """
        if self.mends:
            return [name for name in FILES[1:] if (self.folder / name).is_file()]
        return [name for name in self.record.worked_on(self.folder) if name != FILES[0]]

    @contextmanager
    def results(self, ids: Sequence[str], labels: IntArray, report: Reporter) -> Iterator[None]:
        """A block that writes the results, which are then recorded. A person's work is kept.

        That is: under its own name where only missing files are written again; else as a copy.

        Args:
            ids: of the n images.
            labels: int64 (n,), their clusters.
            report: says what is kept.
        """
        skipped = self.folder / "skipped.csv"  # not written where nothing is left out
        gone = self.record.missing(self.folder)
        if self.record.before is not None:  # whose results are replaced now
            replace(self.record, before=None).save(self.folder)
        copies = copied_aside([self.folder / name for name in self._to_keep()])
        if skipped.name in self.record.files and skipped not in copies:
            skipped.unlink(missing_ok=True)
        ended = False
        try:
            yield
            ended = True
        finally:
            for path, copy in copies.items():
                if self.mends:
                    copy.replace(path)
                else:
                    report.say(_kept(path, copy, self.record))
            record = self._written(gone) if self.mends else self._written(FILES)
            if not ended:  # what the block wrote so far must not be taken for changed by hand
                with suppress(OutputError):  # the block's own error says what is wrong
                    record.save(self.folder)
        result = result_digest(ids, labels)
        replace(record, finished=True, result=result, before=None).save(self.folder)

    def _written(self, names: Sequence[str]) -> Record:
        """The record, with the digests of the files ``names`` as they are now."""
        digests = digests_of(self.folder, names)
        named = tuple(name for name in self.record.named if name not in names)
        files = self.record.files | digests if self.mends else digests
        return replace(self.record, files=files, named=named)


@contextmanager
def open_run(folder: Path, data: Path, request: Request) -> Iterator[Run]:
    """Hold ``folder`` for a run, once it is clear that nothing there would be lost.

    Args:
        folder: for the results; made when the run begins.
        data: where the images are.
        request: what is asked for.

    Raises:
        OutputError: the folder holds the images, another run, files that this one would replace, or
            is in use.
        Interrupted: on Ctrl-C, with the command that goes on.
    """
    CheckpointHistory(folder / FILES[0]).check_writable()
    for name in (*FILES, NAME):
        check_writable(folder / name)
    _check_no_pile(folder, data)
    with locked(folder, f"to {folder}"):
        sweep(folder)
        try:
            yield _state(folder, request)
        except KeyboardInterrupt:
            resume = [RESUME] if typed_words()[:1] == ["run"] else []  # others begin again anyway
            raise Interrupted(f"stopped; go on with: {typed(*resume)}") from None


def already(run: Run) -> list[str]:
    """What to say of a run whose results are all there."""
    edited, named = run.record.edited(run.folder), run.record.named
    parts = [f"{run.folder} holds the results of this run already"]
    parts += [f"changed since: {', '.join(edited)}"] if edited else []
    parts += [f"with names: {', '.join(named)}"] if named else []
    return ["; ".join([*parts, "add --force to begin anew"])]


def corrections_kept(checkpoint: Path) -> list[str]:
    """What to say of the corrections of an earlier result, if there are any."""
    found, lacks = corrections_beside(checkpoint)
    said = [lacks] if lacks else []
    if found is not None:
        said.append(
            f"the corrections in {found.path} are kept; predict, export and review carry them over"
        )
    return said


def _state(folder: Path, request: Request) -> Run:
    record = read_record(folder)
    if record is None:
        history = CheckpointHistory(folder / "checkpoint.pth").folder
        taken = [name for name in (*FILES, history.name) if (folder / name).exists()]
        if taken and not request.force and not request.resume:
            raise OutputError(
                f"{folder / taken[0]} exists already; name another folder, or add --force to "
                "replace it."
            )
        return Run(folder, Record(RUN))
    if record.kind != RUN:
        raise OutputError(f"{folder} was written by 'shoal export'; name another folder.")
    if request.force:
        return Run(folder, record)
    wanted = identity_of(request)["settings"]
    begun, record = record, _there(folder, record, wanted, resume=request.resume)
    again = going_on(record.command, folder, data_of_run(folder))
    known = _settings(record, wanted)
    if known != wanted:
        why = first_difference(known, wanted)
        if record.finished:
            raise OutputError(_of_another(folder, why))
        back = put_back(folder / FILES[0])
        if back and record.before is not None and _settings(record.before, wanted) == wanted:
            raise OutputError(
                f"{folder} holds a run that was begun in place of this one ({why}) and did not "
                f"end; this one is kept, and this puts it back: {back}"
            )
        raise OutputError(
            f"{folder} holds another run ({why}), which did not end; name another folder, add "
            f"--force to replace it, or go on with: {again}"
        )
    missing = record.missing(folder)
    if record.finished and not missing:
        return Run(folder, record, done=True, returned=record is not begun)
    if not request.resume:
        if record.finished:
            what = f"{folder / missing[0]} is gone, and the run that wrote it has ended"
            raise OutputError(f"{what}; add --force to begin anew, or write it again with: {again}")
        raise OutputError(
            f"the run in {folder} did not end; add --force to begin anew, or go on with: {again}"
        )
    return Run(folder, record, mends=record.finished, returned=record is not begun)


def _there(folder: Path, record: Record, wanted: dict[str, Any], *, resume: bool) -> Record:
    """The record of the run whose results are in a folder.

    That is the one that was to be replaced, if it is wanted and its checkpoint is there, because
    it was never moved aside or a person put it back.
    """
    before = record.before
    if before is None or _settings(before, wanted) != wanted:
        return record
    if resume and _settings(record, wanted) == wanted:
        return record
    there = digests_of(folder, FILES[:1])
    return before if there and there.items() <= before.files.items() else record


def _settings(record: Record, wanted: dict[str, Any]) -> Any:
    return completed(record.identity.get("settings"), wanted)


def _of_another(folder: Path, why: str) -> str:
    return f"{folder} holds another run ({why}); name another folder, or add --force to replace it."


def _check_no_pile(folder: Path, data: Path) -> None:
    """Raise if a folder holds images: as one that shoal wrote, it is left out of any pile."""
    if is_store(data) and lies_in(folder, data):
        raise OutputError(f"{folder} lies in the store {data}; name a folder outside of it.")
    if not folder.is_dir():
        return
    if data.is_dir() and folder.samefile(data):
        raise OutputError(f"{folder} holds the images; name another folder for the results.")
    if (folder / NAME).exists():
        return
    name = _first_picture(folder)
    if name is not None:
        raise OutputError(
            f"{folder} holds pictures ({printable(name)}); name a new folder for the results."
        )


def _first_picture(folder: Path) -> str | None:
    """The name of a picture in a folder or below it, where shoal did not write it; None if none."""
    for base, folders, files in os.walk(folder):
        below = Path(base) != folder
        if below and NAME in files:
            folders.clear()
            continue
        folders[:] = sorted(name for name in folders if not service_folder(name))
        for name in sorted(files):
            if is_image(name) and (below or name not in FILES):
                return str(Path(base, name).relative_to(folder))
    return None


def _make_room(folder: Path, record: Record) -> list[str]:
    """Move the files of a folder without a record aside. What to say of it.

    Those of an older run stay until they are written anew: a run that does not end costs nothing.
    """
    # Of files without a record nobody knows whose they are: all are kept. What a person changed
    # of others is kept when they are written anew, see `Run.results`; the checkpoint when training
    # begins, see `CheckpointHistory.begin`.
    kept = () if record.files else FILES[1:]
    said = []
    for path in (folder / name for name in kept if (folder / name).is_file()):
        copy = free_name(path)
        path.rename(copy)
        said.append(_kept(path, copy, record))
    if any((folder / name).is_file() for name in FILES[1:]):
        said.append(f"the earlier results in {folder} stay until the new ones are written")
    return said


def _kept(path: Path, copy: Path, record: Record) -> str:
    why = "holds names" if path.name in record.named else "may have been changed by hand"
    return f"{path} {why}, and is kept as {copy}"
