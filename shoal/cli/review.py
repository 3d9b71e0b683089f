"""The command review: a page on which a person corrects the groups."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from shoal.cli.options import (
    ArrayName,
    Channels,
    Composite,
    Device,
    NoCache,
    OpenOptions,
    Place,
    Quiet,
)
from shoal.images.remote.location import location


def review(
    where: Annotated[
        Place,
        typer.Argument(
            metavar="DATA", show_default=False, parser=location,
            help="The folder of 'shoal run' or 'shoal cluster', with its data known; or images or "
            "vectors, and a checkpoint.",
        ),
    ],
    checkpoint: Annotated[
        Path | None,
        typer.Argument(
            metavar="CHECKPOINT", show_default=False,
            help="A checkpoint file, where images are given.",
        ),
    ] = None,
    data: Annotated[
        Place | None,
        typer.Option(
            metavar="DATA", parser=location, show_default="where 'shoal run' found them",
            help="The images of FOUND, where they were moved.",
        ),
    ] = None,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Print the address, and open no browser.")
    ] = False,
    port: Annotated[
        int, typer.Option(help="Where to listen.", show_default="as before, or any that is free")
    ] = 0,
    device: Device = "auto",
    array: ArrayName = None,
    channels: Channels = None,
    composite: Composite = None,
    no_cache: NoCache = False,
    quiet: Quiet = False,
) -> None:  # fmt: skip
    """Correct the clusters in a browser: merge, split, move, name.

    What you say is kept beside the checkpoint as you say it, in .corrections.jsonl. The page is
    served to this machine alone; stop it with Ctrl-C.
    """
    from shoal.cli import inference
    from shoal.cli.next_step import say_next
    from shoal.cli.opening_as_learned import open_with
    from shoal.cli.reviewed import command_after, reviewed_of
    from shoal.progress import Reporter
    from shoal.review.browser import opened
    from shoal.review.opening import open_review
    from shoal.review.server import ReviewServer, check_port
    from shoal.review.session import Session
    from shoal.scoring.worth_asking import Known

    images, file = reviewed_of(where, checkpoint, data)
    check_port(port)
    report = Reporter(quiet=quiet)
    options = OpenOptions(array, channels, composite, cache=not no_cache)
    source, loaded = open_with(file, images, report, options, at_least=2)
    reviewed = open_review(source, loaded, file, device=inference.ready(device), track=report)
    report.say(*reviewed.notes)
    server = ReviewServer(Session(reviewed, images.name), port)
    if not no_browser and not opened(server.new_address()):
        tunnel = f"ssh -L {server.port}:localhost:{server.port} HOST"
        report.say(
            "no browser can be opened from here; open this address yourself, on another computer "
            f"after '{tunnel}':"
        )
    print(server.new_address(), flush=True)  # even when quiet: it may be the only way in
    report.say(f"kept in {reviewed.journal.path} as you say it; stop with Ctrl-C")
    server.run()
    if any(entry.op not in ("start", "carry") for entry in reviewed.journal.history.entries):
        report.say(f"what you said is in {reviewed.journal.path}")
    say_next(report, Known(len(source)), command_after(where, images, file, checkpoint is None))
