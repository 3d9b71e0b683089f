"""The server of a review: on this machine alone, until it is stopped."""

from __future__ import annotations

import contextlib
import errno
import socket
import threading
from collections.abc import Iterator
from types import FrameType

import uvicorn

from shoal.errors import OutputError
from shoal.review.app import Events, build_app
from shoal.review.security import Guard
from shoal.review.session import Session

_BACKLOG = 2048
_FIRST, _PORTS = 20_000, 12_000
"""Ports that no browser refuses and that systems do not give to others of their own accord."""
_PATIENCE = 2
"""Seconds that open connections get when the server stops."""


class _Uvicorn(uvicorn.Server):
    """Ends the streams first when it stops, as they would never end."""

    def __init__(self, config: uvicorn.Config, events: Events) -> None:
        super().__init__(config)
        self.events = events

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.stop()

    def stop(self) -> None:
        self.events.close()
        self.should_exit = True


class ReviewServer:
    """Serves a session to the browser of one person.

    Args:
        session: what is reviewed.
        port: where to listen; 0: the same as last time for the same journal, so that a page that is
            still open finds it again; any that is free where another program has that one.
        framed: whether notebooks of this machine may show the page in a frame.

    Raises:
        OutputError: the port is in use, or may not be used.
    """

    def __init__(self, session: Session, port: int = 0, *, framed: bool = False) -> None:
        self.session = session
        self._socket = _listen(port) if port else _listen_again(session.identity)
        self.port: int = self._socket.getsockname()[1]
        events = Events()
        self.guard = Guard(build_app(session, events), self.port, framed=framed)
        config = uvicorn.Config(
            self.guard, log_config=None, log_level="error", access_log=False, lifespan="off",
            ws="none", proxy_headers=False, server_header=False,
            timeout_graceful_shutdown=_PATIENCE, backlog=_BACKLOG,
        )  # fmt: skip
        self._uvicorn = _Uvicorn(config, events)
        self._thread: threading.Thread | None = None

    def new_address(self, host: str = "127.0.0.1") -> str:
        """An address that opens the page once, in the browser that is to be used."""
        return f"http://{host}:{self.port}/?token={self.guard.new_token()}"

    def run(self) -> None:
        """Serve until Ctrl-C."""
        _allow_many_connections()
        self.session.start()
        with contextlib.suppress(KeyboardInterrupt):  # uvicorn raises it again once it has stopped
            self._uvicorn.run(sockets=[self._socket])
        self.close()

    def start(self) -> None:
        """Serve in a thread of its own."""
        self.session.start()
        self._thread = threading.Thread(
            target=self._uvicorn.run, kwargs={"sockets": [self._socket]}, name="review",
            daemon=True,
        )  # fmt: skip
        self._thread.start()

    def close(self) -> None:
        """Stop serving, and let another process have the journal."""
        self._uvicorn.stop()
        if self._thread is not None:
            self._thread.join()
        self._socket.close()
        self.session.close()


@contextlib.contextmanager
def serving(session: Session, port: int = 0) -> Iterator[ReviewServer]:
    """A server that runs while the block does."""
    server = ReviewServer(session, port)
    server.start()
    try:
        yield server
    finally:
        server.close()


def check_port(port: int) -> None:
    """Raise unless a server can listen at ``port``, before anything long begins.

    Raises:
        OutputError: the port is in use, or may not be used.
    """
    _listen(port).close()


def _listen_again(identity: str) -> socket.socket:
    """Listen where the journal of this identity, which only its owner knows, always listens."""
    try:
        return _listen(_FIRST + int(identity, 16) % _PORTS)
    except OutputError:
        return _listen(0)


def _listen(port: int) -> socket.socket:
    if not 0 <= port <= 65535:
        raise OutputError(f"port must be from 0 to 65535, got {port}.")
    # Named as TCP, or asyncio does not know that it may send at once: 40 ms an answer.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        # A server that was just stopped leaves its port waiting for a minute.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        reasons = {
            errno.EADDRINUSE: "another program uses it",
            errno.EACCES: "only the system's own programs may use it",
        }
        why = reasons.get(error.errno or 0, error.strerror or str(error))
        raise OutputError(
            f"cannot listen at port {port}: {why}; give another port, or 0 for any that is free."
        ) from error
    return listener


def _allow_many_connections() -> None:
    """Let this process have as many open connections as the system grants."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = 8192 if hard == resource.RLIM_INFINITY else min(hard, 8192)
    if soft != resource.RLIM_INFINITY and soft < most:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
