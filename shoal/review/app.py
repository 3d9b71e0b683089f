"""The web application: each address, and what of the session answers it."""

from __future__ import annotations

import asyncio
import json
import mimetypes
import sys
import traceback
from collections.abc import AsyncIterator, Callable
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from shoal.corrections.questions import STRIP
from shoal.errors import OutputError, ShoalError
from shoal.images.files import RUN_AGAIN
from shoal.protocols import IntArray
from shoal.review.nouns import in_noun, noun_shown
from shoal.review.pictures import MOST_IN_A_SHEET, original
from shoal.review.security import says_no
from shoal.review.session import Session

_SHIPPED = (".html", ".css", ".js", ".svg", ".png", ".woff2")
_BEAT = 15.0
"""Seconds between two signs of life to a page that listens."""
_PICTURE = {"cache-control": "private, max-age=86400, immutable", "vary": "cookie"}
"""Another review at the same port has another cookie, so that it does not get these pictures."""


class Missing(ShoalError):
    """What an address names is not there."""


class Events:
    """Tells the pages that listen when something has changed."""

    def __init__(self) -> None:
        self._waiting: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()
        self.closed = False

    def changed(self) -> None:
        """Wake all that listen; from any thread."""
        for loop, event in tuple(self._waiting):
            try:
                loop.call_soon_threadsafe(event.set)
            except RuntimeError:  # the loop has ended
                self._waiting.discard((loop, event))

    def close(self) -> None:
        """End all streams."""
        self.closed = True
        self.changed()

    async def stream(self, now: Callable[[], dict[str, Any]]) -> AsyncIterator[str]:
        """Server-sent events: what is so now and at each change, and a sign of life."""
        event = asyncio.Event()
        me = (asyncio.get_running_loop(), event)
        self._waiting.add(me)
        try:
            yield "retry: 1000\n\n"
            while not self.closed:
                yield f"data: {json.dumps(now())}\n\n"
                while not self.closed:
                    try:
                        await asyncio.wait_for(event.wait(), _BEAT)
                        event.clear()
                        break
                    except TimeoutError:
                        yield ": still here\n\n"
        finally:
            self._waiting.discard(me)


def build_app(session: Session, events: Events) -> Starlette:
    """The application of a session, without the guard around it."""
    session.listeners.append(events.changed)
    noun = noun_shown(session.source)

    def told(reply: Any) -> Response:
        return JSONResponse(in_noun(reply, noun))

    async def listen(request: Request) -> Response:
        stream = events.stream(session.now)
        return StreamingResponse(stream, media_type="text/event-stream")

    async def act(request: Request) -> Response:
        try:
            said = json.loads(await request.body())
        except (ValueError, RecursionError):
            return says_no(400, "An action must be JSON.")
        return told(await run_in_threadpool(session.act, said))

    def of_row(request: Request) -> int:
        return _whole(request.path_params["row"], len(session.source), "image")

    def of_group(request: Request) -> int:
        return _whole(request.path_params["group"], 2**53, "group")

    def members(request: Request) -> Response:
        given = request.query_params
        row = None if "row" not in given else _whole(given["row"], len(session.source), "image")
        return JSONResponse(session.members(of_group(request), given.get("order", "typical"), row))

    def rows_of(request: Request, what: str, most: int) -> IntArray:
        words = request.query_params.get("rows", "").split(",")
        if len(words) > most:
            raise Missing(f"{what} has at most {most} images, got {len(words)}.")
        return np.array([_whole(word, len(session.source), "image") for word in words], np.int64)

    def sheet(request: Request) -> Response:
        content = session.thumbnails.sheet(rows_of(request, "a sheet", MOST_IN_A_SHEET))
        return Response(content, media_type="image/webp", headers=_PICTURE)

    def question_again(request: Request) -> Response:
        return JSONResponse(session.question_again(rows_of(request, "a question", STRIP)))

    def image(request: Request) -> Response:
        content, kind = original(session.source, of_row(request))
        return Response(content, media_type=kind, headers=_PICTURE)

    def labels(request: Request) -> Response:
        version, content = session.labels()
        return Response(
            content, media_type="application/octet-stream", headers={"X-Version": str(version)}
        )

    def places(request: Request) -> Response:
        return Response(session.map(), media_type="application/octet-stream")

    def of(answer: Callable[[], Any]) -> Callable[[Request], Response]:
        return lambda _: told(answer())

    routes = [
        Route("/", lambda _: _page_file("index.html")),
        Route("/static/{name:path}", lambda request: _page_file(request.path_params["name"])),
        Route("/sheet.webp", sheet),
        Route("/image/{row}", image),
        Route("/api/pile", of(session.pile)),
        Route("/api/state", of(session.state)),
        Route("/api/labels", labels),
        Route("/api/group/{group}", members),
        Route("/api/image/{row}", lambda request: JSONResponse(session.image(of_row(request)))),
        Route("/api/divisions", of(session.known_divisions)),
        Route("/api/question", of(session.question)),
        Route("/api/question/again", question_again),
        Route("/api/map", places),
        Route("/api/history", of(session.history)),
        Route("/api/preview/learn", of(session.preview_learn)),
        Route(
            "/api/preview/dissolve/{group}",
            lambda request: JSONResponse(session.preview_dissolve(of_group(request))),
        ),
        Route("/api/events", listen),
        Route("/api/act", act, methods=["POST"]),
    ]

    async def said_no(request: Request, error: Exception) -> Response:
        return _said_no(error, noun)

    return Starlette(routes=routes, exception_handlers={
        ShoalError: said_no, HTTPException: _no_such, Exception: _fault,
    })  # fmt: skip


@cache
def page_files() -> dict[str, bytes]:
    """The files of the page by their path below it: no other file can be asked for."""
    files: dict[str, bytes] = {}
    page = resources.files("shoal.review") / "page"

    def gather(folder: Any, before: str) -> None:
        for entry in folder.iterdir():
            if entry.is_dir():
                gather(entry, f"{before}{entry.name}/")
            elif entry.name.endswith(_SHIPPED):
                files[before + entry.name] = entry.read_bytes()

    if page.is_dir():
        gather(page, "")
    return files


def _page_file(name: str) -> Response:
    content = page_files().get(name)
    if content is None:
        return says_no(404, "There is no such file.")
    kind = "text/javascript" if name.endswith(".js") else mimetypes.guess_type(name)[0]
    return Response(content, media_type=kind, headers={"cache-control": "no-cache"})


def _whole(word: str, below: int, what: str) -> int:
    """A whole number from 0 in an address.

    Raises:
        Missing: it is none, or not below ``below``.
    """
    if not (word.isascii() and word.isdigit() and len(word) < 17 and int(word) < below):
        raise Missing(f"There is no {what} {word[:40]!r}.")
    return int(word)


def _said_no(error: Exception, noun: str) -> Response:
    status = 404 if isinstance(error, Missing) else 507 if isinstance(error, OutputError) else 400
    text = str(error)
    if text.endswith(RUN_AGAIN):
        text = text.removesuffix(RUN_AGAIN) + "."
    said = in_noun({"error": text[:1].upper() + text[1:]}, noun)
    return says_no(status, said["error"])


async def _no_such(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    return says_no(status, "There is no such address." if status == 404 else "This is not allowed.")


async def _fault(request: Request, error: Exception) -> Response:
    traceback.print_exception(error, file=sys.stderr)
    return says_no(500, "The review has a fault; the terminal shows it. What you said is kept.")
