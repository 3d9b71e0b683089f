"""How right the clusters become with each thing that a person says on the page of a review.

    python benchmarks/clicks.py signs signs.zip found/checkpoint.pth             # kinds: folders
    python benchmarks/clicks.py cells cells.npz found/checkpoint.pth --labels labels.npy
    python benchmarks/clicks.py signs signs.zip found/checkpoint.pth --wrong 0.02 --seeds 5
    python benchmarks/clicks.py --table                                          # and the picture
    python benchmarks/clicks.py signs signs.zip found/checkpoint.pth --ways stated --actions 40

A simulated person knows the kinds, and drives the server of `shoal review` over HTTP as the page
does. They see what the page shows: the samples of each division, 24 images of each group, the
strip of each question. First they take the division whose samples are purest. A group whose images
are of all kinds they dissolve; two groups of one kind they merge. Then they answer questions by
the majority of the strip, with ``--wrong`` of the answers wrong. Where two or more of the twelve
are of another kind, or single images are asked about, they give each image its kind; that is one
action, too, and takes a key for each image that is not where it was guessed to be: ``keys`` counts
these as well.
After every fifth answer they let shoal learn. Each of these is one action.

With ``--ways stated`` the same person works, and the page's word is kept: how many of the images
that nobody decided are in a wrong group, beside how many are, and what the result's own confidence
would say. ``--rarely`` lets them learn once only, at the end.

Beside it stand two ways to label images one at a time, from the same start and with the same
learning after each image, for nothing: the image that learning is least sure of, and any image.
"""

from __future__ import annotations

import argparse
import http.client
import json
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from machine import HERE, append, commit, machine, rows

RESULTS = HERE / "results" / "clicks.jsonl"
STATED = HERE / "results" / "clicks-stated.jsonl"
PICTURE = HERE / "results" / "clicks.png"
MARKS = (5, 10, 15, 20, 40, 60, 80, 100)
STATED_MARKS = (0, 5, 10, 20, 40)
LOOK = 24
"""Images of a group that the person looks at, evenly from typical to odd."""
DISSOLVED = 2.0
"""A group is of all kinds where no kind is more than a third, or this times its fair share."""
MERGED = 0.5
"""Two groups are of one kind where that is more than this share of each."""
EACH = 0.9
"""Of a strip of which no kind is this share, the person tells the group of each image."""
LEARN = 5


class Page:
    """The HTTP interface as the page uses it."""

    def __init__(self, address: str) -> None:
        self.host, token = address.removeprefix("http://").split("/", 1)
        self.connection = http.client.HTTPConnection(self.host, timeout=600)
        self.connection.request("GET", f"/{token}")
        answer = self.connection.getresponse()
        answer.read()
        self.cookie = answer.getheader("Set-Cookie", "").split(";")[0]

    def get(self, path: str) -> Any:
        return json.loads(self.raw(path))

    def raw(self, path: str) -> bytes:
        self.connection.request("GET", path, headers={"Cookie": self.cookie})
        return self._read()

    def act(self, **action: Any) -> Any:
        headers = {
            "Cookie": self.cookie, "Origin": f"http://{self.host}",
            "Content-Type": "application/json",
        }  # fmt: skip
        self.connection.request("POST", "/api/act", json.dumps(action), headers)
        return json.loads(self._read())

    def groups(self) -> Any:
        """The group of each image, as the page colours its map."""
        content = np.frombuffer(self.raw("/api/labels"), dtype=np.uint8)
        n = len(content) // 5
        return content[: 4 * n].view("<i4").astype(np.int64)

    def _read(self) -> bytes:
        answer = self.connection.getresponse()
        content = answer.read()
        assert answer.status == 200, content[:300]
        return content


class Person:
    """Knows the kind of each image, sees pictures, and makes mistakes.

    Args:
        kinds: int64 (n,), -1 where nobody knows.
        wrong: the share of answers that are wrong.
        seed: of the mistakes.
    """

    def __init__(self, kinds: Any, wrong: float, seed: int) -> None:
        self.kinds, self.wrong, self.learn = kinds, wrong, LEARN
        self.generator = np.random.default_rng(seed)
        self.group_of: dict[int, int] = {}
        self.keys = 0

    def sees(self, seen: Any, behind: Any = ()) -> tuple[int | None, float]:
        """The commonest kind and its share; of a strip of unknown images, of those behind it."""
        known = self.kinds[np.asarray(seen, dtype=np.int64)]
        known = known[known >= 0]
        if not len(known):
            known = self.kinds[np.asarray(behind, dtype=np.int64)]
            known = known[known >= 0]
        if not len(known):
            return None, 0.0
        counts = np.bincount(known, minlength=int(self.kinds.max()) + 1)
        kind = int(counts.argmax())
        share = float(counts[kind] / len(known))
        if self.generator.random() < self.wrong:
            kind = int(self.generator.integers(len(counts)))
        return kind, share

    def works(self, page: Page, chosen: Callable[[], None]) -> Iterator[None]:
        """Yields after each action, for ever; ``chosen`` ends the search for more divisions."""
        yield from self.chooses_division(page)
        threading.Thread(target=chosen).start()
        yield from self.looks_at_groups(page)
        answers = 0
        while True:
            asked = page.get("/api/question")["question"]
            if asked is None:
                return
            if asked["guesses"]:
                if self.answers_each(page, asked):
                    yield
                    answers += 1
                    yield from self.learns(page, answers)
                continue
            kind, share = self.sees(asked["rows"], asked["images"])
            if kind is None:  # of these images nobody knows the kind
                page.act(op="answer", question=asked["id"], to="skip")
                continue
            if share < EACH and (self.kinds[asked["rows"]] >= 0).all():
                self.keys += 1
                self.answers_each(page, asked)
                yield
                answers += 1
                yield from self.learns(page, answers)
                continue
            group = self.group_of.get(kind)
            if group is None or not (page.groups() == group).any():
                page.act(op="answer", question=asked["id"], to="new")
                self.group_of[kind] = int(page.groups()[asked["rows"][0]])
            else:
                page.act(op="answer", question=asked["id"], to=group)
            yield
            answers += 1
            yield from self.learns(page, answers)

    def learns(self, page: Page, answers: int) -> Iterator[None]:
        """Let shoal learn after every fifth answer."""
        if answers % self.learn == 0 and page.get("/api/preview/learn")["count"]:
            page.act(op="learn")
            yield

    def answers_each(self, page: Page, asked: Any) -> bool:
        """Give each image of a question its kind; whether anything was said."""
        if (self.kinds[asked["rows"]] >= 0).mean() < 0.5:  # nobody knows the kind of most
            page.act(op="answer", question=asked["id"], to="skip")
            return False
        present = set(page.groups().tolist())
        kinds = [self.sees([row])[0] for row in asked["rows"]]
        known = {kind: group for kind, group in self.group_of.items() if group in present}
        others = [kind for kind in kinds if kind is not None and kind not in known]
        fresh = max(others, key=others.count, default=None)  # of one new kind they make a group
        told = [
            None if kind is None else "new" if kind == fresh else known.get(kind) for kind in kinds
        ]
        guesses = asked["each"]["guesses"]
        self.keys += sum(one != guess for one, guess in zip(told, guesses, strict=True))
        page.act(op="answer", question=asked["id"], to=told)
        if fresh is not None:
            self.group_of[fresh] = int(page.groups()[asked["rows"][told.index("new")]])
        return any(group is not None for group in told)

    def chooses_division(self, page: Page) -> Iterator[None]:
        """Take the division whose samples are purest, each cluster of a kind of its own."""
        k = int(self.kinds.max()) + 1
        offered: dict[str, Any] = {"divisions": []}
        before = 0  # the ways for the same number of clusters come first, at once
        while not before or len(offered["divisions"]) != before:
            before = len(offered["divisions"])
            time.sleep(0.3)
            offered = page.get("/api/divisions")
        best, chosen = None, None
        for division in offered["divisions"]:
            if division["n"] != k:
                continue
            seen = [self.sees(sample) for sample in division["samples"]]
            kinds = {kind for kind, _ in seen if kind is not None}
            purity = len(kinds) / k + float(np.mean([share for _, share in seen]))
            if any(kind is None for kind, _ in seen):
                purity = 0.0  # a sample of which nobody knows an image says nothing
            if division["chosen"]:
                purity += 0.3  # what is there is left where another is not clearly better
            if best is None or purity > best[0]:
                best = (purity, division)
            chosen = division if division["chosen"] else chosen
        if best is not None and best[1] is not chosen:
            page.act(op="divide", index=best[1]["index"])
            yield

    def looks_at_groups(self, page: Page) -> Iterator[None]:
        """Dissolve what is of all kinds, merge what is of one kind, remember the others."""
        shares: dict[int, float] = {}
        for group in page.get("/api/state")["groups"]:
            members = page.get(f"/api/group/{group['id']}?order=typical")["rows"]
            places = np.linspace(0, len(members) - 1, min(LOOK, len(members))).astype(int)
            kind, share = self.sees(np.array(members)[places], members)
            if kind is None:
                continue
            if share <= min(1 / 3, DISSOLVED / (self.kinds.max() + 1)) and self.kinds.max() > 1:
                page.act(op="dissolve", group=group["id"])
                yield
            elif kind not in self.group_of:
                self.group_of[kind], shares[kind] = group["id"], share
            elif min(share, shares[kind]) > MERGED:
                page.act(op="merge", groups=[self.group_of[kind], group["id"]])
                self.group_of[kind] = int(page.groups()[members[0]])
                yield


def reviewed(
    source: Any, checkpoint: Path, kinds: Any, wrong: float, seed: int, n: int, *,
    look: Callable[[Page, Any], None] | None = None, rarely: bool = False,
) -> Any:  # fmt: skip
    """Accuracy before anything is said and after each of ``n`` actions, and the keys until then.

    ``look`` looks at the page before and after each action, and after they learned once more;
    ``rarely``: until then they never do.
    """
    from shoal.models import checkpoint as checkpoints
    from shoal.review.opening import open_review
    from shoal.review.server import serving
    from shoal.review.session import Session

    with tempfile.TemporaryDirectory() as folder:
        path = Path(shutil.copy(checkpoint, folder))
        for table in checkpoint.parent.glob("*.parquet"):
            shutil.copy(table, folder)
        session = Session(open_review(source, checkpoints.load(path), path), "clicks")
        with serving(session) as server:
            page = Page(server.new_address())
            scores, keys = [accuracy(page.groups(), kinds)], [0]
            see = (lambda: None) if look is None else lambda: look(page, session)
            see()
            person = Person(kinds, wrong, seed)
            person.learn = n + 1 if rarely else LEARN
            for _ in person.works(page, session.divisions.close):
                scores.append(accuracy(page.groups(), kinds))
                keys.append(person.keys + len(scores) - 1)
                see()
                if len(scores) > n:
                    break
            if look is not None and page.get("/api/preview/learn")["count"]:
                page.act(op="learn")
                see()
            page.connection.close()
    return np.pad(scores, (0, n + 1 - len(scores)), "edge"), keys


def stated(
    source: Any, checkpoint: Path, kinds: Any, wrong: float, seed: int, n: int, rarely: bool
) -> list[list[float]]:
    """Of the images that nobody decided, before and after each action, in percent: how many are
    wrong as the page says, as the result's confidence says, and as they are; then 1 if learned.

    The last row is after learning.
    """
    from shoal.corrections.corrected import corrected_confidence

    found: list[list[float]] = []

    def look(page: Page, session: Any) -> None:
        while not (state := page.get("/api/state"))["estimated"]:
            time.sleep(0.01)
        groups = session.groups
        left = ~groups.decided & (kinds >= 0)
        result = corrected_confidence(session._confidence, groups.decided, groups.inferred)
        says = (1 - state["expected"], 1 - float(result[left].mean()))
        is_wrong = 1 - float(right(groups.group, kinds)[left].mean())
        learned = [entry.op for entry in session.journal.history.done][-1:] == ["learn"]
        found.append([*(round(100 * one, 2) for one in (*says, is_wrong)), float(learned)])

    reviewed(source, checkpoint, kinds, wrong, seed, n, look=look, rarely=rarely)
    return found


def stated_table() -> None:
    """Print how far from the truth the page's word is, in points: of both, and the worst."""
    print("| pile | wrong answers | learns | after actions: says (before), is in % "
          "| error | before | too sure | before |")  # fmt: skip
    print("|---" * 8 + "|")
    for row in rows(STATED):
        told = np.array(row["told"])
        marks = [mark for mark in STATED_MARKS if mark < len(told)] + [len(told) - 1]
        learned = np.flatnonzero(told[:, 3])
        off = told[np.union1d(marks, learned)]
        error = off[:, :2] - off[:, 2:3]
        says = ", ".join(
            f"{'end' if mark == marks[-1] else mark}: {told[mark, 0]:.0f} ({told[mark, 1]:.0f}), "
            f"{told[mark, 2]:.0f}" for mark in marks
        )  # fmt: skip
        away, sure = np.abs(error).mean(axis=0), np.maximum(-error, 0).mean(axis=0)
        learns = "once" if row["rarely"] else "often"
        print(f"| {row['pile']} | {row['wrong']:.0%} | {learns} | {says} "
              f"| {away[0]:.1f} | {away[1]:.1f} | {sure[0]:.1f} | {sure[1]:.1f} |")  # fmt: skip


def one_at_a_time(z: Any, labels: Any, kinds: Any, unsure: bool, seed: int, n: int) -> Any:
    """Accuracy after each of ``n`` single images is labelled, float (n + 1,)."""
    from shoal.clustering.partitions import match
    from shoal.corrections.spread import spread

    generator, known = np.random.default_rng(seed), np.flatnonzero(kinds >= 0)
    result = labels + 1
    group, decided = result.copy(), np.zeros(len(labels), dtype=bool)
    named = match(labels[known], kinds[known])  # the person names each cluster by its main kind
    group_of = {int(kind): int(own) for kind, own in zip(named, result[known], strict=True)}
    scores = [accuracy(group, kinds)]
    learned = spread(z, group, decided, result=result)
    for _ in range(n):
        left = known[~decided[known]]
        sure = learned.membership[left].max(axis=1)
        noise = 1e-3 * generator.random(len(left))
        row = int(left[(sure + noise).argmin()] if unsure else generator.choice(left))
        kind = int(kinds[row])
        group[row] = group_of.setdefault(kind, int(group.max()) + 1)
        decided[row] = True
        learned = spread(z, group, decided, result=result)
        scores.append(accuracy(np.where(decided, group, learned.group), kinds))
    return np.array(scores)


def accuracy(groups: Any, kinds: Any) -> float:
    """Over the images of known kind, each group matched with one kind."""
    return float(right(groups, kinds)[kinds >= 0].mean())


def right(groups: Any, kinds: Any) -> Any:
    """Which images are of the kind that their group is matched with, bool (n,)."""
    from shoal.clustering.partitions import match

    known = kinds >= 0
    found = np.zeros(len(kinds), dtype=bool)
    found[known] = match(groups[known], kinds[known]) == kinds[known]
    return found


def measure(arguments: argparse.Namespace) -> None:
    """Add the curves of a pile to the results."""
    import shoal
    from shoal.cli.opening_as_learned import open_as_learned
    from shoal.cli.options import OpenOptions

    checkpoint = arguments.checkpoint
    learned = shoal.load(checkpoint)
    source = open_as_learned(arguments.data, learned, OpenOptions())
    if arguments.labels:
        kinds = np.load(arguments.labels)
        kinds = np.pad(kinds, (len(source) - len(kinds), 0), constant_values=-1)
    else:
        kinds = np.array([name.split("/")[-2] for name in source.ids])
    names, places = np.unique(kinds, return_inverse=True)
    kinds = places.astype(np.int64) - (1 if names.dtype.kind in "if" and names[0] == -1 else 0)
    table = shoal.predict(source, learned)
    n = arguments.actions
    about = {"pile": arguments.name, "n": len(source), "commit": commit(), "machine": machine()}
    for seed in range(arguments.seeds):
        for way in arguments.ways:
            if way == "stated":
                told = stated(source, checkpoint, kinds, arguments.wrong, seed, n, arguments.rarely)
                tried = {"wrong": arguments.wrong, "rarely": arguments.rarely, "seed": seed}
                append(STATED, [{**about, **tried, "told": told}])
                continue
            keys: list[int] = []
            if way == "review":
                curve, keys = reviewed(source, checkpoint, kinds, arguments.wrong, seed, n)
            else:
                z, labels = table.embedding, table.labels
                curve = one_at_a_time(z, labels, kinds, way == "uncertainty", seed, n)
            curve = [round(float(score), 4) for score in curve]
            wrong = arguments.wrong if way == "review" else 0.0
            append(
                RESULTS,
                [{**about, "way": way, "wrong": wrong, "seed": seed, "curve": curve, "keys": keys}],
            )
            print(arguments.name, way, seed, [curve[min(mark, n)] for mark in MARKS], keys[-1:])


def tables() -> None:
    """Print mean and worst after some numbers of actions, and draw the curves."""
    from matplotlib.figure import Figure

    from shoal.plots import figures

    found = rows(RESULTS)
    piles = list(dict.fromkeys(row["pile"] for row in found))
    print("| pile | way | before | " + " | ".join(map(str, MARKS)),
          "| largest loss | worse by more than 0.005 |")  # fmt: skip
    print("|---" * (len(MARKS) + 5) + "|")
    figure = Figure(figsize=(10.0, 3.2 * -(-len(piles) // 3)), layout="constrained")
    axes = figure.subplots(-(-len(piles) // 3), 3, squeeze=False).ravel()
    lines: dict[str, Any] = {}  # a way has one colour in all panels
    for ax, pile in zip(axes, piles, strict=False):
        ways = dict.fromkeys((row["way"], row["wrong"]) for row in found if row["pile"] == pile)
        for way, wrong in ways:
            same = [row["curve"] for row in found
                    if (row["pile"], row["way"], row["wrong"]) == (pile, way, wrong)]  # fmt: skip
            # A pile may have been measured anew, with another number of actions.
            curves = np.array([curve for curve in same if len(curve) == len(same[-1])])
            title = f"{way}, {wrong:.0%} wrong" if wrong else way
            cells = [
                f"{curves[:, mark].mean():.3f} ({curves[:, mark].min():.3f})"
                if mark < curves.shape[1] else "" for mark in MARKS
            ]  # fmt: skip
            change = np.diff(curves, axis=1)
            loss = -min(0.0, float(change.min()))
            worse, n_actions = int((change < -0.005).sum()), change.size
            start = f"{curves[:, 0].mean():.3f}"
            print(f"| {pile} | {title} | {start} | {' | '.join(cells)} | {loss:.3f} "
                  f"| {worse} of {n_actions:,} |")  # fmt: skip
            color = lines[title].get_color() if title in lines else f"C{len(lines)}"
            (line,) = ax.plot(curves.mean(axis=0), color=color)
            lines.setdefault(title, line)
            ax.fill_between(
                range(curves.shape[1]), curves.min(0), curves.max(0), color=color, alpha=0.15
            )
        ax.set_title(pile)
        ax.set_xlabel("actions")
    for ax in axes[len(piles) :]:
        ax.set_axis_off()
    axes[0].set_ylabel("accuracy")
    axes[0].legend(lines.values(), lines.keys(), fontsize=7)
    figures.write(figure, PICTURE)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", nargs="?")
    parser.add_argument("data", nargs="?", type=Path)
    parser.add_argument("checkpoint", nargs="?", type=Path)
    parser.add_argument("--labels", type=Path, help=".npy; fewer than images: of the last ones")
    parser.add_argument("--actions", type=int, default=100)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--wrong", type=float, default=0.0)
    parser.add_argument("--ways", nargs="+", default=["review", "uncertainty", "random"])
    parser.add_argument("--rarely", action="store_true", help="learn at the end only")
    parser.add_argument("--table", action="store_true")
    arguments = parser.parse_args()
    if arguments.table:
        tables()
        stated_table()
    else:
        measure(arguments)


if __name__ == "__main__":
    main()
