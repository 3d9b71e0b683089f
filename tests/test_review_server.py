"""The review's server lets in the person who started it, and nobody else, whatever they try."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from shoal.images.array import ArraySource
from shoal.models import checkpoint as checkpoints
from shoal.review.app import Events, build_app, page_files
from shoal.review.opening import open_review
from shoal.review.security import LARGEST_BODY, Guard
from shoal.review.server import ReviewServer, serving
from shoal.review.session import Session

PORT = 4711
HOME = f"http://127.0.0.1:{PORT}"
READ = (
    "/", "/api/pile", "/api/state", "/api/labels", "/api/group/1", "/api/image/3",
    "/api/divisions", "/api/question", "/api/question/again?rows=1,2", "/api/map", "/api/history",
    "/api/preview/learn", "/api/preview/dissolve/1", "/api/events", "/sheet.webp?rows=1",
    "/image/3", "/static/index.html",
)  # fmt: skip
UP = ("../../pyproject.toml", "..%2f..%2fpyproject.toml", "%2e%2e/security.py", "/etc/passwd",
      "....//security.py", "..\\security.py", "page/../security.py", "-1", "1e3", "٣", "9" * 5000,
      "NaN", "1;2", "%00", "1%00.png")  # fmt: skip
"""What is tried in every parameter."""


@pytest.fixture
def session(images: np.ndarray, checkpoint_file: Path, tmp_path: Path) -> Iterator[Session]:
    path = tmp_path / "checkpoint.pth"
    path.write_bytes(checkpoint_file.read_bytes())
    reviewed = open_review(ArraySource(images), checkpoints.load(path), path)
    session = Session(reviewed, "images.npy")
    yield session
    session.close()


@pytest.fixture
def guard(session: Session) -> Guard:
    return Guard(build_app(session, Events()), PORT)


@pytest.fixture
def stranger(guard: Guard) -> TestClient:
    """A client without the cookie."""
    return TestClient(guard, base_url=HOME, follow_redirects=False, raise_server_exceptions=False)


@pytest.fixture
def client(guard: Guard, stranger: TestClient) -> TestClient:
    """The browser of the person, which opened the address from the terminal."""
    assert stranger.get(f"/?token={guard.new_token()}").status_code == 303
    return stranger


def said(client: TestClient, **headers: str) -> Any:
    body = json.dumps({"op": "name", "group": 1, "name": "cats"})
    headers = {"Origin": HOME, "Content-Type": "application/json"} | headers
    kept = {name.replace("_", "-"): value for name, value in headers.items() if value}
    return client.post("/api/act", content=body, headers=kept)


# --- who is let in ------------------------------------------------------------------------------


@pytest.mark.parametrize("path", READ)
def test_nothing_is_shown_without_a_token(path: str, stranger: TestClient) -> None:
    assert stranger.get(path).status_code == 403
    stranger.cookies.set(f"shoal-review-{PORT}", "guessed")
    assert stranger.get(path).status_code == 403


def test_a_browser_that_asks_for_an_icon_is_told_nothing(stranger: TestClient) -> None:
    answer = stranger.get("/favicon.ico")
    assert (answer.status_code, answer.content) == (204, b"")
    assert stranger.get("/favicon.ico", headers={"Host": "evil.example"}).status_code == 421


def test_a_stolen_address_opens_nothing(guard: Guard, stranger: TestClient) -> None:
    address = f"/?token={guard.new_token()}"
    first = stranger.get(address)
    cookie = first.headers["set-cookie"].lower()
    assert (first.status_code, first.headers["location"]) == (303, "/")
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert stranger.get("/api/pile").status_code == 200
    thief = TestClient(guard, base_url=HOME, follow_redirects=False)
    stolen = thief.get(address)
    assert stolen.status_code == 403
    assert "set-cookie" not in stolen.headers
    assert "only once" in stolen.text
    assert thief.get("/api/pile").status_code == 403
    assert stranger.get(address).status_code == 303  # the person goes back in the history
    assert thief.get("/?token=").status_code == 403
    assert thief.get("/?token=%ff%00é").status_code == 403


@pytest.mark.parametrize(
    "host",
    ["evil.example", f"evil.example:{PORT}", "127.0.0.1", "127.0.0.1:80", "0.0.0.0:4711"],
)
def test_another_host_is_refused_whatever_it_knows(
    host: str, client: TestClient, guard: Guard
) -> None:
    for path in ("/", f"/?token={guard.new_token()}", "/api/pile", "/sheet.webp?rows=1"):
        assert client.get(path, headers={"Host": host}).status_code == 421
    assert said(client, Host=host, Origin=f"http://{host}").status_code == 421


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": f"https://127.0.0.1:{PORT}"},
        {"Origin": "http://127.0.0.1:8888"},
        {"Origin": f"http://localhost:{PORT}"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
        {"Content_Type": "text/plain"},
        {"Content_Type": "application/x-www-form-urlencoded"},
    ],
)
def test_another_page_cannot_act(
    headers: dict[str, str], client: TestClient, session: Session
) -> None:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    assert said(client, **given).status_code in (403, 415)
    assert session.version == 1
    assert said(client).status_code == 200
    assert session.version == 2


def test_another_page_cannot_show_pictures(client: TestClient) -> None:
    for site, code in (("cross-site", 403), ("same-site", 403), ("same-origin", 200)):
        for path in ("/sheet.webp?rows=1", "/image/3", "/api/state", "/static/index.html"):
            assert client.get(path, headers={"Sec-Fetch-Site": site}).status_code == code


@pytest.mark.parametrize("path", ["/", "/api/pile", "/none", "/image/99", "/image/3"])
def test_every_answer_tells_the_browser_to_be_careful(path: str, client: TestClient) -> None:
    headers = client.get(path).headers
    policy = dict(part.strip().split(" ", 1) for part in
                  headers["content-security-policy"].split(";"))  # fmt: skip
    assert policy["default-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "cache-control" in headers
    assert "server" not in headers
    assert "access-control-allow-origin" not in headers


def test_only_a_notebook_may_frame_the_page(session: Session) -> None:
    guard = Guard(build_app(session, Events()), PORT, framed=True)
    policy = TestClient(guard, base_url=HOME).get("/").headers["content-security-policy"]
    ancestors = policy.partition("frame-ancestors ")[2].split()
    assert ancestors
    assert all("//localhost:" in each or "//127.0.0.1:" in each for each in ancestors)


# --- what is asked for ---------------------------------------------------------------------------


@pytest.mark.parametrize("word", UP)
def test_no_parameter_leads_to_a_file(word: str, client: TestClient) -> None:
    for address in (
        f"/{word}", f"/static/{word}", f"/image/{word}", f"/api/image/{word}",
        f"/api/group/{word}", f"/sheet.webp?rows={word}", f"/api/preview/dissolve/{word}",
        f"/api/question/again?rows={word}",
        f"/api/group/1?order=like&row={word}", f"/api/group/1?order={word}", f"/?token={word}",
    ):  # fmt: skip
        answer = client.get(address)
        assert answer.status_code in (303, 400, 404), (address, answer.status_code)
        assert b"Guard" not in answer.content
        assert b"[project]" not in answer.content
        assert b"root:" not in answer.content


@pytest.mark.parametrize("value", [None, "../x", -1, 1.5, 10**30, True, [], {}, "1", [[1]], [-1]])
def test_an_action_of_nonsense_is_refused_in_a_sentence(
    value: Any, client: TestClient, session: Session
) -> None:
    headers = {"Origin": HOME, "Content-Type": "application/json"}
    for op in (
        "divide", "name", "merge", "split", "move", "new", "dissolve", "confirm", "apart",
        "nowhere", "note", "answer", "undo_to", "../undo", value,
    ):  # fmt: skip
        action = {"op": op, "index": value, "group": value, "groups": value, "rows": value,
                  "to": value, "row": value, "parts": value or 1, "text": value, "name": 7,
                  "question": value, "entry": value}  # fmt: skip
        answer = client.post("/api/act", json=action, headers=headers)
        assert answer.status_code == 400, (op, answer.text)
        assert answer.json()["error"].endswith("."), answer.text
    for body in (b"", b"{", b"[]", b"7", b"\xff", b"[" * 50_000, b'{"op":"\\ud800"}'):
        assert client.post("/api/act", content=body, headers=headers).status_code == 400
    assert session.version == 1


def test_only_what_ships_is_served() -> None:
    assert "index.html" in page_files()
    assert not [name for name in page_files() if name.endswith((".py", ".json", ".ts", ".map"))]
    assert not [name for name in page_files() if ".." in name or name.startswith("/")]


def test_a_large_body_is_refused_before_it_is_read(client: TestClient) -> None:
    assert said(client, Content_Length=str(10 * 2**30)).status_code == 413
    assert said(client, Content_Length="9" * 40).status_code == 400


# --- over a real socket ---------------------------------------------------------------------------


@pytest.fixture
def server(session: Session) -> Iterator[ReviewServer]:
    with serving(session) as server:
        yield server


def cookie_of(server: ReviewServer) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.request("GET", server.new_address().partition(str(server.port))[2])
    return str(connection.getresponse().headers["set-cookie"]).partition(";")[0]


def test_it_listens_on_this_machine_alone(server: ReviewServer) -> None:
    assert server._socket.getsockname()[0] == "127.0.0.1"
    assert server.port > 1024


def test_ten_gigabytes_are_not_taken_in(server: ReviewServer) -> None:
    """Sent in chunks without a length: the connection ends after a little more than the limit."""
    head = (
        f"POST /api/act HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
        f"Origin: http://127.0.0.1:{server.port}\r\nCookie: {cookie_of(server)}\r\n"
        "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    chunk = b"40000\r\n" + b" " * 0x40000 + b"\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as sock:
        sock.sendall(head.encode())
        sent = 0
        try:
            while sent < 10 * 2**30:
                sock.sendall(chunk)
                sent += 0x40000
        except OSError:
            pass
        assert sent < 4 * LARGEST_BODY
    assert json.loads(get(server, "/api/pile", cookie_of(server)))["n"] == 40


def get(server: ReviewServer, path: str, cookie: str) -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    connection.request("GET", path, headers={"Cookie": cookie})
    answer = connection.getresponse()
    assert answer.status == 200
    return answer.read()


def test_a_thousand_connections_are_survived(server: ReviewServer) -> None:
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 4000:
        pytest.skip("the system grants this process too few connections")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 4000), hard))
    cookie = cookie_of(server)
    sockets = []
    try:
        for place in range(1000):
            sock = socket.create_connection(("127.0.0.1", server.port), timeout=20)
            begun = "GET /api/state HTTP/1.1\r\n" if place % 2 else ""  # half of them say nothing
            sock.sendall(begun.encode())
            sockets.append(sock)
        assert json.loads(get(server, "/api/state", cookie))["n_images"] == 40
        for sock in sockets[1::2]:  # the others go on
            sock.sendall(f"Host: 127.0.0.1:{server.port}\r\nCookie: {cookie}\r\n\r\n".encode())
        for sock in sockets[1::2]:
            assert sock.recv(12) == b"HTTP/1.1 200"
    finally:
        for sock in sockets:
            sock.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_two_tabs_hear_of_one_another(server: ReviewServer) -> None:
    cookie = cookie_of(server)
    heard: list[int] = []
    ready, changed = threading.Event(), threading.Event()

    def listen() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
        connection.request("GET", "/api/events", headers={"Cookie": cookie})
        answer = connection.getresponse()
        while len(heard) < 40 and (line := answer.readline()):
            if line.startswith(b"data: "):
                heard.append(json.loads(line[6:])["version"])
                (changed if heard[-1] == 2 else ready).set()

    tab = threading.Thread(target=listen, daemon=True)
    tab.start()
    assert ready.wait(20)
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    connection.request(
        "POST", "/api/act", json.dumps({"op": "name", "group": 1, "name": "cats"}),
        {"Cookie": cookie, "Origin": f"http://127.0.0.1:{server.port}",
         "Content-Type": "application/json"},
    )  # fmt: skip
    assert connection.getresponse().status == 200
    assert changed.wait(20)
    server.close()  # which ends the stream, too
    tab.join(20)
    assert not tab.is_alive()
