"""How long each action and question of a review takes, over HTTP, on one thread.

    OMP_NUM_THREADS=1 python benchmarks/review_speed.py 8500 200000

The pile is made up: 96 dimensions, 20 groups. Times are of the whole answer, in ms, at a client,
and of the processor meanwhile, which counts where other programs run beside it. What the server
computes when it starts is computed before; nothing else is computed ahead, as the server does while
a person looks at something; "ready" is what that person waits.
"""

from __future__ import annotations

import http.client
import json
import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np

from shoal.corrections.journal import Journal
from shoal.corrections.journal_file import start_entry
from shoal.embedding.table import ImageTable
from shoal.images.array import ArraySource
from shoal.models.checkpoint import Checkpoint
from shoal.recipes.metric import COSINE
from shoal.review.divisions import Division
from shoal.review.opening import Reviewed
from shoal.review.server import ReviewServer
from shoal.review.session import Session

D, K = 96, 20
_MANY = 990
"""Decided images, after which learning takes longest."""


class Client:
    """A browser, as far as the server can tell."""

    def __init__(self, server: ReviewServer) -> None:
        self.host = f"127.0.0.1:{server.port}"
        self.connection = http.client.HTTPConnection(self.host)
        self.connection.request("GET", "/?token=" + server.new_address().partition("=")[2])
        answer = self.connection.getresponse()
        answer.read()
        self.cookie = str(answer.getheader("set-cookie")).partition(";")[0]

    def timed(self, what: str, path: str, said: dict[str, Any] | None = None) -> Any:
        """Ask for something, or do it, and print how long that took."""
        headers = {"Cookie": self.cookie, "Origin": f"http://{self.host}"}
        headers["Content-Type"] = "application/json"
        body = None if said is None else json.dumps(said)
        began, worked = time.perf_counter(), time.process_time()
        self.connection.request("GET" if said is None else "POST", path, body, headers)
        answer = self.connection.getresponse()
        content = answer.read()
        line = _line(what, time.perf_counter() - began, time.process_time() - worked)
        print(line + ("" if answer.status == 200 else f"  {content[:80]!r}"))
        return json.loads(content) if answer.status == 200 else {}

    def act(self, op: str, **fields: Any) -> Any:
        """Do something."""
        return self.timed(op, "/api/act", {"op": op, **fields})


def _line(what: str, took: float, worked: float) -> str:
    return f"{what:28} {1000 * took:8.1f} {1000 * worked:8.1f}"


def session_of(n: int, folder: Path) -> Session:
    """A review of ``n`` made-up images, before anything was said."""
    generator = np.random.default_rng(0)
    labels = generator.integers(0, K, n)
    z = (generator.normal(size=(K, D))[labels] * 1.5 + generator.normal(size=(n, D))).astype("f4")
    ids = [f"2019/holidays/IMG_{row:07}.jpg" for row in range(n)]
    confidence = generator.random(n).astype("f4")
    table = ImageTable(ids=ids, labels=labels, embedding=z, confidence=confidence, xy=z[:, :2])
    journal = Journal(folder / "made.corrections.jsonl", start_entry(ids, labels))
    source = ArraySource(np.zeros((n, 8, 8, 3), np.uint8))
    checkpoint = cast(Checkpoint, SimpleNamespace(metric=COSINE))
    session = Session(Reviewed(source, checkpoint, table, journal), "made")
    division = Division("split", 1, "another", "", labels % 7, ())
    session.divisions.known = (division,)
    session.start = lambda: None  # type: ignore[method-assign] # nothing is computed ahead
    return session


def measure(n: int) -> None:
    """Print how long everything takes with ``n`` images."""
    print(f"\n{n:,} images (ms, ms of the processor)")
    with tempfile.TemporaryDirectory() as folder:
        session = session_of(n, Path(folder))
        server = ReviewServer(session)
        server.start()
        client = Client(server)
        began, worked = time.perf_counter(), time.process_time()
        session.prepare()
        print(
            _line("once, at the start", time.perf_counter() - began, time.process_time() - worked)
        )
        client.timed("state", "/api/state")
        client.timed("image, first", "/api/image/7")
        client.timed("image", "/api/image/8")
        client.act("name", group=2, name="cats")
        client.act("move", rows=list(range(12)), to=3)
        client.act("new", rows=list(range(50)))
        client.act("confirm", group=4)
        client.act("merge", groups=[4, 5, 6])
        client.act("undo")
        client.act("redo")
        client.act("nowhere", rows=[3, 4, 5])
        client.act("apart", rows=[3, 1000])
        client.act("note", row=3, text="look again")
        client.timed("parts", "/api/group/9?order=part")
        client.timed("parts, ready", "/api/group/9?order=part")
        client.act("split", group=7, parts=4)
        client.timed("preview of dissolve", "/api/preview/dissolve/8")
        client.timed("dissolve, ready", "/api/preview/dissolve/8")
        client.act("dissolve", group=8)
        client.timed("preview of learn", "/api/preview/learn")
        client.timed("preview of learn, ready", "/api/preview/learn")
        client.act("learn")
        client.timed("next question", "/api/question")
        began, worked = time.perf_counter(), time.process_time()
        session.estimate()
        took, busy = time.perf_counter() - began, time.process_time() - worked
        print(_line("how sure the rest is, which nobody waits for", took, busy))
        asked = client.timed("next question, ready", "/api/question")["question"]
        client.act("answer", question=asked["id"], to="confirm")
        client.timed("next question", "/api/question")
        undecided = np.flatnonzero(~session.groups.decided)
        rows = undecided[: max(1, _MANY - int(session.groups.decided.sum()))]
        client.act("confirm", rows=rows.tolist())
        client.timed(f"{session.groups.decided.sum():,} decided: question", "/api/question")
        client.act("confirm", rows=[int(undecided[-1])])
        client.timed("and preview of learn", "/api/preview/learn")
        client.act("divide", index=0)
        server.close()


if __name__ == "__main__":
    for number in sys.argv[1:] or ["8500", "200000"]:
        measure(int(number))
