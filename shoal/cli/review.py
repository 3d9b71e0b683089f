"""The command review: a page on which a person corrects the groups."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from shoal.cli.options import ArrayName, Device, NoCache, Quiet


def review(
    where: Annotated[
        Path,
        typer.Argument(
            metavar="DATA", show_default=False,
            help="The folder of 'shoal run', with its images known; or images, and a checkpoint.",
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
        Path | None,
        typer.Option(
            metavar="DATA", show_default="where 'shoal run' found them",
            help="The images of FOUND, where they were moved.",
        ),
    ] = None,
    browser: Annotated[
        bool, typer.Option("--no-browser", help="Print the address, and open no browser.")
    ] = False,
    port: Annotated[int, typer.Option(help="Where to listen.", show_default="any free port")] = 0,
    device: Device = "auto",
    array: ArrayName = None,
    no_cache: NoCache = False,
    quiet: Quiet = False,
) -> None:  # fmt: skip
    """Correct the clusters in a browser: merge, split, move, name.

    What you say is kept beside the checkpoint as you say it, in .corrections.jsonl. The page is
    served to this machine alone; stop it with Ctrl-C.
    """
    from shoal.cli import inference, opening
    from shoal.cli.reviewed import reviewed_of
    from shoal.progress import Reporter
    from shoal.review.opening import open_review
    from shoal.review.server import ReviewServer, check_port
    from shoal.review.session import Session

    images, file = reviewed_of(where, checkpoint, data)
    check_port(port)
    report = Reporter(quiet=quiet)
    source, loaded = opening.open_with(
        file, images, report, array=array, cache=not no_cache, at_least=2
    )
    reviewed = open_review(source, loaded, file, device=inference.ready(device), track=report)
    server = ReviewServer(Session(reviewed, images.name), port)
    address = server.new_address()
    print(address)
    server.run()
