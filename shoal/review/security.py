"""Who may speak to the review's server: the browser of the person who started it, and nobody else.

The server listens on this machine alone, and that is not enough: any page in any browser here can
send requests to it, and so can other users of the machine. So a request needs a cookie that was
given once, for a token that only the terminal showed. Its ``Host`` must be this server's, which
stops DNS rebinding. What changes something must come from the page itself, which ``Origin`` tells.
"""

from __future__ import annotations

import hmac
import secrets
import threading
from collections.abc import Iterable, Mapping
from http.cookies import CookieError, SimpleCookie

from starlette.datastructures import Headers, QueryParams
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LARGEST_BODY = 8 * 2**20
"""Bytes of a request's body: a million rows are enough for every action."""
_READING = ("GET", "HEAD")
_NOTEBOOKS = "http://localhost:* http://127.0.0.1:* https://localhost:* https://127.0.0.1:*"


class Guard:
    """An ASGI application around another, which only admitted requests reach.

    Args:
        app: what answers admitted requests.
        port: the port that the server listens on.
        framed: whether pages of this machine, such as notebooks, may show the page in a frame.
    """

    def __init__(self, app: ASGIApp, port: int, *, framed: bool = False) -> None:
        self.app = app
        self.cookie = f"shoal-review-{port}"  # browsers do not tell cookies apart by port
        self.hosts = {f"{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]")}
        self.framed = framed
        self._secret = secrets.token_urlsafe(32)
        self._tokens: set[str] = set()
        self._lock = threading.Lock()

    def new_token(self) -> str:
        """A token that admits one browser, once: ``/?token=…``."""
        token = secrets.token_urlsafe(32)
        with self._lock:
            self._tokens.add(token)
        return token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        headers = Headers(scope=scope)
        refused = self._refused(scope, headers)

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": self._headers(message["headers"])}
            await send(message)

        if refused is not None:
            await refused(scope, receive, send_safely)
            return
        if scope["method"] == "POST":
            body = await _body(receive)
            if body is None:
                await _too_large()(scope, receive, send_safely)
                return
            receive = _replay(body, receive)
        await self.app(scope, receive, send_safely)

    def _refused(self, scope: Scope, headers: Headers) -> Response | None:
        """What to answer in place of the application; None for a request that is admitted."""
        if headers.get("host", "").lower() not in self.hosts:
            return says_no(421, "This address is not the review's.")
        site = headers.get("sec-fetch-site", "same-origin")
        is_page = scope["path"] == "/" and scope["method"] in _READING
        if scope["method"] not in (*_READING, "POST"):
            return says_no(405, "Only GET and POST are understood.")
        if is_page and "token" in (given := QueryParams(scope["query_string"])):
            return self._admit(given["token"], headers, site)
        if scope["path"] == "/favicon.ico" and scope["method"] in _READING:
            return Response(status_code=204)  # browsers ask for it beside a page that says no, too
        if not self._knows(headers):
            return HTMLResponse(_CLOSED, 403) if is_page else says_no(403, "Open the review again.")
        if not is_page and site not in ("same-origin", "none"):
            return says_no(403, "Another page may not ask this.")
        if scope["method"] == "POST":
            return _refused_write(headers)
        return None

    def _admit(self, token: str, headers: Headers, site: str) -> Response:
        with self._lock:
            known = next((one for one in self._tokens if _same(one, token)), None)
            self._tokens.discard(known or "")
        if known is None and not self._knows(headers):
            return HTMLResponse(_USED, 403)
        # A redirect on the way from another site would not be followed with a strict cookie.
        answer = HTMLResponse(_ON) if site == "cross-site" else RedirectResponse("/", 303)
        if known is not None:
            answer.set_cookie(self.cookie, self._secret, httponly=True, samesite="strict", path="/")
        return answer

    def _knows(self, headers: Headers) -> bool:
        try:
            morsel = SimpleCookie(headers.get("cookie", "")).get(self.cookie)
        except CookieError:
            return False
        return morsel is not None and _same(self._secret, morsel.value)

    def _headers(self, headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        ancestors = _NOTEBOOKS if self.framed else "'none'"
        policy = (
            "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; "
            f"frame-ancestors {ancestors}"
        )
        always: Mapping[str, str] = {
            "content-security-policy": policy,
            "x-content-type-options": "nosniff",
            "referrer-policy": "no-referrer",
            "cross-origin-resource-policy": "same-origin",
            "cross-origin-opener-policy": "same-origin",
        }
        kept = list(headers)
        if not any(name == b"cache-control" for name, _ in kept):
            kept.append((b"cache-control", b"no-store"))
        return kept + [(name.encode(), value.encode()) for name, value in always.items()]


def _refused_write(headers: Headers) -> Response | None:
    """What to answer to a POST that the review's own page did not send, or that is too large."""
    if headers.get("origin", "") != f"http://{headers['host'].lower()}":
        return says_no(403, "Another page may not change the review.")
    if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        return says_no(415, "An action must be JSON.")
    length = headers.get("content-length", "0")
    if not (length.isascii() and length.isdigit() and len(length) < 20):
        return says_no(400, "The length of the request is not a number.")
    return _too_large() if int(length) > LARGEST_BODY else None


async def _body(receive: Receive) -> bytes | None:
    """The body of a request; None as soon as it is larger than `LARGEST_BODY`."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":  # the sender has gone: nothing was said to its end
            return b""
        body += message.get("body", b"")
        if len(body) > LARGEST_BODY:
            return None
        if not message.get("more_body"):
            return bytes(body)


def _replay(body: bytes, receive: Receive) -> Receive:
    """What gives a body that was read before, and then what comes after it."""
    given = False

    async def replayed() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replayed


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode("utf-8", "replace"))


def _too_large() -> Response:
    answer = says_no(413, f"An action must be at most {LARGEST_BODY // 2**20} MiB.")
    answer.headers["connection"] = "close"
    return answer


def says_no(status: int, text: str) -> Response:
    """The answer that the page shows in place of what it asked for."""
    return JSONResponse({"error": text}, status)


_PAGE = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>shoal review</title>'
    '<meta name="viewport" content="width=device-width">{}<h1>shoal review</h1><p>{}</p></html>'
)
_CLOSED = _PAGE.format(
    "",
    "This page is for the person who started the review. Open the address that "
    "<code>shoal review</code> printed in the terminal.",
)
_USED = _PAGE.format(
    "",
    "This address was used already, and it opens only once. Go on in the window that it opened, or "
    "stop <code>shoal review</code> and start it again: nothing that you said is lost.",
)
_ON = _PAGE.format('<meta http-equiv="refresh" content="0;url=/">', '<a href="/">Go on.</a>')
