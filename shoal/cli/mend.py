"""The command mend: a way on from a damaged file of corrections."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from shoal.cli.options import Quiet


def mend(
    corrections: Annotated[
        Path,
        typer.Argument(
            metavar="CORRECTIONS", show_default=False,
            help="A file of corrections, .corrections.jsonl, or the folder of a run that has one.",
        ),
    ],
    quiet: Quiet = False,
) -> None:  # fmt: skip
    """Go on from a damaged file of corrections.

    The file is kept whole under another name. All that can be read of it counts from then on, and
    what is lost is told. A copy of the file from before, if there is one, is better.
    """
    from shoal.cli.next_step import say_next
    from shoal.cli.run_identity import data_of_run
    from shoal.corrections.division import n_corrections
    from shoal.corrections.journal_file import journal_beside
    from shoal.export.mend_corrections import mend_corrections
    from shoal.images.csv_files import printable
    from shoal.plural import counted
    from shoal.progress import Reporter
    from shoal.scoring.worth_asking import Known

    report = Reporter(quiet=quiet)
    if corrections.is_dir():
        corrections = journal_beside(corrections / "checkpoint.pth")
    mended = mend_corrections(corrections)
    if mended is None:
        report.say(f"{corrections} is whole; there is nothing to mend")
        return
    report.say(f"the damaged file is kept as {mended.kept}", *map(printable, mended.notes))
    if mended.history is None:
        report.say(
            "nothing shows which images the other lines are about: no correction counts, and the "
            "next 'shoal review' begins anew"
        )
    else:
        counts = counted(n_corrections(mended.history), "correction")
        report.say(f"{corrections} goes on with {counts}; look whether the groups are right")
    folder = corrections.parent
    if corrections == journal_beside(folder / "checkpoint.pth") and data_of_run(folder) is not None:
        say_next(report, Known(), ["review", folder])
