"""From checkpoints and images to a report on disk."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from threadpoolctl import threadpool_limits

from shoal.clustering.digest import clustering_metadata
from shoal.corrections.honoured import Corrections
from shoal.embedding.table import ImageTable
from shoal.errors import OutputError
from shoal.export.large_tables import LargeTable
from shoal.export.neighbours import with_map
from shoal.export.run_files import write_run_files
from shoal.export.summaries import run_summary
from shoal.images.files import atomic_path
from shoal.images.output_checks import check_free, check_writable
from shoal.images.vectors.source import has_pictures
from shoal.models.checkpoint import Checkpoint
from shoal.progress import Reporter
from shoal.protocols import ImageSource, IntArray, Track, silent
from shoal.reports import explorer, fonts, html, pdf, progression, trust
from shoal.reports.compose import compose
from shoal.reports.inputs import SHOWN, ReportInputs, Trained
from shoal.reports.originals import folder_beside
from shoal.reports.wording import Wording
from shoal.scoring import label_free

_SUFFIXES = (".pdf", ".html")
_QUICK = 20_000


def report(
    *paths: str | Path,
    train: ImageSource,
    before: str | Path | None = None,
    after: str | Path | None = None,
    best: str | Path | None = None,
    images: ImageSource | None = None,
    labels: IntArray | None = None,
    show: Sequence[int] | None = None,
    language: str = "en",
    whole: bool = True,
    spare: Callable[[], float] | None = None,
    table: ImageTable | None = None,
    corrections: Corrections | None = None,
    force: bool = False,
    device: str = "cpu",
    track: Track = silent,
) -> None:
    """Write a report as .pdf, as one self-contained .html, or as both.

    Args:
        paths: the files to write.
        train: the images that the checkpoints learned from.
        before: a finished checkpoint, to be compared with ``after``.
        after: another.
        best: the checkpoint whose history is shown; by default ``after``.
        images: labelled images to measure on.
        labels: int64 (n,), their labels. They choose what is shown, and nothing else.
        show: indices of images in ``train`` to reconstruct; by default those that the assignment
            asks for, as far as the pile has them.
        language: en or zh-TW, of the fixed wording.
        whole: fail if the history has fewer than 10 checkpoints. Otherwise the report says so, and
            leaves out the history of more than 20,000 images, which takes minutes to measure.
        spare: called before the history is measured, returns the seconds that may take; by default
            there is no limit.
        table: the clusters of ``train`` with places on a map, if they are known already.
        corrections: by a person, of the clusters of ``best``; see `load_corrections`. What is
            measured with labels is without them.
        force: replace reports that are there.
        device: where the encoder runs.
        track: shows progress.

    Raises:
        OutputError: another suffix, a file that exists without ``force``, or one that cannot be
            written.
        CheckpointError: not a checkpoint, unfinished, of other images, or with too short a history.
        DataError: an unknown language, more kinds of labels than clusters, or images to show
            that do not exist.
    """
    targets = [Path(path) for path in paths]
    check_report(targets)
    for target in targets:
        check_free(target, force=force)
    wording = Wording(language, vectors=not has_pictures(train))
    named = {"before": before, "after": after, "best": best}
    inputs = ReportInputs(
        train, images=images, labels=labels, show=_shown(train) if show is None else tuple(show),
        corrections=corrections, device=device, track=track,
        **{name: Trained.load(Path(path)) for name, path in named.items() if path is not None},
    )  # fmt: skip
    inputs.check()
    if whole and not inputs.latest.checkpoint.n_dimensions:
        progression.check(inputs, inputs.latest)
    _write(targets, inputs, wording, whole=whole, spare=spare, table=table)


def _shown(train: ImageSource) -> tuple[int, ...]:
    """The images to reconstruct that the assignment asks for, as far as the pile has them."""
    return tuple(index for index in SHOWN if index < len(train)) or (0,)


def _write(
    targets: Sequence[Path], inputs: ReportInputs, wording: Wording, *, whole: bool,
    spare: Callable[[], float] | None, table: ImageTable | None,
) -> None:  # fmt: skip
    """Write the report to ``targets``; see `report`."""
    train, track = inputs.train, inputs.track
    # One thread: NumPy's products are small here. A checkpoint of a history takes 6 s of processor
    # time, and 17 with two threads that wait for one another. Early in training the clusters depend
    # on the last bits of these products, and so on the number of threads.
    with fonts.in_figures(wording.language), threadpool_limits(1, user_api="blas"):
        history = whole or len(train) <= _QUICK
        document, table = compose(inputs, wording, history=history, spare=spare, table=table)
        for path in track(targets, "writing report", len(targets)):
            if path.suffix.lower() == ".pdf":
                pdf.write(document, path, wording)
                continue
            folder = folder_beside(train, path)
            fragment = explorer.fragment(train, table, wording=wording, folder=folder, track=track)
            page = html.render(document, explorer=fragment, wording=wording, folder=folder)
            with atomic_path(path) as temporary:
                temporary.write_text(page, encoding="utf-8")


def hand_over(
    source: ImageSource, checkpoint: Checkpoint, table: ImageTable, folder: Path,
    reporter: Reporter, *, device: str, spare: Callable[[], float] | None = None,
    whole: LargeTable | None = None,
) -> None:  # fmt: skip
    """Write the results of a run to ``folder``, and say so.

    Args:
        source: the images.
        checkpoint: the finished one, which is ``checkpoint.pth`` in ``folder``.
        table: the clusters of the images.
        folder: where the run's results are.
        reporter: shows progress.
        device: where the encoder runs.
        spare: see `report`.
        whole: what the tables hold, where ``source`` and ``table`` are a sample.
    """
    metadata = label_free.verdict_on(checkpoint).metadata() | clustering_metadata(checkpoint)
    table = with_map(table, track=reporter)
    write_run_files(source, table, folder, metadata, whole=whole, track=reporter)
    inputs = ReportInputs(
        source, best=Trained(folder / "checkpoint.pth", checkpoint), show=_shown(source),
        device=device, track=reporter,
    )  # fmt: skip
    page = folder / "report.html"
    check_report([page])
    wording = Wording("en", vectors=not has_pictures(source))
    _write([page], inputs, wording, whole=False, spare=spare, table=table)
    reporter.warn(*trust.copies(inputs, wording))
    reporter.say(
        run_summary(table if whole is None else whole, folder, checkpoint.recipe.kind[:-1])
    )


def check_report(paths: Sequence[Path]) -> None:
    """Fail if one of ``paths`` does not name a report that can be written.

    Raises:
        OutputError: see there.
    """
    for path in paths:
        if path.suffix.lower() not in _SUFFIXES:
            raise OutputError(f"cannot write {path}: a report must end in .pdf or .html.")
        check_writable(path)
