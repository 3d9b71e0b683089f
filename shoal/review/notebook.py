"""A review in a notebook: the page in a frame, served by a thread of the notebook's own process."""

from __future__ import annotations

import html
from dataclasses import dataclass
from pathlib import Path

from shoal.corrections.journal_file import journal_beside
from shoal.models.checkpoint import Checkpoint
from shoal.protocols import ImageSource, Track, silent
from shoal.review.opening import open_review
from shoal.review.server import ReviewServer
from shoal.review.session import Session

_running: dict[Path, ShownReview] = {}
"""The reviews of this process, by their journal: a cell that runs again shows the same one."""


@dataclass(frozen=True)
class ShownReview:
    """A review that goes on until it is closed, or the process ends.

    A notebook shows it as a frame; elsewhere its text tells the address to open.
    """

    journal: Path
    """Where what a person says is kept."""
    server: ReviewServer
    notes: tuple[str, ...] = ()
    """What the person should know before they go on, in sentences."""

    def __repr__(self) -> str:
        said = "; ".join(
            [f"review at {self.server.new_address()}, kept in {self.journal}", *self.notes]
        )
        return f"<{said}>"

    def _repr_html_(self) -> str:
        # The cookie is only sent in a frame of the same site, and localhost is not 127.0.0.1.
        tokens = [self.server.guard.new_token() for _ in range(2)]
        frame = (
            '<iframe style="width:100%;height:720px;border:1px solid #8884" title="shoal review">'
            "</iframe>"
        )
        script = (
            "(function (frame) {"
            "const own = location.hostname === '127.0.0.1' ? '127.0.0.1' : 'localhost';"
            f"frame.src = 'http://' + own + ':{self.server.port}/?token={tokens[0]}';"
            "const here = ['localhost', '127.0.0.1', '[::1]'].includes(location.hostname);"
            "frame.parentElement.querySelector('.elsewhere').hidden = here;"
            "})(document.currentScript.previousElementSibling);"
        )
        port = self.server.port
        elsewhere = (
            '<p class="elsewhere">This notebook runs on another computer. To see the page, run '
            f"<code>ssh -L {port}:localhost:{port} HOST</code> on yours, and run this cell again."
            "</p>"
        )
        notes = "".join(f"<p>{html.escape(note)}</p>" for note in self.notes)
        link = f"http://localhost:{self.server.port}/?token={tokens[1]}"
        return (
            f"<div>{notes}{elsewhere}{frame}<script>{script}</script>"
            f'<p><a href="{link}" target="_blank" rel="noopener">Open it in a window.</a> '
            f"Kept in {html.escape(str(self.journal))}.</p></div>"
        )

    def close(self) -> None:
        """Stop serving the page, and let another process have the journal."""
        _running.pop(self.journal.resolve(), None)
        self.server.close()


def end(path: Path) -> None:
    """Stop serving the review of a checkpoint's file, if this process does."""
    running = _running.get(journal_beside(path).resolve())
    if running is not None:
        running.close()


def show(
    source: ImageSource, checkpoint: Checkpoint, path: Path, *, device: str = "cpu", port: int = 0,
    track: Track = silent,
) -> ShownReview:  # fmt: skip
    """Review the groups of images in a notebook.

    Args:
        source: the images.
        checkpoint: a finished one.
        path: its file. What a person says is kept beside it.
        device: where the encoder runs, where images must be embedded.
        port: where to listen; 0: any port that is free.
        track: shows progress.

    Raises:
        ShoalError: see `open_review` and `ReviewServer`.
    """
    journal = journal_beside(path)
    key = journal.resolve()
    if key in _running:
        return _running[key]
    reviewed = open_review(source, checkpoint, path, device=device, track=track)
    title = source.originals.path.name if source.originals.path is not None else "images"
    try:
        server = ReviewServer(Session(reviewed, title), port, framed=True)
    except BaseException:
        reviewed.journal.close()
        raise
    server.start()
    _running[key] = ShownReview(journal, server, reviewed.notes)
    return _running[key]
